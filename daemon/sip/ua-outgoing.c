/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls out: the INVITE and what answers it.
 *
 * Reliable provisional responses (RFC 3262) and forking do not go together in this sofia: the first reliable 18x binds the INVITE to
 * the dialog of that branch, a 200 from any other branch gets ACK and BYE, and a failure that a proxy made itself is only noticed
 * after 32 s. A desk phone and a mobile on one number are common, a callee that insists on 100rel is rare. So an INVITE
 * does not offer 100rel; when the far end answers 421 (Extension Required), the call is placed again with it. As a callee we
 * do both.
 *
 * ACK is ours to send (NUTAG_AUTOACK (0)): before it goes out, the handle is turned from the outbound proxy to the route that the
 * dialog got (sofia would send ACK and everything after to the proxy, whatever Record-Route says). */

#include "sip/ua-dialog.h"
#include "sip/ua-locate.h"
#include "sip/ua-walk.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>

#include "util/name-addr.h"

#define SUPPORTED "timer, replaces, norefersub, tdialog, record-aware"
#define MAX_EXTRA_HEADERS 32

/* ---- sending ---- */

/* The stack's shutdown finds a dialog by its handle: there is one before anything is sent. */
static void
make_handle (UaDialog *dialog)
{
  UaStack *stack = dialog->stack;

  dialog->nh = nua_handle (stack->nua, NULL, NUTAG_URL (dialog->target), SIPTAG_TO_STR (dialog->to), SIPTAG_FROM_STR (dialog->from),
                           TAG_END ());
  dialog->sent = FALSE;
  dialog->answered_early = FALSE;
  ua_stack_adopt (stack, dialog->nh, UA_OWNER_DIALOG, dialog);
}

void
ua_dialog_renew (UaDialog *dialog)
{
  ua_stack_drop (dialog->stack, g_steal_pointer (&dialog->nh));
  g_clear_pointer (&dialog->call_id, g_free);
  dialog->log.sip_call_id = NULL;
  make_handle (dialog);
}

static void
on_target (gpointer owner, const char *walked, gboolean silent)
{
  UaDialog *dialog = owner;
  UaAccount *account = dialog->stack->account;
  g_autofree char *contact = ua_dialog_contact (dialog, dialog->target);
  g_autofree char *direct = walked ? NULL : ua_direct_route (dialog->stack, dialog->target);
  const char *route = walked ? walked : direct;
  const char *recv_info = ua_dialog_recv_info (dialog);
  g_autofree char *supported = g_strconcat (SUPPORTED, dialog->with_100rel ? ", 100rel" : "",
                                            recv_info ? ", " UA_SDP_FRAGMENT_PACKAGE : "", NULL);
  g_autofree char *diversion = dialog->diversion ? g_strconcat ("Diversion: ", dialog->diversion, NULL) : NULL;
  g_autofree char *history = dialog->history ? g_strconcat ("History-Info: ", dialog->history, NULL) : NULL;

  /* It may be late and not lost: sofia goes on until it can cancel it. */
  if (silent)
    nua_cancel (dialog->nh, TAG_END ());
  if (dialog->sent)
    ua_dialog_renew (dialog);
  account->tls_reason = UA_TLS_OK;
  dialog->sent = TRUE;
  /* The proxy counts on a request, not on a new handle. */
  nua_invite (dialog->nh, SIPTAG_CONTACT_STR (contact), TAG_IF (route, NUTAG_PROXY (route)),
              SIPTAG_SUPPORTED_STR (supported), TAG_IF (recv_info, SIPTAG_HEADER_STR (recv_info)),
              TAG_IF (dialog->extra, SIPTAG_HEADER_STR (dialog->extra)),
              TAG_IF (diversion, SIPTAG_HEADER_STR (diversion)), TAG_IF (history, SIPTAG_HEADER_STR (history)),
              SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR (dialog->payload), TAG_END ());
}

