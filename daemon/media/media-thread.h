/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Threads of the media room. pthreads rather than GThread and GMutex: the thread sanitizer knows the former
 * and is blind to the latter. */

#include <glib.h>
#include <pthread.h>

typedef struct _MediaThread MediaThread;

/* pthread_create() for every thread of this room. A new thread begins with the registers of the one that made it, and soon has them on its stack: what
 * copying left of keys in them is cleared before. FALSE: none to be had. */
gboolean media_thread_create (pthread_t *ret_id, void *(*run) (void *data), gpointer data);
/* Starts a thread that nobody joins: it owns (a reference on) its data, so whoever wants it gone only tells
 * it so, releases it, and never waits for a slow disk or a hanging sound server. NULL: none to be had. */
MediaThread *media_thread_start (const char *name, void (*run) (gpointer data), gpointer data);
/* Accepts NULL. The thread may have ended before. */
void media_thread_release (MediaThread *thread);
/* At exit: waits until all released threads have ended, at most ms. FALSE: some have not. */
gboolean media_threads_wait (guint ms);
/* Names the calling thread and asks for real-time scheduling, which the system may refuse (RLIMIT_RTPRIO);
 * that is no error: then the broker is asked, if there is one. */
void media_thread_prepare (const char *name, gboolean realtime);
/* Who may still get it for a thread: want() is called on that thread and must not block; again with FALSE before the thread ends or is restored.
 * NULL: nobody; when this returns, no call runs or will run. */
typedef void (*MediaThreadBroker) (int thread, gboolean wanted, gpointer data);
void media_thread_set_broker (MediaThreadBroker want, gpointer data);
void media_thread_restore (void);       /* back to ordinary scheduling, for a thread that returns to a pool */
/* A mutex that lends the priority of who waits to who holds it: the hub must not wait for a preempted main thread. */
void media_mutex_init (pthread_mutex_t *mutex);
/* A condition that waits on CLOCK_MONOTONIC, and the wait itself: until is monotonic us; FALSE: the time is
 * over. */
void media_cond_init (pthread_cond_t *cond);
gboolean media_cond_wait_until (pthread_cond_t *cond, pthread_mutex_t *mutex, gint64 until);
