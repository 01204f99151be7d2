/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-metrics.h"

#include <math.h>

#include "media/emodel.h"

#define OVER_FLOOR 12           /* dB of voice over the noise of the room */
#define FLOOR_RISES 0.25        /* dB a time */
#define DIGITAL_SILENCE -90     /* dBFS: of a file, or of a sender that is muted: no noise */
#define DBOV_TO_DBM0 6.15       /* G.711's full-scale sine is 3.14 dBm0 and 3.01 dB under a square wave */
#define CONCEALMENT_ENHANCED 2
#define JITTER_BUFFER_ADAPTIVE 3
#define ABS_MAX 600             /* ms: the most that playout ever waits (media/playout-core.h) */

/* Robustness of the codec against what is concealed. G.711 with PLC: ITU-T G.113 appendix I. For the others no value of the ITU's
 * stands on this scale: those are ours, between G.711 with and without PLC. */
static double
codec_bpl (PhoneCodecId codec)
{
  switch (codec)
    {
    case PHONE_CODEC_OPUS: return 16;
    case PHONE_CODEC_G722: return 16;
    case PHONE_CODEC_PCMU:
    case PHONE_CODEC_PCMA: return 25.1;
    }
  g_assert_not_reached ();
}

void
media_metrics_update (MediaMetrics *metrics, const MediaReceiveStats *receive)
{
  double power = pow (10, receive->level / 10);

  metrics->playout_max = MAX (metrics->playout_max, receive->delay_ms);
  if (receive->played_samples == 0 || receive->level < DIGITAL_SILENCE)
    return;
  if (metrics->floor == 0 || receive->level < metrics->floor)
    metrics->floor = receive->level;
  else
    metrics->floor += FLOOR_RISES;
  if (receive->level > metrics->floor + OVER_FLOOR)
    metrics->signal += (power - metrics->signal) / ++metrics->n_signal;
  else
    metrics->noise += (power - metrics->noise) / ++metrics->n_noise;
}

static double
mean_level (double power, guint n)
{
  return n > 0 ? 10 * log10 (power) + DBOV_TO_DBM0 : NAN;
}

void
media_metrics_get (const MediaMetrics *metrics, const MediaReceiveStats *receive, PhoneCodecId codec, double round_trip, double other_delay,
                   double concealed, PhoneVoiceMetrics *ret)
{
  const MediaGapStats *gaps = &receive->gaps;

  phone_voice_metrics_clear (ret);
  ret->gmin = PHONE_GMIN;
  ret->round_trip = round_trip;
  ret->playout_nominal = receive->target_ms;
  ret->playout_max = MAX (metrics->playout_max, receive->delay_ms);
  ret->playout_abs_max = ABS_MAX;
  ret->concealment = CONCEALMENT_ENHANCED;
  ret->adaptation = JITTER_BUFFER_ADAPTIVE;
  ret->end_delay = receive->delay_ms + other_delay;
  ret->signal = mean_level (metrics->signal, metrics->n_signal);
  ret->noise = mean_level (metrics->noise, metrics->n_noise);
  if (gaps->packets > 0)
    {
      ret->loss = (double) gaps->lost / (double) gaps->packets;
      ret->discard = (double) gaps->late / (double) gaps->packets;
      ret->burst_density = gaps->burst_density;
      ret->gap_density = gaps->gap_density;
      ret->burst_ms = gaps->burst_ms;
      ret->gap_ms = gaps->gap_ms;
      ret->packet_ms = gaps->packet_ms;
    }
  if (receive->played_samples == 0)
    return;
  EmodelInput input = { .delay = (isnan (round_trip) ? 0 : round_trip / 2) + ret->end_delay, .loss = concealed, .bpl = codec_bpl (codec) };
  ret->rating = emodel_rating (&input);
  ret->mos_cq = emodel_mos (ret->rating);
  input.delay = 0;
  ret->mos_lq = emodel_mos (emodel_rating (&input));
}
