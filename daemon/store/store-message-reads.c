/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Jobs about messages, rows as messages, and what is asked of them. */

#include "store/store-messages-private.h"

G_STATIC_ASSERT (PHONE_ENTRY_MESSAGE == 1);     /* of the statements here and the indices */
G_STATIC_ASSERT (PHONE_MESSAGE_QUEUED == 0 && PHONE_MESSAGE_SENDING == 1);

static void
finish (StoreJob *job, gboolean kept, const GError *error)
{
  StoreMessageJob *self = (StoreMessageJob *) job;

  /* What waits in memory will be as it was asked to be. */
  if (kept && self->message && self->found->len == 0)
    g_ptr_array_add (self->found, phone_message_copy (self->message));
  if (self->added)
    self->added (self->is_copy, error, self->data);
  if (self->listed)
    self->listed (error ? NULL : self->found, error, self->data);
  if (self->done)
    self->done (kept, error, self->data);
  if (self->counted)
    self->counted (self->n, error, self->data);
}

static void
job_free (StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;

  phone_message_free (self->message);
  g_strfreev (self->ids);
  g_ptr_array_unref (self->found);
  g_free (self->id);
  g_free (self->party);
  store_page_clear (&self->page);
  g_free (self);
}

StoreMessageJob *
store_message_job_new (int (*run) (StoreDb *db, StoreJob *job), gboolean is_write, gpointer data)
{
  StoreMessageJob *self = g_new0 (StoreMessageJob, 1);

  self->job = (StoreJob){ .run = run, .finish = finish, .free = job_free, .is_write = is_write };
  self->found = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_message_free);
  self->data = data;
  return self;
}

/* ---- rows ---- */

/* The file is ours, but a number out of range in it must not become one of our enums. */
PhoneMessage *
store_message_read (sqlite3_stmt *s)
{
  PhoneMessage *message = phone_message_new ();
  int i = 0, state, disposition;

  phone_text_take (&message->id, store_column_text (s, i++));
  phone_text_take (&message->account, store_column_text (s, i++));
  message->incoming = sqlite3_column_int (s, i++) != 0;
  state = sqlite3_column_int (s, i++);
  message->state = state >= 0 && state < phone_message_state_n_values ? (PhoneMessageState) state : PHONE_MESSAGE_FAILED;
  phone_text_take (&message->remote_uri, store_column_text (s, i++));
  phone_text_take (&message->remote_name, store_column_text (s, i++));
  phone_text_take (&message->party, store_column_text (s, i++));
  phone_text_take (&message->body, store_column_text (s, i++));
  message->time = sqlite3_column_int64 (s, i++);
  message->changed = sqlite3_column_int64 (s, i++);
  message->sip = (guint) sqlite3_column_int64 (s, i++);
  phone_text_take (&message->phrase, store_column_text (s, i++));
  message->uncertain = sqlite3_column_int (s, i++) != 0;
  message->attempts = (guint) sqlite3_column_int64 (s, i++);
  phone_text_take (&message->imdn_id, store_column_text (s, i++));
  phone_text_take (&message->transaction, store_column_text (s, i++));
  message->asks = (guint) sqlite3_column_int64 (s, i++);
  message->owes = (guint) sqlite3_column_int64 (s, i++);
  message->read = sqlite3_column_int (s, i++) != 0;
  disposition = sqlite3_column_int (s, i++);
  if (disposition >= 0 && disposition < phone_disposition_n_values)
    message->disposition = (PhoneDisposition) disposition;
  return message;
}

int
store_message_collect (sqlite3_stmt *s, GPtrArray *found)
{
  int rc;

  while ((rc = sqlite3_step (s)) == SQLITE_ROW)
    g_ptr_array_add (found, store_message_read (s));
  sqlite3_reset (s);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
store_message_find (StoreDb *db, const char *id, GPtrArray *found)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "SELECT " STORE_MESSAGE_COLUMNS " FROM " STORE_MESSAGE_JOINED " WHERE h.id = ?1", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, id);
  return store_message_collect (s, found);
}

/* ---- reads ---- */

static int
run_list (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  int rc;
  sqlite3_stmt *s = store_page_prepare (&self->page, db, STORE_MESSAGE_COLUMNS, &rc);

  g_ptr_array_set_size (self->found, 0);
  return s ? store_message_collect (s, self->found) : rc;
}

void
store_message_list (gpointer store, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_list, FALSE, data);

  store_page_init (&self->page, STORE_PAGE_MESSAGES, filter, offset, MIN (limit, PHONE_MESSAGE_MAX_PAGE));
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_get (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;

  g_ptr_array_set_size (self->found, 0);
  return store_message_find (db, self->id, self->found);
}

void
store_message_get (gpointer store, const char *id, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_get, FALSE, data);

  self->id = g_strdup (id);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_open (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "SELECT " STORE_MESSAGE_COLUMNS " FROM message AS m JOIN history AS h ON h.seq = m.seq WHERE m.state < 2 OR"
                                      " m.owes <> 0 ORDER BY m.seq",
                                      &rc);

  g_ptr_array_set_size (self->found, 0);
  return s ? store_message_collect (s, self->found) : rc;
}

void
store_message_open (gpointer store, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_open, FALSE, data);

  self->listed = done;
  store_push (store, &self->job);
}

static int
run_count (StoreDb *db, StoreJob *job)
{
  return store_db_count (db, "SELECT count (*) FROM history WHERE seen = 0 AND kind = 1", &((StoreMessageJob *) job)->n);
}

void
store_message_count_unread (gpointer store, PhoneArchiveCounted done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_count, FALSE, data);

  self->counted = done;
  store_push (store, &self->job);
}

/* ---- conversations ---- */

/* Behind the columns of the newest message stand total and unread. */
#define CONVERSATIONS(where) \
  "SELECT " STORE_MESSAGE_COLUMNS ", total, unread FROM (SELECT last, total, unread FROM conversation" where \
  " ORDER BY start DESC, last DESC LIMIT ?1 OFFSET ?2) JOIN history AS h ON h.seq = last JOIN message AS m ON m.seq = h.seq" \
  " ORDER BY h.start DESC, h.seq DESC"

static int
run_conversations (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, self->unread_only ? CONVERSATIONS (" WHERE unread > 0") : CONVERSATIONS (""), &rc);

  g_ptr_array_set_size (self->found, 0);
  if (!s)
    return rc;
  sqlite3_bind_int64 (s, 1, self->page.limit);
  sqlite3_bind_int64 (s, 2, self->page.offset);
  while ((rc = sqlite3_step (s)) == SQLITE_ROW)
    {
      PhoneConversation *conversation = g_new0 (PhoneConversation, 1);
      int n = sqlite3_column_count (s);

      conversation->newest = store_message_read (s);
      conversation->total = (guint) sqlite3_column_int64 (s, n - 2);
      conversation->unread = (guint) sqlite3_column_int64 (s, n - 1);
      g_ptr_array_add (self->found, conversation);
    }
  sqlite3_reset (s);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void
store_message_conversations (gpointer store, gboolean unread_only, guint offset, guint limit, PhoneConversationsListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_conversations, FALSE, data);

  g_ptr_array_set_free_func (self->found, (GDestroyNotify) phone_conversation_free);
  self->unread_only = unread_only;
  self->page.offset = offset;
  self->page.limit = MIN (limit, PHONE_MESSAGE_MAX_PAGE);
  self->listed = done;
  store_push (store, &self->job);
}
