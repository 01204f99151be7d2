/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages out, and what clients ask. The archive works behind a queue of its own, so every step that must be on the disk before the next one
 * is a callback:
 *
 *   send     row "queued" is written -> the client has its id -> the message is in the queue
 *   its turn row "sending" is written -> MESSAGE goes out -> answer -> row "sent" (or "queued", "failed") is written -> it is told
 *
 * A message that an earlier life left as "sending" may have arrived or not. It is not sent again, which could make two of it; it has failed,
 * and says that it may have arrived. A report of the peer lifts it to where it is. */

#include "core/messages-private.h"

#include <string.h>

#include "core/dial-plan.h"
#include "core/history-private.h"
#include "util/text.h"

#define MAX_QUEUED 1000
#define MAX_PEERS 512
#define EXPIRE_EVERY_S 3600
#define DISK_RETRY_S 5
#define DAY_S 86400
#define HOUR_S 3600

enum
{
  SIGNAL_RECEIVED,
  SIGNAL_STATE,
  SIGNAL_COMPOSING,
  SIGNAL_CHANGED,
  N_SIGNALS
};
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (PhoneMessages, phone_messages, G_TYPE_OBJECT)

static void
outgoing_free (PhoneOutgoing *outgoing)
{
  g_free (outgoing->key);
  phone_message_free (outgoing->message);
  g_clear_object (&outgoing->call);
  g_free (outgoing);
}

static void
phone_messages_finalize (GObject *object)
{
  PhoneMessages *messages = PHONE_MESSAGES (object);

  phone_message_queue_free (messages->queue);
  g_hash_table_unref (messages->outgoing);
  g_hash_table_unref (messages->cpim_peers);
  phone_messages_composing_clear (messages);
  G_OBJECT_CLASS (phone_messages_parent_class)->finalize (object);
}

static guint
new_signal (const char *name, GType argument)
{
  return g_signal_new (name, PHONE_TYPE_MESSAGES, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, argument);
}

static void
phone_messages_class_init (PhoneMessagesClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = phone_messages_finalize;
  signals[SIGNAL_RECEIVED] = new_signal ("received", G_TYPE_POINTER);
  signals[SIGNAL_STATE] = new_signal ("state", G_TYPE_POINTER);
  signals[SIGNAL_COMPOSING] = new_signal ("composing", G_TYPE_POINTER);
  signals[SIGNAL_CHANGED] = new_signal (PHONE_SIGNAL_CHANGED, G_TYPE_UINT);
}

static void
phone_messages_init (PhoneMessages *messages)
{
  messages->queue = phone_message_queue_new ();
  messages->outgoing = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) outgoing_free);
  messages->cpim_peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  phone_messages_composing_init (messages);
}

guint phone_messages_get_unread (PhoneMessages *messages) { return messages->unread; }
guint phone_messages_get_queued (PhoneMessages *messages) { return messages->n_queued; }

const PhonePorts *
phone_messages_ports (PhoneMessages *messages)
{
  const PhonePorts *ports = messages->registry ? phone_registry_get_ports (messages->registry) : NULL;

  return ports && ports->archive && ports->archive->message_add && ports->sig->message_send ? ports : NULL;
}

PhoneAccount *
phone_messages_account (PhoneMessages *messages, const char *id)
{
  return messages->registry ? phone_registry_find_account (messages->registry, id) : NULL;
}

static gint64
now_s (void)
{
  return g_get_real_time () / G_USEC_PER_SEC;
}

/* ---- news ---- */

void
phone_messages_emit_state (PhoneMessages *messages, PhoneMessage *message)
{
  gboolean reported = message->disposition != PHONE_DISPOSITION_NONE;

  phone_log_info (&(PhoneLogFields){ .account = message->account }, "Message %s to %s: %s%s%s%s%s", message->id, message->party,
                  phone_message_state_to_string (message->state), *message->phrase ? ": " : "", message->phrase, reported ? ", reported: " : "",
                  reported ? phone_disposition_to_string (message->disposition) : "");
  g_signal_emit (messages, signals[SIGNAL_STATE], 0, message);
}

