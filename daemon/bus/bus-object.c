/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tree of objects. Accounts and calls of the registry are mirrored in two tables by object path; sd-bus
 * finds an object through them (fallback vtables) and lists them through the enumerators, so nothing is
 * registered for each object. The tables are not the registry's arrays because an object must still be found
 * while its InterfacesRemoved is sent.
 *
 * Changes. The model says "changed" with a mask. Masks are collected and sent once for each turn of the main
 * loop, so that ten changes make one message. State is not like that: a client that follows a call must see
 * every state, in order. Whenever the state differs from the one announced last, what is pending goes out at
 * once, with the values of this moment. The same is done before a reply that waited for the state, so a
 * client never holds the reply before the change. */

#include "bus/bus-private.h"
#include "util/log.h"

#include <string.h>

/* ---- sending ---- */

static void
log_failure (const char *what, const char *path, int r)
{
  if (r < 0 && r != -ENOTCONN && r != -ECONNRESET)
    phone_log_warning (NULL, "Cannot send %s of %s: %s", what, path, g_strerror (-r));
}

static void
emit_changed (Bus *bus, const char *path, const char *interface, GPtrArray *names)
{
  if (names->len == 0)
    return;
  g_ptr_array_add (names, NULL);
  log_failure ("PropertiesChanged", path,
               sd_bus_emit_properties_changed_strv (bus->bus, path, interface, (char **) names->pdata));
  g_ptr_array_set_size (names, 0);
}

static void
flush_call (BusCall *self)
{
  g_autoptr (GPtrArray) names = NULL;
  guint mask = self->pending;
  PhoneCallState state = phone_call_get_state (self->call);

  /* The model says STATE also when only what may be done has changed; clients are told of a state once. */
  if (mask & PHONE_CALL_FIELD_STATE)
    mask = (mask & ~(guint) PHONE_CALL_FIELD_STATE) | BUS_CALL_CAN;
  if (state != self->shown)
    mask |= PHONE_CALL_FIELD_STATE;
  if (state != self->shown && phone_call_is_ended (self->call))
    mask |= PHONE_CALL_FIELD_REASON;
  self->pending = 0;
  self->shown = state;
  if (mask == 0)
    return;
  names = g_ptr_array_new ();
  bus_media_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_MEDIA, names);
  bus_recording_changed_properties ((mask & PHONE_CALL_FIELD_RECORDING) != 0, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_RECORDING, names);
  bus_call_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_CALL, names);
}

static void
flush_account (BusAccount *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  guint mask = self->pending;

  self->pending = 0;
  self->shown = phone_account_get_registration (self->account);
  bus_account_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_ACCOUNT, names);
  bus_presence_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_PRESENCE, names);
  bus_voicemail_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_VOICEMAIL, names);
  bus_forwarding_changed_properties (mask, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_FORWARDING, names);
}

static void
flush_watch (BusWatched *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  bus_watch_changed_properties (self->pending, names);
  self->pending = 0;
  emit_changed (self->bus, self->path, PHONE_DBUS_WATCH, names);
}

static void
flush_conference (BusConference *self)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  bus_conference_changed_properties (self->pending, names);
  emit_changed (self->bus, self->path, PHONE_DBUS_CONFERENCE, names);
  bus_recording_changed_properties ((self->pending & PHONE_CONFERENCE_RECORDING) != 0, names);
  self->pending = 0;
  emit_changed (self->bus, self->path, PHONE_DBUS_RECORDING, names);
}

/* The default account follows from a choice, from which accounts there are and which of them are enabled. */
static guint
default_account_mask (Bus *bus)
{
  const char *path = bus_account_path (bus, phone_registry_get_default_account (bus->registry));

  if (g_strcmp0 (path, bus->default_account) == 0)
    return 0;
  g_free (bus->default_account);
  bus->default_account = g_strdup (path);
  return PHONE_REGISTRY_DEFAULT_ACCOUNT;
}

