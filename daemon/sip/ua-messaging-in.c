/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MESSAGE of others, screened as calls are. core says at once what to answer, or later, when the message is on the disk: the request waits with its
 * handle until then. */

#include "sip/ua-messaging.h"

#include <netdb.h>
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_status.h>

#include "sip/content-coding.h"
#include "sip/instant-message.h"
#include "util/text.h"

#define MAX_ID 256

typedef struct
{
  UaStack *stack;                       /* NULL: it has gone */
  nua_handle_t *nh;
  gboolean own;                         /* the handle is of this request alone */
  msg_t *request;
} UaTransaction;

static void
respond (UaStack *stack, nua_handle_t *nh, msg_t *request, guint status, guint retry_after)
{
  g_autofree char *seconds = g_strdup_printf ("%u", retry_after);

  /* Accept in a 2xx: who asks for reports knows then that it may. */
  nua_respond (nh, (int) status, sip_status_phrase ((int) status), NUTAG_WITH (request),
               TAG_IF (status == 415 || status < 300, SIPTAG_ACCEPT_STR (UA_IM_ACCEPT)),
               TAG_IF (status == 415, SIPTAG_ACCEPT_ENCODING_STR (UA_CODINGS)),
               TAG_IF (retry_after, SIPTAG_RETRY_AFTER_STR (seconds)), TAG_END ());
}

void
ua_messaging_answer (gpointer ua, gpointer data, guint status, guint retry_after)
{
  UaTransaction *transaction = data;
  UaEngine *engine = ua;

  g_ptr_array_remove_fast (engine->transactions, transaction);
  if (transaction->stack && g_hash_table_contains (transaction->stack->handles, transaction->nh))
    {
      respond (transaction->stack, transaction->nh, transaction->request, status, retry_after);
      if (transaction->own)
        ua_stack_drop (transaction->stack, transaction->nh);
    }
  msg_destroy (transaction->request);
  g_free (transaction);
}

void
ua_messaging_abandon_incoming (UaStack *stack)
{
  GPtrArray *transactions = stack->engine->transactions;

  for (guint i = 0; i < transactions->len; i++)
    if (((UaTransaction *) transactions->pdata[i])->stack == stack)
      ((UaTransaction *) transactions->pdata[i])->stack = NULL;
}

static guint
screen (UaStack *stack, const sip_t *sip, gboolean in_dialog)
{
  if (!sip || !sip->sip_from || !sip->sip_to || !sip->sip_call_id || !sip->sip_cseq)
    return 400;
  if (stack->state != UA_STACK_RUNNING || !stack->account)
    return 480;
  if (!in_dialog && !ua_incoming_is_for_us (stack->account, sip))
    return 404;
  return 0;
}

/* NULL: none. Of several the first, which nothing can then be made of. */
static const char *
coding_of (const sip_t *sip)
{
  const char *coding = sip->sip_content_encoding && sip->sip_content_encoding->k_items ? sip->sip_content_encoding->k_items[0] : NULL;

  return coding && g_ascii_strcasecmp (coding, "identity") != 0 ? coding : NULL;
}

static guint
read_body (UaStack *stack, const sip_t *sip, UaIm *ret_im, const char **ret_why)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const char *type = sip->sip_content_type ? ua_sip_header_text (home, sip->sip_content_type) : NULL;
  const char *data = sip->sip_payload ? sip->sip_payload->pl_data : "", *coding = coding_of (sip);
  gsize max = phone_registry_get_settings (stack->engine->registry)->message_max_size, length = sip->sip_payload ? sip->sip_payload->pl_len : 0;
  g_autofree char *decoded = NULL;
  guint status = 0;

  *ret_why = "a body in a coding that cannot be undone";
  if (coding && !(status = ua_content_decode (coding, data, length, UA_CPIM_MAX, &decoded, &length)))
    data = decoded;
  if (!status)
    status = ua_im_read (type, data, length, max, ret_im, ret_why);

  su_home_deinit (home);
  return status;
}

static void
describe (UaStack *stack, const UaIm *im, PhoneIncomingMessage *incoming)
{
  incoming->speaks_cpim = im->in_cpim;
  incoming->message_id = im->message_id;
  switch (im->kind)
    {
    case UA_IM_TEXT:
      incoming->content = PHONE_MESSAGE_TEXT;
      incoming->text = im->text;
      incoming->asks = im->asks;
      break;
    case UA_IM_REPORT:
      incoming->content = PHONE_MESSAGE_REPORT;
      incoming->message_id = im->report.message_id;
      incoming->disposition = im->report.disposition;
      break;
    case UA_IM_COMPOSING:
      incoming->content = PHONE_MESSAGE_COMPOSING;
      incoming->active = im->active;
      incoming->refresh = im->refresh;
      break;
    }
}

static guint
pass_on (UaStack *stack, const sip_t *sip, const UaIm *im, UaTransaction *transaction, guint *ret_retry_after)
{
  const struct sockaddr *peer = ua_stack_peer (stack);
  g_autofree char *asserted_name = NULL;
  g_autofree char *asserted = ua_sip_asserted_id (stack, sip, &asserted_name);
  g_autofree char *uri = ua_sip_party_uri (sip->sip_from);
  g_autofree char *display = ua_sip_display_name (sip->sip_from);
  g_autofree char *call_id = phone_text_clean (sip->sip_call_id->i_id, -1, MAX_ID);
  g_autofree char *key = g_strdup_printf ("%s %lu", call_id ? call_id : "", (gulong) sip->sip_cseq->cs_seq);
  char source[NI_MAXHOST] = "";
  PhoneIncomingMessage incoming = { .asserted_id = asserted, .transaction = key };

  if (peer)
    getnameinfo (peer, peer->sa_family == AF_INET6 ? sizeof (struct sockaddr_in6) : sizeof (struct sockaddr_in), source, sizeof source, NULL, 0,
                 NI_NUMERICHOST);
  incoming.source = source;
  incoming.trusted = peer && ua_account_trusts (stack->account, peer);
  incoming.remote_uri = uri ? uri : "sip:anonymous@anonymous.invalid";
  incoming.remote_name = asserted_name ? asserted_name : display;
  describe (stack, im, &incoming);
  return phone_messages_on_incoming (phone_registry_get_messages (stack->engine->registry), stack->account->account, &incoming, transaction,
                                     ret_retry_after);
}

/* owner: the dialog, or NULL outside of any. */
void
ua_messaging_on_request (UaStack *stack, const UaEvent *event, gpointer owner)
{
  const sip_t *sip = event->sip;
  const char *why = "";
  guint status = screen (stack, sip, owner != NULL), retry_after = 0;
  msg_t *request = nua_current_request (stack->nua);
  UaTransaction *transaction;
  UaIm im = { 0 };

  if (!status)
    status = read_body (stack, sip, &im, &why);
  if (status)
    {
      phone_log_info (&stack->log, "Account %s: MESSAGE refused with %u%s%s", stack->id, status, *why ? ": " : "", why);
      respond (stack, event->nh, request, status, 0);
      return;
    }
  transaction = g_new0 (UaTransaction, 1);
  *transaction = (UaTransaction){ .stack = stack, .nh = event->nh, .own = owner == NULL, .request = msg_ref_create (request) };
  g_ptr_array_add (stack->engine->transactions, transaction);
  if (transaction->own)
    ua_stack_adopt (stack, event->nh, UA_OWNER_INCOMING_MESSAGE, transaction);
  status = pass_on (stack, sip, &im, transaction, &retry_after);
  ua_im_clear (&im);
  if (status)
    ua_messaging_answer (stack->engine, transaction, status, retry_after);
}
