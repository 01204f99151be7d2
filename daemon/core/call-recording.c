/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recording a call: on demand or because a rule says so, into a sealed file that storage makes. It ends with the call. */

#include "core/call-private.h"
#include "core/number-list.h"

PhoneCallRecording phone_call_get_recording (PhoneCall *call) { return call->tape.state; }
const char *phone_call_get_recording_id (PhoneCall *call) { return call->tape.id ? call->tape.id : ""; }

gboolean
phone_call_can_record (PhoneCall *call)
{
  return phone_call_is_established (call) && call->media
         && !phone_call_is_machines (call)
         && (call->tape.state == PHONE_CALL_RECORDING_OFF || call->tape.state == PHONE_CALL_RECORDING_PAUSED);
}

/* ---- what the tape asks of a call ---- */

static PhoneRecording *
describe (gpointer owner, PhoneRecordingKind kind)
{
  PhoneCall *call = owner;
  PhoneRecording *recording;

  if (!call->media || phone_call_is_ended (call))
    return NULL;
  recording = phone_recording_new (kind);
  g_free (recording->account);
  g_free (recording->call_id);
  g_free (recording->remote_uri);
  g_free (recording->remote_name);
  /* One message for a call: its id is the one that the history has. */
  if (kind == PHONE_RECORDING_VOICEMAIL)
    {
      g_free (recording->id);
      recording->id = g_strdup (call->id);
    }
  recording->account = g_strdup (phone_account_get_id (call->account));
  recording->call_id = g_strdup (call->id);
  recording->remote_uri = g_strdup (*call->asserted_id ? call->asserted_id : call->remote_uri);
  recording->remote_name = g_strdup (call->remote_name);
  recording->outgoing = call->direction == PHONE_CALL_OUTGOING;
  return recording;
}

static gboolean
start (gpointer owner, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  PhoneCall *call = owner;

  return phone_registry_get_ports (call->registry)->media->record_start (call->media, sink, params, error);
}

static void
pause_it (gpointer owner, gboolean paused)
{
  PhoneCall *call = owner;

  if (call->media)
    phone_registry_get_ports (call->registry)->media->record_pause (call->media, paused);
}

static void
stop (gpointer owner)
{
  PhoneCall *call = owner;

  if (call->media)
    phone_registry_get_ports (call->registry)->media->record_stop (call->media);
}

static void
changed (gpointer owner)
{
  phone_call_emit_changed (owner, PHONE_CALL_FIELD_RECORDING | PHONE_CALL_FIELD_STATE);
  phone_call_tell_recording (owner);
}

static void
started (gpointer owner, const GError *error)
{
  PhoneCall *call = owner;

  phone_call_fire (call, &call->record_waiter, error);
}

static const PhoneTapeOps tape_ops = { "call", describe, start, pause_it, stop, changed, started };

void
phone_call_recording_init (PhoneCall *call)
{
  phone_tape_init (&call->tape, &tape_ops, call, call->registry, call->number, &call->log);
}

/* ---- what the two sides tell each other (RFC 7866) ----
 *
 * Whatever is offered or answered has the mark. When it changes in between, a peer that said record-aware gets an offer for it, if the setting
 * wants that; any other hears the tone, and is left alone. */

static PhoneRecordMark
mark_of (PhoneCallRecording state)
{
  switch (state)
    {
    case PHONE_CALL_RECORDING_OFF:
    case PHONE_CALL_RECORDING_PREPARING:
      return PHONE_RECORD_MARK_NONE;
    case PHONE_CALL_RECORDING_RUNNING:
      return PHONE_RECORD_MARK_ON;
    case PHONE_CALL_RECORDING_PAUSED:
      return PHONE_RECORD_MARK_PAUSED;
    }
  g_assert_not_reached ();
}

PhoneRecordMark
phone_call_record_mark (PhoneCall *call)
{
  PhoneRecordMark own = mark_of (call->tape.state);
  PhoneRecordMark all = call->conference ? mark_of (phone_conference_get_recording (call->conference)) : PHONE_RECORD_MARK_NONE;
  PhoneRecordMark mark = own == PHONE_RECORD_MARK_ON || all == PHONE_RECORD_MARK_ON ? PHONE_RECORD_MARK_ON : MAX (own, all);

  if (phone_registry_get_settings (call->registry)->record_signal == PHONE_RECORD_SIGNAL_OFF)
    return PHONE_RECORD_MARK_NONE;
  if (mark == PHONE_RECORD_MARK_NONE && call->record_told != PHONE_RECORD_MARK_NONE)
    mark = PHONE_RECORD_MARK_OFF;
  return mark;
}

