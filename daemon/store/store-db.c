/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/store-db.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store-called.h"
#include "store/store-text.h"
#include "util/atomic-file.h"

#define BUSY_MS 2000
#define MAX_COPY (256 * 1024 * 1024)            /* octets of a file that is brought up to date in memory */
#define MAX_STATEMENTS 128

/* WAL with synchronous=FULL: a transaction is on the disk before it is acknowledged. Deleted entries are overwritten. */
static const char setup[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;"
                            "PRAGMA cell_size_check = ON; PRAGMA journal_size_limit = 4194304;";

static void
free_statement (gpointer statement)
{
  sqlite3_finalize (statement);
}

/* SQLite would follow a link and take the umask's mode. */
static gboolean
make_file (const char *path, char **ret_error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GError) error = NULL;
  struct stat st;
  int fd;

  if (!phone_make_directory (folder, 0700, &error))
    {
      *ret_error = g_strdup (error->message);
      return FALSE;
    }
  fd = open (path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || (st.st_mode & 077 && fchmod (fd, 0600) < 0))
    {
      *ret_error = g_strdup_printf ("%s: %s", path, fd >= 0 && !S_ISREG (st.st_mode) ? "not a file" : g_strerror (errno));
      if (fd >= 0)
        close (fd);
      return FALSE;
    }
  close (fd);
  return TRUE;
}

static int
register_functions (StoreDb *db)
{
  int rc = store_text_register (db->db);

  return rc == SQLITE_OK ? store_called_register (db->db) : rc;
}

int
store_db_open (StoreDb *db, const char *path, char **ret_error)
{
  int rc;

  *db = (StoreDb){ 0 };
  *ret_error = NULL;
  if (!make_file (path, ret_error))
    return SQLITE_CANTOPEN;
  db->statements = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_statement);
  rc = sqlite3_open_v2 (path, &db->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK)
    {
      sqlite3_extended_result_codes (db->db, 1);
      sqlite3_busy_timeout (db->db, BUSY_MS);
      sqlite3_limit (db->db, SQLITE_LIMIT_ATTACHED, 0);
      rc = register_functions (db);
      if (rc == SQLITE_OK)
        rc = store_db_exec (db, setup);
    }
  if (rc == SQLITE_OK)
    rc = store_schema_migrate (db, STORE_SCHEMA_VERSION);
  if (rc == SQLITE_OK)
    return rc;
  *ret_error = rc == SQLITE_MISMATCH ? g_strdup_printf ("%s was made by a newer phoned", path)
                                     : g_strdup_printf ("%s: %s", path, sqlite3_errstr (rc));
  store_db_close (db);
  return rc;
}

/* The schema of an older phoned cannot be changed where nothing can be written: a copy in memory can. */
static int
copy_to_memory (StoreDb *db)
{
  sqlite3_backup *backup;
  StoreDb copy = { 0 };
  guint pages = 0, size = 0;
  int rc = store_db_count (db, "PRAGMA page_count", &pages);

  if (rc == SQLITE_OK)
    rc = store_db_count (db, "PRAGMA page_size", &size);
  if (rc == SQLITE_OK && (guint64) pages * size > MAX_COPY)
    return SQLITE_TOOBIG;
  if (rc == SQLITE_OK)
    rc = sqlite3_open_v2 (":memory:", &copy.db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
  if (rc == SQLITE_OK && (backup = sqlite3_backup_init (copy.db, "main", db->db, "main")))
    {
      sqlite3_backup_step (backup, -1);
      rc = sqlite3_backup_finish (backup);
    }
  else if (rc == SQLITE_OK)
    rc = sqlite3_errcode (copy.db);
  copy.statements = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_statement);
  if (rc == SQLITE_OK)
    rc = register_functions (&copy);
  if (rc == SQLITE_OK)
    rc = store_schema_migrate (&copy, STORE_SCHEMA_VERSION);
  if (rc != SQLITE_OK)
    {
      store_db_close (&copy);
      return rc;
    }
  store_db_close (db);
  *db = copy;
  return SQLITE_OK;
}

