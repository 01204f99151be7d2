/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-arrivals.h"

#include <math.h>

#define EARLY (5 * G_USEC_PER_SEC)      /* from the first packet on reports come often */
#define EARLY_INTERVAL (200 * 1000)     /* us */
#define LEAST (250 * 1000)
#define MOST G_USEC_PER_SEC
#define SHARE 0.05                      /* of what comes in */
#define WIRE_OVERHEAD 68                /* octets of a report beside its items: IP, UDP, SRTCP, and what frames them */
#define RATE_TIME 2.0                   /* s of the mean of the rate */
#define JUMP 1000                       /* packets missing at once: it has begun anew */

void
media_arrivals_start (MediaArrivals *arrivals, MediaFeedbackKind kind)
{
  *arrivals = (MediaArrivals) { .kind = kind };
}

static gint64 *
slot (MediaArrivals *arrivals, guint16 seq)
{
  return &arrivals->arrived[seq % MEDIA_FEEDBACK_MAX];
}

/* Makes room up to behind seq; what nobody was told of in time is forgotten. */
static void
extend (MediaArrivals *arrivals, guint16 seq)
{
  while (arrivals->next != (guint16) (seq + 1))
    *slot (arrivals, arrivals->next++) = 0;
  if ((guint16) (arrivals->next - arrivals->first) > MEDIA_FEEDBACK_MAX)
    arrivals->first = (guint16) (arrivals->next - MEDIA_FEEDBACK_MAX);
}

static void
note_rate (MediaArrivals *arrivals, gsize octets, gint64 now)
{
  double passed = (double) (now - arrivals->newest) / G_USEC_PER_SEC, share;

  if (arrivals->newest == 0 || passed <= 0)
    {
      arrivals->rate += (double) octets * 8 / RATE_TIME;
      return;
    }
  share = exp (-passed / RATE_TIME);
  arrivals->rate = arrivals->rate * share + (double) octets * 8 / RATE_TIME;
}

void
media_arrivals_note (MediaArrivals *arrivals, guint32 ssrc, guint16 seq, gsize octets, gint64 now)
{
  if (arrivals->kind == MEDIA_FEEDBACK_NONE)
    return;
  gint ahead = (gint16) (seq - arrivals->next);
  if (!arrivals->started || ssrc != arrivals->ssrc || ahead > JUMP || ahead < -JUMP)
    {
      *arrivals = (MediaArrivals) { .kind = arrivals->kind, .ssrc = ssrc, .started = TRUE, .first = seq, .next = seq, .count = arrivals->count,
                                    .begun = now, .reported = now, .rate = arrivals->rate, .newest = arrivals->newest };
      ahead = 0;
    }
  note_rate (arrivals, octets, now);
  arrivals->newest = MAX (arrivals->newest, now);
  if (ahead >= 0)
    extend (arrivals, seq);
  /* Reported as lost already, or long ago: the next report is about what comes next. */
  else if ((guint16) (seq - arrivals->first) >= (guint16) (arrivals->next - arrivals->first))
    return;
  if (*slot (arrivals, seq) == 0)
    *slot (arrivals, seq) = now;
}

gint64
media_arrivals_due (const MediaArrivals *arrivals)
{
  double octets = WIRE_OVERHEAD + 2.0 * (guint16) (arrivals->next - arrivals->first), interval;

  if (arrivals->kind == MEDIA_FEEDBACK_NONE || arrivals->first == arrivals->next)
    return G_MAXINT64;
  /* A long gap must not come to lie outside. */
  if ((guint16) (arrivals->next - arrivals->first) > MEDIA_FEEDBACK_MAX / 2)
    return arrivals->reported;
  if (arrivals->newest - arrivals->begun < EARLY)
    return arrivals->reported + EARLY_INTERVAL;
  interval = octets * 8 / (MAX (arrivals->rate, 1000) * SHARE) * G_USEC_PER_SEC;
  return arrivals->reported + (gint64) CLAMP (interval, LEAST, MOST);
}

gsize
media_arrivals_write (MediaArrivals *arrivals, guint32 sender, gint64 now, guint8 *ret_packet, gsize capacity)
{
  MediaFeedbackItem items[MEDIA_FEEDBACK_MAX];
  guint n = (guint16) (arrivals->next - arrivals->first);
  gsize length;

  for (guint i = 0; i < n; i++)
    {
      guint16 seq = (guint16) (arrivals->first + i);
      gint64 at = *slot (arrivals, seq);

      items[i] = (MediaFeedbackItem) { .seq = seq, .received = at != 0, .timed = at != 0, .arrival = at };
    }
  length = media_feedback_write (arrivals->kind, sender, arrivals->ssrc, items, n, now, arrivals->count++, ret_packet, capacity);
  arrivals->first = arrivals->next;
  arrivals->reported = now;
  return length;
}
