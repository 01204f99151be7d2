/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The half of offer/answer that is about ICE (RFC 8839). Used by offer-answer.c and by the call. */

#include "core/offer-answer.h"

/* The peer's description can be used for ICE: it has credentials, sees no mismatch of ours, and where it says that media go by default is
 * among its candidates. Where it is not, somebody on the way has rewritten it (section 4.2.5), and only plain RTP can be right. */
gboolean phone_media_paths_usable (const PhoneMediaDesc *desc);
/* The peer's credentials are other ones than those in force: it begins anew (section 4.4.1). */
gboolean phone_media_paths_restarted (const PhoneMediaPlan *running, const PhoneMediaDesc *desc);

void phone_media_paths_offer (const PhoneMediaCaps *caps, PhoneMediaDesc *offer);
void phone_media_paths_answer (const PhoneMediaCaps *caps, const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan);
void phone_media_paths_complete (const PhoneMediaDesc *offer, const PhoneMediaDesc *answer, PhoneMediaPlan *plan);
