/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages in, reports in both directions, and who is writing to whom.
 *
 * A 200 means that the message is ours to keep, so it goes out when the disk has it. What a flood could fill is limited: what one peer, all
 * peers of the account's server, and all strangers together may send; how many wait for the disk; how many peers are remembered. */

#include "core/messages-private.h"

#include <string.h>


#define MAX_STORING 64
#define MAX_WRITERS 64          /* that are remembered, in each direction */
#define MAX_SOURCES 256
#define PEER_BURST 100
#define PEER_PER_MINUTE 120
#define SERVER_BURST 400
#define SERVER_PER_MINUTE 600
#define STRANGERS_BURST 60
#define STRANGERS_PER_MINUTE 60
#define DISK_RETRY_AFTER 30     /* s */

/* ---- reports that we owe ---- */

void
phone_messages_enqueue_reports (PhoneMessages *messages, const PhoneMessage *message, guint reports)
{
  const PhoneReport kinds[] = { PHONE_REPORT_DELIVERED, PHONE_REPORT_DISPLAYED };

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (reports & kinds[i])
      phone_messages_enqueue (messages, message, kinds[i], NULL);
}

void
phone_messages_report_done (PhoneMessages *messages, PhoneOutgoing *outgoing)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  if (ports)
    ports->archive->message_reported (ports->archive_data, outgoing->message->id, outgoing->report);
}

/* What we grant of what the sender asks for. */
static guint
granted (PhoneAccount *account, const PhoneIncomingMessage *incoming)
{
  if (!incoming->message_id)
    return 0;
  switch (phone_account_get_settings (account)->message_receipts)
    {
    case PHONE_MESSAGE_RECEIPTS_NONE:
      return 0;
    case PHONE_MESSAGE_RECEIPTS_DELIVERED:
      return incoming->asks & PHONE_REPORT_DELIVERED;
    case PHONE_MESSAGE_RECEIPTS_DISPLAYED:
      break;
    }
  return incoming->asks;
}

/* ---- limits ---- */

/* 0, or the seconds to come back after. */
static guint
take_allowance (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, const char *party)
{
  gint64 now = g_get_monotonic_time ();
  g_autofree char *peer = phone_messages_peer_key (phone_account_get_id (account), incoming->trusted ? party : incoming->source);
  guint wait = phone_allowance_take (messages->per_peer, peer, now);

  if (wait)
    return wait;
  return incoming->trusted ? phone_allowance_take (messages->server, phone_account_get_id (account), now)
                           : phone_allowance_take (messages->strangers, "", now);
}

/* ---- text ---- */

typedef struct
{
  PhoneMessages *messages;
  PhoneMessage *message;        /* NULL: a report */
  gpointer transaction;
} Receiving;

static void
answer (PhoneMessages *messages, gpointer transaction, const GError *error)
{
  const PhonePorts *ports = phone_messages_ports (messages);

  if (ports)
    ports->sig->message_answer (ports->ua, transaction, error ? 503 : 200, error ? DISK_RETRY_AFTER : 0);
}

static void
set_peer_idle (PhoneMessages *messages, const PhoneMessage *message);

static void
on_stored (gboolean is_copy, const GError *error, gpointer data)
{
  Receiving *receiving = data;
  g_autoptr (PhoneMessages) messages = receiving->messages;
  g_autoptr (PhoneMessage) message = receiving->message;

  messages->n_storing--;
  answer (messages, receiving->transaction, error);
  g_free (receiving);
  if (error)
    phone_log_warning (NULL, "Account %s: a message was not taken: %s", message->account, error->message);
  if (error || is_copy)
    return;
  set_peer_idle (messages, message);
  phone_messages_set_unread (messages, messages->unread + 1);
  phone_messages_emit_received (messages, message);
  phone_messages_enqueue_reports (messages, message, message->owes);
  /* Who writes is there: what waits for him need not wait. */
  phone_message_queue_hurry (messages->queue, message->account, message->party);
  phone_messages_pump (messages);
}

static PhoneMessage *
make_message (PhoneAccount *account, const PhoneIncomingMessage *incoming, const char *party)
{
  PhoneMessage *message = phone_message_new ();

  g_free (message->id);
  message->id = g_uuid_string_random ();
  phone_text_take (&message->account, phone_account_get_id (account));
  message->incoming = TRUE;
  message->state = PHONE_MESSAGE_RECEIVED;
  phone_text_take (&message->remote_uri, incoming->asserted_id ? incoming->asserted_id : incoming->remote_uri);
  phone_text_take (&message->remote_name, incoming->remote_name);
  phone_text_take (&message->party, party);
  phone_text_take (&message->body, incoming->text);
  message->time = message->changed = g_get_real_time () / G_USEC_PER_SEC;
  phone_text_take (&message->imdn_id, incoming->message_id);
  g_free (message->transaction);
  message->transaction = g_strdup_printf ("%s %s", phone_account_get_id (account), incoming->transaction);
  message->asks = granted (account, incoming);
  message->owes = message->asks & PHONE_REPORT_DELIVERED;
  return message;
}

