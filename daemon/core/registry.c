/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The model's root. Policies that span calls live here and are re-evaluated from scratch after every change of a call
 * (phone_registry_call_changed): what rings, who waits, what state the daemon is in. Nothing is counted up and down. */

#include "core/arrival.h"
#include "core/dnd-model.h"
#include "core/history-private.h"
#include "core/messages-private.h"
#include "core/dial-plan.h"
#include "core/emergency.h"
#include "core/quality-outbox.h"
#include "core/quality-report.h"
#include "core/quality-watch.h"
#include "core/ring-list.h"

#include <string.h>

#define MAX_ACCOUNTS 64
#define MAX_ENDED_CALLS 64
#define MAX_HEADERS 16
#define MAX_HEADER_VALUE 512

struct _PhoneRegistry
{
  GObject parent_instance;
  PhoneDaemonSettings *settings;
  PhonePorts ports;
  GPtrArray *accounts;          /* owned */
  GPtrArray *calls;             /* owned; ended ones linger */
  PhoneHistory *history;
  PhoneMessages *messages;
  PhoneDnd *dnd;
  PhoneContacts *contacts;
  GPtrArray *watches;           /* owned */
  GPtrArray *passing_watches;
  GPtrArray *conferences;       /* owned */
  GHashTable *discarded;        /* ids of recordings that go as soon as they end */
  GPtrArray *leaving;           /* accounts that are removed and still have a stack */
  char *default_account;
  guint next_number;
  guint next_watch, next_conference;
  PhoneDaemonState state;
  PhoneNetworkState network;
  guint faders[phone_fader_n_values];
  PhoneTone ring;
  char *ring_sound;

  gboolean stopping;
  guint stop_deadline;
  void (*stop_done) (gpointer data);
  gpointer stop_data;
};

enum
{
  SIGNAL_ACCOUNT_ADDED,
  SIGNAL_ACCOUNT_REMOVED,
  SIGNAL_CALL_ADDED,
  SIGNAL_CALL_REMOVED,
  SIGNAL_CONFERENCE_ADDED,
  SIGNAL_CONFERENCE_REMOVED,
  SIGNAL_WATCH_ADDED,
  SIGNAL_WATCH_REMOVED,
  SIGNAL_CHANGED,
  SIGNAL_AUDIO_CHANGED,
  SIGNAL_RECORDING_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneRegistry, phone_registry, G_TYPE_OBJECT)

static void
phone_registry_finalize (GObject *object)
{
  PhoneRegistry *registry = PHONE_REGISTRY (object);

  g_clear_handle_id (&registry->stop_deadline, g_source_remove);
  phone_history_stop (registry->history);
  phone_messages_stop (registry->messages);
  phone_dnd_stop (registry->dnd);
  g_object_unref (registry->dnd);
  phone_contacts_unref (registry->contacts);
  g_object_unref (registry->history);
  g_ptr_array_unref (registry->conferences);
  g_object_unref (registry->messages);
  g_ptr_array_unref (registry->calls);
  g_ptr_array_unref (registry->watches);
  g_ptr_array_unref (registry->passing_watches);
  g_ptr_array_unref (registry->accounts);
  g_ptr_array_unref (registry->leaving);
  g_hash_table_unref (registry->discarded);
  g_free (registry->default_account);
  g_free (registry->ring_sound);
  phone_daemon_settings_free (registry->settings);
  G_OBJECT_CLASS (phone_registry_parent_class)->finalize (object);
}

static guint
new_signal (const char *name, GType argument)
{
  return argument == G_TYPE_NONE
             ? g_signal_new (name, PHONE_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0)
             : g_signal_new (name, PHONE_TYPE_REGISTRY, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, argument);
}

static void
phone_registry_class_init (PhoneRegistryClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_registry_finalize;
  signals[SIGNAL_ACCOUNT_ADDED] = new_signal ("account-added", PHONE_TYPE_ACCOUNT);
  signals[SIGNAL_ACCOUNT_REMOVED] = new_signal ("account-removed", PHONE_TYPE_ACCOUNT);
  signals[SIGNAL_CALL_ADDED] = new_signal ("call-added", PHONE_TYPE_CALL);
  signals[SIGNAL_CALL_REMOVED] = new_signal ("call-removed", PHONE_TYPE_CALL);
  signals[SIGNAL_CONFERENCE_ADDED] = new_signal ("conference-added", PHONE_TYPE_CONFERENCE);
  signals[SIGNAL_CONFERENCE_REMOVED] = new_signal ("conference-removed", PHONE_TYPE_CONFERENCE);
  signals[SIGNAL_WATCH_ADDED] = new_signal ("watch-added", PHONE_TYPE_WATCH);
  signals[SIGNAL_WATCH_REMOVED] = new_signal ("watch-removed", PHONE_TYPE_WATCH);
  signals[SIGNAL_CHANGED] = new_signal (PHONE_SIGNAL_CHANGED, G_TYPE_UINT);
  signals[SIGNAL_RECORDING_CHANGED] = new_signal ("recording-changed", G_TYPE_STRING);
  signals[SIGNAL_AUDIO_CHANGED] = new_signal ("audio-changed", G_TYPE_NONE);
}

