/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Extended reports: bursts and gaps counted by hand, the octets of a block as RFC 3611 section 4.7 draws it, and what a monitor does with them. */

#include <math.h>
#include <string.h>

#include "media/media-gaps.h"
#include "media/media-monitor.h"
#include "media/media-xr.h"

#define OURS 0x01020304
#define THEIRS 0x0a0b0c0d

/* ---- bursts and gaps ---- */

/* '.': came, 'x': lost, 'l': too late. 20 ms each; the numbers wrap within. */
static MediaGapStats
count (const char *fates, MediaGaps *gaps)
{
  MediaGaps own = { 0 };
  MediaGapStats stats;

  gaps = gaps != NULL ? gaps : &own;
  for (guint i = 0; fates[i] != '\0'; i++)
    if (fates[i] != 'x')
      media_gaps_note (gaps, THEIRS, (guint16) (65500 + i), 20, fates[i] == 'l');
  media_gaps_get (gaps, &stats);
  return stats;
}

#define G16 "................"
#define G32 G16 G16
#define G128 G32 G32 G32 G32

static void
test_no_loss (void)
{
  MediaGapStats stats = count (G128, NULL);

  g_assert_cmpuint (stats.packets, ==, 128);
  g_assert_cmpuint (stats.lost + stats.late, ==, 0);
  g_assert_cmpfloat (stats.burst_density + stats.gap_density + stats.burst_ms, ==, 0);
  g_assert_cmpfloat (stats.gap_ms, ==, 128 * 20);
}

static void
test_bursts (void)
{
  /* Single losses with 16 good ones around them are the gap's. */
  MediaGapStats stats = count (G128 "x" G16 "x" G128, NULL);

  g_assert_cmpuint (stats.packets, ==, 274);
  g_assert_cmpuint (stats.lost, ==, 2);
  g_assert_cmpfloat (stats.burst_density, ==, 0);
  g_assert_cmpfloat_with_epsilon (stats.gap_density, 2 / 274.0, 1e-9);

  /* 15 are too few: one burst of 17, two bad in it. */
  stats = count (G128 "x..............." "l" G128, NULL);
  g_assert_cmpuint (stats.lost, ==, 1);
  g_assert_cmpuint (stats.late, ==, 1);
  g_assert_cmpfloat_with_epsilon (stats.burst_density, 2 / 17.0, 1e-9);
  g_assert_cmpfloat (stats.burst_ms, ==, 17 * 20);
  g_assert_cmpfloat (stats.gap_density, ==, 0);
  g_assert_cmpfloat (stats.gap_ms, ==, 128 * 20);

  /* Two bursts, of 3 and of 5, and one loss between. */
  stats = count (G32 "xxx" G32 "x" G32 "xx..x" G128, NULL);
  g_assert_cmpfloat_with_epsilon (stats.burst_density, 6 / 8.0, 1e-9);
  g_assert_cmpfloat (stats.burst_ms, ==, 4 * 20);
  g_assert_cmpfloat_with_epsilon (stats.gap_density, 1 / 225.0, 1e-9);
  g_assert_cmpfloat_with_epsilon (stats.gap_ms, 225 * 20 / 3.0, 1e-9);
}

/* What is missing behind the newest may still come, a copy or FEC may stand for it, and a restart decides on what waits. */
static void
test_order (void)
{
  MediaGaps gaps = { 0 };
  MediaGapStats stats = count (G32 "xxx.", &gaps);

  g_assert_cmpuint (stats.lost, ==, 0);
  media_gaps_note (&gaps, THEIRS, (guint16) (65500 + 33), 20, FALSE);
  media_gaps_note (&gaps, THEIRS, (guint16) (65500 + 34), 20, TRUE);
  media_gaps_note (&gaps, THEIRS, (guint16) (65500 + 34), 20, FALSE);   /* in time, after all: by a copy */
  media_gaps_note (&gaps, THEIRS + 1, 7, 20, FALSE);
  media_gaps_get (&gaps, &stats);
  g_assert_cmpuint (stats.packets, ==, 37);
  g_assert_cmpuint (stats.lost, ==, 1);
  g_assert_cmpuint (stats.late, ==, 0);
  media_gaps_note (&gaps, THEIRS + 1, 20000, 20, FALSE);
  media_gaps_get (&gaps, &stats);
  g_assert_cmpuint (stats.packets, ==, 38);
}

/* ---- the block ---- */

