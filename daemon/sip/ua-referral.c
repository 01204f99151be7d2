/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* REFER as we get it: the peer of a call asks us to call another. core decides (phone_call_on_refer); what becomes of the new call goes back
 * as NOTIFY with a sipfrag, the last of which ends the implicit subscription.
 *
 * Only the peer of a call is heard: by its dialog, or outside of it by naming that dialog (Target-Dialog, RFC 4538), whose tags nobody else
 * knows. Everybody else gets 403.
 *
 * The peer may hang up as soon as it has its 202, the news is owed all the same: then the handle outlives the call, in the table as
 * UA_OWNER_REFERRAL, until the last NOTIFY is answered. A peer that said Refer-Sub: false (RFC 4488) wants none of it. */

#include "sip/ua-dialog.h"

#include <sofia-sip/nta_tag.h>
#include <sofia-sip/sip_status.h>
#include <string.h>

#include "util/name-addr.h"

#define LAST_NOTIFY_MS 33000    /* more than timer F */

struct _UaReferral
{
  UaStack *stack;
  UaDialog *dialog;             /* while it has one */
  nua_handle_t *nh;             /* NULL: there is nobody to tell */
  char *event;
  gboolean silent;              /* Refer-Sub: false */
  gboolean over;                /* core has said its last word */
  GSource *timer;
};

static void
referral_free (UaReferral *referral)
{
  ua_timer_clear (&referral->timer);
  if (referral->dialog)
    referral->dialog->referral = NULL;
  else if (referral->nh)
    ua_stack_drop (referral->stack, g_steal_pointer (&referral->nh));
  g_free (referral->event);
  g_free (referral);
}

static void
notify (UaReferral *referral, guint status)
{
  g_autofree char *body = ua_sipfrag_write (status, sip_status_phrase ((int) status));

  nua_notify (referral->nh, SIPTAG_EVENT_STR (referral->event),
              SIPTAG_SUBSCRIPTION_STATE_STR (status < 200 ? "active" : "terminated;reason=noresource"),
              SIPTAG_CONTENT_TYPE_STR ("message/sipfrag;version=2.0"), SIPTAG_PAYLOAD_STR (body), TAG_END ());
}

static gboolean
on_unanswered (gpointer data)
{
  referral_free (data);
  return G_SOURCE_REMOVE;
}

void
ua_referral_progress (gpointer ua, gpointer data, guint status)
{
  UaReferral *referral = data;
  gboolean told = referral->nh && !referral->silent;

  if (told)
    notify (referral, status);
  if (status < 200)
    return;
  referral->over = TRUE;
  if (!told || referral->dialog)
    referral_free (referral);   /* what the dialog has sent goes on without us */
  else
    referral->timer = ua_timer_new (referral->stack->engine, LAST_NOTIFY_MS, on_unanswered, referral);
}

void
ua_referral_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaReferral *referral = owner;

  if (event->status < 200)
    return;
  if (referral->over)
    referral_free (referral);
  else if (event->status >= 300)
    ua_stack_drop (stack, g_steal_pointer (&referral->nh));     /* nobody listens; core will still tell us */
}

void
ua_dialog_on_notify_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;

  if (event->status < 300 || ua_dialog_authenticate (dialog, event))
    return;
  /* the subscription is over, the call is not (RFC 5057 section 5.1) */
  phone_log_info (&dialog->log, "NOTIFY refused: %d %s", event->status, event->phrase);
  if (dialog->referral)
    dialog->referral->silent = TRUE;
}

gboolean
ua_referral_outlive (UaDialog *dialog)
{
  UaReferral *referral = g_steal_pointer (&dialog->referral);

  if (!referral)
    return FALSE;
  referral->dialog = NULL;
  if (referral->silent || dialog->stack->state != UA_STACK_RUNNING)
    {
      referral->nh = NULL;
      return FALSE;
    }
  ua_stack_rehome (dialog->stack, dialog->nh, UA_OWNER_REFERRAL, referral);
  return TRUE;
}

