/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The device writes P samples at once, the hub reads a frame of F. What matters is the room: by how much later the device could write
 * than it does before a read finds too little. With f samples in the buffer after a read, and s since the device wrote last, the worst of
 * all coming reads has
 *
 *     room = s + floor (f / g) * g + g - P,    g = gcd (F, P),
 *
 * since the number of samples that are in the buffer at a read can only change by multiples of g. For a device that writes as much as the hub
 * reads that is the time from its write to the read, so no more than that has to be kept; for one whose period does not fit it is
 * what is in the buffer and in the device, less a period. f mod g is delay that is good for nothing.
 *
 * Over a window of one second the least room is compared with a margin: what is over is cut out, what is missing is gained by repeating a
 * piece. The margin grows when the room came near to nothing, more when the buffer ran dry, and comes back slowly when all is calm.
 *
 * Cutting and repeating are done at the lag, of those near the wanted one, at which the signal resembles
 * itself most (one period of a voice or several), with a crossfade of 2.5 ms: an overlap-add in the manner
 * of WSOLA (Verhelst, Roelands 1993). For crystals that differ by 50 ppm that is one frame in 200 seconds, in two pieces. */

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
#define SLACK (2 * MS)          /* of room beyond the margin that is let be */
#define CUT_LEAST (3 * MS)      /* that is worth a cut */
#define BURST_US 1000           /* between two writes of one burst */
#define MOST_VOTES 20
#define FADE (MS * 5 / 2)
#define SINCE_MOST (100 * MS)   /* a device that has not written for so long has stopped */
#define JUMP (40 * MS)          /* excess that is cut at once, whatever it is */

static void
start_window (MediaDrift *drift)
{
  drift->reads = 0;
  drift->least_room = G_MAXINT;
  drift->least_rest = G_MAXUINT;
}

void
media_drift_init (MediaDrift *drift)
{
  memset (drift, 0, sizeof *drift);
  media_ring_init (&drift->ring, CAPACITY);
  atomic_init (&drift->period, 0);
  atomic_init (&drift->written_at, 0);
  drift->margin = MARGIN_MIN;
  start_window (drift);
}

void
media_drift_clear (MediaDrift *drift)
{
  media_ring_clear (&drift->ring);
}

/* A device that was held up writes more at once, which is lateness and no period: the size that most bursts have wins (Boyer and Moore's
 * vote). */
static void
count_burst (MediaDrift *drift, guint burst)
{
  if (burst == drift->vote)
    drift->votes = MIN (drift->votes + 1, MOST_VOTES);
  else if (drift->votes > 0)
    drift->votes--;
  else
    {
      drift->vote = burst;
      drift->votes = 1;
    }
  atomic_store (&drift->period, MIN (drift->vote, CAPACITY / 4));
}

