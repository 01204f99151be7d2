/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/voice-metrics.h"

#include <math.h>

void
phone_voice_metrics_clear (PhoneVoiceMetrics *metrics)
{
  *metrics = (PhoneVoiceMetrics) {
    .loss = NAN, .discard = NAN, .burst_density = NAN, .gap_density = NAN, .burst_ms = NAN, .gap_ms = NAN,
    .round_trip = NAN, .end_delay = NAN, .signal = NAN, .noise = NAN, .echo_return = NAN, .gmin = NAN,
    .rating = NAN, .mos_lq = NAN, .mos_cq = NAN, .playout_nominal = NAN, .playout_max = NAN, .playout_abs_max = NAN, .packet_ms = NAN,
  };
}
