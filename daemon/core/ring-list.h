/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which ring a call gets: the setting [audio] rings, "WORD=RING,...". What a caller's Alert-Info says (RFC 3261 section 20.4, RFC 7462) is
 * a text that chooses among the user's own rings: nothing is ever fetched. A word fits where it is part of
 * the text; with * and ? in it, as a pattern for all of it. Pure. */

#include "core/ports.h"
#include "util/phone-error.h"

/* The list as it is kept; NULL with INVALID_OPTION. Caller frees. */
char *phone_ring_list_check (const char *text, GError **error);
/* words: what the call says of itself, separated by spaces, lower case; may be NULL. The first rule that fits one decides; none does: PHONE_TONE_RING.
 * *ret_sound: a WAV file (caller frees), NULL: the tone itself. PHONE_TONE_NONE: no sound. */
PhoneTone phone_ring_list_choose (const char *list, const char *words, char **ret_sound);
