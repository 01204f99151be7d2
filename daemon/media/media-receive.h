/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The receiving end of a call. media_receive_put() only stores packets; media_receive_pull(), called by the hub every 10 ms, decides through
 * playout-core, decodes, conceals and stretches. */

#include "core/offer-answer.h"
#include "media/media-codec.h"
#include "media/media-gaps.h"

typedef struct _MediaReceive MediaReceive;

typedef struct
{
  guint64 received, late, duplicates, fec_used, copies_used, concealed_samples, accelerated_samples, expanded_samples, played_samples;
  guint64 comfort_samples, resets;
  guint64 lost;                 /* packets whose time came and that had not */
  guint64 overflows;            /* packets dropped because nobody pulled */
  double target_ms, delay_ms;           /* wanted and actual */
  double level;                         /* dBFS of what was played last */
  MediaGapStats gaps;
  char codec[8];
} MediaReceiveStats;

/* Digits complete on the hub thread: the handler must hop to the main loop itself. */
typedef void (*MediaReceiveDtmf) (char digit, guint ms, gpointer data);

MediaReceive *media_receive_new (void);
void media_receive_free (MediaReceive *receive);        /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaReceive, media_receive_free)
/* An RTP packet, on the network's thread; it is copied. arrival: monotonic us, when it reached our socket. */
void media_receive_put (MediaReceive *receive, const guint8 *packet, gsize length, gint64 arrival);
/* Payload types that may arrive, live. Keeps decoders that stay. */
void media_receive_set_formats (MediaReceive *receive, const PhoneMediaPlan *plan);
void media_receive_set_dtmf_handler (MediaReceive *receive, MediaReceiveDtmf handler, gpointer data);
/* Hub thread. FALSE: nothing to play (no stream yet). */
gboolean media_receive_pull (MediaReceive *receive, gint16 *frame, gint64 now);
void media_receive_get_stats (MediaReceive *receive, MediaReceiveStats *ret_stats);
