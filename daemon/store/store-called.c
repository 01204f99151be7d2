/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A name may be that of many people, each with several numbers, each with thousands of entries, of which a page has fifty. What the book knows
 * of a party is the end of its number (history_tail): by that the newest entry of each is looked up first, and then they are gone through from
 * the one who called last, as long as theirs may be among the first of all. When too many people are called so (a piece of a name such as
 * "son"), the newest entries are looked at instead, as for a text of one or two characters. */

#include "store/store-called.h"

#include <stdlib.h>

#define POINTER_TYPE "PhoneContactSearch"

/* ---- called () ---- */

static void
called (sqlite3_context *context, int n, sqlite3_value **values)
{
  const PhoneContactSearch *search = sqlite3_value_pointer (values[1], POINTER_TYPE);
  const char *party = (const char *) sqlite3_value_text (values[0]);

  /* The file is ours, but what a disk has made of it is not. */
  sqlite3_result_int (context, search && party && g_utf8_validate (party, -1, NULL) && phone_contact_search_is_called (search, party));
}

int
store_called_register (sqlite3 *db)
{
  return sqlite3_create_function_v2 (db, "called", 2, SQLITE_UTF8 | SQLITE_DIRECTONLY, NULL, called, NULL, NULL, NULL);
}

void
store_called_bind (sqlite3_stmt *statement, int index, const StorePage *page)
{
  sqlite3_bind_pointer (statement, index, page->filter.called, POINTER_TYPE, NULL);
}

/* ---- the first of all ---- */

typedef struct
{
  GArray *seqs;                 /* gint64 */
  guint wanted;
  gint64 floor;                 /* what is not above it is not among the first */
} First;

static gint
newest_first (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *) a, y = *(const gint64 *) b;

  return (x < y) - (x > y);
}

static void
first_cut (First *first)
{
  g_array_sort (first->seqs, newest_first);
  if (first->seqs->len < first->wanted)
    return;
  g_array_set_size (first->seqs, first->wanted);
  first->floor = g_array_index (first->seqs, gint64, first->wanted - 1);
}

static void
first_add (First *first, gint64 seq)
{
  if (seq <= first->floor)
    return;
  g_array_append_val (first->seqs, seq);
  if (first->seqs->len >= 2 * first->wanted)
    first_cut (first);
}

/* Steps to the end, or to what is not among the first: the statement gives the newest first. */
static int
first_take (First *first, sqlite3_stmt *s)
{
  int rc;

  while ((rc = sqlite3_step (s)) == SQLITE_ROW && sqlite3_column_int64 (s, 0) > first->floor)
    first_add (first, sqlite3_column_int64 (s, 0));
  sqlite3_reset (s);
  return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- by tails ---- */

typedef struct
{
  gint64 newest;                /* first, for newest_first() */
  const char *tail;
} Tail;

static sqlite3_stmt *
prepare (StoreDb *db, const StorePage *page, const char *columns, const StorePagePlan *plan, const char *rest, int *ret_rc)
{
  g_autoptr (GString) sql = g_string_new ("SELECT ");
  sqlite3_stmt *s;

  g_string_append (sql, columns);
  store_page_append_source (sql, page, plan);
  g_string_append (sql, rest);
  s = store_db_prepare (db, sql->str, ret_rc);
  if (s)
    store_page_bind (page, s);
  return s;
}

/* Those that have entries, from the one with the newest on. */
static GArray *
find_tails (StoreDb *db, const StorePage *page, int *ret_rc)
{
  const GPtrArray *known = phone_contact_search_get_tails (page->filter.called);
  g_autoptr (GArray) tails = g_array_new (FALSE, FALSE, sizeof (Tail));
  sqlite3_stmt *s = store_db_prepare (db,
                                      page->filter.before ? "SELECT max (seq) FROM history INDEXED BY history_tail WHERE tail = ?15"
                                                            " AND seq < (SELECT seq FROM history WHERE id = ?9)"
                                                          : "SELECT max (seq) FROM history INDEXED BY history_tail WHERE tail = ?15",
                                      ret_rc);

  if (!s)
    return NULL;
  if (page->filter.before)
    store_bind_text (s, 9, page->filter.before);
  for (guint i = 0; i < known->len; i++)
    {
      Tail tail = { .tail = known->pdata[i] };

      sqlite3_bind_text (s, 15, tail.tail, -1, SQLITE_STATIC);
      if ((*ret_rc = sqlite3_step (s)) == SQLITE_ROW)
        tail.newest = sqlite3_column_int64 (s, 0);
      sqlite3_reset (s);
      if (*ret_rc != SQLITE_ROW)
        return NULL;
      if (tail.newest)
        g_array_append_val (tails, tail);
    }
  *ret_rc = SQLITE_OK;
  g_array_sort (tails, newest_first);
  return g_steal_pointer (&tails);
}

static int
gather_by_tails (StoreDb *db, const StorePage *page, First *first)
{
  const StorePagePlan plan = { .by_seq = TRUE, .index = "history_tail", .look = STORE_LOOK_CALLED };
  int rc;
  g_autoptr (GArray) tails = find_tails (db, page, &rc);

  for (guint i = 0; rc == SQLITE_OK && i < tails->len; i++)
    {
      const Tail *tail = &g_array_index (tails, Tail, i);
      sqlite3_stmt *s = NULL;

      if (tail->newest <= first->floor)
        break;
      s = prepare (db, page, "h.seq", &plan, " AND h.tail = ?15 ORDER BY h.seq DESC", &rc);
      if (s)
        {
          store_bind_text (s, 15, tail->tail);
          rc = first_take (first, s);
        }
    }
  return rc;
}

static int
gather_by_looking (StoreDb *db, const StorePage *page, First *first)
{
  const StorePagePlan plan = { .by_seq = TRUE, .look = STORE_LOOK_CALLED };
  int rc;
  sqlite3_stmt *s = prepare (db, page, "h.seq", &plan, " ORDER BY h.seq DESC", &rc);

  return s ? first_take (first, s) : rc;
}

char *
store_called_gather (StoreDb *db, const StorePage *page, int *ret_rc)
{
  First first = { g_array_new (FALSE, FALSE, sizeof (gint64)), page->offset + page->limit, 0 };
  gboolean few = phone_contact_search_get_tails (page->filter.called)->len <= STORE_CALLED_MAX;
  GString *list;

  *ret_rc = few ? gather_by_tails (db, page, &first) : gather_by_looking (db, page, &first);
  first_cut (&first);
  list = g_string_new ("[");
  for (guint i = 0; i < first.seqs->len; i++)
    g_string_append_printf (list, "%s%" G_GINT64_FORMAT, i ? "," : "", g_array_index (first.seqs, gint64, i));
  g_string_append_c (list, ']');
  g_array_unref (first.seqs);
  if (*ret_rc != SQLITE_OK)
    g_string_free (g_steal_pointer (&list), TRUE);
  return list ? g_string_free (list, FALSE) : NULL;
}
