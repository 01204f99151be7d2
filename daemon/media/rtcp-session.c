/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rtcp-session.h"

#include <math.h>
#include <string.h>

#include "media/media-octets.h"

#define SR 200
#define RR 201
#define SDES 202
#define BYE 203
#define HEADER 8                        /* with the sender's SSRC */
#define SENDER_INFO 20
#define BLOCK 24
#define IP_UDP 28
#define HEADERS 40                      /* of RTP, UDP and IP */

/* RFC 3550 appendix A.1 */
#define MAX_DROPOUT 3000
#define MAX_MISORDER 100
#define NO_NUMBER G_MAXUINT32

/* Sections 6.2 and 6.3: RTCP may have 5 % of what the session takes. The factor makes up for what reconsidering does to the mean. */
#define SHARE 0.05
#define BANDWIDTH 64000.0               /* bit/s, while nothing is known of it */
#define BANDWIDTH_LEAST 16000.0         /* on hold it would be nothing */
#define COMPENSATION 1.21828
#define STALE (30 * G_USEC_PER_SEC)     /* since when what the peer said of us says nothing of now */
#define MEMBER_US (60 * G_USEC_PER_SEC)   /* since when nothing was heard of one that has gone */

#define UNIX_TO_NTP G_GUINT64_CONSTANT (2208988800)     /* s from 1900 to 1970 */

/* ---- time ---- */

static guint64
ntp_time (const RtcpSession *session, gint64 now)
{
  guint64 us = (guint64) (session->wall + now - session->begun);

  return ((us / G_USEC_PER_SEC + UNIX_TO_NTP) << 32) | (((us % G_USEC_PER_SEC) << 32) / G_USEC_PER_SEC);
}

static guint32
middle (guint64 ntp)
{
  return (guint32) (ntp >> 16);
}

static double
next_random (RtcpSession *session)
{
  session->random = session->random * 1664525u + 1013904223u;
  return session->random / 4294967296.0;
}

static void
schedule (RtcpSession *session, gint64 now)
{
  gint64 since = now - session->last;
  double bandwidth = BANDWIDTH, interval;
  guint members = 1;

  for (guint i = 0; i < RTCP_SOURCES; i++)
    members += session->sources[i].heard_at != 0 && now - session->sources[i].heard_at < MEMBER_US;
  if (session->last != 0 && since > 0)
    bandwidth = MAX (8e6 * (double) (session->carried - session->carried_before) / (double) since, BANDWIDTH_LEAST);
  interval = 8e6 * session->compound * members / (SHARE * bandwidth);
  interval = MAX (interval, (double) session->least) * (session->last == 0 ? 0.5 : 1);
  session->due = now + (gint64) (interval * (0.5 + next_random (session)) / COMPENSATION);
  session->carried_before = session->carried;
  session->last = now;
}

void
rtcp_session_init (RtcpSession *session, guint32 ssrc, const char *cname, gint64 least, gint64 wall, guint32 seed, gint64 now)
{
  *session = (RtcpSession) { .ssrc = ssrc, .wall = wall, .begun = now, .round_trip = NAN, .least = least, .random = seed,
                             .compound = 100 + IP_UDP };
  g_strlcpy (session->cname, cname, sizeof session->cname);
  schedule (session, now);
  session->last = 0;
}

void
rtcp_session_set_interval (RtcpSession *session, gint64 least)
{
  session->least = least;
}

/* ---- what comes ---- */

static RtcpSource *
find_source (RtcpSession *session, guint32 ssrc, gint64 now)
{
  RtcpSource *eldest = &session->sources[0];

  for (guint i = 0; i < RTCP_SOURCES; i++)
    {
      RtcpSource *source = &session->sources[i];

      if (source->heard_at != 0 && source->ssrc == ssrc)
        {
          source->heard_at = now;
          return source;
        }
      if (source->heard_at < eldest->heard_at)
        eldest = source;
    }
  *eldest = (RtcpSource) { .ssrc = ssrc, .heard_at = now, .bad = NO_NUMBER };
  return eldest;
}

static void
begin_sequence (RtcpSource *source, guint16 number)
{
  source->base = source->highest = number;
  source->bad = NO_NUMBER;
  source->received = 0;
  source->received_before = source->expected_before = 0;
}

