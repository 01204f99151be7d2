/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-certificate.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#define VALID_BEFORE (24 * 60 * 60)     /* s: the peer's clock may be behind ours */
#define VALID_AFTER (30 * 24 * 60 * 60)

static const EVP_MD *
digest_of (PhoneHash hash)
{
  switch (hash)
    {
    case PHONE_HASH_SHA1:
      return EVP_sha1 ();
    case PHONE_HASH_SHA224:
      return EVP_sha224 ();
    case PHONE_HASH_SHA256:
      return EVP_sha256 ();
    case PHONE_HASH_SHA384:
      return EVP_sha384 ();
    case PHONE_HASH_SHA512:
      return EVP_sha512 ();
    }
  g_assert_not_reached ();
}

gboolean
media_certificate_fingerprint (X509 *certificate, PhoneHash hash, PhoneFingerprint *ret_fingerprint)
{
  guint8 octets[EVP_MAX_MD_SIZE];
  unsigned length = 0;

  *ret_fingerprint = (PhoneFingerprint) { .hash = hash };
  if (X509_digest (certificate, digest_of (hash), octets, &length) != 1 || length != phone_hash_length (hash))
    return FALSE;
  memcpy (ret_fingerprint->octets, octets, length);
  return TRUE;
}

/* The name says nothing about us; the serial number is random, as in RFC 5280 section 4.1.2.2. */
static gboolean
fill (X509 *certificate, EVP_PKEY *key)
{
  g_autofree char *name = g_strdup_printf ("%08x%08x", g_random_int (), g_random_int ());
  X509_NAME *subject = X509_get_subject_name (certificate);

  return X509_set_version (certificate, X509_VERSION_3) == 1
         && ASN1_INTEGER_set_uint64 (X509_get_serialNumber (certificate), (guint64) g_random_int () << 31 | g_random_int () >> 1) == 1
         && X509_NAME_add_entry_by_txt (subject, "CN", MBSTRING_ASC, (const guint8 *) name, -1, -1, 0) == 1
         && X509_set_issuer_name (certificate, subject) == 1
         && X509_gmtime_adj (X509_getm_notBefore (certificate), -VALID_BEFORE) != NULL
         && X509_gmtime_adj (X509_getm_notAfter (certificate), VALID_AFTER) != NULL && X509_set_pubkey (certificate, key) == 1
         && X509_sign (certificate, key, EVP_sha256 ()) > 0;
}

MediaCertificate *
media_certificate_new (GError **error)
{
  g_autoptr (MediaCertificate) self = g_new0 (MediaCertificate, 1);

  self->key = EVP_EC_gen ("P-256");
  self->certificate = X509_new ();
  if (self->key == NULL || self->certificate == NULL || !fill (self->certificate, self->key)
      || !media_certificate_fingerprint (self->certificate, PHONE_HASH_SHA256, &self->fingerprint))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "OpenSSL makes no certificate for DTLS");
      return NULL;
    }
  return g_steal_pointer (&self);
}

void
media_certificate_free (MediaCertificate *self)
{
  if (self == NULL)
    return;
  EVP_PKEY_free (self->key);            /* wipes */
  X509_free (self->certificate);
  g_free (self);
}
