/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a page of the history costs: fills a file with 1,000,000 entries (or as many as the first argument says), one in ten a message, and
 * prints how long a page of 50 takes from the question to the answer on the main loop, the median and the worst of 50 times. Then what
 * writes cost that loop: how long it was away while 2000 entries went to the disk, and how long the call that asks for one takes. */

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store-db.h"
#include "store/store.h"

#define PAGE 50
#define TIMES 50
#define WRITES 2000
#define ANY .incoming = -1, .seen = -1

static const char fill[]
    = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
      "INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start, answered, ended, actor,"
      "  cause, sip, q850, phrase, refused_by, codec, keying, suite, loss_local, jitter_local, mos, seen, kind, text)"
      "  SELECT printf ('%08x-0000-4000-8000-000000000000', i), 'account' || (i % 3), i % 2, i % 6, '+4930' || (100000 + i % 5000),"
      "    'sip:+4930' || (100000 + i % 5000) || '@example.org', 'Caller ' || (i % 5000), '', '', 1500000000 + i * 60, 1500000000 + i * 60 + 5,"
      "    1500000000 + i * 60 + 65, 'remote', 'hangup', 0, 16, '', '', 'opus', 'sdes', 'AEAD_AES_256_GCM', 0.01, 2.5, 4.2, i % 1000 <> 0,"
      "    i % 10 = 0, iif (i % 10 = 0, 'See you at ' || (i % 24) || ' at the station, platform ' || (i % 9973), '') FROM n";

/* The 5000 parties, and as many who never called. */
static PhoneContacts *
make_contacts (void)
{
  PhoneContacts *contacts = phone_contacts_new ();
  g_autoptr (GString) cards = g_string_new (NULL);

  for (guint i = 0; i < 10000; i++)
    g_string_append_printf (cards, "BEGIN:VCARD\nFN:%s %s Q%05u\nTEL:+4930%u\nEND:VCARD\n", i % 50 ? "Bob" : "Anna", i % 2 ? "Meyer" : "Young", i, 100000 + i);
  phone_contacts_add (contacts, cards->str, cards->len, NULL);
  return contacts;
}

static gboolean done;
static guint got;

static void
on_listed (GPtrArray *entries, const GError *error, gpointer data)
{
  if (error)
    g_error ("%s", error->message);
  got = entries->len;
  done = TRUE;
}

static int
compare (const void *a, const void *b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x > y) - (x < y);
}

static void
measure (Store *store, PhoneContacts *contacts, const char *what, const PhoneHistoryFilter *filter, guint offset)
{
  gint64 times[TIMES];

  for (guint i = 0; i < TIMES; i++)
    {
      gint64 start = g_get_monotonic_time ();
      g_autoptr (PhoneContactSearch) called = phone_contact_search_new (contacts, filter->text);
      PhoneHistoryFilter full = *filter;

      done = FALSE;
      full.called = called;
      store_archive_ops.history_list (store, &full, offset, PAGE, on_listed, NULL);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      times[i] = g_get_monotonic_time () - start;
    }
  qsort (times, TIMES, sizeof *times, compare);
  printf ("%-44s %3u entries  median %7.2f ms  worst %7.2f ms\n", what, got, (double) times[TIMES / 2] / 1000, (double) times[TIMES - 1] / 1000);
}

/* ---- writes ---- */

static guint written;

static void
on_written (gboolean kept, const GError *error, gpointer data)
{
  if (error || kept)
    g_error ("not written");
  written++;
}

