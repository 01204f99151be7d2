/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub as the user sees it: which devices, what rings, does it sound. */

#include "media/media-file.h"
#include "media/media-hub-private.h"
#include "media/media-live.h"
#include "media/media-probe.h"

PHONE_DEFINE_ENUM (MediaEchoMode, media_echo_mode, MEDIA_ECHO_MODE_LIST)

#define ECHO_ROLE "echo-cancel" /* stands where a role does */
#define FOLLOW_ROLE "follow-default"
#define TEST_MS 2000
#define TEST_HZ 440
#define TEST_AMPLITUDE 0.25

void
media_hub_set_device (MediaHub *hub, MediaRole role, MediaDevice *device, const char *text)
{
  g_free (hub->selected[role]);
  hub->selected[role] = g_strdup (text);
  switch (role)
    {
    case MEDIA_ROLE_INPUT:
      media_inlet_set_device (hub->inlet, device);
      break;
    case MEDIA_ROLE_OUTPUT:
      media_outlet_set_device (hub->outlet, device);
      break;
    case MEDIA_ROLE_RING:
      media_ringer_set_device (hub->ringer, device);
      break;
    }
}

static void
update_ring (MediaHub *hub)
{
  PhoneTone bell = hub->ring == PHONE_TONE_CALL_WAITING ? PHONE_TONE_NONE : hub->ring;

  if (bell == PHONE_TONE_NONE && hub->test_source[MEDIA_ROLE_RING] != 0)
    bell = PHONE_TONE_RING;
  media_ringer_set (hub->ringer, bell, hub->ring_country, hub->ring_sound);
}

void
media_hub_set_ring (MediaHub *hub, PhoneTone tone, const char *country, const char *sound)
{
  if (tone == hub->ring && g_strcmp0 (sound, hub->ring_sound) == 0)
    return;
  hub->ring = tone;
  g_free (hub->ring_country);
  hub->ring_country = g_strdup (country);
  g_free (hub->ring_sound);
  hub->ring_sound = g_strdup (sound);

  media_clock_lock (hub->clock);
  media_tone_set (&hub->waiting, tone == PHONE_TONE_CALL_WAITING ? tone : PHONE_TONE_NONE, country);
  media_clock_unlock (hub->clock);
  update_ring (hub);
  media_hub_update (hub);
}

static gboolean
find_role (const char *text, MediaRole *ret_role, GError **error)
{
  if (media_role_from_string (text, ret_role))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is not one of input, output, ring",
               text);
  return FALSE;
}

/* Whether the named device is there now. */
static gboolean
check_device (MediaRole role, const MediaDevice *device, GError **error)
{
  switch (device->kind)
    {
    case MEDIA_DEVICE_FILE:
      return role == MEDIA_ROLE_INPUT ? media_file_input_check (device->name, NULL, error)
                                      : media_file_output_check (device->name, error);
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
      return media_probe_check (role, device, error);
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      return TRUE;
    }
  g_return_val_if_reached (FALSE);
}

static gboolean
select_echo_mode (MediaHub *hub, const char *text, GError **error)
{
  if (!media_echo_mode_from_string (text, &hub->echo_mode))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "echo-cancel \"%.200s\": not one of off, on, auto", text);
      return FALSE;
    }
  media_hub_update_voice (hub);
  return TRUE;
}

void
media_hub_set_processing (MediaHub *hub, const PhoneDaemonSettings *settings)
{
  hub->suppress_noise = settings->noise_suppression;
  hub->control_gain = settings->gain_control;
  media_hub_update_voice (hub);
}

gboolean
media_hub_select (MediaHub *hub, const char *role_name, const char *text, GError **error)
{
  g_autoptr (MediaDevice) device = NULL;
  MediaRole role;

  if (g_str_equal (role_name, ECHO_ROLE))
    return select_echo_mode (hub, text, error);
  if (g_str_equal (role_name, FOLLOW_ROLE))
    {
      media_live_set_follow_default (g_str_equal (text, "true"));
      return TRUE;
    }
  if (!find_role (role_name, &role, error))
    return FALSE;
  device = media_device_parse (role, text, error);
  if (device == NULL || !check_device (role, device, error))
    return FALSE;
  /* Chosen again in the middle of a call, a file would begin anew. */
  if (g_str_equal (text, hub->selected[role]) && device->kind == MEDIA_DEVICE_FILE)
    return TRUE;
  g_message ("Audio %s: %s", role_name, text);
  media_hub_set_device (hub, role, g_steal_pointer (&device), text);
  return TRUE;
}

char *
media_hub_selected (MediaHub *hub, const char *role_name)
{
  MediaRole role;

  if (g_str_equal (role_name, ECHO_ROLE))
    return g_strdup (media_echo_mode_to_string (hub->echo_mode));
  if (g_str_equal (role_name, FOLLOW_ROLE))
    return g_strdup (media_live_get_follow_default () ? "true" : "false");
  return media_role_from_string (role_name, &role) ? g_strdup (hub->selected[role]) : NULL;
}

