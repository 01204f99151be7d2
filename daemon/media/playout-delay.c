/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/playout-delay.h"

#include <string.h>

#define PERCENTILE 98
#define START (40 * 48)         /* until there are enough to judge */
#define ENOUGH 25

void
playout_delay_reset (PlayoutDelay *delay)
{
  delay->next = delay->n = 0;
}

/* First place in sorted[] whose value is not below transit. */
static guint
place (const PlayoutDelay *delay, gint64 transit)
{
  guint low = 0, high = delay->n;

  while (low < high)
    {
      guint middle = (low + high) / 2;

      if (delay->sorted[middle] < transit)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

void
playout_delay_add (PlayoutDelay *delay, gint64 transit)
{
  guint at;

  if (delay->n == PLAYOUT_DELAY_WINDOW)
    {
      at = place (delay, delay->ring[delay->next]);
      delay->n--;
      memmove (delay->sorted + at, delay->sorted + at + 1, (delay->n - at) * sizeof delay->sorted[0]);
    }
  at = place (delay, transit);
  memmove (delay->sorted + at + 1, delay->sorted + at, (delay->n - at) * sizeof delay->sorted[0]);
  delay->sorted[at] = transit;
  delay->n++;
  delay->ring[delay->next] = transit;
  delay->next = (delay->next + 1) % PLAYOUT_DELAY_WINDOW;
}

gint64
playout_delay_base (const PlayoutDelay *delay)
{
  return delay->n ? delay->sorted[0] : 0;
}

gint64
playout_delay_target (const PlayoutDelay *delay)
{
  gint64 target;

  if (delay->n == 0)
    return START;
  target = delay->sorted[(delay->n - 1) * PERCENTILE / 100] - delay->sorted[0];
  return delay->n < ENOUGH ? MAX (target, START) : target;
}
