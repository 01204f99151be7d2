/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is done to a microphone, in a simulated room. The bounds lie some dB below what tests/bench/bench-echo prints. */

#include "media/media-gain.h"
#include "media/media-voice.h"
#include "pcm-signal.h"
#include "room.h"

#include <math.h>
#include <string.h>

#define SECOND MEDIA_RATE

typedef struct
{
  guint n;                      /* samples */
  gint16 *far, *near, *out;
  float *air;                   /* at the microphone, longer by a second */
  double *microphone;           /* power of each frame */
} Scene;

static Scene *
scene_new (guint seconds)
{
  Scene *scene = g_new0 (Scene, 1);

  scene->n = seconds * SECOND;
  scene->far = g_new0 (gint16, scene->n);
  scene->near = g_new0 (gint16, scene->n);
  scene->out = g_new0 (gint16, scene->n);
  scene->air = g_new0 (float, scene->n + SECOND);
  scene->microphone = g_new0 (double, scene->n / MEDIA_FRAME);
  signal_speech (scene->far, scene->n, 11);
  return scene;
}

static void
scene_free (Scene *scene)
{
  g_free (scene->far);
  g_free (scene->near);
  g_free (scene->out);
  g_free (scene->air);
  g_free (scene->microphone);
  g_free (scene);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Scene, scene_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaVoice, media_voice_free)

/* Echo in the air from begin to end (s), and noise of that amplitude. */
static void
fill_air (Scene *scene, guint64 room_seed, guint begin, guint end, double noise)
{
  Room *room = room_new (room_seed, 40 * 48, -6, 0.1);
  SignalRandom random = { 3 };

  for (guint at = begin * SECOND; at < end * SECOND; at += MEDIA_FRAME)
    room_add_echo (room, scene->far + at, scene->air + at);
  for (guint i = begin * SECOND; i < end * SECOND; i++)
    scene->air[i] += scene->near[i] + (float) (noise * 2 * (signal_uniform (&random) - 0.5));
  room_free (room);
}

/* jump: frames between pieces of 5 ms that the microphone's buffer leaves out and repeats in turn; 0: none. told: voice hears of it. */
static void
run (Scene *scene, MediaVoiceParts parts, guint jump, gboolean told)
{
  g_autoptr (MediaVoice) voice = media_voice_new ();
  guint at = 0;

  media_voice_set_parts (voice, parts);
  for (guint f = 0; f < scene->n / MEDIA_FRAME; f++, at += MEDIA_FRAME)
    {
      gint16 *frame = scene->out + f * MEDIA_FRAME;
      gint shift = jump > 0 && f % jump == jump - 1 ? (f / jump % 2 ? -240 : 240) : 0;

      at = (guint) ((gint) at + shift);
      for (guint i = 0; i < MEDIA_FRAME; i++)
        {
          frame[i] = (gint16) lrintf (CLAMP (scene->air[at + i], -32768, 32767));
          scene->microphone[f] += (double) frame[i] * frame[i] / MEDIA_FRAME;
        }
      if (told)
        media_voice_shift (voice, shift);
      media_voice_process (voice, scene->far + f * MEDIA_FRAME, frame);
    }
}

/* Echo return loss enhancement over seconds begin to end, dB. */
static double
find_erle (Scene *scene, double begin, double end)
{
  double in = 0, out = 1e-9;

  for (guint f = (guint) (begin * 100); f < (guint) (end * 100); f++)
    in += scene->microphone[f] * MEDIA_FRAME;
  for (guint i = (guint) (begin * SECOND); i < (guint) (end * SECOND); i++)
    out += (double) scene->out[i] * scene->out[i];
  return 10 * log10 (in / out);
}

static void
test_echo (void)
{
  g_autoptr (Scene) scene = scene_new (8);
  double first, later;

  fill_air (scene, 1, 0, 8, 5);
  run (scene, (MediaVoiceParts) { .echo = TRUE }, 0, FALSE);
  first = find_erle (scene, 1, 3);
  later = find_erle (scene, 4, 8);
  g_test_message ("ERLE %.1f dB in seconds 1 to 3, %.1f dB in 4 to 8", first, later);
  g_assert_cmpfloat (first, >, 20);
  g_assert_cmpfloat (later, >, 40);
}

