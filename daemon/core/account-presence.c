/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/account-presence.h"

#include <string.h>

#include "core/model-private.h"
#include "core/subscriber.h"
#include "util/text.h"

const PhoneAccountPresence *
phone_account_get_presence (PhoneAccount *account)
{
  return phone_account_presence (account);
}

PhoneStatus
phone_account_get_status (PhoneAccount *account)
{
  const PhoneAccountPresence *presence = phone_account_presence (account);

  switch (presence->chosen)
    {
    case PHONE_STATUS_AVAILABLE:
    case PHONE_STATUS_AWAY:
    case PHONE_STATUS_BUSY:
      return presence->in_call ? PHONE_STATUS_ON_THE_PHONE : presence->chosen;
    case PHONE_STATUS_ON_THE_PHONE:
    case PHONE_STATUS_DND:
    case PHONE_STATUS_OFFLINE:
    case PHONE_STATUS_UNKNOWN:
      break;
    }
  return presence->chosen;
}

gboolean
phone_account_wants_publication (PhoneAccount *account)
{
  switch (phone_account_get_settings (account)->publish)
    {
    case PHONE_PUBLISH_AUTO:
      return phone_account_presence (account)->was_chosen;
    case PHONE_PUBLISH_ON:
      return TRUE;
    case PHONE_PUBLISH_OFF:
      break;
    }
  return FALSE;
}

/* ---- what is kept: "STATUS NOTE" ---- */

static char *
storage_key (PhoneAccount *account)
{
  return g_strconcat ("presence-", phone_account_get_id (account), NULL);
}

void
phone_account_presence_load (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  PhoneAccountPresence *presence = phone_account_presence (account);
  g_autofree char *key = storage_key (account);
  g_autofree char *text = ports->store && ports->store->choice_load ? ports->store->choice_load (ports->store_data, key) : NULL;
  char *space = text ? strchr (text, ' ') : NULL;

  presence->chosen = PHONE_STATUS_AVAILABLE;
  presence->watchers = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_watcher_free);
  presence->subscribers = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_subscriber_free);
  presence->askers = phone_subscriber_allowance_new ();
  if (!text)
    return;
  if (space)
    *space = '\0';
  presence->was_chosen = phone_status_from_string (text, &presence->chosen);
  if (space && presence->was_chosen)
    presence->note = phone_text_clean (space + 1, -1, PHONE_MAX_NOTE);
}

void
phone_account_presence_forget (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  g_autofree char *key = storage_key (account);

  if (ports->store->choice_save)
    ports->store->choice_save (ports->store_data, key, NULL, NULL);
}

void
phone_account_presence_clear (PhoneAccountPresence *presence)
{
  g_clear_pointer (&presence->note, g_free);
  phone_subscription_detail_clear (&presence->publication);
  phone_subscription_detail_clear (&presence->mailbox_subscription);
  phone_mailbox_state_clear (&presence->mailbox);
  phone_subscription_detail_clear (&presence->watchers_subscription);
  g_clear_pointer (&presence->watchers, g_ptr_array_unref);
  g_clear_pointer (&presence->subscribers, g_ptr_array_unref);
  g_clear_pointer (&presence->askers, phone_allowance_free);
}

static void
tell (PhoneAccount *account)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));

  ports->sig->presence_changed (ports->ua, account);
  phone_account_emit_changed (account, PHONE_ACCOUNT_PRESENCE);
}

static gboolean
choose (PhoneAccount *account, PhoneStatus status, const char *note, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (phone_account_get_registry (account));
  PhoneAccountPresence *presence = phone_account_presence (account);
  g_autofree char *key = storage_key (account);
  g_autofree char *text = g_strdup_printf ("%s%s%s", phone_status_to_string (status), note ? " " : "", note ? note : "");
  char *copy;

  if (presence->was_chosen && presence->chosen == status && g_strcmp0 (presence->note, note) == 0)
    return TRUE;
  if (ports->store->choice_save && !ports->store->choice_save (ports->store_data, key, text, error))
    return FALSE;
  copy = g_strdup (note);
  g_free (presence->note);
  presence->note = copy;
  presence->chosen = status;
  presence->was_chosen = TRUE;
  tell (account);
  return TRUE;
}

