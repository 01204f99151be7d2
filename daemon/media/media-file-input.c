/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each file has one thread, which owns the descriptor, and a ring that it shares with the hub. The hub
 * wakes it by a semaphore every so many frames (posting never waits); nothing here has a timer, so a file
 * that is not ticked wakes nobody.
 *
 * Both objects are counted by two: the hub's side and the thread. The hub's side only leaves word and goes;
 * the thread cleans up when it sees it. */

#include "media/media-file.h"
#include "media/media-ring.h"
#include "media/media-thread.h"
#include "media/media-wav.h"

#include <errno.h>
#include <fcntl.h>
#include <gst/audio/audio.h>
#include <math.h>
#include <semaphore.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_BLOCK 4096                 /* frames of the file read at a time */
#define INPUT_RING (2 * MEDIA_RATE)
#define INPUT_WAKE 20                   /* hub frames between wake-ups of the reader */

gssize
media_file_read_at (gpointer data, guint64 offset, void *ret_octets, gsize n)
{
  gsize done = 0;

  while (done < n)
    {
      gssize got = pread (GPOINTER_TO_INT (data), (char *) ret_octets + done, n - done, offset + done);

      if (got < 0 && errno == EINTR)
        continue;
      if (got < 0)
        return -1;
      if (got == 0)
        break;
      done += got;
    }
  return done;
}

struct _MediaFileInput
{
  atomic_int references;
  atomic_bool stop, over;       /* over: all of it is in the ring, or has been */
  gboolean once;
  sem_t wake;
  MediaThread *thread;          /* hub's side */
  MediaRing ring;
  guint frames_read;            /* hub thread */

  char *path;                   /* the rest: reading thread */
  int fd;
  MediaWavInfo info;
  GstAudioResampler *resampler; /* NULL: the file is at MEDIA_RATE */
  guint8 *octets;
  float *mono, *resampled;
  gint16 *samples;
  guint capacity;               /* samples that one block may become */
};

static void
input_unref (MediaFileInput *input)
{
  if (atomic_fetch_sub (&input->references, 1) > 1)
    return;
  g_clear_pointer (&input->resampler, gst_audio_resampler_free);
  close (input->fd);
  sem_destroy (&input->wake);
  media_ring_clear (&input->ring);
  g_free (input->octets);
  g_free (input->mono);
  g_free (input->resampled);
  g_free (input->samples);
  g_free (input->path);
  g_free (input);
}

/* Converts one block of the file; returns samples, 0 when the file cannot be read any more. */
static guint
read_block (MediaFileInput *input, guint64 *position)
{
  guint frames = MIN (READ_BLOCK, input->info.frames - *position);
  gssize got
      = media_file_read_at (GINT_TO_POINTER (input->fd),
                            input->info.data_offset + *position * input->info.frame_size, input->octets,
                            frames * input->info.frame_size);
  const float *mono = input->mono;
  guint n;

  if (got < (gssize) input->info.frame_size)
    return 0;
  frames = got / input->info.frame_size;
  *position = (*position + frames) % input->info.frames;

  /* Most files are made for us: then there is nothing to convert. */
  if (input->info.format == MEDIA_WAV_S16 && input->info.channels == 1 && input->info.rate == MEDIA_RATE)
    {
      for (guint i = 0; i < frames; i++)
        input->samples[i] = (gint16) (input->octets[2 * i] | input->octets[2 * i + 1] << 8);
      return frames;
    }
  media_wav_convert (&input->info, input->octets, frames, input->mono);
  n = frames;
  if (input->resampler != NULL)
    {
      gpointer from[1] = { input->mono }, to[1] = { input->resampled };

      n = MIN (gst_audio_resampler_get_out_frames (input->resampler, frames), input->capacity);
      gst_audio_resampler_resample (input->resampler, from, frames, to, n);
      mono = input->resampled;
    }
  for (guint i = 0; i < n; i++)
    input->samples[i] = (gint16) CLAMP (lrintf (mono[i] * 32768), G_MININT16, G_MAXINT16);
  return n;
}

