/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The archive against a real disk and against what disks do: files that are damaged, newer, locked, read-only, links, in the way. The main
 * loop is run until what was asked has been answered. */

#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/store-db.h"
#include "store/store-page.h"
#include "store/store.h"

typedef struct
{
  char *folder, *path;
  Store *store;
  char *fault;
  guint waiting, faults;
  /* outcome of what was asked last */
  gboolean done, kept;
  char *error;
  guint n;
  GPtrArray *entries;           /* PhoneHistoryEntry, copies */
  GString *reports;
} Fixture;

static void
on_fault (const char *text, guint waiting, gpointer data)
{
  Fixture *f = data;

  g_free (f->fault);
  f->fault = g_strdup (text);
  f->waiting = waiting;
  f->faults++;
}

static void
open_store (Fixture *f)
{
  const StoreEvents events = { .fault = on_fault };

  f->store = store_new (f->path, &events, f);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  f->folder = g_dir_make_tmp ("phoned-store-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "state", "phone.db", NULL);
  f->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_history_entry_free);
}

static void
remove_tree (const char *folder)
{
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        remove_tree (path);
      else
        g_unlink (path);
    }
  g_clear_pointer (&dir, g_dir_close);
  g_rmdir (folder);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  store_free (f->store);
  remove_tree (f->folder);
  g_ptr_array_unref (f->entries);
  g_free (f->folder);
  g_free (f->path);
  g_free (f->fault);
  g_free (f->error);
}

static void
finish (Fixture *f, gboolean kept, const GError *error)
{
  f->done = TRUE;
  f->kept = kept;
  g_free (f->error);
  f->error = error ? g_strdup (error->message) : NULL;
}

static void
on_done (gboolean kept, const GError *error, gpointer data)
{
  finish (data, kept, error);
}

static void
on_listed (GPtrArray *entries, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_ptr_array_set_size (f->entries, 0);
  for (guint i = 0; entries && i < entries->len; i++)
    g_ptr_array_add (f->entries, phone_history_entry_copy (entries->pdata[i]));
  finish (f, FALSE, error);
}

static void
on_counted (guint n, const GError *error, gpointer data)
{
  ((Fixture *) data)->n = n;
  finish (data, FALSE, error);
}

static void
wait_done (Fixture *f)
{
  while (!f->done)
    g_main_context_iteration (NULL, TRUE);
  f->done = FALSE;
}

static PhoneHistoryEntry *
make_entry (guint number)
{
  PhoneHistoryEntry *entry = phone_history_entry_new ();

  g_free (entry->id);
  entry->id = g_strdup_printf ("id-%u", number);
  phone_text_take (&entry->account, number % 2 ? "odd" : "even");
  g_free (entry->remote_uri);
  entry->remote_uri = g_strdup_printf ("sip:+4930%05u@example.org", number);
  entry->party = (g_free (entry->party), phone_party_key (entry->remote_uri));
  entry->incoming = TRUE;
  entry->outcome = PHONE_OUTCOME_MISSED;
  entry->start = 1000 + number;
  return entry;
}

static void
add (Fixture *f, guint number)
{
  store_archive_ops.history_add (f->store, make_entry (number), on_done, f);
  wait_done (f);
}

static void
list (Fixture *f, const PhoneHistoryFilter *filter, guint offset, guint limit)
{
  store_archive_ops.history_list (f->store, filter, offset, limit, on_listed, f);
  wait_done (f);
}

static void
list_all (Fixture *f)
{
  const PhoneHistoryFilter any = PHONE_HISTORY_FILTER_ANY;

  list (f, &any, 0, 100);
}

#define ID_AT(f, i) (((PhoneHistoryEntry *) (f)->entries->pdata[i])->id)

static void
close_store (Fixture *f)
{
  g_clear_pointer (&f->store, store_free);
}

