/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SDP text (RFC 8866) from and to PhoneMediaDesc, for one dialog. A UaSdp remembers what the text must keep
 * from one exchange to the next: our o= line with its version (RFC 3264 section 8) and the m-lines of the
 * session, whose number and order never change: we use one for audio and refuse the others with port 0.
 *
 *   their offer:   ua_sdp_read -> phone_answer_create -> ua_sdp_write_answer   (or 488: no trace)
 *   our offer:     phone_offer_create -> ua_sdp_write_offer -> ... -> ua_sdp_read -> phone_offer_complete
 *
 * Both write functions return text that may hold keys: the caller wipes it with ua_sdp_free_text(). Pure: no
 * I/O, no sofia. */

#include "core/offer-answer.h"
#include "util/phone-error.h"

#define UA_SDP_MAX_LENGTH (64 * 1024)
#define UA_SDP_MAX_MEDIA 64             /* m-lines */
#define UA_SDP_MAX_FORMATS 64           /* per m-line; the rest is not looked at */

typedef struct _UaSdp UaSdp;

UaSdp *ua_sdp_new (void);
void ua_sdp_free (UaSdp *sdp);                                          /* wipes; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (UaSdp, ua_sdp_free)

/* What the account takes, to choose among several audio m-lines: phones whose SRTP is optional offer one with
 * RTP/AVP and one with RTP/SAVP. Without this call: every codec, SRTP preferred, keys allowed, any keying. */
void ua_sdp_set_policy (UaSdp *sdp, const PhoneCodecId *codecs, guint n_codecs, PhoneSrtpPolicy srtp,
                        gboolean sdes_allowed, PhoneKeying keying);

/* Reads an offer or an answer. The audio m-line in use, else the best usable one (an encrypted one, then the
 * first), becomes *ret_desc (caller frees). Usable: port not 0, profile and a codec that the policy takes,
 * and a key where the profile wants one. If none is, the first audio line is returned as it stands and the
 * negotiation says what is missing. PHONE_ERROR_MEDIA_FAILED names the line and what is wrong with it, never
 * key material. An offer without any audio line (RFC 3264 section 5 allows it) is an error too. */
gboolean ua_sdp_read (UaSdp *sdp, const char *text, gsize length, PhoneMediaDesc **ret_desc, GError **error);

/* What the peer says later about the paths of its audio: see ua_sdp_fragment_read(). */
gboolean ua_sdp_read_fragment (const UaSdp *sdp, const char *text, gsize length, PhoneIceDesc *ret_ice, GError **error);

/* Answer to the offer read last, with all its m-lines in order (RFC 3264 section 6). The same answer again
 * gives the same text. */
char *ua_sdp_write_answer (UaSdp *sdp, const PhoneMediaDesc *answer);
/* Offer of ours: the m-lines of the session so far, the audio stream in its place. */
char *ua_sdp_write_offer (UaSdp *sdp, const PhoneMediaDesc *offer);
void ua_sdp_free_text (char *text);                                     /* accepts NULL */
