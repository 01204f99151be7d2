/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-certs.h"

#include <glib/gstdio.h>
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
  X509_NAME_add_entry_by_txt (X509_get_subject_name (x), "CN", MBSTRING_UTF8, (const guchar *)spec->name, -1,
                              -1, 0);
  X509_set_issuer_name (x, X509_get_subject_name (issuer->certificate));
  add_extension (x, issuer->certificate, NID_basic_constraints,
                 spec->is_ca ? "critical,CA:TRUE" : "CA:FALSE");
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

/* ---- authorities ---- */

BenchAuthorities bench_authorities;

char *
bench_authorities_write (const BenchCert *cert, gboolean with_key, const char *name)
{
  char *path = g_build_filename (bench_authorities.directory, name, NULL);

  bench_cert_write (cert, with_key, path);
  return path;
}

void
bench_authorities_make (void)
{
  BenchAuthorities *a = &bench_authorities;
  const BenchCertSpec ca = { .name = "Test CA", .is_ca = TRUE, .from = -30, .until = 30 };
  const BenchCertSpec intermediate = { .name = "Test Intermediate", .is_ca = TRUE, .from = -30, .until = 30 };
  const BenchCertSpec other_ca = { .name = "Other CA", .is_ca = TRUE, .from = -30, .until = 30 };
  g_autoptr (BenchCert) client = NULL, other_client = NULL;
  g_autoptr (GError) error = NULL;

  a->directory = g_dir_make_tmp ("tls-XXXXXX", &error);
  g_assert_no_error (error);
  a->ca = bench_cert_new (&ca, NULL);
  a->intermediate = bench_cert_new (&intermediate, a->ca);
  a->other_ca = bench_cert_new (&other_ca, NULL);
  client = bench_cert_new (&(BenchCertSpec) { .name = "alice", .usage = "clientAuth" }, a->ca);
  other_client = bench_cert_new (&(BenchCertSpec) { .name = "mallory", .usage = "clientAuth" }, a->other_ca);
  a->ca_path = bench_authorities_write (a->ca, FALSE, "ca.pem");
  a->other_ca_path = bench_authorities_write (a->other_ca, FALSE, "other-ca.pem");
  a->client_path = bench_authorities_write (client, TRUE, "client.pem");
  a->other_client_path = bench_authorities_write (other_client, TRUE, "other-client.pem");
  a->empty_path = g_build_filename (a->directory, "empty.pem", NULL);
  g_file_set_contents (a->empty_path, "", 0, &error);
  g_assert_no_error (error);
}

void
bench_authorities_remove (void)
{
  BenchAuthorities *a = &bench_authorities;
  char *paths[] = { a->ca_path, a->other_ca_path, a->client_path, a->other_client_path, a->empty_path };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_unlink (paths[i]);
      g_free (paths[i]);
    }
  g_rmdir (a->directory);
  g_free (a->directory);
  bench_cert_free (a->ca);
  bench_cert_free (a->intermediate);
  bench_cert_free (a->other_ca);
}
