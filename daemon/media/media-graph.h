/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The GStreamer side of one call: a pipeline of our transport, rtpsession, our receiver and our sender. It is built once and never
 * rebuilt; a re-INVITE changes what its elements do.
 *
 *   transport.rtp_src  -> rtpsession.recv_rtp  -> MediaReceive      (pulled by the hub)
 *   transport.rtcp_src -> rtpsession.recv_rtcp
 *   MediaSend (pushed by the hub) -> rtpsession.send_rtp -> sink.rtp_sink        (the transport's way out)
 *                                    rtpsession.send_rtcp -> sink.rtcp_sink
 */

#include "media/media-receive.h"
#include "media/media-send.h"
#include "media/media-transport.h"

typedef struct _MediaGraph MediaGraph;

/* What RTCP and the RTP session know. Unknown numbers are NAN or -1. */
typedef struct
{
  guint64 received;                     /* of the source that plays now */
  gint64 lost;
  double jitter;                        /* ms, ours */
  gboolean have_report;                 /* the peer reported on us */
  guint32 report_serial;                /* changes with every new report */
  double report_loss, report_jitter, round_trip;        /* 0..1, in RTP clock units, ms */
} MediaGraphStats;

/* Any thread but the main one: hop. message: static or copied by the handler. */
typedef void (*MediaGraphFailed) (const char *message, gpointer data);

/* Puts the transport into the graph (another reference). Everything stands in NULL state. */
MediaGraph *media_graph_new (MediaTransport *transport, MediaGraphFailed failed, gpointer data, GError **error);
MediaReceive *media_graph_get_receive (MediaGraph *graph);              /* borrowed, as the next two */
MediaSend *media_graph_get_send (MediaGraph *graph);
MediaTransport *media_graph_get_transport (MediaGraph *graph);
/* Clock rates of the payload types that may arrive. Live. */
void media_graph_set_formats (MediaGraph *graph, const PhoneMediaPlan *plan);
/* Other reports say what is urgent: a compound of 150 octets is 30 ms of a narrow link. Live. */
void media_graph_set_sparing (MediaGraph *graph, gboolean sparing);
gboolean media_graph_start (MediaGraph *graph, GError **error);
void media_graph_get_stats (MediaGraph *graph, guint32 remote_ssrc, MediaGraphStats *ret_stats);
/* Says BYE, stops all threads of the graph. Blocks; not on the main thread. */
void media_graph_stop (MediaGraph *graph);
/* Names the elements that have not come to rest, and in which state they are; NULL: all have. The caller frees. */
char *media_graph_find_stuck (MediaGraph *graph);
void media_graph_free (MediaGraph *graph);              /* after media_graph_stop(), or if it was never started; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaGraph, media_graph_free)
