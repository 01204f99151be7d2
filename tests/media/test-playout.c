/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/playout-core.h"
#include "media/playout-delay.h"
#include "playout-check.h"
#include "trace.h"

#define PACKET 960              /* samples: 20 ms */
#define START G_GINT64_CONSTANT (50000000)

/* ---- single situations ---- */

typedef struct
{
  Check check;
  gint64 now;
  PlayoutPacket packet;         /* the next */
} Scene;

static void
scene_init (Scene *scene)
{
  check_init (&scene->check, 0, 600, FALSE);
  scene->now = START;
  scene->packet = (PlayoutPacket) { .ssrc = 1, .seq = 65530, .timestamp = 0xffffff00, .clock_rate = 48000, .duration = PACKET };
}

/* The next packet comes now, or is lost. */
static PlayoutVerdict
arrive (Scene *scene, gboolean lost)
{
  PlayoutVerdict verdict = PLAYOUT_STORED;

  scene->packet.arrival = scene->now;
  if (!lost)
    verdict = check_insert (&scene->check, &scene->packet);
  scene->packet.seq++;
  scene->packet.timestamp += scene->packet.duration / (48000 / scene->packet.clock_rate);
  return verdict;
}

static void
ticks (Scene *scene, guint n)
{
  for (; n > 0; n--)
    {
      check_tick (&scene->check, scene->now, FALSE, TRUE);
      scene->now += 10000;
    }
}

static void
talk (Scene *scene, guint packets)
{
  for (; packets > 0; packets--)
    {
      g_assert_cmpint (arrive (scene, FALSE), ==, PLAYOUT_STORED);
      ticks (scene, 2);
    }
}

static PlayoutStats
stats_of (const Scene *scene)
{
  PlayoutStats stats;

  playout_get_stats (scene->check.playout, &stats);
  return stats;
}

static void
test_start (void)
{
  Scene scene;

  scene_init (&scene);
  ticks (&scene, 5);
  g_assert_cmpuint (scene.check.silence, ==, 5 * 480);
  talk (&scene, 100);   /* across the wraps of sequence number and timestamp */
  g_assert_cmpuint (scene.check.concealed, ==, 0);
  g_assert_cmpuint (stats_of (&scene).lost + stats_of (&scene).late + stats_of (&scene).resets, ==, 0);
  g_assert_cmpuint (scene.check.decoded, >=, 97 * PACKET);
  check_clear (&scene.check);
}

static void
test_duplicates_and_reordering (void)
{
  Scene scene;
  PlayoutPacket kept;

  scene_init (&scene);
  for (guint i = 0; i < 60; i++)
    {
      arrive (&scene, FALSE);
      kept = scene.packet;
      kept.seq--;
      kept.timestamp -= PACKET;
      g_assert_cmpint (check_insert (&scene.check, &kept), ==, PLAYOUT_DUPLICATE);
      ticks (&scene, 2);
      kept.arrival = scene.now;
      g_assert_cmpint (check_insert (&scene.check, &kept), ==, PLAYOUT_DUPLICATE);     /* played by now or not */
    }
  g_assert_cmpuint (stats_of (&scene).duplicates, ==, 120);

  /* Pairs the wrong way round: in order out of the buffer (the checker asserts it), nothing concealed. */
  talk (&scene, 1);
  for (guint i = 0; i < 40; i++)
    {
      kept = scene.packet;
      scene.packet.seq++;
      scene.packet.timestamp += PACKET;
      ticks (&scene, 2);
      arrive (&scene, FALSE);
      kept.arrival = scene.now;
      check_insert (&scene.check, &kept);
      ticks (&scene, 2);
    }
  g_assert_cmpuint (stats_of (&scene).resets + stats_of (&scene).refused, ==, 0);
  check_clear (&scene.check);
}

