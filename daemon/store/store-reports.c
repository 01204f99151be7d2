/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Reports of voice quality that are still to be delivered. There are few of them, and none for long. */

#include "store/store-reports.h"

typedef struct
{
  StoreJob job;
  PhoneStoredReport report;     /* owned texts; list and remove: of which */
  GPtrArray *found;
  PhoneReportsListed done;
  gpointer data;
} ReportJob;

static void
report_clear (PhoneStoredReport *report)
{
  g_free (report->id);
  g_free (report->account);
  g_free (report->target);
  g_free (report->body);
}

static void
report_free (gpointer report)
{
  report_clear (report);
  g_free (report);
}

static void
job_finish (StoreJob *job, gboolean kept, const GError *error)
{
  ReportJob *self = (ReportJob *) job;

  if (self->done != NULL)
    self->done (error == NULL ? self->found : NULL, error, self->data);
}

static void
job_free (StoreJob *job)
{
  ReportJob *self = (ReportJob *) job;

  report_clear (&self->report);
  g_clear_pointer (&self->found, g_ptr_array_unref);
  g_free (self);
}

static ReportJob *
job_new (int (*run) (StoreDb *db, StoreJob *job), const char *account, const char *id)
{
  ReportJob *self = g_new0 (ReportJob, 1);

  self->job = (StoreJob) { .run = run, .finish = job_finish, .free = job_free, .is_write = TRUE };
  self->report.account = g_strdup (account);
  self->report.id = g_strdup (id);
  return self;
}

static int
run_add (StoreDb *db, StoreJob *job)
{
  const PhoneStoredReport *report = &((ReportJob *) job)->report;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "INSERT OR IGNORE INTO report (id, account, target, body) VALUES (?1, ?2, ?3, ?4)", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, report->id);
  store_bind_text (s, 2, report->account);
  store_bind_text (s, 3, report->target);
  store_bind_text (s, 4, report->body);
  rc = store_db_run (s);
  if (rc != SQLITE_OK)
    return rc;
  s = store_db_prepare (db, "DELETE FROM report WHERE account = ?1 AND seq IN (SELECT seq FROM report WHERE account = ?1 ORDER BY seq DESC LIMIT -1 OFFSET ?2)",
                        &rc);
  if (!s)
    return rc;
  store_bind_text (s, 1, report->account);
  sqlite3_bind_int (s, 2, PHONE_MAX_STORED_REPORTS);
  return store_db_run (s);
}

static int
run_remove (StoreDb *db, StoreJob *job)
{
  const PhoneStoredReport *report = &((ReportJob *) job)->report;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "DELETE FROM report WHERE account = ?1 AND (?2 IS NULL OR id = ?2)", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, report->account);
  store_bind_text (s, 2, report->id);
  return store_db_run (s);
}

static int
run_list (StoreDb *db, StoreJob *job)
{
  ReportJob *self = (ReportJob *) job;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, "SELECT id, account, target, body FROM report WHERE account = ?1 ORDER BY seq", &rc);

  if (!s)
    return rc;
  store_bind_text (s, 1, self->report.account);
  g_ptr_array_set_size (self->found, 0);
  while ((rc = sqlite3_step (s)) == SQLITE_ROW)
    {
      PhoneStoredReport *report = g_new0 (PhoneStoredReport, 1);

      report->id = g_strdup (store_column_text (s, 0));
      report->account = g_strdup (store_column_text (s, 1));
      report->target = g_strdup (store_column_text (s, 2));
      report->body = g_strdup (store_column_text (s, 3));
      g_ptr_array_add (self->found, report);
    }
  sqlite3_reset (s);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

void
store_report_add (gpointer store, const PhoneStoredReport *report)
{
  ReportJob *self = job_new (run_add, report->account, report->id);

  self->report.target = g_strdup (report->target);
  self->report.body = g_strdup (report->body);
  store_push (store, &self->job);
}

void
store_report_remove (gpointer store, const char *account, const char *id)
{
  store_push (store, &job_new (run_remove, account, id)->job);
}

void
store_report_list (gpointer store, const char *account, PhoneReportsListed done, gpointer data)
{
  ReportJob *self = job_new (run_list, account, NULL);

  self->job.is_write = FALSE;
  self->found = g_ptr_array_new_with_free_func (report_free);
  self->done = done;
  self->data = data;
  store_push (store, &self->job);
}
