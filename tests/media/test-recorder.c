/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The recorder and what it hangs on: fed tick by tick as the hub would, and what it wrote decoded by GStreamer, which is not us. */

#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

#include "media/media-wav.h"
#include "media/ogg-wav.h"
#include "media/wav-ogg.h"
#include "media/media-recorder.h"
#include "media/media-thread.h"
#include "pcm-signal.h"

/* ---- a sink in memory ---- */

typedef struct
{
  PhoneByteSink sink;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  GByteArray *octets;
  gsize synced, limit;          /* limit: octets that the disk holds */
  gboolean closed, complete;
  guint64 ms;
} Memory;

static gboolean
memory_write (PhoneByteSink *sink, gconstpointer data, gsize length, GError **error)
{
  Memory *memory = (Memory *) sink;
  gboolean fits;

  pthread_mutex_lock (&memory->lock);
  fits = memory->octets->len + length <= memory->limit;
  if (fits)
    g_byte_array_append (memory->octets, data, (guint) length);
  else
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "the disk is full");
  pthread_mutex_unlock (&memory->lock);
  return fits;
}

static gboolean
memory_sync (PhoneByteSink *sink, GError **error)
{
  Memory *memory = (Memory *) sink;

  pthread_mutex_lock (&memory->lock);
  memory->synced = memory->octets->len;
  pthread_cond_broadcast (&memory->changed);
  pthread_mutex_unlock (&memory->lock);
  return TRUE;
}

static void
memory_close (PhoneByteSink *sink, gboolean complete, guint64 ms)
{
  Memory *memory = (Memory *) sink;

  pthread_mutex_lock (&memory->lock);
  memory->closed = TRUE;
  memory->complete = complete;
  memory->ms = ms;
  pthread_cond_broadcast (&memory->changed);
  pthread_mutex_unlock (&memory->lock);
}

static void
memory_init (Memory *memory)
{
  *memory = (Memory) { .sink = { memory_write, memory_sync, memory_close }, .octets = g_byte_array_new (), .limit = G_MAXSIZE };
  media_mutex_init (&memory->lock);
  media_cond_init (&memory->changed);
}

static void
memory_wait_closed (Memory *memory)
{
  gint64 until = g_get_monotonic_time () + 20 * G_USEC_PER_SEC;

  pthread_mutex_lock (&memory->lock);
  while (!memory->closed)
    g_assert_true (media_cond_wait_until (&memory->changed, &memory->lock, until));
  pthread_mutex_unlock (&memory->lock);
}

static void
memory_clear (Memory *memory)
{
  g_byte_array_unref (memory->octets);
  pthread_mutex_destroy (&memory->lock);
  pthread_cond_destroy (&memory->changed);
}

/* ---- a call in ticks ---- */

#define NEAR_HZ 440
#define FAR_HZ 1000

typedef struct
{
  MediaTaps *taps;
  guint near_phase, far_phase;
} Call;

/* The recorder's thread has no more than its ring: it must be let run now and then, as in real time. */
static void
talk (Call *call, Memory *memory, guint frames, gboolean far_speaks)
{
  for (guint i = 0; i < frames; i++)
    {
      gint16 near[MEDIA_FRAME], far[MEDIA_FRAME];

      signal_tone (near, MEDIA_FRAME, NEAR_HZ, 10000, &call->near_phase);
      signal_tone (far, MEDIA_FRAME, FAR_HZ, 10000, &call->far_phase);
      media_taps_far (call->taps, far_speaks ? far : NULL);
      media_taps_near (call->taps, near, 0);
      if (i % 200 == 199)
        {
          pthread_mutex_lock (&memory->lock);
          gsize before = memory->synced;
          while (memory->synced == before && !memory->closed && memory->octets->len < memory->limit / 2)
            if (!media_cond_wait_until (&memory->changed, &memory->lock, g_get_monotonic_time () + 100000))
              break;
          pthread_mutex_unlock (&memory->lock);
        }
    }
}

/* ---- decoding ---- */

typedef struct
{
  gint16 *left, *right;
  guint n;
} Stereo;

static void
stereo_clear (Stereo *stereo)
{
  g_free (stereo->left);
  g_free (stereo->right);
}

