/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A report has no state at the collector: no entity tag, no refresh; whatever 2xx comes, it is over. A collector that does not answer, or not now, is asked
 * again a few times; one that refuses is not. There is never more than one PUBLISH out, so that a collector that is gone costs one transaction at a time. */

#include "sip/ua-quality.h"

#include "core/quality-outbox.h"
#include "sip/ua-walk.h"

#define MAX_WAITING 16                  /* reports; the oldest go */
#define MAX_RETRY_AFTER 3600            /* s */
static const guint retries[] = { 2, 30, 300 };  /* s */

typedef struct
{
  char *id, *target, *body;
  guint failures;
} Report;

struct _UaQuality
{
  UaAccount *account;
  UaWalk *walk;
  nua_handle_t *nh;             /* while a PUBLISH is out, of this stack: */
  UaStack *stack;
  GSource *timer;               /* the next attempt */
  GQueue reports;               /* of Report; the head is being sent */
};

static void
report_free (gpointer data)
{
  Report *report = data;

  g_free (report->id);
  g_free (report->target);
  g_free (report->body);
  g_free (report);
}

/* Nobody needs it any more: it was delivered, or given up. */
static void
report_over (UaQuality *quality, Report *report)
{
  phone_quality_on_reported (quality->account->account, report->id);
  report_free (report);
}

static void
drop_handle (UaQuality *quality)
{
  if (quality->nh)
    ua_stack_drop (quality->stack, quality->nh);
  quality->nh = NULL;
}

static void
on_target (gpointer owner, const char *route, gboolean silent)
{
  UaQuality *quality = owner;
  UaAccount *account = quality->account;
  UaStack *stack = ua_walk_get_stack (quality->walk);
  const Report *report = g_queue_peek_head (&quality->reports);
  g_autofree char *from = ua_account_from (account, FALSE);

  drop_handle (quality);
  if (!report || !stack || stack->state != UA_STACK_RUNNING)
    return;
  quality->nh = nua_handle (stack->nua, NULL, NUTAG_URL (report->target), SIPTAG_TO_STR (report->target), SIPTAG_FROM_STR (from), TAG_END ());
  quality->stack = stack;
  ua_stack_adopt (stack, quality->nh, UA_OWNER_QUALITY, quality);
  nua_method (quality->nh, NUTAG_METHOD ("PUBLISH"), SIPTAG_EVENT_STR ("vq-rtcpxr"), SIPTAG_CONTENT_TYPE_STR ("application/vq-rtcpxr"),
              SIPTAG_PAYLOAD_STR (report->body), TAG_IF (route, NUTAG_PROXY (route)), TAG_END ());
}

UaQuality *
ua_quality_new (UaAccount *account)
{
  UaQuality *quality = g_new0 (UaQuality, 1);

  quality->account = account;
  quality->walk = ua_walk_new (account, NULL, on_target, quality);
  ua_walk_set_barred (quality->walk, ua_quality_on_response);
  return quality;
}

void
ua_quality_free (UaQuality *quality)
{
  if (!quality)
    return;
  if (!g_queue_is_empty (&quality->reports))
    phone_log_notice (&quality->account->log, "Account %s: %u reports of voice quality wait for the next start", quality->account->id,
                      g_queue_get_length (&quality->reports));
  ua_timer_clear (&quality->timer);
  ua_walk_stop (quality->walk);
  drop_handle (quality);
  ua_walk_free (quality->walk);
  g_queue_clear_full (&quality->reports, report_free);
  g_free (quality);
}

static void send_next (UaQuality *quality);

static gboolean
on_timer (gpointer data)
{
  UaQuality *quality = data;

  ua_timer_clear (&quality->timer);
  send_next (quality);
  return G_SOURCE_REMOVE;
}

static void
wait (UaQuality *quality, guint seconds)
{
  ua_timer_clear (&quality->timer);
  quality->timer = ua_timer_new (quality->account->engine, seconds * 1000, on_timer, quality);
}

static void
send_next (UaQuality *quality)
{
  UaAccount *account = quality->account;
  const Report *report = g_queue_peek_head (&quality->reports);

  if (!report || account->removing || quality->nh || quality->timer || ua_walk_is_asking (quality->walk))
    return;
  if (!account->stack || account->stack->state != UA_STACK_RUNNING)
    {
      wait (quality, retries[0]);
      return;
    }
  ua_walk_start (quality->walk, account->server_uri ? NULL : report->target, TRUE);
}

void
ua_quality_abandon (UaQuality *quality)
{
  ua_walk_stop (quality->walk);
  quality->nh = NULL;
  if (!g_queue_is_empty (&quality->reports))
    wait (quality, retries[0]);
}

void
ua_quality_report (gpointer ua, PhoneAccount *account, const char *id, const char *target, const char *body)
{
  UaAccount *entry = phone_account_get_engine_data (account);
  Report *report;

  if (!entry || entry->removing)
    return;
  if (!entry->quality)
    entry->quality = ua_quality_new (entry);
  if (g_queue_get_length (&entry->quality->reports) >= MAX_WAITING)
    {
      phone_log_notice (&entry->log, "Account %s: too many reports of voice quality wait; one is given up", entry->id);
      report_over (entry->quality, g_queue_pop_nth (&entry->quality->reports, 1));
    }
  report = g_new0 (Report, 1);
  report->id = g_strdup (id);
  report->target = g_strdup (target);
  report->body = g_strdup (body);
  g_queue_push_tail (&entry->quality->reports, report);
  send_next (entry->quality);
}

/* ---- answers ---- */

static void
failed (UaQuality *quality, const UaEvent *event)
{
  Report *report = g_queue_peek_head (&quality->reports);
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  gboolean transient = (ua_event_is_local (event) && event->status != 904) || event->status == 408 || event->status == 480
                       || (event->status >= 500 && event->status != 501);

  if (transient && report->failures < G_N_ELEMENTS (retries))
    {
      guint seconds = MAX (retries[report->failures], (guint) MIN (retry_after, MAX_RETRY_AFTER));

      report->failures++;
      phone_log_info (&quality->account->log, "Account %s: the collector of voice quality did not take a report (%d %s), again in %u s",
                      quality->account->id, event->status, event->phrase, seconds);
      wait (quality, seconds);
      return;
    }
  phone_log_notice (&quality->account->log, "Account %s: the collector of voice quality does not take a report: %d %s", quality->account->id,
                    event->status, event->phrase);
  report_over (quality, g_queue_pop_head (&quality->reports));
}

void
ua_quality_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaQuality *quality = owner;

  if (!stack->account)
    return;
  ua_walk_heard (quality->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip
      && ua_credentials_answer (quality->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  if (ua_walk_next (quality->walk, event))
    return;
  drop_handle (quality);
  ua_walk_stop (quality->walk);
  if (event->status < 300)
    {
      phone_log_debug (&quality->account->log, "Account %s: a report of voice quality was delivered", quality->account->id);
      report_over (quality, g_queue_pop_head (&quality->reports));
    }
  else
    failed (quality, event);
  send_next (quality);
}
