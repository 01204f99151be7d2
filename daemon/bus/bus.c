/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The connection: made without waiting, objects first, then the name, so that whoever is activated into
 * calling us finds everything in place. One name, never queued for: if somebody has it, another phoned runs
 * and this one must go. Losing the name or the connection is final; main decides what that means. */

#include "bus/bus-private.h"
#include "bus/bus-source.h"
#include "util/log.h"

#include <poll.h>
#include <string.h>

#define CLOSE_DEADLINE_MS 500
#define NAME_IS_OURS 1                  /* DBUS_REQUEST_NAME_REPLY_PRIMARY_OWNER */

static void
lost (Bus *bus, const char *why)
{
  if (bus->lost)
    return;
  bus->lost = TRUE;
  bus->hooks->lost (why, bus->data);
}

static void
on_closed (int error, gpointer data)
{
  g_autofree char *why = g_strdup_printf ("The connection to the session bus ended: %s", g_strerror (-error));

  lost (data, why);
}

static int
on_name_requested (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  const sd_bus_error *failure = sd_bus_message_get_error (m);
  g_autofree char *why = NULL;
  guint32 answer = 0;

  if (!failure && sd_bus_message_read (m, "u", &answer) >= 0 && answer == NAME_IS_OURS)
    {
      bus->ready = TRUE;
      if (bus->hooks->ready)
        bus->hooks->ready (bus->data);
      return 0;
    }
  why = failure ? g_strdup_printf ("Cannot take the name " PHONE_DBUS_NAME ": %s", failure->message)
                : g_strdup ("The name " PHONE_DBUS_NAME " is taken: another phoned runs in this session");
  lost (bus, why);
  return 0;
}

static int
on_name_lost (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  const char *name;

  if (sd_bus_message_read (m, "s", &name) >= 0 && strcmp (name, PHONE_DBUS_NAME) == 0)
    lost (data, "The name " PHONE_DBUS_NAME " was taken away");
  return 0;
}

static void
before_reply (gpointer data)
{
  bus_flush (data);
}

static int
connect_bus (Bus *self)
{
  int r = sd_bus_open_user_with_description (&self->bus, "phoned");

  if (r < 0)
    return r;
  sd_bus_set_exit_on_disconnect (self->bus, 0);
  self->clients = bus_clients_new (self->bus, before_reply, self);
  if ((r = bus_objects_export (self)) < 0)
    return r;
  if ((r = sd_bus_match_signal_async (self->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus",
                                      "org.freedesktop.DBus", "NameLost", on_name_lost, NULL, self))
      < 0)
    return r;
  if ((r = sd_bus_request_name_async (self->bus, NULL, PHONE_DBUS_NAME, 0, on_name_requested, self)) < 0)
    return r;
  self->source = bus_source_new (self->bus, on_closed, self);
  g_source_attach (self->source, NULL);
  return 0;
}

Bus *
bus_new (PhoneRegistry *registry, const BusHooks *hooks, gpointer data, GError **error)
{
  g_autoptr (Bus) bus = g_new0 (Bus, 1);
  int r;

  bus->registry = g_object_ref (registry);
  bus->hooks = hooks;
  bus->data = data;
  r = connect_bus (bus);
  if (r >= 0)
    return g_steal_pointer (&bus);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "Cannot connect to the session bus: %s",
               g_strerror (-r));
  return NULL;
}

/* sd_bus_flush() waits for as long as the bus does not read; we do not. */
static void
flush_bounded (sd_bus *bus)
{
  gint64 deadline = g_get_monotonic_time () + CLOSE_DEADLINE_MS * G_TIME_SPAN_MILLISECOND;
  guint64 queued = 0;

  while (sd_bus_get_n_queued_write (bus, &queued) >= 0 && queued > 0 && g_get_monotonic_time () < deadline)
    {
      struct pollfd fd = { .fd = sd_bus_get_fd (bus), .events = POLLOUT };
      int r = sd_bus_process (bus, NULL);

      if (r < 0 || fd.fd < 0)
        return;
      if (r == 0)
        poll (&fd, 1, CLOSE_DEADLINE_MS / 10);
    }
}

void
bus_free (Bus *bus)
{
  if (!bus)
    return;
  bus->lost = TRUE;             /* no hook any more */
  bus_objects_clear (bus);
  bus_clients_free (bus->clients);
  if (bus->source)
    {
      g_source_destroy (bus->source);
      g_source_unref (bus->source);
    }
  if (bus->bus)
    {
      flush_bounded (bus->bus);
      sd_bus_close_unref (bus->bus);
    }
  g_object_unref (bus->registry);
  g_free (bus);
}

void
bus_problems_changed (Bus *bus)
{
  if (!bus->lost)
    sd_bus_emit_properties_changed (bus->bus, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "Problems", NULL);
}

void
bus_device_lost (Bus *bus, const char *device)
{
  g_autofree char *copy = NULL;

  if (!bus->lost)
    sd_bus_emit_signal (bus->bus, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "DeviceLost", "s",
                        bus_text (device, &copy));
}
