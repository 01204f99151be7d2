/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>

#include "media/media-watch.h"
#include "media/rate-control.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static PhoneMediaPlan
plan (PhoneCodecId codec)
{
  return (PhoneMediaPlan) { .send = { .id = codec, .use_inband_fec = TRUE }, .ptime = 20 };
}

static gboolean
report (RateControl *control, gint64 now, double loss, double round_trip)
{
  RateReport r = { .now = now, .loss = loss, .jitter = 3, .round_trip = round_trip };
  return rate_control_update (control, &r);
}

static void
test_limits (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);

  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);
  g_assert_cmpuint (control.rate.frame_ms, ==, 20);
  g_assert_cmpuint (control.rate.complexity, ==, 5);
  g_assert_false (control.rate.fec || control.rate.dtx);
  g_assert_cmpstr (control.reason, ==, "start");
  p.send.max_average_bitrate = 20000;
  p.send.use_dtx = TRUE;
  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpuint (control.rate.bitrate, ==, 20000);
  g_assert_cmpstr (control.reason, ==, "peer-limit");
  g_assert_true (control.rate.dtx);
  p.send.max_average_bitrate = 10;              /* below what the codec can do */
  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpuint (control.rate.bitrate, ==, 6000);
}

static void
test_fec (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);
  gint64 now = 100 * SECOND;

  rate_control_init (&control, &p, 28000, 5);
  for (guint i = 0; i < 5; i++)
    report (&control, now += 5 * SECOND, 0.005, 20);
  g_assert_false (control.rate.fec);
  g_assert_true (report (&control, now += 5 * SECOND, 0.08, 20));
  g_assert_true (control.rate.fec);
  g_assert_cmpuint (control.rate.loss_percent, ==, 3);
  /* It stays for a while after the loss ended, and goes then. */
  for (guint i = 0; i < 5; i++)
    report (&control, now += 2 * SECOND, 0, 20);
  g_assert_true (control.rate.fec);
  for (guint i = 0; i < 30; i++)
    report (&control, now += 2 * SECOND, 0, 20);
  g_assert_false (control.rate.fec);
  g_assert_cmpuint (control.rate.loss_percent, <=, 1);

  p.send.use_inband_fec = FALSE;
  rate_control_init (&control, &p, 28000, 5);
  for (guint i = 0; i < 5; i++)
    report (&control, now += 5 * SECOND, 0.08, 20);
  g_assert_false (control.rate.fec);
}

static void
test_back_off (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);
  gint64 now = 100 * SECOND;

  rate_control_init (&control, &p, 28000, 5);
  report (&control, now, NAN, NAN);
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);
  for (guint i = 0; i < 200; i++)
    {
      guint before = control.rate.bitrate;
      report (&control, now += SECOND, 0.5, 20);
      g_assert_cmpuint (control.rate.bitrate, >=, 12000);
      g_assert_cmpuint (control.rate.bitrate, >=, before * 4 / 5 - 1);
    }
  g_assert_cmpuint (control.rate.bitrate, ==, 12000);
  g_assert_cmpstr (control.reason, ==, "loss");
  g_assert_cmpuint (control.rate.loss_percent, ==, 30);
  for (guint i = 0; i < 60; i++)
    report (&control, now += SECOND, 0, 20);
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);
  g_assert_cmpstr (control.reason, ==, "steady");

  /* A queue: the round trip grows, nothing is lost yet. */
  report (&control, now += SECOND, 0, 600);
  g_assert_cmpuint (control.rate.bitrate, ==, 25200);
  g_assert_cmpstr (control.reason, ==, "delay");
  report (&control, now += SECOND, 0, 600);
  g_assert_cmpuint (control.rate.bitrate, ==, 25200);   /* not twice within the pause */
  report (&control, now += 4 * SECOND, 0, 22);
  g_assert_cmpstr (control.reason, ==, "recovering");
}

static void
test_fixed (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_PCMA);
  gint64 now = 100 * SECOND;

  rate_control_init (&control, &p, 28000, 5);
  for (guint i = 0; i < 50; i++)
    report (&control, now += SECOND, 0.5, 900);
  g_assert_cmpuint (control.rate.bitrate, ==, 64000);
  g_assert_false (control.rate.fec);
}

