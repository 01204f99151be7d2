/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/presence.h"

#include <string.h>

void
phone_subscription_detail_clear (PhoneSubscriptionDetail *detail)
{
  g_free (detail->reason);
  *detail = (PhoneSubscriptionDetail){ 0 };
}

gboolean
phone_subscription_detail_assign (PhoneSubscriptionDetail *detail, const PhoneSubscriptionDetail *from)
{
  char *reason;

  if (detail->state == from->state && detail->code == from->code && detail->retry_at == from->retry_at
      && g_strcmp0 (detail->reason, from->reason) == 0)
    return FALSE;
  reason = g_strdup (from->reason);
  g_free (detail->reason);
  *detail = *from;
  detail->reason = reason;
  return TRUE;
}

/* ---- dialogs ---- */

void
phone_dialog_entry_free (PhoneDialogEntry *entry)
{
  if (!entry)
    return;
  g_free (entry->id);
  g_free (entry->call_id);
  g_free (entry->local_tag);
  g_free (entry->remote_tag);
  g_free (entry->remote_uri);
  g_free (entry->remote_name);
  g_free (entry->remote_target);
  g_free (entry);
}

static PhoneLamp
lamp_from_dialog (const PhoneDialogEntry *entry)
{
  switch (entry->state)
    {
    case PHONE_DIALOG_TRYING:
    case PHONE_DIALOG_PROCEEDING:
      return entry->direction == PHONE_DIALOG_RECIPIENT ? PHONE_LAMP_RINGING : PHONE_LAMP_BUSY;
    case PHONE_DIALOG_EARLY:
      /* servers that say no direction mean a phone that rings */
      return entry->direction == PHONE_DIALOG_INITIATOR ? PHONE_LAMP_BUSY : PHONE_LAMP_RINGING;
    case PHONE_DIALOG_CONFIRMED:
      return PHONE_LAMP_BUSY;
    case PHONE_DIALOG_TERMINATED:
      return PHONE_LAMP_IDLE;
    }
  g_assert_not_reached ();
}

PhoneLamp
phone_lamp_from_dialogs (const GPtrArray *dialogs)
{
  PhoneLamp lamp = PHONE_LAMP_IDLE;

  for (guint i = 0; i < dialogs->len; i++)
    {
      PhoneLamp one = lamp_from_dialog (g_ptr_array_index (dialogs, i));

      if (one == PHONE_LAMP_RINGING)
        return one;
      if (one == PHONE_LAMP_BUSY)
        lamp = one;
    }
  return lamp;
}

/* Neither may end the header or add a parameter to it (RFC 3261 section 25.1: word, token). */
static gboolean
is_call_id (const char *text)
{
  return text && *text && strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.!%*_+`'~()<>:\\/[]?{}@") == strlen (text);
}

static gboolean
is_tag (const char *text)
{
  return text && *text && strspn (text, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "-.!%*_+`'~") == strlen (text);
}

char *
phone_dialog_entry_replaces (const PhoneDialogEntry *entry, char **ret_target)
{
  const char *target = entry->remote_target ? entry->remote_target : entry->remote_uri;

  if (lamp_from_dialog (entry) != PHONE_LAMP_RINGING || !target || !is_call_id (entry->call_id) || !is_tag (entry->local_tag)
      || !is_tag (entry->remote_tag))
    return NULL;
  *ret_target = g_strdup (target);
  /* to-tag is that of the phone which gets the request */
  return g_strdup_printf ("%s;to-tag=%s;from-tag=%s;early-only", entry->call_id, entry->remote_tag, entry->local_tag);
}

/* ---- presence ---- */

void
phone_presence_info_clear (PhonePresenceInfo *info)
{
  g_clear_pointer (&info->note, g_free);
  info->status = PHONE_STATUS_UNKNOWN;
}

PhoneLamp
phone_lamp_from_status (PhoneStatus status)
{
  switch (status)
    {
    case PHONE_STATUS_AVAILABLE:
    case PHONE_STATUS_AWAY:
    case PHONE_STATUS_BUSY:     /* the person is, the phone is not */
    case PHONE_STATUS_DND:
      return PHONE_LAMP_IDLE;
    case PHONE_STATUS_ON_THE_PHONE:
      return PHONE_LAMP_BUSY;
    case PHONE_STATUS_OFFLINE:
      return PHONE_LAMP_OFFLINE;
    case PHONE_STATUS_UNKNOWN:
      return PHONE_LAMP_UNKNOWN;
    }
  g_assert_not_reached ();
}

PhoneResource *
phone_resource_copy (const PhoneResource *resource)
{
  PhoneResource *copy = g_memdup2 (resource, sizeof *resource);

  copy->uri = g_strdup (resource->uri);
  copy->name = g_strdup (resource->name);
  copy->presence.note = g_strdup (resource->presence.note);
  return copy;
}

void
phone_resource_free (PhoneResource *resource)
{
  if (!resource)
    return;
  g_free (resource->uri);
  g_free (resource->name);
  phone_presence_info_clear (&resource->presence);
  g_free (resource);
}

/* ---- watchers ---- */

void
phone_watcher_free (PhoneWatcher *watcher)
{
  if (!watcher)
    return;
  g_free (watcher->id);
  g_free (watcher->uri);
  g_free (watcher->name);
  g_free (watcher);
}

PhoneWatcher *
phone_watcher_copy (const PhoneWatcher *watcher)
{
  PhoneWatcher *copy = g_memdup2 (watcher, sizeof *watcher);

  copy->id = g_strdup (watcher->id);
  copy->uri = g_strdup (watcher->uri);
  copy->name = g_strdup (watcher->name);
  return copy;
}

/* ---- the mailbox ---- */

void
phone_mailbox_state_clear (PhoneMailboxState *state)
{
  g_free (state->account);
  *state = (PhoneMailboxState){ 0 };
}

gboolean
phone_mailbox_state_equal (const PhoneMailboxState *a, const PhoneMailboxState *b)
{
  return !a->known == !b->known && !a->waiting == !b->waiting && a->fresh == b->fresh && a->old == b->old
         && a->fresh_urgent == b->fresh_urgent && a->old_urgent == b->old_urgent && g_strcmp0 (a->account, b->account) == 0;
}

void
phone_mailbox_state_copy (PhoneMailboxState *to, const PhoneMailboxState *from)
{
  char *account = g_strdup (from->account);

  g_free (to->account);
  *to = *from;
  to->account = account;
}