void
phone_messages_emit_received (PhoneMessages *messages, PhoneMessage *message)
{
  phone_log_notice (&(PhoneLogFields){ .account = message->account }, "Account %s: message from %s", message->account, message->party);
  g_signal_emit (messages, signals[SIGNAL_RECEIVED], 0, message);
  if (messages->registry)
    phone_history_note_message (phone_registry_get_history (messages->registry), message);
}

void
phone_messages_emit_composing (PhoneMessages *messages, const PhoneComposingNews *news)
{
  g_signal_emit (messages, signals[SIGNAL_COMPOSING], 0, news);
}

void
phone_messages_set_unread (PhoneMessages *messages, guint unread)
{
  if (messages->unread == unread)
    return;
  messages->unread = unread;
  g_signal_emit (messages, signals[SIGNAL_CHANGED], 0, (guint) PHONE_MESSAGES_UNREAD);
}

/* ---- how many are unread ---- */

typedef struct
{
  PhoneMessages *messages;
  PhoneArchiveDone done;        /* NULL: nobody waits for it */
  gpointer data;
  gboolean kept;
} Changing;

static Changing *
changing_new (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  Changing *changing;

  if (ids && g_strv_length ((char **) ids) > PHONE_MESSAGE_MAX_IDS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d messages at a time", PHONE_MESSAGE_MAX_IDS);
      return NULL;
    }
  changing = g_new0 (Changing, 1);
  *changing = (Changing){ g_object_ref (messages), done, data };
  return changing;
}

static void
changing_finish (Changing *changing, const GError *error)
{
  if (changing->done)
    changing->done (changing->kept, error, changing->data);
  g_object_unref (changing->messages);
  g_free (changing);
}

static void
on_counted (guint n, const GError *error, gpointer data)
{
  Changing *changing = data;

  if (!error)
    phone_messages_set_unread (changing->messages, n);
  changing_finish (changing, NULL);
}

/* Whoever hears that it is done finds Unread to be right. */
static void
count_and_finish (Changing *changing, const GError *error)
{
  const PhonePorts *ports = phone_messages_ports (changing->messages);

  if (!error && ports)
    ports->archive->message_count_unread (ports->archive_data, on_counted, changing);
  else
    changing_finish (changing, error);
}

static void
count (PhoneMessages *messages)
{
  count_and_finish (changing_new (messages, NULL, NULL, NULL, NULL), NULL);
}

/* ---- who reads what ---- */

char *
phone_messages_peer_key (const char *account, const char *party)
{
  return g_strconcat (account, "\n", party, NULL);
}

void
phone_messages_learn (GHashTable *set, const char *account, const char *party)
{
  if (g_hash_table_size (set) >= MAX_PEERS)
    g_hash_table_remove_all (set);      /* it is learned again with the next message */
  g_hash_table_add (set, phone_messages_peer_key (account, party));
}

static gboolean
wants_cpim (PhoneMessages *messages, const PhoneOutgoing *outgoing, PhoneAccount *account)
{
  g_autofree char *key = phone_messages_peer_key (outgoing->message->account, outgoing->message->party);

  if (outgoing->report)
    return TRUE;
  if (outgoing->plain)
    return FALSE;
  switch (phone_account_get_settings (account)->message_reports)
    {
    case PHONE_MESSAGE_REPORTS_ON:
      return TRUE;
    case PHONE_MESSAGE_REPORTS_AUTO:
      return g_hash_table_contains (messages->cpim_peers, key);
    case PHONE_MESSAGE_REPORTS_OFF:
      break;
    }
  return FALSE;
}

/* ---- the queue ---- */

