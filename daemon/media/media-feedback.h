/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* RTCP that tells a sender when its packets came: congestion control feedback (RFC 8888) and transport-wide feedback
 * (draft-holmer-rmcat-transport-wide-cc-extensions-01, what browsers do), read and written. Pure; a hostile peer's packet is as good as any. */

#include <glib.h>

#define MEDIA_FEEDBACK_MAX 256          /* packets of one report that are looked at */

typedef enum
{
  MEDIA_FEEDBACK_NONE,
  MEDIA_FEEDBACK_CCFB,
  MEDIA_FEEDBACK_TRANSPORT_CC,
} MediaFeedbackKind;

typedef struct
{
  guint16 seq;                          /* of RTP; with transport-cc that of its header extension */
  gboolean received, timed;             /* timed: arrival is known */
  gint64 arrival;                       /* us, on a clock of the other side's that begins anew every `wrap` */
} MediaFeedbackItem;

typedef struct
{
  MediaFeedbackKind kind;               /* NONE: there was no report */
  gint64 wrap;
  guint n;
  MediaFeedbackItem items[MEDIA_FEEDBACK_MAX];  /* in order of seq */
} MediaFeedback;

/* Looks through a compound packet, or one of reduced size, for a report on the stream ssrc; the first one counts. What is malformed is no report. */
gboolean media_feedback_parse (const guint8 *packet, gsize length, guint32 ssrc, MediaFeedback *ret);

/* A report as a packet of reduced size (RFC 5506). items: consecutive seq, arrivals on our clock, none after now. count: of reports before (transport-cc).
 * Returns octets, 0: it does not fit, or there is nothing to tell. */
gsize media_feedback_write (MediaFeedbackKind kind, guint32 sender, guint32 ssrc, const MediaFeedbackItem *items, guint n, gint64 now, guint8 count,
                            guint8 *ret_packet, gsize capacity);
