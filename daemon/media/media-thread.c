/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-thread.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>

typedef struct
{
  char name[16];
  void (*run) (gpointer data);
  gpointer data;
} Start;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static guint n_threads;

static void *
thread_main (void *data)
{
  Start *start = data;

  media_thread_prepare (start->name, FALSE);
  start->run (start->data);
  g_free (start);

  pthread_mutex_lock (&lock);
  n_threads--;
  pthread_cond_broadcast (&ended);
  pthread_mutex_unlock (&lock);
  return NULL;
}

gboolean
media_thread_start (const char *name, void (*run) (gpointer data), gpointer data)
{
  Start *start = g_new0 (Start, 1);
  pthread_t thread;

  g_strlcpy (start->name, name, sizeof start->name);
  start->run = run;
  start->data = data;

  pthread_mutex_lock (&lock);
  n_threads++;
  pthread_mutex_unlock (&lock);
  if (pthread_create (&thread, NULL, thread_main, start) == 0)
    {
      pthread_detach (thread);
      return TRUE;
    }

  pthread_mutex_lock (&lock);
  n_threads--;
  pthread_mutex_unlock (&lock);
  g_free (start);
  return FALSE;
}

gboolean
media_threads_wait (guint ms)
{
  struct timespec until;
  gboolean all;

  clock_gettime (CLOCK_REALTIME, &until);
  until.tv_sec += ms / 1000;
  until.tv_nsec += ms % 1000 * 1000000;
  if (until.tv_nsec >= 1000000000)
    {
      until.tv_sec++;
      until.tv_nsec -= 1000000000;
    }
  pthread_mutex_lock (&lock);
  while (n_threads > 0 && pthread_cond_timedwait (&ended, &lock, &until) == 0)
    ;
  all = n_threads == 0;
  pthread_mutex_unlock (&lock);
  return all;
}

void
media_thread_prepare (const char *name, gboolean realtime)
{
  struct rlimit limit;

  prctl (PR_SET_NAME, name);
  if (realtime && getrlimit (RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0)
    {
      struct sched_param param = { .sched_priority = MIN (limit.rlim_cur, 20) };
      pthread_setschedparam (pthread_self (), SCHED_RR | SCHED_RESET_ON_FORK, &param);
    }
}

void
media_thread_restore (void)
{
  struct sched_param param = { 0 };

  pthread_setschedparam (pthread_self (), SCHED_OTHER, &param);
}

void
media_cond_init (pthread_cond_t *cond)
{
  pthread_condattr_t attr;

  pthread_condattr_init (&attr);
  pthread_condattr_setclock (&attr, CLOCK_MONOTONIC);
  pthread_cond_init (cond, &attr);
  pthread_condattr_destroy (&attr);
}

gboolean
media_cond_wait_until (pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 until)
{
  struct timespec at = { until / G_USEC_PER_SEC, until % G_USEC_PER_SEC * 1000 };

  return pthread_cond_timedwait (cond, mutex, &at) == 0;
}
