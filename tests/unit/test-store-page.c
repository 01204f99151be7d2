/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pages of many entries: whatever way is chosen to find them, they are those that a look at every row finds. */

#include <glib/gstdio.h>

#include <string.h>

#include "store/store-called.h"
#include "store/store-narrow.h"
#include "store/store-text.h"

#define ENTRIES 9000
#define PAGE 20

typedef struct
{
  char *folder;
  StoreDb db;
  PhoneContacts *contacts;      /* NULL: none */
} Fixture;

/* Names that are in no row, but for one. The number without a country may be two people's. */
#define CARD(name, number) "BEGIN:VCARD\nFN:" name "\nTEL:" number "\nEND:VCARD\n"
static const char book[] = CARD ("Anna Zimmer", "030 1234567") CARD ("Anna London", "+44 20 1234567") CARD ("Common Zimmer", "p1@x")
    CARD ("Zimmer Pzero", "p0") CARD ("Hanna Rare Name", "p350@x") CARD ("Nobody Zimmer", "+49 40 7654321") CARD ("Not Her", "p350@y")
    CARD ("Seldom", "p2@x") CARD ("Seldom", "p4@x") CARD ("Seldom", "p5@x") CARD ("Seldom", "p7@x");

/* Account a has most entries and b few; party p0 has a third of all, the others a handful; every ninth is a message; one number is written in three
 * ways. The order of the starts is not quite that of the recording. */
static const char fill[]
    = "WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)"
      "INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start, answered, ended, actor,"
      "  cause, sip, q850, phrase, refused_by, codec, keying, suite, seen, kind, text)"
      "  SELECT 'id-' || i, iif (i % 97 = 0, 'b', 'a'), i % 2, i % 6, CASE WHEN i % 3 = 0 THEN 'p0' WHEN i % 13 = 5 THEN '+49301234567' WHEN i % 13 = 6 THEN"
      "    '0301234567' WHEN i % 13 = 7 THEN '+44201234567' ELSE 'P' || (i % 701) || '@x' END, 'sip:' || (i % 701) || '@x',"
      "    iif (i % 11 = 0, 'Rare Name ', 'Common ') || (i % 89), '', '', 1000 + i * 10 + (i % 5) * 25, 0, 0, 'remote', 'hangup', 0, 0, '', '', '',"
      "    '', '', i % 50 <> 0, i % 9 = 0, iif (i % 9 = 0, 'a text with words', '') FROM n";

static void
add_entries (Fixture *f, int first, int last)
{
  int rc;
  sqlite3_stmt *s = store_db_prepare (&f->db, fill, &rc);

  g_assert_nonnull (s);
  sqlite3_bind_int (s, 1, first);
  sqlite3_bind_int (s, 2, last);
  g_assert_cmpint (store_db_run (s), ==, SQLITE_OK);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autofree char *path = NULL, *error = NULL;

  f->folder = g_dir_make_tmp ("phoned-page-XXXXXX", NULL);
  path = g_build_filename (f->folder, "phone.db", NULL);
  g_assert_cmpint (store_db_open (&f->db, path, &error), ==, SQLITE_OK);
  add_entries (f, 1, ENTRIES);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autofree char *path = g_build_filename (f->folder, "phone.db", NULL);

  store_db_close (&f->db);
  phone_contacts_unref (f->contacts);
  g_unlink (path);
  g_rmdir (f->folder);
  g_free (f->folder);
}

/* "id-3 id-2 ...". Consumes the statement. */
static char *
ids_of (sqlite3_stmt *s)
{
  GString *ids = g_string_new (NULL);

  g_assert_nonnull (s);
  while (sqlite3_step (s) == SQLITE_ROW)
    g_string_append_printf (ids, "%s ", sqlite3_column_text (s, 0));
  sqlite3_reset (s);
  return g_string_free (ids, FALSE);
}

static char *
page_of (Fixture *f, const PhoneHistoryFilter *filter, const char **ret_index)
{
  g_autoptr (PhoneContactSearch) called = phone_contact_search_new (f->contacts, filter->text);
  PhoneHistoryFilter full = *filter;
  StorePage page = { 0 };
  char *ids;
  int rc;

  full.called = called;
  store_page_init (&page, STORE_PAGE_HISTORY, &full, 0, PAGE);
  if (ret_index)
    *ret_index = store_narrow_find (&f->db, &page);
  ids = ids_of (store_page_prepare (&page, &f->db, "h.id", &rc));
  store_page_clear (&page);
  return ids;
}

