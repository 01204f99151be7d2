/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A process that wants help must first bound itself (RLIMIT_RTTIME): a thread that computes for so long without a pause is ended by the kernel, the
 * process with it. Before that comes SIGXCPU: then the thread goes on with ordinary scheduling, because a call with gaps is better than none. */

#include "realtime.h"

#include <gio/gio.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "util/log.h"

#define NAME "org.freedesktop.RealtimeKit1"
#define PATH "/org/freedesktop/RealtimeKit1"
/* The service sets the flag, and who has no privilege may not take it off. */
#define ORDINARY (SCHED_OTHER | SCHED_RESET_ON_FORK)
#define PRIORITY 20             /* as we take where we may ourselves */

typedef enum
{
  REALTIME_UNKNOWN,             /* nobody has asked yet */
  REALTIME_ASKING,              /* for the bus, then for the limits */
  REALTIME_READY,
  REALTIME_ABSENT,
} RealtimeState;

/* Every call that is out holds a reference. */
struct _Realtime
{
  GMutex lock;
  GHashTable *wanted;           /* thread; under the lock */

  /* main thread */
  gboolean gone, told;
  RealtimeState state;
  GDBusConnection *bus;
  guint priority;
  GArray *waiting;              /* of int, until READY */
};

typedef struct
{
  Realtime *self;
  int thread;
} Request;

static void
clear (gpointer data)
{
  Realtime *self = data;

  g_hash_table_unref (self->wanted);
  g_array_unref (self->waiting);
  g_clear_object (&self->bus);
  g_mutex_clear (&self->lock);
}

static void
unref (Realtime *self)
{
  g_atomic_rc_box_release_full (self, clear);
}

static Request *
request_new (Realtime *self, int thread)
{
  Request *request = g_new (Request, 1);

  *request = (Request) { g_atomic_rc_box_acquire (self), thread };
  return request;
}

static void
request_free (gpointer data)
{
  Request *request = data;

  unref (request->self);
  g_free (request);
}

static gboolean
is_wanted (Realtime *self, int thread)
{
  g_mutex_lock (&self->lock);
  gboolean wanted = g_hash_table_contains (self->wanted, GINT_TO_POINTER (thread));
  g_mutex_unlock (&self->lock);
  return wanted;
}

/* One line, not one for each thread of each call. */
static void
tell (Realtime *self, const char *why)
{
  if (!self->told)
    phone_log_notice (NULL, "no real-time priority from RealtimeKit: %s", why);
  self->told = TRUE;
}

/* ---- the bound ---- */

static void
on_too_long (int number)
{
  static const char text[] = "a real-time thread has computed for too long and goes on without\n";
  struct sched_param ordinary = { 0 };

  /* The kernel sends it to the thread that it is about. */
  if (sched_setscheduler (0, ORDINARY, &ordinary) == 0 && write (STDERR_FILENO, text, sizeof text - 1) < 0)
    return;
}

static gboolean
bound_ourselves (gint64 most)
{
  struct sigaction action = { .sa_handler = on_too_long, .sa_flags = SA_RESTART };
  struct rlimit limit;

  if (most <= 0 || getrlimit (RLIMIT_RTTIME, &limit) < 0)
    return FALSE;
  sigemptyset (&action.sa_mask);
  if (sigaction (SIGXCPU, &action, NULL) < 0)
    return FALSE;
  limit.rlim_max = MIN (limit.rlim_max, (rlim_t) most);
  limit.rlim_cur = MIN (limit.rlim_cur, limit.rlim_max / 2);
  return setrlimit (RLIMIT_RTTIME, &limit) == 0;
}

/* ---- the service ---- */

static void
on_granted (GObject *source, GAsyncResult *result, gpointer data)
{
  Request *request = data;
  struct sched_param ordinary = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);

  if (reply == NULL)
    tell (request->self, error->message);
  else if (!is_wanted (request->self, request->thread))
    sched_setscheduler (request->thread, ORDINARY, &ordinary);       /* no such thread: as well */
  request_free (request);
}

static void
ask (Realtime *self, int thread)
{
  if (is_wanted (self, thread))
    g_dbus_connection_call (self->bus, NAME, PATH, NAME, "MakeThreadRealtime", g_variant_new ("(tu)", (guint64) thread, self->priority), NULL,
                            G_DBUS_CALL_FLAGS_NONE, -1, NULL, on_granted, request_new (self, thread));
}

