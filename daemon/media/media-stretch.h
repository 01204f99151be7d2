/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Time-scale modification of speech that keeps its pitch: WSOLA (Verhelst and Roelands, 1993) in single steps. A step jumps forward
 * (shorter) or back (longer) by a lag at which the signal resembles itself, and cross-fades over the jump. Pure. MEDIA_RATE. */

#include "media/media-types.h"

#define MEDIA_STRETCH_MIN 120           /* samples: 2.5 ms, a voice of 400 Hz */
#define MEDIA_STRETCH_MAX 960           /* 20 ms: 50 Hz */
#define MEDIA_STRETCH_FADE 384          /* 8 ms of overlap */

/* The lag between lowest and highest (signed, same sign, samples) at which pcm[lag ...] resembles pcm[0 ...] best over MEDIA_STRETCH_FADE
 * samples; all of that must be readable. Returns their normalised correlation, -1..1. */
double media_stretch_match (const gint16 *pcm, int lowest, int highest, int *ret_lag);

/* Cross-fades from what stands at pcm to what stands at pcm + lag and closes up the rest: n samples from pcm become n - lag. A
 * negative lag repeats samples before pcm (which must be readable) and needs room for n - lag. n is at least MEDIA_STRETCH_FADE, and lag
 * + MEDIA_STRETCH_FADE when lag is positive. */
guint media_stretch_jump (gint16 *pcm, guint n, int lag);

/* Cross-fades n samples of `from` into `to`, in place in `to`. */
void media_stretch_fade (gint16 *to, const gint16 *from, guint n);
