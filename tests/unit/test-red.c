/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RFC 2198: the format, and what playout makes of it. */
#include "media/media-red.h"

#include <math.h>
#include <string.h>

#include "media/playout-stream.h"

#define TYPE 96
#define RED 103
#define FRAME 960

static void
test_round_trip (void)
{
  const guint8 a[] = "first", b[] = "second, longer", c[] = "own";
  const MediaRedBlock in[] = { { TYPE, 1920, a, sizeof a }, { TYPE, 960, b, sizeof b }, { TYPE, 0, c, sizeof c } };
  MediaRedBlock out[MEDIA_RED_MAX];
  guint8 payload[200];
  gsize n = media_red_write (in, 3, payload, sizeof payload);

  g_assert_cmpuint (n, ==, 4 + 4 + 1 + sizeof a + sizeof b + sizeof c);
  g_assert_cmpuint (media_red_parse (payload, n, out), ==, 3);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_cmpuint (out[i].payload_type, ==, TYPE);
      g_assert_cmpuint (out[i].offset, ==, in[i].offset);
      g_assert_cmpmem (out[i].data, out[i].length, in[i].data, in[i].length);
    }
  g_assert_cmpuint (media_red_write (in, 3, payload, n - 1), ==, 0);
  g_assert_cmpuint (media_red_write (in, 0, payload, sizeof payload), ==, 0);
  g_assert_cmpuint (media_red_write (&(MediaRedBlock[2]){ { TYPE, MEDIA_RED_MAX_OFFSET + 1, a, 1 }, { TYPE, 0, c, 1 } }[0], 2, payload, sizeof payload), ==, 0);
}

/* The example of RFC 2198 section 4 in its shape: one copy of 5 octets 20 ms back. Every cut of it is malformed. */
static void
test_malformed (void)
{
  const guint8 whole[] = { 0x80 | 5, 160 >> 6, (160 & 0x3f) << 2, 5, 7, 'c', 'o', 'p', 'y', '!', 'o', 'w', 'n' };
  const guint8 empty_copy[] = { 0x80 | 5, 160 >> 6, (160 & 0x3f) << 2, 0, 7, 'o' };
  guint8 many[5 * (MEDIA_RED_MAX + 1)] = { 0 };
  MediaRedBlock out[MEDIA_RED_MAX];

  g_assert_cmpuint (media_red_parse (whole, sizeof whole, out), ==, 2);
  g_assert_cmpuint (out[0].payload_type, ==, 5);
  g_assert_cmpuint (out[0].offset, ==, 160);
  g_assert_cmpmem (out[0].data, out[0].length, "copy!", 5);
  g_assert_cmpmem (out[1].data, out[1].length, "own", 3);
  for (gsize n = 0; n <= 10; n++)
    g_assert_cmpuint (media_red_parse (whole, n, out), ==, 0);
  g_assert_cmpuint (media_red_parse (empty_copy, sizeof empty_copy, out), ==, 1);
  for (guint i = 0; i < MEDIA_RED_MAX; i++)
    many[4 * i] = 0x80 | 5;
  g_assert_cmpuint (media_red_parse (many, sizeof many, out), ==, 0);
}

/* A tone of which two packets in five are lost, in pairs, with two copies in each: nothing is concealed. Without the copies much is. */
static void
play (guint copies, MediaReceiveStats *ret_stats)
{
  const PhoneCodec codec = { .id = PHONE_CODEC_OPUS, .payload_type = TYPE };
  const MediaRate rate = { .bitrate = 28000, .frame_ms = 20, .complexity = 5 };
  const PhoneMediaPlan plan = { .send_dtmf = -1, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1, .n_receive = 1, .receive = { codec },
                                .receive_red = RED };
  g_autoptr (MediaEncoder) encoder = media_encoder_new (&codec, &rate, NULL);
  g_autoptr (PlayoutStream) stream = playout_stream_new ();
  guint8 kept[3][MEDIA_MAX_PAYLOAD];
  gsize lengths[3] = { 0 };
  PlayoutFormat formats[128];
  gint16 pcm[FRAME], heard[MEDIA_FRAME];

  playout_formats_from_plan (formats, &plan);
  playout_stream_set_formats (stream, formats);
  playout_stream_set_bounds (stream, 60, 600);
  for (guint i = 0; i < 400; i++)
    {
      guint8 packet[PLAYOUT_MAX_PACKET] = { 0x80, copies ? RED : TYPE, (guint8) (i >> 8), (guint8) i };
      guint32 timestamp = i * FRAME;
      MediaRedBlock blocks[3];
      guint n = 0;
      gsize length;

      for (guint k = 0; k < FRAME; k++)
        pcm[k] = (gint16) (8000 * sin (2 * G_PI * 300 * (i * FRAME + k) / 48000));
      memmove (kept[1], kept[0], sizeof kept[0] * 2);
      memmove (lengths + 1, lengths, sizeof lengths[0] * 2);
      lengths[0] = (gsize) media_encoder_encode (encoder, pcm, FRAME, kept[0]);
      for (guint k = 4; k < 8; k++)
        packet[k] = (guint8) (timestamp >> (8 * (7 - k)));
      for (guint k = MIN (copies, i) + 1; k-- > 0;)
        blocks[n++] = (MediaRedBlock) { TYPE, k * FRAME, kept[k], lengths[k] };
      if (copies)
        length = media_red_write (blocks, n, packet + 12, sizeof packet - 12);
      else
        memcpy (packet + 12, kept[0], length = lengths[0]);
      g_assert_cmpuint (length, >, 0);
      if (i % 5 < 3)
        playout_stream_insert (stream, packet, 12 + length, 1000000 + i * 20000);
      playout_stream_pull (stream, heard, 1000000 + i * 20000);
      playout_stream_pull (stream, heard, 1000000 + i * 20000 + 10000);
    }
  playout_stream_get_stats (stream, ret_stats);
}

static void
test_playout (void)
{
  MediaReceiveStats with, one, without;

  play (2, &with);
  play (1, &one);
  play (0, &without);
  g_assert_cmpuint (with.received, ==, 240);
  g_assert_cmpuint (with.duplicates, ==, 0);
  g_assert_cmpuint (with.copies_used, >=, 150);
  g_assert_cmpuint (with.concealed_samples, <=, 3 * FRAME);
  g_assert_cmpuint (one.copies_used, >=, 75);
  g_assert_cmpuint (one.copies_used, <=, 80);
  g_assert_cmpuint (without.copies_used, ==, 0);
  g_assert_cmpuint (without.concealed_samples, >=, 140 * FRAME);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/red/round-trip", test_round_trip);
  g_test_add_func ("/red/malformed", test_malformed);
  g_test_add_func ("/red/playout", test_playout);
  return g_test_run ();
}
