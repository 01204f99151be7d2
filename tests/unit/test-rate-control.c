/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>

#include "media/media-watch.h"
#include "media/rate-control.h"

#define SECOND ((gint64) G_USEC_PER_SEC)

static PhoneMediaPlan
plan (PhoneCodecId codec)
{
  return (PhoneMediaPlan) { .send = { .id = codec, .use_inband_fec = TRUE }, .ptime = 20, .send_red = 103, .encrypted = TRUE };
}

static gboolean
report (RateControl *control, gint64 now, double loss, double round_trip)
{
  RateReport r = { .now = now, .loss = loss, .jitter = 3, .round_trip = round_trip, .delay = NAN };
  return rate_control_update (control, &r);
}

/* ---- a link with a queue, in closed loop ---- */

typedef struct
{
  RateControl control;
  GRand *random;
  gint64 now;
  double capacity;              /* bit/s, 0: no bottleneck */
  double limit;                 /* ms */
  double queue;                 /* ms */
  double loss, jitter;          /* random loss; ms of exponential jitter each way */
  double dropped;               /* bits, since last asked */
  guint changes;                /* of bit rate or frame */
} Loop;

static void
loop_init (Loop *loop, double capacity)
{
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);

  g_clear_pointer (&loop->random, g_rand_free);
  *loop = (Loop) { .random = g_rand_new_with_seed (5), .now = 100 * SECOND, .capacity = capacity, .limit = 400 };
  rate_control_init (&loop->control, &p, 28000, 5);
}

static void
loop_clear (Loop *loop)
{
  g_clear_pointer (&loop->random, g_rand_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loop, loop_clear)

static double
wire (const RateControl *control)
{
  return control->rate.bitrate * (1.0 + control->rate.copies) + 56 * 8000.0 / control->rate.frame_ms;
}

static double
jitter_now (Loop *loop)
{
  return loop->jitter > 0 ? -log (1 - g_rand_double (loop->random)) * loop->jitter : 0;
}

/* A report every 0.5 to 1 s, as rtpsession sends them. Returns the largest queue, ms. */
static double
loop_run (Loop *loop, double seconds)
{
  gint64 end = loop->now + (gint64) (seconds * SECOND), due = loop->now;
  double most = 0, sent = 0, gone = 0;

  for (; loop->now < end; loop->now += SECOND / 50)
    {
      double bits = wire (&loop->control) / 50;

      sent += bits;
      if (loop->capacity > 0)
        {
          loop->queue = MAX (0, loop->queue + (bits / loop->capacity - 0.02) * 1000);
          if (loop->queue > loop->limit)
            {
              gone += (loop->queue - loop->limit) / 1000 * loop->capacity;
              loop->queue = loop->limit;
            }
        }
      else
        loop->queue = 0;
      most = MAX (most, loop->queue);
      if (loop->now >= due)
        {
          MediaRate before = loop->control.rate;
          RateReport r = { .now = loop->now, .loss = MIN (1, loop->loss + gone / sent), .jitter = 1 + loop->jitter * 0.7,
                           .round_trip = 41 + loop->queue + g_rand_double (loop->random) + jitter_now (loop) + jitter_now (loop), .delay = NAN };

          loop->dropped += gone;
          sent = gone = 0;
          rate_control_update (&loop->control, &r);
          loop->changes += before.bitrate != loop->control.rate.bitrate || before.frame_ms != loop->control.rate.frame_ms;
          due += (gint64) ((0.5 + 0.5 * g_rand_double (loop->random)) * SECOND);
        }
    }
  return most;
}

/* 40 kbit/s from the beginning, and gone later: at rest within 5 s, recovered within 15, and quiet in between. */
static void
test_bottleneck (void)
{
  for (guint seed = 1; seed < 20; seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, 40000);
      g_rand_set_seed (loop.random, seed);
      loop_run (&loop, 5);
      loop.dropped = 0;
      loop.changes = 0;
      g_assert_cmpfloat (loop_run (&loop, 120), <, 200);
      g_assert_cmpfloat (loop.dropped, ==, 0);
      g_assert_cmpfloat (wire (&loop.control), >, 25000);
      g_assert_cmpuint (loop.control.rate.copies, ==, 0);
      g_assert_cmpstr (loop.control.reason, !=, "loss");
      g_assert_cmpuint (loop.changes, <=, 60);          /* one attempt in 10 s or so, of a few steps */
      loop.capacity = 0;
      loop_run (&loop, 15);
      g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
      g_assert_cmpuint (loop.control.rate.frame_ms, ==, 20);
      g_assert_cmpstr (loop.control.reason, ==, "steady");
      loop.changes = 0;
      loop_run (&loop, 60);
      g_assert_cmpuint (loop.changes, ==, 0);
    }
}

