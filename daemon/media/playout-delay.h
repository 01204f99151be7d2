/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long a frame should wait: the distribution of arrival times of one stream. Pure. Times are in ticks of 1/48000 s.
 *
 * A frame's transit is its arrival time less its media time: an arbitrary constant plus the delay of the network. The smallest
 * transit of the recent past is the base; what a frame took longer than the base is its lateness, and the target is a high
 * percentile of that. */

#include <glib.h>

#define PLAYOUT_DELAY_WINDOW 500

typedef struct
{
  gint64 ring[PLAYOUT_DELAY_WINDOW];    /* transits in order of arrival */
  gint64 sorted[PLAYOUT_DELAY_WINDOW];
  guint next, n;
} PlayoutDelay;

void playout_delay_reset (PlayoutDelay *delay);
void playout_delay_add (PlayoutDelay *delay, gint64 transit);
gint64 playout_delay_base (const PlayoutDelay *delay);
/* Ticks above the base. */
gint64 playout_delay_target (const PlayoutDelay *delay);
