/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <string.h>

gboolean
media_address_parse (const char *text, guint16 port, int family, MediaAddress *ret_address)
{
  struct addrinfo hints = { .ai_flags = AI_NUMERICHOST, .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM }, *info;

  if (getaddrinfo (text, NULL, &hints, &info) != 0)
    return FALSE;
  gboolean ok = TRUE;
  memset (ret_address, 0, sizeof *ret_address);
  if (info->ai_family == family)
    memcpy (ret_address, info->ai_addr, info->ai_addrlen);
  else if (info->ai_family == AF_INET)
    {
      const struct sockaddr_in *v4 = (const struct sockaddr_in *) (const void *) info->ai_addr;
      ret_address->v6.sin6_family = AF_INET6;
      ret_address->v6.sin6_addr.s6_addr[10] = ret_address->v6.sin6_addr.s6_addr[11] = 0xff;
      memcpy (ret_address->v6.sin6_addr.s6_addr + 12, &v4->sin_addr, 4);
    }
  else
    ok = FALSE;
  freeaddrinfo (info);
  if (ret_address->any.sa_family == AF_INET)
    ret_address->v4.sin_port = g_htons (port);
  else
    ret_address->v6.sin6_port = g_htons (port);
  return ok;
}

socklen_t
media_address_length (const MediaAddress *address)
{
  return address->any.sa_family == AF_INET ? sizeof address->v4 : sizeof address->v6;
}

guint16
media_address_port (const MediaAddress *address)
{
  return g_ntohs (address->any.sa_family == AF_INET ? address->v4.sin_port : address->v6.sin6_port);
}

gboolean
media_address_same_host (const MediaAddress *a, const MediaAddress *b)
{
  if (a->any.sa_family != b->any.sa_family)
    return FALSE;
  if (a->any.sa_family == AF_INET)
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  return IN6_ARE_ADDR_EQUAL (&a->v6.sin6_addr, &b->v6.sin6_addr)
         && (a->v6.sin6_scope_id == b->v6.sin6_scope_id || a->v6.sin6_scope_id == 0 || b->v6.sin6_scope_id == 0);
}

gboolean
media_address_equal (const MediaAddress *a, const MediaAddress *b)
{
  return media_address_same_host (a, b) && media_address_port (a) == media_address_port (b);
}

gboolean
media_address_is_usable (const MediaAddress *address)
{
  if (address->any.sa_family == AF_INET)
    return address->v4.sin_port != 0 && address->v4.sin_addr.s_addr != INADDR_ANY;
  if (address->any.sa_family != AF_INET6 || address->v6.sin6_port == 0)
    return FALSE;
  static const guint8 mapped_any[16] = { [10] = 0xff, [11] = 0xff };
  return !IN6_IS_ADDR_UNSPECIFIED (&address->v6.sin6_addr) && memcmp (&address->v6.sin6_addr, mapped_any, 16) != 0;
}

char *
media_address_to_host (const MediaAddress *address)
{
  char host[INET6_ADDRSTRLEN] = "";

  if (address->any.sa_family == AF_INET)
    inet_ntop (AF_INET, &address->v4.sin_addr, host, sizeof host);
  else if (address->any.sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED (&address->v6.sin6_addr))
    inet_ntop (AF_INET, address->v6.sin6_addr.s6_addr + 12, host, sizeof host);
  else if (address->any.sa_family == AF_INET6)
    inet_ntop (AF_INET6, &address->v6.sin6_addr, host, sizeof host);
  return g_strdup (host);
}

char *
media_address_to_string (const MediaAddress *address)
{
  g_autofree char *host = media_address_to_host (address);

  if (host[0] == '\0')
    return g_strdup ("none");
  return g_strdup_printf (strchr (host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, media_address_port (address));
}
