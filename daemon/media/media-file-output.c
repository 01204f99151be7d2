/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The other half of media-file-input.c: a thread that owns the descriptor, a ring, and a semaphore on which the hub posts. */

#include "media/media-file.h"
#include "media/media-ring.h"
#include "media/media-thread.h"
#include "media/media-wav.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUTPUT_RING (10 * MEDIA_RATE)
#define OUTPUT_WAKE 10                  /* hub frames between wake-ups of the writer */
/* 20 ms apart: as long as the previous recording may take to be finalised. */
#define LOCK_TRIES 100

static gboolean
write_at (int fd, guint64 offset, const void *octets, gsize n)
{
  for (gsize done = 0; done < n;)
    {
      gssize put = pwrite (fd, (const char *) octets + done, n - done, offset + done);

      if (put < 0 && errno != EINTR)
        return FALSE;
      done += MAX (put, 0);
    }
  return TRUE;
}

struct _MediaFileOutput
{
  atomic_int references;
  atomic_bool stop;
  sem_t wake;
  MediaThread *thread;          /* hub's side */
  MediaRing ring;

  /* One gap at a time: at sample gap_at of the ring's own count, gap_length samples were lost. Written by
   * the hub while gap_length is 0, cleared by the writer. */
  guint gap_at;
  atomic_uint gap_length;

  guint frames, written;        /* hub thread: frames given, samples put into the ring */
  guint lost;                   /* hub thread: samples lost since the ring was found full */

  pthread_mutex_t failed_lock;  /* of on_failed: cleared when the hub's side goes */
  MediaFileFailed on_failed;
  gpointer failed_data;

  char *path;                   /* the rest: writing thread */
  int fd;
  guint taken;                  /* samples out of the ring */
  guint32 samples, in_header;   /* in the file, and as the header says */
};

static void
output_unref (MediaFileOutput *output)
{
  if (atomic_fetch_sub (&output->references, 1) > 1)
    return;
  sem_destroy (&output->wake);
  pthread_mutex_destroy (&output->failed_lock);
  media_ring_clear (&output->ring);
  g_free (output->path);
  g_free (output);
}

static gboolean
output_fail (MediaFileOutput *output, const char *what)
{
  g_autofree char *message = g_strdup_printf ("Cannot record to %s: %s", output->path, what);

  pthread_mutex_lock (&output->failed_lock);
  if (output->on_failed != NULL)
    output->on_failed (output->failed_data, message);
  output->on_failed = NULL;
  pthread_mutex_unlock (&output->failed_lock);
  return FALSE;
}

static gboolean
output_header (MediaFileOutput *output)
{
  guint8 header[MEDIA_WAV_HEADER];

  media_wav_header (header, 1, output->samples);
  output->in_header = output->samples;
  return write_at (output->fd, 0, header, sizeof header) || output_fail (output, g_strerror (errno));
}