static const guint8 example[] = {
  0x80, 201,  0,    1,    0x0a, 0x0b, 0x0c, 0x0d,       /* an empty receiver report */
  0x80, 207,  0,    19,   0x0a, 0x0b, 0x0c, 0x0d,       /* XR */
  4,    0,    0,    2,    0xe0, 0,    0,    0,    0, 0, 0, 0,    /* receiver reference time */
  7,    0,    0,    8,    0x09, 0x09, 0x09, 0x09, 255, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* another's */
  4,    0,    0,    5,    0,    0,    0,    0,    0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, /* what is not known is passed over */
  0x80, 207,  0,    10,   0x0a, 0x0b, 0x0c, 0x0d,
  7,    0,    0,    8,    0x01, 0x02, 0x03, 0x04,
  13,   26,   128,  2,    0x01, 0x2c, 0x13, 0x88,       /* loss 5 %, discard 10 %, burst density 50 %, gap density; 300 ms, 5000 ms */
  0x00, 0x78, 0x00, 0x50, 0xec, 0xba, 127,  16,         /* 120 ms, 80 ms; -20 dBm0, -70 dBm0, unknown, Gmin */
  88,   127,  42,   38,   0xb0, 0,    0x00, 0x3c,       /* R, unknown, 4.2, 3.8; 60 ms */
  0x00, 0x64, 0x02, 0x58,                               /* 100 ms, 600 ms */
};

static void
test_read (void)
{
  PhoneVoiceMetrics m;

  g_assert_true (media_xr_parse (example, sizeof example, OURS, &m));
  g_assert_cmpfloat (m.loss, ==, 13 / 256.0);
  g_assert_cmpfloat (m.discard, ==, 26 / 256.0);
  g_assert_cmpfloat (m.burst_density, ==, 0.5);
  g_assert_cmpfloat (m.gap_density, ==, 2 / 256.0);
  g_assert_cmpfloat (m.burst_ms, ==, 300);
  g_assert_cmpfloat (m.gap_ms, ==, 5000);
  g_assert_cmpfloat (m.round_trip, ==, 120);
  g_assert_cmpfloat (m.end_delay, ==, 80);
  g_assert_cmpfloat (m.signal, ==, -20);
  g_assert_cmpfloat (m.noise, ==, -70);
  g_assert_true (isnan (m.echo_return));
  g_assert_cmpfloat (m.gmin, ==, 16);
  g_assert_cmpfloat (m.rating, ==, 88);
  g_assert_cmpfloat_with_epsilon (m.mos_lq, 4.2, 1e-9);
  g_assert_cmpfloat_with_epsilon (m.mos_cq, 3.8, 1e-9);
  g_assert_cmpfloat (m.playout_nominal, ==, 60);
  g_assert_cmpfloat (m.playout_max, ==, 100);
  g_assert_cmpfloat (m.playout_abs_max, ==, 600);
}

/* Cut anywhere, and with lengths that lie. */
static void
test_read_damaged (void)
{
  PhoneVoiceMetrics m;

  for (gsize n = 0; n < sizeof example; n++)
    {
      g_autofree guint8 *cut = g_memdup2 (example, n);
      g_assert_false (media_xr_parse (cut, n, OURS, &m));
    }
  g_assert_false (media_xr_parse (example, sizeof example, OURS + 1, &m));
  guint8 damaged[sizeof example];
  memcpy (damaged, example, sizeof example);
  damaged[sizeof example - 33] = 7;     /* a block that is too short */
  g_assert_false (media_xr_parse (damaged, sizeof damaged, OURS, &m));
}

static void
test_write (void)
{
  PhoneVoiceMetrics m;
  guint8 packet[MEDIA_XR_LENGTH];

  g_assert_true (media_xr_parse (example, sizeof example, OURS, &m));
  media_xr_write (THEIRS, OURS, &m, packet);
  g_assert_cmpmem (packet, sizeof packet, example + sizeof example - MEDIA_XR_LENGTH, MEDIA_XR_LENGTH);

  phone_voice_metrics_clear (&m);
  media_xr_write (THEIRS, OURS, &m, packet);
  g_assert_cmpmem (packet + 16, 8, "\0\0\0\0\0\0\0\0", 8);
  g_assert_cmpmem (packet + 28, 8, "\x7f\x7f\x7f\x10\x7f\x7f\x7f\x7f", 8);
  m.loss = 2;
  m.burst_ms = 1e9;
  m.signal = -500;
  m.mos_lq = 7;
  media_xr_write (THEIRS, OURS, &m, packet);
  g_assert_cmpint (packet[16], ==, 255);
  g_assert_cmpmem (packet + 20, 2, "\xff\xff", 2);
  g_assert_cmpint ((gint8) packet[28], ==, -127);
  g_assert_cmpint (packet[34], ==, 50);
}

/* ---- in the compound ---- */

