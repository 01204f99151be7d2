/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A frame is speech if it stands 10 dB above the floor, which falls at once and rises by 3 dB/s. The loudness of speech is followed over
 * about a second of it, the gain goes towards the target by at most 6 dB/s and stays in pauses: what breathes between words is noise. A
 * frame that would be clipped takes the gain down before it is heard. */

#include "media/media-gain.h"

#include <math.h>

#define TARGET 3.0e6            /* mean square: -25.5 dBFS, as loud as telephones are (ITU-T P.56 active level -26 dBov) */
#define LEAST 0.15f             /* -16 dB */
#define MOST 5.6f               /* 15 dB */
#define STEP 1.007f             /* 6 dB/s */
#define RISE 1.007              /* 3 dB/s of power */
#define SPEECH_OVER_FLOOR 10.0
#define SPEECH_LEAST 1000.0     /* -60 dBFS */
#define FLOOR_LEAST 100.0       /* -70 dBFS: after digital silence the noise of a room is no speech */
#define PEAK 29000.f

void
media_gain_init (MediaGain *gain)
{
  *gain = (MediaGain) { .floor = 1e9, .gain = 1 };
}

void
media_gain_process (MediaGain *gain, float *samples)
{
  double power = 0;
  float peak = 0, before = gain->gain, wanted = gain->gain;

  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      power += (double) samples[i] * samples[i] / MEDIA_FRAME;
      peak = MAX (peak, fabsf (samples[i]));
    }
  gain->floor = MAX (MIN (gain->floor * RISE, power), FLOOR_LEAST);
  if (power > SPEECH_OVER_FLOOR * gain->floor && power > SPEECH_LEAST)
    {
      gain->speech = gain->speech == 0 ? power : gain->speech + 0.02 * (power - gain->speech);
      wanted = CLAMP ((float) sqrt (TARGET / gain->speech), LEAST, MOST);
    }
  gain->gain = CLAMP (wanted, before / STEP, before * STEP);
  if (peak * gain->gain > PEAK)
    gain->gain = before = MAX (PEAK / peak, 0.1f);
  for (guint i = 0; i < MEDIA_FRAME; i++)
    samples[i] *= before + (gain->gain - before) * (float) (i + 1) / MEDIA_FRAME;
}
