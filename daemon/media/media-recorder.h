/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Records a call: what we send on the left, what the peer says on the right, as Opus in Ogg, into a PhoneByteSink. The hub's thread only
 * copies into two rings; a thread of the recorder's own encodes and writes, and brings every half second of sound to the disk. A disk that is too
 * slow costs a gap in the recording, never a late tick. */

#include "core/ports.h"
#include "media/media-taps.h"

typedef struct _MediaRecorder MediaRecorder;

/* Once at most, on the recorder's thread, and not after media_recorder_stop() has returned. */
typedef void (*MediaRecorderFailed) (const char *message, gpointer data);

/* Takes the sink over (also on failure, when it is closed as incomplete). announce: the peer hears a tone of 1400 Hz and half a second every
 * 15 seconds, and so does the recording. */
MediaRecorder *media_recorder_new (MediaTaps *taps, PhoneByteSink *sink, gboolean announce, MediaRecorderFailed failed, gpointer data,
                                   GError **error);
/* What is said meanwhile is left out, and the tone rests. */
void media_recorder_set_paused (MediaRecorder *recorder, gboolean paused);
/* Returns at once; the end is written, and the sink closed, behind its back. Accepts NULL. */
void media_recorder_stop (MediaRecorder *recorder);
