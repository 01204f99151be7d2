/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-queue.h"

#include <math.h>
#include <string.h>

#define SLICE (2 * G_USEC_PER_SEC)
#define STANDS (15 * G_USEC_PER_SEC)    /* what has not gone by then is not ours, and the way is longer now */
#define RECENT (300 * 1000)             /* us of sending over which the least delay is taken */
#define RECENT_LEAST 4                  /* packets of it */
#define PROOF 4                         /* ms */
#define NEWEST 6                        /* packets */
#define CARRIED (600 * 1000)            /* us of arrival over which is counted what gets through */
#define CARRIED_LEAST (200 * 1000)
#define THRESHOLD 15                    /* ms: less is how packets of different length come */
#define THRESHOLD_WANDER 5
#define THRESHOLD_SPREAD 1.5
#define SMOOTHING 0.15
#define FASTER 5                        /* ms */
#define OUTLANDISH (60 * G_USEC_PER_SEC)        /* us of delay: a clock was set, or somebody makes it up */

void
rate_queue_init (RateQueue *queue)
{
  *queue = (RateQueue) { .threshold = THRESHOLD };
  for (guint i = 0; i < RATE_QUEUE_SLICES; i++)
    queue->slices[i] = INFINITY;
}

double
rate_queue_base (const RateQueue *queue)
{
  double least = INFINITY;

  for (guint i = 0; i < RATE_QUEUE_SLICES; i++)
    least = MIN (least, queue->slices[i]);
  return least;
}

double
rate_queue_length (const RateQueue *queue)
{
  return queue->n_recent < RECENT_LEAST ? 0 : MAX (0, queue->least - rate_queue_base (queue));
}

static void
remember (RateQueue *queue, const RateSample *sample, double delay)
{
  if (queue->n_recent == RATE_QUEUE_RECENT)
    memmove (queue->recent, queue->recent + 1, sizeof queue->recent[0] * --queue->n_recent);
  queue->recent[queue->n_recent].sent = sample->sent;
  queue->recent[queue->n_recent].arrived = sample->arrived;
  queue->recent[queue->n_recent].delay = delay;
  queue->recent[queue->n_recent++].octets = sample->octets;
}

static double
note_recent (RateQueue *queue, double *ret_spread)
{
  gint64 newest = queue->recent[queue->n_recent - 1].sent;
  double least = INFINITY, sum = 0;
  guint n = 0;

  queue->newest = INFINITY;

  for (guint i = queue->n_recent; i-- > 0 && (n < RECENT_LEAST || newest - queue->recent[i].sent <= RECENT); n++)
    {
      least = MIN (least, queue->recent[i].delay);
      sum += queue->recent[i].delay;
      if (n < NEWEST)
        queue->newest = least;
    }
  *ret_spread = sum / n - least;
  return least;
}

/* Of the packets that are not new any more: the slices but the two newest. */
static double
base_of_old (const RateQueue *queue)
{
  double least = INFINITY;

  for (guint i = 2; i < RATE_QUEUE_SLICES; i++)
    least = MIN (least, queue->slices[i]);
  return least;
}

/* The first packet opens the time that the others took. */
static double
count_carried (const RateQueue *queue)
{
  gint64 newest = queue->recent[queue->n_recent - 1].arrived, passed;
  guint first = queue->n_recent - 1;
  double bits = 0;

  for (; first > 0 && newest - queue->recent[first - 1].arrived <= CARRIED; first--)
    bits += queue->recent[first].octets * 8.0;
  passed = newest - queue->recent[first].arrived;
  return passed < CARRIED_LEAST ? 0 : bits * G_USEC_PER_SEC / (double) passed;
}

static void
move_base (RateQueue *queue, gint64 now, double delay)
{
  if (queue->slice == 0)
    queue->slice = now;
  if (now - queue->slice >= SLICE)
    {
      if (rate_queue_length (queue) <= queue->threshold)
        queue->stood = 0;
      else if (queue->stood == 0)
        queue->stood = now;
      if (queue->stood == 0 || now - queue->stood > STANDS)
        {
          memmove (queue->slices + 1, queue->slices, (RATE_QUEUE_SLICES - 1) * sizeof queue->slices[0]);
          queue->slices[0] = INFINITY;
        }
      queue->slice = now;
    }
  queue->slices[0] = MIN (queue->slices[0], delay);
}

void
rate_queue_add (RateQueue *queue, const RateSample *samples, guint n, gboolean learn)
{
  double slowest = -INFINITY, before = queue->least, spread;
  gboolean had = queue->n_recent >= RECENT_LEAST;

  for (guint i = 0; i < n; i++)
    {
      double delay;

      if (!queue->started)
        queue->offset = samples[i].arrived - samples[i].sent;
      queue->started = TRUE;
      if (ABS (samples[i].arrived - samples[i].sent - queue->offset) > OUTLANDISH)
        {
          rate_queue_init (queue);
          return;
        }
      delay = (double) (samples[i].arrived - samples[i].sent - queue->offset) / 1000;
      remember (queue, &samples[i], delay);
      move_base (queue, samples[i].sent, delay);
      slowest = MAX (slowest, delay);
      if (samples[i].ahead > 0)
        queue->proofs = delay < rate_queue_base (queue) + PROOF ? queue->proofs + 1 : 0;
    }
  if (n == 0)
    return;
  queue->least = note_recent (queue, &spread);
  queue->carried = count_carried (queue);
  queue->faster = n >= RECENT_LEAST && !isinf (base_of_old (queue)) && slowest < base_of_old (queue) - FASTER;
  if (had && learn && rate_queue_length (queue) <= queue->threshold)
    {
      double weight = MAX (SMOOTHING, 1.0 / ++queue->learned);

      /* A queue that drains or grows steadily is not what is meant. */
      queue->wander += weight * (fabs (queue->least - before - queue->change) / 2 - queue->wander);
      queue->spread += weight * (MAX (0, spread - fabs (queue->least - before)) - queue->spread);
    }
  queue->change = had ? queue->least - before : 0;
  queue->threshold = MAX (THRESHOLD, MAX (THRESHOLD_WANDER * queue->wander, THRESHOLD_SPREAD * queue->spread));
}
