/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* name-addr and addr-spec of RFC 3261 section 25.1: what stands in From, To, Contact, P-Asserted-Identity, Diversion ...
 * One value; a header with several is cut before. Pure; what comes in is hostile. */

#include "util/phone-uri.h"

#define PHONE_NAME_ADDR_MAX 2048        /* octets of the whole value */
#define PHONE_DISPLAY_MAX 128           /* characters of a display name; a longer one is cut */

typedef struct
{
  char *display;                /* unquoted, clean UTF-8 (util/text.h); NULL: none */
  PhoneUri *uri;
  GPtrArray *params;            /* PhoneUriParam: those of the header, unquoted, names in lower case; never NULL */
} PhoneNameAddr;

/* INVALID_TARGET. Without angle brackets what follows ';' belongs to the header, not to the URI (RFC 3261 section 20). */
PhoneNameAddr *phone_name_addr_parse (const char *text, GError **error);
void phone_name_addr_free (PhoneNameAddr *addr);                /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneNameAddr, phone_name_addr_free)

const char *phone_name_addr_get_param (const PhoneNameAddr *addr, const char *name);    /* NULL: absent or without value */
/* "display" <uri>, always with angle brackets; display may be NULL and is cleaned and quoted. Caller frees. */
char *phone_name_addr_build (const char *display, const PhoneUri *uri);
