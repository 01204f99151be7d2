/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MESSAGE, one handle for each: sofia answers nothing and sends nothing by itself (APPL_METHOD has it).
 *
 * Out: the Call-ID is that of the message, so that a second attempt after a lost connection can be told from a second message. What is longer
 * than a datagram should be goes by TCP where there is TCP, and is refused where there is not; it is never sent as a fragmented datagram.
 *
 * In: screened as calls are. core says at once what to answer, or later, when the message is on the disk: the request waits with its handle
 * until then. */

#include "sip/ua-messaging.h"
#include "sip/ua-walk.h"

#include <netdb.h>
#include <string.h>
#include <sofia-sip/msg.h>
#include <sofia-sip/sip_status.h>

#include "sip/instant-message.h"
#include "util/text.h"

#define MAX_ID 256
#define CALL_ID_HOST "phoned"
#define ACCEPT_ENCODING "identity"
/* Of a request, what is the same for all: start line, Via, Max-Forwards, CSeq, Content-*, tags, ends of lines. */
#define FIXED_HEADERS 480
#define CREDENTIALS 400                 /* Proxy-Authorization with SHA-256 */

typedef struct
{
  UaStack *stack;
  nua_handle_t *nh;                     /* ours; NULL: that of a dialog */
  char *id;
  gboolean by_tcp;                      /* for its length */
  gboolean sent;                        /* on this handle */
  char *target, *from, *call_id, *body;
  const char *type;
  UaWalk *walk;
} UaMessage;

static void
message_free (UaMessage *message)
{
  ua_walk_free (message->walk);
  g_free (message->target);
  g_free (message->from);
  g_free (message->call_id);
  g_free (message->body);
  g_free (message->id);
  g_free (message);
}

/* ---- out ---- */

static char *
write_body (UaAccount *account, const PhoneMessageParams *params, const char **ret_type)
{
  g_autofree char *inner = NULL;
  UaCpimParams cpim = { .from = account->aor, .to = params->target, .message_id = params->message_id, .asks = params->asks,
                        .time = params->time, .content_type = "text/plain;charset=utf-8", .body = params->text };

  switch (params->content)
    {
    case PHONE_MESSAGE_TEXT:
      *ret_type = params->in_cpim ? "message/cpim" : "text/plain;charset=utf-8";
      return params->in_cpim ? ua_cpim_write (&cpim) : g_strdup (params->text);
    case PHONE_MESSAGE_REPORT:
      inner = ua_imdn_write (params->message_id, params->time, params->report);
      cpim = (UaCpimParams){ .from = account->aor, .to = params->target, .time = params->time, .content_type = "message/imdn+xml",
                             .is_report = TRUE, .body = inner };
      *ret_type = "message/cpim";
      return ua_cpim_write (&cpim);
    case PHONE_MESSAGE_COMPOSING:
      *ret_type = "application/im-iscomposing+xml";
      return ua_is_composing_write (params->active, params->active ? 120 : 0);
    }
  g_assert_not_reached ();
}

/* What the request will take on the wire, rather more than less. */
static gsize
estimate (UaAccount *account, const char *target, const char *from, const char *body)
{
  const PhoneDaemonSettings *settings = phone_registry_get_settings (account->engine->registry);

  return FIXED_HEADERS + 2 * strlen (target) + strlen (from) + strlen (settings->user_agent) + strlen (body)
         + (phone_account_get_password (account->account) ? CREDENTIALS : 0);
}

/* FALSE: it cannot be sent. */
static gboolean
choose_transport (UaStack *stack, gsize size, gboolean *ret_by_tcp, GError **error)
{
  gboolean datagrams = stack->transport == PHONE_TRANSPORT_UDP || (stack->transport == PHONE_TRANSPORT_AUTO && stack->flow != PHONE_TRANSPORT_TCP);

  *ret_by_tcp = datagrams && size > UA_DATAGRAM_LIMIT;
  if (!*ret_by_tcp || stack->transport != PHONE_TRANSPORT_UDP)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED,
               "With %lu octets it is too long for UDP (%d): set transport=auto, tcp or tls", (gulong) size, UA_DATAGRAM_LIMIT);
  return FALSE;
}