static void
test_watch (void)
{
  MediaWatch watch;
  gint64 now = 1000 * SECOND;
  guint seconds = 0;

  /* never */
  media_watch_restart (&watch, 0, MEDIA_WATCH_RTP, now);
  g_assert_false (media_watch_update (&watch, 0, 0, now + 10000 * SECOND, &seconds));

  /* nothing ever comes */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP, now);
  g_assert_false (media_watch_update (&watch, 0, 0, now + 59 * SECOND, &seconds));
  g_assert_true (media_watch_update (&watch, 0, 0, now + 61 * SECOND, &seconds));
  g_assert_cmpuint (seconds, ==, 61);
  g_assert_false (media_watch_update (&watch, 0, 0, now + 62 * SECOND, &seconds));      /* told once */
  g_assert_false (media_watch_update (&watch, now + 62 * SECOND, 0, now + 63 * SECOND, &seconds));
  g_assert_true (media_watch_update (&watch, now + 62 * SECOND, 0, now + 130 * SECOND, &seconds));
  g_assert_cmpuint (seconds, ==, 68);

  /* RTCP alone keeps it alive */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP, now);
  for (gint64 t = now; t < now + 600 * SECOND; t += 5 * SECOND)
    g_assert_false (media_watch_update (&watch, now, t, t + SECOND, &seconds));

  /* a pause in speech with DTX: RTP stops, RTCP comes every now and then; when both are gone the time is over */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP, now);
  g_assert_false (media_watch_update (&watch, now + 5 * SECOND, now + 300 * SECOND, now + 359 * SECOND, &seconds));
  g_assert_true (media_watch_update (&watch, now + 5 * SECOND, now + 300 * SECOND, now + 361 * SECOND, &seconds));
  g_assert_cmpuint (seconds, ==, 61);

  /* hold: no RTP is expected, and RTP does not count; a peer that sends no RTCP cannot be missed, one that did can */
  media_watch_restart (&watch, 60, MEDIA_WATCH_NO_RTP, now);
  g_assert_false (media_watch_update (&watch, now - SECOND, 0, now + 600 * SECOND, &seconds));
  g_assert_false (media_watch_update (&watch, now - SECOND, now - SECOND, now + 600 * SECOND, &seconds));
  g_assert_false (media_watch_update (&watch, 0, now + SECOND, now + 60 * SECOND, &seconds));
  g_assert_true (media_watch_update (&watch, now + 30 * SECOND, now + SECOND, now + 62 * SECOND, &seconds));
  g_assert_cmpuint (seconds, ==, 61);

  /* resumed: the time begins anew */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP, now + 100 * SECOND);
  g_assert_false (media_watch_update (&watch, now, now, now + 159 * SECOND, &seconds));
}

static void
test_watch_held (void)
{
  MediaWatch watch;
  gint64 now = 1000 * SECOND;
  guint seconds = 0;

  /* Neither RTP nor RTCP, from a peer that sent both until then: it holds us, and that is all we know. */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP_OPTIONAL, now);
  g_assert_false (media_watch_update (&watch, now - SECOND, now - SECOND, now + 10000 * SECOND, &seconds));
  /* Music without RTCP, that ends. */
  g_assert_false (media_watch_update (&watch, now + 20 * SECOND, 0, now + 600 * SECOND, &seconds));
  /* Either of the two keeps it alive ... */
  g_assert_false (media_watch_update (&watch, 0, now + 550 * SECOND, now + 600 * SECOND, &seconds));
  g_assert_false (media_watch_update (&watch, now + 550 * SECOND, now + SECOND, now + 600 * SECOND, &seconds));
  /* ... and when a peer falls silent that has sent RTCP on hold, it is gone. */
  g_assert_true (media_watch_update (&watch, now + 530 * SECOND, now + 520 * SECOND, now + 600 * SECOND, &seconds));
  g_assert_cmpuint (seconds, ==, 70);
  g_assert_false (media_watch_update (&watch, now + 530 * SECOND, now + 520 * SECOND, now + 601 * SECOND, &seconds));

  /* It resumes and sends nothing: now RTP is owed. */
  media_watch_restart (&watch, 60, MEDIA_WATCH_RTP, now + 700 * SECOND);
  g_assert_false (media_watch_update (&watch, now, now, now + 759 * SECOND, &seconds));
  g_assert_true (media_watch_update (&watch, now, now, now + 760 * SECOND, &seconds));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-control/limits", test_limits);
  g_test_add_func ("/rate-control/fec", test_fec);
  g_test_add_func ("/rate-control/back-off", test_back_off);
  g_test_add_func ("/rate-control/fixed", test_fixed);
  g_test_add_func ("/media-watch/calls", test_watch);
  g_test_add_func ("/media-watch/held", test_watch_held);
  return g_test_run ();
}
