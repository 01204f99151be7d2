/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Bodies that were made smaller on the way (Content-Encoding, RFC 3261 section 20.12). linphone deflates its reports without asking. Pure. */

#include <glib.h>

#define UA_CODINGS "identity, deflate, gzip"    /* for Accept-Encoding */

/* The octets behind a coding, at most max of them. Returns 0, or the status to answer with: 415, the coding is not known; 400, the body is not
 * what it says; 413, there is more. Caller frees. */
guint ua_content_decode (const char *coding, const char *data, gsize length, gsize max, char **ret_data, gsize *ret_length);
