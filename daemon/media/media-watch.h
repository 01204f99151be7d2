/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Is anybody still there? RTP or RTCP within the time-out, counted from the last change of the session. While we do not listen (hold)
 * no RTP is expected: then RTCP counts alone, and only if the peer has ever sent any. Pure; time is a parameter (monotonic us). */

#include <glib.h>

typedef struct
{
  guint timeout;                /* s, 0: never */
  gboolean listening;
  gint64 since;                 /* of the last change */
  gboolean told;
} MediaWatch;

/* The session started or changed. */
void media_watch_restart (MediaWatch *watch, guint timeout, gboolean listening, gint64 now);
/* last_rtp, last_rtcp: 0: none yet. TRUE, once until something arrives again: the time is over; *ret_seconds: silent for so long. */
gboolean media_watch_update (MediaWatch *watch, gint64 last_rtp, gint64 last_rtcp, gint64 now, guint *ret_seconds);
