/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-graph.h"

#include <math.h>
#include <pthread.h>
#include <sys/random.h>

#include "media/media-thread.h"

#define REPORT_INTERVAL (500 * GST_MSECOND)
#define SPARE_INTERVAL (2500 * GST_MSECOND)
#define BYE_TIME (150 * 1000)           /* us that a BYE may take until it is out */

struct _MediaGraph
{
  GstElement *pipeline;
  GstElement *session;
  MediaTransport *transport;
  GstElement *sink;
  MediaReceive *receive;
  MediaSend *send;
  GstPad *send_rtp_sink;
  gboolean started;
  MediaGraphFailed failed;
  gpointer failed_data;

  pthread_mutex_t lock;
  guint clock_rates[128];               /* by payload type, 0: may not arrive */
};

static GstCaps *
on_request_pt_map (GstElement *session, guint payload_type, gpointer data)
{
  MediaGraph *graph = data;

  pthread_mutex_lock (&graph->lock);
  guint rate = payload_type < 128 ? graph->clock_rates[payload_type] : 0;
  pthread_mutex_unlock (&graph->lock);
  if (rate == 0)
    return NULL;
  return gst_caps_new_simple ("application/x-rtp", "media", G_TYPE_STRING, "audio", "clock-rate", G_TYPE_INT, (int) rate, "payload",
                              G_TYPE_INT, (int) payload_type, NULL);
}

/* Nobody polls this bus; an error is the only message that means anything here. */
static GstBusSyncReply
on_bus_message (GstBus *bus, GstMessage *message, gpointer data)
{
  MediaGraph *graph = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;
      gst_message_parse_error (message, &error, NULL);
      g_autofree char *text = g_strdup_printf ("%s: %s", GST_MESSAGE_SRC_NAME (message), error->message);
      graph->failed (text, graph->failed_data);
    }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* RFC 7022 section 4.2: 96 random bits; rtpsession's own CNAME carries the names of user and host. */
static void
set_sdes (GstElement *session)
{
  guint8 random[12];

  if (getrandom (random, sizeof random, 0) != sizeof random)
    for (guint i = 0; i < sizeof random; i++)
      random[i] = (guint8) g_random_int ();
  g_autofree char *cname = g_base64_encode (random, sizeof random);
  g_autoptr (GstStructure) sdes = gst_structure_new ("application/x-rtp-source-sdes", "cname", G_TYPE_STRING, cname, NULL);
  g_object_set (session, "sdes", sdes, NULL);
}

static gboolean
link_pads (MediaGraph *graph)
{
  GstElement *transport = GST_ELEMENT (graph->transport), *receive = GST_ELEMENT (graph->receive);
  GstElement *send = GST_ELEMENT (graph->send);

  return gst_element_link_pads (transport, "rtp_src", graph->session, "recv_rtp_sink")
         && gst_element_link_pads (graph->session, "recv_rtp_src", receive, "sink")
         && gst_element_link_pads (transport, "rtcp_src", graph->session, "recv_rtcp_sink")
         && gst_element_link_pads (send, "src", graph->session, "send_rtp_sink")
         && gst_element_link_pads (graph->session, "send_rtp_src", graph->sink, "rtp_sink")
         && gst_element_link_pads (graph->session, "send_rtcp_src", graph->sink, "rtcp_sink");
}

static void
on_wake (gpointer data)
{
  media_transport_wake (data);
}