void
bus_flush (Bus *bus)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer object;
  guint mask = bus->manager_pending;
  gboolean audio = bus->audio_pending;

  g_clear_handle_id (&bus->flush_id, g_source_remove);
  bus->manager_pending = 0;
  bus->audio_pending = FALSE;
  g_hash_table_iter_init (&iter, bus->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    flush_account (object);
  g_hash_table_iter_init (&iter, bus->calls);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    flush_call (object);
  g_hash_table_iter_init (&iter, bus->watches);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    flush_watch (object);
  g_hash_table_iter_init (&iter, bus->conferences);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    flush_conference (object);
  mask = (mask & ~(guint) PHONE_REGISTRY_DEFAULT_ACCOUNT) | default_account_mask (bus);
  bus_manager_changed_properties (mask, names);
  emit_changed (bus, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, names);
  bus_audio_changed_properties (mask, audio, names);
  emit_changed (bus, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, names);
  bus_dnd_changed_properties (bus->dnd_pending, names);
  bus->dnd_pending = 0;
  emit_changed (bus, PHONE_DBUS_PATH, PHONE_DBUS_DND, names);
  bus_history_changed_properties (bus->history_pending, names);
  bus->history_pending = 0;
  emit_changed (bus, PHONE_DBUS_PATH, PHONE_DBUS_HISTORY, names);
  bus_messages_changed_properties (bus->messages_pending, names);
  bus->messages_pending = 0;
  emit_changed (bus, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, names);
}

static gboolean
on_flush (gpointer data)
{
  ((Bus *) data)->flush_id = 0;
  bus_flush (data);
  return G_SOURCE_REMOVE;
}

/* Default priority, not idle: a busy loop must not keep clients from the truth. */
void
bus_flush_later (Bus *bus)
{
  if (bus->flush_id == 0)
    bus->flush_id = g_idle_add_full (G_PRIORITY_DEFAULT, on_flush, bus, NULL);
}

/* ---- accounts ---- */

static void
on_account_changed (PhoneAccount *account, guint mask, BusAccount *self)
{
  self->pending |= mask;
  if (self->shown != phone_account_get_registration (account))
    flush_account (self);
  else
    bus_flush_later (self->bus);
}

static void
account_free (BusAccount *self)
{
  g_signal_handlers_disconnect_by_data (self->account, self);
  g_object_unref (self->account);
  g_free (self->path);
  g_free (self);
}

static BusAccount *
account_add (Bus *bus, PhoneAccount *account)
{
  BusAccount *self = g_new0 (BusAccount, 1);
  char *path = NULL;

  /* The escaping is sd-bus's; the string must be ours to free. */
  if (sd_bus_path_encode (PHONE_DBUS_ACCOUNT_PATH, phone_account_get_id (account), &path) < 0)
    g_error ("Out of memory");
  self->bus = bus;
  self->account = g_object_ref (account);
  self->path = g_strdup (path);
  self->shown = phone_account_get_registration (account);
  free (path);
  g_signal_connect (account, "changed", G_CALLBACK (on_account_changed), self);
  g_hash_table_replace (bus->accounts, self->path, self);
  return self;
}

static void
on_account_added (PhoneRegistry *registry, PhoneAccount *account, Bus *bus)
{
  BusAccount *self = account_add (bus, account);

  log_failure ("InterfacesAdded", self->path, sd_bus_emit_object_added (bus->bus, self->path));
}

static void
on_account_removed (PhoneRegistry *registry, PhoneAccount *account, Bus *bus)
{
  const char *path = bus_account_path (bus, account);
  BusAccount *self = g_hash_table_lookup (bus->accounts, path);
  g_autoptr (GError) error = NULL;

  if (!self)
    return;
  error = g_error_new (PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "Account %s was removed",
                       phone_account_get_id (account));
  bus_secret_cancel (self->secret, error);
  flush_account (self);
  log_failure ("InterfacesRemoved", path, sd_bus_emit_object_removed (bus->bus, path));
  g_hash_table_remove (bus->accounts, path);
}

static BusAccount *
find_account (Bus *bus, const char *path)
{
  return g_hash_table_lookup (bus->accounts, path);
}

