/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <string.h>

#include "media/media-srtp-streams.h"
#include "media/media-srtp.h"
#include "srtp-reference.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define PAYLOAD 60

typedef struct
{
  guint32 align;
  guint8 octets[MEDIA_SRTP_MAX_PACKET + MEDIA_SRTP_TRAILER];
  gsize length;
} Packet;

static PhoneSrtpKey
make_key (PhoneSrtpSuite suite, guint8 seed)
{
  PhoneSrtpKey key = { .tag = 1, .suite = suite };
  for (guint i = 0; i < sizeof key.key; i++)
    key.key[i] = (guint8) (seed * 31 + i * 7);
  return key;
}

static void
put32 (guint8 *p, guint32 value)
{
  for (int i = 3; i >= 0; i--, value >>= 8)
    p[i] = value & 0xff;
}

static void
make_rtp (Packet *packet, guint32 ssrc, guint16 seq)
{
  memset (packet, 0, sizeof *packet);
  packet->octets[0] = 0x80;
  packet->octets[1] = 96;
  packet->octets[2] = seq >> 8;
  packet->octets[3] = seq & 0xff;
  put32 (packet->octets + 4, seq * 960u);
  put32 (packet->octets + 8, ssrc);
  for (guint i = 0; i < PAYLOAD; i++)
    packet->octets[12 + i] = (guint8) (seq + i);
  packet->length = 12 + PAYLOAD;
}

static void
make_rtcp (Packet *packet, guint32 ssrc)
{
  memset (packet, 0, sizeof *packet);
  packet->octets[0] = 0x80;
  packet->octets[1] = 201;
  packet->octets[3] = 1;
  put32 (packet->octets + 4, ssrc);
  static const guint8 bye[] = { 0x81, 203, 0, 1 };
  memcpy (packet->octets + 8, bye, 4);
  put32 (packet->octets + 12, ssrc);
  packet->length = 16;
}

static MediaSrtpResult
send_rtp (MediaSrtp *srtp, Packet *packet, guint32 ssrc, guint16 seq)
{
  make_rtp (packet, ssrc, seq);
  return media_srtp_protect_rtp (srtp, packet->octets, &packet->length, sizeof packet->octets);
}

/* The packet, which is left as it is, through the receiver: the result, and that the text is right. */
static MediaSrtpResult
receive_rtp (MediaSrtp *srtp, const Packet *packet, gint64 now)
{
  Packet copy = *packet, plain;
  MediaSrtpResult result = media_srtp_unprotect_rtp (srtp, copy.octets, &copy.length, now);
  if (result == MEDIA_SRTP_OK)
    {
      make_rtp (&plain, (guint32) copy.octets[8] << 24 | copy.octets[9] << 16 | copy.octets[10] << 8 | copy.octets[11],
                (guint16) (copy.octets[2] << 8 | copy.octets[3]));
      g_assert_cmpmem (copy.octets, copy.length, plain.octets, plain.length);
    }
  return result;
}

static void
set_keys (MediaSrtp *sender, MediaSrtp *receiver, const PhoneSrtpKey *key)
{
  g_autoptr (GError) error = NULL;
  if (sender != NULL)
    {
      media_srtp_set_send_key (sender, key, FALSE, &error);
      g_assert_no_error (error);
    }
  if (receiver != NULL)
    {
      media_srtp_set_receive_key (receiver, key, &error);
      g_assert_no_error (error);
    }
}

static void
assert_hex (const guint8 *data, gsize length, const char *hex)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (gsize i = 0; i < length; i++)
    g_string_append_printf (text, "%02x", data[i]);
  g_assert_cmpstr (text->str, ==, hex);
}

static gsize
from_hex (const char *hex, guint8 *ret)
{
  gsize n = strlen (hex) / 2;
  for (gsize i = 0; i < n; i++)
    ret[i] = (guint8) (g_ascii_xdigit_value (hex[2 * i]) << 4 | g_ascii_xdigit_value (hex[2 * i + 1]));
  return n;
}