/* walked: what the walk says. NULL: to its target. */
static char *
make_route (UaMessage *message, const char *walked)
{
  g_autofree char *direct = walked ? NULL : ua_direct_route (message->stack, message->target);
  const char *plain = walked ? walked : direct, *uri = plain ? plain : message->target;
  const char *transport = strstr (uri, ";transport=");

  if (!message->by_tcp)
    return g_strdup (plain);
  return transport ? g_strdup_printf ("%.*s;transport=tcp", (int) (transport - uri), uri) : g_strconcat (uri, ";transport=tcp", NULL);
}

static gboolean
send_in_dialog (UaDialog *dialog, const PhoneMessageParams *params, const char *type, const char *body)
{
  UaMessage *message;

  if (!dialog || dialog->state != DIALOG_UP || dialog->message)
    return FALSE;
  message = g_new0 (UaMessage, 1);
  message->stack = dialog->stack;
  message->id = g_strdup (params->id);
  dialog->message = message;
  nua_message (dialog->nh, SIPTAG_CONTENT_TYPE_STR (type), SIPTAG_PAYLOAD_STR (body), TAG_END ());
  ua_dialog_request_begins (dialog);
  return TRUE;
}

static void
drop_handle (UaMessage *message)
{
  ua_stack_drop (message->stack, g_steal_pointer (&message->nh));
  message->stack->n_messages--;
}

/* The stack's shutdown finds a message by its handle: there is one before anything is sent. */
static void
make_handle (UaMessage *message, UaStack *stack)
{
  g_autofree char *to = g_strdup_printf ("<%s>", message->target);

  message->stack = stack;
  message->sent = FALSE;
  message->nh = nua_handle (stack->nua, NULL, NUTAG_URL (message->target), SIPTAG_TO_STR (to), SIPTAG_FROM_STR (message->from), TAG_END ());
  ua_stack_adopt (stack, message->nh, UA_OWNER_MESSAGE, message);
  stack->n_messages++;
}

static void
on_target (gpointer owner, const char *walked, gboolean silent)
{
  UaMessage *message = owner;
  UaStack *stack = ua_walk_get_stack (message->walk);
  g_autofree char *route = NULL;

  if (message->sent || message->stack != stack)
    {
      drop_handle (message);
      make_handle (message, stack);
    }
  route = make_route (message, walked);
  message->sent = TRUE;
  nua_message (message->nh, TAG_IF (route, NUTAG_PROXY (route)), TAG_IF (message->call_id, SIPTAG_CALL_ID_STR (message->call_id)),
               SIPTAG_CONTENT_TYPE_STR (message->type), SIPTAG_PAYLOAD_STR (message->body), TAG_END ());
}

gboolean
ua_messaging_send (gpointer ua, PhoneAccount *phone_account, const PhoneMessageParams *params, GError **error)
{
  UaAccount *account = phone_account_get_engine_data (phone_account);
  g_autofree char *from = NULL, *body = NULL;
  const char *type;
  UaMessage *message;
  gboolean by_tcp;

  if (!account || account->removing || !account->stack || account->stack->state != UA_STACK_RUNNING)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s has no open SIP stack", phone_account_get_id (phone_account));
      return FALSE;
    }
  from = ua_account_from (account, FALSE);
  body = write_body (account, params, &type);
  if (!choose_transport (account->stack, estimate (account, params->target, from, body), &by_tcp, error))
    return FALSE;
  if (params->call && !by_tcp && send_in_dialog (ua_dialog_of (params->call), params, type, body))
    return TRUE;
  message = g_new0 (UaMessage, 1);
  message->id = g_strdup (params->id);
  message->by_tcp = by_tcp;
  message->target = g_strdup (params->target);
  message->from = g_steal_pointer (&from);
  message->body = g_steal_pointer (&body);
  message->type = type;
  if (params->content == PHONE_MESSAGE_TEXT)
    message->call_id = g_strdup_printf ("%s@" CALL_ID_HOST, params->message_id);
  message->walk = ua_walk_new (account, NULL, on_target, message);
  make_handle (message, account->stack);
  ua_walk_start (message->walk, account->server_uri ? NULL : message->target, ua_account_is_registered (account));
  return TRUE;
}

/* ---- answers to ours ---- */

