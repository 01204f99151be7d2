/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The messages' half of the archive. A message is a row of history (kind 1: who, when, text, read) and one of message (state, reports, what
 * tells a second copy of it). Jobs may run more than once, and begin with nothing found each time. */

#include "store/store-messages.h"

#include <string.h>

#include "store/store-history.h"

#define COLUMNS \
  "h.id, h.account, h.incoming, m.state, h.remote_uri, h.remote_name, h.party, h.text, h.start, m.changed, h.sip, h.phrase, m.uncertain, " \
  "m.attempts, m.imdn_id, m.transaction_id, m.asks, m.owes, h.seen"
#define JOINED "history AS h JOIN message AS m ON m.seq = h.seq"

G_STATIC_ASSERT (PHONE_ENTRY_MESSAGE == 1);     /* of the statements here and the indices */
G_STATIC_ASSERT (PHONE_MESSAGE_QUEUED == 0 && PHONE_MESSAGE_SENDING == 1);

typedef struct
{
  StoreJob job;
  PhoneMessage *message;        /* add, update */
  char *id, *party, *account, *text, *before_id;
  PhoneMessageState state;      /* report */
  char **ids;                   /* NULL: all */
  gint64 before;                /* expire */
  PhoneMessageFilter filter;    /* its texts are those above */
  guint offset, limit, n;
  gboolean is_copy;
  GPtrArray *found;             /* PhoneMessage */
  PhoneMessageAdded added;
  PhoneMessagesListed listed;
  PhoneArchiveDone done;
  PhoneArchiveCounted counted;
  gpointer data;
} Job;

static void
finish (StoreJob *job, gboolean kept, const GError *error)
{
  Job *self = (Job *) job;

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
  Job *self = (Job *) job;

  phone_message_free (self->message);
  g_strfreev (self->ids);
  g_ptr_array_unref (self->found);
  g_free (self->id);
  g_free (self->party);
  g_free (self->account);
  g_free (self->text);
  g_free (self->before_id);
  g_free (self);
}

static Job *
job_new (int (*run) (StoreDb *db, StoreJob *job), gboolean is_write, gpointer data)
{
  Job *self = g_new0 (Job, 1);

  self->job = (StoreJob){ .run = run, .finish = finish, .free = job_free, .is_write = is_write };
  self->found = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_message_free);
  self->data = data;
  return self;
}

/* ---- rows ---- */

/* The file is ours, but a number out of range in it must not become one of our enums. */
static PhoneMessage *
read_message (sqlite3_stmt *s)
{
  PhoneMessage *message = phone_message_new ();
  int i = 0, state;

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
  return message;
}

static int
collect (sqlite3_stmt *s, GPtrArray *found)
{
  int rc;

  while ((rc = sqlite3_step (s)) == SQLITE_ROW)
    g_ptr_array_add (found, read_message (s));
  sqlite3_reset (s);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
find (StoreDb *db, const char *id, GPtrArray *found)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "SELECT " COLUMNS " FROM " JOINED " WHERE h.id = ?1", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, id);
  return collect (s, found);
}

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
  Job *self = (Job *) job;
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
  Job *self = job_new (run_add, TRUE, data);

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
                                      "UPDATE message SET state = ?2, changed = ?3, uncertain = ?4, attempts = ?5, owes = ?6"
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
  Job *self = (Job *) job;
  const PhoneMessage *wanted = self->message;
  PhoneMessage *message;
  int rc;

  g_ptr_array_set_size (self->found, 0);
  rc = find (db, wanted->id, self->found);
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
  Job *self = job_new (run_update, TRUE, data);

  self->job.now_or_never = must;
  self->message = phone_message_copy (message);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_report (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;
  PhoneMessage *message;
  int rc;

  g_ptr_array_set_size (self->found, 0);
  rc = find (db, self->id, self->found);
  if (rc != SQLITE_OK || self->found->len == 0)
    return rc;
  message = self->found->pdata[0];
  if (message->incoming || !g_str_equal (message->party, self->party) || !phone_message_may_become (message->state, self->state))
    {
      g_ptr_array_set_size (self->found, 0);
      return SQLITE_OK;
    }
  message->state = self->state;
  message->changed = self->before;
  message->uncertain = FALSE;
  return write_state (db, message);
}

