/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-control.h"

#include <math.h>
#include <string.h>

#define MINIMUM 10000                   /* bit/s: Opus at wide band still */
#define LEAST 6000                      /* and what it can do at all */
#define LONGEST 60                      /* ms of a packet */
#define SMOOTHING 0.3
#define FEC_ON 0.01
#define FEC_OFF 0.005
#define RED_ON 0.04
#define RED_OFF 0.02
#define RED_MORE 0.08                   /* two copies */
#define RED_MORE_OFF 0.06
#define CLEAR 3                         /* reports without a queue before there may be copies */
#define FEC_FRAME 20                    /* ms: shorter ones have too little room for it */
#define FEC_HOLD (30 * G_USEC_PER_SEC)
#define MAX_EXPECTED_LOSS 30            /* per cent; beyond it libopus only gives up quality */

#define SHORT_LOSS 0.06                 /* more, and no copies: then a longer packet with FEC is understood better */
#define NARROW (60 * G_USEC_PER_SEC)    /* after a queue: no short packets and no copies */
#define UNSTEADY 15                     /* ms of jitter; then it is the jitter that is waited for, and more packets only meet more of it */
#define STEADY 8

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

#define START_WIRE 28500                /* bit/s: what signalling has left in the queue of a link of 40 kbit/s drains beside it, and our reports */
#define START_HOLD (300 * 1000)         /* us that news must be younger than the beginning before more is tried, and than each step then */
#define START_STEP_TIME (200 * 1000)
#define STILL 5                         /* ms by which the delay changes when no queue drains */
#define START_STEP 1.1
#define START_PROOFS 2                  /* then it is tried no longer */
#define START_SILENT (2 * G_USEC_PER_SEC)       /* a peer that promised to tell and tells nothing gets what it would have got */
#define FED (3 * G_USEC_PER_SEC)        /* feedback is missed after that */
#define FEEDBACK_STEP 1.06
#define FEEDBACK_STEP_TIME (350 * 1000)
#define FEEDBACK_HOLD (5 * G_USEC_PER_SEC)     /* after the first failure; then twice as long each time */
#define FEEDBACK_HOLD_MOST (60 * G_USEC_PER_SEC)
#define FEEDBACK_SHARE 0.95             /* of what got through while there was a queue */
#define FEEDBACK_SHARE_KNOWN 0.98       /* if it was hardly too much */
#define FEEDBACK_AGAIN 0.97             /* of it if that is too much still */
#define FEEDBACK_AGAIN_LEAST 0.9
#define FEEDBACK_SURE 60                /* ms over the threshold */
#define FEEDBACK_SHARP 2.5              /* times the threshold for the very newest packets */
#define FEEDBACK_RISE 12                /* ms by which trying more may lengthen the way */
#define FEEDBACK_WANDER 3
#define FEEDBACK_SPREAD 1.3
#define FEEDBACK_DRAIN 1.0              /* s */
#define ROOM 0.9                        /* of a narrow link: nearer to all of it each burst is waited for by many packets */
#define ROOM_RTCP 2500                  /* bit/s of it that our reports take */

#define SCARCE 20000                    /* bit/s: less is worth more cycles */
#define SCARCE_COMPLEXITY 8

#define BREAKER 10.0                    /* RFC 8083 section 4.3: times the rate of TCP */
#define BREAKER_REPORTS 3               /* section 4.5, for an interval of at least 5 s in 15 s: three of them */
#define BREAKER_PAUSE (5 * G_USEC_PER_SEC)      /* the first; then twice as long each time */
#define BREAKER_PAUSE_MOST (60 * G_USEC_PER_SEC)

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
  return rate_choice_overhead (control->overhead, frame_ms);
}

static guint
shortest (const RateControl *control)
{
  double jitter = isnan (control->jitter) ? control->queue.spread : control->jitter;

  if (!control->wide || control->unsteady || (isnan (control->jitter) && jitter > STEADY) || (control->loss > SHORT_LOSS && control->rate.copies == 0))
    return control->frame_ms;
  return control->least_ms;
}

/* All that we would like to send, without copies. */
static double
wanted_wire (const RateControl *control)
{
  return control->maximum + overhead (control, shortest (control));
}

static double
wire_of (const RateControl *control)
{
  return control->rate.bitrate * (1.0 + control->rate.copies) + overhead (control, control->rate.frame_ms);
}

