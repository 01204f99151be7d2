/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The capture buffer against simulated devices: crystals that differ, periods that do not fit, jitter,
 * stalls. No clock, no thread. */

#include "media/media-drift.h"
#include "media/media-mix.h"
#include "pcm-signal.h"

#include <math.h>
#include <string.h>

#define HZ 300

typedef struct
{
  MediaDrift drift;
  SignalRandom random;
  double rate;                  /* of the device, Hz */
  guint period;                 /* samples that it writes at once */
  double jitter;                /* s, by which a write may be late */
  double late;                  /* s: this time */
  double written_until;         /* s */
  guint phase;
  GArray *heard;                /* gint16 */
  guint silent;                 /* frames without sound after the first one with */
  double longest;               /* samples in the buffer after a read, at most, once it has settled */
} Device;

static void
device_init (Device *device, double rate, guint period, double jitter)
{
  memset (device, 0, sizeof *device);
  media_drift_init (&device->drift);
  device->random.state = 7;
  device->rate = rate;
  device->period = period;
  device->jitter = jitter;
  device->heard = g_array_new (FALSE, FALSE, sizeof (gint16));
}

static void
device_clear (Device *device)
{
  media_drift_clear (&device->drift);
  g_array_unref (device->heard);
}

/* Both run for so many seconds; now carries on. */
static double
run (Device *device, double now, double seconds)
{
  gint16 samples[4800];
  guint ticks = (guint) lrint (seconds * 100);

  for (guint tick = 0; tick < ticks; tick++, now += 0.01)
    {
      gint16 frame[MEDIA_FRAME];

      for (;;)
        {
          /* When the next write comes: a period after the last one was captured, and a little late. */
          double at = device->written_until + device->period / device->rate + device->late;

          if (at > now)
            break;
          device->late = device->jitter * signal_uniform (&device->random);
          /* The device samples a tone of the world: its own rate shows as a shift of pitch, by some ppm,
           * which is right. */
          for (guint i = 0; i < device->period; i++)
            samples[i]
                = (gint16) lrint (8000 * sin (2 * G_PI * HZ * fmod (device->phase++ / device->rate, 1)));
          if (device->phase >= (guint) lrint (device->rate))
            device->phase -= (guint) lrint (device->rate);
          media_drift_write (&device->drift, samples, device->period, (gint64) (at * 1e6));
          device->written_until += device->period / device->rate;
        }
      if (media_drift_read (&device->drift, frame, (gint64) (now * 1e6)))
        g_array_append_vals (device->heard, frame, MEDIA_FRAME);
      else if (device->heard->len > 0)
        device->silent++;
      if (now > 5)
        device->longest = MAX (device->longest, media_drift_fill (&device->drift));
    }
  return now;
}

/* Steps that a tone of this loudness and pitch cannot make. */
static guint
count_clicks (Device *device, guint from)
{
  guint clicks = 0;
  const int limit = (int) (8000 * 2 * G_PI * HZ / MEDIA_RATE * 1.5);

  for (guint i = MAX (from, 1); i < device->heard->len; i++)
    if (ABS (g_array_index (device->heard, gint16, i) - g_array_index (device->heard, gint16, i - 1)) > limit)
      clicks++;
  return clicks;
}

/* The same crystal: bit-exact for as long as one likes. */
static void
test_steady (void)
{
  static const guint periods[] = { 480, 441, 256, 1024, 96 };

  for (guint p = 0; p < G_N_ELEMENTS (periods); p++)
    {
      Device device;
      guint underruns;
      double now;

      device_init (&device, MEDIA_RATE, periods[p], 0);
      /* A device that writes more than 10 ms at once is learnt by running dry. */
      now = run (&device, 0, 10);
      underruns = device.drift.underruns;
      g_test_message ("period %u: %u underruns, %u frames silent, margin %u", periods[p], underruns,
                      device.silent, device.drift.margin);
      g_assert_cmpuint (underruns, <=, periods[p] > MEDIA_FRAME ? 5 : 0);
      run (&device, now, 60);
      g_assert_cmpuint (device.drift.underruns, ==, underruns);
      /* It may settle by a splice or two, and then rests. */
      g_assert_cmpuint (device.drift.cut + device.drift.repeated, <, MEDIA_RATE / 20);
      g_assert_cmpuint (count_clicks (&device, MEDIA_FRAME), ==, 0);
      g_assert_cmpfloat (device.longest, <, periods[p] + 30 * 48);
      device_clear (&device);
    }
}

