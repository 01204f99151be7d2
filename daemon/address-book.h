/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The folders of contacts, read again by themselves when something in them changes. Reading is done beside the main loop: ten thousand cards
 * hold up no call. */

#include "config.h"

typedef struct _AddressBook AddressBook;
/* Takes both: the contacts, and what is wrong in the files (char *). */
typedef void (*AddressBookRead) (PhoneContacts *contacts, GPtrArray *problems, gpointer data);

/* Copies dirs. Nothing is read before it is asked for or something changes. */
AddressBook *address_book_new (const PhoneConfigDirs *dirs, AddressBookRead read, gpointer data);
void address_book_free (AddressBook *self);                     /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (AddressBook, address_book_free)
/* Now: read() is called before it returns. */
void address_book_read (AddressBook *self);