static void
test_tell (void)
{
  static MediaMonitor monitor;
  static const guint8 report[] = { 0x80, 201, 0, 1, 1, 2, 3, 4 }, bye[] = { 0x81, 203, 0, 1, 1, 2, 3, 4 };
  PhoneMediaPlan plan = { .send = { .id = PHONE_CODEC_OPUS }, .ptime = 20 };
  PhoneVoiceMetrics m;
  guint8 packet[200];
  gsize length = sizeof report;

  memcpy (packet, report, sizeof report);
  memcpy (packet + sizeof report, bye, sizeof bye);
  media_monitor_init (&monitor);
  media_monitor_apply (&monitor, &plan);
  phone_voice_metrics_clear (&monitor.metrics);
  monitor.metrics.loss = 0.5;
  monitor.have_metrics = TRUE;
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 1000000);
  g_assert_cmpuint (length, ==, sizeof report);         /* the peer has not asked */

  media_monitor_sent (&monitor, 1, 100, 1000000);
  plan.voip_metrics = TRUE;
  media_monitor_apply (&monitor, &plan);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 1000000);
  g_assert_cmpuint (length, ==, sizeof report + MEDIA_XR_LENGTH);
  g_assert_true (media_xr_parse (packet, length, THEIRS, &m));
  g_assert_cmpfloat (m.loss, ==, 0.5);

  length = sizeof report;
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 2000000);
  g_assert_cmpuint (length, ==, sizeof report);         /* not so soon again */
  memcpy (packet + sizeof report, bye, sizeof bye);
  length = sizeof report + sizeof bye;
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 2000000);
  g_assert_cmpuint (length, ==, sizeof report + sizeof bye + MEDIA_XR_LENGTH);
  g_assert_cmpmem (packet + length - sizeof bye, sizeof bye, bye, sizeof bye);
  g_assert_true (media_xr_parse (packet, length, THEIRS, &m));

  g_assert_false (monitor.have_peer_metrics);
  media_monitor_told (&monitor, example, sizeof example, OURS, 3000000);
  g_assert_true (monitor.have_peer_metrics);
  g_assert_cmpfloat (monitor.peer_metrics.rating, ==, 88);
}

/* ---- round trips ---- */

/* We only receive: our time goes out, comes back 40 ms later with 30 ms at the peer, and is worth nothing a second time. */
static void
test_times (void)
{
  MediaXrTimes us, them;
  guint8 packet[MEDIA_XR_TIMES_LENGTH];
  gint64 now = 5000 * (gint64) G_USEC_PER_SEC + 123456, elsewhere = 77777777;
  gsize length;

  media_xr_times_init (&us);
  media_xr_times_init (&them);
  g_assert_cmpuint (media_xr_times_write (&us, OURS, FALSE, now, packet), ==, 0);
  g_assert_true (isnan (media_xr_times_get (&us, now)));
  length = media_xr_times_write (&us, OURS, TRUE, now, packet);
  g_assert_cmpuint (length, ==, 20);
  g_assert_cmpmem (packet, 12, ((const guint8[]) { 0x80, 207, 0, 4, OURS >> 24, OURS >> 16 & 255, OURS >> 8 & 255, OURS & 255, 4, 0, 0, 2 }), 12);
  g_assert_cmpmem (packet + 12, 4, ((const guint8[]) { 0, 0, 5000 >> 8, 5000 & 255 }), 4);

  media_xr_times_read (&them, packet, length, THEIRS, elsewhere);
  length = media_xr_times_write (&them, THEIRS, TRUE, elsewhere + 30000, packet);       /* they ask, too */
  g_assert_cmpuint (length, ==, MEDIA_XR_TIMES_LENGTH);
  media_xr_times_read (&us, packet, length, OURS + 1, now + 40000);     /* somebody else's */
  g_assert_true (isnan (us.round_trip));
  media_xr_times_read (&us, packet, length, OURS, now + 40000);
  g_assert_cmpfloat_with_epsilon (media_xr_times_get (&us, now + 40000), 10, 0.05);
  g_assert_true (isnan (media_xr_times_get (&us, now + 60 * G_USEC_PER_SEC)));
  media_xr_times_read (&us, packet, length, OURS, now + 40000);
  g_assert_cmpfloat_with_epsilon (us.round_trip, 10, 0.05);

  length = media_xr_times_write (&us, OURS, FALSE, now + 50000, packet);
  g_assert_cmpuint (length, ==, 8 + 16);
  media_xr_times_read (&them, packet, length, THEIRS, elsewhere + 50000);
  g_assert_cmpfloat_with_epsilon (media_xr_times_get (&them, elsewhere + 50000), 10, 0.05);
  g_assert_cmpuint (media_xr_times_write (&us, OURS, FALSE, now + 60000, packet), ==, 0);      /* answered */
}

