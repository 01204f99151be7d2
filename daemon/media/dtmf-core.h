/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Telephone events, RFC 4733: the schedule of a sender and the bookkeeping of a receiver. Pure: packets and times in, packets and digits
 * out. Both are plain structs; zero is the initial state. */

#include <glib.h>

#define DTMF_PAYLOAD 4                  /* octets */
#define DTMF_MAX_QUEUE 64
#define DTMF_MIN_MS 40
#define DTMF_PAUSE_MS 50

/* Event code 0..15 of a digit (0-9 * # A-D, small letters too), -1 for any other character; and back, 0 for other events. */
int dtmf_code (char digit);
char dtmf_digit (guint code);

/* ---- sender ---- */

typedef struct
{
  struct { guint8 code; guint16 ms; } queue[DTMF_MAX_QUEUE];
  guint first, count;
  gboolean active;              /* an event is under way */
  guint32 timestamp;            /* of its beginning */
  guint elapsed, ends_sent;     /* ms so far; packets sent with the E bit */
  guint pause;                  /* ms before the next may begin */
} DtmfSender;

/* All digits or none. FALSE: a character is no digit, or the queue is full. ms is taken into DTMF_MIN_MS .. 0xffff ticks of the clock. */
gboolean dtmf_sender_queue (DtmfSender *sender, const char *digits, guint ms);
/* The packet for the ms of media that begin at timestamp. TRUE: this event packet goes out in place of audio. timestamp in
 * *ret_timestamp is that of the event, the same in all its packets. */
gboolean dtmf_sender_step (DtmfSender *sender, guint ms, guint32 timestamp, guint clock_rate, guint8 ret_payload[DTMF_PAYLOAD],
                           guint32 *ret_timestamp, gboolean *ret_marker);
/* The payload format changes: what is under way ends here (the receiver's time-out completes it), what is queued stays. */
void dtmf_sender_break (DtmfSender *sender);

/* ---- receiver ---- */

#define DTMF_TIMEOUT_US (150 * 1000)
#define DTMF_MAX_DONE 8

typedef struct
{
  gboolean active;
  guint8 code;
  guint32 start, segment;       /* timestamps of the event and of its present segment (RFC 4733 section 2.5.1.3) */
  guint duration;               /* of the segment */
  guint clock_rate;
  gint64 heard;                 /* us, last packet */
  gboolean any_done;
  guint32 done;                 /* timestamp of the last segment of the last event that ended */
  guint n_ready;
  struct { char digit; guint ms; } ready[DTMF_MAX_DONE];
} DtmfReceiver;

/* Bad payloads are ignored. now: us, of any clock that goes forward. */
void dtmf_receiver_packet (DtmfReceiver *receiver, const guint8 *payload, gsize length, guint32 timestamp, guint clock_rate, gint64 now);
/* Ends an event whose end was lost. */
void dtmf_receiver_poll (DtmfReceiver *receiver, gint64 now);
/* Takes the oldest complete digit. */
gboolean dtmf_receiver_take (DtmfReceiver *receiver, char *ret_digit, guint *ret_ms);
