/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Forwarding of an account: its settings forward*, as properties. */

#include "bus/bus-private.h"

static const PhoneAccountSettings *
settings (BusAccount *self)
{
  return phone_account_get_settings (self->account);
}

static const struct
{
  const char *property, *key;
} keys[] = {
  { "Unconditional", "forward" },
  { "Busy", "forward-busy" },
  { "NoReply", "forward-no-reply" },
  { "NoReplyTimeout", "forward-no-reply-timeout" },
};

static const char *
key_of (const char *property)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    if (g_str_equal (keys[i].property, property))
      return keys[i].key;
  g_assert_not_reached ();
}

static int
update (BusAccount *self, const char *property, const char *value, sd_bus_error *ret_error)
{
  const char *updates[] = { key_of (property), value, NULL };
  g_autoptr (GError) error = NULL;

  return phone_account_update (self->account, updates, &error) ? 0 : bus_error_set (ret_error, error);
}

static int
set_target (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
            sd_bus_error *ret_error)
{
  const char *target;
  int r = sd_bus_message_read (value, "s", &target);

  return r < 0 ? r : update (data, property, target, ret_error);
}

static int
set_seconds (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
             sd_bus_error *ret_error)
{
  char text[16];
  guint32 seconds;
  int r = sd_bus_message_read (value, "u", &seconds);

  g_snprintf (text, sizeof text, "%u", r < 0 ? 0 : seconds);
  return r < 0 ? r : update (data, property, text, ret_error);
}

static int
on_set_at_server (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  const char *kind, *target;
  PhoneCall *call;
  int r = sd_bus_message_read (m, "ss", &kind, &target);

  if (r < 0)
    return r;
  call = phone_registry_forward_at_server (self->bus->registry, self->account, kind, target, &error);
  return call ? sd_bus_reply_method_return (m, "o", bus_call_path (self->bus, call)) : bus_error_set (ret_error, error);
}

static int
append_at_server (sd_bus_message *reply, BusAccount *self)
{
  g_auto (GStrv) list = phone_account_get_forwards_at_server (self->account);
  int r = sd_bus_message_open_container (reply, 'a', "{ss}");

  for (gsize i = 0; r >= 0 && list[i]; i += 2)
    r = sd_bus_message_append (reply, "{ss}", list[i], list[i + 1]);
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

BUS_GETTER (get_at_server, BusAccount, append_at_server (reply, self))
BUS_GETTER (get_all, BusAccount, bus_append_text (reply, settings (self)->forward))
BUS_GETTER (get_busy, BusAccount, bus_append_text (reply, settings (self)->forward_busy))
BUS_GETTER (get_no_reply, BusAccount, bus_append_text (reply, settings (self)->forward_no_reply))
BUS_GETTER (get_timeout, BusAccount, sd_bus_message_append (reply, "u", settings (self)->forward_timeout))

#define WRITABLE SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED
const sd_bus_vtable bus_forwarding_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("SetAtServer", SD_BUS_ARGS ("s", kind, "s", target), SD_BUS_RESULT ("o", call), on_set_at_server,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("Unconditional", "s", get_all, set_target, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("Busy", "s", get_busy, set_target, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("NoReply", "s", get_no_reply, set_target, 0, WRITABLE),
  SD_BUS_WRITABLE_PROPERTY ("NoReplyTimeout", "u", get_timeout, set_seconds, 0, WRITABLE),
  SD_BUS_PROPERTY ("AtServer", "a{ss}", get_at_server, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_VTABLE_END,
};

void
bus_forwarding_changed_properties (guint mask, GPtrArray *ret_names)
{
  for (gsize i = 0; mask & PHONE_ACCOUNT_SETTINGS && i < G_N_ELEMENTS (keys); i++)
    g_ptr_array_add (ret_names, (char *) keys[i].property);
  if (mask & PHONE_ACCOUNT_FORWARDS)
    g_ptr_array_add (ret_names, (char *) "AtServer");
}
