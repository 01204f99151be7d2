/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Our calls as dialog-info tells them (RFC 4235), with what a pickup needs: Call-ID and tags of each. */

#include "sip/event-doc.h"
#include "sip/ua-dialog.h"
#include "sip/ua-presence.h"

static PhoneDialogState
dialog_state (PhoneCallState state)
{
  switch (state)
    {
    case PHONE_CALL_DIALING:
      return PHONE_DIALOG_TRYING;
    case PHONE_CALL_ALERTING:
    case PHONE_CALL_INCOMING:
    case PHONE_CALL_WAITING:
      return PHONE_DIALOG_EARLY;
    case PHONE_CALL_ACTIVE:
    case PHONE_CALL_HELD:
      return PHONE_DIALOG_CONFIRMED;
    case PHONE_CALL_DISCONNECTING:
    case PHONE_CALL_DISCONNECTED:
      break;
    }
  return PHONE_DIALOG_TERMINATED;
}

static PhoneDialogEntry *
describe (PhoneCall *call)
{
  PhoneDialogEntry *entry = g_new0 (PhoneDialogEntry, 1);
  su_home_t home[1] = { SU_HOME_INIT (home) };
  UaDialog *dialog = ua_dialog_of (call);
  const sip_replaces_t *ids = dialog && dialog->nh ? nua_handle_make_replaces (dialog->nh, home, 0) : NULL;

  entry->id = g_strdup_printf ("d%u", phone_call_get_number (call));
  entry->state = dialog_state (phone_call_get_state (call));
  entry->direction = phone_call_get_direction (call) == PHONE_CALL_OUTGOING ? PHONE_DIALOG_INITIATOR : PHONE_DIALOG_RECIPIENT;
  entry->remote_uri = g_strdup (phone_call_get_remote_uri (call));
  entry->remote_name = g_strdup (phone_call_get_remote_name (call));
  if (ids && ids->rp_call_id && ids->rp_from_tag && ids->rp_to_tag)
    {
      gboolean known = !g_str_equal (ids->rp_to_tag, "0");

      /* RFC 4235 section 4.1: Call-ID and our tag belong to a dialog that is tried, too; the peer's tag comes when it rings. */
      entry->call_id = g_strdup (ids->rp_call_id);
      entry->local_tag = g_strdup (ids->rp_from_tag);
      entry->remote_tag = g_strdup (known ? ids->rp_to_tag : dialog->early_tag);
    }
  su_home_deinit (home);
  return entry;
}

char *
ua_dialog_document (UaStack *stack, guint version, gboolean detailed)
{
  UaAccount *account = stack->account;
  g_autoptr (GPtrArray) dialogs = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_dialog_entry_free);
  GPtrArray *calls = phone_registry_get_calls (account->engine->registry);

  for (guint i = 0; i < calls->len; i++)
    if (phone_call_get_account (g_ptr_array_index (calls, i)) == account->account)
      g_ptr_array_add (dialogs, describe (g_ptr_array_index (calls, i)));
  return ua_dialog_info_write (account->aor, version, dialogs, detailed);
}
