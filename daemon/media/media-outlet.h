/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where sound goes out: a loudspeaker, a recording, nowhere; and the clock that beats for it. The hub has
 * one for calls and one for the ring. */

#include "media/media-chain.h"
#include "media/media-clock.h"
#include "media/media-device.h"

typedef struct _MediaOutlet MediaOutlet;
/* The device that was to be used does not work (any more); something else stands in for it. Main loop. */
typedef void (*MediaOutletLost) (gpointer data, const char *device, const char *why);

/* tick makes the frames; see media-clock.h. */
/* Its device is silence. */
MediaOutlet *media_outlet_new (MediaRole role, MediaClockTick tick, MediaOutletLost lost, gpointer data);
void media_outlet_free (MediaOutlet *outlet);
gboolean media_outlet_is_live (MediaOutlet *outlet);         /* its device is a real one */
/* As media_chain_get_place() and media_chain_on_place(). Main thread. */
const char *media_outlet_get_place (MediaOutlet *outlet);
void media_outlet_on_place (MediaOutlet *outlet, void (*callback) (gpointer data), gpointer data);
/* As media_chain_on_fader() and media_chain_set_fader(): of sound devices; files are written as it comes. */
void media_outlet_on_fader (MediaOutlet *outlet, MediaChainFaded callback, gpointer data);
void media_outlet_set_fader (MediaOutlet *outlet, MediaFaderPart part, guint value);
MediaClock *media_outlet_get_clock (MediaOutlet *outlet);
/* Main thread, as all below. Takes the device; a started outlet goes over to it at once. */
void media_outlet_set_device (MediaOutlet *outlet, MediaDevice *device);
gboolean media_outlet_is_started (MediaOutlet *outlet);
void media_outlet_start (MediaOutlet *outlet);          /* a file is begun anew */
/* warm: a sound device stays connected, so that the next start is quick. Also without a start before. */
void media_outlet_stop (MediaOutlet *outlet, gboolean warm);
double media_outlet_get_delay (MediaOutlet *outlet);    /* ms between tick and ear; main thread */
/* Monotonic us of the first sample of a file, 0: none; any thread. */
gint64 media_outlet_get_origin (MediaOutlet *outlet);
