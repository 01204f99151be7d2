/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shutdown.h"

#include "notify.h"
#include "util/log.h"

/* systemd waits longer; a user who logs out should not. */
#define DEADLINE_MS 1800

struct _Shutdown
{
  GMainLoop *loop;
  PhoneRegistry *registry;
  gboolean begun;
};

static void
on_stopped (gpointer data)
{
  Shutdown *self = data;

  g_main_loop_quit (self->loop);
}

void
shutdown_begin (Shutdown *self, const char *why)
{
  if (self->begun)
    {
      phone_log_warning (NULL, "Stopping at once (%s)", why);
      g_main_loop_quit (self->loop);
      return;
    }
  self->begun = TRUE;
  phone_log_notice (NULL, "Stopping (%s)", why);
  notify_stopping ();
  phone_registry_stop (self->registry, DEADLINE_MS, on_stopped, self);
}

Shutdown *
shutdown_new (GMainLoop *loop, PhoneRegistry *registry)
{
  Shutdown *self = g_new0 (Shutdown, 1);

  self->loop = g_main_loop_ref (loop);
  self->registry = g_object_ref (registry);
  return self;
}

void
shutdown_free (Shutdown *self)
{
  if (!self)
    return;
  g_main_loop_unref (self->loop);
  g_object_unref (self->registry);
  g_free (self);
}
