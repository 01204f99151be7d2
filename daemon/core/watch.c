/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Watches, and their list in the registry. What is shown of a phone is what its server said last, as long as the subscription stands; when
 * that has gone, nothing is known any more and nothing is pretended. */

#include "core/model-private.h"
#include "core/dial-plan.h"
#include "core/watch.h"

#include <string.h>

#include "util/phone-uri.h"

struct _PhoneWatch
{
  GObject parent_instance;
  PhoneRegistry *registry;      /* not owned: the registry owns us */
  PhoneAccount *account;        /* reference */
  guint number;
  char *uri;
  PhoneWatchKind kind;
  PhoneLamp lamp;
  PhonePresenceInfo presence;
  GPtrArray *dialogs, *resources;
  PhoneSubscriptionDetail subscription;
  gpointer engine_data;
};

static guint changed_signal;

G_DEFINE_FINAL_TYPE (PhoneWatch, phone_watch, G_TYPE_OBJECT)

static void
phone_watch_finalize (GObject *object)
{
  PhoneWatch *watch = PHONE_WATCH (object);

  g_object_unref (watch->account);
  g_free (watch->uri);
  phone_presence_info_clear (&watch->presence);
  phone_subscription_detail_clear (&watch->subscription);
  g_ptr_array_unref (watch->dialogs);
  g_ptr_array_unref (watch->resources);
  G_OBJECT_CLASS (phone_watch_parent_class)->finalize (object);
}

static void
phone_watch_class_init (PhoneWatchClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_watch_finalize;
  changed_signal = g_signal_new (PHONE_SIGNAL_CHANGED, PHONE_TYPE_WATCH, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                 G_TYPE_UINT);
}

static void
phone_watch_init (PhoneWatch *watch)
{
  watch->dialogs = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_dialog_entry_free);
  watch->resources = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_resource_free);
  watch->presence.status = PHONE_STATUS_UNKNOWN;
}

static void
emit_changed (PhoneWatch *watch, guint mask)
{
  if (mask)
    g_signal_emit (watch, changed_signal, 0, mask);
}

/* ---- getters ---- */

guint phone_watch_get_number (PhoneWatch *watch) { return watch->number; }
PhoneAccount *phone_watch_get_account (PhoneWatch *watch) { return watch->account; }
const char *phone_watch_get_uri (PhoneWatch *watch) { return watch->uri; }
PhoneWatchKind phone_watch_get_kind (PhoneWatch *watch) { return watch->kind; }
PhoneLamp phone_watch_get_lamp (PhoneWatch *watch) { return watch->lamp; }
const PhonePresenceInfo *phone_watch_get_presence (PhoneWatch *watch) { return &watch->presence; }
const GPtrArray *phone_watch_get_dialogs (PhoneWatch *watch) { return watch->dialogs; }
const GPtrArray *phone_watch_get_resources (PhoneWatch *watch) { return watch->resources; }
const PhoneSubscriptionDetail *phone_watch_get_subscription (PhoneWatch *watch) { return &watch->subscription; }
gpointer phone_watch_get_engine_data (PhoneWatch *watch) { return watch->engine_data; }
void phone_watch_set_engine_data (PhoneWatch *watch, gpointer data) { watch->engine_data = data; }

/* ---- events ---- */

static guint
set_lamp (PhoneWatch *watch, PhoneLamp lamp)
{
  PhoneLogFields fields = { .account = phone_account_get_id (watch->account) };

  if (watch->lamp == lamp)
    return 0;
  phone_log_info (&fields, "Watch %u: %s -> %s", watch->number, phone_lamp_to_string (watch->lamp), phone_lamp_to_string (lamp));
  watch->lamp = lamp;
  return PHONE_WATCH_STATE;
}

static guint
set_presence (PhoneWatch *watch, const PhonePresenceInfo *info)
{
  char *note;

  if (watch->presence.status == info->status && g_strcmp0 (watch->presence.note, info->note) == 0)
    return 0;
  note = g_strdup (info->note);
  phone_presence_info_clear (&watch->presence);
  watch->presence = (PhonePresenceInfo){ info->status, note };
  return PHONE_WATCH_STATUS;
}

static guint
set_dialogs (PhoneWatch *watch, GPtrArray *dialogs)
{
  guint mask = dialogs->len || watch->dialogs->len ? PHONE_WATCH_DIALOGS : 0;

  g_ptr_array_unref (watch->dialogs);
  watch->dialogs = dialogs;
  return mask;
}

