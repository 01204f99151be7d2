/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* sip:, sips: (RFC 3261 section 19.1) and tel: (RFC 3966) URIs as values. Pure; what comes in is hostile.
 *
 * Parts are kept in canonical form, so that equality is a comparison of strings: escapes of unreserved characters are
 * undone, all other escapes stay and have upper-case digits (RFC 3261 section 19.1.4: reserved characters differ from their escapes),
 * host and parameter names are lower case, an IPv6 address is as inet_ntop() writes it. A password is dropped.
 *
 * More than the grammar is accepted in the user part where people and devices write it: '#' and UTF-8; both leave escaped. */

#include "util/phone-enum.h"
#include "util/phone-error.h"

#define PHONE_URI_MAX 1024              /* octets of a whole URI */
#define PHONE_URI_MAX_PARAMS 32         /* parameters, and as many headers */

#define PHONE_URI_SCHEME_LIST(X) X (PHONE_URI_SIP, "sip") X (PHONE_URI_SIPS, "sips") X (PHONE_URI_TEL, "tel")
PHONE_DECLARE_ENUM (PhoneUriScheme, phone_uri_scheme, PHONE_URI_SCHEME_LIST)

typedef struct
{
  char *name;
  char *value;                  /* NULL: the parameter has no value (;lr) */
} PhoneUriParam;

/* Read the members; change them through the functions, which keep the canonical form. */
typedef struct
{
  PhoneUriScheme scheme;
  char *user;                   /* escaped; tel: the number, digits (or * # A-F) with at most a leading +; NULL: none */
  char *host;                   /* no brackets round IPv6; NULL for tel */
  gboolean host_is_ipv6;
  guint16 port;                 /* 0: not stated */
  GPtrArray *params;            /* PhoneUriParam, in the order as found; never NULL */
  GPtrArray *headers;           /* PhoneUriParam with a value; never NULL; always empty for tel */
} PhoneUri;

/* INVALID_TARGET, and the message says what is wrong where, without repeating the URI (which may hold a password). */
PhoneUri *phone_uri_parse (const char *text, GError **error);
/* user: plain text (not escaped), NULL for none; host as in a URI (also with a port, which counts when port is 0) or a bare IPv6
 * address. For sip and sips. */
PhoneUri *phone_uri_new (PhoneUriScheme scheme, const char *user, const char *host, guint16 port, GError **error);
PhoneUri *phone_uri_copy (const PhoneUri *uri);
void phone_uri_free (PhoneUri *uri);                            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneUri, phone_uri_free)

char *phone_uri_to_string (const PhoneUri *uri);
/* RFC 3261 section 19.1.4 for SIP(S), RFC 3966 section 4 for tel. Not transitive: that is the RFC's doing. */
gboolean phone_uri_equal (const PhoneUri *a, const PhoneUri *b);
/* The user part as people read it, or NULL when there is none or it has no clean text form (control characters, not UTF-8). */
char *phone_uri_dup_user (const PhoneUri *uri);

gboolean phone_uri_has_param (const PhoneUri *uri, const char *name);
const char *phone_uri_get_param (const PhoneUri *uri, const char *name);        /* escaped; NULL: absent or without value */
/* name is a token; value plain text, NULL for a parameter without one. Replaces. At the limit of parameters nothing happens. */
void phone_uri_set_param (PhoneUri *uri, const char *name, const char *value);
void phone_uri_remove_param (PhoneUri *uri, const char *name);
