/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The worker: one thread that owns the database. Jobs come by a queue and are carried out in order; results go back by another and are
 * handed out on the main loop. Writes that stand in the queue together share one transaction, and with it one sync of the disk.
 *
 * What may go wrong, and what then:
 *   disk full, I/O error, read-only, locked, folder missing   the writes are kept in memory, in order, at most STORE_MAX_KEPT (the oldest
 *                    go first), and tried again: 1 s later, then 2, 4 ... 60 s. Callers hear "kept" at once. Reading goes on if it can.
 *                    A write that is worth nothing later (now_or_never) fails instead, and its caller hears so.
 *   damaged file     moved aside with a name that tells the time, a new one begun; the fault stays up until the daemon ends.
 *   newer schema     not touched; as with a disk that does not work.
 *   anything else    the fault of one job: it fails, the others of its transaction do not (each has a savepoint). */

#include "store/store-history.h"
#include "store/store-messages.h"
#include "store/store-reports.h"

#include <stdio.h>
#include <string.h>

#include "util/log.h"

#define MAX_BATCH 64
#define FIRST_RETRY_S 1
#define LAST_RETRY_S 60

struct _Store
{
  char *path;
  StoreEvents events;
  gpointer data;
  GThread *thread;              /* NULL: closed */
  GAsyncQueue *jobs;

  /* between the threads */
  GMutex lock;
  GQueue results;               /* StoreJob, with a reference */
  char *fault;
  guint waiting;
  gboolean fault_changed;
  GSource *source;

  /* the thread's */
  StoreDb db;
  StoreDb copy;                 /* of a file whose schema is older and that cannot be written; for reading */
  gboolean quit;
  GQueue kept;                  /* StoreJob: writes that wait for the disk */
  guint retry_s;
  gint64 retry_at;              /* monotonic us, 0: the disk works */
  guint dropped;
  char *trouble;                /* what is wrong now, NULL: nothing */
  char *moved;                  /* sentence about a damaged file, NULL: there was none */
};

/* The last job: makes the thread end. */
static StoreJob quit_job;

/* ---- jobs ---- */

static void
job_unref (StoreJob *job)
{
  if (!g_atomic_int_dec_and_test (&job->refs))
    return;
  g_clear_error (&job->error);
  job->free (job);
}

static StoreJob *
job_ref (StoreJob *job)
{
  g_atomic_int_inc (&job->refs);
  return job;
}

void
store_push (Store *store, StoreJob *job)
{
  job->refs = 1;
  if (store->thread)
    {
      g_async_queue_push (store->jobs, job);
      return;
    }
  job->error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_STORAGE, "The archive is closed");
  job->finish (job, FALSE, job->error);
  job_unref (job);
}

/* ---- to the main loop ---- */

static gboolean
on_results (gpointer data)
{
  Store *store = data;
  GQueue results;
  g_autofree char *fault = NULL;
  gboolean changed;
  guint waiting;

  g_source_set_ready_time (store->source, -1);
  g_mutex_lock (&store->lock);
  results = store->results;
  g_queue_init (&store->results);
  changed = store->fault_changed;
  store->fault_changed = FALSE;
  fault = g_strdup (store->fault);
  waiting = store->waiting;
  g_mutex_unlock (&store->lock);

  if (changed && store->events.fault)
    store->events.fault (fault, waiting, store->data);
  for (StoreJob *job; (job = g_queue_pop_head (&results));)
    {
      job->finish (job, job->kept, job->error);
      job_unref (job);
    }
  return G_SOURCE_CONTINUE;
}

static gboolean
dispatch (GSource *source, GSourceFunc callback, gpointer data)
{
  return callback (data);
}

static GSourceFuncs source_funcs = { .dispatch = dispatch };

/* The job hears of its outcome, once. */
static void
deliver (Store *store, StoreJob *job)
{
  if (job->finished)
    return;
  job->finished = TRUE;
  g_mutex_lock (&store->lock);
  g_queue_push_tail (&store->results, job_ref (job));
  g_mutex_unlock (&store->lock);
  g_source_set_ready_time (store->source, 0);
}

