/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The block, four octets a line:
 *
 *     BT=7             | reserved       | block length = 8
 *     SSRC of source
 *     loss rate        | discard rate   | burst density  | gap density        of 256
 *     burst duration (ms)               | gap duration (ms)
 *     round trip delay (ms)             | end system delay (ms)
 *     signal level     | noise level    | RERL           | Gmin               dBm0, signed; dB; 127: unknown
 *     R factor         | ext. R factor  | MOS-LQ         | MOS-CQ             0..100; 10..50; 127: unknown
 *     PLC, JBA, rate   | reserved       | JB nominal (ms)                    2, 2 and 4 bits
 *     JB maximum (ms)                   | JB abs max (ms)
 */

#include "media/media-xr.h"

#include <math.h>
#include <string.h>

#include "media/media-octets.h"

#define RTCP_BYE 203
#define RTCP_XR 207
#define HEADER 8                        /* with the sender's SSRC */
#define BLOCK_VOIP 7
#define BLOCK_LENGTH 36
#define UNKNOWN 127

/* ---- reading ---- */

static double
read_share (guint8 octet)
{
  return octet / 256.0;
}

static double
read_level (guint8 octet)
{
  return octet == UNKNOWN ? NAN : (double) (gint8) octet;
}

/* What is out of range is as good as unknown. */
static double
read_score (guint8 octet, guint least, guint most, double scale)
{
  return octet >= least && octet <= most ? octet * scale : NAN;
}

static void
parse_block (const guint8 *p, PhoneVoiceMetrics *ret)
{
  guint round_trip = media_read16 (p + 16), end_delay = media_read16 (p + 18);

  *ret = (PhoneVoiceMetrics) {
    .loss = read_share (p[8]),
    .discard = read_share (p[9]),
    .burst_density = read_share (p[10]),
    .gap_density = read_share (p[11]),
    .burst_ms = media_read16 (p + 12),
    .gap_ms = media_read16 (p + 14),
    /* 0: the report came too early for one (section 4.7.3). */
    .round_trip = round_trip > 0 ? round_trip : NAN,
    .end_delay = end_delay > 0 ? end_delay : NAN,
    .signal = read_level (p[20]),
    .noise = read_level (p[21]),
    .echo_return = read_level (p[22]),
    .gmin = p[23] > 0 ? p[23] : NAN,
    .rating = read_score (p[24], 0, 100, 1),
    .mos_lq = read_score (p[26], 10, 50, 0.1),
    .mos_cq = read_score (p[27], 10, 50, 0.1),
    .playout_nominal = media_read16 (p + 30),
    .playout_max = media_read16 (p + 32),
    .playout_abs_max = media_read16 (p + 34),
    .packet_ms = NAN,
    .concealment = p[28] >> 6,
    /* 1 is reserved. */
    .adaptation = (p[28] >> 4 & 3) != 1 ? p[28] >> 4 & 3 : 0,
    .adaptation_rate = p[28] & 15,
  };
}

/* The blocks of one packet. */
static gboolean
parse_packet (const guint8 *p, gsize length, guint32 ssrc, PhoneVoiceMetrics *ret)
{
  if ((p[0] & 0x20) != 0)
    {
      guint padding = p[length - 1];

      if (padding == 0 || padding > length - HEADER)
        return FALSE;
      length -= padding;
    }
  for (gsize at = HEADER; length - at >= 4;)
    {
      gsize octets = 4 * ((gsize) media_read16 (p + at + 2) + 1);

      if (octets > length - at)
        return FALSE;
      if (p[at] == BLOCK_VOIP && octets == BLOCK_LENGTH && media_read32 (p + at + 4) == ssrc)
        {
          parse_block (p + at, ret);
          return TRUE;
        }
      at += octets;
    }
  return FALSE;
}

