/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The life of an INVITE dialog (diagram in ua-dialog.h): how it ends, who is told, and what both directions have in common.
 *
 * core must learn of the end soon, sofia needs its time: a BYE to a dead peer takes 32 s. So core waits CORE_PATIENCE_MS for the answer, and
 * the dialog stays without a call until sofia has finished or SOFIA_PATIENCE_MS are over. */

#include "sip/ua-messaging.h"
#include "sip/ua-walk.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>

#include "util/text.h"

#define CORE_PATIENCE_MS 4000
#define SOFIA_PATIENCE_MS 40000         /* more than timers B, F and H of RFC 3261: 32 s */
#define DTMF_DEFAULT_MS 160
#define DTMF_TYPES "application/dtmf-relay, application/dtmf"
#define MAX_CALL_ID 128                 /* characters in the log */

static const char *
state_name (UaDialogState state)
{
  static const char *const names[] = { "calling", "ringing", "answered", "up", "ending" };

  return names[state];
}

UaDialog *
ua_dialog_new (UaStack *stack, UaDialogState state)
{
  UaDialog *dialog = g_new0 (UaDialog, 1);

  dialog->stack = stack;
  dialog->state = state;
  dialog->outgoing = state == DIALOG_CALLING;
  dialog->sdp = ua_sdp_new ();
  dialog->log.account = stack->id;
  return dialog;
}

static void
dialog_free (UaDialog *dialog)
{
  g_assert (dialog->call == NULL);
  ua_messaging_dialog_gone (dialog);
  ua_focus_free (dialog->focus);
  g_free (dialog->focus_uri);
  g_free (dialog->early_tag);
  ua_timer_clear (&dialog->timer);
  ua_dialog_stop_reoffer (dialog);
  ua_timer_clear (&dialog->refresh_timer);
  ua_redirect_free (dialog->redirect);
  ua_walk_free (dialog->walk);
  ua_sdp_free (dialog->sdp);
  ua_sdp_free_text (dialog->payload);
  phone_reason_free (dialog->reason);
  g_free (dialog->target);
  g_free (dialog->to);
  g_free (dialog->from);
  g_free (dialog->extra);
  g_free (dialog->request_uri);
  g_free (dialog->diversion);
  g_free (dialog->history);
  g_free (dialog->call_id);
  g_free (dialog->call_number);
  g_free (dialog);
}

void
ua_dialog_discard (UaDialog *dialog)
{
  g_assert (dialog->nh == NULL);
  dialog_free (dialog);
}

void
ua_dialog_set_state (UaDialog *dialog, UaDialogState state, const char *why)
{
  if (dialog->state == state)
    return;
  phone_log_debug (&dialog->log, "Dialog of call %s: %s -> %s (%s)", dialog->call_number ? dialog->call_number : "-",
                   state_name (dialog->state), state_name (state), why);
  dialog->state = state;
  if (state == DIALOG_UP)
    ua_focus_start (dialog);
  if (state != DIALOG_ENDING)
    return;
  ua_focus_free (dialog->focus);
  ua_dialog_stop_reoffer (dialog);
  ua_timer_clear (&dialog->refresh_timer);
  if (dialog->walk)
    ua_walk_stop (dialog->walk);
}

void
ua_dialog_set_call (UaDialog *dialog, PhoneCall *call)
{
  if (dialog->call)
    return;
  dialog->call = g_object_ref (call);
  dialog->call_number = g_strdup_printf ("%u", phone_call_get_number (call));
  dialog->log.call = dialog->call_number;
  phone_call_set_engine_data (call, dialog);
  if (dialog->call_id)
    phone_call_note_signalling_id (call, dialog->call_id);
  if (dialog->record_aware)
    phone_call_on_record_aware (call);
  if (dialog->focus_uri)
    phone_call_on_focus (call, dialog->focus_uri);
}

void
ua_dialog_note_call_id (UaDialog *dialog, const sip_t *sip)
{
  if (dialog->call_id || !sip || !sip->sip_call_id)
    return;
  dialog->call_id = phone_text_clean (sip->sip_call_id->i_id, -1, MAX_CALL_ID);
  dialog->log.sip_call_id = dialog->call_id;
  if (dialog->call)
    phone_call_note_signalling_id (dialog->call, dialog->call_id);
}

UaDialog *
ua_dialog_of (PhoneCall *call)
{
  UaDialog *dialog = phone_call_get_engine_data (call);

  if (dialog)
    ua_dialog_set_call (dialog, call);
  return dialog;
}

/* ---- the end ---- */

void
ua_dialog_detach (UaDialog *dialog, PhoneReason *reason)
{
  g_autoptr (PhoneCall) call = g_steal_pointer (&dialog->call);
  g_autoptr (PhoneReason) why = reason ? reason : g_steal_pointer (&dialog->reason);

  if (!call)
    return;
  if (!why)
    why = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_FAILED, 0, NULL);
  phone_call_set_engine_data (call, NULL);
  phone_call_on_ended (call, why);
}

