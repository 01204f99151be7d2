/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* An sd-bus connection as a GSource. */

#include <glib.h>
#include <systemd/sd-bus.h>

/* The connection ended. Called once, from the source's dispatch; the source does nothing any more. */
typedef void (*BusSourceClosed) (int error, gpointer data);

/* Keeps a reference on bus. Attach it, destroy and unref it as any source. */
GSource *bus_source_new (sd_bus *bus, BusSourceClosed closed, gpointer data);
