/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who listens to a call beside its two parties (a recorder, a client's stream), and who speaks into it beside the microphone (an
 * announcement, a prompt). Once a tick, on the hub's thread: far is what the peer said, near what we are about to send, with what the
 * sources have added to it. Listeners and sources come and go on the main thread, which waits for one tick at most. */

#include "media/media-types.h"

typedef struct _MediaTaps MediaTaps;

MediaTaps *media_taps_new (void);
void media_taps_free (MediaTaps *taps);                 /* nothing is on it any more; accepts NULL */

/* Hub thread; must not block. near, far: MEDIA_FRAME samples. */
typedef void (*MediaTapFunc) (gpointer data, const gint16 *near, const gint16 *far, gint64 now);
/* Hub thread; FALSE: adds nothing. frame: what it adds to near. *ret_only: near is only this, the microphone is not heard. */
typedef gboolean (*MediaSourceFunc) (gpointer data, gint16 *frame, gboolean *ret_only);

void media_taps_add (MediaTaps *taps, MediaTapFunc func, gpointer data);
void media_taps_add_source (MediaTaps *taps, MediaSourceFunc func, gpointer data);
/* When this returns, neither tap nor source with this data is called or will be. */
void media_taps_remove (MediaTaps *taps, gpointer data);

/* Hub thread, in this order in every tick: what the peer said (NULL: nothing), then what the microphone said, mute already applied. Returns
 * what is to be sent: the frame itself when there is nothing to add, else one that is borrowed until the next tick. */
void media_taps_far (MediaTaps *taps, const gint16 *frame);
const gint16 *media_taps_near (MediaTaps *taps, const gint16 *frame, gint64 now);
/* Hub thread, after that: what the sources added to it, without the microphone. NULL: nothing. */
const gint16 *media_taps_added (MediaTaps *taps);
gboolean media_taps_in_use (MediaTaps *taps);           /* hub thread: there is somebody to call */
