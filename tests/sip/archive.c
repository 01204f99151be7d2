/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive.h"

#include "core/messages.h"

struct _Archive
{
  Agent *agent;
  GHashTable *messages;         /* id -> PhoneMessage */
  PhoneArchiveOps ops;
};

static void
keep (Archive *archive, const PhoneMessage *message)
{
  g_hash_table_insert (archive->messages, g_strdup (message->id), phone_message_copy (message));
}

static void
message_add (gpointer data, PhoneMessage *message, PhoneMessageAdded done, gpointer done_data)
{
  keep (data, message);
  phone_message_free (message);
  done (FALSE, NULL, done_data);
}

static void
message_update (gpointer data, const PhoneMessage *message, gboolean must, PhoneMessagesListed done, gpointer done_data)
{
  g_autoptr (GPtrArray) found = g_ptr_array_new ();

  keep (data, message);
  g_ptr_array_add (found, (gpointer) message);
  done (found, NULL, done_data);
}

static void
count (gpointer data, PhoneArchiveCounted done, gpointer done_data)
{
  done (0, NULL, done_data);
}

static void
message_open (gpointer data, PhoneMessagesListed done, gpointer done_data)
{
  g_autoptr (GPtrArray) none = g_ptr_array_new ();

  done (none, NULL, done_data);
}

static void message_expire (gpointer data, gint64 before, PhoneArchiveDone done, gpointer done_data) { }
static void
history_add (gpointer data, PhoneHistoryEntry *entry, PhoneArchiveDone done, gpointer done_data)
{
  phone_history_entry_free (entry);
  done (TRUE, NULL, done_data);
}

static void history_expire (gpointer data, gint64 before, guint max, PhoneArchiveDone done, gpointer done_data) { }

Archive *
archive_new (Agent *agent)
{
  Archive *archive = g_new0 (Archive, 1);

  archive->agent = agent;
  archive->messages = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) phone_message_free);
  archive->ops = (PhoneArchiveOps){
    .message_add = message_add, .message_update = message_update, .message_open = message_open, .message_expire = message_expire,
    .message_count_unread = count, .history_count_unseen = count, .history_expire = history_expire, .history_add = history_add,
  };
  agent->ports.archive = &archive->ops;
  agent->ports.archive_data = archive;
  phone_registry_set_ports (agent->registry, &agent->ports);
  return archive;
}

void
archive_free (Archive *archive)
{
  g_hash_table_unref (archive->messages);
  g_free (archive);
}

static void
on_sent (const char *id, const GError *error, gpointer data)
{
  g_assert_no_error (error);
}

void
archive_send (Archive *archive, PhoneAccount *account, const char *to, const char *text)
{
  PhoneMessageOptions options = { .account = account };
  g_autoptr (GError) error = NULL;

  phone_messages_send (phone_registry_get_messages (archive->agent->registry), to, text, &options, on_sent, NULL, &error);
  g_assert_no_error (error);
}

const PhoneMessage *
archive_find (Archive *archive, const char *text)
{
  GHashTableIter iter;
  gpointer message;

  g_hash_table_iter_init (&iter, archive->messages);
  while (g_hash_table_iter_next (&iter, NULL, &message))
    if (g_str_equal (((PhoneMessage *) message)->body, text))
      return message;
  return NULL;
}
