/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sender against a link, with everything between them that the peer's feedback goes through: arrivals are noted, reports are written when they are
 * due, travel, are read and matched with what was sent. The link is the one of the benches. */
#include <math.h>
#include <string.h>

#include "link-model.h"
#include "media/media-arrivals.h"
#include "media/rate-control.h"

#define SECOND ((gint64) G_USEC_PER_SEC)
#define STEP 1000               /* us */
#define SSRC 0x12345678
#define HEADERS 56
#define PENDING 4096

typedef struct
{
  gint64 at;
  guint16 seq;
  guint octets, length;         /* length > 0: a report, octets of packet */
  guint8 packet[MEDIA_FEEDBACK_MAX * 4];
} Flight;

typedef struct
{
  RateControl control;
  RateHistory history;
  MediaArrivals arrivals;
  MediaFeedbackKind kind;
  LinkModel there, back;
  GRand *random;
  GQueue *way_there, *way_back; /* of Flight, in order of arrival */
  gint64 now, next_packet, next_report;
  gint64 clock;                 /* us that the peer's clock is ahead */
  guint16 seq;
  gboolean talks;
  gint64 turns;                 /* when talking becomes a pause, and back */
  guint others;                 /* octets that somebody else sends over the link every 20 ms */
  /* what is judged */
  double most, sum;             /* ms of delay on the link, over what it takes at least */
  guint n, late;
  guint64 dropped;
  guint changes, reports, report_octets;
} Loop;

static PhoneMediaPlan
make_plan (guint8 red, guint least_ptime)
{
  return (PhoneMediaPlan) { .send = { .id = PHONE_CODEC_OPUS, .use_inband_fec = TRUE }, .ptime = 20, .least_ptime = least_ptime, .send_red = red,
                            .encrypted = TRUE, .ccfb = TRUE };
}

static void
loop_init (Loop *loop, const char *words, MediaFeedbackKind kind, guint64 seed)
{
  PhoneMediaPlan plan = make_plan (103, 20);
  g_auto (GStrv) assignments = g_strsplit (words, " ", -1);
  LinkConfig config = { 0 };

  *loop = (Loop) { .kind = kind, .random = g_rand_new_with_seed ((guint32) seed), .way_there = g_queue_new (), .way_back = g_queue_new (),
                   .now = 1000 * SECOND, .clock = 65530 * SECOND, .seq = 65500 };
  for (guint i = 0; assignments[i] != NULL; i++)
    g_assert_true (link_config_set (&config, assignments[i]));
  link_model_init (&loop->there, &config, seed);
  link_model_init (&loop->back, &config, seed + 1000);
  rate_control_init (&loop->control, &plan, 28000, 5);
  media_arrivals_start (&loop->arrivals, kind);
  loop->next_packet = loop->now;
  loop->next_report = loop->now + SECOND / 2;
}

