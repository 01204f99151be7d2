/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The phone on the session bus: the objects of dbus/org.phoned.Phone1.*.xml over the model in core/.
 * Everything happens on the main loop's thread (the default GMainContext) and nothing blocks, except
 * bus_free() for half a second at most. */

#include "core/registry.h"

typedef struct _Bus Bus;

/* What the bus asks of main. Only lost is required. */
typedef struct
{
  /* The name is ours: clients can reach us. Once. */
  void (*ready) (gpointer data);
  /* The name was taken or lost, or the connection is gone; why is for the log. Nothing comes after it. The
   * bus may be freed in it. */
  void (*lost) (const char *why, gpointer data);
  /* Manager.Reload; NULL: NotSupported. */
  gboolean (*reload) (gpointer data, GError **error);
  /* Manager.Problems: NULL-terminated, borrowed until the next call; NULL: none. */
  const char *const *(*problems) (gpointer data);
} BusHooks;

/* Connects to the user's bus without waiting for it, exports the objects, then asks for the name. The
 * registry's ports are set already. hooks must outlive the bus. FAILED when there is no bus address or the
 * socket refuses. */
Bus *bus_new (PhoneRegistry *registry, const BusHooks *hooks, gpointer data, GError **error);
/* Sends what is queued (500 ms at most) and closes. Requests that still wait for an outcome are answered with
 * InvalidState. Accepts NULL. */
void bus_free (Bus *bus);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Bus, bus_free)

void bus_problems_changed (Bus *bus);
/* Audio.DeviceLost. device: as written in the settings. */
void bus_device_lost (Bus *bus, const char *device);
