/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls in: screening, the responses, ACK and CANCEL.
 *
 * sofia has checked the syntax, the method (405), the scheme (416) and Require (420) when an INVITE gets here. Ours are: do we serve this
 * address (404; a request that came over the account's own flow and names it by Request-URI, To or DID), is the body something that
 * we read (415), is the session description one that can be answered (488), is there room (486, 503). Nothing is created
 * for a request that fails, and every string that goes further is bounded and clean. */

#include "sip/diversion.h"
#include "sip/ua-dialog.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>


static void
respond (UaDialog *dialog, guint status, const char *phrase, const char *sdp)
{
  g_autofree char *contact = dialog->stack->account ? ua_dialog_contact (dialog, NULL) : NULL;
  const char *recv_info = ua_dialog_recv_info (dialog);

  nua_respond (dialog->nh, (int) status, phrase ? phrase : sip_status_phrase ((int) status),
               TAG_IF (contact && status < 300, SIPTAG_CONTACT_STR (contact)), TAG_IF (recv_info && status < 300, SIPTAG_HEADER_STR (recv_info)),
               TAG_IF (sdp, SIPTAG_CONTENT_TYPE_STR ("application/sdp")), TAG_IF (sdp, SIPTAG_PAYLOAD_STR (sdp)), TAG_END ());
}

/* Whoever asked who shall answer is told who did (RFC 5373 section 4.3). */
static void
respond_ok (UaDialog *dialog, const char *sdp)
{
  g_autofree char *contact = dialog->stack->account ? ua_dialog_contact (dialog, NULL) : NULL;
  g_autofree char *mode = dialog->answer_mode ? g_strdup_printf ("%s: %s", dialog->answer_mode,
                                                                 phone_call_is_self_answered (dialog->call) ? "Auto" : "Manual")
                                              : NULL;
  const char *recv_info = ua_dialog_recv_info (dialog);

  nua_respond (dialog->nh, SIP_200_OK, TAG_IF (contact, SIPTAG_CONTACT_STR (contact)), TAG_IF (mode, SIPTAG_HEADER_STR (mode)),
               TAG_IF (recv_info, SIPTAG_HEADER_STR (recv_info)),
               TAG_IF (sdp, SIPTAG_CONTENT_TYPE_STR ("application/sdp")), TAG_IF (sdp, SIPTAG_PAYLOAD_STR (sdp)), TAG_END ());
}

/* contact: where the caller may try instead (RFC 3261 section 21.3), retry_after: when (20.33). */
static void
turn_away (UaDialog *dialog, const PhoneRefusal *refusal)
{
  guint status = refusal->status ? refusal->status : 480;
  g_autofree char *retry_after = g_strdup_printf ("%u", refusal->retry_after);
  g_autofree char *contact = refusal->contact ? g_strdup_printf ("<%s>", refusal->contact) : NULL;

  nua_respond (dialog->nh, (int) status, sip_status_phrase ((int) status), TAG_IF (contact, SIPTAG_CONTACT_STR (contact)),
               TAG_IF (refusal->retry_after, SIPTAG_RETRY_AFTER_STR (retry_after)), TAG_END ());
}

/* ---- screening ---- */

gboolean
ua_incoming_is_for_us (UaAccount *account, const sip_t *sip)
{
  const char *user = sip->sip_request->rq_url->url_user;
  const char *to = sip->sip_to && sip->sip_to->a_url->url_user ? sip->sip_to->a_url->url_user : NULL;

  if (user && ua_account_matches_user (account, user))
    return TRUE;
  /* Our Contact has an empty user only for an AoR without one; a proxy may send a DID in To only, or a tel: URI */
  return to && (!user || ua_account_trusts (account, ua_stack_peer (account->stack))) && ua_account_matches_user (account, to);
}

/* RFC 3261 section 21.4.13. Returns 0 or the status. */
static guint
check_body (const sip_t *sip)
{
  gboolean has_body = sip->sip_payload && sip->sip_payload->pl_len > 0;

  if (!has_body)
    return 0;
  if (sip->sip_content_encoding && sip->sip_content_encoding->k_items && sip->sip_content_encoding->k_items[0]
      && g_ascii_strcasecmp (sip->sip_content_encoding->k_items[0], "identity") != 0)
    return 415;
  if (ua_sip_has_sdp (sip))
    return 0;
  /* a body that we may ignore (RFC 3204: handling=optional) */
  if (sip->sip_content_disposition && sip->sip_content_disposition->cd_optional)
    return 0;
  return 415;
}

static void
refuse (UaStack *stack, const UaEvent *event, guint status)
{
  phone_log_info (&stack->log, "Account %s: INVITE refused with %u", stack->id, status);
  nua_respond (event->nh, (int) status, sip_status_phrase ((int) status), NUTAG_WITH_THIS (stack->nua),
               TAG_IF (status == 415, SIPTAG_ACCEPT_STR ("application/sdp")),
               TAG_IF (status == 415, SIPTAG_ACCEPT_ENCODING_STR ("identity")),
               TAG_IF (status == 503, SIPTAG_RETRY_AFTER_STR ("5")), TAG_END ());
}

static guint
screen (UaStack *stack, const sip_t *sip)
{
  guint status;

  if (!sip || !sip->sip_from || !sip->sip_to)
    return 400;
  if (stack->state != UA_STACK_RUNNING || !stack->account)
    return 480;
  if (!ua_incoming_is_for_us (stack->account, sip))
    return 404;
  status = check_body (sip);
  if (status)
    return status;
  return ua_stack_is_full (stack) ? 503 : 0;
}

/* RFC 3891 section 3. Returns 0 or the status; *ret_call: the call to replace, NULL: none. */
static guint
find_replaced (UaStack *stack, const sip_t *sip, PhoneCall **ret_call)
{
  const sip_replaces_t *replaces = sip->sip_replaces;
  UaDialogId id = { 0 };
  UaDialog *dialog;

  *ret_call = NULL;
  if (!replaces)
    return 0;
  if (!replaces->rp_call_id || !replaces->rp_to_tag || !replaces->rp_from_tag || replaces->rp_next)
    return 400;
  id = (UaDialogId){ .call_id = (char *) replaces->rp_call_id, .local_tag = (char *) replaces->rp_to_tag,
                     .remote_tag = (char *) replaces->rp_from_tag };
  dialog = ua_dialog_find (stack->engine, &id);
  if (!dialog)
    return 481;
  if (!dialog->call)
    return dialog->state == DIALOG_ENDING ? 603 : 481;
  switch (dialog->state)
    {
    case DIALOG_CALLING:
      break;
    case DIALOG_RINGING:
      return 481;               /* only who began an early dialog can have it replaced */
    case DIALOG_ANSWERED:
    case DIALOG_UP:
      if (replaces->rp_early_only)
        return 486;
      break;
    case DIALOG_ENDING:
      return 603;
    }
  *ret_call = dialog->call;
  return 0;
}

static PhoneAnswerWish
answer_wish (UaDialog *dialog, const sip_t *sip)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const char *call_info = sip->sip_call_info ? ua_sip_header_text (home, sip->sip_call_info) : NULL;
  const char *alert_info = ua_sip_unknown (sip, "Alert-Info");
  const char *mode = ua_sip_unknown (sip, "Answer-Mode"), *privileged = ua_sip_unknown (sip, "Priv-Answer-Mode");
  PhoneAnswerWish wish = ua_answer_wish (call_info, alert_info, mode, privileged);

  su_home_deinit (home);
  dialog->answer_mode = privileged ? "Priv-Answer-Mode" : mode ? "Answer-Mode" : NULL;
  return wish;
}

