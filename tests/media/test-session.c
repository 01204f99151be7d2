/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>

#include "media/media-session.h"
#include "session-pair.h"

static MediaEngine *engine;

/* What a codec leaves of the correlation on a clean line; far below what is measured, far above what noise gives. */
static double
good (PhoneCodecId codec)
{
  switch (codec)
    {
    case PHONE_CODEC_OPUS: return 0.5;
    case PHONE_CODEC_G722:
    case PHONE_CODEC_PCMU:
    case PHONE_CODEC_PCMA: return 0.9;
    }
  g_assert_not_reached ();
}

static gboolean
nothing_retires (gpointer data)
{
  return media_engine_get_retiring (engine) == 0;
}

static void
finish (Pair *pair)
{
  g_assert_cmpuint (pair->alice.failures + pair->bob.failures, ==, 0);
  pair_clear (pair);
  pair_wait (nothing_retires, NULL, 10);
}

static void
describe (const Side *side)
{
  PhoneMediaReport r;
  if (media_ops.media_report (side->media, &r))
    g_test_message ("%s: sent %" G_GUINT64_FORMAT ", received %" G_GUINT64_FORMAT ", lost %" G_GINT64_FORMAT ", late %" G_GUINT64_FORMAT
                    ", refused %" G_GUINT64_FORMAT "+%" G_GUINT64_FORMAT ", concealed %.3f, target %.1f ms, delay %.1f ms, levels %.0f %.0f",
                    side->name, r.packets_sent, r.packets_received, r.packets_lost, r.late_packets, r.auth_failures, r.replayed,
                    r.concealed, r.playout_target, r.playout_delay, r.level_in, r.level_out);
}

static void
assert_both_hear (Pair *pair, guint skip)
{
  double wanted = good (pair->options.codec);
  describe (&pair->alice);
  describe (&pair->bob);
  g_assert_cmpfloat (pair_heard (&pair->bob, &pair->alice, skip), >, wanted);
  g_assert_cmpfloat (pair_heard (&pair->alice, &pair->bob, skip), >, wanted);
}

/* One suite with every codec. */
static void
test_suite (gconstpointer data)
{
  int suite = GPOINTER_TO_INT (data);
  Pair pairs[phone_codec_id_n_values];

  for (guint codec = 0; codec < phone_codec_id_n_values; codec++)
    {
      g_autofree char *name = g_strdup_printf ("%d-%u", suite, codec);
      PairOptions options = PAIR_DEFAULTS;
      options.codec = codec;
      options.suite = suite;
      options.mux = codec % 2;
      pair_init (&pairs[codec], engine, name, "127.30.2.1", "127.30.2.2");
      pair_apply (&pairs[codec], &options);
    }
  pair_run (&pairs[0].alice, 2500);
  for (guint i = 0; i < phone_codec_id_n_values; i++)
    {
      PhoneMediaReport report;
      assert_both_hear (&pairs[i], 500);
      g_assert_cmpuint (pairs[i].alice.first_rtp, ==, 1);
      g_assert_cmpuint (pairs[i].bob.first_rtp, ==, 1);
      g_assert_true (media_ops.media_report (pairs[i].alice.media, &report));
      g_assert_cmpstr (report.codec, ==, phone_codec_id_to_string (pairs[i].options.codec));
      g_assert_cmpuint (report.auth_failures + report.replayed + report.key_changes, ==, 0);
      g_assert_cmpuint (report.packets_sent, >, 80);
      g_assert_cmpuint (report.packets_received, >, 80);
      g_assert_cmpint (report.packets_lost, <=, 0);
    }
  for (guint i = 0; i < phone_codec_id_n_values; i++)
    finish (&pairs[i]);
}

static void
test_ptime (void)
{
  static const guint ptimes[] = { 10, 20, 40, 60 };
  Pair pairs[G_N_ELEMENTS (ptimes) * 2];
  guint n = 0;

  for (guint i = 0; i < G_N_ELEMENTS (ptimes); i++)
    for (guint codec = PHONE_CODEC_OPUS; codec <= PHONE_CODEC_G722; codec++, n++)
      {
        g_autofree char *name = g_strdup_printf ("ptime-%u-%u", ptimes[i], codec);
        PairOptions options = PAIR_DEFAULTS;
        options.codec = codec;
        options.ptime = ptimes[i];
        pair_init (&pairs[n], engine, name, "127.30.2.1", "127.30.2.2");
        pair_apply (&pairs[n], &options);
      }
  pair_run (&pairs[n - 1].alice, 2500);
  for (guint i = 0; i < n; i++)
    {
      assert_both_hear (&pairs[i], 500);
      pair_clear (&pairs[i]);
    }
  pair_wait (nothing_retires, NULL, 10);
}