PhoneOutgoing *
phone_messages_enqueue (PhoneMessages *messages, const PhoneMessage *message, PhoneReport report, PhoneCall *call)
{
  PhoneOutgoing *outgoing = g_new0 (PhoneOutgoing, 1);
  g_autofree char *lane = report ? g_strconcat ("report ", message->party, NULL) : g_strdup (message->party);

  outgoing->key = report ? g_strdup_printf ("%s/%d", message->id, (int) report) : g_strdup (message->id);
  outgoing->message = phone_message_copy (message);
  outgoing->report = report;
  outgoing->call = call ? g_object_ref (call) : NULL;
  if (g_hash_table_contains (messages->outgoing, outgoing->key))
    {
      outgoing_free (outgoing);
      return NULL;
    }
  g_hash_table_insert (messages->outgoing, outgoing->key, outgoing);
  phone_message_queue_add (messages->queue, outgoing->key, message->account, lane);
  if (!report)
    {
      messages->n_queued++;
      g_signal_emit (messages, signals[SIGNAL_CHANGED], 0, (guint) PHONE_MESSAGES_QUEUED);
    }
  return outgoing;
}

void
phone_messages_drop (PhoneMessages *messages, PhoneOutgoing *outgoing)
{
  gboolean counted = !outgoing->report;

  phone_message_queue_remove (messages->queue, outgoing->key);
  g_hash_table_remove (messages->outgoing, outgoing->key);
  if (!counted)
    return;
  messages->n_queued--;
  g_signal_emit (messages, signals[SIGNAL_CHANGED], 0, (guint) PHONE_MESSAGES_QUEUED);
}

typedef struct
{
  PhoneMessages *messages;
  char *key;
} Step;

static Step *
step_new (PhoneMessages *messages, const char *key)
{
  Step *step = g_new0 (Step, 1);

  step->messages = g_object_ref (messages);
  step->key = g_strdup (key);
  return step;
}

static void
step_free (Step *step)
{
  g_object_unref (step->messages);
  g_free (step->key);
  g_free (step);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Step, step_free)

static void
on_written (GPtrArray *found, const GError *error, gpointer data)
{
  g_autoptr (PhoneMessages) messages = data;

  if (found && found->len)
    phone_messages_emit_state (messages, found->pdata[0]);
  if (error)
    phone_log_warning (NULL, "Messages: the state of one is lost: %s", error->message);
}

/* What is told is on the disk before. */
static void
write_state (PhoneMessages *messages, PhoneMessage *message, PhoneMessageState state)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  message->state = state;
  message->changed = now_s ();
  if (ports)
    ports->archive->message_update (ports->archive_data, message, FALSE, on_written, g_object_ref (messages));
}

static void
fail (PhoneMessages *messages, PhoneOutgoing *outgoing, const char *phrase, gboolean uncertain)
{
  if (phrase)
    phone_text_take (&outgoing->message->phrase, phrase);
  outgoing->message->uncertain = uncertain;
  if (outgoing->report)
    phone_messages_report_done (messages, outgoing);
  else
    write_state (messages, outgoing->message, PHONE_MESSAGE_FAILED);
  phone_messages_drop (messages, outgoing);
}

static gboolean
is_overdue (PhoneMessages *messages, const PhoneOutgoing *outgoing)
{
  gint64 limit = (gint64) phone_registry_get_settings (messages->registry)->message_give_up * HOUR_S;

  return now_s () - outgoing->message->time > limit;
}

static void
give_up (PhoneMessages *messages, PhoneOutgoing *outgoing)
{
  g_autofree char *phrase = g_strdup_printf ("Given up after %u hours%s%s", phone_registry_get_settings (messages->registry)->message_give_up,
                                             *outgoing->message->phrase ? ": " : "", outgoing->message->phrase);

  fail (messages, outgoing, phrase, FALSE);
}

