/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One call in place of another, in the four roles that a phone has in it.
 *
 *   transferor    phone_call_transfer (_to): hold, REFER; the peer's NOTIFYs decide
 *                   trying -> accepted -> done: both legs of ours end      (RFC 5589 section 6, 7)
 *                                      -> failed: the call is resumed if it was held for this
 *   transferee    call-referral.c: ask, accept or refuse as the account says; the new call reports to the one who asked
 *   target        call-replace.c: an INVITE that replaces a call of ours is answered at once, then that call ends (RFC 3891)
 *   picked up     the same, for a call of ours that still rings at the other end
 *
 * Whoever replaces a call names both of its tags: only the two ends of a dialog know them, and whom they told. That is all the
 * authority there is, and the engine checks it. */

#include "core/call-private.h"
#include "core/dial-plan.h"

#define NEWS_FACTOR 6           /* a peer that reports progress has this many times longer for the end */

PhoneTransferState
phone_call_get_transfer (PhoneCall *call, guint *ret_sip)
{
  if (ret_sip)
    *ret_sip = call->transfer_sip;
  return call->transfer;
}

guint phone_call_get_replaces (PhoneCall *call) { return call->replaces_number; }
guint phone_call_get_replaced_by (PhoneCall *call) { return call->replaced_by; }

gboolean
phone_call_is_transferring (PhoneCall *call)
{
  return call->transfer == PHONE_TRANSFER_TRYING || call->transfer == PHONE_TRANSFER_ACCEPTED;
}

gboolean
phone_call_can_transfer (PhoneCall *call)
{
  return phone_call_is_established (call) && call->reoffer == REOFFER_NONE && !phone_call_is_transferring (call) && !phone_call_is_machines (call);
}

void
phone_call_transfer_dispose (PhoneCall *call)
{
  g_clear_handle_id (&call->referral_timer, g_source_remove);
  g_clear_object (&call->transfer_to);
  g_clear_pointer (&call->transfer_target, g_free);
  g_clear_pointer (&call->transfer_reached, g_free);
  g_clear_pointer (&call->park_slot, g_free);
  g_clear_pointer (&call->parked, g_free);
  g_clear_pointer (&call->referral_target, g_free);
  g_clear_pointer (&call->referral_replaces, g_free);
  g_clear_pointer (&call->referred_by, g_free);
}

static void
set_transfer (PhoneCall *call, PhoneTransferState state, guint sip)
{
  if (call->transfer == state && call->transfer_sip == sip)
    return;
  phone_log_notice (&call->log, "Call %u: transfer %s -> %s (%u)", call->number, phone_transfer_state_to_string (call->transfer),
                    phone_transfer_state_to_string (state), sip);
  call->transfer = state;
  call->transfer_sip = sip;
  phone_call_emit_changed (call, PHONE_CALL_FIELD_TRANSFER);
}

static void
end_transferred (PhoneCall *call)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_TRANSFERRED, 0, NULL);

  phone_call_end (call, reason);
}

static void
transfer_done (PhoneCall *call, guint sip)
{
  g_autoptr (PhoneCall) other = g_steal_pointer (&call->transfer_to);

  set_transfer (call, PHONE_TRANSFER_DONE, sip);
  phone_call_park_over (call, TRUE);
  end_transferred (call);
  if (other)
    end_transferred (other);    /* nothing if its peer was faster with the BYE */
}

static gboolean
on_resume (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (GError) error = NULL;

  call->transfer_resume = 0;
  if (call->state == PHONE_CALL_HELD && !phone_call_resume (call, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
  return G_SOURCE_REMOVE;
}

/* The news may be that the peer hangs up, of which we hear only behind it: a re-INVITE is not sent into a dialog that is over. */
static void
transfer_failed (PhoneCall *call, guint sip)
{
  gboolean resume = call->transfer_held;

  g_clear_handle_id (&call->transfer_timer, g_source_remove);
  g_clear_object (&call->transfer_to);
  call->transfer_held = FALSE;
  set_transfer (call, PHONE_TRANSFER_FAILED, sip);
  phone_call_park_over (call, FALSE);
  if (resume && call->transfer_resume == 0)
    call->transfer_resume = g_idle_add_full (G_PRIORITY_DEFAULT, on_resume, call, NULL);
}

static gboolean
on_no_news (gpointer data)
{
  PhoneCall *call = data;

  call->transfer_timer = 0;
  phone_log_warning (&call->log, "Call %u: the peer does not say what became of the transfer", call->number);
  transfer_failed (call, 408);
  return G_SOURCE_REMOVE;
}

static void
await_news (PhoneCall *call, guint factor)
{
  guint seconds = phone_registry_get_settings (call->registry)->transfer_timeout;

  g_clear_handle_id (&call->transfer_timer, g_source_remove);
  call->transfer_timer = g_timeout_add_seconds (seconds * factor, on_no_news, call);
}

static gboolean
send_refer (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (call->transfer_to && !phone_call_is_established (call->transfer_to))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->transfer_to->number);
      return FALSE;
    }
  if (!ports->sig->call_refer (ports->ua, call, call->transfer_target, call->transfer_to, error))
    return FALSE;
  await_news (call, 1);
  return TRUE;
}

