/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Brings speech to the same loudness wherever the mouth is: slowly, never louder than full scale, and nothing but speech. Pure. */

#include "media/media-types.h"

typedef struct
{
  double floor;                 /* mean square of what is there between words */
  double speech;                /* mean square of words, 0: none heard yet */
  float gain;                   /* now */
} MediaGain;

void media_gain_init (MediaGain *gain);
/* samples: a frame, on the scale of gint16; replaced. */
void media_gain_process (MediaGain *gain, float *samples);
