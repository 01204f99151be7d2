/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The index knows for every three characters where they stand (FTS5's tokenizer "trigram"). Asked for a phrase it walks the lists of all its
 * pieces side by side, and of "caller 4242" most are in every entry: 20 ms with a million of them. So only the two rarest pieces are asked
 * for, and what they find is looked at.
 *
 * How long a list is can be told without reading it: history_text_idx, which FTS5 keeps beside the lists, has the page on which each term
 * begins, so the next one's tells how many pages lie between. That is an inside of FTS5, and used for nothing but the choice: were it wrong
 * or gone, the answer would be the same and later. */

#include "store/store-text.h"

#include <stdlib.h>
#include <string.h>

#define PIECE 3                         /* characters */
#define ASKED 2                         /* pieces */
#define MAX_PIECES 24                   /* of the part, from its beginning, that are judged */

/* ---- has () ---- */

static void
fold_into (GString *folded, const char *text)
{
  g_string_truncate (folded, 0);
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    if ((guchar) *p < 0x80)
      g_string_append_c (folded, g_ascii_tolower (*p));
    else
      g_string_append_unichar (folded, g_unichar_tolower (g_utf8_get_char (p)));
}

char *
store_text_fold (const char *text)
{
  GString *folded = g_string_new (NULL);

  fold_into (folded, text);
  return g_string_free (folded, FALSE);
}

static void
has (sqlite3_context *context, int n, sqlite3_value **values)
{
  GString *folded = sqlite3_user_data (context);
  const char *text = (const char *) sqlite3_value_text (values[0]), *part = (const char *) sqlite3_value_text (values[1]);

  /* The file is ours, but what a disk has made of it is not. */
  if (!text || !part || !*text || !g_utf8_validate (text, -1, NULL))
    {
      sqlite3_result_int (context, 0);
      return;
    }
  fold_into (folded, text);
  sqlite3_result_int (context, strstr (folded->str, part) != NULL);
}

static void
free_buffer (void *data)
{
  g_string_free (data, TRUE);
}

int
store_text_register (sqlite3 *db)
{
  return sqlite3_create_function_v2 (db, "has", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, g_string_new (NULL), has, NULL,
                                     NULL, free_buffer);
}

/* ---- which pieces ---- */

typedef struct
{
  char text[PIECE * 6 + 1];
  gint64 pages;
} Piece;

/* Over all segments of the index. The terms of FTS5's main index begin with '0'. */
static gint64
count_pages (StoreDb *db, const char *text)
{
  g_autofree char *term = g_strconcat ("0", text, NULL);
  gint64 pages = 0;
  int rc;
  sqlite3_stmt *s = store_db_prepare (db,
                                      "WITH RECURSIVE g (segid) AS (SELECT min (segid) FROM history_text_idx UNION ALL SELECT (SELECT"
                                      " min (segid) FROM history_text_idx AS n WHERE n.segid > g.segid) FROM g WHERE g.segid IS NOT NULL)"
                                      " SELECT total (max (0, coalesce ((SELECT pgno >> 1 FROM history_text_idx AS n WHERE n.segid = g.segid"
                                      " AND term > ?1 ORDER BY term LIMIT 1), 0) - coalesce ((SELECT pgno >> 1 FROM history_text_idx AS n"
                                      " WHERE n.segid = g.segid AND term <= ?1 ORDER BY term DESC LIMIT 1), 0))) FROM g"
                                      " WHERE g.segid IS NOT NULL",
                                      &rc);

  if (!s)
    return 0;
  sqlite3_bind_blob (s, 1, term, (int) strlen (term), SQLITE_TRANSIENT);
  if (sqlite3_step (s) == SQLITE_ROW)
    pages = sqlite3_column_int64 (s, 0);
  sqlite3_reset (s);
  return pages;
}

static gboolean
is_known (const Piece *pieces, guint n, const char *text)
{
  for (guint i = 0; i < n; i++)
    if (g_str_equal (pieces[i].text, text))
      return TRUE;
  return FALSE;
}

static guint
split (const char *part, Piece *ret_pieces)
{
  const char *end = part;
  guint n = 0;

  for (guint i = 0; i < PIECE && *end; i++)
    end = g_utf8_next_char (end);
  for (const char *p = part; n < MAX_PIECES; p = g_utf8_next_char (p), end = g_utf8_next_char (end))
    {
      g_strlcpy (ret_pieces[n].text, p, MIN ((gsize) (end - p) + 1, sizeof ret_pieces[n].text));
      n += !is_known (ret_pieces, n, ret_pieces[n].text);
      if (!*end)
        break;
    }
  return n;
}

static int
compare (const void *a, const void *b)
{
  gint64 x = ((const Piece *) a)->pages, y = ((const Piece *) b)->pages;

  return (x > y) - (x < y);
}

/* A phrase: what was typed, literally. */
static void
append_phrase (GString *match, const char *text)
{
  g_string_append (match, match->len ? " AND \"" : "\"");
  for (const char *p = text; *p; p++)
    {
      if (*p == '"')
        g_string_append_c (match, '"');
      g_string_append_c (match, *p);
    }
  g_string_append_c (match, '"');
}

gboolean
store_text_is_indexed (const char *folded)
{
  return g_utf8_strlen (folded, -1) >= PIECE;
}

char *
store_text_make_match (StoreDb *db, const char *part, gboolean *ret_exact)
{
  g_autofree char *folded = store_text_fold (part);
  Piece pieces[MAX_PIECES];
  GString *match;
  guint n;

  *ret_exact = FALSE;
  if (!store_text_is_indexed (folded))
    return NULL;
  match = g_string_new (NULL);
  n = split (folded, pieces);
  *ret_exact = n <= ASKED;
  if (*ret_exact)
    append_phrase (match, folded);
  else
    {
      for (guint i = 0; i < n; i++)
        pieces[i].pages = count_pages (db, pieces[i].text);
      qsort (pieces, n, sizeof *pieces, compare);
      for (guint i = 0; i < ASKED; i++)
        append_phrase (match, pieces[i].text);
    }
  return g_string_free (match, FALSE);
}
