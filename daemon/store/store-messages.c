/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages' half of the archive: what changes it. A message is a row of history (kind 1: who, when, text, read) and one of message (state, reports, what
 * tells a second copy of it). Jobs may run more than once, and begin with nothing found each time. */

#include "store/store-messages-private.h"

#include <string.h>

static PhoneOutcome
outcome_of (PhoneMessageState state)
{
  switch (state)
    {
    case PHONE_MESSAGE_QUEUED:
    case PHONE_MESSAGE_SENDING:
      return PHONE_OUTCOME_PENDING;
    case PHONE_MESSAGE_SENT:
    case PHONE_MESSAGE_DELIVERED:
    case PHONE_MESSAGE_DISPLAYED:
      return PHONE_OUTCOME_SENT;
    case PHONE_MESSAGE_FAILED:
      return PHONE_OUTCOME_FAILED;
    case PHONE_MESSAGE_RECEIVED:
      return PHONE_OUTCOME_RECEIVED;
    }
  g_assert_not_reached ();
}

/* ---- add ---- */

static int
look_for_copy (StoreDb *db, const PhoneMessage *message, gboolean *ret_is_copy)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "SELECT 1 FROM message WHERE transaction_id = ?1 AND transaction_id <> '' UNION ALL"
                                      " SELECT 1 FROM message AS m JOIN history AS h ON h.seq = m.seq WHERE m.imdn_id = ?2 AND"
                                      " m.imdn_id <> '' AND h.incoming = 1 AND h.party = ?3 AND h.account = ?4 LIMIT 1",
                                      &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, message->transaction);
  store_bind_text (s, 2, message->imdn_id);
  store_bind_text (s, 3, message->party);
  store_bind_text (s, 4, message->account);
  rc = sqlite3_step (s);
  *ret_is_copy = rc == SQLITE_ROW;
  sqlite3_reset (s);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
insert_entry (StoreDb *db, const PhoneMessage *message)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id,"
                                      " diverter, start, answered, ended, actor, cause, sip, q850, phrase, refused_by, codec, keying, suite,"
                                      " seen, kind, text) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, '', '', ?8, 0, 0, '', '', ?9, 0, ?10, '', '',"
                                      " '', '', ?11, 1, ?12)",
                                      &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, message->id);
  store_bind_text (s, 2, message->account);
  sqlite3_bind_int (s, 3, message->incoming);
  sqlite3_bind_int (s, 4, (int) outcome_of (message->state));
  store_bind_text (s, 5, message->party);
  store_bind_text (s, 6, message->remote_uri);
  store_bind_text (s, 7, message->remote_name);
  sqlite3_bind_int64 (s, 8, message->time);
  sqlite3_bind_int64 (s, 9, message->sip);
  store_bind_text (s, 10, message->phrase);
  sqlite3_bind_int (s, 11, message->read);
  store_bind_text (s, 12, message->body);
  return store_db_run (s);
}

static int
insert_message (StoreDb *db, const PhoneMessage *message)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "INSERT INTO message (seq, state, changed, uncertain, attempts, imdn_id, transaction_id, asks, owes)"
                                      " VALUES (last_insert_rowid (), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                                      &rc);

  if (!s)
    return rc;
  sqlite3_bind_int (s, 1, (int) message->state);
  sqlite3_bind_int64 (s, 2, message->changed);
  sqlite3_bind_int (s, 3, message->uncertain);
  sqlite3_bind_int64 (s, 4, message->attempts);
  store_bind_text (s, 5, message->imdn_id);
  store_bind_text (s, 6, message->transaction);
  sqlite3_bind_int64 (s, 7, message->asks);
  sqlite3_bind_int64 (s, 8, message->owes);
  return store_db_run (s);
}

static int
run_add (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  int rc = SQLITE_OK;

  self->is_copy = FALSE;
  if (self->message->incoming)
    rc = look_for_copy (db, self->message, &self->is_copy);
  if (rc != SQLITE_OK || self->is_copy)
    return rc;
  rc = insert_entry (db, self->message);
  return rc == SQLITE_OK ? insert_message (db, self->message) : rc;
}

void
store_message_add (gpointer store, PhoneMessage *message, PhoneMessageAdded done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_add, TRUE, data);

  self->job.now_or_never = TRUE;
  self->message = message;
  self->added = done;
  store_push (store, &self->job);
}

/* ---- changes ---- */

/* What is found becomes what is in the file. */
static int
write_state (StoreDb *db, const PhoneMessage *message)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "UPDATE message SET state = ?2, changed = ?3, uncertain = ?4, attempts = ?5, owes = ?6, disposition = ?7"
                                      " WHERE seq = (SELECT seq FROM history WHERE id = ?1)",
                                      &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, message->id);
  sqlite3_bind_int (s, 2, (int) message->state);
  sqlite3_bind_int64 (s, 3, message->changed);
  sqlite3_bind_int (s, 4, message->uncertain);
  sqlite3_bind_int64 (s, 5, message->attempts);
  sqlite3_bind_int64 (s, 6, message->owes);
  sqlite3_bind_int (s, 7, (int) message->disposition);
  rc = store_db_run (s);
  if (rc != SQLITE_OK)
    return rc;
  s = store_db_prepare (db, "UPDATE history SET outcome = ?2, sip = ?3, phrase = ?4, seen = ?5 WHERE id = ?1", &rc);
  if (!s)
    return rc;
  store_bind_text (s, 1, message->id);
  sqlite3_bind_int (s, 2, (int) outcome_of (message->state));
  sqlite3_bind_int64 (s, 3, message->sip);
  store_bind_text (s, 4, message->phrase);
  sqlite3_bind_int (s, 5, message->read);
  return store_db_run (s);
}

