/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/codec-impl.h"

#include "media/codec-narrow.h"
#include "media/g711.h"

/* PCMU and PCMA: 8 kHz, one octet for one sample. */

#define FACTOR 6

static gpointer
g711_encoder_new (const PhoneCodec *codec, GError **error)
{
  Narrow *narrow = g_new0 (Narrow, 1);

  narrow_init_encoder (narrow, FACTOR);
  return narrow;
}

static gpointer
g711_decoder_new (GError **error)
{
  Narrow *narrow = g_new0 (Narrow, 1);

  narrow_init_decoder (narrow, FACTOR);
  return narrow;
}

static void
g711_free (gpointer data)
{
  Narrow *narrow = data;

  narrow_clear (narrow);
  g_free (narrow);
}

static int
encode (Narrow *narrow, guint8 (*law) (gint16), const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  gint16 linear[NARROW_MAX];
  guint n = narrow_down (narrow, pcm, samples, linear);

  for (guint i = 0; i < n; i++)
    ret_payload[i] = law (linear[i]);
  return (int) n;
}

static int
decode (Narrow *narrow, gint16 (*law) (guint8), const guint8 *payload, gsize length, gint16 *ret_pcm)
{
  gint16 linear[NARROW_MAX];

  for (gsize i = 0; i < length; i++)
    linear[i] = law (payload[i]);
  return narrow_up (narrow, linear, (guint) length, ret_pcm);
}

static int
pcmu_encode (gpointer data, const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  return encode (data, g711_ulaw_encode, pcm, samples, ret_payload);
}

static int
pcma_encode (gpointer data, const gint16 *pcm, guint samples, guint8 *ret_payload)
{
  return encode (data, g711_alaw_encode, pcm, samples, ret_payload);
}

static int
pcmu_decode (gpointer data, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity)
{
  return decode (data, g711_ulaw_decode, payload, length, ret_pcm);
}

static int
pcma_decode (gpointer data, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity)
{
  return decode (data, g711_alaw_decode, payload, length, ret_pcm);
}

static guint
g711_duration (const guint8 *payload, gsize length)
{
  return (guint) length * FACTOR;
}

const CodecImpl codec_pcmu = {
  .encoder_new = g711_encoder_new,
  .encode = pcmu_encode,
  .encoder_free = g711_free,
  .decoder_new = g711_decoder_new,
  .duration = g711_duration,
  .decode = pcmu_decode,
  .conceal = narrow_conceal,
  .saved_size = narrow_saved_size,
  .save = narrow_save,
  .restore = narrow_restore,
  .decoder_free = g711_free,
};

const CodecImpl codec_pcma = {
  .encoder_new = g711_encoder_new,
  .encode = pcma_encode,
  .encoder_free = g711_free,
  .decoder_new = g711_decoder_new,
  .duration = g711_duration,
  .decode = pcma_decode,
  .conceal = narrow_conceal,
  .saved_size = narrow_saved_size,
  .save = narrow_save,
  .restore = narrow_restore,
  .decoder_free = g711_free,
};