void
ua_dialog_finish (UaDialog *dialog, PhoneReason *reason)
{
  UaStack *stack = dialog->stack;

  ua_dialog_set_state (dialog, DIALOG_ENDING, "finished");
  if (dialog->nh && ua_referral_outlive (dialog))
    dialog->nh = NULL;
  if (dialog->nh)
    ua_stack_drop (stack, g_steal_pointer (&dialog->nh));
  ua_dialog_detach (dialog, reason);
  dialog_free (dialog);
  ua_stack_check (stack);
}

static gboolean
on_sofia_patience (gpointer data)
{
  UaDialog *dialog = data;

  phone_log_debug (&dialog->log, "Dialog of call %s given up", dialog->call_number ? dialog->call_number : "-");
  ua_dialog_finish (dialog, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_core_patience (gpointer data)
{
  UaDialog *dialog = data;

  ua_timer_clear (&dialog->timer);
  dialog->timer = ua_timer_new (dialog->stack->engine, SOFIA_PATIENCE_MS, on_sofia_patience, dialog);
  ua_dialog_detach (dialog, NULL);
  return G_SOURCE_REMOVE;
}

void
ua_dialog_await_end (UaDialog *dialog)
{
  ua_dialog_set_state (dialog, DIALOG_ENDING, "hang-up");
  if (!dialog->timer)
    dialog->timer = ua_timer_new (dialog->stack->engine, CORE_PATIENCE_MS, on_core_patience, dialog);
}

void
ua_dialog_on_terminated (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (!dialog->reason && dialog->call)
    {
      g_autofree char *phrase = phone_text_clean (event->phrase, -1, UA_MAX_PHRASE);

      dialog->reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_FAILED, 0, phrase);
    }
  ua_dialog_finish (dialog, NULL);
}

/* RFC 3326. The text is the phrase when there is one, and so must not break the quotes. */
static char *
reason_header (const PhoneReason *reason)
{
  g_autofree char *text = reason && reason->phrase ? phone_text_clean (reason->phrase, -1, UA_MAX_PHRASE) : NULL;
  guint q850;

  if (!reason)
    return NULL;
  if (text)
    g_strdelimit (text, "\"\\", '\'');
  if (reason->sip >= 300)
    return g_strdup_printf ("SIP;cause=%u%s%s%s", reason->sip, text ? ";text=\"" : "", text ? text : "", text ? "\"" : "");
  q850 = reason->q850 ? reason->q850 : reason->cause == PHONE_CAUSE_HANGUP ? 16 : reason->cause == PHONE_CAUSE_RTP_TIMEOUT ? 102 : 0;
  return q850 ? g_strdup_printf ("Q.850;cause=%u%s%s%s", q850, text ? ";text=\"" : "", text ? text : "", text ? "\"" : "") : NULL;
}

void
ua_dialog_send_bye (UaDialog *dialog, const PhoneReason *reason)
{
  g_autofree char *header = reason_header (reason);

  nua_bye (dialog->nh, TAG_IF (header, SIPTAG_REASON_STR (header)), TAG_END ());
  ua_dialog_await_end (dialog);
}

static void
send_cancel (UaDialog *dialog, const PhoneReason *reason)
{
  /* Who picked our call up there has answered it: the phone that rang has missed nothing. */
  gboolean replaced = reason && reason->cause == PHONE_CAUSE_REPLACED;
  g_autofree char *header = replaced ? g_strdup ("SIP;cause=200;text=\"Call completed elsewhere\"") : reason_header (reason);

  /* sofia holds it back until the first provisional response, RFC 3261 section 9.1 */
  nua_cancel (dialog->nh, TAG_IF (header, SIPTAG_REASON_STR (header)), TAG_END ());
  ua_dialog_await_end (dialog);
}

static gboolean
on_unsent (gpointer data)
{
  ua_dialog_finish (data, NULL);
  return G_SOURCE_REMOVE;
}

/* The DNS had nothing to say yet. */
static void
end_unsent (UaDialog *dialog)
{
  ua_dialog_set_state (dialog, DIALOG_ENDING, "hang-up");
  dialog->timer = ua_timer_new (dialog->stack->engine, 0, on_unsent, dialog);
}

static void
end_now (UaDialog *dialog, const PhoneReason *reason)
{
  if (!dialog->reason)
    dialog->reason = phone_reason_copy (reason);
  switch (dialog->state)
    {
    case DIALOG_CALLING:
      if (dialog->sent)
        send_cancel (dialog, reason);
      else
        end_unsent (dialog);
      break;
    case DIALOG_RINGING:
      nua_respond (dialog->nh, SIP_480_TEMPORARILY_UNAVAILABLE, TAG_END ());
      ua_dialog_await_end (dialog);
      break;
    case DIALOG_ANSWERED:
      /* RFC 3261 section 15: the callee must not send BYE before the ACK came or timed out */
      dialog->bye_after_ack = TRUE;
      break;
    case DIALOG_UP:
      ua_dialog_send_bye (dialog, reason);
      break;
    case DIALOG_ENDING:
      break;
    }
}

void
ua_dialog_hangup (gpointer ua, PhoneCall *call, const PhoneReason *reason)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (dialog)
    end_now (dialog, reason);
}

