/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recording a call: on demand or because a rule says so, into a sealed file that storage makes. The key may have to be made first, and that
 * may take a keyring some time; so a recording is off, being prepared, running or paused. It ends with the call. */

#include "core/call-private.h"
#include "core/number-list.h"

PhoneCallRecording phone_call_get_recording (PhoneCall *call) { return call->recording; }
const char *phone_call_get_recording_id (PhoneCall *call) { return call->recording_id ? call->recording_id : ""; }

gboolean
phone_call_can_record (PhoneCall *call)
{
  return (call->state == PHONE_CALL_ACTIVE || call->state == PHONE_CALL_HELD) && call->media
         && (call->recording == PHONE_CALL_RECORDING_OFF || call->recording == PHONE_CALL_RECORDING_PAUSED);
}

static void
set_recording (PhoneCall *call, PhoneCallRecording recording, const char *why)
{
  if (call->recording == recording)
    return;
  phone_log_notice (&call->log, "Call %u: recording %s -> %s (%s)", call->number, phone_call_recording_to_string (call->recording),
                    phone_call_recording_to_string (recording), why);
  call->recording = recording;
  phone_call_emit_changed (call, PHONE_CALL_FIELD_RECORDING | PHONE_CALL_FIELD_STATE);
}

static PhoneRecording *
describe (PhoneCall *call)
{
  PhoneRecording *recording = phone_recording_new (PHONE_RECORDING_CALL);

  g_free (recording->account);
  g_free (recording->call_id);
  g_free (recording->remote_uri);
  g_free (recording->remote_name);
  recording->account = g_strdup (phone_account_get_id (call->account));
  recording->call_id = g_strdup (call->id);
  recording->remote_uri = g_strdup (*call->asserted_id ? call->asserted_id : call->remote_uri);
  recording->remote_name = g_strdup (call->remote_name);
  recording->outgoing = call->direction == PHONE_CALL_OUTGOING;
  return recording;
}

static gboolean
start (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  const PhoneDaemonSettings *settings = phone_registry_get_settings (call->registry);
  g_autoptr (PhoneRecording) recording = describe (call);
  PhoneByteSink *sink;

  if (!call->media || phone_call_is_ended (call))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Call %u has ended", call->number);
      return FALSE;
    }
  sink = ports->vault->create (ports->vault_data, recording, error);
  if (!sink || !ports->media->record_start (call->media, sink, settings->record_announce, error))
    return FALSE;
  g_free (call->recording_id);
  call->recording_id = g_strdup (recording->id);
  return TRUE;
}

/* ---- the key ---- */

static void
on_prepared (const GError *error, gpointer data)
{
  g_autoptr (PhoneCall) call = data;
  g_autoptr (GError) local = NULL;

  if (call->recording != PHONE_CALL_RECORDING_PREPARING)
    return;                             /* stopped meanwhile, which has told whoever waited */
  if (!error && !start (call, &local))
    error = local;
  if (error)
    phone_log_warning (&call->log, "Call %u is not recorded: %s", call->number, error->message);
  set_recording (call, error ? PHONE_CALL_RECORDING_OFF : PHONE_CALL_RECORDING_RUNNING, error ? "failed" : "started");
  phone_call_fire (call, &call->record_waiter, error);
}

gboolean
phone_call_record (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (!ports->vault)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "This daemon has no storage for recordings");
  else if (call->recording == PHONE_CALL_RECORDING_PREPARING)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "Call %u: the recording is starting already", call->number);
  else if (call->recording == PHONE_CALL_RECORDING_RUNNING)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is being recorded already", call->number);
  else if (!phone_call_can_record (call))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is %s: cannot record it", call->number,
                 phone_call_state_to_string (call->state));
  else if (call->recording == PHONE_CALL_RECORDING_PAUSED)
    {
      CallWaiter waiter = { done, data };

      ports->media->record_pause (call->media, FALSE);
      set_recording (call, PHONE_CALL_RECORDING_RUNNING, "resumed");
      phone_call_fire (call, &waiter, NULL);
      return TRUE;
    }
  else
    {
      call->record_waiter = (CallWaiter){ done, data };
      set_recording (call, PHONE_CALL_RECORDING_PREPARING, "asked for");
      ports->vault->prepare (ports->vault_data, on_prepared, g_object_ref (call));
      return TRUE;
    }
  return FALSE;
}

gboolean
phone_call_record_pause (PhoneCall *call, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (call->recording != PHONE_CALL_RECORDING_RUNNING || !call->media)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is not being recorded", call->number);
      return FALSE;
    }
  ports->media->record_pause (call->media, TRUE);
  set_recording (call, PHONE_CALL_RECORDING_PAUSED, "paused");
  return TRUE;
}

static void
stop (PhoneCall *call, const char *why)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) stopped = NULL;

  if (call->recording == PHONE_CALL_RECORDING_OFF)
    return;
  if (call->media)
    ports->media->record_stop (call->media);
  set_recording (call, PHONE_CALL_RECORDING_OFF, why);
  stopped = g_error_new (PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The recording of call %u was stopped before it began", call->number);
  phone_call_fire (call, &call->record_waiter, stopped);
}

gboolean
phone_call_record_stop (PhoneCall *call, GError **error)
{
  if (call->recording == PHONE_CALL_RECORDING_OFF)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u is not being recorded", call->number);
      return FALSE;
    }
  stop (call, "asked for");
  return TRUE;
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

  if (phone_registry_get_ports (call->registry)->vault && rule_says_so (call) && !phone_call_record (call, NULL, NULL, &error))
    phone_log_warning (&call->log, "Call %u is not recorded: %s", call->number, error->message);
}

void
phone_call_recording_ended (PhoneCall *call)
{
  stop (call, "the call ends");
}

void
phone_call_on_recording_failed (PhoneCall *call, const GError *error)
{
  phone_log_warning (&call->log, "Call %u: the recording ends early: %s", call->number, error->message);
  stop (call, "failed");
}
