/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* bench-bus ADDRESS N
 *
 * N round trips over the bus, each after the one before: a Get of Manager.Version, and as the floor the same with the bus
 * daemon's GetId, which has one hop where a service has two. Prints one line of JSON, microseconds. */

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <systemd/sd-bus.h>
#include <time.h>

static gint64
now (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * G_GINT64_CONSTANT (1000000000) + t.tv_nsec;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static gboolean
trip (sd_bus *bus, gboolean service, double *ret_us)
{
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message *reply = NULL;
  gint64 began = now ();
  int r;

  if (service)
    r = sd_bus_call_method (bus, "org.phoned.Phone1", "/org/phoned/Phone1", "org.freedesktop.DBus.Properties", "Get", &error, &reply, "ss",
                            "org.phoned.Phone1.Manager", "Version");
  else
    r = sd_bus_call_method (bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", &error, &reply, NULL);
  *ret_us = (double) (now () - began) / 1000.0;
  if (r < 0)
    fprintf (stderr, "bench-bus: %s\n", error.message ? error.message : g_strerror (-r));
  sd_bus_error_free (&error);
  sd_bus_message_unref (reply);
  return r >= 0;
}

static gboolean
measure (sd_bus *bus, gboolean service, guint n, double *times)
{
  double warm;

  for (guint i = 0; i < 50; i++)
    if (!trip (bus, service, &warm))
      return FALSE;
  for (guint i = 0; i < n; i++)
    if (!trip (bus, service, &times[i]))
      return FALSE;
  qsort (times, n, sizeof *times, compare);
  return TRUE;
}

int
main (int argc, char **argv)
{
  sd_bus *bus = NULL;
  guint n = argc == 3 ? (guint) atoi (argv[2]) : 0;
  g_autofree double *service = NULL;
  g_autofree double *floor = NULL;

  if (n == 0)
    {
      fprintf (stderr, "usage: bench-bus ADDRESS N\n");
      return 2;
    }
  if (sd_bus_new (&bus) < 0 || sd_bus_set_address (bus, argv[1]) < 0 || sd_bus_set_bus_client (bus, 1) < 0 || sd_bus_start (bus) < 0)
    {
      fprintf (stderr, "bench-bus: cannot connect to %s\n", argv[1]);
      return 1;
    }
  service = g_new0 (double, n);
  floor = g_new0 (double, n);
  if (!measure (bus, FALSE, n, floor) || !measure (bus, TRUE, n, service))
    return 1;
  printf ("{\"median\": %.1f, \"p95\": %.1f, \"floor\": %.1f}\n", service[n / 2], service[n * 95 / 100], floor[n / 2]);
  sd_bus_flush_close_unref (bus);
  return 0;
}