static void
loop_clear (Loop *loop)
{
  g_rand_free (loop->random);
  g_queue_free_full (loop->way_there, g_free);
  g_queue_free_full (loop->way_back, g_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Loop, loop_clear)

static gint
by_arrival (gconstpointer a, gconstpointer b, gpointer data)
{
  const Flight *x = a, *y = b;

  return x->at < y->at ? -1 : x->at > y->at;
}

static void
fly (GQueue *way, LinkModel *link, gint64 now, guint octets, const Flight *flight)
{
  gint64 at = link_model_offer (link, now, octets);

  if (at < 0)
    return;
  Flight *copy = g_memdup2 (flight, sizeof *flight);
  copy->at = at;
  g_queue_insert_sorted (way, copy, by_arrival, NULL);
}

/* Speech with pauses, of variable bit rate unless the coder was told otherwise. */
static void
send_packet (Loop *loop)
{
  const MediaRate *rate = &loop->control.rate;
  double share = 1;

  if (loop->now >= loop->turns)
    {
      loop->talks = !loop->talks;
      loop->turns = loop->now + (gint64) ((loop->talks ? 2.5 : 0.6) * (0.5 + g_rand_double (loop->random)) * SECOND);
    }
  if (!rate->cbr)
    share = loop->talks ? 0.6 + 0.8 * g_rand_double (loop->random) : 0.3;
  guint octets = (guint) (rate->bitrate * share / 8000 * rate->frame_ms) * (1 + rate->copies) + HEADERS;
  Flight flight = { .seq = loop->seq, .octets = octets };
  guint64 dropped = loop->there.dropped;

  rate_history_sent (&loop->history, loop->seq++, octets, loop->now);
  fly (loop->way_there, &loop->there, loop->now, octets, &flight);
  loop->dropped += loop->there.dropped - dropped;
  double queue = loop->there.config.rate > 0 ? MAX (0, (double) (loop->there.free_at - loop->now) / 1000) : 0;
  loop->most = MAX (loop->most, queue);
  loop->sum += queue;
  loop->n++;
  loop->late += queue > 60;
  loop->next_packet += rate->frame_ms * 1000;
}

static void
take_report (Loop *loop, const Flight *flight)
{
  static MediaFeedback feedback;
  RateSample samples[MEDIA_FEEDBACK_MAX];
  MediaRate before = loop->control.rate;

  g_assert_true (media_feedback_parse (flight->packet, flight->length, SSRC, &feedback));
  guint n = rate_history_match (&loop->history, &feedback, samples);
  rate_control_feedback (&loop->control, samples, n, loop->now);
  loop->changes += before.bitrate != loop->control.rate.bitrate || before.frame_ms != loop->control.rate.frame_ms;
}

/* Reports of both kinds share the link with the voice, in both directions. */
static void
loop_run (Loop *loop, double seconds)
{
  gint64 end = loop->now + (gint64) (seconds * SECOND);
  Flight *flight;

  loop->most = loop->sum = 0;
  loop->n = loop->late = loop->changes = loop->reports = loop->report_octets = 0;
  loop->dropped = 0;
  for (; loop->now < end; loop->now += STEP)
    {
      if (loop->now >= loop->next_packet)
        send_packet (loop);
      if (loop->others > 0 && loop->now % 20000 == 0)
        fly (loop->way_there, &loop->there, loop->now, loop->others, &(Flight) { .length = 1 });
      if (loop->now >= loop->next_report)
        {
          fly (loop->way_there, &loop->there, loop->now, 140, &(Flight) { .length = 1 });
          rate_history_sent_rtcp (&loop->history, 140, loop->now);
          loop->next_report += (gint64) ((1 + 2 * g_rand_double (loop->random)) * SECOND);
        }
      while ((flight = g_queue_peek_head (loop->way_there)) != NULL && flight->at <= loop->now)
        {
          g_queue_pop_head (loop->way_there);
          if (flight->length == 0)
            media_arrivals_note (&loop->arrivals, SSRC, flight->seq, flight->octets, flight->at + loop->clock);
          g_free (flight);
        }
      if (media_arrivals_due (&loop->arrivals) <= loop->now + loop->clock)
        {
          Flight report = { 0 };

          report.length = (guint) media_arrivals_write (&loop->arrivals, 1, loop->now + loop->clock, report.packet, sizeof report.packet);
          g_assert_cmpuint (report.length, >, 0);
          loop->reports++;
          loop->report_octets += report.length + 48;
          fly (loop->way_back, &loop->back, loop->now, report.length + 48, &report);
          /* The peer talks too, and we tell it as much: it takes as much of our way. */
          fly (loop->way_there, &loop->there, loop->now, report.length + 48, &(Flight) { .length = 1 });
          rate_history_sent_rtcp (&loop->history, report.length + 48, loop->now);
        }
      while ((flight = g_queue_peek_head (loop->way_back)) != NULL && flight->at <= loop->now)
        {
          g_queue_pop_head (loop->way_back);
          if (flight->length > 1)
            take_report (loop, flight);
          g_free (flight);
        }
    }
}

/* ---- what must hold ---- */

/* The link of the comparison of phones, with what signalling has left in its queue: no drop, a short queue, speech that is hardly worse, and it is left
 * alone. */
static void
test_bottleneck (void)
{
  for (guint seed = 1; seed <= 20; seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, "delay=20 rate=40000 queue=400", seed % 2 ? MEDIA_FEEDBACK_CCFB : MEDIA_FEEDBACK_TRANSPORT_CC, seed);
      fly (loop.way_there, &loop.there, loop.now, 316, &(Flight) { .length = 1 });
      fly (loop.way_back, &loop.back, loop.now, 1019, &(Flight) { .length = 1 });
      loop_run (&loop, 5);
      g_assert_cmpfloat (loop.most, <, 160);
      g_assert_cmpuint (loop.dropped, ==, 0);
      loop_run (&loop, 60);
      g_assert_cmpfloat (loop.most, <, 110);
      g_assert_cmpfloat (loop.sum / loop.n, <, 36);
      g_assert_cmpuint (loop.late, <, loop.n / 30);
      g_assert_cmpuint (loop.dropped, ==, 0);
      g_assert_cmpuint (loop.control.rate.frame_ms, ==, 40);
      g_assert_cmpuint (loop.control.rate.bitrate, >, 19000);
      g_assert_cmpfloat (loop.control.capacity, >, 38000);
      g_assert_cmpfloat (loop.control.capacity, <, 42000);
      g_assert_cmpuint (loop.changes, <, 30);
    }
}

