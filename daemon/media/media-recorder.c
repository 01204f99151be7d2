/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-recorder.h"

#include <math.h>
#include <semaphore.h>
#include <errno.h>
#include <string.h>

#include "media/media-file.h"
#include "media/media-ring.h"
#include "media/media-silence.h"
#include "media/media-thread.h"
#include "media/media-track.h"
#include "util/log.h"

#define RING (10 * MEDIA_RATE)          /* of a slow disk */
#define WAKE_FRAMES 20                  /* between wake-ups of the writer: 200 ms */
#define SYNC_MS 500

/* ITU-T has no tone for this; 1400 Hz for half a second every 15 s is what 47 CFR 64.501 asked for and what telephones in use do. */
#define BEEP_HZ 1400
#define BEEP_FRAMES (500 / MEDIA_FRAME_MS)
#define BEEP_PERIOD_FRAMES (15000 / MEDIA_FRAME_MS)
#define BEEP_AMPLITUDE 3277             /* -20 dBFS */

/* "After the tone": lower, longer and louder, so that nobody takes one for the other. */
#define START_HZ 1000
#define START_FRAMES (600 / MEDIA_FRAME_MS)
#define START_AMPLITUDE 6554            /* -14 dBFS */

struct _MediaRecorder
{
  atomic_int references;                /* the owner's and the thread's */
  MediaTaps *taps;                      /* owner's */
  MediaThread *thread;                  /* owner's */
  atomic_bool stop, paused;
  sem_t wake;
  MediaRing near, far;                  /* always written together; far lags behind near for a moment */

  PhoneRecordParams params;
  MediaRecorderEvents events;           /* failed under failed_lock: cleared when the owner goes */
  pthread_mutex_t failed_lock;
  gpointer data;

  MediaFileInput *prompt;               /* owner's, and the hub's while our source is on the taps */

  guint frames, beep;                   /* hub thread, as the three below */
  MediaSilence silence;
  gboolean told_quiet;
  gboolean over;                        /* writer */
  PhoneByteSink *sink;
  MediaTrack *track;
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

  if (atomic_load (&recorder->paused) || (recorder->params.message && recorder->beep < START_FRAMES))
    return;
  if (recorder->params.quiet_ms > 0 && !recorder->told_quiet
      && media_silence_add (&recorder->silence, far) >= recorder->params.quiet_ms)
    {
      recorder->told_quiet = TRUE;
      if (recorder->events.quiet != NULL)
        recorder->events.quiet (recorder->data);
    }
  if (media_ring_fill (&recorder->near) + MEDIA_FRAME <= RING)
    {
      media_ring_write (&recorder->near, near, MEDIA_FRAME);
      media_ring_write (&recorder->far, far, MEDIA_FRAME);
    }
  if (++recorder->frames % WAKE_FRAMES == 0)
    sem_post (&recorder->wake);
}

/* The n-th of so many frames of a tone, up and down within one frame: without a click. */
static void
render_tone (gint16 *frame, guint at, guint frames, guint hz, double amplitude)
{
  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      double ramp = at == 0 ? i / (double) MEDIA_FRAME : at == frames - 1 ? 1 - i / (double) MEDIA_FRAME : 1;
      double turns = (double) hz * (at * MEDIA_FRAME + i) / MEDIA_RATE;
      frame[i] = (gint16) lrint (ramp * amplitude * sin (2 * G_PI * (turns - floor (turns))));
    }
}

static gboolean
on_start_tone (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaRecorder *recorder = data;

  *ret_only = TRUE;
  if (recorder->beep >= START_FRAMES)
    return FALSE;
  render_tone (frame, recorder->beep++, START_FRAMES, START_HZ, START_AMPLITUDE);
  return TRUE;
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
  render_tone (frame, at, BEEP_FRAMES, BEEP_HZ, BEEP_AMPLITUDE);
  return TRUE;
}

/* In place of the microphone: nobody can talk over what has to be heard. */
static gboolean
on_prompt (gpointer data, gint16 *frame, gboolean *ret_only)
{
  MediaRecorder *recorder = data;

  *ret_only = TRUE;
  if (atomic_load (&recorder->paused) || media_file_input_is_over (recorder->prompt))
    return FALSE;
  if (!media_file_input_read (recorder->prompt, frame))
    memset (frame, 0, MEDIA_FRAME * sizeof *frame);     /* the disk is slow */
  return TRUE;
}

/* ---- the writer ---- */

static void
fail (MediaRecorder *recorder, const GError *error)
{
  recorder->over = TRUE;
  pthread_mutex_lock (&recorder->failed_lock);
  if (recorder->events.failed != NULL)
    recorder->events.failed (error->message, recorder->data);
  recorder->events.failed = NULL;
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
  gint16 left[MEDIA_TRACK_PIECE], right[MEDIA_TRACK_PIECE];
  g_autoptr (GError) error = NULL;

  /* far is written last: what it holds, near holds too. */
  while (!recorder->over && media_ring_fill (&recorder->far) >= MEDIA_TRACK_PIECE)
    {
      media_ring_read (&recorder->near, left, MEDIA_TRACK_PIECE);
      media_ring_read (&recorder->far, right, MEDIA_TRACK_PIECE);
      if (!media_track_add (recorder->track, left, right, &error))
        fail (recorder, error);
    }
  if (!recorder->over && media_track_get_ms (recorder->track) >= *synced + SYNC_MS)
    {
      *synced = media_track_get_ms (recorder->track);
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
  if (!recorder->over && !media_track_finish (recorder->track, &error))
    fail (recorder, error);
  recorder->sink->close (recorder->sink, !recorder->over, media_track_get_ms (recorder->track));
  media_track_free (recorder->track);
  recorder_unref (recorder);
}

/* ---- main thread ---- */

/* Who is recorded is told in any case: by the tone, when the prompt cannot be played. */
static void
announce (MediaRecorder *recorder, const char *path)
{
  g_autoptr (GError) error = NULL;

  if (path != NULL && (recorder->prompt = media_file_input_new_once (path, &error)) == NULL)
    phone_log_warning (NULL, "Recording: a tone in place of the prompt: %s", error->message);
  media_taps_add_source (recorder->taps, recorder->prompt != NULL ? on_prompt : on_beep, recorder);
}

MediaRecorder *
media_recorder_new (MediaTaps *taps, PhoneByteSink *sink, const PhoneRecordParams *params, const MediaRecorderEvents *events, gpointer data,
                    GError **error)
{
  MediaTrack *track = media_track_new (params->format, params->message ? 1 : 2, on_octets, sink, error);

  if (track == NULL)
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
  recorder->track = track;
  recorder->params = *params;
  if (events != NULL)
    recorder->events = *events;
  recorder->data = data;
  media_silence_init (&recorder->silence);
  recorder->thread = media_thread_start ("media-record", run, recorder);
  if (recorder->thread == NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No thread is left for a recording");
      sink->close (sink, FALSE, 0);
      media_track_free (track);
      atomic_store (&recorder->references, 1);
      recorder_unref (recorder);
      return NULL;
    }
  if (params->message)
    media_taps_add_source (taps, on_start_tone, recorder);
  else if (params->announce)
    announce (recorder, params->prompt);
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
  g_clear_pointer (&recorder->prompt, media_file_input_free);
  pthread_mutex_lock (&recorder->failed_lock);
  recorder->events.failed = NULL;
  pthread_mutex_unlock (&recorder->failed_lock);
  atomic_store (&recorder->stop, TRUE);
  sem_post (&recorder->wake);
  media_thread_release (recorder->thread);
  recorder_unref (recorder);
}