BusAccount *
bus_require_account (Bus *bus, const char *path, GError **error)
{
  BusAccount *account = find_account (bus, path);
  char *id = NULL;

  if (account)
    return account;
  sd_bus_path_decode (path, PHONE_DBUS_ACCOUNT_PATH, &id);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no account %s", id ? id : path);
  free (id);
  return NULL;
}

const char *
bus_account_path (Bus *bus, PhoneAccount *account)
{
  GHashTableIter iter;
  gpointer object;

  g_hash_table_iter_init (&iter, bus->accounts);
  while (account && g_hash_table_iter_next (&iter, NULL, &object))
    if (((BusAccount *) object)->account == account)
      return ((BusAccount *) object)->path;
  return PHONE_DBUS_NO_OBJECT;
}

/* ---- calls ---- */

static void
on_call_changed (PhoneCall *call, guint mask, BusCall *self)
{
  self->pending |= mask;
  if (self->shown != phone_call_get_state (call))
    flush_call (self);
  else
    bus_flush_later (self->bus);
  if (phone_call_is_ended (call))
    bus_subscribers_clear (self->subscribers);
}

static void
on_call_dtmf (PhoneCall *call, guint digit, guint ms, const char *method, BusCall *self)
{
  bus_call_emit_dtmf (self, (char) digit, ms, method);
}

static void
on_call_played (PhoneCall *call, const char *path, BusCall *self)
{
  bus_media_emit_played (self, path);
}

static void
call_free (BusCall *self)
{
  g_signal_handlers_disconnect_by_data (self->call, self);
  bus_subscribers_free (self->subscribers);
  g_object_unref (self->call);
  g_free (self->account_path);
  g_free (self->path);
  g_free (self);
}

static BusCall *
call_add (Bus *bus, PhoneCall *call)
{
  BusCall *self = g_new0 (BusCall, 1);

  self->bus = bus;
  self->call = g_object_ref (call);
  self->path = g_strdup_printf (PHONE_DBUS_CALL_PATH "/%u", phone_call_get_number (call));
  self->account_path = g_strdup (bus_account_path (bus, phone_call_get_account (call)));
  self->shown = phone_call_get_state (call);
  self->subscribers = bus_subscribers_new (bus, bus_media_send_stats, self);
  g_signal_connect (call, "changed", G_CALLBACK (on_call_changed), self);
  g_signal_connect (call, "played", G_CALLBACK (on_call_played), self);
  g_signal_connect (call, "dtmf", G_CALLBACK (on_call_dtmf), self);
  g_hash_table_replace (bus->calls, self->path, self);
  return self;
}

static void
on_call_added (PhoneRegistry *registry, PhoneCall *call, Bus *bus)
{
  BusCall *self = call_add (bus, call);

  log_failure ("InterfacesAdded", self->path, sd_bus_emit_object_added (bus->bus, self->path));
}

static void
on_call_removed (PhoneRegistry *registry, PhoneCall *call, Bus *bus)
{
  const char *path = bus_call_path (bus, call);
  BusCall *self = g_hash_table_lookup (bus->calls, path);

  if (!self)
    return;
  flush_call (self);
  log_failure ("InterfacesRemoved", path, sd_bus_emit_object_removed (bus->bus, path));
  g_hash_table_remove (bus->calls, path);
}

BusCall *
bus_find_call (Bus *bus, const char *path)
{
  return g_hash_table_lookup (bus->calls, path);
}

const char *
bus_call_path (Bus *bus, PhoneCall *call)
{
  char path[sizeof PHONE_DBUS_CALL_PATH + 16];
  BusCall *self;

  g_snprintf (path, sizeof path, PHONE_DBUS_CALL_PATH "/%u", phone_call_get_number (call));
  self = g_hash_table_lookup (bus->calls, path);
  return self ? self->path : PHONE_DBUS_NO_OBJECT;
}

/* ---- conferences ---- */

static void
on_conference_changed (PhoneConference *conference, guint mask, BusConference *self)
{
  self->pending |= mask;
  bus_flush_later (self->bus);
}