/* ---- what works ---- */

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneHistoryEntry) all = make_entry (7);
  const PhoneHistoryEntry *e;

  phone_text_take (&all->remote_name, "Zoë \"'; --");
  phone_text_take (&all->asserted_id, "sip:a@b");
  phone_text_take (&all->diverter, "sip:d@e");
  phone_text_take (&all->phrase, "OK");
  phone_text_take (&all->refused_by, "dnd");
  phone_text_take (&all->codec, "opus");
  phone_text_take (&all->keying, "sdes");
  phone_text_take (&all->suite, "AEAD_AES_256_GCM");
  all->answered = 2000;
  all->ended = 3000;
  all->actor = PHONE_ACTOR_NETWORK;
  all->cause = PHONE_CAUSE_RTP_TIMEOUT;
  all->sip = 486;
  all->q850 = 17;
  all->loss_local = 0.25;
  all->loss_remote = 0;
  all->jitter_local = 1.5;
  all->mos = 4.25;
  for (guint i = 0; i + 1 < PHONE_MEASURES; i++)
    all->measures[i] = i + 0.5;
  phone_text_take (&all->rate_reason, "loss");
  all->seen = TRUE;
  open_store (f);
  store_archive_ops.history_add (f->store, phone_history_entry_copy (all), on_done, f);
  wait_done (f);
  g_assert_null (f->error);
  g_assert_false (f->kept);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 1);
  e = f->entries->pdata[0];
  g_assert_cmpstr (e->id, ==, all->id);
  g_assert_cmpstr (e->account, ==, all->account);
  g_assert_cmpstr (e->party, ==, "+493000007");
  g_assert_cmpstr (e->remote_uri, ==, all->remote_uri);
  g_assert_cmpstr (e->remote_name, ==, all->remote_name);
  g_assert_cmpstr (e->asserted_id, ==, all->asserted_id);
  g_assert_cmpstr (e->diverter, ==, all->diverter);
  g_assert_cmpstr (e->phrase, ==, all->phrase);
  g_assert_cmpstr (e->refused_by, ==, all->refused_by);
  g_assert_cmpstr (e->codec, ==, all->codec);
  g_assert_cmpstr (e->keying, ==, all->keying);
  g_assert_cmpstr (e->suite, ==, all->suite);
  g_assert_true (e->incoming && e->seen && e->outcome == all->outcome && e->actor == all->actor && e->cause == all->cause);
  g_assert_true (e->start == 1007 && e->answered == 2000 && e->ended == 3000 && e->sip == 486 && e->q850 == 17);
  g_assert_true (e->loss_local == 0.25 && e->loss_remote == 0 && e->jitter_local == 1.5 && e->mos == 4.25);
  for (guint i = 0; i + 1 < PHONE_MEASURES; i++)
    g_assert_cmpfloat (e->measures[i], ==, i + 0.5);
  g_assert_true (isnan (e->measures[PHONE_MEASURES - 1]));
  g_assert_cmpstr (e->rate_reason, ==, "loss");
  g_assert_true (isnan (e->jitter_remote) && isnan (e->round_trip));
}

/* ---- reports of voice quality ---- */

static void
on_reports (GPtrArray *reports, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_assert_no_error (error);
  g_string_truncate (f->reports, 0);
  for (guint i = 0; i < reports->len; i++)
    {
      const PhoneStoredReport *report = reports->pdata[i];

      g_string_append_printf (f->reports, "%s %s %s %s;", report->id, report->account, report->target, report->body);
    }
  f->done = TRUE;
}

static const char *
list_reports (Fixture *f, const char *account)
{
  store_archive_ops.report_list (f->store, account, on_reports, f);
  wait_done (f);
  return f->reports->str;
}

static void
report (Fixture *f, const char *id, const char *account, const char *body)
{
  store_archive_ops.report_add (f->store, &(PhoneStoredReport) { (char *) id, (char *) account, (char *) "sip:q", (char *) body });
}

