/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A daemon with the real bus and the real model over a fake engine (fake-engine.h), driven by org.phoned.Test
 * at /org/phoned/Test on the same connection. It runs until Quit(), or until the bus says that the name or
 * the connection is lost: then it exits with 3. Options: --linger S, --max-calls N, --state DIR,
 * --credentials DIR, --archive FILE (without it no history is kept). */

#include "bus/bus-private.h"
#include "core/subscriber.h"
#include "fake-engine.h"
#include "store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEST_PATH "/org/phoned/Test"
#define TEST_INTERFACE "org.phoned.Test"

typedef struct
{
  GMainLoop *loop;
  PhoneRegistry *registry;
  FakeEngine *engine;
  Bus *bus;
  Store *archive;
  char **problems;
  guint reloads;
  int exit_status;
} Fake;

/* ---- hooks ---- */

static void
on_ready (gpointer data)
{
  puts ("ready");
  fflush (stdout);
}

static void
on_lost (const char *why, gpointer data)
{
  Fake *fake = data;

  printf ("lost: %s\n", why);
  fake->exit_status = 3;
  g_main_loop_quit (fake->loop);
}

static gboolean
on_reload (gpointer data, GError **error)
{
  Fake *fake = data;

  if (fake->problems && fake->problems[0] && g_str_has_prefix (fake->problems[0], "unreadable"))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE,
                           "The configuration folder cannot be read");
      return FALSE;
    }
  fake->reloads++;
  return TRUE;
}

static const char *const *
on_problems (gpointer data)
{
  return (const char *const *) ((Fake *) data)->problems;
}

static const BusHooks hooks
    = { .ready = on_ready, .lost = on_lost, .reload = on_reload, .problems = on_problems };

/* ---- org.phoned.Test ---- */

static PhoneCall *
read_call (Fake *fake, sd_bus_message *m)
{
  guint32 number;

  if (sd_bus_message_read (m, "u", &number) < 0)
    return NULL;
  return phone_registry_find_call (fake->registry, number);
}

static int
no_such (sd_bus_error *ret_error, const char *what)
{
  return sd_bus_error_setf (ret_error, SD_BUS_ERROR_INVALID_ARGS, "No such %s", what);
}

static int
on_incoming (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *id, *uri, *name;
  int offer;
  guint status = 0, number;
  PhoneAccount *account;

  if (sd_bus_message_read (m, "sssb", &id, &uri, &name, &offer) < 0
      || !(account = phone_registry_find_account (fake->registry, id)))
    return no_such (ret_error, "account");
  number = fake_engine_incoming (fake->engine, fake->registry, account, uri, name, offer, &status);
  return sd_bus_reply_method_return (m, "uu", (guint32) status, (guint32) number);
}

/* Account, URI, kind. Returns the status that refuses it, or 0, and the number of the subscriber. */
static int
on_subscribe (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *id, *kind;
  PhoneSubscribeRequest request = { .name = "Bob", .source = "192.0.2.7", .vouched = TRUE, .expires = 600 };
  guint status = 0, retry_after = 0;
  PhoneAccount *account;
  PhoneSubscriber *subscriber;

  if (sd_bus_message_read (m, "sss", &id, &request.uri, &kind) < 0 || !(account = phone_registry_find_account (fake->registry, id))
      || !phone_watch_kind_from_string (kind, &request.kind))
    return no_such (ret_error, "account or kind");
  subscriber = phone_account_on_subscribe (account, &request, NULL, &status, &retry_after);
  return sd_bus_reply_method_return (m, "uu", (guint32) status, (guint32) (subscriber ? subscriber->number : 0));
}

static int
on_confirm (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);

  if (!call)
    return no_such (ret_error, "call");
  fake_engine_confirm (call);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_reoffer_answered (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);

  if (!call)
    return no_such (ret_error, "call");
  fake_engine_reoffer_answered (call);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_end (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);
  guint32 status;

  if (!call || sd_bus_message_read (m, "u", &status) < 0)
    return no_such (ret_error, "call");
  fake_engine_end (call, status);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_reoffer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);
  g_autoptr (GError) error = NULL;
  PhoneDirection direction;
  const char *text;

  if (!call || sd_bus_message_read (m, "s", &text) < 0 || !phone_direction_from_string (text, &direction))
    return no_such (ret_error, "call or direction");
  if (!fake_engine_reoffer (call, direction, &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_digit (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);
  const char *digit;
  guint32 ms;

  if (!call || sd_bus_message_read (m, "su", &digit, &ms) < 0)
    return no_such (ret_error, "call");
  if (ms == 0)
    phone_call_on_dtmf_info (call, *digit, 160);
  else if (!fake_engine_digit (call, *digit, ms))
    return no_such (ret_error, "media");
  return sd_bus_reply_method_return (m, NULL);
}

/* The name comes as octets: it may be anything. */
static int
on_party (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);
  g_autofree char *name = NULL;
  const char *uri;
  const void *octets;
  gsize length;

  if (!call || sd_bus_message_read (m, "s", &uri) < 0
      || sd_bus_message_read_array (m, 'y', &octets, &length) < 0)
    return no_such (ret_error, "call");
  name = g_strndup (octets, length);
  phone_call_on_party (call, uri, name, NULL);
  return sd_bus_reply_method_return (m, NULL);
}