static void
conference_free (BusConference *self)
{
  g_signal_handlers_disconnect_by_data (self->conference, self);
  bus_subscribers_free (self->subscribers);
  g_object_unref (self->conference);
  g_free (self->path);
  g_free (self);
}

static BusConference *
conference_add (Bus *bus, PhoneConference *conference)
{
  BusConference *self = g_new0 (BusConference, 1);

  self->bus = bus;
  self->conference = g_object_ref (conference);
  self->path = g_strdup_printf (PHONE_DBUS_CONFERENCE_PATH "/%u", phone_conference_get_number (conference));
  self->subscribers = bus_subscribers_new (bus, bus_conference_send_levels, self);
  g_signal_connect (conference, "changed", G_CALLBACK (on_conference_changed), self);
  g_hash_table_replace (bus->conferences, self->path, self);
  return self;
}

static void
on_conference_added (PhoneRegistry *registry, PhoneConference *conference, Bus *bus)
{
  BusConference *self = conference_add (bus, conference);

  log_failure ("InterfacesAdded", self->path, sd_bus_emit_object_added (bus->bus, self->path));
}

static void
on_conference_removed (PhoneRegistry *registry, PhoneConference *conference, Bus *bus)
{
  const char *path = bus_conference_path (bus, conference);
  BusConference *self = g_hash_table_lookup (bus->conferences, path);

  if (!self)
    return;
  flush_conference (self);
  log_failure ("InterfacesRemoved", path, sd_bus_emit_object_removed (bus->bus, path));
  g_hash_table_remove (bus->conferences, path);
}

BusConference *
bus_find_conference (Bus *bus, const char *path)
{
  return g_hash_table_lookup (bus->conferences, path);
}

const char *
bus_conference_path (Bus *bus, PhoneConference *conference)
{
  char path[sizeof PHONE_DBUS_CONFERENCE_PATH + 16];
  BusConference *self;

  if (!conference)
    return PHONE_DBUS_NO_OBJECT;
  g_snprintf (path, sizeof path, PHONE_DBUS_CONFERENCE_PATH "/%u", phone_conference_get_number (conference));
  self = g_hash_table_lookup (bus->conferences, path);
  return self ? self->path : PHONE_DBUS_NO_OBJECT;
}

/* ---- watches ---- */

/* All that came in one document goes out in one message; a lamp has no states that must be seen one by one. */
static void
on_watch_changed (PhoneWatch *watch, guint mask, BusWatched *self)
{
  self->pending |= mask;
  bus_flush_later (self->bus);
}

static void
watch_free (BusWatched *self)
{
  g_signal_handlers_disconnect_by_data (self->watch, self);
  g_object_unref (self->watch);
  g_free (self->account_path);
  g_free (self->path);
  g_free (self);
}

static BusWatched *
watch_add (Bus *bus, PhoneWatch *watch)
{
  BusWatched *self = g_new0 (BusWatched, 1);

  self->bus = bus;
  self->watch = g_object_ref (watch);
  self->path = g_strdup_printf (PHONE_DBUS_WATCH_PATH "/%u", phone_watch_get_number (watch));
  self->account_path = g_strdup (bus_account_path (bus, phone_watch_get_account (watch)));
  g_signal_connect (watch, "changed", G_CALLBACK (on_watch_changed), self);
  g_hash_table_replace (bus->watches, self->path, self);
  return self;
}

static void
on_watch_added (PhoneRegistry *registry, PhoneWatch *watch, Bus *bus)
{
  BusWatched *self = watch_add (bus, watch);

  log_failure ("InterfacesAdded", self->path, sd_bus_emit_object_added (bus->bus, self->path));
}

const char *
bus_watch_path (Bus *bus, PhoneWatch *watch)
{
  char path[sizeof PHONE_DBUS_WATCH_PATH + 16];
  BusWatched *self;

  g_snprintf (path, sizeof path, PHONE_DBUS_WATCH_PATH "/%u", phone_watch_get_number (watch));
  self = g_hash_table_lookup (bus->watches, path);
  return self ? self->path : PHONE_DBUS_NO_OBJECT;
}

