/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is to be held steady is the delay: samples in the buffer and those that the device has captured
 * since it wrote last, which is the time since then. (The buffer alone says little: both sides move 10 ms
 * at once, so its fill stands still while the crystals drift, and then jumps by a whole period.) To be safe
 * the delay after a read must be a period of the device and a margin for its lateness. Over a window of one
 * second the least delay is compared with that; what is over is cut out, what is missing is gained by
 * repeating a piece. The margin grows when the buffer came near to running dry, more when it did, and comes
 * back slowly when all is calm.
 *
 * Cutting and repeating are done at the lag, of those near the wanted one, at which the signal resembles
 * itself most (one period of a voice or several), with a crossfade of 2.5 ms: an overlap-add in the manner
 * of WSOLA (Verhelst, Roelands 1993), once in some hundred seconds for crystals that differ by 50 ppm. */

#include "media/media-drift.h"

#include <math.h>
#include <string.h>

#define MS (MEDIA_RATE / 1000)
#define CAPACITY (200 * MS)
#define WINDOW 100              /* reads */
#define MARGIN_MIN (4 * MS)
#define MARGIN_MAX (60 * MS)
#define CALM_WINDOWS 30         /* of quiet until the margin shrinks by 1 ms */
#define LAG_MIN (2 * MS)
#define LAG_MAX (7 * MS)
/* Of delay that is let be; more than LAG_MAX, or cutting and repeating would chase each other. */
#define SLACK (8 * MS)
#define FADE (MS * 5 / 2)
#define JUMP (40 * MS)          /* excess that is cut at once, whatever it is */

void
media_drift_init (MediaDrift *drift)
{
  memset (drift, 0, sizeof *drift);
  media_ring_init (&drift->ring, CAPACITY);
  atomic_init (&drift->burst, 0);
  atomic_init (&drift->written_at, 0);
  drift->margin = MARGIN_MIN;
  drift->least_fill = drift->least_delay = G_MAXUINT;
}

void
media_drift_clear (MediaDrift *drift)
{
  media_ring_clear (&drift->ring);
}

void
media_drift_write (MediaDrift *drift, const gint16 *samples, guint n, gint64 now)
{
  media_ring_write (&drift->ring, samples, n);
  atomic_store (&drift->written_at, now);
  if (n > atomic_load (&drift->burst))
    atomic_store (&drift->burst, MIN (n, CAPACITY / 4));
}

void
media_drift_restart (MediaDrift *drift)
{
  media_ring_skip (&drift->ring, media_ring_fill (&drift->ring));
  drift->primed = FALSE;
}

guint
media_drift_fill (MediaDrift *drift)
{
  return media_ring_fill (&drift->ring);
}

guint
media_drift_position (MediaDrift *drift)
{
  return atomic_load (&drift->ring.tail);
}

static gint16
blend (gint16 from, gint16 to, guint i, guint n)
{
  return (gint16) (((gint32) from * (gint32) (n - i) + (gint32) to * (gint32) i) / (gint32) n);
}

/* The lag in LAG_MIN..LAG_MAX at which what follows a resembles the beginning of a most. */
static guint
best_lag (const gint16 *a)
{
  double best = -2;
  guint best_lag = LAG_MIN;

  for (guint lag = LAG_MIN; lag <= LAG_MAX; lag++)
    {
      double cross = 0, power_a = 1, power_b = 1, likeness;

      for (guint i = 0; i < FADE; i++)
        {
          cross += (double) a[i] * a[i + lag];
          power_a += (double) a[i] * a[i];
          power_b += (double) a[i + lag] * a[i + lag];
        }
      likeness = cross / sqrt (power_a * power_b);
      if (likeness > best)
        {
          best = likeness;
          best_lag = lag;
        }
    }
  return best_lag;
}

/* Both need MEDIA_FRAME + LAG_MAX samples in the ring. */
static void
read_cutting (MediaDrift *drift, gint16 *ret_frame)
{
  gint16 a[MEDIA_FRAME + LAG_MAX];
  guint lag;

  media_ring_peek (&drift->ring, a, G_N_ELEMENTS (a));
  lag = best_lag (a);
  for (guint i = 0; i < FADE; i++)
    ret_frame[i] = blend (a[i], a[i + lag], i, FADE);
  memcpy (ret_frame + FADE, a + lag + FADE, (MEDIA_FRAME - FADE) * sizeof *a);
  media_ring_skip (&drift->ring, MEDIA_FRAME + lag);
  drift->cut += lag;
}