static void
test_fec (void)
{
  Scene scene;
  guint64 by_fec;

  scene_init (&scene);
  scene.packet.fec = TRUE;
  playout_set_bounds (scene.check.playout, 30, 600);
  talk (&scene, 100);
  for (guint i = 0; i < 20; i++)
    {
      arrive (&scene, TRUE);
      ticks (&scene, 2);
      talk (&scene, 9);
    }
  g_assert_cmpuint (scene.check.concealed, ==, 0);
  by_fec = scene.check.by_fec;
  g_assert_cmpuint (by_fec, ==, 20 * PACKET);
  /* Two in a row: the first is concealed, the second recovered. */
  arrive (&scene, TRUE);
  ticks (&scene, 2);
  arrive (&scene, TRUE);
  ticks (&scene, 2);
  talk (&scene, 10);
  g_assert_cmpuint (scene.check.concealed, ==, PACKET);
  g_assert_cmpuint (scene.check.by_fec, ==, by_fec + PACKET);
  g_assert_cmpuint (stats_of (&scene).lost, ==, 22);
  check_clear (&scene.check);
}

/* A packet that comes when half of its place has been concealed: rewound, and its second half played. */
static void
test_late_rewinds (void)
{
  Scene scene;
  PlayoutDecision decision;
  guint buffered = 0;

  scene_init (&scene);
  playout_set_bounds (scene.check.playout, 0, 0);       /* the delay must not grow */
  talk (&scene, 50);
  while (scene.check.buffered >= 480)
    ticks (&scene, 1);
  buffered = scene.check.buffered;
  playout_pull (scene.check.playout, scene.now, buffered, &decision);
  g_assert_cmpint (decision.action, ==, PLAYOUT_CONCEAL);
  g_assert_true (decision.first);
  g_assert_cmpuint (decision.samples, ==, 480);
  scene.now += 10000;
  arrive (&scene, FALSE);
  playout_pull (scene.check.playout, scene.now, buffered, &decision);
  g_assert_cmpint (decision.action, ==, PLAYOUT_DECODE);
  g_assert_true (decision.rewind);
  g_assert_cmpuint (decision.skip, ==, 480);
  g_assert_cmpuint (decision.samples, ==, 480);
  check_clear (&scene.check);
}

/* Every packet is 40 ms later than it was: after a few the delay has grown to it and nothing is made up any more. */
static void
test_growth (void)
{
  Scene scene;
  guint64 concealed;

  scene_init (&scene);
  talk (&scene, 200);
  ticks (&scene, 4);
  talk (&scene, 50);
  concealed = scene.check.concealed;
  g_assert_cmpuint (concealed, <, 48 * 150);
  talk (&scene, 500);
  g_assert_cmpuint (scene.check.concealed, ==, concealed);
  check_clear (&scene.check);
}

static void
test_dtx (void)
{
  Scene scene;
  guint64 decoded;

  scene_init (&scene);
  talk (&scene, 50);
  scene.packet.kind = PLAYOUT_DTX;
  talk (&scene, 1);
  scene.packet.kind = PLAYOUT_SPEECH;
  ticks (&scene, 200);
  scene.packet.timestamp += 200 * 480;
  decoded = scene.check.decoded;
  talk (&scene, 100);
  ticks (&scene, 10);
  g_assert_cmpuint (scene.check.concealed, <=, 480 * 10);       /* the end only */
  g_assert_cmpuint (scene.check.decoded - decoded, ==, 100 * PACKET);
  g_assert_cmpuint (stats_of (&scene).lost + stats_of (&scene).late, ==, 0);
  g_assert_cmpuint (scene.check.comfort, >=, 180 * 480);
  check_clear (&scene.check);
}

/* Pauses that nobody announces: short concealment, then noise, then all of the speech. */
static void
test_silence_suppression (void)
{
  Scene scene;
  guint64 decoded;

  scene_init (&scene);
  talk (&scene, 50);
  ticks (&scene, 300);
  scene.packet.timestamp += 300 * 480;
  decoded = scene.check.decoded;
  talk (&scene, 100);
  ticks (&scene, 10);
  g_assert_cmpuint (scene.check.decoded - decoded, ==, 100 * PACKET);
  g_assert_cmpuint (scene.check.concealed, <=, 48 * 650);
  check_clear (&scene.check);
}

