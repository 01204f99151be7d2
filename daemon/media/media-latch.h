/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Symmetric RTP (RFC 4961) and latching (RFC 7362) for one socket: from whom we listen and to whom we send, when the peer sits behind
 * a NAT and what it told us in SDP is not where its packets come from. Pure; time is a parameter (monotonic us).
 *
 *   encrypted   who authenticates is the peer, wherever he is. His packets are always taken; where we send to follows him once, to the
 *               negotiated address when it speaks first, and later only when the place where he was has been silent for MEDIA_LATCH_SILENCE and the last change is MEDIA_LATCH_PAUSE ago.
 *               Strangers have a budget of attempts, so that a flood costs no more than that.
 *   in clear    the negotiated address wins whenever it speaks. Before it ever did, a stranger may take its place with
 *               MEDIA_LATCH_PROBATION packets of one source in sequence. Once somebody holds the place, another one gets it only after
 *               MEDIA_LATCH_PAUSE of silence and only if he continues the very stream (SSRC and number).
 */

#include "media/media-address.h"

#define MEDIA_LATCH_SILENCE (2 * G_USEC_PER_SEC)
#define MEDIA_LATCH_PAUSE (5 * G_USEC_PER_SEC)
#define MEDIA_LATCH_PROBATION 2
#define MEDIA_LATCH_STRANGERS 100       /* packets of strangers that are looked at, per second */

typedef struct
{
  gboolean secure;
  MediaAddress negotiated;
  MediaAddress source;                  /* where the peer really is; valid when latched */
  gboolean latched;
  gboolean confirmed;                   /* the negotiated address has spoken */
  MediaAddress abandoned;               /* where the peer was before he told us another address */
  gint64 abandoned_at;
  gint64 latched_at, source_seen;
  gboolean has_stream;                  /* ssrc and seq of the last packet taken */
  guint32 ssrc;
  guint16 seq;
  MediaAddress candidate;
  guint32 candidate_ssrc;
  guint16 candidate_seq;
  guint candidate_count;
  gint64 second;                        /* budget of strangers */
  guint strangers;
} MediaLatch;

/* What SDP says. The latch is forgotten when the address changes, and kept when it does not (a re-INVITE for hold). What is still under way
 * from the old place is taken until the new one speaks, but does not draw us back there. */
void media_latch_negotiate (MediaLatch *latch, const MediaAddress *address, gboolean secure, gint64 now);
/* Before the packet is looked into: FALSE: drop it unseen. */
gboolean media_latch_may_enter (MediaLatch *latch, const MediaAddress *from, gint64 now);
/* The packet was well-formed and, when secure, authentic. TRUE: take it. *ret_moved: the destination is another one now. */
gboolean media_latch_valid (MediaLatch *latch, const MediaAddress *from, guint32 ssrc, guint16 seq, gint64 now, gboolean *ret_moved);
/* An authentic packet came a second time. If by way of the place where the peer is, he is still there: somebody else was only faster. */
void media_latch_replayed (MediaLatch *latch, const MediaAddress *from, gint64 now);
/* The same for RTCP on its own socket; in clear it must come from the host that the RTP comes from. */
gboolean media_latch_valid_rtcp (MediaLatch *latch, const MediaLatch *rtp, const MediaAddress *from, guint32 ssrc, gint64 now,
                                 gboolean *ret_moved);
/* Where to send; may be unusable. */
const MediaAddress *media_latch_destination (const MediaLatch *latch);
