/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The checks that stand between a media socket and rtpsession. What they let through must be what rtpsession then takes as granted. */

#include <string.h>

#include "media/media-rtp.h"

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