static void
test_reference (void)
{
  guint8 key[32], salt[14], packet[64], out[128];
  SrtpReferenceKeys keys;

  /* RFC 3711 appendix B.3 */
  from_hex ("e1f97a0d3e018be0d64fa32c06de4139", key);
  from_hex ("0ec675ad498afeebb6960b3aabe6", salt);
  srtp_reference_derive (key, 16, salt, 14, FALSE, &keys);
  assert_hex (keys.cipher_key, 16, "c61e7a93744f39ee10734afe3ff7a087");
  assert_hex (keys.salt, 14, "30cbbc08863d8c85d49db34a9ae1");
  assert_hex (keys.auth_key, 20, "cebe321f6ff7716b6fd4ab49af256a156d38baa4");

  /* RFC 6188 section 7.2 */
  from_hex ("f0f04914b513f2763a1b1fa130f10e2998f6f6e43e4309d1e622a0e332b9f1b6", key);
  from_hex ("3b04803de51ee7c96423ab5b78d2", salt);
  srtp_reference_derive (key, 32, salt, 14, FALSE, &keys);
  assert_hex (keys.cipher_key, 32, "5ba1064e30ec51613cad926c5a28ef731ec7fb397f70a960653caf06554cd8c4");
  assert_hex (keys.salt, 14, "fa31791685ca444a9e07c6c64e93");
  assert_hex (keys.auth_key, 20, "fd9c32d39ed5fbb5a9dc96b30818454d1313dc05");

  /* RFC 7714 section 16.1.1 */
  from_hex ("000102030405060708090a0b0c0d0e0f", keys.cipher_key);
  from_hex ("517569642070726f2071756f", keys.salt);
  gsize n = from_hex ("8040f17b8041f8d35501a0b247616c6c696120657374206f6d6e6973206469766973"
                      "6120696e207061727465732074726573", packet);
  n = srtp_reference_aead (&keys, 16, packet, n, 0, out);
  assert_hex (out, n, "8040f17b8041f8d35501a0b2f24de3a3fb34de6cacba861c9d7e4bcabe633bd50d294e6f42a5f47a51c7d19b36de3adf8833"
                      "899d7f27beb16a9152cf765ee4390cce");
}

static void
test_suite (gconstpointer data)
{
  PhoneSrtpSuite suite = GPOINTER_TO_UINT (data);
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (suite, 1), back = make_key (suite, 2);
  Packet packet, plain;
  guint8 wanted[512];

  set_keys (alice, bob, &key);
  set_keys (bob, alice, &back);
  for (guint seq = 100; seq < 120; seq++)
    {
      g_assert_cmpint (send_rtp (alice, &packet, 0xcafe, seq), ==, MEDIA_SRTP_OK);
      make_rtp (&plain, 0xcafe, seq);
      gsize n = srtp_reference_rtp (&key, plain.octets, plain.length, 0, wanted);
      g_assert_cmpmem (packet.octets, packet.length, wanted, n);
      g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
      g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_REPLAYED);
    }
  for (guint i = 1; i < 10; i++)
    {
      make_rtcp (&packet, 0xcafe);
      g_assert_cmpint (media_srtp_protect_rtcp (bob, packet.octets, &packet.length, sizeof packet.octets), ==, MEDIA_SRTP_OK);
      make_rtcp (&plain, 0xcafe);
      gsize n = srtp_reference_rtcp (&back, plain.octets, plain.length, i, wanted);
      g_assert_cmpmem (packet.octets, packet.length, wanted, n);
      Packet copy = packet;
      g_assert_cmpint (media_srtp_unprotect_rtcp (alice, copy.octets, &copy.length, SECOND), ==, MEDIA_SRTP_OK);
      g_assert_cmpmem (copy.octets, copy.length, plain.octets, plain.length);
      g_assert_cmpint (media_srtp_unprotect_rtcp (alice, packet.octets, &packet.length, SECOND), ==, MEDIA_SRTP_REPLAYED);
    }

  MediaSrtpStats stats;
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.replayed, ==, 20);
  g_assert_cmpuint (stats.auth_failures, ==, 0);
}