static void
test_crystals_differ (void)
{
  static const double ppm[] = { -300, -50, 50, 300 };

  for (guint p = 0; p < G_N_ELEMENTS (ppm); p++)
    {
      Device device;
      double now, excess = 120 * MEDIA_RATE * ppm[p] / 1e6;

      device_init (&device, MEDIA_RATE * (1 + ppm[p] / 1e6), 480, 0.002);
      now = run (&device, 0, 120);
      g_assert_cmpfloat (now, >, 119);
      g_assert_cmpuint (device.drift.underruns, ==, 0);
      g_assert_cmpuint (device.silent, ==, 0);
      /* As much was cut or repeated as the crystals differ, within what the buffer may hold. */
      g_assert_cmpfloat (fabs ((double) device.drift.cut - device.drift.repeated - excess), <, 20 * 48);
      g_assert_cmpuint (count_clicks (&device, MEDIA_FRAME), ==, 0);
      g_test_message ("%+.0f ppm: cut %u, repeated %u, %.1f ms kept at most", ppm[p], device.drift.cut, device.drift.repeated, device.longest / 48);
      g_assert_cmpfloat (device.longest, <, 22 * 48);
      device_clear (&device);
    }
}

/* Whatever the phase between the two, no more is kept than it takes: nothing when the device writes well before the read, a frame when it
 * writes just before. */
static void
test_short (void)
{
  for (guint phase = 0; phase < 10; phase++)
    {
      Device device;

      device_init (&device, MEDIA_RATE, 480, 0);
      device.written_until = -(phase + 0.5) / 1000;
      run (&device, 0, 20);
      g_test_message ("written %u.5 ms before the read: %.1f ms kept", phase, device.longest / 48);
      g_assert_cmpfloat (device.longest, <=, phase >= 6 ? 3 * 48 : phase < 4 ? 13 * 48 : 480);
      g_assert_cmpuint (device.drift.underruns, ==, 0);
      device_clear (&device);
    }
}

/* Jitter that the first margin does not cover is learnt; after that there are no more gaps. */
static void
test_jitter (void)
{
  Device device;
  guint underruns;
  double now;

  device_init (&device, MEDIA_RATE, 480, 0.025);
  now = run (&device, 0, 20);
  underruns = device.drift.underruns;
  run (&device, now, 20);
  g_assert_cmpuint (device.drift.underruns - underruns, <=, 1);
  g_assert_cmpuint (underruns, <=, 8);
  g_assert_cmpfloat (device.longest, <, 90 * 48);
  device_clear (&device);
}

/* The device stalls for a second, then gives everything at once: the delay does not stay. */
static void
test_stall (void)
{
  Device device;
  double now;

  device_init (&device, MEDIA_RATE, 480, 0);
  now = run (&device, 0, 3);
  now = run (&device, now, 0) + 1;              /* nobody reads, the device goes on: the ring overflows */
  now = run (&device, now, 3);
  g_assert_cmpuint (media_drift_fill (&device.drift), <, 40 * 48);
  /* The device is silent for a second. */
  device.written_until += 1;
  now = run (&device, now, 1);
  g_assert_cmpuint (device.drift.underruns, >=, 1);
  g_assert_cmpuint (device.silent, >, 80);
  run (&device, now, 3);
  g_assert_cmpuint (media_drift_fill (&device.drift), <, 40 * 48);
  device_clear (&device);
}

static void
test_empty (void)
{
  MediaDrift drift;
  gint16 frame[MEDIA_FRAME] = { 1 };

  media_drift_init (&drift);
  for (guint i = 0; i < 300; i++)
    g_assert_false (media_drift_read (&drift, frame, i * 10000));
  g_assert_cmpint (frame[0], ==, 1);
  g_assert_cmpuint (drift.underruns, ==, 0);
  media_drift_clear (&drift);
}

