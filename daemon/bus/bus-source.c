/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sd-bus wants to be told when its descriptor is ready for what it waits for (sd_bus_get_events) or when a
 * moment has come (sd_bus_get_timeout, absolute CLOCK_MONOTONIC; 0: messages wait in memory that no
 * descriptor will announce). GLib asks for both before every poll, in prepare.
 *
 * Three traps:
 * - g_source_modify_unix_fd() wakes the context up, so calling it in every prepare is a busy loop: it is
 *   called only when the events have changed. For the same reason the timeout is returned by prepare instead
 *   of g_source_set_ready_time().
 * - The descriptor may change while the connection is being made (a list of addresses is tried in turn).
 * - A peer that sends faster than we work would keep us in dispatch for ever: a dispatch ends after
 *   DISPATCH_MAX messages and other sources get their turn. */

#include "bus/bus-source.h"

#include <errno.h>

#define DISPATCH_MAX 32

typedef struct
{
  GSource source;
  sd_bus *bus;
  BusSourceClosed closed;
  gpointer data;
  gpointer tag;                 /* of the watched descriptor, NULL: none */
  int fd;
  GIOCondition events;
  int error;                    /* negative errno found in prepare; dispatch reports it */
} BusSource;

static void
watch (BusSource *self, int fd, GIOCondition events)
{
  if (self->tag && fd != self->fd)
    {
      g_source_remove_unix_fd (&self->source, self->tag);
      self->tag = NULL;
    }
  if (!self->tag)
    self->tag = g_source_add_unix_fd (&self->source, fd, events);
  else if (events != self->events)
    g_source_modify_unix_fd (&self->source, self->tag, events);
  self->fd = fd;
  self->events = events;
}

/* Milliseconds from now until the absolute time, rounded up: waking before it would mean another turn. */
static int
remaining_ms (guint64 until, gint64 now)
{
  if (until == UINT64_MAX)
    return -1;
  if (until <= (guint64) now)
    return 0;
  return (int) MIN ((until - (guint64) now + 999) / 1000, (guint64) G_MAXINT);
}

static gboolean
bus_source_prepare (GSource *source, int *ret_timeout)
{
  BusSource *self = (BusSource *) source;
  int fd = sd_bus_get_fd (self->bus);
  int events = sd_bus_get_events (self->bus);
  guint64 until = UINT64_MAX;
  int r = sd_bus_get_timeout (self->bus, &until);

  *ret_timeout = -1;
  self->error = fd < 0 ? fd : events < 0 ? events : r < 0 ? r : 0;
  if (self->error)
    return TRUE;
  /* poll's bits and GIOCondition are the same numbers (GLib documents them as such). */
  watch (self, fd, (GIOCondition) events);
  *ret_timeout = remaining_ms (until, g_source_get_time (source));
  return *ret_timeout == 0;
}

static gboolean
bus_source_check (GSource *source)
{
  BusSource *self = (BusSource *) source;
  guint64 until = UINT64_MAX;

  if (self->error || !self->tag || g_source_query_unix_fd (source, self->tag) != 0)
    return TRUE;
  return sd_bus_get_timeout (self->bus, &until) < 0 || remaining_ms (until, g_source_get_time (source)) == 0;
}

static gboolean
bus_source_dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  BusSource *self = (BusSource *) source;
  int r = self->error;

  /* A handler may destroy the source; its memory stays ours until we return. */
  for (guint i = 0; r >= 0 && i < DISPATCH_MAX; i++)
    {
      r = sd_bus_process (self->bus, NULL);
      if (g_source_is_destroyed (source))
        return G_SOURCE_REMOVE;
      if (r == 0)
        return G_SOURCE_CONTINUE;
    }
  if (r >= 0)
    return G_SOURCE_CONTINUE;
  self->closed (r, self->data);
  return G_SOURCE_REMOVE;
}

static void
bus_source_finalize (GSource *source)
{
  sd_bus_unref (((BusSource *) source)->bus);
}

static GSourceFuncs bus_source_funcs = {
  .prepare = bus_source_prepare,
  .check = bus_source_check,
  .dispatch = bus_source_dispatch,
  .finalize = bus_source_finalize,
};

GSource *
bus_source_new (sd_bus *bus, BusSourceClosed closed, gpointer data)
{
  GSource *source = g_source_new (&bus_source_funcs, sizeof (BusSource));
  BusSource *self = (BusSource *) source;

  self->bus = sd_bus_ref (bus);
  self->closed = closed;
  self->data = data;
  self->fd = -1;
  g_source_set_static_name (source, "sd-bus");
  return source;
}
