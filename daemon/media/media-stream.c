/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-stream.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/media-drift.h"
#include "media/media-resample.h"
#include "media/media-thread.h"

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
  gboolean deaf;                /* the client reads no more */
  gboolean done;                /* it writes no more, and all that it wrote has been said */

  /* whoever reads the socket: the hub thread, with live the thread */
  guint8 in[MEDIA_FRAME * sizeof (gint16)];             /* a frame, or with live a sample, that has not come whole */
  gsize in_length;
  gint said_all;                /* atomic: the client has shut its writing half, and there is nothing more in the socket */

  /* live */
  pthread_t thread;
  gboolean started;
  gint stopping, waits;         /* atomic; waits: for space in drift */
  sem_t space;
  MediaDrift drift;             /* written by the thread, read by the hub's */
  gboolean ends;                /* hub thread: what is in drift and in the socket is the last of it */
};

/* Hub thread. There is nothing left to do for the client in either direction. */
static void
leave (MediaStream *stream)
{
  if ((stream->listens && !stream->deaf) || (stream->speaks && !stream->done))
    return;
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
            {
              stream->deaf = TRUE;
              leave (stream);
            }
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

  if (stream->deaf || !send_rest (stream))
    return;
  if (stream->channels == 2)
    put (stream, near, 0);
  put (stream, far, stream->channels - 1);
  stream->out_at = 0;
  stream->out_length = stream->channels * MEDIA_FRAME / stream->factor * sizeof (gint16);
  send_rest (stream);
}

/* ---- from the client ---- */

/* Octets that are in now; 0: none, and there may be no more. */
static gsize
take (MediaStream *stream, gsize most, int flags)
{
  gssize n;

  do
    n = recv (stream->fd, stream->in + stream->in_length, most - stream->in_length, flags);
  while (n < 0 && errno == EINTR);
  if (n == 0 || (n < 0 && errno != EAGAIN))
    g_atomic_int_set (&stream->said_all, TRUE);
  stream->in_length += (gsize) MAX (n, 0);
  return (gsize) MAX (n, 0);
}

/* What is in, as far as it is whole samples. Returns how many of MEDIA_RATE that makes. */
static guint
bring_up (MediaStream *stream, gint16 *ret_frame)
{
  guint n = (guint) (stream->in_length / sizeof (gint16));

  if (stream->factor > 1)
    media_resampler_run (stream->up, (const gint16 *) (gconstpointer) stream->in, n, ret_frame);
  else
    memcpy (ret_frame, stream->in, n * sizeof *ret_frame);
  if (stream->in_length % sizeof (gint16))
    stream->in[0] = stream->in[stream->in_length - 1];
  stream->in_length %= sizeof (gint16);
  return n * stream->factor;
}

/* A frame of the client's rate, if it is there; what comes before the end is filled up to one. */
static gboolean
say_next (MediaStream *stream, gint16 *ret_frame)
{
  gsize whole = MEDIA_FRAME / stream->factor * sizeof (gint16), rest;

  while (stream->in_length < whole && !g_atomic_int_get (&stream->said_all) && take (stream, whole, MSG_DONTWAIT) > 0)
    ;
  rest = stream->in_length - stream->in_length % sizeof (gint16);
  if (rest > 0 && rest < whole && g_atomic_int_get (&stream->said_all))
    {
      memset (stream->in + rest, 0, whole - rest);
      stream->in_length = whole;
    }
  if (stream->in_length < whole)
    return FALSE;
  bring_up (stream, ret_frame);
  return TRUE;
}

/* Known before what is in the socket has been read. */
static gboolean
writes_no_more (MediaStream *stream)
{
  struct pollfd end = { .fd = stream->fd, .events = POLLRDHUP };

  return poll (&end, 1, 0) == 1;
}

/* What was written ahead is too much only as long as more follows. */
static gboolean
say_live (MediaStream *stream, gboolean said_all, gint16 *ret_frame)
{
  gboolean any;

  stream->ends = stream->ends || writes_no_more (stream);
  any = stream->ends ? media_drift_drain (&stream->drift, ret_frame, said_all)
                     : media_drift_read (&stream->drift, ret_frame, g_get_monotonic_time ());
  if (g_atomic_int_compare_and_exchange (&stream->waits, TRUE, FALSE))
    sem_post (&stream->space);
  return any;
}

static gboolean
on_source (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaStream *stream = data;
  gboolean said_all = g_atomic_int_get (&stream->said_all);

  *ret_only = TRUE;
  if (stream->done)
    {
      leave (stream);
      return FALSE;
    }
  if (stream->live ? say_live (stream, said_all, frame) : say_next (stream, frame))
    return TRUE;
  /* Once it has said all, the microphone is heard again; between two sentences the room is not to be. */
  if (said_all)
    {
      stream->done = TRUE;
      leave (stream);
      return FALSE;
    }
  memset (frame, 0, MEDIA_FRAME * sizeof *frame);
  return TRUE;
}

/* ---- the thread of a live stream ---- */

/* The client's beat is when its samples come, and not when the hub looks for them: known only by a tick, a frame more would have to be kept in
 * case it was late. What there is no space for is left to the socket, which holds the client back. */

static gboolean
wait_for_space (MediaStream *stream)
{
  while (!g_atomic_int_get (&stream->stopping) && media_drift_space (&stream->drift) < MEDIA_FRAME)
    {
      g_atomic_int_set (&stream->waits, TRUE);
      if (!g_atomic_int_get (&stream->stopping) && media_drift_space (&stream->drift) < MEDIA_FRAME)
        sem_wait (&stream->space);
    }
  return !g_atomic_int_get (&stream->stopping);
}

static void *
live_main (void *data)
{
  MediaStream *stream = data;
  gint16 frame[MEDIA_FRAME];

  /* To be late here would be taken for jitter of the client. There is never more to do than the call takes. */
  media_thread_prepare ("media-stream", TRUE);
  while (wait_for_space (stream) && take (stream, MEDIA_FRAME / stream->factor * sizeof (gint16), 0) > 0)
    {
      gint64 now = g_get_monotonic_time ();
      guint n = bring_up (stream, frame);

      if (n > 0)
        media_drift_write (&stream->drift, frame, n, now);
    }
  return NULL;
}

static void
stop_thread (MediaStream *stream)
{
  if (!stream->started)
    return;
  g_atomic_int_set (&stream->stopping, TRUE);
  sem_post (&stream->space);
  shutdown (stream->fd, SHUT_RD);       /* wakes recv() */
  pthread_join (stream->thread, NULL);
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
  sem_init (&stream->space, 0, 0);
  stream->started = stream->live && stream->speaks && media_thread_create (&stream->thread, live_main, stream);
  if (stream->live && stream->speaks && !stream->started)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No thread for a stream");
      close (*ret_fd);
      *ret_fd = -1;
      media_stream_free (stream);
      return NULL;
    }
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
  stop_thread (stream);
  close (stream->fd);
  media_resampler_free (stream->down[0]);
  media_resampler_free (stream->down[1]);
  media_resampler_free (stream->up);
  media_drift_clear (&stream->drift);
  sem_destroy (&stream->space);
  g_free (stream);
}
