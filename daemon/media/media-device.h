/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The names of devices, as settings and clients write them. */

#include "media/media-types.h"
#include "util/phone-enum.h"
#include "util/phone-error.h"

#define MEDIA_DEVICE_KIND_LIST(X) \
  X (MEDIA_DEVICE_DEFAULT, "default") X (MEDIA_DEVICE_PIPEWIRE, "pipewire") X (MEDIA_DEVICE_PULSE, "pulse") \
  X (MEDIA_DEVICE_ALSA, "alsa") X (MEDIA_DEVICE_FILE, "file") X (MEDIA_DEVICE_TONE, "tone") \
  X (MEDIA_DEVICE_SILENCE, "silence")
PHONE_DECLARE_ENUM (MediaDeviceKind, media_device_kind, MEDIA_DEVICE_KIND_LIST)

#define MEDIA_ROLE_LIST(X) \
  X (MEDIA_ROLE_INPUT, "input") X (MEDIA_ROLE_OUTPUT, "output") X (MEDIA_ROLE_RING, "ring")
PHONE_DECLARE_ENUM (MediaRole, media_role, MEDIA_ROLE_LIST)

typedef struct
{
  MediaDeviceKind kind;
  char *name;                   /* after the colon: node, card or absolute path; NULL: the kind's default */
  guint hz;                     /* of a tone */
} MediaDevice;

#define MEDIA_TONE_HZ 440       /* of `tone` without a number */

/* NULL: INVALID_OPTION names the text and says what would do. A tone has no place but at the input. */
MediaDevice *media_device_parse (MediaRole role, const char *text, GError **error);
MediaDevice *media_device_copy (const MediaDevice *device);     /* NULL: silence */
void media_device_free (MediaDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaDevice, media_device_free)

/* A real device or a sound server's, rather than a file, a tone or silence. */
gboolean media_device_is_live (const MediaDevice *device);
/* The devices to try, best first: device itself if it is live, then what `default` means on this machine
 * now. Looks at sockets and device nodes only. Empty if device is not live, or nothing is there. Caller
 * unrefs. */
GPtrArray *media_device_find_candidates (MediaRole role, const MediaDevice *device);
/* Whether a kind of sound system is there, by the same look. */
gboolean media_device_is_present (MediaRole role, MediaDeviceKind kind);
/* PipeWire answers on the socket of PulseAudio. */
gboolean media_device_pulse_is_pipewire (void);
