/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-comfort.h"

#include <math.h>
#include "media/media-level.h"
#include "media/media-resample.h"

/* White noise through the all-pole lattice of the description at 8 kHz (the descriptions come with 8 kHz codecs), then up to 48 kHz. A
 * lattice of coefficients below 1 is stable whatever the network sent. Level: RFC 3389 section 3.1, RMS of the filter's output. */

#define MAX_ORDER 12
#define FACTOR 6
#define CHUNK (MEDIA_FRAME / FACTOR)
#define QUIETEST (-70.0)
#define LOUDEST (-45.0)         /* of what is learnt: the quietest stretch of somebody who never pauses is no background */
#define LEARN_FRAMES 300        /* the minimum of the last three seconds or so */

struct _MediaComfort
{
  gboolean described;
  double level;                 /* dBFS of the description */
  guint order;
  float reflection[MAX_ORDER], state[MAX_ORDER + 1];
  double gain;                  /* of the filter: its output power over its input power */
  guint32 random;
  MediaResampler *up;
  double lowest, lowest_now;    /* background learnt, and candidate */
  guint listened;
};

MediaComfort *
media_comfort_new (void)
{
  MediaComfort *comfort = g_new0 (MediaComfort, 1);

  comfort->random = 0x2545f491;
  comfort->gain = 1;
  comfort->lowest = QUIETEST;
  comfort->up = media_resampler_new (FACTOR, TRUE);
  return comfort;
}

void
media_comfort_describe (MediaComfort *comfort, const guint8 *payload, gsize length)
{
  double power = 1;

  if (length < 1 || payload[0] > 127)
    return;
  comfort->described = TRUE;
  comfort->level = -(double) payload[0];
  comfort->order = (guint) MIN (length - 1, MAX_ORDER);
  for (guint i = 0; i < comfort->order; i++)
    {
      /* Quantised evenly, 127 is zero (RFC 3389 section 3.2). */
      comfort->reflection[i] = ((float) payload[i + 1] - 127) * 258 / 32768;
      comfort->reflection[i] = CLAMP (comfort->reflection[i], -0.98f, 0.98f);
      power *= 1 - (double) comfort->reflection[i] * comfort->reflection[i];
    }
  comfort->gain = 1 / power;
}

void
media_comfort_listen (MediaComfort *comfort, const gint16 *pcm, guint samples)
{
  for (guint i = 0; i + MEDIA_FRAME <= samples; i += MEDIA_FRAME)
    {
      double level = media_level (pcm + i, MEDIA_FRAME);

      if (comfort->listened == 0 || level < comfort->lowest_now)
        comfort->lowest_now = level;
      if (level < comfort->lowest)
        comfort->lowest = MAX (level, QUIETEST);
      if (++comfort->listened == LEARN_FRAMES)
        {
          comfort->lowest = CLAMP (comfort->lowest_now, QUIETEST, LOUDEST);
          comfort->listened = 0;
        }
    }
}

static float
white (MediaComfort *comfort)
{
  comfort->random = comfort->random * 1664525 + 1013904223;
  return (float) (gint32) comfort->random * (1.7320508f / 2147483648.0f);      /* variance 1 */
}

static float
shape (MediaComfort *comfort, float x)
{
  for (guint i = comfort->order; i-- > 0;)
    {
      x -= comfort->reflection[i] * comfort->state[i];
      comfort->state[i + 1] = comfort->state[i] + comfort->reflection[i] * x;
    }
  comfort->state[0] = x;
  return x;
}

void
media_comfort_add (MediaComfort *comfort, gint16 *pcm, guint samples, gboolean fade)
{
  double level = comfort->described ? comfort->level : comfort->lowest;
  float amplitude = (float) (32768 * pow (10, level / 20) / sqrt (comfort->gain));

  for (guint done = 0; done < samples; done += MEDIA_FRAME)
    {
      gint16 noise[CHUNK], wide[MEDIA_FRAME];
      guint n = MIN (MEDIA_FRAME, samples - done);

      for (guint i = 0; i < CHUNK; i++)
        noise[i] = (gint16) lrintf (CLAMP (amplitude * shape (comfort, white (comfort)), -32768.0f, 32767.0f));
      media_resampler_run (comfort->up, noise, CHUNK, wide);
      for (guint i = 0; i < n; i++)
        {
          int sum = pcm[done + i] + (fade && done == 0 ? wide[i] * (int) i / MEDIA_FRAME : wide[i]);

          pcm[done + i] = (gint16) CLAMP (sum, -32768, 32767);
        }
    }
}

void
media_comfort_free (MediaComfort *comfort)
{
  if (!comfort)
    return;
  media_resampler_free (comfort->up);
  g_free (comfort);
}