static void
transmit (PhoneMessages *messages, PhoneOutgoing *outgoing)
{
  const PhonePorts *ports = phone_messages_ports (messages);
  const PhoneMessage *message = outgoing->message;
  PhoneAccount *account = phone_messages_account (messages, message->account);
  PhoneMessageParams params = {
    .id = outgoing->key,
    .content = outgoing->report ? PHONE_MESSAGE_REPORT : PHONE_MESSAGE_TEXT,
    .target = message->remote_uri,
    .call = outgoing->call && !phone_call_is_ended (outgoing->call) ? outgoing->call : NULL,
    .text = message->body,
    .message_id = outgoing->report ? message->imdn_id : message->id,
    .asks = PHONE_REPORT_DELIVERED | PHONE_REPORT_DISPLAYED,
    .time = outgoing->report ? now_s () : message->time,
    .report = outgoing->report,
  };
  g_autoptr (GError) error = NULL;

  if (!ports || !account)
    {
      phone_message_queue_put_back (messages->queue, outgoing->key, DISK_RETRY_S, g_get_monotonic_time (), 0);
      return;
    }
  outgoing->in_cpim = params.in_cpim = wants_cpim (messages, outgoing, account);
  if (ports->sig->message_send (ports->ua, account, &params, &error))
    {
      phone_messages_composing_sent (messages, message);
      return;
    }
  if (g_error_matches (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE))
    {
      /* The stack went while the disk was asked. */
      phone_message_queue_put_back (messages->queue, outgoing->key, DISK_RETRY_S, g_get_monotonic_time (), 0);
      if (!outgoing->report)
        write_state (messages, outgoing->message, PHONE_MESSAGE_QUEUED);
      return;
    }
  /* Without its envelope it may fit. */
  if (outgoing->in_cpim && !outgoing->report)
    {
      outgoing->plain = TRUE;
      transmit (messages, outgoing);
      return;
    }
  fail (messages, outgoing, error->message, FALSE);
}

static void
on_marked (GPtrArray *found, const GError *error, gpointer data)
{
  g_autoptr (Step) step = data;
  PhoneMessages *messages = step->messages;
  PhoneOutgoing *outgoing = g_hash_table_lookup (messages->outgoing, step->key);

  if (!outgoing || !messages->registry)
    return;
  if (error)
    {
      /* It could not be told later whether it went out: so it does not. */
      outgoing->message->state = PHONE_MESSAGE_QUEUED;
      phone_message_queue_put_back (messages->queue, step->key, DISK_RETRY_S, g_get_monotonic_time (), 0);
    }
  else if (found->len == 0)
    phone_messages_drop (messages, outgoing);
  else
    {
      phone_messages_emit_state (messages, found->pdata[0]);
      transmit (messages, outgoing);
    }
  phone_messages_pump (messages);
}

static void
begin (PhoneMessages *messages, PhoneOutgoing *outgoing)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  if (is_overdue (messages, outgoing))
    give_up (messages, outgoing);
  else if (outgoing->report)
    transmit (messages, outgoing);
  else
    {
      outgoing->message->state = PHONE_MESSAGE_SENDING;
      outgoing->message->changed = now_s ();
      outgoing->message->attempts++;
      ports->archive->message_update (ports->archive_data, outgoing->message, TRUE, on_marked, step_new (messages, outgoing->key));
    }
}

static gboolean
is_ready (PhoneAccount *account)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (account);

  return settings->enabled && phone_account_is_open (account)
         && (!settings->do_register || phone_account_get_registration (account) == PHONE_REGISTRATION_REGISTERED);
}

static gboolean
on_timer (gpointer data)
{
  PhoneMessages *messages = data;

  messages->timer = 0;
  phone_messages_composing_tick (messages, g_get_monotonic_time ());
  phone_messages_pump (messages);
  return G_SOURCE_REMOVE;
}

static void
wind_up (PhoneMessages *messages)
{
  gint64 now = g_get_monotonic_time ();
  gint64 wake = phone_message_queue_wake (messages->queue, now), composing = phone_messages_composing_wake (messages);

  if (wake < 0 || (composing >= 0 && composing < wake))
    wake = composing;
  g_clear_handle_id (&messages->timer, g_source_remove);
  if (wake >= 0 && messages->registry)
    messages->timer = g_timeout_add ((guint) CLAMP ((wake - now) / 1000 + 1, 1, G_MAXINT), on_timer, messages);
}

