/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The walk of a request along its targets (ua-walk.h).
 *
 * A call does not wait for the DNS when the account's server is known: it begins at the target where the account is registered, which has
 * answered lately. Only the REGISTER asks again, and goes back to a better target once its time on the list of the dead is over. Over a
 * connection it stays with the flow as long as that works (RFC 5626): sofia holds on to it.
 *
 * Once a target has said anything, it has all the time that RFC 3261 gives: it lives, and a request that it has got must not be sent twice. */

#include "sip/ua-walk.h"

#include <string.h>
#include <sys/socket.h>

#include "sip/ua-locate.h"
#include "sip/ua-resolve.h"

#define BARRED 905              /* among sofia's own: 700 and above is of nobody */
#define PATIENCE_MS 4000        /* UDP: after four copies of the request; TCP: three SYN; TLS on a slow line needs two seconds */

struct _UaWalk
{
  UaAccount *account;
  UaStack *stack, *chosen;      /* whose the request is, and NULL: the one that the target takes; NULL: the account's */
  UaWalkFunc send;
  UaWalkLostFunc lost;          /* or NULL */
  UaWalkBarredFunc barred;      /* or NULL */
  gpointer owner;
  UaResolve *resolve;
  gboolean stay, leads;
  gboolean silent;              /* the target before the one that comes next has not said anything */
  gboolean left_tls;
  gboolean direct;              /* to the target of the request, not to the account's server */
  GPtrArray *targets;           /* UaTarget, in the order of this walk; NULL: nothing to choose from */
  guint at;
  GSource *patience;
  char *target;                 /* direct: URI of that */
  GSource *barrier;             /* nothing may be sent, as is about to be said */
  char *why;                    /* the stack that the target takes cannot be made */
};

static GPtrArray *waiting;      /* UaWalk, with their patience running */

static void
stop_waiting (UaWalk *walk)
{
  ua_timer_clear (&walk->patience);
  if (waiting)
    g_ptr_array_remove_fast (waiting, walk);
}

static gboolean on_patience (gpointer data);

static void
start_waiting (UaWalk *walk)
{
  stop_waiting (walk);
  if (!waiting)
    waiting = g_ptr_array_new ();
  g_ptr_array_add (waiting, walk);
  walk->patience = ua_timer_new (walk->account->engine, PATIENCE_MS, on_patience, walk);
}

UaWalk *
ua_walk_new (UaAccount *account, UaStack *stack, UaWalkFunc send, gpointer owner)
{
  UaWalk *walk = g_new0 (UaWalk, 1);

  walk->account = account;
  walk->stack = stack;
  walk->send = send;
  walk->owner = owner;
  return walk;
}

void
ua_walk_stop (UaWalk *walk)
{
  stop_waiting (walk);
  ua_timer_clear (&walk->barrier);
  g_clear_pointer (&walk->resolve, ua_resolve_cancel);
  g_clear_pointer (&walk->targets, g_ptr_array_unref);
}

void
ua_walk_free (UaWalk *walk)
{
  if (!walk)
    return;
  ua_walk_stop (walk);
  g_free (walk->target);
  g_free (walk->why);
  g_free (walk);
}

gboolean
ua_walk_is_asking (UaWalk *walk)
{
  return walk->resolve != NULL || walk->barrier != NULL;
}

void
ua_walk_set_lost (UaWalk *walk, UaWalkLostFunc lost)
{
  walk->lost = lost;
}

void
ua_walk_set_barred (UaWalk *walk, UaWalkBarredFunc barred)
{
  walk->barred = barred;
}

void
ua_walk_set_leads (UaWalk *walk)
{
  walk->leads = TRUE;
}

UaStack *
ua_walk_get_stack (UaWalk *walk)
{
  return walk->stack ? walk->stack : walk->chosen ? walk->chosen : walk->account->stack;
}

/* ---- the order ---- */

static const UaTarget *
current (UaWalk *walk)
{
  return walk->targets && walk->at < walk->targets->len ? g_ptr_array_index (walk->targets, walk->at) : NULL;
}

static gboolean
is_dead (UaAccount *account, const UaTarget *target)
{
  g_autofree char *key = ua_target_key (target);

  return ua_dead_list_contains (account->engine->dead, key, g_get_monotonic_time ());
}

