/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The peer of a call is a conference (RFC 4579): it says so by isfocus in its Contact, which is the conference's URI. Who else is there is told by
 * its conference package (RFC 4575): one subscription for the time of the call. Target-Dialog (RFC 4538) names the call, so that the focus knows
 * that the question comes from one of its participants. */

#include "sip/event-doc.h"
#include "sip/ua-dialog.h"
#include "sip/ua-subscription.h"

#include <string.h>

#define EXPIRES 3600
#define TYPE "application/conference-info+xml"

struct _UaFocus
{
  UaDialog *dialog;
  UaAccount *account;
  UaSubscription *subscription;
  UaInfo *info;
};

static void
report (UaFocus *focus)
{
  GPtrArray *copy = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_participant_free);

  for (guint i = 0; i < focus->info->entries->len; i++)
    {
      const PhoneParticipant *one = g_ptr_array_index (focus->info->entries, i);

      g_ptr_array_add (copy, phone_participant_new (one->uri, one->name, one->status));
    }
  if (focus->dialog->call)
    phone_call_on_roster (focus->dialog->call, copy);
  else
    g_ptr_array_unref (copy);
}

static void
on_notify (gpointer owner, const char *type, const char *data, gsize length)
{
  UaFocus *focus = owner;
  g_autoptr (GError) error = NULL;

  if (g_ascii_strncasecmp (type, TYPE, strlen (TYPE)) != 0)
    return;
  switch (ua_conference_info_apply (focus->info, data, length, &error))
    {
    case UA_INFO_APPLIED:
      report (focus);
      break;
    case UA_INFO_GAP:
      ua_subscription_refresh (focus->subscription);
      break;
    case UA_INFO_OLD:
      break;
    case UA_INFO_BAD:
      phone_log_info (&focus->dialog->log, "%s", error->message);
      break;
    }
}

static void
on_changed (gpointer owner, const PhoneSubscriptionDetail *detail)
{
  UaFocus *focus = owner;

  /* What is no longer told is no longer known. */
  if (detail->state == PHONE_SUBSCRIPTION_WAITING && focus->info->entries->len)
    {
      g_ptr_array_set_size (focus->info->entries, 0);
      report (focus);
    }
}

static void
on_restarted (gpointer owner)
{
  ua_info_reset (((UaFocus *) owner)->info);
}

static char *
make_headers (gpointer owner)
{
  UaFocus *focus = owner;
  g_autofree char *id = ua_dialog_target_dialog (focus->dialog);

  return id ? g_strdup_printf ("Target-Dialog: %s", id) : NULL;
}

static const UaEventPackage package = { "conference", TYPE, EXPIRES, NULL, on_notify, on_changed, on_restarted, make_headers };

void
ua_focus_free (UaFocus *focus)
{
  if (!focus)
    return;
  focus->dialog->focus = NULL;
  g_ptr_array_remove (focus->account->foci, focus);
  ua_subscription_free (focus->subscription);
  ua_info_free (focus->info);
  g_free (focus);
}

void
ua_foci_close (UaAccount *account)
{
  while (account->foci->len)
    ua_focus_free (g_ptr_array_index (account->foci, account->foci->len - 1));
}

void
ua_focus_start (UaDialog *dialog)
{
  UaAccount *account = dialog->stack->account;
  UaFocus *focus;

  if (dialog->focus || !dialog->focus_uri || dialog->state != DIALOG_UP || !dialog->call || !account || !ua_account_settings (account)->roster)
    return;
  focus = g_new0 (UaFocus, 1);
  focus->dialog = dialog;
  focus->account = account;
  focus->info = ua_conference_info_new ();
  dialog->focus = focus;
  g_ptr_array_add (account->foci, focus);
  focus->subscription = ua_subscription_new (account, &package, dialog->focus_uri, focus);
}

void
ua_focus_learn (UaDialog *dialog, const sip_t *sip)
{
  const sip_contact_t *contact = sip->sip_contact;
  gboolean is_focus = contact && msg_params_find (contact->m_params, "isfocus") != NULL;
  g_autofree char *uri = is_focus ? ua_sip_uri_text (contact->m_url) : NULL;

  if (!contact || g_strcmp0 (uri, dialog->focus_uri) == 0)
    return;
  ua_focus_free (dialog->focus);
  g_free (dialog->focus_uri);
  dialog->focus_uri = g_steal_pointer (&uri);
  if (dialog->call)
    phone_call_on_focus (dialog->call, dialog->focus_uri);
  ua_focus_start (dialog);
}
