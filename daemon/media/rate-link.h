/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How much a narrow link carries, from how long packets of different length took, and those that went out behind others. Pure.
 *
 * A link that is the bottleneck takes octets / capacity for each packet, and what comes meanwhile waits: with the capacity known, all delays
 * follow from what was sent when (Lindley's recursion, 1952). So every capacity is tried on the packets of the last seconds, and the one that
 * explains their delays best is taken, if it explains much: unlike trying to send more, that costs the listener nothing. */

#include "media/rate-history.h"

#define RATE_LINK_PACKETS 100

typedef struct
{
  RateSample packets[RATE_LINK_PACKETS];        /* in order of sending, the oldest first */
  guint n;
} RateLink;

void rate_link_init (RateLink *link);
void rate_link_add (RateLink *link, const RateSample *samples, guint n);
/* bit/s; 0: the delays are not those of a narrow link, or there are too few of them. */
double rate_link_capacity (const RateLink *link);
