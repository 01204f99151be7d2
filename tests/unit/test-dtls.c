/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* DTLS handshakes of two phones, with what lies between them in the hands of the test: loss, strangers, forgers, floods. */

#include "media/media-handshake.h"
#include "media/media-srtp.h"

#include <arpa/inet.h>
#include <string.h>

#define SECOND G_USEC_PER_SEC

typedef struct
{
  MediaCertificate *certificate;
  MediaHandshake *handshake;
  MediaAddress address[2];
  MediaHandshakeEvent event;            /* the last one that is no KEYS */
  guint n_keys;
  PhoneSrtpKey send[2], receive[2];
} Side;

static MediaAddress
address (guint host, guint16 port)
{
  MediaAddress a = { 0 };

  a.v4.sin_family = AF_INET;
  a.v4.sin_addr.s_addr = htonl (0x7f000000 + host);
  a.v4.sin_port = htons (port);
  return a;
}

static void
side_init (Side *side, guint host)
{
  g_autoptr (GError) error = NULL;

  *side = (Side) { .address = { address (host, 4000), address (host, 4001) } };
  side->certificate = media_certificate_new (&error);
  g_assert_no_error (error);
}

static void
side_begin (Side *side, gboolean client, const PhoneFingerprint *fingerprint, guint suites, guint n_components)
{
  g_autoptr (GError) error = NULL;
  MediaHandshakeParams params = { .dtls = { .certificate = side->certificate, .client = client, .n_fingerprints = 1,
                                            .fingerprints = fingerprint, .suites = suites },
                                  .n_components = n_components };

  media_handshake_free (side->handshake);
  side->handshake = media_handshake_new (&params, &error);
  g_assert_no_error (error);
}

static void
side_clear (Side *side)
{
  media_handshake_free (side->handshake);
  media_certificate_free (side->certificate);
}

static void
take_events (Side *side)
{
  MediaHandshakeEvent event;

  while (media_handshake_take_event (side->handshake, &event) != MEDIA_HANDSHAKE_NOTHING)
    if (event.type == MEDIA_HANDSHAKE_KEYS)
      {
        side->n_keys++;
        side->send[event.component] = event.send;
        side->receive[event.component] = event.receive;
        media_handshake_event_clear (&event);
      }
    else
      side->event = event;
}

/* What `from` has to say reaches `to`, except what `lose` per cent takes away. TRUE: there was something. */
static gboolean
carry (Side *from, Side *to, guint lose, gint64 now)
{
  MediaAddress where;
  GBytes *datagram;
  guint component;
  gboolean any = FALSE;

  while (media_handshake_take_output (from->handshake, &component, &where, &datagram))
    {
      gsize length;
      const guint8 *data = g_bytes_get_data (datagram, &length);

      any = TRUE;
      g_assert_cmpuint (length, <=, MEDIA_DTLS_MTU);
      g_assert_true (media_address_equal (&where, &to->address[component]));
      if ((guint) g_test_rand_int_range (0, 100) >= lose)
        media_handshake_receive (to->handshake, component, &from->address[component], data, length, now);
      g_bytes_unref (datagram);
    }
  take_events (from);
  take_events (to);
  return any;
}

static void
ready (Side *a, Side *b, gint64 now)
{
  for (guint i = 0; i < 2; i++)
    {
      media_handshake_set_ready (a->handshake, i, &b->address[i], now);
      media_handshake_set_ready (b->handshake, i, &a->address[i], now);
    }
}

static void
talk (Side *a, Side *b, gint64 now)
{
  for (gboolean any = TRUE; any;)
    {
      any = carry (a, b, 0, now);
      any = carry (b, a, 0, now) || any;
    }
}

static void
assert_agreed (Side *a, Side *b, PhoneSrtpSuite suite, guint n)
{
  g_assert_cmpuint (a->n_keys, ==, n);
  g_assert_cmpuint (b->n_keys, ==, n);
  for (guint i = 0; i < n; i++)
    {
      g_assert_cmpint (a->send[i].suite, ==, suite);
      g_assert_true (phone_srtp_key_same (&a->send[i], &b->receive[i]));
      g_assert_true (phone_srtp_key_same (&a->receive[i], &b->send[i]));
      g_assert_false (phone_srtp_key_same (&a->send[i], &a->receive[i]));
    }
}