void
ua_dialog_shutdown (gpointer owner, gpointer data)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_SHUTDOWN, 0, NULL);

  end_now (owner, reason);
}

void
ua_dialog_abandon (gpointer owner, gpointer data)
{
  UaDialog *dialog = owner;

  dialog->nh = NULL;            /* the stack destroys it */
  if (dialog->referral)
    ua_referral_abandon (dialog->referral, NULL);
  ua_dialog_set_state (dialog, DIALOG_ENDING, "stack closed");
  ua_dialog_detach (dialog, NULL);
  dialog->stack->n_dialogs--;
  dialog_free (dialog);
}

/* ---- responses and requests inside the dialog ---- */

/* In a dialog that the far end began, a challenge may be a way to collect digests for guessing (ua-digest.h). */
static gboolean
may_answer (UaDialog *dialog, const UaEvent *event)
{
  UaAccount *account = dialog->stack->account;

  if (!account)
    return FALSE;
  if (dialog->outgoing)
    return TRUE;
  if (ua_account_trusts (account, ua_stack_peer (dialog->stack)) && ua_credentials_knows (account->credentials, event->sip))
    return TRUE;
  phone_log_notice (&dialog->log, "A challenge inside the call that is not from our registrar is not answered");
  return FALSE;
}

gboolean
ua_dialog_authenticate (UaDialog *dialog, const UaEvent *event)
{
  if ((event->status != 401 && event->status != 407) || !event->sip)
    return FALSE;
  if (dialog->state == DIALOG_UP)
    ua_rules_spare (dialog->stack->nua, event->nh);
  if (!may_answer (dialog, event))
    /* sofia holds the request back for a password; without one it ends it and lets the next one pass */
    nua_authenticate (event->nh, TAG_END ());
  else if (ua_credentials_answer (dialog->stack->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return TRUE;
  /* in a call the request ends when sofia says so: the next one waits behind it */
  return dialog->state == DIALOG_UP;
}

void
ua_dialog_on_bye_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (event->status < 200 || ua_dialog_authenticate (dialog, event))
    return;
  /* sofia sends BYE by itself when the session timer or the ACK runs out; the latter has told us before */
  if (!dialog->reason)
    dialog->reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_SESSION_TIMEOUT, 0, NULL);
  ua_dialog_finish (dialog, NULL);
}

void
ua_dialog_on_cancel_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  /* 481: the INVITE has its final response already, whose event is on the way */
  if (event->status >= 200)
    phone_log_debug (&dialog->log, "CANCEL: %d %s", event->status, event->phrase);
}

void
ua_dialog_on_refused (UaDialog *dialog, const UaEvent *event)
{
  if (event->status == 481 || event->status == 408)
    {
      /* RFC 3261 section 12.2.1.2: the dialog is dead */
      if (dialog->state == DIALOG_UP && !dialog->reason)
        dialog->reason = ua_dialog_reason_from_response (dialog, event);
    }
  else if (event->status >= 300)
    phone_log_info (&dialog->log, "Request in the dialog refused: %d %s", event->status, event->phrase);
}

void
ua_dialog_on_other_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (event->status < 200 || ua_dialog_authenticate (dialog, event))
    return;
  if (event->type == nua_r_info)
    ua_dialog_request_ends (dialog);
  ua_dialog_on_refused (dialog, event);
}

void
ua_dialog_on_bye (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (!dialog->reason)
    {
      dialog->reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);
      ua_dialog_read_reason (dialog->reason, event->sip);
      if (dialog->reason->answered_elsewhere)
        dialog->reason->cause = PHONE_CAUSE_ANSWERED_ELSEWHERE;
    }
  ua_dialog_finish (dialog, NULL);      /* sofia has answered 200 */
}

