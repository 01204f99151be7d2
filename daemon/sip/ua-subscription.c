/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* See ua-subscription.h. sofia answers NOTIFY with 200 by itself, refreshes, and retries 423 with what the server wants; it would also
 * subscribe again by itself after "deactivated" and "probation", but a server that always says so would make it spin. So every end is taken
 * out of its hands: the handle goes, and what comes next is decided here.
 *
 * No back-off is forgotten by a subscription that did not live: only one that stood for a while resets it, and only such a one (or the first
 * of its kind) is renewed at once where RFC 6665 section 4.1.3 allows that. */

#include "sip/ua-subscription.h"
#include "sip/ua-dialog.h"
#include "sip/ua-parting.h"
#include "sip/ua-walk.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>

#include "util/text.h"

#define MAX_OPEN 8                      /* SUBSCRIBE of an account without an answer yet */
#define GOOD_AFTER (60 * G_USEC_PER_SEC)        /* a subscription that lived for so long was none to be wary of */
#define REFUSED_RETRY_S 1800            /* the server does not do this, or not for us: a person has to act */
#define MAX_REASON 32
#define MAX_TYPE 512
#define SOON_MS 1000                    /* "at once" still means after what happens now */

struct _UaSubscription
{
  UaAccount *account;
  const UaEventPackage *package;
  gpointer owner;
  char *uri;
  char *contact;                /* in the last SUBSCRIBE */
  nua_handle_t *nh;
  UaStack *stack;               /* of nh */
  UaWalk *walk;                 /* of a SUBSCRIBE outside of a dialog; in it the route set has the way */
  GSource *timer;               /* WAITING: until it is tried again; ACTIVE: until it is refreshed */
  PhonePace pace;               /* of ua_subscription_refresh (): a notifier whose documents never add up must not make us spin */
  PhoneBackoff backoff;
  PhoneSubscriptionDetail detail;
  gint64 active_since;          /* monotonic us; 0: not active */
  gboolean open;                /* counts among the account's open ones */
  gboolean queued;              /* TRYING, and not sent yet */
  gboolean plain;               /* the server would not hear of lists: it is asked as if we knew none */
  gboolean unreachable;         /* WAITING because nobody answered: worth a try when the account comes back */
};

static void send_subscribe (UaSubscription *subscription);

static void
set_state (UaSubscription *subscription, PhoneSubscription state, guint code, const char *reason, gint64 retry_at)
{
  PhoneSubscriptionDetail detail = { state, code, (char *) reason, retry_at };

  if (!phone_subscription_detail_assign (&subscription->detail, &detail))
    return;
  phone_log_debug (&subscription->account->log, "Account %s: subscription to %s of %s: %s (%u %s)", subscription->account->id,
                   subscription->package->event, subscription->uri, phone_subscription_to_string (state), code, reason ? reason : "-");
  subscription->package->changed (subscription->owner, &subscription->detail);
}

/* ---- sending, a few at a time ---- */

static gboolean
can_send (UaAccount *account)
{
  return account->stack && account->stack->state == UA_STACK_RUNNING && !account->removing
         && (!account->registration || ua_registration_is_registered (account->registration));
}

static void
pump (UaAccount *account)
{
  for (guint i = 0; i < account->subscriptions->len && account->n_subscribing < MAX_OPEN && can_send (account); i++)
    {
      UaSubscription *next = g_ptr_array_index (account->subscriptions, i);

      if (next->queued)
        send_subscribe (next);
    }
}

static void
close_request (UaSubscription *subscription)
{
  subscription->queued = FALSE;
  if (!subscription->open)
    return;
  subscription->open = FALSE;
  subscription->account->n_subscribing--;
}

static void
release_handle (UaSubscription *subscription)
{
  if (subscription->nh && subscription->account->stack)
    ua_stack_drop (subscription->stack, subscription->nh);
  subscription->nh = NULL;
}

static void
drop_handle (UaSubscription *subscription)
{
  close_request (subscription);
  ua_walk_stop (subscription->walk);
  release_handle (subscription);
  subscription->active_since = 0;
}

/* We end it, and the notifier still knows of it. */
static void
part (UaSubscription *subscription)
{
  gboolean stands = subscription->detail.state == PHONE_SUBSCRIPTION_ACTIVE || subscription->detail.state == PHONE_SUBSCRIPTION_PENDING;

  if (stands && subscription->nh && subscription->account->stack && subscription->stack->state == UA_STACK_RUNNING)
    ua_parting_begin (subscription->stack, g_steal_pointer (&subscription->nh), subscription->package->event);
  drop_handle (subscription);
}