/* As if sofia's timer B were over. The request may be late and not lost. */
static void
on_lost (gpointer owner)
{
  UaDialog *dialog = owner;
  const UaEvent event = { .type = nua_r_invite, .status = 408, .phrase = "No answer", .nh = dialog->nh };

  nua_cancel (dialog->nh, TAG_END ());
  ua_dialog_on_invite_response (dialog->stack, &event, dialog);
}

static void
send_invite (UaDialog *dialog)
{
  UaAccount *account = dialog->stack->account;

  if (!dialog->walk)
    {
      dialog->walk = ua_walk_new (account, dialog->stack, on_target, dialog);
      ua_walk_set_lost (dialog->walk, on_lost);
    }
  ua_walk_start (dialog->walk, account->server_uri ? NULL : dialog->target, ua_account_is_registered (account));
}

/* The offer was made for another way. */
static void
reroute (UaDialog *dialog, const PhoneReason *reason)
{
  g_clear_pointer (&dialog->walk, ua_walk_free);
  dialog->parked = TRUE;
  phone_call_on_rerouted (dialog->call, reason);
}

void
ua_dialog_call_again (UaDialog *dialog)
{
  if (dialog->stack->account->server_uri || ua_locate_is_by (dialog->stack, dialog->target))
    send_invite (dialog);
  else
    reroute (dialog, NULL);
}

/* What the DNS named first, TLS, is not to be had: what it names next is another way. */
static gboolean
leave_tls (UaDialog *dialog, const UaEvent *event)
{
  UaStack *stack = dialog->stack;
  g_autoptr (PhoneReason) reason = NULL;

  if (stack->transport != PHONE_TRANSPORT_TLS || !dialog->call || !stack->account || !stack->account->takes_tls
      || ua_locate_is_tls (stack->account, dialog->target))
    return FALSE;
  reason = ua_dialog_reason_from_response (dialog, event);
  if (reason->actor != PHONE_ACTOR_NETWORK || (reason->cause != PHONE_CAUSE_TLS && reason->cause != PHONE_CAUSE_UNREACHABLE))
    return FALSE;
  ua_dialog_renew (dialog);
  reroute (dialog, reason);
  return TRUE;
}

void
ua_dialog_give_up (gpointer ua, PhoneCall *call, const PhoneReason *reason)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (dialog && !ua_redirect_skip (dialog))
    ua_dialog_finish (dialog, phone_reason_copy (reason));
}

static gboolean
add_header (GString *extra, const char *name, const char *value, GError **error)
{
  if (!ua_header_is_safe (name) || !ua_header_is_safe (value) || strpbrk (name, ": \t"))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "headers: \"%s\" cannot stand in a SIP message", name);
      return FALSE;
    }
  g_string_append_printf (extra, "%s%s: %s", extra->len ? "\r\n" : "", name, value);
  return TRUE;
}

static gboolean
make_extra (UaDialog *dialog, const PhoneInviteParams *params, GError **error)
{
  g_autoptr (GString) extra = g_string_new (NULL);
  g_autofree char *identity = g_strdup_printf ("<%s>", dialog->stack->account->aor);

  /* RFC 3323, RFC 3325: the proxy may know and assert who calls, the callee may not */
  if (params->privacy && (!add_header (extra, "Privacy", "id", error) || !add_header (extra, "P-Preferred-Identity", identity, error)))
    return FALSE;
  if (params->replaces && (!add_header (extra, "Require", "replaces", error) || !add_header (extra, "Replaces", params->replaces, error)))
    return FALSE;
  if (params->referred_by)
    {
      g_autofree char *referred_by = g_strdup_printf ("<%s>", params->referred_by);

      if (!add_header (extra, "Referred-By", referred_by, error))
        return FALSE;
    }
  for (gsize i = 0; params->headers && params->headers[i] && i < 2 * MAX_EXTRA_HEADERS; i += 2)
    if (!add_header (extra, params->headers[i], params->headers[i + 1], error))
      return FALSE;
  if (extra->len)
    dialog->extra = g_string_free (g_steal_pointer (&extra), FALSE);
  return TRUE;
}

