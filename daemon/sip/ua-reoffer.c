/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of an established session: re-INVITE and UPDATE in both directions, glare, and the refresh of session timers.
 *
 * Glare (RFC 3261 section 14.1). Our re-INVITE got 491, or 500 with Retry-After: it is sent again after 2.1-4 s if the dialog is ours,
 * after 0-2 s if it is theirs, in steps of 10 ms. Meanwhile the peer's may come and is answered as if ours had not been. The other
 * half, answering 491 to theirs while ours is open, is sofia's for INVITE and ours for UPDATE. What is sent again is a new offer: the peer's own
 * change may have made the old one untrue. */

#include "sip/ua-dialog.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>

#include "util/text.h"

#define MAX_TRIES 8
#define MAX_RETRY_AFTER_S 10            /* RFC 3261 section 14.2 */
#define ACK_WAIT_MS 200

/* ---- our re-INVITE ---- */

void
ua_dialog_stop_reoffer (UaDialog *dialog)
{
  ua_timer_clear (&dialog->reoffer_timer);
  dialog->reoffer_state = REOFFER_NONE;
  dialog->reoffer_tries = 0;
}

static void
send_reoffer (UaDialog *dialog, const PhoneMediaDesc *offer)
{
  g_autofree char *contact = ua_dialog_contact (dialog, dialog->target);
  char *sdp = ua_sdp_write_offer (dialog->sdp, offer);

  dialog->reoffer_state = REOFFER_SENT;
  dialog->reoffer_tries++;
  nua_invite (dialog->nh, SIPTAG_CONTACT_STR (contact), SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (sdp),
              TAG_IF (dialog->session_interval, NUTAG_SESSION_TIMER (dialog->session_interval)), TAG_END ());
  ua_sdp_free_text (sdp);
}

gboolean
ua_dialog_start_reoffer (UaDialog *dialog, const PhoneMediaDesc *offer, gboolean internal, GError **error)
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
  dialog->reoffer_internal = internal;
  dialog->reoffer_tries = 0;
  if (dialog->n_requests == 0)
    send_reoffer (dialog, offer);
  else
    {
      dialog->reoffer_state = REOFFER_DELAYED;
      if (dialog->call)
        phone_call_on_glare (dialog->call);
    }
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
  return ua_dialog_start_reoffer (dialog, offer, FALSE, error);
}

void
ua_dialog_request_begins (UaDialog *dialog)
{
  dialog->n_requests++;
}

static gboolean on_reoffer_timer (gpointer data);

void
ua_dialog_request_ends (UaDialog *dialog)
{
  if (dialog->n_requests == 0 || --dialog->n_requests > 0 || dialog->reoffer_timer)
    return;
  if (dialog->reoffer_state != REOFFER_DELAYED)
    ua_dialog_go_on (dialog);
  else
    dialog->reoffer_timer = ua_timer_new (dialog->stack->engine, 0, on_reoffer_timer, dialog);
}

static gboolean
on_reoffer_timer (gpointer data)
{
  UaDialog *dialog = data;

  g_autoptr (PhoneMediaDesc) offer = NULL;

  ua_timer_clear (&dialog->reoffer_timer);
  if (dialog->n_requests > 0)
    return G_SOURCE_REMOVE;     /* their end goes on with this */
  if (dialog->answer_due)
    {
      /* the ACK to our 200 with an offer is still on the way */
      dialog->reoffer_timer = ua_timer_new (dialog->stack->engine, ACK_WAIT_MS, on_reoffer_timer, dialog);
      return G_SOURCE_REMOVE;
    }
  offer = dialog->call && dialog->stack->account ? phone_call_on_reoffer_again (dialog->call) : NULL;
  if (offer)
    send_reoffer (dialog, offer);
  else
    {
      ua_dialog_stop_reoffer (dialog);
      if (dialog->call)
        phone_call_on_reoffer_failed (dialog->call, 491, "Request Pending");
      ua_dialog_go_on (dialog);
    }
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
  if (dialog->call)
    phone_call_on_glare (dialog->call);
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
      ua_dialog_start_reoffer (dialog, offer, TRUE, NULL);
      return;
    }
  if (!dialog->peer_updates)
    return;
  contact = ua_dialog_contact (dialog, dialog->target);
  nua_update (dialog->nh, SIPTAG_CONTACT_STR (contact), TAG_END ());
  ua_dialog_request_begins (dialog);
}

void
ua_dialog_go_on (UaDialog *dialog)
{
  if (dialog->moved)
    ua_dialog_network_changed (dialog, NULL);
  ua_dialog_tell_hosted (dialog);
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
  ua_dialog_go_on (dialog);
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
  ua_dialog_go_on (dialog);
}

/* ---- theirs ---- */

static void
respond (UaDialog *dialog, const UaEvent *event, guint status, const char *sdp)
{
  UaStack *stack = dialog->stack;
  g_autofree char *contact = stack->account ? ua_dialog_contact (dialog, dialog->target) : NULL;
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
  else if ((dialog->state == DIALOG_CALLING && !dialog->answered_early) || dialog->reoffer_state == REOFFER_SENT || dialog->answer_due)
    respond (dialog, event, 491, NULL);         /* our offer is open: RFC 3311 section 5.2 */
  else if (dialog->state != DIALOG_UP && dialog->state != DIALOG_CALLING)
    respond (dialog, event, 500, NULL);         /* theirs is, in the INVITE */
  else
    {
      if (dialog->state == DIALOG_UP)
        {
          ua_dialog_learn_session (dialog, sip);
          ua_dialog_learn_route (dialog, sip);
        }
      answer_offer (dialog, event);
    }
}