static void
phone_registry_init (PhoneRegistry *registry)
{
  registry->accounts = g_ptr_array_new_with_free_func (g_object_unref);
  registry->leaving = g_ptr_array_new_with_free_func (g_object_unref);
  registry->calls = g_ptr_array_new_with_free_func (g_object_unref);
  registry->discarded = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  registry->history = phone_history_new (registry);
  registry->messages = phone_messages_new (registry);
  registry->dnd = phone_dnd_new (registry);
  registry->watches = g_ptr_array_new_with_free_func (g_object_unref);
  registry->passing_watches = g_ptr_array_new ();
  registry->conferences = g_ptr_array_new_with_free_func (g_object_unref);
  registry->next_number = 1;
  registry->next_conference = 1;
  registry->next_watch = 1;
  registry->network = PHONE_NETWORK_ONLINE;
  registry->faders[PHONE_FADER_INPUT_VOLUME] = registry->faders[PHONE_FADER_OUTPUT_VOLUME] = PHONE_VOLUME_NOMINAL;
}

PhoneRegistry *
phone_registry_new (const PhoneDaemonSettings *settings)
{
  PhoneRegistry *registry = g_object_new (PHONE_TYPE_REGISTRY, NULL);

  registry->settings = phone_daemon_settings_copy (settings);
  return registry;
}

static const PhoneRecording *
find_recording (PhoneRegistry *registry, const char *id)
{
  GPtrArray *all = phone_registry_get_recordings (registry);

  for (guint i = 0; all && i < all->len; i++)
    if (g_str_equal (((PhoneRecording *) all->pdata[i])->id, id))
      return all->pdata[i];
  return NULL;
}

static void
remove_discarded (PhoneRegistry *registry, const char *id)
{
  const PhoneRecording *recording = g_hash_table_contains (registry->discarded, id) ? find_recording (registry, id) : NULL;
  g_autofree char *copy = g_strdup (id);
  g_autoptr (GError) error = NULL;

  if (!recording || recording->state == PHONE_RECORDING_RUNNING)
    return;
  g_hash_table_remove (registry->discarded, copy);
  if (!registry->ports.vault->remove (registry->ports.vault_data, copy, &error))
    phone_log_warning (NULL, "Recording %s: %s", copy, error->message);
}

void
phone_registry_discard_recording (PhoneRegistry *registry, const char *id)
{
  g_hash_table_add (registry->discarded, g_strdup (id));
  remove_discarded (registry, id);
}

static void
on_recording_changed (const char *id, gpointer data)
{
  PhoneRegistry *registry = data;

  g_signal_emit (registry, signals[SIGNAL_RECORDING_CHANGED], 0, id);
  for (guint i = 0; i < registry->accounts->len; i++)
    phone_account_emit_changed (registry->accounts->pdata[i], PHONE_ACCOUNT_MESSAGES);
  remove_discarded (registry, id);
}

void
phone_registry_set_ports (PhoneRegistry *registry, const PhonePorts *ports)
{
  registry->ports = *ports;
  phone_history_start (registry->history);
  phone_messages_start (registry->messages);
  phone_dnd_start (registry->dnd);
  if (ports->vault)
    ports->vault->watch (ports->vault_data, on_recording_changed, registry);
}

GPtrArray *
phone_registry_get_recordings (PhoneRegistry *registry)
{
  return registry->ports.vault ? registry->ports.vault->list (registry->ports.vault_data) : NULL;
}

const PhonePorts *phone_registry_get_ports (PhoneRegistry *registry) { return &registry->ports; }
const PhoneDaemonSettings *phone_registry_get_settings (PhoneRegistry *registry) { return registry->settings; }
PhoneHistory *phone_registry_get_history (PhoneRegistry *registry) { return registry->history; }
PhoneMessages *phone_registry_get_messages (PhoneRegistry *registry) { return registry->messages; }
PhoneDnd *phone_registry_get_dnd (PhoneRegistry *registry) { return registry->dnd; }
GPtrArray *phone_registry_get_accounts (PhoneRegistry *registry) { return registry->accounts; }
GPtrArray *phone_registry_get_calls (PhoneRegistry *registry) { return registry->calls; }
GPtrArray *phone_registry_get_conferences (PhoneRegistry *registry) { return registry->conferences; }
GPtrArray *phone_registry_get_watches (PhoneRegistry *registry) { return registry->watches; }
GPtrArray *phone_registry_get_passing_watches (PhoneRegistry *registry) { return registry->passing_watches; }
guint phone_registry_next_watch_number (PhoneRegistry *registry) { return registry->next_watch++; }
PhoneDaemonState phone_registry_get_state (PhoneRegistry *registry) { return registry->state; }
PhoneNetworkState phone_registry_get_network (PhoneRegistry *registry) { return registry->network; }
guint phone_registry_get_fader (PhoneRegistry *registry, PhoneFader fader) { return registry->faders[fader]; }

static void
emit_changed (PhoneRegistry *registry, guint mask)
{
  g_signal_emit (registry, signals[SIGNAL_CHANGED], 0, mask);
}

void
phone_registry_emit_watch (PhoneRegistry *registry, PhoneWatch *watch, gboolean added)
{
  g_signal_emit (registry, signals[added ? SIGNAL_WATCH_ADDED : SIGNAL_WATCH_REMOVED], 0, watch);
}

static const char *const roles[] = { "input", "output", "ring", "echo-cancel", "follow-default" };

static const char *
configured_device (const PhoneDaemonSettings *settings, const char *role)
{
  return g_str_equal (role, "input")            ? settings->input
         : g_str_equal (role, "output")         ? settings->output
         : g_str_equal (role, "echo-cancel")    ? settings->echo_cancel
         : g_str_equal (role, "follow-default") ? settings->follow_default ? "true" : "false"
                                                : settings->ring;
}