/* For a new call, or for one that goes on by another stack. */
static gboolean
take_stack (UaStack *stack, UaDialog **dialog, const PhoneInviteParams *params, GError **error)
{
  UaDialog *old = *dialog;

  if (ua_stack_is_full (stack))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "Too many SIP dialogs on account %s", stack->id);
      return FALSE;
    }
  if (!old)
    {
      *dialog = ua_dialog_new (stack, DIALOG_CALLING);
      if (make_extra (*dialog, params, error))
        return TRUE;
      ua_dialog_discard (*dialog);
      return FALSE;
    }
  ua_stack_drop (old->stack, g_steal_pointer (&old->nh));
  old->stack = stack;
  old->log.account = stack->id;
  old->parked = FALSE;
  ua_sdp_free (old->sdp);
  old->sdp = ua_sdp_new ();
  ua_sdp_free_text (g_steal_pointer (&old->payload));
  return TRUE;
}

static void
fill_new (UaDialog *dialog, PhoneCall *call, const PhoneUri *uri, const PhoneInviteParams *params)
{
  dialog->target = phone_uri_to_string (uri);
  dialog->to = phone_name_addr_build (params->display_name, uri);
  dialog->from = ua_account_from (dialog->stack->account, params->privacy);
  dialog->follow_redirects = params->follow_redirects;
  ua_dialog_set_call (dialog, call);
}

gboolean
ua_dialog_invite (gpointer ua, PhoneCall *call, const PhoneInviteParams *params, const PhoneMediaDesc *offer, GError **error)
{
  UaAccount *account = phone_account_get_engine_data (phone_call_get_account (call));
  g_autoptr (PhoneUri) uri = phone_uri_parse (params->target, error);
  UaDialog *dialog = ua_dialog_of (call);
  const char *target = dialog ? dialog->target : params->target;
  UaStack *stack;

  g_return_val_if_fail (offer != NULL && (!dialog || dialog->parked), FALSE);
  if (!uri)
    return FALSE;
  if (!account || !account->stack || account->stack->state != UA_STACK_RUNNING)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s has no open SIP stack",
                   phone_account_get_id (phone_call_get_account (call)));
      return FALSE;
    }
  stack = ua_locate_stack (account, target, error);
  if (!stack)
    return FALSE;
  /* The DNS may have another mind than when the offer was made. */
  if (account->takes_tls && stack->transport != PHONE_TRANSPORT_TLS && offer->n_cryptos > 0 && !ua_account_settings (account)->sdes_in_clear)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The way to %s is not over TLS any more", target);
      return FALSE;
    }
  if (!take_stack (stack, &dialog, params, error))
    return FALSE;
  if (!dialog->target)
    fill_new (dialog, call, uri, params);
  dialog->payload = ua_sdp_write_offer (dialog->sdp, offer);
  make_handle (dialog);
  send_invite (dialog);
  return TRUE;
}

/* ---- the route of the dialog ---- */

/* UAC: the route set is the Record-Route of the response in reverse (RFC 3261 section 12.1.2); the next hop is its first
 * entry, the last of the header, or the remote target if it is empty. */
void
ua_dialog_learn_route (UaDialog *dialog, const sip_t *sip)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const url_t *next = NULL;
  const char *text;

  if (!dialog->outgoing || !sip)
    return;
  if (sip->sip_record_route && dialog->state == DIALOG_CALLING)
    {
      const sip_record_route_t *last = sip->sip_record_route;

      while (last->r_next)
        last = last->r_next;
      next = last->r_url;
      dialog->has_route_set = TRUE;
    }
  else if (sip->sip_contact && !dialog->has_route_set)
    next = sip->sip_contact->m_url;
  text = next ? url_as_string (home, next) : NULL;
  if (text)
    {
      g_autofree char *direct = ua_direct_route (dialog->stack, text);

      nua_set_hparams (dialog->nh, NUTAG_PROXY (direct && !dialog->has_route_set && !dialog->stack->account->route ? direct : text),
                       TAG_END ());
    }
  su_home_deinit (home);
}

