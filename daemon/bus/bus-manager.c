/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Manager. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"
#include "core/pickup.h"

/* Additions go to the end, and into the XML. */
static const char *const features[]
    = { "accounts", "calls", "hold", "call-waiting", "dtmf", "stats", "audio", "srtp-sdes",
        "recording", "history", "dnd", "presence", "voicemail-server", "conference", "messages", "intercom", "park", "pickup", NULL };

/* ---- what is allowed at all ---- */

static gboolean
require_not_stopping (Bus *bus, GError **error)
{
  if (phone_registry_get_state (bus->registry) != PHONE_DAEMON_STOPPING)
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The daemon is stopping");
  return FALSE;
}

static PhoneAccount *
resolve_account (Bus *bus, const char *path, GError **error)
{
  BusAccount *account = bus_require_account (bus, path, error);

  return account ? account->account : NULL;
}

static PhoneConference *
resolve_conference (Bus *bus, const char *path, GError **error)
{
  BusConference *conference = bus_find_conference (bus, path);

  if (conference)
    return conference->conference;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "There is no conference %s", path);
  return NULL;
}

/* ---- methods ---- */

static PhoneCall *
dial (Bus *bus, sd_bus_message *m, GError **error)
{
  const char *target, *account = NULL, *display = NULL, *replaces = NULL, *conference = NULL;
  g_autoptr (GPtrArray) headers = NULL;
  int privacy = FALSE, when_registered = FALSE, keep_others = FALSE, intercom = FALSE;
  const BusOption known[] = {
    { "account", "o", &account },   { "privacy", "b", &privacy },
    { "display", "s", &display },   { "headers", "a{ss}", &headers },
    { "replaces", "s", &replaces }, { "when-registered", "b", &when_registered },
    { "keep-others", "b", &keep_others }, { "conference", "o", &conference },
    { "intercom", "b", &intercom },
  };
  PhoneDialOptions options = { 0 };
  PhoneCall *call = NULL;

  if (sd_bus_message_read (m, "s", &target) < 0)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The target cannot be read");
  else if (strlen (target) > BUS_MAX_TEXT)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The target is longer than %d octets",
                 BUS_MAX_TEXT);
  else if (bus_options_read (m, known, G_N_ELEMENTS (known), error) && require_not_stopping (bus, error)
           && (!account || (options.account = resolve_account (bus, account, error)))
           && (!conference || (options.conference = resolve_conference (bus, conference, error))))
    {
      options.privacy = privacy;
      options.display_name = display;
      options.headers = headers ? (const char *const *) headers->pdata : NULL;
      options.replaces = replaces;
      options.when_registered = when_registered;
      options.keep_others = keep_others;
      options.intercom = intercom;
      call = phone_registry_dial (bus->registry, target, &options, error);
    }
  return call;
}

typedef struct
{
  Bus *bus;
  BusRequest *request;
} PickupRequest;

static int
on_dial (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  PhoneCall *call = dial (bus, m, &error);

  return call ? sd_bus_reply_method_return (m, "o", bus_call_path (bus, call))
              : bus_error_set (ret_error, error);
}

/* A client that has gone meanwhile has its call all the same: it was asked for. */
static void
on_picked_up (PhoneCall *call, const GError *error, gpointer data)
{
  PickupRequest *pickup = data;

  bus_request_finish_with (pickup->request, error, "o", call ? bus_call_path (pickup->bus, call) : PHONE_DBUS_NO_OBJECT);
  g_free (pickup);
}

static int
on_pickup (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  const char *target, *account = NULL;
  int parked = FALSE;
  const BusOption known[] = { { "account", "o", &account }, { "parked", "b", &parked } };
  PhonePickupParams params = { 0 };
  PickupRequest *pickup;
  BusRequest *request;

  if (sd_bus_message_read (m, "s", &target) < 0 || strlen (target) > BUS_MAX_TEXT)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The target is longer than %d octets", BUS_MAX_TEXT);
  else if (bus_options_read (m, known, G_N_ELEMENTS (known), &error) && require_not_stopping (bus, &error) && account)
    params.account = resolve_account (bus, account, &error);
  if (error || !(request = bus_request_new (bus->clients, m, &error)))
    return bus_error_set (ret_error, error);
  params.target = *target ? target : NULL;
  params.parked = parked;
  pickup = g_new (PickupRequest, 1);
  *pickup = (PickupRequest){ bus, request };
  if (!phone_registry_pick_up (bus->registry, &params, on_picked_up, pickup, &error))
    {
      bus_request_finish (request, error);
      g_free (pickup);
    }
  return 1;
}

static PhoneAccount *
add_account (Bus *bus, sd_bus_message *m, GError **error)
{
  g_autoptr (PhoneAccountSettings) settings = NULL;
  g_autoptr (GPtrArray) pairs = NULL;
  const char *id;

  if (!require_not_stopping (bus, error))
    return NULL;
  if (sd_bus_message_read (m, "s", &id) < 0 || !(settings = phone_account_settings_new (id, error))
      || !(pairs = bus_options_read_settings (m, error)))
    return NULL;
  for (guint i = 0; i + 1 < pairs->len; i += 2)
    if (!phone_account_settings_set (settings, pairs->pdata[i], pairs->pdata[i + 1], error))
      return NULL;
  return phone_registry_add_account (bus->registry, settings, TRUE, error);
}

