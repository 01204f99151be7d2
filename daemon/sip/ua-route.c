/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which of our addresses a peer would see. A connected UDP socket asks the routing table without sending anything; names are not
 * resolved here (that would block): for them, and for "the world", a documentation address (RFC 5737, RFC 3849) stands in, which
 * always goes by the default route.
 *
 * And the one source of addresses that sofia's resolver does not know: /etc/hosts. */

#include "sip/ua-private.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define WORLD_IP4 "192.0.2.1"
#define WORLD_IP6 "2001:db8::1"
#define ANY_PORT 9              /* discard: connect () wants one */
#define PORT_TRIES 16
#define HOSTS_FILE "/etc/hosts"
#define MAX_HOSTS_FILE (1024 * 1024)

static gboolean
parse_numeric (const char *text, guint16 port, struct sockaddr_storage *ret_address)
{
  struct sockaddr_in *ip4 = (struct sockaddr_in *) ret_address;
  struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *) ret_address;

  memset (ret_address, 0, sizeof *ret_address);
  if (inet_pton (AF_INET, text, &ip4->sin_addr) == 1)
    {
      ip4->sin_family = AF_INET;
      ip4->sin_port = htons (port);
      return TRUE;
    }
  if (inet_pton (AF_INET6, text, &ip6->sin6_addr) == 1)
    {
      ip6->sin6_family = AF_INET6;
      ip6->sin6_port = htons (port);
      return TRUE;
    }
  return FALSE;
}

static socklen_t
address_length (const struct sockaddr *address)
{
  return address->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in);
}

static char *
to_text (const struct sockaddr *address)
{
  char text[INET6_ADDRSTRLEN];
  const void *raw = address->sa_family == AF_INET6 ? (const void *) &((const struct sockaddr_in6 *) address)->sin6_addr
                                                   : (const void *) &((const struct sockaddr_in *) address)->sin_addr;

  return g_strdup (inet_ntop (address->sa_family, raw, text, sizeof text));
}

char *
ua_route_source_for (const struct sockaddr *peer)
{
  struct sockaddr_storage to, ours;
  socklen_t length = sizeof ours;
  char *text = NULL;
  int fd;

  if (peer->sa_family != AF_INET && peer->sa_family != AF_INET6)
    return NULL;
  memcpy (&to, peer, address_length (peer));
  if (peer->sa_family == AF_INET6)
    ((struct sockaddr_in6 *) &to)->sin6_port = htons (ANY_PORT);
  else
    ((struct sockaddr_in *) &to)->sin_port = htons (ANY_PORT);
  fd = socket (peer->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return NULL;
  if (connect (fd, (struct sockaddr *) &to, address_length (peer)) == 0
      && getsockname (fd, (struct sockaddr *) &ours, &length) == 0)
    text = to_text ((struct sockaddr *) &ours);
  close (fd);
  return text;
}

char *
ua_route_source (const char *host, int family)
{
  struct sockaddr_storage peer;
  char *source = NULL;

  if (host && parse_numeric (host, ANY_PORT, &peer) && (family == AF_UNSPEC || family == peer.ss_family))
    return ua_route_source_for ((struct sockaddr *) &peer);
  if (family != AF_INET6 && parse_numeric (WORLD_IP4, ANY_PORT, &peer))
    source = ua_route_source_for ((struct sockaddr *) &peer);
  if (!source && family != AF_INET && parse_numeric (WORLD_IP6, ANY_PORT, &peer))
    source = ua_route_source_for ((struct sockaddr *) &peer);
  return source;
}

gboolean
ua_route_split (const char *uri, char **ret_host, guint16 *ret_port)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  gboolean has_scheme = g_ascii_strncasecmp (uri, "sip:", 4) == 0 || g_ascii_strncasecmp (uri, "sips:", 5) == 0;
  url_t *url = has_scheme ? url_hdup (home, (const url_t *) uri) : url_format (home, "sip:%s", uri);
  gboolean ok = url && (url->url_type == url_sip || url->url_type == url_sips) && url->url_host && *url->url_host;

  if (ok)
    {
      gsize length = strlen (url->url_host);
      gint64 port = url->url_port ? g_ascii_strtoll (url->url_port, NULL, 10) : 0;

      if (url->url_host[0] == '[' && length > 2)
        *ret_host = g_strndup (url->url_host + 1, length - 2);
      else
        *ret_host = g_strdup (url->url_host);
      *ret_port = port > 0 && port <= G_MAXUINT16 ? (guint16) port : 0;
    }
  su_home_deinit (home);
  return ok;
}

static int
bind_one (const struct sockaddr_storage *address, int type)
{
  int one = 1;
  int fd = socket (address->ss_family, type | SOCK_CLOEXEC, 0);

  if (fd < 0)
    return -1;
  if (address->ss_family == AF_INET6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  if (type == SOCK_STREAM)
    setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind (fd, (const struct sockaddr *) address, address_length ((const struct sockaddr *) address)) == 0)
    return fd;
  close (fd);
  return -1;
}

/* sofia does not tell which port it got, and its Contact must be known before the first request. */
guint16
ua_route_free_port (const char *address, int family)
{
  for (int i = 0; i < PORT_TRIES; i++)
    {
      struct sockaddr_storage where;
      socklen_t length = sizeof where;
      guint16 *port;
      guint16 found = 0;
      int udp, tcp;

      if (!parse_numeric (address ? address : family == AF_INET6 ? "::" : "0.0.0.0", 0, &where))
        return 0;
      port = where.ss_family == AF_INET6 ? &((struct sockaddr_in6 *) &where)->sin6_port
                                         : &((struct sockaddr_in *) &where)->sin_port;
      udp = bind_one (&where, SOCK_DGRAM);
      if (udp < 0)
        return 0;
      getsockname (udp, (struct sockaddr *) &where, &length);
      tcp = bind_one (&where, SOCK_STREAM);
      if (tcp >= 0)
        {
          found = ntohs (*port);
          close (tcp);
        }
      close (udp);
      if (found)
        return found;
    }
  return 0;
}