static void
test_ipv6 (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;

  options.suite = PHONE_SRTP_AEAD_AES_256_GCM;
  options.mux = FALSE;
  pair_init (&pair, engine, "ipv6", "::1", "::1");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 2500);
  assert_both_hear (&pair, 500);
  finish (&pair);
}

/* A new key every 300 ms, the sides change at different times: nothing is concealed for it. */
static void
test_rekey (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport alice, bob;

  options.suite = PHONE_SRTP_AEAD_AES_256_GCM;
  options.codec = PHONE_CODEC_PCMU;     /* no memory over lost packets: a gap is a gap */
  pair_init (&pair, engine, "rekey", "127.30.3.1", "127.30.3.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 1000);
  pair_restart_recording (&pair);
  for (guint i = 0; i < 8; i++)
    {
      options.key++;
      options.suite = i % phone_srtp_suite_n_values;
      side_apply (&pair.alice, side_plan (&pair.bob, &options, FALSE));
      /* bob has not got our answer yet: he still sends with the old key and hears us with the new one not yet */
      side_apply (&pair.bob, side_plan (&pair.alice, &options, TRUE));
      pair_run (&pair.alice, 300);
    }
  assert_both_hear (&pair, 0);
  g_assert_true (media_ops.media_report (pair.alice.media, &alice));
  g_assert_true (media_ops.media_report (pair.bob.media, &bob));
  g_assert_cmpuint (alice.key_changes, ==, 16);
  g_assert_cmpuint (bob.key_changes, ==, 16);
  g_assert_cmpint (alice.packets_lost, <=, 0);
  /* Bob learned of each key a moment later than alice used it: at most one packet each time. */
  g_assert_cmpuint (bob.auth_failures + alice.auth_failures, <=, 8);
  finish (&pair);
}

/* The receiver knows the next key before anybody sends with it, as an offerer does: not a packet is lost. */
static void
test_rekey_gapless (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport alice, bob;

  options.suite = PHONE_SRTP_AES_CM_128_HMAC_SHA1_80;
  options.codec = PHONE_CODEC_PCMA;
  pair_init (&pair, engine, "gapless", "127.30.3.1", "127.30.3.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 1000);
  g_assert_true (media_ops.media_report (pair.bob.media, &bob));
  double concealed = bob.concealed;
  for (guint i = 0; i < 5; i++)
    {
      PairOptions next = options;
      next.key++;
      /* 1: both may receive the new keys; 2: both send with them. */
      PhoneMediaPlan *a = side_plan (&pair.bob, &next, FALSE), *b = side_plan (&pair.alice, &next, TRUE);
      a->send_key = pair.alice.plan->send_key;
      b->send_key = pair.bob.plan->send_key;
      side_apply (&pair.alice, a);
      side_apply (&pair.bob, b);
      pair_run (&pair.alice, 100);
      options = next;
      pair_apply (&pair, &options);
      pair_run (&pair.alice, 200);
    }
  g_assert_true (media_ops.media_report (pair.alice.media, &alice));
  g_assert_true (media_ops.media_report (pair.bob.media, &bob));
  g_assert_cmpuint (alice.auth_failures + bob.auth_failures, ==, 0);
  g_assert_cmpint (alice.packets_lost, <=, 0);
  g_assert_cmpint (bob.packets_lost, <=, 0);
  g_assert_cmpuint (alice.key_changes, ==, 10);
  g_assert_cmpfloat (bob.concealed, <=, concealed + 0.02);
  finish (&pair);
}

static void
test_codec_switch (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  static const PhoneCodecId order[] = { PHONE_CODEC_PCMU, PHONE_CODEC_G722, PHONE_CODEC_OPUS, PHONE_CODEC_PCMA, PHONE_CODEC_OPUS };

  options.suite = PHONE_SRTP_AES_256_CM_HMAC_SHA1_80;
  pair_init (&pair, engine, "switch", "127.30.4.1", "127.30.4.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 500);
  for (guint i = 0; i < G_N_ELEMENTS (order); i++)
    {
      PhoneMediaReport report;
      options.codec = order[i];
      pair_apply (&pair, &options);
      pair_restart_recording (&pair);
      pair_run (&pair.alice, 2500);
      assert_both_hear (&pair, 500);
      g_assert_true (media_ops.media_report (pair.bob.media, &report));
      g_assert_cmpstr (report.codec, ==, phone_codec_id_to_string (order[i]));
      g_assert_cmpuint (report.auth_failures, ==, 0);
    }
  finish (&pair);
}

static void
test_hold (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport before, during;

  options.suite = PHONE_SRTP_AEAD_AES_128_GCM;
  pair_init (&pair, engine, "hold", "127.30.5.1", "127.30.5.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 1000);

  /* Alice holds: she sends (music), and does not listen. */
  options.receive = FALSE;
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 300);
  pair_restart_recording (&pair);
  g_assert_true (media_ops.media_report (pair.bob.media, &before));
  pair_run (&pair.alice, 2000);
  g_assert_true (media_ops.media_report (pair.bob.media, &during));
  g_assert_cmpuint (before.packets_sent, ==, during.packets_sent);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 0), >, 0.5);
  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 0), <, 0.2);

  /* Nobody sends; the hub does not tick them. */
  options.send = FALSE;
  pair_apply (&pair, &options);
  g_assert_false (fake_hub_is_running (pair.alice.name));
  g_assert_false (fake_hub_is_running (pair.bob.name));

  options.send = options.receive = TRUE;
  pair_apply (&pair, &options);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 2500);
  assert_both_hear (&pair, 500);
  g_assert_cmpuint (pair.alice.first_rtp, ==, 1);
  g_assert_cmpuint (pair.alice.timeouts + pair.bob.timeouts, ==, 0);
  finish (&pair);
}

