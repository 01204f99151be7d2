/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The attributes of ICE (RFC 8839, RFC 8840, RFC 6544) from and to PhoneIceDesc. */

#include "core/ice.h"
#include "sip/slice.h"

/* Takes the attribute if it is one of ICE's. What cannot be used is skipped with a line in the debug log. session: it stands before the
 * first m-line, where candidates mean nothing. TRUE: it was one. */
gboolean ua_sdp_ice_read (PhoneIceDesc *ice, UaSlice name, UaSlice value, gboolean session);
/* After the last attribute: what the session part says counts where the section is silent, and without both ufrag and pwd there is no
 * ICE. */
void ua_sdp_ice_merge (PhoneIceDesc *ice, const PhoneIceDesc *session);
/* value of a=candidate. FALSE with *ret_why (static): not usable. */
gboolean ua_sdp_candidate_parse (UaSlice value, PhoneCandidate *ret_candidate, const char **ret_why);

void ua_sdp_ice_write_session (const PhoneIceDesc *ice, GString *text);
void ua_sdp_ice_write (const PhoneIceDesc *ice, GString *text);
/* Longest text that the two append. */
#define UA_SDP_ICE_MAX_TEXT (1024 + 256 * PHONE_ICE_MAX_CANDIDATES + 80 * PHONE_ICE_MAX_REMOTE)