static void
test_mki (gconstpointer data)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (GPOINTER_TO_UINT (data), 1), other;
  Packet packet;

  key.mki_length = 4;
  key.mki = 0x01020304;
  set_keys (alice, bob, &key);
  g_assert_cmpint (send_rtp (alice, &packet, 1, 7), ==, MEDIA_SRTP_OK);
  g_assert_cmpuint (packet.length, ==, 12 + PAYLOAD + 4 + srtp_reference_suite (key.suite).rtp_tag);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
  make_rtcp (&packet, 1);
  g_assert_cmpint (media_srtp_protect_rtcp (alice, packet.octets, &packet.length, sizeof packet.octets), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (media_srtp_unprotect_rtcp (bob, packet.octets, &packet.length, SECOND), ==, MEDIA_SRTP_OK);
  g_assert_cmpuint (packet.length, ==, 16);

  /* A rekey that differs in key and MKI. */
  other = make_key (key.suite, 9);
  other.mki_length = 1;
  other.mki = 5;
  set_keys (alice, bob, &other);
  g_assert_cmpint (send_rtp (alice, &packet, 1, 8), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);

  g_autoptr (GError) error = NULL;
  other.mki_length = 129;
  g_assert_false (media_srtp_set_receive_key (bob, &other, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
}

/* Packets of before and after a rekey arrive interleaved; all of them are understood, none twice. */
static void
test_rekey (gconstpointer data)
{
  PhoneSrtpSuite first = GPOINTER_TO_UINT (data), second = (first + 1) % phone_srtp_suite_n_values;
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey one = make_key (first, 1), two = make_key (second, 2);
  Packet sent[40];

  set_keys (alice, bob, &one);
  for (guint i = 0; i < 20; i++)
    g_assert_cmpint (send_rtp (alice, &sent[i], 5, (guint16) (1000 + i)), ==, MEDIA_SRTP_OK);
  set_keys (NULL, bob, &two);
  set_keys (alice, NULL, &two);
  for (guint i = 20; i < 40; i++)
    g_assert_cmpint (send_rtp (alice, &sent[i], 5, (guint16) (1000 + i)), ==, MEDIA_SRTP_OK);

  for (guint i = 0; i < 10; i++)
    g_assert_cmpint (receive_rtp (bob, &sent[i], SECOND), ==, MEDIA_SRTP_OK);
  for (guint i = 10; i < 20; i++)
    {
      g_assert_cmpint (receive_rtp (bob, &sent[i + 10], SECOND), ==, MEDIA_SRTP_OK);
      g_assert_cmpint (receive_rtp (bob, &sent[i], SECOND), ==, MEDIA_SRTP_OK);
    }
  for (guint i = 30; i < 40; i++)
    g_assert_cmpint (receive_rtp (bob, &sent[i], SECOND), ==, MEDIA_SRTP_OK);
  for (guint i = 0; i < 40; i++)
    g_assert_cmpint (receive_rtp (bob, &sent[i], SECOND), ==, MEDIA_SRTP_REPLAYED);

  MediaSrtpStats stats;
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.receive_key_changes, ==, 1);
  media_srtp_get_stats (alice, &stats);
  g_assert_cmpuint (stats.send_key_changes, ==, 1);

  /* The old key is gone after its time. */
  g_autoptr (MediaSrtp) late = media_srtp_new ();
  Packet packet;
  set_keys (late, NULL, &one);
  g_assert_cmpint (send_rtp (late, &packet, 5, 1050), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, 20 * SECOND), ==, MEDIA_SRTP_AUTH_FAILED);
}

