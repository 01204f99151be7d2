/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The receiving end of a call's graph: a GstElement with one sink pad for RTP (behind rtpsession). Its chain function only stores
 * packets; media_receive_pull(), called by the hub every 10 ms, decides through playout-core, decodes, conceals and stretches. */

#include <gst/gst.h>
#include "core/offer-answer.h"
#include "media/media-codec.h"
#include "media/media-gaps.h"

#define MEDIA_TYPE_RECEIVE (media_receive_get_type ())
G_DECLARE_FINAL_TYPE (MediaReceive, media_receive, MEDIA, RECEIVE, GstElement)

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

/* A floating reference, as elements have. Arrival times: see media-packet.h. */
MediaReceive *media_receive_new (void);
/* Payload types that may arrive, live. Keeps decoders that stay. */
void media_receive_set_formats (MediaReceive *receive, const PhoneMediaPlan *plan);
void media_receive_set_dtmf_handler (MediaReceive *receive, MediaReceiveDtmf handler, gpointer data);
/* Hub thread. FALSE: nothing to play (no stream yet). */
gboolean media_receive_pull (MediaReceive *receive, gint16 *frame, gint64 now);
void media_receive_get_stats (MediaReceive *receive, MediaReceiveStats *ret_stats);