static gboolean
accepts_cpim (const sip_t *sip)
{
  for (const sip_accept_t *a = sip ? sip->sip_accept : NULL; a; a = a->ac_next)
    if (a->ac_type && g_ascii_strcasecmp (a->ac_type, "message/cpim") == 0)
      return TRUE;
  return FALSE;
}

static void
tell (UaEngine *engine, UaMessage *message, const PhoneMessageAnswer *answer, const char *phrase, gboolean cpim)
{
  g_autofree char *id = g_steal_pointer (&message->id);

  message_free (message);
  if (id)
    phone_messages_on_answer (phone_registry_get_messages (engine->registry), id, answer, phrase, cpim);
}

static void
finish (UaStack *stack, UaMessage *message, const UaEvent *event)
{
  PhoneMessageAnswer answer = {
    .status = (guint) event->status,
    .local = ua_event_is_local (event),
    .retry_after = event->sip && event->sip->sip_retry_after ? (guint) MIN (event->sip->sip_retry_after->af_delta, G_MAXINT) : 0,
  };
  g_autofree char *phrase = phone_text_clean (event->phrase, -1, UA_MAX_PHRASE);

  if (answer.local && answer.status == 503 && message->by_tcp)
    {
      answer.status = 513;
      g_free (phrase);
      phrase = g_strdup ("It is too long for UDP, and there is no way by TCP");
    }
  tell (stack->engine, message, &answer, phrase, answer.status < 300 && accepts_cpim (event->sip));
}

void
ua_messaging_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaMessage *message = owner;

  ua_walk_heard (message->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip && stack->account
      && ua_credentials_answer (stack->account->credentials, event->nh, event->sip) == UA_ANSWER_SENT)
    return;
  if (stack->account && stack->state == UA_STACK_RUNNING && ua_walk_next (message->walk, event))
    return;
  drop_handle (message);
  finish (stack, message, event);
  ua_stack_check (stack);
}

void
ua_messaging_on_dialog_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaDialog *dialog = owner;
  UaMessage *message = dialog->message;

  if (event->status < 200 || !message || ua_dialog_authenticate (dialog, event))
    return;
  dialog->message = NULL;
  ua_dialog_request_ends (dialog);
  finish (stack, message, event);
}

/* Sent, and no answer will come. */
static const PhoneMessageAnswer lost = { .status = 408, .local = TRUE };

void
ua_messaging_dialog_gone (UaDialog *dialog)
{
  UaMessage *message = g_steal_pointer (&dialog->message);

  if (message)
    tell (message->stack->engine, message, &lost, "The call ended before the answer came", FALSE);
}

static void
abandon_one (gpointer owner, gpointer data)
{
  UaMessage *message = owner;

  ((UaStack *) data)->n_messages--;
  tell (message->stack->engine, message, &lost, "The account went before the answer came", FALSE);
}

/* ---- in ---- */

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
               TAG_IF (status == 415, SIPTAG_ACCEPT_ENCODING_STR (ACCEPT_ENCODING)),
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
ua_messaging_abandon (UaStack *stack)
{
  GPtrArray *transactions = stack->engine->transactions;

  for (guint i = 0; i < transactions->len; i++)
    if (((UaTransaction *) transactions->pdata[i])->stack == stack)
      ((UaTransaction *) transactions->pdata[i])->stack = NULL;
  ua_stack_foreach (stack, UA_OWNER_MESSAGE, abandon_one, stack);
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
  if (sip->sip_content_encoding && sip->sip_content_encoding->k_items && sip->sip_content_encoding->k_items[0]
      && g_ascii_strcasecmp (sip->sip_content_encoding->k_items[0], "identity") != 0)
    return 415;
  return 0;
}

static guint
read_body (UaStack *stack, const sip_t *sip, UaIm *ret_im, const char **ret_why)
{
  su_home_t home[1] = { SU_HOME_INIT (home) };
  const char *type = sip->sip_content_type ? ua_sip_header_text (home, sip->sip_content_type) : NULL;
  const sip_payload_t *payload = sip->sip_payload;
  gsize max = phone_registry_get_settings (stack->engine->registry)->message_max_size;
  guint status = ua_im_read (type, payload ? payload->pl_data : "", payload ? payload->pl_len : 0, max, ret_im, ret_why);

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
      incoming->report = im->report.kind;
      incoming->reported = im->report.what;
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