/* What people are told: what is wrong now, else what was lost in this life. */
static char *
describe (Store *store)
{
  const char *text = store->trouble ? store->trouble : store->moved;

  if (store->dropped == 0)
    return g_strdup (text);
  return g_strdup_printf ("%s%s%u entries were lost", text ? text : "", text ? "; " : "", store->dropped);
}

static void
set_trouble (Store *store, const char *text)
{
  g_autofree char *fault = NULL;
  char *copy = g_strdup (text);

  g_free (store->trouble);
  store->trouble = copy;
  fault = describe (store);
  g_mutex_lock (&store->lock);
  if (g_strcmp0 (fault, store->fault) != 0)
    {
      if (fault)
        phone_log_warning (NULL, "Archive: %s", fault);
      else
        phone_log_notice (NULL, "Archive: works again");
      g_free (store->fault);
      store->fault = g_steal_pointer (&fault);
      store->fault_changed = TRUE;
    }
  if (store->waiting != store->kept.length)
    {
      store->waiting = store->kept.length;
      store->fault_changed = TRUE;
    }
  g_mutex_unlock (&store->lock);
  g_source_set_ready_time (store->source, 0);
}

/* ---- faults ---- */

typedef enum
{
  FAULT_NONE,
  FAULT_DISK,
  FAULT_DAMAGED,
  FAULT_JOB,
} Fault;

static Fault
judge (int rc)
{
  switch (rc & 0xff)
    {
    case SQLITE_OK:
      return FAULT_NONE;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return FAULT_DAMAGED;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_NOLFS:
    case SQLITE_PROTOCOL:
    case SQLITE_MISMATCH:               /* a newer schema */
      return FAULT_DISK;
    default:
      return FAULT_JOB;
    }
}

static void
move_file (const char *path, const char *suffix, const char *to)
{
  g_autofree char *from = g_strconcat (path, suffix, NULL), *target = g_strconcat (to, suffix, NULL);

  rename (from, target);
}

static void
move_aside (Store *store)
{
  g_autoptr (GDateTime) now = g_date_time_new_now_utc ();
  g_autofree char *when = g_date_time_format (now, "%Y%m%dT%H%M%S");
  g_autofree char *to = g_strdup_printf ("%s.damaged-%s", store->path, when);

  store_db_close (&store->db);
  move_file (store->path, "", to);
  move_file (store->path, "-wal", to);
  move_file (store->path, "-shm", to);
  g_free (store->moved);
  store->moved = g_strdup_printf ("%s was damaged and a new one begun; what was in it is kept in %s", store->path, to);
  set_trouble (store, store->trouble);
}

static void
disk_failed (Store *store, const char *text)
{
  store->retry_s = store->retry_s ? MIN (2 * store->retry_s, LAST_RETRY_S) : FIRST_RETRY_S;
  store->retry_at = g_get_monotonic_time () + store->retry_s * G_USEC_PER_SEC;
  set_trouble (store, text);
}

static void
disk_works (Store *store)
{
  store->retry_s = 0;
  store->retry_at = 0;
  set_trouble (store, NULL);
}

/* FALSE: there is no database now. */
static gboolean
open_database (Store *store)
{
  g_autofree char *text = NULL;
  int rc;

  if (store->db.db)
    return TRUE;
  rc = store_db_open (&store->db, store->path, &text);
  if (judge (rc) == FAULT_DAMAGED)
    {
      move_aside (store);
      g_clear_pointer (&text, g_free);
      rc = store_db_open (&store->db, store->path, &text);
    }
  if (rc == SQLITE_OK)
    {
      store_db_close (&store->copy);
      return TRUE;
    }
  disk_failed (store, text);
  return FALSE;
}

/* ---- writing ---- */

static void
set_error (Store *store, StoreJob *job, int rc)
{
  g_clear_error (&job->error);
  g_set_error (&job->error, PHONE_ERROR, PHONE_ERROR_STORAGE, "The archive cannot do that: %s",
               rc == SQLITE_TOOBIG ? "it was made by an older phoned, and is too large to be read where it cannot be written"
               : store->db.db      ? sqlite3_errmsg (store->db.db)
                                   : sqlite3_errstr (rc));
}

