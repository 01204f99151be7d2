/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What signalling reports about a call. Each function is one arrow of the offer/answer and dialog life (RFC 3261, 3262, 3264);
 * none of them trusts that the peer keeps to the order. */

#include "core/call-private.h"

#include <string.h>

#include "util/secret.h"

static void
end_for_media (PhoneCall *call, const GError *error)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_MEDIA_FAILED, 488, error->message);

  phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
  phone_call_end (call, reason);
}

/* ---- outgoing ---- */

void
phone_call_on_progress (PhoneCall *call, guint status, const PhoneMediaDesc *answer)
{
  g_autoptr (GError) error = NULL;

  if (!phone_call_is_trying (call) || status <= 100)
    return;
  /* A bad answer in a provisional response does not end the attempt: the final one may be right. */
  if (answer && !phone_call_complete_offer (call, answer, &error))
    phone_log_warning (&call->log, "Call %u: early media ignored: %s", call->number, error->message);
  if (call->plan)
    phone_call_set_tone (call, PHONE_TONE_NONE);
  else if (status == 180)
    phone_call_set_tone (call, PHONE_TONE_RINGBACK);
  if (status == 180 || status == 182 || status == 183)
    phone_call_set_state (call, PHONE_CALL_ALERTING, answer ? "early media" : "ringing");
}

void
phone_call_on_answered (PhoneCall *call, const PhoneMediaDesc *answer)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (GError) error = NULL;

  if (!phone_call_is_trying (call))
    return;
  phone_call_set_tone (call, PHONE_TONE_NONE);
  if (answer)
    phone_call_complete_offer (call, answer, &error);
  else if (!call->plan)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "The peer answered without a session description");
  if (error)
    {
      end_for_media (call, error);
      return;
    }
  phone_call_forget_early_ice (call);
  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  phone_call_rearm_media (call);
  phone_call_set_state (call, PHONE_CALL_ACTIVE, "answered");
  phone_call_recheck_ice (call);
  /* Another may have been answered or resumed since we dialled. */
  if (!call->keep_others)
    phone_registry_hold_others (call->registry, call);
}

/* ---- incoming ---- */

void
phone_call_on_confirmed (PhoneCall *call, const PhoneMediaDesc *answer)
{
  g_autoptr (GError) error = NULL;

  if (phone_call_is_ended (call))
    return;
  if (call->pending_offer && !call->reoffer_open)
    {
      if (answer)
        phone_call_complete_offer (call, answer, &error);
      else
        g_set_error (&error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "The peer's ACK has no answer to our offer");
      g_clear_pointer (&call->pending_offer, phone_media_desc_free);
    }
  if (error)
    {
      end_for_media (call, error);
      return;
    }
  if (call->answering)
    {
      call->answering = FALSE;
      g_clear_pointer (&call->remote_offer, phone_media_desc_free);
      phone_call_rearm_media (call);
      phone_call_set_state (call, PHONE_CALL_ACTIVE, "confirmed");
      phone_call_beep_if_due (call);
      phone_call_recheck_ice (call);
      if (call->local_hold)     /* as the call that it took the place of */
        phone_call_set_state (call, PHONE_CALL_HELD, "held before");
      phone_call_fire (call, &call->answer_waiter, NULL);
    }
  phone_call_send_due (call);
}

/* ---- in the dialog ---- */

PhoneMediaDesc *
phone_call_on_offer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error)
{
  if (phone_call_is_ended (call))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->number);
      return NULL;
    }
  /* Our own offer may be pending all the same: the engine answers 491 or 500 while it is open on the wire (RFC 3261 section 14.2,
   * RFC 3311 section 5.2), but after a glare it waits for its next attempt, and the peer's goes first. */
  return phone_call_make_answer (call, offer, error);
}

PhoneMediaDesc *
phone_call_on_offer_wanted (PhoneCall *call, GError **error)
{
  if (phone_call_is_ended (call) || call->pending_offer)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Call %u: no new offer possible now", call->number);
      return NULL;
    }
  return phone_call_make_offer (call, phone_call_wanted_direction (call), TRUE, error);
}