/* Bit rate and frame length for so much on the wire; for a while only the share of it. */
static void
choose (RateControl *control, double wire, double share)
{
  static const guint lengths[] = { 10, 40, LONGEST };
  guint minimum = MIN (control->state == RATE_STARTING || share < 1 ? LEAST : MINIMUM, control->maximum), best = control->frame_ms,
        least = share < 1 ? control->frame_ms : shortest (control);
  RateQuestion question = { .wire = wire, .overhead = control->overhead, .capacity = control->state == RATE_LIMITED ? control->capacity : 0,
                            .least = minimum, .most = control->maximum, .frame_ms = control->rate.frame_ms };
  double bitrate, price = rate_choice_price (&question, best, &bitrate);

  for (guint i = 0; control->state != RATE_STARTING && i < G_N_ELEMENTS (lengths); i++)
    {
      double others, others_price = rate_choice_price (&question, lengths[i], &others);

      if (lengths[i] >= least && others_price < price)
        {
          best = lengths[i];
          price = others_price;
          bitrate = others;
        }
    }
  control->rate.frame_ms = best;
  control->rate.bitrate = (guint) CLAMP (MIN (bitrate, wire * share - overhead (control, best)), minimum, control->maximum);
  control->rate.complexity = control->rate.bitrate < SCARCE ? MAX (control->complexity, SCARCE_COMPLEXITY) : control->complexity;
}

void
rate_control_init (RateControl *control, const PhoneMediaPlan *plan, guint bitrate, guint complexity)
{
  guint fixed = fixed_rate (plan->send.id);

  *control = (RateControl) { .reason = "start", .round_trip = NAN, .wander = NAN, .jitter = NAN, .complexity = complexity, .hold = FEEDBACK_HOLD };
  rate_queue_init (&control->queue);
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
  control->frame_ms = control->least_ms = plan->ptime;
  if (fixed == 0 && plan->least_ptime > 0 && plan->least_ptime < plan->ptime && (plan->ccfb || plan->transport_cc != 0))
    control->least_ms = plan->least_ptime;
  control->overhead = headers (plan);
  control->rate = (MediaRate) {
    .bitrate = control->maximum,
    .dtx = fixed == 0 && plan->send.use_dtx,
    .frame_ms = plan->ptime,
    .complexity = complexity,
  };
  control->wire = wanted_wire (control);
  control->state = RATE_OPEN;
  if (control->adaptive && (plan->ccfb || plan->transport_cc != 0) && control->wire > START_WIRE * START_STEP)
    {
      control->state = RATE_STARTING;
      control->wire = START_WIRE;
      control->rate.cbr = TRUE;
      choose (control, control->wire, 1);
    }
}

/* ---- feedback ---- */

/* Where the link is full, packets that are longer than the mean fill its queue with each loud word. Where nothing is said it may rest. */
static void
set_state (RateControl *control, RateState state)
{
  control->state = state;
  control->rate.cbr = state == RATE_STARTING || state == RATE_PROBING;
  control->rate.bounded = state == RATE_LIMITED;
}

/* The link was seen to carry no more than this. */
static void
limit (RateControl *control, gint64 now)
{
  set_state (control, RATE_LIMITED);
  control->rate.copies = 0;
  control->wide = FALSE;
  control->queue_seen = now;
  control->quiet_since = 0;
}

static gboolean
narrow_lately (const RateControl *control, gint64 now)
{
  return control->queue_seen != 0 && now - control->queue_seen < NARROW;
}

/* As far as nothing else is known, all that is wanted. */
static void
open_up (RateControl *control)
{
  set_state (control, RATE_OPEN);
  control->wire = wanted_wire (control);
  choose (control, control->wire, 1);
  control->reason = "steady";
}

/* bit/s that a link has room for that delays show to be narrow; INFINITY: they show none. */
static double
room (const RateControl *control)
{
  return control->capacity > 0 ? MAX (0, control->capacity * ROOM - ROOM_RTCP) : INFINITY;
}

/* More than what went well before is only given up when it is far too much, or goes on: what got through while the queue grew is counted from before
 * it grew, too. */
static void
retreat (RateControl *control, double length, gint64 now)
{
  double carried = control->queue.carried > 0 ? MIN (control->queue.carried, control->wire) : control->wire;
  gboolean sure = length > control->queue.threshold + FEEDBACK_SURE;
  gboolean felt = now - control->cut > FELT + (gint64) (1000 * length) && length >= control->length;

  switch (control->state)
    {
    case RATE_PROBING:
      control->hold = MIN (2 * control->hold, FEEDBACK_HOLD_MOST);
      control->wire = sure ? MIN (control->settled, carried * FEEDBACK_SHARE) : control->settled;
      break;
    case RATE_STARTING:
      control->wire = sure ? carried * FEEDBACK_SHARE : MAX (control->settled, carried * FEEDBACK_SHARE_KNOWN);
      break;
    case RATE_OPEN:
      control->wire = carried * FEEDBACK_SHARE;
      break;
    case RATE_LIMITED:
      if (felt)
        control->wire *= FEEDBACK_AGAIN * CLAMP (carried / control->wire, FEEDBACK_AGAIN_LEAST, 1);
      break;
    }
  control->wire = MIN (control->wire, room (control));
  if (control->state != RATE_LIMITED || felt)
    control->cut = now;
  limit (control, now);
  choose (control, control->wire, MAX (1 - length / 1000 / FEEDBACK_DRAIN, DEEPEST));
  control->reason = "delay";
}

