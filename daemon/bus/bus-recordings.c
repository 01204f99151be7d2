/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Recordings: what was recorded, and the key that it is sealed to. Sound leaves through a pipe and never as a path to plain
 * text. */

#include "bus/bus-options.h"
#include "bus/bus-page.h"
#include "util/log.h"
#include "util/secret.h"

#include <unistd.h>

#define MAX_LIMIT 500                   /* entries of one reply */
#define MAX_DELETE 1000

static const PhonePorts *
get_ports (Bus *bus, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (bus->registry);

  if (ports->vault)
    return ports;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "This daemon has no storage for recordings");
  return NULL;
}

static int
finish (sd_bus_message *m, const GError *error, sd_bus_error *ret_error)
{
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* ---- the list ---- */

typedef struct
{
  const char *kind, *account;
} Filter;

static gboolean
matches (const PhoneRecording *recording, const Filter *filter)
{
  return (!filter->kind || g_str_equal (filter->kind, phone_recording_kind_to_string (recording->kind)))
         && (!filter->account || g_str_equal (filter->account, recording->account));
}

static int
append_recording (Bus *self, sd_bus_message *reply, const PhoneRecording *recording)
{
  const struct
  {
    const char *key, *text;
  } texts[] = {
    { "id", recording->id },
    { "kind", phone_recording_kind_to_string (recording->kind) },
    { "state", phone_recording_state_to_string (recording->state) },
    { "format", phone_recording_format_to_string (recording->format) },
    { "account", recording->account },
    { "call", recording->call_id },
    { "direction", phone_call_direction_to_string (recording->outgoing ? PHONE_CALL_OUTGOING : PHONE_CALL_INBOUND) },
    { "remote-uri", recording->remote_uri },
    { "remote-name", recording->remote_name },
  };
  int r = bus_dict_begin (reply);

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (texts); i++)
    r = bus_dict_text (reply, texts[i].key, texts[i].text);
  if (r >= 0)
    r = bus_dict_contact (self, reply, NULL, recording->remote_uri);
  if (r >= 0)
    r = bus_dict_time (reply, "start", recording->start);
  if (r >= 0 && recording->ms > 0)
    r = bus_dict_u64 (reply, "ms", recording->ms);
  if (r >= 0)
    r = bus_dict_u64 (reply, "octets", recording->octets);
  if (r >= 0)
    r = bus_dict_bool (reply, "heard", recording->heard);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_list (Bus *self, sd_bus_message *reply, GPtrArray *recordings, const Filter *filter, guint32 offset, guint32 limit)
{
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < recordings->len && limit > 0; i++)
    {
      const PhoneRecording *recording = recordings->pdata[i];

      if (!matches (recording, filter) || (offset > 0 && offset--))
        continue;
      r = append_recording (self, reply, recording);
      limit--;
    }
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

static int
on_list (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  Filter filter = { 0 };
  const BusOption known[] = { { "kind", "s", &filter.kind }, { "account", "s", &filter.account } };
  const PhonePorts *ports = get_ports (data, &error);
  sd_bus_message *reply = NULL;
  guint32 offset, limit;
  int r;

  if (!ports || !bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    return bus_error_set (ret_error, error);
  r = sd_bus_message_read (m, "uu", &offset, &limit);
  if (r >= 0)
    r = sd_bus_message_new_method_return (m, &reply);
  if (r >= 0)
    r = append_list (data, reply, phone_registry_get_recordings (((Bus *) data)->registry), &filter, offset, MIN (limit, MAX_LIMIT));
  if (r >= 0)
    r = sd_bus_send (NULL, reply, NULL);
  sd_bus_message_unref (reply);
  return r;
}

static int
on_delete (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  const PhonePorts *ports = get_ports (data, &error);
  const char *id;
  guint n = 0;
  int r;

  if (!ports)
    return bus_error_set (ret_error, error);
  if ((r = sd_bus_message_enter_container (m, 'a', "s")) < 0)
    return r;
  while (!error && (r = sd_bus_message_read (m, "s", &id)) > 0)
    if (++n > MAX_DELETE)
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "At most %d recordings are deleted at a time", MAX_DELETE);
    else
      ports->vault->remove (ports->vault_data, id, &error);
  return r < 0 ? r : finish (m, error, ret_error);
}

static int
on_set_heard (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  const PhonePorts *ports = get_ports (data, &error);
  const char *id;
  int heard, r = sd_bus_message_read (m, "sb", &id, &heard);

  if (r < 0)
    return r;
  if (ports)
    ports->vault->set_heard (ports->vault_data, id, heard, &error);
  return finish (m, error, ret_error);
}

/* ---- what takes its time ---- */

/* Of Export: the sound in a certain format. */
typedef struct
{
  BusRequest *request;
  PhoneRecordingFormat format;
  int (*convert) (int sound, PhoneRecordingFormat format, GError **error);      /* the bus may be gone when the sound is there */
} Export;

static void
on_opened (int fd, const GError *error, gpointer request)
{
  bus_request_finish_with (request, error, "h", fd);
  if (fd >= 0)
    close (fd);                         /* sd-bus has its own copy */
}

static void
on_opened_for_export (int fd, const GError *error, gpointer data)
{
  g_autofree Export *export = data;
  g_autoptr (GError) failure = NULL;

  if (!error)
    fd = export->convert (fd, export->format, &failure);
  on_opened (fd, error ? error : failure, export->request);
}

static void
on_verified (const char *state, guint64 octets, const GError *error, gpointer request)
{
  bus_request_finish_with (request, error, "a{sv}", 2, "state", "s", state, "octets", "t", octets);
}

static void
on_key_state (const char *state, gpointer request)
{
  bus_request_finish_with (request, NULL, "s", state);
}

static void
on_done (const GError *error, gpointer request)
{
  bus_request_finish (request, error);
}

typedef void (*Starter) (const PhonePorts *ports, const char *id, BusRequest *request);

static void
start_open (const PhonePorts *ports, const char *id, BusRequest *request)
{
  ports->vault->open (ports->vault_data, id, on_opened, request);
}

static void
start_verify (const PhonePorts *ports, const char *id, BusRequest *request)
{
  ports->vault->verify (ports->vault_data, id, on_verified, request);
}

static void
start_key_state (const PhonePorts *ports, const char *id, BusRequest *request)
{
  ports->vault->key_state (ports->vault_data, on_key_state, request);
}

static int
park (Bus *bus, sd_bus_message *m, const char *id, Starter start, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  const PhonePorts *ports = get_ports (bus, &error);
  BusRequest *request = ports ? bus_request_new (bus->clients, m, &error) : NULL;

  if (!request)
    return bus_error_set (ret_error, error);
  start (ports, id, request);
  return 1;
}

static int
on_open (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  const char *id;
  int r = sd_bus_message_read (m, "s", &id);

  return r < 0 ? r : park (data, m, id, start_open, ret_error);
}

static int
on_export (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  const char *id, *format = NULL;
  const BusOption known[] = { { "format", "s", &format } };
  const PhonePorts *ports;
  Export *export;
  int r = sd_bus_message_read (m, "s", &id);

  if (r < 0)
    return r;
  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    return bus_error_set (ret_error, error);
  if (!format)
    return park (bus, m, id, start_open, ret_error);
  if (!g_str_equal (format, "ogg") && !g_str_equal (format, "wav"))
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option 'format' must be ogg or wav");
  else if ((ports = get_ports (bus, &error)))
    {
      export = g_new0 (Export, 1);
      export->convert = ports->media->export_sound;
      export->format = g_str_equal (format, "wav") ? PHONE_RECORDING_FORMAT_WAV : PHONE_RECORDING_FORMAT_OPUS;
      export->request = bus_request_new (bus->clients, m, &error);
      if (export->request)
        {
          ports->vault->open (ports->vault_data, id, on_opened_for_export, export);
          return 1;
        }
      g_free (export);
    }
  return bus_error_set (ret_error, error);
}

static int
on_verify (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  const char *id;
  int r = sd_bus_message_read (m, "s", &id);

  return r < 0 ? r : park (data, m, id, start_verify, ret_error);
}

static int
on_get_key_state (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return park (data, m, NULL, start_key_state, ret_error);
}

static int
on_unlock (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  const PhonePorts *ports = get_ports (bus, &error);
  g_autoptr (PhoneSecret) pass_phrase = NULL;
  BusRequest *request = NULL;
  int fd, r = sd_bus_message_read (m, "h", &fd);

  if (r < 0)
    return r;
  if (ports && (pass_phrase = phone_secret_read_fd (fd, &error)))
    request = bus_request_new (bus->clients, m, &error);
  if (!request)
    return bus_error_set (ret_error, error);
  ports->vault->unlock (ports->vault_data, pass_phrase, on_done, request);
  return 1;
}

static int
on_lock (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  const PhonePorts *ports = get_ports (data, &error);

  if (ports)
    ports->vault->lock (ports->vault_data);
  return finish (m, error, ret_error);
}

void
bus_recordings_emit_changed (Bus *bus, const char *id)
{
  int r = sd_bus_emit_signal (bus->bus, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Changed", "s", id);

  if (r < 0 && !bus->lost)
    phone_log_warning (NULL, "Cannot send Changed of a recording: %s", g_strerror (-r));
}

const sd_bus_vtable bus_recordings_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("List", SD_BUS_ARGS ("a{sv}", filter, "u", offset, "u", limit), SD_BUS_RESULT ("aa{sv}", recordings), on_list,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Open", SD_BUS_ARGS ("s", id), SD_BUS_RESULT ("h", sound), on_open, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Export", SD_BUS_ARGS ("s", id, "a{sv}", options), SD_BUS_RESULT ("h", sound), on_export, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Verify", SD_BUS_ARGS ("s", id), SD_BUS_RESULT ("a{sv}", result), on_verify, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("SetHeard", SD_BUS_ARGS ("s", id, "b", heard), SD_BUS_NO_RESULT, on_set_heard, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Delete", SD_BUS_ARGS ("as", ids), SD_BUS_NO_RESULT, on_delete, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("GetKeyState", SD_BUS_NO_ARGS, SD_BUS_RESULT ("s", state), on_get_key_state, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Unlock", SD_BUS_ARGS ("h", secret), SD_BUS_NO_RESULT, on_unlock, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Lock", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_lock, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("Changed", SD_BUS_ARGS ("s", id), 0),
  SD_BUS_VTABLE_END,
};
