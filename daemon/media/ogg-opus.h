/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Opus in Ogg (RFC 7845) with two channels that share nothing: mapping family 1 with two mono streams, so that not a trace of one side is
 * in the other's channel, and any player has the one left and the other right. Encoder and container; where the octets go is the caller's
 * business. One thread. */

#include "media/media-types.h"
#include "util/phone-error.h"

typedef struct _MediaOggOpus MediaOggOpus;

typedef gboolean (*MediaOggWrite) (gpointer data, gconstpointer octets, gsize length, GError **error);

#define MEDIA_OGG_PACKET (2 * MEDIA_FRAME)      /* samples of one channel in a packet: 20 ms */

/* channels: 2, or 1: what is added on the left is left out. bitrate: bit/s of each channel. Writes the two header pages. MEDIA_FAILED:
 * libopus refuses. */
MediaOggOpus *media_ogg_opus_new (guint channels, guint bitrate, MediaOggWrite write, gpointer data, GError **error);
/* left, right: MEDIA_OGG_PACKET samples. A page is written every half second. */
gboolean media_ogg_opus_add (MediaOggOpus *ogg, const gint16 *left, const gint16 *right, GError **error);
/* Ends the stream. Nothing may be added after it. */
gboolean media_ogg_opus_finish (MediaOggOpus *ogg, GError **error);
guint64 media_ogg_opus_get_ms (const MediaOggOpus *ogg);        /* added so far */
void media_ogg_opus_free (MediaOggOpus *ogg);           /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaOggOpus, media_ogg_opus_free)