static void
bury (UaAccount *account, const UaTarget *target, guint seconds)
{
  g_autofree char *key = ua_target_key (target);

  ua_dead_list_add (account->engine->dead, key, seconds, g_get_monotonic_time ());
}

/* The present one goes before others of its rank, or before all. */
static gboolean
goes_first (UaWalk *walk, const UaTarget *target, const UaTarget *best)
{
  g_autofree char *key = ua_target_key (target);

  return !walk->direct && walk->account->target && g_str_equal (key, walk->account->target)
         && (walk->stay || target->rank == best->rank
             || (ua_account_is_registered (walk->account) && target->transport != PHONE_TRANSPORT_UDP
                 && target->transport != PHONE_TRANSPORT_AUTO));
}

/* TLS has a stack of its own. Only the registration moves the account from one to the other. */
static gboolean
is_in_reach (UaWalk *walk, const UaTarget *target)
{
  return walk->leads || walk->direct || !walk->account->finds_transport
         || (target->transport == PHONE_TRANSPORT_TLS) == (ua_walk_get_stack (walk)->transport == PHONE_TRANSPORT_TLS);
}

/* The living, then the dead. */
static void
set_targets (UaWalk *walk, GPtrArray *targets)
{
  g_autoptr (GPtrArray) sorted = ua_targets_new ();
  guint n_living = 0;

  for (int dead = 0; dead < 2; dead++)
    {
      if (dead)
        n_living = sorted->len;
      for (guint i = 0; i < targets->len; i++)
        {
          const UaTarget *target = g_ptr_array_index (targets, i);

          if (is_in_reach (walk, target) && is_dead (walk->account, target) == dead)
            g_ptr_array_add (sorted, ua_target_copy (target));
        }
    }
  for (guint i = 1; i < n_living; i++)
    if (goes_first (walk, g_ptr_array_index (sorted, i), g_ptr_array_index (sorted, 0)))
      {
        g_ptr_array_insert (sorted, 0, g_ptr_array_steal_index (sorted, i));
        break;
      }
  g_clear_pointer (&walk->targets, g_ptr_array_unref);
  walk->targets = g_steal_pointer (&sorted);
  walk->at = 0;
}

/* ---- steps ---- */

static void
say_dead (UaWalk *walk, const char *why)
{
  const UaTarget *target = current (walk);
  g_autofree char *key = ua_target_key (target);

  phone_log_notice (&walk->account->log, "Account %s: %s (%s): %s, trying the next", walk->account->id, key, target->host, why);
}

static gboolean
is_last (UaWalk *walk)
{
  return walk->at + 1 >= walk->targets->len;
}

/* By TLS, which the DNS named: there are others without it, though they are not in this walk. */
static gboolean
may_leave_tls (UaWalk *walk)
{
  return walk->direct && walk->account->takes_tls && ua_walk_get_stack (walk)->transport == PHONE_TRANSPORT_TLS
         && !ua_locate_needs_tls (walk->account, walk->target);
}

/* What insists on TLS has that or nothing, whatever brought us here: sofia goes by the route, and would not mind (RFC 3261 section 26.2.2). */
static gboolean
is_barred (UaWalk *walk)
{
  return walk->direct && !walk->stack && ua_locate_needs_tls (walk->account, walk->target)
         && ua_walk_get_stack (walk)->transport != PHONE_TRANSPORT_TLS;
}

static gboolean
on_barred (gpointer data)
{
  UaWalk *walk = data;
  g_autofree char *why = g_steal_pointer (&walk->why);
  const UaEvent event = { .status = BARRED, .phrase = why ? why : "No TLS" };

  ua_timer_clear (&walk->barrier);
  phone_log_notice (&walk->account->log, "Account %s: %s wants TLS: %s", walk->account->id, walk->target, event.phrase);
  if (walk->barred)
    walk->barred (ua_walk_get_stack (walk), &event, walk->owner);       /* the walk may be gone */
  return G_SOURCE_REMOVE;
}