/* ---- responses ---- */

static PhoneMediaDesc *
read_answer (UaDialog *dialog, const UaEvent *event, GError **error)
{
  return dialog->answered_early ? NULL : ua_dialog_read_sdp (dialog, event->sip, error);
}

static void
on_provisional (UaDialog *dialog, const UaEvent *event)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL;

  if (!event->sip || !event->sip->sip_status || event->sip->sip_status->st_status != event->status || event->status == 100
      || !dialog->call || dialog->state != DIALOG_CALLING)
    return;
  if (event->sip->sip_to && event->sip->sip_to->a_tag)
    {
      g_free (dialog->early_tag);
      dialog->early_tag = g_strdup (event->sip->sip_to->a_tag);
    }
  answer = read_answer (dialog, event, &error);
  if (answer && event->sip->sip_rseq)
    dialog->answered_early = TRUE;
  if (error)
    phone_log_warning (&dialog->log, "SDP of %d: %s", event->status, error->message);
  ua_dialog_read_party (dialog, event->sip);
  if (dialog->call)
    phone_call_on_progress (dialog->call, (guint) event->status, answer);
}

static void
on_success (UaDialog *dialog, const UaEvent *event)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneMediaDesc) answer = NULL;

  ua_dialog_learn_route (dialog, event->sip);
  nua_ack (dialog->nh, TAG_END ());
  if (dialog->state == DIALOG_ENDING)
    {
      /* The 200 crossed our CANCEL: RFC 3261 section 9.1 */
      ua_dialog_send_bye (dialog, dialog->reason);
      return;
    }
  ua_dialog_set_state (dialog, DIALOG_UP, "2xx");
  ua_sdp_free_text (g_steal_pointer (&dialog->payload));
  ua_dialog_learn_session (dialog, event->sip);
  answer = read_answer (dialog, event, &error);
  if (error)
    phone_log_warning (&dialog->log, "SDP of %d: %s", event->status, error->message);
  ua_dialog_read_party (dialog, event->sip);
  if (dialog->call)
    phone_call_on_answered (dialog->call, answer);
}

static gboolean
retry_with_100rel (UaDialog *dialog, const UaEvent *event)
{
  if (event->status != 421 || dialog->with_100rel || !event->sip || !sip_has_feature (event->sip->sip_require, "100rel")
      || dialog->state != DIALOG_CALLING || !dialog->stack->account)
    return FALSE;
  phone_log_info (&dialog->log, "The far end insists on 100rel, calling again with it");
  dialog->with_100rel = TRUE;
  ua_dialog_renew (dialog);
  send_invite (dialog);
  return TRUE;
}

void
ua_dialog_on_invite_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  ua_dialog_note_call_id (dialog, event->sip);
  if (dialog->state == DIALOG_UP || !dialog->outgoing)
    {
      ua_dialog_on_reoffer_response (dialog, event);
      return;
    }
  ua_walk_heard (dialog->walk, event);
  if (event->status < 200)
    {
      on_provisional (dialog, event);
      return;
    }
  if (event->status < 300)
    {
      on_success (dialog, event);
      return;
    }
  /* A challenge that crossed our CANCEL stays unanswered: the INVITE would go out a second time, for a call that is over. */
  if (dialog->state == DIALOG_CALLING && (ua_dialog_authenticate (dialog, event) || retry_with_100rel (dialog, event) || ua_walk_next (dialog->walk, event)
                                          || leave_tls (dialog, event) || ua_redirect_next (dialog, event)))
    return;
  ua_dialog_finish (dialog, dialog->reason ? NULL : ua_dialog_reason_from_response (dialog, event));
}
