/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Messages. The archive answers later, so every method but Composing parks its message. */

#include "bus/bus-options.h"
#include "bus/bus-page.h"

#include <string.h>

static PhoneMessages *
messages_of (Bus *self)
{
  return phone_registry_get_messages (self->registry);
}

/* ---- a message ---- */

/* The body is longer than what bus_append_text () lets through; it is clean since it came. */
static int
append_body (sd_bus_message *m, const char *body)
{
  g_autoptr (GString) text = g_string_new (NULL);

  for (const char *p = body; *p; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      g_string_append_unichar (text, (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe ? 0xfffd : c);
    }
  return sd_bus_message_append (m, "{sv}", "body", "s", text->str);
}

static int
append_state (sd_bus_message *m, const PhoneMessage *message)
{
  int r = 0;

  if (message->sip)
    r = bus_dict_u32 (m, "sip", message->sip);
  if (r >= 0)
    r = bus_dict_text (m, "phrase", message->phrase);
  if (r >= 0 && message->disposition != PHONE_DISPOSITION_NONE)
    r = bus_dict_text (m, "disposition", phone_disposition_to_string (message->disposition));
  if (r >= 0 && message->uncertain)
    r = bus_dict_bool (m, "uncertain", TRUE);
  if (r >= 0 && message->attempts)
    r = bus_dict_u32 (m, "attempts", message->attempts);
  return r < 0 ? r : bus_dict_time (m, "changed", message->changed);
}

/* Into a dictionary that is open. */
static int
append_fields (Bus *self, sd_bus_message *m, const PhoneMessage *message)
{
  const struct
  {
    const char *key, *text;
  } texts[] = {
    { "id", message->id },
    { "account", message->account },
    { "direction", message->incoming ? "incoming" : "outgoing" },
    { "status", phone_message_state_to_string (message->state) },
    { "remote-uri", message->remote_uri },
    { "remote-name", message->remote_name },
    { "party", message->party },
  };
  int r = 0;

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (texts); i++)
    r = bus_dict_text (m, texts[i].key, texts[i].text);
  if (r >= 0)
    r = bus_dict_contact (self, m, NULL, message->remote_uri);
  if (r >= 0)
    r = append_body (m, message->body);
  if (r >= 0)
    r = bus_dict_time (m, "time", message->time);
  if (r >= 0)
    r = append_state (m, message);
  return r < 0 ? r : bus_dict_bool (m, "read", message->read);
}

static int
append_message (Bus *self, sd_bus_message *m, gconstpointer message)
{
  int r = bus_dict_begin (m);

  if (r >= 0)
    r = append_fields (self, m, message);
  return r < 0 ? r : bus_dict_end (m);
}

static int
append_conversation (Bus *self, sd_bus_message *m, gconstpointer item)
{
  const PhoneConversation *conversation = item;
  int r = bus_dict_begin (m);

  if (r >= 0)
    r = append_fields (self, m, conversation->newest);
  if (r >= 0)
    r = bus_dict_u32 (m, "messages", conversation->total);
  if (r >= 0)
    r = bus_dict_u32 (m, "unread", conversation->unread);
  return r < 0 ? r : bus_dict_end (m);
}

/* ---- replies ---- */

static void
on_listed (GPtrArray *found, const GError *error, gpointer data)
{
  bus_send_items (data, found, error, append_message);
}

static void
on_conversations (GPtrArray *conversations, const GError *error, gpointer data)
{
  bus_send_items (data, conversations, error, append_conversation);
}

static void
on_found (GPtrArray *found, const GError *error, gpointer data)
{
  bus_send_item (data, found, error, append_message, "There is no message of that id");
}

static void
on_done (gboolean kept, const GError *error, gpointer data)
{
  bus_request_finish (data, error);
}

static void
on_sent (const char *id, const GError *error, gpointer data)
{
  bus_request_finish_with (data, error, "s", id ? id : "");
}

/* ---- methods ---- */

static gboolean
read_options (Bus *self, sd_bus_message *m, PhoneMessageOptions *options, GError **error)
{
  const char *account = NULL, *call = NULL;
  const BusOption known[] = { { "account", "o", &account }, { "call", "o", &call } };
  BusAccount *bus_account;
  BusCall *bus_call;

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), error))
    return FALSE;
  bus_account = account ? bus_require_account (self, account, error) : NULL;
  bus_call = call ? bus_find_call (self, call) : NULL;
  if (account && !bus_account)
    return FALSE;
  if (call && !bus_call)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "There is no call %s", call);
  else
    {
      options->account = bus_account ? bus_account->account : NULL;
      options->call = bus_call ? bus_call->call : NULL;
      return TRUE;
    }
  return FALSE;
}

static gboolean
check_target (const char *to, const PhoneMessageOptions *options, GError **error)
{
  if (strlen (to) > BUS_MAX_TEXT)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The target is longer than %d octets", BUS_MAX_TEXT);
  else if (options->call && *to)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "With the option 'call' the target is empty: the call's peer is meant");
  else
    return TRUE;
  return FALSE;
}