/* Ten changes within one turn of the loop. */
static int
on_toggle_mute (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  PhoneCall *call = read_call (data, m);

  if (!call)
    return no_such (ret_error, "call");
  for (guint i = 0; i < 9; i++)
    phone_call_set_muted (call, !phone_call_get_muted (call), NULL);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_registration (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *id, *text, *phrase;
  PhoneRegistration state;
  PhoneAccount *account;
  guint32 code;

  if (sd_bus_message_read (m, "ssus", &id, &text, &code, &phrase) < 0
      || !phone_registration_from_string (text, &state)
      || !(account = phone_registry_find_account (fake->registry, id)))
    return no_such (ret_error, "account or state");
  phone_account_on_registration (account, state,
                                 &(PhoneRegistrationDetail){ .code = code, .phrase = (char *) phrase });
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_network (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  PhoneNetworkState state;
  const char *text;

  if (sd_bus_message_read (m, "s", &text) < 0 || !phone_network_state_from_string (text, &state))
    return no_such (ret_error, "state");
  phone_registry_set_network (fake->registry, state);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_device_lost (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *device;

  if (sd_bus_message_read (m, "s", &device) < 0)
    return no_such (ret_error, "device");
  bus_device_lost (fake->bus, device);
  g_signal_emit_by_name (fake->registry, "audio-changed");
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_fader (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *name;
  PhoneFader fader;
  guint32 value;

  if (sd_bus_message_read (m, "su", &name, &value) < 0 || !phone_fader_from_string (name, &fader))
    return no_such (ret_error, "fader");
  phone_registry_set_fader (fake->registry, fader, value);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_set_problems (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  char **lines = NULL;

  if (sd_bus_message_read_strv (m, &lines) < 0)
    return no_such (ret_error, "list");
  g_strfreev (fake->problems);
  fake->problems = g_strdupv (lines ? lines : (char *[]){ NULL });
  for (char **line = lines; line && *line; line++)
    free (*line);
  free (lines);
  bus_problems_changed (fake->bus);
  return sd_bus_reply_method_return (m, NULL);
}

/* vCards in place of all that were. */
static int
on_set_contacts (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  g_autoptr (PhoneContacts) contacts = phone_contacts_new ();
  const char *text;

  if (sd_bus_message_read (m, "s", &text) < 0 || (*text && !phone_contacts_add (contacts, text, strlen (text), NULL)))
    return no_such (ret_error, "vCard");
  phone_registry_set_contacts (fake->registry, g_steal_pointer (&contacts));
  return sd_bus_reply_method_return (m, NULL);
}

/* Numbers of what the daemon holds for others: clients, subscriptions, reloads; and the digits sent. */
static int
on_counters (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;

  return sd_bus_reply_method_return (m, "uuus", (guint32) bus_clients_count (fake->bus->clients),
                                     (guint32) fake->bus->n_subscriptions, (guint32) fake->reloads,
                                     fake_engine_get_digits (fake->engine));
}

/* A REFER arrives; replies with the status that it gets, and what has been reported about all of them so far. */
static int
on_refer (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  PhoneCall *call = read_call (fake, m);
  const char *target, *replaces;
  guint status;

  if (!call || sd_bus_message_read (m, "ss", &target, &replaces) < 0)
    return no_such (ret_error, "call");
  status = fake_engine_refer (fake->engine, call, target, *replaces ? replaces : NULL);
  return sd_bus_reply_method_return (m, "u", (guint32) status);
}

static int
on_news (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return sd_bus_reply_method_return (m, "s", fake_engine_get_news (((Fake *) data)->engine));
}

static int
on_secret (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Fake *fake = data;
  const char *id, *secret;

  if (sd_bus_message_read (m, "s", &id) < 0)
    return no_such (ret_error, "account");
  secret = fake_engine_get_secret (fake->engine, id);
  return sd_bus_reply_method_return (m, "s", secret ? secret : "");
}

static void
on_stopped (gpointer data)
{
  puts ("stopped");
  fflush (stdout);
}

static int
on_stop (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  phone_registry_stop (((Fake *) data)->registry, 2000, on_stopped, data);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_quit (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  g_main_loop_quit (((Fake *) data)->loop);
  return sd_bus_reply_method_return (m, NULL);
}

static const sd_bus_vtable vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD ("Incoming", "sssb", "uu", on_incoming, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Subscribe", "sss", "uu", on_subscribe, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Confirm", "u", NULL, on_confirm, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("ReofferAnswered", "u", NULL, on_reoffer_answered, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("End", "uu", NULL, on_end, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Reoffer", "us", NULL, on_reoffer, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Digit", "usu", NULL, on_digit, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Party", "usay", NULL, on_party, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("ToggleMute", "u", NULL, on_toggle_mute, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Registration", "ssus", NULL, on_registration, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Network", "s", NULL, on_network, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("DeviceLost", "s", NULL, on_device_lost, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("SetContacts", "s", NULL, on_set_contacts, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Fader", "su", NULL, on_fader, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("SetProblems", "as", NULL, on_set_problems, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Refer", "uss", "u", on_refer, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("News", NULL, "s", on_news, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Counters", NULL, "uuus", on_counters, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Secret", "s", "s", on_secret, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Stop", NULL, NULL, on_stop, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD ("Quit", NULL, NULL, on_quit, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_VTABLE_END,
};

/* ---- main ---- */

static void
on_fault (const char *text, guint waiting, gpointer data)
{
  phone_history_on_fault (phone_registry_get_history (((Fake *) data)->registry), text, waiting);
}

static void
set_daemon (PhoneDaemonSettings *settings, const char *key, const char *value)
{
  g_autoptr (GError) error = NULL;

  if (value && !phone_daemon_settings_set (settings, "daemon", key, value, &error))
    g_error ("%s", error->message);
}

int
main (int argc, char **argv)
{
  g_autofree char *linger = NULL, *max_calls = NULL, *state = NULL, *credentials = NULL, *archive = NULL;
  const GOptionEntry entries[] = {
    { "linger", 0, 0, G_OPTION_ARG_STRING, &linger, NULL, NULL },
    { "state", 0, 0, G_OPTION_ARG_FILENAME, &state, NULL, NULL },
    { "credentials", 0, 0, G_OPTION_ARG_FILENAME, &credentials, NULL, NULL },
    { "max-calls", 0, 0, G_OPTION_ARG_STRING, &max_calls, NULL, NULL },
    { "archive", 0, 0, G_OPTION_ARG_FILENAME, &archive, NULL, NULL },
    G_OPTION_ENTRY_NULL,
  };
  g_autoptr (GOptionContext) context = g_option_context_new (NULL);
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (GError) error = NULL;
  Fake fake = { .loop = g_main_loop_new (NULL, FALSE) };
  PhonePorts ports;

  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    g_error ("%s", error->message);
  fake.engine = fake_engine_new (state ? state : "/nonexistent", credentials);
  set_daemon (settings, "linger", linger);
  set_daemon (settings, "max-calls", max_calls);
  fake.registry = phone_registry_new (settings);
  fake_engine_get_ports (fake.engine, &ports);
  if (archive)
    {
      const StoreEvents events = { .fault = on_fault };

      fake.archive = store_new (archive, &events, &fake);
      ports.archive = &store_archive_ops;
      ports.archive_data = fake.archive;
    }
  phone_registry_set_ports (fake.registry, &ports);
  fake.bus = bus_new (fake.registry, &hooks, &fake, &error);
  if (!fake.bus)
    {
      fprintf (stderr, "%s\n", error->message);
      return 2;
    }
  sd_bus_add_object_vtable (fake.bus->bus, NULL, TEST_PATH, TEST_INTERFACE, vtable, &fake);
  g_main_loop_run (fake.loop);
  bus_free (fake.bus);
  if (fake.archive)
    store_close (fake.archive);
  g_object_unref (fake.registry);
  store_free (fake.archive);
  fake_engine_free (fake.engine);
  g_strfreev (fake.problems);
  g_main_loop_unref (fake.loop);
  return fake.exit_status;
}