void
phone_call_tell_recording (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (phone_registry_get_settings (call->registry)->record_signal != PHONE_RECORD_SIGNAL_ALWAYS || !call->record_aware || phone_call_is_ended (call) || phone_call_is_machines (call) || phone_call_record_mark (call) == call->record_told)
    return;
  if (!phone_call_offer_paths (call, &error))
    phone_log_warning (&call->log, "Call %u: the peer is not told of the recording: %s", call->number, error->message);
}

void
phone_call_on_record_aware (PhoneCall *call)
{
  call->record_aware = TRUE;
}

void
phone_call_note_remote_record (PhoneCall *call, const PhoneMediaDesc *remote)
{
  if (call->remote_record == remote->record)
    return;
  call->remote_record = remote->record;
  phone_log_notice (&call->log, "Call %u: the peer says of recording: %s", call->number,
                    phone_record_mark_to_string (remote->record));
  phone_call_emit_changed (call, PHONE_CALL_FIELD_REMOTE_RECORDING);
}

/* ---- actions ---- */

gboolean
phone_call_record (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error)
{
  if (!phone_tape_check (&call->tape, error))
    return FALSE;
  if (!phone_call_can_record (call))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is %s: cannot record it", call->number,
                   phone_call_state_to_string (call->state));
      return FALSE;
    }
  call->record_waiter = (CallWaiter){ done, data };
  phone_tape_start (&call->tape);
  return TRUE;
}

gboolean
phone_call_record_pause (PhoneCall *call, GError **error)
{
  return phone_tape_pause (&call->tape, error);
}

gboolean
phone_call_record_stop (PhoneCall *call, GError **error)
{
  return phone_tape_stop (&call->tape, error);
}

/* ---- messages ---- */

gboolean
phone_call_message_start (PhoneCall *call, guint quiet_ms, GError **error)
{
  if (!phone_tape_start_message (&call->tape, quiet_ms, error))
    return FALSE;
  call->message_kept = TRUE;
  return TRUE;
}

/* Who hangs up at the tone has left no message. */
void
phone_call_message_stop (PhoneCall *call, const char *why)
{
  guint seconds = phone_registry_get_settings (call->registry)->voicemail_least;

  if (call->tape.state == PHONE_CALL_RECORDING_OFF)
    return;
  if (call->message_kept && g_get_monotonic_time () - call->message_start < (gint64) seconds * G_USEC_PER_SEC)
    {
      call->message_kept = FALSE;
      phone_registry_discard_recording (call->registry, call->tape.id);
    }
  phone_tape_end (&call->tape, why);
}

/* ---- events ---- */

static gboolean
rule_says_so (PhoneCall *call)
{
  const PhoneDaemonSettings *settings = phone_registry_get_settings (call->registry);

  switch (phone_account_get_settings (call->account)->record)
    {
    case PHONE_RECORD_NEVER:
      return FALSE;
    case PHONE_RECORD_ALL:
      return TRUE;
    case PHONE_RECORD_INCOMING:
      if (call->direction == PHONE_CALL_INBOUND)
        return TRUE;
      break;
    case PHONE_RECORD_OUTGOING:
      if (call->direction == PHONE_CALL_OUTGOING)
        return TRUE;
      break;
    case PHONE_RECORD_ON_DEMAND:
      break;
    }
  return phone_number_list_matches (settings->record_numbers, *call->asserted_id ? call->asserted_id : call->remote_uri);
}

void
phone_call_recording_answered (PhoneCall *call)
{
  g_autoptr (GError) error = NULL;

  if (call->machine == PHONE_MACHINE_ANSWERING)
    {
      phone_call_machine_answered (call);
      return;
    }
  if (phone_registry_get_ports (call->registry)->vault && rule_says_so (call) && !phone_call_record (call, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u is not recorded: %s", call->number, error->message);
}

void
phone_call_recording_ended (PhoneCall *call)
{
  phone_tape_end (&call->tape, "the call ends");
}

void
phone_call_on_recording_failed (PhoneCall *call, const GError *error)
{
  phone_log_warning (&call->log, "Call %u: the recording ends early: %s", call->number, error->message);
  phone_tape_end (&call->tape, "failed");
  phone_call_machine_recording_failed (call);
}
