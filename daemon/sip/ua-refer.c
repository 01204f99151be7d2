/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* REFER as we send it: in the dialog of the call that is transferred (RFC 3515, RFC 5589), and the NOTIFYs that say what came of it. sofia
 * keeps the implicit subscription, with the CSeq of the REFER as the id of its event. */

#include "sip/ua-dialog.h"

#include <sofia-sip/sip_status.h>
#include <sofia-sip/nta_tag.h>
#include <string.h>

static UaDialog *
find_up (PhoneCall *call, GError **error)
{
  UaDialog *dialog = ua_dialog_of (call);

  if (dialog && dialog->state == DIALOG_UP && dialog->stack->account)
    return dialog;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Call %u has no established dialog", phone_call_get_number (call));
  return NULL;
}

/* How the far end of a dialog of ours would be asked to have it replaced: its own tag is To. Caller frees. */
static char *
make_replaces (UaDialog *dialog)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const sip_replaces_t *replaces = nua_handle_make_replaces (dialog->nh, home, 0);
  char *text = NULL;

  if (replaces && replaces->rp_call_id && replaces->rp_to_tag && replaces->rp_from_tag)
    text = g_strdup_printf ("%s;to-tag=%s;from-tag=%s", replaces->rp_call_id, replaces->rp_to_tag, replaces->rp_from_tag);
  su_home_deinit (home);
  return text;
}

char *
ua_dialog_target_dialog (UaDialog *dialog)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const sip_replaces_t *replaces = dialog->nh ? nua_handle_make_replaces (dialog->nh, home, 0) : NULL;
  char *text = NULL;

  if (replaces && replaces->rp_call_id && replaces->rp_to_tag && replaces->rp_from_tag)
    text = g_strdup_printf ("%s;local-tag=%s;remote-tag=%s", replaces->rp_call_id, replaces->rp_from_tag, replaces->rp_to_tag);
  su_home_deinit (home);
  return text;
}

gboolean
ua_dialog_refer (gpointer ua, PhoneCall *call, const char *target, PhoneCall *replaced, GError **error)
{
  UaDialog *dialog = find_up (call, error);
  UaDialog *other = replaced && dialog ? find_up (replaced, error) : NULL;
  g_autofree char *replaces = NULL;
  g_autofree char *refer_to = NULL;
  g_autofree char *referred_by = NULL;

  if (!dialog || (replaced && !other))
    return FALSE;
  if (other && !(replaces = make_replaces (other)))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "The peer of call %u gave its dialog no tag", phone_call_get_number (replaced));
      return FALSE;
    }
  refer_to = ua_refer_to_write (target, replaces, error);
  if (!refer_to)
    return FALSE;
  referred_by = g_strdup_printf ("<%s>", dialog->stack->account->aor);
  dialog->refer_cseq = 0;
  nua_refer (dialog->nh, SIPTAG_REFER_TO_STR (refer_to), SIPTAG_REFERRED_BY_STR (referred_by),
             TAG_IF (!ua_account_settings (dialog->stack->account)->transfer_news, SIPTAG_HEADER_STR ("Refer-Sub: false")), TAG_END ());
  return TRUE;
}

void
ua_dialog_on_refer_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (event->status < 200 || (event->status >= 300 && ua_dialog_authenticate (dialog, event)) || !dialog->call)
    return;
  if (event->status >= 300)
    {
      phone_call_on_transfer (dialog->call, PHONE_TRANSFER_FAILED, (guint) event->status);
      return;
    }
  if (event->sip && event->sip->sip_cseq)
    dialog->refer_cseq = event->sip->sip_cseq->cs_seq;
  /* RFC 4488: there will be no NOTIFY; that it was taken is all that we shall know */
  if (event->sip && ua_sip_wants_no_news (event->sip))
    phone_call_on_transfer (dialog->call, PHONE_TRANSFER_DONE, (guint) event->status);
  else
    phone_call_on_transfer (dialog->call, PHONE_TRANSFER_ACCEPTED, (guint) event->status);
}

