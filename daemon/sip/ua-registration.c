/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The REGISTER life of one account (RFC 3261 section 10, RFC 5626, RFC 3327, RFC 3608).
 *
 *   IDLE --start--> TRYING --2xx--> REGISTERED --timer--> (a REGISTER is out, we stay registered) --2xx--> REGISTERED
 *                     |                 | failure
 *                     +--failure--> WAITING --back-off or Retry-After--> TRYING
 *   any --stop--> LEAVING --answer, failure--> IDLE
 *
 * One nua handle serves the whole life: sofia keeps Call-ID and CSeq, pins the connection, remembers Service-Route, answers 423,
 * and registers again by itself when the connection breaks. It refreshes by itself as well, but by an expiry that it only
 * finds when the registrar returns our Contact unchanged; so a timer of ours comes first or steps in.
 * The handle is given up only while a request is open, because sofia would send an un-REGISTER otherwise.
 *
 * The Contact is what the registrar saw as our source (RFC 3581), when that differs from what we believed: behind NAT, and on connections,
 * where only the address of the connection leads back to us. */

#include "sip/ua-dialog.h"
#include "sip/ua-presence.h"
#include "sip/ua-walk.h"

#include <netinet/in.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>
#include <sys/socket.h>

#include "util/text.h"

/* A wrong password stays wrong until a person acts, and insisting locks accounts. A 403 or 404 is as often the server's own trouble (a data base
 * that is away, a limit, an operator's slip that he mends): it is asked again after a minute, and twice as late each time. Either way
 * `phonectl account register` and a new password try at once. */
#define DENIED_RETRY_S 1800
#define REFUSED_RETRY_S 60
#define REFUSED_MAX_DOUBLINGS 5
#define MIN_REFRESH_MS 1000
#define MAX_MOVES 3             /* contacts corrected in a row: a NAT with a new port for each packet must not make us spin */

typedef enum
{
  STATE_IDLE,
  STATE_TRYING,
  STATE_REGISTERED,
  STATE_WAITING,
  STATE_LEAVING,
} State;

struct _UaRegistration
{
  UaAccount *account;
  State state;
  gboolean wanted;
  nua_handle_t *nh;
  gboolean open;                /* a request waits for its final response */
  UaWalk *walk;
  char *sent_route;             /* of the last REGISTER on nh */
  GSource *timer;               /* refresh, or the next attempt */
  PhoneBackoff backoff;
  guint refusals;               /* in a row */
  char *sent_contact;           /* URI in the last REGISTER */
  char *bound_contact;          /* URI that the registrar holds; NULL: none */
  guint granted;                /* s */
  guint moves;
  UaKeepalive *keepalive;
};

static void on_target (gpointer owner, const char *route, gboolean silent);

UaRegistration *
ua_registration_new (UaAccount *account)
{
  UaRegistration *registration = g_new0 (UaRegistration, 1);

  registration->account = account;
  registration->walk = ua_walk_new (account, NULL, on_target, registration);
  ua_walk_set_leads (registration->walk);
  registration->keepalive = ua_keepalive_new (account);
  return registration;
}

void
ua_registration_free (UaRegistration *registration)
{
  ua_timer_clear (&registration->timer);
  ua_walk_free (registration->walk);
  ua_keepalive_free (registration->keepalive);
  g_free (registration->sent_route);
  g_free (registration->sent_contact);
  g_free (registration->bound_contact);
  g_free (registration);
}

static void
drop_handle (UaRegistration *registration)
{
  if (registration->nh)
    ua_stack_drop (registration->account->stack, registration->nh);
  registration->nh = NULL;
  registration->open = FALSE;
}

void
ua_registration_let_go (UaRegistration *registration)
{
  ua_keepalive_abandon (registration->keepalive);
  drop_handle (registration);
}

