/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.Presence and .Voicemail of an account. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"
#include "core/account-presence.h"
#include "core/subscriber.h"

static const PhoneAccountPresence *
presence (BusAccount *self)
{
  return phone_account_get_presence (self->account);
}

int
bus_append_subscription (sd_bus_message *reply, const PhoneSubscriptionDetail *detail)
{
  int r = bus_dict_begin (reply);

  if (r >= 0 && detail->code)
    r = bus_dict_u32 (reply, "code", detail->code);
  if (r >= 0)
    r = bus_dict_text (reply, "reason", detail->reason);
  if (r >= 0)
    r = bus_dict_time (reply, "retry-at", detail->retry_at);
  return r < 0 ? r : bus_dict_end (reply);
}

/* ---- presence ---- */

static int
on_watch (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  const char *target, *word;
  PhoneWatchKind kind;
  PhoneWatch *watch = NULL;
  int r = sd_bus_message_read (m, "ss", &target, &word);

  if (r < 0)
    return r;
  if (strlen (target) > BUS_MAX_TEXT)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_TARGET, "The URI is longer than %d octets", BUS_MAX_TEXT);
  else if (!phone_watch_kind_from_string (word, &kind) || kind == PHONE_WATCH_CONFERENCE)
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "kind: presence or dialog");
  else if (bus_options_read (m, NULL, 0, &error))
    watch = phone_registry_add_watch (self->bus->registry, self->account, target, kind, &error);
  return watch ? sd_bus_reply_method_return (m, "o", bus_watch_path (self->bus, watch)) : bus_error_set (ret_error, error);
}

static int
allow_subscriber (sd_bus_message *m, BusAccount *self, gboolean allow, sd_bus_error *ret_error)
{
  g_autoptr (GError) error = NULL;
  const char *uri;
  int r = sd_bus_message_read (m, "s", &uri);

  if (r < 0)
    return r;
  if (!phone_account_allow_subscriber (self->account, uri, allow, &error))
    return bus_error_set (ret_error, error);
  return sd_bus_reply_method_return (m, NULL);
}

static int
on_allow_subscriber (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return allow_subscriber (m, data, TRUE, ret_error);
}

static int
on_block_subscriber (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return allow_subscriber (m, data, FALSE, ret_error);
}

static int
on_end_subscriber (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  PhoneSubscriber *subscriber;
  guint32 number;
  int r = sd_bus_message_read (m, "u", &number);

  if (r < 0)
    return r;
  subscriber = phone_account_find_subscriber (self->account, number);
  if (!subscriber)
    {
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ENTRY, "There is no subscriber %u", number);
      return bus_error_set (ret_error, error);
    }
  phone_account_end_subscriber (self->account, subscriber);
  return sd_bus_reply_method_return (m, NULL);
}

static int
append_subscriber (sd_bus_message *reply, const PhoneSubscriber *subscriber)
{
  int r = bus_dict_begin (reply);

  if (r >= 0)
    r = bus_dict_u32 (reply, "number", subscriber->number);
  if (r >= 0)
    r = bus_dict_text (reply, "uri", subscriber->uri);
  if (r >= 0)
    r = bus_dict_text (reply, "name", subscriber->name);
  if (r >= 0)
    r = bus_dict_text (reply, "kind", phone_watch_kind_to_string (subscriber->kind));
  if (r >= 0)
    r = bus_dict_text (reply, "state", subscriber->right == PHONE_RIGHT_PENDING ? "pending" : "active");
  if (r >= 0)
    r = bus_dict_bool (reply, "details", subscriber->right == PHONE_RIGHT_FULL);
  if (r >= 0)
    r = bus_dict_bool (reply, "vouched", subscriber->vouched);
  if (r >= 0)
    r = bus_dict_text (reply, "source", subscriber->source);
  if (r >= 0)
    r = bus_dict_time (reply, "expires", subscriber->expires);
  return r < 0 ? r : bus_dict_end (reply);
}

static int
append_subscribers (sd_bus_message *reply, BusAccount *self)
{
  const GPtrArray *list = phone_account_get_subscribers (self->account);
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < list->len; i++)
    r = append_subscriber (reply, g_ptr_array_index (list, i));
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

static int
append_watchers (sd_bus_message *reply, BusAccount *self)
{
  const GPtrArray *list = presence (self)->watchers;
  int r = sd_bus_message_open_container (reply, 'a', "a{sv}");

  for (guint i = 0; r >= 0 && i < list->len; i++)
    {
      const PhoneWatcher *watcher = g_ptr_array_index (list, i);

      r = bus_dict_begin (reply);
      if (r >= 0)
        r = bus_dict_text (reply, "uri", watcher->uri);
      if (r >= 0)
        r = bus_dict_text (reply, "name", watcher->name);
      if (r >= 0)
        r = bus_dict_text (reply, "state", phone_watcher_state_to_string (watcher->state));
      if (r >= 0)
        r = bus_dict_end (reply);
    }
  return r < 0 ? r : sd_bus_message_close_container (reply);
}

