/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/contact-search.h"

#include "core/party-index.h"

struct _PhoneContactSearch
{
  int refs;                     /* atomic */
  PhoneContacts *contacts;
  GHashTable *called;           /* set of PhoneContact, borrowed */
  GHashTable *known;            /* set of tails */
  GPtrArray *tails;             /* the same */
};

static void
on_called (const PhoneContact *contact, const GPtrArray *parties, gpointer data)
{
  PhoneContactSearch *search = data;

  g_hash_table_add (search->called, (gpointer) contact);
  for (guint i = 0; i < parties->len; i++)
    {
      g_autofree char *tail = phone_party_dup_tail (parties->pdata[i]);

      if (g_hash_table_contains (search->known, tail))
        continue;
      g_ptr_array_add (search->tails, tail);
      g_hash_table_add (search->known, g_steal_pointer (&tail));
    }
}

PhoneContactSearch *
phone_contact_search_new (PhoneContacts *contacts, const char *text)
{
  g_autoptr (PhoneContactSearch) search = NULL;

  if (!contacts || !text || !*text)
    return NULL;
  search = g_new (PhoneContactSearch, 1);
  search->refs = 1;
  search->contacts = phone_contacts_ref (contacts);
  search->called = g_hash_table_new (NULL, NULL);
  search->known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  search->tails = g_ptr_array_new ();
  phone_contacts_each_called (contacts, text, on_called, search);
  return search->tails->len ? g_steal_pointer (&search) : NULL;
}

PhoneContactSearch *
phone_contact_search_ref (PhoneContactSearch *search)
{
  if (search)
    g_atomic_int_inc (&search->refs);
  return search;
}

void
phone_contact_search_unref (PhoneContactSearch *search)
{
  if (!search || !g_atomic_int_dec_and_test (&search->refs))
    return;
  g_ptr_array_unref (search->tails);
  g_hash_table_unref (search->known);
  g_hash_table_unref (search->called);
  phone_contacts_unref (search->contacts);
  g_free (search);
}

/* Of ten thousand entries that are looked at few have one of the tails, and that is quickly told. */
gboolean
phone_contact_search_is_called (const PhoneContactSearch *search, const char *party)
{
  g_autofree char *tail = phone_party_dup_tail (party);

  return g_hash_table_contains (search->known, tail) && g_hash_table_contains (search->called, phone_contacts_find (search->contacts, party));
}

const GPtrArray *
phone_contact_search_get_tails (const PhoneContactSearch *search)
{
  return search->tails;
}
