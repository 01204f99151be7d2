/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-ice-policy.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

gboolean
media_ice_is_loopback (const char *address)
{
  struct in6_addr v6;
  struct in_addr v4;

  if (address == NULL)
    return FALSE;
  if (inet_pton (AF_INET, address, &v4) == 1)
    return (g_ntohl (v4.s_addr) >> 24) == 127;
  return inet_pton (AF_INET6, address, &v6) == 1
         && (IN6_IS_ADDR_LOOPBACK (&v6) || (IN6_IS_ADDR_V4MAPPED (&v6) && v6.s6_addr[12] == 127));
}

static gboolean
is_acceptable_v4 (guint32 address)
{
  /* 0/8 is this host, 224/3 is multicast, reserved and broadcast. */
  return (address >> 24) != 0 && (address >> 29) != 7;
}

gboolean
media_ice_is_acceptable (const char *address, gboolean we_are_loopback)
{
  struct in6_addr v6;
  struct in_addr v4;

  if (!we_are_loopback && media_ice_is_loopback (address))
    return FALSE;
  if (inet_pton (AF_INET, address, &v4) == 1)
    return is_acceptable_v4 (g_ntohl (v4.s_addr));
  if (inet_pton (AF_INET6, address, &v6) != 1)
    return FALSE;
  /* A mapped address is IPv4 in disguise, and has a candidate of its own if it is meant. */
  return !IN6_IS_ADDR_UNSPECIFIED (&v6) && !IN6_IS_ADDR_MULTICAST (&v6) && !IN6_IS_ADDR_V4MAPPED (&v6) && !IN6_IS_ADDR_V4COMPAT (&v6);
}

static gboolean
has (char *const *list, guint n, const char *text)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (list[i], text))
      return TRUE;
  return FALSE;
}

static gboolean
name_of (const struct ifaddrs *entry, gboolean loopback, char text[INET6_ADDRSTRLEN])
{
  if (entry->ifa_addr == NULL || (entry->ifa_flags & IFF_UP) == 0 || !(entry->ifa_flags & IFF_LOOPBACK) != !loopback)
    return FALSE;
  if (entry->ifa_addr->sa_family == AF_INET)
    return inet_ntop (AF_INET, &((const struct sockaddr_in *) (const void *) entry->ifa_addr)->sin_addr, text, INET6_ADDRSTRLEN) != NULL;
  if (entry->ifa_addr->sa_family != AF_INET6)
    return FALSE;
  const struct in6_addr *v6 = &((const struct sockaddr_in6 *) (const void *) entry->ifa_addr)->sin6_addr;
  return !IN6_IS_ADDR_LINKLOCAL (v6) && inet_ntop (AF_INET6, v6, text, INET6_ADDRSTRLEN) != NULL;
}

static gboolean
is_ip6 (const char *address)
{
  return strchr (address, ':') != NULL;
}

guint
media_ice_take_turns (const char *const *found, guint n_found, char *list[MEDIA_ICE_MAX_ADDRESSES + 1], guint n)
{
  guint next[2] = { 0, 0 };     /* by family: where to look on */
  gboolean ip6 = n == 0 || !is_ip6 (list[n - 1]);

  while (n < MEDIA_ICE_MAX_ADDRESSES && (next[0] < n_found || next[1] < n_found))
    {
      guint *at = &next[ip6];

      while (*at < n_found && (is_ip6 (found[*at]) != ip6 || has (list, n, found[*at])))
        ++*at;
      if (*at < n_found)
        list[n++] = g_strdup (found[(*at)++]);
      ip6 = !ip6;
    }
  return n;
}

guint
media_ice_choose_addresses (const char *bind, const char *local, char *list[MEDIA_ICE_MAX_ADDRESSES + 1])
{
  struct ifaddrs *entries = NULL;
  guint n = 0;

  if (bind != NULL || local != NULL)
    list[n++] = g_strdup (bind != NULL ? bind : local);
  if (bind == NULL && getifaddrs (&entries) == 0)
    {
      g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);
      gboolean loopback = media_ice_is_loopback (local);

      for (const struct ifaddrs *entry = entries; entry != NULL; entry = entry->ifa_next)
        {
          char text[INET6_ADDRSTRLEN];
          /* On loopback all addresses of a family are one place. */
          if (name_of (entry, loopback, text) && !(loopback && is_ip6 (text) == is_ip6 (local)))
            g_ptr_array_add (found, g_strdup (text));
        }
      freeifaddrs (entries);
      n = media_ice_take_turns ((const char *const *) found->pdata, found->len, list, n);
    }
  list[n] = NULL;
  return n;
}