MediaGraph *
media_graph_new (MediaTransport *transport, MediaGraphFailed failed, gpointer data, GError **error)
{
  g_autoptr (MediaGraph) graph = g_new0 (MediaGraph, 1);

  media_mutex_init (&graph->lock);
  graph->failed = failed;
  graph->failed_data = data;
  graph->pipeline = gst_object_ref_sink (gst_pipeline_new (NULL));
  graph->transport = transport;
  graph->sink = media_transport_make_sink (transport);
  gst_bin_add_many (GST_BIN (graph->pipeline), GST_ELEMENT (transport), graph->sink, NULL);
  graph->session = gst_element_factory_make ("rtpsession", NULL);
  if (graph->session == NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED,
                           "GStreamer has no element “rtpsession” (package gstreamer1.0-plugins-good)");
      return NULL;
    }
  graph->receive = g_object_new (MEDIA_TYPE_RECEIVE, NULL);
  graph->send = g_object_new (MEDIA_TYPE_SEND, NULL);
  gst_bin_add_many (GST_BIN (graph->pipeline), graph->session, GST_ELEMENT (graph->receive), GST_ELEMENT (graph->send), NULL);

  /* One source is let in at a time and it is authentic or latched: its first packet need not wait for a second. */
  g_object_set (graph->session, "probation", 0, "rtcp-sync-send-time", FALSE, NULL);
  /* Five seconds (RFC 3550 section 6.2) are too long for a queue that fills in one. The share of RTCP in the bandwidth stays the limit, as RFC 4585
   * section 3.4 has it for AVPF; a peer that counts on more is not hurt by reports that come early. */
  g_object_set (graph->session, "rtcp-min-interval", (guint64) REPORT_INTERVAL, NULL);
  set_sdes (graph->session);
  g_signal_connect (graph->session, "request-pt-map", G_CALLBACK (on_request_pt_map), graph);
  if (!link_pads (graph))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the elements of a call's graph do not fit together");
      return NULL;
    }
  graph->send_rtp_sink = gst_element_get_static_pad (graph->session, "send_rtp_sink");

  g_autoptr (GObject) internal = NULL;
  guint32 ssrc = media_send_get_ssrc (graph->send);
  g_object_get (graph->session, "internal-session", &internal, NULL);
  g_object_set (internal, "internal-ssrc", ssrc, NULL);
  media_transport_set_local_ssrc (transport, ssrc);
  media_send_set_wake (graph->send, on_wake, transport);

  g_autoptr (GstClock) clock = gst_system_clock_obtain ();
  gst_pipeline_use_clock (GST_PIPELINE (graph->pipeline), clock);
  g_autoptr (GstBus) bus = gst_pipeline_get_bus (GST_PIPELINE (graph->pipeline));
  gst_bus_set_sync_handler (bus, on_bus_message, graph, NULL);
  return g_steal_pointer (&graph);
}

MediaReceive *
media_graph_get_receive (MediaGraph *graph)
{
  return graph->receive;
}

MediaSend *
media_graph_get_send (MediaGraph *graph)
{
  return graph->send;
}

MediaTransport *
media_graph_get_transport (MediaGraph *graph)
{
  return graph->transport;
}

void
media_graph_set_formats (MediaGraph *graph, const PhoneMediaPlan *plan)
{
  pthread_mutex_lock (&graph->lock);
  for (guint i = 0; i < G_N_ELEMENTS (graph->clock_rates); i++)
    graph->clock_rates[i] = 0;
  for (guint i = 0; i < plan->n_receive; i++)
    graph->clock_rates[plan->receive[i].payload_type & 0x7f] = phone_codec_clock_rate (plan->receive[i].id);
  if (plan->receive_dtmf_8000 >= 0)
    graph->clock_rates[plan->receive_dtmf_8000 & 0x7f] = 8000;
  if (plan->receive_dtmf_48000 >= 0)
    graph->clock_rates[plan->receive_dtmf_48000 & 0x7f] = 48000;
  if (plan->receive_red != 0)
    graph->clock_rates[plan->receive_red & 0x7f] = 48000;
  pthread_mutex_unlock (&graph->lock);
  g_signal_emit_by_name (graph->session, "clear-pt-map");
}

void
media_graph_set_sparing (MediaGraph *graph, gboolean sparing)
{
  g_object_set (graph->session, "rtcp-min-interval", (guint64) (sparing ? SPARE_INTERVAL : REPORT_INTERVAL), NULL);
}

gboolean
media_graph_start (MediaGraph *graph, GError **error)
{
  graph->started = TRUE;
  if (gst_element_set_state (graph->pipeline, GST_STATE_PLAYING) != GST_STATE_CHANGE_FAILURE)
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "the graph of a call does not start");
  return FALSE;
}

/* ---- statistics ---- */

static guint
get_uint (const GstStructure *s, const char *field)
{
  guint value = 0;
  gst_structure_get_uint (s, field, &value);
  return value;
}

static gboolean
get_boolean (const GstStructure *s, const char *field)
{
  gboolean value = FALSE;
  gst_structure_get_boolean (s, field, &value);
  return value;
}