/* They outlive the process, in order; each account has its own, and not without limit. */
static void
test_reports (Fixture *f, gconstpointer data)
{
  f->reports = g_string_new (NULL);
  open_store (f);
  report (f, "1", "a", "one");
  report (f, "2", "b", "two");
  report (f, "3", "a", "three");
  g_assert_cmpstr (list_reports (f, "a"), ==, "1 a sip:q one;3 a sip:q three;");
  store_archive_ops.report_remove (f->store, "a", "1");
  store_archive_ops.report_remove (f->store, "a", "2");
  store_free (f->store);
  open_store (f);
  g_assert_cmpstr (list_reports (f, "a"), ==, "3 a sip:q three;");
  for (guint i = 0; i < PHONE_MAX_STORED_REPORTS; i++)
    {
      g_autofree char *id = g_strdup_printf ("more-%u", i);

      report (f, id, "a", "more");
    }
  g_assert_true (g_str_has_prefix (list_reports (f, "a"), "more-0 a sip:q more;more-1 "));
  store_archive_ops.report_remove (f->store, "a", NULL);
  g_assert_cmpstr (list_reports (f, "a"), ==, "");
  g_assert_cmpstr (list_reports (f, "b"), ==, "2 b sip:q two;");
  g_string_free (f->reports, TRUE);
}

static void
test_expire (Fixture *f, gconstpointer data)
{
  open_store (f);
  for (guint i = 0; i < 10; i++)
    add (f, i);
  store_archive_ops.history_count_unseen (f->store, on_counted, f);
  wait_done (f);
  g_assert_cmpuint (f->n, ==, 10);
  store_archive_ops.history_expire (f->store, 1003, 0, on_done, f);
  wait_done (f);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 7);
  store_archive_ops.history_expire (f->store, 0, 3, on_done, f);
  wait_done (f);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 3);
  g_assert_cmpstr (ID_AT (f, 0), ==, "id-9");
}

/* An entry that the database refuses (the id is there already) fails alone; its neighbours in the same transaction stay. */
static void
test_bad_neighbour (Fixture *f, gconstpointer data)
{
  open_store (f);
  add (f, 1);
  store_archive_ops.history_add (f->store, make_entry (2), NULL, NULL);
  store_archive_ops.history_add (f->store, make_entry (1), on_done, f);
  store_archive_ops.history_add (f->store, make_entry (3), NULL, NULL);
  wait_done (f);
  g_assert_nonnull (f->error);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 3);
  g_assert_null (f->fault);
}

/* What was asked before the end is done before the end, and every callback fires. */
static void
test_close (Fixture *f, gconstpointer data)
{
  open_store (f);
  for (guint i = 0; i < 200; i++)
    store_archive_ops.history_add (f->store, make_entry (i), NULL, NULL);
  store_archive_ops.history_count_unseen (f->store, on_counted, f);
  store_close (f->store);
  g_assert_true (f->done);
  g_assert_cmpuint (f->n, ==, 200);
  f->done = FALSE;
  store_archive_ops.history_add (f->store, make_entry (300), on_done, f);
  g_assert_true (f->done);
  g_assert_nonnull (f->error);
}