static gboolean
append (gpointer data, gconstpointer octets, gsize length, GError **error)
{
  g_byte_array_append (data, octets, (guint) length);
  return TRUE;
}

/* What is exported as WAV is what another decoder makes of the same octets, sample for sample, mono in both channels. */
static void
assert_exported (const GByteArray *octets, const char *expected, gsize length)
{
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_autoptr (MediaOggWav) wav = media_ogg_wav_new (append, all);
  g_autoptr (GError) error = NULL;
  const gint16 *samples = (const gint16 *) (gconstpointer) expected, *ours;
  guint channels, n;

  media_ogg_wav_add (wav, octets->data, octets->len, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (all->len, >, MEDIA_WAV_HEADER);
  channels = all->data[22];
  n = (all->len - MEDIA_WAV_HEADER) / 2 / channels;
  ours = (const gint16 *) (gconstpointer) (all->data + MEDIA_WAV_HEADER);
  g_assert_cmpuint (n, ==, length / 4);
  for (guint i = 0; i < n; i++)
    for (guint c = 0; c < 2; c++)
      if (ABS (ours[channels * i + (channels == 2 ? c : 0)] - samples[2 * i + c]) > 1)
        g_error ("sample %u of channel %u is %d, not %d", i, c, ours[channels * i + (channels == 2 ? c : 0)], samples[2 * i + c]);
}

static Stereo
decode (const GByteArray *octets)
{
  g_autofree char *folder = g_dir_make_tmp ("recorder-XXXXXX", NULL);
  g_autofree char *ogg = g_build_filename (folder, "in.opus", NULL);
  g_autofree char *raw = g_build_filename (folder, "out.raw", NULL);
  g_autofree char *launch = g_strdup_printf ("filesrc location=%s ! oggdemux ! opusdec ! audioconvert ! "
                                             "audio/x-raw,format=S16LE,channels=2,rate=48000 ! filesink location=%s", ogg, raw);
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;
  Stereo stereo = { 0 };
  gsize length;

  g_assert_true (g_file_set_contents (ogg, (const char *) octets->data, octets->len, NULL));
  GstElement *pipeline = gst_parse_launch (launch, &error);
  g_assert_no_error (error);
  gst_element_set_state (pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus (pipeline);
  GstMessage *message = gst_bus_timed_pop_filtered (bus, 30 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  g_assert_nonnull (message);
  g_assert_cmpint (GST_MESSAGE_TYPE (message), ==, GST_MESSAGE_EOS);
  gst_message_unref (message);
  gst_element_set_state (pipeline, GST_STATE_NULL);
  gst_object_unref (bus);
  gst_object_unref (pipeline);

  g_assert_true (g_file_get_contents (raw, &text, &length, NULL));
  stereo.n = (guint) (length / 4);
  stereo.left = g_new (gint16, stereo.n + 1);
  stereo.right = g_new (gint16, stereo.n + 1);
  for (guint i = 0; i < stereo.n; i++)
    {
      stereo.left[i] = ((const gint16 *) (gpointer) text)[2 * i];
      stereo.right[i] = ((const gint16 *) (gpointer) text)[2 * i + 1];
    }
  g_remove (ogg);
  g_remove (raw);
  g_rmdir (folder);
  assert_exported (octets, text, length);
  return stereo;
}

/* Level of one frequency in dBFS (Goertzel). */
static double
level_of (const gint16 *pcm, guint n, double hz)
{
  double w = 2 * G_PI * hz / MEDIA_RATE, c = 2 * cos (w), s1 = 0, s2 = 0;

  for (guint i = 0; i < n; i++)
    {
      double s = pcm[i] / 32768.0 + c * s1 - s2;
      s2 = s1;
      s1 = s;
    }
  return 10 * log10 ((s1 * s1 + s2 * s2 - c * s1 * s2) / ((double) n * n / 4) + 1e-12);
}

/* ---- tests ---- */

/* Each side stands in its own channel and leaves no trace in the other; the length is exact. */
static void
test_channels (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };
  g_autoptr (GError) error = NULL;

  memory_init (&memory);
  MediaRecorder *recorder = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { 0 }, NULL, NULL, &error);
  g_assert_no_error (error);
  talk (&call, &memory, 401, TRUE);
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  g_assert_true (memory.complete);
  g_assert_cmpuint (memory.ms, ==, 4000);               /* the half of a packet that was left over is not written */

  Stereo stereo = decode (memory.octets);
  g_assert_cmpuint (stereo.n, ==, 4 * MEDIA_RATE);
  const gint16 *left = stereo.left + MEDIA_RATE, *right = stereo.right + MEDIA_RATE;
  g_assert_cmpfloat (level_of (left, 2 * MEDIA_RATE, NEAR_HZ), >, -16);
  g_assert_cmpfloat (level_of (right, 2 * MEDIA_RATE, FAR_HZ), >, -16);
  g_assert_cmpfloat (level_of (left, 2 * MEDIA_RATE, FAR_HZ), <, -55);
  g_assert_cmpfloat (level_of (right, 2 * MEDIA_RATE, NEAR_HZ), <, -55);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

/* WAV has the samples themselves, and becomes Opus that another decoder reads; also when it was cut off in the middle of a sample. */
static void
test_wav (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };
  g_autoptr (GByteArray) ogg = g_byte_array_new ();
  g_autoptr (MediaWavOgg) converter = media_wav_ogg_new (append, ogg);
  g_autoptr (GError) error = NULL;

  memory_init (&memory);
  MediaRecorder *recorder = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { .format = PHONE_RECORDING_FORMAT_WAV }, NULL, NULL, &error);
  g_assert_no_error (error);
  talk (&call, &memory, 401, TRUE);
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  g_assert_true (memory.complete);
  g_assert_cmpuint (memory.ms, ==, 4000);
  g_assert_cmpuint (memory.octets->len, ==, MEDIA_WAV_HEADER + 4 * 4 * MEDIA_RATE);
  g_assert_cmpmem (memory.octets->data, 4, "RIFF", 4);

  guint near_phase = 0, far_phase = 0;
  const gint16 *samples = (const gint16 *) (gconstpointer) (memory.octets->data + MEDIA_WAV_HEADER);
  for (guint i = 0; i < 400; i++)
    {
      gint16 near[MEDIA_FRAME], far[MEDIA_FRAME];

      signal_tone (near, MEDIA_FRAME, NEAR_HZ, 10000, &near_phase);
      signal_tone (far, MEDIA_FRAME, FAR_HZ, 10000, &far_phase);
      for (guint at = 0; at < MEDIA_FRAME; at++, samples += 2)
        if (samples[0] != near[at] || samples[1] != far[at])
          g_error ("sample %u of frame %u is %d and %d, not %d and %d", at, i, samples[0], samples[1], near[at], far[at]);
    }

  media_wav_ogg_add (converter, memory.octets->data, memory.octets->len - 2 * 4 * MEDIA_RATE - 1, &error);
  media_wav_ogg_finish (converter, &error);
  g_assert_no_error (error);
  Stereo stereo = decode (ogg);
  g_assert_cmpuint (stereo.n, ==, 2 * MEDIA_RATE);
  g_assert_cmpfloat (level_of (stereo.left + MEDIA_RATE, MEDIA_RATE, NEAR_HZ), >, -16);
  g_assert_cmpfloat (level_of (stereo.right + MEDIA_RATE, MEDIA_RATE, FAR_HZ), >, -16);
  g_assert_cmpfloat (level_of (stereo.left + MEDIA_RATE, MEDIA_RATE, FAR_HZ), <, -55);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

/* A pause leaves out what is said in it, on both sides, and nothing else. */
static void
test_pause (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };

  memory_init (&memory);
  MediaRecorder *recorder = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { 0 }, NULL, NULL, NULL);
  talk (&call, &memory, 200, FALSE);
  media_recorder_set_paused (recorder, TRUE);
  talk (&call, &memory, 300, TRUE);
  media_recorder_set_paused (recorder, FALSE);
  talk (&call, &memory, 100, FALSE);
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  g_assert_cmpuint (memory.ms, ==, 3000);
  Stereo stereo = decode (memory.octets);
  g_assert_cmpfloat (level_of (stereo.right, stereo.n, FAR_HZ), <, -55);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