static void
test_noise_and_events (void)
{
  Scene scene;
  guint64 decoded;

  scene_init (&scene);
  scene.packet.clock_rate = 8000;
  talk (&scene, 50);
  /* Comfort noise, twice, 100 ms apart. */
  for (guint i = 0; i < 2; i++)
    {
      scene.packet.kind = PLAYOUT_NOISE;
      scene.packet.duration = 0;
      arrive (&scene, FALSE);
      ticks (&scene, 10);
      scene.packet.timestamp += 800;
    }
  scene.packet.kind = PLAYOUT_SPEECH;
  scene.packet.duration = PACKET;
  decoded = scene.check.decoded;
  talk (&scene, 50);
  g_assert_cmpuint (scene.check.concealed, ==, 0);
  g_assert_cmpuint (scene.check.decoded - decoded, >=, 47 * PACKET);

  /* A digit of 100 ms: seven packets of one timestamp, one of them lost, and with a clock that is not the audio's. */
  for (guint i = 0; i < 7; i++)
    {
      PlayoutPacket event = scene.packet;

      event.kind = PLAYOUT_EVENT;
      event.duration = 0;
      event.clock_rate = 48000;
      event.timestamp = 12345;
      event.arrival = scene.now;
      if (i != 3)
        g_assert_cmpint (check_insert (&scene.check, &event), ==, PLAYOUT_STORED);
      scene.packet.seq++;
      ticks (&scene, 2);
    }
  scene.packet.timestamp += 7 * 160;
  decoded = scene.check.decoded;
  talk (&scene, 50);
  g_assert_cmpuint (scene.check.decoded - decoded, >=, 47 * PACKET);
  g_assert_cmpuint (stats_of (&scene).resets, ==, 0);
  g_assert_cmpuint (scene.check.concealed, <=, 4 * 480);
  check_clear (&scene.check);
}

static void
test_new_source (void)
{
  Scene scene;
  PlayoutPacket old;
  guint64 decoded;

  scene_init (&scene);
  talk (&scene, 100);
  old = scene.packet;
  scene.packet.ssrc = 2;
  scene.packet.seq = 77;
  scene.packet.timestamp = 5;
  decoded = scene.check.decoded;
  for (guint i = 0; i < 100; i++)
    {
      talk (&scene, 1);
      /* The source that was left goes on for a while: not heard, and the new one is not disturbed. */
      old.seq++;
      old.timestamp += PACKET;
      old.arrival = scene.now;
      g_assert_cmpint (check_insert (&scene.check, &old), ==, PLAYOUT_REFUSED);
    }
  g_assert_cmpuint (scene.check.resets, ==, 2);         /* each source begins with one */
  g_assert_cmpuint (scene.check.decoded - decoded, >=, 97 * PACKET);

  /* It may come back when the other has been quiet for long. */
  ticks (&scene, 150);
  old.arrival = scene.now;
  g_assert_cmpint (check_insert (&scene.check, &old), ==, PLAYOUT_STORED);
  check_clear (&scene.check);
}