/* Bob goes to another device (other ports and address), re-INVITEs, and is heard there. */
static void
test_address_change (void)
{
  Pair pair;
  Side elsewhere;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport report;

  options.suite = PHONE_SRTP_AEAD_AES_128_GCM;
  pair_init (&pair, engine, "move", "127.30.6.1", "127.30.6.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 1000);
  side_init (&elsewhere, engine, "move-elsewhere", "127.30.6.3");
  options.key = 7;
  side_apply (&elsewhere, side_plan (&pair.alice, &options, TRUE));
  side_apply (&pair.alice, side_plan (&elsewhere, &options, FALSE));
  fake_hub_clear (pair.alice.name);
  fake_hub_clear (elsewhere.name);
  pair_run (&pair.alice, 2500);
  g_assert_cmpfloat (pair_heard (&elsewhere, &pair.alice, 500), >, 0.5);
  g_assert_cmpfloat (pair_heard (&pair.alice, &elsewhere, 500), >, 0.5);
  g_autofree char *destination = media_session_get_destination (pair.alice.media);
  g_autofree char *wanted = g_strdup_printf ("127.30.6.3:%u", elsewhere.rtp_port);
  g_assert_cmpstr (destination, ==, wanted);
  /* The old bob still talks; his packets are neither played nor do they draw alice back. */
  g_assert_true (media_ops.media_report (pair.alice.media, &report));
  g_assert_cmpfloat (report.concealed, <, 0.05);
  side_clear (&elsewhere);
  finish (&pair);
}

/* What SDP says of bob is not where his packets come from: alice finds him. */
static void
test_nat (gconstpointer data)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;

  options.suite = GPOINTER_TO_INT (data);
  options.mux = FALSE;
  pair_init (&pair, engine, options.suite == PAIR_CLEAR ? "nat" : "nats", "127.30.7.1", "127.30.7.2");
  side_apply (&pair.bob, side_plan (&pair.alice, &options, TRUE));
  PhoneMediaPlan *plan = side_plan (&pair.bob, &options, FALSE);
  g_free (plan->remote_address);
  plan->remote_address = g_strdup ("127.30.7.99");
  plan->remote_port = 4000;
  plan->remote_rtcp_port = 4001;
  side_apply (&pair.alice, plan);
  pair.options = options;
  pair_run (&pair.alice, 500);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 2500);
  assert_both_hear (&pair, 0);
  finish (&pair);
}

static gboolean
has_round_trip (gpointer data)
{
  PhoneMediaReport report;
  return media_ops.media_report (((Side *) data)->media, &report) && !isnan (report.round_trip) && !isnan (report.loss_remote);
}

