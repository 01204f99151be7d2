/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "media/media-rtp.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static void
test_classify (void)
{
  static const struct
  {
    guint8 first, second;
    MediaPacketClass class;
  } cases[] = {
    { 0, 1, MEDIA_PACKET_STUN },          { 3, 1, MEDIA_PACKET_STUN },          { 4, 1, MEDIA_PACKET_UNKNOWN },
    { 16, 0, MEDIA_PACKET_ZRTP },         { 20, 0, MEDIA_PACKET_DTLS },         { 63, 0, MEDIA_PACKET_DTLS },
    { 64, 0, MEDIA_PACKET_TURN_CHANNEL }, { 79, 0, MEDIA_PACKET_TURN_CHANNEL }, { 80, 0, MEDIA_PACKET_UNKNOWN },
    { 127, 0, MEDIA_PACKET_UNKNOWN },     { 128, 0, MEDIA_PACKET_RTP },         { 0x80, 0x80 | 96, MEDIA_PACKET_RTP },
    { 0x80, 200, MEDIA_PACKET_RTCP },     { 0x81, 192, MEDIA_PACKET_RTCP },     { 0x80, 223, MEDIA_PACKET_RTCP },
    { 0x80, 224, MEDIA_PACKET_RTP },      { 192, 200, MEDIA_PACKET_UNKNOWN },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 data[2] = { cases[i].first, cases[i].second };
      g_assert_cmpint (media_packet_classify (data, 2), ==, cases[i].class);
    }
  guint8 one = 0x80;
  g_assert_cmpint (media_packet_classify (&one, 0), ==, MEDIA_PACKET_UNKNOWN);
  g_assert_cmpint (media_packet_classify (&one, 1), ==, MEDIA_PACKET_UNKNOWN);
}

static void
test_normalise (void)
{
  static const guint8 plain[] = { 0x80, 0xe0, 1, 2, 0, 0, 0, 9, 1, 2, 3, 4, 'a', 'b', 'c' };
  /* one CSRC, a header extension of two words, padding of 4 */
  guint8 rich[] = { 0xb1, 0xe0, 1, 2, 0, 0, 0, 9, 1, 2, 3, 4, 9, 9, 9, 9, 0xbe, 0xde, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2, 'a', 'b', 'c',
                    0, 0, 0, 4 };
  MediaRtpHeader header;
  gsize length = sizeof rich;

  g_assert_true (media_rtp_normalise (rich, &length, &header));
  g_assert_cmpmem (rich, length, plain, sizeof plain);
  g_assert_cmpuint (header.payload_type, ==, 96);
  g_assert_true (header.marker);
  g_assert_cmpuint (header.seq, ==, 0x102);
  g_assert_cmpuint (header.timestamp, ==, 9);
  g_assert_cmpuint (header.ssrc, ==, 0x01020304);
  media_rtp_set_ssrc (rich, 0xa0b0c0d0);
  g_assert_true (media_rtp_normalise (rich, &length, &header));
  g_assert_cmpuint (header.ssrc, ==, 0xa0b0c0d0);

  guint8 copy[64];
  for (gsize n = 0; n <= 12; n++)
    {
      memcpy (copy, plain, sizeof plain);
      length = n;
      g_assert_false (media_rtp_normalise (copy, &length, &header));   /* no header, or nothing behind it */
    }
  memcpy (copy, plain, sizeof plain);
  copy[0] = 0x8f;       /* fifteen CSRCs that are not there */
  length = sizeof plain;
  g_assert_false (media_rtp_normalise (copy, &length, &header));
  copy[0] = 0x90;       /* extension */
  g_assert_false (media_rtp_normalise (copy, &length, &header));
  copy[0] = 0xa0;       /* padding of 'c' octets, of 0, of everything */
  g_assert_false (media_rtp_normalise (copy, &length, &header));
  copy[14] = 0;
  g_assert_false (media_rtp_normalise (copy, &length, &header));
  copy[14] = 3;
  g_assert_false (media_rtp_normalise (copy, &length, &header));
  copy[14] = 2;
  g_assert_true (media_rtp_normalise (copy, &length, &header));
  g_assert_cmpuint (length, ==, 13);
}

static void
append_rtcp (GByteArray *packet, guint count, guint type, guint words, guint32 ssrc)
{
  guint8 header[8] = { 0x80 | count, type, words >> 8, words & 0xff, ssrc >> 24, ssrc >> 16, ssrc >> 8, ssrc };
  guint at = packet->len;
  g_byte_array_set_size (packet, at + 4 * (words + 1));
  memset (packet->data + at, 0x55, 4 * (words + 1));
  memcpy (packet->data + at, header, MIN (8, 4 * (words + 1)));
}

