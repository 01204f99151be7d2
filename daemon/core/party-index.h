/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Whose number or address it is, among many thousands: each look-up compares the few that end alike, however many there are.
 *
 * Numbers are compared as people write them. "030 1234567" and "+49 30 1234567" are taken to be alike: without knowing the country of whoever
 * wrote it, a number without one is compared from its end. Pure. */

#include <glib.h>

/* The end of a number or name, without a host and case: parties that are the same or alike have the same one, and few others. The archive has an
 * index of it (store-schema.c). party: phone_party_key(), folded or not. Caller frees. */
#define PHONE_PARTY_TAIL 7              /* characters */
char *phone_party_dup_tail (const char *party);

typedef struct _PhonePartyIndex PhonePartyIndex;

PhonePartyIndex *phone_party_index_new (void);
void phone_party_index_free (PhonePartyIndex *index);           /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhonePartyIndex, phone_party_index_free)

/* known: phone_party_key(), folded; borrowed, as value is. */
void phone_party_index_add (PhonePartyIndex *index, const char *known, gpointer value);

/* same: it is that number or address; FALSE: a number that is alike and lacks its country. FALSE ends the search. */
typedef gboolean (*PhonePartyFound) (const char *known, gpointer value, gboolean same, gpointer data);
/* caller: as known. Those that are the same come first, of equals the one that was added last. Returns how many were compared. */
guint phone_party_index_find (const PhonePartyIndex *index, const char *caller, PhonePartyFound found, gpointer data);
