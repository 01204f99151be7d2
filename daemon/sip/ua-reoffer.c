/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of an established session: re-INVITE and UPDATE in both directions, glare, and the refresh of session timers.
 *
 * Glare (RFC 3261 section 14.1). Our re-INVITE got 491, or 500 with Retry-After: it is sent again after 2.1-4 s if the dialog is ours,
 * after 0-2 s if it is theirs, in steps of 10 ms. Meanwhile the peer's may come and is answered as if ours had not been. The other
 * half, answering 491 to theirs while ours is open, is sofia's for INVITE and ours for UPDATE.
 *
 * Session timers (RFC 4028). sofia negotiates and answers 422. Its own refresh would repeat the SDP of the last INVITE, which may be
 * history; so ours comes earlier (at two fifths of the interval instead of half): an UPDATE without SDP if the peer takes it, else a
 * re-INVITE with the session as it is. Where refreshing is the peer's and it does not, the call ends a third of the interval, at most 32 s,
 * before the interval does (section 10). */

#include "sip/ua-dialog.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>

#include "util/text.h"

#define MAX_TRIES 8
#define MAX_RETRY_AFTER_S 10            /* RFC 3261 section 14.2 */
#define MIN_SE 90
#define REFRESH_RETRY_MS 5000

/* ---- our re-INVITE ---- */

void
ua_dialog_stop_reoffer (UaDialog *dialog)
{
  ua_timer_clear (&dialog->reoffer_timer);
  g_clear_pointer (&dialog->reoffer, phone_media_desc_free);
  dialog->reoffer_state = REOFFER_NONE;
  dialog->reoffer_tries = 0;
}

static void
send_reoffer (UaDialog *dialog)
{
  g_autofree char *contact = ua_account_contact (dialog->stack->account, dialog->target);
  char *sdp = ua_sdp_write_offer (dialog->sdp, dialog->reoffer);

  dialog->reoffer_state = REOFFER_SENT;
  dialog->reoffer_tries++;
  nua_invite (dialog->nh, SIPTAG_CONTACT_STR (contact), SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
              TAG_IF (dialog->session_interval, NUTAG_SESSION_TIMER (dialog->session_interval)), TAG_END ());
  ua_sdp_free_text (sdp);
}

static gboolean
start_reoffer (UaDialog *dialog, const PhoneMediaDesc *offer, gboolean internal, GError **error)
{
  if (dialog->state != DIALOG_UP || !dialog->stack->account)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The call has no established dialog");
      return FALSE;
    }
  if (dialog->reoffer_state != REOFFER_NONE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Another change of the session is under way");
      return FALSE;
    }
  dialog->reoffer = phone_media_desc_copy (offer);
  dialog->reoffer_internal = internal;
  dialog->reoffer_tries = 0;
  send_reoffer (dialog);
  return TRUE;
}

gboolean
ua_dialog_reoffer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (!dialog)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The call has no dialog");
      return FALSE;
    }
  return start_reoffer (dialog, offer, FALSE, error);
}

static gboolean
on_reoffer_timer (gpointer data)
{
  UaDialog *dialog = data;

  ua_timer_clear (&dialog->reoffer_timer);
  send_reoffer (dialog);
  return G_SOURCE_REMOVE;
}

static gboolean
delay_reoffer (UaDialog *dialog, const UaEvent *event)
{
  guint ms;

  if (dialog->reoffer_tries >= MAX_TRIES || dialog->state != DIALOG_UP)
    return FALSE;
  if (event->status == 491)
    ms = dialog->outgoing ? (guint) g_random_int_range (210, 401) * 10 : (guint) g_random_int_range (0, 201) * 10;
  else if (event->status == 500 && event->sip && event->sip->sip_retry_after)
    ms = (guint) MIN (event->sip->sip_retry_after->af_delta, MAX_RETRY_AFTER_S) * 1000;
  else
    return FALSE;
  phone_log_debug (&dialog->log, "Re-INVITE: %d, again in %u ms", event->status, ms);
  dialog->reoffer_state = REOFFER_DELAYED;
  dialog->reoffer_timer = ua_timer_new (dialog->stack->engine, ms, on_reoffer_timer, dialog);
  return TRUE;
}

