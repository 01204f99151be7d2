/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A burst is the longest stretch that begins and ends with a packet that is missing and has fewer than Gmin good packets in a row in it. One missing packet
 * with Gmin good ones on either side is no burst: it belongs to the gap. Before the first packet and behind the last Gmin good ones are thought.
 *
 *      good good X good X X good good good ... (Gmin of them) good X good ... (Gmin)
 *      `- gap -' `- burst -' `----------------- gap ----------------------------'
 *
 * A packet is decided on when MEDIA_GAPS_WINDOW later ones have come: until then it may still come itself. */

#include "media/media-gaps.h"

#include <math.h>

#include "core/voice-metrics.h"

#define RESTART 3000            /* packets: a jump of more is another stream (RFC 3550 appendix A.1) */

typedef enum
{
  GOOD,
  LOST,
  LATE,
} Fate;

static void
end_run (MediaGaps *gaps)
{
  if (gaps->run_bad > 1)
    {
      gaps->bursts++;
      gaps->burst_packets += gaps->run;
      gaps->burst_bad += gaps->run_bad;
      gaps->burst_ms += gaps->run_ms;
    }
  gaps->run = gaps->run_bad = gaps->since = 0;
  gaps->run_ms = gaps->since_ms = 0;
}

static void
decide (MediaGaps *gaps, Fate fate)
{
  gaps->packets++;
  gaps->total_ms += gaps->packet_ms;
  gaps->lost += fate == LOST;
  gaps->late += fate == LATE;
  if (fate != GOOD)
    {
      gaps->run += gaps->since + 1;
      gaps->run_ms += gaps->since_ms + gaps->packet_ms;
      gaps->run_bad++;
      gaps->since = 0;
      gaps->since_ms = 0;
      return;
    }
  if (gaps->run == 0)
    return;
  gaps->since++;
  gaps->since_ms += gaps->packet_ms;
  if (gaps->since == PHONE_GMIN)
    end_run (gaps);
}

/* The eldest of the window. */
static void
decide_eldest (MediaGaps *gaps)
{
  guint64 bit = (guint64) 1 << (gaps->filled - 1);

  decide (gaps, (gaps->came & bit) != 0 ? GOOD : (gaps->discarded & bit) != 0 ? LATE : LOST);
  gaps->filled--;
}

static void
begin (MediaGaps *gaps, guint32 ssrc, guint16 seq)
{
  while (gaps->filled > 0)
    decide_eldest (gaps);
  end_run (gaps);
  gaps->begun = TRUE;
  gaps->ssrc = ssrc;
  gaps->highest = seq;
  gaps->filled = 1;
  gaps->came = gaps->discarded = 0;
}

void
media_gaps_note (MediaGaps *gaps, guint32 ssrc, guint16 seq, double duration, gboolean late)
{
  gint ahead = (gint16) (guint16) (seq - gaps->highest);

  if (duration > 0)
    gaps->packet_ms = duration;
  if (!gaps->begun || ssrc != gaps->ssrc || ahead > RESTART || ahead < -RESTART)
    {
      begin (gaps, ssrc, seq);
      ahead = 0;
    }
  for (; ahead > 0; ahead--)
    {
      if (gaps->filled == MEDIA_GAPS_WINDOW)
        decide_eldest (gaps);
      gaps->came <<= 1;
      gaps->discarded <<= 1;
      gaps->filled++;
      gaps->highest++;
    }
  if (-ahead >= (gint) gaps->filled)
    return;
  *(late ? &gaps->discarded : &gaps->came) |= (guint64) 1 << -ahead;
}

void
media_gaps_get (const MediaGaps *gaps, MediaGapStats *ret_stats)
{
  MediaGaps end = *gaps;

  /* Packets that are missing in front of the newest one may still come: they are as good as there. */
  for (guint i = 0; i < end.filled; i++)
    if ((end.discarded >> i & 1) == 0)
      end.came |= (guint64) 1 << i;
  while (end.filled > 0)
    decide_eldest (&end);
  end_run (&end);

  guint64 gap_packets = end.packets - end.burst_packets, bad = end.lost + end.late, gap_bad = bad - end.burst_bad;
  *ret_stats = (MediaGapStats) {
    .packets = end.packets,
    .lost = end.lost,
    .late = end.late,
    .burst_density = end.burst_packets > 0 ? (double) end.burst_bad / (double) end.burst_packets : 0,
    .gap_density = gap_packets > 0 ? (double) gap_bad / (double) gap_packets : 0,
    .burst_ms = end.bursts > 0 ? end.burst_ms / (double) end.bursts : 0,
    /* One before each burst, and one behind the last. */
    .gap_ms = (end.total_ms - end.burst_ms) / (double) (end.bursts + 1),
    .packet_ms = end.packet_ms > 0 ? end.packet_ms : NAN,
  };
}
