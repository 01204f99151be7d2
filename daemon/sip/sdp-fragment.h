/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* application/trickle-ice-sdpfrag (RFC 8840 section 9): candidates of ICE that came after the description, in a body of INFO. It names the
 * credentials that they belong to and has, like SDP but without its first lines, an m-line for each stream that it speaks of. */

#include "core/ice.h"
#include "util/phone-error.h"

#define UA_SDP_FRAGMENT_TYPE "application/trickle-ice-sdpfrag"
#define UA_SDP_FRAGMENT_PACKAGE "trickle-ice"   /* Info-Package, and the option tag */
#define UA_SDP_FRAGMENT_MAX_LENGTH (16 * 1024)

/* What is said of the stream called mid; of the first for audio if mid is NULL or no stream has a name. Candidates as in ua_sdp_ice_read(). Without
 * such a stream there are none, but end_of_candidates may hold for all. PHONE_ERROR_MEDIA_FAILED: it is none, or has no
 * credentials. Pure. */
gboolean ua_sdp_fragment_read (const char *text, gsize length, const char *mid, PhoneIceDesc *ret_ice, GError **error);
