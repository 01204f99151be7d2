/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a page of the history costs: fills a file with 1,000,000 entries (or as many as the first argument says) and prints how long a page
 * of 50 takes from the question to the answer on the main loop, the median and the worst of 50 times. */

#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/store-db.h"
#include "store/store.h"

#define PAGE 50
#define TIMES 50

static const char fill[]
    = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)"
      "INSERT INTO history (id, account, incoming, outcome, party, remote_uri, remote_name, asserted_id, diverter, start, answered, ended, actor,"
      "  cause, sip, q850, phrase, refused_by, codec, keying, suite, loss_local, jitter_local, mos, seen)"
      "  SELECT printf ('%08x-0000-4000-8000-000000000000', i), 'account' || (i % 3), i % 2, i % 6, '+4930' || (100000 + i % 5000),"
      "    'sip:+4930' || (100000 + i % 5000) || '@example.org', 'Caller ' || (i % 5000), '', '', 1500000000 + i * 60, 1500000000 + i * 60 + 5,"
      "    1500000000 + i * 60 + 65, 'remote', 'hangup', 0, 16, '', '', 'opus', 'sdes', 'AEAD_AES_256_GCM', 0.01, 2.5, 4.2, i % 1000 <> 0 FROM n";

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
measure (Store *store, const char *what, const PhoneHistoryFilter *filter, guint offset)
{
  gint64 times[TIMES];

  for (guint i = 0; i < TIMES; i++)
    {
      gint64 start = g_get_monotonic_time ();

      done = FALSE;
      store_archive_ops.history_list (store, filter, offset, PAGE, on_listed, NULL);
      while (!done)
        g_main_context_iteration (NULL, TRUE);
      times[i] = g_get_monotonic_time () - start;
    }
  qsort (times, TIMES, sizeof *times, compare);
  printf ("%-44s %3u entries  median %7.2f ms  worst %7.2f ms\n", what, got, (double) times[TIMES / 2] / 1000, (double) times[TIMES - 1] / 1000);
}

int
main (int argc, char **argv)
{
  guint n = argc > 1 ? (guint) g_ascii_strtoull (argv[1], NULL, 10) : 1000000;
  g_autofree char *folder = g_dir_make_tmp ("phoned-bench-XXXXXX", NULL), *path = g_build_filename (folder, "phone.db", NULL);
  g_autofree char *error = NULL, *deep = g_strdup_printf ("%08x-0000-4000-8000-000000000000", n / 10);
  const StoreEvents events = { 0 };
  PhoneHistoryFilter any = PHONE_HISTORY_FILTER_ANY, filter;
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
  measure (store, "newest", &any, 0);
  filter = (PhoneHistoryFilter) PHONE_HISTORY_FILTER_ANY;
  filter.account = "account1";
  measure (store, "of one account", &filter, 0);
  filter.outcome = PHONE_OUTCOME_MISSED;
  measure (store, "missed of one account", &filter, 0);
  filter = any;
  filter.party = "sip:+49-30-100042@example.org";
  measure (store, "with one party", &filter, 0);
  filter = any;
  filter.seen = 0;
  measure (store, "unseen", &filter, 0);
  filter = any;
  filter.text = "caller 4242";
  measure (store, "text in the name, rare", &filter, 0);
  filter.text = "caller";
  measure (store, "text in the name, in all", &filter, 0);
  filter.text = "30100";
  measure (store, "text in the number, in a fifth", &filter, 0);
  filter = any;
  filter.since = 1500000000 + (gint64) n / 2 * 60;
  filter.until = filter.since + 86400;
  measure (store, "of one day long ago", &filter, 0);
  filter = any;
  filter.before = deep;
  measure (store, "behind nine tenths of all (before)", &filter, 0);
  measure (store, "behind 1000 (offset)", &any, 1000);
  measure (store, "behind nine tenths of all (offset)", &any, n / 10 * 9);
  store_free (store);
  g_unlink (path);
  g_rmdir (folder);
  return 0;
}
