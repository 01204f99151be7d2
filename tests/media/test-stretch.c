/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "media/media-stretch.h"
#include "pcm-signal.h"

#define N 4800

/* A voice of hz: a few harmonics. */
static void
voice (gint16 *ret_pcm, guint n, double hz, guint at)
{
  for (guint i = 0; i < n; i++)
    {
      double t = 2 * G_PI * hz * (at + i) / MEDIA_RATE, y = 0;

      for (guint k = 1; k <= 8; k++)
        y += sin (k * t + k * k) / k;
      ret_pcm[i] = (gint16) lrint (5000 * y);
    }
}

static int
biggest_step (const gint16 *pcm, guint n)
{
  int biggest = 0;

  for (guint i = 1; i < n; i++)
    biggest = MAX (biggest, ABS (pcm[i] - pcm[i - 1]));
  return biggest;
}

/* The lag found is a period or a multiple of it, in both directions, for all voices. */
static void
test_match (void)
{
  static gint16 pcm[2 * N];

  for (double hz = 60; hz <= 400; hz *= 1.13)
    {
      double period = MEDIA_RATE / hz, off;
      int lag = 0;

      voice (pcm, 2 * N, hz, 0);
      g_assert_cmpfloat (media_stretch_match (pcm + N, MEDIA_STRETCH_MIN, MEDIA_STRETCH_MAX, &lag), >, 0.995);
      off = fabs (lag / period - round (lag / period));
      g_assert_cmpfloat (off * period, <, 2);
      g_assert_cmpint (lag, >=, MEDIA_STRETCH_MIN);
      g_assert_cmpint (lag, <=, MEDIA_STRETCH_MAX);
      g_assert_cmpfloat (media_stretch_match (pcm + N, -MEDIA_STRETCH_MAX, -MEDIA_STRETCH_MIN, &lag), >, 0.995);
      off = fabs (lag / period - round (lag / period));
      g_assert_cmpfloat (off * period, <, 2);
      g_assert_cmpint (lag, <=, -MEDIA_STRETCH_MIN);
    }
}

static void
test_no_match (void)
{
  static gint16 pcm[2 * N];
  SignalRandom random = { 4 };
  int lag;

  for (guint i = 0; i < 2 * N; i++)
    pcm[i] = (gint16) signal_random (&random);
  g_assert_cmpfloat (media_stretch_match (pcm + N, MEDIA_STRETCH_MIN, MEDIA_STRETCH_MAX, &lag), <, 0.5);
  memset (pcm, 0, sizeof pcm);
  g_assert_cmpfloat (media_stretch_match (pcm + N, MEDIA_STRETCH_MIN, MEDIA_STRETCH_MAX, &lag), <, 0.5);
}

/* Shorter and longer: the count is right, nothing outside is touched, no step is larger than the voice's own, and the voice goes on. */
static void
test_jump (void)
{
  static gint16 original[3 * N], pcm[3 * N], expected[N];

  for (double hz = 75; hz <= 350; hz *= 1.3)
    for (int direction = -1; direction <= 1; direction += 2)
      {
        int lag = 0, low = direction > 0 ? MEDIA_STRETCH_MIN : -MEDIA_STRETCH_MAX;
        guint n;

        voice (original, 3 * N, hz, 0);
        memcpy (pcm, original, sizeof pcm);
        media_stretch_match (pcm + N, low, low + MEDIA_STRETCH_MAX - MEDIA_STRETCH_MIN, &lag);
        n = media_stretch_jump (pcm + N, 3000, lag);
        g_assert_cmpint (n, ==, 3000 - lag);
        g_assert_cmpmem (pcm, N * 2, original, N * 2);
        g_assert_cmpmem (pcm + N + MEDIA_STRETCH_FADE, (n - MEDIA_STRETCH_FADE) * 2, original + N + lag + MEDIA_STRETCH_FADE,
                         (n - MEDIA_STRETCH_FADE) * 2);
        g_assert_cmpint (biggest_step (pcm, N + n), <=, biggest_step (original, 3 * N) * 1.05 + 20);
        /* Beginning as if nothing had happened. */
        g_assert_cmpfloat (signal_snr (original + N, pcm + N, 48, 0), >, 25);
        memcpy (expected, original + N, sizeof expected);
        g_assert_cmpfloat (signal_snr (expected, pcm + N, MEDIA_STRETCH_FADE, 0), >, 20);
      }
}

/* Twenty steps in a row keep the pitch: the spectrum's fundamental stays. */
static void
test_pitch (void)
{
  static gint16 pcm[10 * N];
  double hz = 130, best = 0, best_hz = 0;
  guint n = 10 * N - MEDIA_STRETCH_MAX - 100;
  gint16 *at = pcm + MEDIA_STRETCH_MAX;

  voice (pcm, 10 * N, hz, 0);
  for (guint i = 0; i < 20; i++)
    {
      guint left = n - (guint) (at - pcm - MEDIA_STRETCH_MAX);
      int lag;

      media_stretch_match (at, MEDIA_STRETCH_MIN, MEDIA_STRETCH_MAX, &lag);
      n -= left - media_stretch_jump (at, left, lag);
      at += 960;
    }
  for (double f = 80; f < 200; f += 1)
    {
      double re = 0, im = 0;

      for (guint i = 0; i < 20 * 960; i++)
        {
          re += pcm[MEDIA_STRETCH_MAX + i] * cos (2 * G_PI * f * i / MEDIA_RATE);
          im += pcm[MEDIA_STRETCH_MAX + i] * sin (2 * G_PI * f * i / MEDIA_RATE);
        }
      if (hypot (re, im) > best)
        {
          best = hypot (re, im);
          best_hz = f;
        }
    }
  g_assert_cmpfloat (fabs (best_hz - hz), <=, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stretch/match", test_match);
  g_test_add_func ("/stretch/no-match", test_no_match);
  g_test_add_func ("/stretch/jump", test_jump);
  g_test_add_func ("/stretch/pitch", test_pitch);
  return g_test_run ();
}
