/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Real-time scheduling for threads that the system does not let have it by themselves: asks org.freedesktop.RealtimeKit1 on the system bus, which
 * desktops have. Without it they run as others do. */

#include <glib.h>

typedef struct _Realtime Realtime;

Realtime *realtime_new (void);
void realtime_free (Realtime *self);    /* nobody calls realtime_want() any more; accepts NULL */
/* Any thread, does not block. data: Realtime. wanted FALSE: the thread ends or goes on to other work; what is granted after that is taken back. */
void realtime_want (int thread, gboolean wanted, gpointer data);