static guint
take_text (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, const char *party, gpointer transaction)
{
  const PhonePorts *ports = phone_messages_ports (messages);
  PhoneMessage *message;
  Receiving *receiving;

  if (*incoming->text == '\0')
    return 200;                 /* some use them to keep a path open */
  message = make_message (account, incoming, party);
  receiving = g_new0 (Receiving, 1);
  *receiving = (Receiving){ g_object_ref (messages), phone_message_copy (message), transaction };
  messages->n_storing++;
  ports->archive->message_add (ports->archive_data, message, on_stored, receiving);
  return 0;
}

/* ---- reports about ours ---- */

static void
on_reported (GPtrArray *found, const GError *error, gpointer data)
{
  Receiving *receiving = data;
  g_autoptr (PhoneMessages) messages = receiving->messages;

  messages->n_storing--;
  answer (messages, receiving->transaction, error);
  g_free (receiving);
  if (found && found->len)
    phone_messages_emit_state (messages, found->pdata[0]);
}

static guint
take_report (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, const char *party, gpointer transaction)
{
  const PhonePorts *ports = phone_messages_ports (messages);
  Receiving *receiving;

  if (incoming->disposition == PHONE_DISPOSITION_NONE)
    return 200;                 /* no news */
  receiving = g_new0 (Receiving, 1);
  *receiving = (Receiving){ g_object_ref (messages), NULL, transaction };
  messages->n_storing++;
  ports->archive->message_report (ports->archive_data, incoming->message_id, party, incoming->disposition, on_reported, receiving);
  return 0;
}

/* ---- who is writing ---- */

typedef struct
{
  char *account, *uri, *party;
  PhoneComposer ours;
  PhoneComposingPeer theirs;
} Writer;

static void
writer_free (Writer *writer)
{
  g_free (writer->account);
  g_free (writer->uri);
  g_free (writer->party);
  g_free (writer);
}

void
phone_messages_composing_init (PhoneMessages *messages)
{
  messages->composers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) writer_free);
  messages->composing = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) writer_free);
  messages->silent_peers = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  messages->per_peer = phone_allowance_new (PEER_BURST, PEER_PER_MINUTE, MAX_SOURCES);
  messages->server = phone_allowance_new (SERVER_BURST, SERVER_PER_MINUTE, MAX_SOURCES);
  messages->strangers = phone_allowance_new (STRANGERS_BURST, STRANGERS_PER_MINUTE, 1);
}

void
phone_messages_composing_clear (PhoneMessages *messages)
{
  g_hash_table_unref (messages->composers);
  g_hash_table_unref (messages->composing);
  g_hash_table_unref (messages->silent_peers);
  phone_allowance_free (messages->per_peer);
  phone_allowance_free (messages->server);
  phone_allowance_free (messages->strangers);
}

/* NULL: there are too many. */
static Writer *
get_writer (GHashTable *table, const char *account, const char *uri, const char *party)
{
  g_autofree char *key = phone_messages_peer_key (account, party);
  Writer *writer = g_hash_table_lookup (table, key);

  if (writer || g_hash_table_size (table) >= MAX_WRITERS)
    return writer;
  writer = g_new0 (Writer, 1);
  writer->account = g_strdup (account);
  writer->uri = g_strdup (uri);
  writer->party = g_strdup (party);
  g_hash_table_insert (table, g_steal_pointer (&key), writer);
  return writer;
}

static void
tell_composing (PhoneMessages *messages, const Writer *writer)
{
  PhoneComposingNews news = { .account = writer->account, .remote_uri = writer->uri, .party = writer->party, .active = writer->theirs.active };

  phone_messages_emit_composing (messages, &news);
}

static guint
take_composing (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, const char *party)
{
  Writer *writer = get_writer (messages->composing, phone_account_get_id (account), incoming->remote_uri, party);

  if (writer && phone_composing_peer_said (&writer->theirs, incoming->active, incoming->refresh, g_get_monotonic_time ()))
    tell_composing (messages, writer);
  phone_messages_pump (messages);
  return 200;
}

static void
set_peer_idle (PhoneMessages *messages, const PhoneMessage *message)
{
  g_autofree char *key = phone_messages_peer_key (message->account, message->party);
  Writer *writer = g_hash_table_lookup (messages->composing, key);

  if (writer && phone_composing_peer_sent (&writer->theirs))
    tell_composing (messages, writer);
}

static char *
composing_id (const Writer *writer)
{
  return g_strdup_printf ("composing/%s\n%s", writer->account, writer->party);
}