void
ua_dialog_on_error (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  phone_log_info (&dialog->log, "SIP error %d %s", event->status, event->phrase);
  if (event->status == 408 && dialog->state == DIALOG_ANSWERED)
    {
      /* sofia sends the BYE */
      if (!dialog->reason)
        dialog->reason = phone_reason_new (PHONE_ACTOR_NETWORK, PHONE_CAUSE_ACK_TIMEOUT, 408, "No ACK for our answer");
      ua_dialog_await_end (dialog);
      ua_dialog_detach (dialog, NULL);
    }
  else if ((event->status == 408 || event->status == 504) && !dialog->reason)
    /* PRACK time-out, or an ACK missing for the answer to a re-INVITE: sofia ends both */
    dialog->reason = phone_reason_new (PHONE_ACTOR_NETWORK, event->status == 408 ? PHONE_CAUSE_ACK_TIMEOUT : PHONE_CAUSE_FAILED,
                                       (guint) event->status, NULL);
}

const char *
ua_dialog_recv_info (const UaDialog *dialog)
{
  UaAccount *account = dialog->stack->account;

  return account && ua_account_settings (account)->ice ? "Recv-Info: " UA_SDP_FRAGMENT_PACKAGE : NULL;
}

/* RFC 6086 section 4.2.2 has a status of its own for a package that was not asked for. */
static void
refuse_info (UaDialog *dialog, const UaEvent *event)
{
  const char *package = ua_sip_unknown (event->sip, "Info-Package");
  const char *recv_info = ua_dialog_recv_info (dialog);

  if (package && (!recv_info || g_ascii_strcasecmp (package, UA_SDP_FRAGMENT_PACKAGE) != 0))
    nua_respond (event->nh, 469, "Bad Info Package", NUTAG_WITH_THIS (dialog->stack->nua),
                 SIPTAG_HEADER_STR (recv_info ? recv_info : "Recv-Info:"), TAG_END ());
  else
    nua_respond (event->nh, SIP_415_UNSUPPORTED_MEDIA, NUTAG_WITH_THIS (dialog->stack->nua),
                 SIPTAG_ACCEPT_STR (recv_info ? DTMF_TYPES ", " UA_SDP_FRAGMENT_TYPE : DTMF_TYPES), TAG_END ());
}

/* Also before the call is answered. What they belong to decides the call: candidates of an earlier description, or of a branch that is
 * not ours any more, are no mistake (RFC 8840 section 4.4). */
static void
on_candidates (UaDialog *dialog, const UaEvent *event)
{
  const sip_payload_t *payload = event->sip->sip_payload;
  g_autoptr (GError) error = NULL;
  PhoneIceDesc news;

  if (!ua_sdp_read_fragment (dialog->sdp, payload->pl_data, payload->pl_len, &news, &error))
    {
      phone_log_info (&dialog->log, "Candidates of the peer refused: %s", error->message);
      nua_respond (event->nh, SIP_400_BAD_REQUEST, NUTAG_WITH_THIS (dialog->stack->nua), TAG_END ());
      return;
    }
  nua_respond (event->nh, SIP_200_OK, NUTAG_WITH_THIS (dialog->stack->nua), TAG_END ());
  if (dialog->call)
    phone_call_on_trickle (dialog->call, &news);
  explicit_bzero (&news, sizeof news);
}

void
ua_dialog_on_info (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  const sip_t *sip = event->sip;
  const char *type = sip->sip_content_type && sip->sip_content_type->c_type ? sip->sip_content_type->c_type : NULL;
  char digit;
  guint ms;

  if (type && sip->sip_payload && ua_dialog_recv_info (dialog) && g_ascii_strcasecmp (type, UA_SDP_FRAGMENT_TYPE) == 0)
    {
      on_candidates (dialog, event);
      return;
    }
  if (!sip->sip_payload || sip->sip_payload->pl_len == 0)
    {
      nua_respond (event->nh, SIP_200_OK, NUTAG_WITH_THIS (stack->nua), TAG_END ());
      return;
    }
  if (!type || !ua_dtmf_info_parse (type, sip->sip_payload->pl_data, sip->sip_payload->pl_len, &digit, &ms))
    {
      refuse_info (dialog, event);
      return;
    }
  nua_respond (event->nh, SIP_200_OK, NUTAG_WITH_THIS (stack->nua), TAG_END ());
  if (dialog->call)
    phone_call_on_dtmf_info (dialog->call, digit, ms ? ms : DTMF_DEFAULT_MS);
}

gboolean
ua_dialog_dtmf_info (gpointer ua, PhoneCall *call, char digit, guint ms, GError **error)
{
  UaDialog *dialog = ua_dialog_of (call);
  g_autofree char *body = NULL;

  if (!dialog || dialog->state != DIALOG_UP)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u has no established dialog", phone_call_get_number (call));
      return FALSE;
    }
  body = ua_dtmf_info_write (digit, ms);
  nua_info (dialog->nh, SIPTAG_CONTENT_TYPE_STR ("application/dtmf-relay"), SIPTAG_PAYLOAD_STR (body), TAG_END ());
  ua_dialog_request_begins (dialog);
  return TRUE;
}