/* What is known to fit, less as long as there is something of a queue. */
static void
drain (RateControl *control, double length)
{
  choose (control, control->wire, length > control->queue.threshold / 2 ? 1 - length / 1000 / FEEDBACK_DRAIN : 1);
}

static void
step_up (RateControl *control, double factor, gint64 now)
{
  control->settled = control->wire;
  control->wire = MIN (control->wire * factor, wanted_wire (control));
  control->stepped = now;
  choose (control, control->wire, 1);
}

/* The link is known: there is nothing to find out, unless others use it too. So what it has room for is approached step by step. */
static gboolean
settle (RateControl *control, double length, gint64 now)
{
  if (control->state == RATE_OPEN || room (control) >= wanted_wire (control))
    return FALSE;
  if (control->state != RATE_LIMITED)
    limit (control, now);
  if (control->wire > room (control))
    control->wire = room (control);
  else if (now - control->stepped >= FEEDBACK_STEP_TIME)
    {
      control->wire = MIN (control->wire * FEEDBACK_STEP, room (control));
      control->stepped = now;
    }
  control->reason = "delay";
  drain (control, length);
  return TRUE;
}

static void
advance (RateControl *control, double length, gint64 now)
{
  gboolean still = fabs (control->queue.change) < MAX (STILL, FEEDBACK_WANDER * control->queue.wander);
  double wanted;

  control->wide = control->wide || (control->queue.proofs >= START_PROOFS && !narrow_lately (control, now));
  if (settle (control, length, now))
    return;
  wanted = wanted_wire (control);
  switch (control->state)
    {
    case RATE_OPEN:
      if (control->wire < wanted)
        open_up (control);
      control->reason = "steady";
      break;
    case RATE_STARTING:
      if (control->news - control->begun < START_HOLD || control->news - control->stepped < START_STEP_TIME || !still)
        break;
      if (control->wire >= wanted || control->queue.proofs >= START_PROOFS)
        open_up (control);
      else
        step_up (control, START_STEP, now);
      break;
    case RATE_LIMITED:
      if (control->quiet_since == 0)
        control->quiet_since = now;
      drain (control, length);
      if (!control->queue.faster && now - control->quiet_since < control->hold)
        break;
      control->brisk = control->queue.faster;
      control->level = control->queue.least;
      set_state (control, RATE_PROBING);
      control->reason = "recovering";
      step_up (control, control->brisk ? START_STEP : FEEDBACK_STEP, now);
      break;
    case RATE_PROBING:
      if (control->news - control->stepped < (control->brisk ? START_STEP_TIME : FEEDBACK_STEP_TIME))
        break;
      if (control->wire < wanted)
        {
          step_up (control, control->brisk ? START_STEP : FEEDBACK_STEP, now);
          break;
        }
      control->hold = FEEDBACK_HOLD;
      open_up (control);
      break;
    }
}

/* Where more is tried than is known to fit the first sign counts. */
static gboolean
is_too_much (const RateControl *control, double length)
{
  double rise = MAX (FEEDBACK_RISE, MAX (FEEDBACK_WANDER * control->queue.wander, FEEDBACK_SPREAD * control->queue.spread));

  switch (control->state)
    {
    case RATE_STARTING:
      return control->wire > START_WIRE && length > rise;
    case RATE_PROBING:
      return control->queue.least - control->level > rise;
    case RATE_OPEN:
    case RATE_LIMITED:
      return FALSE;
    }
  g_assert_not_reached ();
}

static gboolean
differs (const MediaRate *a, const MediaRate *b)
{
  return a->bitrate != b->bitrate || a->fec != b->fec || a->loss_percent != b->loss_percent || a->frame_ms != b->frame_ms
         || a->copies != b->copies || !a->stopped != !b->stopped || a->complexity != b->complexity || !a->cbr != !b->cbr || !a->bounded != !b->bounded;
}