static gboolean
follow_sequence (RtcpSource *source, guint16 number)
{
  guint16 delta = (guint16) (number - source->highest);

  if (source->received == 0)
    begin_sequence (source, number);
  else if (delta < MAX_DROPOUT)
    source->highest += delta;
  else if (delta <= 65536 - MAX_MISORDER)
    {
      if (number != source->bad)
        {
          source->bad = (guint16) (number + 1);
          return FALSE;
        }
      /* Two in a row: the other side has begun anew without saying so. */
      begin_sequence (source, number);
    }
  source->received++;
  return TRUE;
}

/* Appendix A.8. Packets of one time (a telephone event that goes on) say nothing of the network's. */
static void
follow_jitter (RtcpSource *source, guint32 timestamp, guint clock_rate, gint64 now)
{
  if (source->clock_rate == clock_rate && source->arrival != 0)
    {
      if (timestamp == source->timestamp)
        return;
      double d = (double) (now - source->arrival) * clock_rate / 1e6 - (gint32) (timestamp - source->timestamp);
      source->jitter += (fabs (d) - source->jitter) / 16;
    }
  else if (source->clock_rate != 0)
    source->jitter *= (double) clock_rate / source->clock_rate;
  source->clock_rate = clock_rate;
  source->timestamp = timestamp;
  source->arrival = now;
}

gboolean
rtcp_session_arrived (RtcpSession *session, guint32 ssrc, guint16 number, guint32 timestamp, guint clock_rate, gsize payload, gint64 now)
{
  RtcpSource *source = find_source (session, ssrc, now);

  if (!follow_sequence (source, number))
    return FALSE;
  follow_jitter (source, timestamp, clock_rate, now);
  source->reported = FALSE;
  session->carried += payload + HEADERS;
  return TRUE;
}

void
rtcp_session_sent (RtcpSession *session, guint32 timestamp, guint clock_rate, gsize payload, gint64 now)
{
  session->packets++;
  session->octets += payload;
  /* A telephone event keeps the time at which it began (RFC 4733 section 2.5.1.2). */
  if (session->packets == 1 || timestamp != session->timestamp)
    session->sent_at = now;
  session->timestamp = timestamp;
  session->clock_rate = clock_rate;
  session->carried += payload + HEADERS;
}

/* ---- what is said of us ---- */

static void
read_block (RtcpSession *session, const guint8 *block, gint64 now)
{
  guint32 sr = media_read32 (block + 16), held = media_read32 (block + 20);
  guint32 since = middle (ntp_time (session, now)) - sr;

  session->reported_at = now;
  session->serial++;
  session->report_loss = block[4];
  session->report_jitter = media_read32 (block + 12);
  /* Without an SR of ours behind it there is no round trip in a report (section 6.4.1). A time that is still to come, or that the peer has
   * held for longer than it is old, is none of ours; a last digit of either clock may be rounded. */
  if (sr == 0)
    session->round_trip = NAN;
  else if (since < 1u << 31 && held <= since + 65)
    session->round_trip = since > held ? (since - held) * 1000.0 / 65536 : 0;
}

static void
read_report (RtcpSession *session, const guint8 *p, guint count, gint64 now)
{
  const guint8 *block = p + HEADER + (p[1] == SR ? SENDER_INFO : 0);

  if (p[1] == SR)
    {
      RtcpSource *source = find_source (session, media_read32 (p + 4), now);
      source->sr = media_read32 (p + 8) << 16 | media_read32 (p + 12) >> 16;
      source->sr_at = now;
    }
  for (guint i = 0; i < count; i++, block += BLOCK)
    if (media_read32 (block) == session->ssrc)
      read_block (session, block, now);
}

void
rtcp_session_told (RtcpSession *session, const guint8 *compound, gsize length, gint64 now)
{
  for (gsize at = 0; length - at >= HEADER;)
    {
      const guint8 *p = compound + at;
      gsize octets = 4 * ((gsize) media_read16 (p + 2) + 1);
      guint count = p[0] & 0x1f;

      if (octets > length - at)
        return;
      if ((p[1] == SR || p[1] == RR) && HEADER + (p[1] == SR ? SENDER_INFO : 0) + BLOCK * (gsize) count <= octets)
        read_report (session, p, count, now);
      at += octets;
    }
}

/* ---- what we say ---- */

static gint64
expected_of (const RtcpSource *source)
{
  return source->received > 0 ? (gint64) source->highest - source->base + 1 : 0;
}