/* As ids_of(), of the first rows in which the text is, or in how the contacts call them. */
static char *
ids_with (sqlite3_stmt *s, const char *part, const PhoneContacts *contacts)
{
  GString *ids = g_string_new (NULL);
  guint n = 0;

  while (n < PAGE && sqlite3_step (s) == SQLITE_ROW)
    {
      g_autofree char *text = g_utf8_strdown ((const char *) sqlite3_column_text (s, 1), -1);
      g_autofree char *name = g_utf8_strdown (phone_contacts_name (contacts, (const char *) sqlite3_column_text (s, 2)), -1);

      if (part && !strstr (text, part) && !strstr (name, part))
        continue;
      g_string_append_printf (ids, "%s ", sqlite3_column_text (s, 0));
      n++;
    }
  return g_string_free (ids, FALSE);
}

/* The same by a look at every row. */
static char *
reference_of (Fixture *f, const PhoneHistoryFilter *filter)
{
  gboolean by_seq = filter->text && store_text_is_indexed (filter->text);
  g_autoptr (GString) sql = g_string_new ("SELECT id, remote_name || '|' || remote_uri || '|' || text, party FROM history NOT INDEXED WHERE TRUE");
  sqlite3_stmt *s;
  char *ids;

  if (filter->account)
    g_string_append_printf (sql, " AND account = '%s'", filter->account);
  if (filter->party)
    g_string_append_printf (sql, " AND party = '%s'", filter->party);
  if (filter->outcome >= 0)
    g_string_append_printf (sql, " AND outcome = %d", filter->outcome);
  if (filter->incoming >= 0)
    g_string_append_printf (sql, " AND incoming = %d", filter->incoming);
  if (filter->seen >= 0)
    g_string_append_printf (sql, " AND seen = %d", filter->seen);
  if (filter->kind >= 0)
    g_string_append_printf (sql, " AND kind = %d", filter->kind);
  if (filter->since)
    g_string_append_printf (sql, " AND start >= %" G_GINT64_FORMAT, filter->since);
  if (filter->until)
    g_string_append_printf (sql, " AND start < %" G_GINT64_FORMAT, filter->until);
  if (filter->before)
    g_string_append_printf (sql, by_seq ? " AND seq < (SELECT seq FROM history WHERE id = '%s')"
                                        : " AND (start, seq) < (SELECT start, seq FROM history WHERE id = '%s')", filter->before);
  g_string_append_printf (sql, " ORDER BY %s", by_seq ? "seq DESC" : "start DESC, seq DESC");
  g_assert_cmpint (sqlite3_prepare_v2 (f->db.db, sql->str, -1, &s, NULL), ==, SQLITE_OK);
  g_test_message ("%s", sql->str);
  ids = ids_with (s, filter->text, f->contacts);
  sqlite3_finalize (s);
  return ids;
}

static const char *
any_of (const char *const *texts, gint32 n)
{
  return g_test_rand_bit () ? NULL : texts[g_test_rand_int_range (0, n)];
}

static void
test_same (Fixture *f, gconstpointer data)
{
  static const char *const accounts[] = { "a", "b", "c" }, *const parties[] = { "p0", "P1@x", "P350@x", "p-", "+49301234567" };
  static const char *const texts[] = { "common", "rare name", "name 8", "common 1", "words", "8", "m", "zz", "zzz", "99@x",
                                      "anna", "zimmer", "pzero", "hanna rare name", "an", "london", "seldom" };
  guint narrow = 0, wide = 0;

  if (data)
    f->contacts = phone_contacts_new ();
  g_assert_true (!data || phone_contacts_add (f->contacts, data, strlen (data), NULL));

  for (guint i = 0; i < 400; i++)
    {
      g_autofree char *before = g_test_rand_bit () ? g_strdup_printf ("id-%d", g_test_rand_int_range (1, ENTRIES + 1)) : NULL;
      gint64 middle = 1000 + g_test_rand_int_range (0, ENTRIES * 10), length = g_test_rand_bit () ? 500 : 60000;
      gboolean since = g_test_rand_bit (), until = g_test_rand_bit ();
      const PhoneHistoryFilter filter = {
        .account = any_of (accounts, G_N_ELEMENTS (accounts)),
        .party = any_of (parties, G_N_ELEMENTS (parties)),
        .text = any_of (texts, G_N_ELEMENTS (texts)),
        .outcome = MAX (g_test_rand_int_range (-8, 6), -1),
        .incoming = MAX (g_test_rand_int_range (-4, 2), -1),
        .seen = MAX (g_test_rand_int_range (-4, 2), -1),
        .kind = MAX (g_test_rand_int_range (-4, 2), -1),
        .state = -1,
        .since = since ? MAX (middle - length, 1) : 0,
        .until = until ? middle : 0,
        .before = before,
      };
      g_autofree char *expected = reference_of (f, &filter), *got = NULL;
      const char *index;

      got = page_of (f, &filter, &index);
      g_assert_cmpstr (got, ==, expected);
      narrow += index != NULL;
      wide += index == NULL;
    }
  g_assert_true (narrow > 0 && wide > 0);
}

