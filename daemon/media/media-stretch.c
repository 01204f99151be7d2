/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-stretch.h"

#include <math.h>
#include <string.h>

/* The search goes over every fourth lag on the signal averaged to 12 kHz, where voices have all that tells lags apart, and then over the
 * lags around the best at the full rate. */

#define COARSE 4
#define COARSE_FADE (MEDIA_STRETCH_FADE / COARSE)
#define COARSE_MAX ((MEDIA_STRETCH_MAX + MEDIA_STRETCH_FADE) / COARSE + 1)

static double
correlate (const gint16 *a, const gint16 *b)
{
  gint64 cross = 0, power_a = 1, power_b = 1;

  for (guint i = 0; i < MEDIA_STRETCH_FADE; i++)
    {
      cross += a[i] * b[i];
      power_a += a[i] * a[i];
      power_b += b[i] * b[i];
    }
  return (double) cross / sqrt ((double) power_a * (double) power_b);
}

static double
correlate_coarse (const float *a, const float *b)
{
  float cross = 0, power_a = 1, power_b = 1;

  for (guint i = 0; i < COARSE_FADE; i++)
    {
      cross += a[i] * b[i];
      power_a += a[i] * a[i];
      power_b += b[i] * b[i];
    }
  return cross / sqrtf (power_a * power_b);
}

static void
average (const gint16 *pcm, guint n, float *ret)
{
  for (guint i = 0; i < n; i++)
    ret[i] = (float) (pcm[i * COARSE] + pcm[i * COARSE + 1] + pcm[i * COARSE + 2] + pcm[i * COARSE + 3]);
}

double
media_stretch_match (const gint16 *pcm, int lowest, int highest, int *ret_lag)
{
  float here[COARSE_FADE], there[COARSE_MAX];
  int span = (highest - lowest) / COARSE, best = lowest, coarse_best;
  double best_score = -2;

  g_return_val_if_fail (lowest <= highest && highest - lowest <= MEDIA_STRETCH_MAX, -1);

  average (pcm, COARSE_FADE, here);
  average (pcm + lowest, (guint) span + COARSE_FADE, there);
  for (int i = 0; i <= span; i++)
    {
      double score = correlate_coarse (here, there + i);

      if (score > best_score)
        {
          best_score = score;
          best = lowest + i * COARSE;
        }
    }
  coarse_best = best;
  best_score = -2;
  for (int lag = MAX (lowest, coarse_best - COARSE + 1); lag <= MIN (highest, coarse_best + COARSE - 1); lag++)
    {
      double score = correlate (pcm, pcm + lag);

      if (score > best_score)
        {
          best_score = score;
          best = lag;
        }
    }
  *ret_lag = best;
  return best_score;
}

void
media_stretch_fade (gint16 *to, const gint16 *from, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      float w = 0.5f - 0.5f * cosf ((float) G_PI * (i + 0.5f) / n);

      to[i] = (gint16) lrintf ((1 - w) * from[i] + w * to[i]);
    }
}

guint
media_stretch_jump (gint16 *pcm, guint n, int lag)
{
  gint16 joint[MEDIA_STRETCH_FADE];

  memcpy (joint, pcm + lag, sizeof joint);
  media_stretch_fade (joint, pcm, MEDIA_STRETCH_FADE);
  memmove (pcm + MEDIA_STRETCH_FADE, pcm + lag + MEDIA_STRETCH_FADE, (guint) ((int) n - lag - MEDIA_STRETCH_FADE) * sizeof pcm[0]);
  memcpy (pcm, joint, sizeof joint);
  return (guint) ((int) n - lag);
}
