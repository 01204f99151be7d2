/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A writer under load is killed at a random point, again and again, over the same file: calls, those that left a message on the answering
 * machine, and messages, which are read and come to other states meanwhile. Whatever it was told is on the disk must be there afterwards: in
 * the file as the kernel has it (the process was killed), and in the file as the worst disk would have kept it (the power went; cut-vfs.h).
 * And both must be whole. */

#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cut-vfs.h"
#include "store/store.h"

#include <sqlite3.h>

#define ROUNDS 12
#define MAX_ACKS 600
#define IN_FLIGHT 40

/* ---- the writer ---- */

static Store *store;
static guint next, in_flight;

static void
acknowledge (const GError *error, gpointer data)
{
  if (error)
    g_error ("not written: %s", error->message);
  /* One write, so that the reader never sees half a line. */
  g_assert_cmpint (dprintf (STDOUT_FILENO, "%u\n", GPOINTER_TO_UINT (data)), >, 0);
  in_flight--;
}

static void
on_added (gboolean kept, const GError *error, gpointer data)
{
  g_assert_false (kept);
  acknowledge (error, data);
}

static void
on_message_added (gboolean is_copy, const GError *error, gpointer data)
{
  g_assert_false (is_copy);
  acknowledge (error, data);
}

static void
write_call (void)
{
  PhoneHistoryEntry *entry = phone_history_entry_new ();

  g_free (entry->id);
  entry->id = g_strdup_printf ("%u", next);
  phone_text_take (&entry->remote_name, "Somebody with a name");
  phone_text_take (&entry->remote_uri, "sip:somebody@example.org");
  entry->outcome = next % 4 ? PHONE_OUTCOME_ANSWERED : PHONE_OUTCOME_VOICEMAIL;
  entry->start = next;
  store_archive_ops.history_add (store, entry, on_added, GUINT_TO_POINTER (next));
}

/* Theirs, and ours, which comes to another state at once. */
static void
write_message (void)
{
  g_autoptr (PhoneMessage) ours = NULL;
  PhoneMessage *message = phone_message_new ();

  g_free (message->id);
  message->id = g_strdup_printf ("%u", next);
  message->incoming = next % 3 != 0;
  message->read = !message->incoming;
  message->state = message->incoming ? PHONE_MESSAGE_RECEIVED : PHONE_MESSAGE_QUEUED;
  phone_text_take (&message->party, next % 5 ? "somebody@example.org" : "another@example.org");
  phone_text_take (&message->body, "words that are looked for");
  if (message->incoming)
    phone_text_take (&message->transaction, message->id);
  message->time = message->changed = next;
  ours = message->incoming ? NULL : phone_message_copy (message);
  store_archive_ops.message_add (store, message, on_message_added, GUINT_TO_POINTER (next));
  if (!ours)
    return;
  ours->state = PHONE_MESSAGE_SENT;
  store_archive_ops.message_update (store, ours, FALSE, NULL, NULL);
}

static void
write_next (void)
{
  if (next % 2)
    write_message ();
  else
    write_call ();
  /* Other work between: pages change and are freed, the log is folded back. */
  if (next % 50 == 0)
    {
      store_archive_ops.history_mark_seen (store, NULL, NULL, NULL);
      store_archive_ops.message_mark_read (store, NULL, NULL, NULL);
    }
  if (next % 97 == 0)
    {
      const char *const ids[] = { "no such", NULL };

      store_archive_ops.history_delete (store, ids, NULL, NULL);
    }
  next++;
  in_flight++;
}

static int
run_writer (const char *path, guint first)
{
  const StoreEvents events = { 0 };

  cut_vfs_register ();
  store = store_new (path, &events, NULL);
  next = first;
  for (;;)
    {
      while (in_flight < IN_FLIGHT)
        write_next ();
      g_main_context_iteration (NULL, TRUE);
    }
  return 0;
}

/* ---- the judge ---- */

static int
count_rows (sqlite3 *db, const char *sql)
{
  sqlite3_stmt *s;
  int n = -1;

  g_assert_cmpint (sqlite3_prepare_v2 (db, sql, -1, &s, NULL), ==, SQLITE_OK);
  if (sqlite3_step (s) == SQLITE_ROW)
    n = sqlite3_column_int (s, 0);
  sqlite3_finalize (s);
  return n;
}