/* The loop turns as fast as it can; what it was away for between two turns is what somebody else on it waits for. */
static void
measure_writes (Store *store)
{
  gint64 begin = g_get_monotonic_time (), away = 0, asked = 0;

  for (guint i = 0; written < WRITES;)
    {
      gint64 turn = g_get_monotonic_time (), now;

      if (i < WRITES)
        {
          PhoneHistoryEntry *entry = phone_history_entry_new ();

          g_free (entry->id);
          entry->id = g_strdup_printf ("new-%u", i++);
          phone_text_take (&entry->remote_name, "Somebody with a name");
          entry->start = 1600000000 + i;
          store_archive_ops.history_add (store, entry, on_written, NULL);
          asked = MAX (asked, g_get_monotonic_time () - turn);
        }
      g_main_context_iteration (NULL, FALSE);
      now = g_get_monotonic_time ();
      away = MAX (away, now - turn);
    }
  printf ("%u entries on the disk in %.0f ms; the loop was away for %.2f ms at most, asking took %.2f ms at most\n", WRITES,
          (double) (g_get_monotonic_time () - begin) / 1000, (double) away / 1000, (double) asked / 1000);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 1000000;
  g_autofree char *folder = g_dir_make_tmp ("phoned-bench-XXXXXX", NULL), *path = g_build_filename (folder, "phone.db", NULL);
  g_autofree char *error = NULL, *deep = g_strdup_printf ("%08x-0000-4000-8000-000000000000", n / 10);
  g_autoptr (PhoneContacts) contacts = make_contacts ();
  const StoreEvents events = { 0 };
  const PhoneHistoryFilter any = PHONE_HISTORY_FILTER_ANY;
  const gint64 middle = 1500000000 + (gint64) n / 2 * 60;
  const struct
  {
    const char *what;
    PhoneHistoryFilter filter;
  } filters[] = {
    { "of one account", { ANY, .outcome = -1, .kind = -1, .account = "account1" } },
    { "missed", { ANY, .outcome = PHONE_OUTCOME_MISSED, .kind = -1 } },
    { "missed of one account", { ANY, .outcome = PHONE_OUTCOME_MISSED, .kind = -1, .account = "account1" } },
    { "with one party", { ANY, .outcome = -1, .kind = -1, .party = "sip:+49-30-100042@example.org" } },
    { "messages", { ANY, .outcome = -1, .kind = PHONE_ENTRY_MESSAGE } },
    { "messages with one party, of one account", { ANY, .outcome = -1, .kind = PHONE_ENTRY_MESSAGE, .party = "sip:+49-30-100040@example.org",
                                                   .account = "account1" } },
    { "unseen of one account", { .incoming = -1, .outcome = -1, .kind = -1, .seen = 0, .account = "account1" } },
    { "messages with one party", { ANY, .outcome = -1, .kind = PHONE_ENTRY_MESSAGE, .party = "sip:+49-30-100040@example.org" } },
    { "unseen", { .incoming = -1, .outcome = -1, .kind = -1, .seen = 0 } },
    { "of one day long ago", { ANY, .outcome = -1, .kind = -1, .since = middle, .until = middle + 86400 } },
    { "text in a name, rare", { ANY, .outcome = -1, .kind = -1, .text = "caller 4242" } },
    { "text in a name, in all", { ANY, .outcome = -1, .kind = -1, .text = "caller" } },
    { "text in a number, in a fifth", { ANY, .outcome = -1, .kind = -1, .text = "30100" } },
    { "text in a message, rare", { ANY, .outcome = -1, .kind = -1, .text = "platform 9876" } },
    { "text that is nowhere, of common pieces", { ANY, .outcome = -1, .kind = -1, .text = "caller 100042" } },
    { "text that is nowhere", { ANY, .outcome = -1, .kind = -1, .text = "zebra" } },
    { "text of two letters", { ANY, .outcome = -1, .kind = -1, .text = "42" } },
    { "text of two letters that is nowhere", { ANY, .outcome = -1, .kind = -1, .text = "zq" } },
    { "text of two letters, of no account", { ANY, .outcome = -1, .kind = -1, .text = "42", .account = "account7" } },
    { "text in all, with one party", { ANY, .outcome = -1, .kind = -1, .text = "caller", .party = "sip:+49-30-100042@example.org" } },
    { "text in all, of no account", { ANY, .outcome = -1, .kind = -1, .text = "caller", .account = "account7" } },
    { "text in a fifth, of the last day", { ANY, .outcome = -1, .kind = -1, .text = "30100", .since = 1500000000 + (gint64) n * 60 - 86400 } },
    { "text in a fifth, of a day long ago", { ANY, .outcome = -1, .kind = -1, .text = "30100", .since = middle, .until = middle + 86400 } },
    { "a contact's name, rare", { ANY, .outcome = -1, .kind = -1, .text = "q04242" } },
    { "a contact's name, of one who never called", { ANY, .outcome = -1, .kind = -1, .text = "q07777" } },
    { "a contact's name, of 200", { ANY, .outcome = -1, .kind = -1, .text = "anna" } },
    { "a contact's name, of 5000", { ANY, .outcome = -1, .kind = -1, .text = "meyer" } },
    { "a contact's name, of 1000, of one account", { ANY, .outcome = -1, .kind = -1, .text = " q03", .account = "account1" } },
    { "a contact's name, of one day long ago", { ANY, .outcome = -1, .kind = -1, .text = "meyer", .since = middle, .until = middle + 86400 } },
    { "a contact's name, two letters", { ANY, .outcome = -1, .kind = -1, .text = "q0" } },
    { "a contact's name, behind nine tenths", { ANY, .outcome = -1, .kind = -1, .text = "anna", .before = deep } },
    { "behind nine tenths of all (before)", { ANY, .outcome = -1, .kind = -1, .before = deep } },
    { "behind nine tenths, text in all (before)", { ANY, .outcome = -1, .kind = -1, .text = "caller", .before = deep } },
  };
  gint64 start = g_get_monotonic_time ();
  sqlite3_stmt *s;
  Store *store;
  GStatBuf st;
  StoreDb db;
  int rc;

  if (store_db_open (&db, path, &error) != SQLITE_OK)
    g_error ("%s", error);
  s = store_db_prepare (&db, fill, &rc);
  g_assert_nonnull (s);
  sqlite3_bind_int64 (s, 1, n);
  g_assert_cmpint (store_db_run (s), ==, SQLITE_OK);
  store_db_close (&db);
  g_stat (path, &st);
  printf ("%u entries made in %.0f s, %.0f MB\n", n, (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC, (double) st.st_size / 1e6);

  store = store_new (path, &events, NULL);
  measure (store, contacts, "newest", &any, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    measure (store, contacts, filters[i].what, &filters[i].filter, 0);
  measure (store, contacts, "behind 1000 (offset)", &any, 1000);
  measure (store, contacts, "behind 100,000 (offset, the most there is)", &any, MIN (n / 10 * 9, PHONE_HISTORY_MAX_OFFSET));
  measure_writes (store);
  store_free (store);
  g_unlink (path);
  g_rmdir (folder);
  return 0;
}
