/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Recording, on every call: the recording of that call while it goes on. What was recorded is on
 * org.phoned.Phone1.Recordings (bus-recordings.c). */

#include "bus/bus-options.h"
#include "bus/bus-private.h"

static int
finish (sd_bus_message *m, const GError *error, sd_bus_error *ret_error)
{
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

static void
on_started (PhoneCall *call, const GError *error, gpointer data)
{
  bus_request_finish_with (data, error, "s", phone_call_get_recording_id (call));
}

static int
on_start (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneCall) call = g_object_ref (self->call);
  g_autoptr (BusRequest) keep = NULL;
  BusRequest *request;

  if (!bus_options_read (m, NULL, 0, &error) || !(request = bus_request_new (self->bus->clients, m, &error)))
    return bus_error_set (ret_error, error);
  keep = bus_request_ref (request);
  if (!phone_call_record (call, on_started, request, &error) && bus_request_is_open (keep))
    bus_request_finish (request, error);
  return 1;
}

static int
on_pause (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;

  phone_call_record_pause (((BusCall *) data)->call, &error);
  return finish (m, error, ret_error);
}

static int
on_stop (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;

  phone_call_record_stop (((BusCall *) data)->call, &error);
  return finish (m, error, ret_error);
}

BUS_GETTER (get_state, BusCall,
            sd_bus_message_append (reply, "s", phone_call_recording_to_string (phone_call_get_recording (self->call))))
BUS_GETTER (get_active, BusCall,
            sd_bus_message_append (reply, "b", (int) (phone_call_get_recording (self->call) == PHONE_CALL_RECORDING_RUNNING)))
BUS_GETTER (get_file, BusCall, bus_append_text (reply, phone_call_get_recording_id (self->call)))
BUS_GETTER (get_encrypted, BusCall, sd_bus_message_append (reply, "b", (int) (*phone_call_get_recording_id (self->call) != '\0')))

void
bus_recording_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const char *const names[] = { "State", "Active", "File", "Encrypted" };

  for (gsize i = 0; (mask & PHONE_CALL_FIELD_RECORDING) && i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (ret_names, (char *) names[i]);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_recording_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Start", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("s", id), on_start, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_pause, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Stop", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("State", "s", get_state, 0, CHANGES),
  SD_BUS_PROPERTY ("Active", "b", get_active, 0, CHANGES),
  SD_BUS_PROPERTY ("File", "s", get_file, 0, CHANGES),
  SD_BUS_PROPERTY ("Encrypted", "b", get_encrypted, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