static void
announce (UaDialog *dialog, const sip_t *sip, const PhoneMediaDesc *offer, PhoneCall *replaced, PhoneRefusal *ret_refusal)
{
  UaStack *stack = dialog->stack;
  UaEngine *engine = stack->engine;
  g_autofree char *asserted_name = NULL;
  g_autofree char *asserted = ua_sip_asserted_id (stack, sip, &asserted_name);
  g_autofree char *uri = ua_sip_party_uri (sip->sip_from);
  g_autofree char *request_uri = ua_sip_uri_text (sip->sip_request->rq_url);
  g_autofree char *display = ua_sip_display_name (sip->sip_from);
  g_autofree char *diversion = ua_sip_unknown_all (sip, "Diversion");
  g_autofree char *history = ua_sip_unknown_all (sip, "History-Info");
  g_autofree char *alert_info = ua_sip_unknown_all (sip, "Alert-Info");
  g_autofree char *alert = alert_info ? ua_alert_words (alert_info) : NULL;
  g_autofree char *diverter = ua_diverter (diversion, history);
  PhoneIncoming incoming = { 0 };
  PhoneCall *call;

  incoming.remote_uri = uri ? uri : "sip:anonymous@anonymous.invalid";
  incoming.remote_name = asserted_name ? asserted_name : display;
  incoming.asserted_id = asserted;
  incoming.verstat = ua_sip_verstat (stack, sip);
  incoming.diverter = diverter;
  incoming.request_uri = request_uri;
  incoming.diversions = ua_diversion_count (diversion, history);
  incoming.diverted_by_us = ua_diversion_names (diversion, history, stack->account->aor);
  dialog->request_uri = g_strdup (request_uri);
  dialog->diversion = g_strdup (diversion);
  dialog->history = g_strdup (history);
  incoming.replaced = replaced;
  incoming.alert = alert;
  incoming.wish = answer_wish (dialog, sip);
  incoming.over_tls = stack->transport == PHONE_TRANSPORT_TLS;
  incoming.from_server = ua_account_trusts (stack->account, ua_stack_peer (stack));
  call = phone_registry_on_incoming (engine->registry, stack->account->account, &incoming, offer, dialog, ret_refusal);
  if (call)
    ua_dialog_set_call (dialog, call);
}

