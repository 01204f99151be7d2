/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-silence.h"

#include <math.h>
#include <string.h>

/* White noise, a sine on top of it, of these levels (dBFS; below -90: none). Returns what the last frame gives. */
static guint
run (MediaSilence *silence, GRand *random, double noise, double voice, guint ms)
{
  static guint64 at;
  guint quiet = 0;

  for (guint t = 0; t < ms; t += MEDIA_FRAME_MS)
    {
      gint16 frame[MEDIA_FRAME];

      for (guint i = 0; i < MEDIA_FRAME; i++, at++)
        {
          double n = noise > -90 ? pow (10, noise / 20) * sqrt (3) * g_rand_double_range (random, -1, 1) : 0;
          double v = voice > -90 ? pow (10, voice / 20) * M_SQRT2 * sin (2 * G_PI * 300 * (double) at / MEDIA_RATE) : 0;

          frame[i] = (gint16) CLAMP (lrint (32767 * (n + v)), -32768, 32767);
        }
      quiet = media_silence_add (silence, frame);
    }
  return quiet;
}

static void
test_nothing (void)
{
  MediaSilence silence;
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  media_silence_init (&silence);
  g_assert_cmpuint (run (&silence, random, -100, -100, 5000), ==, 5000);
}

/* A voice in three rooms: words of 300 ms with gaps of 200 ms are speech all the time, and what follows is silence from the last word on. */
static void
test_speech (gconstpointer data)
{
  double noise = *(const double *) data;
  MediaSilence silence;
  g_autoptr (GRand) random = g_rand_new_with_seed (2);

  media_silence_init (&silence);
  run (&silence, random, noise, -100, 1000);
  for (guint i = 0; i < 20; i++)
    {
      g_assert_cmpuint (run (&silence, random, noise, -20, 300), ==, 0);
      g_assert_cmpuint (run (&silence, random, noise, -100, 200), <=, 200);
    }
  g_assert_cmpuint (run (&silence, random, noise, -100, 4800), >=, 4900);
}

/* A fan is switched on: a voice at first, then noise, and a voice over it is still one. */
static void
test_fan (void)
{
  MediaSilence silence;
  g_autoptr (GRand) random = g_rand_new_with_seed (3);

  media_silence_init (&silence);
  run (&silence, random, -70, -100, 2000);
  g_assert_cmpuint (run (&silence, random, -40, -100, 500), <, 500);
  g_assert_cmpuint (run (&silence, random, -40, -100, 14500), >, 3000);
  g_assert_cmpuint (run (&silence, random, -40, -22, 300), ==, 0);
}

static void
test_click (void)
{
  MediaSilence silence;
  g_autoptr (GRand) random = g_rand_new_with_seed (4);

  media_silence_init (&silence);
  guint before = run (&silence, random, -60, -100, 1000);
  run (&silence, random, -60, -6, 2 * MEDIA_FRAME_MS);
  g_assert_cmpuint (run (&silence, random, -60, -100, 1000), ==, before + 2 * MEDIA_FRAME_MS + 1000);
}

/* Somebody who speaks without a breath, half a minute long, does not become noise. */
static void
test_long_vowel (void)
{
  MediaSilence silence;
  g_autoptr (GRand) random = g_rand_new_with_seed (5);

  media_silence_init (&silence);
  g_assert_cmpuint (run (&silence, random, -60, -12, 30000), ==, 0);
}

int
main (int argc, char **argv)
{
  static const double silent = -100, room = -60, street = -42;

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/silence/nothing", test_nothing);
  g_test_add_data_func ("/silence/speech-in-nothing", &silent, test_speech);
  g_test_add_data_func ("/silence/speech-in-a-room", &room, test_speech);
  g_test_add_data_func ("/silence/speech-in-a-street", &street, test_speech);
  g_test_add_func ("/silence/fan", test_fan);
  g_test_add_func ("/silence/click", test_click);
  g_test_add_func ("/silence/long-vowel", test_long_vowel);
  return g_test_run ();
}
