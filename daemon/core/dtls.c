/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dtls.h"

#include <string.h>

gsize
phone_hash_length (PhoneHash hash)
{
  switch (hash)
    {
    case PHONE_HASH_SHA1:
      return 20;
    case PHONE_HASH_SHA224:
      return 28;
    case PHONE_HASH_SHA256:
      return 32;
    case PHONE_HASH_SHA384:
      return 48;
    case PHONE_HASH_SHA512:
      return 64;
    }
  g_assert_not_reached ();
}

gboolean
phone_fingerprint_equal (const PhoneFingerprint *a, const PhoneFingerprint *b)
{
  return a->hash == b->hash && memcmp (a->octets, b->octets, phone_hash_length (a->hash)) == 0;
}

gboolean
phone_dtls_desc_equal (const PhoneDtlsDesc *a, const PhoneDtlsDesc *b)
{
  if (a->n_fingerprints != b->n_fingerprints || !a->has_setup != !b->has_setup || (a->has_setup && a->setup != b->setup)
      || strcmp (a->tls_id, b->tls_id) != 0)
    return FALSE;
  for (guint i = 0; i < a->n_fingerprints; i++)
    if (!phone_fingerprint_equal (&a->fingerprints[i], &b->fingerprints[i]))
      return FALSE;
  return TRUE;
}

gboolean
phone_dtls_plan_equal (const PhoneDtlsPlan *a, const PhoneDtlsPlan *b)
{
  if (a->association != b->association || !a->client != !b->client || a->n_fingerprints != b->n_fingerprints
      || strcmp (a->tls_id, b->tls_id) != 0 || strcmp (a->address, b->address) != 0 || a->port != b->port)
    return FALSE;
  for (guint i = 0; i < a->n_fingerprints; i++)
    if (!phone_fingerprint_equal (&a->fingerprints[i], &b->fingerprints[i]))
      return FALSE;
  return TRUE;
}

guint
phone_fingerprints_strongest (const PhoneDtlsDesc *dtls, PhoneFingerprint ret_fingerprints[PHONE_MAX_FINGERPRINTS])
{
  PhoneHash best = PHONE_HASH_SHA1;
  guint n = 0;

  for (guint i = 0; i < dtls->n_fingerprints; i++)
    best = MAX (best, dtls->fingerprints[i].hash);
  for (guint i = 0; i < dtls->n_fingerprints; i++)
    if (dtls->fingerprints[i].hash == best)
      ret_fingerprints[n++] = dtls->fingerprints[i];
  return n;
}
