/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/party-index.h"

#include <string.h>

#define MIN_TAIL PHONE_PARTY_TAIL      /* digits of a number that may be compared from its end */
#define MAX_COUNTRY 3                   /* digits of a country code */

typedef struct _Entry Entry;
struct _Entry
{
  const char *known;
  gpointer value;
  Entry *next_same, *next_alike;        /* older ones */
};

struct _PhonePartyIndex
{
  GPtrArray *entries;
  GHashTable *same;                     /* known -> Entry */
  GHashTable *alike;                    /* the last MIN_TAIL digits of a number -> Entry */
};

PhonePartyIndex *
phone_party_index_new (void)
{
  PhonePartyIndex *index = g_new (PhonePartyIndex, 1);

  index->entries = g_ptr_array_new_with_free_func (g_free);
  index->same = g_hash_table_new (g_str_hash, g_str_equal);
  index->alike = g_hash_table_new (g_str_hash, g_str_equal);
  return index;
}

void
phone_party_index_free (PhonePartyIndex *index)
{
  if (!index)
    return;
  g_hash_table_unref (index->same);
  g_hash_table_unref (index->alike);
  g_ptr_array_unref (index->entries);
  g_free (index);
}

/* ---- numbers ---- */

static gboolean
is_number (const char *text)
{
  gsize plus = *text == '+';

  return text[plus] && text[plus + strspn (text + plus, "0123456789")] == '\0';
}

/* One with its country. */
static gboolean
is_whole (const char *number)
{
  return g_str_has_prefix (number, "+") || g_str_has_prefix (number, "00");
}

/* One of its country, dialled from within. */
static gboolean
is_national (const char *number)
{
  return number[0] == '0' && number[1] != '0';
}

/* Without what stands before a number within a country or abroad. */
static const char *
skip_prefix (const char *number)
{
  return number + strspn (number, "+0");
}

/* NULL: too short to be compared from its end. */
static const char *
tail_of (const char *number)
{
  const char *digits = skip_prefix (number);
  gsize length = strlen (digits);

  return length >= MIN_TAIL ? digits + length - MIN_TAIL : NULL;
}

/* Both end in the same MIN_TAIL digits. */
static gboolean
is_alike (const char *a, const char *b, gboolean *ret_same)
{
  const char *x = skip_prefix (a), *y = skip_prefix (b);
  gsize n = strlen (x), m = strlen (y), tail = MIN (n, m), more = MAX (n, m) - tail;

  *ret_same = more == 0 && is_whole (a) == is_whole (b);
  if (more == 0 && !*ret_same && (is_national (a) || is_national (b)))
    return FALSE;               /* 030 1234567 is not +30 1234567 */
  if (more && (is_whole (a) == is_whole (b) || is_whole (n > m ? b : a) || more > MAX_COUNTRY))
    return FALSE;
  return strcmp (x + n - tail, y + m - tail) == 0;
}

char *
phone_party_dup_tail (const char *party)
{
  g_autofree char *user = g_ascii_strdown (party, (gssize) strcspn (party, "@"));
  glong length = g_utf8_strlen (user, -1);

  return g_strdup (length > PHONE_PARTY_TAIL ? g_utf8_offset_to_pointer (user, length - PHONE_PARTY_TAIL) : user);
}

/* ---- the index ---- */

void
phone_party_index_add (PhonePartyIndex *index, const char *known, gpointer value)
{
  Entry *entry = g_new (Entry, 1);
  const char *tail = is_number (known) ? tail_of (known) : NULL;

  *entry = (Entry){ known, value, g_hash_table_lookup (index->same, known), tail ? g_hash_table_lookup (index->alike, tail) : NULL };
  g_ptr_array_add (index->entries, entry);
  g_hash_table_insert (index->same, (gpointer) known, entry);
  if (tail)
    g_hash_table_insert (index->alike, (gpointer) tail, entry);
}

typedef struct
{
  PhonePartyFound found;
  gpointer data;
  guint compared;
  gboolean over;
} Search;

static void
tell (Search *search, const Entry *entry, gboolean same)
{
  search->over = !search->found (entry->known, entry->value, same, search->data);
}

static void
find_same (const PhonePartyIndex *index, const char *text, Search *search)
{
  for (const Entry *entry = g_hash_table_lookup (index->same, text); entry && !search->over; entry = entry->next_same)
    {
      search->compared++;
      tell (search, entry, TRUE);
    }
}

/* First those that are the same in another form, then those that are only alike. */
static void
find_alike (const PhonePartyIndex *index, const char *number, gboolean wanted, Search *search)
{
  const char *tail = tail_of (number);
  gboolean same;

  for (const Entry *entry = tail ? g_hash_table_lookup (index->alike, tail) : NULL; entry && !search->over; entry = entry->next_alike)
    {
      search->compared++;
      if (strcmp (entry->known, number) != 0 && is_alike (entry->known, number, &same) && same == wanted)
        tell (search, entry, same);
    }
}

guint
phone_party_index_find (const PhonePartyIndex *index, const char *caller, PhonePartyFound found, gpointer data)
{
  /* A number in an address book says nothing of a host; the extension of an office is one of a few digits. */
  g_autofree char *user = g_strndup (caller, strcspn (caller, "@"));
  Search search = { .found = found, .data = data };

  find_same (index, caller, &search);
  if (!is_number (user))
    return search.compared;
  if (strcmp (user, caller) != 0)
    find_same (index, user, &search);
  find_alike (index, user, TRUE, &search);
  find_alike (index, user, FALSE, &search);
  return search.compared;
}
