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

/* A folder with what the tests of TLS need, made once per program. */
typedef struct
{
  char *directory;
  BenchCert *ca, *intermediate, *other_ca;
  char *ca_path, *other_ca_path;                /* certificates */
  char *client_path, *other_client_path;        /* certificate and key, by ca and by other_ca */
  char *empty_path;
} BenchAuthorities;

extern BenchAuthorities bench_authorities;
void bench_authorities_make (void);
void bench_authorities_remove (void);
/* Into the folder; returns the path. Caller frees, and unlinks the file. */
char *bench_authorities_write (const BenchCert *cert, gboolean with_key, const char *name);
