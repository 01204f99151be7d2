/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What a codec fills in; only media-codec.c and codec-*.c include this. Arguments have been checked by media-codec.c: sizes are within
 * MEDIA_MAX_FRAME_MS, payloads are not empty and their duration is known and fits. */

#include "media/media-codec.h"

typedef struct
{
  gpointer (*encoder_new) (const PhoneCodec *codec, GError **error);
  void (*encoder_set_rate) (gpointer encoder, const MediaRate *rate);           /* may be NULL */
  int (*encode) (gpointer encoder, const gint16 *pcm, guint samples, guint8 *ret_payload);
  void (*encoder_free) (gpointer encoder);

  gpointer (*decoder_new) (GError **error);
  guint (*duration) (const guint8 *payload, gsize length);
  gboolean (*has_fec) (const guint8 *payload, gsize length);                    /* NULL: never */
  gboolean (*is_dtx) (const guint8 *payload, gsize length);                     /* NULL: never */
  int (*decode) (gpointer decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint capacity);
  int (*decode_fec) (gpointer decoder, const guint8 *payload, gsize length, gint16 *ret_pcm, guint samples);    /* NULL: conceal */
  int (*conceal) (gpointer decoder, gint16 *ret_pcm, guint samples);
  gsize (*saved_size) (void);
  void (*save) (gpointer decoder, gpointer ret_saved);
  void (*restore) (gpointer decoder, gconstpointer saved);
  void (*decoder_free) (gpointer decoder);
} CodecImpl;

extern const CodecImpl codec_opus, codec_g722, codec_pcmu, codec_pcma;
