/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The value of an a=crypto attribute (RFC 4568 section 9): one SRTP key for one suite. Pure. */

#include "core/media-desc.h"
#include "sip/slice.h"

/* Longest text of ua_sdes_format(): tag, suite, key, lifetime, MKI, each with its separator. */
#define UA_SDES_MAX_TEXT 192

/* value: what follows "a=crypto:". FALSE: this line cannot be used, *ret_why (static, free of key material)
 * says why: it is malformed, or asks for a suite or a session parameter that we do not have. *ret_key is then
 * wiped. */
gboolean ua_sdes_parse (UaSlice value, PhoneSrtpKey *ret_key, const char **ret_why);
void ua_sdes_format (const PhoneSrtpKey *key, GString *text);   /* appends the value, without "a=crypto:" */
