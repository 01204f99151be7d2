/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-mix.h"

#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define CEILING 32767
#define ATTACK 48               /* samples over which the gain falls: 1 ms */
#define RELEASE 0.012f          /* of full gain, each frame: all of it in 0.8 s */

void
media_mix_init (MediaMix *mix)
{
  memset (mix, 0, sizeof *mix);
  media_limiter_init (&mix->limiter);
}

void
media_mix_begin (MediaMix *mix)
{
  mix->n = 0;
}

void
media_mix_add (MediaMix *mix, const gint16 *frame)
{
  if (mix->n++ == 0)
    for (guint i = 0; i < MEDIA_FRAME; i++)
      mix->sum[i] = frame[i];
  else
    for (guint i = 0; i < MEDIA_FRAME; i++)
      mix->sum[i] += frame[i];
}

void
media_mix_add_sum (MediaMix *mix, const gint32 *sum, float *gain, float target)
{
  float from = *gain;

  *gain = target;
  if (from == 0 && target == 0)
    return;
  if (mix->n++ == 0)
    memset (mix->sum, 0, sizeof mix->sum);
  if (from == 1 && target == 1)
    for (guint i = 0; i < MEDIA_FRAME; i++)
      mix->sum[i] += sum[i];
  else
    for (guint i = 0; i < MEDIA_FRAME; i++)
      mix->sum[i] += (gint32) lrintf (sum[i] * (from + (target - from) * (i + 1) / MEDIA_FRAME));
}

void
media_mix_end (MediaMix *mix, gint16 *ret_frame)
{
  if (mix->n > 0)
    {
      media_limit (&mix->limiter, mix->sum, ret_frame);
      return;
    }
  memset (ret_frame, 0, MEDIA_FRAME * sizeof *ret_frame);
  mix->limiter.gain = MIN (mix->limiter.gain + RELEASE, 1);
}

void
media_limiter_init (MediaLimiter *limiter)
{
  limiter->gain = 1;
}

void
media_limit (MediaLimiter *limiter, const gint32 *sum, gint16 *ret_frame)
{
  float from = limiter->gain, to;
  gint32 peak = 0;
  guint ramp;

  for (guint i = 0; i < MEDIA_FRAME; i++)
    peak = MAX (peak, ABS (sum[i]));
  to = MIN (from + RELEASE, 1);
  /* -32768 alone is no overload. */
  if (peak > CEILING + 1)
    to = MIN (to, (float) CEILING / peak);
  ramp = to < from ? ATTACK : MEDIA_FRAME;
  limiter->gain = to;
  if (from == 1 && to == 1)
    {
      for (guint i = 0; i < MEDIA_FRAME; i++)
        ret_frame[i] = (gint16) MIN (sum[i], G_MAXINT16);
      return;
    }

  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      float gain = i < ramp ? from + (to - from) * (i + 1) / ramp : to;
      gint32 value = gain < 1 ? (gint32) lrintf (sum[i] * gain) : sum[i];

      ret_frame[i] = (gint16) CLAMP (value, G_MININT16, G_MAXINT16);
    }
}

void
media_meter_reset (MediaMeter *meter)
{
  atomic_store_explicit (&meter->power, 0, memory_order_relaxed);
}

void
media_meter_add (MediaMeter *meter, const gint16 *frame)
{
  float before = atomic_load_explicit (&meter->power, memory_order_relaxed), power = 0;

  for (guint i = 0; i < MEDIA_FRAME; i += 8)
    {
      gint64 sum = 0;           /* 8 * 2^30 */

      for (guint k = 0; k < 8; k++)
        sum += frame[i + k] * frame[i + k];
      power += (float) sum;
    }
  power = power / MEDIA_FRAME / (32768.f * 32768.f);
  atomic_store_explicit (&meter->power, before + (power - before) * (MEDIA_FRAME_MS / 100.f), memory_order_relaxed);
}

double
media_meter_get (MediaMeter *meter)
{
  return CLAMP (10 * log10 (atomic_load_explicit (&meter->power, memory_order_relaxed) + 1e-13), -127, 0);
}

void
media_fade (gint16 *frame, float *gain, float target)
{
  float from = *gain;

  if (from == 1 && target == 1)
    return;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = (gint16) lrintf (frame[i] * (from + (target - from) * (i + 1) / MEDIA_FRAME));
  *gain = target;
}
