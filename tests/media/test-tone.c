/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Tones are measured, not looked up: Goertzel finds which frequencies sound, the envelope tells the
 * cadence. */

#include "media/media-tone.h"

#include <math.h>
#include <string.h>

/* Amplitude of one frequency, as a share of full scale. */
static double
goertzel (const gint16 *samples, guint n, double hz)
{
  double w = 2 * G_PI * hz / MEDIA_RATE, s1 = 0, s2 = 0;

  for (guint i = 0; i < n; i++)
    {
      double s = samples[i] + 2 * cos (w) * s1 - s2;
      s2 = s1;
      s1 = s;
    }
  return 2 * sqrt (s1 * s1 + s2 * s2 - 2 * cos (w) * s1 * s2) / n / 32767;
}

static gint16 *
render (PhoneTone which, const char *country, guint ms)
{
  guint n = ms * (MEDIA_RATE / 1000);
  gint16 *samples = g_new (gint16, n);
  MediaTone tone;

  media_tone_init (&tone);
  media_tone_set (&tone, which, country);
  /* In odd pieces: the joints must not show. */
  for (guint done = 0; done < n;)
    {
      guint now = MIN (n - done, 1 + done % 777);
      media_tone_render (&tone, samples + done, now);
      done += now;
    }
  return samples;
}

typedef struct
{
  PhoneTone tone;
  const char *country;
  double hz[2];                 /* 0: none */
  guint ms[8];                  /* on, off, on, off ... */
} Expected;