int
store_db_open_read_only (StoreDb *db, const char *path, gboolean *ret_copy)
{
  static const char *const modes[] = { "mode=ro", "mode=ro&immutable=1" };
  g_autofree char *uri = g_filename_to_uri (path, NULL, NULL);
  int rc = SQLITE_CANTOPEN, version = STORE_SCHEMA_VERSION;

  *db = (StoreDb){ 0 };
  *ret_copy = FALSE;
  for (gsize i = 0; uri && i < G_N_ELEMENTS (modes) && rc != SQLITE_OK; i++)
    {
      g_autofree char *full = g_strdup_printf ("%s?%s", uri, modes[i]);

      store_db_close (db);
      db->statements = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, free_statement);
      rc = sqlite3_open_v2 (full, &db->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI, NULL);
      if (rc == SQLITE_OK)
        rc = register_functions (db);
      if (rc == SQLITE_OK)
        rc = store_db_exec (db, "SELECT count(*) FROM sqlite_schema;");
    }
  if (rc == SQLITE_OK)
    rc = store_schema_version (db, &version);
  if (rc == SQLITE_OK && version < STORE_SCHEMA_VERSION)
    {
      rc = copy_to_memory (db);
      *ret_copy = rc == SQLITE_OK;
    }
  return rc;
}

void
store_db_close (StoreDb *db)
{
  g_clear_pointer (&db->statements, g_hash_table_unref);
  sqlite3_close (db->db);
  db->db = NULL;
}

sqlite3_stmt *
store_db_prepare (StoreDb *db, const char *sql, int *ret_rc)
{
  sqlite3_stmt *statement = g_hash_table_lookup (db->statements, sql);

  *ret_rc = SQLITE_OK;
  if (statement)
    {
      sqlite3_clear_bindings (statement);
      return statement;
    }
  if (g_hash_table_size (db->statements) >= MAX_STATEMENTS)
    g_hash_table_remove_all (db->statements);
  *ret_rc = sqlite3_prepare_v3 (db->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
  if (*ret_rc != SQLITE_OK)
    return NULL;
  g_hash_table_insert (db->statements, g_strdup (sql), statement);
  return statement;
}

int
store_db_run (sqlite3_stmt *statement)
{
  int rc;

  while ((rc = sqlite3_step (statement)) == SQLITE_ROW)
    ;
  sqlite3_reset (statement);
  return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

int
store_db_run_each (StoreDb *db, const char *one, const char *all, char **ids)
{
  int rc = SQLITE_OK;
  sqlite3_stmt *s = store_db_prepare (db, ids ? one : all, &rc);

  if (s && !ids)
    rc = store_db_run (s);
  for (gsize i = 0; s && ids && ids[i] && rc == SQLITE_OK; i++)
    {
      store_bind_text (s, 1, ids[i]);
      rc = store_db_run (s);
    }
  return rc;
}

int
store_db_count (StoreDb *db, const char *sql, guint *ret_n)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (db, sql, &rc);

  if (!s)
    return rc;
  rc = sqlite3_step (s);
  if (rc == SQLITE_ROW)
    *ret_n = (guint) sqlite3_column_int64 (s, 0);
  sqlite3_reset (s);
  return rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int
store_db_exec (StoreDb *db, const char *sql)
{
  return sqlite3_exec (db->db, sql, NULL, NULL, NULL);
}

void
store_bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  if (text)
    sqlite3_bind_text (statement, index, text, -1, SQLITE_TRANSIENT);
  else
    sqlite3_bind_null (statement, index);
}

void
store_bind_double (sqlite3_stmt *statement, int index, double value)
{
  if (isnan (value))
    sqlite3_bind_null (statement, index);
  else
    sqlite3_bind_double (statement, index, value);
}

const char *
store_column_text (sqlite3_stmt *statement, int column)
{
  const unsigned char *text = sqlite3_column_text (statement, column);

  return text ? (const char *) text : "";
}

double
store_column_double (sqlite3_stmt *statement, int column)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL ? NAN : sqlite3_column_double (statement, column);
}