static guint
count_threads (const char *name)
{
  g_autoptr (GDir) tasks = g_dir_open ("/proc/self/task", 0, NULL);
  const char *task;
  guint n = 0;

  while ((task = g_dir_read_name (tasks)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/proc/self/task/%s/comm", task), *text = NULL;

      if (g_file_get_contents (path, &text, NULL, NULL))
        n += g_str_equal (g_strchomp (text), name);
    }
  return n;
}

/* Reports come, by either socket, and cost no thread: phoned(1) says how many a call has. */
static void
test_rtcp (gconstpointer data)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport report;

  options.mux = GPOINTER_TO_INT (data);
  options.suite = PHONE_SRTP_AES_CM_128_HMAC_SHA1_32;
  pair_init (&pair, engine, options.mux ? "mux" : "no-mux", "127.30.8.1", "127.30.8.2");
  pair_apply (&pair, &options);
  pair_wait (has_round_trip, &pair.alice, 30);
  pair_wait (has_round_trip, &pair.bob, 30);
  g_assert_cmpuint (count_threads ("media-io"), ==, 2);
  g_assert_cmpuint (count_threads ("media-ice") + count_threads ("rtpsession-rtcp"), ==, 0);
  g_assert_true (media_ops.media_report (pair.alice.media, &report));
  g_assert_cmpfloat (report.loss_remote, <, 0.05);
  g_assert_cmpfloat (report.round_trip, >=, 0);
  g_assert_cmpfloat (report.round_trip, <, 500);
  g_assert_cmpfloat (report.jitter_remote, >=, 0);
  g_assert_cmpfloat (report.mos, >, 3);
  g_assert_cmpuint (report.bitrate, >, 10000);
  g_assert_cmpuint (report.bitrate_target, ==, 28000);

  /* Live switch: the next report travels by the other socket. */
  options.mux = !options.mux;
  pair_apply (&pair, &options);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 3000);
  assert_both_hear (&pair, 0);
  finish (&pair);
}

static gboolean
has_digits (gpointer data)
{
  return g_str_equal (((Side *) data)->digits->str, "0123456789*#ABCD");
}

static void
test_dtmf (gconstpointer data)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  g_autoptr (GError) error = NULL;

  options.codec = GPOINTER_TO_UINT (data);
  options.suite = PHONE_SRTP_AEAD_AES_256_GCM;
  pair_init (&pair, engine, "dtmf", "127.30.9.1", "127.30.9.2");
  g_assert_false (media_ops.media_send_dtmf (pair.alice.media, "1", 100, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  g_clear_error (&error);
  pair_apply (&pair, &options);
  media_ops.media_send_dtmf (pair.alice.media, "0123456789*#ABCD", 60, &error);
  g_assert_no_error (error);
  pair_wait (has_digits, &pair.bob, 20);
  finish (&pair);
}

static void
test_mute (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;

  pair_init (&pair, engine, "mute", "127.30.9.1", "127.30.9.2");
  media_ops.media_set_muted (pair.alice.media, TRUE);           /* before there is anything to mute */
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 4000);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 500), <, 0.2);
  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 500), >, 0.5);
  media_ops.media_set_muted (pair.alice.media, FALSE);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 4000);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 500), >, 0.5);
  finish (&pair);
}

static void
test_refused_plans (void)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  g_autoptr (GError) error = NULL;

  options.suite = PHONE_SRTP_AEAD_AES_128_GCM;
  pair_init (&pair, engine, "refused", "127.30.10.1", "127.30.10.2");

  /* As the first plan, and again as a later one: the error names the address, what ran goes on. */
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (PhoneMediaPlan) bad = side_plan (&pair.bob, &options, FALSE);
      g_free (bad->remote_address);
      bad->remote_address = g_strdup ("2001:db8::1");
      bad->send.id = PHONE_CODEC_PCMU;
      bad->send_key.key[0] ^= 1;
      g_assert_false (media_ops.media_apply (pair.alice.media, bad, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
      g_assert_nonnull (strstr (error->message, "2001:db8::1"));
      g_clear_error (&error);
      if (i == 0)
        pair_apply (&pair, &options);
      pair_run (&pair.alice, 1000 * i);
    }
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 2000);
  assert_both_hear (&pair, 0);

  /* Port 0: no audio at all, and back. */
  g_autoptr (PhoneMediaPlan) none = side_plan (&pair.bob, &options, FALSE);
  none->refused = TRUE;
  g_assert_true (media_ops.media_apply (pair.alice.media, none, &error));
  PhoneMediaReport report;
  g_assert_false (media_ops.media_report (pair.alice.media, &report));
  g_assert_false (fake_hub_is_running (pair.alice.name));
  pair_apply (&pair, &options);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 2000);
  assert_both_hear (&pair, 500);
  finish (&pair);
}