PhoneMediaDesc *
phone_call_on_address_changed (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *before = g_steal_pointer (&call->local_address);
  PhoneMediaDesc *offer = NULL;

  /* looks the address up again; plain sockets stay, those of ICE belong to addresses */
  if (!phone_call_is_ended (call) && !call->pending_offer && call->media && phone_call_open_media (call, &error)
      && g_strcmp0 (before, call->local_address) != 0)
    {
      phone_call_renew_ice (call);
      if (!phone_call_await_ice (call, ICE_WAIT_REOFFER))
        offer = phone_call_make_offer (call, phone_call_wanted_direction (call), FALSE, &error);
    }
  if (error)
    phone_log_warning (&call->log, "Call %u: cannot follow the network: %s", call->number, error->message);
  if (!call->local_address)
    call->local_address = g_steal_pointer (&before);
  return offer;
}

/* Nothing that a pending_offer of ours held is true any more: the peer's own change comes first, and ours is made anew after it. */
void
phone_call_on_glare (PhoneCall *call)
{
  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  call->reoffer_open = FALSE;
}

PhoneMediaDesc *
phone_call_on_reoffer_again (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaDesc *offer = phone_call_is_ended (call) || call->pending_offer ? NULL : phone_call_make_reoffer (call, &error);

  if (error)
    phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
  return offer;
}

static void
finish_reoffer (PhoneCall *call, const GError *error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  Reoffer purpose = call->reoffer;

  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  if (purpose != REOFFER_NONE && call->due != REOFFER_NONE && !call->reoffer_open)
    {
      /* This was the end of another offer, the engine's; ours has waited for it. */
      phone_call_send_due (call);
      return;
    }
  call->reoffer = REOFFER_NONE;
  call->reoffer_open = FALSE;
  if (error && ports->media->media_ice_drop && call->media)
    ports->media->media_ice_drop (call->media);
  if (!error && (purpose == REOFFER_HOLD || purpose == REOFFER_RESUME))
    {
      call->local_hold = purpose == REOFFER_HOLD;
      phone_call_emit_changed (call, PHONE_CALL_FIELD_HOLD);
      phone_call_set_state (call, call->local_hold ? PHONE_CALL_HELD : PHONE_CALL_ACTIVE,
                            call->local_hold ? "held" : "resumed");
    }
  else
    phone_call_emit_changed (call, PHONE_CALL_FIELD_STATE);
  phone_call_update_attachment (call);
  phone_call_fire (call, &call->hold_waiter, error);
  phone_call_send_due (call);
}

void
phone_call_on_reoffer_answered (PhoneCall *call, const PhoneMediaDesc *answer)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (GError) error = NULL;

  if (phone_call_is_ended (call))
    return;
  if (answer)
    phone_call_complete_offer (call, answer, &error);
  else
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "The peer accepted without a session description");
  if (error)
    phone_log_warning (&call->log, "Call %u: re-INVITE: %s", call->number, error->message);
  finish_reoffer (call, error);
}

void
phone_call_on_reoffer_failed (PhoneCall *call, guint status, const char *phrase)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (GError) error = g_error_new (PHONE_ERROR, PHONE_ERROR_REJECTED, "The peer refused the change: %u %s", status,
                                          phrase ? phrase : "");

  if (phone_call_is_ended (call))
    return;
  phone_log_warning (&call->log, "Call %u: %s", call->number, error->message);
  finish_reoffer (call, error);
}

static gboolean
replace (char **where, const char *value)
{
  if (!value || g_strcmp0 (*where, value) == 0)
    return FALSE;
  g_free (*where);
  *where = g_strdup (value);
  return TRUE;
}

void
phone_call_on_party (PhoneCall *call, const char *uri, const char *name, const char *asserted_id)
{
  gboolean changed = replace (&call->remote_uri, uri);

  changed |= replace (&call->remote_name, name);
  changed |= replace (&call->asserted_id, asserted_id);
  if (changed)
    phone_call_emit_changed (call, PHONE_CALL_FIELD_PARTY);
}

