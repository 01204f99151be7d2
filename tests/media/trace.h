/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Arrival traces for the playout tests and benchmarks: what a network does to packets sent every so many milliseconds. Made from a
 * seed, in the manner of recorded ones. */

#include <glib.h>
#include "pcm-signal.h"

#define TRACE_LOST G_MAXINT64

typedef struct
{
  const char *name;
  double loss;                  /* share of packets that are lost */
  guint burst;                  /* lost in runs of so many; 0 or 1: alone */
  double base_ms;               /* one way, the least */
  double jitter_ms;             /* mean of an exponential on top */
  gboolean reorder;             /* else a packet never passes the one before it */
  double stall_every_s;         /* mean; 0: no stalls */
  double stall_ms;              /* nothing passes for so long, then all of it */
  double bloat_ms;              /* a queue that fills to this and drains, every 12 s */
  double drift_ppm;             /* the sender's clock runs fast by this */
  double duplicate;             /* share of packets that come twice */
} Trace;

/* The links of the comparison table and some more; ends with a name of NULL. */
extern const Trace traces[];
const Trace *trace_find (const char *name);

/* ret_arrival[i]: us after the start, of packet i sent at (i + 1) * frame_ms, or TRACE_LOST. */
void trace_run (const Trace *trace, guint n, guint frame_ms, guint64 seed, gint64 *ret_arrival);
