/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SRTP and SRTCP written down a second time, from the RFCs, on OpenSSL's primitives and for one packet at a time: what libsrtp and our
 * use of it must agree with. Checked itself against the vectors of RFC 3711 B.3, RFC 6188 7 and RFC 7714 16. */

#include "core/media-desc.h"

typedef struct
{
  guint8 cipher_key[32], auth_key[20], salt[14];
} SrtpReferenceKeys;

typedef struct
{
  gsize key, salt, rtp_tag, rtcp_tag;
  gboolean aead;
} SrtpReferenceSuite;

SrtpReferenceSuite srtp_reference_suite (PhoneSrtpSuite suite);
void srtp_reference_derive (const guint8 *master_key, gsize key_length, const guint8 *master_salt, gsize salt_length, gboolean rtcp,
                            SrtpReferenceKeys *ret_keys);
/* packet: plain RTP with a 12 octet header; returns the length of the protected one written to ret. */
gsize srtp_reference_aead (const SrtpReferenceKeys *keys, gsize key_length, const guint8 *packet, gsize length, guint32 roc,
                           guint8 *ret);
gsize srtp_reference_rtp (const PhoneSrtpKey *key, const guint8 *packet, gsize length, guint32 roc, guint8 *ret);
gsize srtp_reference_rtcp (const PhoneSrtpKey *key, const guint8 *packet, gsize length, guint32 index, guint8 *ret);
