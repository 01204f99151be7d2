/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Session timers (RFC 4028). sofia negotiates and answers 422. Its own refresh would repeat the SDP of the last INVITE, which may be
 * history; so ours comes earlier (at two fifths of the interval instead of half): an UPDATE without SDP if the peer takes it, else a
 * re-INVITE with the session as it is. Where refreshing is the peer's and it does not, the call ends a third of the interval, at most 32 s,
 * before the interval does (section 10). */

#include "sip/ua-dialog.h"

#include <sofia-sip/nta_tag.h>

#define MIN_SE 90
#define REFRESH_RETRY_MS 5000
#define MAX_RETRY_AFTER_S 3600

static void set_refresh (UaDialog *dialog, guint ms);

static gboolean
on_refresh (gpointer data)
{
  UaDialog *dialog = data;
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *contact = NULL;

  ua_timer_clear (&dialog->refresh_timer);
  if (dialog->state != DIALOG_UP || !dialog->call || !dialog->stack->account)
    return G_SOURCE_REMOVE;
  if (dialog->reoffer_state != REOFFER_NONE || dialog->answer_due)
    {
      set_refresh (dialog, REFRESH_RETRY_MS);
      return G_SOURCE_REMOVE;
    }
  if (dialog->peer_updates)
    {
      contact = ua_dialog_contact (dialog, dialog->target);
      /* the interval as it was negotiated: RFC 4028 section 7.4 */
      nua_update (dialog->nh, SIPTAG_CONTACT_STR (contact), NUTAG_SESSION_TIMER (dialog->session_interval), TAG_END ());
      ua_dialog_request_begins (dialog);
      return G_SOURCE_REMOVE;
    }
  offer = phone_call_on_offer_wanted (dialog->call, NULL);
  if (!offer || !ua_dialog_start_reoffer (dialog, offer, TRUE, NULL))
    set_refresh (dialog, REFRESH_RETRY_MS);
  return G_SOURCE_REMOVE;
}

static gboolean
on_expired (gpointer data)
{
  UaDialog *dialog = data;
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_SESSION_TIMEOUT, 408, "Session timeout");

  ua_timer_clear (&dialog->refresh_timer);
  if (dialog->state != DIALOG_UP)
    return G_SOURCE_REMOVE;
  if (!dialog->reason)
    dialog->reason = phone_reason_copy (reason);
  ua_dialog_send_bye (dialog, reason);
  return G_SOURCE_REMOVE;
}

static void
set_refresh (UaDialog *dialog, guint ms)
{
  ua_timer_clear (&dialog->refresh_timer);
  dialog->refresh_timer = ua_timer_new (dialog->stack->engine, ms, on_refresh, dialog);
}

void
ua_dialog_on_update_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  gulong retry_after = event->sip && event->sip->sip_retry_after ? event->sip->sip_retry_after->af_delta : 0;
  gboolean is_untold;

  if (event->status < 200 || ua_dialog_authenticate (dialog, event))
    return;
  ua_dialog_request_ends (dialog);
  if (event->status < 300)
    {
      ua_dialog_learn_session (dialog, event->sip);
      return;
    }
  if (event->status == 405 || event->status == 501)
    {
      dialog->peer_updates = FALSE;
      set_refresh (dialog, 0);
      return;
    }
  ua_dialog_on_refused (dialog, event);
  if (dialog->state != DIALOG_UP || event->status == 408 || event->status == 481)
    return;
  is_untold = dialog->told_hosted != dialog->told_before;
  dialog->told_hosted = dialog->told_before;    /* the next occasion tells it */
  if (dialog->session_interval || event->status == 491)
    set_refresh (dialog, REFRESH_RETRY_MS);
  else if (is_untold && retry_after > 0)
    set_refresh (dialog, MAX (REFRESH_RETRY_MS, (guint) MIN (retry_after, MAX_RETRY_AFTER_S) * 1000));
}

static gboolean
has_method (const sip_allow_t *allow, sip_method_t method, const char *name)
{
  return allow && sip_is_allowed (allow, method, name);
}

/* What sofia negotiates from the same message (RFC 4028 sections 7.2 and 9): the interval, and whether refreshing is ours. sip: the 2xx to our
 * request, or their INVITE or UPDATE. */
void
ua_dialog_learn_session (UaDialog *dialog, const sip_t *sip)
{
  const sip_session_expires_t *x = sip->sip_session_expires;
  gboolean theirs = sip->sip_request != NULL;
  guint64 local = phone_registry_get_settings (dialog->stack->engine->registry)->session_expires;
  guint64 interval = x ? x->x_delta : local;
  gboolean ours = !theirs;

  ua_focus_learn (dialog, sip);
  if (sip->sip_allow)
    dialog->peer_updates = has_method (sip->sip_allow, sip_method_update, "UPDATE");
  if (sip->sip_supported)
    dialog->peer_timer = sip_has_feature (sip->sip_supported, "timer");
  if (sip->sip_supported && sip_has_feature (sip->sip_supported, "record-aware"))
    dialog->record_aware = TRUE;
  if (dialog->record_aware && dialog->call)
    phone_call_on_record_aware (dialog->call);
  if (theirs && local && interval > local)
    interval = local;
  if (interval && interval < MIN_SE)
    interval = MIN_SE;
  if (theirs && interval && sip->sip_min_se && interval < sip->sip_min_se->min_delta)
    interval = sip->sip_min_se->min_delta;
  if (x && x->x_refresher)
    ours = g_ascii_strcasecmp (x->x_refresher, theirs ? "uas" : "uac") == 0;
  else if (theirs && !dialog->peer_timer)
    ours = TRUE;
  dialog->session_interval = (guint) MIN (interval, G_MAXUINT / 1000);
  if (dialog->session_interval && ours)
    set_refresh (dialog, dialog->session_interval * 400);
  else
    {
      ua_timer_clear (&dialog->refresh_timer);
      if (dialog->session_interval)
        dialog->refresh_timer
            = ua_timer_new (dialog->stack->engine, (dialog->session_interval - MIN (dialog->session_interval / 3, 32)) * 1000,
                            on_expired, dialog);
    }
}