static void
test_restart (void)
{
  Scene scene;
  guint64 decoded;

  /* Sequence numbers jump: one such packet is not believed, the second is. */
  scene_init (&scene);
  talk (&scene, 100);
  scene.packet.seq += 10000;
  scene.packet.timestamp += 0x40000000;
  g_assert_cmpint (arrive (&scene, FALSE), ==, PLAYOUT_REFUSED);
  ticks (&scene, 2);
  decoded = scene.check.decoded;
  talk (&scene, 100);
  g_assert_cmpuint (scene.check.decoded - decoded, >=, 96 * PACKET);

  /* Timestamps jump and sequence numbers go on: no gap, no wait. */
  for (int direction = -1; direction <= 1; direction += 2)
    {
      guint64 made_up = scene.check.concealed + scene.check.comfort;

      scene.packet.timestamp += (guint32) (direction * 0x30000000);
      decoded = scene.check.decoded;
      talk (&scene, 100);
      g_assert_cmpuint (scene.check.decoded - decoded, >=, 99 * PACKET);
      g_assert_cmpuint (scene.check.concealed + scene.check.comfort - made_up, <=, 2 * PACKET);
    }

  /* The clock rate changes with the codec. */
  scene.packet.clock_rate = 8000;
  decoded = scene.check.decoded;
  talk (&scene, 100);
  g_assert_cmpuint (scene.check.decoded - decoded, >=, 99 * PACKET);
  check_clear (&scene.check);
}

/* Two seconds of nothing, then all of it at once: what is too old is given up, the delay comes back. */
static void
test_outage (void)
{
  Scene scene;
  gint64 begin;

  scene_init (&scene);
  talk (&scene, 200);
  begin = scene.now;
  ticks (&scene, 200);
  for (guint i = 0; i < 100; i++)
    arrive (&scene, FALSE);
  (void) begin;
  talk (&scene, 50);
  g_assert_cmpint (stats_of (&scene).delay, <=, 48 * (600 + 60));
  for (guint i = 0; i < 500; i++)
    {
      arrive (&scene, FALSE);
      check_tick (&scene.check, scene.now, i % 50 > 40, TRUE);
      check_tick (&scene.check, scene.now + 10000, i % 50 > 40, TRUE);
      scene.now += 20000;
    }
  g_assert_cmpint (stats_of (&scene).delay, <=, 48 * 60);
  check_clear (&scene.check);
}

/* A delay far above the target comes down even if what is heard neither pauses nor resembles itself: at the worst, any joint will do. */
static void
test_comes_down (void)
{
  Scene scene;
  double match = 0;
  int wanted;

  scene_init (&scene);
  playout_set_bounds (scene.check.playout, 400, 600);
  talk (&scene, 100);
  g_assert_cmpint (stats_of (&scene).delay, >=, 400 * 48);
  playout_set_bounds (scene.check.playout, 0, 600);
  for (guint i = 0; i < 10; i++)
    {
      arrive (&scene, FALSE);
      check_tick (&scene.check, scene.now, FALSE, FALSE);
      check_tick (&scene.check, scene.now + 10000, FALSE, FALSE);
      scene.now += 20000;
    }
  wanted = playout_stretch (scene.check.playout, scene.now, scene.check.buffered, FALSE, &match);
  g_assert_cmpint (wanted, <, 0);
  g_assert_cmpfloat (match, ==, -1);
  talk (&scene, 500);
  g_assert_cmpint (stats_of (&scene).delay, <=, 100 * 48);
  check_clear (&scene.check);
}

/* Nobody pulls for a while: nothing of that time is concealed or played afterwards. */
static void
test_hold (void)
{
  Scene scene;
  guint64 made_up;

  scene_init (&scene);
  talk (&scene, 100);
  for (guint i = 0; i < 100; i++)
    {
      arrive (&scene, i == 0);
      scene.now += 20000;
    }
  made_up = scene.check.concealed;
  talk (&scene, 100);
  g_assert_cmpuint (scene.check.concealed - made_up, <=, 960);
  g_assert_cmpint (stats_of (&scene).delay, <=, 48 * 120);
  check_clear (&scene.check);
}

/* ---- traces ---- */

typedef struct
{
  double target_ms, delay_ms, concealed, stretched;     /* means; shares in percent */
  guint64 fec, late, hash;
} Outcome;