static void
give_up (Realtime *self, const char *why)
{
  tell (self, why);
  self->state = REALTIME_ABSENT;
  g_array_set_size (self->waiting, 0);
}

/* The service knows Get and no GetAll. */
static void
get_limit (Realtime *self, const char *name, GAsyncReadyCallback done)
{
  g_dbus_connection_call (self->bus, NAME, PATH, "org.freedesktop.DBus.Properties", "Get", g_variant_new ("(ss)", NAME, name),
                          G_VARIANT_TYPE ("(v)"), G_DBUS_CALL_FLAGS_NONE, -1, NULL, done, g_atomic_rc_box_acquire (self));
}

/* NULL: given up. */
static GVariant *
take_limit (Realtime *self, GObject *source, GAsyncResult *result, const char *type)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) reply = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, &error);
  g_autoptr (GVariant) value = NULL;

  if (reply == NULL)
    {
      give_up (self, error->message);
      return NULL;
    }
  g_variant_get (reply, "(v)", &value);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE (type)))
    return g_steal_pointer (&value);
  give_up (self, "it does not tell its limits");
  return NULL;
}

static void
on_most (GObject *source, GAsyncResult *result, gpointer data)
{
  Realtime *self = data;
  g_autoptr (GVariant) most = take_limit (self, source, result, "x");

  if (most != NULL && !bound_ourselves (g_variant_get_int64 (most)))
    give_up (self, "the process cannot bound itself");
  else if (most != NULL)
    {
      self->state = REALTIME_READY;
      for (guint i = 0; i < self->waiting->len && !self->gone; i++)
        ask (self, g_array_index (self->waiting, int, i));
      g_array_set_size (self->waiting, 0);
    }
  unref (self);
}

static void
on_priority (GObject *source, GAsyncResult *result, gpointer data)
{
  Realtime *self = data;
  g_autoptr (GVariant) priority = take_limit (self, source, result, "i");

  if (priority != NULL && g_variant_get_int32 (priority) < 1)
    give_up (self, "it does not tell its limits");
  else if (priority != NULL)
    {
      self->priority = (guint) MIN (g_variant_get_int32 (priority), PRIORITY);
      get_limit (self, "RTTimeUSecMax", on_most);
    }
  unref (self);
}

static void
on_bus (GObject *source, GAsyncResult *result, gpointer data)
{
  Realtime *self = data;
  g_autoptr (GError) error = NULL;

  self->bus = g_bus_get_finish (result, &error);
  if (self->bus == NULL)
    give_up (self, error->message);
  else
    {
      /* The end of the system bus is none of ours. */
      g_dbus_connection_set_exit_on_close (self->bus, FALSE);
      get_limit (self, "MaxRealtimePriority", on_priority);
    }
  unref (self);
}

static gboolean
on_wanted (gpointer data)
{
  Request *request = data;
  Realtime *self = request->self;

  if (self->gone)
    return G_SOURCE_REMOVE;
  switch (self->state)
    {
    case REALTIME_UNKNOWN:
      self->state = REALTIME_ASKING;
      g_array_append_val (self->waiting, request->thread);
      g_bus_get (G_BUS_TYPE_SYSTEM, NULL, on_bus, g_atomic_rc_box_acquire (self));
      break;
    case REALTIME_ASKING:
      g_array_append_val (self->waiting, request->thread);
      break;
    case REALTIME_READY:
      ask (self, request->thread);
      break;
    case REALTIME_ABSENT:
      break;
    }
  return G_SOURCE_REMOVE;
}

void
realtime_want (int thread, gboolean wanted, gpointer data)
{
  Realtime *self = data;

  g_mutex_lock (&self->lock);
  if (wanted)
    g_hash_table_add (self->wanted, GINT_TO_POINTER (thread));
  else
    g_hash_table_remove (self->wanted, GINT_TO_POINTER (thread));
  g_mutex_unlock (&self->lock);
  if (wanted)
    g_idle_add_full (G_PRIORITY_DEFAULT, on_wanted, request_new (self, thread), request_free);
}

Realtime *
realtime_new (void)
{
  Realtime *self = g_atomic_rc_box_new0 (Realtime);

  g_mutex_init (&self->lock);
  self->wanted = g_hash_table_new (NULL, NULL);
  self->waiting = g_array_new (FALSE, FALSE, sizeof (int));
  return self;
}

void
realtime_free (Realtime *self)
{
  if (self == NULL)
    return;
  self->gone = TRUE;
  unref (self);
}