static void
on_watch_removed (PhoneRegistry *registry, PhoneWatch *watch, Bus *bus)
{
  const char *path = bus_watch_path (bus, watch);

  if (!g_hash_table_contains (bus->watches, path))
    return;
  log_failure ("InterfacesRemoved", path, sd_bus_emit_object_removed (bus->bus, path));
  g_hash_table_remove (bus->watches, path);
}

/* ---- the registry ---- */

static void
on_registry_changed (PhoneRegistry *registry, guint mask, Bus *bus)
{
  bus->manager_pending |= mask;
  bus_flush_later (bus);
}

static void
on_audio_changed (PhoneRegistry *registry, Bus *bus)
{
  bus->audio_pending = TRUE;
  bus_flush_later (bus);
}

static void
on_recording_changed (PhoneRegistry *registry, const char *id, Bus *bus)
{
  bus_recordings_emit_changed (bus, id);
}

static void
on_history_changed (PhoneHistory *history, guint mask, Bus *bus)
{
  bus->history_pending |= mask;
  bus_flush_later (bus);
}

static void
on_dnd_changed (PhoneDnd *dnd, guint mask, Bus *bus)
{
  bus->dnd_pending |= mask;
  bus_flush_later (bus);
}

static void
on_history_added (PhoneHistory *history, const PhoneHistoryEntry *entry, gboolean kept, Bus *bus)
{
  bus_history_emit_added (bus, entry, kept);
}

static void
on_messages_changed (PhoneMessages *messages, guint mask, Bus *bus)
{
  bus->messages_pending |= mask;
  bus_flush_later (bus);
}

static void
on_message_received (PhoneMessages *messages, const PhoneMessage *message, Bus *bus)
{
  bus_messages_emit_received (bus, message);
}

static void
on_message_state (PhoneMessages *messages, const PhoneMessage *message, Bus *bus)
{
  bus_messages_emit_state (bus, message);
}

static void
on_composing (PhoneMessages *messages, const PhoneComposingNews *news, Bus *bus)
{
  bus_messages_emit_composing (bus, news);
}

/* ---- what sd-bus asks ---- */

static int
on_find_account (sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
                 sd_bus_error *ret_error)
{
  *ret_found = find_account (data, path);
  return *ret_found != NULL;
}

static int
on_find_call (sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
              sd_bus_error *ret_error)
{
  *ret_found = bus_find_call (data, path);
  return *ret_found != NULL;
}

static int
on_find_watch (sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found,
               sd_bus_error *ret_error)
{
  *ret_found = g_hash_table_lookup (((Bus *) data)->watches, path);
  return *ret_found != NULL;
}

static int
on_find_conference (sd_bus *bus, const char *path, const char *interface, void *data, void **ret_found, sd_bus_error *ret_error)
{
  *ret_found = bus_find_conference (data, path);
  return *ret_found != NULL;
}

/* sd-bus frees the strings and the array with free(). */
static int
list_paths (GHashTable *objects, char ***ret_paths)
{
  GHashTableIter iter;
  gpointer path;
  gsize n = 0;
  char **paths = calloc (g_hash_table_size (objects) + 1, sizeof *paths);

  if (!paths)
    return -ENOMEM;
  g_hash_table_iter_init (&iter, objects);
  while (g_hash_table_iter_next (&iter, &path, NULL))
    if (!(paths[n++] = strdup (path)))
      {
        for (gsize i = 0; i < n; i++)
          free (paths[i]);
        free (paths);
        return -ENOMEM;
      }
  *ret_paths = paths;
  return 1;
}

static int
on_list_accounts (sd_bus *bus, const char *prefix, void *data, char ***ret_paths, sd_bus_error *ret_error)
{
  return list_paths (((Bus *) data)->accounts, ret_paths);
}

static int
on_list_calls (sd_bus *bus, const char *prefix, void *data, char ***ret_paths, sd_bus_error *ret_error)
{
  return list_paths (((Bus *) data)->calls, ret_paths);
}

