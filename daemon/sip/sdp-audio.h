/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One audio section of an SDP text as PhoneMediaDesc, and back. Used by sdp.c only. */

#include "sip/sdp-dtls.h"
#include "sip/sdp-feedback.h"
#include "sip/sdp-ice.h"
#include "sip/sdp-scan.h"

/* What the session part says for every section that does not speak for itself: direction, ptime, keys, DTLS, ICE. Caller
 * frees. */
PhoneMediaDesc *ua_sdp_audio_read_session (const UaSdpScan *scan);
/* What the section says. NULL with error: it says something impossible. */
PhoneMediaDesc *ua_sdp_audio_read (const UaSdpScan *scan, const UaSdpSection *section,
                                   const PhoneMediaDesc *session, GError **error);
/* Appends m= and its attributes; c= is the session's. mid may be NULL. */
void ua_sdp_audio_write (const PhoneMediaDesc *desc, const char *mid, GString *text);
/* Longest text that ua_sdp_audio_write() appends, mid aside. */
#define UA_SDP_AUDIO_MAX_TEXT (8192 + UA_SDP_DTLS_MAX_TEXT + UA_SDP_ICE_MAX_TEXT + UA_SDP_FEEDBACK_MAX_TEXT)