/* Every page is read by an index: no step of its plan sorts or goes through all entries. */
static void
test_plans (Fixture *f, gconstpointer data)
{
#define ANY .incoming = -1, .state = -1
  static const struct
  {
    StorePageOf of;
    PhoneHistoryFilter filter;
  } pages[] = {
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = -1 } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = -1, .account = "a" } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = PHONE_OUTCOME_MISSED, .seen = -1 } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = PHONE_OUTCOME_MISSED, .seen = -1, .account = "a" } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = -1, .party = "p" } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = -1, .since = 5, .until = 9 } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = 0 } },
    { STORE_PAGE_HISTORY, { ANY, .kind = PHONE_ENTRY_CALL, .outcome = -1, .seen = -1 } },
    { STORE_PAGE_HISTORY, { ANY, .kind = -1, .outcome = -1, .seen = -1, .before = "id" } },
    { STORE_PAGE_MESSAGES, { ANY, .kind = -1, .outcome = -1, .seen = -1 } },
    { STORE_PAGE_MESSAGES, { ANY, .kind = -1, .outcome = -1, .seen = -1, .party = "p" } },
    { STORE_PAGE_MESSAGES, { ANY, .kind = -1, .outcome = -1, .seen = -1, .account = "a" } },
    { STORE_PAGE_MESSAGES, { ANY, .kind = -1, .outcome = -1, .seen = 0 } },
    { STORE_PAGE_MESSAGES, { ANY, .kind = -1, .outcome = -1, .seen = -1, .before = "id" } },
  };
  const StorePagePlan as_it_likes = { 0 };
  StoreDb db;
  g_autofree char *error = NULL;

  g_assert_cmpint (store_db_open (&db, f->path, &error), ==, SQLITE_OK);
  for (gsize i = 0; i < G_N_ELEMENTS (pages); i++)
    {
      const StorePage page = { .of = pages[i].of, .filter = pages[i].filter };
      g_autofree char *sql = store_page_dup_sql (&page, "h.id", &as_it_likes), *explain = g_strconcat ("EXPLAIN QUERY PLAN ", sql, NULL);
      sqlite3_stmt *s;
      guint sorted = 0;

      g_assert_cmpint (sqlite3_prepare_v2 (db.db, explain, -1, &s, NULL), ==, SQLITE_OK);
      while (sqlite3_step (s) == SQLITE_ROW)
        {
          const char *detail = (const char *) sqlite3_column_text (s, 3);

          g_test_message ("%s: %s", sql, detail);
          sorted += strstr (detail, "TEMP B-TREE") != NULL;
          g_assert_true (!strstr (detail, "SCAN h") || strstr (detail, "INDEX"));
        }
      /* What is sorted is the page: the outer statement, and nothing within. */
      g_assert_cmpuint (sorted, <=, 1);
      sqlite3_finalize (s);
    }
  store_db_close (&db);
#undef ANY
}

static void
add_named (Fixture *f, guint number, const char *name)
{
  PhoneHistoryEntry *entry = make_entry (number);

  phone_text_take (&entry->remote_name, name);
  store_archive_ops.history_add (f->store, entry, on_done, f);
  wait_done (f);
}

static void
check_text (Fixture *f, const char *text, const char *expected)
{
  PhoneHistoryFilter filter = PHONE_HISTORY_FILTER_ANY;
  g_autoptr (GString) got = g_string_new (NULL);

  filter.text = text;
  list (f, &filter, 0, 100);
  g_assert_null (f->error);
  for (guint i = 0; i < f->entries->len; i++)
    g_string_append_printf (got, "%s ", ID_AT (f, i));
  g_assert_cmpstr (got->str, ==, expected);
}

/* The pieces of a text that are asked for are not the text: only what has all of it, in one place and in its order, is found. */
static void
test_texts (Fixture *f, gconstpointer data)
{
  open_store (f);
  for (guint i = 0; i < 40; i++)
    add_named (f, i, "common words");
  add_named (f, 50, "Ärger über Öl");
  add_named (f, 51, "abcdef");
  add_named (f, 52, "abc bcd cde def");
  add_named (f, 53, "say \"never\" OR *");
  add_named (f, 54, "王芳");
  check_text (f, "abcdef", "id-51 ");
  check_text (f, "ABCD", "id-51 ");
  check_text (f, "cde", "id-52 id-51 ");
  check_text (f, "ärger ÜBER öl", "id-50 ");
  check_text (f, "ÖL", "id-50 ");
  check_text (f, "ol", "");
  check_text (f, "\"Never\" or *", "id-53 ");
  check_text (f, "NEVER\" AND", "");
  check_text (f, "芳", "id-54 ");
  check_text (f, "words common", "");
  check_text (f, "common words abcdef", "");
  check_text (f, "493000051@example", "id-51 ");
  /* Each of these pieces is there, in different places of one entry. */
  check_text (f, "abcdef@example.org", "");
  check_text (f, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "");
}

/* ---- migrations ---- */

