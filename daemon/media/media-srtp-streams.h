/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The synchronisation sources that have authenticated under one receive key, with what RFC 3711 section 3.3.1 keeps for each: the
 * rollover counter and the highest sequence number. libsrtp keeps the same inside; we need it outside to carry a counter over to the
 * next key and to bound how many sources one key may have. Pure: no crypto, no clock, bounded memory. */

#include <glib.h>

#define MEDIA_SRTP_STREAMS 8            /* live sources per key */
#define MEDIA_SRTP_RETIRED 256          /* sources per key that were once live */

typedef struct
{
  guint32 ssrc;
  guint32 roc;
  guint16 highest;
  guint64 used;                         /* stamp of the last packet: the smallest is evicted */
} MediaSrtpStream;

typedef struct
{
  MediaSrtpStream streams[MEDIA_SRTP_STREAMS];
  guint n_streams;
  guint32 retired[MEDIA_SRTP_RETIRED];
  guint n_retired;
  guint64 stamp;
} MediaSrtpStreams;

/* NULL: not live. */
MediaSrtpStream *media_srtp_streams_find (MediaSrtpStreams *streams, guint32 ssrc);
/* A retired source may not come back under the same key: its replay window is gone, so an old packet of it would pass as new.
 * FALSE also for a new source once the table of retired ones is full. */
gboolean media_srtp_streams_may_enter (const MediaSrtpStreams *streams, guint32 ssrc);
/* Call for an authenticated packet only. Adds the source if need be; TRUE: *ret_evicted had to leave for it. roc: the counter under which
 * this packet authenticated; ignored for a source that is known. */
gboolean media_srtp_streams_seen (MediaSrtpStreams *streams, guint32 ssrc, guint16 seq, guint32 roc, guint32 *ret_evicted);
/* The rollover counter that a packet with this number most probably has (RFC 3711 appendix A). */
guint32 media_srtp_stream_guess_roc (const MediaSrtpStream *stream, guint16 seq);