static Outcome
run_trace (const Trace *trace, guint seconds, guint frame_ms, gboolean fec, guint64 seed)
{
  guint n = seconds * 1000 / frame_ms, at = 0, n_order = 0, duration = frame_ms * 48, n_ticks = seconds * 100;
  g_autofree gint64 *arrivals = g_new (gint64, n);
  g_autofree guint *order = g_new (guint, n);
  SignalRandom random = { seed };
  Check check;
  PlayoutStats stats;
  Outcome outcome = { 0 };
  gboolean quiet = FALSE;
  guint turn = 0;

  trace_run (trace, n, frame_ms, seed, arrivals);
  for (guint i = 0; i < n; i++)
    if (arrivals[i] != TRACE_LOST)
      {
        guint k = n_order++;

        for (; k > 0 && arrivals[order[k - 1]] > arrivals[i]; k--)
          order[k] = order[k - 1];
        order[k] = i;
      }

  check_init (&check, 0, 600, TRUE);
  check.first_seq = 60000;
  for (guint tick = 0; tick < n_ticks; tick++)
    {
      gint64 now = START + (gint64) tick * 10000 + 3000;

      while (at < n_order && START + arrivals[order[at]] <= now)
        {
          guint i = order[at++];
          PlayoutPacket packet = { .ssrc = 1, .seq = (guint16) (60000 + i), .timestamp = 0xfff00000 + i * duration, .clock_rate = 48000,
                                   .duration = duration, .fec = fec, .arrival = START + arrivals[i] };

          check_insert (&check, &packet);
          if (trace->duplicate > 0 && signal_uniform (&random) < trace->duplicate)
            g_assert_cmpint (check_insert (&check, &packet), ==, PLAYOUT_DUPLICATE);
        }
      if (turn-- == 0)          /* talk in turns of a second or two and pauses of a third */
        {
          quiet = !quiet;
          turn = quiet ? 20 + signal_random (&random) % 30 : 80 + signal_random (&random) % 120;
        }
      check_tick (&check, now, quiet, signal_uniform (&random) < 0.8);
      playout_get_stats (check.playout, &stats);
      outcome.target_ms += stats.target / 48.0 / n_ticks;
      outcome.delay_ms += stats.delay / 48.0 / n_ticks;
    }
  outcome.concealed = 100.0 * check.concealed / (n_ticks * 480.0);
  outcome.stretched = 100.0 * check.stretched / (n_ticks * 480.0);
  outcome.fec = stats.fec_used;
  outcome.late = stats.late;
  outcome.hash = check.hash;
  check_clear (&check);
  return outcome;
}

static void
test_traces (void)
{
  /* Bounds with some air above what playout-delay's price list gives; the figures of a run are printed. */
  static const struct { const char *name; double delay_ms, concealed; } bounds[] = {
    { "clean", 20, 0.2 }, { "loss-5", 40, 1.5 }, { "loss-15", 45, 4.5 }, { "jitter-40", 165, 9.5 }, { "stalls-150", 80, 6 },
    { "bursts", 150, 14 }, { "bloat", 300, 10 }, { "wifi", 70, 3 }, { "reorder", 110, 1.5 }, { "drift", 35, 0.5 },
  };

  for (guint b = 0; b < G_N_ELEMENTS (bounds); b++)
    for (guint64 seed = 1; seed <= 3; seed++)
      {
        const Trace *trace = trace_find (bounds[b].name);
        Outcome outcome = run_trace (trace, 60, 20, TRUE, seed), again = run_trace (trace, 60, 20, TRUE, seed);

        g_test_message ("%-10s target %5.1f ms, delay %5.1f ms, concealed %4.1f %%, stretched %4.2f %%, %" G_GUINT64_FORMAT " by FEC, %"
                        G_GUINT64_FORMAT " late", trace->name, outcome.target_ms, outcome.delay_ms, outcome.concealed,
                        outcome.stretched, outcome.fec, outcome.late);
        g_assert_cmpuint (outcome.hash, ==, again.hash);        /* replays */
        g_assert_cmpfloat (outcome.delay_ms, <, bounds[b].delay_ms);
        g_assert_cmpfloat (outcome.concealed, <, bounds[b].concealed);
      }
}

