/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What we publish of our own presence (RFC 3903).
 *
 *   IDLE --wanted, the account can--> TRYING --2xx--> ACTIVE --refresh, other status--> (a PUBLISH is out, still ACTIVE)
 *                                       |                | 412: the server forgot: TRYING, without the tag
 *                                       +-- refused ---> WAITING --back-off, Retry-After--> TRYING
 *   any --stop--> LEAVING --answer--> gone
 *
 * The entity tag and the refresh are kept here, and every PUBLISH has a handle of its own: sofia's own publication repeats the whole document
 * in a refresh and cannot change it without a new one. */

#include "sip/ua-presence.h"

#include <string.h>

#include "core/account-presence.h"
#include "sip/event-doc.h"
#include "sip/ua-header.h"
#include "sip/ua-walk.h"

#define EXPIRES 3600
#define MIN_REFRESH_MS 1000
#define REFUSED_RETRY_S 1800
#define MAX_TAG 256

struct _UaPublication
{
  UaAccount *account;
  nua_handle_t *nh;             /* while a PUBLISH is out */
  UaWalk *walk;
  guint sent_expires;           /* of the PUBLISH that is out; a refresh: without the document */
  gboolean is_refresh;
  GSource *timer;               /* refresh, or the next attempt */
  PhoneBackoff backoff;
  PhoneSubscriptionDetail detail;
  char *tag;                    /* SIP-ETag of what the server has; NULL: nothing */
  char *document;               /* what the server has, or is being sent */
  guint expires;                /* asked for; raised by 423 */
  gboolean dirty;               /* another status while a PUBLISH was out */
  gboolean leaving;
};

static void publish (UaPublication *publication);

static void
set_state (UaPublication *publication, PhoneSubscription state, guint code, const char *reason, gint64 retry_at)
{
  PhoneSubscriptionDetail detail = { state, code, (char *) reason, retry_at };

  if (phone_subscription_detail_assign (&publication->detail, &detail))
    phone_account_on_publication (publication->account->account, &publication->detail);
}

static void
drop_handle (UaPublication *publication)
{
  if (publication->nh && publication->account->stack)
    ua_stack_drop (publication->account->stack, publication->nh);
  publication->nh = NULL;
}