GPtrArray *
media_hub_devices (MediaHub *hub)
{
  return media_probe_list ();
}

static gboolean
on_output_test_over (gpointer data)
{
  MediaHub *hub = data;

  hub->test_source[MEDIA_ROLE_OUTPUT] = 0;
  media_clock_lock (hub->clock);
  media_tone_set (&hub->test, PHONE_TONE_NONE, NULL);
  media_clock_unlock (hub->clock);
  media_hub_update (hub);
  return G_SOURCE_REMOVE;
}

static gboolean
on_ring_test_over (gpointer data)
{
  MediaHub *hub = data;

  hub->test_source[MEDIA_ROLE_RING] = 0;
  update_ring (hub);
  return G_SOURCE_REMOVE;
}

gboolean
media_hub_test_tone (MediaHub *hub, const char *role_name, GError **error)
{
  MediaRole role;

  if (!find_role (role_name, &role, error))
    return FALSE;
  if (role == MEDIA_ROLE_INPUT)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                   "a test tone can be played on output and ring, not on input");
      return FALSE;
    }
  if (hub->test_source[role] != 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "a test tone is playing on %s", role_name);
      return FALSE;
    }

  if (role == MEDIA_ROLE_RING)
    {
      hub->test_source[role] = g_timeout_add (TEST_MS, on_ring_test_over, hub);
      if (hub->ring == PHONE_TONE_NONE || hub->ring == PHONE_TONE_CALL_WAITING)
        update_ring (hub);
      return TRUE;
    }
  hub->test_source[role] = g_timeout_add (TEST_MS, on_output_test_over, hub);
  media_clock_lock (hub->clock);
  media_tone_set_sine (&hub->test, TEST_HZ, TEST_AMPLITUDE, MEDIA_TONE_FOREVER);
  media_clock_unlock (hub->clock);
  media_hub_update (hub);
  return TRUE;
}

/* ---- faders ---- */

static const PhoneFader input_faders[] = { PHONE_FADER_INPUT_MUTE, PHONE_FADER_INPUT_VOLUME };          /* by MediaFaderPart */
static const PhoneFader output_faders[] = { PHONE_FADER_OUTPUT_MUTE, PHONE_FADER_OUTPUT_VOLUME };

/* A microphone that is off is off, whatever a mixer makes of it, and whatever stands in for it. */
void
media_hub_set_fader (MediaHub *hub, PhoneFader fader, guint value)
{
  switch (fader)
    {
    case PHONE_FADER_INPUT_MUTE:
      media_clock_lock (hub->clock);
      hub->muted = value > 0;
      media_clock_unlock (hub->clock);
      media_inlet_set_fader (hub->inlet, MEDIA_FADER_MUTE, value);
      break;
    case PHONE_FADER_INPUT_VOLUME:
      media_inlet_set_fader (hub->inlet, MEDIA_FADER_VOLUME, value);
      break;
    case PHONE_FADER_OUTPUT_MUTE:
      media_outlet_set_fader (hub->outlet, MEDIA_FADER_MUTE, value);
      break;
    case PHONE_FADER_OUTPUT_VOLUME:
      media_outlet_set_fader (hub->outlet, MEDIA_FADER_VOLUME, value);
      break;
    }
}

static void
tell_fader (MediaHub *hub, MediaRole role, const PhoneFader *faders, MediaFaderPart part, guint value)
{
  if (part == MEDIA_FADER_MUTE)
    g_message ("Audio %s: %s in the mixer of the sound server", media_role_to_string (role), value > 0 ? "muted" : "not muted any more");
  else
    g_debug ("Audio %s: at %u %% in the mixer of the sound server", media_role_to_string (role), value);
  hub->faded (faders[part], value, hub->faded_data);
}

static void
on_input_fader (gpointer data, MediaFaderPart part, guint value)
{
  tell_fader (data, MEDIA_ROLE_INPUT, input_faders, part, value);
}

static void
on_output_fader (gpointer data, MediaFaderPart part, guint value)
{
  tell_fader (data, MEDIA_ROLE_OUTPUT, output_faders, part, value);
}

void
media_hub_on_fader (MediaHub *hub, MediaHubFaded callback, gpointer data)
{
  hub->faded = callback;
  hub->faded_data = data;
  media_inlet_on_fader (hub->inlet, on_input_fader, hub);
  media_outlet_on_fader (hub->outlet, on_output_fader, hub);
}

void
media_hub_on_device_lost (MediaHub *hub, MediaHubDeviceLost callback, gpointer data)
{
  hub->lost = callback;
  hub->lost_data = data;
}
