/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The attributes of DTLS-SRTP (a=fingerprint of RFC 8122, a=setup of RFC 4145, a=tls-id of RFC 8842) from and to PhoneDtlsDesc. */

#include "core/dtls.h"
#include "sip/slice.h"

/* Takes the attribute if it is one of these. What cannot be used is skipped with a line in the debug log. TRUE: it was one. */
gboolean ua_sdp_dtls_read (PhoneDtlsDesc *dtls, UaSlice name, UaSlice value);
/* What the session part says counts where the section is silent. */
void ua_sdp_dtls_merge (PhoneDtlsDesc *dtls, const PhoneDtlsDesc *session);
void ua_sdp_dtls_write (const PhoneDtlsDesc *dtls, GString *text);
/* Longest text that is appended. */
#define UA_SDP_DTLS_MAX_TEXT (512 + PHONE_MAX_FINGERPRINTS * (32 + 3 * PHONE_MAX_HASH))
