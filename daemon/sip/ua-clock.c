/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Three places of sofia-sip read the wall clock for what is no time of day:
 *
 *   su_time ()                    sets its timers             -> the hook _su_time, which it exports
 *   su_source.c of the GLib part  asks which have expired     -> g_source_get_current_time (), interposed;
 *                                                                in 1.13 g_source_get_time ()
 *   sresolv                       DNS retransmission and TTL  -> time (), interposed
 *
 * "Interposed" means that this program defines a function of that name: the dynamic linker looks into the
 * program first, so the library's calls arrive here. Calls from anybody else are passed on (see ua-module.h).
 * All three now read CLOCK_BOOTTIME plus one offset, which makes it the wall clock's time at the start of the
 * program and nothing later.
 *
 * A loop asleep in poll() does not notice a suspend: poll's timeout stands still meanwhile. A timer
 * descriptor on the wall clock with TFD_TIMER_CANCEL_ON_SET becomes readable when the clock is set and when
 * the machine resumes (timekeeping_resume in the kernel does both), and that wakes the loop. */

#include "sip/ua-clock.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>          /* sofia-resolv uses this and the next and does not include them */
#include <stdint.h>
#include <sofia-resolv/sres.h>
#include <sofia-resolv/sres_cache.h>
#include <sofia-resolv/sres_record.h>
#include <sofia-sip/su_glib.h>
#include <sofia-sip/su_log.h>
#include <sofia-sip/su_time.h>
#include <sofia-sip/su_wait.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "sip/ua-module.h"

/* Seconds from 1900, NTP's epoch and sofia's, to 1970. */
#define NTP_EPOCH G_GUINT64_CONSTANT (2208988800)

static UaModule sofia, sofia_glib;
static gint64 offset;           /* us: CLOCK_REALTIME - CLOCK_BOOTTIME when the program started */
static guint n_hook_calls, n_source_calls, n_time_calls;        /* for the self-test */

static UaClockWakeFunc wake_func;
static gpointer wake_data;
static gint64 suspended;        /* us that the machine has slept since it was booted, when last looked at */

