/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The certificate that one call shows in DTLS: self-signed, ECDSA on P-256 (RFC 8827 section 6.5), kept in memory, made anew for every
 * call so that calls cannot be linked by it. What makes it trustworthy is its fingerprint in SDP. */

#include "core/dtls.h"
#include "util/phone-error.h"

#include <openssl/ssl.h>

typedef struct
{
  EVP_PKEY *key;
  X509 *certificate;
  PhoneFingerprint fingerprint;         /* sha-256 */
} MediaCertificate;

MediaCertificate *media_certificate_new (GError **error);       /* MEDIA_FAILED */
void media_certificate_free (MediaCertificate *certificate);    /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaCertificate, media_certificate_free)
/* FALSE: OpenSSL does not know the hash. */
gboolean media_certificate_fingerprint (X509 *certificate, PhoneHash hash, PhoneFingerprint *ret_fingerprint);