void
store_message_report (gpointer store, const char *id, const char *party, PhoneMessageState state, PhoneMessagesListed done, gpointer data)
{
  Job *self = job_new (run_report, TRUE, data);

  self->id = g_strdup (id);
  self->party = g_strdup (party);
  self->state = state;
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
  store_bind_text (s, 1, ((Job *) job)->id);
  sqlite3_bind_int64 (s, 2, ((Job *) job)->n);
  return store_db_run (s);
}

void
store_message_reported (gpointer store, const char *id, PhoneReport report)
{
  Job *self = job_new (run_reported, TRUE, NULL);

  self->id = g_strdup (id);
  self->n = report;
  store_push (store, &self->job);
}

static int
run_mark_read (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;
  int rc = SQLITE_OK;
  sqlite3_stmt *s;

  g_ptr_array_set_size (self->found, 0);
  if (self->ids)
    for (gsize i = 0; self->ids[i] && rc == SQLITE_OK; i++)
      rc = find (db, self->ids[i], self->found);
  else if ((s = store_db_prepare (db, "SELECT " COLUMNS " FROM " JOINED " WHERE h.kind = 1 AND h.seen = 0", &rc)))
    rc = collect (s, self->found);
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
  Job *self = job_new (run_mark_read, TRUE, data);

  self->ids = g_strdupv ((char **) ids);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_delete (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;
  int rc = SQLITE_OK;
  sqlite3_stmt *s
      = store_db_prepare (db, self->ids ? "DELETE FROM history WHERE id = ?1 AND kind = 1" : "DELETE FROM history WHERE kind = 1", &rc);

  if (s && !self->ids)
    rc = store_db_run (s);
  for (gsize i = 0; s && self->ids && self->ids[i] && rc == SQLITE_OK; i++)
    {
      store_bind_text (s, 1, self->ids[i]);
      rc = store_db_run (s);
    }
  return rc;
}

void
store_message_delete (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data)
{
  Job *self = job_new (run_delete, TRUE, data);

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
  sqlite3_bind_int64 (s, 1, ((Job *) job)->before);
  return store_db_run (s);
}

void
store_message_expire (gpointer store, gint64 before, PhoneArchiveDone done, gpointer data)
{
  Job *self = job_new (run_expire, TRUE, data);

  self->before = before;
  self->done = done;
  store_push (store, &self->job);
}

/* ---- reads ---- */

/* As in store-history.c: the keys of the page come from one index. Parameters: 1 account, 2 state, 3 incoming, 4 read, 5 since, 6 until,
 * 7 party, 8 text, 9 before, 10 limit, 11 offset. */
static char *
make_list_sql (const PhoneMessageFilter *f)
{
  gboolean by_text = f->text && !store_needle_is_short (f->text);
  g_autoptr (GString) sql = g_string_new ("SELECT " COLUMNS " FROM (SELECT h.seq AS page_seq FROM ");

  g_string_append (sql, by_text ? "history_text AS t JOIN history AS h ON h.seq = t.rowid" : "history AS h");
  if (f->state >= 0)
    g_string_append (sql, " JOIN message AS m ON m.seq = h.seq AND m.state = ?2");
  g_string_append (sql, by_text ? " WHERE t.history_text MATCH ?8 AND h.kind = 1" : " WHERE h.kind = 1");
  if (f->text && !by_text)
    g_string_append (sql, " AND (h.remote_name LIKE ?8 ESCAPE '\\' OR h.remote_uri LIKE ?8 ESCAPE '\\' OR h.text LIKE ?8 ESCAPE '\\')");
  if (f->account)
    g_string_append (sql, " AND h.account = ?1");
  if (f->incoming >= 0)
    g_string_append (sql, " AND h.incoming = ?3");
  if (f->read == 0)
    g_string_append (sql, " AND h.seen = 0");
  else if (f->read > 0)
    g_string_append (sql, " AND h.seen = 1");
  if (f->since)
    g_string_append (sql, " AND h.start >= ?5");
  if (f->until)
    g_string_append (sql, " AND h.start < ?6");
  if (f->party)
    g_string_append (sql, " AND h.party = ?7");
  if (f->before)
    g_string_append (sql, by_text ? " AND h.seq < (SELECT seq FROM history WHERE id = ?9)"
                                  : " AND (h.start, h.seq) < (SELECT start, seq FROM history WHERE id = ?9)");
  g_string_append_printf (sql,
                          " ORDER BY %s LIMIT ?10 OFFSET ?11) JOIN history AS h ON h.seq = page_seq JOIN message AS m ON m.seq = h.seq"
                          " ORDER BY %s",
                          by_text ? "t.rowid DESC" : "h.start DESC, h.seq DESC", by_text ? "h.seq DESC" : "h.start DESC, h.seq DESC");
  return g_string_free (g_steal_pointer (&sql), FALSE);
}

static int
run_list (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;
  const PhoneMessageFilter *f = &self->filter;
  g_autofree char *sql = make_list_sql (f);
  g_autofree char *needle = f->text ? store_needle_new (f->text) : NULL;
  g_autofree char *party = f->party ? phone_party_key (f->party) : NULL;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, sql, &rc);

  g_ptr_array_set_size (self->found, 0);
  if (!s)
    return rc;
  store_bind_text (s, 1, f->account);
  sqlite3_bind_int (s, 2, f->state);
  sqlite3_bind_int (s, 3, f->incoming);
  sqlite3_bind_int64 (s, 5, f->since);
  sqlite3_bind_int64 (s, 6, f->until);
  store_bind_text (s, 7, party);
  store_bind_text (s, 8, needle);
  store_bind_text (s, 9, f->before);
  sqlite3_bind_int64 (s, 10, self->limit);
  sqlite3_bind_int64 (s, 11, self->offset);
  return collect (s, self->found);
}