static void
write_block (RtcpSource *source, gint64 now, guint8 *p)
{
  gint64 expected = expected_of (source), lost = CLAMP (expected - (gint64) source->received, -0x800000, 0x7fffff);
  gint64 expected_now = expected - source->expected_before;
  gint64 lost_now = expected_now - ((gint64) source->received - source->received_before);

  source->expected_before = (guint32) expected;
  source->received_before = (guint32) source->received;
  source->reported = TRUE;
  media_write32 (p, source->ssrc);
  media_write32 (p + 4, (guint32) lost & 0xffffff);
  p[4] = expected_now > 0 && lost_now > 0 ? (guint8) MIN ((lost_now << 8) / expected_now, 255) : 0;
  media_write32 (p + 8, source->highest);
  media_write32 (p + 12, (guint32) source->jitter);
  media_write32 (p + 16, source->sr);
  media_write32 (p + 20, source->sr != 0 ? (guint32) ((guint64) (now - source->sr_at) * 65536 / G_USEC_PER_SEC) : 0);
}

static gsize
finish (guint8 *packet, guint count, guint type, gsize octets)
{
  packet[0] = (guint8) (0x80 | count);
  packet[1] = (guint8) type;
  media_write16 (packet + 2, (guint) (octets / 4 - 1));
  return octets;
}

static gsize
write_report (RtcpSession *session, gint64 now, guint8 *p)
{
  /* Section 6.4: who has sent since the last report of his, or the one before that. */
  gboolean sender = session->packets != session->packets_before_that;
  gsize n = HEADER;
  guint count = 0;

  media_write32 (p + 4, session->ssrc);
  if (sender)
    {
      guint64 ntp = ntp_time (session, now);

      media_write32 (p + 8, (guint32) (ntp >> 32));
      media_write32 (p + 12, (guint32) ntp);
      media_write32 (p + 16, session->timestamp + (guint32) ((now - session->sent_at) * session->clock_rate / G_USEC_PER_SEC));
      media_write32 (p + 20, (guint32) session->packets);
      media_write32 (p + 24, (guint32) session->octets);
      n += SENDER_INFO;
    }
  session->packets_before_that = session->packets_before;
  session->packets_before = session->packets;
  for (guint i = 0; i < RTCP_SOURCES; i++)
    if (session->sources[i].heard_at != 0 && session->sources[i].received > 0 && !session->sources[i].reported)
      {
        write_block (&session->sources[i], now, p + n);
        n += BLOCK;
        count++;
      }
  return finish (p, count, sender ? SR : RR, n);
}

static gsize
write_sdes (const RtcpSession *session, guint8 *p)
{
  gsize length = strlen (session->cname), octets = HEADER + 2 + length;

  memset (p + octets, 0, 4);            /* one octet ends the list, and up to three fill the word */
  media_write32 (p + 4, session->ssrc);
  p[8] = 1;                             /* CNAME */
  p[9] = (guint8) length;
  memcpy (p + 10, session->cname, length);
  return finish (p, 1, SDES, (octets + 4) / 4 * 4);
}

gsize
rtcp_session_write (RtcpSession *session, gboolean bye, gint64 now, guint8 *ret_compound)
{
  gsize n = write_report (session, now, ret_compound);

  n += write_sdes (session, ret_compound + n);
  if (bye)
    {
      media_write32 (ret_compound + n + 4, session->ssrc);
      n += finish (ret_compound + n, 1, BYE, HEADER);
    }
  session->compound += ((double) (n + IP_UDP) - session->compound) / 16;
  schedule (session, now);
  return n;
}

gint64
rtcp_session_due (const RtcpSession *session)
{
  return session->due;
}

void
rtcp_session_skip (RtcpSession *session, gint64 now)
{
  schedule (session, now);
}

/* ---- statistics ---- */

void
rtcp_session_get_stats (const RtcpSession *session, guint32 ssrc, gint64 now, RtcpStats *ret_stats)
{
  gboolean told = session->reported_at != 0 && now - session->reported_at <= STALE;

  *ret_stats = (RtcpStats) { .lost = -1, .jitter = NAN, .have_report = told, .report_serial = session->serial,
                             .report_loss = told ? session->report_loss / 256.0 : NAN,
                             .report_jitter = told ? session->report_jitter : NAN, .round_trip = told ? session->round_trip : NAN };
  for (guint i = 0; i < RTCP_SOURCES; i++)
    {
      const RtcpSource *source = &session->sources[i];

      if (source->heard_at == 0 || source->ssrc != ssrc || source->received == 0)
        continue;
      ret_stats->received = source->received;
      ret_stats->lost = expected_of (source) - (gint64) source->received;
      ret_stats->jitter = source->jitter * 1000 / source->clock_rate;
    }
}