/* A file of that schema, with an entry from the first on. */
static void
make_old (Fixture *f, int version)
{
  g_autofree char *folder = g_path_get_dirname (f->path);
  StoreDb db = { 0 };

  g_mkdir_with_parents (folder, 0700);
  g_assert_cmpint (sqlite3_open (f->path, &db.db), ==, SQLITE_OK);
  g_assert_cmpint (store_schema_migrate (&db, version), ==, SQLITE_OK);
  if (version >= 1)
    g_assert_cmpint (store_db_exec (&db, "INSERT INTO history (seq, id, account, incoming, outcome, party, remote_uri, remote_name,"
                                         " asserted_id, diverter, start, answered, ended, actor, cause, sip, q850, phrase, refused_by,"
                                         " codec, keying, suite, loss_local, loss_remote, jitter_local, jitter_remote, round_trip, mos,"
                                         " seen) VALUES (NULL, 'old', 'a', 1, 1, 'p', 'sip:p@x', 'Name', '', '', 5, 0, 6,"
                                         " 'remote', 'cancelled', 487, 0, '', '', '', '', '', NULL, NULL, NULL, NULL, NULL, NULL, 0)"),
                     ==, SQLITE_OK);
  sqlite3_close (db.db);
}

/* A file of each older schema becomes one of this one, and keeps what is in it. */
static void
test_migrations (Fixture *f, gconstpointer data)
{
  for (int from = 0; from <= STORE_SCHEMA_VERSION; from++)
    {
      guint expected = from >= 1;

      make_old (f, from);
      open_store (f);
      list_all (f);
      g_assert_null (f->fault);
      g_assert_cmpuint (f->entries->len, ==, expected);
      /* what is in it is found by its text, too */
      list (f, &(PhoneHistoryFilter){ .text = "ame", .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1 }, 0, 10);
      g_assert_cmpuint (f->entries->len, ==, expected);
      add (f, 1);
      g_assert_null (f->error);
      close_store (f);
      g_unlink (f->path);
    }
}

static void
test_newer_schema (Fixture *f, gconstpointer data)
{
  StoreDb db = { 0 };
  g_autofree char *error = NULL;

  g_assert_cmpint (store_db_open (&db, f->path, &error), ==, SQLITE_OK);
  g_assert_cmpint (store_db_exec (&db, "PRAGMA user_version = 999"), ==, SQLITE_OK);
  store_db_close (&db);
  open_store (f);
  add (f, 1);
  g_assert_true (f->kept);
  g_assert_nonnull (strstr (f->fault, "newer phoned"));
  g_assert_cmpuint (f->waiting, ==, 1);
  close_store (f);
  g_assert_cmpint (sqlite3_open (f->path, &db.db), ==, SQLITE_OK);
  g_assert_cmpint (store_schema_migrate (&db, STORE_SCHEMA_VERSION), ==, SQLITE_MISMATCH);
  sqlite3_close (db.db);
}

/* ---- what disks do ---- */

static char *
find_damaged (Fixture *f)
{
  g_autofree char *folder = g_path_get_dirname (f->path);
  GDir *dir = g_dir_open (folder, 0, NULL);
  const char *name;
  char *found = NULL;

  while (!found && (name = g_dir_read_name (dir)))
    if (g_str_has_prefix (name, "phone.db.damaged-"))
      found = g_build_filename (folder, name, NULL);
  g_dir_close (dir);
  return found;
}

static void
overwrite (const char *path, off_t from, gsize length)
{
  int fd = open (path, O_WRONLY);
  g_autofree char *noise = g_malloc (length);

  memset (noise, 0x5a, length);
  g_assert_cmpint (pwrite (fd, noise, length, from), ==, (gssize) length);
  close (fd);
}

/* No database at all under that name, from the start. */
static void
test_not_a_database (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path);
  g_autofree char *moved = NULL, *content = NULL;

  g_mkdir_with_parents (folder, 0700);
  g_assert_true (g_file_set_contents (f->path, "what a disk may leave in the place of a file", -1, NULL));
  open_store (f);
  add (f, 1);
  g_assert_null (f->error);
  g_assert_false (f->kept);
  g_assert_nonnull (strstr (f->fault, "was damaged and a new one begun"));
  moved = find_damaged (f);
  g_assert_true (g_file_get_contents (moved, &content, NULL, NULL));
  g_assert_true (g_str_has_prefix (content, "what a disk"));
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 1);
}