static void
test_both_talk (void)
{
  g_autoptr (Scene) scene = scene_new (10);
  guint lag, from = 6 * SECOND, n = scene->n - from - SECOND;
  double likeness, loudness;

  signal_speech (scene->near, scene->n, 22);
  memset (scene->near, 0, 5 * SECOND * sizeof *scene->near);
  fill_air (scene, 1, 0, 10, 5);
  run (scene, (MediaVoiceParts) { .echo = TRUE }, 0, FALSE);
  likeness = signal_correlate (scene->near + from, scene->out + from, n, 2 * MEDIA_FRAME, &lag);
  loudness = signal_power_db (scene->out + from, n) - signal_power_db (scene->near + from, n);
  g_test_message ("likeness %.3f, SNR %.1f dB, loudness %+.1f dB", likeness, signal_snr (scene->near + from, scene->out + from, n, lag),
                  loudness);
  g_assert_cmpuint (lag, ==, MEDIA_VOICE_DELAY);
  g_assert_cmpfloat (likeness, >, 0.96);
  g_assert_cmpfloat (fabs (loudness), <, 1.5);
}

/* The near end talks from the first word, and over all of it: the filter learns less and never makes it worse. */
static void
test_both_from_the_start (void)
{
  g_autoptr (Scene) scene = scene_new (8);
  guint lag, from = 4 * SECOND, n = scene->n - from - SECOND;
  double likeness;

  signal_speech (scene->near, scene->n, 22);
  fill_air (scene, 1, 0, 8, 5);
  run (scene, (MediaVoiceParts) { .echo = TRUE }, 0, FALSE);
  likeness = signal_correlate (scene->near + from, scene->out + from, n, 2 * MEDIA_FRAME, &lag);
  g_test_message ("likeness %.3f", likeness);
  g_assert_cmpfloat (likeness, >, 0.92);
}

static void
test_drift (void)
{
  g_autoptr (Scene) told = scene_new (6);
  g_autoptr (Scene) untold = scene_new (6);

  fill_air (told, 1, 0, 6, 5);
  fill_air (untold, 1, 0, 6, 5);
  run (told, (MediaVoiceParts) { .echo = TRUE }, 100, TRUE);
  run (untold, (MediaVoiceParts) { .echo = TRUE }, 100, FALSE);
  g_test_message ("ERLE with a jump every second: %.1f dB told, %.1f dB not told", find_erle (told, 3, 6), find_erle (untold, 3, 6));
  g_assert_cmpfloat (find_erle (told, 3, 6), >, 35);
  g_assert_cmpfloat (find_erle (told, 3, 6), >, find_erle (untold, 3, 6) + 10);
}

/* All jumps one way, far beyond what the reference can be moved at once: it is centred anew, without a word lost. */
static void
test_far_drift (void)
{
  g_autoptr (Scene) scene = scene_new (8);
  g_autoptr (MediaVoice) voice = media_voice_new ();
  double in = 0, out = 1e-9;
  guint at = 0;

  fill_air (scene, 1, 0, 8, 5);
  media_voice_set_parts (voice, (MediaVoiceParts) { .echo = TRUE });
  for (guint f = 0; at + 2 * MEDIA_FRAME < scene->n; f++, at += MEDIA_FRAME)
    {
      gint16 frame[MEDIA_FRAME];
      gint shift = f >= 400 && f % 25 == 0 ? 96 : 0;

      at = (guint) ((gint) at + shift);
      for (guint i = 0; i < MEDIA_FRAME; i++)
        frame[i] = (gint16) lrintf (scene->air[at + i]);
      for (guint i = 0; i < MEDIA_FRAME && f >= 400; i++)
        in += (double) frame[i] * frame[i];
      media_voice_shift (voice, shift);
      media_voice_process (voice, scene->far + f * MEDIA_FRAME, frame);
      for (guint i = 0; i < MEDIA_FRAME && f >= 400; i++)
        out += (double) frame[i] * frame[i];
    }
  g_test_message ("ERLE %.1f dB", 10 * log10 (in / out));
  g_assert_cmpfloat (10 * log10 (in / out), >, 30);
}

/* The loudspeaker is moved. */
static void
test_other_room (void)
{
  g_autoptr (Scene) scene = scene_new (12);

  fill_air (scene, 1, 0, 5, 5);
  fill_air (scene, 99, 5, 12, 5);
  run (scene, (MediaVoiceParts) { .echo = TRUE }, 0, FALSE);
  g_test_message ("ERLE %.1f dB before, %.1f dB from 3 s after", find_erle (scene, 3, 5), find_erle (scene, 8, 12));
  g_assert_cmpfloat (find_erle (scene, 8, 12), >, 25);
}

