/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A timer for a time of day: fires at that wall-clock time also after suspend, and at once when somebody sets the clock, so that whoever
 * waits for a time looks at the clock again (timerfd on CLOCK_REALTIME with TFD_TIMER_CANCEL_ON_SET). On the default main context. */

#include <glib.h>

typedef struct _PhoneWallTimer PhoneWallTimer;

/* NULL: the kernel gives no timer. */
PhoneWallTimer *phone_wall_timer_new (void (*fired) (gpointer data), gpointer data);
/* at: Unix s. 0: no time, only the setting of the clock. */
void phone_wall_timer_set (PhoneWallTimer *timer, gint64 at);
void phone_wall_timer_free (PhoneWallTimer *timer);             /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneWallTimer, phone_wall_timer_free)
