/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-control.h"

#include <math.h>
#include <string.h>

#define MINIMUM 10000                   /* bit/s: Opus at wide band still */
#define LEAST 6000                      /* and what it can do at all */
#define SMOOTHING 0.3
#define FEC_ON 0.01
#define FEC_OFF 0.005
#define RED_ON 0.04
#define RED_OFF 0.02
#define RED_MORE 0.08                   /* two copies */
#define RED_MORE_OFF 0.06
#define CLEAR 3                         /* reports without a queue before there may be copies */
#define FEC_HOLD (30 * G_USEC_PER_SEC)
#define MAX_EXPECTED_LOSS 30            /* per cent; beyond it libopus only gives up quality */

#define SLICE (5 * G_USEC_PER_SEC)      /* RATE_MINIMA of them: half a minute */
#define QUEUE_LEAST 30                  /* ms that are a queue at the least */
#define QUEUE_WANDER 6                  /* times the usual change of the round trip */
#define QUEUE_JITTER 5                  /* times the jitter that the peer reports */
#define QUEUE_MOST 12                   /* times the jitter are a queue at the most */
#define QUEUE_LOSS 0.1                  /* lost on top of one that shows: it is full */
#define QUEUE_SURE 150                  /* ms more than that need no second report */
#define CAPACITY_SHARE 0.9              /* of what the link carries: its other users and our own bursts */
#define DRAIN 2.0                       /* s in which the queue should be gone */
#define DEEPEST 0.4                     /* of the capacity is sent at least while it drains */
#define FELT (G_USEC_PER_SEC / 2)       /* until a report is about a cut, beside the round trip */
#define HOLD (8 * G_USEC_PER_SEC)       /* without a queue before more is tried */
#define PROBE_STEP 1.1
#define RED_AFTER (60 * G_USEC_PER_SEC) /* copies were a bad idea when there was a queue */

#define BETTER_SHORT 20000              /* bit/s that must be left for speech in frames as agreed */
#define BETTER_MIDDLE 12000             /* and in frames of 40 ms; else 60 */

#define BREAKER 10.0                    /* RFC 8083 section 4.3: times the rate of TCP */
#define BREAKER_REPORTS 3               /* section 4.5, for an interval of at least 5 s in 15 s: three of them */

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

/* IP, UDP, RTP, and the tag of SRTP (RFC 3711, 7714). */
static guint
headers (const PhoneMediaPlan *plan)
{
  guint octets = (plan->remote_address && strchr (plan->remote_address, ':') ? 40 : 20) + 8 + 12;

  if (!plan->encrypted)
    return octets;
  switch (plan->send_key.suite)
    {
    case PHONE_SRTP_AEAD_AES_256_GCM:
    case PHONE_SRTP_AEAD_AES_128_GCM: return octets + 16;
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_80:
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_80: return octets + 10;
    case PHONE_SRTP_AES_256_CM_HMAC_SHA1_32:
    case PHONE_SRTP_AES_CM_128_HMAC_SHA1_32: return octets + 4;
    }
  g_assert_not_reached ();
}

static double
overhead (const RateControl *control, guint frame_ms)
{
  return control->overhead * 8000.0 / MAX (frame_ms, 10);
}

/* All that we would like to send, without copies. */
static double
wanted_wire (const RateControl *control)
{
  return control->maximum + overhead (control, control->frame_ms);
}

static double
wire_of (const RateControl *control)
{
  return control->rate.bitrate * (1.0 + control->rate.copies) + overhead (control, control->rate.frame_ms);
}

/* Bit rate and frame length for so much on the wire. */
static void
choose (RateControl *control, double wire)
{
  static const struct
  {
    guint ms, better;
  } steps[] = { { 0, BETTER_SHORT }, { 40, BETTER_MIDDLE }, { 60, 0 } };
  guint minimum = MIN (MINIMUM, control->maximum);

  for (guint i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      guint ms = MAX (steps[i].ms, control->frame_ms);
      double left = wire - overhead (control, ms);

      if (left >= MIN (steps[i].better, control->maximum) || i + 1 == G_N_ELEMENTS (steps))
        {
          control->rate.frame_ms = ms;
          control->rate.bitrate = (guint) CLAMP (left, minimum, control->maximum);
          return;
        }
    }
}

