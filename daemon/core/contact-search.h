/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A part of a name, looked for among the contacts: is a party of the history one whom the address book calls so? It may be asked by any thread,
 * and keeps the book that it was made from. Pure. */

#include "core/contacts.h"

typedef struct _PhoneContactSearch PhoneContactSearch;

/* NULL: nobody is called so, or there is no text. */
PhoneContactSearch *phone_contact_search_new (PhoneContacts *contacts, const char *text);       /* either may be NULL */
PhoneContactSearch *phone_contact_search_ref (PhoneContactSearch *search);      /* accepts NULL, as the next one */
void phone_contact_search_unref (PhoneContactSearch *search);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneContactSearch, phone_contact_search_unref)

/* The party, a phone_party_key(), is shown under a name of somebody who is called so. */
gboolean phone_contact_search_is_called (const PhoneContactSearch *search, const char *party);
/* phone_party_dup_tail() of all that they call from, each once: who has none of these is not called so. */
const GPtrArray *phone_contact_search_get_tails (const PhoneContactSearch *search);
