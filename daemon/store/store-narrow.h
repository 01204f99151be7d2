/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which index leaves so few entries for a filter that they can be looked at one by one. */

#include "store/store-page.h"

#define STORE_NARROW_MAX 4000           /* entries */

/* Its name, static; NULL: there is none. */
const char *store_narrow_find (StoreDb *db, const StorePage *page);
