/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Targets that did not answer. Each failure in a row doubles the time for which one is avoided; an answer, or another network, forgives
 * everything. Nothing is refused because of it: a dead target is tried last. */

#include "sip/ua-walk.h"

#define MIN_S 120
#define MAX_DOUBLINGS 4         /* 32 min */
#define MAX_S 3600              /* of a Retry-After */
#define MAX_ENTRIES 128

typedef struct
{
  gint64 until;                 /* monotonic us */
  guint failures;
} Entry;

struct _UaDeadList
{
  GHashTable *entries;          /* key -> Entry */
};

UaDeadList *
ua_dead_list_new (void)
{
  UaDeadList *list = g_new0 (UaDeadList, 1);

  list->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return list;
}

void
ua_dead_list_free (UaDeadList *list)
{
  g_hash_table_unref (list->entries);
  g_free (list);
}

void
ua_dead_list_clear (UaDeadList *list)
{
  g_hash_table_remove_all (list->entries);
}

static gboolean
is_over (gpointer key, gpointer value, gpointer data)
{
  return ((const Entry *) value)->until <= *(const gint64 *) data;
}

void
ua_dead_list_add (UaDeadList *list, const char *key, guint seconds, gint64 now)
{
  Entry *entry = g_hash_table_lookup (list->entries, key);

  if (!entry)
    {
      if (g_hash_table_size (list->entries) >= MAX_ENTRIES)
        g_hash_table_foreach_remove (list->entries, is_over, &now);
      if (g_hash_table_size (list->entries) >= MAX_ENTRIES)
        g_hash_table_remove_all (list->entries);
      entry = g_new0 (Entry, 1);
      g_hash_table_insert (list->entries, g_strdup (key), entry);
    }
  if (seconds)
    seconds = MIN (seconds, MAX_S);
  else
    {
      seconds = MIN_S << MIN (entry->failures, MAX_DOUBLINGS);
      entry->failures++;
    }
  entry->until = now + (gint64) seconds * G_USEC_PER_SEC;
}

void
ua_dead_list_remove (UaDeadList *list, const char *key)
{
  g_hash_table_remove (list->entries, key);
}

gboolean
ua_dead_list_contains (UaDeadList *list, const char *key, gint64 now)
{
  const Entry *entry = g_hash_table_lookup (list->entries, key);

  return entry && entry->until > now;
}