/* Alice offers new keys, Bob answers with his. Until his answer is there she knows only his old one. */
static void
test_answer_under_way (gconstpointer data)
{
  PhoneSrtpSuite suite = GPOINTER_TO_UINT (data);
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey hers = make_key (suite, 1), his = make_key (suite, 2), her_new = make_key (suite, 3), his_new = make_key (suite, 4);
  gint64 now = g_get_monotonic_time ();
  MediaSrtpStats stats;
  Packet packet;

  set_keys (alice, bob, &hers);
  set_keys (bob, alice, &his);
  set_keys (NULL, bob, &her_new);
  g_assert_true (media_srtp_set_send_key_later (bob, &his_new, now, NULL));
  g_assert_cmpint (send_rtp (bob, &packet, 6, 10), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (alice, &packet, SECOND), ==, MEDIA_SRTP_OK);
  /* The answer is there. */
  set_keys (NULL, alice, &his_new);
  set_keys (alice, NULL, &her_new);
  g_assert_cmpint (send_rtp (alice, &packet, 5, 10), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (send_rtp (bob, &packet, 6, 11), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (alice, &packet, SECOND), ==, MEDIA_SRTP_OK);
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.send_key_changes, ==, 1);
  media_srtp_get_stats (alice, &stats);
  g_assert_cmpuint (stats.receive_key_changes, ==, 1);
  g_assert_cmpuint (stats.auth_failures, ==, 0);

  /* She says nothing: after a while his new key counts all the same. */
  set_keys (NULL, bob, &hers);
  g_assert_true (media_srtp_set_send_key_later (bob, &his, now - SECOND, NULL));
  set_keys (NULL, alice, &his);
  g_assert_cmpint (send_rtp (bob, &packet, 6, 12), ==, MEDIA_SRTP_OK);
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.send_key_changes, ==, 2);
  g_assert_cmpint (receive_rtp (alice, &packet, SECOND), ==, MEDIA_SRTP_OK);
  media_srtp_get_stats (alice, &stats);
  g_assert_cmpuint (stats.receive_key_changes, ==, 2);
}

static void
test_old_key_packet_limit (void)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) elder = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey one = make_key (PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 1), two = make_key (PHONE_SRTP_AES_CM_128_HMAC_SHA1_80, 2);
  Packet packet;

  set_keys (elder, bob, &one);
  set_keys (alice, bob, &two);
  for (guint i = 0; i < 600; i++)
    {
      g_assert_cmpint (send_rtp (alice, &packet, 5, (guint16) i), ==, MEDIA_SRTP_OK);
      g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
    }
  g_assert_cmpint (send_rtp (elder, &packet, 6, 1), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_AUTH_FAILED);
}

static void
test_offer_withdrawn (void)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey one = make_key (PHONE_SRTP_AEAD_AES_128_GCM, 1), two = make_key (PHONE_SRTP_AEAD_AES_128_GCM, 2);
  Packet packet, replay;
  MediaSrtpStats stats;

  set_keys (alice, bob, &one);
  g_assert_cmpint (send_rtp (alice, &replay, 5, 10), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &replay, SECOND), ==, MEDIA_SRTP_OK);
  set_keys (NULL, bob, &two);
  set_keys (NULL, bob, &one);
  g_assert_cmpint (send_rtp (alice, &packet, 5, 11), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);

  /* There and back within the life of the old key: what was received before stays received. */
  set_keys (alice, bob, &two);
  g_assert_cmpint (send_rtp (alice, &packet, 5, 12), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
  set_keys (alice, bob, &one);
  g_assert_cmpint (receive_rtp (bob, &replay, SECOND), ==, MEDIA_SRTP_REPLAYED);
  g_assert_cmpint (send_rtp (alice, &packet, 5, 13), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.receive_key_changes, ==, 2);
}

/* The same key set again must not restart the counters: same key stream for two packets. */
static void
test_same_send_key (void)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  PhoneSrtpKey key = make_key (PHONE_SRTP_AEAD_AES_256_GCM, 1);
  Packet packet;
  MediaSrtpStats stats;

  set_keys (alice, NULL, &key);
  g_assert_cmpint (send_rtp (alice, &packet, 1, 50), ==, MEDIA_SRTP_OK);
  set_keys (alice, NULL, &key);
  g_autoptr (GError) error = NULL;
  g_assert_true (media_srtp_set_send_key (alice, &key, TRUE, &error));
  g_assert_cmpint (send_rtp (alice, &packet, 1, 50), ==, MEDIA_SRTP_REPLAYED);
  media_srtp_get_stats (alice, &stats);
  g_assert_cmpuint (stats.send_key_changes, ==, 0);
}

