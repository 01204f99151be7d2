/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/allowance.h"

#include <math.h>

typedef struct
{
  double tokens;
  gint64 at;
} Bucket;

struct _PhoneAllowance
{
  double burst, per_us;
  guint max_keys;
  GHashTable *buckets;          /* key -> Bucket, both owned */
};

PhoneAllowance *
phone_allowance_new (guint burst, guint per_minute, guint max_keys)
{
  PhoneAllowance *allowance = g_new0 (PhoneAllowance, 1);

  allowance->burst = burst;
  allowance->per_us = per_minute / (60.0 * G_USEC_PER_SEC);
  allowance->max_keys = MAX (max_keys, 1);
  allowance->buckets = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  return allowance;
}

void
phone_allowance_free (PhoneAllowance *allowance)
{
  if (!allowance)
    return;
  g_hash_table_unref (allowance->buckets);
  g_free (allowance);
}

static void
forget_oldest (PhoneAllowance *allowance)
{
  GHashTableIter iter;
  gpointer key, value, oldest = NULL;
  gint64 at = G_MAXINT64;

  g_hash_table_iter_init (&iter, allowance->buckets);
  while (g_hash_table_iter_next (&iter, &key, &value))
    if (((Bucket *) value)->at < at)
      {
        at = ((Bucket *) value)->at;
        oldest = key;
      }
  if (oldest)
    g_hash_table_remove (allowance->buckets, oldest);
}

guint
phone_allowance_take (PhoneAllowance *allowance, const char *key, gint64 now)
{
  Bucket *bucket = g_hash_table_lookup (allowance->buckets, key);

  if (!bucket)
    {
      if (g_hash_table_size (allowance->buckets) >= allowance->max_keys)
        forget_oldest (allowance);
      bucket = g_new0 (Bucket, 1);
      bucket->tokens = allowance->burst;
      bucket->at = now;
      g_hash_table_insert (allowance->buckets, g_strdup (key), bucket);
    }
  bucket->tokens = MIN (allowance->burst, bucket->tokens + (double) MAX (now - bucket->at, 0) * allowance->per_us);
  bucket->at = now;
  if (bucket->tokens < 1)
    return (guint) ceil ((1 - bucket->tokens) / allowance->per_us / G_USEC_PER_SEC);
  bucket->tokens -= 1;
  return 0;
}
