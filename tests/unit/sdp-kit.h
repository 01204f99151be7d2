/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the tests of SDP text share. */

#include "core/offer-answer.h"
#include "sip/sdp.h"

#define HEAD "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n"
#define KEY30 "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj"
#define OTHER30 "inline:NzB4d1BINUAvLEw6UzF3WSJ+PSdFcGdUJShpX1Zj"
#define KEY44 "inline:QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXI="

/* One phone in one dialog. */
typedef struct
{
  UaSdp *sdp;
  PhoneMediaCaps caps;
  PhoneMediaDesc *local;
  PhoneMediaPlan *plan;
} KitSide;

PhoneMediaCaps kit_caps (const char *address, guint16 port, PhoneSrtpPolicy srtp);     /* all codecs, Opus first */
/* Reads text; a failure ends the test. */
PhoneMediaDesc *kit_read_with (UaSdp *sdp, const char *text);
PhoneMediaDesc *kit_read (const char *text);                                           /* in a dialog of its own */
/* Reads the offer and answers it: text of the answer. ret_plan may be NULL. */
char *kit_answer (UaSdp *sdp, const PhoneMediaCaps *caps, const char *offer, const PhoneMediaDesc *previous,
                  PhoneMediaPlan **ret_plan);

void kit_expect (const char *text, const char *part);
void kit_expect_not (const char *text, const char *part);
char *kit_media_lines (const char *text);                               /* the m-lines in order, one per line */
guint64 kit_version (const char *text, guint64 *ret_id);                /* of o= in a text of 192.0.2.1 */

void kit_side_set (KitSide *side, PhoneMediaDesc *local, PhoneMediaPlan *plan);        /* takes both over */
void kit_side_clear (KitSide *side);