static void
read_repeating (MediaDrift *drift, gint16 *ret_frame)
{
  gint16 a[MEDIA_FRAME];
  guint lag;

  G_STATIC_ASSERT (LAG_MAX + FADE <= MEDIA_FRAME);
  media_ring_peek (&drift->ring, a, MEDIA_FRAME);
  lag = best_lag (a);
  /* a up to lag + FADE, blended over its last FADE samples into a from its beginning, then on from there. */
  memcpy (ret_frame, a, lag * sizeof *a);
  for (guint i = 0; i < FADE; i++)
    ret_frame[lag + i] = blend (a[lag + i], a[i], i, FADE);
  memcpy (ret_frame + lag + FADE, a + FADE, (MEDIA_FRAME - lag - FADE) * sizeof *a);
  media_ring_skip (&drift->ring, MEDIA_FRAME - lag);
  drift->repeated += lag;
}

/* The ring ran dry: what is left fades out over the frame. */
static void
run_dry (MediaDrift *drift, gint16 *ret_frame)
{
  guint got = media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);

  for (guint i = got; i < MEDIA_FRAME; i++)
    ret_frame[i] = got > 0 ? ret_frame[got - 1] : drift->last;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    ret_frame[i] = blend (ret_frame[i], 0, i, MEDIA_FRAME);
  drift->underruns++;
  drift->primed = FALSE;
  drift->calm = 0;
  drift->margin = MIN (drift->margin + 5 * MS, MARGIN_MAX);
}

static void
start_window (MediaDrift *drift)
{
  drift->reads = 0;
  drift->least_fill = drift->least_delay = G_MAXUINT;
}

static gboolean
start_flow (MediaDrift *drift, gint16 *ret_frame, guint fill)
{
  guint wanted;

  drift->period = MAX (drift->period, atomic_load (&drift->burst));
  wanted = MEDIA_FRAME + drift->period + drift->margin + SLACK / 2;
  if (drift->period == 0 || fill < wanted)
    return FALSE;
  media_ring_skip (&drift->ring, fill - wanted);
  media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
  for (guint i = 0; i < FADE; i++)
    ret_frame[i] = blend (0, ret_frame[i], i, FADE);
  drift->primed = TRUE;
  start_window (drift);
  return TRUE;
}

/* Cuts an excess of delay that is too long to be taken out piece by piece. */
static void
read_jumping (MediaDrift *drift, gint16 *ret_frame, guint excess)
{
  drift->cut += media_ring_skip (&drift->ring, excess);
  media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
  for (guint i = 0; i < FADE; i++)
    ret_frame[i] = blend (drift->last, ret_frame[i], i, FADE);
}

static void
end_window (MediaDrift *drift, gint16 *ret_frame, guint fill)
{
  const guint low = drift->period + drift->margin, high = low + SLACK;
  guint burst = atomic_exchange (&drift->burst, 0);
  guint excess = drift->least_delay > high ? drift->least_delay - (low + SLACK / 2) : 0;

  if (excess > JUMP && fill >= MEDIA_FRAME + excess)
    read_jumping (drift, ret_frame, excess);
  else if (excess > 0 && fill >= MEDIA_FRAME + LAG_MAX)
    read_cutting (drift, ret_frame);
  else if (drift->least_delay < low)
    read_repeating (drift, ret_frame);
  else
    media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);

  if (drift->least_fill < drift->margin / 4)
    {
      drift->margin = MIN (drift->margin + 2 * MS, MARGIN_MAX);
      drift->calm = 0;
    }
  else if (++drift->calm % CALM_WINDOWS == 0 && drift->margin > MARGIN_MIN)
    drift->margin -= MS;
  /* A device may write more at once than it used to; what it did once only is forgotten. */
  drift->period = burst > 0 && burst < drift->period ? MAX (burst, drift->period - MIN (MS, drift->period))
                                                     : MAX (burst, drift->period);
  start_window (drift);
}

gboolean
media_drift_read (MediaDrift *drift, gint16 *ret_frame, gint64 now)
{
  guint fill = media_ring_fill (&drift->ring);

  if (!drift->primed)
    {
      if (!start_flow (drift, ret_frame, fill))
        return FALSE;
    }
  else if (fill < MEDIA_FRAME)
    run_dry (drift, ret_frame);
  else
    {
      gint64 since = CLAMP (now - atomic_load (&drift->written_at), 0, 100 * G_TIME_SPAN_MILLISECOND);

      drift->least_fill = MIN (drift->least_fill, fill - MEDIA_FRAME);
      drift->least_delay = MIN (drift->least_delay, fill - MEDIA_FRAME + (guint) (since * MS / 1000));
      if (++drift->reads >= WINDOW)
        end_window (drift, ret_frame, fill);
      else
        media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
    }
  drift->last = ret_frame[MEDIA_FRAME - 1];
  return TRUE;
}