/* Every suite, every hash; the keys carry a packet. */
static void
test_suites (void)
{
  static const PhoneSrtpSuite suites[] = { PHONE_SRTP_AEAD_AES_256_GCM, PHONE_SRTP_AEAD_AES_128_GCM, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80 };

  for (guint i = 0; i < G_N_ELEMENTS (suites) * phone_hash_n_values; i++)
    {
      PhoneSrtpSuite suite = suites[i % G_N_ELEMENTS (suites)];
      PhoneHash hash = (PhoneHash) (i / G_N_ELEMENTS (suites));
      PhoneFingerprint of_a, of_b;
      g_autoptr (MediaSrtp) out = media_srtp_new (), in = media_srtp_new ();
      guint32 storage[64] = { 0 };
      guint8 *packet = (guint8 *) storage;
      gsize length = 12 + 20;
      Side a, b;

      side_init (&a, 1);
      side_init (&b, 2);
      g_assert_true (media_certificate_fingerprint (a.certificate->certificate, hash, &of_a));
      g_assert_true (media_certificate_fingerprint (b.certificate->certificate, hash, &of_b));
      /* The one that has the choice takes the best that the other has. */
      side_begin (&a, TRUE, &of_b, 1u << suite, 1);
      side_begin (&b, FALSE, &of_a, i % 2 == 0 ? 0 : 1u << suite, 1);
      ready (&a, &b, SECOND);
      talk (&a, &b, SECOND);
      assert_agreed (&a, &b, suite, 1);

      memcpy (packet, "\200\010\000\001\000\000\000\001\000\000\000\007voice voice voice vo", length);
      g_assert_true (media_srtp_set_send_key (out, &a.send[0], TRUE, NULL));
      g_assert_true (media_srtp_set_receive_key (in, &b.receive[0], NULL));
      g_assert_cmpint (media_srtp_protect_rtp (out, packet, &length, sizeof storage), ==, MEDIA_SRTP_OK);
      g_assert_cmpint (media_srtp_unprotect_rtp (in, packet, &length, SECOND), ==, MEDIA_SRTP_OK);
      g_assert_cmpmem (packet + 12, length - 12, "voice voice voice vo", 20);
      side_clear (&a);
      side_clear (&b);
    }
}

static void
test_strongest (void)
{
  Side a, b;

  side_init (&a, 1);
  side_init (&b, 2);
  /* RTCP by itself: two associations with keys of their own. */
  side_begin (&a, TRUE, &b.certificate->fingerprint, 0, 2);
  side_begin (&b, FALSE, &a.certificate->fingerprint, 0, 2);
  ready (&a, &b, SECOND);
  talk (&a, &b, SECOND);
  assert_agreed (&a, &b, PHONE_SRTP_AEAD_AES_256_GCM, 2);
  g_assert_false (phone_srtp_key_same (&a.send[0], &a.send[1]));
  g_assert_cmpint (media_handshake_next (a.handshake, SECOND), ==, G_MAXINT64);

  /* Nothing in common. */
  a.n_keys = b.n_keys = 0;
  side_begin (&a, TRUE, &b.certificate->fingerprint, 1u << PHONE_SRTP_AEAD_AES_256_GCM, 1);
  side_begin (&b, FALSE, &a.certificate->fingerprint, 1u << PHONE_SRTP_AEAD_AES_128_GCM, 1);
  ready (&a, &b, SECOND);
  talk (&a, &b, SECOND);
  g_assert_cmpuint (a.n_keys + b.n_keys, ==, 0);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_FAILED);
  g_assert_nonnull (strstr (a.event.reason, "no SRTP suite in common"));
  side_clear (&a);
  side_clear (&b);
}