static gboolean
output_open (MediaFileOutput *output)
{
  struct stat st;
  char magic[12];
  gssize got;
  int tries = 0;

  output->fd = open (output->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
  if (output->fd < 0 || fstat (output->fd, &st) < 0)
    return output_fail (output, g_strerror (errno));
  if (!S_ISREG (st.st_mode))
    return output_fail (output, "not a plain file");
  while (flock (output->fd, LOCK_EX | LOCK_NB) < 0)
    {
      if (errno != EWOULDBLOCK || ++tries > LOCK_TRIES)
        return output_fail (output, "another recording is being written to it");
      g_usleep (20000);
    }
  got = media_file_read_at (GINT_TO_POINTER (output->fd), 0, magic, sizeof magic);
  if (got != 0
      && (got != sizeof magic || memcmp (magic, "RIFF", 4) != 0 || memcmp (magic + 8, "WAVE", 4) != 0))
    return output_fail (output, "there is a file that is no WAV; not overwritten");
  if (ftruncate (output->fd, 0) < 0)
    return output_fail (output, g_strerror (errno));
  return output_header (output);
}

static gboolean
output_append (MediaFileOutput *output, const gint16 *samples, guint n)
{
  n = MIN (n, MEDIA_WAV_MAX_SAMPLES - output->samples);
  for (guint done = 0; done < n;)
    {
      guint8 octets[2 * 1024];
      guint now = MIN (n - done, sizeof octets / 2);

      for (guint i = 0; i < now; i++)
        {
          guint16 value = samples != NULL ? (guint16) samples[done + i] : 0;
          octets[2 * i] = value & 0xff;
          octets[2 * i + 1] = value >> 8;
        }
      if (!write_at (output->fd, MEDIA_WAV_HEADER + (guint64) output->samples * 2, octets, now * 2))
        return output_fail (output, g_strerror (errno));
      output->samples += now;
      done += now;
    }
  if (output->samples == MEDIA_WAV_MAX_SAMPLES)
    return output_fail (output, "a WAV file cannot be longer");
  return output->samples - output->in_header < MEDIA_RATE || output_header (output);
}

/* Moves what is in the ring to the file. */
static gboolean
output_drain (MediaFileOutput *output)
{
  gint16 samples[4096];

  for (;;)
    {
      /* The fill before the gap: whatever was put in behind a gap is then seen together with it. */
      guint limit = MIN (G_N_ELEMENTS (samples), media_ring_fill (&output->ring));
      guint gap = atomic_load (&output->gap_length);
      guint n;

      if (gap > 0)
        {
          limit = MIN (limit, output->gap_at - output->taken);
          if (output->gap_at == output->taken)
            {
              if (!output_append (output, NULL, gap))
                return FALSE;
              g_message ("Recording %s: the disk was too slow for %u ms, which are silent now", output->path,
                         gap / (MEDIA_RATE / 1000));
              atomic_store (&output->gap_length, 0);
              continue;
            }
        }
      n = media_ring_read (&output->ring, samples, limit);
      if (n == 0)
        return TRUE;
      output->taken += n;
      if (!output_append (output, samples, n))
        return FALSE;
    }
}

static void
output_run (gpointer data)
{
  MediaFileOutput *output = data;
  gboolean good = output_open (output);

  while (good)
    {
      /* In this order: what was written before the stop is seen after it. */
      gboolean stop = atomic_load (&output->stop);

      good = output_drain (output);
      if (stop)
        break;
      if (good)
        while (sem_wait (&output->wake) < 0 && errno == EINTR)
          ;
    }
  if (output->fd >= 0)
    {
      if (output->samples != output->in_header)
        output_header (output);
      close (output->fd);
    }
  output_unref (output);
}

gboolean
media_file_output_check (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  struct stat st;

  if (lstat (path, &st) == 0)
    {
      if (S_ISREG (st.st_mode) && access (path, W_OK | R_OK) == 0)
        return TRUE;
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: not a plain file that can be written",
                   path);
      return FALSE;
    }
  if (errno == ENOENT && access (folder, W_OK | X_OK) == 0)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

MediaFileOutput *
media_file_output_new (const char *path, MediaFileFailed on_failed, gpointer data, GError **error)
{
  MediaFileOutput *output = g_new0 (MediaFileOutput, 1);

  atomic_init (&output->references, 2);
  sem_init (&output->wake, 0, 0);
  pthread_mutex_init (&output->failed_lock, NULL);
  media_ring_init (&output->ring, OUTPUT_RING);
  output->path = g_strdup (path);
  output->fd = -1;
  output->on_failed = on_failed;
  output->failed_data = data;
  output->thread = media_thread_start ("phoned-wav-out", output_run, output);
  if (output->thread == NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "%s: no thread to write it", path);
      output_unref (output);
      output_unref (output);
      return NULL;
    }
  return output;
}

void
media_file_output_write (MediaFileOutput *output, const gint16 *frame)
{
  if (output->lost > 0 && media_ring_fill (&output->ring) < output->ring.size / 2
      && atomic_load (&output->gap_length) == 0)
    {
      output->gap_at = output->written;
      atomic_store (&output->gap_length, output->lost);
      output->lost = 0;
    }
  if (output->lost > 0 || output->ring.size - media_ring_fill (&output->ring) < MEDIA_FRAME)
    output->lost += MEDIA_FRAME;
  else
    output->written += media_ring_write (&output->ring, frame, MEDIA_FRAME);
  if (++output->frames % OUTPUT_WAKE == 0)
    sem_post (&output->wake);
}

void
media_file_output_free (MediaFileOutput *output)
{
  if (output == NULL)
    return;
  pthread_mutex_lock (&output->failed_lock);
  output->on_failed = NULL;
  pthread_mutex_unlock (&output->failed_lock);
  media_thread_release (output->thread);
  atomic_store (&output->stop, TRUE);
  sem_post (&output->wake);
  output_unref (output);
}
