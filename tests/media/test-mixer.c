/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Conferences: the arithmetic by itself, then rooms of the hub at its own beat. Everybody has a tone of his own, so that who hears whom
 * can be read off a spectrum. */

#include "media/media-hub.h"
#include "media/media-mixer.h"
#include "media/media-thread.h"
#include "pcm-signal.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)
#define SEATS 16
#define SECOND (MEDIA_RATE / MEDIA_FRAME)       /* ticks */

/* Amplitude of a tone; hz: whole periods fit into n. */
static double
tone_in (const gint16 *samples, guint n, double hz)
{
  double re = 0, im = 0;

  for (guint i = 0; i < n; i++)
    {
      re += samples[i] * cos (2 * G_PI * hz * i / MEDIA_RATE);
      im += samples[i] * sin (2 * G_PI * hz * i / MEDIA_RATE);
    }
  return 2 * sqrt (re * re + im * im) / n;
}

static double
tone_of (guint seat)
{
  return 300 + 100 * seat;
}

/* ---- the kernel ---- */

typedef struct
{
  MediaMixer mixer;
  MediaSeat seats[SEATS];
  guint phase[SEATS];
  double amplitude[SEATS];
  float voice[SEATS], ear[SEATS];
  GArray *heard[SEATS];         /* gint16 */
} Table;

static void
table_init (Table *table, double amplitude)
{
  memset (table, 0, sizeof *table);
  media_mixer_init (&table->mixer);
  for (guint i = 0; i < SEATS; i++)
    {
      media_seat_init (&table->seats[i]);
      table->amplitude[i] = amplitude;
      table->voice[i] = table->ear[i] = 1;
      table->heard[i] = g_array_new (FALSE, FALSE, sizeof (gint16));
    }
}

static void
table_clear (Table *table)
{
  for (guint i = 0; i < SEATS; i++)
    g_array_unref (table->heard[i]);
}

static void
table_run (Table *table, guint n, guint ticks)
{
  gint16 frame[MEDIA_FRAME];

  for (guint t = 0; t < ticks; t++)
    {
      media_mixer_begin (&table->mixer);
      for (guint i = 0; i < n; i++)
        {
          signal_tone (frame, MEDIA_FRAME, tone_of (i), table->amplitude[i], &table->phase[i]);
          media_mixer_say (&table->mixer, &table->seats[i], table->amplitude[i] > 0 ? frame : NULL, table->voice[i]);
        }
      for (guint i = 0; i < n; i++)
        {
          media_mixer_hear (&table->mixer, &table->seats[i], NULL, table->ear[i], frame);
          g_array_append_vals (table->heard[i], frame, MEDIA_FRAME);
        }
    }
}

static const gint16 *
heard (Table *table, guint seat)
{
  return (const gint16 *) (gconstpointer) table->heard[seat]->data;
}

static void
forget (Table *table)
{
  for (guint i = 0; i < SEATS; i++)
    g_array_set_size (table->heard[i], 0);
}

static void
test_all_but_oneself (void)
{
  Table table;

  table_init (&table, 1500);
  table_run (&table, SEATS, 1);
  forget (&table);
  table_run (&table, SEATS, SECOND);
  for (guint i = 0; i < SEATS; i++)
    for (guint other = 0; other < SEATS; other++)
      {
        double amplitude = tone_in (heard (&table, i), MEDIA_RATE, tone_of (other));
        if (other == i)
          g_assert_cmpfloat (amplitude, <, 1);
        else
          g_assert_cmpfloat_with_epsilon (amplitude, 1500, 2);
      }
  table_clear (&table);
}

/* One who is muted is heard by nobody and hears all the same; one who does not listen is heard. */
static void
test_mute (void)
{
  Table table;

  table_init (&table, 4000);
  table.voice[1] = 0;
  table.ear[2] = 0;
  table_run (&table, 4, 1);
  forget (&table);
  table_run (&table, 4, SECOND);
  g_assert_cmpfloat (tone_in (heard (&table, 0), MEDIA_RATE, tone_of (1)), <, 1);
  g_assert_cmpfloat (tone_in (heard (&table, 0), MEDIA_RATE, tone_of (2)), >, 3990);
  g_assert_cmpfloat (tone_in (heard (&table, 1), MEDIA_RATE, tone_of (0)), >, 3990);
  g_assert_cmpfloat (signal_power_db (heard (&table, 2), MEDIA_RATE), <, -90);
  table_clear (&table);
}