void
ua_referral_abandon (gpointer owner, gpointer data)
{
  UaReferral *referral = owner;

  referral->nh = NULL;          /* the stack destroys it */
  if (referral->dialog)
    referral->dialog->referral = NULL;
  referral->dialog = NULL;
  if (referral->over)
    referral_free (referral);
}

/* ---- the request ---- */

static void
respond (UaStack *stack, const UaEvent *event, const UaDialog *dialog, guint status, gboolean silent)
{
  const char *phrase = status == 202 ? "Accepted" : sip_status_phrase ((int) status);
  g_autofree char *contact = stack->account ? ua_stack_contact (stack, NULL) : NULL;

  if (!dialog && (status >= 300 || silent))
    ua_rules_hush (stack->nua, event->nh);
  nua_respond (event->nh, (int) status, phrase, NUTAG_WITH_THIS (stack->nua),
               TAG_IF (contact && status < 300, SIPTAG_CONTACT_STR (contact)),
               TAG_IF (silent && status < 300, SIPTAG_HEADER_STR ("Refer-Sub: false")), TAG_END ());
}

/* Returns 0, or the status that refuses the request. */
static guint
read_request (const sip_t *sip, char **ret_target, char **ret_replaces, char **ret_referred_by)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const char *refer_to, *referred_by;
  g_autoptr (GError) error = NULL;
  guint status = 0;

  if (!sip->sip_refer_to)
    return 400;
  refer_to = ua_sip_header_text (home, sip->sip_refer_to);
  referred_by = sip->sip_referred_by ? ua_sip_header_text (home, sip->sip_referred_by) : NULL;
  if (!refer_to || !ua_refer_to_parse (refer_to, ret_target, ret_replaces, &error))
    status = error && g_error_matches (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED) ? 501 : 400;
  if (!status && referred_by)
    {
      g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (referred_by, NULL);

      *ret_referred_by = addr ? phone_uri_to_string (addr->uri) : NULL;
    }
  su_home_deinit (home);
  return status;
}

static UaReferral *
referral_new (UaStack *stack, const UaEvent *event, UaDialog *dialog)
{
  UaReferral *referral = g_new0 (UaReferral, 1);

  referral->stack = stack;
  referral->nh = event->nh;
  referral->dialog = dialog;
  referral->silent = ua_sip_wants_no_news (event->sip);
  referral->event = g_strdup_printf ("refer;id=%u", (guint) event->sip->sip_cseq->cs_seq);
  return referral;
}

void
ua_referral_on_refer (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  UaDialog *about = dialog ? dialog : event->sip ? ua_dialog_targeted (stack, event->sip) : NULL;
  g_autofree char *target = NULL;
  g_autofree char *replaces = NULL;
  g_autofree char *referred_by = NULL;
  PhoneReferralRequest request = { 0 };
  UaReferral *referral;
  guint status;

  if (!event->sip || !event->sip->sip_cseq || !about || about->state != DIALOG_UP || !about->call || about->referral)
    {
      respond (stack, event, dialog, !about ? 403 : about->referral ? 491 : 481, FALSE);
      return;
    }
  status = read_request (event->sip, &target, &replaces, &referred_by);
  if (status)
    {
      respond (stack, event, dialog, status, FALSE);
      return;
    }
  request = (PhoneReferralRequest){ target, replaces, referred_by };
  referral = referral_new (stack, event, dialog);
  status = phone_call_on_refer (about->call, &request, referral);
  respond (stack, event, dialog, status, referral->silent);
  if (status != 202)
    {
      referral->dialog = NULL;
      referral->nh = NULL;
      referral_free (referral);
      return;
    }
  if (dialog)
    {
      dialog->referral = referral;
      if (!referral->silent)
        notify (referral, 100);
    }
  else                          /* sofia sends the first NOTIFY of a dialog that a REFER made */
    ua_stack_adopt (stack, event->nh, UA_OWNER_REFERRAL, referral);
}