gboolean
phone_account_set_status (PhoneAccount *account, PhoneStatus status, GError **error)
{
  if (status == PHONE_STATUS_UNKNOWN || status == PHONE_STATUS_ON_THE_PHONE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" cannot be set; available, away, busy, dnd or offline can",
                   phone_status_to_string (status));
      return FALSE;
    }
  return choose (account, status, phone_account_presence (account)->note, error);
}

gboolean
phone_account_set_note (PhoneAccount *account, const char *note, GError **error)
{
  g_autofree char *clean = note ? phone_text_clean (note, -1, PHONE_MAX_NOTE) : NULL;

  if (note && g_utf8_strlen (note, -1) > PHONE_MAX_NOTE)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A note has at most %d characters", PHONE_MAX_NOTE);
      return FALSE;
    }
  return choose (account, phone_account_presence (account)->chosen, clean, error);
}

void
phone_account_presence_set_in_call (PhoneAccount *account, gboolean in_call)
{
  PhoneAccountPresence *presence = phone_account_presence (account);
  PhoneStatus before = phone_account_get_status (account);

  presence->in_call = in_call;
  if (phone_account_get_status (account) != before)
    tell (account);
}

/* ---- the mailbox ---- */

char *
phone_account_dup_mailbox (PhoneAccount *account)
{
  const char *mailbox = phone_account_get_settings (account)->mailbox;

  return g_strdup (mailbox ? mailbox : phone_account_presence (account)->mailbox.account);
}

PhoneCall *
phone_account_call_mailbox (PhoneAccount *account, GError **error)
{
  g_autofree char *target = phone_account_dup_mailbox (account);
  PhoneDialOptions options = { .account = account };

  if (!target)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE,
                   "Account %s: the server has not said where its mailbox is; set mailbox=NUMBER", phone_account_get_id (account));
      return NULL;
    }
  return phone_registry_dial (phone_account_get_registry (account), target, &options, error);
}

/* ---- events ---- */

void
phone_account_on_publication (PhoneAccount *account, const PhoneSubscriptionDetail *detail)
{
  if (phone_subscription_detail_assign (&phone_account_presence (account)->publication, detail))
    phone_account_emit_changed (account, PHONE_ACCOUNT_PRESENCE);
}

void
phone_account_on_mailbox (PhoneAccount *account, const PhoneMailboxState *state)
{
  PhoneAccountPresence *presence = phone_account_presence (account);

  PhoneMailboxState next = *state;

  if (!next.account)            /* not every summary repeats where the mailbox is */
    next.account = presence->mailbox.account;
  if (phone_mailbox_state_equal (&presence->mailbox, &next))
    return;
  phone_mailbox_state_copy (&presence->mailbox, &next);
  phone_account_emit_changed (account, PHONE_ACCOUNT_MAILBOX);
}

void
phone_account_on_mailbox_subscription (PhoneAccount *account, const PhoneSubscriptionDetail *detail)
{
  if (phone_subscription_detail_assign (&phone_account_presence (account)->mailbox_subscription, detail))
    phone_account_emit_changed (account, PHONE_ACCOUNT_MAILBOX);
}

void
phone_account_on_watchers (PhoneAccount *account, GPtrArray *watchers)
{
  PhoneAccountPresence *presence = phone_account_presence (account);

  g_ptr_array_unref (presence->watchers);
  presence->watchers = watchers;
  phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
}

/* Without the subscription nobody knows who watches. */
void
phone_account_on_watchers_subscription (PhoneAccount *account, const PhoneSubscriptionDetail *detail)
{
  PhoneAccountPresence *presence = phone_account_presence (account);

  if (!phone_subscription_detail_assign (&presence->watchers_subscription, detail))
    return;
  if (detail->state == PHONE_SUBSCRIPTION_IDLE || detail->state == PHONE_SUBSCRIPTION_WAITING)
    g_ptr_array_set_size (presence->watchers, 0);
  phone_account_emit_changed (account, PHONE_ACCOUNT_SUBSCRIBERS);
}