static int
run_update (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  const PhoneMessage *wanted = self->message;
  PhoneMessage *message;
  int rc;

  g_ptr_array_set_size (self->found, 0);
  rc = store_message_find (db, wanted->id, self->found);
  if (rc != SQLITE_OK || self->found->len == 0)
    return rc;
  message = self->found->pdata[0];
  message->attempts = wanted->attempts;
  if (phone_message_may_become (message->state, wanted->state))
    {
      message->state = wanted->state;
      message->changed = wanted->changed;
      message->sip = wanted->sip;
      message->uncertain = wanted->uncertain;
      phone_text_take (&message->phrase, wanted->phrase);
    }
  return write_state (db, message);
}

void
store_message_update (gpointer store, const PhoneMessage *message, gboolean must, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_update, TRUE, data);

  self->job.now_or_never = must;
  self->message = phone_message_copy (message);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_report (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  PhoneMessage *message;
  int rc;

  g_ptr_array_set_size (self->found, 0);
  rc = store_message_find (db, self->id, self->found);
  if (rc != SQLITE_OK || self->found->len == 0)
    return rc;
  message = self->found->pdata[0];
  if (message->incoming || !g_str_equal (message->party, self->party) || !phone_message_take_report (message, self->disposition, self->before))
    {
      g_ptr_array_set_size (self->found, 0);
      return SQLITE_OK;
    }
  return write_state (db, message);
}

void
store_message_report (gpointer store, const char *id, const char *party, PhoneDisposition disposition, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_report, TRUE, data);

  self->id = g_strdup (id);
  self->party = g_strdup (party);
  self->disposition = disposition;
  self->before = g_get_real_time () / G_USEC_PER_SEC;
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_reported (StoreDb *db, StoreJob *job)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "UPDATE message SET owes = owes & ~?2 WHERE seq = (SELECT seq FROM history WHERE id = ?1)", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, ((StoreMessageJob *) job)->id);
  sqlite3_bind_int64 (s, 2, ((StoreMessageJob *) job)->n);
  return store_db_run (s);
}

void
store_message_reported (gpointer store, const char *id, PhoneReport report)
{
  StoreMessageJob *self = store_message_job_new (run_reported, TRUE, NULL);

  self->id = g_strdup (id);
  self->n = report;
  store_push (store, &self->job);
}

static int
run_mark_read (StoreDb *db, StoreJob *job)
{
  StoreMessageJob *self = (StoreMessageJob *) job;
  int rc = SQLITE_OK;
  sqlite3_stmt *s;

  g_ptr_array_set_size (self->found, 0);
  if (self->ids)
    for (gsize i = 0; self->ids[i] && rc == SQLITE_OK; i++)
      rc = store_message_find (db, self->ids[i], self->found);
  else if ((s = store_db_prepare (db, "SELECT " STORE_MESSAGE_COLUMNS " FROM " STORE_MESSAGE_JOINED " WHERE h.kind = 1 AND h.seen = 0", &rc)))
    rc = store_message_collect (s, self->found);
  for (guint i = 0; i < self->found->len && rc == SQLITE_OK;)
    {
      PhoneMessage *message = self->found->pdata[i];

      if (message->read || !message->incoming)
        {
          g_ptr_array_remove_index (self->found, i);
          continue;
        }
      message->read = TRUE;
      message->owes |= message->asks & PHONE_REPORT_DISPLAYED;
      rc = write_state (db, message);
      i++;
    }
  return rc;
}

void
store_message_mark_read (gpointer store, const char *const *ids, PhoneMessagesListed done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_mark_read, TRUE, data);

  self->ids = g_strdupv ((char **) ids);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_delete (StoreDb *db, StoreJob *job)
{
  return store_db_run_each (db, "DELETE FROM history WHERE id = ?1 AND kind = 1", "DELETE FROM history WHERE kind = 1", ((StoreMessageJob *) job)->ids);
}

void
store_message_delete (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_delete, TRUE, data);

  self->ids = g_strdupv ((char **) ids);
  self->done = done;
  store_push (store, &self->job);
}

static int
run_expire (StoreDb *db, StoreJob *job)
{
  int rc;
  /* What waits to go out has a limit of its own. */
  sqlite3_stmt *s = store_db_prepare (db,
                                      "DELETE FROM history WHERE kind = 1 AND start < ?1 AND seq NOT IN (SELECT seq FROM message WHERE"
                                      " state < 2 OR owes <> 0)",
                                      &rc);

  if (!s)
    return rc;
  sqlite3_bind_int64 (s, 1, ((StoreMessageJob *) job)->before);
  return store_db_run (s);
}

void
store_message_expire (gpointer store, gint64 before, PhoneArchiveDone done, gpointer data)
{
  StoreMessageJob *self = store_message_job_new (run_expire, TRUE, data);

  self->job.now_or_never = TRUE;        /* the next hour asks again */
  self->before = before;
  self->done = done;
  store_push (store, &self->job);
}