/* Sixteen at full scale do not wrap, and leave nobody deaf: the one who is quiet is heard again soon after. */
static void
test_overload (void)
{
  gint16 loud[MEDIA_FRAME], quiet[MEDIA_FRAME], out[MEDIA_FRAME];
  MediaMixer mixer;
  MediaSeat seats[SEATS];

  media_mixer_init (&mixer);
  for (guint i = 0; i < SEATS; i++)
    media_seat_init (&seats[i]);
  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      loud[i] = (i / 24) % 2 ? 32767 : -32768;
      quiet[i] = (gint16) (3000 * sin (2 * G_PI * i / 96));
    }
  for (guint t = 0; t < 300; t++)
    {
      media_mixer_begin (&mixer);
      for (guint i = 0; i < SEATS; i++)
        media_mixer_say (&mixer, &seats[i], t < 100 ? loud : i == 0 ? quiet : NULL, 1);
      for (guint i = 0; i < SEATS; i++)
        {
          media_mixer_hear (&mixer, &seats[i], t < 100 ? loud : NULL, 1, out);
          for (guint s = 0; s < MEDIA_FRAME && t > 0 && t < 100; s++)
            {
              g_assert_cmpint (ABS (out[s]), >, 30000);
              g_assert_cmpint (out[s] > 0, ==, loud[s] > 0);
            }
          if (t == 299 && i == 1)
            g_assert_cmpmem (out, sizeof out, quiet, sizeof quiet);
          if (t == 299 && i == 0)
            g_assert_cmpfloat (signal_power_db (out, MEDIA_FRAME), <, -90);
        }
    }
}

/* Largest step from sample to sample, and largest bend. */
static void
measure (const gint16 *samples, guint n, int *ret_step, int *ret_bend)
{
  *ret_step = *ret_bend = 0;
  for (guint i = 2; i < n; i++)
    {
      *ret_step = MAX (*ret_step, ABS (samples[i] - samples[i - 1]));
      *ret_bend = MAX (*ret_bend, ABS (samples[i] - 2 * samples[i - 1] + samples[i - 2]));
    }
}

/* A tone comes, is muted, comes back, goes: never faster than it moves by itself. 300 Hz at 8000: steps of 314, bends of 12.3. */
static void
test_no_click (void)
{
  Table table;
  int step, bend;

  table_init (&table, 8000);
  table.amplitude[1] = 0;
  table.voice[0] = 0;
  table_run (&table, 2, 3);
  for (guint round = 0; round < 40; round++)
    {
      table.voice[0] = round % 2 ? 0 : 1;
      table_run (&table, 2, 3 + round % 5);
    }
  table.voice[0] = 1;
  table_run (&table, 2, 5);
  table.ear[1] = 0;
  table_run (&table, 2, 5);
  table.ear[1] = 1;
  table_run (&table, 2, 5);
  measure (heard (&table, 1), table.heard[1]->len, &step, &bend);
  g_test_message ("fades: step %d, bend %d", step, bend);
  g_assert_cmpint (step, <, 340);
  g_assert_cmpint (bend, <, 18);

  /* It vanishes, at every point of its wave. */
  for (guint round = 0; round < 97; round++)
    {
      forget (&table);
      table.amplitude[0] = 8000;
      table.phase[0] = round * 7;
      table.voice[0] = 1;
      table.seats[0].voice = 1;
      table_run (&table, 2, 2);
      media_mixer_leave (&table.mixer, &table.seats[0]);
      table.amplitude[0] = 0;
      table_run (&table, 2, 3);
      measure (heard (&table, 1) + MEDIA_FRAME, table.heard[1]->len - MEDIA_FRAME, &step, &bend);
      g_assert_cmpint (step, <, 340);
      g_assert_cmpfloat (signal_power_db (heard (&table, 1) + 3 * MEDIA_FRAME, 2 * MEDIA_FRAME), <, -90);
    }
  table_clear (&table);
}