/* After a reload: the devices whose setting changed, unless the user chose another. */
static void
select_configured (PhoneRegistry *registry, const PhoneDaemonSettings *before)
{
  const PhonePorts *ports = &registry->ports;
  gboolean changed = FALSE;

  for (gsize i = 0; ports->media && i < G_N_ELEMENTS (roles); i++)
    {
      const char *device = configured_device (registry->settings, roles[i]);
      g_autofree char *chosen = ports->store->choice_load ? ports->store->choice_load (ports->store_data, roles[i]) : NULL;
      g_autoptr (GError) error = NULL;

      if (chosen || g_strcmp0 (device, configured_device (before, roles[i])) == 0)
        continue;
      if (ports->media->audio_select (ports->engine, roles[i], device, &error))
        changed = TRUE;
      else
        phone_log_warning (NULL, "%s: %s", roles[i], error->message);
    }
  if (changed)
    phone_registry_audio_changed (registry);
}

void
phone_registry_set_settings (PhoneRegistry *registry, const PhoneDaemonSettings *settings)
{
  g_autoptr (PhoneDaemonSettings) before = registry->settings;

  registry->settings = phone_daemon_settings_copy (settings);
  select_configured (registry, before);
  phone_history_start (registry->history);
  phone_messages_start (registry->messages);
}

void
phone_registry_set_network (PhoneRegistry *registry, PhoneNetworkState state)
{
  if (registry->network == state)
    return;
  registry->network = state;
  emit_changed (registry, PHONE_REGISTRY_NETWORK);
}

void
phone_registry_set_fader (PhoneRegistry *registry, PhoneFader fader, guint value)
{
  /* Told even if it is no news here: a volume that nobody touched yet is whatever the server remembers of an earlier call. */
  registry->ports.media->audio_set_fader (registry->ports.engine, fader, value);
  if (registry->faders[fader] == value)
    return;
  registry->faders[fader] = value;
  emit_changed (registry, PHONE_REGISTRY_FIRST_FADER << fader);
}

void
phone_registry_audio_changed (PhoneRegistry *registry)
{
  g_signal_emit (registry, signals[SIGNAL_AUDIO_CHANGED], 0);
}

/* ---- the address book ---- */

void
phone_registry_set_contacts (PhoneRegistry *registry, PhoneContacts *contacts)
{
  g_autoptr (PhoneContacts) before = registry->contacts;
  g_autoptr (GPtrArray) changed = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = registry->calls->pdata[i];

      if (strcmp (phone_contacts_name (before, phone_call_get_party (call)), phone_contacts_name (contacts, phone_call_get_party (call))) != 0)
        g_ptr_array_add (changed, g_object_ref (call));
    }
  registry->contacts = contacts;
  phone_dnd_set_contacts (registry->dnd, contacts);
  for (guint i = 0; i < changed->len; i++)
    phone_call_emit_changed (changed->pdata[i], PHONE_CALL_FIELD_PARTY);
}

const char *
phone_registry_name_party (PhoneRegistry *registry, const char *asserted_id, const char *uri)
{
  return phone_contacts_name (registry->contacts, asserted_id && *asserted_id ? asserted_id : uri);
}

PhoneContactSearch *
phone_registry_search_contacts (PhoneRegistry *registry, const char *text)
{
  return phone_contact_search_new (registry->contacts, text);
}

/* ---- choices that outlive the daemon ---- */

static gboolean
save_choice (PhoneRegistry *registry, const char *key, const char *value, GError **error)
{
  const PhoneStoreOps *store = registry->ports.store;

  return !store->choice_save || store->choice_save (registry->ports.store_data, key, value, error);
}

gboolean
phone_registry_select_audio (PhoneRegistry *registry, const char *role, const char *device, GError **error)
{
  const PhonePorts *ports = &registry->ports;
  gboolean reset = *device == '\0';

  if (!ports->media->audio_select (ports->engine, role, reset ? configured_device (registry->settings, role) : device, error)
      || !save_choice (registry, role, reset ? NULL : device, error))
    return FALSE;
  phone_registry_audio_changed (registry);
  return TRUE;
}

void
phone_registry_restore_choices (PhoneRegistry *registry)
{
  const PhonePorts *ports = &registry->ports;

  if (!ports->store->choice_load)
    return;
  g_free (registry->default_account);
  registry->default_account = ports->store->choice_load (ports->store_data, "default-account");
  for (gsize i = 0; i < G_N_ELEMENTS (roles); i++)
    {
      g_autofree char *device = ports->store->choice_load (ports->store_data, roles[i]);
      g_autoptr (GError) error = NULL;

      /* A device that is not there today may be tomorrow: the choice stays. */
      if (device && !ports->media->audio_select (ports->engine, roles[i], device, &error))
        phone_log_warning (NULL, "%s: %s; the configured device is used", roles[i], error->message);
    }
}

const char *
phone_registry_country (PhoneRegistry *registry, PhoneAccount *account)
{
  const char *country = phone_account_get_settings (account)->country;

  return country ? country : registry->settings->country;
}

/* ---- accounts ---- */

PhoneAccount *
phone_registry_find_account (PhoneRegistry *registry, const char *id)
{
  for (guint i = 0; i < registry->accounts->len; i++)
    {
      PhoneAccount *account = g_ptr_array_index (registry->accounts, i);

      if (g_str_equal (phone_account_get_id (account), id))
        return account;
    }
  return NULL;
}