static void
go (UaWalk *walk)
{
  UaAccount *account = walk->account;
  const UaTarget *target = current (walk);
  g_autofree char *route = NULL;
  gboolean silent = walk->silent;

  stop_waiting (walk);
  if (is_barred (walk))
    {
      walk->barrier = ua_timer_new (account->engine, 0, on_barred, walk);
      return;
    }
  while (walk->leads && target && !ua_account_fit_transport (account, target))
    {
      walk->at++;
      target = current (walk);
    }
  if (target)
    route = ua_target_route (target, walk->direct && ua_walk_get_stack (walk)->transport == PHONE_TRANSPORT_TLS);
  if (!walk->direct)
    {
      g_free (account->route);
      account->route = g_strdup (route ? route : account->server_uri);
      g_free (account->target);
      account->target = target ? ua_target_key (target) : NULL;
    }
  if (target && (!is_last (walk) || (may_leave_tls (walk) && (walk->lost || !walk->stack))))
    start_waiting (walk);
  walk->silent = FALSE;
  walk->send (walk->owner, route ? route : account->route, silent);
}

/* The registration follows: what others send to us comes to the target that we register with. */
static void
move_registration (UaWalk *walk)
{
  UaAccount *account = walk->account;

  if (!walk->direct && account->registration && ua_registration_is_registered (account->registration))
    ua_registration_move (account->registration);
}

static void begin (UaWalk *walk);

/* The last target is buried. A request without an offer goes on by whatever leads there now; TRUE: it does. */
static gboolean
leave_tls (UaWalk *walk)
{
  if (!may_leave_tls (walk) || walk->stack || walk->left_tls || ua_locate_is_tls (walk->account, walk->target))
    return FALSE;
  walk->left_tls = TRUE;
  begin (walk);
  return TRUE;
}

static gboolean
on_patience (gpointer data)
{
  UaWalk *walk = data;

  if (is_last (walk) && walk->lost)
    {
      stop_waiting (walk);
      walk->lost (walk->owner);         /* the walk may be gone */
      return G_SOURCE_REMOVE;
    }
  say_dead (walk, "no answer");
  bury (walk->account, current (walk), 0);
  walk->silent = TRUE;
  if (is_last (walk))
    {
      stop_waiting (walk);
      leave_tls (walk);
      return G_SOURCE_REMOVE;
    }
  walk->at++;
  go (walk);
  move_registration (walk);
  return G_SOURCE_REMOVE;
}

static void
forgive (UaWalk *walk)
{
  g_autofree char *key = ua_target_key (current (walk));

  ua_dead_list_remove (walk->account->engine->dead, key);
}

void
ua_walk_heard (UaWalk *walk, const UaEvent *event)
{
  if (!current (walk) || ua_event_is_local (event))
    return;
  stop_waiting (walk);
  if (event->status != 503)
    forgive (walk);
}

static gboolean
is_for (UaWalk *walk, const char *call_id)
{
  UaStack *stack = ua_walk_get_stack (walk);
  nua_handle_t *nh = stack ? nua_handle_by_call_id (stack->nua, call_id) : NULL;
  gboolean found = FALSE;

  for (UaOwnerKind kind = UA_OWNER_NONE; nh && kind < UA_N_OWNERS && !found; kind++)
    found = ua_stack_find (stack, nh, kind) == walk->owner;
  if (nh)
    nua_handle_unref (nh);
  return found;
}

void
ua_walk_on_trying (const sip_t *sip)
{
  for (guint i = 0; waiting && sip->sip_call_id && i < waiting->len; i++)
    {
      UaWalk *walk = g_ptr_array_index (waiting, i);

      if (is_for (walk, sip->sip_call_id->i_id))
        {
          stop_waiting (walk);
          forgive (walk);
          return;
        }
    }
}

gboolean
ua_walk_next (UaWalk *walk, const UaEvent *event)
{
  const UaTarget *target = current (walk);
  gboolean local = ua_event_is_local (event) && event->status < 700;
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  gboolean more;

  if (!target || (!local && event->status != 503))
    return FALSE;
  more = !is_last (walk);
  if (more || may_leave_tls (walk))
    say_dead (walk, !local ? "unavailable (503)" : event->status == 408 ? "no answer" : "not reached");
  /* RFC 3261 section 21.5.4: a 503 without a time is of this request alone */
  if (local || retry_after)
    bury (walk->account, target, (guint) MIN (retry_after, G_MAXUINT));
  if (!more)
    return (local || retry_after) && leave_tls (walk);
  walk->at++;
  go (walk);
  if (local)
    move_registration (walk);
  return TRUE;
}

