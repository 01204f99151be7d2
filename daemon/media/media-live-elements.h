/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The two ends of a device pipeline that are ours: a source that asks for frames, a sink that hands samples
 * over. Caps are fixed: MEDIA_RATE mono, 16 bit. */

#include <gst/gst.h>
#include "media/media-types.h"

/* On the streaming thread of the pipeline. */
typedef void (*MediaLiveDemand) (gpointer data, gint16 *ret_frame);     /* fill MEDIA_FRAME samples; NULL: the next is not asked for soon */
/* age: ms since the first of the samples entered the device, NAN if unknown. */
typedef void (*MediaLiveCaptured) (gpointer data, const gint16 *samples, guint n, double age);

/* destroy runs when the element goes, after the last call. Floating references. */
GstElement *media_live_source_new (MediaLiveDemand demand, gpointer data, GDestroyNotify destroy);
GstElement *media_live_sink_new (MediaLiveCaptured captured, gpointer data, GDestroyNotify destroy);