static void
input_run (gpointer data)
{
  MediaFileInput *input = data;
  guint64 position = 0;

  while (!atomic_load (&input->stop))
    {
      guint empty = 0;

      while (input->ring.size - media_ring_fill (&input->ring) >= input->capacity && empty < 2)
        {
          guint n = read_block (input, &position);

          /* A file may have been cut short while we play it: start over, and give up only when its
           * beginning is gone too. */
          if (n == 0)
            {
              empty++;
              position = 0;
            }
          media_ring_write (&input->ring, input->samples, n);
          if (input->once && position == 0)
            empty = 2;
        }
      if (empty >= 2 && input->once)
        break;
      if (empty >= 2)
        {
          g_warning ("Cannot read %s any more: silence in its place", input->path);
          break;
        }
      while (sem_wait (&input->wake) < 0 && errno == EINTR)
        ;
    }
  atomic_store (&input->over, TRUE);
  input_unref (input);
}

static int
input_open (const char *path, MediaWavInfo *ret_info, GError **error)
{
  /* Non-blocking, so that a FIFO does not hold us up before we see what it is. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat st;

  if (fd < 0 || fstat (fd, &st) < 0)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: %s", path, g_strerror (errno));
  else if (!S_ISREG (st.st_mode))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: not a plain file", path);
  else if (media_wav_parse (media_file_read_at, GINT_TO_POINTER (fd), st.st_size, ret_info, error))
    return fd;
  else
    g_prefix_error (error, "%s: ", path);

  if (fd >= 0)
    close (fd);
  return -1;
}

gboolean
media_file_input_check (const char *path, double *ret_seconds, GError **error)
{
  MediaWavInfo info;
  int fd = input_open (path, &info, error);

  if (fd >= 0)
    close (fd);
  if (fd >= 0 && ret_seconds)
    *ret_seconds = (double) info.frames / info.rate;
  return fd >= 0;
}

static MediaFileInput *
input_new (const char *path, gboolean once, GError **error)
{
  MediaFileInput *input;
  MediaWavInfo info;
  int fd = input_open (path, &info, error);

  if (fd < 0)
    return NULL;
  input = g_new0 (MediaFileInput, 1);
  atomic_init (&input->references, 2);
  sem_init (&input->wake, 0, 0);
  input->once = once;
  input->path = g_strdup (path);
  input->fd = fd;
  input->info = info;
  input->capacity = READ_BLOCK;
  input->octets = g_malloc (READ_BLOCK * info.frame_size);
  input->mono = g_new (float, READ_BLOCK);
  if (info.rate != MEDIA_RATE)
    {
      input->capacity = (guint64) READ_BLOCK * MEDIA_RATE / info.rate + 64;
      input->resampler = gst_audio_resampler_new (GST_AUDIO_RESAMPLER_METHOD_KAISER, 0, GST_AUDIO_FORMAT_F32,
                                                  1, info.rate, MEDIA_RATE, NULL);
      input->resampled = g_new (float, input->capacity);
    }
  input->samples = g_new (gint16, input->capacity);
  media_ring_init (&input->ring, INPUT_RING + input->capacity);

  input->thread = media_thread_start ("phoned-wav-in", input_run, input);
  if (input->thread == NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "%s: no thread to read it", path);
      input_unref (input);
      input_unref (input);
      return NULL;
    }
  return input;
}

MediaFileInput *
media_file_input_new (const char *path, GError **error)
{
  return input_new (path, FALSE, error);
}

MediaFileInput *
media_file_input_new_once (const char *path, GError **error)
{
  return input_new (path, TRUE, error);
}

gboolean
media_file_input_is_over (MediaFileInput *input)
{
  /* Less than a frame at the end is not worth one. */
  return atomic_load (&input->over) && media_ring_fill (&input->ring) < MEDIA_FRAME;
}

gboolean
media_file_input_read (MediaFileInput *input, gint16 *ret_frame)
{
  if (media_ring_fill (&input->ring) < MEDIA_FRAME)
    return FALSE;
  media_ring_read (&input->ring, ret_frame, MEDIA_FRAME);
  if (++input->frames_read % INPUT_WAKE == 0)
    sem_post (&input->wake);
  return TRUE;
}

void
media_file_input_free (MediaFileInput *input)
{
  if (input == NULL)
    return;
  media_thread_release (input->thread);
  atomic_store (&input->stop, TRUE);
  sem_post (&input->wake);
  input_unref (input);
}