static int
on_send (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  PhoneMessageOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  const char *to, *body;
  int r = sd_bus_message_read (m, "ss", &to, &body);

  if (r < 0)
    return r;
  if (!read_options (self, m, &options, &error) || !check_target (to, &options, &error)
      || !(request = bus_request_new (self->clients, m, &error))
      || !phone_messages_send (messages_of (self), to, body, &options, on_sent, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_composing (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  PhoneMessageOptions options = { 0 };
  g_autoptr (GError) error = NULL;
  const char *to;
  int active, r = sd_bus_message_read (m, "sb", &to, &active);

  if (r < 0)
    return r;
  if (!read_options (self, m, &options, &error) || !check_target (to, &options, &error)
      || !phone_messages_compose (messages_of (self), options.call ? phone_call_get_remote_uri (options.call) : to, active, options.account,
                                  &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_list (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  PhoneHistoryFilter filter;
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  guint32 offset, limit;

  if (!bus_page_read (m, TRUE, &filter, &offset, &limit, &error) || !(request = bus_request_new (self->clients, m, &error))
      || !phone_messages_list (messages_of (self), &filter, offset, limit, on_listed, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_list_conversations (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  int unread = FALSE;
  const BusOption known[] = { { "unread", "b", &unread } };
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  guint32 offset, limit;
  int r;

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), &error))
    return bus_error_set (ret_error, error);
  r = sd_bus_message_read (m, "uu", &offset, &limit);
  if (r < 0)
    return r;
  if (!(request = bus_request_new (self->clients, m, &error))
      || !phone_messages_list_conversations (messages_of (self), unread, offset, limit, on_conversations, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_get (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  g_autoptr (GError) error = NULL;
  BusRequest *request;
  const char *id;
  int r = sd_bus_message_read (m, "s", &id);

  if (r < 0)
    return r;
  request = bus_request_new (self->clients, m, &error);
  if (!request || !phone_messages_find (messages_of (self), id, on_found, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

typedef gboolean (*ChangeFunc) (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);

/* An empty list means all. */
static int
change (sd_bus_message *m, Bus *self, sd_bus_error *ret_error, ChangeFunc func)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  int r = bus_ids_read (m, &ids, &error);

  if (r < 0)
    return r;
  if (error || !(request = bus_request_new (self->clients, m, &error))
      || !func (messages_of (self), ids ? (const char *const *) ids->pdata : NULL, on_done, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_mark_read (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return change (m, data, ret_error, phone_messages_mark_read);
}

static int
on_delete (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return change (m, data, ret_error, phone_messages_delete);
}

/* ---- signals and properties ---- */

static void
send_signal (Bus *self, sd_bus_message *m, int r)
{
  if (r >= 0)
    sd_bus_send (self->bus, m, NULL);
  sd_bus_message_unref (m);
}

void
bus_messages_emit_received (Bus *self, const PhoneMessage *message)
{
  sd_bus_message *m = NULL;
  int r = sd_bus_message_new_signal (self->bus, &m, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "Received");

  send_signal (self, m, r < 0 ? r : append_message (self, m, message));
}

void
bus_messages_emit_state (Bus *self, const PhoneMessage *message)
{
  sd_bus_message *m = NULL;
  int r = sd_bus_message_new_signal (self->bus, &m, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "StatusChanged");

  if (r >= 0)
    r = sd_bus_message_append (m, "ss", message->id, phone_message_state_to_string (message->state));
  if (r >= 0)
    r = bus_dict_begin (m);
  if (r >= 0)
    r = append_state (m, message);
  send_signal (self, m, r < 0 ? r : bus_dict_end (m));
}

void
bus_messages_emit_composing (Bus *self, const PhoneComposingNews *news)
{
  sd_bus_message *m = NULL;
  int r = sd_bus_message_new_signal (self->bus, &m, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, "ComposingChanged");

  if (r >= 0)
    r = bus_append_text (m, news->account);
  if (r >= 0)
    r = bus_append_text (m, news->remote_uri);
  send_signal (self, m, r < 0 ? r : sd_bus_message_append (m, "b", (int) news->active));
}

BUS_GETTER (get_unread, Bus, sd_bus_message_append (reply, "u", (guint32) phone_messages_get_unread (messages_of (self))))
BUS_GETTER (get_queued, Bus, sd_bus_message_append (reply, "u", (guint32) phone_messages_get_queued (messages_of (self))))

void
bus_messages_changed_properties (guint mask, GPtrArray *ret_names)
{
  if (mask & PHONE_MESSAGES_UNREAD)
    g_ptr_array_add (ret_names, (char *) "Unread");
  if (mask & PHONE_MESSAGES_QUEUED)
    g_ptr_array_add (ret_names, (char *) "Queued");
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_messages_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Send", SD_BUS_ARGS ("s", to, "s", body, "a{sv}", options), SD_BUS_RESULT ("s", id), on_send,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Composing", SD_BUS_ARGS ("s", to, "b", active, "a{sv}", options), SD_BUS_NO_RESULT, on_composing,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("List", SD_BUS_ARGS ("a{sv}", filter, "u", offset, "u", limit), SD_BUS_RESULT ("aa{sv}", messages), on_list,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("ListConversations", SD_BUS_ARGS ("a{sv}", filter, "u", offset, "u", limit),
                           SD_BUS_RESULT ("aa{sv}", conversations), on_list_conversations, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Get", SD_BUS_ARGS ("s", id), SD_BUS_RESULT ("a{sv}", message), on_get, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("MarkRead", SD_BUS_ARGS ("as", ids), SD_BUS_NO_RESULT, on_mark_read, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Delete", SD_BUS_ARGS ("as", ids), SD_BUS_NO_RESULT, on_delete, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("Received", SD_BUS_ARGS ("a{sv}", message), 0),
  SD_BUS_SIGNAL_WITH_ARGS ("StatusChanged", SD_BUS_ARGS ("s", id, "s", status, "a{sv}", details), 0),
  SD_BUS_SIGNAL_WITH_ARGS ("ComposingChanged", SD_BUS_ARGS ("s", account, "s", uri, "b", active), 0),
  SD_BUS_PROPERTY ("Unread", "u", get_unread, 0, CHANGES),
  SD_BUS_PROPERTY ("Queued", "u", get_queued, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
