/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What may come in by a media socket, checked and cut down before anybody acts on it, and how many sources may speak. Pure, in place, no
 * allocation. */

#include <glib.h>

#define MEDIA_RTP_HEADER 12

/* RFC 7983 section 7; RTP and RTCP apart as RFC 5761 section 4 says. */
typedef enum
{
  MEDIA_PACKET_RTP,
  MEDIA_PACKET_RTCP,
  MEDIA_PACKET_STUN,
  MEDIA_PACKET_ZRTP,
  MEDIA_PACKET_DTLS,
  MEDIA_PACKET_TURN_CHANNEL,
  MEDIA_PACKET_UNKNOWN,
} MediaPacketClass;

MediaPacketClass media_packet_classify (const guint8 *data, gsize length);

typedef struct
{
  guint8 payload_type;
  gboolean marker;
  guint16 seq;
  guint32 timestamp, ssrc;
} MediaRtpHeader;

/* Checks a plain RTP packet (RFC 3550 section 5.1) and takes out CSRC list, header extension and padding, none of which we use. FALSE: malformed,
 * or nothing is left. */
gboolean media_rtp_normalise (guint8 *packet, gsize *length, MediaRtpHeader *ret_header);
/* The element of a header extension (RFC 8285), of one octet or two, before it is taken out. FALSE: there is none. */
gboolean media_rtp_find_extension (const guint8 *packet, gsize length, guint id, const guint8 **ret_data, gsize *ret_length);
void media_rtp_set_ssrc (guint8 *packet, guint32 ssrc);

/* Checks a plain compound RTCP packet (RFC 3550 appendix A.2) and keeps of it the sender and receiver reports and the BYE of the first
 * packet's sender. reduced: it need not start with a report (RFC 5506), and nothing may be left. FALSE: malformed. */
gboolean media_rtcp_filter (guint8 *packet, gsize *length, gboolean reduced, guint32 *ret_sender, gboolean *ret_bye);
/* TRUE: a compound packet that we made holds a BYE. */
gboolean media_rtcp_has_bye (const guint8 *packet, gsize length);

/* How many sources a session may have: those seen lately, and new ones at a pace at which the old are forgotten. */
#define MEDIA_SOURCES 8

typedef struct
{
  struct
  {
    guint32 ssrc;
    gint64 seen;
  } known[MEDIA_SOURCES];
  guint n_known;
  gint64 refilled;
} MediaSourceGate;

/* now: monotonic us. FALSE: too many new sources. A zeroed gate is ready for use. */
gboolean media_source_gate_admit (MediaSourceGate *gate, guint32 ssrc, gint64 now);
