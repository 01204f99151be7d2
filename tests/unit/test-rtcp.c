/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The reports of RTP without a network: two sessions that hand each other what they write, in virtual time. */

#include <math.h>
#include <string.h>

#include "media/media-octets.h"
#include "media/media-rtp.h"
#include "media/rtcp-session.h"

#define OURS 0x01020304u
#define THEIRS 0x0a0b0c0du
#define MS 1000
#define LEAST (500 * MS)
#define BEGIN G_GINT64_CONSTANT (5000000000)
#define WALL G_GINT64_CONSTANT (1700000000000000)

static void
begin (RtcpSession *session, guint32 ssrc, gint64 now)
{
  rtcp_session_init (session, ssrc, "0123456789abcdef", LEAST, WALL, ssrc, now);
}

static RtcpStats
stats_of (const RtcpSession *session, guint32 ssrc)
{
  RtcpStats stats;

  rtcp_session_get_stats (session, ssrc, BEGIN, &stats);
  return stats;
}

/* A packet of theirs, in its place in time. */
static gboolean
arrive (RtcpSession *session, guint16 number)
{
  return rtcp_session_arrived (session, THEIRS, number, number * 960u, 48000, 60, BEGIN + number * 20 * (gint64) MS);
}

static const guint8 *
block_of (RtcpSession *session, gint64 now)
{
  static guint8 report[RTCP_COMPOUND];

  rtcp_session_write (session, FALSE, now, report);
  g_assert_cmpuint (report[0] & 0x1f, ==, 1);
  return report + (report[1] == 200 ? 28 : 8);
}

/* RFC 3550 appendix A.1 and A.3. */
static void
test_sequence (void)
{
  RtcpSession session;
  const guint8 *block;

  begin (&session, OURS, BEGIN);
  g_assert_cmpint (stats_of (&session, THEIRS).lost, ==, -1);
  for (guint i = 65530; i < 65536 + 10; i++)
    if (i != 65535 && i != 65536 + 3)
      g_assert_true (arrive (&session, (guint16) i));
  g_assert_cmpint (stats_of (&session, THEIRS).lost, ==, 2);
  g_assert_cmpuint (stats_of (&session, THEIRS).received, ==, 14);
  block = block_of (&session, BEGIN);
  g_assert_cmphex (media_read32 (block), ==, THEIRS);
  g_assert_cmphex (media_read32 (block + 4), ==, (2u << 8) / 16 << 24 | 2);
  g_assert_cmphex (media_read32 (block + 8), ==, 0x10009);

  g_assert_true (arrive (&session, 3));                 /* late */
  g_assert_true (arrive (&session, 9));                 /* twice */
  g_assert_true (arrive (&session, 9));
  g_assert_cmpint (stats_of (&session, THEIRS).lost, ==, -1);
  block = block_of (&session, BEGIN);
  g_assert_cmphex (media_read32 (block + 4), ==, 0xffffff);     /* one more than was sent, and no share of anything */
  for (guint i = 10; i < 20; i++)
    arrive (&session, (guint16) i);
  g_assert_cmphex (block_of (&session, BEGIN)[4], ==, 0);

  /* A number out of the blue is nothing, two in a row are another beginning. */
  g_assert_false (arrive (&session, 30000));
  g_assert_true (arrive (&session, 20));
  g_assert_false (arrive (&session, 40000));
  g_assert_true (arrive (&session, 40001));
  g_assert_cmpint (stats_of (&session, THEIRS).lost, ==, 0);
  g_assert_cmpuint (stats_of (&session, THEIRS).received, ==, 1);
}

/* Appendix A.8: packets that take by turns 10 ms more come to a jitter of 10 ms; even ones have none, also across a change of the clock. */
static void
test_jitter (void)
{
  RtcpSession session;
  gint64 now = BEGIN;

  begin (&session, OURS, BEGIN);
  for (guint16 i = 0; i < 100; i++)
    arrive (&session, i);
  g_assert_cmpfloat_with_epsilon (stats_of (&session, THEIRS).jitter, 0, 0.01);
  for (guint i = 100; i < 300; i++)
    rtcp_session_arrived (&session, THEIRS, (guint16) i, i * 960, 48000, 60, BEGIN + i * 20 * (gint64) MS + (i % 2) * 10 * MS);
  g_assert_cmpfloat_with_epsilon (stats_of (&session, THEIRS).jitter, 10, 0.1);
  g_assert_cmpfloat_with_epsilon (media_read32 (block_of (&session, BEGIN) + 12), 480, 5);
  now = BEGIN + 300 * 20 * (gint64) MS;
  rtcp_session_arrived (&session, THEIRS, 300, 77, 8000, 60, now);
  g_assert_cmpfloat_with_epsilon (stats_of (&session, THEIRS).jitter, 10, 0.1);
  /* An event that goes on for 10 s under one time. */
  for (guint i = 301; i < 801; i++)
    rtcp_session_arrived (&session, THEIRS, (guint16) i, 77, 8000, 4, now + (i - 300) * 20 * (gint64) MS);
  g_assert_cmpfloat_with_epsilon (stats_of (&session, THEIRS).jitter, 10, 0.1);
}