/* ---- rooms of the hub ---- */

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t more;
  GArray *heard;
  guint pushes;
  double hz, amplitude;
  guint phase;
} Fake;

static gboolean
on_pull (gpointer data, gint16 *frame, gint64 now)
{
  Fake *fake = data;

  pthread_mutex_lock (&fake->lock);
  signal_tone (frame, MEDIA_FRAME, fake->hz, fake->amplitude, &fake->phase);
  pthread_mutex_unlock (&fake->lock);
  return TRUE;
}

static void
on_push (gpointer data, const gint16 *frame, gint64 now)
{
  Fake *fake = data;

  pthread_mutex_lock (&fake->lock);
  fake->pushes++;
  g_array_append_vals (fake->heard, frame, MEDIA_FRAME);
  pthread_cond_signal (&fake->more);
  pthread_mutex_unlock (&fake->lock);
}

static const MediaPortOps fake_ops = { on_pull, on_push };

static void
fake_init (Fake *fake, double hz)
{
  *fake = (Fake) { .hz = hz, .amplitude = 2000 };
  media_mutex_init (&fake->lock);
  media_cond_init (&fake->more);
  fake->heard = g_array_new (FALSE, FALSE, sizeof (gint16));
}

static void
fake_clear (Fake *fake)
{
  pthread_cond_destroy (&fake->more);
  pthread_mutex_destroy (&fake->lock);
  g_array_unref (fake->heard);
}

/* Forgets what was heard and waits for n ticks more, the first of which is not kept: in it the gains move. */
static void
listen (Fake *fake, guint n)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&fake->lock);
  guint first = fake->pushes + 1;
  while (fake->pushes < first + n)
    {
      if (fake->pushes == first)
        g_array_set_size (fake->heard, 0);
      if (!media_cond_wait_until (&fake->more, &fake->lock, until))
        g_error ("only %u frames in time", fake->pushes);
    }
  if (fake->heard->len > n * MEDIA_FRAME)
    g_array_remove_range (fake->heard, 0, fake->heard->len - n * MEDIA_FRAME);
  pthread_mutex_unlock (&fake->lock);
}

/* Waits for n ticks more. */
static void
listen_on (Fake *fake, guint n)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&fake->lock);
  for (guint first = fake->pushes; fake->pushes < first + n;)
    if (!media_cond_wait_until (&fake->more, &fake->lock, until))
      g_error ("only %u frames in time", fake->pushes);
  pthread_mutex_unlock (&fake->lock);
}

/* In 100 ms. */
static double
hears (Fake *fake, double hz)
{
  double amplitude;

  pthread_mutex_lock (&fake->lock);
  g_assert_cmpuint (fake->heard->len, >=, MEDIA_RATE / 10);
  amplitude = tone_in ((const gint16 *) (gconstpointer) fake->heard->data + fake->heard->len - MEDIA_RATE / 10, MEDIA_RATE / 10, hz);
  pthread_mutex_unlock (&fake->lock);
  return amplitude;
}

#define YES(fake, hz) g_assert_cmpfloat (hears (fake, hz), >, 1900)
#define NO(fake, hz) g_assert_cmpfloat (hears (fake, hz), <, 20)
#define OURS 2500               /* our microphone */
#define SOURCE 3000             /* an announcement */
#define N 8

typedef struct
{
  pthread_mutex_t lock;
  gint16 near[MEDIA_RATE / 10], far[MEDIA_RATE / 10];
  guint at;
  gboolean sources;
  guint phase;
} Witness;

static void
on_tap (gpointer data, const gint16 *near, const gint16 *far, gint64 now)
{
  Witness *witness = data;

  pthread_mutex_lock (&witness->lock);
  guint at = witness->at % G_N_ELEMENTS (witness->near);
  memcpy (witness->near + at, near, MEDIA_FRAME * sizeof *near);
  memcpy (witness->far + at, far, MEDIA_FRAME * sizeof *far);
  witness->at += MEDIA_FRAME;
  pthread_mutex_unlock (&witness->lock);
}

