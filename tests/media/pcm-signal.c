/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pcm-signal.h"

#include <math.h>

guint32
signal_random (SignalRandom *random)
{
  guint64 z = random->state += 0x9e3779b97f4a7c15;      /* SplitMix64 */

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (guint32) (z >> 32);
}

double
signal_uniform (SignalRandom *random)
{
  return signal_random (random) / 4294967296.0;
}

typedef struct { double a1, a2, gain, y1, y2; } Resonator;

static void
resonator_set (Resonator *r, double hz, double bandwidth)
{
  double radius = exp (-G_PI * bandwidth / MEDIA_RATE), angle = 2 * G_PI * hz / MEDIA_RATE;

  r->a1 = 2 * radius * cos (angle);
  r->a2 = -radius * radius;
  r->gain = (1 - radius) * sqrt (1 - 2 * radius * cos (2 * angle) + radius * radius);
}

static double
resonator_run (Resonator *r, double x)
{
  double y = r->gain * x + r->a1 * r->y1 + r->a2 * r->y2;

  r->y2 = r->y1;
  r->y1 = y;
  return y;
}

void
signal_speech (gint16 *ret_pcm, guint n, guint64 seed)
{
  SignalRandom random = { seed };
  Resonator formants[3] = { { 0 } };
  double pulse = 0, pitch = 110;
  guint i = 0;

  while (i < n)
    {
      gboolean pause = signal_uniform (&random) < 0.2, hiss = !pause && signal_uniform (&random) < 0.2;
      guint length = (guint) (MEDIA_RATE * (pause ? 0.1 + 0.5 * signal_uniform (&random) : 0.08 + 0.2 * signal_uniform (&random)));
      double glide = (signal_uniform (&random) - 0.5) * 60;
      double loudness = 0.5 + 0.5 * signal_uniform (&random);

      resonator_set (&formants[0], 300 + 500 * signal_uniform (&random), 80);
      resonator_set (&formants[1], 900 + 1300 * signal_uniform (&random), 120);
      resonator_set (&formants[2], hiss ? 3200 : 2300 + 600 * signal_uniform (&random), 200);
      for (guint k = 0; k < length && i < n; k++, i++)
        {
          double t = (double) k / length, shape = sin (G_PI * t), x = 0, y;

          pulse += (pitch + glide * t) / MEDIA_RATE;
          if (pulse >= 1)
            {
              pulse -= 1;
              x = 60;
            }
          if (hiss)
            x = 2 * (signal_uniform (&random) - 0.5);
          if (pause)
            x = 0;
          y = resonator_run (&formants[0], hiss ? 0 : x) + 0.7 * resonator_run (&formants[1], hiss ? 0 : x)
              + (hiss ? 3 : 0.4) * resonator_run (&formants[2], x);
          y = y * shape * loudness * 30000 + 8 * (signal_uniform (&random) - 0.5);
          ret_pcm[i] = (gint16) CLAMP (y, -32000, 32000);
        }
      pitch = CLAMP (pitch + glide, 85, 220);
    }
}

void
signal_tone (gint16 *ret_pcm, guint n, double hz, double amplitude, guint *phase)
{
  for (guint i = 0; i < n; i++)
    ret_pcm[i] = (gint16) lrint (amplitude * sin (2 * G_PI * hz * (*phase + i) / MEDIA_RATE));
  *phase += n;
}

double
signal_correlate (const gint16 *a, const gint16 *b, guint n, guint max_lag, guint *ret_lag)
{
  double best = -2;

  g_assert_cmpuint (n, >, max_lag);
  for (guint lag = 0; lag <= max_lag; lag++)
    {
      double cross = 0, power_a = 1e-9, power_b = 1e-9, c;

      for (guint i = 0; i < n - max_lag; i++)
        {
          cross += (double) a[i] * b[i + lag];
          power_a += (double) a[i] * a[i];
          power_b += (double) b[i + lag] * b[i + lag];
        }
      c = cross / sqrt (power_a * power_b);
      if (c > best)
        {
          best = c;
          if (ret_lag)
            *ret_lag = lag;
        }
    }
  return best;
}

double
signal_snr (const gint16 *a, const gint16 *b, guint n, guint lag)
{
  double cross = 0, power_a = 0, power_b = 1e-9, noise = 1e-9, gain;

  for (guint i = 0; i + lag < n; i++)
    {
      cross += (double) a[i] * b[i + lag];
      power_a += (double) a[i] * a[i];
      power_b += (double) b[i + lag] * b[i + lag];
    }
  gain = cross / power_b;
  for (guint i = 0; i + lag < n; i++)
    noise += (a[i] - gain * b[i + lag]) * (a[i] - gain * b[i + lag]);
  return 10 * log10 (power_a / noise);
}

double
signal_power_db (const gint16 *pcm, guint n)
{
  double power = 1e-9;

  for (guint i = 0; i < n; i++)
    power += (double) pcm[i] * pcm[i];
  return 10 * log10 (power / MAX (n, 1) / (32768.0 * 32768.0));
}
