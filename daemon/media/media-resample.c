/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-resample.h"

#include <math.h>
#include <string.h>

/* The prototype low-pass runs at 48 kHz. For 8 kHz it passes 3.3 kHz and stops from 4.5 kHz: what folds back lies above the telephone
 * band, and the shorter filter saves 3 ms against one that is already shut at 4 kHz. For 16 kHz: 6.8 to 8.6 kHz.
 *
 * Kaiser's window and the estimate of its length: Oppenheim, Schafer, Discrete-Time Signal Processing, section 7.5. */

#define MAX_TAPS 152
#define CHUNK 480
#define KAISER_BETA 5.65        /* 60 dB */

struct _MediaResampler
{
  guint factor, n_taps;         /* taps of the prototype */
  gboolean up;
  guint n_phase;                /* taps per phase: n_taps when going down, n_taps / factor (rounded up) when going up */
  float taps[6][MAX_TAPS];      /* [phase], in reversed order: taps[0] meets the oldest sample */
  float history[MAX_TAPS + CHUNK];
};

static double
bessel_i0 (double x)
{
  double sum = 1, term = 1;

  for (int k = 1; k < 40; k++)
    {
      term *= (x / (2 * k)) * (x / (2 * k));
      sum += term;
    }
  return sum;
}

static void
design (double *ret_taps, guint n_taps, double cutoff)
{
  double middle = (n_taps - 1) / 2.0, sum = 0;

  for (guint i = 0; i < n_taps; i++)
    {
      double t = i - middle, w = t / middle;
      double sinc = t == 0 ? 2 * cutoff : sin (2 * G_PI * cutoff * t) / (G_PI * t);

      ret_taps[i] = sinc * bessel_i0 (KAISER_BETA * sqrt (1 - w * w)) / bessel_i0 (KAISER_BETA);
      sum += ret_taps[i];
    }
  for (guint i = 0; i < n_taps; i++)
    ret_taps[i] /= sum;
}

MediaResampler *
media_resampler_new (guint factor, gboolean up)
{
  MediaResampler *resampler;
  double prototype[MAX_TAPS] = { 0 };

  g_return_val_if_fail (factor == 3 || factor == 6, NULL);

  resampler = g_new0 (MediaResampler, 1);
  resampler->factor = factor;
  resampler->up = up;
  resampler->n_taps = factor == 6 ? 145 : 91;
  design (prototype, resampler->n_taps, (factor == 6 ? 3900.0 : 7700.0) / MEDIA_RATE);

  /* Phases are padded to a multiple of 4 with zeros at the old end, so that the inner loop needs no remainder. */
  if (!up)
    {
      resampler->n_phase = (resampler->n_taps + 3) / 4 * 4;
      for (guint i = 0; i < resampler->n_taps; i++)
        resampler->taps[0][resampler->n_phase - 1 - i] = (float) prototype[i];
    }
  else
    {
      resampler->n_phase = ((resampler->n_taps + factor - 1) / factor + 3) / 4 * 4;
      for (guint i = 0; i < resampler->n_taps; i++)
        resampler->taps[i % factor][resampler->n_phase - 1 - i / factor] = (float) (prototype[i] * factor);
    }
  return resampler;
}

guint
media_resampler_delay (const MediaResampler *resampler)
{
  return (resampler->n_taps - 1) / 2;
}

static gint16
dot (const float *taps, const float *samples, guint n)
{
  float a = 0, b = 0, c = 0, d = 0;

  for (guint i = 0; i < n; i += 4)
    {
      a += taps[i] * samples[i];
      b += taps[i + 1] * samples[i + 1];
      c += taps[i + 2] * samples[i + 2];
      d += taps[i + 3] * samples[i + 3];
    }
  return (gint16) lrintf (CLAMP ((a + b) + (c + d), -32768.0f, 32767.0f));
}

guint
media_resampler_run (MediaResampler *resampler, const gint16 *in, guint n_in, gint16 *ret_out)
{
  guint keep = resampler->n_phase - 1, written = 0;

  g_return_val_if_fail (resampler->up || n_in % resampler->factor == 0, 0);

  while (n_in > 0)
    {
      guint n = MIN (n_in, CHUNK);

      for (guint i = 0; i < n; i++)
        resampler->history[keep + i] = in[i];

      if (resampler->up)
        {
          for (guint i = 0; i < n; i++)
            for (guint phase = 0; phase < resampler->factor; phase++)
              ret_out[written++] = dot (resampler->taps[phase], resampler->history + i, resampler->n_phase);
        }
      else
        {
          /* The first sample of a group yields the output: group delay counts from it. */
          for (guint i = 0; i < n; i += resampler->factor)
            ret_out[written++] = dot (resampler->taps[0], resampler->history + i, resampler->n_phase);
        }

      memmove (resampler->history, resampler->history + n, keep * sizeof (float));
      in += n;
      n_in -= n;
    }
  return written;
}

gsize
media_resampler_size (void)
{
  return sizeof (MediaResampler);
}

void
media_resampler_free (MediaResampler *resampler)
{
  g_free (resampler);
}
