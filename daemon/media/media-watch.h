/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Is anybody still there? RTP or RTCP within the time-out, counted from the last change of the session. Only a peer that was asked to
 * send owes us RTP; with DTX it may be silent for long, and then its RTCP keeps the call. On hold nothing is owed: a peer that sends
 * neither (many stop RTCP too) is not taken for dead, one that has sent RTCP since the change and then stops is. Pure; time is a
 * parameter (monotonic us). */

#include <glib.h>

typedef enum
{
  MEDIA_WATCH_NO_RTP,           /* we do not listen: RTP that comes all the same is no sign of health */
  MEDIA_WATCH_RTP_OPTIONAL,     /* the peer holds us: its music, if there is any, counts */
  MEDIA_WATCH_RTP,
} MediaWatchMode;

typedef struct
{
  guint timeout;                /* s, 0: never */
  MediaWatchMode mode;
  gint64 since;                 /* of the last change */
  gboolean told;
} MediaWatch;

/* The session started or changed. */
void media_watch_restart (MediaWatch *watch, guint timeout, MediaWatchMode mode, gint64 now);
/* last_rtp, last_rtcp: 0: none yet. TRUE, once until something arrives again: the time is over; *ret_seconds: silent for so long. */
gboolean media_watch_update (MediaWatch *watch, gint64 last_rtp, gint64 last_rtcp, gint64 now, guint *ret_seconds);