void
ua_registration_abandon (UaRegistration *registration)
{
  ua_timer_clear (&registration->timer);
  ua_walk_stop (registration->walk);
  ua_keepalive_abandon (registration->keepalive);
  registration->nh = NULL;
  registration->open = FALSE;
  registration->state = STATE_IDLE;
  registration->wanted = FALSE;
}

gboolean
ua_registration_is_wanted (UaRegistration *registration)
{
  return registration->wanted;
}

gboolean
ua_registration_is_busy (UaRegistration *registration)
{
  return registration->state == STATE_LEAVING;
}

gboolean
ua_registration_is_registered (UaRegistration *registration)
{
  return registration->state == STATE_REGISTERED;
}

static const char *
state_name (State state)
{
  static const char *const names[] = { "idle", "trying", "registered", "waiting", "leaving" };

  return names[state];
}

static void
set_state (UaRegistration *registration, State state, const char *why)
{
  if (registration->state == state)
    return;
  phone_log_debug (&registration->account->log, "Account %s: registration %s -> %s (%s)", registration->account->id,
                   state_name (registration->state), state_name (state), why);
  registration->state = state;
}

static void
report (UaRegistration *registration, PhoneRegistration state, guint code, const char *phrase, const char *reason,
        gint64 retry_at)
{
  PhoneRegistrationDetail detail = {
    .code = code,
    .phrase = (char *) phrase,
    .reason = (char *) reason,
    .since = g_get_real_time () / G_USEC_PER_SEC,
    .expires = state == PHONE_REGISTRATION_REGISTERED ? registration->granted : 0,
    .retry_at = retry_at,
  };

  phone_account_on_registration (registration->account->account, state, &detail);
}

/* ---- sending ---- */

static void
make_handle (UaRegistration *registration)
{
  UaAccount *account = registration->account;
  g_autofree char *from = ua_account_from (account, FALSE);

  registration->nh = nua_handle (account->stack->nua, NULL, SIPTAG_TO_STR (account->aor), SIPTAG_FROM_STR (from),
                                 TAG_END ());
  ua_stack_adopt (account->stack, registration->nh, UA_OWNER_REGISTRATION, registration);
}

/* A connection to somewhere else, which sofia keeps to as long as it is registered over it. */
static gboolean
is_pinned_elsewhere (UaRegistration *registration, const char *route)
{
  PhoneTransport flow = registration->account->stack->flow;

  return registration->nh && registration->state == STATE_REGISTERED && !registration->open && registration->sent_route
         && !g_str_equal (registration->sent_route, route) && (flow == PHONE_TRANSPORT_TCP || flow == PHONE_TRANSPORT_TLS);
}

static void
send_register (UaRegistration *registration, const char *route)
{
  UaAccount *account = registration->account;
  const PhoneAccountSettings *settings = ua_account_settings (account);
  g_autofree char *uri = ua_stack_contact_uri (account->stack, NULL);
  g_autofree char *old = NULL;
  g_autofree char *contact = NULL;
  char expires[16];

  ua_timer_clear (&registration->timer);
  account->tls_reason = UA_TLS_OK;
  if (is_pinned_elsewhere (registration, route))
    {
      /* sofia would send this one over the connection to the old target too. An open handle goes without an un-REGISTER. */
      nua_register (registration->nh, TAG_END ());
      drop_handle (registration);
    }
  if (!registration->nh)
    make_handle (registration);
  g_free (registration->sent_route);
  registration->sent_route = g_strdup (route);
  if (registration->bound_contact && !g_str_equal (registration->bound_contact, uri))
    old = g_strdup_printf (", <%s>;expires=0", registration->bound_contact);
  contact = g_strdup_printf ("<%s>;+sip.instance=\"<%s>\";reg-id=%u%s", uri, account->instance, settings->reg_id,
                             old ? old : "");
  g_free (registration->sent_contact);
  registration->sent_contact = g_steal_pointer (&uri);
  g_snprintf (expires, sizeof expires, "%u", settings->expires);
  registration->open = TRUE;
  nua_register (registration->nh, NUTAG_REGISTRAR (account->registrar), SIPTAG_CONTACT_STR (contact),
                SIPTAG_EXPIRES_STR (expires), NUTAG_PROXY (route), TAG_END ());
}

