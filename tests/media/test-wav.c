/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* WAV: every layout that is understood, headers that lie, and the two file objects with their threads. */

#include "media/media-file.h"
#include "media/media-thread.h"
#include "media/media-wav.h"
#include "pcm-signal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

/* ---- making files ---- */

static void
put (GByteArray *to, guint64 value, guint octets)
{
  for (guint i = 0; i < octets; i++)
    {
      guint8 octet = value >> (8 * i);
      g_byte_array_append (to, &octet, 1);
    }
}

static void
put_chunk (GByteArray *to, const char *id, guint32 length)
{
  g_byte_array_append (to, (const guint8 *) id, 4);
  put (to, length, 4);
}

static GByteArray *
begin_wav (guint tag, guint channels, guint rate, guint bits, gboolean extensible)
{
  static const guint8 tail[14] = { 0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xaa, 0, 0x38, 0x9b, 0x71 };
  GByteArray *wav = g_byte_array_new ();

  put_chunk (wav, "RIFF", 0xffffffff);
  g_byte_array_append (wav, (const guint8 *) "WAVE", 4);
  put_chunk (wav, "fmt ", extensible ? 40 : 16);
  put (wav, extensible ? 0xfffe : tag, 2);
  put (wav, channels, 2);
  put (wav, rate, 4);
  put (wav, (guint64) rate * channels * bits / 8, 4);
  put (wav, channels * bits / 8, 2);
  put (wav, bits, 2);
  if (extensible)
    {
      put (wav, 22, 2);
      put (wav, bits, 2);
      put (wav, 0, 4);
      put (wav, tag, 2);
      g_byte_array_append (wav, tail, sizeof tail);
    }
  return wav;
}

static void
put_sample (GByteArray *to, guint tag, guint bits, double value)
{
  float real = (float) value;
  guint32 raw;

  if (tag == 3)
    {
      memcpy (&raw, &real, 4);
      put (to, raw, 4);
    }
  else if (bits == 8)
    put (to, (guint8) (128 + lrint (value * 127)), 1);
  else
    put (to, (guint64) (gint64) llrint (value * ((1LL << (bits - 1)) - 1)), bits / 8);
}

typedef struct { const guint8 *octets; gsize length; } Memory;

static gssize
read_memory (gpointer data, guint64 offset, void *ret_octets, gsize n)
{
  Memory *memory = data;

  if (offset >= memory->length)
    return 0;
  n = MIN (n, memory->length - offset);
  memcpy (ret_octets, memory->octets + offset, n);
  return n;
}

static gboolean
parse (GByteArray *wav, MediaWavInfo *info, GError **error)
{
  Memory memory = { wav->data, wav->len };

  return media_wav_parse (read_memory, &memory, wav->len, info, error);
}

/* ---- the container ---- */

static const struct { guint tag, bits; MediaWavFormat format; double precision; } layouts[] = {
  { 1, 8, MEDIA_WAV_U8, 0.01 }, { 1, 16, MEDIA_WAV_S16, 1e-4 }, { 1, 24, MEDIA_WAV_S24, 1e-6 },
  { 1, 32, MEDIA_WAV_S32, 1e-6 }, { 3, 32, MEDIA_WAV_F32, 1e-6 },
};

