/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The blocks, four octets a line:
 *
 *     BT=4             | reserved       | block length = 2           receiver reference time
 *     NTP time, seconds
 *     NTP time, fraction
 *
 *     BT=5             | reserved       | block length = 3 n         delay since the last one
 *     SSRC of the receiver                                           n times
 *     LRR: the middle 32 bits of its time
 *     DLRR: since then, in 1/65536 s
 *
 * Times are told by the monotonic clock: the other side only gives them back, and a wall clock may be set meanwhile. */

#include "media/media-xr-times.h"

#include <math.h>
#include <string.h>

#include "media/media-octets.h"

#define RTCP_XR 207
#define HEADER 8                        /* with the sender's SSRC */
#define BLOCK_TIME 4
#define TIME_LENGTH 12
#define BLOCK_DELAY 5
#define DELAY_ENTRY 12
#define OLD_US (60 * G_USEC_PER_SEC)    /* a time that nobody waits for any more */
#define FRESH_US (30 * G_USEC_PER_SEC)

static guint64
to_ntp (gint64 us)
{
  return ((guint64) (us / G_USEC_PER_SEC) << 32) | (((guint64) (us % G_USEC_PER_SEC) << 32) / G_USEC_PER_SEC);
}

static guint32
middle (gint64 us)
{
  return (guint32) (to_ntp (us) >> 16);
}

void
media_xr_times_init (MediaXrTimes *times)
{
  *times = (MediaXrTimes) { .round_trip = NAN };
}

/* ---- reading ---- */

static void
read_answer (MediaXrTimes *times, guint32 reference, guint32 delay, gint64 now)
{
  for (guint i = 0; i < MEDIA_XR_TIMES_ASKED && times->asked[i] != 0; i++)
    {
      gint64 since = now - times->asked[i];
      gint64 held = (gint64) delay * G_USEC_PER_SEC / 65536;

      if (times->asked[i] < 0 || middle (times->asked[i]) != reference || since > OLD_US || since < 0)
        continue;
      /* The last digit of either clock may be rounded. */
      if (held > since + 1000)
        return;
      times->round_trip = MAX (since - held, 0) / 1000.0;
      times->heard_at = now;
      times->asked[i] = -1;     /* once */
      return;
    }
}

static void
read_blocks (MediaXrTimes *times, const guint8 *p, gsize length, guint32 ours, gint64 now)
{
  guint32 sender = media_read32 (p + 4);

  for (gsize at = HEADER; length - at >= 4;)
    {
      const guint8 *block = p + at;
      gsize octets = 4 * ((gsize) media_read16 (block + 2) + 1);

      if (octets > length - at)
        return;
      if (block[0] == BLOCK_TIME && octets == TIME_LENGTH)
        {
          times->peer = sender;
          times->reference = media_read32 (block + 4) << 16 | media_read32 (block + 8) >> 16;
          times->reference_at = now;
        }
      for (gsize entry = 4; block[0] == BLOCK_DELAY && entry + DELAY_ENTRY <= octets; entry += DELAY_ENTRY)
        if (media_read32 (block + entry) == ours && media_read32 (block + entry + 4) != 0)
          read_answer (times, media_read32 (block + entry + 4), media_read32 (block + entry + 8), now);
      at += octets;
    }
}

void
media_xr_times_read (MediaXrTimes *times, const guint8 *compound, gsize length, guint32 ours, gint64 now)
{
  for (gsize at = 0; length - at >= HEADER && compound[at] >> 6 == 2;)
    {
      const guint8 *p = compound + at;
      gsize octets = 4 * ((gsize) media_read16 (p + 2) + 1);
      guint padding = (p[0] & 0x20) != 0 && octets <= length - at ? p[octets - 1] : 0;

      if (octets > length - at)
        return;
      if (p[1] == RTCP_XR && octets >= HEADER + padding)
        read_blocks (times, p, octets - padding, ours, now);
      at += octets;
    }
}

/* ---- writing ---- */

gsize
media_xr_times_write (MediaXrTimes *times, guint32 ours, gboolean ask, gint64 now, guint8 ret_packet[MEDIA_XR_TIMES_LENGTH])
{
  guint8 *p = ret_packet + HEADER;
  gsize length;

  memset (ret_packet, 0, MEDIA_XR_TIMES_LENGTH);
  if (times->reference != 0 && now - times->reference_at <= OLD_US)
    {
      p[0] = BLOCK_DELAY;
      media_write16 (p + 2, DELAY_ENTRY / 4);
      media_write32 (p + 4, times->peer);
      media_write32 (p + 8, times->reference);
      media_write32 (p + 12, (guint32) ((guint64) (now - times->reference_at) * 65536 / G_USEC_PER_SEC));
      p += 4 + DELAY_ENTRY;
    }
  times->reference = 0;
  if (ask)
    {
      p[0] = BLOCK_TIME;
      media_write16 (p + 2, TIME_LENGTH / 4 - 1);
      media_write32 (p + 4, (guint32) (to_ntp (now) >> 32));
      media_write32 (p + 8, (guint32) to_ntp (now));
      p += TIME_LENGTH;
      memmove (times->asked + 1, times->asked, sizeof times->asked - sizeof times->asked[0]);
      times->asked[0] = now;
    }
  length = (gsize) (p - ret_packet);
  if (length == HEADER)
    return 0;
  ret_packet[0] = 0x80;
  ret_packet[1] = RTCP_XR;
  media_write16 (ret_packet + 2, length / 4 - 1);
  media_write32 (ret_packet + 4, ours);
  return length;
}

double
media_xr_times_get (const MediaXrTimes *times, gint64 now)
{
  return times->heard_at != 0 && now - times->heard_at <= FRESH_US ? times->round_trip : NAN;
}