static void
on_target (gpointer owner, const char *route, gboolean silent)
{
  UaRegistration *registration = owner;

  if (silent)
    drop_handle (registration);
  send_register (registration, route);
}

static void
begin_register (UaRegistration *registration)
{
  ua_walk_start (registration->walk, NULL, FALSE);
}

void
ua_registration_start (UaRegistration *registration)
{
  UaAccount *account = registration->account;

  if (!account->stack || account->stack->state != UA_STACK_RUNNING)
    return;
  registration->wanted = TRUE;
  phone_backoff_reset (&registration->backoff);
  registration->refusals = 0;
  registration->moves = 0;
  if (registration->open)
    drop_handle (registration);
  if (registration->state != STATE_REGISTERED)
    {
      set_state (registration, STATE_TRYING, "start");
      report (registration, PHONE_REGISTRATION_REGISTERING, 0, NULL, NULL, 0);
    }
  begin_register (registration);
}

void
ua_registration_move (UaRegistration *registration)
{
  if (!registration->wanted || registration->open || ua_walk_is_asking (registration->walk))
    return;
  begin_register (registration);
}

static gboolean
on_timer (gpointer data)
{
  UaRegistration *registration = data;

  ua_timer_clear (&registration->timer);
  if (registration->open || ua_walk_is_asking (registration->walk))
    return G_SOURCE_REMOVE;
  if (registration->state == STATE_WAITING)
    {
      set_state (registration, STATE_TRYING, "back-off over");
      report (registration, PHONE_REGISTRATION_REGISTERING, 0, NULL, NULL, 0);
    }
  begin_register (registration);
  return G_SOURCE_REMOVE;
}

static void
set_timer (UaRegistration *registration, guint ms)
{
  ua_timer_clear (&registration->timer);
  registration->timer = ua_timer_new (registration->account->engine, ms, on_timer, registration);
}

/* ---- leaving ---- */

static void
left (UaRegistration *registration)
{
  UaStack *stack = registration->account->stack;

  drop_handle (registration);
  g_clear_pointer (&registration->bound_contact, g_free);
  set_state (registration, STATE_IDLE, "un-registered");
  if (stack->state == UA_STACK_RUNNING)
    report (registration, PHONE_REGISTRATION_UNREGISTERED, 0, NULL, NULL, 0);
  ua_stack_check (stack);
}

void
ua_registration_stop (UaRegistration *registration)
{
  registration->wanted = FALSE;
  ua_timer_clear (&registration->timer);
  ua_walk_stop (registration->walk);
  ua_keepalive_stop (registration->keepalive);
  if (registration->state == STATE_LEAVING)
    return;
  ua_publication_stop (registration->account->publication);
  ua_subscriptions_suspend (registration->account);
  if (registration->nh && (registration->bound_contact || registration->open))
    {
      /* Behind an open REGISTER it waits in sofia's queue, so that the registrar sees both in order. */
      set_state (registration, STATE_LEAVING, "stop");
      nua_unregister (registration->nh, TAG_END ());
    }
  else
    left (registration);
}

