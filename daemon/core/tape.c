/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/tape.h"

void
phone_tape_init (PhoneTape *tape, const PhoneTapeOps *ops, gpointer owner, PhoneRegistry *registry, guint number, const PhoneLogFields *log)
{
  *tape = (PhoneTape){ .ops = ops, .owner = owner, .registry = registry, .number = number, .log = *log };
}

void
phone_tape_clear (PhoneTape *tape)
{
  g_clear_pointer (&tape->id, g_free);
}

static void
set_state (PhoneTape *tape, PhoneCallRecording state, const char *why)
{
  if (tape->state == state)
    return;
  phone_log_notice (&tape->log, "Recording of %s %u: %s -> %s (%s)", tape->ops->what, tape->number,
                    phone_call_recording_to_string (tape->state), phone_call_recording_to_string (state), why);
  tape->state = state;
  tape->ops->changed (tape->owner);
}

static gboolean
start (PhoneTape *tape, PhoneRecordingKind kind, const PhoneRecordParams *params, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (tape->registry);
  g_autoptr (PhoneRecording) recording = tape->ops->describe (tape->owner, kind);
  PhoneByteSink *sink;

  if (!recording)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "The %s %u is over", tape->ops->what, tape->number);
      return FALSE;
    }
  recording->format = params->format;
  sink = ports->vault->create (ports->vault_data, recording, error);
  if (!sink || !tape->ops->start (tape->owner, sink, params, error))
    return FALSE;
  g_free (tape->id);
  tape->id = g_strdup (recording->id);
  return TRUE;
}

/* ---- the key ---- */

typedef struct
{
  GObject *owner;               /* reference: the tape is in it */
  PhoneTape *tape;
} Preparation;

static void
on_prepared (const GError *error, gpointer data)
{
  g_autofree Preparation *preparation = data;
  g_autoptr (GObject) owner = preparation->owner;
  PhoneTape *tape = preparation->tape;
  const PhoneDaemonSettings *settings = phone_registry_get_settings (tape->registry);
  const PhoneRecordParams params = { .format = settings->record_format, .announce = settings->record_announce,
                                     .prompt = settings->record_prompt };
  g_autoptr (GError) local = NULL;

  if (tape->state != PHONE_CALL_RECORDING_PREPARING)
    return;                             /* stopped meanwhile, which has told whoever waited */
  if (!error && !start (tape, PHONE_RECORDING_CALL, &params, &local))
    error = local;
  if (error)
    phone_log_warning (&tape->log, "The %s %u is not recorded: %s", tape->ops->what, tape->number, error->message);
  set_state (tape, error ? PHONE_CALL_RECORDING_OFF : PHONE_CALL_RECORDING_RUNNING, error ? "failed" : "started");
  tape->ops->started (owner, error);
}

gboolean
phone_tape_check (PhoneTape *tape, GError **error)
{
  if (!phone_registry_get_ports (tape->registry)->vault)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "This daemon has no storage for recordings");
  else if (tape->state == PHONE_CALL_RECORDING_PREPARING)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "The recording of %s %u is starting already", tape->ops->what, tape->number);
  else if (tape->state == PHONE_CALL_RECORDING_RUNNING)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The %s %u is being recorded already", tape->ops->what, tape->number);
  else
    return TRUE;
  return FALSE;
}

void
phone_tape_start (PhoneTape *tape)
{
  const PhonePorts *ports = phone_registry_get_ports (tape->registry);
  Preparation *preparation;

  if (tape->state == PHONE_CALL_RECORDING_PAUSED)
    {
      tape->ops->pause (tape->owner, FALSE);
      set_state (tape, PHONE_CALL_RECORDING_RUNNING, "resumed");
      tape->ops->started (tape->owner, NULL);
      return;
    }
  set_state (tape, PHONE_CALL_RECORDING_PREPARING, "asked for");
  preparation = g_new (Preparation, 1);
  *preparation = (Preparation){ g_object_ref (tape->owner), tape };
  ports->vault->prepare (ports->vault_data, on_prepared, preparation);
}

gboolean
phone_tape_start_message (PhoneTape *tape, guint quiet_ms, GError **error)
{
  const PhoneRecordParams params = { .message = TRUE, .quiet_ms = quiet_ms };

  if (!start (tape, PHONE_RECORDING_VOICEMAIL, &params, error))
    return FALSE;
  set_state (tape, PHONE_CALL_RECORDING_RUNNING, "message");
  return TRUE;
}

gboolean
phone_tape_pause (PhoneTape *tape, GError **error)
{
  if (tape->state != PHONE_CALL_RECORDING_RUNNING)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The %s %u is not being recorded%s", tape->ops->what, tape->number,
                   tape->state == PHONE_CALL_RECORDING_PAUSED ? " now: its recording is paused already" : "");
      return FALSE;
    }
  tape->ops->pause (tape->owner, TRUE);
  set_state (tape, PHONE_CALL_RECORDING_PAUSED, "paused");
  return TRUE;
}

void
phone_tape_end (PhoneTape *tape, const char *why)
{
  gboolean waited = tape->state == PHONE_CALL_RECORDING_PREPARING;
  g_autoptr (GError) stopped = NULL;

  if (tape->state == PHONE_CALL_RECORDING_OFF)
    return;
  tape->ops->stop (tape->owner);
  set_state (tape, PHONE_CALL_RECORDING_OFF, why);
  if (!waited)
    return;
  stopped = g_error_new (PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The recording of %s %u was stopped before it began", tape->ops->what,
                         tape->number);
  tape->ops->started (tape->owner, stopped);
}

gboolean
phone_tape_stop (PhoneTape *tape, GError **error)
{
  if (tape->state == PHONE_CALL_RECORDING_OFF)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The %s %u is not being recorded", tape->ops->what, tape->number);
      return FALSE;
    }
  phone_tape_end (tape, "asked for");
  return TRUE;
}