static void
on_target (gpointer owner, const char *route, gboolean silent)
{
  UaSubscription *subscription = owner;
  UaStack *stack = ua_walk_get_stack (subscription->walk);
  g_autofree char *from = ua_account_from (subscription->account, FALSE);
  g_autofree char *contact = ua_stack_contact (stack, subscription->uri);
  g_autofree char *headers = subscription->package->headers ? subscription->package->headers (subscription->owner) : NULL;
  gboolean lists = subscription->package->lists && !subscription->plain;
  g_autofree char *accept = g_strconcat (subscription->package->accept, lists ? ", " : NULL, subscription->package->lists, NULL);
  char expires[16];

  release_handle (subscription);
  g_free (subscription->contact);
  subscription->contact = ua_stack_contact_uri (stack, subscription->uri);
  subscription->stack = stack;
  subscription->nh = nua_handle (stack->nua, NULL, NUTAG_URL (subscription->uri), SIPTAG_TO_STR (subscription->uri),
                                 SIPTAG_FROM_STR (from), TAG_END ());
  ua_stack_adopt (stack, subscription->nh, UA_OWNER_SUBSCRIPTION, subscription);
  if (subscription->package->restarted)
    subscription->package->restarted (subscription->owner);
  /* Of the handle and not of the request alone: a list server writes "Require: eventlist" into its NOTIFY, which sofia answers with 420 else. */
  if (lists)
    nua_set_hparams (subscription->nh, NUTAG_SUPPORTED ("eventlist"), TAG_END ());
  g_snprintf (expires, sizeof expires, "%u", subscription->package->expires);
  nua_subscribe (subscription->nh, SIPTAG_EVENT_STR (subscription->package->event), SIPTAG_ACCEPT_STR (accept),
                 SIPTAG_EXPIRES_STR (expires),
                 TAG_IF (headers, SIPTAG_HEADER_STR (headers)), SIPTAG_CONTACT_STR (contact), TAG_IF (route, NUTAG_PROXY (route)), TAG_END ());
}

static void
send_subscribe (UaSubscription *subscription)
{
  UaAccount *account = subscription->account;

  drop_handle (subscription);
  subscription->open = TRUE;
  account->n_subscribing++;
  ua_walk_start (subscription->walk, account->server_uri ? NULL : subscription->uri, ua_account_is_registered (account));
}

static void
try_now (UaSubscription *subscription)
{
  UaAccount *account = subscription->account;

  ua_timer_clear (&subscription->timer);
  subscription->unreachable = FALSE;
  drop_handle (subscription);
  if (!can_send (account))
    {
      set_state (subscription, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
      return;
    }
  set_state (subscription, PHONE_SUBSCRIPTION_TRYING, subscription->detail.code, subscription->detail.reason, 0);
  subscription->queued = TRUE;
  pump (account);
}

static gboolean
on_timer (gpointer data)
{
  try_now (data);
  return G_SOURCE_REMOVE;
}

/* ---- ends ---- */

static void
wait (UaSubscription *subscription, guint code, const char *reason, guint ms)
{
  UaAccount *account = subscription->account;

  drop_handle (subscription);
  ua_timer_clear (&subscription->timer);
  subscription->timer = ua_timer_new (account->engine, MAX (ms, SOON_MS), on_timer, subscription);
  set_state (subscription, PHONE_SUBSCRIPTION_WAITING, code, reason, g_get_real_time () / G_USEC_PER_SEC + (ms + 999) / 1000);
  pump (account);
}

/* at_once: the subscription may be renewed without waiting, if it was not a short-lived one. floor: s. */
static void
end (UaSubscription *subscription, guint code, const char *reason, gboolean at_once, gulong retry_after, guint floor)
{
  gboolean good = subscription->active_since && g_get_monotonic_time () - subscription->active_since >= GOOD_AFTER;
  gboolean renew;
  guint ms;

  if (good)
    phone_backoff_reset (&subscription->backoff);
  renew = at_once && subscription->backoff.failures == 0;
  ms = phone_backoff_fail (&subscription->backoff, TRUE, (guint) MIN (retry_after, G_MAXUINT), g_random_double ());
  if (renew && !retry_after)
    try_now (subscription);
  else
    wait (subscription, code, reason, MAX (ms, floor * 1000));
}

static const struct
{
  guint status;
  const char *reason;
  gboolean denied;
} refusals[] = {
  { 401, "auth-failed", TRUE },   { 403, "forbidden", TRUE },      { 404, "not-found", FALSE },   { 405, "not-supported", TRUE },
  { 407, "auth-failed", TRUE },   { 408, "timeout", FALSE },       { 410, "gone", TRUE },         { 420, "extension", TRUE },
  { 480, "unavailable", FALSE },  { 481, "no-subscription", FALSE }, { 489, "bad-event", TRUE },  { 500, "server-error", FALSE },
  { 501, "not-supported", TRUE }, { 503, "unavailable", FALSE },   { 504, "timeout", FALSE },     { 603, "rejected", TRUE },
  { 604, "not-found", FALSE },    { 904, "auth-failed", TRUE },
};

/* What a server says that does not know the extension or the types. */
static gboolean
is_about_lists (guint status)
{
  return status == 406 || status == 415 || status == 420 || status == 489 || status == 501;
}

static void
refused (UaSubscription *subscription, const UaEvent *event)
{
  guint status = (guint) event->status;
  gboolean local = ua_event_is_local (event) || status == 408;
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  const char *reason = local && status != 904 ? "timeout" : status >= 500 && status < 600 ? "server-error" : "refused";
  gboolean denied = FALSE;

  if (subscription->package->lists && !subscription->plain && !local && is_about_lists (status))
    {
      phone_log_info (&subscription->account->log, "Account %s: subscription to %s of %s: once more without lists, after %u",
                      subscription->account->id, subscription->package->event, subscription->uri, status);
      subscription->plain = TRUE;
      try_now (subscription);
      return;
    }
  subscription->plain = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (refusals) && (!local || status == 904); i++)
    if (refusals[i].status == status)
      {
        reason = refusals[i].reason;
        denied = refusals[i].denied;
      }
  end (subscription, status < 700 ? status : 0, reason, status == 481, retry_after, denied ? REFUSED_RETRY_S : 0);
  subscription->unreachable = local && subscription->detail.state == PHONE_SUBSCRIPTION_WAITING;
}

