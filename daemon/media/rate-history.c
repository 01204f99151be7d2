/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-history.h"

#define TOGETHER (100 * 1000)            /* us: of RTCP that went out longer before the next nothing is left on the way */
#define TOLD 1                          /* `octets` of a packet that has been told of keeps its time for rate_history_when() */

void
rate_history_sent (RateHistory *history, guint16 seq, gsize octets, gint64 now)
{
  guint at = seq % RATE_HISTORY;

  history->packets[at].sent = now;
  history->packets[at].seq = seq;
  history->packets[at].octets = (guint16) CLAMP (octets, TOLD + 1, G_MAXUINT16);
  history->packets[at].ahead = (guint16) MIN (history->ahead, G_MAXUINT16);
  history->packets[at].ahead_sent = history->ahead_sent;
  history->ahead = 0;
}

void
rate_history_sent_rtcp (RateHistory *history, gsize octets, gint64 now)
{
  if (now - history->ahead_sent > TOGETHER)
    history->ahead = 0;
  history->ahead += (guint) octets;
  history->ahead_sent = now;
}

/* The peer's clock begins anew now and then, and reports may pass each other. */
static gint64
unwrap (RateHistory *history, gint64 raw, gint64 wrap)
{
  gint64 step;

  if (!history->synchronised)
    {
      history->synchronised = TRUE;
      history->raw = history->latest = raw;
      return raw;
    }
  step = (raw - history->raw) % wrap;
  if (step < -wrap / 2)
    step += wrap;
  else if (step >= wrap / 2)
    step -= wrap;
  history->raw = raw;
  history->latest += step;
  return history->latest;
}

guint
rate_history_match (RateHistory *history, const MediaFeedback *feedback, RateSample ret_samples[MEDIA_FEEDBACK_MAX])
{
  guint n = 0;

  for (guint i = 0; i < feedback->n; i++)
    {
      const MediaFeedbackItem *item = &feedback->items[i];
      guint at = item->seq % RATE_HISTORY;

      if (!item->timed || history->packets[at].sent == 0 || history->packets[at].seq != item->seq || history->packets[at].octets == TOLD)
        continue;
      ret_samples[n++] = (RateSample) { .sent = history->packets[at].sent, .octets = history->packets[at].octets,
                                        .ahead = history->packets[at].ahead, .ahead_sent = history->packets[at].ahead_sent,
                                        .arrived = unwrap (history, item->arrival, feedback->wrap) };
      history->packets[at].octets = TOLD;
    }
  return n;
}

gint64
rate_history_when (const RateHistory *history, guint16 seq)
{
  guint at = seq % RATE_HISTORY;

  return history->packets[at].seq == seq ? history->packets[at].sent : 0;
}
