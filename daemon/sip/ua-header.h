/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Small pieces of messages that sofia leaves to us, as pure functions: no sofia types, no I/O; what comes in is hostile. */

#include "core/answer-wish.h"

#define UA_MAX_PHRASE 128               /* characters of a reason phrase that go further than the log */
#define UA_MAX_AUTO_ANSWER_S 60

/* A digit in an INFO: application/dtmf-relay (Signal=5, Duration=160) and application/dtmf (5). Events 10 and 11 are * and #.
 * *ret_ms is 0 when none was named. FALSE: not a digit. */
gboolean ua_dtmf_info_parse (const char *content_type, const char *body, gsize length, char *ret_digit, guint *ret_ms);
/* Body of application/dtmf-relay. Caller frees. */
char *ua_dtmf_info_write (char digit, guint ms);

/* Who shall answer: Priv-Answer-Mode and Answer-Mode (RFC 5373), else Call-Info: ...;answer-after=N, Alert-Info: ...;info=alert-autoanswer or
 * ...;info=RingAnswer. Any may be NULL. */
PhoneAnswerWish ua_answer_wish (const char *call_info, const char *alert_info, const char *answer_mode, const char *priv_answer_mode);

/* What Alert-Info says: every URI, and what stands for one, and every info parameter; in lower case, separated by spaces, at most
 * UA_MAX_ALERT octets. NULL: nothing. Caller frees. */
#define UA_MAX_ALERT 256
char *ua_alert_words (const char *alert_info);

/* The last party that diverted the call: first Diversion (RFC 5806) value, else the last entry but one of History-Info
 * (RFC 7044) that has a cause. URI; NULL: nobody did. Caller frees. */
char *ua_diverter (const char *diversion, const char *history_info);

/* Cuts a header value with several entries at the commas outside quotes and angle brackets. At most 32. */
char **ua_header_split (const char *value);
/* TRUE if text may stand in a header: no control characters, and so no end of line. */
gboolean ua_header_is_safe (const char *text);