static void
run_wrapped (MediaSrtp *alice, MediaSrtp *bob, guint32 ssrc, guint from, guint count, guint step)
{
  Packet packet;
  for (guint i = 0; i < count; i += step)
    {
      g_assert_cmpint (send_rtp (alice, &packet, ssrc, (guint16) (from + i)), ==, MEDIA_SRTP_OK);
      if (bob != NULL)
        g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
    }
}

static void
test_roc (gconstpointer data)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (GPOINTER_TO_UINT (data), 1);
  Packet before, after, plain, extra;
  guint8 wanted[512];

  set_keys (alice, bob, &key);
  run_wrapped (alice, bob, 1, 65530, 5, 1);             /* ... 65534 */
  send_rtp (alice, &before, 1, 65535);
  send_rtp (alice, &after, 1, 0);
  make_rtp (&plain, 1, 0);
  gsize n = srtp_reference_rtp (&key, plain.octets, plain.length, 1, wanted);
  g_assert_cmpmem (after.octets, after.length, wanted, n);
  g_assert_cmpint (receive_rtp (bob, &after, SECOND), ==, MEDIA_SRTP_OK);      /* reordered across the wrap */
  g_assert_cmpint (receive_rtp (bob, &before, SECOND), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &before, SECOND), ==, MEDIA_SRTP_REPLAYED);
  /* Two more rounds with holes of 20,000 packets, and a second source in between that starts at 0. */
  run_wrapped (alice, bob, 1, 1, 131072, 20000);
  run_wrapped (alice, bob, 2, 30000, 100, 1);
  run_wrapped (alice, bob, 1, 131072, 100, 1);
  send_rtp (alice, &extra, 1, 200);
  make_rtp (&plain, 1, 200);
  n = srtp_reference_rtp (&key, plain.octets, plain.length, 3, wanted);
  g_assert_cmpmem (extra.octets, extra.length, wanted, n);
  g_assert_cmpint (receive_rtp (bob, &extra, 3600 * SECOND), ==, MEDIA_SRTP_OK);       /* after an hour on hold */

  /* Rekey: the counter goes on. */
  PhoneSrtpKey two = make_key (key.suite, 2);
  set_keys (alice, bob, &two);
  send_rtp (alice, &extra, 1, 201);
  make_rtp (&plain, 1, 201);
  n = srtp_reference_rtp (&two, plain.octets, plain.length, 3, wanted);
  g_assert_cmpmem (extra.octets, extra.length, wanted, n);
  g_assert_cmpint (receive_rtp (bob, &extra, 3601 * SECOND), ==, MEDIA_SRTP_OK);
  g_assert_cmpint (receive_rtp (bob, &extra, 3601 * SECOND), ==, MEDIA_SRTP_REPLAYED);
  run_wrapped (alice, bob, 1, 202, 100, 1);

  /* Rekey by a peer that starts over at 0. */
  PhoneSrtpKey three = make_key (key.suite, 3);
  g_autoptr (GError) error = NULL;
  set_keys (NULL, bob, &three);
  g_assert_true (media_srtp_set_send_key (alice, &three, TRUE, &error));
  send_rtp (alice, &extra, 1, 302);
  make_rtp (&plain, 1, 302);
  n = srtp_reference_rtp (&three, plain.octets, plain.length, 0, wanted);
  g_assert_cmpmem (extra.octets, extra.length, wanted, n);
  g_assert_cmpint (receive_rtp (bob, &extra, 3602 * SECOND), ==, MEDIA_SRTP_OK);
  run_wrapped (alice, bob, 1, 303, 100, 1);
}

/* All packets before the first wrap were lost. */
static void
test_late_joiner (gconstpointer data)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (GPOINTER_TO_UINT (data), 1);

  set_keys (alice, bob, &key);
  run_wrapped (alice, NULL, 1, 65500, 40, 1);
  run_wrapped (alice, bob, 1, 65540, 100, 1);
}