/* It comes in the middle of the call. */
static void
test_bottleneck_later (void)
{
  for (guint seed = 1; seed < 20; seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, 0);
      g_rand_set_seed (loop.random, seed);
      loop_run (&loop, 60);
      g_assert_cmpuint (loop.changes, ==, 0);
      loop.capacity = 40000;
      loop_run (&loop, 5);
      loop.dropped = 0;
      loop_run (&loop, 60);
      g_assert_cmpfloat (loop.dropped, ==, 0);
      g_assert_cmpfloat (wire (&loop.control), <, 48000);
    }
}

/* Jitter alone is no queue. */
static void
test_jitter (void)
{
  g_auto (Loop) loop = { 0 };

  loop_init (&loop, 0);
  loop.jitter = 40;
  loop_run (&loop, 600);
  g_assert_cmpuint (loop.changes, <=, 30);
  loop_init (&loop, 0);
  loop.jitter = 5;
  loop_run (&loop, 600);
  g_assert_cmpuint (loop.changes, <=, 30);
}

/* Loss without a queue: copies and not less speech; with one, less speech and no copies. */
static void
test_copies (void)
{
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);
  g_auto (Loop) loop = { 0 };

  loop_init (&loop, 0);
  loop.loss = 0.15;
  loop_run (&loop, 20);
  g_assert_cmpuint (loop.control.rate.copies, ==, 2);
  g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
  g_assert_cmpuint (loop.control.rate.loss_percent, <=, 1);
  g_assert_true (loop.control.rate.fec);
  g_assert_cmpstr (loop.control.reason, ==, "loss");
  loop.loss = 0.055;
  loop_run (&loop, 30);
  g_assert_cmpuint (loop.control.rate.copies, ==, 1);
  loop.loss = 0;
  loop_run (&loop, 60);
  g_assert_cmpuint (loop.control.rate.copies, ==, 0);
  g_assert_false (loop.control.rate.fec);

  /* A link that carries us and not our copies. */
  loop.loss = 0.15;
  loop.capacity = 60000;
  loop_run (&loop, 20);
  loop.dropped = 0;
  loop_run (&loop, 30);
  g_assert_cmpuint (loop.control.rate.copies, ==, 0);
  g_assert_cmpfloat (loop.dropped, ==, 0);

  loop_init (&loop, 0);
  p.send_red = 0;
  rate_control_init (&loop.control, &p, 28000, 5);
  loop.loss = 0.15;
  loop_run (&loop, 20);
  g_assert_cmpuint (loop.control.rate.copies, ==, 0);
  g_assert_cmpuint (loop.control.rate.loss_percent, ==, 15);
}

static void
test_breaker (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);
  gint64 now = 100 * SECOND;

  rate_control_init (&control, &p, 28000, 5);
  /* Half is lost and a round trip takes two seconds: TCP would send 700 bit/s. */
  for (guint i = 0; i < 2; i++)
    report (&control, now += SECOND, 0.5, 2000);
  g_assert_cmpstr (control.reason, !=, "breaker");
  report (&control, now += SECOND, 0.5, 2000);
  g_assert_cmpstr (control.reason, ==, "breaker");
  /* It really stops, comes back with the least, and stays away longer the next time. */
  g_assert_true (control.rate.stopped);
  g_assert_cmpuint (control.breaks, ==, 1);
  g_assert_false (report (&control, now += SECOND, 0, 40));
  g_assert_false (rate_control_tick (&control, 0, now += 3 * SECOND));
  g_assert_true (rate_control_tick (&control, 0, now += 2 * SECOND));
  g_assert_false (control.rate.stopped);
  g_assert_cmpuint (control.rate.bitrate, ==, 6000);
  g_assert_cmpuint (control.rate.frame_ms, ==, 60);
  for (guint i = 0; i < 3; i++)
    report (&control, now += SECOND, 0.9, 9000);
  g_assert_true (control.rate.stopped);
  g_assert_cmpuint (control.breaks, ==, 2);
  g_assert_false (rate_control_tick (&control, 0, now + 9 * SECOND));
  g_assert_true (rate_control_tick (&control, 0, now += 10 * SECOND));
  for (guint i = 0; i < 60; i++)
    report (&control, now += SECOND, 0, 40);
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);
}

