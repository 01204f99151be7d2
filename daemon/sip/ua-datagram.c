/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia's resolver asks the next name server when a question cannot be sent, and after the last the first again, at once and for
 * ever (sres_send_dns_query): a machine without a network, or one that loses it between two tries, hangs with the processor at full
 * load until the watchdog ends it. To the resolver a datagram that did not leave must look like one that got lost: then its timer,
 * its number of tries and its other servers do what they are there for.
 *
 * Two functions are interposed for that, as in ua-clock.c. The resolver connects one datagram socket to each name server and keeps
 * it. Where connect () fails for want of a route, it is told of success, and the connection is tried again before every send ().
 * An ICMP answer that the port is closed stays an error: it is reported once for each datagram, and speeds the search up. */

#include "sip/ua-datagram.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "sip/ua-module.h"

/* Sockets whose connect () failed: of six name servers for each nua, more than ever have no route at once. */
#define MAX_WAITING 256

typedef struct
{
  int fd;
  socklen_t length;
  struct sockaddr_storage to;
} Waiting;

static UaModule sofia;
static Waiting waiting[MAX_WAITING];
static guint n_waiting;

static gboolean
is_datagram (int fd)
{
  int type = 0;
  socklen_t length = sizeof type;

  return getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM;
}

static Waiting *
find (int fd)
{
  for (guint i = 0; i < n_waiting; i++)
    if (waiting[i].fd == fd)
      return &waiting[i];
  return NULL;
}

static void
forget (int fd)
{
  Waiting *found = find (fd);

  if (found != NULL)
    *found = waiting[--n_waiting];
}

/* Called by any thread, and before main () too. */
static gpointer
find_next (gpointer *next, const char *name)
{
  if (G_UNLIKELY (g_atomic_pointer_get (next) == NULL))
    g_atomic_pointer_set (next, dlsym (RTLD_NEXT, name));
  return g_atomic_pointer_get (next);
}

static int
real_connect (int fd, const struct sockaddr *to, socklen_t length)
{
  static gpointer next;

  return ((int (*) (int, const struct sockaddr *, socklen_t)) find_next (&next, "connect")) (fd, to, length);
}

static ssize_t
real_send (int fd, const void *data, size_t length, int flags)
{
  static gpointer next;

  return ((ssize_t (*) (int, const void *, size_t, int)) find_next (&next, "send")) (fd, data, length, flags);
}

/* ---- interposed ---- */

__attribute__ ((visibility ("default"))) int
connect (int fd, const struct sockaddr *to, socklen_t length)
{
  int result = real_connect (fd, to, length);

  if (!UA_CALLED_FROM (&sofia) || !is_datagram (fd))
    return result;
  forget (fd);                  /* of a socket with that number, closed since */
  if (result < 0 && n_waiting < MAX_WAITING && length <= sizeof waiting->to)
    {
      waiting[n_waiting] = (Waiting) { .fd = fd, .length = length };
      memcpy (&waiting[n_waiting++].to, to, length);
      return 0;
    }
  return result;
}

__attribute__ ((visibility ("default"))) ssize_t
send (int fd, const void *data, size_t length, int flags)
{
  ssize_t sent = real_send (fd, data, length, flags);

  if (sent >= 0 || !UA_CALLED_FROM (&sofia) || errno == ECONNREFUSED || !is_datagram (fd))
    return sent;
  if (errno == EDESTADDRREQ)
    {
      const Waiting *found = find (fd);

      if (found != NULL && real_connect (fd, (const struct sockaddr *) &found->to, found->length) == 0)
        {
          forget (fd);
          real_send (fd, data, length, flags);
        }
    }
  return (ssize_t) length;
}

gboolean
ua_datagram_init (GError **error)
{
  static const char *const names[] = { "connect", "send" };

  /* sofia's main library contains its resolver. */
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (!ua_module_find ("sres_query", &sofia) || !ua_module_imports (&sofia, names[i]))
      {
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "resolver: this version of sofia-sip does not go through our %s ()", names[i]);
        return FALSE;
      }
  return TRUE;
}