void
media_drift_write (MediaDrift *drift, const gint16 *samples, guint n, gint64 now)
{
  gboolean same = now - atomic_load (&drift->written_at) < BURST_US;

  media_ring_write (&drift->ring, samples, n);
  atomic_store (&drift->written_at, now);
  if (!same && drift->writing > 0)
    count_burst (drift, drift->writing);
  drift->writing = same ? MIN (drift->writing + n, CAPACITY) : n;
  if (drift->vote == 0)
    atomic_store (&drift->period, MIN (drift->writing, CAPACITY / 4));
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
media_drift_space (MediaDrift *drift)
{
  return drift->ring.size - media_ring_fill (&drift->ring);
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

/* The lag from LAG_MIN on at which what follows a resembles the beginning of a most. */
static guint
best_lag (const gint16 *a, guint most)
{
  double best = -2;
  guint best_lag = LAG_MIN;

  for (guint lag = LAG_MIN; lag <= MIN (most, LAG_MAX); lag++)
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

/* Needs MEDIA_FRAME + LAG_MAX samples in the ring. */
static void
read_cutting (MediaDrift *drift, gint16 *ret_frame, guint most)
{
  gint16 a[MEDIA_FRAME + LAG_MAX];
  guint lag;

  media_ring_peek (&drift->ring, a, G_N_ELEMENTS (a));
  lag = best_lag (a, most);
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
  lag = best_lag (a, LAG_MAX);
  /* a up to lag + FADE, blended over its last FADE samples into a from its beginning, then on from there. */
  memcpy (ret_frame, a, lag * sizeof *a);
  for (guint i = 0; i < FADE; i++)
    ret_frame[lag + i] = blend (a[lag + i], a[i], i, FADE);
  memcpy (ret_frame + lag + FADE, a + FADE, (MEDIA_FRAME - lag - FADE) * sizeof *a);
  media_ring_skip (&drift->ring, MEDIA_FRAME - lag);
  drift->repeated += lag;
  drift->lack -= MIN (lag, drift->lack);
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
  drift->lack = 0;
  drift->calm = 0;
  drift->margin = MIN (drift->margin + 5 * MS, MARGIN_MAX);
}

/* The grid on which the number of samples in the buffer can change. */
static guint
grid (guint period)
{
  guint a = MEDIA_FRAME, b = period;

  while (b > 0)
    {
      guint rest = a % b;

      a = b;
      b = rest;
    }
  return a;
}

static gint
room_of (guint fill, guint period, guint since)
{
  guint g = grid (period);

  return (gint) (since + fill / g * g + g) - (gint) period;
}

static gboolean
start_flow (MediaDrift *drift, gint16 *ret_frame, guint fill, guint period, guint since)
{
  guint kept = 0;

  if (period == 0)
    return FALSE;
  /* After so long nothing more is coming: what is there is the end of it. */
  while (since < SINCE_MOST && room_of (kept, period, since) < (gint) (drift->margin + SLACK))
    kept += grid (period);
  if (fill < MEDIA_FRAME + kept)
    return FALSE;
  media_ring_skip (&drift->ring, fill - MEDIA_FRAME - kept);
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
end_window (MediaDrift *drift, gint16 *ret_frame, guint fill, guint period)
{
  const gint g = (gint) grid (period);
  gint over = drift->least_room - (gint) (drift->margin + SLACK);
  guint excess = drift->least_rest + (guint) (over > 0 ? over / g * g : 0);

  if (excess > JUMP && fill >= MEDIA_FRAME + excess)
    read_jumping (drift, ret_frame, excess);
  else if (excess >= CUT_LEAST && fill >= MEDIA_FRAME + LAG_MAX)
    read_cutting (drift, ret_frame, excess);
  else
    {
      gint lack = (gint) drift->margin - drift->least_room;

      if (lack > 0)
        drift->lack = (guint) MAX ((lack + g - 1) / g * g - (gint) drift->least_rest, (gint) LAG_MIN);
      if (drift->lack > 0)
        read_repeating (drift, ret_frame);
      else
        media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
    }

  if (drift->least_room < (gint) drift->margin / 4)
    {
      drift->margin = MIN (drift->margin + 2 * MS, MARGIN_MAX);
      drift->calm = 0;
    }
  else if (++drift->calm % CALM_WINDOWS == 0 && drift->margin > MARGIN_MIN)
    drift->margin -= MS;
  start_window (drift);
}

gboolean
media_drift_read (MediaDrift *drift, gint16 *ret_frame, gint64 now)
{
  guint fill = media_ring_fill (&drift->ring), period = atomic_load (&drift->period);
  guint since = (guint) CLAMP (now - atomic_load (&drift->written_at), 0, SINCE_MOST / MS * G_TIME_SPAN_MILLISECOND) * MS / 1000;

  if (!drift->primed)
    {
      if (!start_flow (drift, ret_frame, fill, period, since))
        return FALSE;
    }
  else if (fill < MEDIA_FRAME)
    run_dry (drift, ret_frame);
  else
    {
      drift->least_room = MIN (drift->least_room, room_of (fill - MEDIA_FRAME, period, since));
      drift->least_rest = MIN (drift->least_rest, (fill - MEDIA_FRAME) % grid (period));
      if (++drift->reads >= WINDOW)
        end_window (drift, ret_frame, fill, period);
      else if (drift->lack > 0)
        {
          read_repeating (drift, ret_frame);
          if (drift->lack == 0)
            start_window (drift);       /* what was seen before is mended */
        }
      else
        media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
    }
  drift->last = ret_frame[MEDIA_FRAME - 1];
  return TRUE;
}

gboolean
media_drift_drain (MediaDrift *drift, gint16 *ret_frame, gboolean last)
{
  guint fill = media_ring_fill (&drift->ring), n;

  if (fill == 0 || (fill < MEDIA_FRAME && !last))
    return FALSE;
  n = media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
  memset (ret_frame + n, 0, (MEDIA_FRAME - n) * sizeof *ret_frame);
  drift->last = ret_frame[MEDIA_FRAME - 1];
  return TRUE;
}