void
phone_registry_account_ready (PhoneRegistry *registry, PhoneAccount *account)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_copy (registry->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);

  phone_messages_account_changed (registry->messages, account);
  g_ptr_array_set_free_func (calls, g_object_unref);
  for (guint i = 0; i < calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (calls, i);

      if (phone_call_get_account (call) == account)
        phone_call_account_changed (call);
    }
}

static void
on_account_changed (PhoneAccount *account, guint mask, PhoneRegistry *registry)
{
  if (mask & (PHONE_ACCOUNT_REGISTRATION | PHONE_ACCOUNT_SETTINGS))
    phone_registry_account_ready (registry, account);
}

PhoneAccount *
phone_registry_add_account (PhoneRegistry *registry, const PhoneAccountSettings *settings, gboolean save, GError **error)
{
  PhoneAccount *account;
  g_autoptr (GError) start_error = NULL, greeting_error = NULL;

  if (registry->stopping)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "phoned is stopping");
      return NULL;
    }
  if (!phone_account_settings_validate (settings, error))
    return NULL;
  if (phone_registry_find_account (registry, settings->id))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "There is an account %s already", settings->id);
      return NULL;
    }
  if (registry->accounts->len >= MAX_ACCOUNTS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "There are %d accounts already", MAX_ACCOUNTS);
      return NULL;
    }
  /* One that a file asks for may come to be there later, and is looked at again when a call comes. */
  if (!phone_machine_check_greeting (registry, settings, NULL, save ? error : &greeting_error))
    {
      if (save)
        return NULL;
      phone_log_warning (NULL, "Account %s: %s", settings->id, greeting_error->message);
    }
  if (save && !registry->ports.store->account_save (registry->ports.store_data, settings, error))
    return NULL;

  account = phone_account_new (registry, settings);
  g_signal_connect (account, PHONE_SIGNAL_CHANGED, G_CALLBACK (on_account_changed), registry);
  g_ptr_array_add (registry->accounts, account);
  g_signal_emit (registry, signals[SIGNAL_ACCOUNT_ADDED], 0, account);
  if (registry->accounts->len == 1)
    emit_changed (registry, PHONE_REGISTRY_DEFAULT_ACCOUNT);
  phone_registry_restore_watches (registry, account);
  /* An account whose stack cannot start is there, failed and says why: the user can mend it. */
  if (!phone_account_start (account, &start_error))
    phone_log_warning (NULL, "Account %s: %s", settings->id, start_error->message);
  phone_messages_account_changed (registry->messages, account);
  return account;
}

gboolean
phone_registry_remove_account (PhoneRegistry *registry, PhoneAccount *account, gboolean delete_saved, GError **error)
{
  g_autoptr (PhoneAccount) keep = g_object_ref (account);
  gboolean was_default = phone_registry_get_default_account (registry) == account;
  g_autoptr (PhoneReason) reason
      = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_HANGUP, 0, "The account was removed");
  g_autoptr (GPtrArray) calls = NULL;

  if (delete_saved
      && !registry->ports.store->account_delete (registry->ports.store_data, phone_account_get_id (account), error))
    return FALSE;
  calls = g_ptr_array_copy (registry->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);
  g_ptr_array_set_free_func (calls, g_object_unref);
  for (guint i = 0; i < calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (calls, i);

      if (phone_call_get_account (call) == account)
        phone_call_end (call, reason);
    }
  phone_registry_drop_watches (registry, account, delete_saved);
  if (delete_saved)
    {
      phone_account_forget_forwards_at_server (account);
      phone_account_presence_forget (account);
      phone_quality_forget (account);
    }
  g_ptr_array_remove (registry->accounts, account);
  if (was_default && registry->default_account)
    {
      g_clear_pointer (&registry->default_account, g_free);
      if (delete_saved)
        save_choice (registry, "default-account", NULL, NULL);
    }
  g_signal_emit (registry, signals[SIGNAL_ACCOUNT_REMOVED], 0, account);
  phone_messages_account_changed (registry->messages, account);
  if (was_default)
    emit_changed (registry, PHONE_REGISTRY_DEFAULT_ACCOUNT);
  if (phone_account_is_running (account))
    {
      g_ptr_array_add (registry->leaving, g_object_ref (account));
      phone_account_stop (account);
    }
  return TRUE;
}

static void
maybe_stopped (PhoneRegistry *registry)
{
  void (*done) (gpointer data) = registry->stop_done;

  if (!registry->stopping || !done)
    return;
  for (guint i = 0; i < registry->accounts->len; i++)
    if (phone_account_is_running (g_ptr_array_index (registry->accounts, i)))
      return;
  if (registry->leaving->len)
    return;
  registry->stop_done = NULL;
  g_clear_handle_id (&registry->stop_deadline, g_source_remove);
  done (registry->stop_data);
}

void
phone_registry_account_stopped (PhoneRegistry *registry, PhoneAccount *account)
{
  if (!phone_account_is_running (account))
    g_ptr_array_remove (registry->leaving, account);
  maybe_stopped (registry);
}

PhoneAccount *
phone_registry_get_default_account (PhoneRegistry *registry)
{
  PhoneAccount *chosen = registry->default_account ? phone_registry_find_account (registry, registry->default_account) : NULL;

  if (chosen)
    return chosen;
  for (guint i = 0; i < registry->accounts->len; i++)
    {
      PhoneAccount *account = g_ptr_array_index (registry->accounts, i);

      if (phone_account_get_settings (account)->enabled)
        return account;
    }
  return registry->accounts->len ? g_ptr_array_index (registry->accounts, 0) : NULL;
}

