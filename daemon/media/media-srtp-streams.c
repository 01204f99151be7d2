/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-srtp-streams.h"

MediaSrtpStream *
media_srtp_streams_find (MediaSrtpStreams *streams, guint32 ssrc)
{
  for (guint i = 0; i < streams->n_streams; i++)
    if (streams->streams[i].ssrc == ssrc)
      return &streams->streams[i];
  return NULL;
}

gboolean
media_srtp_streams_may_enter (const MediaSrtpStreams *streams, guint32 ssrc)
{
  for (guint i = 0; i < streams->n_retired; i++)
    if (streams->retired[i] == ssrc)
      return FALSE;
  return streams->n_streams < MEDIA_SRTP_STREAMS || streams->n_retired < MEDIA_SRTP_RETIRED;
}

guint32
media_srtp_stream_guess_roc (const MediaSrtpStream *stream, guint16 seq)
{
  if (stream->highest < 0x8000)
    {
      /* Far ahead of a small number means behind it, before the last wrap; there is nothing before the first one. */
      if (seq > stream->highest && seq - stream->highest > 0x8000 && stream->roc > 0)
        return stream->roc - 1;
    }
  else if (seq < stream->highest && stream->highest - seq > 0x8000)
    return stream->roc + 1;
  return stream->roc;
}

gboolean
media_srtp_streams_seen (MediaSrtpStreams *streams, guint32 ssrc, guint16 seq, guint32 roc, guint32 *ret_evicted)
{
  MediaSrtpStream *stream = media_srtp_streams_find (streams, ssrc);
  gboolean evicted = FALSE;

  if (stream != NULL)
    {
      guint32 guess = media_srtp_stream_guess_roc (stream, seq);
      if (guess > stream->roc || (guess == stream->roc && seq > stream->highest))
        {
          stream->roc = guess;
          stream->highest = seq;
        }
      stream->used = ++streams->stamp;
      return FALSE;
    }

  if (streams->n_streams < MEDIA_SRTP_STREAMS)
    stream = &streams->streams[streams->n_streams++];
  else
    {
      stream = &streams->streams[0];
      for (guint i = 1; i < MEDIA_SRTP_STREAMS; i++)
        if (streams->streams[i].used < stream->used)
          stream = &streams->streams[i];
      g_assert (streams->n_retired < MEDIA_SRTP_RETIRED);
      streams->retired[streams->n_retired++] = stream->ssrc;
      *ret_evicted = stream->ssrc;
      evicted = TRUE;
    }
  *stream = (MediaSrtpStream) { .ssrc = ssrc, .roc = roc, .highest = seq, .used = ++streams->stamp };
  return evicted;
}