static void
test_layouts (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (layouts); i++)
    for (guint channels = 1; channels <= 6; channels += channels == 2 ? 4 : 1)
      for (guint extensible = 0; extensible < 2; extensible++)
        {
          g_autoptr (GByteArray) wav
              = begin_wav (layouts[i].tag, channels, 44100, layouts[i].bits, extensible);
          MediaWavInfo info;
          float mono[50];
          GError *error = NULL;

          /* An odd chunk in between, with its pad octet. */
          put_chunk (wav, "LIST", 5);
          put (wav, 0, 6);
          put_chunk (wav, "data", 50 * channels * layouts[i].bits / 8);
          for (guint k = 0; k < 50; k++)
            for (guint c = 0; c < channels; c++)
              put_sample (wav, layouts[i].tag, layouts[i].bits, sin (k * 0.3) * (c == 0 ? 0.9 : 0.3));
          put_chunk (wav, "tail", 0);

          parse (wav, &info, &error);
          g_assert_no_error (error);
          g_assert_cmpint (info.format, ==, layouts[i].format);
          g_assert_cmpuint (info.channels, ==, channels);
          g_assert_cmpuint (info.rate, ==, 44100);
          g_assert_cmpuint (info.frames, ==, 50);
          media_wav_convert (&info, wav->data + info.data_offset, 50, mono);
          for (guint k = 0; k < 50; k++)
            g_assert_cmpfloat_with_epsilon (mono[k], sin (k * 0.3) * (0.9 + 0.3 * (channels - 1)) / channels,
                                            layouts[i].precision);
        }
}

static void
test_extremes (void)
{
  static const guint8 octets[] = { 0x00, 0x80, 0xff, 0x7f, 0x00, 0x00 };
  static const float reals[] = { NAN, INFINITY, -INFINITY, 2.0f, -0.5f };
  MediaWavInfo info = { .format = MEDIA_WAV_S16, .channels = 1, .frame_size = 2 };
  float mono[5];

  media_wav_convert (&info, octets, 3, mono);
  g_assert_cmpfloat (mono[0], ==, -1);
  g_assert_cmpfloat (mono[1], ==, 32767 / 32768.0f);
  g_assert_cmpfloat (mono[2], ==, 0);

  info = (MediaWavInfo) { .format = MEDIA_WAV_F32, .channels = 1, .frame_size = 4 };
  media_wav_convert (&info, (const guint8 *) reals, 5, mono);
  g_assert_cmpfloat (mono[0], ==, 0);
  g_assert_cmpfloat (mono[1], ==, 1);
  g_assert_cmpfloat (mono[2], ==, -1);
  g_assert_cmpfloat (mono[3], ==, 1);
  g_assert_cmpfloat (mono[4], ==, -0.5f);
}