gboolean
phone_registry_set_default_account (PhoneRegistry *registry, PhoneAccount *account, GError **error)
{
  if (!save_choice (registry, "default-account", phone_account_get_id (account), error))
    return FALSE;
  g_free (registry->default_account);
  registry->default_account = g_strdup (phone_account_get_id (account));
  emit_changed (registry, PHONE_REGISTRY_DEFAULT_ACCOUNT);
  return TRUE;
}

/* ---- what spans calls ---- */

PhoneCall *
phone_registry_find_call (PhoneRegistry *registry, guint number)
{
  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);

      if (phone_call_get_number (call) == number)
        return call;
    }
  return NULL;
}

guint
phone_registry_count_calls (PhoneRegistry *registry, PhoneAccount *account, gboolean on_stack_only)
{
  guint n = 0;

  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);

      if (account && phone_call_get_account (call) != account)
        continue;
      if (!on_stack_only && phone_call_is_machines (call))      /* which has limits of its own */
        continue;
      /* A call that is being ended still has a dialog in the account's stack, one that waits for the registration has none yet. */
      if (on_stack_only ? phone_call_needs_stack (call) : phone_call_get_state (call) != PHONE_CALL_DISCONNECTED)
        n++;
    }
  return n;
}

static gboolean
is_busy_with (PhoneRegistry *registry, PhoneCall *except)
{
  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);
      PhoneCallState state = phone_call_get_state (call);

      if (call != except && !phone_call_is_machines (call)
          && (phone_call_is_established (call) || state == PHONE_CALL_DIALING || state == PHONE_CALL_ALERTING))
        return TRUE;
    }
  return FALSE;
}

gboolean
phone_registry_is_talking (PhoneRegistry *registry, PhoneCall *except)
{
  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);

      if (call != except && phone_call_get_state (call) == PHONE_CALL_ACTIVE && !phone_call_is_machines (call))
        return TRUE;
    }
  return FALSE;
}

/* We leave a conference alone: its calls hear each other still. */
static void
hold_all (PhoneRegistry *registry, PhoneCall *except, PhoneConference *same)
{
  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);
      PhoneConference *conference = phone_call_get_conference (call);

      /* a call that gives way to the new one ends soon: nobody needs to agree on a hold before that */
      if (call == except || (except && phone_call_get_replaced_by (call) == phone_call_get_number (except)))
        continue;
      if (!conference)
        phone_call_step_aside (call);
      else if (conference != same)
        phone_conference_hold (conference);
    }
}

void
phone_registry_hold_others (PhoneRegistry *registry, PhoneCall *except)
{
  hold_all (registry, except, phone_call_get_conference (except));
}

void
phone_registry_hold_for_conference (PhoneRegistry *registry, PhoneConference *conference)
{
  hold_all (registry, NULL, conference);
}

static void
update_ring (PhoneRegistry *registry)
{
  PhoneTone ring = PHONE_TONE_NONE;
  PhoneCall *which = NULL;
  g_autofree char *sound = NULL;

  for (guint i = 0; i < registry->calls->len && !phone_tone_is_ring (ring); i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);
      g_autofree char *own = NULL;
      PhoneTone tone;

      if (!phone_call_wants_ring (call))
        continue;
      tone = phone_ring_list_choose (registry->settings->rings, phone_call_get_alert (call), &own);
      if (tone == PHONE_TONE_NONE)
        continue;
      which = call;
      ring = is_busy_with (registry, call) ? PHONE_TONE_CALL_WAITING : tone;
      if (phone_tone_is_ring (ring))
        sound = g_steal_pointer (&own);
    }
  if (ring == registry->ring && g_strcmp0 (sound, registry->ring_sound) == 0)
    return;
  registry->ring = ring;
  g_free (registry->ring_sound);
  registry->ring_sound = g_steal_pointer (&sound);
  registry->ports.media->set_ring (registry->ports.engine, ring,
                                   which ? phone_registry_country (registry, phone_call_get_account (which)) : NULL, registry->ring_sound);
}

static void
update_state (PhoneRegistry *registry)
{
  PhoneDaemonState state = PHONE_DAEMON_IDLE;

  for (guint i = 0; i < registry->calls->len && state != PHONE_DAEMON_IN_CALL; i++)
    {
      PhoneCall *call = g_ptr_array_index (registry->calls, i);
      PhoneCallState call_state = phone_call_get_state (call);

      if ((call_state == PHONE_CALL_INCOMING || call_state == PHONE_CALL_WAITING) && !phone_call_is_machines (call))
        state = PHONE_DAEMON_RINGING;
      else if (!phone_call_is_ended (call))
        state = PHONE_DAEMON_IN_CALL;
    }
  if (registry->stopping)
    state = PHONE_DAEMON_STOPPING;
  if (state == registry->state)
    return;
  registry->state = state;
  emit_changed (registry, PHONE_REGISTRY_STATE);
}

static void
remove_call (PhoneRegistry *registry, PhoneCall *call)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);

  phone_call_dispose_media (call);
  if (g_ptr_array_remove (registry->calls, call))
    g_signal_emit (registry, signals[SIGNAL_CALL_REMOVED], 0, call);
}

void
phone_registry_call_lingered (PhoneRegistry *registry, PhoneCall *call)
{
  remove_call (registry, call);
}