/* Who sent the call on is the diverter, in calls out as in calls in. */
void
phone_call_on_redirected (PhoneCall *call, guint status, const char *from, const char *to)
{
  phone_log_notice (&call->log, "Call %u: redirected (%u) from %s to %s", call->number, status, from, to);
  phone_call_set_tone (call, PHONE_TONE_NONE);
  g_clear_pointer (&call->setback, phone_reason_free);
  g_free (call->sent_to);
  call->sent_to = g_strdup (to);
  if (replace (&call->remote_uri, to) | replace (&call->diverter, from))
    phone_call_emit_changed (call, PHONE_CALL_FIELD_PARTY);
}

void
phone_call_on_dtmf_info (PhoneCall *call, char digit, guint ms)
{
  if (call->state == PHONE_CALL_ACTIVE)
    phone_call_emit_dtmf (call, digit, ms, "info");
}

/* ---- the end ---- */

/* The call stays to be looked at; its keys do not. */
static void
forget_keys (PhoneCall *call)
{
  g_clear_pointer (&call->local, phone_media_desc_free);
  g_clear_pointer (&call->pending_offer, phone_media_desc_free);
  g_clear_pointer (&call->remote_offer, phone_media_desc_free);         /* of a call in that was not answered */
  if (call->plan)
    phone_media_plan_clear_keys (call->plan);
  phone_secret_wipe_stack ();
}

void
phone_call_on_ended (PhoneCall *call, const PhoneReason *reason)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);
  g_autoptr (PhoneReason) copy = NULL;

  if (call->state == PHONE_CALL_DISCONNECTED)
    return;
  call->engine_data = NULL;
  if (phone_call_retry (call, reason))
    return;
  copy = phone_reason_copy (phone_call_why_ended (call, reason));
  /* Whoever hangs up first of those that made another call of this one. */
  if (call->replaced_by && copy->cause == PHONE_CAUSE_HANGUP && copy->actor == PHONE_ACTOR_REMOTE)
    copy->cause = PHONE_CAUSE_REPLACED;
  phone_call_set_reason (call, copy);
  /* An unanswered outgoing call says why in the ear, for as long as it lingers. */
  if (call->direction == PHONE_CALL_OUTGOING && call->answered == 0 && copy->actor != PHONE_ACTOR_LOCAL)
    phone_call_set_tone (call, copy->cause == PHONE_CAUSE_BUSY || copy->cause == PHONE_CAUSE_DECLINED
                                   ? PHONE_TONE_BUSY
                                   : PHONE_TONE_CONGESTION);
  else
    phone_call_dispose_media (call);
  /* Who is told of the end still looks at where it was. */
  phone_call_set_state (call, PHONE_CALL_DISCONNECTED, phone_cause_to_string (call->reason->cause));
  forget_keys (call);
  /* Who is in a conference is told for as long as we are. */
  if (call->roster->len)
    {
      g_ptr_array_set_size (call->roster, 0);
      phone_call_emit_changed (call, PHONE_CALL_FIELD_ROSTER);
    }
}

/* ---- a peer that is a conference ---- */

void
phone_call_on_focus (PhoneCall *call, const char *uri)
{
  if (g_strcmp0 (call->focus, uri) == 0)
    return;
  phone_log_notice (&call->log, "Call %u: the peer is %s%s", call->number, uri ? "the conference " : "no conference any more", uri ? uri : "");
  g_free (call->focus);
  call->focus = g_strdup (uri);
  g_ptr_array_set_size (call->roster, 0);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_ROSTER);
}

void
phone_call_on_roster (PhoneCall *call, GPtrArray *participants)
{
  g_ptr_array_unref (call->roster);
  call->roster = participants;
  phone_log_info (&call->log, "Call %u: %u in the conference", call->number, participants->len);
  phone_call_emit_changed (call, PHONE_CALL_FIELD_ROSTER);
}
