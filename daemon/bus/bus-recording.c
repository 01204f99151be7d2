/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Recording, on every call and every conference: the recording of it while it goes on. What was recorded is on
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

/* ---- of a conference ---- */

static void
on_conference_started (PhoneConference *conference, const GError *error, gpointer data)
{
  bus_request_finish_with (data, error, "s", phone_conference_get_recording_id (conference));
}

static int
on_conference_start (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusConference *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneConference) conference = g_object_ref (self->conference);
  g_autoptr (BusRequest) keep = NULL;
  BusRequest *request;

  if (!bus_options_read (m, NULL, 0, &error) || !(request = bus_request_new (self->bus->clients, m, &error)))
    return bus_error_set (ret_error, error);
  keep = bus_request_ref (request);
  if (!phone_conference_record (conference, on_conference_started, request, &error) && bus_request_is_open (keep))
    bus_request_finish (request, error);
  return 1;
}

static int
on_conference_pause (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;

  phone_conference_record_pause (((BusConference *) data)->conference, &error);
  return finish (m, error, ret_error);
}

static int
on_conference_stop (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;

  phone_conference_record_stop (((BusConference *) data)->conference, &error);
  return finish (m, error, ret_error);
}

/* ---- properties, of both ---- */

#define RECORDING_GETTERS(Prefix, Type, state, id) \
  BUS_GETTER (Prefix##_state, Type, sd_bus_message_append (reply, "s", phone_call_recording_to_string (state))) \
  BUS_GETTER (Prefix##_active, Type, sd_bus_message_append (reply, "b", (int) ((state) == PHONE_CALL_RECORDING_RUNNING))) \
  BUS_GETTER (Prefix##_file, Type, bus_append_text (reply, id)) \
  BUS_GETTER (Prefix##_encrypted, Type, sd_bus_message_append (reply, "b", (int) (*(id) != '\0')))

RECORDING_GETTERS (call, BusCall, phone_call_get_recording (self->call), phone_call_get_recording_id (self->call))
RECORDING_GETTERS (conference, BusConference, phone_conference_get_recording (self->conference),
                   phone_conference_get_recording_id (self->conference))

void
bus_recording_changed_properties (gboolean changed, GPtrArray *ret_names)
{
  static const char *const names[] = { "State", "Active", "File", "Encrypted" };

  for (gsize i = 0; changed && i < G_N_ELEMENTS (names); i++)
    g_ptr_array_add (ret_names, (char *) names[i]);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
#define RECORDING_VTABLE(Start, Pause, Stop, Prefix) \
  SD_BUS_VTABLE_START (0), \
  SD_BUS_METHOD_WITH_ARGS ("Start", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("s", id), Start, SD_BUS_VTABLE_UNPRIVILEGED), \
  SD_BUS_METHOD_WITH_ARGS ("Pause", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, Pause, SD_BUS_VTABLE_UNPRIVILEGED), \
  SD_BUS_METHOD_WITH_ARGS ("Stop", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, Stop, SD_BUS_VTABLE_UNPRIVILEGED), \
  SD_BUS_PROPERTY ("State", "s", Prefix##_state, 0, CHANGES), \
  SD_BUS_PROPERTY ("Active", "b", Prefix##_active, 0, CHANGES), \
  SD_BUS_PROPERTY ("File", "s", Prefix##_file, 0, CHANGES), \
  SD_BUS_PROPERTY ("Encrypted", "b", Prefix##_encrypted, 0, CHANGES), \
  SD_BUS_VTABLE_END

const sd_bus_vtable bus_recording_vtable[] = { RECORDING_VTABLE (on_start, on_pause, on_stop, call) };
const sd_bus_vtable bus_conference_recording_vtable[]
    = { RECORDING_VTABLE (on_conference_start, on_conference_pause, on_conference_stop, conference) };
