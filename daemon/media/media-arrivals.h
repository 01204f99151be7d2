/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* When the peer's packets came, until it has been told (media-feedback). Says when a report is due: often at first, when the sender knows nothing
 * of the way, then as often as a twentieth of what comes in allows (RFC 4585 section 3.4 and RFC 3550 section 6.2). Pure. */

#include "media/media-feedback.h"

typedef struct
{
  MediaFeedbackKind kind;               /* NONE: nobody wants to know */
  guint32 ssrc;
  gboolean started;
  guint16 first, next;                  /* what is not reported yet; next: behind the highest that came */
  gint64 arrived[MEDIA_FEEDBACK_MAX];   /* by seq; 0: not */
  gint64 begun, reported, newest;       /* monotonic us: the first packet, the last report, the last packet */
  double rate;                          /* bit/s that come in */
  guint8 count;
} MediaArrivals;

void media_arrivals_start (MediaArrivals *arrivals, MediaFeedbackKind kind);
/* seq: of RTP or of the extension, as kind has it. octets: on the wire. Another ssrc begins anew. */
void media_arrivals_note (MediaArrivals *arrivals, guint32 ssrc, guint16 seq, gsize octets, gint64 now);
/* Monotonic us at which a report is due; G_MAXINT64: there is nothing to tell. */
gint64 media_arrivals_due (const MediaArrivals *arrivals);
/* The report, and it is told. Returns octets, 0: none. */
gsize media_arrivals_write (MediaArrivals *arrivals, guint32 sender, gint64 now, guint8 *ret_packet, gsize capacity);
