/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A conference that we hold ourselves, as its parties see it: isfocus in our Contact says that the call is part of one (RFC 4579 section 5.1), and
 * whoever subscribes at that URI is told who is in it (ua-notifier.c). The URI is our Contact and the same for all conferences: a party is in one of
 * them at a time, and which one follows from who asks. */

#include "sip/event-doc.h"
#include "sip/ua-dialog.h"
#include "sip/ua-presence.h"

char *
ua_dialog_contact (UaDialog *dialog, const char *target)
{
  g_autofree char *contact = ua_stack_contact (dialog->stack, target);

  dialog->told_before = dialog->told_hosted;
  dialog->told_hosted = dialog->call && phone_call_is_hosted (dialog->call);
  return dialog->told_hosted ? g_strconcat (contact, ";isfocus", NULL) : g_steal_pointer (&contact);
}

/* A re-INVITE for this alone would stand in the way of what the user wants next: a peer that knows no UPDATE hears it with the next one. */
void
ua_dialog_tell_hosted (UaDialog *dialog)
{
  g_autofree char *contact = NULL;

  if (dialog->state != DIALOG_UP || !dialog->call || !dialog->stack->account || !dialog->peer_updates || dialog->reoffer_state != REOFFER_NONE
      || dialog->answer_due || dialog->n_requests > 0 || dialog->told_hosted == phone_call_is_hosted (dialog->call))
    return;
  contact = ua_dialog_contact (dialog, dialog->target);
  nua_update (dialog->nh, SIPTAG_CONTACT_STR (contact), TAG_END ());
  ua_dialog_request_begins (dialog);
}

/* What stands in the way now comes to its end, and calls ua_dialog_tell_hosted () then. */
void
ua_dialog_hosted_changed (gpointer ua, PhoneCall *call)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (dialog)
    ua_dialog_tell_hosted (dialog);
}

char *
ua_hosting_document (PhoneCall *call, const char *entity, guint version, const GPtrArray *before)
{
  g_autoptr (GPtrArray) roster = phone_call_get_hosted_roster (call);

  return ua_conference_info_write (entity, version, roster, before);
}
