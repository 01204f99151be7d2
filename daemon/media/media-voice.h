/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is done to a microphone before anybody hears it: the echo of the loudspeaker, steady noise and the distance of the mouth are taken
 * out. Pure; one thread. What is switched on delays the voice by MEDIA_VOICE_DELAY samples (but gain control alone by nothing). */

#include "media/media-types.h"

#define MEDIA_VOICE_DELAY MEDIA_FRAME

typedef struct
{
  gboolean echo, noise, gain;
} MediaVoiceParts;

typedef struct _MediaVoice MediaVoice;

MediaVoice *media_voice_new (void);
void media_voice_free (MediaVoice *voice);
void media_voice_set_parts (MediaVoice *voice, MediaVoiceParts parts);
/* far: what goes to the loudspeaker in this tick. near: what the microphone gave; replaced. */
void media_voice_process (MediaVoice *voice, const gint16 *far, gint16 *near);
/* As media_echo_shift() and media_echo_reset(). */
void media_voice_shift (MediaVoice *voice, gint samples);
void media_voice_reset (MediaVoice *voice);