/* 15 ms there, 30 ms with them, 25 ms back. */
static void
test_round_trip (void)
{
  RtcpSession us, them;
  guint8 report[RTCP_COMPOUND], forged[RTCP_COMPOUND];
  gint64 elsewhere = 77 * G_USEC_PER_SEC;
  RtcpStats stats;
  gsize length;

  begin (&us, OURS, BEGIN);
  begin (&them, THEIRS, elsewhere);
  rtcp_session_sent (&us, 4800, 48000, 60, BEGIN + 980 * MS);
  rtcp_session_arrived (&them, OURS, 1, 4800, 48000, 60, elsewhere + 1000 * MS);
  length = rtcp_session_write (&us, FALSE, BEGIN + 1000 * MS, report);
  g_assert_cmpuint (report[1], ==, 200);
  g_assert_cmpuint (media_read32 (report + 8), ==, WALL / G_USEC_PER_SEC + 1 + 2208988800u);    /* RFC 868 */
  g_assert_cmpuint (media_read32 (report + 16), ==, 4800 + 960);        /* the time of the report, not of the packet */
  g_assert_cmpuint (media_read32 (report + 20), ==, 1);
  g_assert_cmpuint (media_read32 (report + 24), ==, 60);
  rtcp_session_told (&them, report, length, elsewhere + 1015 * MS);
  length = rtcp_session_write (&them, FALSE, elsewhere + 1045 * MS, report);
  g_assert_cmpuint (report[1], ==, 201);

  /* From the future, held longer than it is old, not of ours, cut. */
  memcpy (forged, report, length);
  forged[24]++;
  rtcp_session_told (&us, forged, length, BEGIN + 1070 * MS);
  g_assert_true (isnan (stats_of (&us, THEIRS).round_trip));
  memcpy (forged, report, length);
  forged[28] = 1;
  rtcp_session_told (&us, forged, length, BEGIN + 1070 * MS);
  g_assert_true (isnan (stats_of (&us, THEIRS).round_trip));
  guint32 serial = stats_of (&us, THEIRS).report_serial;
  memcpy (forged, report, length);
  forged[8]++;
  rtcp_session_told (&us, forged, length, BEGIN + 1070 * MS);
  for (gsize n = 0; n < 32; n++)
    {
      g_autofree guint8 *piece = g_memdup2 (report, n);
      rtcp_session_told (&us, piece, n, BEGIN + 1070 * MS);
    }
  g_assert_cmpuint (stats_of (&us, THEIRS).report_serial, ==, serial);

  rtcp_session_told (&us, report, length, BEGIN + 1070 * MS);
  g_assert_cmpfloat_with_epsilon (stats_of (&us, THEIRS).round_trip, 40, 0.05);
  g_assert_cmpuint (stats_of (&us, THEIRS).report_serial, !=, serial);
  g_assert_cmpfloat (stats_of (&us, THEIRS).report_loss, ==, 0);

  /* Who is told of no report of ours knows no round trip; and what was said long ago is not said of now. */
  memset (report + 24, 0, 8);
  rtcp_session_told (&us, report, length, BEGIN + 1070 * MS);
  g_assert_true (isnan (stats_of (&us, THEIRS).round_trip));
  rtcp_session_get_stats (&us, THEIRS, BEGIN + 1070 * MS + 30 * G_USEC_PER_SEC, &stats);
  g_assert_true (stats.have_report);
  rtcp_session_get_stats (&us, THEIRS, BEGIN + 1071 * MS + 30 * G_USEC_PER_SEC, &stats);
  g_assert_false (stats.have_report);
  g_assert_true (isnan (stats.report_loss));
}

/* A digit that is held keeps the time at which it began. */
static void
test_event (void)
{
  RtcpSession session;
  guint8 report[RTCP_COMPOUND];

  begin (&session, OURS, BEGIN);
  for (guint i = 0; i < 100; i++)
    rtcp_session_sent (&session, 9600, 48000, 4, BEGIN + i * 20 * (gint64) MS);
  rtcp_session_write (&session, FALSE, BEGIN + 2000 * MS, report);
  g_assert_cmpuint (media_read32 (report + 16), ==, 9600 + 2 * 48000);
}

