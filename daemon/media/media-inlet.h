/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Where sound comes in: a microphone, a file, a tone, silence. One inlet serves one clock: it is read in
 * that clock's ticks. */

#include "media/media-chain.h"
#include "media/media-clock.h"
#include "media/media-device.h"

typedef struct _MediaInlet MediaInlet;
/* The device that was to be used does not work (any more); something else stands in for it. Main loop. */
typedef void (*MediaInletLost) (gpointer data, const char *device, const char *why);

MediaInlet *media_inlet_new (MediaClock *clock, MediaInletLost lost, gpointer data);    /* silence */
void media_inlet_free (MediaInlet *inlet);
gboolean media_inlet_is_live (MediaInlet *inlet);         /* its device is a real one */
/* As media_chain_get_place() and media_chain_on_place(). Main thread. */
const char *media_inlet_get_place (MediaInlet *inlet);
/* As media_chain_on_fader() and media_chain_set_fader(): of sound devices; files and tones come as they are. */
void media_inlet_on_fader (MediaInlet *inlet, MediaChainFaded callback, gpointer data);
void media_inlet_set_fader (MediaInlet *inlet, MediaFaderPart part, guint value);
void media_inlet_on_place (MediaInlet *inlet, void (*callback) (gpointer data), gpointer data);
/* Main thread. Takes the device; a started inlet goes over to it at once. */
void media_inlet_set_device (MediaInlet *inlet, MediaDevice *device);
void media_inlet_start (MediaInlet *inlet);
/* warm: a sound device stays connected, so that the next start is quick. Also without a start before. */
void media_inlet_stop (MediaInlet *inlet, gboolean warm);
void media_inlet_rewind (MediaInlet *inlet);            /* a file starts again */
/* In a tick. listened: somebody hears it; a file stands still otherwise. FALSE: silence, frame untouched. */
gboolean media_inlet_read (MediaInlet *inlet, gint16 *frame, gint64 now, gboolean listened);
/* In a tick: by how much more (less: negative) than a frame the microphone went on with this read, since its buffer was cut or stretched. */
gint media_inlet_take_shift (MediaInlet *inlet);
double media_inlet_get_delay (MediaInlet *inlet);       /* ms between mouth and tick; main thread */
/* Monotonic us of the first sample of a file, 0: none; any thread. */
gint64 media_inlet_get_origin (MediaInlet *inlet);
