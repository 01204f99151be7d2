/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/wav-ogg.h"

#include <string.h>

#include "media/media-track.h"
#include "media/media-wav.h"

#define MAX_CHANNELS 2
#define MAX_PIECE (MAX_CHANNELS * MEDIA_TRACK_PIECE * 2)        /* octets; more than the header */

struct _MediaWavOgg
{
  MediaOggWrite write;
  gpointer data;
  MediaTrack *track;                    /* NULL: the header is not read yet */
  guint channels;
  guint8 waiting[MAX_PIECE];
  gsize n_waiting, wanted;
};

MediaWavOgg *
media_wav_ogg_new (MediaOggWrite write, gpointer data)
{
  MediaWavOgg *ogg = g_new0 (MediaWavOgg, 1);

  ogg->write = write;
  ogg->data = data;
  ogg->wanted = MEDIA_WAV_HEADER;
  return ogg;
}

/* It is one of ours if it is what we would write, but for the two sizes. */
static gboolean
read_header (MediaWavOgg *ogg, GError **error)
{
  guint8 header[MEDIA_WAV_HEADER];

  ogg->channels = ogg->waiting[22];
  if (ogg->channels == 1 || ogg->channels == MAX_CHANNELS)
    {
      media_wav_header (header, ogg->channels, 0);
      memcpy (header + 4, ogg->waiting + 4, 4);
      memcpy (header + 40, ogg->waiting + 40, 4);
    }
  if ((ogg->channels != 1 && ogg->channels != MAX_CHANNELS) || memcmp (header, ogg->waiting, sizeof header) != 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "This is no recording: its header is that of something else");
      return FALSE;
    }
  ogg->wanted = ogg->channels * MEDIA_TRACK_PIECE * 2;
  ogg->track = media_track_new (PHONE_RECORDING_FORMAT_OPUS, ogg->channels, ogg->write, ogg->data, error);
  return ogg->track != NULL;
}

static gboolean
encode (MediaWavOgg *ogg, GError **error)
{
  gint16 left[MEDIA_TRACK_PIECE], right[MEDIA_TRACK_PIECE];
  gboolean done;

  for (guint i = 0; i < MEDIA_TRACK_PIECE; i++)
    {
      const guint8 *at = ogg->waiting + i * ogg->channels * 2, *other = at + (ogg->channels - 1) * 2;

      left[i] = (gint16) (at[0] | at[1] << 8);
      right[i] = (gint16) (other[0] | other[1] << 8);
    }
  done = media_track_add (ogg->track, left, right, error);
  explicit_bzero (left, sizeof left);
  explicit_bzero (right, sizeof right);
  return done;
}

gboolean
media_wav_ogg_add (MediaWavOgg *ogg, const guint8 *octets, gsize length, GError **error)
{
  for (gsize n; length > 0; octets += n, length -= n)
    {
      n = MIN (length, ogg->wanted - ogg->n_waiting);
      memcpy (ogg->waiting + ogg->n_waiting, octets, n);
      ogg->n_waiting += n;
      if (ogg->n_waiting < ogg->wanted)
        continue;
      if (!(ogg->track ? encode (ogg, error) : read_header (ogg, error)))
        return FALSE;
      ogg->n_waiting = 0;
    }
  return TRUE;
}

gboolean
media_wav_ogg_finish (MediaWavOgg *ogg, GError **error)
{
  if (!ogg->track)
    return TRUE;
  if (ogg->n_waiting > 0)
    {
      memset (ogg->waiting + ogg->n_waiting, 0, ogg->wanted - ogg->n_waiting);
      ogg->n_waiting = 0;
      if (!encode (ogg, error))
        return FALSE;
    }
  return media_track_get_ms (ogg->track) == 0 || media_track_finish (ogg->track, error);
}

void
media_wav_ogg_free (MediaWavOgg *ogg)
{
  if (!ogg)
    return;
  media_track_free (ogg->track);
  explicit_bzero (ogg->waiting, sizeof ogg->waiting);
  g_free (ogg);
}