static void
test_hostile (void)
{
  static const struct { guint tag, channels, rate, bits; } formats[] = {
    { 2, 1, 8000, 16 }, { 1, 0, 8000, 16 }, { 1, 33, 8000, 16 }, { 1, 1, 0, 16 }, { 1, 1, 999, 16 },
    { 1, 1, 4000000000u, 16 }, { 1, 1, 8000, 12 }, { 1, 1, 8000, 0 }, { 3, 1, 8000, 64 }, { 3, 1, 8000, 16 },
    { 7, 1, 8000, 8 }, { 1, 65535, 8000, 16 },
  };
  MediaWavInfo info;
  GError *error = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (formats); i++)
    {
      g_autoptr (GByteArray) wav
          = begin_wav (formats[i].tag, formats[i].channels, formats[i].rate, formats[i].bits, i & 1);
      put_chunk (wav, "data", 64);
      for (guint k = 0; k < 8; k++)
        put (wav, 0, 8);
      g_assert_false (parse (wav, &info, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_clear_error (&error);
    }

  /* Lengths that lie: the data end with the file, whole frames only. */
  for (guint i = 0; i < 3; i++)
    {
      g_autoptr (GByteArray) wav = begin_wav (1, 2, 8000, 16, FALSE);
      put_chunk (wav, "data", i == 0 ? 0xffffffff : i == 1 ? 0x7fffffff : 15);
      put (wav, 0, 8);
      put (wav, 0, 7);
      g_assert_true (parse (wav, &info, &error));
      g_assert_cmpuint (info.frames, ==, 3);
      g_assert_cmpuint (info.data_offset + info.frames * info.frame_size, <=, wav->len);
    }

  /* No data, data before format, a block size of its own, chunks without end, a chunk that points past
   * everything, cut anywhere. */
  {
    g_autoptr (GByteArray) wav = begin_wav (1, 1, 8000, 16, FALSE);
    put_chunk (wav, "data", 0);
    g_assert_false (parse (wav, &info, NULL));
    wav->data[20 + 12] = 1;
    put (wav, 0, 8);
    wav->data[40] = 8;
    g_assert_false (parse (wav, &info, NULL));
    wav->data[20 + 12] = 2;
    g_assert_true (parse (wav, &info, NULL));
    for (guint length = 0; length < 46; length++)
      {
        Memory memory = { wav->data, length };
        g_assert_false (media_wav_parse (read_memory, &memory, length, &info, NULL));
      }
  }
  {
    g_autoptr (GByteArray) wav = g_byte_array_new ();
    put_chunk (wav, "RIFF", 100);
    g_byte_array_append (wav, (const guint8 *) "WAVE", 4);
    put_chunk (wav, "data", 8);
    put (wav, 0, 8);
    g_assert_false (parse (wav, &info, NULL));
  }
  {
    g_autoptr (GByteArray) wav = begin_wav (1, 1, 8000, 16, FALSE);
    for (guint i = 0; i < 100000; i++)
      put_chunk (wav, "junk", 0);
    put_chunk (wav, "data", 8);
    put (wav, 0, 8);
    g_assert_false (parse (wav, &info, NULL));
  }
  {
    g_autoptr (GByteArray) wav = begin_wav (1, 1, 8000, 16, FALSE);
    put_chunk (wav, "LIST", 0xffffffff);
    put_chunk (wav, "data", 8);
    put (wav, 0, 8);
    g_assert_false (parse (wav, &info, NULL));
  }
}

/* What we write, we read. */
static void
test_header (void)
{
  guint8 header[MEDIA_WAV_HEADER];
  g_autoptr (GByteArray) wav = g_byte_array_new ();
  MediaWavInfo info;

  media_wav_header (header, 1, 4);
  g_byte_array_append (wav, header, sizeof header);
  put (wav, 0, 8);
  g_assert_true (parse (wav, &info, NULL));
  g_assert_cmpuint (info.rate, ==, MEDIA_RATE);
  g_assert_cmpuint (info.channels, ==, 1);
  g_assert_cmpint (info.format, ==, MEDIA_WAV_S16);
  g_assert_cmpuint (info.frames, ==, 4);
  g_assert_cmpuint (info.data_offset, ==, MEDIA_WAV_HEADER);
  g_assert_cmpuint (header[4] | header[5] << 8, ==, wav->len - 8);
  media_wav_header (header, 1, G_MAXUINT32);
  g_assert_cmpuint (header[4] & 1, ==, 0);
}

/* ---- files ---- */

static void
read_frame (MediaFileInput *input, gint16 *frame)
{
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  while (!media_file_input_read (input, frame))
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (200);
    }
}

/* A tone at any rate comes out as the same tone at ours, over several rounds of the loop. */
static void
test_resampled (void)
{
  static const guint rates[] = { 8000, 11025, 16000, 22050, 44100, 48000, 96000 };

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    {
      g_autofree char *path = in_folder ("rate.wav");
      g_autoptr (GByteArray) wav = begin_wav (1, 2, rates[i], 16, FALSE);
      g_autofree gint16 *heard = g_new (gint16, 200 * MEDIA_FRAME),
                        *wanted = g_new (gint16, 200 * MEDIA_FRAME);
      MediaFileInput *input;
      GError *error = NULL;
      guint phase = 0;

      /* 0.2 s: 100 whole periods of 500 Hz, so the loop has no seam. */
      put_chunk (wav, "data", rates[i] / 5 * 4);
      for (guint k = 0; k < rates[i] / 5; k++)
        {
          double value = 0.3 * sin (2 * G_PI * 500 * k / rates[i]);
          put_sample (wav, 1, 16, value);
          put_sample (wav, 1, 16, value);
        }
      g_assert_true (g_file_set_contents (path, (const char *) wav->data, wav->len, NULL));
      input = media_file_input_new (path, &error);
      g_assert_no_error (error);
      for (guint f = 0; f < 200; f++)
        read_frame (input, heard + f * MEDIA_FRAME);
      media_file_input_free (input);

      signal_tone (wanted, 200 * MEDIA_FRAME, 500, 0.3 * 32767, &phase);
      {
        guint lag = 0;
        /* After the resampler's run-in. */
        double c = signal_correlate (wanted, heard + 20 * MEDIA_FRAME, 170 * MEDIA_FRAME, 96, &lag);
        g_assert_cmpfloat (c, >, 0.999);
        g_assert_cmpfloat (signal_snr (wanted, heard + 20 * MEDIA_FRAME, 170 * MEDIA_FRAME, lag), >, 22);
        g_assert_cmpfloat_with_epsilon (signal_power_db (heard + 20 * MEDIA_FRAME, 170 * MEDIA_FRAME), -13.47,
                                        0.2);
      }
    }
}

