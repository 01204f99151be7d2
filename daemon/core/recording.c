/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/recording.h"

PhoneRecording *
phone_recording_new (PhoneRecordingKind kind)
{
  PhoneRecording *recording = g_new0 (PhoneRecording, 1);

  recording->id = g_uuid_string_random ();
  recording->kind = kind;
  recording->start = g_get_real_time () / G_USEC_PER_SEC;
  recording->account = g_strdup ("");
  recording->call_id = g_strdup ("");
  recording->remote_uri = g_strdup ("");
  recording->remote_name = g_strdup ("");
  return recording;
}

PhoneRecording *
phone_recording_copy (const PhoneRecording *recording)
{
  PhoneRecording *copy = g_memdup2 (recording, sizeof *recording);

  copy->id = g_strdup (recording->id);
  copy->account = g_strdup (recording->account);
  copy->call_id = g_strdup (recording->call_id);
  copy->remote_uri = g_strdup (recording->remote_uri);
  copy->remote_name = g_strdup (recording->remote_name);
  return copy;
}

void
phone_recording_free (PhoneRecording *recording)
{
  if (!recording)
    return;
  g_free (recording->id);
  g_free (recording->account);
  g_free (recording->call_id);
  g_free (recording->remote_uri);
  g_free (recording->remote_name);
  g_free (recording);
}