/* Nobody at the far end: all that is done is 10 ms of delay. */
static void
test_untouched (void)
{
  g_autoptr (Scene) scene = scene_new (4);
  guint lag, n = scene->n - SECOND;

  memset (scene->far, 0, scene->n * sizeof *scene->far);
  signal_speech (scene->near, scene->n, 22);
  fill_air (scene, 1, 0, 4, 5);
  run (scene, (MediaVoiceParts) { .echo = TRUE }, 0, FALSE);
  signal_correlate (scene->near, scene->out, n, 2 * MEDIA_FRAME, &lag);
  g_assert_cmpuint (lag, ==, MEDIA_VOICE_DELAY);
  g_assert_cmpfloat (signal_snr (scene->near, scene->out, n, lag), >, 30);
  run (scene, (MediaVoiceParts) { 0 }, 0, FALSE);
  for (guint i = 0; i < scene->n; i++)
    g_assert_cmpint (scene->out[i], ==, (gint16) lrintf (scene->air[i]));
}

static void
test_noise (void)
{
  g_autoptr (Scene) scene = scene_new (8);
  guint lag, from = 3 * SECOND, n = scene->n - from - SECOND;
  double before, after, voice = 0, noise = 1e-9;

  memset (scene->far, 0, scene->n * sizeof *scene->far);
  signal_speech (scene->near, scene->n, 22);
  memset (scene->near, 0, 3 * SECOND * sizeof *scene->near);
  fill_air (scene, 1, 0, 8, 2000);
  run (scene, (MediaVoiceParts) { .noise = TRUE }, 0, FALSE);
  g_test_message ("noise alone goes down by %.1f dB", find_erle (scene, 2, 2.9));
  g_assert_cmpfloat (find_erle (scene, 2, 2.9), >, 12);
  /* And the voice comes out cleaner than it went in. */
  signal_correlate (scene->near + from, scene->out + from, n, 2 * MEDIA_FRAME, &lag);
  after = signal_snr (scene->near + from, scene->out + from, n, lag);
  g_assert_cmpuint (lag, ==, MEDIA_VOICE_DELAY);
  for (guint i = from; i < from + n; i++)
    {
      voice += (double) scene->near[i] * scene->near[i];
      noise += pow (scene->air[i] - scene->near[i], 2);
    }
  before = 10 * log10 (voice / noise);
  g_test_message ("SNR %.1f dB before, %.1f dB after", before, after);
  g_assert_cmpfloat (after, >, before);
}

static void
test_gain (void)
{
  static const double levels[] = { 0.25, 1, 3 };        /* of -20 dBFS */

  for (guint l = 0; l < G_N_ELEMENTS (levels); l++)
    {
      g_autoptr (Scene) scene = scene_new (10);
      MediaGain gain;
      double power = 0;
      float peak = 0;

      media_gain_init (&gain);
      for (guint f = 0; f < scene->n / MEDIA_FRAME; f++)
        {
          float frame[MEDIA_FRAME];

          for (guint i = 0; i < MEDIA_FRAME; i++)
            frame[i] = (float) (levels[l] * scene->far[f * MEDIA_FRAME + i]);
          media_gain_process (&gain, frame);
          for (guint i = 0; i < MEDIA_FRAME; i++)
            {
              peak = MAX (peak, fabsf (frame[i]));
              power += f >= 600 ? (double) frame[i] * frame[i] / 400 / MEDIA_FRAME : 0;
            }
        }
      g_test_message ("from %+.0f dB: %.1f dBFS", 20 * log10 (levels[l]), 10 * log10 (power) - 90.3);
      g_assert_cmpfloat (peak, <, 32768);
      g_assert_cmpfloat_with_epsilon (10 * log10 (power) - 90.3, -26, 4);
    }
  /* Silence and steady noise are not lifted. */
  MediaGain gain;
  SignalRandom random = { 5 };
  media_gain_init (&gain);
  for (guint f = 0; f < 3000; f++)
    {
      float frame[MEDIA_FRAME];
      for (guint i = 0; i < MEDIA_FRAME; i++)
        frame[i] = f < 1000 ? 0 : (float) (100 * (signal_uniform (&random) - 0.5));
      media_gain_process (&gain, frame);
    }
  g_assert_cmpfloat (gain.gain, <, 1.5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/voice/echo", test_echo);
  g_test_add_func ("/voice/both-talk", test_both_talk);
  g_test_add_func ("/voice/both-from-the-start", test_both_from_the_start);
  g_test_add_func ("/voice/drift", test_drift);
  g_test_add_func ("/voice/far-drift", test_far_drift);
  g_test_add_func ("/voice/other-room", test_other_room);
  g_test_add_func ("/voice/untouched", test_untouched);
  g_test_add_func ("/voice/noise", test_noise);
  g_test_add_func ("/voice/gain", test_gain);
  return g_test_run ();
}