static gboolean
on_source (gpointer data, gint16 *frame, gboolean *ret_only)
{
  Witness *witness = data;

  signal_tone (frame, MEDIA_FRAME, SOURCE, 2000, &witness->phase);
  return TRUE;
}

static double
witnessed (Witness *witness, gboolean far, double hz)
{
  double amplitude;

  pthread_mutex_lock (&witness->lock);
  amplitude = tone_in (far ? witness->far : witness->near, G_N_ELEMENTS (witness->near), hz);
  pthread_mutex_unlock (&witness->lock);
  return amplitude;
}

static void
test_room (void)
{
  PhoneDaemonSettings settings = { .follow_default = TRUE, .input = (char *) "tone:2500", .output = (char *) "silence", .ring = (char *) "silence",
                                   .echo_cancel = (char *) "off" };
  MediaHub *hub = media_hub_new (&settings);
  MediaRoom *room = media_room_new (hub);
  MediaPort *ports[N];
  Fake fakes[N];
  Witness witness = { 0 };

  media_mutex_init (&witness.lock);
  for (guint i = 0; i < N; i++)
    {
      fake_init (&fakes[i], tone_of (i));
      ports[i] = media_hub_add_port (hub, "member", &fake_ops, &fakes[i]);
      media_port_set_attached (ports[i], TRUE);
      media_port_set_running (ports[i], TRUE);
    }
  /* Calls side by side hear us and not each other. */
  listen (&fakes[0], 12);
  g_assert_cmpfloat (hears (&fakes[0], OURS), >, 100);
  NO (&fakes[0], tone_of (1));

  for (guint i = 0; i < N; i++)
    media_port_set_room (ports[i], room);
  for (guint i = 0; i < N; i++)
    listen (&fakes[i], 12);
  for (guint i = 0; i < N; i++)
    {
      g_assert_cmpfloat (hears (&fakes[i], OURS), >, 100);
      for (guint other = 0; other < N; other++)
        if (other == i)
          NO (&fakes[i], tone_of (other));
        else
          YES (&fakes[i], tone_of (other));
      g_assert_cmpfloat_with_epsilon (media_port_get_level (ports[i]), 20 * log10 (2000 / 32768.0 / sqrt (2)), 0.5);
    }

  /* One is muted, one is on hold, our microphone is not for a third. */
  media_port_set_voice (ports[1], FALSE);
  media_port_set_attached (ports[2], FALSE);
  media_port_set_muted (ports[3], TRUE);
  for (guint i = 0; i < N; i++)
    listen (&fakes[i], 12);
  NO (&fakes[0], tone_of (1));
  NO (&fakes[0], tone_of (2));
  YES (&fakes[0], tone_of (3));
  YES (&fakes[1], tone_of (0));
  NO (&fakes[2], tone_of (0));
  NO (&fakes[2], OURS);
  NO (&fakes[3], OURS);
  YES (&fakes[3], tone_of (0));
  g_assert_cmpfloat (media_port_get_level (ports[1]), >, -40);
  media_port_set_voice (ports[1], TRUE);
  media_port_set_attached (ports[2], TRUE);

  /* What listens to all of it, and what is said to all, even where the microphone is not. */
  media_taps_add (media_room_get_taps (room), on_tap, &witness);
  media_taps_add_source (media_room_get_taps (room), on_source, &witness);
  for (guint i = 0; i < 4; i++)
    listen (&fakes[i], 24);
  for (guint i = 0; i < 4; i++)
    YES (&fakes[i], SOURCE);
  NO (&fakes[3], OURS);
  g_assert_cmpfloat (witnessed (&witness, FALSE, OURS), >, 100);
  g_assert_cmpfloat (witnessed (&witness, FALSE, SOURCE), >, 1900);
  g_assert_cmpfloat (witnessed (&witness, FALSE, tone_of (0)), <, 20);
  for (guint i = 0; i < N; i++)
    g_assert_cmpfloat (witnessed (&witness, TRUE, tone_of (i)), >, 1900);
  g_assert_cmpfloat (witnessed (&witness, TRUE, OURS), <, 20);
  media_taps_remove (media_room_get_taps (room), &witness);

  /* We are away: they go on. */
  media_room_set (room, FALSE, TRUE);
  listen (&fakes[0], 20);
  NO (&fakes[0], OURS);
  YES (&fakes[0], tone_of (1));
  media_room_set (room, TRUE, FALSE);
  listen (&fakes[0], 12);
  NO (&fakes[0], OURS);
  media_room_set (room, FALSE, FALSE);

  /* One leaves, one vanishes, the room is closed. */
  media_port_set_room (ports[4], NULL);
  media_hub_remove_port (hub, ports[5]);
  for (guint i = 0; i < 5; i++)
    listen (&fakes[i], 12);
  NO (&fakes[0], tone_of (4));
  NO (&fakes[0], tone_of (5));
  NO (&fakes[4], tone_of (0));
  g_assert_cmpfloat (hears (&fakes[4], OURS), >, 100);
  YES (&fakes[0], tone_of (6));
  media_room_free (room);
  listen (&fakes[0], 12);
  NO (&fakes[0], tone_of (6));
  g_assert_cmpfloat (hears (&fakes[0], OURS), >, 100);

  for (guint i = 0; i < N; i++)
    {
      if (i != 5)
        media_hub_remove_port (hub, ports[i]);
      fake_clear (&fakes[i]);
    }
  media_hub_free (hub);
  pthread_mutex_destroy (&witness.lock);
}

