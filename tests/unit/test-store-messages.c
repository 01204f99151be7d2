/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages in the archive on a real disk: what comes back, second copies, states that may and may not follow, reports that are due, and a
 * disk that does not work. */

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "store/store-db.h"
#include "store/store.h"

typedef struct
{
  char *folder, *path;
  Store *store;
  gboolean done, is_copy;
  char *error, *text;
  guint n;
  GPtrArray *found;             /* PhoneMessage, copies */
} Fixture;

static void
on_fault (const char *text, guint waiting, gpointer data)
{
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
  f->path = g_build_filename (f->folder, "phone.db", NULL);
  f->found = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_message_free);
  open_store (f);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  const char *const names[] = { "phone.db", "phone.db-wal", "phone.db-shm" };

  store_free (f->store);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->folder, names[i], NULL);

      g_unlink (path);
    }
  g_rmdir (f->path);
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_ptr_array_unref (f->found);
  g_free (f->folder);
  g_free (f->path);
  g_free (f->error);
  g_free (f->text);
}

static void
finish (Fixture *f, const GError *error)
{
  f->done = TRUE;
  g_free (f->error);
  f->error = error ? g_strdup (error->message) : NULL;
}

static void
wait_done (Fixture *f)
{
  while (!f->done)
    g_main_context_iteration (NULL, TRUE);
  f->done = FALSE;
}

static void
on_added (gboolean is_copy, const GError *error, gpointer data)
{
  ((Fixture *) data)->is_copy = is_copy;
  finish (data, error);
}

static void
on_done (gboolean kept, const GError *error, gpointer data)
{
  finish (data, error);
}

static void
on_listed (GPtrArray *found, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_ptr_array_set_size (f->found, 0);
  for (guint i = 0; found && i < found->len; i++)
    g_ptr_array_add (f->found, phone_message_copy (found->pdata[i]));
  finish (f, error);
}

static void
on_counted (guint n, const GError *error, gpointer data)
{
  ((Fixture *) data)->n = n;
  finish (data, error);
}

#define FOUND(f, i) ((PhoneMessage *) (f)->found->pdata[i])

static PhoneMessage *
make (const char *id, gboolean incoming, const char *transaction, const char *imdn_id)
{
  PhoneMessage *message = phone_message_new ();

  phone_text_take (&message->id, id);
  phone_text_take (&message->account, "home");
  message->incoming = message->read = incoming;
  message->read = !incoming;
  message->state = incoming ? PHONE_MESSAGE_RECEIVED : PHONE_MESSAGE_QUEUED;
  phone_text_take (&message->remote_uri, "sip:+49-30-1234567@example.org");
  phone_text_take (&message->remote_name, "Zoë");
  phone_text_take (&message->party, "+49301234567");
  phone_text_take (&message->body, "first line\nsecond \xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82");
  phone_text_take (&message->transaction, transaction);
  phone_text_take (&message->imdn_id, imdn_id);
  message->time = message->changed = 1000;
  message->asks = incoming ? PHONE_REPORT_DELIVERED | PHONE_REPORT_DISPLAYED : 0;
  message->owes = incoming ? PHONE_REPORT_DELIVERED : 0;
  return message;
}

static void
add (Fixture *f, PhoneMessage *message)
{
  store_archive_ops.message_add (f->store, message, on_added, f);
  wait_done (f);
}

static void
get (Fixture *f, const char *id)
{
  store_archive_ops.message_get (f->store, id, on_listed, f);
  wait_done (f);
}

static void
update (Fixture *f, const char *id, PhoneMessageState state)
{
  g_autoptr (PhoneMessage) message = make (id, FALSE, "", "");

  message->state = state;
  message->changed = 2000;
  message->sip = 404;
  phone_text_take (&message->phrase, "Not Found");
  message->uncertain = TRUE;
  message->attempts = 3;
  store_archive_ops.message_update (f->store, message, TRUE, on_listed, f);
  wait_done (f);
}