/* The index that leaves the fewest, if those are few. */
static void
test_index (Fixture *f, gconstpointer data)
{
#define ANY .incoming = -1, .state = -1
  static const struct
  {
    PhoneHistoryFilter filter;
    const char *index;
  } cases[] = {
    { { ANY, .outcome = -1, .kind = -1, .seen = -1 }, NULL },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .account = "a" }, NULL },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .account = "b" }, "history_account" },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .account = "a", .party = "p1" }, "history_party" },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .account = "b", .party = "p0" }, "history_account" },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .account = "b", .party = "p1" }, "history_party" },
    { { ANY, .outcome = 3, .kind = -1, .seen = -1, .account = "b" }, "history_account_outcome" },
    { { ANY, .outcome = -1, .kind = PHONE_ENTRY_MESSAGE, .seen = -1, .party = "p1" }, "history_kind_party" },
    { { ANY, .outcome = -1, .kind = -1, .seen = 0, .account = "a" }, "history_unseen" },
    { { ANY, .outcome = -1, .kind = -1, .seen = 1 }, NULL },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .since = 1000, .until = 2000 }, "history_start" },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .since = 1000, .until = 2000, .account = "a" }, "history_account" },
    { { ANY, .outcome = -1, .kind = -1, .seen = -1, .since = 1000 }, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *index;
      g_autofree char *ids = page_of (f, &cases[i].filter, &index);

      g_test_message ("%" G_GSIZE_FORMAT ": %s", i, index ? index : "none");
      g_assert_cmpstr (index, ==, cases[i].index);
    }
}

/* One or two characters are looked for in the newest entries of a wide filter, and from an entry on in those behind it. */
static void
test_short (Fixture *f, gconstpointer data)
{
  PhoneHistoryFilter filter = { ANY, .outcome = -1, .kind = -1, .seen = -1, .text = "qx" };
  g_autofree char *first = NULL, *behind = NULL, *within = NULL;
  int rc;
#undef ANY

  add_entries (f, ENTRIES + 1, STORE_PAGE_LOOKED_AT + 1000);
  rc = store_db_exec (&f->db, "UPDATE history SET remote_name = 'qx' WHERE id IN (SELECT id FROM history ORDER BY start DESC, seq DESC LIMIT 2"
                              " OFFSET 9999)");
  g_assert_cmpint (rc, ==, SQLITE_OK);
  first = page_of (f, &filter, NULL);
  filter.before = g_strstrip (first);
  g_assert_true (g_str_has_prefix (first, "id-") && !strchr (first, ' '));
  behind = page_of (f, &filter, NULL);
  g_assert_true (g_str_has_prefix (behind, "id-") && !strstr (behind, first));
  /* A narrow filter leaves nothing out. */
  filter = (PhoneHistoryFilter){ .incoming = -1, .state = -1, .outcome = -1, .kind = -1, .seen = -1, .text = "qx", .until = 12000 };
  within = page_of (f, &filter, NULL);
  g_assert_cmpuint (strlen (within), >, strlen (behind));
}

/* More people of that name than are looked up one by one: they are looked for in the newest entries. */
static void
test_called_many (Fixture *f, gconstpointer data)
{
  PhoneHistoryFilter filter = PHONE_HISTORY_FILTER_ANY;
  g_autoptr (GString) cards = g_string_new (NULL);
  g_autofree char *few = NULL, *many = NULL, *none = NULL;

  for (guint i = 0; i < STORE_CALLED_MAX - 1; i++)
    g_string_append_printf (cards, CARD ("Anderson", "+1555%07u"), i);
  g_string_append (cards, CARD ("Anderson", "p123@x"));
  f->contacts = phone_contacts_new ();
  g_assert_true (phone_contacts_add (f->contacts, cards->str, cards->len, NULL));
  filter.text = "anders";
  few = page_of (f, &filter, NULL);
  g_assert_cmpstr (few, !=, "");
  g_string_assign (cards, CARD ("Anderson", "+15559999999"));
  g_assert_true (phone_contacts_add (f->contacts, cards->str, cards->len, NULL));
  many = page_of (f, &filter, NULL);
  g_assert_cmpstr (many, ==, few);
  add_entries (f, ENTRIES + 1, ENTRIES + STORE_PAGE_LOOKED_AT);
  g_assert_cmpint (store_db_exec (&f->db, "UPDATE history SET party = 'q' WHERE party = 'P123@x' AND seq > 9000"), ==, SQLITE_OK);
  none = page_of (f, &filter, NULL);
  g_assert_cmpstr (none, ==, "");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, func) g_test_add ("/store-page/" name, Fixture, NULL, set_up, func, tear_down)
  ADD ("same", test_same);
  g_test_add ("/store-page/same-called", Fixture, book, set_up, test_same, tear_down);
  ADD ("called-many", test_called_many);
  ADD ("index", test_index);
  ADD ("short", test_short);
  return g_test_run ();
}
