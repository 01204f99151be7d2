/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Which stack the way to a target begins at: that depends on the family of its addresses, and on whether it is reached by TLS.
 *
 * A nua speaks IPv4 or IPv6, and TLS or UDP and TCP. An account that registers finds out about its server when it does
 * (ua_account_try_other_family, ua_account_fit_transport), and everything goes there. An account that does not may call whomever it likes, one this
 * way and the next that way: beside its stack it has others, once there is somebody to reach with them. A call wants to know before it makes its
 * offer, whose addresses have to fit (RFC 6157), and whose keys may not travel in clear; so the DNS is asked here first, and what it said serves the
 * walk too. Names that have both families go the usual way. TLS is taken where a NAPTR record puts it first, as long as it is not known to be dead,
 * and where the URI itself wants it: then that or nothing (RFC 3263 section 4.1). */

#include "sip/ua-locate.h"

#include <string.h>
#include <sys/socket.h>

#include "sip/ua-resolve.h"
#include "sip/ua-walk.h"
#include "util/phone-uri.h"

#define GOOD_FOR (60 * G_USEC_PER_SEC)
#define MAX_PLACES 64

/* A host, and what was found out about it. */
typedef struct
{
  UaAccount *account;
  UaResolve *resolve;           /* NULL: answered */
  GPtrArray *found;             /* UaTarget */
  gint64 until;                 /* monotonic us */
} Place;

