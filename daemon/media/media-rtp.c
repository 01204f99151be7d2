/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-rtp.h"

#include <string.h>

#include "media/media-octets.h"

#define RTCP_SR 200
#define RTCP_RR 201
#define RTCP_BYE 203
#define REPORT_BLOCK 24

#define GATE_REFILL (2 * G_USEC_PER_SEC)

MediaPacketClass
media_packet_classify (const guint8 *data, gsize length)
{
  if (length == 0)
    return MEDIA_PACKET_UNKNOWN;
  if (data[0] <= 3)
    return MEDIA_PACKET_STUN;
  if (data[0] >= 16 && data[0] <= 19)
    return MEDIA_PACKET_ZRTP;
  if (data[0] >= 20 && data[0] <= 63)
    return MEDIA_PACKET_DTLS;
  if (data[0] >= 64 && data[0] <= 79)
    return MEDIA_PACKET_TURN_CHANNEL;
  if (data[0] >= 128 && data[0] <= 191 && length >= 2)
    return data[1] >= 192 && data[1] <= 223 ? MEDIA_PACKET_RTCP : MEDIA_PACKET_RTP;
  return MEDIA_PACKET_UNKNOWN;
}

gboolean
media_rtp_normalise (guint8 *packet, gsize *length, MediaRtpHeader *ret_header)
{
  gsize n = *length;

  if (n < MEDIA_RTP_HEADER || packet[0] >> 6 != 2)
    return FALSE;
  gsize header = MEDIA_RTP_HEADER + 4 * (gsize) (packet[0] & 0x0f);
  if (packet[0] & 0x10)
    {
      if (n < header + 4)
        return FALSE;
      header += 4 + 4 * (gsize) media_read16 (packet + header + 2);
    }
  if (n <= header)
    return FALSE;
  if (packet[0] & 0x20)
    {
      gsize padding = packet[n - 1];
      if (padding == 0 || padding >= n - header)
        return FALSE;
      n -= padding;
    }
  memmove (packet + MEDIA_RTP_HEADER, packet + header, n - header);
  packet[0] = 0x80;
  *length = n - header + MEDIA_RTP_HEADER;
  *ret_header = (MediaRtpHeader) {
    .payload_type = packet[1] & 0x7f,
    .marker = packet[1] >> 7,
    .seq = (guint16) media_read16 (packet + 2),
    .timestamp = media_read32 (packet + 4),
    .ssrc = media_read32 (packet + 8),
  };
  return TRUE;
}

gboolean
media_rtp_find_extension (const guint8 *packet, gsize length, guint id, const guint8 **ret_data, gsize *ret_length)
{
  gsize at = MEDIA_RTP_HEADER + 4 * (gsize) (length > 0 ? packet[0] & 0x0f : 0), end;

  if (length < at + 4 || (packet[0] & 0x10) == 0)
    return FALSE;
  guint profile = media_read16 (packet + at), two = profile >> 4 == 0x100;
  end = at + 4 + 4 * (gsize) media_read16 (packet + at + 2);
  if (end > length || (profile != 0xbede && !two))
    return FALSE;
  for (at += 4; at < end;)
    {
      guint found = two ? packet[at] : packet[at] >> 4;
      gsize n;

      if (packet[at] == 0)              /* padding */
        {
          at++;
          continue;
        }
      if (!two && found == 15)
        return FALSE;
      if (two && end - at < 2)
        return FALSE;
      n = two ? packet[at + 1] : (packet[at] & 0x0f) + 1u;
      at += two ? 2 : 1;
      if (n > end - at)
        return FALSE;
      if (found == id)
        {
          *ret_data = packet + at;
          *ret_length = n;
          return TRUE;
        }
      at += n;
    }
  return FALSE;
}

void
media_rtp_set_ssrc (guint8 *packet, guint32 ssrc)
{
  for (int i = 11; i >= 8; i--, ssrc >>= 8)
    packet[i] = ssrc & 0xff;
}

static void
write_header (guint8 *packet, guint count, guint type, gsize octets)
{
  packet[0] = (guint8) (0x80 | count);
  packet[1] = (guint8) type;
  packet[2] = (guint8) ((octets / 4 - 1) >> 8);
  packet[3] = (guint8) ((octets / 4 - 1) & 0xff);
}

gboolean
media_rtcp_filter (guint8 *packet, gsize *length, gboolean reduced, guint32 *ret_sender, gboolean *ret_bye)
{
  gsize in = 0, out = 0;
  guint32 sender = 0;
  gboolean known = FALSE;

  *ret_bye = FALSE;
  while (in < *length)
    {
      guint8 *p = packet + in;
      if (*length - in < 4 || p[0] >> 6 != 2)
        return FALSE;
      gsize octets = 4 * ((gsize) media_read16 (p + 2) + 1);
      if (octets > *length - in)
        return FALSE;
      guint count = p[0] & 0x1f, type = p[1];
      gboolean padded = (p[0] & 0x20) != 0;
      in += octets;
      /* Only the last packet of a compound may be padded. */
      if (padded && in != *length)
        return FALSE;
      if (!known && (octets < 8 || (!reduced && type != RTCP_SR && type != RTCP_RR)))
        return FALSE;
      if (!known)
        sender = media_read32 (p + 4);
      known = TRUE;

      if (type == RTCP_SR || type == RTCP_RR)
        {
          gsize needed = (type == RTCP_SR ? 28 : 8) + REPORT_BLOCK * (gsize) count;
          if (needed > octets)
            return FALSE;
          if (media_read32 (p + 4) != sender)
            continue;
          memmove (packet + out, p, needed);
          write_header (packet + out, count, type, needed);
          out += needed;
        }
      else if (out > 0 && type == RTCP_BYE && count > 0 && octets >= 8 && !*ret_bye)
        {
          for (guint i = 0; i < count && 8 + 4 * (gsize) i <= octets; i++)
            if (media_read32 (p + 4 + 4 * i) == sender)
              *ret_bye = TRUE;
          if (*ret_bye)
            {
              memmove (packet + out + 4, packet + 4, 4);
              write_header (packet + out, 1, RTCP_BYE, 8);
              out += 8;
            }
        }
    }
  *length = out;
  *ret_sender = sender;
  return known;
}

gboolean
media_rtcp_has_bye (const guint8 *packet, gsize length)
{
  for (gsize in = 0; length - in >= 4; in += 4 * ((gsize) media_read16 (packet + in + 2) + 1))
    {
      if (packet[in + 1] == RTCP_BYE)
        return TRUE;
      if (4 * ((gsize) media_read16 (packet + in + 2) + 1) > length - in)
        return FALSE;
    }
  return FALSE;
}

gboolean
media_source_gate_admit (MediaSourceGate *gate, guint32 ssrc, gint64 now)
{
  guint eldest = 0;

  for (guint i = 0; i < gate->n_known; i++)
    {
      if (gate->known[i].ssrc == ssrc)
        {
          gate->known[i].seen = now;
          return TRUE;
        }
      if (gate->known[i].seen < gate->known[eldest].seen)
        eldest = i;
    }
  if (gate->n_known < MEDIA_SOURCES)
    {
      eldest = gate->n_known++;
      gate->refilled = now;
    }
  else
    {
      /* Full: one newcomer every GATE_REFILL, in the place of the one that was silent longest. */
      if (now - gate->refilled < GATE_REFILL)
        return FALSE;
      gate->refilled = now;
    }
  gate->known[eldest].ssrc = ssrc;
  gate->known[eldest].seen = now;
  return TRUE;
}
