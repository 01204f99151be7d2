/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The page's keys come from one index; only then are the rows read. Where an index leaves few entries (store-narrow.h) it is that one, and a text
 * is looked for in those. Else what is looked for in texts comes from history_text, and from store-called.c what the contacts call the party; what
 * is too short for that is looked for in the newest entries. */

#include "store/store-page.h"

#include "store/store-called.h"
#include "store/store-narrow.h"
#include "store/store-text.h"

void
store_page_init (StorePage *page, StorePageOf of, const PhoneHistoryFilter *filter, guint offset, guint limit)
{
  page->of = of;
  page->filter = *filter;
  page->filter.account = g_strdup (filter->account);
  page->filter.party = filter->party ? phone_party_key (filter->party) : NULL;
  page->filter.text = filter->text && *filter->text ? g_strdup (filter->text) : NULL;
  page->filter.called = page->filter.text ? phone_contact_search_ref (filter->called) : NULL;
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
  phone_contact_search_unref (page->filter.called);
  g_free ((char *) page->filter.before);
}

/* ---- the statement ---- */

/* Parameters: 1 account, 2 outcome, 3 incoming, 4 state, 5 since, 6 until, 7 party, 8 text, 9 before, 10 limit, 11 offset, 12 kind,
 * 13 text as has () wants it, 14 search as called () wants it, 15 the tail of store-called.c, 16 what it has gathered. */
static void
append_conditions (GString *sql, const StorePage *page, const StorePagePlan *plan)
{
  const PhoneHistoryFilter *f = &page->filter;

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
  if (f->before && plan->by_seq)
    g_string_append_printf (sql, " AND %s < (SELECT seq FROM history WHERE id = ?9)", plan->by_text ? "t.rowid" : "h.seq");
  else if (f->before)
    g_string_append (sql, " AND (h.start, h.seq) < (SELECT start, seq FROM history WHERE id = ?9)");
}

static void
append_look (GString *sql, guint look)
{
  g_string_append (sql, " AND (");
  if (look & STORE_LOOK_TEXTS)
    g_string_append (sql, "has (h.remote_name, ?13) OR has (h.remote_uri, ?13) OR has (h.text, ?13) OR has (h.asserted_id, ?13)");
  if (look & STORE_LOOK_CALLED)
    g_string_append (sql, look & STORE_LOOK_TEXTS ? " OR called (h.party, ?14)" : "called (h.party, ?14)");
  g_string_append (sql, ")");
}

void
store_page_append_source (GString *sql, const StorePage *page, const StorePagePlan *plan)
{
  g_string_append (sql, plan->by_text ? " FROM history_text AS t CROSS JOIN history AS h ON h.seq = t.rowid" : " FROM history AS h");
  if (plan->index)
    g_string_append_printf (sql, " INDEXED BY %s", plan->index);
  if (page->of == STORE_PAGE_MESSAGES && page->filter.state >= 0)
    g_string_append (sql, " JOIN message AS m ON m.seq = h.seq AND m.state = ?4");
  g_string_append (sql, plan->by_text ? " WHERE t.history_text MATCH ?8" : " WHERE TRUE");
  append_conditions (sql, page, plan);
  if (!plan->look)
    return;
  if (!plan->by_text && !plan->index)
    {
      g_string_append (sql, " AND h.start >= coalesce ((SELECT h.start FROM history AS h WHERE TRUE");
      append_conditions (sql, page, plan);
      g_string_append_printf (sql, " ORDER BY h.start DESC, h.seq DESC LIMIT 1 OFFSET %d), 0)", STORE_PAGE_LOOKED_AT - 1);
    }
  append_look (sql, plan->look);
}

static void
append_keys (GString *sql, const StorePage *page, const StorePagePlan *plan)
{
  if (plan->gathered)
    g_string_append (sql, "SELECT page_seq FROM (SELECT * FROM (");
  g_string_append (sql, "SELECT h.seq AS page_seq");
  store_page_append_source (sql, page, plan);
  g_string_append_printf (sql, " ORDER BY %s", plan->by_text ? "t.rowid DESC" : plan->by_seq ? "h.seq DESC" : "h.start DESC, h.seq DESC");
  if (plan->gathered)
    g_string_append (sql, " LIMIT ?10 + ?11) UNION SELECT value FROM json_each (?16)) ORDER BY page_seq DESC");
  g_string_append (sql, " LIMIT ?10 OFFSET ?11");
}

char *
store_page_dup_sql (const StorePage *page, const char *columns, const StorePagePlan *plan)
{
  GString *sql = g_string_new (NULL);

  g_string_append_printf (sql, "SELECT %s FROM (", columns);
  append_keys (sql, page, plan);
  g_string_append_printf (sql, ") JOIN history AS h ON h.seq = page_seq%s ORDER BY %s",
                          page->of == STORE_PAGE_MESSAGES ? " JOIN message AS m ON m.seq = h.seq" : "",
                          plan->by_seq ? "h.seq DESC" : "h.start DESC, h.seq DESC");
  return g_string_free (sql, FALSE);
}

void
store_page_bind (const StorePage *page, sqlite3_stmt *s)
{
  const PhoneHistoryFilter *f = &page->filter;

  store_bind_text (s, 1, f->account);
  sqlite3_bind_int (s, 2, f->outcome);
  sqlite3_bind_int (s, 3, f->incoming);
  sqlite3_bind_int (s, 4, f->state);
  sqlite3_bind_int64 (s, 5, f->since);
  sqlite3_bind_int64 (s, 6, f->until);
  store_bind_text (s, 7, f->party);
  store_bind_text (s, 9, f->before);
  sqlite3_bind_int64 (s, 10, page->limit);
  sqlite3_bind_int64 (s, 11, page->offset);
  sqlite3_bind_int (s, 12, f->kind);
  if (f->called)
    store_called_bind (s, 14, page);
}

sqlite3_stmt *
store_page_prepare (const StorePage *page, StoreDb *db, const char *columns, int *ret_rc)
{
  StorePagePlan plan = { .index = store_narrow_find (db, page) };
  g_autofree char *part = page->filter.text ? store_text_fold (page->filter.text) : NULL, *match = NULL, *sql = NULL, *gathered = NULL;
  gboolean exact = FALSE;
  sqlite3_stmt *s;

  if (part && !plan.index)
    match = store_text_make_match (db, part, &exact);
  if (match && page->filter.called && !(gathered = store_called_gather (db, page, ret_rc)))
    return NULL;
  plan.by_text = match != NULL;
  plan.by_seq = part && store_text_is_indexed (part);
  plan.gathered = gathered != NULL;
  plan.look = part && !exact ? STORE_LOOK_TEXTS : 0;
  if (page->filter.called && !gathered)
    plan.look |= STORE_LOOK_CALLED;
  sql = store_page_dup_sql (page, columns, &plan);
  s = store_db_prepare (db, sql, ret_rc);
  if (!s)
    return NULL;
  store_page_bind (page, s);
  store_bind_text (s, 8, match);
  store_bind_text (s, 13, part);
  if (gathered)
    store_bind_text (s, 16, gathered);
  return s;
}
