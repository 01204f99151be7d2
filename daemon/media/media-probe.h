/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Asks a sound system for its devices, when somebody wants to know: nothing listens for changes at idle. */

#include "media/media-device.h"

typedef struct
{
  MediaDeviceKind driver;
  MediaRole role;               /* input or output; a ring device is any output */
  char *name;                   /* as it goes behind the colon */
  char *description;            /* for people */
  gboolean is_default;
  gboolean is_monitor;          /* what an output plays, as an input */
} MediaProbed;

/* pipewire, pulse or alsa. Waits for the sound system, at most ms; NULL: it did not answer in time. Else
 * MediaProbed, empty if it is not there. Caller unrefs. */
GPtrArray *media_probe (MediaDeviceKind kind, guint ms);

/* Whether the device can be had now: NO_DEVICE if it is known not to be there. A sound system that does not
 * answer gets the benefit of the doubt. */
gboolean media_probe_check (MediaRole role, const MediaDevice *device, GError **error);
/* Everything that could be selected now, as PhoneMediaOps.audio_devices wants it. */
GPtrArray *media_probe_list (void);
