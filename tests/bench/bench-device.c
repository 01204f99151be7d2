/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Round trip through a sound server: from the tick that makes a click to the moment at which the capture
 * pipeline hands it over, and how often the sound breaks.
 *
 *   bench-device
 *     on a PulseAudio and a PipeWire of its own, with null sinks
 *   bench-device OUTPUT INPUT [BUFFER-MS PERIOD-MS]...
 *     on what there is, e.g. pulse:out pulse:out.monitor 20 10 40 10
 *
 * Prints one line for each pair of buffer and period. A sound that leaves the null sink is back in its
 * monitor at once, so the round trip is the sum of the buffers; on a busy machine compare lines of one run
 * only. */

#include "media/media-live.h"
#include "media/media-thread.h"
#include "sound-server.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define CLICK_EVERY 25          /* frames */
#define SECONDS 12
#define HZ 500

typedef struct
{
  pthread_mutex_t lock;
  gint64 clicked;               /* us, 0: heard */
  guint frames, phase;
  gint64 last_demand, longest;
  GArray *trips;                /* double ms */
  guint captured;
  gint16 before[2];
  guint quiet;
  guint breaks;
  double age;
} Bench;

static void
on_demand (gpointer data, gint16 *frame)
{
  Bench *bench = data;
  gint64 now = g_get_monotonic_time ();

  if (frame == NULL)
    return;
  pthread_mutex_lock (&bench->lock);
  if (bench->last_demand != 0)
    bench->longest = MAX (bench->longest, now - bench->last_demand);
  bench->last_demand = now;
  /* A small sine that goes on for ever; a click is one sample of full scale on top. */
  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = (gint16) lrint (3000 * sin (2 * G_PI * HZ * (bench->phase++ % MEDIA_RATE) / MEDIA_RATE));
  /* A click that did not come back within a second is lost. */
  if (++bench->frames % CLICK_EVERY == 0 && (bench->clicked == 0 || now - bench->clicked > G_USEC_PER_SEC))
    {
      frame[0] = 30000;
      bench->clicked = now;
    }
  pthread_mutex_unlock (&bench->lock);
}

static void
on_captured (gpointer data, const gint16 *samples, guint n, double age)
{
  Bench *bench = data;
  gint64 now = g_get_monotonic_time ();
  const double c = 2 * cos (2 * G_PI * HZ / MEDIA_RATE);

  pthread_mutex_lock (&bench->lock);
  bench->age = age;
  for (guint i = 0; i < n; i++)
    {
      /* A sine obeys x[n] = c x[n-1] - x[n-2]; where it does not, something was lost, doubled or silent. */
      double miss = fabs (samples[i] - c * bench->before[0] + bench->before[1]);

      bench->captured++;
      if (samples[i] > 6000)
        {
          if (bench->clicked != 0)
            {
              double trip = (now - bench->clicked) / 1000.0;
              g_array_append_val (bench->trips, trip);
            }
          bench->clicked = 0;
          bench->quiet = 3;
        }
      else if (bench->captured > 2 * MEDIA_RATE && miss > 60 && bench->quiet == 0)
        {
          bench->breaks++;
          bench->quiet = 3;
        }
      else if (bench->quiet > 0)
        bench->quiet--;
      bench->before[1] = bench->before[0];
      bench->before[0] = samples[i];
    }
  pthread_mutex_unlock (&bench->lock);
}

static void
on_notify (gpointer data, guint code, const char *text)
{
  if (code % MEDIA_LIVE_N_EVENTS == MEDIA_LIVE_FAILED)
    g_printerr ("%s: %s\n", code / MEDIA_LIVE_N_EVENTS ? "output" : "input", text);
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return x < y ? -1 : x > y;
}

static gboolean
on_over (gpointer data)
{
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static void
run (const MediaDevice *output, const MediaDevice *input)
{
  Bench bench = { .trips = g_array_new (FALSE, FALSE, sizeof (double)) };
  MediaNotify *notify = media_notify_new (on_notify, NULL);
  GMainLoop *loop = g_main_loop_new (NULL, FALSE);
  MediaLive *in, *out;
  double delay;

  pthread_mutex_init (&bench.lock, NULL);
  in = media_live_new (MEDIA_ROLE_INPUT, input, NULL, on_captured, &bench, notify, 0);
  media_live_set_state (in, MEDIA_LIVE_ON);
  out = media_live_new (MEDIA_ROLE_OUTPUT, output, on_demand, NULL, &bench, notify, 1);
  media_live_set_state (out, MEDIA_LIVE_ON);
  g_timeout_add_seconds (SECONDS, on_over, loop);
  g_main_loop_run (loop);
  delay = media_live_get_delay (out);
  media_live_free (in);
  media_live_free (out);
  media_notify_close (notify);
  media_threads_wait (5000);

  g_array_sort (bench.trips, compare);
  if (bench.trips->len == 0)
    g_print ("nothing came back (%u frames asked for, %u samples captured)\n", bench.frames, bench.captured);
  else
    g_print ("round trip ms min %.1f median %.1f max %.1f (%u clicks); breaks in %d s: %u; longest wait for "
             "a frame %.1f ms; "
             "delays told: capture %.1f, output %.1f\n",
             g_array_index (bench.trips, double, 0),
             g_array_index (bench.trips, double, bench.trips->len / 2),
             g_array_index (bench.trips, double, bench.trips->len - 1), bench.trips->len, SECONDS - 2,
             bench.breaks, bench.longest / 1000.0, bench.age, delay);
  g_array_unref (bench.trips);
  g_main_loop_unref (loop);
  pthread_mutex_destroy (&bench.lock);
}

static gboolean
run_named (const char *output_name, const char *input_name, guint n, const guint *ms)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (MediaDevice) output = media_device_parse (MEDIA_ROLE_OUTPUT, output_name, &error);
  g_autoptr (MediaDevice) input
      = output != NULL ? media_device_parse (MEDIA_ROLE_INPUT, input_name, &error) : NULL;

  if (input == NULL)
    {
      g_printerr ("%s\n", error->message);
      return FALSE;
    }
  for (guint i = 0; i + 1 < n; i += 2)
    {
      media_live_set_buffers (ms[i] * 1000, ms[i + 1] * 1000);
      g_print ("%s -> %s, buffer %u ms, period %u ms: ", output_name, input_name, ms[i], ms[i + 1]);
      run (output, input);
    }
  return TRUE;
}

static void
run_own (SoundServerKind kind, const char *name)
{
  static const guint ms[] = { 20, 5, 20, 10, 30, 10, 40, 10, 60, 10, 200, 10 };
  SoundServer *server = sound_server_start (kind);

  if (server == NULL)
    {
      g_print ("%s is not installed\n", name);
      return;
    }
  g_print ("%s\n", name);
  run_named ("pulse:out", "pulse:out.monitor", G_N_ELEMENTS (ms), ms);
  sound_server_stop (server);
}

int
main (int argc, char **argv)
{
  guint ms[32] = { 30, 10 }, n = 2;

  if (argc < 3)
    sound_server_isolate ();
  gst_init (NULL, NULL);
  if (argc < 3)
    {
      run_own (SOUND_SERVER_PULSE, "PulseAudio");
      run_own (SOUND_SERVER_PIPEWIRE, "PipeWire through its PulseAudio server");
      sound_server_isolate_over ();
      return 0;
    }
  if (argc >= 5)
    for (n = 0; n < G_N_ELEMENTS (ms) && (int) n + 3 < argc; n++)
      ms[n] = atoi (argv[n + 3]);
  return run_named (argv[1], argv[2], n, ms) ? 0 : 2;
}