static void
test_reordering (void)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (PHONE_SRTP_AES_CM_128_HMAC_SHA1_32, 1);
  g_autofree Packet *sent = g_new (Packet, 900);

  set_keys (alice, bob, &key);
  for (guint i = 0; i < 900; i++)
    send_rtp (alice, &sent[i], 1, (guint16) (65000 + i));
  g_assert_cmpint (receive_rtp (bob, &sent[0], SECOND), ==, MEDIA_SRTP_OK);
  for (guint i = 899; i > 0; i--)
    g_assert_cmpint (receive_rtp (bob, &sent[i], SECOND), ==, MEDIA_SRTP_OK);
}

static void
test_hostile (gconstpointer data)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) mallory = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (GPOINTER_TO_UINT (data), 1), wrong = make_key (GPOINTER_TO_UINT (data), 66);
  Packet packet, copy;
  MediaSrtpStats stats;

  make_rtp (&packet, 1, 1);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_NO_KEY);
  set_keys (alice, bob, &key);
  set_keys (mallory, NULL, &wrong);

  /* A flood of sources under the wrong key leaves nothing behind and keeps nobody out. */
  for (guint i = 0; i < 2000; i++)
    {
      send_rtp (mallory, &packet, i, 1);
      g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_AUTH_FAILED);
    }
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.auth_failures, ==, 2000);

  /* Every truncation and every flipped bit is refused. */
  send_rtp (alice, &packet, 1, 1);
  for (gsize n = 0; n < packet.length; n++)
    {
      copy = packet;
      copy.length = n;
      MediaSrtpResult result = media_srtp_unprotect_rtp (bob, copy.octets, &copy.length, SECOND);
      g_assert_true (result == MEDIA_SRTP_AUTH_FAILED || result == MEDIA_SRTP_MALFORMED);
    }
  for (gsize bit = 0; bit < packet.length * 8; bit++)
    {
      copy = packet;
      copy.octets[bit / 8] ^= 1u << (bit % 8);
      MediaSrtpResult result = media_srtp_unprotect_rtp (bob, copy.octets, &copy.length, SECOND);
      g_assert_true (result == MEDIA_SRTP_AUTH_FAILED || result == MEDIA_SRTP_MALFORMED);
    }
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);

  make_rtcp (&packet, 1);
  g_assert_cmpint (media_srtp_protect_rtcp (alice, packet.octets, &packet.length, sizeof packet.octets), ==, MEDIA_SRTP_OK);
  for (gsize n = 0; n < packet.length; n++)
    {
      copy = packet;
      copy.length = n;
      MediaSrtpResult result = media_srtp_unprotect_rtcp (bob, copy.octets, &copy.length, SECOND);
      g_assert_true (result == MEDIA_SRTP_AUTH_FAILED || result == MEDIA_SRTP_MALFORMED);
    }
  g_assert_cmpint (media_srtp_unprotect_rtcp (bob, packet.octets, &packet.length, SECOND), ==, MEDIA_SRTP_OK);

  /* Longer than anything we take. */
  copy.length = MEDIA_SRTP_MAX_PACKET + 1;
  g_assert_cmpint (media_srtp_unprotect_rtp (bob, copy.octets, &copy.length, SECOND), ==, MEDIA_SRTP_MALFORMED);

  /* A header extension that claims to be longer than the packet. */
  make_rtp (&packet, 3, 1);
  packet.octets[0] |= 0x10;
  packet.octets[14] = 0xff;
  g_assert_cmpint (media_srtp_unprotect_rtp (bob, packet.octets, &packet.length, SECOND), ==, MEDIA_SRTP_MALFORMED);
}