static const Expected expected[] = {
  { PHONE_TONE_RINGBACK, "US", { 440, 480 }, { 2000, 4000 } },
  { PHONE_TONE_BUSY, "us", { 480, 620 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "CA", { 480, 620 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "US", { 440 }, { 300, 10000 } },
  { PHONE_TONE_RINGBACK, "GB", { 400, 450 }, { 400, 200, 400, 2000 } },
  { PHONE_TONE_CONGESTION, "GB", { 400 }, { 400, 350, 225, 525 } },
  { PHONE_TONE_RINGBACK, "DE", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "DE", { 425 }, { 480, 480 } },
  { PHONE_TONE_CALL_WAITING, "DE", { 425 }, { 200, 200, 200, 5000 } },
  { PHONE_TONE_RINGBACK, "FR", { 440 }, { 1500, 3500 } },
  { PHONE_TONE_CONGESTION, "ES", { 425 }, { 200, 200, 200, 200, 200, 600 } },
  { PHONE_TONE_CALL_WAITING, "BE", { 1400 }, { 175, 175, 175, 3500 } },
  { PHONE_TONE_BUSY, "JP", { 400 }, { 500, 500 } },
  { PHONE_TONE_RINGBACK, "AU", { 413, 438 }, { 400, 200, 400, 2000 } },
  { PHONE_TONE_BUSY, "CN", { 450 }, { 350, 350 } },
  { PHONE_TONE_RINGBACK, "SE", { 425 }, { 1000, 5000 } },
  { PHONE_TONE_RINGBACK, "XX", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_RINGBACK, NULL, { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "AU", { 425 }, { 375, 375 } },
  { PHONE_TONE_CALL_WAITING, "AU", { 425 }, { 200, 200, 200, 4400 } },
  { PHONE_TONE_RINGBACK, "AT", { 420 }, { 1000, 5000 } },
  { PHONE_TONE_BUSY, "AT", { 420 }, { 400, 400 } },
  { PHONE_TONE_CONGESTION, "AT", { 420 }, { 200, 200 } },
  { PHONE_TONE_RINGBACK, "BE", { 425 }, { 1000, 3000 } },
  { PHONE_TONE_BUSY, "BE", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "BE", { 425 }, { 167, 167 } },
  { PHONE_TONE_RINGBACK, "BR", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "BR", { 425 }, { 250, 250 } },
  { PHONE_TONE_CONGESTION, "BR", { 425 }, { 250, 250, 750, 250 } },
  { PHONE_TONE_RINGBACK, "CA", { 440, 480 }, { 2000, 4000 } },
  { PHONE_TONE_BUSY, "CA", { 480, 620 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "CA", { 480, 620 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "CA", { 440 }, { 300, 10000 } },
  { PHONE_TONE_RINGBACK, "CH", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "CH", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "CH", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "CH", { 425 }, { 200, 200, 200, 4000 } },
  { PHONE_TONE_RINGBACK, "CN", { 450 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "CN", { 450 }, { 350, 350 } },
  { PHONE_TONE_CONGESTION, "CN", { 450 }, { 700, 700 } },
  { PHONE_TONE_CALL_WAITING, "CN", { 450 }, { 400, 4000 } },
  { PHONE_TONE_RINGBACK, "CZ", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "CZ", { 425 }, { 330, 330 } },
  { PHONE_TONE_CONGESTION, "CZ", { 425 }, { 165, 165 } },
  { PHONE_TONE_CALL_WAITING, "CZ", { 425 }, { 330, 9000 } },
  { PHONE_TONE_RINGBACK, "DE", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "DE", { 425 }, { 480, 480 } },
  { PHONE_TONE_CONGESTION, "DE", { 425 }, { 240, 240 } },
  { PHONE_TONE_RINGBACK, "DK", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "DK", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "DK", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "DK", { 425 }, { 200, 600, 200, 3000 } },
  { PHONE_TONE_RINGBACK, "ES", { 425 }, { 1500, 3000 } },
  { PHONE_TONE_BUSY, "ES", { 425 }, { 200, 200 } },
  { PHONE_TONE_CONGESTION, "ES", { 425 }, { 200, 200, 200, 200, 200, 600 } },
  { PHONE_TONE_CALL_WAITING, "ES", { 425 }, { 175, 175, 175, 3500 } },
  { PHONE_TONE_RINGBACK, "FI", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "FI", { 425 }, { 300, 300 } },
  { PHONE_TONE_CONGESTION, "FI", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "FI", { 425 }, { 150, 150, 150, 8000 } },
  { PHONE_TONE_RINGBACK, "FR", { 440 }, { 1500, 3500 } },
  { PHONE_TONE_BUSY, "FR", { 440 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "FR", { 440 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "FR", { 440 }, { 300, 10000 } },
  { PHONE_TONE_RINGBACK, "GB", { 400, 450 }, { 400, 200, 400, 2000 } },
  { PHONE_TONE_BUSY, "GB", { 400 }, { 375, 375 } },
  { PHONE_TONE_CONGESTION, "GB", { 400 }, { 400, 350, 225, 525 } },
  { PHONE_TONE_CALL_WAITING, "GB", { 400 }, { 100, 4000 } },
  { PHONE_TONE_RINGBACK, "IE", { 400, 450 }, { 400, 200, 400, 2000 } },
  { PHONE_TONE_BUSY, "IE", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "IE", { 425 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "IE", { 425 }, { 180, 200, 200, 4500 } },
  { PHONE_TONE_BUSY, "IN", { 400 }, { 750, 750 } },
  { PHONE_TONE_CONGESTION, "IN", { 400 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "IN", { 400 }, { 200, 100, 200, 7500 } },
  { PHONE_TONE_RINGBACK, "IT", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "IT", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "IT", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "IT", { 425 }, { 400, 100, 250, 100, 150, 14000 } },
  { PHONE_TONE_BUSY, "JP", { 400 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "JP", { 400 }, { 500, 500 } },
  { PHONE_TONE_RINGBACK, "NL", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "NL", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "NL", { 425 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "NL", { 425 }, { 500, 9500 } },
  { PHONE_TONE_RINGBACK, "NO", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "NO", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "NO", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "NO", { 425 }, { 200, 600, 200, 10000 } },
  { PHONE_TONE_RINGBACK, "NZ", { 400, 450 }, { 400, 200, 400, 2000 } },
  { PHONE_TONE_BUSY, "NZ", { 400 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "NZ", { 400 }, { 250, 250 } },
  { PHONE_TONE_CALL_WAITING, "NZ", { 400 }, { 200, 3000 } },
  { PHONE_TONE_RINGBACK, "PL", { 425 }, { 1000, 4000 } },
  { PHONE_TONE_BUSY, "PL", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "PL", { 425 }, { 500, 500 } },
  { PHONE_TONE_CALL_WAITING, "PL", { 425 }, { 150, 150, 150, 4000 } },
  { PHONE_TONE_RINGBACK, "PT", { 425 }, { 1000, 5000 } },
  { PHONE_TONE_BUSY, "PT", { 425 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "PT", { 425 }, { 200, 200 } },
  { PHONE_TONE_CALL_WAITING, "PT", { 425 }, { 200, 200, 200, 5000 } },
  { PHONE_TONE_RINGBACK, "SE", { 425 }, { 1000, 5000 } },
  { PHONE_TONE_BUSY, "SE", { 425 }, { 250, 250 } },
  { PHONE_TONE_CONGESTION, "SE", { 425 }, { 250, 750 } },
  { PHONE_TONE_CALL_WAITING, "SE", { 425 }, { 200, 500, 200, 9100 } },
  { PHONE_TONE_BUSY, "ZA", { 400 }, { 500, 500 } },
  { PHONE_TONE_CONGESTION, "ZA", { 400 }, { 250, 250 } },
};

/* Checks on/off against the list: twice round. The edges are 5 ms ramps, so 3 ms on either side of an edge
 * are not looked at. */
static void
check_cadence (const gint16 *samples, const guint *ms)
{
  guint at = 0;

  for (guint round = 0; round < 2; round++)
    for (guint i = 0; i < 8 && ms[i] != 0; i++)
      {
        gboolean on = i % 2 == 0;
        guint from = at + 3, to = at + ms[i] - 3;

        for (guint t = from; t < to; t += 5)
          {
            gint16 peak = 0;
            /* 5 ms hold one and a half periods of the lowest tone; a beat of two tones may pass through
             * zero within them. */
            for (guint k = t * 48; k < MIN (t + 5, to) * 48; k++)
              peak = MAX (peak, ABS (samples[k]));
            if (!on)
              g_assert_cmpint (peak, ==, 0);
          }
        if (on)
          {
            gint16 first = 0, last = 0;
            for (guint k = 0; k < 30 * 48; k++)
              {
                first = MAX (first, ABS (samples[at * 48 + k]));
                last = MAX (last, ABS (samples[(at + ms[i]) * 48 - 1 - k]));
              }
            g_assert_cmpint (first, >, 1000);
            g_assert_cmpint (last, >, 1000);
          }
        at += ms[i];
      }
}

static void
test_table (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      const Expected *e = &expected[i];
      guint total = 0;
      g_autofree gint16 *samples = NULL;
      /* The longest stretch of 100 ms inside the first sounding segment: 10 Hz apart at the least. */
      const guint n = 100 * 48, skip = 10 * 48;

      for (guint k = 0; k < 8; k++)
        total += e->ms[k];
      samples = render (e->tone, e->country, 2 * total);
      check_cadence (samples, e->ms);

      for (double hz = 300; hz <= 1600; hz += 1)
        {
          double distance = MIN (fabs (hz - e->hz[0]), e->hz[1] > 0 ? fabs (hz - e->hz[1]) : 1e9);
          double amplitude = goertzel (samples + skip, n, hz);

          if (distance == 0)
            g_assert_cmpfloat (amplitude, >, 0.04);
          /* Beyond the main lobe of a 100 ms window. */
          else if (distance > 60)
            g_assert_cmpfloat (amplitude, <, 0.03);
        }
    }
}

static void
test_modulated (void)
{
  g_autofree gint16 *samples = render (PHONE_TONE_RINGBACK, "IN", 400);
  const gint16 *from = samples + 20 * 48;
  const guint n = 320 * 48;             /* 8 periods of 25 Hz */

  g_assert_cmpfloat (goertzel (from, n, 400), >, 0.08);
  g_assert_cmpfloat (goertzel (from, n, 375), >, 0.03);
  g_assert_cmpfloat (goertzel (from, n, 425), >, 0.03);
  g_assert_cmpfloat (goertzel (from, n, 450), <, 0.01);
}

static void
test_ring_is_a_warble (void)
{
  g_autofree gint16 *samples = render (PHONE_TONE_RING, "GB", 6000);
  const guint cadence[8] = { 400, 200, 400, 2000 };

  check_cadence (samples, cadence);
  for (guint i = 1; i < 14; i++)
    {
      const gint16 *from = samples + i * MEDIA_TONE_WARBLE_MS * 48;
      double low = goertzel (from, 25 * 48, 950), high = goertzel (from, 25 * 48, 1270);

      g_assert_cmpfloat (i % 2 ? high : low, >, 5 * (i % 2 ? low : high));
    }
}

static int
steepest (const gint16 *samples, guint n)
{
  int most = 0;

  for (guint i = 1; i < n; i++)
    most = MAX (most, ABS (samples[i] - samples[i - 1]));
  return most;
}

/* A click is a step steeper than the tone itself can be; and the same by its spectrum: nothing far above
 * the tone. */
static void
test_no_clicks (void)
{
  MediaTone tone;
  gint16 samples[4 * MEDIA_FRAME];
  int limit = (int) ceil (0.23 * 32767 * 2 * G_PI * 425 / MEDIA_RATE * 1.1);

  media_tone_init (&tone);
  media_tone_set (&tone, PHONE_TONE_BUSY, "DE");
  for (guint i = 0; i < 200; i++)
    {
      g_assert_true (media_tone_render (&tone, samples, 441));
      g_assert_cmpint (steepest (samples, 441), <, limit);
    }
  /* Stopped, restarted and changed at awkward moments. */
  for (guint i = 0; i < 50; i++)
    {
      media_tone_set (&tone, i % 3 == 0 ? PHONE_TONE_NONE : PHONE_TONE_RINGBACK, i % 3 == 1 ? "FR" : "DE");
      g_assert_true (media_tone_render (&tone, samples, 300 + 13 * i));
      g_assert_cmpint (steepest (samples, 300 + 13 * i), <, limit);
    }
}

static void
test_end (void)
{
  MediaTone tone;
  gint16 samples[MEDIA_FRAME];

  media_tone_init (&tone);
  memset (samples, 1, sizeof samples);
  g_assert_false (media_tone_render (&tone, samples, MEDIA_FRAME));
  g_assert_cmpint (samples[0], ==, 0);

  media_tone_set (&tone, PHONE_TONE_RINGBACK, "DE");
  for (guint i = 0; i < 5; i++)
    g_assert_true (media_tone_render (&tone, samples, MEDIA_FRAME));
  media_tone_set (&tone, PHONE_TONE_NONE, NULL);
  g_assert_true (media_tone_render (&tone, samples, MEDIA_FRAME));
  g_assert_cmpint (samples[10], !=, 0);
  g_assert_cmpint (samples[MEDIA_FRAME - 1], ==, 0);
  g_assert_false (media_tone_render (&tone, samples, MEDIA_FRAME));
}

/* They differ from each other and from any country's. */
static void
test_distinctive (void)
{
  MediaToneSegment segments[MEDIA_TONE_MAX_SEGMENTS];
  guint ms[4];

  for (PhoneTone tone = PHONE_TONE_RING_SHORT; tone <= PHONE_TONE_RING_LONG; tone++)
    {
      guint n = media_tone_segments (tone, "DE", segments);

      ms[tone - PHONE_TONE_RING_SHORT] = n * 10000 + segments[0].ms;
      for (guint i = 0; i < n; i += 2)
        g_assert_cmpint (segments[i].kind, ==, MEDIA_TONE_WARBLE);
      for (guint i = 0; i < (guint) (tone - PHONE_TONE_RING_SHORT); i++)
        g_assert_cmpuint (ms[i], !=, ms[tone - PHONE_TONE_RING_SHORT]);
    }
}

static void
test_once (void)
{
  MediaTone tone;
  gint16 samples[MEDIA_FRAME];
  guint frames = 0;

  media_tone_init (&tone);
  media_tone_set (&tone, PHONE_TONE_BEEP, NULL);
  while (media_tone_render (&tone, samples, MEDIA_FRAME))
    g_assert_cmpuint (++frames, <, 100);
  g_assert_cmpuint (frames, ==, 43);
  g_assert_false (media_tone_render (&tone, samples, MEDIA_FRAME));
  media_tone_set (&tone, PHONE_TONE_BEEP, NULL);        /* and again */
  g_assert_true (media_tone_render (&tone, samples, MEDIA_FRAME));
}

static void
test_every_country (void)
{
  static const char *const countries[]
      = { "US", "CA", "GB", "DE", "FR", "IT", "ES", "NL", "BE", "CH", "AT", "SE", "NO", "DK",
          "FI", "PL", "CZ", "JP", "AU", "NZ", "IN", "CN", "BR", "ZA", "IE", "PT", "??" };
  MediaToneSegment segments[MEDIA_TONE_MAX_SEGMENTS];

  for (guint i = 0; i < G_N_ELEMENTS (countries); i++)
    for (PhoneTone tone = PHONE_TONE_RINGBACK; (guint) tone < phone_tone_n_values; tone++)
      {
        guint n = media_tone_segments (tone, countries[i], segments);

        g_assert_cmpuint (n, >=, 2);
        g_assert_cmpuint (n % 2, ==, 0);
        for (guint k = 0; k < n; k++)
          {
            g_assert_cmpuint (segments[k].ms, >=, 40);
            g_assert_true ((segments[k].kind == MEDIA_TONE_QUIET) == (k % 2 == 1));
          }
      }
  g_assert_cmpuint (media_tone_segments (PHONE_TONE_NONE, "US", segments), ==, 0);
}

static void
test_sine (void)
{
  MediaTone tone;
  g_autofree gint16 *samples = g_new (gint16, MEDIA_RATE);

  media_tone_init (&tone);
  media_tone_set_sine (&tone, 1000, 0.25, MEDIA_TONE_FOREVER);
  g_assert_true (media_tone_render (&tone, samples, MEDIA_RATE));
  g_assert_true (media_tone_render (&tone, samples, MEDIA_RATE));
  g_assert_cmpfloat_with_epsilon (goertzel (samples, MEDIA_RATE, 1000), 0.25, 0.001);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tone/table", test_table);
  g_test_add_func ("/tone/modulated", test_modulated);
  g_test_add_func ("/tone/ring", test_ring_is_a_warble);
  g_test_add_func ("/tone/no-clicks", test_no_clicks);
  g_test_add_func ("/tone/end", test_end);
  g_test_add_func ("/tone/distinctive", test_distinctive);
  g_test_add_func ("/tone/once", test_once);
  g_test_add_func ("/tone/every-country", test_every_country);
  g_test_add_func ("/tone/sine", test_sine);
  return g_test_run ();
}
