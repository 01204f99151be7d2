/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/wall-timer.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct _PhoneWallTimer
{
  int fd;
  guint source;
  gint64 at;
  void (*fired) (gpointer data);
  gpointer data;
};

/* The kernel tells of a clock that was set only while the timer is armed. */
#define FAR_AWAY_S (10 * 365 * G_GINT64_CONSTANT (86400))

static void
arm (PhoneWallTimer *timer)
{
  struct itimerspec spec = { 0 };

  spec.it_value.tv_sec = (time_t) (timer->at > 0 ? timer->at : g_get_real_time () / G_USEC_PER_SEC + FAR_AWAY_S);
  if (timerfd_settime (timer->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &spec, NULL) < 0)
    g_warning ("timerfd: %s", g_strerror (errno));
}

static gboolean
on_ready (int fd, GIOCondition condition, gpointer data)
{
  PhoneWallTimer *timer = data;
  guint64 times;
  gssize n = read (fd, &times, sizeof times);

  if (n < 0 && errno != ECANCELED)
    return G_SOURCE_CONTINUE;
  if (n > 0)
    timer->at = 0;
  arm (timer);
  timer->fired (timer->data);
  return G_SOURCE_CONTINUE;
}

PhoneWallTimer *
phone_wall_timer_new (void (*fired) (gpointer data), gpointer data)
{
  int fd = timerfd_create (CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  PhoneWallTimer *timer;

  if (fd < 0)
    return NULL;
  timer = g_new0 (PhoneWallTimer, 1);
  timer->fd = fd;
  timer->fired = fired;
  timer->data = data;
  timer->source = g_unix_fd_add (fd, G_IO_IN, on_ready, timer);
  arm (timer);
  return timer;
}

void
phone_wall_timer_set (PhoneWallTimer *timer, gint64 at)
{
  timer->at = at;
  arm (timer);
}

void
phone_wall_timer_free (PhoneWallTimer *timer)
{
  if (!timer)
    return;
  g_source_remove (timer->source);
  close (timer->fd);
  g_free (timer);
}
