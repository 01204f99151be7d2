/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The round trip for who sends nothing and so has no answer to a sender report (RFC 3611): a receiver says what time it is (section 4.4), and the
 * other side says when that was and how long ago it heard it (4.5). Both sides of it: ours is asked, and answers. Pure; a hostile
 * peer's packet is as good as any. */

#include <glib.h>

#define MEDIA_XR_TIMES_ASKED 4
#define MEDIA_XR_TIMES_LENGTH (8 + 12 + 16)     /* octets of a packet with both blocks */

typedef struct
{
  guint32 peer, reference;              /* who asked last, and with which time: 0: nobody, or answered */
  gint64 reference_at;                  /* monotonic us */
  gint64 asked[MEDIA_XR_TIMES_ASKED];   /* monotonic us of the last times that we said, 0: none, -1: answered; the newest first */
  gint64 heard_at;                      /* of the last answer, 0: none */
  double round_trip;                    /* ms; NAN: unknown */
} MediaXrTimes;

void media_xr_times_init (MediaXrTimes *times);
/* A compound of the peer's; ours: our SSRC. An answer to what we never said, or that comes before its time, is none. */
void media_xr_times_read (MediaXrTimes *times, const guint8 *compound, gsize length, guint32 ours, gint64 now);
/* What is to go out now, as one packet: an answer, if the peer has asked; our time, if we ask. Octets, 0: nothing. */
gsize media_xr_times_write (MediaXrTimes *times, guint32 ours, gboolean ask, gint64 now, guint8 ret_packet[MEDIA_XR_TIMES_LENGTH]);
/* ms; NAN: none, or none lately. */
double media_xr_times_get (const MediaXrTimes *times, gint64 now);
