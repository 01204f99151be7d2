/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The service manager's view of us: sd_notify and the watchdog. All are no-ops without a manager. */

#include <glib.h>

void notify_ready (void);
void notify_reloading (void);
void notify_stopping (void);
/* One line for `systemctl --user status`. */
void notify_status (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* Pings from the main loop at half of WatchdogSec for as long as the loop turns. Returns the source id, 0: no watchdog wanted. */
guint notify_start_watchdog (void);
