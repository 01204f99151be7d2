/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Core's watches as subscriptions to "presence" (RFC 3856, with resource lists) and "dialog" (RFC 4235); the account's mailbox as one to
 * "message-summary" (RFC 3842), and the mailbox notifications that come unasked from the server that we are registered with. */

#include "sip/ua-presence.h"

#include <sofia-sip/sip_status.h>
#include <string.h>

#include "core/account-presence.h"
#include "core/watch.h"
#include "sip/event-doc.h"

#define EXPIRES 3600
#define MAX_BODY (512 * 1024)

typedef struct
{
  PhoneWatch *watch;            /* reference */
  UaAccount *account;
  UaSubscription *subscription;
  UaInfo *dialogs;
  UaRlmi *list;
} UaWatch;

static gboolean
is_type (const char *type, const char *wanted)
{
  gsize length = strlen (wanted);

  return g_ascii_strncasecmp (type, wanted, length) == 0 && (type[length] == '\0' || strchr ("; \t", type[length]));
}

static void
log_bad (UaWatch *self, const GError *error)
{
  phone_log_info (&self->account->log, "Account %s: NOTIFY about %s not understood: %s", self->account->id,
                  phone_watch_get_uri (self->watch), error ? error->message : "unknown type of content");
}

/* ---- presence ---- */

static int
compare_resources (gconstpointer a, gconstpointer b)
{
  return strcmp ((*(PhoneResource *const *) a)->uri, (*(PhoneResource *const *) b)->uri);
}

static void
report_resources (UaWatch *self)
{
  GPtrArray *list = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_resource_free);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->list->resources);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_ptr_array_add (list, phone_resource_copy (value));
  g_ptr_array_sort (list, compare_resources);
  phone_watch_on_resources (self->watch, list);
}

static void
follow (UaWatch *self, UaInfoResult result, void (*report) (UaWatch *self), const GError *error)
{
  switch (result)
    {
    case UA_INFO_APPLIED:
      report (self);
      break;
    case UA_INFO_GAP:
      ua_subscription_refresh (self->subscription);
      break;
    case UA_INFO_OLD:
      break;
    case UA_INFO_BAD:
      log_bad (self, error);
      break;
    }
}

static void
on_list (UaWatch *self, const char *type, const char *data, gsize length)
{
  g_autoptr (GError) error = NULL;
  UaInfoResult result;

  result = ua_rlmi_apply (self->list, type, data, length, &error);
  follow (self, result, report_resources, error);
}

static void
on_presence (gpointer owner, const char *type, const char *data, gsize length)
{
  UaWatch *self = owner;
  PhonePresenceInfo info = { PHONE_STATUS_UNKNOWN, NULL };
  g_autoptr (GError) error = NULL;

  if (is_type (type, "application/pidf+xml") && ua_pidf_read (data, length, &info, &error))
    phone_watch_on_presence (self->watch, &info);
  else if (is_type (type, "multipart/related"))
    on_list (self, type, data, length);
  else
    log_bad (self, error);
  phone_presence_info_clear (&info);
}

/* ---- dialogs ---- */

static PhoneDialogEntry *
copy_entry (const PhoneDialogEntry *entry)
{
  PhoneDialogEntry *copy = g_memdup2 (entry, sizeof *entry);

  copy->id = g_strdup (entry->id);
  copy->call_id = g_strdup (entry->call_id);
  copy->local_tag = g_strdup (entry->local_tag);
  copy->remote_tag = g_strdup (entry->remote_tag);
  copy->remote_uri = g_strdup (entry->remote_uri);
  copy->remote_name = g_strdup (entry->remote_name);
  copy->remote_target = g_strdup (entry->remote_target);
  return copy;
}

static void
report_dialogs (UaWatch *self)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_dialog_entry_free);

  for (guint i = 0; i < self->dialogs->entries->len; i++)
    g_ptr_array_add (copy, copy_entry (g_ptr_array_index (self->dialogs->entries, i)));
  phone_watch_on_dialogs (self->watch, copy);
}

