/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "notify.h"

#include <stdint.h>
#include <systemd/sd-daemon.h>

void
notify_ready (void)
{
  sd_notify (0, "READY=1");
}

void
notify_reloading (void)
{
  sd_notifyf (0, "RELOADING=1\nMONOTONIC_USEC=%" G_GINT64_FORMAT, g_get_monotonic_time ());
}

void
notify_stopping (void)
{
  sd_notify (0, "STOPPING=1");
}

void
notify_status (const char *format, ...)
{
  va_list args;
  g_autofree char *text = NULL;
  g_autofree char *line = NULL;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  line = g_strconcat ("STATUS=", text, NULL);
  sd_notify (0, line);
}

static gboolean
on_watchdog (gpointer data)
{
  sd_notify (0, "WATCHDOG=1");
  return G_SOURCE_CONTINUE;
}

guint
notify_start_watchdog (void)
{
  uint64_t usec = 0;

  if (sd_watchdog_enabled (0, &usec) <= 0 || usec == 0)
    return 0;
  sd_notify (0, "WATCHDOG=1");
  return g_timeout_add ((guint) MAX (usec / 2000, 1), on_watchdog, NULL);
}