/* ---- the beginning ---- */

static void
set_why (UaWalk *walk, const GError *error)
{
  g_free (walk->why);
  walk->why = error ? g_strdup (error->message) : NULL;
}

static void
on_resolved (GPtrArray *found, gpointer data)
{
  UaWalk *walk = data;
  UaAccount *account = walk->account;
  gboolean is_open = walk->direct && !walk->stack;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) targets
      = is_open ? ua_locate_choose (account, walk->target, found, &walk->chosen, &error) : g_ptr_array_ref (found);

  walk->resolve = NULL;
  set_why (walk, error);
  if (error && !is_barred (walk))
    phone_log_notice (&account->log, "Account %s: %s", account->id, error->message);
  if (!walk->direct && targets->len > 0)
    {
      g_ptr_array_unref (account->targets);
      account->targets = g_ptr_array_ref (targets);
    }
  if (targets->len > 0)
    set_targets (walk, targets);
  else if (!walk->direct && account->targets->len > 0)
    set_targets (walk, account->targets);       /* better than nothing: what the DNS said before */
  go (walk);
}

static gboolean
make_question (UaWalk *walk, const char *uri, char **ret_host, UaQuestion *ret_question)
{
  UaStack *stack = ua_walk_get_stack (walk);
  guint16 port;

  g_autofree char *known = NULL;

  if (!ua_route_split (uri, ret_host, &port) || ua_address_family (*ret_host) != AF_UNSPEC)
    return FALSE;
  if (walk->direct && (strstr (uri, ";transport=") || strstr (uri, ";maddr=")))
    return FALSE;
  known = ua_route_hosts (*ret_host, stack->family);
  if (known)
    return FALSE;
  *ret_question = (UaQuestion) {
    .host = *ret_host,
    .port = port,
    .transport = !walk->direct && walk->account->finds_transport ? PHONE_TRANSPORT_AUTO : stack->transport,
    .with_tls = walk->direct ? !walk->stack && ua_account_takes_tls (walk->account) : walk->account->finds_transport,
    .family = walk->direct && !walk->stack ? AF_UNSPEC : stack->family,
  };
  return TRUE;
}

static void
begin (UaWalk *walk)
{
  UaAccount *account = walk->account;
  const char *target = walk->target;
  g_autofree char *host = NULL;
  UaQuestion question;
  g_autoptr (GPtrArray) located = NULL;
  g_autoptr (GError) error = NULL;

  ua_walk_stop (walk);
  walk->at = 0;
  walk->chosen = walk->direct && !walk->stack ? ua_locate_stack (account, target, &error) : NULL;
  set_why (walk, error);
  if (is_barred (walk))
    {
      go (walk);
      return;
    }
  if (walk->direct)
    located = ua_locate_targets (ua_walk_get_stack (walk), target);
  if (walk->stay && !walk->direct && account->targets->len > 0)
    {
      set_targets (walk, account->targets);
      go (walk);
    }
  else if (located)
    {
      set_targets (walk, located);
      go (walk);
    }
  else if ((walk->direct || !account->route_address) && make_question (walk, target ? target : account->server_uri, &host, &question))
    walk->resolve = ua_resolve_start (account->engine, &question, on_resolved, walk);
  else
    go (walk);
}

void
ua_walk_start (UaWalk *walk, const char *target, gboolean stay)
{
  UaAccount *account = walk->account;

  /* By another stack than the account's, as the proxy may have to be reached, is not where the account is. */
  if (!target && account->takes_tls && !account->route_address)
    target = account->server_uri;
  g_free (walk->target);
  walk->target = g_strdup (target);
  walk->direct = target != NULL;
  walk->stay = stay;
  walk->silent = walk->left_tls = FALSE;
  begin (walk);
}

gboolean
ua_account_flow_failed (UaAccount *account)
{
  if (account->targets->len < 2)
    return FALSE;
  if (account->target)
    ua_dead_list_add (account->engine->dead, account->target, 0, g_get_monotonic_time ());
  return TRUE;
}
