/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What was sent and when, until the peer has told when it came: both together are samples of the way. Pure. */

#include "media/media-feedback.h"

#define RATE_HISTORY 512                /* packets: 5 s of the shortest */

typedef struct
{
  gint64 sent, arrived;                 /* us, on our clock and on the peer's, which do not begin together */
  guint octets;                         /* on the wire */
  guint ahead;                          /* octets of RTCP that went out shortly before, after the packet before; 0: none did */
  gint64 ahead_sent;                    /* us: when the last of it did */
} RateSample;

typedef struct
{
  struct
  {
    gint64 sent;                        /* 0: none, or it has been told of */
    guint16 seq;
    guint16 octets, ahead;
    gint64 ahead_sent;
  } packets[RATE_HISTORY];              /* by seq */
  guint ahead;                          /* octets of RTCP since the last packet */
  gint64 ahead_sent;
  gboolean synchronised;
  gint64 latest, raw;                   /* arrival of the newest sample, and as it stood in the report */
} RateHistory;

void rate_history_sent (RateHistory *history, guint16 seq, gsize octets, gint64 now);
/* octets: on the wire. */
void rate_history_sent_rtcp (RateHistory *history, gsize octets, gint64 now);
/* Samples in order of sending, each packet once. Returns how many, MEDIA_FEEDBACK_MAX at most. */
guint rate_history_match (RateHistory *history, const MediaFeedback *feedback, RateSample ret_samples[MEDIA_FEEDBACK_MAX]);
/* When the packet went out; 0: that is not known. */
gint64 rate_history_when (const RateHistory *history, guint16 seq);