/* The peer learns where we are now, Contact and media, by a re-INVITE; while a call has no media to tell about, the Contact alone by an
 * UPDATE (target refresh, RFC 3311). */
void
ua_dialog_network_changed (gpointer owner, gpointer data)
{
  UaDialog *dialog = owner;
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autofree char *contact = NULL;

  if (dialog->state != DIALOG_UP || !dialog->call || !dialog->stack->account)
    return;
  dialog->moved = dialog->reoffer_state != REOFFER_NONE || dialog->answer_due;
  if (dialog->moved)
    return;
  offer = phone_call_on_address_changed (dialog->call);
  if (offer)
    {
      start_reoffer (dialog, offer, TRUE, NULL);
      return;
    }
  if (!dialog->peer_updates)
    return;
  contact = ua_account_contact (dialog->stack->account, dialog->target);
  nua_update (dialog->nh, SIPTAG_CONTACT_STR (contact), TAG_END ());
}

static void
reoffer_done (UaDialog *dialog, const UaEvent *event)
{
  gboolean internal = dialog->reoffer_internal;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) answer = ua_dialog_read_sdp (dialog, event->sip, &error);

  if (error)
    phone_log_warning (&dialog->log, "SDP of %d: %s", event->status, error->message);
  ua_dialog_stop_reoffer (dialog);
  ua_dialog_learn_session (dialog, event->sip);
  if (!dialog->call)
    return;
  if (internal && answer)
    phone_call_on_confirmed (dialog->call, answer);
  else if (internal)
    phone_call_on_reoffer_failed (dialog->call, 0, NULL);
  else
    phone_call_on_reoffer_answered (dialog->call, answer);
  if (dialog->moved)
    ua_dialog_network_changed (dialog, NULL);
}

void
ua_dialog_on_reoffer_response (UaDialog *dialog, const UaEvent *event)
{
  g_autofree char *phrase = NULL;

  if (event->status < 200)
    return;
  if (event->status < 300)
    {
      ua_dialog_learn_route (dialog, event->sip);
      nua_ack (dialog->nh, TAG_END ());
      if (dialog->reoffer_state == REOFFER_SENT)
        reoffer_done (dialog, event);
      return;
    }
  if (ua_dialog_authenticate (dialog, event))
    return;
  if (event->status == 408 || event->status == 481)
    {
      /* RFC 3261 section 12.2.1.2; sofia ends the dialog and says so next */
      if (!dialog->reason)
        dialog->reason = ua_dialog_reason_from_response (dialog, event);
      return;
    }
  if (dialog->reoffer_state != REOFFER_SENT || delay_reoffer (dialog, event))
    return;
  phrase = phone_text_clean (event->phrase, -1, UA_MAX_PHRASE);
  ua_dialog_stop_reoffer (dialog);
  if (dialog->call)
    phone_call_on_reoffer_failed (dialog->call, (guint) event->status, phrase);
  if (dialog->moved)
    ua_dialog_network_changed (dialog, NULL);
}

/* ---- theirs ---- */

static void
respond (UaDialog *dialog, const UaEvent *event, guint status, const char *sdp)
{
  UaStack *stack = dialog->stack;
  g_autofree char *contact = stack->account ? ua_account_contact (stack->account, dialog->target) : NULL;
  char retry_after[8];

  g_snprintf (retry_after, sizeof retry_after, "%d", g_random_int_range (0, MAX_RETRY_AFTER_S + 1));
  nua_respond (event->nh, (int) status, sip_status_phrase ((int) status), NUTAG_WITH_THIS (stack->nua),
               TAG_IF (contact && status < 300, SIPTAG_CONTACT_STR (contact)),
               TAG_IF (status == 500, SIPTAG_RETRY_AFTER_STR (retry_after)),
               TAG_IF (status == 415, SIPTAG_ACCEPT_STR ("application/sdp")),
               TAG_IF (sdp, SIPTAG_CONTENT_TYPE_STR ("application/sdp")), TAG_IF (sdp, SIPTAG_PAYLOAD_STR (sdp)), TAG_END ());
}

