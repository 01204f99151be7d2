/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static void
add_extension (X509 *certificate, X509 *issuer, int nid, const char *value)
{
  X509V3_CTX context;
  X509_EXTENSION *extension;

  X509V3_set_ctx (&context, issuer, certificate, NULL, NULL, 0);
  extension = X509V3_EXT_conf_nid (NULL, &context, nid, value);
  g_assert_nonnull (extension);
  g_assert_cmpint (X509_add_ext (certificate, extension, -1), ==, 1);
  X509_EXTENSION_free (extension);
}

BenchCert *
bench_cert_new (const BenchCertSpec *spec, const BenchCert *issuer)
{
  static long serial;
  BenchCert *cert = g_new0 (BenchCert, 1);
  X509 *x = cert->certificate = X509_new ();
  gboolean dated = spec->from != 0 || spec->until != 0;

  cert->key = EVP_EC_gen ("P-256");
  if (issuer == NULL)
    issuer = cert;
  X509_set_version (x, X509_VERSION_3);
  ASN1_INTEGER_set (X509_get_serialNumber (x), ++serial);
  X509_gmtime_adj (X509_getm_notBefore (x), (dated ? spec->from : -1) * 86400L);
  X509_gmtime_adj (X509_getm_notAfter (x), (dated ? spec->until : 1) * 86400L);
  X509_set_pubkey (x, cert->key);
  X509_NAME_add_entry_by_txt (X509_get_subject_name (x), "CN", MBSTRING_UTF8, (const guchar *) spec->name, -1, -1, 0);
  X509_set_issuer_name (x, X509_get_subject_name (issuer->certificate));
  add_extension (x, issuer->certificate, NID_basic_constraints, spec->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
  if (spec->san != NULL)
    add_extension (x, issuer->certificate, NID_subject_alt_name, spec->san);
  if (spec->usage != NULL)
    add_extension (x, issuer->certificate, NID_ext_key_usage, spec->usage);
  g_assert_cmpint (X509_sign (x, issuer->key, EVP_sha256 ()), >, 0);
  return cert;
}

void
bench_cert_free (BenchCert *cert)
{
  if (cert == NULL)
    return;
  X509_free (cert->certificate);
  EVP_PKEY_free (cert->key);
  g_free (cert);
}

void
bench_cert_write (const BenchCert *cert, gboolean with_key, const char *path)
{
  FILE *file = fopen (path, "w");

  g_assert_nonnull (file);
  PEM_write_X509 (file, cert->certificate);
  if (with_key)
    PEM_write_PrivateKey (file, cert->key, NULL, NULL, 0, NULL, NULL);
  fclose (file);
}
