/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Finding the entries of those whom the address book calls by a text. */

#include "store/store-page.h"

/* Makes the function called (party, search) of SQL known: phone_contact_search_is_called(). */
int store_called_register (sqlite3 *db);
/* Binds the page's search for that function. */
void store_called_bind (sqlite3_stmt *statement, int index, const StorePage *page);
/* Of those entries the first that the page may have, in the order of recording: a JSON array of their numbers. NULL: *ret_rc says why. Caller
 * frees. */
char *store_called_gather (StoreDb *db, const StorePage *page, int *ret_rc);

#define STORE_CALLED_MAX 250            /* tails that are looked up one by one */