static void
read_source (const GstStructure *s, guint32 remote_ssrc, guint32 local_ssrc, MediaGraphStats *ret)
{
  int clock_rate = 0, lost = 0;

  if (get_boolean (s, "internal"))
    return;
  if (get_uint (s, "ssrc") == remote_ssrc)
    {
      gst_structure_get_uint64 (s, "packets-received", &ret->received);
      if (gst_structure_get_int (s, "packets-lost", &lost) && ret->received > 0)
        ret->lost = lost;
      if (gst_structure_get_int (s, "clock-rate", &clock_rate) && clock_rate > 0)
        ret->jitter = get_uint (s, "jitter") * 1000.0 / clock_rate;
    }
  if (get_boolean (s, "have-rb") && get_uint (s, "rb-ssrc") == local_ssrc)
    {
      ret->have_report = TRUE;
      ret->report_serial = get_uint (s, "rb-exthighestseq") ^ get_uint (s, "rb-lsr") ^ get_uint (s, "rb-dlsr") << 1;
      ret->report_loss = get_uint (s, "rb-fractionlost") / 256.0;
      ret->report_jitter = get_uint (s, "rb-jitter");
      /* Without an SR of ours behind it there is no round trip in a report (RFC 3550 section 6.4.1). */
      if (get_uint (s, "rb-lsr") != 0)
        ret->round_trip = get_uint (s, "rb-round-trip") * 1000.0 / 65536;
    }
}

void
media_graph_get_stats (MediaGraph *graph, guint32 remote_ssrc, MediaGraphStats *ret_stats)
{
  g_autoptr (GstStructure) stats = NULL;
  guint32 local_ssrc = media_send_get_ssrc (graph->send);

  *ret_stats = (MediaGraphStats) { .lost = -1, .jitter = NAN, .report_loss = NAN, .report_jitter = NAN, .round_trip = NAN };
  g_object_get (graph->session, "stats", &stats, NULL);
  if (stats == NULL)
    return;
  const GValue *value = gst_structure_get_value (stats, "source-stats");
  if (value == NULL || !G_VALUE_HOLDS_BOXED (value))
    return;
  const GValueArray *sources = g_value_get_boxed (value);
  for (guint i = 0; sources != NULL && i < sources->n_values; i++)
    read_source (g_value_get_boxed (&sources->values[i]), remote_ssrc, local_ssrc, ret_stats);
}

/* ---- the end ---- */

void
media_graph_stop (MediaGraph *graph)
{
  if (!graph->started)
    return;
  MediaTransportStats stats;
  media_transport_get_stats (graph->transport, &stats);
  gst_pad_send_event (graph->send_rtp_sink, gst_event_new_eos ());
  if (stats.rtp_sent + stats.rtcp_sent > 0)
    media_transport_wait_bye (graph->transport, BYE_TIME);
  gst_element_set_state (graph->pipeline, GST_STATE_NULL);
  graph->started = FALSE;
}

char *
media_graph_find_stuck (MediaGraph *graph)
{
  GstElement *elements[] = { GST_ELEMENT (graph->transport), graph->sink, graph->session, GST_ELEMENT (graph->receive), GST_ELEMENT (graph->send),
                             graph->pipeline };
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < G_N_ELEMENTS (elements); i++)
    {
      GST_OBJECT_LOCK (elements[i]);
      GstState state = GST_STATE (elements[i]);
      GST_OBJECT_UNLOCK (elements[i]);
      if (state != GST_STATE_NULL)
        g_string_append_printf (names, "%s%s (%s)", names->len > 0 ? ", " : "", GST_ELEMENT_NAME (elements[i]),
                                gst_element_state_get_name (state));
    }
  return names->len > 0 ? g_string_free (g_steal_pointer (&names), FALSE) : NULL;
}

void
media_graph_free (MediaGraph *graph)
{
  if (graph == NULL)
    return;
  if (graph->started)
    gst_element_set_state (graph->pipeline, GST_STATE_NULL);
  g_clear_object (&graph->send_rtp_sink);
  if (graph->session != NULL)
    g_signal_handlers_disconnect_by_data (graph->session, graph);
  if (graph->pipeline != NULL)
    {
      g_autoptr (GstBus) bus = gst_pipeline_get_bus (GST_PIPELINE (graph->pipeline));
      gst_bus_set_sync_handler (bus, NULL, NULL, NULL);
      gst_object_unref (graph->pipeline);
    }
  pthread_mutex_destroy (&graph->lock);
  g_free (graph);
}