static int
on_add_account (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  PhoneAccount *account = add_account (bus, m, &error);

  return account ? sd_bus_reply_method_return (m, "o", bus_account_path (bus, account))
                 : bus_error_set (ret_error, error);
}

/* Borrowed, in order; NULL with error. */
static GPtrArray *
read_calls (Bus *bus, sd_bus_message *m, GError **error)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_new ();
  const char *path;
  int r = sd_bus_message_enter_container (m, 'a', "o");

  while (r >= 0 && (r = sd_bus_message_read (m, "o", &path)) > 0)
    {
      BusCall *call = bus_find_call (bus, path);

      if (!call)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "There is no call %s", path);
          return NULL;
        }
      if (calls->len > PHONE_CONFERENCE_MAX)
        break;
      g_ptr_array_add (calls, call->call);
    }
  if (r >= 0 && calls->len <= PHONE_CONFERENCE_MAX && sd_bus_message_exit_container (m) >= 0)
    return g_steal_pointer (&calls);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "A conference has at most %d calls", PHONE_CONFERENCE_MAX);
  return NULL;
}

static int
on_create_conference (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) calls = read_calls (bus, m, &error);
  int keep = FALSE;
  const BusOption known[] = { { "keep", "b", &keep } };
  PhoneConference *conference = NULL;

  if (calls && bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    conference = phone_registry_add_conference (bus->registry, (PhoneCall *const *) calls->pdata, calls->len, keep, &error);
  return conference ? sd_bus_reply_method_return (m, "o", bus_conference_path (bus, conference)) : bus_error_set (ret_error, error);
}

static int
on_hangup_all (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;

  phone_registry_hangup_all (bus->registry);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_reload (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;

  if (!bus->hooks->reload)
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED,
                         "This daemon runs without configuration files");
  else if (require_not_stopping (bus, &error))
    bus->hooks->reload (bus->data, &error);
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* ---- properties ---- */

BUS_GETTER (get_version, Bus, ((void) self, sd_bus_message_append (reply, "s", PHONED_VERSION)))
BUS_GETTER (get_state, Bus,
            sd_bus_message_append (reply, "s",
                                   phone_daemon_state_to_string (phone_registry_get_state (self->registry))))
BUS_GETTER (get_network_state, Bus,
            sd_bus_message_append (
                reply, "s", phone_network_state_to_string (phone_registry_get_network (self->registry))))
BUS_GETTER (get_default_account, Bus,
            sd_bus_message_append (reply, "o",
                                   bus_account_path (self,
                                                     phone_registry_get_default_account (self->registry))))
BUS_GETTER (get_features, Bus, ((void) self, bus_append_texts (reply, features)))
BUS_GETTER (get_problems, Bus,
            bus_append_texts (reply, self->hooks->problems ? self->hooks->problems (self->data) : NULL))

static int
set_default_account (sd_bus *bus_, const char *path, const char *interface, const char *property,
                     sd_bus_message *value, void *data, sd_bus_error *ret_error)
{
  Bus *bus = data;
  g_autoptr (GError) error = NULL;
  PhoneAccount *account;
  const char *wanted;
  int r = sd_bus_message_read (value, "o", &wanted);

  if (r < 0)
    return r;
  account = resolve_account (bus, wanted, &error);
  if (!account || !phone_registry_set_default_account (bus->registry, account, &error))
    return bus_error_set (ret_error, error);
  return 0;
}

void
bus_manager_changed_properties (guint mask, GPtrArray *ret_names)
{
  if (mask & PHONE_REGISTRY_STATE)
    g_ptr_array_add (ret_names, (char *) "State");
  if (mask & PHONE_REGISTRY_NETWORK)
    g_ptr_array_add (ret_names, (char *) "NetworkState");
  if (mask & PHONE_REGISTRY_DEFAULT_ACCOUNT)
    g_ptr_array_add (ret_names, (char *) "DefaultAccount");
}

const sd_bus_vtable bus_manager_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Dial", SD_BUS_ARGS ("s", target, "a{sv}", options), SD_BUS_RESULT ("o", call),
                           on_dial, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Pickup", SD_BUS_ARGS ("s", target, "a{sv}", options), SD_BUS_RESULT ("o", call), on_pickup,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("AddAccount", SD_BUS_ARGS ("s", id, "a{sv}", settings),
                           SD_BUS_RESULT ("o", account), on_add_account, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("CreateConference", SD_BUS_ARGS ("ao", calls, "a{sv}", options), SD_BUS_RESULT ("o", conference),
                           on_create_conference, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("HangupAll", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_hangup_all,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Reload", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_reload, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Version", "s", get_version, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("State", "s", get_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_PROPERTY ("NetworkState", "s", get_network_state, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_WRITABLE_PROPERTY ("DefaultAccount", "o", get_default_account, set_default_account, 0,
                            SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Features", "as", get_features, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Problems", "as", get_problems, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
  SD_BUS_VTABLE_END,
};
