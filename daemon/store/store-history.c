/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The history's half of the archive: each operation is a job and its statements. */

#include "store/store-history.h"

#include "store/store-page.h"

/* ---- columns ---- */

#define COLUMNS \
  "id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start, answered, ended, actor, cause, sip, " \
  "q850, phrase, refused_by, codec, keying, suite, loss_local, loss_remote, jitter_local, jitter_remote, round_trip, mos, seen, kind, text, " \
  "playout_target, playout_delay, concealed, accelerated, expanded, fec_used, copies_used, bitrate_target, here_signal, here_noise, here_rating, " \
  "peer_rating, peer_mos, rate_reason"

static void
bind_entry (sqlite3_stmt *s, const PhoneHistoryEntry *e)
{
  int i = 0;

  store_bind_text (s, ++i, e->id);
  store_bind_text (s, ++i, e->account);
  sqlite3_bind_int (s, ++i, e->incoming);
  sqlite3_bind_int (s, ++i, (int) e->outcome);
  store_bind_text (s, ++i, e->party);
  store_bind_text (s, ++i, e->remote_uri);
  store_bind_text (s, ++i, e->remote_name);
  store_bind_text (s, ++i, e->asserted_id);
  store_bind_text (s, ++i, e->diverter);
  sqlite3_bind_int64 (s, ++i, e->start);
  sqlite3_bind_int64 (s, ++i, e->answered);
  sqlite3_bind_int64 (s, ++i, e->ended);
  store_bind_text (s, ++i, phone_actor_to_string (e->actor));
  store_bind_text (s, ++i, phone_cause_to_string (e->cause));
  sqlite3_bind_int64 (s, ++i, e->sip);
  sqlite3_bind_int64 (s, ++i, e->q850);
  store_bind_text (s, ++i, e->phrase);
  store_bind_text (s, ++i, e->refused_by);
  store_bind_text (s, ++i, e->codec);
  store_bind_text (s, ++i, e->keying);
  store_bind_text (s, ++i, e->suite);
  store_bind_double (s, ++i, e->loss_local);
  store_bind_double (s, ++i, e->loss_remote);
  store_bind_double (s, ++i, e->jitter_local);
  store_bind_double (s, ++i, e->jitter_remote);
  store_bind_double (s, ++i, e->round_trip);
  store_bind_double (s, ++i, e->mos);
  sqlite3_bind_int (s, ++i, e->seen);
  sqlite3_bind_int (s, ++i, (int) e->kind);
  store_bind_text (s, ++i, e->text);
  /* in the order of PHONE_MEASURE_LIST, as COLUMNS has them */
  for (gsize m = 0; m < PHONE_MEASURES; m++)
    store_bind_double (s, ++i, e->measures[m]);
  store_bind_text (s, ++i, e->rate_reason);
}

/* The file is ours, but a number out of range in it must not become one of our enums. */
static PhoneHistoryEntry *
read_entry (sqlite3_stmt *s)
{
  PhoneHistoryEntry *e = phone_history_entry_new ();
  int i = 0, outcome, kind;

  phone_text_take (&e->id, store_column_text (s, i++));
  phone_text_take (&e->account, store_column_text (s, i++));
  e->incoming = sqlite3_column_int (s, i++) != 0;
  outcome = sqlite3_column_int (s, i++);
  e->outcome = outcome >= 0 && outcome < phone_outcome_n_values ? (PhoneOutcome) outcome : PHONE_OUTCOME_FAILED;
  phone_text_take (&e->party, store_column_text (s, i++));
  phone_text_take (&e->remote_uri, store_column_text (s, i++));
  phone_text_take (&e->remote_name, store_column_text (s, i++));
  phone_text_take (&e->asserted_id, store_column_text (s, i++));
  phone_text_take (&e->diverter, store_column_text (s, i++));
  e->start = sqlite3_column_int64 (s, i++);
  e->answered = sqlite3_column_int64 (s, i++);
  e->ended = sqlite3_column_int64 (s, i++);
  phone_actor_from_string (store_column_text (s, i++), &e->actor);
  phone_cause_from_string (store_column_text (s, i++), &e->cause);
  e->sip = (guint) sqlite3_column_int64 (s, i++);
  e->q850 = (guint) sqlite3_column_int64 (s, i++);
  phone_text_take (&e->phrase, store_column_text (s, i++));
  phone_text_take (&e->refused_by, store_column_text (s, i++));
  phone_text_take (&e->codec, store_column_text (s, i++));
  phone_text_take (&e->keying, store_column_text (s, i++));
  phone_text_take (&e->suite, store_column_text (s, i++));
  e->loss_local = store_column_double (s, i++);
  e->loss_remote = store_column_double (s, i++);
  e->jitter_local = store_column_double (s, i++);
  e->jitter_remote = store_column_double (s, i++);
  e->round_trip = store_column_double (s, i++);
  e->mos = store_column_double (s, i++);
  e->seen = sqlite3_column_int (s, i++) != 0;
  kind = sqlite3_column_int (s, i++);
  e->kind = kind >= 0 && kind < phone_entry_kind_n_values ? (PhoneEntryKind) kind : PHONE_ENTRY_CALL;
  g_free (e->text);
  e->text = phone_history_cut_text (store_column_text (s, i++));
  for (gsize m = 0; m < PHONE_MEASURES; m++)
    e->measures[m] = store_column_double (s, i++);
  phone_text_take (&e->rate_reason, store_column_text (s, i++));
  return e;
}