BUS_GETTER (get_watchers, BusAccount, append_watchers (reply, self))
BUS_GETTER (get_watchers_subscription, BusAccount,
            sd_bus_message_append (reply, "s", phone_subscription_to_string (presence (self)->watchers_subscription.state)))
BUS_GETTER (get_subscribers, BusAccount, append_subscribers (reply, self))
BUS_GETTER (get_status, BusAccount, sd_bus_message_append (reply, "s", phone_status_to_string (phone_account_get_status (self->account))))
BUS_GETTER (get_chosen, BusAccount, sd_bus_message_append (reply, "s", phone_status_to_string (presence (self)->chosen)))
BUS_GETTER (get_note, BusAccount, bus_append_text (reply, presence (self)->note))
BUS_GETTER (get_published, BusAccount,
            sd_bus_message_append (reply, "b", (int) (presence (self)->publication.state == PHONE_SUBSCRIPTION_ACTIVE)))
BUS_GETTER (get_publication, BusAccount,
            sd_bus_message_append (reply, "s", phone_subscription_to_string (presence (self)->publication.state)))
BUS_GETTER (get_publication_detail, BusAccount, bus_append_subscription (reply, &presence (self)->publication))

static int
set_status (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
            sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  const char *word;
  PhoneStatus status;
  int r = sd_bus_message_read (value, "s", &word);

  if (r < 0)
    return r;
  if (!phone_status_from_string (word, &status))
    g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Status: available, away, busy, dnd or offline");
  else
    phone_account_set_status (self->account, status, &error);
  return error ? bus_error_set (ret_error, error) : 0;
}

