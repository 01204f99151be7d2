/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Lists of parties as people write them into a setting: "+4930*, 0800123, *@example.org, sip:bob@example.net". Pure. */

#include "util/phone-error.h"

/* The list in its canonical form (items trimmed, joined by ","), or NULL: INVALID_OPTION names the item. Caller frees. */
char *phone_number_list_check (const char *text, GError **error);
/* Whether an item names the party: its user part, the number of a tel: URI, or user@host; '*' stands for any text; digits are compared
 * without the marks that people put between them. list NULL: no. */
gboolean phone_number_list_matches (const char *list, const char *uri);