/* Joining and leaving by a main thread that is busy with it, while it ticks: for the thread sanitizer; and nobody hears a click. */
static void
test_coming_and_going (void)
{
  PhoneDaemonSettings settings = { .follow_default = TRUE, .input = (char *) "silence", .output = (char *) "silence", .ring = (char *) "silence",
                                   .echo_cancel = (char *) "off" };
  MediaHub *hub = media_hub_new (&settings);
  MediaRoom *room = media_room_new (hub);
  Fake listener, speaker;
  MediaPort *stays, *comes;
  int step, bend;

  fake_init (&listener, 300);
  fake_init (&speaker, 310);            /* a frame ends anywhere in its wave */
  listener.amplitude = 0;
  speaker.amplitude = 8000;
  stays = media_hub_add_port (hub, "stays", &fake_ops, &listener);
  media_port_set_attached (stays, TRUE);
  media_port_set_running (stays, TRUE);
  media_port_set_room (stays, room);
  listen (&listener, 2);
  for (guint times = 0; times < 7; times++)
    {
      comes = media_hub_add_port (hub, "comes", &fake_ops, &speaker);
      media_port_set_attached (comes, TRUE);
      media_port_set_running (comes, TRUE);
      for (guint round = 0; round < 5; round++)
        {
          media_port_set_room (comes, round % 2 ? NULL : room);
          listen (&speaker, 1 + round % 3);
        }
      media_hub_remove_port (hub, comes);
      listen_on (&listener, 3);
    }
  pthread_mutex_lock (&listener.lock);
  measure ((const gint16 *) (gconstpointer) listener.heard->data, listener.heard->len, &step, &bend);
  g_assert_cmpfloat (signal_power_db ((const gint16 *) (gconstpointer) listener.heard->data, listener.heard->len), >, -30);
  pthread_mutex_unlock (&listener.lock);
  g_test_message ("step %d", step);
  g_assert_cmpint (step, <, 340);
  media_room_free (room);
  media_hub_remove_port (hub, stays);
  media_hub_free (hub);
  fake_clear (&listener);
  fake_clear (&speaker);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mixer/all-but-oneself", test_all_but_oneself);
  g_test_add_func ("/mixer/mute", test_mute);
  g_test_add_func ("/mixer/overload", test_overload);
  g_test_add_func ("/mixer/no-click", test_no_click);
  g_test_add_func ("/mixer/room", test_room);
  g_test_add_func ("/mixer/coming-and-going", test_coming_and_going);
  return g_test_run ();
}
