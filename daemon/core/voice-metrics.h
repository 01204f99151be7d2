/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How one end of a call hears the other since the call began, in the terms of RFC 3611 section 4.7: what RTCP XR carries between the ends, and what
 * RFC 6035 tells a collector. Measured here by media/, or told by the peer. Plain values; what is not known is NAN. */

#include <glib.h>

#define PHONE_GMIN 16           /* received packets in a row that end a burst */

typedef struct
{
  double loss, discard;                 /* share of the packets, 0..1: never came (and was not repaired); came too late, or too early */
  double burst_density, gap_density;    /* share of lost and discarded packets within bursts, and between them */
  double burst_ms, gap_ms;              /* mean length */
  double round_trip, end_delay;         /* ms; end_delay: from microphone to network and from network to loudspeaker, together */
  double signal, noise;                 /* dBm0, of what comes */
  double echo_return;                   /* dB */
  double gmin;
  double rating, mos_lq, mos_cq;        /* R, 0..100; 1..5, listening and conversation */
  double playout_nominal, playout_max, playout_abs_max;         /* ms of the jitter buffer: now, worst now, and ever */
  double packet_ms;                     /* of sound in each packet that comes */
  /* In the codes of RFC 3611 section 4.7.6, 0: not known. */
  guint8 concealment;                   /* 1: none, 2: enhanced, 3: standard */
  guint8 adaptation, adaptation_rate;   /* of the jitter buffer. 2: none, 3: adaptive; rate: 1..15 */
} PhoneVoiceMetrics;

void phone_voice_metrics_clear (PhoneVoiceMetrics *metrics);    /* all unknown */
