/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The half of offer/answer that is about telling a sender when its packets came (RFC 8888, WebRTC's transport-cc). Used by offer-answer.c. */

#include "core/offer-answer.h"

/* After the profile has been chosen. */
void phone_media_feedback_offer (const PhoneMediaDesc *previous, PhoneMediaDesc *offer);
void phone_media_feedback_answer (const PhoneMediaDesc *offer, PhoneMediaDesc *answer, PhoneMediaPlan *plan);
void phone_media_feedback_complete (const PhoneMediaDesc *offer, const PhoneMediaDesc *answer, PhoneMediaPlan *plan);
