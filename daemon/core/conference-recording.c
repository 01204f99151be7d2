/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Recording a conference: we on the left, all others together on the right. What a rule records are calls, each for itself; a conference is
 * recorded on demand. It ends with the conference. */

#include "core/conference-private.h"

#define MAX_NAMES 512           /* octets of the list of members in a recording's name */

PhoneCallRecording phone_conference_get_recording (PhoneConference *conference) { return conference->tape.state; }
const char *phone_conference_get_recording_id (PhoneConference *conference) { return conference->tape.id ? conference->tape.id : ""; }

/* ---- what the tape asks of a conference ---- */

/* Who is in now; the account is that of the first. */
static PhoneRecording *
describe (gpointer owner, PhoneRecordingKind kind)
{
  PhoneConference *conference = owner;
  PhoneRecording *recording;
  GString *names;

  if (!conference->registry)
    return NULL;
  recording = phone_recording_new (PHONE_RECORDING_CONFERENCE);
  names = g_string_new (NULL);
  for (guint i = 0; i < conference->calls->len && names->len < MAX_NAMES; i++)
    {
      PhoneCall *call = conference->calls->pdata[i];

      if (i == 0)
        {
          g_free (recording->account);
          recording->account = g_strdup (phone_account_get_id (call->account));
        }
      g_string_append_printf (names, "%s%s", i ? ", " : "", *call->remote_name ? call->remote_name : call->remote_uri);
    }
  g_free (recording->call_id);
  recording->call_id = g_strdup (conference->id);
  g_free (recording->remote_name);
  recording->remote_name = g_string_free (names, FALSE);
  return recording;
}

static const PhoneMediaOps *
media (PhoneConference *conference)
{
  return phone_registry_get_ports (conference->tape.registry)->media;
}

static gboolean
start (gpointer owner, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  PhoneConference *conference = owner;

  return media (conference)->room_record_start (conference->room, sink, params, error);
}

static void
pause_it (gpointer owner, gboolean paused)
{
  PhoneConference *conference = owner;

  media (conference)->room_record_pause (conference->room, paused);
}

static void
stop (gpointer owner)
{
  PhoneConference *conference = owner;

  media (conference)->room_record_stop (conference->room);
}

static void
changed (gpointer owner)
{
  PhoneConference *conference = owner;
  g_autoptr (GPtrArray) calls = g_ptr_array_copy (conference->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);

  g_ptr_array_set_free_func (calls, g_object_unref);
  phone_conference_emit_changed (conference, PHONE_CONFERENCE_RECORDING);
  for (guint i = 0; i < calls->len; i++)
    phone_call_tell_recording (calls->pdata[i]);
}

static void
started (gpointer owner, const GError *error)
{
  PhoneConference *conference = owner;
  PhoneConferenceDone done = g_steal_pointer (&conference->record_done);

  if (done)
    done (conference, error, conference->record_data);
}

static const PhoneTapeOps tape_ops = { "conference", describe, start, pause_it, stop, changed, started };

void
phone_conference_recording_init (PhoneConference *conference)
{
  static const PhoneLogFields none = { 0 };

  phone_tape_init (&conference->tape, &tape_ops, conference, conference->registry, conference->number, &none);
}

void
phone_conference_on_recording_failed (const GError *error, gpointer data)
{
  PhoneConference *conference = data;

  phone_log_warning (NULL, "Conference %u: the recording ends early: %s", conference->number, error->message);
  phone_tape_end (&conference->tape, "failed");
}

/* ---- actions ---- */

gboolean
phone_conference_record (PhoneConference *conference, PhoneConferenceDone done, gpointer data, GError **error)
{
  if (!conference->registry)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "Conference %u is over", conference->number);
      return FALSE;
    }
  if (!phone_tape_check (&conference->tape, error))
    return FALSE;
  conference->record_done = done;
  conference->record_data = data;
  phone_tape_start (&conference->tape);
  return TRUE;
}

gboolean
phone_conference_record_pause (PhoneConference *conference, GError **error)
{
  return phone_tape_pause (&conference->tape, error);
}

gboolean
phone_conference_record_stop (PhoneConference *conference, GError **error)
{
  return phone_tape_stop (&conference->tape, error);
}