static gboolean
is_about_our_refer (UaDialog *dialog, const sip_event_t *about)
{
  if (!about || !about->o_type || g_ascii_strcasecmp (about->o_type, "refer") != 0)
    return FALSE;
  return !about->o_id || !dialog->refer_cseq || g_ascii_strtoull (about->o_id, NULL, 10) == dialog->refer_cseq;
}

void
ua_dialog_on_notify (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  const sip_t *sip = event->sip;
  const sip_subscription_state_t *state = sip ? sip->sip_subscription_state : NULL;
  gboolean over = state && state->ss_substate && g_ascii_strcasecmp (state->ss_substate, "terminated") == 0;
  guint status = 0;

  if (event->status < 200)      /* about nothing that we subscribed to: ours to answer, like every NOTIFY outside a subscription */
    {
      nua_respond (event->nh, SIP_481_NO_TRANSACTION, NUTAG_WITH_THIS (stack->nua), TAG_END ());
      return;
    }
  if (!sip || !dialog->call || !is_about_our_refer (dialog, sip->sip_event))
    return;
  if (sip->sip_payload && sip->sip_payload->pl_len > 0 && sip->sip_content_type)
    status = ua_sipfrag_status (sip->sip_content_type->c_type, sip->sip_payload->pl_data, sip->sip_payload->pl_len);
  if (status >= 200 && status < 300)
    {
      g_autofree char *reached = ua_sipfrag_contact (sip->sip_content_type->c_type, sip->sip_payload->pl_data, sip->sip_payload->pl_len);

      if (reached)
        phone_call_on_transfer_reached (dialog->call, reached);
    }
  if (status >= 200 && status < 300)
    phone_call_on_transfer (dialog->call, PHONE_TRANSFER_DONE, status);
  else if (status >= 300 || over)
    phone_call_on_transfer (dialog->call, PHONE_TRANSFER_FAILED, status >= 300 ? status : 0);
  else if (status)
    phone_call_on_transfer (dialog->call, PHONE_TRANSFER_ACCEPTED, status);
}

/* ---- which dialog is meant ---- */

typedef struct
{
  const UaDialogId *id;
  UaDialog *found;
} Search;

static void
compare (gpointer owner, gpointer data)
{
  UaDialog *dialog = owner;
  Search *search = data;
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const sip_replaces_t *ours = dialog->nh ? nua_handle_make_replaces (dialog->nh, home, 0) : NULL;

  const char *remote = ours ? ours->rp_to_tag : NULL;

  /* sofia writes "0" for a tag that is not there (RFC 2543): that would be no secret. Of a call that rings we have kept it. */
  if (remote && g_str_equal (remote, "0"))
    remote = dialog->early_tag;
  if (remote && ours->rp_call_id && ours->rp_from_tag && g_str_equal (ours->rp_call_id, search->id->call_id)
      && g_str_equal (ours->rp_from_tag, search->id->local_tag) && g_str_equal (remote, search->id->remote_tag))
    search->found = dialog;
  su_home_deinit (home);
}

UaDialog *
ua_dialog_find (UaEngine *engine, const UaDialogId *id)
{
  Search search = { .id = id };

  for (guint i = 0; i < engine->stacks->len && !search.found; i++)
    ua_stack_foreach (g_ptr_array_index (engine->stacks, i), UA_OWNER_DIALOG, compare, &search);
  return search.found;
}

UaDialog *
ua_dialog_targeted (UaStack *stack, const sip_t *sip)
{
  const char *value = ua_sip_unknown (sip, "Target-Dialog");
  UaDialogId id;
  UaDialog *dialog;

  if (!value || !ua_target_dialog_parse (value, &id))
    return NULL;
  dialog = ua_dialog_find (stack->engine, &id);
  ua_dialog_id_clear (&id);
  return dialog;
}

PhoneCall *
ua_dialog_targeted_call (UaStack *stack, const sip_t *sip)
{
  UaDialog *dialog = ua_dialog_targeted (stack, sip);

  return dialog ? dialog->call : NULL;
}
