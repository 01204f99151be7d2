/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one direction of a bad network does to packets. Pure: the time is a parameter, the randomness comes from a seed.
 *
 *   queue (rate, limit) -> loss (random or in bursts) -> delay + jitter + stalls -> in order unless `reorder` */

#include <glib.h>

typedef struct
{
  double delay;                 /* ms, one way */
  double jitter;                /* ms, mean of an exponential on top */
  double loss;                  /* 0..1 */
  double burst;                 /* mean length of a run of lost packets (Gilbert); 0 or 1: each by itself */
  double run;                   /* > 1: runs of exactly so many instead */
  double stall_every, stall;    /* s mean between, and ms length: nothing passes, then all of it */
  double rate;                  /* bit/s of IP packets, 0: no bottleneck */
  double queue;                 /* ms that may wait in front of the bottleneck */
  double reorder;               /* 1: jitter may bring packets out of order */
} LinkConfig;

/* KEY=VALUE of a member, over what is there. FALSE: no such key, or a value out of range. */
gboolean link_config_set (LinkConfig *config, const char *assignment);

typedef struct
{
  LinkConfig config;            /* may be changed at any time */
  guint64 random;
  gint64 free_at;               /* us: when the bottleneck has sent what is in its queue */
  gint64 latest;                /* us: departure of the last packet */
  gint64 stall_begin, stall_end;
  gboolean bad;
  guint run_left;
  guint64 passed, lost, dropped;
} LinkModel;

#define LINK_LOST (-1)          /* on the way */
#define LINK_DROPPED (-2)       /* the queue was full */

void link_model_init (LinkModel *model, const LinkConfig *config, guint64 seed);
/* A packet of so many octets came at `now` (us, never backwards): when it leaves, LINK_LOST or LINK_DROPPED. */
gint64 link_model_offer (LinkModel *model, gint64 now, guint octets);
