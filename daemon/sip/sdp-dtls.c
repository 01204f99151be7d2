/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/sdp-dtls.h"

#include <string.h>

#define MIN_TLS_ID 20

/* "sha-256 4A:AD:B9:..." */
static gboolean
parse_fingerprint (UaSlice value, PhoneFingerprint *ret_fingerprint)
{
  PhoneFingerprint fingerprint = { 0 };
  UaSlice name, octets, pair;
  gboolean known = FALSE;
  gsize n = 0;

  if (!ua_slice_word (&value, &name) || !ua_slice_word (&value, &octets))
    return FALSE;
  for (int i = 0; i < phone_hash_n_values && !known; i++)
    if (ua_slice_is (name, phone_hash_to_string ((PhoneHash) i)))
      {
        fingerprint.hash = (PhoneHash) i;
        known = TRUE;
      }
  if (!known || octets.length != 3 * phone_hash_length (fingerprint.hash) - 1)
    return FALSE;
  while (ua_slice_until (&octets, ':', &pair))
    {
      if (pair.length != 2 || !g_ascii_isxdigit (pair.at[0]) || !g_ascii_isxdigit (pair.at[1]))
        return FALSE;
      fingerprint.octets[n++] = (guint8) (g_ascii_xdigit_value (pair.at[0]) << 4 | g_ascii_xdigit_value (pair.at[1]));
    }
  if (n != phone_hash_length (fingerprint.hash))
    return FALSE;
  *ret_fingerprint = fingerprint;
  return TRUE;
}

static void
read_fingerprint (PhoneDtlsDesc *dtls, UaSlice value)
{
  PhoneFingerprint fingerprint;

  if (!parse_fingerprint (value, &fingerprint))
    {
      g_debug ("SDP: a=fingerprint skipped: unknown hash or not as many octets as it has");
      return;
    }
  for (guint i = 0; i < dtls->n_fingerprints; i++)
    if (phone_fingerprint_equal (&dtls->fingerprints[i], &fingerprint))
      return;
  if (dtls->n_fingerprints < PHONE_MAX_FINGERPRINTS)
    dtls->fingerprints[dtls->n_fingerprints++] = fingerprint;
}

static void
read_setup (PhoneDtlsDesc *dtls, UaSlice value)
{
  for (int i = 0; i < phone_setup_n_values && !dtls->has_setup; i++)
    if (ua_slice_is (value, phone_setup_to_string ((PhoneSetup) i)))
      {
        dtls->setup = (PhoneSetup) i;
        dtls->has_setup = TRUE;
      }
}

static void
read_tls_id (PhoneDtlsDesc *dtls, UaSlice value)
{
  if (dtls->tls_id[0] != '\0' || value.length < MIN_TLS_ID || value.length > PHONE_MAX_TLS_ID)
    return;
  for (gsize i = 0; i < value.length; i++)
    if (!g_ascii_isalnum (value.at[i]) && memchr ("+/-_", value.at[i], 4) == NULL)
      return;
  memcpy (dtls->tls_id, value.at, value.length);
}

gboolean
ua_sdp_dtls_read (PhoneDtlsDesc *dtls, UaSlice name, UaSlice value)
{
  if (ua_slice_is (name, "fingerprint"))
    read_fingerprint (dtls, value);
  else if (ua_slice_is (name, "setup"))
    read_setup (dtls, value);
  else if (ua_slice_is (name, "tls-id"))
    read_tls_id (dtls, value);
  else
    return FALSE;
  return TRUE;
}

void
ua_sdp_dtls_merge (PhoneDtlsDesc *dtls, const PhoneDtlsDesc *session)
{
  if (dtls->n_fingerprints == 0)
    {
      memcpy (dtls->fingerprints, session->fingerprints, sizeof dtls->fingerprints);
      dtls->n_fingerprints = session->n_fingerprints;
    }
  if (!dtls->has_setup)
    {
      dtls->has_setup = session->has_setup;
      dtls->setup = session->setup;
    }
  if (dtls->tls_id[0] == '\0')
    memcpy (dtls->tls_id, session->tls_id, sizeof dtls->tls_id);
}

void
ua_sdp_dtls_write (const PhoneDtlsDesc *dtls, GString *text)
{
  if (dtls->has_setup)
    g_string_append_printf (text, "a=setup:%s\r\n", phone_setup_to_string (dtls->setup));
  for (guint i = 0; i < dtls->n_fingerprints; i++)
    {
      const PhoneFingerprint *fingerprint = &dtls->fingerprints[i];

      g_string_append_printf (text, "a=fingerprint:%s", phone_hash_to_string (fingerprint->hash));
      for (gsize j = 0; j < phone_hash_length (fingerprint->hash); j++)
        g_string_append_printf (text, "%c%02X", j == 0 ? ' ' : ':', fingerprint->octets[j]);
      g_string_append (text, "\r\n");
    }
  if (dtls->tls_id[0] != '\0')
    g_string_append_printf (text, "a=tls-id:%s\r\n", dtls->tls_id);
}
