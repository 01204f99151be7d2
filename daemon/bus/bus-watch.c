/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Watch. */

#include "bus/bus-page.h"

static int
on_pickup (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusWatched *self = data;
  g_autoptr (GError) error = NULL;
  PhoneCall *call = phone_watch_pick_up (self->watch, &error);

  return call ? sd_bus_reply_method_return (m, "o", bus_call_path (self->bus, call)) : bus_error_set (ret_error, error);
}

/* The object is gone when the registry returns: nothing of self is used after it. */
static int
on_remove (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusWatched *self = data;
  g_autoptr (PhoneWatch) watch = g_object_ref (self->watch);
  g_autoptr (GError) error = NULL;

  if (!phone_registry_remove_watch (self->bus->registry, watch, &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

static int
append_dialog (Bus *bus, sd_bus_message *reply, const PhoneDialogEntry *entry)
{
  int r = bus_dict_begin (reply);

  if (r >= 0)
    r = bus_dict_text (reply, "state", phone_dialog_state_to_string (entry->state));
  if (r >= 0 && entry->direction != PHONE_DIALOG_DIRECTION_UNKNOWN)
    r = bus_dict_text (reply, "direction", entry->direction == PHONE_DIALOG_INITIATOR ? "outgoing" : "incoming");
  if (r >= 0)
    r = bus_dict_text (reply, "remote-uri", entry->remote_uri);
  if (r >= 0)
    r = bus_dict_text (reply, "remote-name", entry->remote_name);
  if (r >= 0)
    r = bus_dict_contact (bus, reply, NULL, entry->remote_uri);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_dialogs (sd_bus_message *reply, BusWatched *self)
{
  const GPtrArray *dialogs = phone_watch_get_dialogs (self->watch);
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < dialogs->len; i++)
    r = append_dialog (self->bus, reply, g_ptr_array_index (dialogs, i));
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

static int
append_resource (sd_bus_message *reply, const PhoneResource *resource)
{
  int r = bus_dict_begin (reply);

  if (r >= 0)
    r = bus_dict_text (reply, "uri", resource->uri);
  if (r >= 0)
    r = bus_dict_text (reply, "name", resource->name);
  if (r >= 0)
    r = bus_dict_text (reply, "state", phone_lamp_to_string (resource->lamp));
  if (r >= 0)
    r = bus_dict_text (reply, "status", phone_status_to_string (resource->presence.status));
  if (r >= 0)
    r = bus_dict_text (reply, "note", resource->presence.note);
  if (r >= 0)
    r = bus_dict_bool (reply, "active", resource->active);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_resources (sd_bus_message *reply, BusWatched *self)
{
  const GPtrArray *resources = phone_watch_get_resources (self->watch);
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < resources->len; i++)
    r = append_resource (reply, g_ptr_array_index (resources, i));
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

BUS_GETTER (get_account, BusWatched, sd_bus_message_append (reply, "o", self->account_path))
BUS_GETTER (get_uri, BusWatched, bus_append_text (reply, phone_watch_get_uri (self->watch)))
BUS_GETTER (get_kind, BusWatched, sd_bus_message_append (reply, "s", phone_watch_kind_to_string (phone_watch_get_kind (self->watch))))
BUS_GETTER (get_state, BusWatched, sd_bus_message_append (reply, "s", phone_lamp_to_string (phone_watch_get_lamp (self->watch))))
BUS_GETTER (get_status, BusWatched,
            sd_bus_message_append (reply, "s", phone_status_to_string (phone_watch_get_presence (self->watch)->status)))
BUS_GETTER (get_note, BusWatched, bus_append_text (reply, phone_watch_get_presence (self->watch)->note))
BUS_GETTER (get_dialogs, BusWatched, append_dialogs (reply, self))
BUS_GETTER (get_resources, BusWatched, append_resources (reply, self))
BUS_GETTER (get_can_pickup, BusWatched, sd_bus_message_append (reply, "b", (int) phone_watch_can_pick_up (self->watch)))
BUS_GETTER (get_subscription, BusWatched,
            sd_bus_message_append (reply, "s", phone_subscription_to_string (phone_watch_get_subscription (self->watch)->state)))
BUS_GETTER (get_detail, BusWatched, bus_append_subscription (reply, phone_watch_get_subscription (self->watch)))

void
bus_watch_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const struct
  {
    guint field;
    const char *name;
  } table[] = {
    { PHONE_WATCH_STATE, "State" },         { PHONE_WATCH_STATUS, "Status" },
    { PHONE_WATCH_STATUS, "Note" },         { PHONE_WATCH_DIALOGS, "Dialogs" },
    { PHONE_WATCH_DIALOGS, "CanPickup" },   { PHONE_WATCH_RESOURCES, "Resources" },
    { PHONE_WATCH_SUBSCRIPTION, "Subscription" }, { PHONE_WATCH_SUBSCRIPTION, "SubscriptionDetail" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (mask & table[i].field)
      g_ptr_array_add (ret_names, (char *) table[i].name);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_watch_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Pickup", SD_BUS_NO_ARGS, SD_BUS_RESULT ("o", call), on_pickup, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Account", "o", get_account, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Uri", "s", get_uri, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Kind", "s", get_kind, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("State", "s", get_state, 0, CHANGES),
  SD_BUS_PROPERTY ("Status", "s", get_status, 0, CHANGES),
  SD_BUS_PROPERTY ("Note", "s", get_note, 0, CHANGES),
  SD_BUS_PROPERTY ("Dialogs", "aa{sv}", get_dialogs, 0, CHANGES),
  SD_BUS_PROPERTY ("Resources", "aa{sv}", get_resources, 0, CHANGES),
  SD_BUS_PROPERTY ("CanPickup", "b", get_can_pickup, 0, CHANGES),
  SD_BUS_PROPERTY ("Subscription", "s", get_subscription, 0, CHANGES),
  SD_BUS_PROPERTY ("SubscriptionDetail", "a{sv}", get_detail, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