/* Ended calls stay visible for a while, but not without limit: a caller who rings and hangs up in a loop must not fill us. */
static void
start_linger (PhoneRegistry *registry, PhoneCall *call)
{
  guint ended = 0;

  phone_call_start_linger (call, registry->settings->linger);
  for (guint i = registry->calls->len; i-- > 0;)
    {
      PhoneCall *other = g_ptr_array_index (registry->calls, i);

      if (phone_call_get_state (other) == PHONE_CALL_DISCONNECTED && ++ended > MAX_ENDED_CALLS)
        remove_call (registry, other);
    }
}

void
phone_registry_call_changed (PhoneRegistry *registry, PhoneCall *call)
{
  g_autoptr (PhoneCall) keep = g_object_ref (call);

  if (!g_ptr_array_find (registry->calls, call, NULL))
    return;
  for (guint i = 0; i < registry->calls->len; i++)
    {
      PhoneCall *other = g_ptr_array_index (registry->calls, i);

      phone_call_set_waiting (other, is_busy_with (registry, other));
    }
  update_ring (registry);
  update_state (registry);
  for (guint i = 0; i < registry->accounts->len; i++)
    phone_account_presence_set_in_call (g_ptr_array_index (registry->accounts, i), is_busy_with (registry, NULL));
  registry->ports.sig->dialogs_changed (registry->ports.ua, phone_call_get_account (call));
  phone_quality_watch_update (call, &registry->ports);
  if (phone_call_get_state (call) == PHONE_CALL_DISCONNECTED)
    {
      if (phone_call_take_record (call))
        {
          phone_history_record_call (registry->history, call);
          phone_quality_report_call (call, &registry->ports, PHONE_QUALITY_SESSION, NULL);
        }
      start_linger (registry, call);
      if (phone_registry_count_calls (registry, phone_call_get_account (call), TRUE) == 0)
        phone_account_calls_gone (phone_call_get_account (call));
    }
}

/* ---- conferences ---- */

PhoneConference *
phone_registry_find_conference (PhoneRegistry *registry, guint number)
{
  for (guint i = 0; i < registry->conferences->len; i++)
    {
      PhoneConference *conference = g_ptr_array_index (registry->conferences, i);

      if (phone_conference_get_number (conference) == number)
        return conference;
    }
  return NULL;
}

void
phone_registry_conference_over (PhoneRegistry *registry, PhoneConference *conference)
{
  g_autoptr (PhoneConference) keep = g_object_ref (conference);

  if (g_ptr_array_remove (registry->conferences, conference))
    g_signal_emit (registry, signals[SIGNAL_CONFERENCE_REMOVED], 0, conference);
}

static gboolean
check_members (PhoneRegistry *registry, PhoneCall *const *calls, guint n, guint least, GError **error)
{
  if (registry->stopping)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "phoned is stopping");
      return FALSE;
    }
  if (!registry->ports.media->room_new)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "There are no conferences here");
      return FALSE;
    }
  if (n < least || n > PHONE_CONFERENCE_MAX)
    {
      g_set_error (error, PHONE_ERROR, n < least ? PHONE_ERROR_INVALID_OPTION : PHONE_ERROR_TOO_MANY,
                   "A conference has %u to %d calls, not %u", least, PHONE_CONFERENCE_MAX, n);
      return FALSE;
    }
  for (guint i = 0; i < n; i++)
    {
      if (!phone_conference_check (NULL, calls[i], error))
        return FALSE;
      for (guint j = 0; j < i; j++)
        if (calls[j] == calls[i])
          {
            g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Call %u is named twice", phone_call_get_number (calls[i]));
            return FALSE;
          }
    }
  return TRUE;
}

PhoneConference *
phone_registry_add_conference (PhoneRegistry *registry, PhoneCall *const *calls, guint n, gboolean keep, GError **error)
{
  PhoneConference *conference;

  if (!check_members (registry, calls, n, keep ? 1 : 2, error))
    return NULL;
  conference = phone_conference_new (registry, registry->next_conference++, keep);
  g_ptr_array_add (registry->conferences, conference);
  for (guint i = 0; i < n; i++)
    phone_conference_join (conference, calls[i]);
  g_signal_emit (registry, signals[SIGNAL_CONFERENCE_ADDED], 0, conference);
  for (guint i = 0; i < n; i++)
    phone_call_come_back (calls[i]);
  phone_conference_resume (conference);
  return conference;
}

/* ---- dialling ---- */

static const char *const allowed_headers[] = { "Subject", "Priority", "Alert-Info", "Call-Info", "Answer-Mode", "P-Early-Media" };

static gboolean
header_allowed (const char *name)
{
  if (g_ascii_strncasecmp (name, "X-", 2) == 0 && strlen (name) <= 64
      && strspn (name, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-._") == strlen (name))
    return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (allowed_headers); i++)
    if (g_ascii_strcasecmp (name, allowed_headers[i]) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
is_printable (const char *text)
{
  for (const char *p = text; *p; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return g_utf8_validate (text, -1, NULL);
}

static gboolean
check_dial_options (const PhoneDialOptions *options, GError **error)
{
  if (options->display_name && (!is_printable (options->display_name) || strlen (options->display_name) > MAX_HEADER_VALUE))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "display: not printable text of at most %d octets",
                   MAX_HEADER_VALUE);
      return FALSE;
    }
  if (options->replaces && (!is_printable (options->replaces) || strlen (options->replaces) > MAX_HEADER_VALUE))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "replaces: not a header value");
      return FALSE;
    }
  for (gsize i = 0; options->headers && options->headers[i]; i += 2)
    {
      const char *name = options->headers[i], *value = options->headers[i + 1];

      if (i / 2 >= MAX_HEADERS)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "headers: more than %d", MAX_HEADERS);
          return FALSE;
        }
      if (!header_allowed (name))
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "headers: %s may not be set, only X-... and a few others",
                       is_printable (name) ? name : "that name");
          return FALSE;
        }
      if (!is_printable (value) || strlen (value) > MAX_HEADER_VALUE)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "headers: the value of %s is not printable text of at most %d octets",
                       name, MAX_HEADER_VALUE);
          return FALSE;
        }
    }
  return TRUE;
}