static void
test_round_trip (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneMessage) expected = make ("a", TRUE, "home x 1", "m1");
  const PhoneMessage *m;

  add (f, phone_message_copy (expected));
  g_assert_null (f->error);
  g_assert_false (f->is_copy);
  g_clear_pointer (&f->store, store_free);
  open_store (f);
  get (f, "a");
  g_assert_cmpuint (f->found->len, ==, 1);
  m = FOUND (f, 0);
  g_assert_cmpstr (m->account, ==, "home");
  g_assert_cmpstr (m->remote_uri, ==, expected->remote_uri);
  g_assert_cmpstr (m->remote_name, ==, expected->remote_name);
  g_assert_cmpstr (m->party, ==, expected->party);
  g_assert_cmpstr (m->body, ==, expected->body);
  g_assert_cmpstr (m->imdn_id, ==, "m1");
  g_assert_cmpstr (m->transaction, ==, "home x 1");
  g_assert_true (m->incoming && !m->read && m->state == PHONE_MESSAGE_RECEIVED && m->time == 1000 && m->changed == 1000);
  g_assert_true (m->asks == expected->asks && m->owes == PHONE_REPORT_DELIVERED);
}

/* The same request again, or the same message in another request, is the same message. */
static void
test_copies (Fixture *f, gconstpointer data)
{
  add (f, make ("a", TRUE, "home x 1", "m1"));
  add (f, make ("b", TRUE, "home x 1", ""));
  g_assert_true (f->is_copy);
  add (f, make ("c", TRUE, "home y 1", "m1"));
  g_assert_true (f->is_copy);
  add (f, make ("d", TRUE, "home y 2", "m2"));
  g_assert_false (f->is_copy);
  store_archive_ops.message_count_unread (f->store, on_counted, f);
  wait_done (f);
  g_assert_cmpuint (f->n, ==, 2);
}

static guint
report (Fixture *f, PhoneDisposition disposition)
{
  store_archive_ops.message_report (f->store, "a", "+49301234567", disposition, on_listed, f);
  wait_done (f);
  return f->found->len;
}

/* What servers and peers say on the way is told once, changes no status, and is no news any more when there is better. */
static void
test_dispositions (Fixture *f, gconstpointer data)
{
  gint64 changed;

  add (f, make ("a", FALSE, "", ""));
  update (f, "a", PHONE_MESSAGE_SENDING);
  update (f, "a", PHONE_MESSAGE_SENT);
  changed = FOUND (f, 0)->changed;
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_NONE), ==, 0);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_STORED), ==, 1);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_SENT && FOUND (f, 0)->changed == changed);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_STORED), ==, 0);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DELIVERY_FORBIDDEN), ==, 1);
  store_free (f->store);
  open_store (f);
  store_archive_ops.message_get (f->store, "a", on_listed, f);
  wait_done (f);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_SENT && FOUND (f, 0)->disposition == PHONE_DISPOSITION_DELIVERY_FORBIDDEN);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DELIVERED), ==, 1);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_STORED), ==, 0);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_FAILED), ==, 0);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DELIVERY_ERROR), ==, 0);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DISPLAY_ERROR), ==, 1);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_DELIVERED);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DISPLAYED), ==, 1);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_DISPLAYED && FOUND (f, 0)->disposition == PHONE_DISPOSITION_DISPLAYED);
  g_assert_cmpuint (report (f, PHONE_DISPOSITION_DISPLAY_FORBIDDEN), ==, 0);
}

static void
test_states (Fixture *f, gconstpointer data)
{
  add (f, make ("a", FALSE, "", ""));
  update (f, "a", PHONE_MESSAGE_SENDING);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_SENDING && FOUND (f, 0)->attempts == 3);
  /* from another party, a report is none */
  store_archive_ops.message_report (f->store, "a", "+49301234568", PHONE_DISPOSITION_DELIVERED, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 0);
  store_archive_ops.message_report (f->store, "a", "+49301234567", PHONE_DISPOSITION_DISPLAYED, on_listed, f);
  wait_done (f);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_DISPLAYED && !FOUND (f, 0)->uncertain);
  /* the answer comes after the report: nothing is taken back */
  update (f, "a", PHONE_MESSAGE_SENT);
  g_assert_true (FOUND (f, 0)->state == PHONE_MESSAGE_DISPLAYED);
  store_archive_ops.message_report (f->store, "a", "+49301234567", PHONE_DISPOSITION_DELIVERED, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 0);
  update (f, "no such", PHONE_MESSAGE_SENT);
  g_assert_cmpuint (f->found->len, ==, 0);
}

