/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One open database with its prepared statements. Used by one thread. Results are (extended) result codes of SQLite. */

#include <glib.h>
#include <sqlite3.h>

typedef struct
{
  sqlite3 *db;
  GHashTable *statements;       /* SQL -> sqlite3_stmt, owned */
} StoreDb;

#define STORE_SCHEMA_VERSION 6

/* Opens or creates the file (mode 0600, never through a symbolic link), sets it up and brings it to the schema of this program. On
 * failure *ret_error is a sentence. */
int store_db_open (StoreDb *db, const char *path, char **ret_error);
/* As it is, for reading; with what a log beside it holds, if the disk lets us look at it. *ret_copy: an older schema, brought up to date in
 * memory, which is dear; SQLITE_TOOBIG: too large for that. Closed by the caller in any case. */
int store_db_open_read_only (StoreDb *db, const char *path, gboolean *ret_copy);
void store_db_close (StoreDb *db);              /* a db of zeros is closed */

/* A prepared statement, ready to bind; kept for the next time. NULL: *ret_rc says why. */
sqlite3_stmt *store_db_prepare (StoreDb *db, const char *sql, int *ret_rc);
/* Runs a statement to its end and resets it: SQLITE_OK or what went wrong. */
int store_db_run (sqlite3_stmt *statement);
/* one with ?1 bound to each id, or all when ids is NULL. */
int store_db_run_each (StoreDb *db, const char *one, const char *all, char **ids);
/* The one number that a statement gives. */
int store_db_count (StoreDb *db, const char *sql, guint *ret_n);
int store_db_exec (StoreDb *db, const char *sql);

void store_bind_text (sqlite3_stmt *statement, int index, const char *text);    /* copies; NULL: NULL */
void store_bind_double (sqlite3_stmt *statement, int index, double value);      /* NAN: NULL */
const char *store_column_text (sqlite3_stmt *statement, int column);            /* "" for NULL */
double store_column_double (sqlite3_stmt *statement, int column);               /* NAN for NULL */

/* ---- store-schema.c ---- */

/* From user_version, step by step, each in a transaction of its own. SQLITE_MISMATCH: made by a newer program. */
int store_schema_migrate (StoreDb *db, int upto);
int store_schema_version (StoreDb *db, int *ret_version);