PhoneAccount *
phone_registry_choose_account (PhoneRegistry *registry, const char *target)
{
  PhoneAccount *fallback = phone_registry_get_default_account (registry);
  const char *at = strrchr (target, '@');
  gsize length = at ? strcspn (at + 1, ";>?:") : 0;

  if (!at || length == 0)
    return fallback;
  for (guint i = 0; i <= registry->accounts->len; i++)
    {
      PhoneAccount *account = i == 0 ? fallback : g_ptr_array_index (registry->accounts, i - 1);
      const char *domain = account ? strrchr (phone_account_get_settings (account)->aor, '@') : NULL;

      if (domain && phone_account_get_settings (account)->enabled && strcspn (domain + 1, ";>?:") == length
          && g_ascii_strncasecmp (domain + 1, at + 1, length) == 0)
        return account;
    }
  return fallback;
}

/* Help is called with whatever works: an account that the server knows before one that is only open. */
static PhoneAccount *
choose_for_help (PhoneRegistry *registry, PhoneAccount *preferred)
{
  PhoneAccount *open = preferred && phone_account_is_open (preferred) ? preferred : NULL;

  for (guint i = 0; i <= registry->accounts->len; i++)
    {
      PhoneAccount *account = i == 0 ? preferred : g_ptr_array_index (registry->accounts, i - 1);

      if (!account || !phone_account_is_open (account))
        continue;
      if (phone_account_get_registration (account) == PHONE_REGISTRATION_REGISTERED)
        return account;
      if (!open)
        open = account;
    }
  return open ? open : preferred;
}

static void
set_not_callable (GError **error, PhoneError code, PhoneAccount *account)
{
  g_autofree char *why = phone_account_explain (account);

  g_set_error_literal (error, PHONE_ERROR, code, why);
}

static gboolean
check_dialable (PhoneRegistry *registry, PhoneAccount *account, const char *target, const PhoneDialOptions *options,
                GError **error)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);
  PhoneRegistration registration = phone_account_get_registration (account);
  gboolean settling = phone_account_is_settling (account);

  if (!settings->enabled || (!phone_account_is_open (account) && !settling && !(options->when_registered && settings->do_register)))
    {
      set_not_callable (error, PHONE_ERROR_INVALID_STATE, account);
      return FALSE;
    }
  /* A call for help goes out whatever we believe about the registration or our limits. */
  if (phone_is_emergency_number (target, phone_registry_country (registry, account)))
    return TRUE;
  if (settings->do_register && registration != PHONE_REGISTRATION_REGISTERED && !options->when_registered && !settling)
    {
      set_not_callable (error, PHONE_ERROR_NOT_REGISTERED, account);
      return FALSE;
    }
  /* a call in place of another does not make more of them */
  if (!options->referrer
      && (phone_registry_count_calls (registry, NULL, FALSE) >= registry->settings->max_calls
          || phone_registry_count_calls (registry, account, FALSE) >= settings->max_calls))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "The limit on calls (max-calls) is reached");
      return FALSE;
    }
  return TRUE;
}

PhoneCall *
phone_registry_dial (PhoneRegistry *registry, const char *target, const PhoneDialOptions *options, GError **error)
{
  PhoneAccount *account = options->account ? options->account : phone_registry_choose_account (registry, target);
  g_autofree char *uri = NULL;
  g_autoptr (PhoneCall) call = NULL;

  if (registry->stopping)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "phoned is stopping");
      return NULL;
    }
  if (!account)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no account to call with");
      return NULL;
    }
  if (!check_dial_options (options, error))
    return NULL;
  if (!options->account && phone_is_emergency_number (target, phone_registry_country (registry, account)))
    account = choose_for_help (registry, account);
  uri = phone_dial_plan_resolve_in (phone_account_get_settings (account), target, phone_registry_country (registry, account), error);
  if (!uri || !check_dialable (registry, account, target, options, error))
    return NULL;
  if (options->conference && phone_conference_get_calls (options->conference)->len >= PHONE_CONFERENCE_MAX)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "Conference %u has %d calls already",
                   phone_conference_get_number (options->conference), PHONE_CONFERENCE_MAX);
      return NULL;
    }

  if (phone_is_emergency_number (target, phone_registry_country (registry, account)))
    phone_dnd_note_emergency (registry->dnd);
  call = phone_call_new_outgoing (registry, account, registry->next_number, uri, options);
  if (!phone_call_start (call, error))
    return NULL;
  registry->next_number++;
  g_ptr_array_add (registry->calls, g_object_ref (call));
  if (options->referrer)
    phone_call_refer_on (call, options->referrer);
  g_signal_emit (registry, signals[SIGNAL_CALL_ADDED], 0, call);
  if (options->conference)
    phone_conference_join (options->conference, call);
  if (!options->keep_others && !options->conference)
    phone_registry_hold_others (registry, call);
  phone_registry_call_changed (registry, call);
  return call;
}

