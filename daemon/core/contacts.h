/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The people of an address book: how they are called, what groups they are in, and where they call from. It is read from vCards and asked by
 * items of a list:
 *
 *   contact:NAME               by the name (FN, NICKNAME); * stands for any text, letter case does not count
 *   group:NAME                 by a group (CATEGORIES)
 *
 * Once it is read it is not changed any more, and may be asked by several threads. Pure. */

#include "util/phone-error.h"

#define PHONE_CONTACTS_MAX 20000
#define PHONE_CONTACTS_MAX_ITEM 512     /* octets */

typedef struct _PhoneContacts PhoneContacts;

PhoneContacts *phone_contacts_new (void);
PhoneContacts *phone_contacts_ref (PhoneContacts *contacts);
void phone_contacts_unref (PhoneContacts *contacts);            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneContacts, phone_contacts_unref)

/* Adds those of the text who have a name and a number or address. FALSE: INVALID_OPTION says what is wrong, on which line; those that were in
 * order have been added. */
gboolean phone_contacts_add (PhoneContacts *contacts, const char *text, gsize length, GError **error);
guint phone_contacts_count (const PhoneContacts *contacts);     /* NULL: none */

gboolean phone_contacts_is_item (const char *item);
/* Whether the item names anybody. */
gboolean phone_contacts_knows (const PhoneContacts *contacts, const char *item);
/* Whether one of the items, NULL-terminated, names who has the address. Others than those above are left to others. */
gboolean phone_contacts_list (const PhoneContacts *contacts, const char *const *items, const char *uri);

typedef struct _PhoneContact PhoneContact;
/* Who has the address; NULL: nobody has, or it may be one of several. Of two who share it the one that was added last. */
const PhoneContact *phone_contacts_find (const PhoneContacts *contacts, const char *uri);       /* contacts NULL: none */
/* How they are called (FN, else N, else NICKNAME); "": NULL. Borrowed. */
const char *phone_contacts_name (const PhoneContacts *contacts, const char *uri);
/* Those who have the text in one of their names, letter case does not count; char * in each: phone_party_key(), folded. */
typedef void (*PhoneContactsCalled) (const PhoneContact *contact, const GPtrArray *parties, gpointer data);
void phone_contacts_each_called (const PhoneContacts *contacts, const char *text, PhoneContactsCalled called, gpointer data);