/* Somebody else uses a part of the link, which is not ours to use. */
static void
test_shared (void)
{
  static const struct
  {
    const char *link;
    guint others;
  } cases[] = {
    { "delay=20 rate=80000 queue=400", 10 },
    { "delay=20 rate=80000 queue=400", 60 },
    { "delay=20 rate=80000 queue=400", 100 },
    { "delay=20 rate=80000 queue=400", 140 },
    { "delay=20 rate=50000 queue=400", 20 },
    { "delay=20 rate=50000 queue=400", 40 },
    { "delay=20 rate=50000 queue=400", 60 },
  };

  for (guint seed = 1; seed <= 4 * G_N_ELEMENTS (cases); seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, cases[seed % G_N_ELEMENTS (cases)].link, MEDIA_FEEDBACK_CCFB, seed);
      loop.others = cases[seed % G_N_ELEMENTS (cases)].others;
      loop_run (&loop, 10);
      loop_run (&loop, 60);
      g_assert_cmpfloat (loop.sum / loop.n, <, 40);
      g_assert_cmpuint (loop.late, <, loop.n / 8);
      g_assert_cmpuint (loop.dropped, ==, 0);
      g_assert_cmpuint (loop.changes, <, 120);
    }
}

/* It goes away, and is noticed by how long packets take. */
static void
test_recovery (void)
{
  static const char *links[] = { "delay=20 rate=40000 queue=400", "delay=20 rate=30000 queue=400" };

  for (guint seed = 1; seed <= 20; seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, links[seed % 2], MEDIA_FEEDBACK_CCFB, seed);
      loop_run (&loop, 60);
      g_assert_cmpuint (loop.dropped, ==, 0);
      loop.there.config.rate = loop.back.config.rate = 0;
      loop_run (&loop, 10);
      g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
      g_assert_cmpuint (loop.control.rate.frame_ms, ==, 20);
      g_assert_false (loop.control.rate.cbr);
      g_assert_cmpstr (loop.control.reason, ==, "steady");
      loop_run (&loop, 60);
      g_assert_cmpuint (loop.changes, ==, 0);
    }
}

/* It comes in the middle of a call. */
static void
test_later (void)
{
  for (guint seed = 1; seed <= 20; seed++)
    {
      g_auto (Loop) loop = { 0 };

      loop_init (&loop, "delay=20 queue=400", MEDIA_FEEDBACK_CCFB, seed);
      loop_run (&loop, 60);
      g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
      loop.there.config.rate = loop.back.config.rate = 40000;
      loop_run (&loop, 5);
      g_assert_cmpfloat (loop.most, <, 400);
      g_assert_cmpuint (loop.dropped, ==, 0);
      loop_run (&loop, 30);
      g_assert_cmpfloat (loop.most, <, 150);
    }
}

/* The breaker stops it; after that it grows again by feedback alone. */
static void
test_after_breaker (void)
{
  g_auto (Loop) loop = { 0 };

  loop_init (&loop, "delay=20", MEDIA_FEEDBACK_CCFB, 1);
  loop_run (&loop, 10);
  for (guint i = 0; i < 3; i++)
    {
      RateReport report = { .now = loop.now + i * SECOND, .loss = 0.6, .jitter = 5, .round_trip = 2000, .delay = NAN };

      rate_control_update (&loop.control, &report);
    }
  g_assert_true (loop.control.rate.stopped);
  g_assert_cmpuint (loop.control.rate.bitrate, ==, 6000);
  loop.now = loop.next_packet = loop.control.resume;
  rate_control_tick (&loop.control, 0, loop.now);
  g_assert_false (loop.control.rate.stopped);
  loop_run (&loop, 60);
  g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
}

static void
tell (Loop *loop, double loss, double jitter)
{
  RateReport report = { .now = loop->now, .loss = loss, .jitter = jitter, .round_trip = 40, .delay = NAN };

  rate_control_update (&loop->control, &report);
}