static void
on_dialogs (gpointer owner, const char *type, const char *data, gsize length)
{
  UaWatch *self = owner;
  g_autoptr (GError) error = NULL;
  UaInfoResult result;

  if (!is_type (type, "application/dialog-info+xml"))
    {
      log_bad (self, NULL);
      return;
    }
  result = ua_dialog_info_apply (self->dialogs, data, length, &error);
  follow (self, result, report_dialogs, error);
}

static void
on_restarted (gpointer owner)
{
  UaWatch *self = owner;

  ua_info_reset (self->dialogs);
  ua_rlmi_reset (self->list);
}

static void
on_changed (gpointer owner, const PhoneSubscriptionDetail *detail)
{
  phone_watch_on_subscription (((UaWatch *) owner)->watch, detail);
}

static const UaEventPackage packages[phone_watch_kind_n_values] = {
  [PHONE_WATCH_PRESENCE] = { "presence", "application/pidf+xml", EXPIRES, "application/rlmi+xml, multipart/related", on_presence,
                             on_changed, on_restarted },
  [PHONE_WATCH_DIALOG] = { "dialog", "application/dialog-info+xml", EXPIRES, NULL, on_dialogs, on_changed, on_restarted },
};

/* ---- life of a watch ---- */

void
ua_watch_start (gpointer ua, PhoneWatch *watch)
{
  UaAccount *account = phone_account_get_engine_data (phone_watch_get_account (watch));
  UaWatch *self;

  if (!account || phone_watch_get_engine_data (watch))
    return;
  self = g_new0 (UaWatch, 1);
  self->watch = g_object_ref (watch);
  self->account = account;
  self->dialogs = ua_dialog_info_new ();
  self->list = ua_rlmi_new ();
  phone_watch_set_engine_data (watch, self);
  self->subscription = ua_subscription_new (account, &packages[phone_watch_get_kind (watch)], phone_watch_get_uri (watch), self);
}

void
ua_watch_stop (gpointer ua, PhoneWatch *watch)
{
  UaWatch *self = phone_watch_get_engine_data (watch);

  if (!self)
    return;
  phone_watch_set_engine_data (watch, NULL);
  ua_subscription_free (self->subscription);
  ua_info_free (self->dialogs);
  ua_rlmi_free (self->list);
  g_object_unref (self->watch);
  g_free (self);
}

static void
for_list (UaAccount *account, GPtrArray *watches, void (*func) (gpointer ua, PhoneWatch *watch))
{
  for (guint i = 0; i < watches->len; i++)
    if (phone_watch_get_account (g_ptr_array_index (watches, i)) == account->account)
      func (account->engine, g_ptr_array_index (watches, i));
}

static void
for_watches (UaAccount *account, void (*func) (gpointer ua, PhoneWatch *watch))
{
  for_list (account, phone_registry_get_watches (account->engine->registry), func);
  for_list (account, phone_registry_get_passing_watches (account->engine->registry), func);
}

/* ---- the mailbox ---- */

static void
read_summary (UaAccount *account, const char *data, gsize length)
{
  PhoneMailboxState state = { 0 };
  g_autoptr (GError) error = NULL;

  if (ua_message_summary_read (data, length, &state, &error))
    phone_account_on_mailbox (account->account, &state);
  else
    phone_log_info (&account->log, "Account %s: %s", account->id, error->message);
  phone_mailbox_state_clear (&state);
}

static void
on_summary (gpointer owner, const char *type, const char *data, gsize length)
{
  if (is_type (type, "application/simple-message-summary"))
    read_summary (owner, data, length);
}

static void
on_mailbox_changed (gpointer owner, const PhoneSubscriptionDetail *detail)
{
  phone_account_on_mailbox_subscription (((UaAccount *) owner)->account, detail);
}

static const UaEventPackage mailbox_package
    = { "message-summary", "application/simple-message-summary", EXPIRES, NULL, on_summary, on_mailbox_changed, NULL };

