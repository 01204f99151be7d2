/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the counters of a call say about how it sounds here, in the terms of RFC 3611. Pure; a zeroed MediaMetrics is ready for use. */

#include "core/media-desc.h"
#include "core/voice-metrics.h"
#include "media/media-receive.h"

typedef struct
{
  double signal, noise;         /* mean power of voice, and of the pauses, as shares of a full-scale square wave */
  guint n_signal, n_noise;
  double floor;                 /* dBFS; 0: nothing was heard yet */
  double playout_max;           /* ms of late */
} MediaMetrics;

/* Now and then, twice a second or so. */
void media_metrics_update (MediaMetrics *metrics, const MediaReceiveStats *receive);
/* round_trip: ms, NAN: unknown. other_delay: ms that is neither the network's nor the playout buffer's: devices at our end, a packet of ours. concealed: share
 * of what is played, lately. */
void media_metrics_get (const MediaMetrics *metrics, const MediaReceiveStats *receive, PhoneCodecId codec, double round_trip, double other_delay,
                        double concealed, PhoneVoiceMetrics *ret);
