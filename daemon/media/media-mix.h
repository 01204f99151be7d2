/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arithmetic on frames: sums that do not wrap, a limiter in place of clipping, levels. Pure. */

#include "media/media-types.h"

typedef struct
{
  float gain;                   /* at the end of the last frame */
} MediaLimiter;

void media_limiter_init (MediaLimiter *limiter);
/* MEDIA_FRAME sums as samples. Below full scale they are exact to the bit; above, the gain goes down at once and comes back within a second. */
void media_limit (MediaLimiter *limiter, const gint32 *sum, gint16 *ret_frame);

typedef struct
{
  gint32 sum[MEDIA_FRAME];
  guint n;                      /* frames added */
  MediaLimiter limiter;
} MediaMix;

void media_mix_init (MediaMix *mix);
void media_mix_begin (MediaMix *mix);
void media_mix_add (MediaMix *mix, const gint16 *frame);
/* A sum that was made elsewhere; its gain goes from gain to target over the frame. */
void media_mix_add_sum (MediaMix *mix, const gint32 *sum, float *gain, float target);
void media_mix_end (MediaMix *mix, gint16 *ret_frame);

/* A level meter with a time constant of 100 ms. One thread adds, any may read: logarithms are for those who want to know. */
typedef struct
{
  _Atomic float power;          /* mean square, full scale 1 */
} MediaMeter;

void media_meter_reset (MediaMeter *meter);
void media_meter_add (MediaMeter *meter, const gint16 *frame);
double media_meter_get (MediaMeter *meter);                             /* dBFS now (RMS), -127..0 */

/* Goes from gain to target over the frame, so that muting does not click. */
void media_fade (gint16 *frame, float *gain, float target);
