/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records a call: what we send on the left, what the peer says on the right, or a message: what the peer says after a tone; as Opus in Ogg or as WAV,
 * into a PhoneByteSink. The hub's thread only copies into two rings; a thread of the recorder's own encodes and writes, and brings every half second of sound to the disk. A disk that is too
 * slow costs a gap in the recording, never a late tick. */

#include "core/ports.h"
#include "media/media-taps.h"

typedef struct _MediaRecorder MediaRecorder;

/* Each once at most, and not after media_recorder_stop() has returned; may be NULL. */
typedef struct
{
  void (*failed) (const char *message, gpointer data);          /* on the recorder's thread */
  void (*quiet) (gpointer data);        /* on the hub's */
} MediaRecorderEvents;

/* Takes the sink over (also on failure, when it is closed as incomplete). The tone of an announcement has 1400 Hz and half a second, and is in
 * the recording too, as is the prompt that may stand for it; that before a message has 1000 Hz and is not. */
MediaRecorder *media_recorder_new (MediaTaps *taps, PhoneByteSink *sink, const PhoneRecordParams *params,
                                   const MediaRecorderEvents *events, gpointer data, GError **error);
/* What is said meanwhile is left out, and the tone rests. */
void media_recorder_set_paused (MediaRecorder *recorder, gboolean paused);
/* Returns at once; the end is written, and the sink closed, behind its back. Accepts NULL. */
void media_recorder_stop (MediaRecorder *recorder);
