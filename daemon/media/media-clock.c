/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A sound device has its own crystal. The only way not to drift against it is to let it ask: the source of
 * the playback pipeline calls media_clock_demand() whenever the device has room, and that call runs the
 * tick. But a call must go on when the device does not ask (it is still opening, it was unplugged, the
 * sound server hangs) or when there is none: so a thread of our own watches and beats by CLOCK_MONOTONIC in
 * those times.
 *
 *        timer beats  -- first demand -->  device beats, thread watches
 *             ^                                  |
 *             +------- no demand for 50 ms ------+
 *
 * The timer counts from one absolute time to the next; being late it catches up at once, but never by more
 * than 5 ticks: after a longer stall the missed time is dropped, because ports that were asked for half a
 * second of sound at once could only invent it.
 *
 * After a stall a device may ask for many frames at once, which it will throw away as late; meanwhile the
 * timer already ran those ticks. A bucket of credits, filled at 1 % over real time (no crystal is that
 * fast) and emptied by every tick, keeps such bursts from the ports: the device gets silence at once. One
 * that goes on asking keeps no time at all, and is made to wait. */

#include "media/media-clock.h"
#include "media/media-thread.h"

#include <stdatomic.h>
#include <string.h>

#define TICK_US (MEDIA_FRAME_MS * 1000)
#define MAX_CATCH_UP 5
#define STALL_US (5 * TICK_US)
#define CREDIT_TICKS 8.0
#define PATIENCE_TICKS 200      /* frames of silence at once, for a stall of 2 s */

struct _MediaClock
{
  char *name;
  MediaClockTick tick;
  gpointer data;

  pthread_t thread;
  gboolean started;             /* main thread's view */

  pthread_mutex_t lock;         /* of all below */
  pthread_cond_t wake;
  gboolean running;
  gboolean demanded;            /* a device beats */
  gint64 last_demand;
  gint64 next;                  /* tick of the timer */
  gint64 last_credit;
  double credit;                /* ticks that a device may ask for now */
  guint refused;                /* frames that were not credited, less one for every ten that were */

  atomic_ullong ticks;
};

MediaClock *
media_clock_new (const char *name, MediaClockTick tick, gpointer data)
{
  MediaClock *clock = g_new0 (MediaClock, 1);

  clock->name = g_strdup (name);
  clock->tick = tick;
  clock->data = data;
  pthread_mutex_init (&clock->lock, NULL);
  media_cond_init (&clock->wake);
  return clock;
}

void
media_clock_free (MediaClock *clock)
{
  if (clock == NULL)
    return;
  media_clock_stop (clock);
  pthread_cond_destroy (&clock->wake);
  pthread_mutex_destroy (&clock->lock);
  g_free (clock->name);
  g_free (clock);
}

void
media_clock_lock (MediaClock *clock)
{
  pthread_mutex_lock (&clock->lock);
}

void
media_clock_unlock (MediaClock *clock)
{
  pthread_mutex_unlock (&clock->lock);
}

guint64
media_clock_get_ticks (MediaClock *clock)
{
  return atomic_load_explicit (&clock->ticks, memory_order_relaxed);
}

static void
add_credit (MediaClock *clock, gint64 now)
{
  clock->credit = MIN (clock->credit + 1.01 * (now - clock->last_credit) / TICK_US, CREDIT_TICKS);
  clock->last_credit = now;
}

static void
run_tick (MediaClock *clock, gint16 *frame, gint64 now)
{
  clock->credit = MAX (clock->credit - 1, 0);
  atomic_fetch_add_explicit (&clock->ticks, 1, memory_order_relaxed);
  clock->tick (clock->data, frame, now);
}

static void *
clock_main (void *data)
{
  MediaClock *clock = data;
  gint16 frame[MEDIA_FRAME];

  media_thread_prepare (clock->name, TRUE);
  pthread_mutex_lock (&clock->lock);
  clock->next = g_get_monotonic_time ();
  while (clock->running)
    {
      gint64 now = g_get_monotonic_time ();
      gint64 due = clock->demanded ? clock->last_demand + STALL_US : clock->next;

      if (now < due)
        {
          media_cond_wait_until (&clock->wake, &clock->lock, due);
          continue;
        }
      if (clock->demanded)
        {
          clock->demanded = FALSE;
          clock->next = now;
        }
      if (now - clock->next > MAX_CATCH_UP * TICK_US)
        clock->next = now;
      add_credit (clock, now);
      run_tick (clock, frame, now);
      clock->next += TICK_US;

      /* Let others at the lock between two ticks of a burst. */
      pthread_mutex_unlock (&clock->lock);
      pthread_mutex_lock (&clock->lock);
    }
  pthread_mutex_unlock (&clock->lock);
  return NULL;
}

void
media_clock_start (MediaClock *clock)
{
  if (clock->started)
    return;

  pthread_mutex_lock (&clock->lock);
  clock->running = TRUE;
  clock->demanded = FALSE;
  clock->credit = CREDIT_TICKS;
  clock->refused = 0;
  clock->last_credit = g_get_monotonic_time ();
  pthread_mutex_unlock (&clock->lock);

  clock->started = media_thread_create (&clock->thread, clock_main, clock);
  if (!clock->started)
    g_critical ("Cannot start the thread %s: no sound unless a device beats", clock->name);
}

void
media_clock_stop (MediaClock *clock)
{
  pthread_mutex_lock (&clock->lock);
  clock->running = FALSE;
  pthread_cond_signal (&clock->wake);
  pthread_mutex_unlock (&clock->lock);

  if (clock->started)
    pthread_join (clock->thread, NULL);
  clock->started = FALSE;
}

gboolean
media_clock_demand (MediaClock *clock, gint16 *ret_frame)
{
  gboolean served = FALSE, wait = FALSE;
  gint64 now;

  pthread_mutex_lock (&clock->lock);
  if (clock->running)
    {
      now = g_get_monotonic_time ();
      add_credit (clock, now);
      clock->last_demand = now;
      clock->demanded = TRUE;
      if (clock->credit >= 1)
        {
          run_tick (clock, ret_frame, now);
          served = TRUE;
          if (clock->refused > 0 && clock->ticks % 10 == 0)
            clock->refused--;
        }
      else if (clock->refused < PATIENCE_TICKS)
        clock->refused++;
      else
        wait = TRUE;
    }
  pthread_mutex_unlock (&clock->lock);
  if (wait)
    g_usleep (TICK_US);
  if (!served)
    memset (ret_frame, 0, MEDIA_FRAME * sizeof *ret_frame);
  return served;
}

void
media_clock_let_go (MediaClock *clock)
{
  pthread_mutex_lock (&clock->lock);
  if (clock->running && clock->demanded)
    {
      clock->demanded = FALSE;
      clock->next = clock->last_demand + TICK_US;
      pthread_cond_signal (&clock->wake);
    }
  pthread_mutex_unlock (&clock->lock);
}