void
phone_messages_pump (PhoneMessages *messages)
{
  GPtrArray *accounts = messages->registry ? phone_registry_get_accounts (messages->registry) : NULL;
  const char *key;

  if (!phone_messages_ports (messages))
    return;
  for (guint i = 0; i < accounts->len; i++)
    phone_message_queue_set_ready (messages->queue, phone_account_get_id (accounts->pdata[i]), is_ready (accounts->pdata[i]));
  while ((key = phone_message_queue_next (messages->queue, g_get_monotonic_time ())))
    begin (messages, g_hash_table_lookup (messages->outgoing, key));
  wind_up (messages);
}

void
phone_messages_account_changed (PhoneMessages *messages, PhoneAccount *account)
{
  phone_message_queue_set_ready (messages->queue, phone_account_get_id (account), FALSE);
  phone_messages_pump (messages);
}

void
phone_messages_on_answer (PhoneMessages *messages, const char *id, const PhoneMessageAnswer *answer, const char *phrase,
                          gboolean accepts_cpim)
{
  PhoneOutgoing *outgoing = g_hash_table_lookup (messages->outgoing, id);
  PhoneMessage *message = outgoing ? outgoing->message : NULL;

  if (phone_messages_composing_answered (messages, id, answer) || !outgoing || !phone_message_queue_is_out (messages->queue, id))
    return;
  if (accepts_cpim)
    phone_messages_learn (messages->cpim_peers, message->account, message->party);
  message->sip = answer->status < 700 ? answer->status : 0;
  phone_text_take (&message->phrase, phrase);
  if (answer->status == 415 && outgoing->in_cpim && !outgoing->report)
    {
      g_autofree char *peer = phone_messages_peer_key (message->account, message->party);

      g_hash_table_remove (messages->cpim_peers, peer);
      outgoing->plain = TRUE;
      transmit (messages, outgoing);
      return;
    }
  switch (phone_message_judge (answer))
    {
    case PHONE_MESSAGE_TAKEN:
      if (outgoing->report)
        phone_messages_report_done (messages, outgoing);
      else
        write_state (messages, message, PHONE_MESSAGE_SENT);
      phone_messages_drop (messages, outgoing);
      break;
    case PHONE_MESSAGE_LATER:
      phone_message_queue_put_back (messages->queue, id, answer->retry_after, g_get_monotonic_time (), g_random_double ());
      if (!outgoing->report)
        write_state (messages, message, PHONE_MESSAGE_QUEUED);
      break;
    case PHONE_MESSAGE_REFUSED:
      fail (messages, outgoing, NULL, FALSE);
      break;
    case PHONE_MESSAGE_LOST_SIGHT:
      fail (messages, outgoing, NULL, TRUE);
      break;
    }
  phone_messages_pump (messages);
}

/* ---- what an earlier life left ---- */

static void
on_open (GPtrArray *found, const GError *error, gpointer data)
{
  g_autoptr (PhoneMessages) messages = data;

  if (error)
    phone_log_warning (NULL, "Messages: what waited to be sent cannot be read: %s", error->message);
  for (guint i = 0; found && messages->registry && i < found->len; i++)
    {
      PhoneMessage *message = found->pdata[i];

      if (message->incoming)
        phone_messages_enqueue_reports (messages, message, message->owes);
      else if (message->state == PHONE_MESSAGE_QUEUED)
        phone_messages_enqueue (messages, message, 0, NULL);
      else
        {
          message->uncertain = TRUE;
          message->sip = 0;
          phone_text_take (&message->phrase, "phoned ended before the answer came");
          write_state (messages, message, PHONE_MESSAGE_FAILED);
        }
    }
  phone_messages_pump (messages);
}

static void
expire (PhoneMessages *messages)
{
  const PhonePorts *ports = phone_messages_ports (messages);
  const PhoneDaemonSettings *settings = messages->registry ? phone_registry_get_settings (messages->registry) : NULL;
  g_autoptr (GList) all = g_hash_table_get_values (messages->outgoing);

  if (!ports)
    return;
  for (GList *l = all; l; l = l->next)
    {
      PhoneOutgoing *outgoing = l->data;

      if (!phone_message_queue_is_out (messages->queue, outgoing->key) && is_overdue (messages, outgoing))
        give_up (messages, outgoing);
    }
  if (settings->message_keep)
    {
      ports->archive->message_expire (ports->archive_data, now_s () - (gint64) settings->message_keep * DAY_S, NULL, NULL);
      count (messages);
    }
}