static guint
set_resources (PhoneWatch *watch, GPtrArray *resources)
{
  guint mask = resources->len || watch->resources->len ? PHONE_WATCH_RESOURCES : 0;

  g_ptr_array_unref (watch->resources);
  watch->resources = resources;
  return mask;
}

void
phone_watch_on_presence (PhoneWatch *watch, const PhonePresenceInfo *info)
{
  emit_changed (watch, set_presence (watch, info) | set_lamp (watch, phone_lamp_from_status (info->status)));
}

void
phone_watch_on_dialogs (PhoneWatch *watch, GPtrArray *dialogs)
{
  PhoneLamp lamp = phone_lamp_from_dialogs (dialogs);

  emit_changed (watch, set_dialogs (watch, dialogs) | set_lamp (watch, lamp));
}

void
phone_watch_on_resources (PhoneWatch *watch, GPtrArray *resources)
{
  emit_changed (watch, set_resources (watch, resources));
}

/* 480 says that the phone is not there; any other refusal says nothing about it. */
static guint
forget (PhoneWatch *watch, const PhoneSubscriptionDetail *detail)
{
  PhonePresenceInfo none = { detail->code == 480 ? PHONE_STATUS_OFFLINE : PHONE_STATUS_UNKNOWN, NULL };
  guint mask = set_lamp (watch, phone_lamp_from_status (none.status));

  mask |= set_presence (watch, watch->kind == PHONE_WATCH_PRESENCE ? &none : &(PhonePresenceInfo){ PHONE_STATUS_UNKNOWN, NULL });
  mask |= set_dialogs (watch, g_ptr_array_new_with_free_func ((GDestroyNotify) phone_dialog_entry_free));
  return mask | set_resources (watch, g_ptr_array_new_with_free_func ((GDestroyNotify) phone_resource_free));
}

void
phone_watch_on_subscription (PhoneWatch *watch, const PhoneSubscriptionDetail *detail)
{
  gboolean lost = detail->state == PHONE_SUBSCRIPTION_IDLE || detail->state == PHONE_SUBSCRIPTION_WAITING;

  if (phone_subscription_detail_assign (&watch->subscription, detail))
    emit_changed (watch, PHONE_WATCH_SUBSCRIPTION | (lost ? forget (watch, detail) : 0));
}

/* ---- pickup ---- */

static char *
find_replaces (PhoneWatch *watch, char **ret_target)
{
  for (guint i = 0; i < watch->dialogs->len; i++)
    {
      char *replaces = phone_dialog_entry_replaces (g_ptr_array_index (watch->dialogs, i), ret_target);

      if (replaces)
        return replaces;
    }
  return NULL;
}

gboolean
phone_watch_can_pick_up (PhoneWatch *watch)
{
  g_autofree char *target = NULL;
  g_autofree char *replaces = find_replaces (watch, &target);

  return replaces != NULL;
}

PhoneCall *
phone_watch_pick_up (PhoneWatch *watch, GError **error)
{
  g_autofree char *target = NULL;
  g_autofree char *replaces = find_replaces (watch, &target);
  PhoneDialOptions options = { .account = watch->account, .replaces = replaces };

  if (!replaces)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "%s: %s", watch->uri,
                   watch->lamp == PHONE_LAMP_RINGING ? "the server does not tell enough of the call to pick it up"
                                                     : "no call rings there");
      return NULL;
    }
  return phone_registry_dial (watch->registry, target, &options, error);
}

/* ---- the list ---- */

PhoneWatch *
phone_registry_find_watch (PhoneRegistry *registry, guint number)
{
  GPtrArray *watches = phone_registry_get_watches (registry);

  for (guint i = 0; i < watches->len; i++)
    if (((PhoneWatch *) g_ptr_array_index (watches, i))->number == number)
      return g_ptr_array_index (watches, i);
  return NULL;
}

static char *
storage_key (PhoneAccount *account)
{
  return g_strconcat ("watches-", phone_account_get_id (account), NULL);
}

/* "KIND URI", separated by commas: a URI has none that is not escaped here. */
static gboolean
save (PhoneRegistry *registry, PhoneAccount *account, PhoneWatch *except, PhoneWatch *added, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);
  GPtrArray *watches = phone_registry_get_watches (registry);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *key = storage_key (account);

  if (!ports->store->choice_save)
    return TRUE;
  for (guint i = 0; i <= watches->len; i++)
    {
      PhoneWatch *watch = i < watches->len ? g_ptr_array_index (watches, i) : added;

      if (watch && watch != except && watch->account == account)
        g_string_append_printf (text, "%s%s %s", text->len ? "," : "", phone_watch_kind_to_string (watch->kind), watch->uri);
    }
  return ports->store->choice_save (ports->store_data, key, text->len ? text->str : NULL, error);
}

