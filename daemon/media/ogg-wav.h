/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opus in Ogg (RFC 7845) with one or two channels, as ogg-opus.h writes it, to a WAV file of MEDIA_RATE and 16 bit: octets in, octets out, no
 * files and no threads. Input may come from anywhere: everything in it is bounded. */

#include "media/ogg-opus.h"

typedef struct _MediaOggWav MediaOggWav;

MediaOggWav *media_ogg_wav_new (MediaOggWrite write, gpointer data);
/* MEDIA_FAILED: it is something else. What follows a page that is missing or damaged is decoded on. Sizes in the header are the largest there
 * are, since the length is not known yet: who can seek puts them right. */
gboolean media_ogg_wav_add (MediaOggWav *wav, const guint8 *octets, gsize length, GError **error);
void media_ogg_wav_free (MediaOggWav *wav);             /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaOggWav, media_ogg_wav_free)