/* ---- writes ---- */

typedef struct
{
  StoreJob job;
  PhoneHistoryEntry *entry;     /* add */
  char **ids;                   /* mark, delete; NULL: all */
  gint64 before;                /* expire */
  guint max_entries;
  PhoneArchiveDone done;
  gpointer data;
} WriteJob;

static void
write_finish (StoreJob *job, gboolean kept, const GError *error)
{
  WriteJob *self = (WriteJob *) job;

  if (self->done)
    self->done (kept, error, self->data);
}

static void
write_free (StoreJob *job)
{
  WriteJob *self = (WriteJob *) job;

  phone_history_entry_free (self->entry);
  g_strfreev (self->ids);
  g_free (self);
}

static WriteJob *
write_new (int (*run) (StoreDb *db, StoreJob *job), PhoneArchiveDone done, gpointer data)
{
  WriteJob *self = g_new0 (WriteJob, 1);

  self->job = (StoreJob){ .run = run, .finish = write_finish, .free = write_free, .is_write = TRUE };
  self->done = done;
  self->data = data;
  return self;
}

static int
run_add (StoreDb *db, StoreJob *job)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "INSERT INTO history (" COLUMNS ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"
                                      " ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32, ?33, ?34, ?35, ?36,"
                                      " ?37, ?38, ?39, ?40, ?41, ?42, ?43, ?44)",
                                      &rc);

  if (!s)
    return rc;
  bind_entry (s, ((WriteJob *) job)->entry);
  return store_db_run (s);
}

static int
run_mark_seen (StoreDb *db, StoreJob *job)
{
  return store_db_run_each (db, "UPDATE history SET seen = 1 WHERE id = ?1 AND seen = 0 AND kind = 0",
                            "UPDATE history SET seen = 1 WHERE seen = 0 AND kind = 0", ((WriteJob *) job)->ids);
}

static int
run_delete (StoreDb *db, StoreJob *job)
{
  return store_db_run_each (db, "DELETE FROM history WHERE id = ?1 AND kind = 0", "DELETE FROM history WHERE kind = 0", ((WriteJob *) job)->ids);
}

static int
run_expire (StoreDb *db, StoreJob *job)
{
  const WriteJob *self = (WriteJob *) job;
  int rc = SQLITE_OK;
  sqlite3_stmt *s;

  if (self->before > 0)
    {
      s = store_db_prepare (db, "DELETE FROM history WHERE kind = 0 AND start < ?1", &rc);
      if (!s)
        return rc;
      sqlite3_bind_int64 (s, 1, self->before);
      rc = store_db_run (s);
    }
  if (rc == SQLITE_OK && self->max_entries > 0)
    {
      /* From the newest back: the first one too many, and all that is older. */
      s = store_db_prepare (db,
                            "DELETE FROM history WHERE seq IN (SELECT seq FROM history WHERE kind = 0 ORDER BY start DESC, seq DESC"
                            " LIMIT -1 OFFSET ?1)",
                            &rc);
      if (!s)
        return rc;
      sqlite3_bind_int64 (s, 1, self->max_entries);
      rc = store_db_run (s);
    }
  return rc;
}