void
ua_publication_free (UaPublication *publication)
{
  ua_timer_clear (&publication->timer);
  ua_walk_stop (publication->walk);
  drop_handle (publication);
  ua_walk_free (publication->walk);
  set_state (publication, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
  phone_subscription_detail_clear (&publication->detail);
  g_free (publication->tag);
  g_free (publication->document);
  g_free (publication);
}

void
ua_publication_abandon (UaPublication *publication)
{
  ua_timer_clear (&publication->timer);
  ua_walk_stop (publication->walk);
  publication->nh = NULL;
  publication->leaving = FALSE;
  g_clear_pointer (&publication->tag, g_free);
}

gboolean
ua_publication_is_busy (UaPublication *publication)
{
  return publication->leaving && publication->nh;
}

static gboolean
can_send (UaAccount *account)
{
  return account->stack && account->stack->state == UA_STACK_RUNNING && account->registration
         && ua_registration_is_registered (account->registration);
}

/* The part of the instance that differs: several phones of one user publish beside each other. */
char *
ua_presence_document (UaAccount *account)
{
  PhonePresenceInfo info = { phone_account_get_status (account->account), phone_account_get_presence (account->account)->note };
  g_autofree char *id = g_strdup_printf ("t%.8s", account->instance + strlen ("urn:uuid:"));

  return ua_pidf_write (account->aor, id, &info);
}

static void
on_target (gpointer owner, const char *route, gboolean silent)
{
  UaPublication *publication = owner;
  UaAccount *account = publication->account;
  g_autofree char *from = ua_account_from (account, FALSE);
  const char *body = publication->is_refresh ? NULL : publication->document;
  char seconds[16];

  drop_handle (publication);
  g_snprintf (seconds, sizeof seconds, "%u", publication->sent_expires);
  publication->nh = nua_handle (account->stack->nua, NULL, NUTAG_URL (account->aor), SIPTAG_TO_STR (account->aor), SIPTAG_FROM_STR (from),
                                TAG_END ());
  ua_stack_adopt (account->stack, publication->nh, UA_OWNER_PUBLICATION, publication);
  nua_method (publication->nh, NUTAG_METHOD ("PUBLISH"), SIPTAG_EVENT_STR ("presence"), SIPTAG_EXPIRES_STR (seconds),
              TAG_IF (publication->tag, SIPTAG_IF_MATCH_STR (publication->tag)),
              TAG_IF (body, SIPTAG_CONTENT_TYPE_STR ("application/pidf+xml")), TAG_IF (body, SIPTAG_PAYLOAD_STR (body)),
              TAG_IF (route, NUTAG_PROXY (route)), TAG_END ());
}

static void
send_publish (UaPublication *publication, guint expires, gboolean is_refresh)
{
  ua_walk_stop (publication->walk);
  drop_handle (publication);
  ua_timer_clear (&publication->timer);
  publication->sent_expires = expires;
  publication->is_refresh = is_refresh;
  ua_walk_start (publication->walk, NULL, TRUE);
}

UaPublication *
ua_publication_new (UaAccount *account)
{
  UaPublication *publication = g_new0 (UaPublication, 1);

  publication->account = account;
  publication->expires = EXPIRES;
  publication->walk = ua_walk_new (account, NULL, on_target, publication);
  return publication;
}

static gboolean
on_timer (gpointer data)
{
  UaPublication *publication = data;

  ua_timer_clear (&publication->timer);
  publish (publication);
  return G_SOURCE_REMOVE;
}

static void
publish (UaPublication *publication)
{
  UaAccount *account = publication->account;
  g_autofree char *document = NULL;

  if (!can_send (account) || !phone_account_wants_publication (account->account))
    {
      set_state (publication, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
      return;
    }
  document = ua_presence_document (account);
  publication->dirty = FALSE;
  if (publication->detail.state != PHONE_SUBSCRIPTION_ACTIVE)
    set_state (publication, PHONE_SUBSCRIPTION_TRYING, publication->detail.code, publication->detail.reason, 0);
  if (publication->tag && g_strcmp0 (document, publication->document) == 0)
    {
      send_publish (publication, publication->expires, TRUE);
      return;
    }
  g_free (publication->document);
  publication->document = g_steal_pointer (&document);
  send_publish (publication, publication->expires, FALSE);
}

void
ua_publication_update (UaPublication *publication)
{
  g_autofree char *document = NULL;

  if (publication->leaving)
    return;
  if (publication->nh)
    {
      publication->dirty = TRUE;
      return;
    }
  /* A refused publication waits for its time: another status changes nothing about the refusal. */
  if (publication->detail.state == PHONE_SUBSCRIPTION_WAITING)
    return;
  if (publication->tag)
    {
      document = ua_presence_document (publication->account);
      if (g_strcmp0 (document, publication->document) == 0)
        return;
    }
  publish (publication);
}

void
ua_publication_stop (UaPublication *publication)
{
  ua_timer_clear (&publication->timer);
  if (publication->leaving)
    return;
  if (!publication->tag)
    {
      ua_walk_stop (publication->walk);
      drop_handle (publication);
      set_state (publication, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
      return;
    }
  publication->leaving = TRUE;
  send_publish (publication, 0, TRUE);
}

/* ---- answers ---- */

static void
succeed (UaPublication *publication, const sip_t *sip)
{
  guint granted = sip->sip_expires && sip->sip_expires->ex_delta ? (guint) MIN (sip->sip_expires->ex_delta, 604800) : publication->expires;
  const char *tag = sip->sip_etag ? sip->sip_etag->g_string : NULL;

  g_free (publication->tag);
  publication->tag = tag && *tag && strlen (tag) <= MAX_TAG && ua_header_is_safe (tag) ? g_strdup (tag) : NULL;
  phone_backoff_reset (&publication->backoff);
  set_state (publication, PHONE_SUBSCRIPTION_ACTIVE, 0, NULL, 0);
  publication->timer = ua_timer_new (publication->account->engine, ua_binding_refresh_delay (granted, g_random_double ()), on_timer,
                                     publication);
  if (publication->dirty)
    {
      publication->dirty = FALSE;
      ua_publication_update (publication);
    }
}

static void
refused (UaPublication *publication, const UaEvent *event)
{
  guint status = (guint) event->status;
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  gboolean local = ua_event_is_local (event) && status != 904;
  gboolean transient = local || status == 408 || status == 480 || (status >= 500 && status != 501);
  const char *reason = local || status == 408                             ? "timeout"
                       : status == 401 || status == 407 || status == 904 ? "auth-failed"
                       : status == 403                                    ? "forbidden"
                       : status == 489                                    ? "bad-event"
                       : status == 405 || status == 501                   ? "not-supported"
                       : status == 404                                    ? "not-found"
                       : transient                                        ? "server-error"
                                                                          : "refused";
  guint ms = phone_backoff_fail (&publication->backoff, TRUE, (guint) MIN (retry_after, G_MAXUINT), g_random_double ());

  if (!transient)
    ms = MAX (ms, REFUSED_RETRY_S * 1000);
  g_clear_pointer (&publication->tag, g_free);
  publication->timer = ua_timer_new (publication->account->engine, MAX (ms, MIN_REFRESH_MS), on_timer, publication);
  set_state (publication, PHONE_SUBSCRIPTION_WAITING, status < 700 ? status : 0, reason,
             g_get_real_time () / G_USEC_PER_SEC + (ms + 999) / 1000);
  phone_log_info (&publication->account->log, "Account %s: PUBLISH refused: %d %s", publication->account->id, event->status,
                  event->phrase);
}

/* RFC 3903 section 4.5 and section 6: 412, the server knows no such publication; 423, too short. Both once in a row. */
static gboolean
mend (UaPublication *publication, const UaEvent *event)
{
  const sip_min_expires_t *min = event->sip ? event->sip->sip_min_expires : NULL;

  if (event->status == 412 && publication->tag)
    {
      g_clear_pointer (&publication->tag, g_free);
      publish (publication);
      return TRUE;
    }
  if (event->status == 423 && min && min->me_delta > publication->expires && min->me_delta <= 604800)
    {
      publication->expires = (guint) min->me_delta;
      g_clear_pointer (&publication->document, g_free); /* the whole of it: the server took nothing */
      publish (publication);
      return TRUE;
    }
  return FALSE;
}

void
ua_publication_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaPublication *publication = owner;

  if (!stack->account)
    return;
  ua_walk_heard (publication->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip
      && ua_credentials_answer (publication->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  if (ua_walk_next (publication->walk, event))
    return;
  ua_walk_stop (publication->walk);
  drop_handle (publication);
  if (publication->leaving)
    {
      publication->leaving = FALSE;
      g_clear_pointer (&publication->tag, g_free);
      set_state (publication, PHONE_SUBSCRIPTION_IDLE, 0, NULL, 0);
      ua_stack_check (stack);
      return;
    }
  if (event->status < 300 && event->sip)
    succeed (publication, event->sip);
  else if (!mend (publication, event))
    refused (publication, event);
}
