/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Certificates of every kind that a test asks for, made on the spot: P-256 keys, signed with SHA-256. */

#include <glib.h>
#include <openssl/x509.h>

typedef struct
{
  X509 *certificate;
  EVP_PKEY *key;
} BenchCert;

typedef struct
{
  const char *name;             /* common name; required */
  const char *san;              /* as in openssl.cnf: "DNS:a,URI:sip:b,IP:::1"; NULL: none */
  const char *usage;            /* extendedKeyUsage; NULL: none */
  gboolean is_ca;
  int from, until;              /* days from now; both 0: -1 to 1 */
} BenchCertSpec;

/* issuer NULL: self-signed. */
BenchCert *bench_cert_new (const BenchCertSpec *spec, const BenchCert *issuer);
void bench_cert_free (BenchCert *cert);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchCert, bench_cert_free)
/* PEM: the certificate, and its key if with_key. */
void bench_cert_write (const BenchCert *cert, gboolean with_key, const char *path);
