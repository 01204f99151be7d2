/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the codecs of the telephone network share: the way down from MEDIA_RATE in front of the encoder, and behind the decoder
 * concealment at the codec's own rate and the way up. Embedded first in a codec's state. */

#include "media/media-codec.h"
#include "media/media-plc.h"
#include "media/media-resample.h"

/* Samples of MEDIA_MAX_FRAME_MS at 16 kHz. */
#define NARROW_MAX (16 * MEDIA_MAX_FRAME_MS)

typedef struct
{
  guint factor;                 /* MEDIA_RATE over the codec's rate */
  MediaResampler *resampler;
  MediaPlc *plc;                /* decoders only */
} Narrow;

void narrow_init_encoder (Narrow *narrow, guint factor);
void narrow_init_decoder (Narrow *narrow, guint factor);
void narrow_clear (Narrow *narrow);
/* pcm at MEDIA_RATE to the codec's rate; returns samples. */
guint narrow_down (Narrow *narrow, const gint16 *pcm, guint samples, gint16 *ret_narrow);
/* decoded: n at the codec's rate, may be changed. Returns samples at MEDIA_RATE. */
int narrow_up (Narrow *narrow, gint16 *decoded, guint n, gint16 *ret_pcm);
/* Concealment touches nothing else. */
gsize narrow_saved_size (void);
void narrow_save (gpointer narrow, gpointer ret_saved);
void narrow_restore (gpointer narrow, gconstpointer saved);
int narrow_conceal (gpointer narrow, gint16 *ret_pcm, guint samples);
