/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The hop from any thread of the media room to the main loop: a number and a line of text. */

#include <glib.h>

typedef struct _MediaNotify MediaNotify;
typedef void (*MediaNotifyFunc) (gpointer data, guint code, const char *text);

/* func runs on the thread-default main context of the caller, in the order of the posts, until close. */
MediaNotify *media_notify_new (MediaNotifyFunc func, gpointer data);
MediaNotify *media_notify_ref (MediaNotify *notify);                    /* any thread */
void media_notify_unref (MediaNotify *notify);                          /* any thread; accepts NULL */
/* Any thread; text is copied, may be NULL. */
void media_notify_post (MediaNotify *notify, guint code, const char *text);
/* Main thread: func does not run any more. Also gives up the caller's reference. Accepts NULL. */
void media_notify_close (MediaNotify *notify);
