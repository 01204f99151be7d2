/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which family of addresses the way to a target has.
 *
 * A nua speaks IPv4 or IPv6. An account that registers finds out about its server when it does (ua_account_try_other_family), and everything
 * goes there. An account that does not may call whomever it likes, one over this and the next over that: beside its stack it has a second one
 * of the other family, once there is somebody to reach with it. A call wants to know before it makes its offer, whose addresses have to fit
 * (RFC 6157); so the DNS is asked here first, and what it said serves the walk too. Names that have both go the usual way. */

#include "sip/ua-locate.h"

#include <string.h>
#include <sys/socket.h>

#include "sip/ua-resolve.h"

#define GOOD_FOR (60 * G_USEC_PER_SEC)
#define MAX_PLACES 64

/* A host, and what was found out about it. */
typedef struct
{
  UaAccount *account;
  UaResolve *resolve;           /* NULL: answered */
  GPtrArray *targets;           /* UaTarget of that family */
  int family;
  gint64 until;                 /* monotonic us */
} Place;

static void
place_free (gpointer data)
{
  Place *place = data;

  ua_resolve_cancel (place->resolve);
  g_clear_pointer (&place->targets, g_ptr_array_unref);
  g_free (place);
}

GHashTable *
ua_places_new (void)
{
  return g_hash_table_new_full (g_str_hash, g_str_equal, g_free, place_free);
}

static int
other_family (int family)
{
  return family == AF_INET ? AF_INET6 : AF_INET;
}

static const char *
first_address (GPtrArray *targets)
{
  return ((const UaTarget *) targets->pdata[0])->address;
}

static GPtrArray *
targets_of (GPtrArray *all, int family)
{
  GPtrArray *some = ua_targets_new ();

  for (guint i = 0; i < all->len; i++)
    {
      const UaTarget *target = g_ptr_array_index (all, i);

      if (ua_address_family (target->address) == family)
        g_ptr_array_add (some, ua_target_copy (target));
    }
  return some;
}

static void
on_located (GPtrArray *targets, gpointer data)
{
  Place *place = data;
  int usual = place->account->stack->family;

  place->resolve = NULL;
  place->until = g_get_monotonic_time () + GOOD_FOR;
  place->family = usual;
  place->targets = targets_of (targets, usual);
  if (place->targets->len == 0 && targets->len > 0)
    {
      g_ptr_array_unref (place->targets);
      place->family = other_family (usual);
      place->targets = targets_of (targets, place->family);
    }
  phone_account_on_located (place->account->account);
}

static gboolean
is_stale (gpointer key, gpointer value, gpointer now)
{
  const Place *place = value;

  return !place->resolve && place->until < *(const gint64 *) now;
}

static Place *
find_place (UaAccount *account, const char *host, guint16 port)
{
  g_autofree char *key = g_strdup_printf ("%s:%u", host, port);
  gint64 now = g_get_monotonic_time ();

  g_hash_table_foreach_remove (account->places, is_stale, &now);
  return g_hash_table_lookup (account->places, key);
}

static gboolean
ask (UaAccount *account, const char *host, guint16 port)
{
  const UaQuestion question = { .host = host, .port = port, .transport = account->stack->transport, .family = AF_UNSPEC };
  Place *place;

  if (g_hash_table_size (account->places) >= MAX_PLACES)
    return FALSE;
  place = g_new0 (Place, 1);
  place->account = account;
  g_hash_table_insert (account->places, g_strdup_printf ("%s:%u", host, port), place);
  place->resolve = ua_resolve_start (account->engine, &question, on_located, place);
  return TRUE;
}

/* FALSE: *ret_family says it without the DNS. */
static gboolean
must_ask (UaAccount *account, const char *uri, char **ret_host, guint16 *ret_port, int *ret_family)
{
  int usual = account->stack->family;
  g_autofree char *known = NULL;

  *ret_family = usual;
  if (account->registration || account->route_address || strstr (uri, ";maddr=") || !ua_route_split (uri, ret_host, ret_port))
    return FALSE;
  if (ua_address_family (*ret_host) != AF_UNSPEC)
    {
      *ret_family = ua_address_family (*ret_host);
      return FALSE;
    }
  known = ua_route_hosts (*ret_host, usual);
  if (!known && (known = ua_route_hosts (*ret_host, AF_UNSPEC)))
    *ret_family = ua_address_family (known);
  return known == NULL;
}

int
ua_locate_family (UaAccount *account, const char *target)
{
  g_autofree char *host = NULL;
  guint16 port;
  int family;
  const Place *place;

  if (!must_ask (account, account->server_uri ? account->server_uri : target, &host, &port, &family))
    return family;
  place = find_place (account, host, port);
  if (place)
    return place->resolve ? AF_UNSPEC : place->family;
  return ask (account, host, port) ? AF_UNSPEC : family;
}

GPtrArray *
ua_locate_targets (UaAccount *account, const char *target)
{
  g_autofree char *host = NULL;
  guint16 port;
  int family;
  const Place *place = must_ask (account, target, &host, &port, &family) ? find_place (account, host, port) : NULL;

  return place && place->targets && place->targets->len > 0 ? place->targets : NULL;
}

char *
ua_locate_source (UaStack *stack, const char *target)
{
  GPtrArray *targets = ua_locate_targets (stack->account, target);
  g_autofree char *host = NULL;
  guint16 port;

  if (targets)
    return ua_route_source (first_address (targets), stack->family);
  return ua_route_split (target, &host, &port) ? ua_route_source (host, stack->family) : NULL;
}

/* ---- stacks ---- */

static const char *
family_name (int family)
{
  return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* host: as the user wrote it. address: one of its own. */
static gboolean
open_second (UaAccount *account, const char *host, const char *address, int family, GError **error)
{
  gboolean is_name = ua_address_family (host) == AF_UNSPEC;
  g_autofree char *source = ua_route_source (address, family);
  g_autoptr (GError) failure = NULL;

  if (source && !account->stack->bound)
    account->second = ua_stack_new (account, family, &failure);
  if (account->second)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "%s %s %s address%s, and account %s speaks %s%s%s", host,
               is_name ? "has only" : "is an", family_name (family), is_name ? "es" : "", account->id, family_name (account->stack->family),
               failure ? ": " : "", failure ? failure->message : "");
  return FALSE;
}

UaStack *
ua_locate_stack (UaAccount *account, const char *target, GError **error)
{
  const char *uri = account->server_uri ? account->server_uri : target;
  int family = ua_locate_family (account, target);
  GPtrArray *targets = ua_locate_targets (account, uri);
  g_autofree char *host = NULL;
  guint16 port;

  if (account->registration || family == AF_UNSPEC || family == account->stack->family || !ua_route_split (uri, &host, &port))
    return account->stack;
  if (!account->second && !open_second (account, host, targets ? first_address (targets) : host, family, error))
    return NULL;
  return account->second;
}

GPtrArray *
ua_locate_choose (UaAccount *account, const char *host, GPtrArray *targets, UaStack **ret_stack)
{
  g_autoptr (GPtrArray) usual = targets_of (targets, account->stack->family);
  int other = other_family (account->stack->family);
  g_autoptr (GPtrArray) others = targets_of (targets, other);
  g_autoptr (GError) error = NULL;

  *ret_stack = account->stack;
  if (usual->len > 0 || others->len == 0)
    return g_steal_pointer (&usual);
  if (!account->second && !open_second (account, host, first_address (others), other, &error))
    {
      phone_log_notice (&account->log, "Account %s: %s", account->id, error->message);
      return g_steal_pointer (&usual);
    }
  *ret_stack = account->second;
  return g_steal_pointer (&others);
}
