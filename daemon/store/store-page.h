/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A page of the history, of calls or of messages: one filter, one statement. */

#include "core/history-entry.h"
#include "store/store-db.h"

typedef enum
{
  STORE_PAGE_HISTORY,           /* rows "h": history */
  STORE_PAGE_MESSAGES,          /* rows "h" and "m": message; only those that are one */
} StorePageOf;

typedef struct
{
  StorePageOf of;
  PhoneHistoryFilter filter;    /* owns its texts */
  guint offset, limit;
} StorePage;

void store_page_init (StorePage *page, StorePageOf of, const PhoneHistoryFilter *filter, guint offset, guint limit);
void store_page_clear (StorePage *page);                /* zeros are clear */
/* The statement that gives these columns of the page's rows, newest first, ready to step. NULL: *ret_rc says why. */
sqlite3_stmt *store_page_prepare (const StorePage *page, StoreDb *db, const char *columns, int *ret_rc);
/* The same as a text, for tests. by_text: by MATCH; look: at what is found, or at every row. Caller frees. */
char *store_page_dup_sql (const StorePage *page, const char *columns, gboolean by_text, gboolean look);