gboolean
ua_route_port_is_free (const char *address, int family, guint16 port)
{
  struct sockaddr_storage where;
  int udp, tcp;

  if (!parse_numeric (address ? address : family == AF_INET6 ? "::" : "0.0.0.0", port, &where))
    return FALSE;
  udp = bind_one (&where, SOCK_DGRAM);
  tcp = bind_one (&where, SOCK_STREAM);
  if (udp >= 0)
    close (udp);
  if (tcp >= 0)
    close (tcp);
  return udp >= 0 && tcp >= 0;
}

int
ua_address_family (const char *numeric)
{
  struct sockaddr_storage address;

  return numeric && parse_numeric (numeric, 0, &address) ? address.ss_family : AF_UNSPEC;
}

/* ::ffff:a.b.c.d is a.b.c.d: a dual-stack socket shows it so. */
static gboolean
get_ip4 (const struct sockaddr *address, guint32 *ret_ip4)
{
  const struct in6_addr *ip6;

  if (address->sa_family == AF_INET)
    {
      *ret_ip4 = ((const struct sockaddr_in *) address)->sin_addr.s_addr;
      return TRUE;
    }
  ip6 = &((const struct sockaddr_in6 *) address)->sin6_addr;
  if (!IN6_IS_ADDR_V4MAPPED (ip6))
    return FALSE;
  memcpy (ret_ip4, &ip6->s6_addr[12], sizeof *ret_ip4);
  return TRUE;
}

gboolean
ua_address_equal (const struct sockaddr *a, const struct sockaddr *b)
{
  guint32 a4, b4;

  if (a->sa_family == AF_UNSPEC || b->sa_family == AF_UNSPEC)
    return FALSE;
  if (get_ip4 (a, &a4))
    return get_ip4 (b, &b4) && a4 == b4;
  return !get_ip4 (b, &b4)
         && memcmp (&((const struct sockaddr_in6 *) a)->sin6_addr, &((const struct sockaddr_in6 *) b)->sin6_addr,
                    sizeof (struct in6_addr)) == 0;
}

static gboolean
names_host (char **words, const char *host)
{
  for (gsize i = 1; words[0] && words[i]; i++)
    if (g_ascii_strcasecmp (words[i], host) == 0)
      return TRUE;
  return FALSE;
}

char *
ua_route_find_in_hosts (const char *text, const char *host, int family)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);

  for (gsize i = 0; lines[i]; i++)
    {
      g_auto (GStrv) raw = NULL;
      g_autoptr (GPtrArray) words = g_ptr_array_new ();
      int found;

      lines[i][strcspn (lines[i], "#")] = '\0';
      raw = g_strsplit_set (lines[i], " \t\r", -1);
      for (gsize n = 0; raw[n]; n++)
        if (*raw[n])
          g_ptr_array_add (words, raw[n]);
      g_ptr_array_add (words, NULL);
      if (!names_host ((char **) words->pdata, host))
        continue;
      found = ua_address_family (words->pdata[0]);
      if (found != AF_UNSPEC && (family == AF_UNSPEC || family == found))
        return g_strdup (words->pdata[0]);
    }
  return NULL;
}

char *
ua_route_hosts (const char *host, int family)
{
  g_autofree char *text = NULL;
  gsize length;

  if (ua_address_family (host) != AF_UNSPEC || !g_file_get_contents (HOSTS_FILE, &text, &length, NULL) || length > MAX_HOSTS_FILE)
    return NULL;
  return ua_route_find_in_hosts (text, host, family);
}

/* Where a request without a server goes: the target's host, as /etc/hosts has it, with our transport, since sofia would pick UDP for an
 * address. NULL: sofia may find the way by itself. */
char *
ua_direct_route (UaStack *stack, const char *target)
{
  g_autofree char *host = NULL;
  g_autofree char *known = NULL;
  g_autofree char *bracketed = NULL;
  g_autofree char *port_text = NULL;
  guint16 port;
  const char *transport = stack->transport == PHONE_TRANSPORT_AUTO ? NULL : phone_transport_to_string (stack->transport);

  if (!ua_route_split (target, &host, &port))
    return NULL;
  known = ua_route_hosts (host, stack->family);
  /* with sips: that parameter says what TLS runs over */
  if (!known && (!transport || (strstr (target, ";transport=") && g_ascii_strncasecmp (target, "sips:", 5) != 0)))
    return NULL;
  bracketed = ua_address_family (known ? known : host) == AF_INET6 ? g_strdup_printf ("[%s]", known ? known : host)
                                                                   : g_strdup (known ? known : host);
  /* sofia goes by the maddr, the certificate is asked for the name */
  if (known && stack->transport == PHONE_TRANSPORT_TLS)
    return g_strdup_printf ("sip:%s%s%.0u;maddr=%s;transport=tls", host, port ? ":" : "", port, bracketed);
  port_text = port ? g_strdup_printf (":%u", port) : g_strdup ("");
  return g_strdup_printf ("sip:%s%s%s%s", bracketed, port_text, transport ? ";transport=" : "", transport ? transport : "");
}
