/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The bell: a tone by country, or a WAV file of the user's, on the ring device, beside whatever calls do.
 * Main thread only. */

#include "core/ports.h"
#include "media/media-outlet.h"

typedef struct _MediaRinger MediaRinger;

/* ring_tone: WAV, or NULL: by country. */
MediaRinger *media_ringer_new (const char *ring_tone, MediaOutletLost lost, gpointer data);
void media_ringer_free (MediaRinger *ringer);
void media_ringer_set_device (MediaRinger *ringer, MediaDevice *device);        /* takes it */
/* PHONE_TONE_NONE: quiet. sound: WAV in place of the tone; NULL: for PHONE_TONE_RING ring_tone, if any. */
void media_ringer_set (MediaRinger *ringer, PhoneTone tone, const char *country, const char *sound);
gboolean media_ringer_is_ringing (MediaRinger *ringer);
