/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A conference as arithmetic: everybody hears everybody but himself. One sum is made of what all seats say, and each seat gets the sum
 * less its own part: the work grows with the number of seats, not with its square. Sums are exact and cannot wrap; each ear has a limiter
 * of its own. Whatever begins or ends, does so over a frame. Pure; one thread. */

#include "media/media-mix.h"

typedef struct
{
  gint32 sum[MEDIA_FRAME];      /* of what is said in this tick, and of what dies away */
  gboolean sounds;              /* sum is not silence */
  gint16 tail[MEDIA_FRAME];     /* of a seat that is suddenly empty, for the next tick */
  gboolean has_tail;
} MediaMixer;

typedef struct
{
  gint16 said[MEDIA_FRAME];     /* our part of the sum, with the gain applied */
  gboolean sounds;
  float voice, ear;             /* 0..1: how much of us is heard, how much we hear, now */
  MediaLimiter limiter;
} MediaSeat;

void media_mixer_init (MediaMixer *mixer);
void media_seat_init (MediaSeat *seat);

/* In every tick, in this order: begin, say for each seat, hear for each seat. */
void media_mixer_begin (MediaMixer *mixer);
/* frame: NULL: silence. voice: where the gain goes, 0..1. */
void media_mixer_say (MediaMixer *mixer, MediaSeat *seat, const gint16 *frame, float voice);
/* What the seat hears: all others, and ours, which is no seat's (NULL: silence). ear: where the gain of the others goes, 0..1; ours is
 * taken as it is. */
void media_mixer_hear (MediaMixer *mixer, MediaSeat *seat, const gint16 *ours, float ear, gint16 *ret_frame);
/* The seat says no more, from now on: what it said last dies away in the next tick. Between two ticks. */
void media_mixer_leave (MediaMixer *mixer, MediaSeat *seat);