static void
test_no_ports (void)
{
  g_autoptr (PhoneDaemonSettings) settings = pair_settings ();
  g_autoptr (GError) error = NULL;
  Side one;
  PhoneMediaParams params = { .call_id = "x", .bind_address = "127.30.11.1" };
  PhoneMediaEvents events = { 0 };

  settings->port_first = 22001;         /* room for one pair */
  settings->port_last = 22003;
  media_engine_set_settings (engine, settings);
  side_init (&one, engine, "one", "127.30.11.1");
  g_assert_cmpuint (one.rtp_port, ==, 22002);
  g_assert_cmpuint (one.rtcp_port, ==, 22003);
  g_assert_null (media_ops.media_new (engine, (PhoneCall *) (gpointer) &one, &params, &events, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  g_assert_nonnull (strstr (error->message, "22002-22003"));
  g_clear_error (&error);
  params.bind_address = "192.0.2.77";   /* not ours */
  g_assert_null (media_ops.media_new (engine, (PhoneCall *) (gpointer) &one, &params, &events, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED);
  side_clear (&one);
  pair_wait (nothing_retires, NULL, 10);
  g_autoptr (PhoneDaemonSettings) usual = pair_settings ();
  media_engine_set_settings (engine, usual);
}

static gboolean
has_timeout (gpointer data)
{
  return ((Side *) data)->timeouts > 0;
}

static void
test_timeout (void)
{
  g_autoptr (PhoneDaemonSettings) settings = pair_settings ();
  Pair pair;
  PairOptions options = PAIR_DEFAULTS, held = PAIR_DEFAULTS;

  held.receive = FALSE;
  settings->rtp_timeout = 1;
  media_engine_set_settings (engine, settings);
  pair_init (&pair, engine, "timeout", "127.30.12.1", "127.30.12.2");
  pair_apply (&pair, &options);
  pair_run (&pair.alice, 2500);
  g_assert_cmpuint (pair.alice.timeouts + pair.bob.timeouts, ==, 0);
  /* Bob vanishes, without a BYE as far as alice can see: his side answers no more. */
  media_ops.media_free (g_steal_pointer (&pair.bob.media));
  pair_wait (nothing_retires, NULL, 10);        /* his last report is out */
  pair_run (&pair.alice, 100);
  /* On hold he owes nothing, and is not taken for dead (media-watch.h). */
  side_apply (&pair.alice, side_plan (&pair.bob, &held, FALSE));
  pair_run (&pair.alice, 2500);
  g_assert_cmpuint (pair.alice.timeouts, ==, 0);
  side_apply (&pair.alice, side_plan (&pair.bob, &options, FALSE));
  pair_wait (has_timeout, &pair.alice, 20);
  g_assert_cmpuint (pair.alice.timeouts, ==, 1);
  finish (&pair);
  g_autoptr (PhoneDaemonSettings) usual = pair_settings ();
  media_engine_set_settings (engine, usual);
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
  for (int suite = PAIR_CLEAR; suite < (int) phone_srtp_suite_n_values; suite++)
    {
      g_autofree char *path = g_strdup_printf ("/session/suite/%s", suite == PAIR_CLEAR ? "clear" : phone_srtp_suite_to_string (suite));
      g_test_add_data_func (path, GINT_TO_POINTER (suite), test_suite);
    }
  g_test_add_func ("/session/ptime", test_ptime);
  g_test_add_func ("/session/ipv6", test_ipv6);
  g_test_add_func ("/session/rekey", test_rekey);
  g_test_add_func ("/session/rekey-gapless", test_rekey_gapless);
  g_test_add_func ("/session/codec-switch", test_codec_switch);
  g_test_add_func ("/session/hold", test_hold);
  g_test_add_func ("/session/address-change", test_address_change);
  g_test_add_data_func ("/session/nat/clear", GINT_TO_POINTER (PAIR_CLEAR), test_nat);
  g_test_add_data_func ("/session/nat/secure", GINT_TO_POINTER (PHONE_SRTP_AEAD_AES_128_GCM), test_nat);
  g_test_add_data_func ("/session/rtcp/mux", GINT_TO_POINTER (TRUE), test_rtcp);
  g_test_add_data_func ("/session/rtcp/no-mux", GINT_TO_POINTER (FALSE), test_rtcp);
  g_test_add_data_func ("/session/dtmf/opus", GUINT_TO_POINTER (PHONE_CODEC_OPUS), test_dtmf);
  g_test_add_data_func ("/session/dtmf/pcmu", GUINT_TO_POINTER (PHONE_CODEC_PCMU), test_dtmf);
  g_test_add_func ("/session/mute", test_mute);
  g_test_add_func ("/session/refused-plans", test_refused_plans);
  g_test_add_func ("/session/no-ports", test_no_ports);
  g_test_add_func ("/session/timeout", test_timeout);
  int result = g_test_run ();
  g_clear_pointer (&engine, media_engine_free);
  return result;
}