/* Packets of 10 ms: where the link is wide and steady, for a peer that takes them; with copies against loss, and never with FEC. */
static void
test_short_packets (void)
{
  static const struct
  {
    const char *link;
    guint8 red;
    guint least_ptime;
    double loss, jitter;
    guint frame_ms, copies;
    gboolean fec;
  } cases[] = {
    { "delay=20", 103, 10, 0, 0.5, 10, 0, FALSE },
    { "delay=20", 103, 20, 0, 0.5, 20, 0, FALSE },
    { "delay=20", 103, 0, 0, 0.5, 20, 0, FALSE },
    { "delay=20 rate=60000 queue=400", 103, 10, 0, 0.5, 20, 0, FALSE },         /* carries 20 ms at the full rate, and not 10 */
    { "delay=20 rate=40000 queue=400", 103, 10, 0, 0.5, 40, 0, FALSE },
    { "delay=20", 103, 10, 0.03, 0.5, 10, 0, FALSE },
    { "delay=20", 103, 10, 0.06, 0.5, 10, 1, FALSE },
    { "delay=20", 103, 10, 0.15, 0.5, 10, 2, FALSE },
    { "delay=20", 0, 10, 0.03, 0.5, 10, 0, FALSE },
    { "delay=20", 0, 10, 0.15, 0.5, 20, 0, TRUE },
    { "delay=20", 103, 10, 0, 30, 20, 0, FALSE },
    { "delay=20", 103, 10, 0.03, 30, 20, 0, TRUE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (Loop) loop = { 0 };
      PhoneMediaPlan plan = make_plan (cases[i].red, cases[i].least_ptime);

      loop_init (&loop, cases[i].link, MEDIA_FEEDBACK_CCFB, i + 1);
      rate_control_init (&loop.control, &plan, 28000, 5);
      for (guint k = 0; k < 20; k++)
        {
          loop_run (&loop, 1);
          tell (&loop, cases[i].loss, cases[i].jitter);
        }
      g_assert_cmpuint (loop.control.rate.frame_ms, ==, cases[i].frame_ms);
      g_assert_cmpuint (loop.control.rate.copies, ==, cases[i].copies);
      g_assert_cmpint (!loop.control.rate.fec, ==, !cases[i].fec);
      if (loop.there.config.rate == 0)
        g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
      loop_run (&loop, 20);
      g_assert_cmpuint (loop.changes, <, loop.there.config.rate == 40000 ? 60 : 1);
    }
}

/* A queue takes them back at once, and for a minute; then a link that is wide again has them again. */
static void
test_short_packets_later (void)
{
  g_auto (Loop) loop = { 0 };
  PhoneMediaPlan plan = make_plan (103, 10);

  loop_init (&loop, "delay=20 queue=400", MEDIA_FEEDBACK_CCFB, 4);
  rate_control_init (&loop.control, &plan, 28000, 5);
  loop_run (&loop, 20);
  g_assert_cmpuint (loop.control.rate.frame_ms, ==, 10);
  loop.there.config.rate = loop.back.config.rate = 55000;
  loop_run (&loop, 3);
  g_assert_cmpuint (loop.control.rate.frame_ms, ==, 20);
  g_assert_cmpuint (loop.dropped, ==, 0);
  loop_run (&loop, 20);
  loop.there.config.rate = loop.back.config.rate = 0;
  loop_run (&loop, 20);
  g_assert_cmpuint (loop.control.rate.frame_ms, ==, 20);
  g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
  loop_run (&loop, 60);
  g_assert_cmpuint (loop.control.rate.frame_ms, ==, 10);
}

/* Neither jitter nor loss is a queue, nor is a link that carries what we send. */
static void
test_others (void)
{
  static const char *links[] = { "delay=1", "delay=20 loss=0.05", "delay=20 loss=0.15", "delay=20 jitter=40", "delay=20 jitter=5 reorder=1",
                                 "delay=20 stall-every=3 stall=150", "delay=20 jitter=30 loss=0.1 run=3", "delay=20 rate=60000 queue=400" };

  for (guint k = 0; k < G_N_ELEMENTS (links); k++)
    for (guint seed = 1; seed <= 10; seed++)
      {
        g_auto (Loop) loop = { 0 };

        loop_init (&loop, links[k], seed % 2 ? MEDIA_FEEDBACK_CCFB : MEDIA_FEEDBACK_TRANSPORT_CC, seed);
        g_assert_cmpuint (loop.control.rate.bitrate, <, 14000);
        loop_run (&loop, 4);
        g_test_message ("%s, seed %u: %u bit/s after 4 s", links[k], seed, loop.control.rate.bitrate);
        if (k == 0)
          g_assert_cmpuint (loop.changes, <=, 2);       /* what came behind RTCP was proof enough */
        loop_run (&loop, 120);
        g_test_message ("%u bit/s, %u changes", loop.control.rate.bitrate, loop.changes);
        g_assert_cmpuint (loop.control.rate.bitrate, ==, 28000);
        g_assert_cmpuint (loop.changes, <=, 20);
      }
}

/* Reports are a small part of what they are about. */
static void
test_cost (void)
{
  g_auto (Loop) loop = { 0 };

  loop_init (&loop, "delay=20", MEDIA_FEEDBACK_CCFB, 1);
  loop_run (&loop, 5);
  g_assert_cmpuint (loop.reports, >=, 22);
  loop_run (&loop, 60);
  g_assert_cmpfloat (loop.report_octets * 8 / 60.0, <, 0.055 * 50400);
  g_assert_cmpuint (loop.reports, >, 100);
}

/* ---- the parts ---- */

static void
test_format (void)
{
  static const MediaFeedbackKind kinds[] = { MEDIA_FEEDBACK_CCFB, MEDIA_FEEDBACK_TRANSPORT_CC };
  static MediaFeedback read;
  g_autoptr (GRand) random = g_rand_new_with_seed (7);

  for (guint round = 0; round < 2000; round++)
    {
      MediaFeedbackKind kind = kinds[round % 2];
      MediaFeedbackItem items[64];
      guint n = (guint) g_rand_int_range (random, 1, 64), received = 0;
      gint64 now = 123456789 + (gint64) round * 100 * SECOND, at = now - 2 * SECOND;
      guint8 packet[512];

      for (guint i = 0; i < n; i++)
        {
          at += g_rand_int_range (random, -5000, 30000);
          items[i] = (MediaFeedbackItem) { .seq = (guint16) (65530 + i), .received = g_rand_int_range (random, 0, 10) > (gint) (round % 11), .arrival = at };
          received += items[i].received;
        }
      gsize length = media_feedback_write (kind, 1, SSRC, items, n, now, 3, packet, sizeof packet);
      g_assert_cmpuint (length % 4, ==, 0);
      g_assert_cmpuint (length, >, 0);
      g_assert_true (media_feedback_parse (packet, length, SSRC, &read));
      g_assert_cmpuint (read.n, ==, n);
      gint64 first = -1;
      for (guint i = 0; i < n; i++)
        {
          g_assert_cmpuint (read.items[i].seq, ==, items[i].seq);
          g_assert_cmpint (read.items[i].received, ==, items[i].received);
          if (!items[i].received)
            continue;
          g_assert_true (read.items[i].timed);
          gint64 offset = (read.items[i].arrival - items[i].arrival) % read.wrap;
          if (first == -1)
            first = offset;
          g_assert_cmpint (ABS (offset - first) % (read.wrap - 1100), <=, 1100);        /* 1/1024 s, 0.25 ms */
        }
      /* Cut short anywhere it is no report. */
      for (gsize cut = 0; cut < length; cut += 4)
        g_assert_false (media_feedback_parse (packet, cut, SSRC, &read));
    }
}

/* As a browser writes it: runs, vectors of one bit and of two, large and negative times. */
static void
test_browser (void)
{
  static const guint8 packet[] = { 0x8f, 0xcd, 0x00, 0x07, 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0x00, 0x10, 0x00, 0x0b, 0x00, 0x00, 0x02, 0x07,
                                   0x20, 0x03,                  /* three that came soon */
                                   0xe4, 0x00,                  /* a large time, a small one, five that did not come */
                                   0x80 | 0x20, 0x00,           /* of one bit: the first came */
                                   4, 8, 0, 0xff, 0xfc, 12 };
  static const gint64 arrivals[] = { 129000, 131000, 131000, 130000, 133000 };
  static MediaFeedback read;

  g_assert_false (media_feedback_parse (packet, sizeof packet - 4, SSRC, &read));
  guint8 whole[36] = { 0 };
  memcpy (whole, packet, sizeof packet);
  whole[sizeof packet] = 4;
  whole[3] = 8;
  g_assert_true (media_feedback_parse (whole, sizeof whole, SSRC, &read));
  g_assert_cmpuint (read.n, ==, 11);
  for (guint i = 0; i < G_N_ELEMENTS (arrivals); i++)
    g_assert_cmpint (read.items[i].arrival, ==, arrivals[i]);
  for (guint i = 5; i < 10; i++)
    g_assert_false (read.items[i].received);
  g_assert_cmpint (read.items[10].arrival, ==, 134000);
  g_assert_cmpuint (read.items[10].seq, ==, 26);
}

/* What makes no sense moves nothing: times from nowhere, packets that were never sent, the same again. */
static void
test_nonsense (void)
{
  static MediaFeedback feedback = { .kind = MEDIA_FEEDBACK_CCFB, .wrap = (gint64) 65536 * SECOND, .n = 10 };
  g_autoptr (GRand) random = g_rand_new_with_seed (3);
  PhoneMediaPlan plan = { .send = { .id = PHONE_CODEC_OPUS }, .ptime = 20 };
  static RateHistory history;
  RateControl control;
  RateSample samples[MEDIA_FEEDBACK_MAX];

  rate_control_init (&control, &plan, 28000, 5);
  for (guint i = 0; i < 10; i++)
    feedback.items[i] = (MediaFeedbackItem) { .seq = (guint16) i, .received = TRUE, .timed = TRUE, .arrival = i * 20000 };
  g_assert_cmpuint (rate_history_match (&history, &feedback, samples), ==, 0);
  for (guint i = 0; i < 10; i++)
    rate_history_sent (&history, (guint16) i, 90, 5 * SECOND + i * 20000);
  g_assert_cmpuint (rate_history_match (&history, &feedback, samples), ==, 10);
  g_assert_cmpuint (rate_history_match (&history, &feedback, samples), ==, 0);
  g_assert_cmpint (rate_history_when (&history, 9), ==, 5 * SECOND + 180000);
  g_assert_cmpint (rate_history_when (&history, 10), ==, 0);
  /* Of two reports, the first of which is long over, only the second is still on the way. */
  rate_history_sent_rtcp (&history, 100, 6 * SECOND);
  rate_history_sent_rtcp (&history, 120, 7 * SECOND);
  rate_history_sent_rtcp (&history, 10, 7 * SECOND + 1000);
  rate_history_sent (&history, 10, 90, 7 * SECOND + 2000);
  feedback.items[0] = (MediaFeedbackItem) { .seq = 10, .received = TRUE, .timed = TRUE, .arrival = 200000 };
  feedback.n = 1;
  g_assert_cmpuint (rate_history_match (&history, &feedback, samples), ==, 1);
  g_assert_cmpuint (samples[0].ahead, ==, 130);
  for (guint round = 0; round < 20000; round++)
    {
      guint n = (guint) g_rand_int_range (random, 1, 20);

      for (guint i = 0; i < n; i++)
        samples[i] = (RateSample) { .sent = (gint64) g_rand_int (random) * 1000, .arrived = (gint64) (g_rand_int (random) >> 2) * g_rand_int (random) / 1000,
                                    .octets = (guint) g_rand_int_range (random, 0, 65536) };
      rate_control_feedback (&control, samples, n, (gint64) round * 100000 + SECOND);
      g_assert_cmpuint (control.rate.bitrate, >=, 6000);
      g_assert_cmpuint (control.rate.bitrate, <=, 28000);
      g_assert_cmpuint (control.rate.frame_ms, <=, 60);
      g_assert_true (isfinite (control.wire));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-feedback/bottleneck", test_bottleneck);
  g_test_add_func ("/rate-feedback/shared", test_shared);
  g_test_add_func ("/rate-feedback/recovery", test_recovery);
  g_test_add_func ("/rate-feedback/later", test_later);
  g_test_add_func ("/rate-feedback/after-breaker", test_after_breaker);
  g_test_add_func ("/rate-feedback/short-packets", test_short_packets);
  g_test_add_func ("/rate-feedback/short-packets-later", test_short_packets_later);
  g_test_add_func ("/rate-feedback/others", test_others);
  g_test_add_func ("/rate-feedback/cost", test_cost);
  g_test_add_func ("/rate-feedback/format", test_format);
  g_test_add_func ("/rate-feedback/browser", test_browser);
  g_test_add_func ("/rate-feedback/nonsense", test_nonsense);
  return g_test_run ();
}