void
ua_registration_on_unregistered (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaRegistration *registration = owner;

  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip
      && ua_credentials_answer (registration->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  if (event->status >= 300)
    phone_log_warning (&stack->log, "Account %s: un-REGISTER: %d %s", stack->id, event->status, event->phrase);
  if (registration->state == STATE_LEAVING)
    left (registration);
}

/* ---- failures ---- */

typedef enum
{
  VERDICT_BROKEN,               /* nobody decided anything */
  VERDICT_REFUSED,              /* the server does not want us, now */
  VERDICT_DENIED,               /* what we sent is wrong, and will be the next time */
} Verdict;

static const struct
{
  guint status;
  const char *reason;
  Verdict verdict;
} reasons[] = {
  { 401, "auth-failed", VERDICT_DENIED },   { 403, "forbidden", VERDICT_REFUSED },    { 404, "not-found", VERDICT_REFUSED },
  { 407, "auth-failed", VERDICT_DENIED },   { 408, "timeout", VERDICT_BROKEN },       { 420, "extension", VERDICT_DENIED },
  { 421, "extension", VERDICT_DENIED },     { 423, "interval", VERDICT_BROKEN },      { 500, "server-error", VERDICT_BROKEN },
  { 503, "unavailable", VERDICT_BROKEN },   { 504, "timeout", VERDICT_BROKEN },       { 904, "auth-failed", VERDICT_DENIED },
};

static const char *
find_reason (UaRegistration *registration, const UaEvent *event, Verdict *ret_verdict)
{
  gboolean local = ua_event_is_local (event);

  *ret_verdict = VERDICT_BROKEN;
  if (registration->account->tls_reason != UA_TLS_OK && event->status >= 400)
    return ua_tls_reason_to_string (registration->account->tls_reason);
  if (local && event->status == 503)
    return strstr (event->phrase, "DNS") || strstr (event->phrase, "resolv") ? "dns" : "refused";
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (reasons[i].status == (guint) event->status)
      {
        *ret_verdict = reasons[i].verdict;
        return reasons[i].reason;
      }
  return event->status >= 500 && event->status < 600 ? "server-error" : "rejected";
}

static guint
retry_delay (UaRegistration *registration, const UaEvent *event, Verdict verdict)
{
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  guint delay = phone_backoff_fail (&registration->backoff, TRUE, (guint) MIN (retry_after, G_MAXUINT), g_random_double ());
  guint floor_ms;

  switch (verdict)
    {
    case VERDICT_BROKEN:
      break;
    case VERDICT_REFUSED:
      floor_ms = MIN (REFUSED_RETRY_S << MIN (registration->refusals, REFUSED_MAX_DOUBLINGS), DENIED_RETRY_S) * 1000;
      registration->refusals++;
      return MAX (delay, floor_ms);
    case VERDICT_DENIED:
      return MAX (delay, DENIED_RETRY_S * 1000);
    }
  return delay;
}

static void
fail (UaRegistration *registration, const UaEvent *event, const char *reason, Verdict verdict)
{
  UaAccount *account = registration->account;
  const char *phrase = account->tls_reason != UA_TLS_OK && account->tls_text ? account->tls_text : event->phrase;
  g_autofree char *text = phone_text_clean (phrase, -1, UA_MAX_PHRASE);
  guint delay = retry_delay (registration, event, verdict);

  ua_keepalive_stop (registration->keepalive);
  /* An expired binding needs no removal, and one that is still there is replaced by the next REGISTER. */
  set_state (registration, STATE_WAITING, reason);
  set_timer (registration, MAX (delay, MIN_REFRESH_MS));
  report (registration, PHONE_REGISTRATION_FAILED, event->status < 700 ? (guint) event->status : 0, text, reason,
          g_get_real_time () / G_USEC_PER_SEC + (delay + 999) / 1000);
}

/* ---- success ---- */

/* TRUE: the contact that we sent is not where the registrar sees us. */
static gboolean
learn_flow (UaRegistration *registration, const sip_via_t *via)
{
  UaStack *stack = registration->account->stack;
  const char *host = via->v_received ? via->v_received : via->v_host;
  const char *port = via->v_rport && *via->v_rport ? via->v_rport : via->v_port;
  g_autofree char *before = g_strdup (registration->sent_contact);
  g_autofree char *after = NULL;
  g_autofree char *bare = NULL;
  gint64 number = port ? g_ascii_strtoll (port, NULL, 10) : 0;

  stack->flow = ua_via_transport (via);
  if (host[0] == '[')
    bare = g_strndup (host + 1, strcspn (host + 1, "]"));
  else
    bare = g_strdup (host);
  if (via->v_received == NULL && via->v_rport == NULL)
    return FALSE;               /* the registrar says nothing about it */
  if (ua_address_family (bare) == AF_UNSPEC || number <= 0 || number > G_MAXUINT16)
    return FALSE;
  g_free (stack->public_host);
  stack->public_host = NULL;
  if (!g_str_equal (bare, stack->address) || number != stack->port)
    {
      stack->public_host = g_strdup (bare);
      stack->public_port = (guint16) number;
    }
  after = ua_stack_contact_uri (registration->account->stack, NULL);
  return !g_str_equal (before, after);
}

static void
succeed (UaRegistration *registration, const UaEvent *event)
{
  UaAccount *account = registration->account;
  const struct sockaddr *peer = ua_stack_peer (account->stack);
  gboolean fresh = registration->state != STATE_REGISTERED;
  gboolean moved;

  registration->granted = ua_binding_granted (event->sip, registration->sent_contact, account->instance,
                                              ua_account_settings (account)->expires);
  if (registration->granted == 0)
    {
      fail (registration, event, "not-bound", VERDICT_BROKEN);
      return;
    }
  g_free (registration->bound_contact);
  registration->bound_contact = g_strdup (registration->sent_contact);
  if (peer)
    memcpy (&account->server, peer, peer->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in));
  phone_backoff_reset (&registration->backoff);
  registration->refusals = 0;
  moved = event->sip->sip_via && learn_flow (registration, event->sip->sip_via);
  if (moved && registration->moves < MAX_MOVES)
    {
      registration->moves++;
      phone_log_info (&account->log, "Account %s: the registrar sees us as %s port %u", account->id,
                      account->stack->public_host ? account->stack->public_host : account->stack->address,
                      account->stack->public_host ? account->stack->public_port : account->stack->port);
      send_register (registration, account->route);
    }
  else
    {
      registration->moves = 0;
      set_timer (registration, ua_probe_is_good (account) ? 0 : ua_binding_refresh_delay (registration->granted, g_random_double ()));
    }
  set_state (registration, STATE_REGISTERED, "accepted");
  ua_keepalive_start (registration->keepalive);
  ua_binding_report_capabilities (account->account, event->sip);
  report (registration, PHONE_REGISTRATION_REGISTERED, (guint) event->status, event->phrase, "ok", 0);
  if (!registration->open)      /* else the contact is being corrected: it is what others will send to */
    ua_presence_ready (account, fresh);
}

