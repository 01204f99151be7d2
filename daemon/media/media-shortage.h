/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Does a device that plays get its frames in time? Sound elements do not say that a buffer ran dry, but it shows in the times at which
 * they ask: frame n is asked for n frames after the first, less what the buffer holds, and when that is over by the buffer it was due
 * before it was made. Pure. */

#include <glib.h>

typedef struct
{
  gint64 frames;                /* asked for */
  gint64 base, next_base;       /* us: least of (time of asking - duration of all before), of the last window and of this one */
  gint64 window;                /* us: when this one began */
} MediaShortage;

void media_shortage_init (MediaShortage *shortage);
/* A frame of frame_us was asked for at now (monotonic us) by a device whose buffer holds buffer_us, at least two frames. TRUE: it came too
 * late to be played in time; what comes after is judged anew. */
gboolean media_shortage_add (MediaShortage *shortage, gint64 now, gint64 buffer_us, gint64 frame_us);
