/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Reports of voice quality on their way to the account's collector. Each is on the disk from the moment in which it is made until the collector has
 * taken or refused it, so that the end of the daemon costs none; it may cost the collector a report that it has already. */

#include "core/ports.h"

void phone_quality_send (PhoneAccount *account, const char *target, const char *body);
/* The account has begun: what an earlier life left goes out. */
void phone_quality_resume (PhoneAccount *account);
void phone_quality_forget (PhoneAccount *account);      /* all that is still to go out; the account is deleted */

/* Of signalling: the collector has taken that report, or it is given up. */
void phone_quality_on_reported (PhoneAccount *account, const char *id);
