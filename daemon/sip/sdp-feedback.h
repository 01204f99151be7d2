/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* a=rtcp-fb (RFC 4585, RFC 5104, RFC 8888), a=rtcp-xr (RFC 3611) and a=extmap (RFC 8285) from and to PhoneMediaDesc: what RTP and RTCP carry beside the sound. */

#include "core/media-desc.h"
#include "sip/slice.h"

/* Takes the attribute if it is one of these; what does not concern an audio stream of ours is passed over. TRUE: it was one. */
gboolean ua_sdp_feedback_read (PhoneMediaDesc *desc, UaSlice name, UaSlice value);
void ua_sdp_feedback_write (const PhoneMediaDesc *desc, GString *text);
/* Longest text that is appended. */
#define UA_SDP_FEEDBACK_MAX_TEXT (64 + PHONE_MAX_FEEDBACK * 64 + PHONE_MAX_EXTENSIONS * 128)
