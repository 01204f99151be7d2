/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-device.h"

#include <string.h>

PHONE_DEFINE_ENUM (MediaDeviceKind, media_device_kind, MEDIA_DEVICE_KIND_LIST)
PHONE_DEFINE_ENUM (MediaRole, media_role, MEDIA_ROLE_LIST)

#define MAX_NAME 4096

static gboolean
fail (GError **error, MediaRole role, const char *text, const char *what)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s device \"%.200s\": %s", media_role_to_string (role), text, what);
  return FALSE;
}

static gboolean
parse (MediaDevice *device, MediaRole role, const char *text, GError **error)
{
  const char *colon = strchr (text, ':');
  g_autofree char *kind = colon != NULL ? g_strndup (text, colon - text) : g_strdup (text);
  const char *name = colon != NULL ? colon + 1 : NULL;
  guint64 hz;

  if (strlen (text) > MAX_NAME || !g_utf8_validate (text, -1, NULL))
    return fail (error, role, "", "too long, or not UTF-8");
  if (!media_device_kind_from_string (kind, &device->kind))
    return fail (error, role, text, "not one of default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:PATH, tone[:HZ], silence");
  if (name != NULL && *name == '\0')
    return fail (error, role, text, "nothing after the colon");

  device->hz = MEDIA_TONE_HZ;
  switch (device->kind)
    {
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_SILENCE:
      if (name != NULL)
        return fail (error, role, text, "takes no name");
      return TRUE;
    case MEDIA_DEVICE_FILE:
      if (name == NULL || !g_path_is_absolute (name))
        return fail (error, role, text, "needs an absolute path");
      device->name = g_strdup (name);
      return TRUE;
    case MEDIA_DEVICE_TONE:
      if (role != MEDIA_ROLE_INPUT)
        return fail (error, role, text, "a tone can only be an input");
      if (name != NULL && !g_ascii_string_to_unsigned (name, 10, 20, MEDIA_RATE / 2, &hz, NULL))
        return fail (error, role, text, "the frequency must be 20 to 24000 Hz");
      if (name != NULL)
        device->hz = hz;
      return TRUE;
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
      device->name = g_strdup (name);
      return TRUE;
    }
  g_return_val_if_reached (FALSE);
}

MediaDevice *
media_device_parse (MediaRole role, const char *text, GError **error)
{
  g_autoptr (MediaDevice) device = g_new0 (MediaDevice, 1);

  return parse (device, role, text, error) ? g_steal_pointer (&device) : NULL;
}

void
media_device_free (MediaDevice *device)
{
  if (device == NULL)
    return;
  g_free (device->name);
  g_free (device);
}
