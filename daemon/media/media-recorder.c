/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-recorder.h"

#include <math.h>
#include <semaphore.h>
#include <errno.h>
#include <string.h>

#include "media/media-ring.h"
#include "media/media-thread.h"
#include "media/ogg-opus.h"

#define RING (10 * MEDIA_RATE)          /* of a slow disk */
#define WAKE_FRAMES 20                  /* between wake-ups of the writer: 200 ms */
#define SYNC_MS 500
#define BITRATE 24000                   /* bit/s of each side */

/* ITU-T has no tone for this; 1400 Hz for half a second every 15 s is what 47 CFR 64.501 asked for and what telephones in use do. */
#define BEEP_HZ 1400
#define BEEP_FRAMES (500 / MEDIA_FRAME_MS)
#define BEEP_PERIOD_FRAMES (15000 / MEDIA_FRAME_MS)
#define BEEP_AMPLITUDE 3277             /* -20 dBFS */

struct _MediaRecorder
{
  atomic_int references;                /* the owner's and the thread's */
  MediaTaps *taps;                      /* owner's */
  MediaThread *thread;                  /* owner's */
  atomic_bool stop, paused;
  sem_t wake;
  MediaRing near, far;                  /* always written together; far lags behind near for a moment */

  pthread_mutex_t failed_lock;          /* of failed: cleared when the owner goes */
  MediaRecorderFailed failed;
  gpointer failed_data;

  guint frames, beep;                   /* hub thread */
  gboolean over;                        /* writer */
  PhoneByteSink *sink;
  MediaOggOpus *ogg;
};

static void
recorder_unref (MediaRecorder *recorder)
{
  if (atomic_fetch_sub (&recorder->references, 1) > 1)
    return;
  sem_destroy (&recorder->wake);
  pthread_mutex_destroy (&recorder->failed_lock);
  media_ring_clear (&recorder->near);
  media_ring_clear (&recorder->far);
  g_free (recorder);
}

/* ---- hub thread ---- */

/* The rings take a frame on both sides or on none, so that the two voices keep in step. */
static void
on_tap (gpointer data, const gint16 *near, const gint16 *far, gint64 now)
{
  MediaRecorder *recorder = data;

  if (atomic_load (&recorder->paused))
    return;
  if (media_ring_fill (&recorder->near) + MEDIA_FRAME <= RING)
    {
      media_ring_write (&recorder->near, near, MEDIA_FRAME);
      media_ring_write (&recorder->far, far, MEDIA_FRAME);
    }
  if (++recorder->frames % WAKE_FRAMES == 0)
    sem_post (&recorder->wake);
}

static gboolean
on_beep (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaRecorder *recorder = data;
  guint at = recorder->beep;

  if (atomic_load (&recorder->paused))
    return FALSE;
  recorder->beep = (at + 1) % BEEP_PERIOD_FRAMES;
  if (at >= BEEP_FRAMES)
    return FALSE;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      /* Up and down within one frame: without a click. */
      double ramp = at == 0 ? i / (double) MEDIA_FRAME : at == BEEP_FRAMES - 1 ? 1 - i / (double) MEDIA_FRAME : 1;
      double turns = (double) BEEP_HZ * (at * MEDIA_FRAME + i) / MEDIA_RATE;
      frame[i] = (gint16) lrint (ramp * BEEP_AMPLITUDE * sin (2 * G_PI * (turns - floor (turns))));
    }
  return TRUE;
}

/* ---- the writer ---- */

static void
fail (MediaRecorder *recorder, const GError *error)
{
  recorder->over = TRUE;
  pthread_mutex_lock (&recorder->failed_lock);
  if (recorder->failed != NULL)
    recorder->failed (error->message, recorder->failed_data);
  recorder->failed = NULL;
  pthread_mutex_unlock (&recorder->failed_lock);
}

static gboolean
on_octets (gpointer data, gconstpointer octets, gsize length, GError **error)
{
  PhoneByteSink *sink = data;
  return sink->write (sink, octets, length, error);
}

static void
write_waiting (MediaRecorder *recorder, guint64 *synced)
{
  gint16 left[MEDIA_OGG_PACKET], right[MEDIA_OGG_PACKET];
  g_autoptr (GError) error = NULL;

  /* far is written last: what it holds, near holds too. */
  while (!recorder->over && media_ring_fill (&recorder->far) >= MEDIA_OGG_PACKET)
    {
      media_ring_read (&recorder->near, left, MEDIA_OGG_PACKET);
      media_ring_read (&recorder->far, right, MEDIA_OGG_PACKET);
      if (!media_ogg_opus_add (recorder->ogg, left, right, &error))
        fail (recorder, error);
    }
  if (!recorder->over && media_ogg_opus_get_ms (recorder->ogg) >= *synced + SYNC_MS)
    {
      *synced = media_ogg_opus_get_ms (recorder->ogg);
      if (!recorder->sink->sync (recorder->sink, &error))
        fail (recorder, error);
    }
}

static void
run (gpointer data)
{
  MediaRecorder *recorder = data;
  guint64 synced = 0;
  g_autoptr (GError) error = NULL;
  gboolean stop;

  do
    {
      while (sem_wait (&recorder->wake) < 0 && errno == EINTR)
        ;
      stop = atomic_load (&recorder->stop);
      write_waiting (recorder, &synced);
    }
  while (!stop);
  if (!recorder->over && !media_ogg_opus_finish (recorder->ogg, &error))
    fail (recorder, error);
  recorder->sink->close (recorder->sink, !recorder->over, media_ogg_opus_get_ms (recorder->ogg));
  media_ogg_opus_free (recorder->ogg);
  recorder_unref (recorder);
}

/* ---- main thread ---- */

MediaRecorder *
media_recorder_new (MediaTaps *taps, PhoneByteSink *sink, gboolean announce, MediaRecorderFailed failed, gpointer data, GError **error)
{
  MediaOggOpus *ogg = media_ogg_opus_new (BITRATE, on_octets, sink, error);

  if (ogg == NULL)
    {
      sink->close (sink, FALSE, 0);
      return NULL;
    }
  MediaRecorder *recorder = g_new0 (MediaRecorder, 1);
  atomic_init (&recorder->references, 2);
  sem_init (&recorder->wake, 0, 0);
  media_mutex_init (&recorder->failed_lock);
  media_ring_init (&recorder->near, RING);
  media_ring_init (&recorder->far, RING);
  recorder->taps = taps;
  recorder->sink = sink;
  recorder->ogg = ogg;
  recorder->failed = failed;
  recorder->failed_data = data;
  recorder->thread = media_thread_start ("media-record", run, recorder);
  if (recorder->thread == NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No thread is left for a recording");
      sink->close (sink, FALSE, 0);
      media_ogg_opus_free (ogg);
      atomic_store (&recorder->references, 1);
      recorder_unref (recorder);
      return NULL;
    }
  if (announce)
    media_taps_add_source (taps, on_beep, recorder);
  media_taps_add (taps, on_tap, recorder);
  return recorder;
}

void
media_recorder_set_paused (MediaRecorder *recorder, gboolean paused)
{
  atomic_store (&recorder->paused, paused);
}

void
media_recorder_stop (MediaRecorder *recorder)
{
  if (recorder == NULL)
    return;
  media_taps_remove (recorder->taps, recorder);
  pthread_mutex_lock (&recorder->failed_lock);
  recorder->failed = NULL;
  pthread_mutex_unlock (&recorder->failed_lock);
  atomic_store (&recorder->stop, TRUE);
  sem_post (&recorder->wake);
  media_thread_release (recorder->thread);
  recorder_unref (recorder);
}
