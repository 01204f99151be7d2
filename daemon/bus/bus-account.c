/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Account. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"

static int
finish (sd_bus_message *m, const GError *error, sd_bus_error *ret_error)
{
  return error ? bus_error_set (ret_error, error) : sd_bus_reply_method_return (m, NULL);
}

/* ---- methods ---- */

static int
on_register (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;

  phone_account_register (self->account, &error);
  return finish (m, error, ret_error);
}

static int
on_unregister (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;

  phone_account_unregister (self->account, &error);
  return finish (m, error, ret_error);
}

static int
on_update (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) pairs = bus_options_read_settings (m, &error);

  if (pairs)
    phone_account_update (self->account, (const char *const *) pairs->pdata, &error);
  return finish (m, error, ret_error);
}

static int
read_secret (sd_bus_message *m, BusAccount *self, BusSecretTake take, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  BusRequest *request;
  int fd;
  int r = sd_bus_message_read (m, "h", &fd);

  if (r < 0)
    return r;
  request = bus_request_new (self->bus->clients, m, &error);
  if (!request)
    return bus_error_set (ret_error, error);
  if (!bus_secret_start (self, fd, take, request, &error))
    bus_request_finish (request, error);
  return 1;
}

static int
on_set_secret (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return read_secret (m, data, phone_account_set_password, ret_error);
}

static int
on_set_turn_secret (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return read_secret (m, data, phone_account_set_turn_password, ret_error);
}

/* The object is gone when the registry returns: nothing of self is used after it. */
static int
on_remove (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (PhoneAccount) account = g_object_ref (self->account);
  g_autoptr (GError) error = NULL;

  phone_registry_remove_account (self->bus->registry, account, TRUE, &error);
  return finish (m, error, ret_error);
}

/* ---- properties ---- */

static const char *
shown_name (BusAccount *self)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (self->account);

  return settings->name && *settings->name ? settings->name : settings->aor;
}