void
rate_control_init (RateControl *control, const PhoneMediaPlan *plan, guint bitrate, guint complexity)
{
  guint fixed = fixed_rate (plan->send.id);

  *control = (RateControl) { .reason = "start", .round_trip = NAN, .wander = NAN };
  for (guint i = 0; i < RATE_MINIMA; i++)
    control->minima[i] = NAN;
  control->maximum = fixed > 0 ? fixed : bitrate;
  if (fixed == 0 && plan->send.max_average_bitrate > 0 && plan->send.max_average_bitrate < control->maximum)
    {
      control->maximum = MAX (plan->send.max_average_bitrate, LEAST);
      control->reason = "peer-limit";
    }
  control->adaptive = fixed == 0;
  control->fec_allowed = fixed == 0 && plan->send.use_inband_fec;
  control->red_allowed = fixed == 0 && plan->send_red != 0;
  control->frame_ms = plan->ptime;
  control->overhead = headers (plan);
  control->rate = (MediaRate) {
    .bitrate = control->maximum,
    .dtx = fixed == 0 && plan->send.use_dtx,
    .frame_ms = plan->ptime,
    .complexity = complexity,
  };
  control->wire = wanted_wire (control);
}

/* ---- the queue ---- */

static double
smallest (const RateControl *control)
{
  double least = INFINITY;

  for (guint i = 0; i < RATE_MINIMA; i++)
    least = fmin (least, control->minima[i]);   /* of a number and NAN the number */
  return least;
}

static void
note_round_trip (RateControl *control, const RateReport *report)
{
  if (control->slice == 0)
    control->slice = report->now;
  /* A queue that never empties must not become the measure: the slices stand still while there is one. */
  while (report->now - control->slice >= SLICE && control->over == 0)
    {
      memmove (control->minima + 1, control->minima, (RATE_MINIMA - 1) * sizeof control->minima[0]);
      control->minima[0] = NAN;
      control->slice += SLICE;
    }
  if (report->now - control->slice >= SLICE)
    control->slice = report->now;
  control->minima[0] = fmin (control->minima[0], report->round_trip);
}

static double
queue_threshold (const RateControl *control, const RateReport *report)
{
  double wander = isnan (control->wander) ? 0 : control->wander, jitter = isnan (report->jitter) ? 0 : report->jitter;

  /* A round trip that wanders for jitter does so where the packets of the stream show it, too. */
  return MAX (QUEUE_LEAST, MAX (MIN (QUEUE_WANDER * wander, QUEUE_MOST * jitter), QUEUE_JITTER * jitter));
}

/* The link took what we sent, less what stayed in its queue meanwhile, and what did not fit in. */
static double
estimate_capacity (const RateControl *control, const RateReport *report)
{
  double seconds = (double) (report->now - control->reported) / G_USEC_PER_SEC, growth = 0;

  if (control->reported != 0 && seconds > 0.1 && !isnan (control->round_trip))
    growth = (report->round_trip - control->round_trip) / 1000 / seconds;
  return wire_of (control) * (1 - (isnan (report->loss) ? 0 : CLAMP (report->loss, 0, 0.9))) / (1 + CLAMP (growth, 0, 2));
}

static void
back_off (RateControl *control, const RateReport *report, double queue)
{
  double capacity = estimate_capacity (control, report), sent = wire_of (control);

  control->rate.copies = 0;
  if (control->state != RATE_LIMITED)
    {
      control->wire = MIN (capacity * CAPACITY_SHARE, sent);
      control->cut = report->now;
    }
  /* The estimate was too high if the queue goes on growing after the cut has had its time to be felt. */
  else if (report->round_trip >= control->round_trip && report->now - control->cut > FELT + (gint64) (2000 * report->round_trip))
    {
      control->wire = MIN (control->wire, capacity * CAPACITY_SHARE);
      control->cut = report->now;
    }
  control->state = RATE_LIMITED;
  control->queue_seen = report->now;
  control->quiet_since = 0;
  choose (control, MAX (control->wire * (1 - queue / 1000 / DRAIN), control->wire * DEEPEST));
  control->reason = "delay";
}