/* Whoever shows another certificate than the SDP says gets no key, whichever end he is. */
static void
test_impostor (void)
{
  for (guint victim_is_client = 0; victim_is_client < 2; victim_is_client++)
    {
      Side victim, impostor, meant;

      side_init (&victim, 1);
      side_init (&impostor, 2);
      side_init (&meant, 3);
      side_begin (&victim, victim_is_client, &meant.certificate->fingerprint, 0, 1);
      side_begin (&impostor, !victim_is_client, &victim.certificate->fingerprint, 0, 1);
      ready (&victim, &impostor, SECOND);
      talk (&victim, &impostor, SECOND);
      g_assert_cmpuint (victim.n_keys, ==, 0);
      g_assert_cmpint (victim.event.type, ==, MEDIA_HANDSHAKE_FAILED);
      g_assert_nonnull (strstr (victim.event.reason, "fingerprint"));
      /* And the other one is told: at once if the alert could be authenticated, else when it has not been contradicted. */
      media_handshake_tick (impostor.handshake, 4 * SECOND);
      take_events (&impostor);
      if (victim_is_client)
        {
          g_assert_cmpuint (impostor.n_keys, ==, 0);
          g_assert_cmpint (impostor.event.type, ==, MEDIA_HANDSHAKE_FAILED);
          g_assert_nonnull (strstr (impostor.event.reason, "alert"));
        }
      side_clear (&victim);
      side_clear (&impostor);
      side_clear (&meant);
    }
}

/* A third of all datagrams is lost, on the real clock of the retransmissions. */
static void
test_loss (void)
{
  Side a, b;
  gint64 begin = g_get_monotonic_time ();

  side_init (&a, 1);
  side_init (&b, 2);
  side_begin (&a, TRUE, &b.certificate->fingerprint, 0, 2);
  side_begin (&b, FALSE, &a.certificate->fingerprint, 0, 2);
  ready (&a, &b, begin);
  for (gint64 now = begin; a.n_keys < 2 || b.n_keys < 2; now = g_get_monotonic_time ())
    {
      g_assert_cmpint (now - begin, <, 60 * SECOND);
      media_handshake_tick (a.handshake, now);
      media_handshake_tick (b.handshake, now);
      if (!(carry (&a, &b, 33, now) | carry (&b, &a, 33, now)))
        {
          gint64 next = MIN (media_handshake_next (a.handshake, now), media_handshake_next (b.handshake, now));
          g_usleep ((gulong) CLAMP (next - now, 1000, 100 * 1000));
        }
    }
  assert_agreed (&a, &b, PHONE_SRTP_AEAD_AES_256_GCM, 2);
  side_clear (&a);
  side_clear (&b);
}

static void
test_silence (void)
{
  Side a, b;

  side_init (&a, 1);
  side_init (&b, 2);
  side_begin (&a, FALSE, &b.certificate->fingerprint, 0, 1);
  g_assert_cmpint (media_handshake_next (a.handshake, SECOND), ==, G_MAXINT64);  /* patience begins with a way to the peer */
  media_handshake_set_ready (a.handshake, 0, &b.address[0], SECOND);
  g_assert_cmpint (media_handshake_next (a.handshake, SECOND), ==, SECOND + MEDIA_HANDSHAKE_PATIENCE);
  media_handshake_tick (a.handshake, MEDIA_HANDSHAKE_PATIENCE);
  take_events (&a);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_NOTHING);
  media_handshake_tick (a.handshake, SECOND + MEDIA_HANDSHAKE_PATIENCE);
  take_events (&a);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_SILENT);
  g_assert_cmpstr (a.event.reason, ==, "no DTLS handshake within 30 s");

  /* It is still there for a peer that comes late. */
  side_begin (&b, TRUE, &a.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (b.handshake, 0, &a.address[0], 40 * SECOND);
  talk (&a, &b, 40 * SECOND);
  assert_agreed (&a, &b, PHONE_SRTP_AEAD_AES_256_GCM, 1);
  side_clear (&a);
  side_clear (&b);
}