void
store_message_list (gpointer store, const PhoneMessageFilter *filter, guint offset, guint limit, PhoneMessagesListed done, gpointer data)
{
  Job *self = job_new (run_list, FALSE, data);

  self->filter = *filter;
  self->filter.account = self->account = g_strdup (filter->account);
  self->filter.party = self->party = g_strdup (filter->party);
  self->filter.text = self->text = filter->text && *filter->text ? g_strdup (filter->text) : NULL;
  self->filter.before = self->before_id = g_strdup (filter->before);
  self->offset = offset;
  self->limit = MIN (limit, PHONE_MESSAGE_MAX_PAGE);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_get (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;

  g_ptr_array_set_size (self->found, 0);
  return find (db, self->id, self->found);
}

void
store_message_get (gpointer store, const char *id, PhoneMessagesListed done, gpointer data)
{
  Job *self = job_new (run_get, FALSE, data);

  self->id = g_strdup (id);
  self->listed = done;
  store_push (store, &self->job);
}

static int
run_open (StoreDb *db, StoreJob *job)
{
  Job *self = (Job *) job;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "SELECT " COLUMNS " FROM message AS m JOIN history AS h ON h.seq = m.seq WHERE m.state < 2 OR"
                                      " m.owes <> 0 ORDER BY m.seq",
                                      &rc);

  g_ptr_array_set_size (self->found, 0);
  return s ? collect (s, self->found) : rc;
}

void
store_message_open (gpointer store, PhoneMessagesListed done, gpointer data)
{
  Job *self = job_new (run_open, FALSE, data);

  self->listed = done;
  store_push (store, &self->job);
}

static int
run_count (StoreDb *db, StoreJob *job)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "SELECT count (*) FROM history WHERE seen = 0 AND kind = 1", &rc);

  if (!s)
    return rc;
  rc = sqlite3_step (s);
  if (rc == SQLITE_ROW)
    ((Job *) job)->n = (guint) sqlite3_column_int64 (s, 0);
  sqlite3_reset (s);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

void
store_message_count_unread (gpointer store, PhoneArchiveCounted done, gpointer data)
{
  Job *self = job_new (run_count, FALSE, data);

  self->counted = done;
  store_push (store, &self->job);
}
