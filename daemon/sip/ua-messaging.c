/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* MESSAGE of ours: sofia answers nothing and sends nothing by itself (APPL_METHOD has it). What is longer than a datagram should be goes by TCP
 * where there is TCP, and is refused where there is not; it is never sent as a fragmented datagram.
 *
 * A server that says nothing may be late and not dead: it may have passed the message on. So the request on the way to the next server is the same
 * one (Call-ID, CSeq and From tag; the branch is new, RFC 3263 section 4.3), and whoever gets both knows the second for a copy: it shows nothing,
 * and answers as before or with 482 (RFC 3261 section 8.2.2.2). A challenge makes the next number due (section 22.1), on each way alike.
 *
 *   try --answer-------------------------------------------> that
 *    |  ^
 *    |  +-- no answer: to the next server; the old try stays open, as late --2xx--> that
 *    +-- no answer, or come back later, or 482: as the last of the late ones ends, which is at its timer F
 *
 * What has been answered and is sent again after that is another request, with a number of its own. */

#include "sip/ua-messaging.h"
#include "sip/ua-walk.h"

#include <string.h>
#include <sofia-sip/sip_status.h>

#include "core/message-queue.h"
#include "sip/digest.h"
#include "sip/instant-message.h"
#include "util/text.h"

#define CALL_ID_HOST "phoned"
/* Of a request, what is the same for all: start line, Via, Max-Forwards, CSeq, Content-*, tags, ends of lines. */
#define FIXED_HEADERS 480
#define CREDENTIALS 400                 /* Proxy-Authorization with SHA-256 */
#define CSEQ_STEP 8                     /* between two messages: room for challenges */

typedef struct
{
  UaStack *stack;
  nua_handle_t *nh;
} Try;

typedef struct
{
  UaStack *stack;
  nua_handle_t *nh;                     /* ours; NULL: that of a dialog, or the late ones alone are open */
  GArray *late;                         /* Try: not answered, while the next one is out already; NULL: in a dialog */
  char *id;
  gboolean by_tcp;                      /* for its length */
  gboolean sent;                        /* on this handle */
  gboolean came_before;                 /* a later try was a copy for who got it */
  char *target, *from, *call_id, *body;
  guint32 cseq;                         /* of the first request of every try */
  guint n_challenges;                   /* answered in this one */
  const char *type;
  UaWalk *walk;
} UaMessage;

static void
drop_try (UaStack *stack, nua_handle_t *nh)
{
  ua_stack_drop (stack, nh);
  stack->n_messages--;
}

/* Those of one stack; NULL: all. */
static void
drop_late (UaMessage *message, const UaStack *stack)
{
  for (guint i = message->late->len; i-- > 0;)
    {
      const Try one = g_array_index (message->late, Try, i);

      if (stack && one.stack != stack)
        continue;
      drop_try (one.stack, one.nh);
      g_array_remove_index (message->late, i);
    }
}

