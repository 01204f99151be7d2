/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/playout-delay.h"

#include <math.h>
#include <string.h>

/* A fixed percentile is wrong somewhere: the 99th costs little on a quiet network and half a second on a bad one. Waiting has a price
 * that grows with the wait (nobody hears 20 ms, 200 ms disturb a conversation: ITU-T G.114), and so has each frame that comes too
 * late. The target is the wait of least total price,
 *
 *     wait^3 / (3 * WAIT_SCALE^2) + LATE_PRICE * percentage of frames later than that, beyond TOLERATED
 *
 * so one more percent of frames is worth 14 ms at a wait of 75 ms, and a quarter of that at 150. Measured on the traces of tests/media with natural
 * speech: quiet links settle within their jitter, random loss waits for the FEC of the next packet, a stall of 150 ms every 3 s is
 * concealed for its smaller part, and an exponential jitter of 40 ms is covered to about 95 %.
 *
 * The largest of a few latenesses says little about the largest of many: a young distribution gets a margin in proportion, which on a
 * quiet network is nothing. Too much is taken back in the next pause; too little would shift speech.
 *
 * A call begins with the worst that its link has to offer: signalling still stands in the queue, and the sender does not know yet what fits. So
 * a young stream forgets its beginning: the window is a share of its age.
 *
 * The window is long, so that the target is steady (each change of it stretches speech) and comes down slowly. Up it must go at once
 * when the network has changed: that is playout_delay_urgent. */

#define TICKS_PER_MS 48
#define WINDOW_MS 20000
#define WINDOW_LEAST 100        /* frames */
#define YOUNG_MS 3000
#define YOUNG_SHARE 0.6         /* of its age that a young stream remembers */
#define WAIT_SCALE 100.0        /* ms */
#define LATE_PRICE 8.0
#define IGNORANCE 2.0            /* share of the target, over the root of the number of frames */
#define TOLERATED 0.7           /* per cent: spikes so rare are concealed, whatever they would cost */
#define BETTER_MS 8000
#define BETTER_LEAST (10 * TICKS_PER_MS)
#define START (40 * TICKS_PER_MS)       /* until there are enough to judge */
#define ENOUGH 25
#define SHORTER 10              /* frames in a row: until then the longer ones are waited for */
#define RECENT 4                /* even */
#define FALLING (-5 * TICKS_PER_MS)

void
playout_delay_reset (PlayoutDelay *delay)
{
  delay->next = delay->n = 0;
  delay->age = 0;
  delay->frame = delay->shorter = 0;
  delay->target = 0;
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

/* The i-th last transit, 0 the last. */
static gint64
recent (const PlayoutDelay *delay, guint i)
{
  return delay->ring[(delay->next + PLAYOUT_DELAY_WINDOW - 1 - i) % PLAYOUT_DELAY_WINDOW];
}

static gint64
cheapest (const PlayoutDelay *delay)
{
  double best = G_MAXDOUBLE;
  gint64 target = 0;

  for (guint i = 0; i < delay->n; i++)
    {
      double wait = (double) (delay->sorted[i] - delay->sorted[0]) / TICKS_PER_MS;
      double price = wait * wait * wait / (3 * WAIT_SCALE * WAIT_SCALE) + LATE_PRICE * MAX (100.0 * (delay->n - 1 - i) / delay->n - TOLERATED, 0);

      if (price < best)
        {
          best = price;
          target = delay->sorted[i] - delay->sorted[0];
        }
    }
  return target;
}

/* The largest lateness of the last BETTER_MS. */
static gint64
latest_most (const PlayoutDelay *delay, guint duration)
{
  guint n = MIN (BETTER_MS * TICKS_PER_MS / MAX (duration, 1), delay->n);
  gint64 most = 0;

  for (guint i = 0; i < n; i++)
    most = MAX (most, recent (delay, i) - delay->sorted[0]);
  return most;
}

/* Frames of that duration that are remembered. */
static guint
window_of (const PlayoutDelay *delay, guint duration)
{
  gint64 ticks = CLAMP ((gint64) (YOUNG_SHARE * (double) delay->age), YOUNG_MS * TICKS_PER_MS, WINDOW_MS * TICKS_PER_MS);

  return (guint) CLAMP (ticks / MAX (duration, 1), WINDOW_LEAST, PLAYOUT_DELAY_WINDOW);
}

void
playout_delay_add (PlayoutDelay *delay, gint64 transit, guint duration)
{
  guint window, at;

  /* What is kept is when the frame had come since its end: how long it is says nothing of the way that it took. */
  transit -= duration;
  delay->shorter = duration < delay->frame ? delay->shorter + 1 : 0;
  if (duration > delay->frame || delay->shorter >= SHORTER)
    delay->frame = duration;
  delay->age += duration;
  window = window_of (delay, duration);
  while (delay->n >= window)
    {
      at = place (delay, recent (delay, delay->n - 1));
      delay->n--;
      memmove (delay->sorted + at, delay->sorted + at + 1, (delay->n - at) * sizeof delay->sorted[0]);
    }
  at = place (delay, transit);
  memmove (delay->sorted + at + 1, delay->sorted + at, (delay->n - at) * sizeof delay->sorted[0]);
  delay->sorted[at] = transit;
  delay->n++;
  delay->ring[delay->next] = transit;
  delay->next = (delay->next + 1) % PLAYOUT_DELAY_WINDOW;
  delay->target = cheapest (delay);
  delay->target = (gint64) ((double) delay->target * (1 + IGNORANCE / sqrt (delay->n)));
  /* It got better: what was there before the last seconds is no reason to wait longer than half again what they had. */
  delay->target = MIN (delay->target, latest_most (delay, duration) * 3 / 2 + BETTER_LEAST);
}

gint64
playout_delay_base (const PlayoutDelay *delay)
{
  return delay->n ? delay->sorted[0] + delay->frame : 0;
}

gint64
playout_delay_target (const PlayoutDelay *delay)
{
  return delay->n < ENOUGH ? MAX (delay->target, START) : delay->target;
}

gint64
playout_delay_urgent (const PlayoutDelay *delay, gint64 slack)
{
  gint64 most = 0, trend = 0;

  if (delay->n < RECENT)
    return 0;
  for (guint i = 0; i < RECENT; i++)
    {
      gint64 late = recent (delay, i) - delay->sorted[0];

      if (late <= slack)
        return 0;
      most = MAX (most, late);
      trend += i < RECENT / 2 ? late : -late;
    }
  trend /= RECENT / 2;
  /* A queue that empties gets better with each packet; one that fills will be further when the next comes. */
  return trend > FALLING ? most + 2 * MAX (trend, 0) : 0;
}
