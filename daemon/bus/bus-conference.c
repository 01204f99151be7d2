/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Conference. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"
#include "util/log.h"

#include <unistd.h>

static int
finish (sd_bus_message *m, const GError *error, sd_bus_error *ret_error)
{
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* The o that the message stands at. */
static PhoneCall *
read_call (BusConference *self, sd_bus_message *m, GError **error)
{
  const char *path = "";
  BusCall *call = sd_bus_message_read (m, "o", &path) >= 0 ? bus_find_call (self->bus, path) : NULL;

  if (call)
    return call->call;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "There is no call %s", path);
  return NULL;
}

/* ---- methods ---- */

/* The object may be gone when the model returns: nothing of self is used after it. */
static int
act (sd_bus_message *m, BusConference *self, gboolean (*action) (PhoneConference *, PhoneCall *, GError **), sd_bus_error *ret_error)
{
  g_autoptr (PhoneConference) conference = g_object_ref (self->conference);
  g_autoptr (GError) error = NULL;
  PhoneCall *call = read_call (self, m, &error);

  if (call)
    action (conference, call, &error);
  return finish (m, error, ret_error);
}

static int
on_add (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return act (m, data, phone_conference_add, ret_error);
}

static int
on_remove (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return act (m, data, phone_conference_remove, ret_error);
}

static int
on_split (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return act (m, data, phone_conference_split, ret_error);
}

static int
on_mute (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusConference *self = data;
  g_autoptr (GError) error = NULL;
  PhoneCall *call = read_call (self, m, &error);
  int muted;

  if (call && sd_bus_message_read (m, "b", &muted) < 0)
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The second argument cannot be read");
  else if (call)
    phone_conference_mute (self->conference, call, muted, &error);
  return finish (m, error, ret_error);
}

