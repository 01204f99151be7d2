/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call out, until it is answered: when its INVITE may go, with which offer, and what is tried when that comes to nothing.
 *
 *   start --no account yet, or the way is not known--> wait --> media, candidates, offer, INVITE
 *                                                                 ^
 *   refused for its keys: by DTLS, then in clear ---another offer-+
 *   sent on to where another stack leads, or not by TLS after all-+   (phone_call_on_rerouted: nothing of the offer before is of use)
 */

#include "core/call-private.h"
#include "core/emergency.h"
#include "core/history-entry.h"

#define ACCOUNT_WAIT_S 30

gboolean
phone_call_is_trying (PhoneCall *call)
{
  return call->direction == PHONE_CALL_OUTGOING
         && (call->state == PHONE_CALL_DIALING || call->state == PHONE_CALL_ALERTING);
}

const char *
phone_call_goes_to (PhoneCall *call)
{
  return call->sent_to ? call->sent_to : call->target;
}

/* Help is called wherever it is. */
static gboolean
follows_redirects (PhoneCall *call)
{
  return phone_account_get_settings (call->account)->redirects == PHONE_REDIRECTS_FOLLOW
         || phone_is_emergency_number (call->target, phone_registry_country (call->registry, call->account));
}

/* Borrows from the call. */
static PhoneInviteParams
invite_params (PhoneCall *call)
{
  return (PhoneInviteParams){
    .target = call->target,
    .display_name = call->display_name,
    .privacy = call->privacy,
    .headers = (const char *const *) call->headers,
    .replaces = call->replaces,
    .follow_redirects = follows_redirects (call),
    .referred_by = call->referred_by,
  };
}

static gboolean
make_invite (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  PhoneInviteParams params = invite_params (call);
  g_autoptr (PhoneMediaDesc) offer = NULL;

  offer = phone_call_make_offer (call, PHONE_DIRECTION_SENDRECV, FALSE, error);
  if (!offer)
    return FALSE;
  if (!ports->sig->call_invite (ports->ua, call, &params, offer, error))
    return FALSE;
  call->invited = TRUE;
  return TRUE;
}

static gboolean
send_invite (PhoneCall *call, GError **error)
{
  if (!phone_call_open_media (call, error))
    return FALSE;
  return phone_call_await_ice (call, ICE_WAIT_INVITE) || make_invite (call, error);
}

/* The engine may know of somebody else to call. */
static void
give_up (PhoneCall *call, PhoneActor actor, PhoneCause cause, const char *phrase)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (PhoneReason) reason = call->setback ? phone_reason_copy (call->setback) : phone_reason_new (actor, cause, 0, phrase);

  phone_log_warning (&call->log, "Call %u: no INVITE: %s", call->number, phrase);
  if (call->invited)
    ports->sig->call_give_up (ports->ua, call, reason);
  else
    phone_call_on_ended (call, reason);
}

void
phone_call_continue_invite (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (call->state == PHONE_CALL_DIALING && !make_invite (call, &error))
    give_up (call, PHONE_ACTOR_LOCAL, PHONE_CAUSE_FAILED, error->message);
}

/* The account is of no use, and will not be in time. */
static void
give_up_waiting (PhoneCall *call)
{
  g_autofree char *why = phone_account_explain (call->account);

  if (phone_account_get_settings (call->account)->enabled)
    give_up (call, PHONE_ACTOR_NETWORK, PHONE_CAUSE_UNREACHABLE, why);
  else
    give_up (call, PHONE_ACTOR_LOCAL, PHONE_CAUSE_CANCELLED, why);
}

static gboolean
on_account_timeout (gpointer data)
{
  PhoneCall *call = data;

  call->account_timeout = 0;
  give_up_waiting (call);
  return G_SOURCE_REMOVE;
}

typedef enum
{
  PROSPECT_READY,
  PROSPECT_WAIT,
  PROSPECT_NONE,
} Prospect;

/* It needs a stack; a registration, where there is one to come; and the way. Help is called at once. */
static Prospect
judge_prospect (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  if (!settings->enabled)
    return PROSPECT_NONE;
  if (!phone_account_is_open (call->account)
      || (settings->do_register && phone_account_get_registration (call->account) != PHONE_REGISTRATION_REGISTERED
          && !phone_is_emergency_number (call->target, phone_registry_country (call->registry, call->account))))
    return call->when_registered || phone_account_is_settling (call->account) ? PROSPECT_WAIT : PROSPECT_NONE;
  return ports->sig->call_is_located && !ports->sig->call_is_located (ports->ua, call->account, phone_call_goes_to (call)) ? PROSPECT_WAIT : PROSPECT_READY;
}

gboolean
phone_call_start (PhoneCall *call, GError **error)
{
  if (judge_prospect (call) != PROSPECT_READY)
    {
      call->account_timeout = g_timeout_add_seconds (ACCOUNT_WAIT_S, on_account_timeout, call);
      return TRUE;
    }
  return send_invite (call, error);
}

