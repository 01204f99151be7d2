/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* From what a person types to a complete SIP URI, by the account's settings. Pure.
 *
 *   sip:bob@example.org        stays as it is (parameters too); sips: only where the account uses TLS,
 *                                                                          ;transport=, without a server, only as the account has it
 *   bob@example.org            sip:bob@example.org
 *   bob                        sip:bob@DOMAIN                              DOMAIN: default-domain, else that of the AoR
 *   030-1234, (030)12.34       sip:PREFIX0301234@DOMAIN;user=phone         unless PREFIX is there already; spaces are refused
 *   +49(30)1234                sip:+49301234@DOMAIN;user=phone             no prefix before +
 *   112 and the like           sip:112@DOMAIN;user=phone                   no prefix before an emergency number
 *   *97, *31#0301234           sip:*97@DOMAIN                              no prefix for service codes, and no user=phone
 *   tel:+49-30-1234;ext=5      sip:+49301234;ext=5@DOMAIN;user=phone       RFC 3261 section 19.1.6
 *   urn:service:sos[.fire]     as the emergency number 112 or 911          RFC 5031; by country */

#include "core/account-settings.h"

#define PHONE_DIAL_MAX 256              /* octets of a target */

/* Caller frees. PHONE_ERROR_INVALID_TARGET says what is wrong. The country that decides about emergency numbers is the account's, else the
 * given one (ISO 3166-1 alpha-2, may be NULL). */
char *phone_dial_plan_resolve_in (const PhoneAccountSettings *settings, const char *target, const char *country, GError **error);
char *phone_dial_plan_resolve (const PhoneAccountSettings *settings, const char *target, GError **error);
/* A code of the server's services as it stands, whatever is put before numbers; a complete address as it would be dialled. */
char *phone_dial_plan_resolve_code (const PhoneAccountSettings *settings, const char *code, GError **error);
