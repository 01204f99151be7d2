/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The beat: one tick every 10 ms, on the demand of a playing device, or on a timer while no device asks.
 * Whichever beats, ticks are serialised by the clock's lock, and there is no thread at all while the clock
 * stands still. */

#include "media/media-types.h"

typedef struct _MediaClock MediaClock;

/* Fills frame (MEDIA_FRAME samples). Runs under the lock of the clock; must not block. now: monotonic us. */
typedef void (*MediaClockTick) (gpointer data, gint16 *frame, gint64 now);

/* Stands still; name: at most 15 characters. */
MediaClock *media_clock_new (const char *name, MediaClockTick tick, gpointer data);
void media_clock_free (MediaClock *clock);
/* What ticks use may be changed by others only under the lock. Not recursive. */
void media_clock_lock (MediaClock *clock);
void media_clock_unlock (MediaClock *clock);
/* Main thread, without the lock. Start: the first tick comes at once. Stop: no tick runs or will run when
 * it returns. Both may be repeated. */
void media_clock_start (MediaClock *clock);
void media_clock_stop (MediaClock *clock);
/* A device's thread wants a frame. FALSE, and silence: the clock stands still, or the device asks for more
 * than real time. */
gboolean media_clock_demand (MediaClock *clock, gint16 *ret_frame);
/* It is about to ask no more: the timer goes on from its last tick, instead of waiting for it to be missed. */
void media_clock_let_go (MediaClock *clock);
guint64 media_clock_get_ticks (MediaClock *clock);      /* any thread */
