/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* SQLite's planner does not know that of a million entries forty are with this party and half of them by that account, and so it may go
 * through the half; nor does the index of texts know either. So each index that the filter could use is asked for as many of its rows as may be
 * looked at: that takes a tenth of a millisecond, and the one that has fewer is the way to go. */

#include "store/store-narrow.h"

typedef enum
{
  KIND = 1 << 0,
  PARTY = 1 << 1,
  ACCOUNT = 1 << 2,
  OUTCOME = 1 << 3,
  UNSEEN = 1 << 4,
  TIME = 1 << 5,
} Condition;

/* Of store-schema.c. All end in start, so that each serves for a span of time too. */
static const struct
{
  const char *name;
  guint conditions;
} indices[] = {
  { "history_kind_party", KIND | PARTY },
  { "history_party", PARTY },
  { "history_account_outcome", ACCOUNT | OUTCOME },
  { "history_kind_unseen", KIND | UNSEEN },
  { "history_unseen", UNSEEN },
  { "history_kind_account", KIND | ACCOUNT },
  { "history_account", ACCOUNT },
  { "history_outcome", OUTCOME },
  { "history_kind", KIND },
  { "history_start", TIME },
};

static guint
conditions_of (const StorePage *page)
{
  const PhoneHistoryFilter *f = &page->filter;

  return (page->of == STORE_PAGE_MESSAGES || f->kind >= 0 ? KIND : 0) | (f->party ? PARTY : 0) | (f->account ? ACCOUNT : 0)
         | (f->outcome >= 0 ? OUTCOME : 0) | (f->seen == 0 ? UNSEEN : 0) | (f->since || f->until ? TIME : 0);
}

static guint
count (StoreDb *db, const StorePage *page, const char *index, guint conditions)
{
  g_autoptr (GString) sql = g_string_new (NULL);
  guint n = STORE_NARROW_MAX + 1;
  sqlite3_stmt *s;
  int rc;

  g_string_append_printf (sql, "SELECT count (*) FROM (SELECT 1 FROM history AS h INDEXED BY %s WHERE TRUE", index);
  if (conditions & KIND)
    g_string_append (sql, page->of == STORE_PAGE_MESSAGES ? " AND h.kind = 1" : " AND h.kind = ?12");
  if (conditions & PARTY)
    g_string_append (sql, " AND h.party = ?7");
  if (conditions & ACCOUNT)
    g_string_append (sql, " AND h.account = ?1");
  if (conditions & OUTCOME)
    g_string_append (sql, " AND h.outcome = ?2");
  if (conditions & UNSEEN)
    g_string_append (sql, " AND h.seen = 0");
  if (page->filter.since)
    g_string_append (sql, " AND h.start >= ?5");
  if (page->filter.until)
    g_string_append (sql, " AND h.start < ?6");
  g_string_append_printf (sql, " LIMIT %d)", STORE_NARROW_MAX + 1);
  s = store_db_prepare (db, sql->str, &rc);
  if (!s)
    return n;
  store_page_bind (page, s);
  if (sqlite3_step (s) == SQLITE_ROW)
    n = (guint) sqlite3_column_int64 (s, 0);
  sqlite3_reset (s);
  return n;
}

const char *
store_narrow_find (StoreDb *db, const StorePage *page)
{
  guint conditions = conditions_of (page), fewest = STORE_NARROW_MAX + 1;
  const char *found = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (indices) && fewest > 0; i++)
    {
      gboolean fits = (indices[i].conditions & conditions) == indices[i].conditions;
      guint n;

      /* One that has less to say than another can leave no fewer. */
      for (gsize k = 0; fits && k < i; k++)
        fits = (indices[k].conditions & conditions) != indices[k].conditions || (indices[i].conditions & ~indices[k].conditions & ~TIME);
      if (!fits || (n = count (db, page, indices[i].name, indices[i].conditions)) >= fewest)
        continue;
      fewest = n;
      found = indices[i].name;
    }
  return found;
}
