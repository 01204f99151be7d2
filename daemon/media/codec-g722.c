/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/codec-impl.h"

#include <spandsp.h>
#include "media/codec-narrow.h"
#include "util/phone-error.h"

/* G.722 at 64 kbit/s by spandsp: 16 kHz, one octet for two samples. */

#define FACTOR 3

typedef struct
{
  Narrow narrow;
  g722_encode_state_t *g722;
} G722Encoder;

typedef struct
{
  Narrow narrow;
  g722_decode_state_t *g722;
} G722Decoder;

static gpointer
g722_encoder_new (const PhoneCodec *codec, GError **error)
{
  g722_encode_state_t *g722 = g722_encode_init (NULL, 64000, 0);
  G722Encoder *encoder;

  if (!g722)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no G.722 encoder");
      return NULL;
    }
  encoder = g_new0 (G722Encoder, 1);
  encoder->g722 = g722;
  narrow_init_encoder (&encoder->narrow, FACTOR);
  return encoder;
}

static int
g722_encode_frame (gpointer data, const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  G722Encoder *encoder = data;
  gint16 wide[NARROW_MAX];
  guint n = narrow_down (&encoder->narrow, pcm, samples, wide);

  return g722_encode (encoder->g722, ret_payload, wide, (int) n);
}

static void
g722_encoder_free (gpointer data)
{
  G722Encoder *encoder = data;

  g722_encode_free (encoder->g722);
  narrow_clear (&encoder->narrow);
  g_free (encoder);
}

static gpointer
g722_decoder_new (GError **error)
{
  g722_decode_state_t *g722 = g722_decode_init (NULL, 64000, 0);
  G722Decoder *decoder;

  if (!g722)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no G.722 decoder");
      return NULL;
    }
  decoder = g_new0 (G722Decoder, 1);
  decoder->g722 = g722;
  narrow_init_decoder (&decoder->narrow, FACTOR);
  return decoder;
}

static guint
g722_duration (const guint8 *payload, gsize length)
{
  return (guint) length * 2 * FACTOR;
}

static int
g722_decode_frame (gpointer data, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity)
{
  G722Decoder *decoder = data;
  gint16 wide[NARROW_MAX];
  int n = g722_decode (decoder->g722, wide, payload, (int) length);

  return narrow_up (&decoder->narrow, wide, (guint) n, ret_pcm);
}

static void
g722_decoder_free (gpointer data)
{
  G722Decoder *decoder = data;

  g722_decode_free (decoder->g722);
  narrow_clear (&decoder->narrow);
  g_free (decoder);
}

const CodecImpl codec_g722 = {
  .encoder_new = g722_encoder_new,
  .encode = g722_encode_frame,
  .encoder_free = g722_encoder_free,
  .decoder_new = g722_decoder_new,
  .duration = g722_duration,
  .decode = g722_decode_frame,
  .conceal = narrow_conceal,
  .saved_size = narrow_saved_size,
  .save = narrow_save,
  .restore = narrow_restore,
  .decoder_free = g722_decoder_free,
};