static gint64
read_clock (clockid_t id)
{
  struct timespec now;

  clock_gettime (id, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

gint64
ua_clock_now (void)
{
  return read_clock (CLOCK_BOOTTIME);
}

static void
on_su_time (su_time_t *ret_time)
{
  gint64 now = ua_clock_now () + offset;

  n_hook_calls++;
  ret_time->tv_sec = now / G_USEC_PER_SEC + NTP_EPOCH;
  ret_time->tv_usec = now % G_USEC_PER_SEC;
}

/* ---- interposed ---- */

G_GNUC_BEGIN_IGNORE_DEPRECATIONS
/* libsofia-sip-ua-glib refers to this name, therefore the linker exports ours. */
__attribute__ ((visibility ("default"))) void
g_source_get_current_time (GSource *source, GTimeVal *ret_time)
{
  gint64 now = UA_CALLED_FROM (&sofia_glib) ? ua_clock_now () + offset : g_get_real_time ();

  n_source_calls += UA_CALLED_FROM (&sofia_glib);
  ret_time->tv_sec = now / G_USEC_PER_SEC;
  ret_time->tv_usec = now % G_USEC_PER_SEC;
}
G_GNUC_END_IGNORE_DEPRECATIONS

/* 1.13 takes GLib's monotonic clock for the wall clock; ours fits what su_time () says. */
__attribute__ ((visibility ("default"))) gint64
g_source_get_time (GSource *source)
{
  static gint64 (*next) (GSource *);

  if (UA_CALLED_FROM (&sofia_glib))
    {
      n_source_calls++;
      return ua_clock_now () + offset;
    }
  if (G_UNLIKELY (next == NULL))
    next = (gint64 (*) (GSource *)) dlsym (RTLD_NEXT, "g_source_get_time");
  return next (source);
}

__attribute__ ((visibility ("default"))) time_t
time (time_t *ret_time)
{
  struct timespec now;
  time_t seconds;

  if (UA_CALLED_FROM (&sofia))
    {
      n_time_calls++;
      seconds = (ua_clock_now () + offset) / G_USEC_PER_SEC;
    }
  else
    {
      clock_gettime (CLOCK_REALTIME_COARSE, &now);      /* as libc's own does */
      seconds = now.tv_sec;
    }
  if (ret_time != NULL)
    *ret_time = seconds;
  return seconds;
}

/* ---- waking up ---- */

/* CLOCK_MONOTONIC stands still during suspend, CLOCK_BOOTTIME does not. */
static gint64
read_suspended (void)
{
  return read_clock (CLOCK_BOOTTIME) - read_clock (CLOCK_MONOTONIC);
}

typedef struct
{
  GSource base;
  int fd;
} WakeSource;

/* Wakes a century from now at the latest, that is: only by cancellation. */
static gboolean
arm (int fd)
{
  struct itimerspec far_away
      = { .it_value = { .tv_sec = read_clock (CLOCK_REALTIME) / G_USEC_PER_SEC + 100ll * 365 * 86400 } };

  return timerfd_settime (fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far_away, NULL) == 0;
}

static gboolean
on_wake (GSource *source, GSourceFunc callback, gpointer data)
{
  int fd = ((WakeSource *) source)->fd;
  guint64 expirations;
  gint64 before = suspended;
  const gint64 noise = 10 * G_TIME_SPAN_MILLISECOND;    /* the two clocks are not read at the same instant */

  if (read (fd, &expirations, sizeof expirations) < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (!arm (fd))
    {
      g_warning ("clock: cannot watch for suspend any more: %s", g_strerror (errno));
      return G_SOURCE_REMOVE;
    }
  suspended = read_suspended ();
  if (wake_func != NULL)
    wake_func (suspended - before > noise ? suspended - before : 0, wake_data);
  return G_SOURCE_CONTINUE;
}

static void
on_wake_finalize (GSource *source)
{
  close (((WakeSource *) source)->fd);
}

static GSourceFuncs wake_funcs = { .dispatch = on_wake, .finalize = on_wake_finalize };

static void
watch_clock (void)
{
  int fd = timerfd_create (CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
  GSource *source;

  if (fd < 0 || !arm (fd))
    {
      /* Timers are right without it, only late after a suspend. */
      g_warning ("clock: cannot watch for suspend: %s", g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return;
    }
  suspended = read_suspended ();
  source = g_source_new (&wake_funcs, sizeof (WakeSource));
  ((WakeSource *) source)->fd = fd;
  g_source_set_static_name (source, "clock");
  g_source_set_priority (source, G_PRIORITY_HIGH);
  g_source_add_unix_fd (source, fd, G_IO_IN);
  g_source_attach (source, NULL);
  g_source_unref (source);
}

void
ua_clock_set_wake (UaClockWakeFunc on_wake_up, gpointer data)
{
  wake_func = on_wake_up;
  wake_data = data;
}

/* ---- start-up ---- */

static void
on_self_test_timer (su_root_magic_t *magic, su_timer_t *timer, su_timer_arg_t *arg)
{
  *(gboolean *) arg = TRUE;
}

static gboolean
on_self_test_guard (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* A timer of 1 ms on a root of its own: the GLib part has to ask for the time, and the timer has to fire. */
static gboolean
run_timer (void)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GSource) guard = g_timeout_source_new (2000);
  gboolean fired = FALSE, given_up = FALSE;
  su_root_t *root;
  GSource *source;
  su_timer_t *timer;

  su_init ();
  root = su_glib_root_create (NULL);
  su_root_threading (root, 0);
  source = su_glib_root_gsource (root);
  g_source_attach (source, context);
  g_source_set_callback (guard, on_self_test_guard, &given_up, NULL);
  g_source_attach (guard, context);
  timer = su_timer_create (su_root_task (root), 1);
  su_timer_set (timer, on_self_test_timer, (su_timer_arg_t *) &fired);
  while (!fired && !given_up)
    g_main_context_iteration (context, TRUE);
  su_timer_destroy (timer);
  g_source_destroy (guard);
  g_source_destroy (source);
  su_root_destroy (root);
  su_deinit ();
  return fired;
}

static void
look_up_name (void)
{
  sres_cache_t *cache = sres_cache_new (1);
  sres_record_t **records = NULL;

  if (cache == NULL)
    return;
  sres_cache_get (cache, sres_type_a, "self-test.invalid.", &records);
  sres_cache_free_answers (cache, records);
  sres_cache_unref (cache);
}

gboolean
ua_clock_init (GError **error)
{
  void (**hook) (su_time_t *) = (void (**) (su_time_t *)) dlsym (RTLD_DEFAULT, "_su_time");
  const char *fault = NULL;
  gboolean fired;
  int log_level;

  if (hook == NULL || !ua_module_find ("su_now", &sofia)
      || !ua_module_find ("su_glib_root_create", &sofia_glib))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                           "clock: this version of sofia-sip has no hook for its clock");
      return FALSE;
    }
  offset = read_clock (CLOCK_REALTIME) - read_clock (CLOCK_BOOTTIME);
  *hook = on_su_time;

  su_log_init (su_log_default);
  log_level = su_log_default->log_level;
  su_log_set_level (su_log_default, 0);         /* it says that it made a source, on the most urgent level */
  su_now ();
  fired = run_timer ();
  look_up_name ();
  su_log_set_level (su_log_default, log_level);
  if (n_hook_calls == 0)
    fault = "su_time";
  else if (n_source_calls == 0)
    fault = "g_source_get_current_time () or g_source_get_time";
  else if (n_time_calls == 0)
    fault = "time";
  if (fault != NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                   "clock: this version of sofia-sip does not go through our %s ()", fault);
      return FALSE;
    }
  if (!fired)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                           "clock: the timers of this version of sofia-sip do not run");
      return FALSE;
    }
  watch_clock ();
  return TRUE;
}