static void
message_free (UaMessage *message)
{
  ua_walk_free (message->walk);
  if (message->late)
    g_array_unref (message->late);
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
  g_autofree char *inner = NULL, *own_id = NULL;
  UaCpimParams cpim = { .from = account->aor, .to = params->target, .message_id = params->message_id, .asks = params->asks,
                        .time = params->time, .content_type = "text/plain;charset=utf-8", .body = params->text };

  switch (params->content)
    {
    case PHONE_MESSAGE_TEXT:
      *ret_type = params->in_cpim ? "message/cpim" : "text/plain;charset=utf-8";
      return params->in_cpim ? ua_cpim_write (&cpim) : g_strdup (params->text);
    case PHONE_MESSAGE_REPORT:
      inner = ua_imdn_write (params->message_id, params->time, params->report);
      own_id = ua_digest_make_cnonce ();        /* RFC 5438 section 7.2.1: a report has one too, and asks for nothing */
      cpim = (UaCpimParams){ .from = account->aor, .to = params->target, .message_id = own_id, .time = params->time, .content_type = "message/imdn+xml",
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

/* A stack that the walk found, TLS, has no datagrams. */
static gboolean
needs_tcp (UaMessage *message)
{
  return message->by_tcp && message->stack->transport != PHONE_TRANSPORT_TLS;
}

/* walked: what the walk says. NULL: to its target. */
static char *
make_route (UaMessage *message, const char *walked)
{
  g_autofree char *direct = walked ? NULL : ua_direct_route (message->stack, message->target);
  const char *plain = walked ? walked : direct, *uri = plain ? plain : message->target;
  const char *transport = strstr (uri, ";transport=");

  if (!needs_tcp (message))
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
  if (message->nh)
    drop_try (message->stack, g_steal_pointer (&message->nh));
}

/* RFC 3261 section 8.1.1.5: less than 2^31, and it grows; over a restart, too. */
static guint32
next_cseq (void)
{
  static guint32 last;
  guint32 by_clock = (guint32) (g_get_real_time () / G_USEC_PER_SEC) & 0x3fffffff;

  last = MAX (last + CSEQ_STEP, by_clock);
  return last;
}

/* The stack's shutdown finds a message by its handle: there is one before anything is sent. */
static void
make_handle (UaMessage *message, UaStack *stack)
{
  g_autofree char *to = g_strdup_printf ("<%s>", message->target);

  message->stack = stack;
  message->sent = FALSE;
  message->n_challenges = 0;
  message->nh = nua_handle (stack->nua, NULL, NUTAG_URL (message->target), SIPTAG_TO_STR (to), SIPTAG_FROM_STR (message->from), TAG_END ());
  ua_stack_adopt (stack, message->nh, UA_OWNER_MESSAGE, message);
  stack->n_messages++;
}

static void
on_target (gpointer owner, const char *walked, gboolean silent)
{
  UaMessage *message = owner;
  UaStack *stack = ua_walk_get_stack (message->walk);
  g_autofree char *cseq = g_strdup_printf ("%u MESSAGE", message->cseq);
  g_autofree char *route = NULL;

  if (message->sent && silent)
    {
      const Try late = { message->stack, g_steal_pointer (&message->nh) };

      g_array_append_val (message->late, late);
    }
  if (message->sent || message->stack != stack)
    {
      drop_handle (message);
      make_handle (message, stack);
    }
  route = make_route (message, walked);
  message->sent = TRUE;
  nua_message (message->nh, TAG_IF (route, NUTAG_PROXY (route)), SIPTAG_CALL_ID_STR (message->call_id), SIPTAG_CSEQ_STR (cseq),
               SIPTAG_CONTENT_TYPE_STR (message->type), SIPTAG_PAYLOAD_STR (message->body), TAG_END ());
}

static void
on_barred (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaMessage *message = owner;
  UaEvent ours = *event;

  ours.nh = message->nh;
  ua_messaging_on_response (stack, &ours, message);
}

gboolean
ua_messaging_send (gpointer ua, PhoneAccount *phone_account, const PhoneMessageParams *params, GError **error)
{
  UaAccount *account = phone_account_get_engine_data (phone_account);
  g_autofree char *from = NULL, *body = NULL, *tag = ua_digest_make_cnonce (), *other_id = NULL;
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
  message->from = g_strdup_printf ("%s;tag=%s", from, tag);
  message->late = g_array_new (FALSE, FALSE, sizeof (Try));
  message->cseq = next_cseq ();
  message->body = g_steal_pointer (&body);
  message->type = type;
  other_id = params->content == PHONE_MESSAGE_TEXT ? g_strdup (params->message_id) : ua_digest_make_cnonce ();
  message->call_id = g_strdup_printf ("%s@" CALL_ID_HOST, other_id);
  message->walk = ua_walk_new (account, NULL, on_target, message);
  ua_walk_set_barred (message->walk, on_barred);
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

static PhoneMessageAnswer
read_answer (const UaEvent *event)
{
  return (PhoneMessageAnswer){
    .status = (guint) event->status,
    .local = ua_event_is_local (event),
    .retry_after = event->sip && event->sip->sip_retry_after ? (guint) MIN (event->sip->sip_retry_after->af_delta, G_MAXINT) : 0,
  };
}

static void
finish (UaStack *stack, UaMessage *message, const UaEvent *event)
{
  PhoneMessageAnswer answer = read_answer (event);
  g_autofree char *phrase = phone_text_clean (event->phrase, -1, UA_MAX_PHRASE);

  if (answer.local && answer.status == 503 && needs_tcp (message))
    {
      answer.status = 513;
      g_free (phrase);
      phrase = g_strdup ("It is too long for UDP, and there is no way by TCP");
    }
  tell (stack->engine, message, &answer, phrase, answer.status < 300 && accepts_cpim (event->sip));
}

/* A copy of what it has got (RFC 3261 section 8.2.2.2). */
static gboolean
is_copy (const UaEvent *event)
{
  return event->status == 482 && !ua_event_is_local (event);
}

/* Whether there is nothing more to learn from the late ones. */
static gboolean
is_settled (UaMessage *message, const UaEvent *event)
{
  const PhoneMessageAnswer answer = read_answer (event);

  switch (phone_message_judge (&answer))
    {
    case PHONE_MESSAGE_TAKEN:
      return TRUE;
    case PHONE_MESSAGE_REFUSED:
      return !is_copy (event);
    case PHONE_MESSAGE_LATER:
    case PHONE_MESSAGE_LOST_SIGHT:
      break;
    }
  return FALSE;
}

/* One try has ended, and is dropped. */
static void
conclude (UaStack *stack, UaMessage *message, const UaEvent *event)
{
  UaEvent taken = { .type = event->type, .status = 202, .phrase = "It had come before" };

  if (message->nh || (message->late->len > 0 && !is_settled (message, event)))
    return;
  drop_late (message, NULL);
  finish (stack, message, message->came_before && (is_copy (event) || ua_event_is_local (event)) ? &taken : event);
  ua_stack_check (stack);
}

/* Of all that a late one can say, only that it was taken counts while another try is open. */
static void
on_late_response (UaStack *stack, UaMessage *message, const UaEvent *event)
{
  guint at = 0;

  if (event->status < 200)
    return;
  while (g_array_index (message->late, Try, at).nh != event->nh)
    at++;
  g_array_remove_index (message->late, at);
  drop_try (stack, event->nh);
  if (event->status < 300)
    drop_handle (message);
  conclude (stack, message, event);
}

static gboolean
answer_challenge (UaStack *stack, UaMessage *message, const UaEvent *event)
{
  g_autofree char *cseq = g_strdup_printf ("%u MESSAGE", message->cseq + ++message->n_challenges);

  return ua_credentials_answer_as (stack->account->credentials, event->nh, event->sip, cseq) == UA_ANSWER_SENT;
}

void
ua_messaging_on_response (UaStack *stack, const UaEvent *event, gpointer owner)
{
  UaMessage *message = owner;

  if (event->nh != message->nh)
    {
      on_late_response (stack, message, event);
      return;
    }
  ua_walk_heard (message->walk, event);
  if (event->status < 200)
    return;
  if ((event->status == 401 || event->status == 407) && event->sip && stack->account && answer_challenge (stack, message, event))
    return;
  if (stack->account && stack->state == UA_STACK_RUNNING && ua_walk_next (message->walk, event))
    return;
  message->came_before |= message->late->len > 0 && is_copy (event);
  drop_handle (message);
  conclude (stack, message, event);
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
abandon_one (UaStack *stack, UaMessage *message)
{
  drop_late (message, stack);
  if (message->stack == stack)
    drop_handle (message);
  if (message->nh || message->late->len > 0)
    return;
  tell (stack->engine, message, &lost, "The account went before the answer came", FALSE);
}

static void
collect_one (gpointer owner, gpointer data)
{
  g_hash_table_add (data, owner);
}

void
ua_messaging_abandon (UaStack *stack)
{
  g_autoptr (GHashTable) messages = g_hash_table_new (NULL, NULL);      /* a set: one may have several handles */
  GHashTableIter iter;
  gpointer message;

  ua_messaging_abandon_incoming (stack);
  ua_stack_foreach (stack, UA_OWNER_MESSAGE, collect_one, messages);
  g_hash_table_iter_init (&iter, messages);
  while (g_hash_table_iter_next (&iter, &message, NULL))
    abandon_one (stack, message);
}
