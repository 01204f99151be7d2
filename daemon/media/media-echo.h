/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The linear part of echo cancellation: how the loudspeaker sounds at the microphone is learnt, and taken away. Pure: frames and nothing
 * else; one thread. */

#include "media/media-types.h"

typedef struct _MediaEcho MediaEcho;

#define MEDIA_ECHO_BINS (MEDIA_FRAME + 1)       /* of a spectrum over two frames: 0 to 24 kHz in steps of 50 Hz */

typedef struct
{
  float out[MEDIA_FRAME];       /* the microphone without the echo */
  float echo[MEDIA_FRAME];      /* what was taken away */
  float doubt[MEDIA_ECHO_BINS]; /* power of the echo that is likely left, scaled as a spectrum of one frame, unnormalised */
  gboolean active;              /* something was played lately: there may be an echo */
} MediaEchoFrame;

MediaEcho *media_echo_new (void);
void media_echo_free (MediaEcho *echo);
/* far: what goes to the loudspeaker in this tick; near: what the microphone gave in this tick. */
void media_echo_process (MediaEcho *echo, const gint16 *far, const gint16 *near, MediaEchoFrame *ret_frame);
/* From the coming frame on the microphone is that many samples earlier (its buffer was cut) or, negative, later (a piece was repeated). */
void media_echo_shift (MediaEcho *echo, gint samples);
/* Another device: nothing is known any more. */
void media_echo_reset (MediaEcho *echo);
