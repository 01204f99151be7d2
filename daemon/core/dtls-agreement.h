/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The DTLS-SRTP half of protection: roles, fingerprints and when a handshake is due. Used by media-security.c only. */

#include "core/offer-answer.h"

void phone_dtls_offer (const PhoneMediaCaps *caps, PhoneMediaDesc *offer);
/* The peer's offer has DTLS in it. FALSE with error: not in a way that we can answer. */
gboolean phone_dtls_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan,
                            GError **error);
gboolean phone_dtls_complete (const PhoneMediaCaps *caps, const PhoneMediaDesc *answer, PhoneMediaPlan *plan, GError **error);
