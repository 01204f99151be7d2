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

/* What the text may be in. */
typedef enum
{
  STORE_LOOK_TEXTS = 1 << 0,    /* those of the row */
  STORE_LOOK_CALLED = 1 << 1,   /* the names that the contacts have for its party */
} StorePageLook;

/* How its rows are found. Those of a text of three characters and more are in the order of recording, by whichever way; all others in that of
 * their start. */
typedef struct
{
  gboolean by_text;             /* by MATCH */
  gboolean by_seq;              /* in the order of recording */
  gboolean gathered;            /* and those of store_called_gather() with them */
  guint look;                   /* StorePageLook, at each that is found otherwise */
  const char *index;            /* by this one; NULL: as SQLite sees fit */
} StorePagePlan;

#define STORE_PAGE_LOOKED_AT 10000      /* entries of a wide filter, the newest, that a text of one or two characters is looked for in */

/* For those who make statements: the text of it, caller frees; what all parameters but those of a text in the row are. */
char *store_page_dup_sql (const StorePage *page, const char *columns, const StorePagePlan *plan);
void store_page_bind (const StorePage *page, sqlite3_stmt *statement);
/* " FROM ... WHERE ...": the rows that fit, as "h". */
void store_page_append_source (GString *sql, const StorePage *page, const StorePagePlan *plan);