void
phone_registry_hangup_all (PhoneRegistry *registry)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_copy (registry->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);

  g_ptr_array_set_free_func (calls, g_object_unref);
  while (registry->conferences->len > 0)
    phone_conference_close (g_ptr_array_index (registry->conferences, 0));
  for (guint i = 0; i < calls->len; i++)
    phone_call_hangup (g_ptr_array_index (calls, i), NULL);
}

/* ---- incoming ---- */

static PhoneArrivalLimits
limits_of (PhoneRegistry *registry, PhoneAccount *account)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);

  return (PhoneArrivalLimits){
    .closed = registry->stopping || !settings->enabled,
    .full = phone_registry_count_calls (registry, NULL, FALSE) >= registry->settings->max_calls
            || phone_registry_count_calls (registry, account, FALSE) >= settings->max_calls,
    .engaged = !registry->settings->call_waiting && is_busy_with (registry, NULL),
  };
}

/* Nothing is created for a call that is turned away at once. */
static PhoneCall *
turn_away (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, const PhoneRefusal *refusal, const char *by,
           const char *why, PhoneRefusal *ret_refusal)
{
  phone_log_notice (NULL, "Account %s: call from %s refused with %u%s%s", phone_account_get_id (account), incoming->remote_uri,
                    refusal->status, *why ? ": " : "", why);
  phone_history_record_refused (registry->history, account, incoming, refusal->status, by);
  *ret_refusal = *refusal;
  return NULL;
}

PhoneCall *
phone_registry_on_incoming (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming,
                            const PhoneMediaDesc *offer, gpointer engine_data, PhoneRefusal *ret_refusal)
{
  const PhoneArrivalLimits limits = limits_of (registry, account);
  g_autoptr (PhoneCall) call = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (PhoneArrival) arrival = { 0 };

  *ret_refusal = (PhoneRefusal){ 0 };
  phone_arrival_judge (registry, account, incoming, &limits, &arrival);
  if (arrival.fate == PHONE_ARRIVAL_REFUSE)
    return turn_away (registry, account, incoming, &arrival.refusal, arrival.refused_by,
                      g_str_equal (arrival.refused_by, "dnd") ? "do not disturb" : "", ret_refusal);
  call = phone_call_new_incoming (registry, account, registry->next_number, incoming, offer, engine_data);
  if (offer && arrival.fate != PHONE_ARRIVAL_FORWARD && !phone_call_check_offer (call, offer, &error))
    return turn_away (registry, account, incoming, &(PhoneRefusal){ .status = 488 }, "", error->message, ret_refusal);
  if (arrival.fate == PHONE_ARRIVAL_SILENT || arrival.fate == PHONE_ARRIVAL_MACHINE)
    phone_call_set_silenced (call);
  if (arrival.for_help)
    phone_call_set_for_help (call);
  phone_call_set_answer (call, arrival.answer_after, arrival.intercom);
  registry->next_number++;
  g_ptr_array_add (registry->calls, g_object_ref (call));
  if (arrival.fate == PHONE_ARRIVAL_FORWARD)
    phone_call_silence_ring (call, NULL);
  phone_call_set_waiting (call, is_busy_with (registry, call));
  phone_log_notice (NULL, "Call %u: incoming from %s on account %s", phone_call_get_number (call), incoming->remote_uri,
                    phone_account_get_id (account));
  g_signal_emit (registry, signals[SIGNAL_CALL_ADDED], 0, call);
  phone_registry_call_changed (registry, call);
  if (arrival.fate == PHONE_ARRIVAL_FORWARD)
    phone_call_divert (call, arrival.target, arrival.reason);
  else if (incoming->replaced)
    phone_call_take_over (call, incoming->replaced);
  else if (arrival.fate == PHONE_ARRIVAL_MACHINE && phone_call_answer_by_machine (call, arrival.reason, &error))
    return call;
  else if (error)
    phone_log_warning (NULL, "Call %u: the answering machine cannot answer: %s", phone_call_get_number (call), error->message);
  if (arrival.fate != PHONE_ARRIVAL_FORWARD && !incoming->replaced && !phone_call_is_ended (call))
    phone_call_ring (call);
  return call;
}

/* ---- stopping ---- */

static gboolean
on_stop_deadline (gpointer data)
{
  PhoneRegistry *registry = data;
  void (*done) (gpointer user_data) = registry->stop_done;

  registry->stop_deadline = 0;
  registry->stop_done = NULL;
  if (done)
    done (registry->stop_data);
  return G_SOURCE_REMOVE;
}

void
phone_registry_stop (PhoneRegistry *registry, guint deadline, void (*done) (gpointer data), gpointer data)
{
  g_autoptr (GPtrArray) calls = g_ptr_array_copy (registry->calls, (GCopyFunc) (gpointer) g_object_ref, NULL);
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_SHUTDOWN, 480, "phoned is stopping");

  g_return_if_fail (!registry->stopping);
  g_ptr_array_set_free_func (calls, g_object_unref);
  registry->stopping = TRUE;
  registry->stop_done = done;
  registry->stop_data = data;
  registry->stop_deadline = g_timeout_add (deadline, on_stop_deadline, registry);
  update_state (registry);
  while (registry->conferences->len > 0)
    phone_conference_close (g_ptr_array_index (registry->conferences, 0));
  for (guint i = 0; i < calls->len; i++)
    phone_call_end (g_ptr_array_index (calls, i), reason);
  for (guint i = 0; i < registry->accounts->len; i++)
    {
      phone_registry_drop_pickups (registry, g_ptr_array_index (registry->accounts, i));
      phone_account_stop (g_ptr_array_index (registry->accounts, i));
    }
  maybe_stopped (registry);
}