void
phone_call_account_changed (PhoneCall *call)
{
  Prospect prospect = call->account_timeout ? judge_prospect (call) : PROSPECT_WAIT;
  g_autoptr (GError) error = NULL;

  if (prospect == PROSPECT_WAIT)
    return;
  g_clear_handle_id (&call->account_timeout, g_source_remove);
  if (prospect == PROSPECT_NONE)
    give_up_waiting (call);
  else if (!send_invite (call, &error))
    give_up (call, PHONE_ACTOR_LOCAL, PHONE_CAUSE_FAILED, error->message);
}

/* ---- other attempts ---- */

/* One m-line has one profile, so a peer that does not know the one of our offer says 488 (or 415, 606). With keying=any it gets the call a
 * second time, with keys by DTLS instead of SDES, and with srtp=preferred once more in clear. FALSE: there is nothing else to try. */
static gboolean
choose_retry (PhoneCall *call, const char **ret_what)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  PhoneSrtpPolicy srtp = phone_call_srtp_policy (call);
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (srtp == PHONE_SRTP_OFF || call->clear_retry || !call->pending_offer)
    return FALSE;
  if (settings->keying == PHONE_KEYING_ANY && !call->dtls_retry && call->pending_offer->n_cryptos > 0 && ports->media->media_dtls)
    {
      call->dtls_retry = TRUE;
      *ret_what = "by DTLS-SRTP";
      return TRUE;
    }
  if (srtp != PHONE_SRTP_PREFERRED || !phone_profile_is_secure (call->pending_offer->profile))
    return FALSE;
  call->clear_retry = TRUE;
  *ret_what = "without encryption, as srtp=preferred allows";
  return TRUE;
}

/* Nothing of what was offered before fits: it names other sockets, and its keys were for somebody else. */
static void
forget_session (PhoneCall *call)
{
  phone_call_dispose_media (call);
  g_clear_pointer (&call->local, phone_media_desc_free);
  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  g_clear_pointer (&call->plan, phone_media_plan_free);
  g_clear_pointer (&call->local_address, g_free);
  g_clear_pointer (&call->ice_address, g_free);
  g_clear_handle_id (&call->ice_timer, g_source_remove);
  call->ice_wait = ICE_WAIT_NONE;
  call->dtls = (PhoneDtlsDesc){ 0 };
  call->ice_connected = call->silent_early = call->secured = FALSE;
  phone_call_forget_early_ice (call);
}

static void
set_out_anew (PhoneCall *call, const char *why)
{
  g_autoptr (GError) error = NULL;

  phone_call_set_state (call, PHONE_CALL_DIALING, why);
  if (!phone_call_start (call, &error))
    give_up (call, PHONE_ACTOR_LOCAL, PHONE_CAUSE_FAILED, error->message);
}

/* Back to who was dialled. */
static void
forget_redirection (PhoneCall *call)
{
  forget_session (call);
  g_clear_pointer (&call->sent_to, g_free);
  phone_text_take (&call->remote_uri, call->target);
  phone_text_take (&call->remote_name, call->display_name);
  phone_text_take (&call->asserted_id, "");
  phone_text_take (&call->diverter, "");
  phone_call_emit_changed (call, PHONE_CALL_FIELD_PARTY);
}

const PhoneReason *
phone_call_why_ended (PhoneCall *call, const PhoneReason *reason)
{
  gboolean nobody = reason->actor == PHONE_ACTOR_NETWORK && reason->cause == PHONE_CAUSE_UNREACHABLE;

  return phone_call_is_trying (call) && nobody && call->setback ? call->setback : reason;
}

gboolean
phone_call_retry (PhoneCall *call, const PhoneReason *reason)
{
  const char *what;

  if (!phone_call_is_trying (call) || !call->invited || (reason->sip != 488 && reason->sip != 415 && reason->sip != 606)
      || !choose_retry (call, &what))
    return FALSE;
  phone_log_notice (&call->log, "Call %u: %s (%u), trying %s", call->number, reason->phrase ? reason->phrase : "refused", reason->sip, what);
  /* The engine begins anew, at the target. */
  call->invited = FALSE;
  phone_reason_free (call->setback);
  call->setback = phone_reason_copy (reason);
  if (call->sent_to)
    forget_redirection (call);
  g_clear_pointer (&call->local, phone_media_desc_free);
  g_clear_pointer (&call->plan, phone_media_plan_free);
  set_out_anew (call, "another attempt");
  return TRUE;
}

void
phone_call_on_rerouted (PhoneCall *call, const PhoneReason *reason)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);

  if (!phone_call_is_trying (call))
    return;
  if (reason)
    phone_log_notice (&call->log, "Call %u: %s, trying another way", call->number, reason->phrase ? reason->phrase : "no answer");
  g_clear_pointer (&call->setback, phone_reason_free);
  if (reason)
    call->setback = phone_reason_copy (reason);
  forget_session (call);
  set_out_anew (call, "another way");
}
