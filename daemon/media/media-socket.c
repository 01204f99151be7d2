/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-socket.h"

#include <errno.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define EF 0xb8                         /* DSCP 46 in the upper six bits */
#define RECEIVE_BUFFER (256 * 1024)     /* octets: survives a stall of the I/O thread under a flood */
#define MAX_AGE G_USEC_PER_SEC          /* an older kernel timestamp is a step of the wall clock */

static int
open_one (const MediaAddress *address, gboolean both_families)
{
  int yes = 1, no = 0, tos = EF, size = RECEIVE_BUFFER;
  int fd = socket (address->any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return -1;
  if (address->any.sa_family == AF_INET6)
    {
      setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, both_families ? &no : &yes, sizeof yes);
      setsockopt (fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof tos);
    }
  if (address->any.sa_family == AF_INET || both_families)
    setsockopt (fd, IPPROTO_IP, IP_TOS, &tos, sizeof tos);
  setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  if (bind (fd, &address->any, media_address_length (address)) < 0)
    {
      int saved = errno;
      close (fd);
      errno = saved;
      return -1;
    }
  return fd;
}

void
media_socket_adopt (int fd)
{
  int yes = 1, size = RECEIVE_BUFFER;

  setsockopt (fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
}

static void
set_port (MediaAddress *address, guint port)
{
  if (address->any.sa_family == AF_INET)
    address->v4.sin_port = g_htons ((guint16) port);
  else
    address->v6.sin6_port = g_htons ((guint16) port);
}

gboolean
media_sockets_open (const char *bind_address, gboolean ipv6, guint first, guint last, MediaSockets *ret_sockets, GError **error)
{
  MediaAddress address;
  gboolean both = bind_address == NULL && ipv6;
  const char *text = bind_address != NULL ? bind_address : ipv6 ? "::" : "0.0.0.0";
  int family = strchr (text, ':') != NULL ? AF_INET6 : AF_INET;
  guint32 random = 0;
  int why = 0;

  *ret_sockets = (MediaSockets) { .rtp = -1, .rtcp = -1 };
  if (!media_address_parse (text, 0, family, &address))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "“%s” is no address for media", text);
      return FALSE;
    }
  first += first & 1;
  if (last > 65535 || first == 0 || first + 1 > last)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the port range %u-%u for media holds no pair", first, last);
      return FALSE;
    }

  /* A start that nobody can guess: an off-path attacker has to find the port first. */
  guint pairs = (last - first + 1) / 2;
  if (getrandom (&random, sizeof random, 0) != sizeof random)
    random = g_random_int ();
  for (guint i = 0; i < pairs; i++)
    {
      guint port = first + 2 * ((random + i) % pairs);
      set_port (&address, port);
      int rtp = open_one (&address, both);
      if (rtp < 0)
        {
          why = errno;
          if (why != EADDRINUSE && why != EACCES)
            break;
          continue;
        }
      set_port (&address, port + 1);
      int rtcp = open_one (&address, both);
      if (rtcp < 0)
        {
          why = errno;
          close (rtp);
          continue;
        }
      *ret_sockets = (MediaSockets) {
        .rtp = rtp, .rtcp = rtcp, .rtp_port = (guint16) port, .rtcp_port = (guint16) (port + 1), .family = address.any.sa_family
      };
      return TRUE;
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no free pair of ports for media in %u-%u at %s: %s", first, last, text,
               g_strerror (why));
  return FALSE;
}

void
media_sockets_close (MediaSockets *sockets)
{
  if (sockets->rtp >= 0)
    close (sockets->rtp);
  if (sockets->rtcp >= 0)
    close (sockets->rtcp);
  sockets->rtp = sockets->rtcp = -1;
}

/* The kernel stamps with the wall clock; what it says about the age of a packet holds for any clock. */
static gint64
arrival_time (struct msghdr *message)
{
  gint64 now = g_get_monotonic_time ();

  for (struct cmsghdr *c = CMSG_FIRSTHDR (message); c != NULL; c = CMSG_NXTHDR (message, c))
    if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
      {
        struct timespec stamp, wall;
        memcpy (&stamp, CMSG_DATA (c), sizeof stamp);
        clock_gettime (CLOCK_REALTIME, &wall);
        gint64 age = (wall.tv_sec - stamp.tv_sec) * G_USEC_PER_SEC + (wall.tv_nsec - stamp.tv_nsec) / 1000;
        if (age > 0 && age < MAX_AGE)
          return now - age;
      }
  return now;
}

gssize
media_socket_receive (int fd, guint8 *buffer, gsize capacity, MediaAddress *ret_from, gint64 *ret_arrival)
{
  union
  {
    struct cmsghdr align;
    char octets[CMSG_SPACE (sizeof (struct timespec)) + 64];
  } control;
  struct iovec iov = { .iov_base = buffer, .iov_len = capacity };
  struct msghdr message = { .msg_name = ret_from, .msg_namelen = sizeof *ret_from, .msg_iov = &iov, .msg_iovlen = 1,
                            .msg_control = &control, .msg_controllen = sizeof control };
  gssize n;

  /* An error here is one that a packet of ours brought back (ICMP); reading it clears it. */
  for (guint tries = 0; (n = recvmsg (fd, &message, 0)) < 0; tries++)
    if (errno == EAGAIN || tries == 8)
      return -1;
  if (message.msg_flags & MSG_TRUNC)
    return -2;
  *ret_arrival = arrival_time (&message);
  return n;
}

gboolean
media_socket_send (int fd, const guint8 *data, gsize length, const MediaAddress *to)
{
  for (guint tries = 0; tries < 3; tries++)
    {
      if (sendto (fd, data, length, MSG_NOSIGNAL, &to->any, media_address_length (to)) >= 0)
        return TRUE;
      if (errno != ECONNREFUSED && errno != EINTR && errno != EHOSTUNREACH && errno != ENETUNREACH)
        return FALSE;
    }
  return FALSE;
}