static gboolean
on_expire_timer (gpointer data)
{
  expire (data);
  return G_SOURCE_CONTINUE;
}

PhoneMessages *
phone_messages_new (PhoneRegistry *registry)
{
  PhoneMessages *messages = g_object_new (PHONE_TYPE_MESSAGES, NULL);

  messages->registry = registry;
  return messages;
}

void
phone_messages_start (PhoneMessages *messages)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  if (!ports)
    return;
  if (!messages->loaded)
    {
      messages->loaded = TRUE;
      messages->expire_timer = g_timeout_add_seconds (EXPIRE_EVERY_S, on_expire_timer, messages);
      ports->archive->message_open (ports->archive_data, on_open, g_object_ref (messages));
      count (messages);
    }
  expire (messages);
}

void
phone_messages_stop (PhoneMessages *messages)
{
  g_clear_handle_id (&messages->timer, g_source_remove);
  g_clear_handle_id (&messages->expire_timer, g_source_remove);
  messages->registry = NULL;
}

/* ---- what clients ask ---- */

static const PhonePorts *
require_ports (PhoneMessages *messages, GError **error)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  if (!ports)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "This phone keeps no messages");
  return ports;
}

static gboolean
check_body (PhoneMessages *messages, const char *body, GError **error)
{
  gsize max = phone_registry_get_settings (messages->registry)->message_max_size;

  if (*body == '\0')
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The message is empty");
  else if (strlen (body) > max)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The message has %lu octets, and may have %lu ([messages] max-size)",
                 (gulong) strlen (body), (gulong) max);
  else if (!phone_text_is_clean_lines (body))
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The message has control characters in it");
  else
    return TRUE;
  return FALSE;
}

char *
phone_messages_resolve (PhoneMessages *messages, const char *to, PhoneAccount *wanted, PhoneAccount **ret_account, GError **error)
{
  PhoneAccount *account = wanted ? wanted : phone_registry_choose_account (messages->registry, to);

  if (!account)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no account to send with");
      return NULL;
    }
  if (!phone_account_get_settings (account)->enabled)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "Account %s is disabled", phone_account_get_id (account));
      return NULL;
    }
  *ret_account = account;
  return phone_dial_plan_resolve_in (phone_account_get_settings (account), to, phone_registry_country (messages->registry, account), error);
}

typedef struct
{
  PhoneMessages *messages;
  PhoneMessage *message;
  PhoneCall *call;
  PhoneMessageSent done;
  gpointer data;
} Sending;

static void
on_added (gboolean is_copy, const GError *error, gpointer data)
{
  Sending *sending = data;
  g_autoptr (PhoneMessages) messages = sending->messages;
  g_autoptr (PhoneMessage) message = sending->message;
  g_autoptr (PhoneCall) call = sending->call;

  sending->done (error ? NULL : message->id, error, sending->data);
  g_free (sending);
  if (error || !messages->registry)
    return;
  phone_messages_emit_state (messages, message);
  phone_history_note_message (phone_registry_get_history (messages->registry), message);
  phone_messages_enqueue (messages, message, 0, call);
  phone_message_queue_hurry (messages->queue, message->account, message->party);
  phone_messages_pump (messages);
}

