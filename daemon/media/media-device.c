/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-device.h"

#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>

PHONE_DEFINE_ENUM (MediaDeviceKind, media_device_kind, MEDIA_DEVICE_KIND_LIST)
PHONE_DEFINE_ENUM (MediaRole, media_role, MEDIA_ROLE_LIST)

#define MAX_NAME 4096

static gboolean
fail (GError **error, MediaRole role, const char *text, const char *what)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s device \"%.200s\": %s",
               media_role_to_string (role), text, what);
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
    return fail (
        error, role, text,
        role == MEDIA_ROLE_INPUT ? "not one of default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:PATH, tone[:HZ], silence"
                                 : "not one of default, pipewire[:NAME], pulse[:NAME], alsa[:NAME], file:PATH, silence");
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

MediaDevice *
media_device_copy (const MediaDevice *device)
{
  MediaDevice *copy = g_new0 (MediaDevice, 1);

  copy->kind = MEDIA_DEVICE_SILENCE;
  if (device != NULL)
    {
      *copy = *device;
      copy->name = g_strdup (device->name);
    }
  return copy;
}

void
media_device_free (MediaDevice *device)
{
  if (device == NULL)
    return;
  g_free (device->name);
  g_free (device);
}

gboolean
media_device_is_live (const MediaDevice *device)
{
  switch (device->kind)
    {
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
      return TRUE;
    case MEDIA_DEVICE_FILE:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      return FALSE;
    }
  g_return_val_if_reached (FALSE);
}

/* ---- what is there ---- */

static gboolean
is_socket (const char *folder, const char *name)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  struct stat st;

  return stat (path, &st) == 0 && S_ISSOCK (st.st_mode);
}

static char *
pulse_folder (void)
{
  const char *path = g_getenv ("PULSE_RUNTIME_PATH");

  return path != NULL ? g_strdup (path) : g_build_filename (g_get_user_runtime_dir (), "pulse", NULL);
}

static gboolean
have_pulse (void)
{
  g_autofree char *folder = pulse_folder ();

  return g_getenv ("PULSE_SERVER") != NULL || is_socket (folder, "native");
}

static gboolean
have_pipewire (void)
{
  const char *folder = g_getenv ("PIPEWIRE_RUNTIME_DIR"), *name = g_getenv ("PIPEWIRE_REMOTE");

  return is_socket (folder != NULL ? folder : g_get_user_runtime_dir (), name != NULL ? name : "pipewire-0");
}

static gboolean
have_alsa (MediaRole role)
{
  g_autoptr (GDir) dir = g_dir_open ("/dev/snd", 0, NULL);
  const char *name;

  /* pcmC0D0p plays, pcmC0D0c captures. */
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_prefix (name, "pcmC") && g_str_has_suffix (name, role == MEDIA_ROLE_INPUT ? "c" : "p"))
      return TRUE;
  return FALSE;
}

gboolean
media_device_pulse_is_pipewire (void)
{
  g_autofree char *folder = pulse_folder (), *pid_path = g_build_filename (folder, "pid", NULL);
  g_autofree char *pid = NULL, *comm_path = NULL, *comm = NULL;

  if (!have_pulse () || !g_file_get_contents (pid_path, &pid, NULL, NULL)
      || g_ascii_strtoull (pid, NULL, 10) == 0)
    return FALSE;
  comm_path = g_strdup_printf ("/proc/%" G_GUINT64_FORMAT "/comm", g_ascii_strtoull (pid, NULL, 10));
  return g_file_get_contents (comm_path, &comm, NULL, NULL) && g_str_has_prefix (comm, "pipewire");
}

gboolean
media_device_is_present (MediaRole role, MediaDeviceKind kind)
{
  switch (kind)
    {
    case MEDIA_DEVICE_PIPEWIRE:
      return have_pipewire () || media_device_pulse_is_pipewire ();
    case MEDIA_DEVICE_PULSE:
      return have_pulse ();
    case MEDIA_DEVICE_ALSA:
      return have_alsa (role);
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_FILE:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      return TRUE;
    }
  g_return_val_if_reached (FALSE);
}

static void
add (GPtrArray *candidates, MediaDeviceKind kind)
{
  MediaDevice *device = media_device_copy (NULL);

  device->kind = kind;
  g_ptr_array_add (candidates, device);
}

GPtrArray *
media_device_find_candidates (MediaRole role, const MediaDevice *device)
{
  GPtrArray *candidates = g_ptr_array_new_with_free_func ((GDestroyNotify) media_device_free);
  MediaDeviceKind first = device->kind;

  if (!media_device_is_live (device))
    return candidates;
  if (first != MEDIA_DEVICE_DEFAULT)
    g_ptr_array_add (candidates, media_device_copy (device));
  /* The socket of PulseAudio comes first even where PipeWire serves it: measured with GStreamer 1.22 and
   * PipeWire 0.3.65, sound is steady and a third faster through it than through PipeWire's own elements
   * (tests/bench/bench-device.c). */
  if (have_pulse () && !(first == MEDIA_DEVICE_PULSE && device->name == NULL))
    add (candidates, MEDIA_DEVICE_PULSE);
  else if (have_pipewire () && !(first == MEDIA_DEVICE_PIPEWIRE && device->name == NULL))
    add (candidates, MEDIA_DEVICE_PIPEWIRE);
  if (have_alsa (role) && !(first == MEDIA_DEVICE_ALSA && device->name == NULL))
    add (candidates, MEDIA_DEVICE_ALSA);
  return candidates;
}
