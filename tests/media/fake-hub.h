/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Stands in for media-hub.c in the tests of sessions: every port has a microphone that plays a given signal in a loop and a loudspeaker that
 * is recorded, and one thread ticks them all in real time. */

#include "media/media-hub.h"

/* The port by the name that it was added under (the call's id). The signal is borrowed. */
void fake_hub_set_input (const char *port, const gint16 *pcm, guint n);
/* What the port was given and what it played, tick by tick, since it ran or since the last fake_hub_clear(), six seconds at
 * most. The caller frees. */
void fake_hub_get (const char *port, gint16 **ret_in, gint16 **ret_out, guint *ret_n);
void fake_hub_clear (const char *port);
/* Ticks of this port since it was added. */
guint fake_hub_ticks (const char *port);
gboolean fake_hub_is_running (const char *port);
guint fake_hub_n_ports (void);
