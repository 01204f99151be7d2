/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-link.h"

#include <math.h>
#include <string.h>

#define LEAST 20                        /* packets */
#define OLDEST (6 * G_USEC_PER_SEC)     /* us of sending */
#define NARROWEST 12000                 /* bit/s */
#define WIDEST 120000
#define STEP 1.03
#define NOTICED 2.0                     /* ms of deviation that must be there to be explained */
#define LEFT 0.4                        /* of it that may be left unexplained */

void
rate_link_init (RateLink *link)
{
  link->n = 0;
}

void
rate_link_add (RateLink *link, const RateSample *samples, guint n)
{
  for (guint i = 0; i < n; i++)
    {
      if (link->n == RATE_LINK_PACKETS)
        memmove (link->packets, link->packets + 1, sizeof link->packets[0] * --link->n);
      link->packets[link->n++] = samples[i];
    }
}

static double
delay_of (const RateSample *packet)
{
  return (double) (packet->arrived - packet->sent);
}

/* us by which delays differ from what they would be on such a link, on average. free_at: when the link had sent all before. */
static double
misfit (const RateSample *packets, guint n, double capacity, double least)
{
  double rest[RATE_LINK_PACKETS], sum = 0, off = 0, per_octet = 8e6 / capacity;
  double free_at = (double) packets[0].sent + MAX (0, delay_of (&packets[0]) - least - packets[0].octets * per_octet);

  for (guint i = 0; i < n; i++)
    {
      if (packets[i].ahead > 0)
        free_at = MAX (free_at, (double) packets[i].ahead_sent) + packets[i].ahead * per_octet;
      free_at = MAX (free_at, (double) packets[i].sent) + packets[i].octets * per_octet;
      rest[i] = (double) packets[i].arrived - free_at;
      sum += rest[i];
    }
  for (guint i = 0; i < n; i++)
    off += fabs (rest[i] - sum / n);
  return off / n;
}

double
rate_link_capacity (const RateLink *link)
{
  const RateSample *packets = link->packets;
  double least = INFINITY, mean = 0, capacity = 0, unexplained = 0, best = INFINITY;
  guint n = link->n;

  while (n > 0 && link->packets[link->n - 1].sent - packets->sent > OLDEST)
    packets++, n--;

  if (n < LEAST)
    return 0;
  for (guint i = 0; i < n; i++)
    {
      least = MIN (least, delay_of (&packets[i]));
      mean += delay_of (&packets[i]) / n;
    }
  for (guint i = 0; i < n; i++)
    unexplained += fabs (delay_of (&packets[i]) - mean) / n;
  if (unexplained < NOTICED * 1000)
    return 0;
  for (double rate = NARROWEST; rate < WIDEST; rate *= STEP)
    {
      double off = misfit (packets, n, rate, least);

      if (off < best)
        {
          best = off;
          capacity = rate;
        }
    }
  /* At either end it is no minimum: what delays them is something else. */
  return best > LEFT * unexplained || capacity == NARROWEST || capacity * STEP >= WIDEST ? 0 : capacity;
}
