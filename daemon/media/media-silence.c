/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-silence.h"

#include <math.h>

#define LOWEST (-70.0)          /* dBFS: the noise of quantisation of G.711 and below */
#define HIGHEST (-25.0)         /* noise that is louder is no noise: somebody shouts without a breath */
#define ABOVE 9.0               /* dB over the floor that make a voice */
#define RISE (3.0 * MEDIA_FRAME_MS / 1000)      /* dB for each frame: 3 dB/s, slower than a breath, faster than a message */
#define FALL 0.3                /* of the way down, for each frame */
#define VOICED 3                /* frames: a click is shorter */

void
media_silence_init (MediaSilence *silence)
{
  *silence = (MediaSilence) { .floor = LOWEST };
}

static double
level_of (const gint16 *frame)
{
  double sum = 0;

  for (guint i = 0; i < MEDIA_FRAME; i++)
    sum += (double) frame[i] * frame[i];
  return sum > 0 ? MAX (10 * log10 (sum / MEDIA_FRAME / (32768.0 * 32768.0)), LOWEST) : LOWEST;
}

guint
media_silence_add (MediaSilence *silence, const gint16 *frame)
{
  double level = level_of (frame);

  silence->voiced = level > silence->floor + ABOVE ? silence->voiced + 1 : 0;
  silence->quiet_ms = silence->voiced >= VOICED ? 0 : silence->quiet_ms + MEDIA_FRAME_MS;
  if (level < silence->floor)
    silence->floor += FALL * (level - silence->floor);
  else
    silence->floor = MIN (silence->floor + RISE, MIN (level, HIGHEST));
  return silence->quiet_ms;
}
