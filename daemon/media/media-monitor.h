/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a call's transport notes about its packets: when ours went out and theirs came in, what the peer's reports say of ours, and what is to be
 * reported of theirs. Pure; the transport's lock guards it. */

#include "core/offer-answer.h"
#include "media/media-arrivals.h"
#include "media/media-xr-times.h"
#include "media/media-xr.h"
#include "media/rate-history.h"

/* Octets that media_monitor_mark() adds. */
#define MEDIA_MONITOR_MARK 8
#define MEDIA_MONITOR_SAMPLES (2 * MEDIA_FEEDBACK_MAX)

typedef struct
{
  MediaFeedbackKind kind;
  guint8 extension;                     /* identifier, with transport-cc */
  MediaArrivals arrivals;
  RateHistory history;
  RateSample samples[MEDIA_MONITOR_SAMPLES];    /* nobody has asked for yet */
  guint n_samples;
  double report_delay;                  /* ms from sending the newest packet that the last report tells of until it came; NAN: unknown */
  gboolean wants_metrics;               /* the peer has asked for ours */
  PhoneRcvrRtt rcvr_rtt;
  gboolean have_metrics, have_peer_metrics;
  PhoneVoiceMetrics metrics, peer_metrics;      /* how we hear the peer; how the peer says that it hears us */
  gint64 told_metrics;                  /* monotonic us, 0: not yet */
  MediaXrTimes times;
  gint64 sent_at;                       /* monotonic us, of our last packet, 0: none */
  MediaFeedback feedback;               /* scratch */
} MediaMonitor;

void media_monitor_init (MediaMonitor *monitor);
void media_monitor_apply (MediaMonitor *monitor, const PhoneMediaPlan *plan);

/* A plain RTP packet of ours, with room for MEDIA_MONITOR_MARK octets more: gets the number that transport-cc wants, the one of RTP. */
void media_monitor_mark (const MediaMonitor *monitor, guint8 *packet, gsize *length);
void media_monitor_sent (MediaMonitor *monitor, guint16 seq, gsize octets, gint64 now);

/* The number of a plain RTP packet as reports have it. FALSE: it has none. */
gboolean media_monitor_number (const MediaMonitor *monitor, const guint8 *packet, gsize length, guint16 *ret_number);
void media_monitor_arrived (MediaMonitor *monitor, guint32 ssrc, guint16 number, gsize octets, gint64 now);
/* A compound of RTCP. TRUE: there are new samples. */
gboolean media_monitor_told (MediaMonitor *monitor, const guint8 *packet, gsize length, guint32 local_ssrc, gint64 now);
/* A compound of ours: gets what the round trip needs if we only receive, or the peer does, and our metrics when it is time for them, or when it says BYE. sender: our SSRC; ssrc: the peer's. */
void media_monitor_tell (MediaMonitor *monitor, guint8 *packet, gsize *length, gsize capacity, guint32 sender, guint32 ssrc, gint64 now);
/* ms; NAN: not known, or we send, and the reports of the peer know it better. */
double media_monitor_round_trip (const MediaMonitor *monitor, gint64 now);
/* In order; returns how many. */
guint media_monitor_take (MediaMonitor *monitor, RateSample ret_samples[MEDIA_MONITOR_SAMPLES]);