/* The peer is not where its SDP says (NAT), and somebody else tries it too. */
static void
test_strangers (void)
{
  Side server, peer, stranger;
  MediaAddress named = address (9, 9999);
  MediaHandshakeStats stats;

  side_init (&server, 1);
  side_init (&peer, 2);
  side_init (&stranger, 3);
  side_begin (&server, FALSE, &peer.certificate->fingerprint, 0, 1);
  side_begin (&stranger, TRUE, &server.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (server.handshake, 0, &named, SECOND);
  media_handshake_set_ready (stranger.handshake, 0, &server.address[0], SECOND);
  talk (&server, &stranger, SECOND);
  g_assert_cmpuint (server.n_keys, ==, 0);
  g_assert_cmpint (server.event.type, ==, MEDIA_HANDSHAKE_NOTHING);     /* it costs an attempt and no more */

  /* One who begins and stops holds the place for a while only. */
  side_begin (&stranger, TRUE, &server.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (stranger.handshake, 0, &server.address[0], 2 * SECOND);
  carry (&stranger, &server, 0, 2 * SECOND);
  side_begin (&peer, TRUE, &server.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (peer.handshake, 0, &server.address[0], 3 * SECOND);
  carry (&peer, &server, 0, 3 * SECOND);
  media_handshake_get_stats (server.handshake, &stats);
  g_assert_cmpuint (stats.filtered, ==, 1);
  side_begin (&peer, TRUE, &server.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (peer.handshake, 0, &server.address[0], 6 * SECOND);
  for (GBytes *late; ;)
    {
      guint component;
      MediaAddress to;
      if (!media_handshake_take_output (server.handshake, &component, &to, &late))
        break;
      g_bytes_unref (late);             /* what it says to the stranger */
    }
  talk (&peer, &server, 6 * SECOND);
  assert_agreed (&server, &peer, PHONE_SRTP_AEAD_AES_256_GCM, 1);

  /* The address of the SDP takes the place from a stranger at once. */
  server.n_keys = peer.n_keys = 0;
  side_begin (&server, FALSE, &peer.certificate->fingerprint, 0, 1);
  side_begin (&stranger, TRUE, &server.certificate->fingerprint, 0, 1);
  side_begin (&peer, TRUE, &server.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (server.handshake, 0, &peer.address[0], 7 * SECOND);
  media_handshake_set_ready (stranger.handshake, 0, &server.address[0], 7 * SECOND);
  media_handshake_set_ready (peer.handshake, 0, &server.address[0], 7 * SECOND);
  carry (&stranger, &server, 0, 7 * SECOND);
  carry (&peer, &server, 0, 7 * SECOND);
  talk (&server, &peer, 7 * SECOND);
  assert_agreed (&server, &peer, PHONE_SRTP_AEAD_AES_256_GCM, 1);
  side_clear (&server);
  side_clear (&peer);
  side_clear (&stranger);
}

/* Garbage, forged alerts and records between the steps of a handshake, from the peer's own address. */
static void
test_forgers (void)
{
  static const guint8 alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
  Side sides[2];
  guint8 junk[1500];

  side_init (&sides[0], 1);
  side_init (&sides[1], 2);
  side_begin (&sides[0], TRUE, &sides[1].certificate->fingerprint, 0, 1);
  side_begin (&sides[1], FALSE, &sides[0].certificate->fingerprint, 0, 1);
  ready (&sides[0], &sides[1], SECOND);
  for (guint step = 0; step < 8; step++)
    {
      for (guint side = 0; side < 2; side++)
        for (guint i = 0; i < 20; i++)
          {
            gsize length = (gsize) g_test_rand_int_range (1, sizeof junk);

            for (gsize j = 0; j < length; j++)
              junk[j] = (guint8) g_test_rand_int_range (0, 256);
            junk[0] = (guint8) g_test_rand_int_range (20, 64);
            media_handshake_receive (sides[side].handshake, 0, &sides[!side].address[0], junk, length, SECOND);
            media_handshake_receive (sides[side].handshake, 0, &sides[!side].address[0], alert, sizeof alert, SECOND);
          }
      carry (&sides[step % 2], &sides[!(step % 2)], 0, (step + 1) * SECOND);
    }
  assert_agreed (&sides[0], &sides[1], PHONE_SRTP_AEAD_AES_256_GCM, 1);

  /* A flood costs what the budget allows, and the connected stay so. */
  MediaHandshakeStats stats;
  for (guint i = 0; i < 5000; i++)
    media_handshake_receive (sides[0].handshake, 0, &sides[1].address[0], alert, sizeof alert, 20 * SECOND);
  media_handshake_get_stats (sides[0].handshake, &stats);
  g_assert_cmpuint (stats.filtered, >=, 4800);
  media_handshake_tick (sides[0].handshake, 90 * SECOND);
  take_events (&sides[0]);
  g_assert_cmpint (sides[0].event.type, ==, MEDIA_HANDSHAKE_NOTHING);
  side_clear (&sides[0]);
  side_clear (&sides[1]);
}

/* An alert that nobody contradicts is the peer's. */
static void
test_alert (void)
{
  static const guint8 alert[] = { 21, 0xfe, 0xfd, 0, 0, 0, 0, 0, 0, 0, 9, 0, 2, 2, 40 };
  Side a, b;

  side_init (&a, 1);
  side_init (&b, 2);
  side_begin (&a, TRUE, &b.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (a.handshake, 0, &b.address[0], SECOND);
  media_handshake_receive (a.handshake, 0, &b.address[1], alert, sizeof alert, SECOND);         /* from elsewhere */
  media_handshake_tick (a.handshake, 5 * SECOND);
  take_events (&a);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_NOTHING);
  media_handshake_receive (a.handshake, 0, &b.address[0], alert, sizeof alert, 5 * SECOND);
  media_handshake_tick (a.handshake, 6 * SECOND);
  take_events (&a);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_NOTHING);
  media_handshake_tick (a.handshake, 7 * SECOND);
  take_events (&a);
  g_assert_cmpint (a.event.type, ==, MEDIA_HANDSHAKE_FAILED);
  g_assert_cmpstr (a.event.reason, ==, "the DTLS handshake failed: the peer refuses with the alert “handshake failure”");
  side_clear (&a);
  side_clear (&b);
}

/* What was recorded of one call is of no use in another, nor twice in the same. */
static void
test_replay (void)
{
  Side a, b;
  g_autoptr (GPtrArray) recorded = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);

  side_init (&a, 1);
  side_init (&b, 2);
  side_begin (&a, TRUE, &b.certificate->fingerprint, 0, 1);
  side_begin (&b, FALSE, &a.certificate->fingerprint, 0, 1);
  ready (&a, &b, SECOND);
  for (guint step = 0; step < 4; step++)
    {
      guint component;
      MediaAddress to;
      GBytes *datagram;

      while (media_handshake_take_output (a.handshake, &component, &to, &datagram))
        {
          g_ptr_array_add (recorded, datagram);
          media_handshake_receive (b.handshake, 0, &a.address[0], g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram), SECOND);
        }
      take_events (&b);
      carry (&b, &a, 0, SECOND);
    }
  assert_agreed (&a, &b, PHONE_SRTP_AEAD_AES_256_GCM, 1);
  g_assert_cmpuint (recorded->len, >=, 2);
  for (guint i = 0; i < recorded->len; i++)
    media_handshake_receive (b.handshake, 0, &a.address[0], g_bytes_get_data (recorded->pdata[i], NULL),
                             g_bytes_get_size (recorded->pdata[i]), 2 * SECOND);
  take_events (&b);
  g_assert_cmpuint (b.n_keys, ==, 1);
  g_assert_cmpint (b.event.type, ==, MEDIA_HANDSHAKE_NOTHING);

  b.n_keys = 0;
  side_begin (&b, FALSE, &a.certificate->fingerprint, 0, 1);
  media_handshake_set_ready (b.handshake, 0, &a.address[0], 3 * SECOND);
  for (guint i = 0; i < recorded->len; i++)
    media_handshake_receive (b.handshake, 0, &a.address[0], g_bytes_get_data (recorded->pdata[i], NULL),
                             g_bytes_get_size (recorded->pdata[i]), 3 * SECOND);
  take_events (&b);
  g_assert_cmpuint (b.n_keys, ==, 0);
  side_clear (&a);
  side_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dtls/suites", test_suites);
  g_test_add_func ("/dtls/strongest", test_strongest);
  g_test_add_func ("/dtls/impostor", test_impostor);
  g_test_add_func ("/dtls/loss", test_loss);
  g_test_add_func ("/dtls/silence", test_silence);
  g_test_add_func ("/dtls/strangers", test_strangers);
  g_test_add_func ("/dtls/forgers", test_forgers);
  g_test_add_func ("/dtls/alert", test_alert);
  g_test_add_func ("/dtls/replay", test_replay);
  return g_test_run ();
}
