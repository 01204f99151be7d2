/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The half of offer/answer that is about protection: which RTP profile is used, and the agreement on keys by SDES
 * (RFC 4568) or DTLS (RFC 5763). Used by offer-answer.c only. Each function fills in profile and cryptos of the description it
 * is given, and the keys of the plan. */

#include "core/offer-answer.h"

gboolean phone_media_security_offer (const PhoneMediaCaps *caps, const PhoneMediaDesc *previous,
                                     gboolean new_keys, PhoneMediaDesc *offer, GError **error);
gboolean phone_media_security_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                                      const PhoneMediaDesc *previous, PhoneMediaDesc *answer,
                                      PhoneMediaPlan *plan, GError **error);
gboolean phone_media_security_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer,
                                        const PhoneMediaDesc *answer, PhoneMediaPlan *plan, GError **error);
