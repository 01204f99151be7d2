/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia accepts every connection, and keeps those that say nothing for ever: a thousand half-open ones use up our file descriptors
 * and, with TLS, some 60 kB each. Its accept () comes through here (how: ua-clock.c).
 *
 *   - MAX_CONNECTIONS at a time, MAX_PER_ADDRESS of them from one address, all accounts together.
 *   - Who has not sent an octet of SIP within PATIENCE is cut off; over TLS the handshake has to be done by then too.
 *   - When it is full, room is made at the expense of the oldest that has not said anything yet, else of the one that has been silent
 *     longest, if that is more than IDLE; a phone with a call or a keep-alive is not. If the address alone is full, only among its own.
 *     If there is none, the new one is closed.
 *   - A TLS handshake costs us arithmetic: there may be so many a second from one address, and so many in all (handshake-rate.h).
 *   - TCP asks silent peers whether they are still there, so that those that vanished do not hold a place.
 *
 * sofia closes the connections; that is noticed by the inode of the socket, which is not reused together with its number. */

#include "sip/ua-admission.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sip/handshake-rate.h"
#include "sip/ua-module.h"
#include "sip/ua-private.h"

#define MAX_CONNECTIONS 64
#define MAX_PER_ADDRESS 16
#define PATIENCE 10000          /* ms */
#define IDLE 90000              /* ms: three of the usual keep-alives */
#define SAY_AGAIN (60 * G_USEC_PER_SEC)
enum { KEEPALIVE_IDLE = 60, KEEPALIVE_INTERVAL = 15, KEEPALIVE_COUNT = 4 };     /* s, s */

typedef struct
{
  int fd;
  ino_t inode;
  struct sockaddr_storage peer;
  gboolean tls, proven;
} Guest;

static UaModule sofia;
static Guest guests[MAX_CONNECTIONS];   /* oldest first */
static guint n_guests;

static ino_t
inode_of (int fd)
{
  struct stat status;

  return fstat (fd, &status) == 0 ? status.st_ino : 0;
}

static void
remove_guest (guint index)
{
  n_guests--;
  memmove (&guests[index], &guests[index + 1], (n_guests - index) * sizeof guests[0]);
}

static void
forget_closed (void)
{
  for (guint i = n_guests; i-- > 0;)
    if (inode_of (guests[i].fd) != guests[i].inode)
      remove_guest (i);
}

static Guest *
find_guest (int fd)
{
  ino_t inode = inode_of (fd);

  for (guint i = 0; i < n_guests; i++)
    if (guests[i].fd == fd && guests[i].inode == inode)
      return &guests[i];
  return NULL;
}

static gboolean
has_spoken (const Guest *guest, guint *ret_silent_ms)
{
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;

  if (getsockopt (guest->fd, IPPROTO_TCP, TCP_INFO, &info, &length) < 0)
    return FALSE;
  *ret_silent_ms = info.tcpi_last_data_recv;
  return guest->tls ? guest->proven : info.tcpi_bytes_received > 0;
}

/* sofia sees the end of the stream, and closes. */
static void
cut_off (guint index)
{
  shutdown (guests[index].fd, SHUT_RDWR);
  remove_guest (index);
}

static gboolean
on_patience (gpointer data)
{
  ino_t inode = (ino_t) GPOINTER_TO_SIZE (data);
  guint silent;

  forget_closed ();
  for (guint i = 0; i < n_guests; i++)
    if (guests[i].inode == inode && !has_spoken (&guests[i], &silent))
      {
        phone_log_debug (NULL, "sip: a connection without a request was closed");
        cut_off (i);
        break;
      }
  return G_SOURCE_REMOVE;
}

/* ---- room for one more ---- */

