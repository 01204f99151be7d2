/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-mixer.h"

#include <math.h>
#include <string.h>

void
media_mixer_init (MediaMixer *mixer)
{
  memset (mixer, 0, sizeof *mixer);
}

void
media_seat_init (MediaSeat *seat)
{
  memset (seat, 0, sizeof *seat);
  media_limiter_init (&seat->limiter);
}

static void
add_frame (MediaMixer *mixer, const gint16 *frame)
{
  for (guint i = 0; i < MEDIA_FRAME; i++)
    mixer->sum[i] += frame[i];
  mixer->sounds = TRUE;
}

void
media_mixer_begin (MediaMixer *mixer)
{
  memset (mixer->sum, 0, sizeof mixer->sum);
  mixer->sounds = FALSE;
  if (mixer->has_tail)
    add_frame (mixer, mixer->tail);
  mixer->has_tail = FALSE;
}

void
media_mixer_say (MediaMixer *mixer, MediaSeat *seat, const gint16 *frame, float voice)
{
  seat->sounds = frame != NULL && (seat->voice > 0 || voice > 0);
  if (!seat->sounds)
    {
      seat->voice = voice;
      return;
    }
  memcpy (seat->said, frame, sizeof seat->said);
  media_fade (seat->said, &seat->voice, voice);
  add_frame (mixer, seat->said);
}

void
media_mixer_hear (MediaMixer *mixer, MediaSeat *seat, const gint16 *ours, float ear, gint16 *ret_frame)
{
  gboolean others = mixer->sounds && (seat->ear > 0 || ear > 0);
  float from = seat->ear;
  gint32 sum[MEDIA_FRAME];

  seat->ear = ear;
  if (!others)
    memset (sum, 0, sizeof sum);
  else
    for (guint i = 0; i < MEDIA_FRAME; i++)
      sum[i] = seat->sounds ? mixer->sum[i] - seat->said[i] : mixer->sum[i];
  if (others && (from != 1 || ear != 1))
    for (guint i = 0; i < MEDIA_FRAME; i++)
      sum[i] = (gint32) lrintf (sum[i] * (from + (ear - from) * (i + 1) / MEDIA_FRAME));
  for (guint i = 0; ours != NULL && i < MEDIA_FRAME; i++)
    sum[i] += ours[i];
  media_limit (&seat->limiter, sum, ret_frame);
}

/* The last frame backwards goes on where it ended. Tails of several seats that leave at once add up. */
void
media_mixer_leave (MediaMixer *mixer, MediaSeat *seat)
{
  if (!seat->sounds)
    return;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      gint32 value = (gint32) lrintf (seat->said[MEDIA_FRAME - 1 - i] * (1 - (i + 1) / (float) MEDIA_FRAME));

      if (mixer->has_tail)
        value += mixer->tail[i];
      mixer->tail[i] = (gint16) CLAMP (value, G_MININT16, G_MAXINT16);
    }
  mixer->has_tail = TRUE;
  seat->sounds = FALSE;
  seat->voice = 0;
}