/* The tone that says so: at once, for half a second, and again after 15 s; in what is sent and in the recording. */
static void
test_announced (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };
  static gint16 sent[1600 * MEDIA_FRAME];
  gint16 quiet[MEDIA_FRAME] = { 0 };

  memory_init (&memory);
  MediaRecorder *recorder = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { .announce = TRUE }, NULL, NULL, NULL);
  for (guint i = 0; i < 1600; i++)
    {
      media_taps_far (call.taps, NULL);
      memcpy (sent + i * MEDIA_FRAME, media_taps_near (call.taps, quiet, 0), sizeof quiet);
    }
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  guint second = MEDIA_RATE;
  g_assert_cmpfloat (level_of (sent, second / 2, 1400), >, -22);
  g_assert_cmpfloat (signal_power_db (sent + second / 2, 14 * second), <, -90);
  g_assert_cmpfloat (level_of (sent + 15 * second, second / 2, 1400), >, -22);
  Stereo stereo = decode (memory.octets);
  g_assert_cmpfloat (level_of (stereo.left + second / 10, second / 4, 1400), >, -26);
  g_assert_cmpfloat (level_of (stereo.right + second / 10, second / 4, 1400), <, -60);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

/* A second of a tone of its own, in a file. */
static char *
write_prompt (const char *folder, guint hz)
{
  char *path = g_build_filename (folder, "prompt.wav", NULL);
  g_autofree guint8 *octets = g_malloc0 (MEDIA_WAV_HEADER + MEDIA_RATE * 2);
  guint phase = 0;

  media_wav_header (octets, 1, MEDIA_RATE);
  signal_tone ((gint16 *) (octets + MEDIA_WAV_HEADER), MEDIA_RATE, hz, 10000, &phase);
  g_assert_true (g_file_set_contents (path, (const char *) octets, MEDIA_WAV_HEADER + MEDIA_RATE * 2, NULL));
  return path;
}

