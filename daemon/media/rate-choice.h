/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How long packets should be, and how good their speech, for so much on the wire. Pure.
 *
 * Both cost the listener something: few bits are heard, and a long packet is waited for twice, where it is spoken and where it passes the link. They
 * are weighed as points of 0.004 of ESTOI. */

#include <glib.h>

typedef struct
{
  double wire;                  /* bit/s that may be used, headers included */
  guint overhead;               /* octets of headers of a packet */
  double capacity;              /* bit/s of the link; 0: packets pass it in no time, as far as is known */
  double least, most;           /* bit/s of the codec */
  guint frame_ms;               /* as it is: another one must be worth the change */
} RateQuestion;

/* bit/s of headers. */
double rate_choice_overhead (guint octets, guint frame_ms);
/* Points; less is better. ret_bitrate: the best for packets of that length. */
double rate_choice_price (const RateQuestion *question, guint frame_ms, double *ret_bitrate);