static int
append_detail (sd_bus_message *reply, BusAccount *self)
{
  const PhoneRegistrationDetail *detail = phone_account_get_registration_detail (self->account);
  int r = bus_dict_begin (reply);

  if (r >= 0 && detail->code)
    r = bus_dict_u32 (reply, "code", detail->code);
  if (r >= 0)
    r = bus_dict_text (reply, "phrase", detail->phrase);
  if (r >= 0)
    r = bus_dict_text (reply, "reason", detail->reason);
  if (r >= 0)
    r = bus_dict_time (reply, "since", detail->since);
  if (r >= 0 && detail->expires)
    r = bus_dict_u32 (reply, "expires", detail->expires);
  if (r >= 0)
    r = bus_dict_time (reply, "retry-at", detail->retry_at);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_tls (sd_bus_message *reply, BusAccount *self)
{
  const PhoneTlsInfo *tls = phone_account_get_tls (self->account);
  int r = bus_dict_begin (reply);

  if (r >= 0 && tls)
    {
      r = bus_dict_text (reply, "version", tls->version);
      if (r >= 0)
        r = bus_dict_text (reply, "cipher", tls->cipher);
      if (r >= 0)
        r = bus_dict_text (reply, "subject", tls->subject);
      if (r >= 0)
        r = bus_dict_text (reply, "issuer", tls->issuer);
      if (r >= 0)
        r = bus_dict_time (reply, "expires", tls->expires);
    }
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_settings (sd_bus_message *reply, BusAccount *self)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (self->account);
  const char *const *keys = phone_account_settings_keys ();
  int r = bus_dict_begin (reply);

  for (gsize i = 0; r >= 0 && keys[i]; i++)
    {
      g_autofree char *value = phone_account_settings_get (settings, keys[i]);

      r = bus_dict_text (reply, keys[i], value);
    }
  return r < 0 ? r : bus_dict_end (reply);
}

BUS_GETTER (get_id, BusAccount, bus_append_text (reply, phone_account_get_id (self->account)))
BUS_GETTER (get_name, BusAccount, bus_append_text (reply, shown_name (self)))
BUS_GETTER (get_aor, BusAccount, bus_append_text (reply, phone_account_get_settings (self->account)->aor))
BUS_GETTER (get_enabled, BusAccount,
            sd_bus_message_append (reply, "b", (int) !!phone_account_get_settings (self->account)->enabled))
BUS_GETTER (get_registration, BusAccount,
            sd_bus_message_append (
                reply, "s", phone_registration_to_string (phone_account_get_registration (self->account))))
BUS_GETTER (get_detail, BusAccount, append_detail (reply, self))
BUS_GETTER (
    get_transport, BusAccount,
    sd_bus_message_append (reply, "s",
                           phone_transport_to_string (phone_account_get_settings (self->account)->transport)))
BUS_GETTER (get_tls, BusAccount, append_tls (reply, self))
BUS_GETTER (get_srtp, BusAccount,
            sd_bus_message_append (reply, "s", phone_srtp_policy_to_string (phone_account_get_srtp (self->account))))
BUS_GETTER (get_capabilities, BusAccount,
            bus_append_texts (reply, phone_account_get_capabilities (self->account)))
BUS_GETTER (get_settings, BusAccount, append_settings (reply, self))

static int
set_enabled (sd_bus *bus_, const char *path, const char *interface, const char *property,
             sd_bus_message *value, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  int enabled;
  int r = sd_bus_message_read (value, "b", &enabled);

  if (r < 0)
    return r;
  return phone_account_set_enabled (self->account, enabled, &error) ? 0 : bus_error_set (ret_error, error);
}

void
bus_account_changed_properties (guint mask, GPtrArray *ret_names)
{
  static const struct
  {
    guint field;
    const char *name;
  } table[] = {
    { PHONE_ACCOUNT_SETTINGS, "Name" },
    { PHONE_ACCOUNT_SETTINGS, "Aor" },
    { PHONE_ACCOUNT_SETTINGS, "Enabled" },
    { PHONE_ACCOUNT_SETTINGS, "Transport" },
    { PHONE_ACCOUNT_SETTINGS, "Settings" },
    { PHONE_ACCOUNT_REGISTRATION, "Registration" },
    { PHONE_ACCOUNT_REGISTRATION, "RegistrationDetail" },
    { PHONE_ACCOUNT_TLS, "Tls" },
    { PHONE_ACCOUNT_SETTINGS | PHONE_ACCOUNT_SRTP, "Srtp" },
    { PHONE_ACCOUNT_CAPABILITIES, "Capabilities" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (mask & table[i].field)
      g_ptr_array_add (ret_names, (char *) table[i].name);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_account_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Register", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_register,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Unregister", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_unregister,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Update", SD_BUS_ARGS ("a{sv}", settings), SD_BUS_NO_RESULT, on_update,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("SetSecret", SD_BUS_ARGS ("h", fd), SD_BUS_NO_RESULT, on_set_secret,
                           SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
  SD_BUS_METHOD_WITH_ARGS ("SetTurnSecret", SD_BUS_ARGS ("h", fd), SD_BUS_NO_RESULT, on_set_turn_secret,
                           SD_BUS_VTABLE_UNPRIVILEGED | SD_BUS_VTABLE_SENSITIVE),
  SD_BUS_METHOD_WITH_ARGS ("Remove", SD_BUS_NO_ARGS, SD_BUS_NO_RESULT, on_remove, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Id", "s", get_id, 0, SD_BUS_VTABLE_PROPERTY_CONST),
  SD_BUS_PROPERTY ("Name", "s", get_name, 0, CHANGES),
  SD_BUS_PROPERTY ("Aor", "s", get_aor, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Enabled", "b", get_enabled, set_enabled, 0,
                            CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Registration", "s", get_registration, 0, CHANGES),
  SD_BUS_PROPERTY ("RegistrationDetail", "a{sv}", get_detail, 0, CHANGES),
  SD_BUS_PROPERTY ("Transport", "s", get_transport, 0, CHANGES),
  SD_BUS_PROPERTY ("Tls", "a{sv}", get_tls, 0, CHANGES),
  SD_BUS_PROPERTY ("Srtp", "s", get_srtp, 0, CHANGES),
  SD_BUS_PROPERTY ("Capabilities", "as", get_capabilities, 0, CHANGES),
  SD_BUS_PROPERTY ("Settings", "a{sv}", get_settings, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
