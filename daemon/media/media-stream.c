/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/media-drift.h"
#include "media/media-resample.h"

#define HOLD_MS 100             /* of sound that a socket holds, each way, roughly: the kernel counts its own overhead too */

struct _MediaStream
{
  MediaTaps *taps;
  int fd;
  guint factor;                 /* MEDIA_RATE / rate: 1, 3, 6 */
  guint channels;               /* towards the client: 1 the peer, 2 we and the peer */
  gboolean listens, speaks, live;
  MediaStreamGone gone;
  gpointer gone_data;
  gint is_gone;                 /* atomic */

  /* hub thread */
  MediaResampler *down[2], *up;
  guint8 out[2 * MEDIA_FRAME * sizeof (gint16)];        /* the rest of a frame that did not go out whole */
  gsize out_at, out_length;
  guint8 in[MEDIA_FRAME * sizeof (gint16)];             /* a frame that has not come whole */
  gsize in_length;
  gboolean said_all;            /* the client has shut its writing half */
  MediaDrift drift;             /* live */
};

static void
leave (MediaStream *stream)
{
  if (g_atomic_int_compare_and_exchange (&stream->is_gone, FALSE, TRUE) && stream->gone != NULL)
    stream->gone (stream->gone_data);
}

/* ---- towards the client ---- */

/* FALSE: it does not go out whole now. */
static gboolean
send_rest (MediaStream *stream)
{
  while (stream->out_at < stream->out_length)
    {
      gssize n = send (stream->fd, stream->out + stream->out_at, stream->out_length - stream->out_at, MSG_NOSIGNAL | MSG_DONTWAIT);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          if (errno != EAGAIN)
            leave (stream);
          return FALSE;
        }
      stream->out_at += (gsize) n;
    }
  return TRUE;
}

static void
put (MediaStream *stream, const gint16 *frame, guint channel)
{
  gint16 lower[MEDIA_FRAME], *out = (gint16 *) (gpointer) stream->out;
  guint n = MEDIA_FRAME / stream->factor;

  if (stream->factor > 1)
    {
      media_resampler_run (stream->down[channel], frame, MEDIA_FRAME, lower);
      frame = lower;
    }
  for (guint i = 0; i < n; i++)
    out[stream->channels * i + channel] = frame[i];
}

static void
on_tap (gpointer data, const gint16 *near, const gint16 *far, gint64 now)
{
  MediaStream *stream = data;

  if (g_atomic_int_get (&stream->is_gone) || !send_rest (stream))
    return;
  if (stream->channels == 2)
    put (stream, near, 0);
  put (stream, far, stream->channels - 1);
  stream->out_at = 0;
  stream->out_length = stream->channels * MEDIA_FRAME / stream->factor * sizeof (gint16);
  send_rest (stream);
}

/* ---- from the client ---- */

/* A frame of the client's rate into in. FALSE: it is not there yet. */
static gboolean
take_frame (MediaStream *stream)
{
  gsize whole = MEDIA_FRAME / stream->factor * sizeof (gint16);

  while (stream->in_length < whole && !stream->said_all)
    {
      gssize n = recv (stream->fd, stream->in + stream->in_length, whole - stream->in_length, MSG_DONTWAIT);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          if (errno != EAGAIN)
            leave (stream);
          return FALSE;
        }
      if (n == 0)
        {
          stream->said_all = TRUE;
          /* Whoever only speaks has nothing left to do here. */
          if (!stream->listens)
            leave (stream);
        }
      stream->in_length += (gsize) n;
    }
  return stream->in_length == whole;
}

static void
bring_up (MediaStream *stream, gint16 *ret_frame)
{
  if (stream->factor > 1)
    media_resampler_run (stream->up, (const gint16 *) (gconstpointer) stream->in, MEDIA_FRAME / stream->factor, ret_frame);
  else
    memcpy (ret_frame, stream->in, sizeof stream->in);
  stream->in_length = 0;
}

static gboolean
on_source (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaStream *stream = data;
  gint64 now = g_get_monotonic_time ();

  *ret_only = TRUE;
  /* Once it has said all, the microphone is heard again. */
  if (g_atomic_int_get (&stream->is_gone) || (stream->said_all && !stream->live))
    return FALSE;
  if (!stream->live)
    {
      /* Between two sentences the room is not to be heard. */
      if (take_frame (stream))
        bring_up (stream, frame);
      else
        memset (frame, 0, MEDIA_FRAME * sizeof *frame);
      return TRUE;
    }
  while (take_frame (stream))
    {
      bring_up (stream, frame);
      media_drift_write (&stream->drift, frame, MEDIA_FRAME, now);
    }
  if (!media_drift_read (&stream->drift, frame, now))
    memset (frame, 0, MEDIA_FRAME * sizeof *frame);
  return TRUE;
}

/* ---- main thread ---- */

static gboolean
check (const PhoneStreamParams *params, GError **error)
{
  if (params->rate != 8000 && params->rate != 16000 && params->rate != MEDIA_RATE)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "rate: 8000, 16000 or 48000, not %u", params->rate);
  else if (params->channels != 1 && params->channels != 2)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "channels: 1 or 2, not %u", params->channels);
  else if (!params->listens && !params->speaks)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "direction: a stream must listen or speak");
  else
    return TRUE;
  return FALSE;
}

static gboolean
open_sockets (MediaStream *stream, guint rate, int *ret_fd, GError **error)
{
  int ends[2], hold = (int) (rate * HOLD_MS / 1000 * sizeof (gint16));

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No socket for a stream: %s", g_strerror (errno));
      return FALSE;
    }
  stream->fd = ends[0];
  *ret_fd = ends[1];
  hold *= (int) stream->channels;
  setsockopt (ends[0], SOL_SOCKET, SO_SNDBUF, &hold, sizeof hold);
  setsockopt (ends[1], SOL_SOCKET, SO_SNDBUF, &hold, sizeof hold);
  return TRUE;
}

MediaStream *
media_stream_new (MediaTaps *taps, const PhoneStreamParams *params, MediaStreamGone gone, gpointer data, int *ret_fd, GError **error)
{
  MediaStream *stream;

  if (!check (params, error))
    return NULL;
  stream = g_new0 (MediaStream, 1);
  stream->taps = taps;
  stream->factor = MEDIA_RATE / params->rate;
  stream->channels = params->channels;
  stream->listens = params->listens;
  stream->speaks = params->speaks;
  stream->live = params->live;
  stream->gone = gone;
  stream->gone_data = data;
  if (!open_sockets (stream, params->rate, ret_fd, error))
    {
      g_free (stream);
      return NULL;
    }
  if (stream->factor > 1)
    {
      stream->down[0] = media_resampler_new (stream->factor, FALSE);
      stream->down[1] = media_resampler_new (stream->factor, FALSE);
      stream->up = media_resampler_new (stream->factor, TRUE);
    }
  media_drift_init (&stream->drift);
  if (stream->speaks)
    media_taps_add_source (taps, on_source, stream);
  if (stream->listens)
    media_taps_add (taps, on_tap, stream);
  return stream;
}

gboolean
media_stream_is_gone (MediaStream *stream)
{
  return g_atomic_int_get (&stream->is_gone);
}

void
media_stream_free (MediaStream *stream)
{
  if (stream == NULL)
    return;
  media_taps_remove (stream->taps, stream);
  close (stream->fd);
  media_resampler_free (stream->down[0]);
  media_resampler_free (stream->down[1]);
  media_resampler_free (stream->up);
  media_drift_clear (&stream->drift);
  g_free (stream);
}
