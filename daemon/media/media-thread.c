/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-thread.h"

#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "util/secret.h"

#define REALTIME_PRIORITY 20

struct _MediaThread
{
  char name[16];
  void (*run) (gpointer data);
  gpointer data;
  gboolean ended, released;     /* under the lock; when both are, it is freed */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t ended = PTHREAD_COND_INITIALIZER;
static guint n_leaving;         /* released and not ended */

static pthread_mutex_t broker_lock = PTHREAD_MUTEX_INITIALIZER;
static MediaThreadBroker broker;        /* under that lock */
static gpointer broker_data;
static pthread_key_t brokered;          /* set in a thread that the broker was asked for */
static pthread_once_t brokered_once = PTHREAD_ONCE_INIT;

static void *
thread_main (void *data)
{
  MediaThread *thread = data;
  gboolean released;

  media_thread_prepare (thread->name, FALSE);
  thread->run (thread->data);
  phone_secret_wipe_stack ();           /* which the next thread may get as it is */

  pthread_mutex_lock (&lock);
  thread->ended = TRUE;
  released = thread->released;
  if (released)
    n_leaving--;
  pthread_cond_broadcast (&ended);
  pthread_mutex_unlock (&lock);
  if (released)
    g_free (thread);
  return NULL;
}

gboolean
media_thread_create (pthread_t *ret_id, void *(*run) (void *data), gpointer data)
{
  phone_secret_wipe_stack ();
  return pthread_create (ret_id, NULL, run, data) == 0;
}

MediaThread *
media_thread_start (const char *name, void (*run) (gpointer data), gpointer data)
{
  MediaThread *thread = g_new0 (MediaThread, 1);
  pthread_t id;

  g_strlcpy (thread->name, name, sizeof thread->name);
  thread->run = run;
  thread->data = data;
  if (!media_thread_create (&id, thread_main, thread))
    {
      g_free (thread);
      return NULL;
    }
  pthread_detach (id);
  return thread;
}

void
media_thread_release (MediaThread *thread)
{
  gboolean gone;

  if (thread == NULL)
    return;
  pthread_mutex_lock (&lock);
  thread->released = TRUE;
  gone = thread->ended;
  if (!gone)
    n_leaving++;
  pthread_mutex_unlock (&lock);
  if (gone)
    g_free (thread);
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
  while (n_leaving > 0 && pthread_cond_timedwait (&ended, &lock, &until) == 0)
    ;
  all = n_leaving == 0;
  pthread_mutex_unlock (&lock);
  return all;
}

/* ---- scheduling ---- */

static void
ask_broker (gboolean wanted)
{
  pthread_mutex_lock (&broker_lock);
  if (broker != NULL)
    broker (gettid (), wanted, broker_data);
  pthread_mutex_unlock (&broker_lock);
}

/* The thread ends. */
static void
on_brokered_end (void *value)
{
  ask_broker (FALSE);
}

static void
make_key (void)
{
  pthread_key_create (&brokered, on_brokered_end);
}

void
media_thread_set_broker (MediaThreadBroker want, gpointer data)
{
  pthread_mutex_lock (&broker_lock);
  broker = want;
  broker_data = data;
  pthread_mutex_unlock (&broker_lock);
}

void
media_thread_prepare (const char *name, gboolean realtime)
{
  struct sched_param param = { .sched_priority = REALTIME_PRIORITY };
  struct rlimit limit;

  prctl (PR_SET_NAME, name);
  if (!realtime)
    return;
  /* With a limit, up to it; without one it is still allowed to a process with CAP_SYS_NICE. */
  if (getrlimit (RLIMIT_RTPRIO, &limit) == 0 && limit.rlim_cur > 0)
    param.sched_priority = (int) MIN (limit.rlim_cur, REALTIME_PRIORITY);
  if (pthread_setschedparam (pthread_self (), SCHED_RR | SCHED_RESET_ON_FORK, &param) == 0)
    return;
  pthread_once (&brokered_once, make_key);
  pthread_setspecific (brokered, &brokered);
  ask_broker (TRUE);
}

void
media_thread_restore (void)
{
  struct sched_param param = { 0 };

  pthread_once (&brokered_once, make_key);
  if (pthread_getspecific (brokered) != NULL)
    {
      pthread_setspecific (brokered, NULL);
      ask_broker (FALSE);
    }
  /* The flag stays: who has no privilege may not take it off, and nothing would change. */
  pthread_setschedparam (pthread_self (), SCHED_OTHER | SCHED_RESET_ON_FORK, &param);
}

void
media_mutex_init (pthread_mutex_t *mutex)
{
  pthread_mutexattr_t attr;

  pthread_mutexattr_init (&attr);
  pthread_mutexattr_setprotocol (&attr, PTHREAD_PRIO_INHERIT);
  pthread_mutex_init (mutex, &attr);
  pthread_mutexattr_destroy (&attr);
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