/* A prompt in place of the tone: once, in what is sent instead of the microphone, and in the recording; it rests in a pause. Where the reader of
 * the file is late there is silence, which nothing else here is. */
static void
test_prompt (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };
  g_autofree char *folder = g_dir_make_tmp ("phoned-prompt-XXXXXX", NULL);
  g_autofree char *path = write_prompt (folder, 700);
  static gint16 sent[1700 * MEDIA_FRAME];
  gint16 near[MEDIA_FRAME];

  memory_init (&memory);
  MediaRecorder *recorder
    = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { .announce = TRUE, .prompt = path }, NULL, NULL, NULL);
  media_recorder_set_paused (recorder, TRUE);
  signal_tone (near, MEDIA_FRAME, NEAR_HZ, 10000, &call.near_phase);
  g_assert_cmpfloat (level_of (media_taps_near (call.taps, near, 0), MEDIA_FRAME, NEAR_HZ), >, -20);
  media_recorder_set_paused (recorder, FALSE);
  for (guint i = 0; i < 1700; i++)
    {
      signal_tone (near, MEDIA_FRAME, NEAR_HZ, 10000, &call.near_phase);
      media_taps_far (call.taps, NULL);
      memcpy (sent + i * MEDIA_FRAME, media_taps_near (call.taps, near, 0), sizeof near);
      if (signal_power_db (sent + i * MEDIA_FRAME, MEDIA_FRAME) < -90)
        {
          i--;
          g_usleep (100);               /* the reader's thread is let run; nothing is measured */
        }
    }
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  guint second = MEDIA_RATE;
  g_assert_cmpfloat (level_of (sent, second / 2, 700), >, -16);
  g_assert_cmpfloat (level_of (sent, second / 2, NEAR_HZ), <, -60);
  g_assert_cmpfloat (level_of (sent + 2 * second, second, NEAR_HZ), >, -16);
  g_assert_cmpfloat (level_of (sent + 15 * second, second / 2, 1400), <, -60);
  g_assert_cmpfloat (level_of (sent + 15 * second, second / 2, 700), <, -60);
  Stereo stereo = decode (memory.octets);
  g_assert_cmpfloat (level_of (stereo.left, 3 * second, 700), >, -40);
  g_assert_cmpfloat (level_of (stereo.right, 3 * second, 700), <, -60);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

