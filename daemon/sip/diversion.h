/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Who sent a call on, and why: Diversion (RFC 5806) and History-Info (RFC 7044), as pure functions on header values. What comes in is hostile
 * and may be NULL. reason is a word of RFC 5806: unconditional, user-busy, no-answer, deflection. */

#include <glib.h>

/* How often the call was sent on before, as the header that says more says it. */
guint ua_diversion_count (const char *diversion, const char *history);
/* Whether aor, a URI, is one of those who did. */
gboolean ua_diversion_names (const char *diversion, const char *history, const char *aor);
/* What a caller who was sent on passes on of the value in the answer that did: entries that can be read, not too many of them. NULL: none. Caller
 * frees. */
char *ua_diversion_keep (const char *value);
/* The value with one more entry: in front. Caller frees. */
char *ua_diversion_add (const char *diversion, const char *aor, const char *reason);
/* The value with the two entries for request_uri (unless it is the last one there) and target: at the end. NULL: a URI cannot be read, or the header
 * is as long as it may get. Caller frees. */
char *ua_history_add (const char *history, const char *request_uri, const char *target, const char *reason);