static void
test_limits (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_OPUS);

  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);           /* without feedback nothing would be learnt by less */
  p.ccfb = TRUE;
  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpuint (control.rate.bitrate, ==, 6100);            /* a link of 40 kbit/s carries it */
  g_assert_cmpuint (control.rate.frame_ms, ==, 20);
  g_assert_cmpuint (control.rate.complexity, ==, 8);
  g_assert_false (control.rate.fec || control.rate.dtx);
  g_assert_cmpstr (control.reason, ==, "start");
  rate_control_init (&control, &p, 8000, 9);                   /* what is wanted is less */
  g_assert_cmpuint (control.rate.bitrate, ==, 8000);
  g_assert_cmpuint (control.rate.complexity, ==, 9);
  rate_control_init (&control, &p, 28000, 5);                   /* a peer that tells nothing */
  g_assert_false (rate_control_tick (&control, 100 * SECOND, 101 * SECOND));
  g_assert_true (rate_control_tick (&control, 100 * SECOND, 103 * SECOND));
  g_assert_cmpuint (control.rate.bitrate, ==, 28000);
  g_assert_cmpuint (control.rate.complexity, ==, 5);
  p.ccfb = FALSE;
  p.send.max_average_bitrate = 20000;
  p.send.use_dtx = TRUE;
  rate_control_init (&control, &p, 28000, 5);
  g_assert_cmpstr (control.reason, ==, "peer-limit");
  report (&control, 100 * SECOND, 0, 40);
  g_assert_cmpuint (control.rate.bitrate, ==, 20000);
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
test_fixed (void)
{
  RateControl control;
  PhoneMediaPlan p = plan (PHONE_CODEC_PCMA);
  gint64 now = 100 * SECOND;

  rate_control_init (&control, &p, 28000, 5);
  for (guint i = 0; i < 50; i++)
    report (&control, now += SECOND, 0.1, 200);
  g_assert_cmpuint (control.rate.bitrate, ==, 64000);
  g_assert_false (control.rate.stopped);
  for (guint i = 0; i < 5; i++)
    report (&control, now += SECOND, 0.5, 9000);
  g_assert_cmpuint (control.rate.bitrate, ==, 64000);
  g_assert_true (control.rate.stopped);
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

/* What is best for so much on the wire: of packets of 20, 40 and 60 ms. */
static void
test_choice (void)
{
  static const struct
  {
    double wire, capacity;
    guint frame_ms, least, most;        /* bit/s */
  } cases[] = {
    { 60000, 0, 20, 28000, 28000 },
    { 50400, 0, 20, 28000, 28000 },
    { 45000, 0, 20, 22000, 23000 },
    { 33500, 0, 40, 22000, 23000 },
    { 33500, 40000, 40, 19000, 21000 },   /* what makes packets longer on a narrow link is waited for, too */
    { 24000, 29000, 40, 12000, 13000 },
    { 20000, 24000, 60, 12000, 13000 },
    { 9000, 12000, 60, 1000, 2000 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      RateQuestion question = { .wire = cases[i].wire, .overhead = 56, .capacity = cases[i].capacity, .least = 10000, .most = 28000, .frame_ms = 20 };
      double best = INFINITY, chosen = 0;
      guint frame_ms = 0;

      for (guint ms = 20; ms <= 60; ms += 20)
        {
          double bitrate, price = rate_choice_price (&question, ms, &bitrate);

          if (price < best)
            {
              best = price;
              chosen = bitrate;
              frame_ms = ms;
            }
        }
      g_assert_cmpuint (frame_ms, ==, cases[i].frame_ms);
      g_assert_cmpfloat (chosen, >=, cases[i].least);
      g_assert_cmpfloat (chosen, <=, cases[i].most);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-control/limits", test_limits);
  g_test_add_func ("/rate-control/fec", test_fec);
  g_test_add_func ("/rate-control/bottleneck", test_bottleneck);
  g_test_add_func ("/rate-control/bottleneck-later", test_bottleneck_later);
  g_test_add_func ("/rate-control/jitter", test_jitter);
  g_test_add_func ("/rate-control/copies", test_copies);
  g_test_add_func ("/rate-control/breaker", test_breaker);
  g_test_add_func ("/rate-control/choice", test_choice);
  g_test_add_func ("/rate-control/fixed", test_fixed);
  g_test_add_func ("/media-watch/calls", test_watch);
  g_test_add_func ("/media-watch/held", test_watch_held);
  return g_test_run ();
}