/* One who speaks in bursts has ended with a piece that is shorter than what is kept for his next one: it is read all the same. */
static void
test_end (void)
{
  MediaDrift drift;
  gint16 frame[MEDIA_FRAME], samples[MEDIA_FRAME * 2] = { 0 };
  gint64 now = G_USEC_PER_SEC;

  media_drift_init (&drift);
  for (guint i = 0; i < 5; i++)
    {
      for (guint k = 0; k < 5; k++)
        media_drift_write (&drift, samples, MEDIA_FRAME, now);
      now += 50000;
      media_drift_restart (&drift);
    }
  drift.margin = 60 * 48;
  media_drift_write (&drift, samples, MEDIA_FRAME * 3 / 2, now);
  g_assert_false (media_drift_read (&drift, frame, now));
  g_assert_true (media_drift_read (&drift, frame, now + 200000));
  g_assert_cmpuint (media_drift_fill (&drift), <, MEDIA_FRAME);
  media_drift_clear (&drift);
}

/* ---- the limiter and the fade, which have no device either ---- */

static void
test_mix (void)
{
  MediaMix mix;
  gint16 a[MEDIA_FRAME], b[MEDIA_FRAME], out[MEDIA_FRAME];
  guint phase = 0, phase2 = 0;

  media_mix_init (&mix);
  media_mix_begin (&mix);
  media_mix_end (&mix, out);
  for (guint i = 0; i < MEDIA_FRAME; i++)
    g_assert_cmpint (out[i], ==, 0);

  /* The whole range passes unchanged. */
  for (guint i = 0; i < MEDIA_FRAME; i++)
    a[i] = (gint16) (G_MININT16 + (gint) (i * 65535 / (MEDIA_FRAME - 1)));
  media_mix_begin (&mix);
  media_mix_add (&mix, a);
  media_mix_end (&mix, out);
  g_assert_cmpmem (out, sizeof out, a, sizeof a);

  /* Twice full scale: after the first frame the gain is there and nothing is flat at the top. */
  for (guint f = 0; f < 10; f++)
    {
      guint flat = 0;

      signal_tone (a, MEDIA_FRAME, 450, 32000, &phase);
      signal_tone (b, MEDIA_FRAME, 450, 32000, &phase2);
      media_mix_begin (&mix);
      media_mix_add (&mix, a);
      media_mix_add (&mix, b);
      media_mix_end (&mix, out);
      for (guint i = 1; i < MEDIA_FRAME; i++)
        flat += ABS (out[i]) >= 32767 && out[i] == out[i - 1];
      if (f > 0)
        g_assert_cmpuint (flat, <=, 8);
    }
  /* And back to one in a second. */
  for (guint f = 0; f < 100; f++)
    {
      signal_tone (a, MEDIA_FRAME, 450, 10000, &phase);
      media_mix_begin (&mix);
      media_mix_add (&mix, a);
      media_mix_end (&mix, out);
    }
  g_assert_cmpmem (out, sizeof out, a, sizeof a);
}

static void
test_fade (void)
{
  gint16 frame[MEDIA_FRAME];
  float gain = 1;

  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = 10000;
  media_fade (frame, &gain, 1);
  g_assert_cmpint (frame[MEDIA_FRAME - 1], ==, 10000);
  media_fade (frame, &gain, 0);
  g_assert_cmpint (frame[0], >, 9900);
  g_assert_cmpint (frame[MEDIA_FRAME - 1], ==, 0);
  for (guint i = 1; i < MEDIA_FRAME; i++)
    g_assert_cmpint (frame[i - 1] - frame[i], <=, 22);
  media_fade (frame, &gain, 0);
  g_assert_cmpint (frame[0], ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/drift/steady", test_steady);
  g_test_add_func ("/drift/crystals-differ", test_crystals_differ);
  g_test_add_func ("/drift/short", test_short);
  g_test_add_func ("/drift/jitter", test_jitter);
  g_test_add_func ("/drift/stall", test_stall);
  g_test_add_func ("/drift/empty", test_empty);
  g_test_add_func ("/drift/end", test_end);
  g_test_add_func ("/mix/limiter", test_mix);
  g_test_add_func ("/mix/fade", test_fade);
  return g_test_run ();
}
