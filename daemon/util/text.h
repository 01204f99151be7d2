/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text from the wire, made fit for D-Bus, terminals and logs. */

#include <glib.h>

/* A copy of at most max_chars characters: valid UTF-8 (what is not becomes U+FFFD), control characters (C0, DEL, C1, line and paragraph
 * separators) become spaces, white space at both ends goes. length -1: NUL-terminated. NULL when nothing is left. */
char *phone_text_clean (const char *data, gssize length, gsize max_chars);

/* The same for text of several lines: line feed and tab stay, every end of a line becomes a line feed; white space stays as it is. Never
 * NULL. */
char *phone_text_clean_lines (const char *data, gsize length, gsize max_chars);

/* TRUE for valid UTF-8 without any control character. */
gboolean phone_text_is_clean (const char *text);
gboolean phone_text_is_clean_lines (const char *text);          /* line feed and tab may be in it */

/* How error messages name one octet: 'x' when it is printable ASCII, else 0x0d. Static per thread until the next call. */
const char *phone_text_octet (guchar octet);