/* A peer with the right key that uses up sources: bounded, and what was evicted cannot be replayed. */
static void
test_many_sources (void)
{
  g_autoptr (MediaSrtp) alice = media_srtp_new ();
  g_autoptr (MediaSrtp) bob = media_srtp_new ();
  PhoneSrtpKey key = make_key (PHONE_SRTP_AEAD_AES_128_GCM, 1);
  Packet packet, first;
  MediaSrtpStats stats;
  const guint limit = MEDIA_SRTP_STREAMS + MEDIA_SRTP_RETIRED;

  set_keys (alice, bob, &key);
  send_rtp (alice, &first, 1, 1);
  g_assert_cmpint (receive_rtp (bob, &first, SECOND), ==, MEDIA_SRTP_OK);
  for (guint i = 2; i <= limit; i++)
    {
      send_rtp (alice, &packet, i, 1);
      g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
    }
  g_assert_cmpint (receive_rtp (bob, &first, SECOND), ==, MEDIA_SRTP_REFUSED);
  send_rtp (alice, &packet, limit + 1, 1);
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_REFUSED);
  send_rtp (alice, &packet, limit, 2);          /* a live one goes on */
  g_assert_cmpint (receive_rtp (bob, &packet, SECOND), ==, MEDIA_SRTP_OK);
  media_srtp_get_stats (bob, &stats);
  g_assert_cmpuint (stats.refused, ==, 2);
}

static void
test_streams (void)
{
  MediaSrtpStreams streams = { 0 };
  guint32 evicted = 0;

  for (guint32 i = 1; i <= MEDIA_SRTP_STREAMS; i++)
    g_assert_false (media_srtp_streams_seen (&streams, i, 10, 0, &evicted));
  g_assert_false (media_srtp_streams_seen (&streams, 1, 11, 0, &evicted));      /* used again: 2 is the eldest */
  g_assert_true (media_srtp_streams_seen (&streams, 100, 1, 7, &evicted));
  g_assert_cmpuint (evicted, ==, 2);
  g_assert_null (media_srtp_streams_find (&streams, 2));
  g_assert_false (media_srtp_streams_may_enter (&streams, 2));
  g_assert_true (media_srtp_streams_may_enter (&streams, 101));

  MediaSrtpStream *stream = media_srtp_streams_find (&streams, 100);
  g_assert_cmpuint (stream->roc, ==, 7);
  g_assert_cmpuint (media_srtp_stream_guess_roc (stream, 65535), ==, 6);
  g_assert_cmpuint (media_srtp_stream_guess_roc (stream, 2), ==, 7);
  media_srtp_streams_seen (&streams, 100, 30000, 0, &evicted);
  media_srtp_streams_seen (&streams, 100, 60000, 0, &evicted);
  g_assert_cmpuint (media_srtp_stream_guess_roc (stream, 5), ==, 8);
  media_srtp_streams_seen (&streams, 100, 59000, 0, &evicted);
  g_assert_cmpuint (stream->highest, ==, 60000);
  media_srtp_streams_seen (&streams, 100, 5, 0, &evicted);
  g_assert_cmpuint (stream->roc, ==, 8);
  MediaSrtpStream zero = { .highest = 5 };
  g_assert_cmpuint (media_srtp_stream_guess_roc (&zero, 65000), ==, 0);
}

static void
add_for_suites (const char *name, void (*function) (gconstpointer))
{
  for (guint i = 0; i < phone_srtp_suite_n_values; i++)
    {
      g_autofree char *path = g_strdup_printf ("/srtp/%s/%s", name, phone_srtp_suite_to_string (i));
      g_test_add_data_func (path, GUINT_TO_POINTER (i), function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/srtp/reference", test_reference);
  add_for_suites ("roundtrip", test_suite);
  add_for_suites ("mki", test_mki);
  add_for_suites ("rekey", test_rekey);
  add_for_suites ("answer-under-way", test_answer_under_way);
  add_for_suites ("roc", test_roc);
  add_for_suites ("late-joiner", test_late_joiner);
  add_for_suites ("hostile", test_hostile);
  g_test_add_func ("/srtp/old-key-packet-limit", test_old_key_packet_limit);
  g_test_add_func ("/srtp/offer-withdrawn", test_offer_withdrawn);
  g_test_add_func ("/srtp/same-send-key", test_same_send_key);
  g_test_add_func ("/srtp/reordering", test_reordering);
  g_test_add_func ("/srtp/many-sources", test_many_sources);
  g_test_add_func ("/srtp/streams", test_streams);
  return g_test_run ();
}