static void
check (const char *path, guint acknowledged)
{
  g_autofree char *contiguous = g_strdup_printf ("SELECT count (*) FROM history WHERE start < %u", acknowledged);
  static const char stray[] = "SELECT count (*) FROM (SELECT party, max (start), count (*), sum (seen = 0) FROM history WHERE kind = 1"
                              " GROUP BY party EXCEPT SELECT party, start, total, unread FROM conversation)";
  sqlite3 *db;
  sqlite3_stmt *s;

  g_assert_cmpint (sqlite3_open_v2 (path, &db, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA integrity_check", -1, &s, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (s), ==, SQLITE_ROW);
  g_assert_cmpstr ((const char *) sqlite3_column_text (s, 0), ==, "ok");
  sqlite3_finalize (s);
  g_assert_cmpint (sqlite3_exec (db, "INSERT INTO history_text (history_text) VALUES ('integrity-check')", NULL, NULL, NULL), ==, SQLITE_OK);
  g_assert_cmpint (count_rows (db, contiguous), ==, (int) acknowledged);
  g_assert_cmpint (count_rows (db, "SELECT count (*) FROM history WHERE kind = 1 AND seq NOT IN (SELECT seq FROM message)"), ==, 0);
  g_assert_cmpint (count_rows (db, stray), ==, 0);
  sqlite3_close (db);
}

/* Opening recovers the log into the file, so the judge works on copies. */
static void
check_copy (const char *path, const char *suffix, const char *to, guint acknowledged)
{
  static const char *const parts[] = { "", "-wal" };

  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    {
      g_autofree char *from = g_strconcat (path, parts[i], suffix, NULL), *target = g_strconcat (to, parts[i], NULL);
      g_autofree char *content = NULL;
      gsize length = 0;

      g_unlink (target);
      if (g_file_get_contents (from, &content, &length, NULL))
        g_assert_true (g_file_set_contents (target, content, (gssize) length, NULL));
    }
  check (to, acknowledged);
}

static guint
cut_once (const char *program, const char *path, guint first, guint acks)
{
  g_autofree char *number = g_strdup_printf ("%u", first);
  const char *argv[] = { program, "--writer", path, number, NULL };
  g_autoptr (GError) error = NULL;
  guint seen = first, value;
  FILE *lines;
  GPid pid;
  int out;

  g_spawn_async_with_pipes (NULL, (char **) argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid, NULL, &out, NULL, &error);
  g_assert_no_error (error);
  lines = fdopen (out, "r");
  for (guint i = 0; i < acks && fscanf (lines, "%u", &value) == 1; i++)
    {
      g_assert_cmpuint (value, ==, seen);
      seen++;
    }
  kill (pid, SIGKILL);
  /* What it was told before it died counts too. */
  while (fscanf (lines, "%u", &value) == 1)
    seen = value + 1;
  fclose (lines);
  waitpid (pid, NULL, 0);
  return seen;
}

static guint
first_free (const char *path)
{
  sqlite3 *db;
  int n;

  g_assert_cmpint (sqlite3_open (path, &db), ==, SQLITE_OK);
  n = count_rows (db, "SELECT max (start) + 1 FROM history");
  sqlite3_close (db);
  return (guint) n;
}

static void
renew_shadow (const char *path)
{
  g_autofree char *shadow = g_strconcat (path, ".durable", NULL), *log = g_strconcat (path, "-wal.durable", NULL);
  g_autofree char *content = NULL;
  gsize length;

  g_assert_true (g_file_get_contents (path, &content, &length, NULL));
  g_assert_true (g_file_set_contents (shadow, content, (gssize) length, NULL));
  g_unlink (log);
}

static const char *program;

static void
test_cuts (void)
{
  g_autofree char *folder = g_dir_make_tmp ("phoned-cut-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "phone.db", NULL), *copy = g_build_filename (folder, "copy.db", NULL);
  static const char *const left[] = { "", "-wal", "-shm", ".durable", "-wal.durable" };
  guint acknowledged = 0;

  for (guint i = 0; i < ROUNDS; i++)
    {
      guint acks = (guint) g_test_rand_int_range (1, MAX_ACKS);
      guint before = acknowledged;

      acknowledged = cut_once (program, path, acknowledged, acks);
      g_test_message ("round %u: %u acknowledged, %u in all", i, acknowledged - before, acknowledged);
      g_assert_cmpuint (acknowledged, >=, before + acks);
      check_copy (path, "", copy, acknowledged);
      check_copy (path, ".durable", copy, acknowledged);
      /* What was under way may be there or not: the next writer begins with a number that is free. Looking has folded the log into the file,
       * so the shadow begins anew as well. */
      acknowledged = first_free (path);
      renew_shadow (path);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (left); i++)
    {
      g_autofree char *a = g_strconcat (path, left[i], NULL), *b = g_strconcat (copy, left[i], NULL);

      g_unlink (a);
      g_unlink (b);
    }
  g_assert_cmpint (g_rmdir (folder), ==, 0);
}

int
main (int argc, char **argv)
{
  if (argc == 4 && g_str_equal (argv[1], "--writer"))
    return run_writer (argv[2], (guint) g_ascii_strtoull (argv[3], NULL, 10));
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/store/power-cut", test_cuts);
  return g_test_run ();
}