void
ua_registration_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaRegistration *registration = owner;
  const char *reason;
  Verdict verdict;

  ua_walk_heard (registration->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip)
    {
      switch (ua_credentials_answer (registration->account->credentials, event->nh, event->sip))
        {
        case UA_ANSWER_SENT:
          ua_credentials_learn (registration->account->credentials, event->sip);
          return;
        case UA_ANSWER_REFUSED:
        case UA_ANSWER_NO_PASSWORD:
        case UA_ANSWER_UNSUPPORTED:
          break;
        }
      drop_handle (registration);       /* the request hangs in sofia, waiting for a password */
    }
  registration->open = FALSE;
  if (registration->state == STATE_LEAVING)
    {
      if (event->status >= 300)
        left (registration);
      return;                   /* else the un-REGISTER in the queue goes out now */
    }
  if (!registration->wanted)
    return;
  if (event->status < 300 && event->sip)
    {
      succeed (registration, event);
      return;
    }
  if (ua_walk_next (registration->walk, event))
    return;
  reason = find_reason (registration, event, &verdict);
  if (g_str_equal (reason, "dns") && ua_account_try_other_family (registration->account))
    {
      registration->wanted = TRUE;
      set_state (registration, STATE_TRYING, "other address family");
      begin_register (registration);
      return;
    }
  fail (registration, event, reason, verdict);
}