/* Without the file nobody is recorded in silence: the tone is heard. */
static void
test_prompt_missing (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };
  static gint16 sent[50 * MEDIA_FRAME];
  gint16 quiet[MEDIA_FRAME] = { 0 };
  GLogLevelFlags fatal = g_log_set_always_fatal (G_LOG_FATAL_MASK);     /* it warns of the prompt */

  memory_init (&memory);
  MediaRecorder *recorder
    = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { .announce = TRUE, .prompt = "/nowhere/prompt.wav" }, NULL, NULL, NULL);
  g_log_set_always_fatal (fatal);
  for (guint i = 0; i < 50; i++)
    memcpy (sent + i * MEDIA_FRAME, media_taps_near (call.taps, quiet, 0), sizeof quiet);
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  g_assert_cmpfloat (level_of (sent, MEDIA_RATE / 2, 1400), >, -22);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

static void
on_failed (const char *message, gpointer data)
{
  Memory *memory = data;

  g_assert_nonnull (strstr (message, "full"));
  pthread_mutex_lock (&memory->lock);
  memory->limit = 0;
  pthread_cond_broadcast (&memory->changed);
  pthread_mutex_unlock (&memory->lock);
}

static gboolean
has_failed (Memory *memory)
{
  pthread_mutex_lock (&memory->lock);
  gboolean failed = memory->limit == 0;
  pthread_mutex_unlock (&memory->lock);
  return failed;
}

/* A full disk ends the recording, once, and not the call; what was written so far can be played. */
static void
test_full (void)
{
  Memory memory;
  Call call = { .taps = media_taps_new () };

  memory_init (&memory);
  memory.limit = 20000;
  MediaRecorder *recorder = media_recorder_new (call.taps, &memory.sink, &(PhoneRecordParams) { 0 }, &(MediaRecorderEvents) { .failed = on_failed }, &memory, NULL);
  for (guint i = 0; i < 200 && !has_failed (&memory); i++)
    talk (&call, &memory, 100, TRUE);
  talk (&call, &memory, 100, TRUE);
  media_recorder_stop (recorder);
  memory_wait_closed (&memory);
  g_assert_cmpuint (memory.limit, ==, 0);
  g_assert_false (memory.complete);
  Stereo stereo = decode (memory.octets);
  g_assert_cmpuint (stereo.n, >, MEDIA_RATE);
  stereo_clear (&stereo);
  memory_clear (&memory);
  media_taps_free (call.taps);
}

/* A source alone, a source beside the microphone, and neither; nothing is called after it was taken off. */
static gboolean
on_source (gpointer data, gint16 *frame, gboolean *ret_only)
{
  *ret_only = *(gboolean *) data;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = 1000;
  return TRUE;
}

static void
test_sources (void)
{
  MediaTaps *taps = media_taps_new ();
  gboolean only = FALSE;
  gint16 microphone[MEDIA_FRAME];

  for (guint i = 0; i < MEDIA_FRAME; i++)
    microphone[i] = 200;
  g_assert_true (media_taps_near (taps, microphone, 0) == microphone);
  media_taps_add_source (taps, on_source, &only);
  g_assert_cmpint (media_taps_near (taps, microphone, 0)[7], ==, 1200);
  only = TRUE;
  g_assert_cmpint (media_taps_near (taps, microphone, 0)[7], ==, 1000);
  media_taps_remove (taps, &only);
  g_assert_true (media_taps_near (taps, microphone, 0) == microphone);
  media_taps_free (taps);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/recorder/channels", test_channels);
  g_test_add_func ("/recorder/wav", test_wav);
  g_test_add_func ("/recorder/pause", test_pause);
  g_test_add_func ("/recorder/announced", test_announced);
  g_test_add_func ("/recorder/prompt", test_prompt);
  g_test_add_func ("/recorder/prompt-missing", test_prompt_missing);
  g_test_add_func ("/recorder/full", test_full);
  g_test_add_func ("/recorder/sources", test_sources);
  return g_test_run ();
}