void
ua_incoming_on_invite (UaStack *stack, const UaEvent *event, gpointer owner)
{
  const sip_t *sip = event->sip;
  guint status = screen (stack, sip);
  g_autoptr (PhoneMediaDesc) offer = NULL;
  g_autoptr (GError) error = NULL;
  PhoneCall *replaced = NULL;
  PhoneRefusal refusal = { 0 };
  UaDialog *dialog;

  if (!status)
    status = find_replaced (stack, sip, &replaced);
  if (status)
    {
      refuse (stack, event, status);
      return;
    }
  dialog = ua_dialog_new (stack, DIALOG_RINGING);
  ua_dialog_note_call_id (dialog, sip);
  offer = ua_dialog_read_sdp (dialog, sip, &error);
  if (error)
    {
      phone_log_info (&stack->log, "Account %s: INVITE refused with 488: %s", stack->id, error->message);
      refuse (stack, event, 488);
      ua_dialog_discard (dialog);
      return;
    }
  dialog->has_offer = offer != NULL;
  dialog->wants_reliable = sip_has_feature (sip->sip_require, "100rel") != 0;
  dialog->nh = event->nh;
  ua_stack_adopt (stack, event->nh, UA_OWNER_DIALOG, dialog);
  ua_dialog_learn_session (dialog, sip);
  announce (dialog, sip, offer, replaced, &refusal);
  if (dialog->call)
    return;
  turn_away (dialog, &refusal);
  ua_dialog_await_end (dialog);
}

/* ---- our responses ---- */

void
ua_dialog_ring (gpointer ua, PhoneCall *call, guint status, const PhoneMediaDesc *early)
{
  UaDialog *dialog = ua_dialog_of (call);
  char *sdp = NULL;

  if (!dialog || dialog->state != DIALOG_RINGING)
    return;
  /* The first reliable response to an INVITE without an offer must hold one (RFC 3261 section 13.2.1), and a caller who requires 100rel gets no
   * other: so the 200 is the first. */
  if (dialog->wants_reliable && !dialog->has_offer)
    return;
  if (early && dialog->has_offer)
    sdp = ua_sdp_write_answer (dialog->sdp, early);
  respond (dialog, status, NULL, sdp);
  ua_sdp_free_text (sdp);
}

void
ua_dialog_answer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *desc)
{
  UaDialog *dialog = ua_dialog_of (call);
  char *sdp;

  if (!dialog || dialog->state != DIALOG_RINGING)
    return;
  if (dialog->has_offer)
    sdp = ua_sdp_write_answer (dialog->sdp, desc);
  else
    sdp = ua_sdp_write_offer (dialog->sdp, desc);
  dialog->answer_due = !dialog->has_offer;
  ua_dialog_set_state (dialog, DIALOG_ANSWERED, "answer");
  respond_ok (dialog, sdp);
  ua_sdp_free_text (sdp);
}

void
ua_dialog_reject (gpointer ua, PhoneCall *call, guint status, const char *phrase)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (!dialog || dialog->state != DIALOG_RINGING)
    return;
  if (!dialog->reason)
    dialog->reason = phone_reason_copy (phone_call_get_reason (call));
  /* sofia keeps the pointer until the message is made */
  respond (dialog, status, phrase && ua_header_is_safe (phrase) ? g_intern_string (phrase) : NULL, NULL);
  ua_dialog_await_end (dialog);
}