gboolean
rate_control_feedback (RateControl *control, const RateSample *samples, guint n, gint64 now)
{
  MediaRate before = control->rate;
  double length, newest;

  if (!control->adaptive || control->rate.stopped || n == 0)
    return FALSE;
  if (control->begun == 0)
    control->begun = samples[0].sent;
  control->fed = now;
  control->news = MAX (control->news, samples[n - 1].sent);
  rate_link_add (&control->link, samples, n);
  control->capacity = rate_link_capacity (&control->link);
  rate_queue_add (&control->queue, samples, n, control->state == RATE_STARTING || control->state == RATE_OPEN);
  length = rate_queue_length (&control->queue);
  control->over = length > control->queue.threshold ? control->over + 1 : 0;
  control->clear = control->over > 0 ? 0 : MIN (control->clear + 1, CLEAR);
  newest = control->queue.newest - rate_queue_base (&control->queue);
  if (control->over > 1 || length > control->queue.threshold + FEEDBACK_SURE || is_too_much (control, length)
      || (newest > FEEDBACK_SHARP * control->queue.threshold && control->state != RATE_LIMITED))
    retreat (control, MAX (length, newest), now);
  else if (control->over == 0)
    advance (control, length, now);
  control->length = length;
  return differs (&before, &control->rate);
}

gboolean
rate_control_tick (RateControl *control, gint64 begun, gint64 now)
{
  MediaRate before = control->rate;

  if (control->rate.stopped && now >= control->resume)
    {
      control->rate.stopped = FALSE;
      control->broken = 0;
    }
  else if (control->state == RATE_STARTING && control->begun == 0 && now - begun >= START_SILENT)
    open_up (control);
  return differs (&before, &control->rate);
}

/* ---- the queue, as reports show it ---- */

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
  limit (control, report->now);
  choose (control, control->wire, MAX (1 - queue / 1000 / DRAIN, DEEPEST));
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
  if (control->state == RATE_STARTING)
    return;
  if (control->quiet_since == 0)
    control->quiet_since = report->now;
  if (report->now - control->quiet_since >= HOLD)
    {
      set_state (control, RATE_PROBING);
      /* What was not asked for has not been tried. */
      control->wire = MIN (MAX (wire_of (control), control->wire) * PROBE_STEP, wanted);
      if (control->wire >= wanted)
        set_state (control, RATE_OPEN);
    }
  choose (control, control->wire, 1);
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
  guint copies = control->rate.copies;

  if (!control->red_allowed || narrow_lately (control, report->now) || control->state != RATE_OPEN || control->clear < CLEAR)
    copies = 0;
  else if (control->loss > RED_MORE || (copies == 2 && control->loss > RED_MORE_OFF))
    copies = 2;
  else if (control->loss > RED_ON || (copies > 0 && control->loss > RED_OFF))
    copies = 1;
  else
    copies = 0;
  control->rate.copies = copies;
  if (control->state == RATE_OPEN)
    {
      control->wire = wanted_wire (control);
      choose (control, control->wire, 1);
    }

  if (control->fec_allowed)
    {
      if (control->loss > FEC_ON)
        {
          control->rate.fec = TRUE;
          control->fec_until = report->now + FEC_HOLD;
        }
      else if (control->loss < FEC_OFF && report->now >= control->fec_until)
        control->rate.fec = FALSE;
      if (control->rate.frame_ms < FEC_FRAME)
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

/* The next begins with the least. */
static void
stop (RateControl *control, gint64 now)
{
  limit (control, now);
  if (control->adaptive)
    {
      /* Something to grow from: the least in the longest packets. */
      control->rate.frame_ms = MAX (control->frame_ms, LONGEST);
      control->rate.bitrate = MIN (LEAST, control->maximum);
      control->wire = wire_of (control);
    }
  control->rate.stopped = TRUE;
  control->reason = "breaker";
  control->breaks++;
  control->pause = control->resume == 0 || now - control->resume > BREAKER_PAUSE_MOST ? BREAKER_PAUSE
                                                                                      : MIN (2 * control->pause, BREAKER_PAUSE_MOST);
  control->resume = now + control->pause;
}

gboolean
rate_control_update (RateControl *control, const RateReport *report)
{
  MediaRate before = control->rate;

  if (!isnan (report->loss))
    control->loss += SMOOTHING * (CLAMP (report->loss, 0, 1) - control->loss);
  if (!isnan (report->jitter))
    control->jitter = isnan (control->jitter) ? report->jitter : control->jitter + SMOOTHING * (report->jitter - control->jitter);
  if (!isnan (control->jitter))
    control->unsteady = control->jitter > UNSTEADY || (control->unsteady && control->jitter > STEADY);
  if (control->rate.stopped)
    return FALSE;               /* about nothing */
  if (breaker (control, report))
    stop (control, report->now);
  else if (!control->adaptive)
    {
      control->rate.loss_percent = MIN ((guint) ceil (control->loss * 100 - 1e-9), MAX_EXPECTED_LOSS);
      control->reason = "steady";
    }
  else
    {
      RateReport seen = *report;

      if (!isnan (report->delay))
        seen.round_trip = report->delay;
      if (control->fed == 0 || report->now - control->fed > FED)
        watch_queue (control, &seen);
      protect (control, report);
    }

  return differs (&before, &control->rate);
}
