/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What one side of a session says about DTLS-SRTP (RFC 5763, RFC 8122, RFC 8842), as a value. No behaviour: compare, copy by
 * assignment. */

#include "util/phone-enum.h"

/* Names of RFC 8122 section 5, weakest first. */
#define PHONE_HASH_LIST(X) \
  X (PHONE_HASH_SHA1, "sha-1") X (PHONE_HASH_SHA224, "sha-224") X (PHONE_HASH_SHA256, "sha-256") \
  X (PHONE_HASH_SHA384, "sha-384") X (PHONE_HASH_SHA512, "sha-512")
PHONE_DECLARE_ENUM (PhoneHash, phone_hash, PHONE_HASH_LIST)
gsize phone_hash_length (PhoneHash hash);               /* octets: 20, 28, 32, 48, 64 */

/* Who sends the ClientHello (RFC 4145 section 4): the active side. */
#define PHONE_SETUP_LIST(X) \
  X (PHONE_SETUP_ACTPASS, "actpass") X (PHONE_SETUP_ACTIVE, "active") X (PHONE_SETUP_PASSIVE, "passive") \
  X (PHONE_SETUP_HOLDCONN, "holdconn")
PHONE_DECLARE_ENUM (PhoneSetup, phone_setup, PHONE_SETUP_LIST)

#define PHONE_MAX_HASH 64
#define PHONE_MAX_FINGERPRINTS 8
#define PHONE_MAX_TLS_ID 255            /* characters, RFC 8842 section 4: 20 to 255 */

typedef struct
{
  PhoneHash hash;
  guint8 octets[PHONE_MAX_HASH];        /* zero behind the hash's length */
} PhoneFingerprint;

/* All zero: no DTLS. */
typedef struct
{
  guint n_fingerprints;
  PhoneFingerprint fingerprints[PHONE_MAX_FINGERPRINTS];        /* of the certificates that this side may show */
  gboolean has_setup;
  PhoneSetup setup;                     /* valid with has_setup */
  char tls_id[PHONE_MAX_TLS_ID + 1];    /* "": not stated */
} PhoneDtlsDesc;

/* What both sides agreed on: one association (RFC 8842 section 3). */
typedef struct
{
  guint association;                    /* counts from 1; another number: shake hands anew */
  gboolean client;                      /* we are the active side */
  guint n_fingerprints;                 /* of the peer's certificate: one of them must fit */
  PhoneFingerprint fingerprints[PHONE_MAX_FINGERPRINTS];
  char tls_id[PHONE_MAX_TLS_ID + 1];    /* the peer's, "": it has none */
  char address[46];                     /* where the peer was when it began, "": by ICE */
  guint16 port;
} PhoneDtlsPlan;

gboolean phone_fingerprint_equal (const PhoneFingerprint *a, const PhoneFingerprint *b);
gboolean phone_dtls_desc_equal (const PhoneDtlsDesc *a, const PhoneDtlsDesc *b);
gboolean phone_dtls_plan_equal (const PhoneDtlsPlan *a, const PhoneDtlsPlan *b);
/* Those of the strongest hash, which alone count where a side names several (RFC 8122 section 5). */
guint phone_fingerprints_strongest (const PhoneDtlsDesc *dtls, PhoneFingerprint ret_fingerprints[PHONE_MAX_FINGERPRINTS]);
