/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what a person types to a complete SIP URI, by the account's settings. Pure. */

#include "core/account-settings.h"

/* sip:, sips:, user@host, tel: (RFC 3966), plain numbers and plain words; see phoned.conf(5) prefix and default-domain. Caller frees.
 * PHONE_ERROR_INVALID_TARGET says what is wrong. */
char *phone_dial_plan_resolve (const PhoneAccountSettings *settings, const char *target, GError **error);