/* RFC 5806 and RFC 7044: who sends the call on, and why, on top of those who did before. Whoever follows the 302 passes it on. */
void
ua_dialog_divert (gpointer ua, PhoneCall *call, const char *target, const char *reason)
{
  UaDialog *dialog = ua_dialog_of (call);
  UaAccount *account = dialog ? dialog->stack->account : NULL;
  g_autofree char *contact = g_strdup_printf ("<%s>", target);
  g_autofree char *diversion = NULL;
  g_autofree char *history = NULL;
  g_autofree char *extra = NULL;

  if (!dialog || dialog->state != DIALOG_RINGING)
    return;
  if (!dialog->reason)
    dialog->reason = phone_reason_copy (phone_call_get_reason (call));
  diversion = ua_diversion_add (dialog->diversion, account ? account->aor : dialog->request_uri, reason);
  history = ua_history_add (dialog->history, dialog->request_uri, target, reason);
  extra = g_strdup_printf ("Diversion: %s%s%s", diversion, history ? "\r\nHistory-Info: " : "", history ? history : "");
  nua_respond (dialog->nh, SIP_302_MOVED_TEMPORARILY, SIPTAG_CONTACT_STR (contact), SIPTAG_HEADER_STR (extra), TAG_END ());
  ua_dialog_await_end (dialog);
}

/* ---- ACK, CANCEL ---- */

void
ua_dialog_on_ack (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL;
  gboolean was_due = dialog->answer_due;

  dialog->answer_due = FALSE;
  if (dialog->bye_after_ack && dialog->state == DIALOG_ANSWERED)
    {
      ua_dialog_set_state (dialog, DIALOG_UP, "ACK");
      ua_dialog_send_bye (dialog, dialog->reason);
      return;
    }
  if (dialog->state != DIALOG_ANSWERED && dialog->state != DIALOG_UP)
    return;
  if (was_due)
    answer = ua_dialog_read_sdp (dialog, event->sip, &error);
  if (error)
    phone_log_warning (&dialog->log, "SDP of ACK: %s", error->message);
  if (dialog->state == DIALOG_ANSWERED)
    {
      ua_dialog_set_state (dialog, DIALOG_UP, "ACK");
      if (dialog->call)
        phone_call_on_confirmed (dialog->call, answer);
    }
  else if (was_due && dialog->call)
    phone_call_on_confirmed (dialog->call, answer);
  ua_dialog_go_on (dialog);
}

void
ua_dialog_on_cancel (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (!dialog->reason)
    {
      dialog->reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_CANCELLED, 487, NULL);
      ua_dialog_read_reason (dialog->reason, event->sip);
      if (dialog->reason->answered_elsewhere)
        dialog->reason->cause = PHONE_CAUSE_ANSWERED_ELSEWHERE;
    }
  /* sofia answers 200 to it and 487 to the INVITE, then says that the call is terminated */
  ua_dialog_set_state (dialog, DIALOG_ENDING, "CANCEL");
  ua_dialog_await_end (dialog);
}

/* ---- other requests outside our dialogs ---- */

void
ua_incoming_on_options (UaStack *stack, const UaEvent *event, gpointer owner)
{
  gboolean ours = stack->account && (owner || !event->sip->sip_request->rq_url->url_user || ua_incoming_is_for_us (stack->account, event->sip));
  g_autofree char *contact = ours ? ua_stack_contact (stack, NULL) : NULL;

  if (!ours)
    nua_respond (event->nh, SIP_404_NOT_FOUND, NUTAG_WITH_THIS (stack->nua), TAG_END ());
  else
    nua_respond (event->nh, SIP_200_OK, NUTAG_WITH_THIS (stack->nua), SIPTAG_CONTACT_STR (contact),
                 SIPTAG_ACCEPT_STR ("application/sdp"), SIPTAG_ACCEPT_ENCODING_STR ("identity"),
                 SIPTAG_ACCEPT_LANGUAGE_STR ("en"), TAG_END ());
}

/* INFO and UPDATE without a dialog of ours. */
void
ua_incoming_on_stray (UaStack *stack, const UaEvent *event, gpointer owner)
{
  nua_respond (event->nh, SIP_481_NO_CALL, NUTAG_WITH_THIS (stack->nua), TAG_END ());
}