PhoneWatch *
phone_watch_new (PhoneRegistry *registry, PhoneAccount *account, guint number, const char *uri, PhoneWatchKind kind)
{
  PhoneWatch *watch = g_object_new (PHONE_TYPE_WATCH, NULL);

  watch->registry = registry;
  watch->account = g_object_ref (account);
  watch->number = number;
  watch->uri = g_strdup (uri);
  watch->kind = kind;
  return watch;
}

static void
publish (PhoneRegistry *registry, PhoneWatch *watch)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);

  g_ptr_array_add (phone_registry_get_watches (registry), watch);
  phone_registry_emit_watch (registry, watch, TRUE);
  ports->sig->watch_start (ports->ua, watch);
}

PhoneWatch *
phone_registry_add_watch (PhoneRegistry *registry, PhoneAccount *account, const char *target, PhoneWatchKind kind, GError **error)
{
  GPtrArray *watches = phone_registry_get_watches (registry);
  g_autofree char *uri = phone_dial_plan_resolve_in (phone_account_get_settings (account), target,
                                                     phone_registry_country (registry, account), error);
  g_autoptr (PhoneWatch) watch = NULL;

  if (!uri)
    return NULL;
  if (kind == PHONE_WATCH_CONFERENCE)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Conferences are followed by being in them");
      return NULL;
    }
  for (char *comma = strchr (uri, ','); comma; comma = strchr (uri, ','))
    {
      g_autofree char *old = g_steal_pointer (&uri);

      uri = g_strdup_printf ("%.*s%%2C%s", (int) strcspn (old, ","), old, strchr (old, ',') + 1);
    }
  for (guint i = 0; i < watches->len; i++)
    {
      PhoneWatch *other = g_ptr_array_index (watches, i);

      if (other->account == account && other->kind == kind && g_str_equal (other->uri, uri))
        return other;
    }
  if (watches->len >= PHONE_MAX_WATCHES)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "There are %d watches already", PHONE_MAX_WATCHES);
      return NULL;
    }
  watch = phone_watch_new (registry, account, phone_registry_next_watch_number (registry), uri, kind);
  if (!save (registry, account, NULL, watch, error))
    return NULL;
  publish (registry, g_object_ref (watch));
  return watch;
}

static void
drop (PhoneRegistry *registry, PhoneWatch *watch)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);
  g_autoptr (PhoneWatch) keep = g_object_ref (watch);

  ports->sig->watch_stop (ports->ua, watch);
  g_ptr_array_remove (phone_registry_get_watches (registry), watch);
  phone_registry_emit_watch (registry, watch, FALSE);
}

gboolean
phone_registry_remove_watch (PhoneRegistry *registry, PhoneWatch *watch, GError **error)
{
  if (!save (registry, watch->account, watch, NULL, error))
    return FALSE;
  drop (registry, watch);
  return TRUE;
}

void
phone_registry_restore_watches (PhoneRegistry *registry, PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);
  g_autofree char *key = storage_key (account);
  g_autofree char *text = ports->store->choice_load ? ports->store->choice_load (ports->store_data, key) : NULL;
  g_auto (GStrv) entries = text ? g_strsplit (text, ",", -1) : NULL;

  for (gsize i = 0; entries && entries[i] && phone_registry_get_watches (registry)->len < PHONE_MAX_WATCHES; i++)
    {
      char *space = strchr (entries[i], ' ');
      g_autoptr (PhoneUri) uri = space ? phone_uri_parse (space + 1, NULL) : NULL;
      PhoneWatchKind kind;

      if (!uri)
        continue;
      *space = '\0';
      if (phone_watch_kind_from_string (entries[i], &kind) && kind != PHONE_WATCH_CONFERENCE)
        publish (registry, phone_watch_new (registry, account, phone_registry_next_watch_number (registry), space + 1, kind));
    }
}

void
phone_registry_drop_watches (PhoneRegistry *registry, PhoneAccount *account, gboolean forget_saved)
{
  GPtrArray *watches = phone_registry_get_watches (registry);
  const PhonePorts *ports = phone_registry_get_ports (registry);
  g_autofree char *key = storage_key (account);

  phone_registry_drop_pickups (registry, account);
  for (guint i = watches->len; i-- > 0;)
    if (((PhoneWatch *) g_ptr_array_index (watches, i))->account == account)
      drop (registry, g_ptr_array_index (watches, i));
  if (forget_saved && ports->store->choice_save)
    ports->store->choice_save (ports->store_data, key, NULL, NULL);
}