static void
place_free (gpointer data)
{
  Place *place = data;

  ua_resolve_cancel (place->resolve);
  g_clear_pointer (&place->found, g_ptr_array_unref);
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

static gboolean
is_tls (const UaTarget *target)
{
  return target->transport == PHONE_TRANSPORT_TLS;
}

static gboolean
is_dead (UaAccount *account, const UaTarget *target)
{
  g_autofree char *key = ua_target_key (target);

  return ua_dead_list_contains (account->engine->dead, key, g_get_monotonic_time ());
}

/* What a stack has to be. */
typedef struct
{
  int family;
  gboolean tls;
} Way;

static Way
usual_way (UaAccount *account)
{
  return (Way){ account->stack->family, account->stack->transport == PHONE_TRANSPORT_TLS };
}

static GPtrArray *
targets_of (GPtrArray *all, Way way, gboolean tls_matters)
{
  GPtrArray *some = ua_targets_new ();

  for (guint i = 0; i < all->len; i++)
    {
      const UaTarget *target = g_ptr_array_index (all, i);

      if (ua_address_family (target->address) == way.family && (!tls_matters || is_tls (target) == way.tls))
        g_ptr_array_add (some, ua_target_copy (target));
    }
  return some;
}

static Way
choose_way (UaAccount *account, GPtrArray *found)
{
  Way way = usual_way (account);
  g_autoptr (GPtrArray) some = targets_of (found, way, FALSE);
  guint best = 0;

  if (some->len == 0 && found->len > 0)
    {
      g_ptr_array_unref (some);
      way.family = other_family (way.family);
      some = targets_of (found, way, FALSE);
    }
  while (best < some->len && is_dead (account, some->pdata[best]))
    best++;
  /* All dead, by TLS: whatever the DNS says to those without it. It named TLS alone where that has an order of its own. */
  if (account->takes_tls)
    way.tls = best < some->len && is_tls (some->pdata[best]) && ua_account_takes_tls (account);
  return way;
}

static void
on_located (GPtrArray *targets, gpointer data)
{
  Place *place = data;

  place->resolve = NULL;
  place->until = g_get_monotonic_time () + GOOD_FOR;
  g_clear_pointer (&place->found, g_ptr_array_unref);
  place->found = g_ptr_array_ref (targets);
  phone_account_on_located (place->account->account);
}

static gboolean
is_stale (gpointer key, gpointer value, gpointer now)
{
  const Place *place = value;

  return !place->resolve && place->until < *(const gint64 *) now;
}

static char *
make_key (const UaQuestion *question)
{
  return g_strdup_printf ("%s:%u %s", question->host, question->port, phone_transport_to_string (question->transport));
}

/* NULL: nothing is known of it, and there is no room for more. */
static Place *
make_place (UaAccount *account, const char *key, gint64 now)
{
  Place *place;

  if (g_hash_table_size (account->places) >= MAX_PLACES)
    g_hash_table_foreach_remove (account->places, is_stale, &now);
  if (g_hash_table_size (account->places) >= MAX_PLACES)
    return NULL;
  place = g_new0 (Place, 1);
  place->account = account;
  g_hash_table_insert (account->places, g_strdup (key), place);
  return place;
}

/* A call that has begun may need what was found as long as it lives: only who asks has it renewed, and the old serves until then. */
static Place *
find_place (UaAccount *account, const UaQuestion *question, gboolean may_ask)
{
  g_autofree char *key = make_key (question);
  gint64 now = g_get_monotonic_time ();
  Place *place = g_hash_table_lookup (account->places, key);

  if (!may_ask || (place && !is_stale (NULL, place, &now)))
    return place;
  if (!place)
    place = make_place (account, key, now);
  if (place)
    place->resolve = ua_resolve_start (account->engine, question, on_located, place);
  return place;
}

/* What the URI itself says, in an account that leaves it open; TLS only where that can be had. */
static PhoneTransport
wanted_transport (UaAccount *account, const char *uri)
{
  g_autoptr (PhoneUri) parsed = account->stack->transport == PHONE_TRANSPORT_AUTO ? phone_uri_parse (uri, NULL) : NULL;
  const char *named = parsed ? phone_uri_get_param (parsed, "transport") : NULL;
  g_autofree char *lower = named ? g_ascii_strdown (named, -1) : NULL;
  PhoneTransport transport = account->stack->transport;

  if (parsed && parsed->scheme == PHONE_URI_SIPS)
    transport = PHONE_TRANSPORT_TLS;
  else if (lower && !phone_transport_from_string (lower, &transport))
    transport = account->stack->transport;
  return transport == PHONE_TRANSPORT_TLS && !account->takes_tls ? account->stack->transport : transport;
}

gboolean
ua_locate_needs_tls (UaAccount *account, const char *uri)
{
  return account->takes_tls && wanted_transport (account, uri) == PHONE_TRANSPORT_TLS;
}

/* FALSE: *ret_way says it without the DNS. */
static gboolean
must_ask (UaAccount *account, const char *uri, char **ret_host, UaQuestion *ret_question, Way *ret_way)
{
  g_autofree char *known = NULL;
  guint16 port;

  *ret_way = usual_way (account);
  ret_way->tls |= ua_locate_needs_tls (account, uri);
  if (account->registration || account->route_address || strstr (uri, ";maddr=") || !ua_route_split (uri, ret_host, &port))
    return FALSE;
  if (ua_address_family (*ret_host) != AF_UNSPEC)
    {
      ret_way->family = ua_address_family (*ret_host);
      return FALSE;
    }
  known = ua_route_hosts (*ret_host, ret_way->family);
  if (!known && (known = ua_route_hosts (*ret_host, AF_UNSPEC)))
    ret_way->family = ua_address_family (known);
  *ret_question = (UaQuestion){
    .host = *ret_host, .port = port, .transport = wanted_transport (account, uri), .with_tls = ua_account_takes_tls (account), .family = AF_UNSPEC
  };
  return known == NULL;
}

typedef enum
{
  LOCATED,                      /* as far as it can be */
  ASKING,
} Located;

/* ret_found: of whatever way; borrowed; NULL: the DNS said nothing of it. */
static Located
locate (UaAccount *account, const char *target, gboolean may_ask, Way *ret_way, GPtrArray **ret_found)
{
  const char *uri = account->server_uri ? account->server_uri : target;
  g_autofree char *host = NULL;
  UaQuestion question;
  Place *place;

  *ret_found = NULL;
  if (!must_ask (account, uri, &host, &question, ret_way))
    return LOCATED;
  place = find_place (account, &question, may_ask);
  if (!place)
    return LOCATED;
  if (place->resolve && (may_ask || !place->found))
    return ASKING;
  *ret_way = choose_way (account, place->found);
  ret_way->tls |= ua_locate_needs_tls (account, uri);
  if (place->found->len > 0)
    *ret_found = place->found;
  return LOCATED;
}

gboolean
ua_locate_is_known (UaAccount *account, const char *target)
{
  GPtrArray *found;
  Way way;

  return locate (account, target, TRUE, &way, &found) == LOCATED;
}

gboolean
ua_locate_is_tls (UaAccount *account, const char *target)
{
  GPtrArray *found;
  Way way;

  locate (account, target, FALSE, &way, &found);
  return way.tls;
}

GPtrArray *
ua_locate_targets (UaStack *stack, const char *target)
{
  const Way ours = { stack->family, stack->transport == PHONE_TRANSPORT_TLS };
  GPtrArray *found, *some;
  Way way;

  locate (stack->account, target, FALSE, &way, &found);
  if (!found)
    return NULL;
  some = targets_of (found, ours, stack->account->takes_tls);
  if (some->len > 0)
    return some;
  g_ptr_array_unref (some);
  return NULL;
}

char *
ua_locate_source (UaStack *stack, const char *target)
{
  g_autoptr (GPtrArray) targets = ua_locate_targets (stack, target);
  g_autofree char *host = NULL;
  guint16 port;

  if (targets)
    return ua_route_source (first_address (targets), stack->family);
  return ua_route_split (target, &host, &port) ? ua_route_source (host, stack->family) : NULL;
}

/* ---- stacks ---- */

static UaStack *
find_stack (UaAccount *account, Way way)
{
  for (guint i = 0; i <= account->beside->len; i++)
    {
      UaStack *stack = i == 0 ? account->stack : account->beside->pdata[i - 1];

      if (stack->family == way.family && (stack->transport == PHONE_TRANSPORT_TLS) == way.tls)
        return stack;
    }
  return NULL;
}

static const char *
family_name (int family)
{
  return family == AF_INET6 ? "IPv6" : "IPv4";
}

/* host: as the user wrote it. found: what the DNS said of it, or NULL. */
static UaStack *
open_stack (UaAccount *account, const char *host, GPtrArray *found, Way way, GError **error)
{
  gboolean is_name = ua_address_family (host) == AF_UNSPEC, is_usual = way.family == account->stack->family;
  g_autoptr (GPtrArray) targets = found ? targets_of (found, way, FALSE) : NULL;
  g_autofree char *source = is_usual ? NULL : ua_route_source (targets && targets->len > 0 ? first_address (targets) : host, way.family);
  g_autoptr (GError) failure = NULL;
  UaStack *stack = find_stack (account, way);

  if (stack)
    return stack;
  if (is_usual || (source && !account->stack->bound))
    stack = ua_stack_new (account, way.family, way.tls ? PHONE_TRANSPORT_TLS : account->transport, &failure);
  if (stack)
    g_ptr_array_add (account->beside, stack);
  else if (is_usual)
    g_propagate_error (error, g_steal_pointer (&failure));
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "%s %s %s address%s, and account %s speaks %s%s%s", host,
                 is_name ? "has only" : "is an", family_name (way.family), is_name ? "es" : "", account->id, family_name (account->stack->family),
                 failure ? ": " : "", failure ? failure->message : "");
  return stack;
}

UaStack *
ua_locate_stack (UaAccount *account, const char *target, GError **error)
{
  const char *uri = account->server_uri ? account->server_uri : target;
  g_autofree char *host = NULL;
  GPtrArray *found;
  guint16 port;
  Way way;

  if (account->registration || (locate (account, target, FALSE, &way, &found) == ASKING && !way.tls) || !ua_route_split (uri, &host, &port))
    return account->stack;
  return open_stack (account, host, found, way, error);
}

GPtrArray *
ua_locate_choose (UaAccount *account, const char *uri, GPtrArray *found, UaStack **ret_stack, GError **error)
{
  Way way = choose_way (account, found);
  g_autofree char *host = NULL;
  guint16 port;

  way.tls |= ua_locate_needs_tls (account, uri);
  *ret_stack = ua_route_split (uri, &host, &port) ? open_stack (account, host, found, way, error) : account->stack;
  return *ret_stack ? targets_of (found, way, account->takes_tls) : ua_targets_new ();
}

gboolean
ua_locate_is_by (UaStack *stack, const char *target)
{
  GPtrArray *found;
  Way way;

  return locate (stack->account, target, TRUE, &way, &found) == LOCATED && find_stack (stack->account, way) == stack;
}
