/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the encoder should do, from what the peer's receiver reports say. Pure: state in, time as a parameter, replayable.
 *
 *   loss      smoothed over reports. Above 1 % in-band FEC goes on (if the peer wants it) and the encoder is told what to expect; above 10 %
 *             the bit rate backs off, since loss of that size is mostly a queue that we help to fill.
 *   delay     the round trip grew well past the smallest one seen: a queue builds up before it drops: back off gently.
 *   else      recover by a twentieth per report up to the limit.
 * Limits are the smaller of the configured rate and the peer's maxaveragebitrate (RFC 7587 section 6.1). */

#include "core/offer-answer.h"
#include "media/media-codec.h"

typedef struct
{
  gint64 now;                   /* monotonic us */
  double loss;                  /* 0..1, the peer's last fraction lost; NAN: unknown */
  double jitter;                /* ms; NAN: unknown */
  double round_trip;            /* ms; NAN: unknown */
} RateReport;

typedef struct
{
  MediaRate rate;
  const char *reason;           /* static: start, steady, loss, delay, recovering, peer-limit */
  guint maximum;                /* bit/s */
  gboolean adaptive, fec_allowed;
  double loss;                  /* smoothed */
  double smallest_round_trip;
  gint64 backed_off, fec_until;
} RateControl;

/* Starts anew for the plan's send codec. bitrate, complexity: as configured. */
void rate_control_init (RateControl *control, const PhoneMediaPlan *plan, guint bitrate, guint complexity);
/* A new report from the peer. TRUE: rate differs from before. */
gboolean rate_control_update (RateControl *control, const RateReport *report);
