/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the arrivals of our packets say about the way: how much of the delay is a queue, and how much gets through. Pure.
 *
 * The clocks of both ends do not begin together, so only differences count. The base is the least delay of the last 20 s; it stands still while
 * there is a queue, which must not become the measure. Of the newest packets the least delay counts too: jitter makes packets late and never early, and
 * a packet behind a long one is no queue yet. What is left of jitter is known by how it wanders. */

#include "media/rate-history.h"

#define RATE_QUEUE_RECENT 64
#define RATE_QUEUE_SLICES 10

typedef struct
{
  gboolean started;
  gint64 offset;                        /* us: delay of the first packet */
  struct
  {
    gint64 sent, arrived;
    double delay;                       /* ms over that of the first packet */
    guint octets;
  } recent[RATE_QUEUE_RECENT];          /* the oldest first */
  guint n_recent;
  double slices[RATE_QUEUE_SLICES];     /* least delay of 2 s each, the newest first; INFINITY: none */
  gint64 slice, stood;                  /* when the present one began; since when there has been a queue, 0: there is none */
  double least, wander;                 /* ms: of the newest packets, and its mean change */
  guint learned;                        /* reports behind these two */
  double change;                        /* ms of `least` since the report before */
  double spread;                        /* ms over that of the others, mean */
  double newest;                        /* ms: the least delay of the very newest packets */
  double threshold;                     /* ms over the base from which on it is a queue */
  double carried;                       /* bit/s that arrived lately; 0: not known */
  guint proofs;                         /* packets in a row that came without delay though RTCP went just before: the link is not narrow */
  gboolean faster;                      /* every new packet was faster than any of old: the way is another */
} RateQueue;

void rate_queue_init (RateQueue *queue);
/* In order of sending. learn: what wanders is the link's jitter; where the link is full it is our own queue. */
void rate_queue_add (RateQueue *queue, const RateSample *samples, guint n, gboolean learn);
double rate_queue_base (const RateQueue *queue);        /* ms; INFINITY: none yet */
double rate_queue_length (const RateQueue *queue);      /* ms; 0 as long as nothing is known */