/* Damage in the middle, found by the work. */
static void
test_damaged_pages (Fixture *f, gconstpointer data)
{
  g_autofree char *moved = NULL;

  open_store (f);
  for (guint i = 0; i < 300; i++)
    store_archive_ops.history_add (f->store, make_entry (i), NULL, NULL);
  close_store (f);
  overwrite (f->path, 4096, 40 * 4096);
  open_store (f);
  add (f, 1000);
  g_assert_null (f->error);
  g_assert_false (f->kept);
  moved = find_damaged (f);
  g_assert_nonnull (moved);
  g_assert_nonnull (strstr (f->fault, moved));
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 1);
}

static void
test_symbolic_link (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path), *victim = g_build_filename (f->folder, "victim", NULL);

  g_mkdir_with_parents (folder, 0700);
  g_assert_cmpint (symlink (victim, f->path), ==, 0);
  open_store (f);
  add (f, 1);
  g_assert_true (f->kept);
  g_assert_nonnull (f->fault);
  g_assert_false (g_file_test (victim, G_FILE_TEST_EXISTS));
}

static void
test_modes (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path), *wal = g_strconcat (f->path, "-wal", NULL);
  const char *paths[] = { f->path, wal };
  mode_t mask = umask (0);
  struct stat st;

  open_store (f);
  add (f, 1);
  umask (mask);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_assert_cmpint (stat (paths[i], &st), ==, 0);
      g_assert_cmpint (st.st_mode & 0777, ==, 0600);
    }
  g_assert_cmpint (stat (folder, &st), ==, 0);
  g_assert_cmpint (st.st_mode & 0777, ==, 0700);
}

/* The folder cannot be made (a file is in the way), then it can: what waited is written, in order, and the fault goes. */
static void
test_kept_and_written (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path);

  g_assert_true (g_file_set_contents (folder, "in the way", -1, NULL));
  open_store (f);
  for (guint i = 0; i < 5; i++)
    {
      add (f, i);
      g_assert_true (f->kept);
      g_assert_null (f->error);
    }
  list_all (f);
  g_assert_nonnull (f->error);
  g_assert_nonnull (f->fault);
  g_assert_cmpuint (f->waiting, ==, 5);
  g_unlink (folder);
  while (f->fault || f->waiting)
    g_main_context_iteration (NULL, TRUE);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 5);
  g_assert_cmpstr (ID_AT (f, 0), ==, "id-4");
}

/* The memory for a disk that never comes back has a bound, the newest stay, and the loss is told. */
static void
test_bound (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path);

  g_assert_true (g_file_set_contents (folder, "in the way", -1, NULL));
  open_store (f);
  for (guint i = 0; i < 1010; i++)
    store_archive_ops.history_add (f->store, make_entry (i), i == 1009 ? on_done : NULL, f);
  wait_done (f);
  while (f->waiting != 1000)
    g_main_context_iteration (NULL, TRUE);
  g_assert_nonnull (strstr (f->fault, "10 entries were lost"));
  g_unlink (folder);
  while (f->waiting)
    g_main_context_iteration (NULL, TRUE);
  list_all (f);
  g_assert_cmpstr (ID_AT (f, 0), ==, "id-1009");
  store_archive_ops.history_count_unseen (f->store, on_counted, f);
  wait_done (f);
  g_assert_cmpuint (f->n, ==, 1000);
}

/* The clean-up that comes every hour does not wait for the disk beside real entries, nor push them out: the next hour asks again. */
static void
test_expire_does_not_wait (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path);

  g_assert_true (g_file_set_contents (folder, "in the way", -1, NULL));
  open_store (f);
  add (f, 1);
  store_archive_ops.history_expire (f->store, 1, 0, on_done, f);
  wait_done (f);
  g_assert_false (f->kept);
  g_assert_nonnull (f->error);
  store_archive_ops.message_expire (f->store, 1, on_done, f);
  wait_done (f);
  g_assert_false (f->kept);
  g_assert_nonnull (f->error);
  store_archive_ops.history_expire (f->store, 1, 0, NULL, NULL);
  list_all (f);
  g_assert_cmpuint (f->waiting, ==, 1);
}