static void
test_open_and_owed (Fixture *f, gconstpointer data)
{
  const char *const ids[] = { "in", "out", "no such", NULL };

  add (f, make ("out", FALSE, "", ""));
  add (f, make ("in", TRUE, "home x 1", "m1"));
  add (f, make ("sent", FALSE, "", ""));
  update (f, "sent", PHONE_MESSAGE_SENDING);
  update (f, "sent", PHONE_MESSAGE_SENT);
  store_archive_ops.message_open (f->store, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 2);
  g_assert_cmpstr (FOUND (f, 0)->id, ==, "out");
  g_assert_cmpstr (FOUND (f, 1)->id, ==, "in");
  store_archive_ops.message_reported (f->store, "in", PHONE_REPORT_DELIVERED);
  store_archive_ops.message_mark_read (f->store, ids, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 1);
  g_assert_cmpuint (FOUND (f, 0)->owes, ==, PHONE_REPORT_DISPLAYED);
  store_archive_ops.message_mark_read (f->store, NULL, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 0);
  /* what is open is not too old */
  store_archive_ops.message_expire (f->store, 5000, on_done, f);
  wait_done (f);
  get (f, "sent");
  g_assert_cmpuint (f->found->len, ==, 0);
  get (f, "out");
  g_assert_cmpuint (f->found->len, ==, 1);
  store_archive_ops.message_delete (f->store, NULL, on_done, f);
  wait_done (f);
  store_archive_ops.message_open (f->store, on_listed, f);
  wait_done (f);
  g_assert_cmpuint (f->found->len, ==, 0);
}

static void
check_list (Fixture *f, const PhoneHistoryFilter *filter, const char *ids)
{
  g_autoptr (GString) got = g_string_new (NULL);

  store_archive_ops.message_list (f->store, filter, 0, 100, on_listed, f);
  wait_done (f);
  g_assert_null (f->error);
  for (guint i = 0; i < f->found->len; i++)
    g_string_append (got, FOUND (f, i)->id);
  g_assert_cmpstr (got->str, ==, ids);
}

static void
test_list (Fixture *f, gconstpointer data)
{
  add (f, make ("a", FALSE, "", ""));
  add (f, make ("b", TRUE, "home x 1", ""));
  add (f, make ("c", TRUE, "home x 2", ""));
  check_list (f, &(PhoneHistoryFilter) PHONE_HISTORY_FILTER_ANY, "cba");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .before = "c" }, "ba");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = 0, .seen = -1 }, "a");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = PHONE_MESSAGE_QUEUED, .incoming = -1, .seen = -1 }, "a");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = 0, .account = "home" }, "cb");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .party = "tel:+49-30-1234567" }, "cba");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .text = "ПРИВЕТ" }, "cba");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .text = "e\ns" }, "cba");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .text = "\" OR \"" }, "");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .text = "%" }, "");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = PHONE_MESSAGE_QUEUED, .incoming = -1, .seen = -1, .text = "line" }, "a");
  check_list (f, &(PhoneHistoryFilter){ .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1, .since = 1001 }, "");
}

/* ---- conversations ---- */

static void
on_conversations (GPtrArray *conversations, const GError *error, gpointer data)
{
  Fixture *f = data;
  g_autoptr (GString) got = g_string_new (NULL);

  for (guint i = 0; conversations && i < conversations->len; i++)
    {
      const PhoneConversation *c = conversations->pdata[i];

      g_string_append_printf (got, "%s:%s %u/%u ", c->newest->party, c->newest->id, c->unread, c->total);
    }
  finish (f, error);
  g_free (f->text);
  f->text = g_string_free (g_steal_pointer (&got), FALSE);
}

static void
check_conversations (Fixture *f, gboolean unread_only, guint offset, guint limit, const char *expected)
{
  store_archive_ops.message_conversations (f->store, unread_only, offset, limit, on_conversations, f);
  wait_done (f);
  g_assert_null (f->error);
  g_assert_cmpstr (f->text, ==, expected);
}

static PhoneMessage *
make_with (const char *id, const char *party, gint64 time, gboolean incoming)
{
  PhoneMessage *message = make (id, incoming, incoming ? id : "", "");

  phone_text_take (&message->party, party);
  message->time = time;
  return message;
}

