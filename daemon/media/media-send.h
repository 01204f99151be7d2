/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sending end of a call. The hub pushes PCM frames into a ring; media_send_drain() on the call's I/O thread encodes, numbers (one SSRC,
 * sequence and timestamp space for the life of the session, across codec changes) and hands out packets, and interleaves telephone events
 * (RFC 4733). */

#include "core/offer-answer.h"
#include "media/media-codec.h"

typedef struct _MediaSend MediaSend;

typedef void (*MediaSendWake) (gpointer data);
typedef void (*MediaSendPacket) (const guint8 *packet, gsize length, gpointer data);

typedef struct
{
  guint64 packets, octets;      /* RTP packets with audio or events, octets of their payloads */
  guint64 not_sent;             /* packets that DTX saved */
  guint64 copies;               /* of earlier packets that went out with others */
  guint64 dropped_frames;       /* 10 ms frames lost because drain() came too late */
  double level;                 /* dBFS of what was sent last */
  char codec[8];                /* "" before there is one */
} MediaSendStats;

MediaSend *media_send_new (void);
void media_send_free (MediaSend *send);                 /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaSend, media_send_free)
guint32 media_send_get_ssrc (MediaSend *send);
/* wake: from the hub thread when a packet's worth of PCM waits; must be quick (write an eventfd). packet: an RTP packet that is to go out, from
 * media_send_drain(). */
void media_send_set_callbacks (MediaSend *send, MediaSendWake wake, MediaSendPacket packet, gpointer data);
/* Live. Keeps the encoder when the codec and its parameters stay the same. rate->frame_ms 0: the plan's ptime. */
gboolean media_send_set_format (MediaSend *send, const PhoneMediaPlan *plan, const MediaRate *rate, GError **error);
void media_send_set_rate (MediaSend *send, const MediaRate *rate);
void media_send_set_enabled (MediaSend *send, gboolean enabled);        /* direction says that we may send; FALSE at first */
void media_send_push (MediaSend *send, const gint16 *frame, gint64 now);        /* hub thread; never blocks; drops the oldest when full */
void media_send_drain (MediaSend *send);                                /* I/O thread */
/* Queue digits; ms each, 50 ms pause between (RFC 4733 section 2.5). MEDIA_FAILED: the peer takes no telephone events.
 * INVALID_OPTION: a character is no digit, or too many wait. INVALID_STATE: we may not send now. */
gboolean media_send_dtmf (MediaSend *send, const char *digits, guint ms, GError **error);
void media_send_get_stats (MediaSend *send, MediaSendStats *ret_stats);
