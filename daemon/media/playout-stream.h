/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One received stream from RTP packets to frames of 10 ms: keeps the payloads, does what playout-core decides with the decoders, and
 * takes telephone events aside. No thread, no clock, no GStreamer: tests and benchmarks run it as fast as they like. */

#include "core/offer-answer.h"
#include "media/media-codec.h"
#include "media/media-receive.h"

#define PLAYOUT_MAX_PACKET (MEDIA_MAX_PAYLOAD + 128)    /* octets, with RTP header */

typedef struct _PlayoutStream PlayoutStream;

PlayoutStream *playout_stream_new (void);
void playout_stream_free (PlayoutStream *stream);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PlayoutStream, playout_stream_free)

/* What each of the 128 payload types means. */
typedef struct
{
  enum { PLAYOUT_FORMAT_NONE, PLAYOUT_FORMAT_CODEC, PLAYOUT_FORMAT_NOISE, PLAYOUT_FORMAT_EVENT, PLAYOUT_FORMAT_RED } kind;
  PhoneCodecId codec;
  guint clock_rate;
} PlayoutFormat;

/* Bounds of the target delay, ms. */
void playout_stream_set_bounds (PlayoutStream *stream, guint min_ms, guint max_ms);
void playout_formats_from_plan (PlayoutFormat ret_formats[128], const PhoneMediaPlan *plan);
void playout_stream_set_formats (PlayoutStream *stream, const PlayoutFormat formats[128]);
/* A whole RTP packet and when it came (us). Malformed ones and unknown payload types are ignored. */
void playout_stream_insert (PlayoutStream *stream, const guint8 *packet, gsize length, gint64 arrival);
/* The next frame. FALSE: no stream yet; the frame is silence. */
gboolean playout_stream_pull (PlayoutStream *stream, gint16 ret_frame[MEDIA_FRAME], gint64 now);
/* A received digit that is complete. */
gboolean playout_stream_take_digit (PlayoutStream *stream, char *ret_digit, guint *ret_ms);
void playout_stream_get_stats (const PlayoutStream *stream, MediaReceiveStats *ret_stats);