static void
test_input_errors (void)
{
  g_autofree char *missing = in_folder ("missing.wav"), *fifo = in_folder ("fifo"),
                  *text = in_folder ("text.wav");
  GError *error = NULL;

  g_assert_null (media_file_input_new (missing, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_assert_nonnull (strstr (error->message, missing));
  g_clear_error (&error);
  g_assert_null (media_file_input_new (folder, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  g_assert_cmpint (mkfifo (fifo, 0600), ==, 0);
  g_assert_null (media_file_input_new (fifo, &error));          /* and does not wait for a writer */
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (text, "hello", -1, NULL));
  g_assert_null (media_file_input_new (text, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
}

/* The file shrinks under the reader's hands. */
static void
test_truncated_while_playing (void)
{
  g_autofree char *path = in_folder ("shrinks.wav");
  g_autoptr (GByteArray) wav = begin_wav (1, 1, MEDIA_RATE, 16, FALSE);
  MediaFileInput *input;
  gint16 frame[MEDIA_FRAME];
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  put_chunk (wav, "data", 10 * MEDIA_RATE * 2);
  for (guint i = 0; i < 10 * MEDIA_RATE; i++)
    put (wav, 1000, 2);
  g_assert_true (g_file_set_contents (path, (const char *) wav->data, wav->len, NULL));
  input = media_file_input_new (path, NULL);
  read_frame (input, frame);
  g_assert_cmpint (truncate (path, 20), ==, 0);
  /* What was read ahead still plays, then nothing comes, and nothing breaks. */
  while (media_file_input_read (input, frame) || g_get_monotonic_time () < until - 19 * G_USEC_PER_SEC)
    {
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (500);
    }
  media_file_input_free (input);
}

static void
on_failed (gpointer data, const char *message)
{
  g_error ("%s", message);
}

static gint16 *
read_back (const char *path, guint *ret_n)
{
  g_autofree char *octets = NULL;
  gsize length;
  MediaWavInfo info;
  Memory memory;
  gint16 *samples;

  *ret_n = 0;
  if (!g_file_get_contents (path, &octets, &length, NULL))      /* not made yet */
    return NULL;
  memory = (Memory) { (const guint8 *) octets, length };
  if (!media_wav_parse (read_memory, &memory, length, &info, NULL))
    return NULL;
  *ret_n = info.frames;
  samples = g_memdup2 (octets + info.data_offset, info.frames * 2);
  return samples;
}

/* The header is right while the recording still grows, so that a crash leaves something to listen to. */
static void
test_output_valid_while_recording (void)
{
  g_autofree char *path = in_folder ("grows.wav");
  MediaFileOutput *output = media_file_output_new (path, on_failed, NULL, NULL);
  gint16 frame[MEDIA_FRAME];
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
  guint n = 0;

  for (guint f = 0; f < 350; f++)
    {
      for (guint i = 0; i < MEDIA_FRAME; i++)
        frame[i] = (gint16) (f * 7 + i);
      media_file_output_write (output, frame);
    }
  while (n < 2 * MEDIA_RATE)
    {
      g_autofree gint16 *samples = read_back (path, &n);
      g_assert_cmpint (g_get_monotonic_time (), <, until);
      g_usleep (1000);
    }
  media_file_output_free (output);
  g_assert_true (media_threads_wait (20000));
  {
    g_autofree gint16 *samples = read_back (path, &n);
    g_assert_cmpuint (n, ==, 350 * MEDIA_FRAME);
    for (guint f = 0; f < 350; f++)
      for (guint i = 0; i < MEDIA_FRAME; i++)
        g_assert_cmpint (samples[f * MEDIA_FRAME + i], ==, (gint16) (f * 7 + i));
  }
}

/* The writer is held up (somebody else has the lock on the file) until the ring has run over twice: the
 * recording has silence of the right length in the place of what was lost, and everything else. */
static void
test_output_slow_disk (void)
{
  g_autofree char *path = in_folder ("slow.wav");
  MediaFileOutput *output;
  gint16 frame[MEDIA_FRAME];
  g_autofree gint16 *samples = NULL;
  const guint frames = 3000, per_ring = 524288 / MEDIA_FRAME;
  guint n, silent = 0;
  int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

  g_assert_cmpint (flock (fd, LOCK_EX), ==, 0);
  output = media_file_output_new (path, on_failed, NULL, NULL);
  for (guint f = 0; f < frames - 100; f++)
    {
      for (guint i = 0; i < MEDIA_FRAME; i++)
        frame[i] = (gint16) (f + 1);
      media_file_output_write (output, frame);
    }
  close (fd);
  /* Now the writer runs; give it frames until it has caught up and taken the gap. */
  {
    gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;
    struct stat st = { 0 };
    while (st.st_size < (gssize) per_ring / 2 * MEDIA_FRAME * 2)
      {
        g_assert_cmpint (stat (path, &st), ==, 0);
        g_assert_cmpint (g_get_monotonic_time (), <, until);
        g_usleep (1000);
      }
  }
  for (guint f = frames - 100; f < frames; f++)
    {
      for (guint i = 0; i < MEDIA_FRAME; i++)
        frame[i] = (gint16) (f + 1);
      media_file_output_write (output, frame);
      g_usleep (100);
    }
  media_file_output_free (output);
  g_assert_true (media_threads_wait (20000));

  samples = read_back (path, &n);
  g_assert_cmpuint (n, ==, frames * MEDIA_FRAME);
  for (guint f = 0; f < frames; f++)
    {
      if (samples[f * MEDIA_FRAME] == 0)
        silent++;
      for (guint i = 0; i < MEDIA_FRAME; i++)
        g_assert_true (samples[f * MEDIA_FRAME + i] == (gint16) (f + 1) || samples[f * MEDIA_FRAME + i] == 0);
    }
  g_assert_cmpuint (silent, >=, frames - 100 - per_ring);
  g_assert_cmpuint (silent, <, frames - per_ring + 2);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  folder = g_dir_make_tmp ("phoned-wav-XXXXXX", NULL);
  g_test_add_func ("/wav/layouts", test_layouts);
  g_test_add_func ("/wav/extremes", test_extremes);
  g_test_add_func ("/wav/hostile", test_hostile);
  g_test_add_func ("/wav/header", test_header);
  g_test_add_func ("/wav/resampled", test_resampled);
  g_test_add_func ("/wav/input-errors", test_input_errors);
  g_test_add_func ("/wav/truncated-while-playing", test_truncated_while_playing);
  g_test_add_func ("/wav/output-valid-while-recording", test_output_valid_while_recording);
  g_test_add_func ("/wav/output-slow-disk", test_output_slow_disk);
  result = g_test_run ();
  media_threads_wait (20000);
  if (result == 0)
    {
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *path = in_folder (name);
          g_unlink (path);
        }
      g_rmdir (folder);
    }
  g_free (folder);
  return result;
}
