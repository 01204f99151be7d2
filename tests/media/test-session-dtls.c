/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sessions whose keys come out of a DTLS handshake on the way that the media takes. */

#include "media/media-session.h"
#include "session-pair.h"

#include <math.h>
#include <string.h>

#define HEARD 0.9               /* PCMA; see test-session.c */

static MediaEngine *engine;

static gboolean
nothing_retires (gpointer data)
{
  return media_engine_get_retiring (engine) == 0;
}

static gboolean
both_heard_rtp (gpointer data)
{
  Pair *pair = data;
  return pair->alice.first_rtp > 0 && pair->bob.first_rtp > 0;
}

/* RTCP went both ways. */
static gboolean
knows_round_trip (gpointer data)
{
  PhoneMediaReport report;
  return media_ops.media_report (((Side *) data)->media, &report) && !isnan (report.round_trip);
}

static void
begin (Pair *pair, const char *name, PairOptions *options, guint suites)
{
  options->codec = PHONE_CODEC_PCMA;
  pair_init (pair, engine, name, "127.63.2.1", "127.63.2.2");
  media_session_set_dtls_suites (pair->alice.media, suites);
}

/* Every suite, RTCP multiplexed and with a handshake of its own. */
static void
test_suites (void)
{
  static const PhoneSrtpSuite suites[] = { PHONE_SRTP_AEAD_AES_256_GCM, PHONE_SRTP_AEAD_AES_128_GCM, PHONE_SRTP_AES_CM_128_HMAC_SHA1_80 };
  Pair pairs[2 * G_N_ELEMENTS (suites)];

  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *name = g_strdup_printf ("dtls-%u", i);
      PairOptions options = PAIR_DEFAULTS;

      options.association = 1;
      options.mux = i % 2 == 0;
      begin (&pairs[i], name, &options, 1u << suites[i / 2]);
      pair_apply (&pairs[i], &options);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pair_wait (both_heard_rtp, &pairs[i], 20);
  pair_run (&pairs[0].alice, 3000);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pair_wait (knows_round_trip, &pairs[i].alice, 30);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      PhoneMediaReport report;

      g_test_message ("pair %u", i);
      g_assert_cmpuint (pairs[i].alice.secured, ==, 1);
      g_assert_cmpuint (pairs[i].bob.secured, ==, 1);
      g_assert_cmpint (pairs[i].alice.suite, ==, suites[i / 2]);
      g_assert_cmpint (pairs[i].bob.suite, ==, suites[i / 2]);
      g_assert_cmpfloat (pair_heard (&pairs[i].bob, &pairs[i].alice, 1000), >, HEARD);
      g_assert_cmpfloat (pair_heard (&pairs[i].alice, &pairs[i].bob, 1000), >, HEARD);
      g_assert_true (media_ops.media_report (pairs[i].alice.media, &report));
      g_assert_cmpuint (report.auth_failures + report.replayed, ==, 0);
      g_assert_cmpuint (pairs[i].alice.failures + pairs[i].bob.failures, ==, 0);
      pair_clear (&pairs[i]);
    }
  pair_wait (nothing_retires, NULL, 10);
}

static gboolean
alice_failed (gpointer data)
{
  return ((Pair *) data)->alice.failures > 0;
}

/* Not the certificate that the SDP said: nothing is heard, and the call is told why. */
static void
test_impostor (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaPlan *plan;

  options.association = 1;
  begin (&pair, "impostor", &options, 0);
  side_apply (&pair.bob, side_plan (&pair.alice, &options, TRUE));
  plan = side_plan (&pair.bob, &options, FALSE);
  plan->handshake.fingerprints[0].octets[7] ^= 1;
  side_apply (&pair.alice, plan);
  pair_wait (alice_failed, &pair, 20);
  g_assert_cmpstr (pair.alice.why, ==,
                   "the DTLS handshake failed: the peer's certificate does not have the fingerprint that its SDP says");
  g_assert_cmpuint (pair.alice.secured + pair.alice.first_rtp + pair.bob.first_rtp, ==, 0);
  pair_clear (&pair);
  pair_wait (nothing_retires, NULL, 10);
}

static gboolean
both_secured_again (gpointer data)
{
  Pair *pair = data;
  return pair->alice.secured == 2 && pair->bob.secured == 2;
}

/* Another association in the middle of a call: the words go on. The plan as it was changes nothing. */
static void
test_again (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport report;

  options.association = 1;
  begin (&pair, "again", &options, 0);
  pair_apply (&pair, &options);
  pair_wait (both_heard_rtp, &pair, 20);
  options.ptime = 40;
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 500);
  g_assert_cmpuint (pair.alice.secured, ==, 1);
  pair_restart_recording (&pair);
  options.association = 2;
  pair_apply (&pair, &options);
  pair_wait (both_secured_again, &pair, 20);
  pair_run (&pair.alice, 2500);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 0), >, HEARD);
  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 0), >, HEARD);
  g_assert_true (media_ops.media_report (pair.alice.media, &report));
  g_assert_cmpuint (report.key_changes, >, 0);
  g_assert_cmpuint (pair.alice.failures + pair.bob.failures, ==, 0);

  /* And from there to keys of SDES. */
  options.association = 0;
  options.suite = PHONE_SRTP_AEAD_AES_128_GCM;
  pair_restart_recording (&pair);
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 2500);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 500), >, HEARD);
  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 500), >, HEARD);
  pair_clear (&pair);
  pair_wait (nothing_retires, NULL, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* On a machine that is loaded enough the watchdog of teardown warns; that is not what is tested. */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  g_autoptr (PhoneDaemonSettings) settings = pair_settings ();
  g_autoptr (GError) error = NULL;
  engine = media_engine_new (settings, &error);
  g_assert_no_error (error);
  g_test_add_func ("/session-dtls/suites", test_suites);
  g_test_add_func ("/session-dtls/impostor", test_impostor);
  g_test_add_func ("/session-dtls/again", test_again);
  int result = g_test_run ();
  g_clear_pointer (&engine, media_engine_free);
  return result;
}
