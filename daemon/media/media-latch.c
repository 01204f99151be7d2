/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-latch.h"

#define CONTINUES 3000                  /* numbers ahead that still are the same stream: a minute of 20 ms packets */

void
media_latch_negotiate (MediaLatch *latch, const MediaAddress *address, gboolean secure, gint64 now)
{
  MediaLatch before = *latch;

  if (before.negotiated.any.sa_family != 0 && media_address_equal (&before.negotiated, address) && before.secure == secure)
    return;
  *latch = (MediaLatch) { .secure = secure, .negotiated = *address };
  if (before.latched && !media_address_equal (&before.source, address))
    {
      latch->abandoned = before.source;
      latch->abandoned_at = now;
    }
}

const MediaAddress *
media_latch_destination (const MediaLatch *latch)
{
  return latch->latched ? &latch->source : &latch->negotiated;
}

static gboolean
is_known (const MediaLatch *latch, const MediaAddress *from)
{
  return media_address_equal (from, &latch->negotiated) || (latch->latched && media_address_equal (from, &latch->source));
}

gboolean
media_latch_may_enter (MediaLatch *latch, const MediaAddress *from, gint64 now)
{
  if (is_known (latch, from))
    return TRUE;
  if (!latch->secure && latch->latched && now - latch->source_seen < MEDIA_LATCH_PAUSE)
    return FALSE;
  gint64 second = now / G_USEC_PER_SEC;
  if (second != latch->second)
    {
      latch->second = second;
      latch->strangers = 0;
    }
  return latch->strangers++ < MEDIA_LATCH_STRANGERS;
}

static gboolean
move_to (MediaLatch *latch, const MediaAddress *from, gint64 now)
{
  gboolean moved = !media_address_equal (media_latch_destination (latch), from);
  latch->source = *from;
  latch->latched = TRUE;
  latch->latched_at = latch->source_seen = now;
  latch->candidate_count = 0;
  return moved;
}

static gboolean
take (MediaLatch *latch, guint32 ssrc, guint16 seq)
{
  latch->has_stream = TRUE;
  latch->ssrc = ssrc;
  latch->seq = seq;
  return TRUE;
}

static gboolean
is_abandoned (const MediaLatch *latch, const MediaAddress *from)
{
  return latch->abandoned.any.sa_family != 0 && media_address_equal (from, &latch->abandoned);
}

static gboolean
valid_secure (MediaLatch *latch, const MediaAddress *from, gint64 now, gboolean *ret_moved)
{
  if (is_abandoned (latch, from) && (latch->latched || now - latch->abandoned_at < MEDIA_LATCH_SILENCE)
      && !(latch->latched && media_address_equal (from, &latch->source)))
    return !latch->latched;
  if (!latch->confirmed && media_address_equal (from, &latch->negotiated))
    {
      latch->confirmed = TRUE;
      *ret_moved = move_to (latch, from, now);
    }
  else if (latch->latched && media_address_equal (from, &latch->source))
    latch->source_seen = now;
  else if (!latch->latched
           || (now - latch->source_seen >= MEDIA_LATCH_SILENCE && now - latch->latched_at >= MEDIA_LATCH_PAUSE))
    *ret_moved = move_to (latch, from, now);
  return TRUE;
}

static gboolean
on_probation (MediaLatch *latch, const MediaAddress *from, guint32 ssrc, guint16 seq)
{
  guint16 step = (guint16) (seq - latch->candidate_seq);
  if (latch->candidate_count > 0 && media_address_equal (from, &latch->candidate) && ssrc == latch->candidate_ssrc && step > 0
      && step < 16)
    latch->candidate_count++;
  else
    {
      latch->candidate = *from;
      latch->candidate_ssrc = ssrc;
      latch->candidate_count = 1;
    }
  latch->candidate_seq = seq;
  return latch->candidate_count < MEDIA_LATCH_PROBATION;
}

gboolean
media_latch_valid (MediaLatch *latch, const MediaAddress *from, guint32 ssrc, guint16 seq, gint64 now, gboolean *ret_moved)
{
  *ret_moved = FALSE;
  if (latch->secure)
    return valid_secure (latch, from, now, ret_moved) && take (latch, ssrc, seq);

  if (media_address_equal (from, &latch->negotiated))
    {
      if (!latch->latched || !media_address_equal (from, &latch->source))
        *ret_moved = move_to (latch, from, now);
      latch->source_seen = now;
      latch->confirmed = TRUE;
      return take (latch, ssrc, seq);
    }
  if (latch->latched && media_address_equal (from, &latch->source))
    {
      latch->source_seen = now;
      return take (latch, ssrc, seq);
    }
  if (latch->latched)
    {
      guint16 step = (guint16) (seq - latch->seq);
      if (is_abandoned (latch, from) || now - latch->source_seen < MEDIA_LATCH_PAUSE || !latch->has_stream || ssrc != latch->ssrc || step == 0 || step > CONTINUES)
        return FALSE;
    }
  else if (is_abandoned (latch, from) && now - latch->abandoned_at < MEDIA_LATCH_SILENCE)
    return TRUE;
  if (on_probation (latch, from, ssrc, seq))
    return FALSE;
  *ret_moved = move_to (latch, from, now);
  return take (latch, ssrc, seq);
}

void
media_latch_replayed (MediaLatch *latch, const MediaAddress *from, gint64 now)
{
  if (latch->latched && media_address_equal (from, &latch->source))
    latch->source_seen = now;
}

gboolean
media_latch_valid_rtcp (MediaLatch *latch, const MediaLatch *rtp, const MediaAddress *from, guint32 ssrc, gint64 now,
                        gboolean *ret_moved)
{
  *ret_moved = FALSE;
  if (latch->secure)
    return valid_secure (latch, from, now, ret_moved);
  if (is_known (latch, from))
    {
      if (!latch->latched || !media_address_equal (from, &latch->source))
        *ret_moved = move_to (latch, from, now);
      latch->source_seen = now;
      return TRUE;
    }
  if (latch->latched && now - latch->source_seen < MEDIA_LATCH_PAUSE)
    return FALSE;
  /* A report of the stream that we play, from the host that it comes from. */
  if (!rtp->latched || !media_address_same_host (from, &rtp->source) || !rtp->has_stream || ssrc != rtp->ssrc)
    return FALSE;
  *ret_moved = move_to (latch, from, now);
  return TRUE;
}
