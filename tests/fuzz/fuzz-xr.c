/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A peer's RTCP, looked through for VoIP metrics: what is understood is within its bounds and says the same when it is written again. */
#include <math.h>
#include <string.h>

#include "media/media-xr-times.h"
#include "media/media-xr.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

#define SSRC 0x01020304

static void
check (gboolean condition)
{
  if (!condition)
    g_abort ();
}

/* One who asks and is answered with whatever came in, and what is answered to that. */
static void
check_times (const guint8 *input, gsize size)
{
  MediaXrTimes times;
  guint8 packet[MEDIA_XR_TIMES_LENGTH];
  gint64 now = 100 * G_USEC_PER_SEC;

  media_xr_times_init (&times);
  media_xr_times_write (&times, SSRC, TRUE, now, packet);
  media_xr_times_read (&times, input, size, SSRC, now + G_USEC_PER_SEC);
  check (isnan (times.round_trip) || (times.round_trip >= 0 && times.round_trip <= 1000));
  gsize n = media_xr_times_write (&times, SSRC, FALSE, now + 2 * G_USEC_PER_SEC, packet);
  check (n == 0 || n == 8 + 16);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  PhoneVoiceMetrics metrics, again;
  guint8 packet[MEDIA_XR_LENGTH], compound[2048];
  gsize length = size;

  if (size > 1500)
    return 0;
  g_autofree guint8 *input = g_memdup2 (data, size);    /* so that a sanitizer sees its ends */
  check_times (input, size);
  if (media_xr_parse (input, size, SSRC, &metrics))
    {
      check (metrics.loss >= 0 && metrics.loss < 1 && metrics.burst_ms >= 0 && metrics.burst_ms <= G_MAXUINT16);
      check (isnan (metrics.rating) || (metrics.rating >= 0 && metrics.rating <= 100));
      check (isnan (metrics.mos_lq) || (metrics.mos_lq >= 1 && metrics.mos_lq <= 5));
      media_xr_write (1, SSRC, &metrics, packet);
      check (media_xr_parse (packet, sizeof packet, SSRC, &again));
      check (again.loss == metrics.loss && again.gap_ms == metrics.gap_ms && again.playout_max == metrics.playout_max);
    }
  memset (packet, 0, sizeof packet);
  if (size > 0)
    memcpy (compound, data, size);
  if (media_xr_insert (compound, &length, sizeof compound, packet, sizeof packet))
    check (length == size + MEDIA_XR_LENGTH);
  return 0;
}