static int
on_list_watches (sd_bus *bus, const char *prefix, void *data, char ***ret_paths, sd_bus_error *ret_error)
{
  return list_paths (((Bus *) data)->watches, ret_paths);
}

static int
on_list_conferences (sd_bus *bus, const char *prefix, void *data, char ***ret_paths, sd_bus_error *ret_error)
{
  return list_paths (((Bus *) data)->conferences, ret_paths);
}

/* GetManagedObjects lists what lies below the manager; with this it lists the manager itself too. */
static int
on_list_root (sd_bus *bus, const char *prefix, void *data, char ***ret_paths, sd_bus_error *ret_error)
{
  char **paths = calloc (2, sizeof *paths);

  if (!paths || !(paths[0] = strdup (PHONE_DBUS_PATH)))
    {
      free (paths);
      return -ENOMEM;
    }
  *ret_paths = paths;
  return 1;
}

static int
export_vtables (Bus *self)
{
  sd_bus *bus = self->bus;
  int r;

  if ((r = sd_bus_add_object_manager (bus, NULL, PHONE_DBUS_PATH)) < 0
      || (r = sd_bus_add_node_enumerator (bus, NULL, PHONE_DBUS_PATH, on_list_root, self)) < 0
      || (r = sd_bus_add_node_enumerator (bus, NULL, PHONE_DBUS_ACCOUNT_PATH, on_list_accounts, self)) < 0
      || (r = sd_bus_add_node_enumerator (bus, NULL, PHONE_DBUS_CALL_PATH, on_list_calls, self)) < 0
      || (r = sd_bus_add_node_enumerator (bus, NULL, PHONE_DBUS_CONFERENCE_PATH, on_list_conferences, self)) < 0
      || (r = sd_bus_add_node_enumerator (bus, NULL, PHONE_DBUS_WATCH_PATH, on_list_watches, self)) < 0)
    return r;
  if ((r
       = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, bus_manager_vtable, self))
          < 0
      || (r = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, bus_audio_vtable, self)) < 0
      || (r = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_HISTORY, bus_history_vtable, self)) < 0
      || (r = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_MESSAGES, bus_messages_vtable, self)) < 0
      || (r = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_DND, bus_dnd_vtable, self)) < 0)
    return r;
  if ((r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_ACCOUNT_PATH, PHONE_DBUS_ACCOUNT,
                                       bus_account_vtable, on_find_account, self))
          < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_ACCOUNT_PATH, PHONE_DBUS_PRESENCE,
                                          bus_presence_vtable, on_find_account, self))
             < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_ACCOUNT_PATH, PHONE_DBUS_VOICEMAIL,
                                          bus_voicemail_vtable, on_find_account, self))
             < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_ACCOUNT_PATH, PHONE_DBUS_FORWARDING,
                                          bus_forwarding_vtable, on_find_account, self))
             < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_CONFERENCE_PATH, PHONE_DBUS_CONFERENCE,
                                          bus_conference_vtable, on_find_conference, self))
             < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_WATCH_PATH, PHONE_DBUS_WATCH,
                                          bus_watch_vtable, on_find_watch, self))
             < 0)
    return r;
  if ((r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_CALL_PATH, PHONE_DBUS_CALL, bus_call_vtable,
                                       on_find_call, self))
      < 0)
    return r;
  if ((r = sd_bus_add_object_vtable (bus, NULL, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, bus_recordings_vtable, self)) < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_CONFERENCE_PATH, PHONE_DBUS_RECORDING, bus_conference_recording_vtable,
                                          on_find_conference, self))
             < 0
      || (r = sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_CALL_PATH, PHONE_DBUS_RECORDING, bus_recording_vtable, on_find_call, self))
             < 0)
    return r;
  return sd_bus_add_fallback_vtable (bus, NULL, PHONE_DBUS_CALL_PATH, PHONE_DBUS_MEDIA, bus_media_vtable,
                                     on_find_call, self);
}

