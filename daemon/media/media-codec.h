/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Encoders and decoders behind one table: Opus (libopus), G.722 (spandsp), PCMU/PCMA (ITU-T G.711). All speak MEDIA_RATE mono to
 * the inside; the resampling between 48 kHz and the codec's own rate is theirs. One thread at a time per object. */

#include "core/media-desc.h"
#include "media/media-types.h"

#define MEDIA_MAX_FRAME_MS 120
#define MEDIA_MAX_PAYLOAD 1275

typedef struct _MediaEncoder MediaEncoder;
typedef struct _MediaDecoder MediaDecoder;

/* What rate control asks of an encoder; codecs without a knob ignore it. */
typedef struct
{
  guint bitrate;                /* bit/s */
  guint loss_percent;           /* expected, 0..100 */
  gboolean fec, dtx;
  gboolean cbr;                 /* every packet is as long as the bit rate says */
  gboolean bounded;             /* no packet is longer than that; shorter ones are */
  guint frame_ms;               /* 10, 20, 40, 60 */
  guint complexity;             /* 0..10 */
  gboolean stopped;             /* nothing goes out; not the encoder's business either */
  guint copies;                 /* of earlier packets in each (RFC 2198); not the encoder's business */
} MediaRate;

/* The frame length that the codec can make and that is nearest to ms, not above it if possible: 10, 20, 40 or 60 for Opus, a
 * multiple of 10 up to 60 for the others. */
guint media_encoder_frame_ms (PhoneCodecId codec, guint ms);
/* codec carries the peer's fmtp limits: maxplaybackrate, maxaveragebitrate, useinbandfec, usedtx and cbr are kept to whatever rate says. */
MediaEncoder *media_encoder_new (const PhoneCodec *codec, const MediaRate *rate, GError **error);
void media_encoder_set_rate (MediaEncoder *encoder, const MediaRate *rate);
/* pcm: frame_ms of MEDIA_RATE mono. Returns octets written to ret_payload (MEDIA_MAX_PAYLOAD), 0: nothing need be sent (DTX), -1: error. */
int media_encoder_encode (MediaEncoder *encoder, const gint16 *pcm, guint samples, guint8 *ret_payload);
void media_encoder_free (MediaEncoder *encoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaEncoder, media_encoder_free)

MediaDecoder *media_decoder_new (PhoneCodecId codec, GError **error);
/* Samples (at MEDIA_RATE) that a payload holds, 0 if it is malformed. */
guint media_decoder_duration (PhoneCodecId codec, const guint8 *payload, gsize length);
/* The payload carries a copy of the frame before it (RFC 6716 section 2.1.7). */
gboolean media_decoder_has_fec (PhoneCodecId codec, const guint8 *payload, gsize length);
/* The payload says that silence goes on (RFC 6716 section 2.1.9): nothing may follow for a while and nothing is missing then. */
gboolean media_decoder_is_dtx (PhoneCodecId codec, const guint8 *payload, gsize length);
/* Each returns samples written (at most capacity), or -1. conceal: PLC for `samples`; fec: the frame BEFORE this payload. samples is a
 * multiple of 120 (2.5 ms), at most MEDIA_MAX_FRAME_MS; fec falls back to concealment when there is none in the payload. */
int media_decoder_decode (MediaDecoder *decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity);
int media_decoder_decode_fec (MediaDecoder *decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint samples);
int media_decoder_conceal (MediaDecoder *decoder, gint16 *ret_pcm, guint samples);
/* Concealment may prove premature: save before it, restore when the packet turns up after all. The first saved state of a run counts
 * until it is restored or dropped. FALSE: nothing was saved. What is no signal but memory of it is brought back; the cost is a copy. */
void media_decoder_save (MediaDecoder *decoder);
gboolean media_decoder_restore (MediaDecoder *decoder);
void media_decoder_drop (MediaDecoder *decoder);
void media_decoder_free (MediaDecoder *decoder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaDecoder, media_decoder_free)
