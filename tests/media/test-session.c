/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "session-pair.h"

static MediaEngine *engine;

static gboolean
nothing_retires (gpointer data)
{
  return media_engine_get_retiring (engine) == 0;
}

static void
test_clear_opus (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport report;

  pair_init (&pair, engine, "clear", "127.30.1.1", "127.30.1.2");
  g_assert_false (media_ops.media_report (pair.alice.media, &report));
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 3000);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 500), >, 0.8);
  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 500), >, 0.8);
  g_assert_cmpuint (pair.alice.first_rtp, ==, 1);
  g_assert_cmpuint (pair.bob.first_rtp, ==, 1);
  g_assert_cmpuint (pair.alice.failures + pair.bob.failures, ==, 0);
  g_assert_true (media_ops.media_report (pair.alice.media, &report));
  g_test_message ("sent %lu received %lu lost %ld jitter %.2f mos %.2f bitrate %u target %.0f delay %.0f rtt %.2f", report.packets_sent,
                  report.packets_received, report.packets_lost, report.jitter_local, report.mos, report.bitrate, report.playout_target,
                  report.playout_delay, report.round_trip);
  pair_clear (&pair);
  pair_wait (nothing_retires, NULL, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_autoptr (PhoneDaemonSettings) settings = pair_settings ();
  g_autoptr (GError) error = NULL;
  engine = media_engine_new (settings, &error);
  g_assert_no_error (error);
  g_test_add_func ("/session/clear-opus", test_clear_opus);
  int result = g_test_run ();
  g_clear_pointer (&engine, media_engine_free);
  return result;
}
