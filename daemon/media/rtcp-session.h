/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The reports of RTP (RFC 3550 sections 6 and 8, appendix A): what came, what went out, what the peer says of ours, when the next report
 * is due and what stands in it. One stream of ours, a few sources of the peer's side. Pure: no thread, no clock, nothing allocated; `now` is
 * monotonic us. Whoever calls has taken apart and checked what comes in (media-rtp). */

#include <glib.h>

#define RTCP_SOURCES 4                  /* that are reported on; one more takes the place of the one that was silent longest */
#define RTCP_CNAME 16
/* Octets of the longest compound: SR with all blocks, SDES, BYE */
#define RTCP_COMPOUND (28 + 24 * RTCP_SOURCES + 8 + 2 + RTCP_CNAME + 2 + 8)

typedef struct
{
  guint32 ssrc;
  gint64 heard_at;                      /* RTP or SR, 0: the place is free */
  gboolean reported;                    /* nothing of its RTP is new since the last report of ours */

  guint64 received;
  guint32 base, highest;                /* sequence numbers, with their cycles in the upper half */
  guint32 bad;                          /* the number after one that jumped, G_MAXUINT32: none */
  guint32 expected_before, received_before;     /* as of our last report */
  guint clock_rate;                     /* of the last packet, Hz */
  guint32 timestamp;
  gint64 arrival;
  double jitter;                        /* in units of the clock */

  guint32 sr;                           /* middle of the last SR's NTP time, 0: none */
  gint64 sr_at;
} RtcpSource;

typedef struct
{
  guint64 received;                     /* from the source that was asked for */
  gint64 lost;                          /* expected less received; doubles make it negative; -1: there is none */
  double jitter;                        /* ms; NAN: unknown */
  gboolean have_report;                 /* the peer has reported on us, and not long ago */
  guint32 report_serial;                /* changes with every report */
  double report_loss, report_jitter;    /* 0..1, in units of our clock */
  double round_trip;                    /* ms; NAN: unknown */
} RtcpStats;

typedef struct
{
  guint32 ssrc;
  char cname[RTCP_CNAME + 1];
  gint64 begun, wall;                   /* the same moment by both clocks, us: a wall clock that is set meanwhile changes nothing */
  RtcpSource sources[RTCP_SOURCES];

  guint64 packets, octets;              /* of ours, payloads only */
  guint32 timestamp;                    /* of the last */
  gint64 sent_at;                       /* the first packet with it, 0: none */
  guint clock_rate;
  guint64 packets_before, packets_before_that;  /* as of our last report, and of the one before */

  gint64 reported_at;                   /* the peer on us, 0: never */
  guint32 serial, report_jitter;
  guint8 report_loss;                   /* in 1/256 */
  double round_trip;

  gint64 due, last;                     /* of our reports; last 0: none */
  gint64 least;                         /* us between two */
  double compound;                      /* mean octets, with IP and UDP */
  guint64 carried, carried_before;      /* octets of RTP both ways */
  guint32 random;
} RtcpSession;

/* cname: RTCP_CNAME characters. least: as rtcp_session_set_interval(). wall: us since 1970, now. seed: of the spread of reports in time. */
void rtcp_session_init (RtcpSession *session, guint32 ssrc, const char *cname, gint64 least, gint64 wall, guint32 seed,
                        gint64 now);
/* us between two reports, if their share of the bandwidth (section 6.2) allows that. Live. */
void rtcp_session_set_interval (RtcpSession *session, gint64 least);

/* A packet of ours has gone out. */
void rtcp_session_sent (RtcpSession *session, guint32 timestamp, guint clock_rate, gsize payload, gint64 now);
/* One has come. FALSE: its number is far from the last, which by itself is taken for a fault of the network's (appendix A.1): it is not to be used. */
gboolean rtcp_session_arrived (RtcpSession *session, guint32 ssrc, guint16 number, guint32 timestamp, guint clock_rate, gsize payload, gint64 now);
/* A compound of the peer's, as media_rtcp_filter() leaves it. A BYE in it changes nothing: what is not heard any more is not reported on. */
void rtcp_session_told (RtcpSession *session, const guint8 *compound, gsize length, gint64 now);

gint64 rtcp_session_due (const RtcpSession *session);
/* The report that is due, or one that says goodbye; its octets, at most RTCP_COMPOUND. The next is due later. */
gsize rtcp_session_write (RtcpSession *session, gboolean bye, gint64 now, guint8 *ret_compound);
/* There was no way to send one. */
void rtcp_session_skip (RtcpSession *session, gint64 now);

void rtcp_session_get_stats (const RtcpSession *session, guint32 ssrc, gint64 now, RtcpStats *ret_stats);