/* Times that were never said, waits longer than the time since, and the end of a packet in the middle of a block. */
static void
test_times_hostile (void)
{
  MediaXrTimes us;
  guint8 packet[MEDIA_XR_TIMES_LENGTH], answer[8 + 16] = { 0x80, 207, 0, 5, THEIRS >> 24, THEIRS >> 16 & 255, THEIRS >> 8 & 255, THEIRS & 255, 5, 0, 0, 3,
                                                           OURS >> 24, OURS >> 16 & 255, OURS >> 8 & 255, OURS & 255 };
  gint64 now = 5000 * (gint64) G_USEC_PER_SEC;

  media_xr_times_init (&us);
  media_xr_times_write (&us, OURS, TRUE, now, packet);
  answer[16] = 0x77;
  media_xr_times_read (&us, answer, sizeof answer, OURS, now + 100000);
  g_assert_true (isnan (us.round_trip));
  memcpy (answer + 16, packet + 14, 4);
  answer[20] = 1;               /* 256 s */
  media_xr_times_read (&us, answer, sizeof answer, OURS, now + 100000);
  g_assert_true (isnan (us.round_trip));
  answer[20] = 0;
  for (gsize n = 0; n < sizeof answer; n++)
    {
      g_autofree guint8 *piece = g_memdup2 (answer, n);

      media_xr_times_read (&us, piece, n, OURS, now + 100000);
      g_assert_true (isnan (us.round_trip));
    }
  media_xr_times_read (&us, answer, sizeof answer, OURS, now + 70 * G_USEC_PER_SEC);
  g_assert_true (isnan (us.round_trip));                /* far too late */
  media_xr_times_read (&us, answer, sizeof answer, OURS, now + 100000);
  g_assert_cmpfloat_with_epsilon (us.round_trip, 100, 0.05);
}

/* The transport's part: asked only of those who have agreed to it, and while nothing of ours goes out. */
static void
test_times_told (void)
{
  static MediaMonitor monitor;
  static const guint8 report[] = { 0x80, 201, 0, 1, 1, 2, 3, 4 };
  PhoneMediaPlan plan = { .send = { .id = PHONE_CODEC_OPUS }, .ptime = 20 };
  const gint64 s = G_USEC_PER_SEC;
  guint8 packet[200], question[8 + 20];
  gsize length = sizeof report;

  memcpy (packet, report, sizeof report);
  media_monitor_init (&monitor);
  media_monitor_apply (&monitor, &plan);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 100 * s);
  g_assert_cmpuint (length, ==, sizeof report);
  plan.voip_metrics = TRUE;
  media_monitor_apply (&monitor, &plan);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 100 * s);
  g_assert_cmpuint (length, ==, sizeof report);         /* of metrics he has said something, of this nothing */
  plan.rcvr_rtt = PHONE_RCVR_RTT_SENDER;
  media_monitor_apply (&monitor, &plan);
  media_monitor_sent (&monitor, 1, 100, 100 * s);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 101 * s);
  g_assert_cmpuint (length, ==, sizeof report);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 110 * s);
  g_assert_cmpuint (length, ==, sizeof report + 20);
  memcpy (question, packet, length);
  media_monitor_told (&monitor, question, sizeof question, OURS, 110 * s);
  length = sizeof report;
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 110 * s);
  g_assert_cmpuint (length, ==, sizeof report + 20);    /* we do not send either: no answer of ours */
  length = sizeof report;
  media_monitor_told (&monitor, question, sizeof question, OURS, 110 * s);
  monitor.times.round_trip = 40;
  monitor.times.heard_at = 110 * s;
  g_assert_cmpfloat (media_monitor_round_trip (&monitor, 110 * s), ==, 40);
  media_monitor_sent (&monitor, 2, 100, 111 * s);
  g_assert_true (isnan (media_monitor_round_trip (&monitor, 111 * s)));        /* his reports know it now */
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 111 * s);
  g_assert_cmpuint (length, ==, sizeof report + 24);    /* who sends answers */

  plan.rcvr_rtt = PHONE_RCVR_RTT_ALL;
  media_monitor_apply (&monitor, &plan);
  length = sizeof report;
  media_monitor_told (&monitor, question, sizeof question, OURS, 120 * s);
  media_monitor_tell (&monitor, packet, &length, sizeof packet, OURS, THEIRS, 120 * s);
  g_assert_cmpuint (length, ==, sizeof report + MEDIA_XR_TIMES_LENGTH);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/xr/gaps/none", test_no_loss);
  g_test_add_func ("/xr/gaps/bursts", test_bursts);
  g_test_add_func ("/xr/gaps/order", test_order);
  g_test_add_func ("/xr/read", test_read);
  g_test_add_func ("/xr/read-damaged", test_read_damaged);
  g_test_add_func ("/xr/write", test_write);
  g_test_add_func ("/xr/tell", test_tell);
  g_test_add_func ("/xr/times", test_times);
  g_test_add_func ("/xr/times/hostile", test_times_hostile);
  g_test_add_func ("/xr/times/told", test_times_told);
  return g_test_run ();
}
