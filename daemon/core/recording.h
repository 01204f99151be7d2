/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known of one recording without opening it: the value that storage keeps beside the sealed sound, and that clients see in lists. */

#include "util/phone-enum.h"

#define PHONE_RECORDING_KIND_LIST(X) \
  X (PHONE_RECORDING_CALL, "call") X (PHONE_RECORDING_VOICEMAIL, "voicemail") \
  X (PHONE_RECORDING_CONFERENCE, "conference")
PHONE_DECLARE_ENUM (PhoneRecordingKind, phone_recording_kind, PHONE_RECORDING_KIND_LIST)

/* cut-off: the daemon, the disk or the machine stopped in the middle; what was written until then can be played. */
#define PHONE_RECORDING_STATE_LIST(X) \
  X (PHONE_RECORDING_RUNNING, "running") X (PHONE_RECORDING_WHOLE, "whole") X (PHONE_RECORDING_CUT_OFF, "cut-off")
PHONE_DECLARE_ENUM (PhoneRecordingState, phone_recording_state, PHONE_RECORDING_STATE_LIST)

#define PHONE_RECORDING_FORMAT_LIST(X) \
  X (PHONE_RECORDING_FORMAT_OPUS, "opus")       /* in Ogg */ \
  X (PHONE_RECORDING_FORMAT_WAV, "wav")         /* 48 kHz, 16 bit */
PHONE_DECLARE_ENUM (PhoneRecordingFormat, phone_recording_format, PHONE_RECORDING_FORMAT_LIST)

/* Strings owned; never NULL in one that storage gives out. */
typedef struct
{
  char *id;                     /* UUID */
  PhoneRecordingKind kind;
  PhoneRecordingState state;
  PhoneRecordingFormat format;
  char *account, *call_id;      /* ids */
  gboolean outgoing;
  char *remote_uri, *remote_name;
  gint64 start;                 /* Unix s */
  guint64 ms;                   /* length; 0: unknown */
  guint64 octets;               /* on the disk */
  gboolean heard;
} PhoneRecording;

PhoneRecording *phone_recording_new (PhoneRecordingKind kind);  /* with an id, beginning now; other strings "" */
PhoneRecording *phone_recording_copy (const PhoneRecording *recording);
void phone_recording_free (PhoneRecording *recording);          /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneRecording, phone_recording_free)
