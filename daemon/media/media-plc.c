/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-plc.h"

#include <math.h>
#include <string.h>

/* Pitch: normalised cross-correlation of the last 20 ms against itself 5..15 ms earlier (66..200 Hz; higher voices repeat two or three
 * of their periods, which is as good). The first 10 ms repeat one period; after 10 ms two, after 20 ms three, because one period
 * over and over sounds like a buzzer. The gain falls by a fifth each 10 ms, and to nothing at 60 ms. Unvoiced sound has no pitch:
 * the longest lag is taken. */

#define MAX_RATE 16000
#define HISTORY_MAX (MAX_RATE * 65 / 1000)

struct _MediaPlc
{
  guint rate, ms;               /* ms: samples in one */
  guint n_history;
  gint16 history[HISTORY_MAX];  /* newest last; what was played, good or not, up to the loss */
  gint16 filled[HISTORY_MAX];   /* what was played since the loss, as much as fits; joins the history when it ends */
  guint pitch, period;          /* samples: pitch as found, and what is being repeated (1..3 of them) */
  guint phase;                  /* into the period */
  guint lost;                   /* samples concealed in a row; 0: the last were good */
  guint good;                   /* samples in the history since the loss before this one: only those are repeated at length */
  float step;                   /* jump where the repetition begins or is made longer, worn off over the next samples */
  guint stepped;                /* samples since */
};

MediaPlc *
media_plc_new (guint rate)
{
  MediaPlc *plc;

  g_return_val_if_fail (rate == 8000 || rate == 16000, NULL);
  plc = g_new0 (MediaPlc, 1);
  plc->rate = rate;
  plc->ms = rate / 1000;
  plc->n_history = plc->ms * 65;
  return plc;
}

static void
remember (MediaPlc *plc, const gint16 *pcm, guint n)
{
  if (n >= plc->n_history)
    memcpy (plc->history, pcm + n - plc->n_history, plc->n_history * sizeof (gint16));
  else
    {
      memmove (plc->history, plc->history + n, (plc->n_history - n) * sizeof (gint16));
      memcpy (plc->history + plc->n_history - n, pcm, n * sizeof (gint16));
    }
}

static double
similarity (const MediaPlc *plc, guint lag)
{
  guint window = 20 * plc->ms;
  const gint16 *now = plc->history + plc->n_history - window, *past = now - lag;
  double cross = 0, power = 1, past_power = 1;

  for (guint i = 0; i < window; i++)
    {
      cross += (double) now[i] * past[i];
      power += (double) now[i] * now[i];
      past_power += (double) past[i] * past[i];
    }
  return cross / sqrt (power * past_power);
}

static guint
find_pitch (const MediaPlc *plc)
{
  guint shortest = 5 * plc->ms, longest = 15 * plc->ms, best = longest;
  double score[15 * MAX_RATE / 1000 + 1], best_score = 0.5;     /* less is not voiced */

  for (guint lag = shortest; lag <= longest; lag++)
    {
      score[lag] = similarity (plc, lag);
      if (score[lag] > best_score)
        {
          best_score = score[lag];
          best = lag;
        }
    }
  if (best_score <= 0.5)
    return longest;
  /* A multiple of the period fits as well as the period: take the first peak that is nearly as good. */
  for (guint lag = shortest + 1; lag < best; lag++)
    if (score[lag] > best_score - 0.03 && score[lag] >= score[lag - 1] && score[lag] >= score[lag + 1])
      return lag;
  return best;
}

static float
gain_at (const MediaPlc *plc, guint lost)
{
  float ms = (float) lost / plc->ms;

  if (ms <= 10)
    return 1;
  return ms >= 60 ? 0 : 1 - (ms - 10) / 50;
}

static gint16
next_sample (MediaPlc *plc)
{
  const gint16 *end = plc->history + plc->n_history;
  guint blend = plc->pitch / 4;
  float sample = end[(int) plc->phase - (int) plc->period], last;

  /* The end of the repeated stretch runs over into what stood before its beginning: no seam when it starts again. */
  if (plc->phase + blend >= plc->period)
    {
      float w = (float) (plc->phase + blend - plc->period + 1) / (blend + 1);
      sample = (1 - w) * sample + w * end[(int) plc->phase - 2 * (int) plc->period];
    }
  if (plc->stepped < blend)
    sample += plc->step * (1 - (float) plc->stepped++ / blend);
  last = sample;
  sample *= gain_at (plc, plc->lost);
  sample = CLAMP (sample, -32768.0f, 32767.0f);
  if (plc->lost < plc->n_history)
    plc->filled[plc->lost] = (gint16) lrintf (sample);

  plc->lost = MIN (plc->lost + 1, 1u << 30);
  if (++plc->phase >= plc->period)
    {
      guint periods = plc->lost < 10 * plc->ms ? 1 : plc->lost < 20 * plc->ms ? 2 : 3;
      guint longest = MIN (plc->n_history / 2, plc->good), before = plc->period;

      while (periods > 1 && periods * plc->pitch > longest)
        periods--;
      plc->period = periods * plc->pitch;
      plc->phase = 0;
      if (plc->period != before)
        {
          plc->step = last - end[-1 - (int) plc->period];
          plc->stepped = 0;
        }
    }
  return (gint16) lrintf (sample);
}

void
media_plc_conceal (MediaPlc *plc, gint16 *ret_pcm, guint n_samples)
{
  if (plc->lost == 0)
    {
      const gint16 *end = plc->history + plc->n_history;

      plc->pitch = plc->period = find_pitch (plc);
      plc->phase = 0;
      /* The past ends with end[-1]; the repetition would have had end[-1 - pitch] there. */
      plc->step = (float) end[-1] - end[-1 - (int) plc->pitch];
      plc->stepped = 0;
    }
  for (guint i = 0; i < n_samples; i++)
    ret_pcm[i] = next_sample (plc);
}

void
media_plc_good (MediaPlc *plc, gint16 *pcm, guint n_samples)
{
  if (plc->lost > 0)
    {
      /* 4 ms and as much again for each 10 ms lost, 10 ms at most (G.711 Appendix I section I.2.7). */
      guint ms = MIN (10, 4 + 4 * (plc->lost / (10 * plc->ms)));
      guint n = MIN (n_samples, ms * plc->ms), lost = MIN (plc->lost, plc->n_history);

      for (guint i = 0; i < n; i++)
        {
          float w = (float) (i + 1) / (n + 1);
          pcm[i] = (gint16) lrintf ((1 - w) * next_sample (plc) + w * pcm[i]);
        }
      remember (plc, plc->filled, lost);
      plc->lost = 0;
      plc->good = 0;
    }
  plc->good = MIN (plc->good + n_samples, plc->n_history);
  remember (plc, pcm, n_samples);
}

gsize
media_plc_size (void)
{
  return sizeof (MediaPlc);
}

void
media_plc_free (MediaPlc *plc)
{
  g_free (plc);
}
