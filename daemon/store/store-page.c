/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page's keys come from one index; only then are the rows read. What is looked for in texts comes from history_text; what is too short for
 * that is looked for in every row, from the newest on. */

#include "store/store-page.h"

#include "store/store-text.h"

void
store_page_init (StorePage *page, StorePageOf of, const PhoneHistoryFilter *filter, guint offset, guint limit)
{
  page->of = of;
  page->filter = *filter;
  page->filter.account = g_strdup (filter->account);
  page->filter.party = filter->party ? phone_party_key (filter->party) : NULL;
  page->filter.text = filter->text && *filter->text ? g_strdup (filter->text) : NULL;
  page->filter.before = g_strdup (filter->before);
  page->offset = offset;
  page->limit = limit;
}

void
store_page_clear (StorePage *page)
{
  g_free ((char *) page->filter.account);
  g_free ((char *) page->filter.party);
  g_free ((char *) page->filter.text);
  g_free ((char *) page->filter.before);
}

/* ---- the statement ---- */

/* Parameters: 1 account, 2 outcome, 3 incoming, 4 state, 5 since, 6 until, 7 party, 8 text, 9 before, 10 limit, 11 offset, 12 kind,
 * 13 text as has () wants it. */
static void
append_conditions (GString *sql, const StorePage *page, gboolean by_text, gboolean look)
{
  const PhoneHistoryFilter *f = &page->filter;

  if (look)
    g_string_append (sql, " AND (has (h.remote_name, ?13) OR has (h.remote_uri, ?13) OR has (h.text, ?13) OR has (h.asserted_id, ?13))");
  if (page->of == STORE_PAGE_MESSAGES)
    g_string_append (sql, " AND h.kind = 1");
  else if (f->kind >= 0)
    g_string_append (sql, " AND h.kind = ?12");
  if (f->account)
    g_string_append (sql, " AND h.account = ?1");
  if (f->outcome >= 0)
    g_string_append (sql, " AND h.outcome = ?2");
  if (f->incoming >= 0)
    g_string_append (sql, " AND h.incoming = ?3");
  if (f->seen >= 0)
    g_string_append (sql, f->seen ? " AND h.seen = 1" : " AND h.seen = 0");
  if (f->since)
    g_string_append (sql, " AND h.start >= ?5");
  if (f->until)
    g_string_append (sql, " AND h.start < ?6");
  if (f->party)
    g_string_append (sql, " AND h.party = ?7");
  if (f->before)
    g_string_append (sql, by_text ? " AND t.rowid < (SELECT seq FROM history WHERE id = ?9)"
                                  : " AND (h.start, h.seq) < (SELECT start, seq FROM history WHERE id = ?9)");
}

char *
store_page_dup_sql (const StorePage *page, const char *columns, gboolean by_text, gboolean look)
{
  gboolean messages = page->of == STORE_PAGE_MESSAGES;
  GString *sql = g_string_new (NULL);

  g_string_append_printf (sql, "SELECT %s FROM (SELECT h.seq AS page_seq FROM %s", columns,
                          by_text ? "history_text AS t CROSS JOIN history AS h ON h.seq = t.rowid" : "history AS h");
  if (messages && page->filter.state >= 0)
    g_string_append (sql, " JOIN message AS m ON m.seq = h.seq AND m.state = ?4");
  g_string_append (sql, by_text ? " WHERE t.history_text MATCH ?8" : " WHERE TRUE");
  append_conditions (sql, page, by_text, look);
  g_string_append_printf (sql, " ORDER BY %s LIMIT ?10 OFFSET ?11) JOIN history AS h ON h.seq = page_seq%s ORDER BY %s",
                          by_text ? "t.rowid DESC" : "h.start DESC, h.seq DESC", messages ? " JOIN message AS m ON m.seq = h.seq" : "",
                          by_text ? "h.seq DESC" : "h.start DESC, h.seq DESC");
  return g_string_free (sql, FALSE);
}

sqlite3_stmt *
store_page_prepare (const StorePage *page, StoreDb *db, const char *columns, int *ret_rc)
{
  const PhoneHistoryFilter *f = &page->filter;
  gboolean exact = FALSE;
  g_autofree char *match = f->text ? store_text_make_match (db, f->text, &exact) : NULL;
  g_autofree char *part = f->text ? store_text_fold (f->text) : NULL;
  g_autofree char *sql = store_page_dup_sql (page, columns, match != NULL, part && !exact);
  sqlite3_stmt *s = store_db_prepare (db, sql, ret_rc);

  if (!s)
    return NULL;
  store_bind_text (s, 1, f->account);
  sqlite3_bind_int (s, 2, f->outcome);
  sqlite3_bind_int (s, 3, f->incoming);
  sqlite3_bind_int (s, 4, f->state);
  sqlite3_bind_int64 (s, 5, f->since);
  sqlite3_bind_int64 (s, 6, f->until);
  store_bind_text (s, 7, f->party);
  store_bind_text (s, 8, match);
  store_bind_text (s, 9, f->before);
  sqlite3_bind_int64 (s, 10, page->limit);
  sqlite3_bind_int64 (s, 11, page->offset);
  sqlite3_bind_int (s, 12, f->kind);
  store_bind_text (s, 13, part);
  return s;
}