static void
go_on (RateControl *control, const RateReport *report)
{
  double wanted = wanted_wire (control);

  if (control->state == RATE_OPEN)
    {
      control->reason = "steady";
      return;
    }
  if (control->quiet_since == 0)
    control->quiet_since = report->now;
  if (report->now - control->quiet_since >= HOLD)
    {
      control->state = RATE_PROBING;
      /* What was not asked for has not been tried. */
      control->wire = MIN (MAX (wire_of (control), control->wire) * PROBE_STEP, wanted);
      if (control->wire >= wanted)
        control->state = RATE_OPEN;
    }
  choose (control, control->wire);
  control->reason = control->state == RATE_OPEN ? "steady" : control->state == RATE_PROBING ? "recovering" : "delay";
}

static void
watch_queue (RateControl *control, const RateReport *report)
{
  double queue, threshold;

  if (isnan (report->round_trip))
    {
      if (control->state == RATE_OPEN)
        control->reason = "steady";
      return;
    }
  note_round_trip (control, report);
  queue = report->round_trip - smallest (control);
  threshold = queue_threshold (control, report);
  control->over = queue > threshold ? control->over + 1 : 0;
  control->clear = queue > threshold ? 0 : MIN (control->clear + 1, CLEAR);
  if (control->over > 1 || queue > threshold + QUEUE_SURE
      || (control->over > 0 && (report->loss > QUEUE_LOSS || control->state == RATE_PROBING)))
    back_off (control, report, queue);
  else if (control->over == 0)
    {
      if (control->clear > 1)
        {
          double change = fabs (report->round_trip - control->round_trip);

          control->wander = isnan (control->wander) ? change : control->wander + SMOOTHING * (change - control->wander);
        }
      go_on (control, report);
    }
  control->round_trip = report->round_trip;
  control->reported = report->now;
}

/* ---- loss ---- */

static void
protect (RateControl *control, const RateReport *report)
{
  gboolean narrow = control->queue_seen != 0 && report->now - control->queue_seen < RED_AFTER;
  guint copies = control->rate.copies;

  if (!control->red_allowed || narrow || control->state != RATE_OPEN || control->clear < CLEAR)
    copies = 0;
  else if (control->loss > RED_MORE || (copies == 2 && control->loss > RED_MORE_OFF))
    copies = 2;
  else if (control->loss > RED_ON || (copies > 0 && control->loss > RED_OFF))
    copies = 1;
  else
    copies = 0;
  control->rate.copies = copies;

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
  /* Copies leave little for the coder's own redundancy to do, which it would take from the speech. */
  control->rate.loss_percent = MIN ((guint) ceil (pow (control->loss, 1.0 + copies) * 100 - 1e-9), MAX_EXPECTED_LOSS);
  if (copies > 0)
    control->reason = "loss";
}

/* RFC 8083 section 4.3, the simplified equation: s / (R * sqrt (2p / 3)). TRUE: it is off. */
static gboolean
breaker (RateControl *control, const RateReport *report)
{
  double packet = wire_of (control) * control->rate.frame_ms / 1000;

  if (isnan (report->round_trip) || isnan (report->loss) || report->loss <= 0
      || wire_of (control) <= BREAKER * packet / (MAX (report->round_trip, 1) / 1000 * sqrt (2 * report->loss / 3)))
    {
      control->broken = 0;
      return FALSE;
    }
  return ++control->broken >= BREAKER_REPORTS;
}

gboolean
rate_control_update (RateControl *control, const RateReport *report)
{
  MediaRate before = control->rate;

  if (!isnan (report->loss))
    control->loss += SMOOTHING * (CLAMP (report->loss, 0, 1) - control->loss);
  if (!control->adaptive)
    {
      control->rate.loss_percent = MIN ((guint) ceil (control->loss * 100 - 1e-9), MAX_EXPECTED_LOSS);
      control->reason = "steady";
    }
  else if (breaker (control, report))
    {
      control->state = RATE_LIMITED;
      control->queue_seen = report->now;
      control->quiet_since = 0;
      control->rate.copies = 0;
      control->wire = 0;
      choose (control, 0);
      control->rate.bitrate = MIN (LEAST, control->maximum);
      control->reason = "breaker";
    }
  else
    {
      watch_queue (control, report);
      protect (control, report);
    }

  return before.bitrate != control->rate.bitrate || before.fec != control->rate.fec || before.loss_percent != control->rate.loss_percent
         || before.frame_ms != control->rate.frame_ms || before.copies != control->rate.copies;
}