void
store_history_add (gpointer store, PhoneHistoryEntry *entry, PhoneArchiveDone done, gpointer data)
{
  WriteJob *self = write_new (run_add, done, data);

  self->entry = entry;
  store_push (store, &self->job);
}

void
store_history_mark_seen (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data)
{
  WriteJob *self = write_new (run_mark_seen, done, data);

  self->ids = g_strdupv ((char **) ids);
  store_push (store, &self->job);
}

void
store_history_delete (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data)
{
  WriteJob *self = write_new (run_delete, done, data);

  self->ids = g_strdupv ((char **) ids);
  store_push (store, &self->job);
}

void
store_history_expire (gpointer store, gint64 before, guint max_entries, PhoneArchiveDone done, gpointer data)
{
  WriteJob *self = write_new (run_expire, done, data);

  self->job.now_or_never = TRUE;        /* the next hour asks again */
  self->before = before;
  self->max_entries = max_entries;
  store_push (store, &self->job);
}

/* ---- reads ---- */

typedef struct
{
  StoreJob job;
  StorePage page;               /* list */
  char *id;                     /* get */
  GPtrArray *entries;
  guint n;
  PhoneHistoryListed listed;
  PhoneArchiveCounted counted;
  gpointer data;
} ReadJob;

static void
list_finish (StoreJob *job, gboolean kept, const GError *error)
{
  ReadJob *self = (ReadJob *) job;

  self->listed (error ? NULL : self->entries, error, self->data);
}

static void
count_finish (StoreJob *job, gboolean kept, const GError *error)
{
  ReadJob *self = (ReadJob *) job;

  self->counted (self->n, error, self->data);
}

static void
read_free (StoreJob *job)
{
  ReadJob *self = (ReadJob *) job;

  g_clear_pointer (&self->entries, g_ptr_array_unref);
  store_page_clear (&self->page);
  g_free (self->id);
  g_free (self);
}

static ReadJob *
read_new (int (*run) (StoreDb *db, StoreJob *job), void (*finish) (StoreJob *job, gboolean kept, const GError *error), gpointer data)
{
  ReadJob *self = g_new0 (ReadJob, 1);

  self->job = (StoreJob){ .run = run, .finish = finish, .free = read_free };
  self->data = data;
  return self;
}

static int
collect (sqlite3_stmt *s, GPtrArray *entries)
{
  int rc;

  g_ptr_array_set_size (entries, 0);
  while ((rc = sqlite3_step (s)) == SQLITE_ROW)
    g_ptr_array_add (entries, read_entry (s));
  sqlite3_reset (s);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int
run_list (StoreDb *db, StoreJob *job)
{
  ReadJob *self = (ReadJob *) job;
  int rc;
  sqlite3_stmt *s = store_page_prepare (&self->page, db, COLUMNS, &rc);

  return s ? collect (s, self->entries) : rc;
}

static int
run_get (StoreDb *db, StoreJob *job)
{
  ReadJob *self = (ReadJob *) job;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "SELECT " COLUMNS " FROM history WHERE id = ?1", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, self->id);
  return collect (s, self->entries);
}

static int
run_count (StoreDb *db, StoreJob *job)
{
  return store_db_count (db, "SELECT count (*) FROM history WHERE seen = 0 AND kind = 0", &((ReadJob *) job)->n);
}

void
store_history_list (gpointer store, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneHistoryListed done, gpointer data)
{
  ReadJob *self = read_new (run_list, list_finish, data);

  store_page_init (&self->page, STORE_PAGE_HISTORY, filter, offset, MIN (limit, PHONE_HISTORY_MAX_PAGE));
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_history_entry_free);
  self->listed = done;
  store_push (store, &self->job);
}

void
store_history_get (gpointer store, const char *id, PhoneHistoryListed done, gpointer data)
{
  ReadJob *self = read_new (run_get, list_finish, data);

  self->id = g_strdup (id);
  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_history_entry_free);
  self->listed = done;
  store_push (store, &self->job);
}

void
store_history_count_unseen (gpointer store, PhoneArchiveCounted done, gpointer data)
{
  ReadJob *self = read_new (run_count, count_finish, data);

  self->counted = done;
  store_push (store, &self->job);
}