/* Any network that can be thought of: playout-check's assertions are the test. */
static void
test_random_traces (void)
{
  SignalRandom random = { 99 };

  for (guint i = 0; i < 60; i++)
    {
      static const guint lengths[] = { 10, 20, 20, 40, 60 };
      Trace trace = {
        .name = "random",
        .loss = signal_uniform (&random) < 0.5 ? 0 : 0.5 * signal_uniform (&random) * signal_uniform (&random),
        .burst = 1 + signal_random (&random) % 8,
        .base_ms = 100 * signal_uniform (&random),
        .jitter_ms = 120 * signal_uniform (&random) * signal_uniform (&random),
        .reorder = signal_random (&random) % 2,
        .stall_every_s = signal_random (&random) % 3 ? 0 : 0.5 + 4 * signal_uniform (&random),
        .stall_ms = 3000 * signal_uniform (&random) * signal_uniform (&random),
        .bloat_ms = signal_random (&random) % 4 ? 0 : 1500 * signal_uniform (&random),
        .drift_ppm = 1000 * (signal_uniform (&random) - 0.5),
        .duplicate = 0.1 * signal_uniform (&random),
      };

      run_trace (&trace, 30, lengths[signal_random (&random) % 5], signal_random (&random) % 2, i);
    }
}

/* A day of talking, with a clock that is off by 100 ppm on a Wi-Fi link: 26 wraps of the sequence number, one of the timestamp. */
static void
test_day (void)
{
  static const Trace trace = { .name = "day", .base_ms = 15, .jitter_ms = 4, .loss = 0.01, .stall_every_s = 20, .stall_ms = 80,
                               .drift_ppm = 100 };
  Outcome outcome = run_trace (&trace, 24 * 3600, 60, TRUE, 5);

  g_test_message ("target %.1f ms, delay %.1f ms, concealed %.2f %%, stretched %.2f %%", outcome.target_ms, outcome.delay_ms,
                  outcome.concealed, outcome.stretched);
  g_assert_cmpfloat (outcome.delay_ms, <, 120);
  g_assert_cmpfloat (outcome.concealed, <, 2);
}

/* ---- the distribution ---- */

static void
test_delay (void)
{
  static PlayoutDelay delay;
  SignalRandom random = { 8 };

  playout_delay_reset (&delay);
  g_assert_cmpint (playout_delay_target (&delay), ==, 40 * 48);
  for (guint i = 0; i < 3000; i++)
    {
      gint64 transit = -7000000 + (gint64) (signal_uniform (&random) * 480);

      playout_delay_add (&delay, transit, PACKET);
      for (guint k = 1; k < delay.n; k++)
        g_assert_cmpint (delay.sorted[k - 1], <=, delay.sorted[k]);
    }
  g_assert_cmpint (playout_delay_base (&delay), <=, -7000000 + 10);
  g_assert_cmpint (playout_delay_target (&delay), >=, 400);
  g_assert_cmpint (playout_delay_target (&delay), <=, 480 * 107 / 100);        /* with the margin of a thousand */
  g_assert_cmpint (playout_delay_urgent (&delay, 480), ==, 0);

  /* The network moves by 200 ms: urgent at once, by the distribution only later; and the base follows when the old are out. */
  for (guint i = 0; i < 4; i++)
    playout_delay_add (&delay, -7000000 + 200 * 48, PACKET);
  g_assert_cmpint (playout_delay_urgent (&delay, 480), >=, 200 * 48 - 480);
  g_assert_cmpint (playout_delay_target (&delay), <=, 480 * 107 / 100);        /* with the margin of a thousand */
  for (guint i = 0; i < 1000; i++)
    playout_delay_add (&delay, -7000000 + 200 * 48, PACKET);
  g_assert_cmpint (playout_delay_base (&delay), ==, -7000000 + 200 * 48);
  g_assert_cmpint (playout_delay_target (&delay), ==, 0);

  /* A stall gets better with each packet: nothing urgent. */
  for (int late = 140; late > 0; late -= 20)
    {
      playout_delay_add (&delay, -7000000 + (200 + late) * 48, PACKET);
      g_assert_cmpint (playout_delay_urgent (&delay, 0), ==, 0);
    }
  /* Long packets need fewer of them for the same time. */
  for (guint i = 0; i < 400; i++)
    playout_delay_add (&delay, 0, 2880);
  g_assert_cmpuint (delay.n, ==, 20000 / 60);
}