int
bus_objects_export (Bus *bus)
{
  GPtrArray *accounts = phone_registry_get_accounts (bus->registry);
  GPtrArray *calls = phone_registry_get_calls (bus->registry);
  GPtrArray *watches = phone_registry_get_watches (bus->registry);
  GPtrArray *conferences = phone_registry_get_conferences (bus->registry);

  bus->accounts = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) account_free);
  bus->calls = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) call_free);
  bus->conferences = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) conference_free);
  bus->watches = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) watch_free);
  for (guint i = 0; i < accounts->len; i++)
    account_add (bus, accounts->pdata[i]);
  for (guint i = 0; i < watches->len; i++)
    watch_add (bus, watches->pdata[i]);
  for (guint i = 0; i < calls->len; i++)
    call_add (bus, calls->pdata[i]);
  for (guint i = 0; i < conferences->len; i++)
    conference_add (bus, conferences->pdata[i]);
  default_account_mask (bus);
  g_signal_connect (bus->registry, "account-added", G_CALLBACK (on_account_added), bus);
  g_signal_connect (bus->registry, "account-removed", G_CALLBACK (on_account_removed), bus);
  g_signal_connect (bus->registry, "call-added", G_CALLBACK (on_call_added), bus);
  g_signal_connect (bus->registry, "call-removed", G_CALLBACK (on_call_removed), bus);
  g_signal_connect (bus->registry, "conference-added", G_CALLBACK (on_conference_added), bus);
  g_signal_connect (bus->registry, "conference-removed", G_CALLBACK (on_conference_removed), bus);
  g_signal_connect (bus->registry, "watch-added", G_CALLBACK (on_watch_added), bus);
  g_signal_connect (bus->registry, "watch-removed", G_CALLBACK (on_watch_removed), bus);
  g_signal_connect (bus->registry, "changed", G_CALLBACK (on_registry_changed), bus);
  g_signal_connect (bus->registry, "recording-changed", G_CALLBACK (on_recording_changed), bus);
  g_signal_connect (bus->registry, "audio-changed", G_CALLBACK (on_audio_changed), bus);
  g_signal_connect (phone_registry_get_dnd (bus->registry), "changed", G_CALLBACK (on_dnd_changed), bus);
  g_signal_connect (phone_registry_get_history (bus->registry), "changed", G_CALLBACK (on_history_changed), bus);
  g_signal_connect (phone_registry_get_history (bus->registry), "added", G_CALLBACK (on_history_added), bus);
  g_signal_connect (phone_registry_get_messages (bus->registry), "changed", G_CALLBACK (on_messages_changed), bus);
  g_signal_connect (phone_registry_get_messages (bus->registry), "received", G_CALLBACK (on_message_received), bus);
  g_signal_connect (phone_registry_get_messages (bus->registry), "state", G_CALLBACK (on_message_state), bus);
  g_signal_connect (phone_registry_get_messages (bus->registry), "composing", G_CALLBACK (on_composing), bus);
  return export_vtables (bus);
}

void
bus_objects_clear (Bus *bus)
{
  GHashTableIter iter;
  gpointer object;
  g_autoptr (GError) error = NULL;

  g_signal_handlers_disconnect_by_data (bus->registry, bus);
  g_signal_handlers_disconnect_by_data (phone_registry_get_dnd (bus->registry), bus);
  g_signal_handlers_disconnect_by_data (phone_registry_get_history (bus->registry), bus);
  g_signal_handlers_disconnect_by_data (phone_registry_get_messages (bus->registry), bus);
  if (!bus->accounts)
    return;
  error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The daemon is stopping");
  g_hash_table_iter_init (&iter, bus->accounts);
  while (g_hash_table_iter_next (&iter, NULL, &object))
    bus_secret_cancel (((BusAccount *) object)->secret, error);
  /* A reply flushes, so this comes behind them. */
  g_clear_handle_id (&bus->flush_id, g_source_remove);
  g_clear_pointer (&bus->default_account, g_free);
  g_clear_pointer (&bus->watches, g_hash_table_unref);
  g_clear_pointer (&bus->conferences, g_hash_table_unref);
  g_clear_pointer (&bus->calls, g_hash_table_unref);
  g_clear_pointer (&bus->accounts, g_hash_table_unref);
}
