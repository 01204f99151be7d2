/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The beat by a device and by the timer, and the changes between them. The device is a thread of the test's
 * that asks when it likes: without GStreamer in between, so that the thread sanitizer sees all of it. */

#include "media/media-clock.h"
#include "media/media-thread.h"

#include <stdatomic.h>
#include <string.h>

#define PATIENCE (20 * G_USEC_PER_SEC)

typedef struct
{
  MediaClock *clock;
  /* Under the clock's lock, and by no atomic: the sanitizer would see a tick outside it. */
  guint ticks;
  gint64 last;
  gboolean inside;
  atomic_uint seen;

  pthread_mutex_t lock;
  pthread_cond_t more;
  guint goal;
} Beat;

static void
on_tick (gpointer data, gint16 *frame, gint64 now)
{
  Beat *beat = data;

  g_assert_false (beat->inside);
  beat->inside = TRUE;
  g_assert_cmpint (now, >=, beat->last);
  beat->last = now;
  beat->ticks++;
  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = (gint16) beat->ticks;
  beat->inside = FALSE;

  pthread_mutex_lock (&beat->lock);
  atomic_store (&beat->seen, beat->ticks);
  pthread_cond_signal (&beat->more);
  pthread_mutex_unlock (&beat->lock);
}

static void
beat_init (Beat *beat)
{
  memset (beat, 0, sizeof *beat);
  pthread_mutex_init (&beat->lock, NULL);
  media_cond_init (&beat->more);
  beat->clock = media_clock_new ("test-clock", on_tick, beat);
}

static void
beat_clear (Beat *beat)
{
  media_clock_free (beat->clock);
  pthread_cond_destroy (&beat->more);
  pthread_mutex_destroy (&beat->lock);
}

static void
wait_for (Beat *beat, guint ticks)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&beat->lock);
  while (atomic_load (&beat->seen) < ticks)
    g_assert_true (media_cond_wait_until (&beat->more, &beat->lock, until));
  pthread_mutex_unlock (&beat->lock);
}

static void
test_stands_still (void)
{
  Beat beat;
  gint16 frame[MEDIA_FRAME] = { 1, 2, 3 };

  beat_init (&beat);
  g_assert_false (media_clock_demand (beat.clock, frame));
  g_assert_cmpint (frame[0], ==, 0);
  g_assert_cmpuint (media_clock_get_ticks (beat.clock), ==, 0);
  media_clock_stop (beat.clock);
  for (guint i = 1; i <= 3; i++)
    {
      guint64 ticks = beat.ticks;

      media_clock_start (beat.clock);
      media_clock_start (beat.clock);
      wait_for (&beat, ticks + 3);
      media_clock_stop (beat.clock);
      media_clock_stop (beat.clock);
      ticks = media_clock_get_ticks (beat.clock);
      g_assert_cmpuint (ticks, ==, beat.ticks);
      g_assert_false (media_clock_demand (beat.clock, frame));
      g_assert_cmpuint (media_clock_get_ticks (beat.clock), ==, ticks);
    }
  beat_clear (&beat);
}

/* A device that says that it goes leaves no gap: the timer is not late by the stall that it would have had to wait for. A busy machine may be
 * late by itself, but not each time. */
static void
test_let_go (void)
{
  Beat beat;
  gint16 frame[MEDIA_FRAME];
  gint64 gap = G_MAXINT64;

  beat_init (&beat);
  media_clock_start (beat.clock);
  wait_for (&beat, 3);
  for (guint i = 0; i < 50 && gap > 30000; i++)
    {
      gint64 last;
      guint ticks;

      if (!media_clock_demand (beat.clock, frame))
        continue;
      media_clock_lock (beat.clock);
      last = beat.last;
      ticks = beat.ticks;
      media_clock_unlock (beat.clock);
      media_clock_let_go (beat.clock);
      wait_for (&beat, ticks + 1);
      media_clock_lock (beat.clock);
      if (beat.ticks == ticks + 1)
        gap = MIN (gap, beat.last - last);
      media_clock_unlock (beat.clock);
    }
  g_assert_cmpint (gap, <=, 30000);
  media_clock_stop (beat.clock);
  beat_clear (&beat);
}

/* A device that asks for everything at once gets as much as real time holds, and silence for the rest. */
static void
test_greedy (void)
{
  Beat beat;
  gint16 frame[MEDIA_FRAME];
  gint64 start = g_get_monotonic_time (), spent;
  guint served = 0, refused = 0;

  beat_init (&beat);
  media_clock_start (beat.clock);
  for (guint i = 0; i < 400; i++)
    {
      memset (frame, 0x55, sizeof frame);
      if (media_clock_demand (beat.clock, frame))
        {
          served++;
          g_assert_cmpint (frame[0], !=, 0);
        }
      else
        {
          refused++;
          g_assert_cmpint (frame[MEDIA_FRAME - 1], ==, 0);
        }
    }
  media_clock_stop (beat.clock);
  spent = g_get_monotonic_time () - start;
  g_assert_cmpuint (refused, >, 0);
  g_assert_cmpuint (served, <=, beat.ticks);
  g_assert_cmpuint (beat.ticks, <=, 1.01 * spent / 10000 + 8 + 2);
  beat_clear (&beat);
}

typedef struct
{
  Beat *beat;
  atomic_bool stop;
  atomic_bool hold;             /* asks for nothing */
} Device;

static void *
device_main (void *data)
{
  Device *device = data;
  gint16 frame[MEDIA_FRAME];

  while (!atomic_load (&device->stop))
    {
      if (!atomic_load (&device->hold))
        media_clock_demand (device->beat->clock, frame);
      g_usleep (10000);
    }
  return NULL;
}

/* Ticks go on when the device stops asking, and when it asks again; the clock may be stopped and the lock
 * be taken at any time. */
static void
test_device_comes_and_goes (void)
{
  Beat beat;
  Device device = { .beat = &beat };
  pthread_t thread;

  beat_init (&beat);
  pthread_create (&thread, NULL, device_main, &device);
  media_clock_start (beat.clock);
  for (guint i = 0; i < 6; i++)
    {
      guint ticks;

      atomic_store (&device.hold, i & 1);
      media_clock_lock (beat.clock);
      ticks = beat.ticks;
      media_clock_unlock (beat.clock);
      wait_for (&beat, ticks + 12);
      if (i == 3)
        {
          media_clock_stop (beat.clock);
          media_clock_start (beat.clock);
        }
    }
  atomic_store (&device.stop, TRUE);
  pthread_join (thread, NULL);
  media_clock_stop (beat.clock);
  g_assert_cmpuint (beat.ticks, ==, media_clock_get_ticks (beat.clock));
  beat_clear (&beat);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/clock/stands-still", test_stands_still);
  g_test_add_func ("/clock/let-go", test_let_go);
  g_test_add_func ("/clock/greedy", test_greedy);
  g_test_add_func ("/clock/device-comes-and-goes", test_device_comes_and_goes);
  return g_test_run ();
}