static int
set_note (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
          sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  const char *note;
  int r = sd_bus_message_read (value, "s", &note);

  if (r < 0)
    return r;
  return phone_account_set_note (self->account, note, &error) ? 0 : bus_error_set (ret_error, error);
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_presence_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Watch", SD_BUS_ARGS ("s", uri, "s", kind, "a{sv}", options), SD_BUS_RESULT ("o", watch), on_watch,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("Status", "s", get_status, set_status, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Chosen", "s", get_chosen, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Note", "s", get_note, set_note, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Published", "b", get_published, 0, CHANGES),
  SD_BUS_PROPERTY ("Publication", "s", get_publication, 0, CHANGES),
  SD_BUS_PROPERTY ("PublicationDetail", "a{sv}", get_publication_detail, 0, CHANGES),
  SD_BUS_METHOD_WITH_ARGS ("AllowSubscriber", SD_BUS_ARGS ("s", uri), SD_BUS_NO_RESULT, on_allow_subscriber, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("BlockSubscriber", SD_BUS_ARGS ("s", uri), SD_BUS_NO_RESULT, on_block_subscriber, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("EndSubscriber", SD_BUS_ARGS ("u", number), SD_BUS_NO_RESULT, on_end_subscriber, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Subscribers", "aa{sv}", get_subscribers, 0, CHANGES),
  SD_BUS_PROPERTY ("Watchers", "aa{sv}", get_watchers, 0, CHANGES),
  SD_BUS_PROPERTY ("WatchersSubscription", "s", get_watchers_subscription, 0, CHANGES),
  SD_BUS_VTABLE_END,
};

/* ---- voicemail ---- */

static int
on_call (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  PhoneCall *call = phone_account_call_mailbox (self->account, &error);

  return call ? sd_bus_reply_method_return (m, "o", bus_call_path (self->bus, call)) : bus_error_set (ret_error, error);
}

static int
append_mailbox (sd_bus_message *reply, BusAccount *self)
{
  g_autofree char *mailbox = phone_account_dup_mailbox (self->account);

  return bus_append_text (reply, mailbox);
}

/* Those of our own answering machine, for this account. */
static guint
count_messages (BusAccount *self, gboolean unheard_only)
{
  GPtrArray *all = phone_registry_get_recordings (self->bus->registry);
  guint n = 0;

  for (guint i = 0; all && i < all->len; i++)
    {
      const PhoneRecording *recording = all->pdata[i];

      n += recording->kind == PHONE_RECORDING_VOICEMAIL && g_str_equal (recording->account, phone_account_get_id (self->account))
           && !(unheard_only && recording->heard);
    }
  return n;
}

BUS_GETTER (get_messages, BusAccount, sd_bus_message_append (reply, "u", count_messages (self, FALSE)))
BUS_GETTER (get_unheard, BusAccount, sd_bus_message_append (reply, "u", count_messages (self, TRUE)))
BUS_GETTER (get_answering, BusAccount, sd_bus_message_append (reply, "b", (int) !!phone_account_get_settings (self->account)->answering))
BUS_GETTER (get_known, BusAccount, sd_bus_message_append (reply, "b", (int) !!presence (self)->mailbox.known))
BUS_GETTER (get_waiting, BusAccount, sd_bus_message_append (reply, "b", (int) !!presence (self)->mailbox.waiting))
BUS_GETTER (get_new, BusAccount, sd_bus_message_append (reply, "u", presence (self)->mailbox.fresh))
BUS_GETTER (get_old, BusAccount, sd_bus_message_append (reply, "u", presence (self)->mailbox.old))
BUS_GETTER (get_new_urgent, BusAccount, sd_bus_message_append (reply, "u", presence (self)->mailbox.fresh_urgent))
BUS_GETTER (get_old_urgent, BusAccount, sd_bus_message_append (reply, "u", presence (self)->mailbox.old_urgent))
BUS_GETTER (get_mailbox, BusAccount, append_mailbox (reply, self))
BUS_GETTER (get_subscription, BusAccount,
            sd_bus_message_append (reply, "s", phone_subscription_to_string (presence (self)->mailbox_subscription.state)))
BUS_GETTER (get_subscription_detail, BusAccount, bus_append_subscription (reply, &presence (self)->mailbox_subscription))

static int
set_mailbox (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
             sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  const char *updates[] = { "mailbox", NULL, NULL };
  int r = sd_bus_message_read (value, "s", &updates[1]);

  if (r < 0)
    return r;
  return phone_account_update (self->account, updates, &error) ? 0 : bus_error_set (ret_error, error);
}

static int
set_answering (sd_bus *bus_, const char *path, const char *interface, const char *property, sd_bus_message *value, void *data,
               sd_bus_error *ret_error)
{
  BusAccount *self = data;
  g_autoptr (GError) error = NULL;
  int on = FALSE, r = sd_bus_message_read (value, "b", &on);
  const char *updates[] = { "answering", on ? "true" : "false", NULL };

  if (r < 0)
    return r;
  return phone_account_update (self->account, updates, &error) ? 0 : bus_error_set (ret_error, error);
}

const sd_bus_vtable bus_voicemail_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("Call", SD_BUS_NO_ARGS, SD_BUS_RESULT ("o", call), on_call, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Known", "b", get_known, 0, CHANGES),
  SD_BUS_PROPERTY ("Waiting", "b", get_waiting, 0, CHANGES),
  SD_BUS_PROPERTY ("New", "u", get_new, 0, CHANGES),
  SD_BUS_PROPERTY ("Old", "u", get_old, 0, CHANGES),
  SD_BUS_PROPERTY ("NewUrgent", "u", get_new_urgent, 0, CHANGES),
  SD_BUS_PROPERTY ("OldUrgent", "u", get_old_urgent, 0, CHANGES),
  SD_BUS_WRITABLE_PROPERTY ("Mailbox", "s", get_mailbox, set_mailbox, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_WRITABLE_PROPERTY ("Answering", "b", get_answering, set_answering, 0, CHANGES | SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_PROPERTY ("Messages", "u", get_messages, 0, CHANGES),
  SD_BUS_PROPERTY ("Unheard", "u", get_unheard, 0, CHANGES),
  SD_BUS_PROPERTY ("Subscription", "s", get_subscription, 0, CHANGES),
  SD_BUS_PROPERTY ("SubscriptionDetail", "a{sv}", get_subscription_detail, 0, CHANGES),
  SD_BUS_VTABLE_END,
};

/* ---- changes ---- */

static void
add_names (const char *const *names, GPtrArray *ret_names)
{
  for (; *names; names++)
    g_ptr_array_add (ret_names, (char *) *names);
}

void
bus_presence_changed_properties (guint mask, GPtrArray *ret_names)
{
  if (mask & PHONE_ACCOUNT_PRESENCE)
    add_names ((const char *const[]){ "Status", "Chosen", "Note", "Published", "Publication", "PublicationDetail", NULL }, ret_names);
  if (mask & PHONE_ACCOUNT_SUBSCRIBERS)
    add_names ((const char *const[]){ "Subscribers", "Watchers", "WatchersSubscription", NULL }, ret_names);
}

void
bus_voicemail_changed_properties (guint mask, GPtrArray *ret_names)
{
  if (mask & PHONE_ACCOUNT_MAILBOX)
    add_names ((const char *const[]){ "Known", "Waiting", "New", "Old", "NewUrgent", "OldUrgent", "Subscription", "SubscriptionDetail", NULL },
               ret_names);
  if (mask & (PHONE_ACCOUNT_MAILBOX | PHONE_ACCOUNT_SETTINGS))
    g_ptr_array_add (ret_names, (char *) "Mailbox");
  if (mask & PHONE_ACCOUNT_SETTINGS)
    g_ptr_array_add (ret_names, (char *) "Answering");
  if (mask & PHONE_ACCOUNT_MESSAGES)
    add_names ((const char *const[]){ "Messages", "Unheard", NULL }, ret_names);
}