/* The file cannot be written but can be read. Root may write everything, so the write is made to fail by a lock, and reading by a mode that
 * even root's SQLite keeps to is tried on its own. */
static void
test_read_only (Fixture *f, gconstpointer data)
{
  gboolean copy;
  StoreDb db;

  open_store (f);
  add (f, 1);
  close_store (f);
  g_assert_cmpint (store_db_open_read_only (&db, f->path, &copy), ==, SQLITE_OK);
  g_assert_false (copy);
  g_assert_cmpint (store_db_exec (&db, "DELETE FROM history") & 0xff, ==, SQLITE_READONLY);
  g_assert_cmpint (store_db_exec (&db, "SELECT * FROM history"), ==, SQLITE_OK);
  store_db_close (&db);
}

/* Nor can its schema be brought up to date: a copy in memory is, of each older one, and the file stays as it is. */
static void
test_read_only_and_older (Fixture *f, gconstpointer data)
{
  for (int from = 0; from < STORE_SCHEMA_VERSION; from++)
    {
      g_autofree char *before = NULL, *after = NULL;
      gsize length, length_after;
      StoreDb db = { 0 };
      gboolean copy;
      guint n = 0;

      make_old (f, from);
      g_assert_true (g_file_get_contents (f->path, &before, &length, NULL));
      g_assert_cmpint (store_db_open_read_only (&db, f->path, &copy), ==, SQLITE_OK);
      g_assert_true (copy);
      g_assert_cmpint (store_db_count (&db, "SELECT count (tail) FROM history WHERE bitrate_target IS NULL AND kind = 0", &n), ==, SQLITE_OK);
      g_assert_cmpuint (n, ==, from >= 1);
      g_assert_cmpint (store_db_count (&db, "SELECT count (*) FROM history_text WHERE history_text MATCH 'name'", &n), ==, SQLITE_OK);
      g_assert_cmpuint (n, ==, from >= 1);
      store_db_close (&db);
      g_assert_true (g_file_get_contents (f->path, &after, &length_after, NULL));
      g_assert_cmpmem (before, length, after, length_after);
      g_unlink (f->path);
    }
}

/* What waits when the program ends gets its last chance then, before its time: the disk may have come back meanwhile. */
static void
test_last_chance (Fixture *f, gconstpointer data)
{
  g_autofree char *folder = g_path_get_dirname (f->path);

  g_assert_true (g_file_set_contents (folder, "in the way", -1, NULL));
  open_store (f);
  add (f, 1);
  g_assert_true (f->kept);
  g_unlink (folder);                    /* the next attempt would be in a second */
  close_store (f);
  open_store (f);
  list_all (f);
  g_assert_cmpuint (f->entries->len, ==, 1);
}

#define ADD(name, func) g_test_add ("/store/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Faults are logged as warnings; here they are what is tested. */
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("reports", test_reports);
  ADD ("round-trip", test_round_trip);
  ADD ("expire", test_expire);
  ADD ("bad-neighbour", test_bad_neighbour);
  ADD ("close", test_close);
  ADD ("plans", test_plans);
  ADD ("texts", test_texts);
  ADD ("migrations", test_migrations);
  ADD ("newer-schema", test_newer_schema);
  ADD ("not-a-database", test_not_a_database);
  ADD ("damaged-pages", test_damaged_pages);
  ADD ("symbolic-link", test_symbolic_link);
  ADD ("modes", test_modes);
  ADD ("kept-and-written", test_kept_and_written);
  ADD ("bound", test_bound);
  ADD ("expire-does-not-wait", test_expire_does_not_wait);
  ADD ("read-only", test_read_only);
  ADD ("read-only-and-older", test_read_only_and_older);
  ADD ("last-chance", test_last_chance);
  return g_test_run ();
}