gboolean
media_xr_parse (const guint8 *packet, gsize length, guint32 ssrc, PhoneVoiceMetrics *ret_metrics)
{
  for (gsize at = 0; length - at >= HEADER && packet[at] >> 6 == 2;)
    {
      gsize octets = 4 * ((gsize) media_read16 (packet + at + 2) + 1);

      if (octets > length - at)
        return FALSE;
      if (packet[at + 1] == RTCP_XR && octets > HEADER && parse_packet (packet + at, octets, ssrc, ret_metrics))
        return TRUE;
      at += octets;
    }
  return FALSE;
}

/* ---- writing ---- */

static guint8
share (double value)
{
  return isnan (value) ? 0 : (guint8) CLAMP (lrint (value * 256), 0, 255);
}

static guint
milliseconds (double value)
{
  return isnan (value) ? 0 : (guint) CLAMP (lrint (value), 0, G_MAXUINT16);
}

static guint8
level (double value)
{
  return isnan (value) ? UNKNOWN : (guint8) (gint8) CLAMP (lrint (value), -127, 126);
}

static guint8
score (double value, double scale, guint least, guint most)
{
  return isnan (value) ? UNKNOWN : (guint8) CLAMP (lrint (value * scale), (long) least, (long) most);
}

void
media_xr_write (guint32 sender, guint32 ssrc, const PhoneVoiceMetrics *metrics, guint8 *ret_packet)
{
  guint8 *p = ret_packet + HEADER;

  memset (ret_packet, 0, MEDIA_XR_LENGTH);
  ret_packet[0] = 0x80;
  ret_packet[1] = RTCP_XR;
  media_write16 (ret_packet + 2, MEDIA_XR_LENGTH / 4 - 1);
  media_write32 (ret_packet + 4, sender);
  p[0] = BLOCK_VOIP;
  media_write16 (p + 2, BLOCK_LENGTH / 4 - 1);
  media_write32 (p + 4, ssrc);
  p[8] = share (metrics->loss);
  p[9] = share (metrics->discard);
  p[10] = share (metrics->burst_density);
  p[11] = share (metrics->gap_density);
  media_write16 (p + 12, milliseconds (metrics->burst_ms));
  media_write16 (p + 14, milliseconds (metrics->gap_ms));
  media_write16 (p + 16, milliseconds (metrics->round_trip));
  media_write16 (p + 18, milliseconds (metrics->end_delay));
  p[20] = level (metrics->signal);
  p[21] = level (metrics->noise);
  p[22] = level (metrics->echo_return);
  p[23] = (guint8) (isnan (metrics->gmin) ? PHONE_GMIN : CLAMP (metrics->gmin, 1, 255));
  p[24] = score (metrics->rating, 1, 0, 100);
  p[25] = UNKNOWN;
  p[26] = score (metrics->mos_lq, 10, 10, 50);
  p[27] = score (metrics->mos_cq, 10, 10, 50);
  p[28] = (guint8) (metrics->concealment << 6 | (metrics->adaptation & 3) << 4 | (metrics->adaptation_rate & 15));
  media_write16 (p + 30, milliseconds (metrics->playout_nominal));
  media_write16 (p + 32, milliseconds (metrics->playout_max));
  media_write16 (p + 34, milliseconds (metrics->playout_abs_max));
}

gboolean
media_xr_insert (guint8 *compound, gsize *length, gsize capacity, const guint8 *packet, gsize packet_length)
{
  gsize at = 0;

  if (capacity < packet_length || *length > capacity - packet_length)
    return FALSE;
  while (*length - at >= 4 && compound[at + 1] != RTCP_BYE)
    {
      gsize octets = 4 * ((gsize) media_read16 (compound + at + 2) + 1);

      if (octets > *length - at)
        return FALSE;
      at += octets;
    }
  memmove (compound + at + packet_length, compound + at, *length - at);
  memcpy (compound + at, packet, packet_length);
  *length += packet_length;
  return TRUE;
}
