/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding a part of a text in history_text. */

#include "store/store-db.h"

/* Makes the function has (text, part) of SQL known: whether the text has the part in it, which store_text_fold() has made. */
int store_text_register (sqlite3 *db);
/* As the index has its texts: the case of letters does not matter. Caller frees. */
char *store_text_fold (const char *text);
/* Whether it is as long as the pieces of the index, which are three characters. */
gboolean store_text_is_indexed (const char *folded);
/* What finds it by the index, for MATCH. NULL: it is not indexed. *ret_exact: MATCH finds nothing else, so that has () need not look. Caller
 * frees. */
char *store_text_make_match (StoreDb *db, const char *part, gboolean *ret_exact);
