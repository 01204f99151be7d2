/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SIP timers on a clock that nobody sets. sofia-sip's follow the wall clock: a step of -1 h stops every
 * retransmission for an hour, +1 h ends every transaction with 408. After ua_clock_init sofia's time is
 * CLOCK_BOOTTIME (which counts suspend) plus an offset fixed at start; so su_now () is NOT the time of day:
 * use g_get_real_time () for that. */

#include <glib.h>
#include "util/phone-error.h"

/* Called by ua_platform_init, before any su_root exists. Fails if sofia does not go through our clock. */
gboolean ua_clock_init (GError **error);

/* us since boot, with the time spent in suspend. */
gint64 ua_clock_now (void);

/* Called on the default main context after the machine was suspended or the wall clock was set; slept: us of
 * suspend since the last call, 0: a step of the wall clock only. Without it the loop would sleep through what
 * is left of its timeout. NULL ends it. */
typedef void (*UaClockWakeFunc) (gint64 slept, gpointer data);
void ua_clock_set_wake (UaClockWakeFunc on_wake, gpointer data);
