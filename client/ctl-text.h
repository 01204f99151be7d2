/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Text of others on its way to a terminal, and times for people. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* The character at `text` (NUL-terminated UTF-8): its code point, and in *ret_length its octets. What is not UTF-8 (RFC 3629: overlong
 * forms, surrogates, beyond U+10FFFF, cut short) gives -1 and length 1. At the end 0 and length 0. */
int32_t ctl_text_next (const char *text, size_t *ret_length);
/* Would this character act on a terminal, or make text read other than it is? Controls (C0, DEL, C1), line and paragraph separators,
 * and the marks that turn the direction of writing (Unicode UAX #9) or that nobody sees. */
bool ctl_text_is_unsafe (int32_t character);
/* Made safe: every character that is unsafe, or no UTF-8, becomes U+FFFD. Caller frees. */
char *ctl_text_clean (const char *text);

/* "0:07", "61:02", "1:00:00"; caller frees. */
char *ctl_text_duration (uint64_t seconds);
/* "now", "in 1 min 30 s", "2 h 5 min ago", "3 d ago"; caller frees. */
char *ctl_text_relative (time_t when, time_t now);
/* Local time with the relative one: "2026-11-23 04:29:00 (in 1 min)"; caller frees. */
char *ctl_text_time (time_t when, time_t now);

/* What people type. "7d", "12h", "30m": s, at most 100000 of them; YYYY-MM-DD[THH:MM[:SS]], local: Unix s. -1: it is neither. */
time_t ctl_read_span (const char *text);
time_t ctl_read_date (const char *text);