static void
say (PhoneMessages *messages, const Writer *writer, PhoneComposingAction action)
{
  const PhonePorts *ports = phone_messages_ports (messages);
  PhoneAccount *account = phone_messages_account (messages, writer->account);
  g_autofree char *key = phone_messages_peer_key (writer->account, writer->party);
  g_autofree char *id = composing_id (writer);
  PhoneMessageParams params = { .id = id, .content = PHONE_MESSAGE_COMPOSING, .target = writer->uri,
                                .active = action == PHONE_COMPOSING_SAY_ACTIVE };

  if (action == PHONE_COMPOSING_NOTHING || !ports || !account || !phone_account_is_open (account)
      || g_hash_table_contains (messages->silent_peers, key))
    return;
  ports->sig->message_send (ports->ua, account, &params, NULL);
}

gboolean
phone_messages_composing_answered (PhoneMessages *messages, const char *id, const PhoneMessageAnswer *result)
{
  if (!g_str_has_prefix (id, "composing/"))
    return FALSE;
  /* RFC 3994 section 3.2: who refuses one wants no more. */
  if (result->status >= 400 && result->status != 408 && result->status != 480 && result->status != 503
      && g_hash_table_size (messages->silent_peers) < MAX_SOURCES)
    g_hash_table_add (messages->silent_peers, g_strdup (id + strlen ("composing/")));
  return TRUE;
}

void
phone_messages_composing_sent (PhoneMessages *messages, const PhoneMessage *message)
{
  g_autofree char *key = phone_messages_peer_key (message->account, message->party);
  Writer *writer = message->incoming ? NULL : g_hash_table_lookup (messages->composers, key);

  if (writer)
    phone_composer_sent (&writer->ours);
}

void
phone_messages_composing_tick (PhoneMessages *messages, gint64 now)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, messages->composers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Writer *writer = value;

      say (messages, writer, phone_composer_tick (&writer->ours, now));
      if (!writer->ours.active)
        g_hash_table_iter_remove (&iter);
    }
  g_hash_table_iter_init (&iter, messages->composing);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      Writer *writer = value;

      if (phone_composing_peer_tick (&writer->theirs, now))
        tell_composing (messages, writer);
      if (!writer->theirs.active)
        g_hash_table_iter_remove (&iter);
    }
}

gint64
phone_messages_composing_wake (PhoneMessages *messages)
{
  gint64 wake = -1;
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, messages->composers);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      gint64 at = phone_composer_wake (&((Writer *) value)->ours);

      wake = at >= 0 && (wake < 0 || at < wake) ? at : wake;
    }
  g_hash_table_iter_init (&iter, messages->composing);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    {
      const PhoneComposingPeer *theirs = &((Writer *) value)->theirs;

      wake = theirs->active && (wake < 0 || theirs->until < wake) ? theirs->until : wake;
    }
  return wake;
}

gboolean
phone_messages_compose (PhoneMessages *messages, const char *to, gboolean active, PhoneAccount *wanted, GError **error)
{
  PhoneAccount *account = NULL;
  g_autofree char *uri = phone_messages_resolve (messages, to, wanted, &account, error);
  g_autofree char *party = uri ? phone_party_key (uri) : NULL;
  Writer *writer = uri ? get_writer (messages->composers, phone_account_get_id (account), uri, party) : NULL;

  if (!uri)
    return FALSE;
  if (!writer)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "Messages to %d peers are being written already", MAX_WRITERS);
      return FALSE;
    }
  say (messages, writer, active ? phone_composer_touch (&writer->ours, g_get_monotonic_time ()) : phone_composer_stop (&writer->ours));
  phone_messages_pump (messages);
  return TRUE;
}

/* ---- all of them ---- */

guint
phone_messages_on_incoming (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, gpointer transaction,
                            guint *ret_retry_after)
{
  g_autofree char *party = phone_party_key (incoming->asserted_id ? incoming->asserted_id : incoming->remote_uri);
  guint wait;

  *ret_retry_after = 0;
  if (!phone_messages_ports (messages))
    return 405;
  wait = take_allowance (messages, account, incoming, party);
  if (wait || messages->n_storing >= MAX_STORING)
    {
      phone_log_info (&(PhoneLogFields){ .account = (char *) phone_account_get_id (account) }, "Account %s: a message of %s is one too many",
                      phone_account_get_id (account), party);
      *ret_retry_after = MAX (wait, 1);
      return 503;
    }
  if (incoming->speaks_cpim)
    phone_messages_learn (messages->cpim_peers, phone_account_get_id (account), party);
  switch (incoming->content)
    {
    case PHONE_MESSAGE_TEXT:
      return take_text (messages, account, incoming, party, transaction);
    case PHONE_MESSAGE_REPORT:
      return take_report (messages, account, incoming, party, transaction);
    case PHONE_MESSAGE_COMPOSING:
      return take_composing (messages, account, incoming, party);
    }
  g_assert_not_reached ();
}
