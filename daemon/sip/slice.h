/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A piece of somebody else's text, not NUL-terminated and not owned: what the SDP and SDES parsers walk on
 * without copying (a copy of key material would have to be wiped). */

#include <glib.h>

typedef struct
{
  const char *at;
  gsize length;
} UaSlice;

/* Cuts the first space- or tab-separated word off *rest. FALSE: none is left. */
gboolean ua_slice_word (UaSlice *rest, UaSlice *ret_word);
/* Cuts off what stands before the first `separator`, or everything. FALSE: *rest was empty. */
gboolean ua_slice_until (UaSlice *rest, char separator, UaSlice *ret_part);
UaSlice ua_slice_trim (UaSlice slice);                                  /* without blanks at both ends */
/* ASCII letters compare without case. */
gboolean ua_slice_is (UaSlice slice, const char *text);
gboolean ua_slice_starts_with (UaSlice slice, const char *prefix);
/* Digits only, at most `max`. */
gboolean ua_slice_number (UaSlice slice, guint64 max, guint64 *ret_value);
/* All octets printable ASCII other than space, at least one: safe to repeat on the wire. */
gboolean ua_slice_is_token (UaSlice slice);
/* For messages: at most 32 octets, what is not printable ASCII as '?'. Caller frees. */
char *ua_slice_quote (UaSlice slice);