/* Answers an offer in a re-INVITE or UPDATE; 488 leaves the session as it was (RFC 3261 section 14.2). */
static void
answer_offer (UaDialog *dialog, const UaEvent *event)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) offer = ua_dialog_read_sdp (dialog, event->sip, &error);
  g_autoptr (PhoneMediaDesc) answer = offer && dialog->call ? phone_call_on_offer (dialog->call, offer, &error) : NULL;
  char *sdp;

  if (!answer)
    {
      phone_log_info (&dialog->log, "Change of the session refused: %s", error ? error->message : "the call has ended");
      respond (dialog, event, 488, NULL);
      return;
    }
  sdp = ua_sdp_write_answer (dialog->sdp, answer);
  respond (dialog, event, 200, sdp);
  ua_sdp_free_text (sdp);
}

void
ua_dialog_on_reinvite (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  const sip_t *sip = event->sip;
  g_autoptr (PhoneMediaDesc) offer = NULL;
  char *sdp;

  if (dialog->state != DIALOG_UP || !dialog->call)
    {
      respond (dialog, event, 481, NULL);
      return;
    }
  if (sip->sip_payload && sip->sip_payload->pl_len > 0 && !ua_sip_has_sdp (sip))
    {
      respond (dialog, event, 415, NULL);
      return;
    }
  ua_dialog_learn_session (dialog, sip);
  ua_dialog_learn_route (dialog, sip);
  ua_dialog_read_party (dialog, sip);
  if (ua_sip_has_sdp (sip))
    {
      answer_offer (dialog, event);
      return;
    }
  offer = phone_call_on_offer_wanted (dialog->call, NULL);
  if (!offer)
    {
      respond (dialog, event, 500, NULL);
      return;
    }
  sdp = ua_sdp_write_offer (dialog->sdp, offer);
  dialog->answer_due = TRUE;
  respond (dialog, event, 200, sdp);
  ua_sdp_free_text (sdp);
}

void
ua_dialog_on_update (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  const sip_t *sip = event->sip;

  if (dialog->state == DIALOG_ENDING || !dialog->call)
    {
      respond (dialog, event, 481, NULL);
      return;
    }
  ua_dialog_read_party (dialog, sip);
  if (!sip->sip_payload || sip->sip_payload->pl_len == 0)
    {
      if (dialog->state == DIALOG_UP)
        {
          ua_dialog_learn_session (dialog, sip);
          ua_dialog_learn_route (dialog, sip);
        }
      respond (dialog, event, 200, NULL);
      return;
    }
  if (!ua_sip_has_sdp (sip))
    respond (dialog, event, 415, NULL);
  else if (dialog->state == DIALOG_CALLING || dialog->reoffer_state == REOFFER_SENT || dialog->answer_due)
    respond (dialog, event, 491, NULL);         /* our offer is open: RFC 3311 section 5.2 */
  else if (dialog->state != DIALOG_UP)
    respond (dialog, event, 500, NULL);         /* theirs is, in the INVITE */
  else
    {
      ua_dialog_learn_session (dialog, sip);
      ua_dialog_learn_route (dialog, sip);
      answer_offer (dialog, event);
    }
}

/* ---- session timer ---- */

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
      contact = ua_account_contact (dialog->stack->account, dialog->target);
      /* the interval as it was negotiated: RFC 4028 section 7.4 */
      nua_update (dialog->nh, SIPTAG_CONTACT_STR (contact), NUTAG_SESSION_TIMER (dialog->session_interval), TAG_END ());
      return G_SOURCE_REMOVE;
    }
  offer = phone_call_on_offer_wanted (dialog->call, NULL);
  if (!offer || !start_reoffer (dialog, offer, TRUE, NULL))
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

  if (event->status < 200)
    return;
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
  ua_dialog_on_other_response (stack, event, owner);
  if (dialog->state == DIALOG_UP && event->status != 408 && event->status != 481 && dialog->session_interval)
    set_refresh (dialog, REFRESH_RETRY_MS);
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

  if (sip->sip_allow)
    dialog->peer_updates = has_method (sip->sip_allow, sip_method_update, "UPDATE");
  if (sip->sip_supported)
    dialog->peer_timer = sip_has_feature (sip->sip_supported, "timer");
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