/* What is written holds what it should, is sound by our own measure, and says nothing twice. */
static void
test_compound (void)
{
  static const guint8 head[] = { 0x81, 202, 0, 6, 1, 2, 3, 4, 1, 16 };
  RtcpSession session;
  guint8 report[RTCP_COMPOUND];
  guint32 sender;
  gboolean bye;
  gsize length;

  begin (&session, OURS, BEGIN);
  length = rtcp_session_write (&session, FALSE, BEGIN, report);
  g_assert_cmpmem (report, 8, ((const guint8[]) { 0x80, 201, 0, 1, 1, 2, 3, 4 }), 8);
  g_assert_cmpmem (report + 8, sizeof head, head, sizeof head);
  g_assert_cmpmem (report + 18, 16, "0123456789abcdef", 16);
  g_assert_cmpmem (report + 34, 2, "\0\0", 2);
  g_assert_cmpuint (length, ==, 36);

  for (guint ssrc = 100; ssrc < 110; ssrc++)
    rtcp_session_arrived (&session, ssrc, 1, 1, 8000, 160, BEGIN + ssrc);
  rtcp_session_sent (&session, 1, 8000, 160, BEGIN);
  length = rtcp_session_write (&session, TRUE, BEGIN + 1000, report);
  g_assert_cmpuint (length, ==, RTCP_COMPOUND);
  g_assert_cmpuint (report[0], ==, 0x80 | RTCP_SOURCES);
  g_assert_true (media_rtcp_filter (report, &length, FALSE, &sender, &bye));
  g_assert_cmphex (sender, ==, OURS);
  g_assert_true (bye);
  g_assert_cmpuint (stats_of (&session, 109).received, ==, 1);
  g_assert_cmpuint (stats_of (&session, 100).received, ==, 0);          /* its place was needed */

  /* Who has sent is a sender for two reports (section 6.4). */
  length = rtcp_session_write (&session, FALSE, BEGIN + 2000, report);
  g_assert_cmpuint (report[0], ==, 0x80);
  g_assert_cmpuint (report[1], ==, 200);
  length = rtcp_session_write (&session, FALSE, BEGIN + 3000, report);
  g_assert_cmpuint (report[1], ==, 201);
}

/* How many octets of reports a minute has, and how many reports. */
static guint
run_minute (RtcpSession *session, gint64 *now, gboolean traffic, guint *ret_reports)
{
  guint8 report[RTCP_COMPOUND];
  guint octets = 0;

  *ret_reports = 0;
  for (guint i = 0; i < 3000; i++, *now += 20 * MS)
    {
      if (traffic)
        {
          rtcp_session_sent (session, i * 960, 48000, 60, *now);
          rtcp_session_arrived (session, THEIRS, (guint16) i, i * 960, 48000, 60, *now);
        }
      if (rtcp_session_due (session) > *now)
        continue;
      octets += (guint) rtcp_session_write (session, FALSE, *now, report) + 28;
      g_assert_cmpint (rtcp_session_due (session), >, *now);
      ++*ret_reports;
    }
  return octets;
}

/* Sections 6.2 and 6.3: as often as we like, but no more than the share of RTCP, and not in step with anybody. */
static void
test_pace (void)
{
  RtcpSession session;
  gint64 now = BEGIN;
  guint octets, reports;

  begin (&session, OURS, now);
  g_assert_cmpint (rtcp_session_due (&session), >, now);
  g_assert_cmpint (rtcp_session_due (&session), <=, now + LEAST);
  octets = run_minute (&session, &now, TRUE, &reports);
  g_assert_cmpuint (reports, >=, 60);
  g_assert_cmpuint (reports, <=, 150);
  g_assert_cmpfloat (octets, <, 0.05 * 3000 * 2 * (60 + 40) * 1.3);
  octets = run_minute (&session, &now, FALSE, &reports);                /* on hold: little, but there */
  g_assert_cmpuint (reports, >=, 10);
  g_assert_cmpuint (octets, <, 0.05 * 16000 / 8 * 60 * 1.3);
  rtcp_session_set_interval (&session, 10 * G_USEC_PER_SEC);
  run_minute (&session, &now, TRUE, &reports);
  g_assert_cmpuint (reports, <=, 12);
  rtcp_session_skip (&session, now);
  g_assert_cmpint (rtcp_session_due (&session), >, now);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rtcp/sequence", test_sequence);
  g_test_add_func ("/rtcp/jitter", test_jitter);
  g_test_add_func ("/rtcp/round-trip", test_round_trip);
  g_test_add_func ("/rtcp/event", test_event);
  g_test_add_func ("/rtcp/compound", test_compound);
  g_test_add_func ("/rtcp/pace", test_pace);
  return g_test_run ();
}
