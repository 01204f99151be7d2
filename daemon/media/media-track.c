/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-track.h"

#include <string.h>

#include "media/media-wav.h"

#define BITRATE 24000                   /* bit/s of each side */
#define MAX_CHANNELS 2

struct _MediaTrack
{
  MediaOggOpus *ogg;                    /* NULL: WAV, of which the rest is about */
  guint channels;
  MediaOggWrite write;
  gpointer data;
  guint64 samples;                      /* of one channel */
};

MediaTrack *
media_track_new (PhoneRecordingFormat format, guint channels, MediaOggWrite write, gpointer data, GError **error)
{
  g_autoptr (MediaTrack) track = g_new0 (MediaTrack, 1);
  guint8 header[MEDIA_WAV_HEADER];

  track->channels = channels;
  track->write = write;
  track->data = data;
  switch (format)
    {
    case PHONE_RECORDING_FORMAT_OPUS:
      track->ogg = media_ogg_opus_new (channels, BITRATE, write, data, error);
      return track->ogg ? g_steal_pointer (&track) : NULL;
    case PHONE_RECORDING_FORMAT_WAV:
      media_wav_header (header, channels, G_MAXUINT32);
      return write (data, header, sizeof header, error) ? g_steal_pointer (&track) : NULL;
    }
  g_assert_not_reached ();
}

gboolean
media_track_add (MediaTrack *track, const gint16 *left, const gint16 *right, GError **error)
{
  gint16 all[MAX_CHANNELS * MEDIA_TRACK_PIECE];
  gboolean done;

  if (track->ogg)
    return media_ogg_opus_add (track->ogg, left, right, error);
  for (guint i = 0; i < MEDIA_TRACK_PIECE; i++)
    {
      all[track->channels * i] = GINT16_TO_LE (left ? left[i] : 0);
      all[track->channels * i + track->channels - 1] = GINT16_TO_LE (right ? right[i] : 0);
    }
  track->samples += MEDIA_TRACK_PIECE;
  done = track->write (track->data, all, track->channels * MEDIA_TRACK_PIECE * sizeof *all, error);
  explicit_bzero (all, sizeof all);
  return done;
}

gboolean
media_track_finish (MediaTrack *track, GError **error)
{
  return !track->ogg || media_ogg_opus_finish (track->ogg, error);
}

guint64
media_track_get_ms (const MediaTrack *track)
{
  return track->ogg ? media_ogg_opus_get_ms (track->ogg) : track->samples * 1000 / MEDIA_RATE;
}

void
media_track_free (MediaTrack *track)
{
  if (!track)
    return;
  media_ogg_opus_free (track->ogg);
  g_free (track);
}