/* A call begins with signalling in the queue: what the first second was like is forgotten soon. */
static void
test_beginning (void)
{
  static PlayoutDelay delay;

  playout_delay_reset (&delay);
  for (guint i = 0; i < 50; i++)
    playout_delay_add (&delay, (100 - i) * 48, PACKET);
  for (guint i = 0; i < 50; i++)
    playout_delay_add (&delay, (i % 5) * 48, PACKET);
  g_assert_cmpint (playout_delay_target (&delay), >, 60 * 48);
  for (guint i = 0; i < 150; i++)
    playout_delay_add (&delay, (i % 5) * 48, PACKET);
  g_assert_cmpint (playout_delay_target (&delay), <, 8 * 48);
}

/* A frame that is longer comes later by that, and by nothing else: when they are short again nothing has to be forgotten first. */
static void
test_frame_length (void)
{
  static PlayoutDelay delay;

  playout_delay_reset (&delay);
  for (guint i = 0; i < 300; i++)
    playout_delay_add (&delay, 1000 * 48 + (i % 5) * 48 + 2 * PACKET, 2 * PACKET);
  g_assert_cmpint (playout_delay_base (&delay), ==, 1000 * 48 + 2 * PACKET);
  for (guint i = 0; i < 20; i++)
    playout_delay_add (&delay, 1000 * 48 + (i % 5) * 48 + PACKET, PACKET);
  g_assert_cmpint (playout_delay_base (&delay), ==, 1000 * 48 + PACKET);
  g_assert_cmpint (playout_delay_target (&delay), <, 8 * 48);
  playout_delay_add (&delay, 1000 * 48 + 2 * PACKET, 2 * PACKET);
  g_assert_cmpint (playout_delay_base (&delay), ==, 1000 * 48 + 2 * PACKET);
  /* One of them between long ones is no change. */
  playout_delay_add (&delay, 1000 * 48 + PACKET, PACKET);
  g_assert_cmpint (playout_delay_base (&delay), ==, 1000 * 48 + 2 * PACKET);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/playout/start", test_start);
  g_test_add_func ("/playout/duplicates-and-reordering", test_duplicates_and_reordering);
  g_test_add_func ("/playout/fec", test_fec);
  g_test_add_func ("/playout/late-rewinds", test_late_rewinds);
  g_test_add_func ("/playout/growth", test_growth);
  g_test_add_func ("/playout/dtx", test_dtx);
  g_test_add_func ("/playout/silence-suppression", test_silence_suppression);
  g_test_add_func ("/playout/noise-and-events", test_noise_and_events);
  g_test_add_func ("/playout/new-source", test_new_source);
  g_test_add_func ("/playout/restart", test_restart);
  g_test_add_func ("/playout/outage", test_outage);
  g_test_add_func ("/playout/comes-down", test_comes_down);
  g_test_add_func ("/playout/hold", test_hold);
  g_test_add_func ("/playout/delay", test_delay);
  g_test_add_func ("/playout/beginning", test_beginning);
  g_test_add_func ("/playout/frame-length", test_frame_length);
  g_test_add_func ("/playout/traces", test_traces);
  g_test_add_func ("/playout/random-traces", test_random_traces);
  g_test_add_func ("/playout/day", test_day);
  return g_test_run ();
}