/* A job that the database refuses for what it is must not take its neighbours with it. */
static int
run_write (Store *store, StoreJob *job)
{
  int rc = store_db_exec (&store->db, "SAVEPOINT job");
  int result;

  if (rc != SQLITE_OK)
    return rc;
  result = job->run (&store->db, job);
  if (judge (result) == FAULT_DISK || judge (result) == FAULT_DAMAGED)
    return result;
  if (result != SQLITE_OK)
    {
      set_error (store, job, result);
      rc = store_db_exec (&store->db, "ROLLBACK TO job");
    }
  return rc == SQLITE_OK ? store_db_exec (&store->db, "RELEASE job") : rc;
}

/* All of them in one transaction, or none. */
static int
write_batch (Store *store, GPtrArray *batch)
{
  int rc = store_db_exec (&store->db, "BEGIN IMMEDIATE");

  for (guint i = 0; rc == SQLITE_OK && i < batch->len; i++)
    rc = run_write (store, batch->pdata[i]);
  if (rc == SQLITE_OK)
    rc = store_db_exec (&store->db, "COMMIT");
  if (rc != SQLITE_OK)
    sqlite3_exec (store->db.db, "ROLLBACK", NULL, NULL, NULL);
  return rc;
}

static int
write_or_renew (Store *store, GPtrArray *batch)
{
  int rc;

  if (!open_database (store))
    return SQLITE_CANTOPEN;
  rc = write_batch (store, batch);
  if (judge (rc) == FAULT_DAMAGED)
    {
      move_aside (store);
      if (!open_database (store))
        return SQLITE_CANTOPEN;
      rc = write_batch (store, batch);
    }
  if (rc != SQLITE_OK)
    disk_failed (store, sqlite3_errstr (rc));
  return rc;
}

static void
keep (Store *store, StoreJob *job)
{
  g_clear_error (&job->error);
  job->kept = TRUE;
  g_queue_push_tail (&store->kept, job_ref (job));
  if (store->kept.length > STORE_MAX_KEPT)
    {
      job_unref (g_queue_pop_head (&store->kept));
      store->dropped++;
    }
}

static void
refuse (Store *store, StoreJob *job)
{
  g_clear_error (&job->error);
  g_set_error (&job->error, PHONE_ERROR, PHONE_ERROR_STORAGE, "The archive does not work: %s", store->trouble ? store->trouble : "no disk");
}

/* What waited goes first, and in the same order. FALSE: the disk still does not take it. */
static gboolean
write_kept (Store *store)
{
  if (!open_database (store))
    return FALSE;
  while (store->kept.length)
    {
      g_autoptr (GPtrArray) batch = g_ptr_array_new ();

      for (GList *l = store->kept.head; l && batch->len < MAX_BATCH; l = l->next)
        g_ptr_array_add (batch, l->data);
      if (write_or_renew (store, batch) != SQLITE_OK)
        return FALSE;
      for (guint i = 0; i < batch->len; i++)
        job_unref (g_queue_pop_head (&store->kept));
    }
  disk_works (store);
  return TRUE;
}

static void
do_writes (Store *store, GPtrArray *batch)
{
  /* While the disk is out, no job waits for its time-outs: the next attempt is due at retry_at. */
  gboolean may = store->retry_at == 0 || g_get_monotonic_time () >= store->retry_at;
  gboolean written = may && write_kept (store) && write_or_renew (store, batch) == SQLITE_OK;

  for (guint i = 0; !written && i < batch->len; i++)
    if (((StoreJob *) batch->pdata[i])->now_or_never)
      refuse (store, batch->pdata[i]);
    else
      keep (store, batch->pdata[i]);
  if (!written)
    set_trouble (store, store->trouble);
  for (guint i = 0; i < batch->len; i++)
    deliver (store, batch->pdata[i]);
}

/* ---- reading ---- */

/* Where nothing can be written (a read-only home, a full disk), what is there can still be read. */
static int
read_only (Store *store, StoreJob *job)
{
  StoreDb db;
  gboolean copy;
  int rc;

  if (store->copy.db)
    return job->run (&store->copy, job);
  rc = store_db_open_read_only (&db, store->path, &copy);
  if (rc == SQLITE_OK)
    rc = job->run (&db, job);
  if (copy)
    store->copy = db;
  else
    store_db_close (&db);
  return rc;
}