void
ua_subscription_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaSubscription *subscription = owner;

  if (!stack->account)
    return;
  ua_walk_heard (subscription->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip
      && ua_credentials_answer (subscription->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  if (event->status >= 300)
    {
      if (can_send (subscription->account) && ua_walk_next (subscription->walk, event))
        return;
      refused (subscription, event);
      return;
    }
  close_request (subscription);
  ua_walk_stop (subscription->walk);
  if (subscription->detail.state == PHONE_SUBSCRIPTION_TRYING)
    set_state (subscription, PHONE_SUBSCRIPTION_PENDING, 0, NULL, 0);
  pump (subscription->account);
}

/* ---- NOTIFY ---- */

static const struct
{
  const char *reason;
  gboolean at_once;
  guint floor;                  /* s */
} reasons[] = {
  { "deactivated", TRUE, 0 }, { "timeout", TRUE, 0 }, { "probation", FALSE, 0 }, { "giveup", FALSE, 0 },
  { "rejected", FALSE, REFUSED_RETRY_S }, { "noresource", FALSE, REFUSED_RETRY_S }, { "invariant", FALSE, PHONE_BACKOFF_RETRY_AFTER_MAX },
};

static void
terminated (UaSubscription *subscription, const sip_subscription_state_t *state)
{
  g_autofree char *reason = state->ss_reason ? phone_text_clean (state->ss_reason, -1, MAX_REASON) : NULL;
  guint64 retry_after = 0;

  if (state->ss_retry_after && !g_ascii_string_to_unsigned (state->ss_retry_after, 10, 0, PHONE_BACKOFF_RETRY_AFTER_MAX, &retry_after, NULL))
    retry_after = 0;
  for (gsize i = 0; reason && i < G_N_ELEMENTS (reasons); i++)
    if (g_ascii_strcasecmp (reasons[i].reason, reason) == 0)
      {
        end (subscription, 0, reasons[i].reason, reasons[i].at_once, (gulong) retry_after, reasons[i].floor);
        return;
      }
  end (subscription, 0, reason ? reason : "terminated", FALSE, (gulong) retry_after, 0);
}

static void
deliver (UaSubscription *subscription, const sip_t *sip)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const char *type = sip->sip_content_type ? ua_sip_header_text (home, sip->sip_content_type) : NULL;

  if (sip->sip_payload && sip->sip_payload->pl_len > 0 && type && strlen (type) <= MAX_TYPE)
    subscription->package->notify (subscription->owner, type, sip->sip_payload->pl_data, sip->sip_payload->pl_len);
  su_home_deinit (home);
}