static int
on_hold (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  phone_conference_hold (((BusConference *) data)->conference);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_resume (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  phone_conference_resume (((BusConference *) data)->conference);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_end (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusConference *self = data;
  g_autoptr (PhoneConference) conference = g_object_ref (self->conference);
  g_autoptr (GError) error = NULL;
  int connect = FALSE;
  const BusOption known[] = { { "connect", "b", &connect } };

  if (bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    {
      if (connect)
        phone_conference_connect (conference, &error);
      else
        phone_conference_end (conference);
    }
  return finish (m, error, ret_error);
}

static int
on_subscribe (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return bus_subscribers_add (((BusConference *) data)->subscribers, m, ret_error);
}

static int
on_unsubscribe (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return bus_subscribers_remove (((BusConference *) data)->subscribers, m);
}

static int
on_open_stream (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusConference *self = data;
  g_autoptr (GError) error = NULL;
  PhoneStreamParams params;
  int fd = -1, r;

  if (!bus_media_read_stream (m, &params, &error) || !phone_conference_open_stream (self->conference, &params, &fd, &error))
    return bus_error_set (ret_error, error);
  r = sd_bus_reply_method_return (m, "h", fd);
  close (fd);                           /* sd-bus has its own copy */
  return r;
}

/* ---- signals ---- */

static int
append_levels (sd_bus_message *m, BusConference *self)
{
  GPtrArray *calls = phone_conference_get_calls (self->conference);
  int r = sd_bus_message_append (m, "d", phone_conference_get_level (self->conference));

  if (r >= 0)
    r = sd_bus_message_open_container (m, 'a', "{od}");
  for (guint i = 0; r >= 0 && i < calls->len; i++)
    r = sd_bus_message_append (m, "{od}", bus_call_path (self->bus, calls->pdata[i]), phone_call_get_level (calls->pdata[i]));
  return r < 0 ? r : sd_bus_message_close_container (m);
}

void
bus_conference_send_levels (gpointer data, const char *client)
{
  BusConference *self = data;
  sd_bus_message *m = NULL;
  int r = sd_bus_message_new_signal (self->bus->bus, &m, self->path, PHONE_DBUS_CONFERENCE, "Levels");

  if (r >= 0)
    r = append_levels (m, self);
  if (r >= 0)
    r = sd_bus_send_to (self->bus->bus, m, client, NULL);
  sd_bus_message_unref (m);
  if (r < 0 && !self->bus->lost)
    phone_log_warning (NULL, "Cannot send Levels of %s: %s", self->path, g_strerror (-r));
}

/* ---- properties ---- */

static int
append_calls (sd_bus_message *reply, BusConference *self, gboolean muted_only)
{
  GPtrArray *calls = phone_conference_get_calls (self->conference);
  int r = sd_bus_message_open_container (reply, 'a', "o");

  for (guint i = 0; r >= 0 && i < calls->len; i++)
    if (!muted_only || phone_conference_is_call_muted (self->conference, calls->pdata[i]))
      r = sd_bus_message_append (reply, "o", bus_call_path (self->bus, calls->pdata[i]));
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

BUS_GETTER (get_id, BusConference, bus_append_text (reply, phone_conference_get_id (self->conference)))
static int
append_can (sd_bus_message *reply, BusConference *self)
{
  g_autofree const char **can = phone_conference_get_can (self->conference);

  return bus_append_texts (reply, can);
}

BUS_GETTER (get_can, BusConference, append_can (reply, self))
BUS_GETTER (get_calls, BusConference, append_calls (reply, self, FALSE))
BUS_GETTER (get_muted_calls, BusConference, append_calls (reply, self, TRUE))
BUS_GETTER (get_muted, BusConference, sd_bus_message_append (reply, "b", (int) !!phone_conference_get_muted (self->conference)))
BUS_GETTER (get_local_hold, BusConference, sd_bus_message_append (reply, "b", (int) !!phone_conference_get_local_hold (self->conference)))
BUS_GETTER (get_keep, BusConference, sd_bus_message_append (reply, "b", (int) !!phone_conference_get_keep (self->conference)))

static int
set_muted (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
           sd_bus_error *ret_error)
{
  int muted, r = sd_bus_message_read (value, "b", &muted);

  if (r < 0)
    return r;
  phone_conference_set_muted (((BusConference *) data)->conference, muted);
  return 0;
}

static int
set_keep (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
          sd_bus_error *ret_error)
{
  g_autoptr (PhoneConference) conference = g_object_ref (((BusConference *) data)->conference);
  int keep, r = sd_bus_message_read (value, "b", &keep);

  if (r < 0)
    return r;
  phone_conference_set_keep (conference, keep);
  return 0;
}

void
bus_conference_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const struct
  {
    guint field;
    const char *name;
  } table[] = {
    { PHONE_CONFERENCE_CALLS, "Calls" },    { PHONE_CONFERENCE_MEMBERS, "MutedCalls" }, { PHONE_CONFERENCE_MUTED, "Muted" },
    { PHONE_CONFERENCE_HOLD, "LocalHold" }, { PHONE_CONFERENCE_KEEP, "Keep" },
    { PHONE_CONFERENCE_CAN | PHONE_CONFERENCE_CALLS | PHONE_CONFERENCE_HOLD, "Can" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (mask & table[i].field)
      g_ptr_array_add (ret_names, (char *) table[i].name);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_conference_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Add", SD_BUS_ARGS ("o", call), SD_BUS_NO_RESULT, on_add, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Remove", SD_BUS_ARGS ("o", call), SD_BUS_NO_RESULT, on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Split", SD_BUS_ARGS ("o", call), SD_BUS_NO_RESULT, on_split, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Mute", SD_BUS_ARGS ("o", call, "b", muted), SD_BUS_NO_RESULT, on_mute, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Hold", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_hold, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Resume", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_resume, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("End", SD_BUS_ARGS ("a{sv}", options), SD_BUS_NO_RESULT, on_end, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("OpenStream", SD_BUS_ARGS ("a{sv}", options), SD_BUS_RESULT ("h", socket), on_open_stream,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Subscribe", SD_BUS_ARGS ("u", ms), SD_BUS_NO_RESULT, on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Unsubscribe", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_unsubscribe, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("Levels", SD_BUS_ARGS ("d", ours, "a{od}", calls), 0),
  SD_BUS_PROPERTY ("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Calls", "ao", get_calls, 0, CHANGES),
  SD_BUS_PROPERTY ("Can", "as", get_can, 0, CHANGES),
  SD_BUS_PROPERTY ("MutedCalls", "ao", get_muted_calls, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Muted", "b", get_muted, set_muted, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("LocalHold", "b", get_local_hold, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Keep", "b", get_keep, set_keep, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};
