/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A WAV file as media-track.h writes it (one or two channels of MEDIA_RATE and 16 bit) to Opus in Ogg: octets in, octets out, no files and no threads.
 * Input may come from anywhere: everything in it is bounded. */

#include "media/ogg-opus.h"

typedef struct _MediaWavOgg MediaWavOgg;

MediaWavOgg *media_wav_ogg_new (MediaOggWrite write, gpointer data);
/* MEDIA_FAILED: it is something else. What its header says of its length does not count. */
gboolean media_wav_ogg_add (MediaWavOgg *ogg, const guint8 *octets, gsize length, GError **error);
/* Ends the stream; the last piece is filled up with silence. */
gboolean media_wav_ogg_finish (MediaWavOgg *ogg, GError **error);
void media_wav_ogg_free (MediaWavOgg *ogg);             /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaWavOgg, media_wav_ogg_free)
