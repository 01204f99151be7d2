/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Audio: a thin layer over the audio half of the media port. */

#include "bus/bus-private.h"

#define FOLLOW_ROLE "follow-default"    /* as the engine calls it */

static const char *const tone_roles[] = { "output", "ring", NULL };

static const PhonePorts *
ports_of (Bus *self)
{
  return phone_registry_get_ports (self->registry);
}

static int
on_test_tone (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  const PhonePorts *ports = ports_of (data);
  g_autoptr (GError) error = NULL;
  g_autofree char *shown = NULL;
  const char *role;
  int r = sd_bus_message_read (m, "s", &role);

  if (r < 0)
    return r;
  if (g_strv_contains (tone_roles, role))
    ports->media->audio_test_tone (ports->engine, role, &error);
  else
    {
      shown = g_strndup (role, 64);
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                   "The role must be output or ring, not '%s'", shown);
    }
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* ---- devices ---- */

static int
append_device (sd_bus_message *reply, GHashTable *device)
{
  static const char *const texts[] = { "id", "name", "role", "driver" };
  const char *is_default = g_hash_table_lookup (device, "default");
  int r = bus_dict_begin (reply);

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (texts); i++)
    r = bus_dict_text (reply, texts[i], g_hash_table_lookup (device, texts[i]));
  if (r >= 0)
    r = bus_dict_bool (reply, "default", is_default && *is_default && !g_str_equal (is_default, "false"));
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_devices (sd_bus_message *reply, Bus *self)
{
  const PhonePorts *ports = ports_of (self);
  g_autoptr (GPtrArray) devices = ports->media->audio_devices (ports->engine);
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && devices && i < devices->len; i++)
    r = append_device (reply, devices->pdata[i]);
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

/* The property's name is the role: Input, Output, Ring; EchoCancel is one to the engine too. */
static char *
role_of (const char *property)
{
  return g_str_equal (property, "EchoCancel") ? g_strdup ("echo-cancel") : g_ascii_strdown (property, -1);
}

static int
append_selected (sd_bus_message *reply, Bus *self, const char *property)
{
  const PhonePorts *ports = ports_of (self);
  g_autofree char *role = role_of (property);
  g_autofree char *device = ports->media->audio_selected (ports->engine, role);

  return bus_append_text (reply, device);
}

static int
append_follow_default (sd_bus_message *reply, Bus *self)
{
  const PhonePorts *ports = ports_of (self);
  g_autofree char *text = ports->media->audio_selected (ports->engine, FOLLOW_ROLE);

  return sd_bus_message_append (reply, "b", g_strcmp0 (text, "false") != 0);
}

static const char *const fader_properties[]
    = { [PHONE_FADER_INPUT_MUTE] = "InputMuted", [PHONE_FADER_INPUT_VOLUME] = "InputVolume", [PHONE_FADER_OUTPUT_MUTE] = "OutputMuted",
        [PHONE_FADER_OUTPUT_VOLUME] = "OutputVolume" };

static PhoneFader
fader_of (const char *property)
{
  for (guint i = 0; i < G_N_ELEMENTS (fader_properties); i++)
    if (g_str_equal (property, fader_properties[i]))
      return i;
  g_assert_not_reached ();
}

BUS_GETTER (get_devices, Bus, append_devices (reply, self))
BUS_GETTER (get_selected, Bus, append_selected (reply, self, property))
BUS_GETTER (get_follow_default, Bus, append_follow_default (reply, self))
BUS_GETTER (get_muted, Bus, sd_bus_message_append (reply, "b", (int) phone_registry_get_fader (self->registry, fader_of (property))))
BUS_GETTER (get_volume, Bus, sd_bus_message_append (reply, "u", (guint32) phone_registry_get_fader (self->registry, fader_of (property))))

static int
set_selected (sd_bus *bus_, const char *path, const char *interface, const char *property,
              sd_bus_message *value, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  g_autofree char *role = role_of (property);
  g_autoptr (GError) error = NULL;
  const char *device;
  int r = sd_bus_message_read (value, "s", &device);

  if (r < 0)
    return r;
  if (strlen (device) > BUS_MAX_TEXT)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The device is longer than %d octets",
                 BUS_MAX_TEXT);
  else
    phone_registry_select_audio (self->registry, role, device, &error);
  return error ? bus_error_set (ret_error, error) : 0;
}

static int
set_follow_default (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
                    sd_bus_error *ret_error)
{
  Bus *self = data;
  g_autoptr (GError) error = NULL;
  int follow;
  int r = sd_bus_message_read (value, "b", &follow);

  if (r < 0)
    return r;
  phone_registry_select_audio (self->registry, FOLLOW_ROLE, follow ? "true" : "false", &error);
  return error ? bus_error_set (ret_error, error) : 0;
}

static int
set_muted (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
           sd_bus_error *ret_error)
{
  Bus *self = data;
  int muted;
  int r = sd_bus_message_read (value, "b", &muted);

  if (r >= 0)
    phone_registry_set_fader (self->registry, fader_of (property), muted);
  return r;
}

static int
set_volume (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
            sd_bus_error *ret_error)
{
  Bus *self = data;
  g_autoptr (GError) error = NULL;
  guint32 volume;
  int r = sd_bus_message_read (value, "u", &volume);

  if (r < 0)
    return r;
  if (volume <= PHONE_VOLUME_MAX)
    phone_registry_set_fader (self->registry, fader_of (property), volume);
  else
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: a volume is 0 to %d percent, not %u", property, PHONE_VOLUME_MAX, volume);
  return error ? bus_error_set (ret_error, error) : 0;
}

void
bus_audio_changed_properties (guint mask, gboolean devices, GPtrArray *ret_names)
{
  static const char *const names[] = { "Devices", "Input", "Output", "Ring", "EchoCancel", "FollowDefault" };

  for (gsize i = 0; devices && i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (ret_names, (char *) names[i]);
  for (guint i = 0; i < G_N_ELEMENTS (fader_properties); i++)
    if (mask & PHONE_REGISTRY_FIRST_FADER << i)
      g_ptr_array_add (ret_names, (char *) fader_properties[i]);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_audio_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("TestTone", SD_BUS_ARGS ("s", role), SD_BUS_NO_RESULT, on_test_tone,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("DeviceLost", SD_BUS_ARGS ("s", device), 0),
  SD_BUS_PROPERTY ("Devices", "aa{sv}", get_devices, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Input", "s", get_selected, set_selected, 0,
                            CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("Output", "s", get_selected, set_selected, 0,
                            CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("Ring", "s", get_selected, set_selected, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("EchoCancel", "s", get_selected, set_selected, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("FollowDefault", "b", get_follow_default, set_follow_default, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("InputMuted", "b", get_muted, set_muted, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("InputVolume", "u", get_volume, set_volume, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("OutputMuted", "b", get_muted, set_muted, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("OutputVolume", "u", get_volume, set_volume, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};
