/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-codec.h"

#include "media/codec-impl.h"

/* Dispatch and the checks that all codecs share. Payloads come from the network: nothing but codec_*'s duration() sees one whose
 * duration is not known to be sane. */

#define MAX_SAMPLES (MEDIA_RATE / 1000 * MEDIA_MAX_FRAME_MS)
#define CONCEAL_STEP 120

struct _MediaEncoder
{
  const CodecImpl *impl;
  gpointer state;
};

struct _MediaDecoder
{
  const CodecImpl *impl;
  gpointer state, saved;
  gboolean is_saved;
};

static const CodecImpl *
find_impl (PhoneCodecId codec)
{
  switch (codec)
    {
    case PHONE_CODEC_OPUS: return &codec_opus;
    case PHONE_CODEC_G722: return &codec_g722;
    case PHONE_CODEC_PCMU: return &codec_pcmu;
    case PHONE_CODEC_PCMA: return &codec_pcma;
    }
  g_assert_not_reached ();
}

guint
media_encoder_frame_ms (PhoneCodecId codec, guint ms)
{
  ms = CLAMP (ms / 10 * 10, 10, 60);
  if (codec == PHONE_CODEC_OPUS)
    return ms >= 60 ? 60 : ms >= 40 ? 40 : ms >= 20 ? 20 : 10;
  return ms;
}

MediaEncoder *
media_encoder_new (const PhoneCodec *codec, const MediaRate *rate, GError **error)
{
  const CodecImpl *impl = find_impl (codec->id);
  gpointer state = impl->encoder_new (codec, error);
  MediaEncoder *encoder;

  if (!state)
    return NULL;
  encoder = g_new0 (MediaEncoder, 1);
  encoder->impl = impl;
  encoder->state = state;
  media_encoder_set_rate (encoder, rate);
  return encoder;
}

void
media_encoder_set_rate (MediaEncoder *encoder, const MediaRate *rate)
{
  if (encoder->impl->encoder_set_rate)
    encoder->impl->encoder_set_rate (encoder->state, rate);
}

int
media_encoder_encode (MediaEncoder *encoder, const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  g_return_val_if_fail (samples > 0 && samples % MEDIA_FRAME == 0 && samples <= MAX_SAMPLES, -1);
  return encoder->impl->encode (encoder->state, pcm, samples, ret_payload);
}

void
media_encoder_free (MediaEncoder *encoder)
{
  if (!encoder)
    return;
  encoder->impl->encoder_free (encoder->state);
  g_free (encoder);
}

MediaDecoder *
media_decoder_new (PhoneCodecId codec, GError **error)
{
  const CodecImpl *impl = find_impl (codec);
  gpointer state = impl->decoder_new (error);
  MediaDecoder *decoder;

  if (!state)
    return NULL;
  decoder = g_new0 (MediaDecoder, 1);
  decoder->impl = impl;
  decoder->state = state;
  return decoder;
}

guint
media_decoder_duration (PhoneCodecId codec, const guint8 *payload, gsize length)
{
  guint samples;

  if (length == 0 || length > MEDIA_MAX_PAYLOAD)
    return 0;
  samples = find_impl (codec)->duration (payload, length);
  return samples <= MAX_SAMPLES ? samples : 0;
}

gboolean
media_decoder_has_fec (PhoneCodecId codec, const guint8 *payload, gsize length)
{
  const CodecImpl *impl = find_impl (codec);

  return impl->has_fec && media_decoder_duration (codec, payload, length) > 0 && impl->has_fec (payload, length);
}

gboolean
media_decoder_is_dtx (PhoneCodecId codec, const guint8 *payload, gsize length)
{
  const CodecImpl *impl = find_impl (codec);

  return impl->is_dtx && media_decoder_duration (codec, payload, length) > 0 && impl->is_dtx (payload, length);
}

static gboolean
payload_fits (MediaDecoder *decoder, const guint8 *payload, gsize length, guint capacity)
{
  guint samples;

  if (length == 0 || length > MEDIA_MAX_PAYLOAD)
    return FALSE;
  samples = decoder->impl->duration (payload, length);
  return samples > 0 && samples <= MIN (capacity, MAX_SAMPLES);
}

int
media_decoder_decode (MediaDecoder *decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity)
{
  if (!payload_fits (decoder, payload, length, capacity))
    return -1;
  return decoder->impl->decode (decoder->state, payload, length, ret_pcm, capacity);
}

int
media_decoder_decode_fec (MediaDecoder *decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint samples)
{
  g_return_val_if_fail (samples > 0 && samples % CONCEAL_STEP == 0 && samples <= MAX_SAMPLES, -1);

  if (!decoder->impl->decode_fec || !payload_fits (decoder, payload, length, MAX_SAMPLES))
    return decoder->impl->conceal (decoder->state, ret_pcm, samples);
  return decoder->impl->decode_fec (decoder->state, payload, length, ret_pcm, samples);
}

int
media_decoder_conceal (MediaDecoder *decoder, gint16 *ret_pcm, guint samples)
{
  g_return_val_if_fail (samples > 0 && samples % CONCEAL_STEP == 0 && samples <= MAX_SAMPLES, -1);
  return decoder->impl->conceal (decoder->state, ret_pcm, samples);
}

void
media_decoder_save (MediaDecoder *decoder)
{
  if (decoder->is_saved)
    return;
  if (!decoder->saved)
    decoder->saved = g_malloc (decoder->impl->saved_size ());
  decoder->impl->save (decoder->state, decoder->saved);
  decoder->is_saved = TRUE;
}

gboolean
media_decoder_restore (MediaDecoder *decoder)
{
  if (!decoder->is_saved)
    return FALSE;
  decoder->impl->restore (decoder->state, decoder->saved);
  decoder->is_saved = FALSE;
  return TRUE;
}

void
media_decoder_drop (MediaDecoder *decoder)
{
  decoder->is_saved = FALSE;
}

void
media_decoder_free (MediaDecoder *decoder)
{
  if (!decoder)
    return;
  decoder->impl->decoder_free (decoder->state);
  g_free (decoder->saved);
  g_free (decoder);
}
