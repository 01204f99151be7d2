/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Control: over a window of one second the least fill after a read is what could be spared. Too much of it is delay and is cut out; too
 * little is danger and a piece is repeated. An underrun shows that the jitter is larger than was thought: the margin grows by 5 ms, and comes
 * back slowly when all is calm.
 *
 * Cutting and repeating are done at the lag, of those near the wanted one, at which the signal resembles itself most (one period of a voice or
 * several), with a crossfade of 2.5 ms: an overlap-add in the manner of WSOLA (Verhelst, Roelands 1993), once in some hundred seconds
 * for crystals that differ by 50 ppm. */

#include "media/media-drift.h"

#include <math.h>
#include <string.h>

#define MS (MEDIA_RATE / 1000)
#define CAPACITY (200 * MS)
#define WINDOW 100              /* reads */
#define MARGIN_MIN (4 * MS)
#define MARGIN_MAX (60 * MS)
#define MARGIN_STEP (5 * MS)
#define SLACK (10 * MS)         /* over the margin: what a device that writes 10 ms at once needs anyway */
#define CALM_WINDOWS 30         /* of quiet until the margin shrinks by 1 ms */
#define LAG_MIN (2 * MS)
#define LAG_MAX (7 * MS)
#define FADE (MS * 5 / 2)
#define JUMP (40 * MS)          /* excess that is cut at once, whatever it is */

void
media_drift_init (MediaDrift *drift)
{
  memset (drift, 0, sizeof *drift);
  media_ring_init (&drift->ring, CAPACITY);
  drift->margin = MARGIN_MIN;
  drift->least = G_MAXUINT;
}

void
media_drift_clear (MediaDrift *drift)
{
  media_ring_clear (&drift->ring);
}

void
media_drift_write (MediaDrift *drift, const gint16 *samples, guint n)
{
  media_ring_write (&drift->ring, samples, n);
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
  drift->margin = MIN (drift->margin + MARGIN_STEP, MARGIN_MAX);
}

static void
end_window (MediaDrift *drift)
{
  drift->reads = 0;
  drift->least = G_MAXUINT;
  if (++drift->calm % CALM_WINDOWS == 0 && drift->margin > MARGIN_MIN)
    drift->margin -= MS;
}

gboolean
media_drift_read (MediaDrift *drift, gint16 *ret_frame)
{
  guint fill = media_ring_fill (&drift->ring);

  if (!drift->primed)
    {
      const guint wanted = MEDIA_FRAME + drift->margin + SLACK / 2;

      if (fill < wanted)
        return FALSE;
      media_ring_skip (&drift->ring, fill - wanted);
      media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
      for (guint i = 0; i < FADE; i++)
        ret_frame[i] = blend (0, ret_frame[i], i, FADE);
      drift->primed = TRUE;
      drift->least = G_MAXUINT;
      drift->reads = 0;
    }
  else if (fill < MEDIA_FRAME)
    run_dry (drift, ret_frame);
  else
    {
      gboolean over = ++drift->reads >= WINDOW;

      drift->least = MIN (drift->least, fill - MEDIA_FRAME);
      if (over && drift->least > drift->margin + SLACK + JUMP)
        {
          drift->cut += media_ring_skip (&drift->ring, drift->least - drift->margin - SLACK / 2);
          media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
          for (guint i = 0; i < FADE; i++)
            ret_frame[i] = blend (drift->last, ret_frame[i], i, FADE);
        }
      else if (over && drift->least > drift->margin + SLACK && fill >= MEDIA_FRAME + LAG_MAX)
        read_cutting (drift, ret_frame);
      else if (over && drift->least < drift->margin / 2)
        read_repeating (drift, ret_frame);
      else
        media_ring_read (&drift->ring, ret_frame, MEDIA_FRAME);
      if (over)
        end_window (drift);
    }
  drift->last = ret_frame[MEDIA_FRAME - 1];
  return TRUE;
}
