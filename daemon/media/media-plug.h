/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Listens for devices that appear, as long as somebody waits for one. Costs a connection to the sound server and a thread, which is why nobody
 * listens while everything is as it was asked for. Main thread. */

#include "media/media-device.h"

typedef struct _MediaPlug MediaPlug;
typedef void (*MediaPlugFunc) (gpointer data);

/* kind: pipewire, pulse or alsa. func runs on the main loop until free. */
MediaPlug *media_plug_new (MediaDeviceKind kind, MediaPlugFunc func, gpointer data);
void media_plug_free (MediaPlug *plug);         /* accepts NULL */
