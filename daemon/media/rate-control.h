/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the sender should do, from what the peer says of our packets. Pure: state in, time as a parameter, replayable.
 *
 * Everything is decided in bits per second on the wire, headers included: at 20 ms the headers of IP, UDP, RTP and SRTP cost nearly as much as
 * the speech, so on a narrow link longer frames are worth considering; they are as long again in delay, and as long once more on the link
 * (rate-choice).
 *
 *   STARTING  nothing is known of the way: what a narrow one carries too, and more as soon as that is seen to come without delay; all as
 *             soon as what is sent just behind RTCP does, which a narrow one could not have carried in time. With feedback only
 *   OPEN      nothing speaks against the full rate
 *   LIMITED   a queue was seen to grow, or the link to be narrow: stay under what it carries, and some more as long as the queue drains
 *   PROBING   it has been quiet for a while: a little more at a time, until it is too much again or all that is wanted
 *
 * Two kinds of news come in. Feedback (media-feedback) tells of every packet within a quarter of a second: a queue is seen when it is 30 ms long,
 * and what gets through is known (rate-queue). Receiver reports tell of loss, and where there is no feedback their delay has to do:
 *
 *   queue     the delay less the smallest of the last half minute. Jitter makes it wander too: what counts is what stands out
 *             of that, twice in a row or by much. It grows before anything is dropped.
 *   loss      without a queue it is the link's own: the answer is redundancy and not silence. Above 1 % in-band FEC (if the peer wants it), above
 *             4 % copies of earlier packets (RFC 2198, if the peer takes them) as long as no queue was seen lately.
 *   breaker   sending ten times what TCP would get in the same place is too much for whatever reason (RFC 8083): nothing goes out for a
 *             while, then the least is tried; a minute without another break, and the next one is a short one again.
 *
 * Packets of 10 ms save the listener 10 ms here and 10 ms more wherever a copy of what was lost comes with the next one; a lost one is less to be concealed,
 * too. They cost twice the headers, and as many more packets that can be late: they are for links that are steady and were seen to be wide, and
 * for peers that give feedback and say that they take them. The encoder's own FEC is no use in them (it takes too much of the bits): copies are.
 *
 * While more is tried than is known to fit, the coder is told to use it all (no VBR): silence would prove nothing.
 *
 * Where the delays of packets tell what the link carries (rate-link), nothing is tried: as much is sent as there is room for. Where they do not, a
 * link that was seen to be full is tried again after 5 s, and after every failure twice as long later. A bottleneck that goes away takes the time with
 * it that a packet needs to pass through: then there is nothing to wait for.
 *
 * Limits are the smaller of the configured rate and the peer's maxaveragebitrate (RFC 7587 section 6.1). */

#include "core/offer-answer.h"
#include "media/media-codec.h"
#include "media/rate-choice.h"
#include "media/rate-link.h"
#include "media/rate-queue.h"

typedef struct
{
  gint64 now;                   /* monotonic us */
  double loss;                  /* 0..1, the peer's last fraction lost; NAN: unknown */
  double jitter;                /* ms; NAN: unknown */
  double round_trip;            /* ms; NAN: unknown */
  double delay;                 /* ms from sending the newest packet that the report tells of until the report came; NAN: unknown */
} RateReport;

typedef enum
{
  RATE_STARTING,
  RATE_OPEN,
  RATE_LIMITED,
  RATE_PROBING,
} RateState;

#define RATE_MINIMA 6

typedef struct
{
  MediaRate rate;
  const char *reason;           /* static: start, steady, loss, delay, recovering, peer-limit, breaker */
  RateState state;
  guint maximum;                /* bit/s of the codec */
  guint frame_ms, least_ms;     /* as agreed, and the least that may be sent */
  guint complexity;             /* as configured */
  guint overhead;               /* octets of headers of a packet */
  gboolean adaptive, fec_allowed, red_allowed;
  double loss, jitter;          /* smoothed; jitter in ms, NAN: not known */
  gboolean unsteady;            /* jitter is what the listener waits for */
  gboolean wide;                /* the link was seen to carry much more than we send */
  double minima[RATE_MINIMA];   /* smallest round trips of the last slices of time, NAN: none */
  gint64 slice;                 /* when the present one began */
  double round_trip, wander;    /* of the last report, and its mean change while there is no queue; NAN: none yet */
  gint64 reported;
  guint over, clear;            /* reports in a row with a queue, and without */
  double wire;                  /* bit/s that may be used now */
  gint64 quiet_since, queue_seen, cut;  /* 0: never; cut: when `wire` was lowered last */
  gint64 fec_until;
  RateQueue queue;
  RateLink link;
  double capacity;              /* bit/s of a narrow link, as delays show it; 0: they show none */
  gint64 begun;                 /* when the first packet went out that feedback told of; 0: none yet */
  gint64 news;                  /* when the newest packet went out that feedback told of */
  gint64 fed;                   /* when there was feedback last, 0: never */
  gint64 stepped, hold;         /* when `wire` was raised last; how long until it is tried again */
  double settled;               /* bit/s: `wire` before that */
  double length;                /* ms of queue when there was feedback last */
  double level;                 /* ms: least delay before more was tried */
  gboolean brisk;               /* it is tried with good reason */
  guint breaks;                 /* times it was stopped */
  gint64 pause, resume;         /* how long the last one was, and until when; 0: there was none */
  guint broken;                 /* reports in a row beyond the breaker's rate */
} RateControl;

/* Starts anew for the plan's send codec. bitrate, complexity: as configured. */
void rate_control_init (RateControl *control, const PhoneMediaPlan *plan, guint bitrate, guint complexity);
/* A new report from the peer. TRUE: rate differs from before. */
gboolean rate_control_update (RateControl *control, const RateReport *report);
/* When the peer's feedback says that packets of ours came, in order of sending. */
gboolean rate_control_feedback (RateControl *control, const RateSample *samples, guint n, gint64 now);
/* Twice a second or so: for peers that tell nothing, and when it is stopped. begun: when sending began. */
gboolean rate_control_tick (RateControl *control, gint64 begun, gint64 now);