/* One row a peer, whatever is written, read, deleted or grows old. */
static void
test_conversations (Fixture *f, gconstpointer data)
{
  const char *const newest[] = { "b2", NULL }, *const last[] = { "c1", NULL }, *const read[] = { "a1", NULL };

  check_conversations (f, FALSE, 0, 10, "");
  add (f, make_with ("a1", "anna", 100, TRUE));
  add (f, make_with ("b1", "bert", 200, TRUE));
  add (f, make_with ("a2", "anna", 300, FALSE));
  add (f, make_with ("b2", "bert", 250, TRUE));
  add (f, make_with ("c1", "carl", 250, FALSE));
  check_conversations (f, FALSE, 0, 10, "anna:a2 1/2 carl:c1 0/1 bert:b2 2/2 ");
  check_conversations (f, TRUE, 0, 10, "anna:a2 1/2 bert:b2 2/2 ");
  check_conversations (f, FALSE, 1, 1, "carl:c1 0/1 ");
  /* One that comes late is not the newest. */
  add (f, make_with ("a0", "anna", 50, TRUE));
  check_conversations (f, TRUE, 0, 1, "anna:a2 2/3 ");
  store_archive_ops.message_mark_read (f->store, read, on_listed, f);
  wait_done (f);
  store_archive_ops.message_mark_read (f->store, read, on_listed, f);
  wait_done (f);
  check_conversations (f, TRUE, 0, 1, "anna:a2 1/3 ");
  store_archive_ops.message_delete (f->store, newest, on_done, f);
  wait_done (f);
  store_archive_ops.message_delete (f->store, last, on_done, f);
  wait_done (f);
  check_conversations (f, FALSE, 0, 10, "anna:a2 1/3 bert:b1 1/1 ");
  store_archive_ops.message_mark_read (f->store, NULL, on_listed, f);
  wait_done (f);
  check_conversations (f, TRUE, 0, 10, "");
  store_archive_ops.message_delete (f->store, NULL, on_done, f);
  wait_done (f);
  check_conversations (f, FALSE, 0, 10, "");
}

/* A file in which there are messages and no conversations yet. */
static void
test_conversations_of_old (Fixture *f, gconstpointer data)
{
  StoreDb db = { 0 };

  g_clear_pointer (&f->store, store_free);
  g_unlink (f->path);
  g_assert_cmpint (sqlite3_open (f->path, &db.db), ==, SQLITE_OK);
  g_assert_cmpint (store_schema_migrate (&db, 2), ==, SQLITE_OK);
  for (guint i = 0; i < 5; i++)
    {
      g_autofree char *sql = g_strdup_printf (
          "INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start, answered, ended,"
          " actor, cause, sip, q850, phrase, refused_by, codec, keying, suite, seen, kind, text) VALUES ('m%u', 'a', 1, 8, '%s', 'sip:p@x', '',"
          " '', '', %u, 0, 0, '', '', 0, 0, '', '', '', '', '', %u, %u, 'x'); INSERT INTO message (seq, state, changed, uncertain, attempts,"
          " imdn_id, transaction_id, asks, owes) VALUES (last_insert_rowid (), 6, 0, 0, 0, '', '%u', 0, 0)",
          i, i % 2 ? "odd" : "even", 100 - i, i == 2, i < 4, i);

      g_assert_cmpint (store_db_exec (&db, sql), ==, SQLITE_OK);
    }
  sqlite3_close (db.db);
  open_store (f);
  /* m4 is a call. */
  check_conversations (f, FALSE, 0, 10, "even:m0 1/2 odd:m1 2/2 ");
  /* they are the same that those are in which something happens from now on */
  store_archive_ops.message_mark_read (f->store, (const char *[]){ "m1", NULL }, on_listed, f);
  wait_done (f);
  store_archive_ops.message_delete (f->store, (const char *[]){ "m0", "m2", NULL }, on_done, f);
  wait_done (f);
  check_conversations (f, FALSE, 0, 10, "odd:m1 1/2 ");
}

/* A message that is not on the disk was not taken: it does not turn up later. */
static void
test_no_disk (Fixture *f, gconstpointer data)
{
  g_clear_pointer (&f->store, store_free);
  g_unlink (f->path);
  g_assert_cmpint (g_mkdir (f->path, 0700), ==, 0);
  open_store (f);
  add (f, make ("a", TRUE, "home x 1", ""));
  g_assert_nonnull (f->error);
  g_assert_cmpint (g_rmdir (f->path), ==, 0);
  g_clear_pointer (&f->store, store_free);
  open_store (f);
  get (f, "a");
  g_assert_null (f->error);
  g_assert_cmpuint (f->found->len, ==, 0);
}

#define ADD(name, func) g_test_add ("/store-messages/" name, Fixture, NULL, set_up, func, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
  ADD ("round-trip", test_round_trip);
  ADD ("copies", test_copies);
  ADD ("states", test_states);
  ADD ("dispositions", test_dispositions);
  ADD ("open-and-owed", test_open_and_owed);
  ADD ("list", test_list);
  ADD ("conversations", test_conversations);
  ADD ("conversations-of-old", test_conversations_of_old);
  ADD ("no-disk", test_no_disk);
  return g_test_run ();
}
