/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The checks that stand between a media socket and rtcp-session. What they let through must be what that takes as granted, and whatever it was
 * told and has heard, its own reports are sound. */

#include <string.h>

#include "media/media-rtp.h"
#include "media/rtcp-session.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static void
check (gboolean condition)
{
  if (!condition)
    g_abort ();
}

static void
check_rtcp (const guint8 *packet, gsize length, guint32 sender)
{
  gsize in = 0;
  guint n = 0;

  while (in < length)
    {
      const guint8 *p = packet + in;
      check (length - in >= 8 && p[0] >> 6 == 2 && (p[0] & 0x20) == 0);
      gsize octets = 4 * (((gsize) p[2] << 8 | p[3]) + 1);
      guint count = p[0] & 0x1f;
      check (octets <= length - in);
      check (p[1] == 203 ? n > 0 && octets == 8 : octets == (p[1] == 200 ? 28u : 8u) + 24 * count);
      check (p[1] == 200 || p[1] == 201 || p[1] == 203);
      check (((guint32) p[4] << 24 | (guint32) p[5] << 16 | (guint32) p[6] << 8 | p[7]) == sender);
      in += octets;
      n++;
    }
  check (in == length);
}

static void
check_reports (const guint8 *data, gsize size)
{
  guint8 packet[2048], report[RTCP_COMPOUND];
  RtcpSession session;
  RtcpStats stats;
  guint32 sender;
  gboolean bye;
  gint64 now = 1000000;

  rtcp_session_init (&session, 0x01020304, "0123456789abcdef", 500000, 0, 1, now);
  for (gsize at = 0; at + 8 <= size && at < 64 * 8; at += 8)
    {
      now += data[at] * 1000;
      rtcp_session_arrived (&session, data[at + 1] & 7u, (guint16) (data[at + 2] << 8 | data[at + 3]), (guint32) data[at + 4] << 24 | data[at + 5],
                            data[at + 6] & 1 ? 48000 : 8000, data[at + 7], now);
    }
  memcpy (packet, data, size);
  if (media_rtcp_filter (packet, &size, TRUE, &sender, &bye))
    rtcp_session_told (&session, packet, size, now);
  gsize length = rtcp_session_write (&session, size % 2 == 0, now, report);
  check (length <= sizeof report && rtcp_session_due (&session) > now);
  check (media_rtcp_has_bye (report, length) == (size % 2 == 0));
  check (media_rtcp_filter (report, &length, FALSE, &sender, &bye) && sender == 0x01020304);
  for (guint ssrc = 0; ssrc < 8; ssrc++)
    {
      rtcp_session_get_stats (&session, ssrc, now, &stats);
      check (!(stats.round_trip < 0) && !(stats.jitter < 0) && (stats.lost == -1 || stats.received > 0));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  guint8 packet[2048];
  MediaRtpHeader header;
  guint32 sender;
  gboolean bye;
  gsize length = size;

  if (size > sizeof packet)
    return 0;
  media_packet_classify (data, size);
  media_rtcp_has_bye (data, size);
  check_reports (data, size);

  memcpy (packet, data, size);
  if (media_rtp_normalise (packet, &length, &header))
    {
      check (length > MEDIA_RTP_HEADER && length <= size && packet[0] == 0x80);
      gsize again = length;
      check (media_rtp_normalise (packet, &again, &header) && again == length);
    }

  memcpy (packet, data, size);
  length = size;
  if (media_rtcp_filter (packet, &length, FALSE, &sender, &bye))
    {
      check (length >= 8 && length <= size);
      check_rtcp (packet, length, sender);
      check (media_rtcp_has_bye (packet, length) == bye);
    }

  memcpy (packet, data, size);
  length = size;
  if (media_rtcp_filter (packet, &length, TRUE, &sender, &bye))
    {
      check (length <= size);
      check_rtcp (packet, length, sender);
    }
  return 0;
}