gboolean
phone_messages_send (PhoneMessages *messages, const char *to, const char *body, const PhoneMessageOptions *options, PhoneMessageSent done,
                     gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);
  g_autoptr (PhoneMessage) message = NULL;
  g_autofree char *uri = NULL;
  PhoneAccount *account = NULL;
  Sending *sending;

  if (!ports || !check_body (messages, body, error))
    return FALSE;
  if (messages->n_queued >= MAX_QUEUED)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d messages wait to be sent already", MAX_QUEUED);
      return FALSE;
    }
  if (options->call && phone_call_is_ended (options->call))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED, "The call has ended");
      return FALSE;
    }
  if (options->call)
    {
      account = phone_call_get_account (options->call);
      uri = g_strdup (phone_call_get_remote_uri (options->call));
    }
  else if (!(uri = phone_messages_resolve (messages, to, options->account, &account, error)))
    return FALSE;
  message = phone_message_new ();
  g_free (message->id);
  message->id = g_uuid_string_random ();
  phone_text_take (&message->account, phone_account_get_id (account));
  phone_text_take (&message->remote_uri, uri);
  g_free (message->party);
  message->party = phone_party_key (uri);
  phone_text_take (&message->body, body);
  message->state = PHONE_MESSAGE_QUEUED;
  message->time = message->changed = now_s ();
  message->read = TRUE;
  sending = g_new0 (Sending, 1);
  *sending = (Sending){ g_object_ref (messages), phone_message_copy (message), options->call ? g_object_ref (options->call) : NULL, done, data };
  ports->archive->message_add (ports->archive_data, g_steal_pointer (&message), on_added, sending);
  return TRUE;
}

gboolean
phone_messages_list (PhoneMessages *messages, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneMessagesListed done,
                     gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);
  g_autoptr (PhoneContactSearch) called = NULL;
  PhoneHistoryFilter full = *filter;

  if (!ports || !phone_page_check ("messages", offset, limit, PHONE_MESSAGE_MAX_PAGE, error))
    return FALSE;
  full.called = called = phone_registry_search_contacts (messages->registry, filter->text);
  ports->archive->message_list (ports->archive_data, &full, offset, limit, done, data);
  return TRUE;
}

gboolean
phone_messages_list_conversations (PhoneMessages *messages, gboolean unread_only, guint offset, guint limit, PhoneConversationsListed done,
                                   gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);

  if (!ports || !phone_page_check ("conversations", offset, limit, PHONE_MESSAGE_MAX_PAGE, error))
    return FALSE;
  ports->archive->message_conversations (ports->archive_data, unread_only, offset, limit, done, data);
  return TRUE;
}

gboolean
phone_messages_find (PhoneMessages *messages, const char *id, PhoneMessagesListed done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);

  if (ports)
    ports->archive->message_get (ports->archive_data, id, done, data);
  return ports != NULL;
}

static void
on_read (GPtrArray *found, const GError *error, gpointer data)
{
  Changing *changing = data;
  g_autoptr (PhoneMessages) messages = g_object_ref (changing->messages);

  for (guint i = 0; found && i < found->len; i++)
    phone_messages_enqueue_reports (messages, found->pdata[i], ((PhoneMessage *) found->pdata[i])->owes);
  count_and_finish (changing, error);
  phone_messages_pump (messages);
}

gboolean
phone_messages_mark_read (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);
  Changing *changing = ports ? changing_new (messages, ids, done, data, error) : NULL;

  if (changing)
    ports->archive->message_mark_read (ports->archive_data, ids, on_read, changing);
  return changing != NULL;
}

static void
on_deleted (gboolean kept, const GError *error, gpointer data)
{
  Changing *changing = data;

  changing->kept = kept;
  count_and_finish (changing, error);
}

gboolean
phone_messages_delete (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error)
{
  const PhonePorts *ports = require_ports (messages, error);
  Changing *changing = ports ? changing_new (messages, ids, done, data, error) : NULL;
  g_autoptr (GList) all = g_hash_table_get_values (messages->outgoing);

  if (!changing)
    return FALSE;
  for (GList *l = all; l; l = l->next)
    {
      PhoneOutgoing *outgoing = l->data;

      if (!ids || g_strv_contains (ids, outgoing->message->id))
        phone_messages_drop (messages, outgoing);
    }
  ports->archive->message_delete (ports->archive_data, ids, on_deleted, changing);
  phone_messages_pump (messages);
  return TRUE;
}
