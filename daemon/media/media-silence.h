/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* For how long has nobody spoken? The level of each frame is held against a noise floor that follows the quietest of the last moments, so
 * that a running fan is silence and a soft voice in a quiet room is not. Pure: no thread, no clock, no allocation. */

#include "media/media-types.h"

typedef struct
{
  double floor;                 /* dBFS of the noise */
  guint voiced;                 /* frames in a row that are louder than noise */
  guint quiet_ms;
} MediaSilence;

void media_silence_init (MediaSilence *silence);
/* MEDIA_FRAME samples. Returns the milliseconds since somebody spoke, or since the beginning. */
guint media_silence_add (MediaSilence *silence, const gint16 *frame);