/* Unasked: only the server that we are registered with (or whom all our requests go to) may say what is in the mailbox. */
void
ua_mailbox_on_unsolicited (UaStack *stack, const UaEvent *event, gpointer owner)
{
  const sip_t *sip = event->sip;
  UaAccount *account = stack->account;
  const struct sockaddr *peer = ua_stack_peer (stack);
  gboolean trusted = account && peer && stack->state == UA_STACK_RUNNING && ua_account_trusts (account, peer);

  if (!sip || !sip->sip_event || g_ascii_strcasecmp (sip->sip_event->o_type, mailbox_package.event) != 0)
    {
      nua_respond (event->nh, SIP_481_NO_TRANSACTION, NUTAG_WITH_THIS (stack->nua), TAG_END ());
      return;
    }
  if (!trusted)
    {
      phone_log_info (&stack->log, "Account %s: mailbox notification from somebody else than the server refused", stack->id);
      nua_respond (event->nh, SIP_403_FORBIDDEN, NUTAG_WITH_THIS (stack->nua), TAG_END ());
      return;
    }
  nua_respond (event->nh, SIP_200_OK, NUTAG_WITH_THIS (stack->nua), TAG_END ());
  if (sip->sip_payload && sip->sip_payload->pl_len > 0 && sip->sip_payload->pl_len <= MAX_BODY && sip->sip_content_type
      && sip->sip_content_type->c_type && is_type (sip->sip_content_type->c_type, "application/simple-message-summary"))
    read_summary (account, sip->sip_payload->pl_data, sip->sip_payload->pl_len);
}

/* ---- who watches us at the server (RFC 3857) ---- */

static void
on_watchers (gpointer owner, const char *type, const char *data, gsize length)
{
  UaAccount *account = owner;
  g_autoptr (GError) error = NULL;
  GPtrArray *copy;

  if (!is_type (type, "application/watcherinfo+xml"))
    return;
  switch (ua_watcher_info_apply (account->watcher_info, data, length, &error))
    {
    case UA_INFO_APPLIED:
      copy = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_watcher_free);
      for (guint i = 0; i < account->watcher_info->entries->len; i++)
        g_ptr_array_add (copy, phone_watcher_copy (g_ptr_array_index (account->watcher_info->entries, i)));
      phone_account_on_watchers (account->account, copy);
      break;
    case UA_INFO_GAP:
      ua_subscription_refresh (account->watchers);
      break;
    case UA_INFO_OLD:
      break;
    case UA_INFO_BAD:
      phone_log_info (&account->log, "Account %s: NOTIFY about our watchers not understood: %s", account->id, error->message);
      break;
    }
}

static void
on_watchers_changed (gpointer owner, const PhoneSubscriptionDetail *detail)
{
  phone_account_on_watchers_subscription (((UaAccount *) owner)->account, detail);
}

static void
on_watchers_restarted (gpointer owner)
{
  ua_info_reset (((UaAccount *) owner)->watcher_info);
}

static const UaEventPackage watchers_package = { "presence.winfo",    "application/watcherinfo+xml", EXPIRES, NULL, on_watchers,
                                                 on_watchers_changed, on_watchers_restarted };

/* ---- all of an account ---- */

void
ua_presence_open (UaAccount *account)
{
  /* The mailbox is the server's: a phone without one has none. */
  if (account->registration && ua_account_settings (account)->mwi)
    account->mailbox = ua_subscription_new (account, &mailbox_package, account->aor, account);
  if (account->registration && ua_account_settings (account)->winfo)
    {
      account->watcher_info = ua_watcher_info_new ();
      account->watchers = ua_subscription_new (account, &watchers_package, account->aor, account);
    }
  account->publication = ua_publication_new (account);
  for_watches (account, ua_watch_start);
}

void
ua_presence_close (UaAccount *account)
{
  for_watches (account, ua_watch_stop);
  g_clear_pointer (&account->mailbox, ua_subscription_free);
  g_clear_pointer (&account->watchers, ua_subscription_free);
  g_clear_pointer (&account->watcher_info, ua_info_free);
  g_clear_pointer (&account->publication, ua_publication_free);
}

void
ua_presence_ready (UaAccount *account, gboolean fresh)
{
  ua_publication_update (account->publication);
  ua_subscriptions_resume (account, fresh);
  ua_notifiers_update (account);
}
