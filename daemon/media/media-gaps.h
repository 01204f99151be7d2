/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bursts and gaps of a received stream (RFC 3611 section 4.7.2): which packets came, which came too late, which never did, and how those stand together.
 * Pure. A zeroed MediaGaps is ready for use. */

#include <glib.h>

#define MEDIA_GAPS_WINDOW 64    /* packets that are waited for; what comes later counts as lost */

typedef struct
{
  gboolean begun;
  guint32 ssrc;
  guint16 highest;              /* of the window */
  guint64 came, discarded;      /* bit n: of highest - n */
  guint filled;                 /* packets of the window */
  double packet_ms;             /* of the last packet that told its length */
  /* What is decided: */
  guint64 packets, lost, late;
  guint64 burst_packets, burst_bad, bursts;     /* of bursts that are over */
  double burst_ms, total_ms;
  /* From the last packet that was missed on; all zero while there was none lately: */
  guint64 run, run_bad, since;          /* since: good ones after it */
  double run_ms, since_ms;
} MediaGaps;

typedef struct
{
  guint64 packets, lost, late;  /* packets: all that were to come */
  double burst_density, gap_density;    /* 0..1 */
  double burst_ms, gap_ms;      /* mean length */
  double packet_ms;             /* NAN: not told */
} MediaGapStats;

/* A packet came, or was repaired. duration: ms of sound in it, 0: not told. late: too late to be played. */
void media_gaps_note (MediaGaps *gaps, guint32 ssrc, guint16 seq, double duration, gboolean late);
void media_gaps_get (const MediaGaps *gaps, MediaGapStats *ret_stats);