static void
on_held (PhoneCall *call, const GError *hold_error, gpointer data)
{
  g_autoptr (GError) error = NULL;

  if (call->transfer != PHONE_TRANSFER_TRYING || phone_call_is_ended (call))
    return;
  /* A peer that refuses to be held may still be transferred. */
  if (hold_error)
    call->transfer_held = FALSE;
  if (send_refer (call, &error))
    return;
  phone_log_warning (&call->log, "Call %u: transfer: %s", call->number, error->message);
  transfer_failed (call, 0);
}

/* Takes target. */
static gboolean
begin_transfer (PhoneCall *call, char *target, PhoneCall *other, GError **error)
{
  g_autoptr (GError) hold_error = NULL;

  g_free (call->transfer_target);
  call->transfer_target = target;
  g_clear_pointer (&call->transfer_reached, g_free);
  g_set_object (&call->transfer_to, other);
  call->transfer_held = FALSE;
  if (call->state == PHONE_CALL_ACTIVE)
    {
      call->transfer_held = TRUE;
      if (phone_call_hold (call, on_held, NULL, &hold_error))
        {
          set_transfer (call, PHONE_TRANSFER_TRYING, 0);
          return TRUE;
        }
      call->transfer_held = FALSE;
      phone_log_info (&call->log, "Call %u: transfer without hold: %s", call->number, hold_error->message);
    }
  if (!send_refer (call, error))
    {
      g_clear_object (&call->transfer_to);
      return FALSE;
    }
  set_transfer (call, PHONE_TRANSFER_TRYING, 0);
  return TRUE;
}

gboolean
phone_call_transfer (PhoneCall *call, const char *target, GError **error)
{
  char *uri;

  if (!phone_call_require (call, "transfer", error))
    return FALSE;
  uri = phone_dial_plan_resolve_in (phone_account_get_settings (call->account), target,
                                    phone_registry_country (call->registry, call->account), error);
  return uri && begin_transfer (call, uri, NULL, error);
}

gboolean
phone_call_transfer_to (PhoneCall *call, PhoneCall *other, GError **error)
{
  if (call == other)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Call %u cannot be transferred to itself", call->number);
      return FALSE;
    }
  if (!phone_call_require (call, "transfer", error) || !phone_call_require (other, "transfer", error))
    return FALSE;
  return begin_transfer (call, g_strdup (other->remote_uri), other, error);
}

void
phone_call_on_transfer_reached (PhoneCall *call, const char *uri)
{
  g_free (call->transfer_reached);
  call->transfer_reached = g_strdup (uri);
}

void
phone_call_on_transfer (PhoneCall *call, PhoneTransferState state, guint sip)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);

  if (!phone_call_is_transferring (call) || phone_call_is_ended (call))
    return;
  switch (state)
    {
    case PHONE_TRANSFER_NONE:
    case PHONE_TRANSFER_TRYING:
      break;
    case PHONE_TRANSFER_ACCEPTED:
      await_news (call, sip < 200 ? NEWS_FACTOR : 1);
      set_transfer (call, PHONE_TRANSFER_ACCEPTED, sip);
      break;
    case PHONE_TRANSFER_DONE:
      transfer_done (call, sip);
      break;
    case PHONE_TRANSFER_FAILED:
      transfer_failed (call, sip);
      break;
    }
}

/* A peer may hang up as soon as it has taken the transfer over: then all is well as far as anybody will ever know. */
static void
transfer_ended (PhoneCall *call)
{
  gboolean left = call->reason->actor == PHONE_ACTOR_REMOTE && call->reason->cause == PHONE_CAUSE_HANGUP;

  g_clear_object (&call->transfer_to);
  if (phone_call_is_transferring (call))
    set_transfer (call, call->transfer == PHONE_TRANSFER_ACCEPTED && left ? PHONE_TRANSFER_DONE : PHONE_TRANSFER_FAILED,
                  call->transfer_sip);
  phone_call_park_over (call, call->transfer == PHONE_TRANSFER_DONE);
}

void
phone_call_transfer_state_changed (PhoneCall *call)
{
  switch (call->state)
    {
    case PHONE_CALL_DIALING:
    case PHONE_CALL_INCOMING:
    case PHONE_CALL_WAITING:
    case PHONE_CALL_HELD:
      break;
    case PHONE_CALL_ALERTING:
      if (call->replaces_number)
        phone_call_referral_report (call, 180);
      break;
    case PHONE_CALL_ACTIVE:
      if (!call->replaces_number)
        break;
      phone_call_referral_report (call, 200);
      phone_call_replacing_up (call);
      break;
    case PHONE_CALL_DISCONNECTING:
    case PHONE_CALL_DISCONNECTED:
      transfer_ended (call);
      phone_call_referral_ended (call);
      phone_call_replacing_failed (call);
      break;
    }
}