static gboolean
make_room (const struct sockaddr *peer)
{
  guint from_there = 0, longest = IDLE;
  gboolean crowd;
  int victim = -1;

  forget_closed ();
  for (guint i = 0; i < n_guests; i++)
    from_there += ua_address_equal ((struct sockaddr *) &guests[i].peer, peer);
  crowd = from_there >= MAX_PER_ADDRESS;
  if (!crowd && n_guests < MAX_CONNECTIONS)
    return TRUE;
  for (guint i = 0; i < n_guests; i++)
    {
      guint silent = 0;

      if (crowd && !ua_address_equal ((struct sockaddr *) &guests[i].peer, peer))
        continue;
      if (!has_spoken (&guests[i], &silent))
        {
          victim = (int) i;
          break;
        }
      if (silent > longest)
        {
          longest = silent;
          victim = (int) i;
        }
    }
  if (victim < 0)
    return FALSE;
  cut_off ((guint) victim);
  return TRUE;
}

static void
ask_if_alive (int fd)
{
  setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &(int) { 1 }, sizeof (int));
  setsockopt (fd, IPPROTO_TCP, TCP_KEEPIDLE, &(int) { KEEPALIVE_IDLE }, sizeof (int));
  setsockopt (fd, IPPROTO_TCP, TCP_KEEPINTVL, &(int) { KEEPALIVE_INTERVAL }, sizeof (int));
  setsockopt (fd, IPPROTO_TCP, TCP_KEEPCNT, &(int) { KEEPALIVE_COUNT }, sizeof (int));
}

static gboolean
admit (int fd)
{
  Guest guest = { .fd = fd, .inode = inode_of (fd) };
  socklen_t length = sizeof guest.peer;

  if (getpeername (fd, (struct sockaddr *) &guest.peer, &length) < 0 || !make_room ((struct sockaddr *) &guest.peer))
    return FALSE;
  guests[n_guests++] = guest;
  ask_if_alive (fd);
  g_timeout_add (PATIENCE, on_patience, GSIZE_TO_POINTER (guest.inode));
  return TRUE;
}

/* Anybody can cause this as often as he likes: it is said now and then. */
static void
say_too_many (void)
{
  static gint64 said;
  gint64 now = g_get_monotonic_time ();

  if (said && now - said < SAY_AGAIN)
    return;
  said = now;
  phone_log_notice (NULL, "tls: too many handshakes, some are refused");
}

gboolean
ua_admission_expect (int fd)
{
  static HandshakeRate *rate;
  Guest *guest = find_guest (fd);

  if (!guest)
    return TRUE;
  guest->tls = TRUE;
  if (!rate)
    rate = handshake_rate_new ();
  if (handshake_rate_take (rate, (struct sockaddr *) &guest->peer, g_get_monotonic_time ()))
    return TRUE;
  say_too_many ();
  return FALSE;
}

void
ua_admission_prove (int fd)
{
  Guest *guest = find_guest (fd);

  if (guest)
    guest->proven = TRUE;
}

/* ---- interposed ---- */

/* Called by any thread, and before main () too. */
__attribute__ ((visibility ("default"))) int
accept (int listener, struct sockaddr *from, socklen_t *length)
{
  static gpointer next;
  int fd;

  if (G_UNLIKELY (g_atomic_pointer_get (&next) == NULL))
    g_atomic_pointer_set (&next, dlsym (RTLD_NEXT, "accept"));
  fd = ((int (*) (int, struct sockaddr *, socklen_t *)) g_atomic_pointer_get (&next)) (listener, from, length);
  if (fd < 0 || !UA_CALLED_FROM (&sofia) || admit (fd))
    return fd;
  phone_log_debug (NULL, "sip: too many connections, one was closed");
  close (fd);
  errno = 0;                    /* sofia reports any other */
  return -1;
}

gboolean
ua_admission_init (GError **error)
{
  if (ua_module_find ("su_now", &sofia) && ua_module_imports (&sofia, "accept"))
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "tcp: this version of sofia-sip does not go through our accept ()");
  return FALSE;
}
