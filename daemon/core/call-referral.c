/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The transferee: the peer wants us to call somebody else in its place (REFER). The account says whether we do, refuse, or ask the user; the new call
 * reports to the one who asked. */

#include "core/call-private.h"
#include "core/dial-plan.h"
#include "core/emergency.h"

#define DECISION_S 60           /* for the user, who is asked */

void
phone_call_referral_report (PhoneCall *call, guint status)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  gpointer referral = call->referral;

  if (!referral)
    return;
  if (status >= 200)
    call->referral = NULL;
  ports->sig->referral_progress (ports->ua, referral, status);
}

static void
forget_referral (PhoneCall *call)
{
  g_clear_handle_id (&call->referral_timer, g_source_remove);
  g_clear_pointer (&call->referral_target, g_free);
  g_clear_pointer (&call->referral_replaces, g_free);
  g_clear_pointer (&call->referred_by, g_free);
  if (!call->referral_waits)
    return;
  call->referral_waits = FALSE;
  phone_call_emit_changed (call, PHONE_CALL_FIELD_TRANSFER);
}

static void
refuse_referral (PhoneCall *call, guint status)
{
  phone_call_referral_report (call, status);
  forget_referral (call);
}

gboolean
phone_call_can_accept_transfer (PhoneCall *call)
{
  return call->referral_waits && phone_call_is_established (call);
}

gboolean
phone_call_get_referral (PhoneCall *call, PhoneReferralView *ret_view)
{
  if (!call->referral_waits)
    return FALSE;
  *ret_view = (PhoneReferralView){ call->referral_target, call->referred_by ? call->referred_by : "", call->referral_replaces != NULL };
  return TRUE;
}

static gboolean
on_undecided (gpointer data)
{
  PhoneCall *call = data;

  call->referral_timer = 0;
  phone_log_notice (&call->log, "Call %u: nobody decided about the transfer", call->number);
  refuse_referral (call, 603);
  return G_SOURCE_REMOVE;
}

static PhoneCall *
accept_referral (PhoneCall *call, GError **error)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  PhoneDialOptions options = {
    .account = call->account,
    .replaces = call->referral_replaces,
    .referred_by = call->referred_by,
    .referrer = call,
    .keep_others = call->conference != NULL,
  };
  g_autofree char *target = NULL;
  g_autoptr (GError) dial_error = NULL;
  PhoneCall *fresh;

  target = g_strdup (call->referral_target);
  fresh = phone_registry_dial (call->registry, target, &options, &dial_error);
  if (!fresh)
    {
      refuse_referral (call, 503);
      g_propagate_error (error, g_steal_pointer (&dial_error));
      return NULL;
    }
  forget_referral (call);
  return fresh;
}

static gboolean
on_accept (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (GError) error = NULL;

  call->referral_timer = 0;
  if (!accept_referral (call, &error))
    phone_log_warning (&call->log, "Call %u: transfer: %s", call->number, error->message);
  return G_SOURCE_REMOVE;
}

guint
phone_call_on_refer (PhoneCall *call, const PhoneReferralRequest *request, gpointer referral)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);
  const char *country = phone_registry_country (call->registry, call->account);
  PhoneReferrals policy = settings->referrals;
  g_autoptr (GError) error = NULL;
  g_autofree char *target = NULL;

  if (!phone_call_is_established (call) || policy == PHONE_REFERRALS_REFUSE || phone_call_is_machines (call))
    return 603;
  if (call->referral || call->referral_waits || call->replaced_by)
    return 491;
  target = phone_dial_plan_resolve_in (settings, request->target, country, &error);
  if (!target)
    {
      phone_log_notice (&call->log, "Call %u: transfer refused: %s", call->number, error->message);
      return 400;
    }
  /* Nobody else decides that we call for help. */
  if (phone_is_emergency_number (target, country))
    return 603;
  /* Nor may a peer pull us out of another conversation. */
  if (policy == PHONE_REFERRALS_ACCEPT && phone_registry_is_talking (call->registry, call))
    policy = PHONE_REFERRALS_ASK;
  phone_log_notice (&call->log, "Call %u: the peer transfers us to %s", call->number, target);
  call->referral = referral;
  call->referral_target = g_steal_pointer (&target);
  call->referral_replaces = g_strdup (request->replaces);
  call->referred_by = g_strdup (request->referred_by);
  call->referral_waits = TRUE;
  call->referral_granted = policy == PHONE_REFERRALS_ACCEPT;
  if (policy == PHONE_REFERRALS_ACCEPT)
    call->referral_timer = g_idle_add (on_accept, call);
  else
    call->referral_timer = g_timeout_add_seconds (DECISION_S, on_undecided, call);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_TRANSFER);
  return 202;
}

void
phone_call_refer_on (PhoneCall *call, PhoneCall *referrer)
{
  call->referral = g_steal_pointer (&referrer->referral);
  call->replaces_number = referrer->number;
  referrer->replaced_by = call->number;
  if (referrer->conference)
    phone_conference_join (referrer->conference, call);
  phone_call_emit_changed (referrer, PHONE_CALL_FIELD_TRANSFER);
}

PhoneCall *
phone_call_accept_transfer (PhoneCall *call, GError **error)
{
  return phone_call_require (call, "accept-transfer", error) ? accept_referral (call, error) : NULL;
}

gboolean
phone_call_decline_transfer (PhoneCall *call, GError **error)
{
  if (!phone_call_require (call, "accept-transfer", error))
    return FALSE;
  refuse_referral (call, 603);
  return TRUE;
}

/* The status that the transferor is told: what the wire said, or what stands for it. */
static guint
final_status (PhoneCall *call)
{
  if (call->reason->sip >= 300)
    return call->reason->sip;
  return call->reason->cause == PHONE_CAUSE_CANCELLED ? 487 : 503;
}

void
phone_call_referral_ended (PhoneCall *call)
{
  /* Whoever wants no news hangs up as soon as he has his 202, before we have begun: what was granted holds. */
  if (call->referral_waits && call->referral_granted && call->reason->actor == PHONE_ACTOR_REMOTE)
    {
      g_clear_handle_id (&call->referral_timer, g_source_remove);
      on_accept (call);
    }
  phone_call_referral_report (call, final_status (call));
  forget_referral (call);
}