void
ua_subscription_on_notify (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaSubscription *subscription = owner;
  const sip_t *sip = event->sip;
  const sip_subscription_state_t *state = sip ? sip->sip_subscription_state : NULL;

  if (sip && event->status < 200)
    {
      nua_respond (event->nh, SIP_481_NO_TRANSACTION, NUTAG_WITH_THIS (stack->nua), TAG_END ());
      return;
    }
  if (!stack->account)
    return;
  if (!sip)                     /* sofia gave up: nothing came after the 2xx, or it could not refresh */
    {
      end (subscription, 0, "timeout", FALSE, 0, 0);
      return;
    }
  if (!sip->sip_event || g_ascii_strcasecmp (sip->sip_event->o_type, subscription->package->event) != 0)
    return;
  if (state && g_ascii_strcasecmp (state->ss_substate, "terminated") == 0)
    {
      deliver (subscription, sip);
      terminated (subscription, state);
      return;
    }
  close_request (subscription); /* the NOTIFY may overtake the 2xx */
  ua_walk_stop (subscription->walk);
  if (state && g_ascii_strcasecmp (state->ss_substate, "pending") == 0)
    set_state (subscription, PHONE_SUBSCRIPTION_PENDING, 0, NULL, 0);
  else
    {
      if (!subscription->active_since)
        subscription->active_since = g_get_monotonic_time ();
      set_state (subscription, PHONE_SUBSCRIPTION_ACTIVE, 0, NULL, 0);
    }
  deliver (subscription, sip);
  pump (subscription->account);
}

/* ---- life ---- */

UaSubscription *
ua_subscription_new (UaAccount *account, const UaEventPackage *package, const char *uri, gpointer owner)
{
  UaSubscription *subscription = g_new0 (UaSubscription, 1);

  subscription->account = account;
  subscription->package = package;
  subscription->owner = owner;
  subscription->uri = g_strdup (uri);
  subscription->walk = ua_walk_new (account, NULL, on_target, subscription);
  ua_walk_set_barred (subscription->walk, ua_subscription_on_response);
  g_ptr_array_add (account->subscriptions, subscription);
  try_now (subscription);
  return subscription;
}

void
ua_subscription_free (UaSubscription *subscription)
{
  UaAccount *account;

  if (!subscription)
    return;
  account = subscription->account;
  ua_timer_clear (&subscription->timer);
  part (subscription);
  ua_walk_free (subscription->walk);
  g_ptr_array_remove (account->subscriptions, subscription);
  phone_subscription_detail_clear (&subscription->detail);
  g_free (subscription->contact);
  g_free (subscription->uri);
  g_free (subscription);
  pump (account);
}

static gboolean
on_refresh_due (gpointer data)
{
  UaSubscription *subscription = data;

  ua_timer_clear (&subscription->timer);
  ua_subscription_refresh (subscription);
  return G_SOURCE_REMOVE;
}

void
ua_subscription_refresh (UaSubscription *subscription)
{
  gint64 now = g_get_monotonic_time ();
  guint ms = phone_pace_wait (&subscription->pace, now);

  if (!subscription->nh || subscription->detail.state != PHONE_SUBSCRIPTION_ACTIVE || subscription->timer)
    return;
  if (ms)
    {
      subscription->timer = ua_timer_new (subscription->account->engine, ms, on_refresh_due, subscription);
      return;
    }
  phone_pace_take (&subscription->pace, now);
  phone_log_debug (&subscription->account->log, "Account %s: subscription to %s of %s: the whole state, for its documents leave a gap",
                   subscription->account->id, subscription->package->event, subscription->uri);
  nua_subscribe (subscription->nh, SIPTAG_EVENT_STR (subscription->package->event), TAG_END ());
}

void
ua_subscriptions_resume (UaAccount *account, gboolean fresh)
{
  for (guint i = 0; i < account->subscriptions->len; i++)
    {
      UaSubscription *subscription = g_ptr_array_index (account->subscriptions, i);
      g_autofree char *contact = ua_stack_contact_uri (subscription->nh ? subscription->stack : account->stack, subscription->uri);
      gboolean moved = subscription->nh && g_strcmp0 (contact, subscription->contact) != 0;

      if (moved)
        part (subscription);
      if (moved || subscription->detail.state == PHONE_SUBSCRIPTION_IDLE || (fresh && subscription->unreachable))
        try_now (subscription);
    }
}

void
ua_subscriptions_suspend (UaAccount *account)
{
  for (guint i = 0; i < account->subscriptions->len; i++)
    ((UaSubscription *) g_ptr_array_index (account->subscriptions, i))->queued = FALSE;
  for (guint i = 0; i < account->subscriptions->len; i++)
    {
      UaSubscription *subscription = g_ptr_array_index (account->subscriptions, i);

      ua_timer_clear (&subscription->timer);
      part (subscription);
      set_state (subscription, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
    }
}

void
ua_subscriptions_abandon (UaAccount *account)
{
  for (guint i = 0; i < account->subscriptions->len; i++)
    {
      UaSubscription *subscription = g_ptr_array_index (account->subscriptions, i);

      close_request (subscription);
      ua_walk_stop (subscription->walk);
      ua_timer_clear (&subscription->timer);
      subscription->nh = NULL;
      set_state (subscription, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
    }
}
