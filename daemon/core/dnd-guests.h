/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who gets through while calls are kept away: the allow list, with the people of the address book that it names, and who calls a second
 * time. */

#include "core/contacts.h"

#define PHONE_DND_MAX_ALLOWED 500

typedef struct
{
  char **items;                 /* as they were set; never NULL */
  char *numbers;                /* those for phone_number_list_matches() */
  const PhoneContacts *contacts;        /* borrowed */
  GQueue callers;               /* newest first: who was turned away */
} PhoneDndGuests;

void phone_dnd_guests_init (PhoneDndGuests *guests);
void phone_dnd_guests_clear (PhoneDndGuests *guests);

/* items NULL: none. FALSE: INVALID_OPTION or TOO_MANY. A contact or group that is not on the list yet has to be in the address book. */
gboolean phone_dnd_guests_check (const PhoneDndGuests *guests, const char *const *items, GError **error);
void phone_dnd_guests_set (PhoneDndGuests *guests, const char *const *items);          /* which have been checked */
void phone_dnd_guests_set_contacts (PhoneDndGuests *guests, const PhoneContacts *contacts);

gboolean phone_dnd_guests_has (const PhoneDndGuests *guests, const char *uri);
/* Who calls at now (Unix s), and whether the same called within so many minutes before; nobody is the same who withholds the number. */
gboolean phone_dnd_guests_note_caller (PhoneDndGuests *guests, const char *uri, gint64 now, guint minutes);
