/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long a frame should wait: the distribution of arrival times of one stream. Pure. Times are in ticks of 1/48000 s.
 *
 * A frame's transit is its arrival time less its media time: an arbitrary constant plus its own length and the delay of the network. The
 * smallest that a frame of the present length had in the last 20 s is the base; what a frame took longer than that is its lateness. */

#include <glib.h>

#define PLAYOUT_DELAY_WINDOW 1000       /* frames at most */

typedef struct
{
  gint64 ring[PLAYOUT_DELAY_WINDOW];    /* transits less the length of the frame, in order of arrival */
  gint64 sorted[PLAYOUT_DELAY_WINDOW];
  guint next, n;
  gint64 age;                           /* ticks of sound since the reset */
  guint frame, shorter;                 /* duration of the frames now, and how many in a row were shorter */
  gint64 target;
} PlayoutDelay;

void playout_delay_reset (PlayoutDelay *delay);
/* duration: of the frame. */
void playout_delay_add (PlayoutDelay *delay, gint64 transit, guint duration);
gint64 playout_delay_base (const PlayoutDelay *delay);
/* The waiting time, above the base, that is worth while: see playout-delay.c. */
gint64 playout_delay_target (const PlayoutDelay *delay);
/* More than `slack` when the last frames were all later than that and do not get better: not a spike but a new state of the network,
 * which the distribution will take long to show. Else 0. */
gint64 playout_delay_urgent (const PlayoutDelay *delay, gint64 slack);