static void
test_rtcp (void)
{
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  guint32 sender;
  gboolean bye;

  append_rtcp (packet, 1, 200, 6 + 6 + 3, 7);   /* SR, one block, profile-specific extension */
  append_rtcp (packet, 1, 202, 4, 7);           /* SDES */
  append_rtcp (packet, 0, 201, 1, 8);           /* RR of somebody else */
  append_rtcp (packet, 1, 204, 2, 7);           /* APP */
  append_rtcp (packet, 1, 203, 3, 7);           /* BYE with a reason */
  gsize length = packet->len;
  g_assert_true (media_rtcp_has_bye (packet->data, length));
  g_assert_true (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
  g_assert_cmpuint (sender, ==, 7);
  g_assert_true (bye);
  g_assert_cmpuint (length, ==, 28 + 24 + 8);
  static const guint8 wanted_bye[] = { 0x81, 203, 0, 1, 0, 0, 0, 7 };
  g_assert_cmpmem (packet->data + 52, 8, wanted_bye, 8);
  g_assert_cmpuint (packet->data[3], ==, 12);
  g_assert_true (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
  g_assert_cmpuint (length, ==, 60);

  /* BYE of another source stays out */
  g_byte_array_set_size (packet, 0);
  append_rtcp (packet, 0, 201, 1, 7);
  append_rtcp (packet, 1, 203, 1, 8);
  length = packet->len;
  g_assert_true (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
  g_assert_false (bye);
  g_assert_cmpuint (length, ==, 8);
  g_assert_false (media_rtcp_has_bye (packet->data, length));

  /* Of reduced size: nothing is left for rtpsession, and a BYE needs a report before it. */
  g_byte_array_set_size (packet, 0);
  append_rtcp (packet, 11, 205, 4, 9);
  append_rtcp (packet, 1, 203, 1, 9);
  length = packet->len;
  g_assert_false (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
  length = packet->len;
  g_assert_true (media_rtcp_filter (packet->data, &length, TRUE, &sender, &bye));
  g_assert_cmpuint (length, ==, 0);
  g_assert_cmpuint (sender, ==, 9);
  g_assert_false (bye);

  /* malformed */
  static const struct
  {
    guint count, type, words;
  } bad[] = { { 1, 200, 6 }, { 0, 200, 4 }, { 2, 201, 12 }, { 0, 201, 0 }, { 1, 202, 2 }, { 1, 203, 1 }, { 0, 204, 2 } };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_byte_array_set_size (packet, 0);
      append_rtcp (packet, bad[i].count, bad[i].type, bad[i].words, 7);
      length = packet->len;
      g_assert_false (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
    }
  g_byte_array_set_size (packet, 0);
  append_rtcp (packet, 0, 201, 1, 7);
  packet->data[3] = 2;          /* longer than it is */
  length = packet->len;
  g_assert_false (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
  g_assert_false (media_rtcp_has_bye (packet->data, packet->len));
  packet->data[3] = 1;
  packet->data[0] |= 0x20;      /* padding in a packet that is not the last */
  append_rtcp (packet, 0, 201, 1, 7);
  length = packet->len;
  g_assert_false (media_rtcp_filter (packet->data, &length, FALSE, &sender, &bye));
}

static void
test_extension (void)
{
  guint8 packet[] = { 0x91, 111, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 0xbe, 0xde, 0, 2, 0x10, 0xaa, 0, 0x31, 0x12, 0x34, 0xf0, 0x41, 'x' };
  const guint8 *found;
  gsize n;

  g_assert_true (media_rtp_find_extension (packet, sizeof packet, 3, &found, &n));
  g_assert_cmpuint (n, ==, 2);
  g_assert_true (found == packet + 24);
  g_assert_true (media_rtp_find_extension (packet, sizeof packet, 1, &found, &n));
  g_assert_cmpuint (n, ==, 1);
  g_assert_false (media_rtp_find_extension (packet, sizeof packet, 4, &found, &n));     /* behind the end of all (15) */
  g_assert_false (media_rtp_find_extension (packet, 25, 3, &found, &n));
  packet[16] = 0x10;
  packet[17] = 0x05;
  memcpy (packet + 20, "\1\0\3\2\x56\x78\0", 8);
  g_assert_true (media_rtp_find_extension (packet, sizeof packet, 3, &found, &n));
  g_assert_cmpmem (found, n, "\x56\x78", 2);
  packet[23] = 4;                       /* longer than what is left */
  packet[26] = packet[27] = 9;
  g_assert_true (media_rtp_find_extension (packet, sizeof packet, 3, &found, &n));
  packet[23] = 5;
  g_assert_false (media_rtp_find_extension (packet, sizeof packet, 3, &found, &n));
  packet[0] = 0x81;
  g_assert_false (media_rtp_find_extension (packet, sizeof packet, 1, &found, &n));
}

static void
test_gate (void)
{
  MediaSourceGate gate = { 0 };
  gint64 now = 100 * SECOND;
  guint admitted = 0;

  /* A hundred thousand sources within ten seconds: bounded, and who talks all the time is not pushed out. */
  for (guint i = 0; i < 100000; i++)
    {
      gint64 at = now + i * 100;
      g_assert_true (media_source_gate_admit (&gate, 1, at));
      admitted += media_source_gate_admit (&gate, 1000 + i, at);
    }
  g_assert_cmpuint (admitted, >=, MEDIA_SOURCES - 1);
  g_assert_cmpuint (admitted, <=, MEDIA_SOURCES + 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtp/classify", test_classify);
  g_test_add_func ("/rtp/normalise", test_normalise);
  g_test_add_func ("/rtp/rtcp", test_rtcp);
  g_test_add_func ("/rtp/gate", test_gate);
  g_test_add_func ("/rtp/extension", test_extension);
  return g_test_run ();
}
