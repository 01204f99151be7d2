/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Threads that want real-time scheduling, and the daemon's way to it, for test-realtime.py. One for each line of standard input, which names it.
 * "restore": they go back to ordinary scheduling. "spin": they compute until the kernel has taken it from them. Both are answered when they have. The
 * end of the input ends all. */

#include <glib.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "../../daemon/realtime.h"
#include "media/media-thread.h"

typedef enum
{
  IDLE,
  RESTORE,
  SPIN,
  END,
} Order;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static Order order;
static guint n_threads, n_done;

static void
follow (Order now)
{
  if (now == RESTORE)
    media_thread_restore ();
  while (now == SPIN && (sched_getscheduler (0) & ~SCHED_RESET_ON_FORK) != SCHED_OTHER)
    ;
}

static void
run (gpointer data)
{
  Order done = IDLE;

  media_thread_prepare (data, TRUE);
  g_free (data);
  pthread_mutex_lock (&lock);
  while (done != END)
    {
      while (order == done)
        pthread_cond_wait (&changed, &lock);
      done = order;
      pthread_mutex_unlock (&lock);
      follow (done);
      pthread_mutex_lock (&lock);
      n_done++;
      pthread_cond_broadcast (&changed);
    }
  pthread_mutex_unlock (&lock);
}

static void
command (Order now)
{
  pthread_mutex_lock (&lock);
  order = now;
  n_done = 0;
  pthread_cond_broadcast (&changed);
  while (n_done < n_threads)
    pthread_cond_wait (&changed, &lock);
  pthread_mutex_unlock (&lock);
}

static gboolean
on_line (GIOChannel *input, GIOCondition condition, gpointer loop)
{
  g_autofree char *line = NULL;
  gsize end;

  if (g_io_channel_read_line (input, &line, NULL, &end, NULL) != G_IO_STATUS_NORMAL)
    {
      command (END);
      g_main_loop_quit (loop);
      return G_SOURCE_REMOVE;
    }
  line[end] = '\0';
  if (g_str_equal (line, "restore") || g_str_equal (line, "spin"))
    {
      command (line[0] == 'r' ? RESTORE : SPIN);
      printf ("done: %s\n", line);
      fflush (stdout);
      return G_SOURCE_CONTINUE;
    }
  n_threads++;
  media_thread_release (media_thread_start (line, run, g_strdup (line)));
  return G_SOURCE_CONTINUE;
}

int
main (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GIOChannel *input = g_io_channel_unix_new (STDIN_FILENO);
  Realtime *realtime = realtime_new ();

  media_thread_set_broker (realtime_want, realtime);
  g_io_add_watch (input, G_IO_IN | G_IO_HUP, on_line, loop);
  g_main_loop_run (loop);
  g_io_channel_unref (input);
  if (!media_threads_wait (30000))
    return 1;
  media_thread_set_broker (NULL, NULL);
  realtime_free (realtime);
  return 0;
}
