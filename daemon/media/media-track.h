/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A recording as it is written: sound in, octets out, in one of the formats. One thread. */

#include "core/recording.h"
#include "media/ogg-opus.h"

typedef struct _MediaTrack MediaTrack;

#define MEDIA_TRACK_PIECE MEDIA_OGG_PACKET      /* samples of one channel that are added at a time */

/* channels: 2, or 1: what is added on the left is left out. Writes the header. A WAV file claims to be as long as one can be: how long it gets is not
 * known, and nothing that was written is touched again. MEDIA_FAILED: libopus refuses. */
MediaTrack *media_track_new (PhoneRecordingFormat format, guint channels, MediaOggWrite write, gpointer data, GError **error);
/* left, right: MEDIA_TRACK_PIECE samples; NULL: silence. */
gboolean media_track_add (MediaTrack *track, const gint16 *left, const gint16 *right, GError **error);
/* Nothing may be added after it. */
gboolean media_track_finish (MediaTrack *track, GError **error);
guint64 media_track_get_ms (const MediaTrack *track);   /* added so far */
void media_track_free (MediaTrack *track);              /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaTrack, media_track_free)