static void
do_read (Store *store, StoreJob *job)
{
  int rc = open_database (store) ? job->run (&store->db, job) : read_only (store, job);

  if (judge (rc) == FAULT_DAMAGED && store->db.db)
    {
      move_aside (store);
      rc = open_database (store) ? job->run (&store->db, job) : SQLITE_CANTOPEN;
    }
  if (rc != SQLITE_OK)
    set_error (store, job, rc);
  deliver (store, job);
}

/* ---- the thread ---- */

static StoreJob *
next_job (Store *store)
{
  gint64 wait = store->retry_at - g_get_monotonic_time ();

  if (store->retry_at == 0)
    return g_async_queue_pop (store->jobs);
  return wait > 0 ? g_async_queue_timeout_pop (store->jobs, (guint64) wait) : g_async_queue_try_pop (store->jobs);
}

static void
work (Store *store, StoreJob *job)
{
  g_autoptr (GPtrArray) batch = g_ptr_array_new_with_free_func ((GDestroyNotify) job_unref);

  while (job && job != &quit_job && job->is_write)
    {
      g_ptr_array_add (batch, job);
      job = batch->len < MAX_BATCH ? g_async_queue_try_pop (store->jobs) : NULL;
    }
  if (batch->len)
    do_writes (store, batch);
  store->quit |= job == &quit_job;
  if (job && job != &quit_job)
    {
      do_read (store, job);
      job_unref (job);
    }
}

static gpointer
run_thread (gpointer data)
{
  Store *store = data;

  if (open_database (store))
    disk_works (store);
  while (!store->quit)
    {
      StoreJob *job = next_job (store);

      if (job)
        work (store, job);
      else
        write_kept (store);
    }
  if (store->kept.length)
    write_kept (store);
  if (store->kept.length)
    phone_log_warning (NULL, "Archive: %u entries could not be written and are lost", store->kept.length);
  for (StoreJob *job; (job = g_queue_pop_head (&store->kept));)
    job_unref (job);
  store_db_close (&store->copy);
  store_db_close (&store->db);
  return NULL;
}

Store *
store_new (const char *path, const StoreEvents *events, gpointer data)
{
  Store *store = g_new0 (Store, 1);

  store->path = g_strdup (path);
  store->events = *events;
  store->data = data;
  store->jobs = g_async_queue_new ();
  g_mutex_init (&store->lock);
  store->source = g_source_new (&source_funcs, sizeof (GSource));
  g_source_set_callback (store->source, on_results, store, NULL);
  g_source_set_static_name (store->source, "store");
  g_source_attach (store->source, NULL);
  store->thread = g_thread_new ("store", run_thread, store);
  return store;
}

void
store_close (Store *store)
{
  if (!store->thread)
    return;
  g_async_queue_push (store->jobs, &quit_job);
  g_thread_join (store->thread);
  store->thread = NULL;
  on_results (store);
  g_source_destroy (store->source);
}

void
store_free (Store *store)
{
  if (!store)
    return;
  store_close (store);
  g_source_unref (store->source);
  g_async_queue_unref (store->jobs);
  g_mutex_clear (&store->lock);
  g_free (store->fault);
  g_free (store->trouble);
  g_free (store->moved);
  g_free (store->path);
  g_free (store);
}

const PhoneArchiveOps store_archive_ops = {
  .history_add = store_history_add,
  .history_list = store_history_list,
  .history_get = store_history_get,
  .history_mark_seen = store_history_mark_seen,
  .history_delete = store_history_delete,
  .history_expire = store_history_expire,
  .history_count_unseen = store_history_count_unseen,
  .message_add = store_message_add,
  .message_update = store_message_update,
  .message_report = store_message_report,
  .message_reported = store_message_reported,
  .message_mark_read = store_message_mark_read,
  .message_list = store_message_list,
  .message_conversations = store_message_conversations,
  .message_get = store_message_get,
  .message_open = store_message_open,
  .message_delete = store_message_delete,
  .message_expire = store_message_expire,
  .message_count_unread = store_message_count_unread,
  .report_add = store_report_add,
  .report_list = store_report_list,
  .report_remove = store_report_remove,
};
