/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-control.h"

#include <math.h>

#define MINIMUM 12000                   /* bit/s: Opus at wide band still */
#define SMOOTHING 0.3
#define FEC_ON 0.01
#define FEC_OFF 0.005
#define FEC_HOLD (30 * G_USEC_PER_SEC)
#define LOSS_HEAVY 0.10
#define LOSS_LIGHT 0.02
#define BACK_OFF_PAUSE (3 * G_USEC_PER_SEC)
#define LOSS_FACTOR 0.8
#define DELAY_FACTOR 0.9
#define DELAY_ABSOLUTE 150              /* ms over twice the smallest round trip */
#define MAX_EXPECTED_LOSS 30            /* per cent; beyond it libopus only gives up quality */

/* What a codec without a knob sends. */
static guint
fixed_rate (PhoneCodecId codec)
{
  switch (codec)
    {
    case PHONE_CODEC_OPUS: return 0;
    case PHONE_CODEC_G722:
    case PHONE_CODEC_PCMU:
    case PHONE_CODEC_PCMA: return 64000;
    }
  g_assert_not_reached ();
}

void
rate_control_init (RateControl *control, const PhoneMediaPlan *plan, guint bitrate, guint complexity)
{
  guint fixed = fixed_rate (plan->send.id);

  *control = (RateControl) { .reason = "start", .smallest_round_trip = NAN };
  control->maximum = fixed > 0 ? fixed : bitrate;
  if (fixed == 0 && plan->send.max_average_bitrate > 0 && plan->send.max_average_bitrate < control->maximum)
    {
      control->maximum = MAX (plan->send.max_average_bitrate, 6000);
      control->reason = "peer-limit";
    }
  control->adaptive = fixed == 0;
  control->fec_allowed = fixed == 0 && plan->send.use_inband_fec;
  control->rate = (MediaRate) {
    .bitrate = control->maximum,
    .dtx = fixed == 0 && plan->send.use_dtx,
    .frame_ms = plan->ptime,
    .complexity = complexity,
  };
}

static void
set_bitrate (RateControl *control, double bitrate, const char *reason)
{
  guint minimum = MIN (MINIMUM, control->maximum);
  control->reason = reason;
  control->rate.bitrate = (guint) CLAMP (bitrate, minimum, control->maximum);
}

gboolean
rate_control_update (RateControl *control, const RateReport *report)
{
  MediaRate before = control->rate;

  if (!isnan (report->loss))
    control->loss += SMOOTHING * (CLAMP (report->loss, 0, 1) - control->loss);
  if (!isnan (report->round_trip) && !(report->round_trip >= control->smallest_round_trip))
    control->smallest_round_trip = report->round_trip;

  if (control->fec_allowed)
    {
      if (control->loss > FEC_ON)
        {
          control->rate.fec = TRUE;
          control->fec_until = report->now + FEC_HOLD;
        }
      else if (control->loss < FEC_OFF && report->now >= control->fec_until)
        control->rate.fec = FALSE;
    }
  control->rate.loss_percent = MIN ((guint) ceil (control->loss * 100 - 1e-9), MAX_EXPECTED_LOSS);

  if (control->adaptive)
    {
      gboolean may_back_off = control->backed_off == 0 || report->now - control->backed_off >= BACK_OFF_PAUSE;
      gboolean queue = !isnan (report->round_trip)
                       && report->round_trip > 2 * control->smallest_round_trip + DELAY_ABSOLUTE;
      double bitrate = control->rate.bitrate;

      if (control->loss > LOSS_HEAVY && may_back_off)
        {
          set_bitrate (control, bitrate * LOSS_FACTOR, "loss");
          control->backed_off = report->now;
        }
      else if (queue && may_back_off)
        {
          set_bitrate (control, bitrate * DELAY_FACTOR, "delay");
          control->backed_off = report->now;
        }
      else if (control->loss < LOSS_LIGHT && !queue && bitrate < control->maximum)
        set_bitrate (control, bitrate + control->maximum / 20.0, "recovering");
      else if (control->loss < LOSS_LIGHT && !queue)
        control->reason = "steady";
    }
  else
    control->reason = "steady";

  return before.bitrate != control->rate.bitrate || before.fec != control->rate.fec
         || before.loss_percent != control->rate.loss_percent;
}
