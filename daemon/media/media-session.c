/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session lives in three steps: new (sockets are bound, nothing runs), apply (it starts with the first plan and is changed by the
 * later ones), close. Threads of the transport and the hub call in; whatever they have to tell core/ waits in a short queue for the main loop,
 * which is woken by one source that holds a reference, and falls on the floor there if the session has been closed meanwhile. */

#include "media/media-session.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

#include "media/media-metrics.h"
#include "media/media-mix.h"
#include "media/media-player.h"
#include "media/media-receive.h"
#include "media/media-recorder.h"
#include "media/media-send.h"
#include "media/media-stream.h"
#include "media/media-taps.h"
#include "media/media-thread.h"
#include "media/media-tone.h"
#include "media/media-transport.h"
#include "media/media-watch.h"
#include "media/rate-control.h"
#include "util/log.h"

#define MAX_HOPS 64
#define MAX_STREAMS 4
#define TICK_MS 500
#define WINDOW 10                       /* ticks over which loss and bit rate are taken */

/* Counters at one tick. */
typedef struct
{
  gint64 at;
  guint64 sent_octets, received, concealed, played;
  gint64 lost;
  guint32 ssrc;
} Sample;

struct _PhoneMedia
{
  gint references;                      /* atomic */
  MediaSessionHost host;
  PhoneCall *call;                      /* borrowed until close */
  PhoneMediaEvents events;
  char *call_id, *country, *bind_address;
  guint port_first, port_last;
  gboolean closed;

  MediaTransport *transport;
  MediaReceive *receive;
  MediaSend *send;
  gboolean started;                     /* there was a plan that carries sound */
  MediaPort *port;
  PhoneMediaPlan *plan;
  MediaTaps *taps;
  MediaTone beep;               /* to the peer; the hub's, once it is on the taps */
  MediaRecorder *recorder;
  MediaPlayer *player;
  GPtrArray *streams;                   /* MediaStream */
  guint rtp_timeout, opus_bitrate, opus_complexity;     /* of the settings when the call began */
  gint listening;                       /* atomic: the hub may pull */

  pthread_mutex_t lock;                 /* of the queue */
  GQueue hops;                          /* of Hop */
  gboolean hop_due;                     /* the main loop will look */

  GSource *tick;
  MediaWatch watch;
  RateControl rate;
  guint32 report_serial;
  double round_trip;                    /* ms, of the last report; NAN: unknown */
  gint64 begun;                         /* when there was a plan first */
  guint breaks;                         /* of the rate, that have been told of */
  gboolean stopped;
  Sample samples[WINDOW + 1];
  guint n_samples;
  MediaMetrics metrics;
};

typedef enum
{
  HOP_DTMF,
  HOP_FIRST_RTP,
  HOP_SECURED,
  HOP_SILENT,
  HOP_FAILED,
  HOP_RECORDING_FAILED,
  HOP_QUIET,
  HOP_ICE,
  HOP_PLAYED,
  HOP_STREAM_GONE,
  HOP_TOLD,
} HopKind;

typedef struct
{
  HopKind kind;
  char digit;
  guint ms;                             /* of a digit; the suite */
  char *message;
} Hop;

static void
hop_free (gpointer data)
{
  Hop *hop = data;

  g_free (hop->message);
  g_free (hop);
}

PhoneMedia *
media_session_ref (PhoneMedia *media)
{
  g_atomic_int_inc (&media->references);
  return media;
}

void
media_session_unref (PhoneMedia *media)
{
  if (!g_atomic_int_dec_and_test (&media->references))
    return;
  media_transport_free (media->transport);
  media_receive_free (media->receive);
  media_send_free (media->send);
  media_player_free (media->player);
  g_ptr_array_unref (media->streams);
  media_taps_free (media->taps);
  phone_media_plan_free (media->plan);
  g_main_context_unref (media->host.context);
  g_queue_clear_full (&media->hops, hop_free);
  pthread_mutex_destroy (&media->lock);
  g_free (media->call_id);
  g_free (media->country);
  g_free (media->bind_address);
  g_free (media);
}

const char *
media_session_get_name (PhoneMedia *media)
{
  return media->call_id;
}

static PhoneLogFields
log_fields (PhoneMedia *media)
{
  return (PhoneLogFields) { .call = media->call_id };
}

/* ---- events to the main loop ---- */

static void
tell_played (PhoneMedia *media)
{
  char *path;

  while (!media->closed && (path = media_player_take_ended (media->player)) != NULL)
    {
      if (media->events.played != NULL)
        media->events.played (media->call, path);
      g_free (path);
    }
}

static void
drop_streams (PhoneMedia *media)
{
  for (guint i = media->streams->len; i-- > 0;)
    if (media_stream_is_gone (g_ptr_array_index (media->streams, i)))
      g_ptr_array_remove_index (media->streams, i);
}

static void
use_rate (PhoneMedia *media, double round_trip)
{
  const MediaRate *rate = &media->rate.rate;
  PhoneLogFields fields = log_fields (media);

  phone_log_debug (&fields, "rate: %u bit/s in %u ms, expected loss %u %%, FEC %s, copies %u (%s; round trip %.0f ms, queue %.0f ms)", rate->bitrate,
                   rate->frame_ms, rate->loss_percent, rate->fec ? "on" : "off", rate->copies, media->rate.reason, round_trip,
                   rate_queue_length (&media->rate.queue));
  if (media->rate.breaks != media->breaks)
    phone_log_notice (&fields, "the way to the peer does not carry the call (loss %.0f %%, round trip %.0f ms): nothing is sent for %u s",
                      media->rate.loss * 100, round_trip, (guint) (media->rate.pause / G_USEC_PER_SEC));
  else if (media->stopped && !rate->stopped)
    phone_log_notice (&fields, "sending again, with %u bit/s", rate->bitrate);
  media->breaks = media->rate.breaks;
  media->stopped = rate->stopped;
  /* Feedback tells what is urgent, but not what is lost: elsewhere that must be known soon. */
  media_transport_set_sparing (media->transport, media->rate.fed != 0 && media->rate.state == RATE_LIMITED);
  media_send_set_rate (media->send, rate);
}

/* The peer has told when packets of ours came. */
static void
take_feedback (PhoneMedia *media)
{
  RateSample samples[MEDIA_MONITOR_SAMPLES];
  guint n = media_transport_take_samples (media->transport, samples);

  if (media->plan != NULL && !media->plan->refused && rate_control_feedback (&media->rate, samples, n, g_get_monotonic_time ()))
    use_rate (media, media->round_trip);
}

static void
deliver (PhoneMedia *media, const Hop *hop)
{
  switch (hop->kind)
    {
    case HOP_DTMF:
      if (media->events.dtmf != NULL)
        media->events.dtmf (media->call, hop->digit, hop->ms);
      break;
    case HOP_FIRST_RTP:
      if (media->events.first_rtp != NULL)
        media->events.first_rtp (media->call);
      break;
    case HOP_SECURED:
      if (media->events.secured != NULL)
        media->events.secured (media->call, (PhoneSrtpSuite) hop->ms);
      break;
    case HOP_SILENT:
      if (media->events.failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_NETWORK_DOWN, hop->message);
          media->events.failed (media->call, error);
        }
      break;
    case HOP_FAILED:
      if (media->events.failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, hop->message);
          media->events.failed (media->call, error);
        }
      break;
    case HOP_ICE:
      media_transport_settle_ice (media->transport);
      if (media->events.ice != NULL)
        media->events.ice (media->call);
      break;
    case HOP_PLAYED:
      tell_played (media);
      break;
    case HOP_STREAM_GONE:
      drop_streams (media);
      break;
    case HOP_TOLD:
      take_feedback (media);
      break;
    case HOP_QUIET:
      if (media->events.quiet != NULL)
        media->events.quiet (media->call);
      break;
    case HOP_RECORDING_FAILED:
      if (media->events.recording_failed != NULL)
        {
          g_autoptr (GError) error = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_STORAGE, hop->message);
          media->events.recording_failed (media->call, error);
        }
      break;
    }
}

static gboolean
on_hops (gpointer data)
{
  PhoneMedia *media = data;

  pthread_mutex_lock (&media->lock);
  GQueue hops = media->hops;
  g_queue_init (&media->hops);
  media->hop_due = FALSE;
  pthread_mutex_unlock (&media->lock);

  for (GList *l = hops.head; l != NULL && !media->closed; l = l->next)
    deliver (media, l->data);
  g_queue_clear_full (&hops, hop_free);
  return G_SOURCE_REMOVE;
}

static void
hop_post (PhoneMedia *media, HopKind kind, char digit, guint ms, const char *message)
{
  pthread_mutex_lock (&media->lock);
  gboolean wake = !media->hop_due;
  if (media->hops.length < MAX_HOPS)
    {
      Hop *hop = g_new (Hop, 1);
      *hop = (Hop) { .kind = kind, .digit = digit, .ms = ms, .message = g_strdup (message) };
      g_queue_push_tail (&media->hops, hop);
      media->hop_due = TRUE;
    }
  pthread_mutex_unlock (&media->lock);

  if (wake)
    {
      g_autoptr (GSource) source = g_idle_source_new ();
      g_source_set_priority (source, G_PRIORITY_DEFAULT);
      g_source_set_callback (source, on_hops, media_session_ref (media), (GDestroyNotify) media_session_unref);
      g_source_attach (source, media->host.context);
    }
}

static void
on_dtmf (char digit, guint ms, gpointer data)
{
  hop_post (data, HOP_DTMF, digit, ms, NULL);
}

static void
on_first_rtp (gpointer data)
{
  hop_post (data, HOP_FIRST_RTP, 0, 0, NULL);
}

static void
on_secured (PhoneSrtpSuite suite, gpointer data)
{
  hop_post (data, HOP_SECURED, 0, (guint) suite, NULL);
}

static void
on_unsecured (const char *why, gboolean silent, gpointer data)
{
  hop_post (data, silent ? HOP_SILENT : HOP_FAILED, 0, 0, why);
}

static void
on_ice_changed (gpointer data)
{
  hop_post (data, HOP_ICE, 0, 0, NULL);
}

static void
on_played (gpointer data)
{
  hop_post (data, HOP_PLAYED, 0, 0, NULL);
}

static void
on_stream_gone (gpointer data)
{
  hop_post (data, HOP_STREAM_GONE, 0, 0, NULL);
}

static void
on_told (gpointer data)
{
  hop_post (data, HOP_TOLD, 0, 0, NULL);
}

static void
on_recording_failed (const char *message, gpointer data)
{
  hop_post (data, HOP_RECORDING_FAILED, 0, 0, message);
}

static void
on_quiet (gpointer data)
{
  hop_post (data, HOP_QUIET, 0, 0, NULL);
}

static const MediaRecorderEvents recorder_events = { .failed = on_recording_failed, .quiet = on_quiet };

/* ---- hub and I/O thread ---- */

static gboolean
on_pull (gpointer data, gint16 *frame, gint64 now)
{
  PhoneMedia *media = data;
  gboolean playing = g_atomic_int_get (&media->listening) && media_receive_pull (media->receive, frame, now);

  media_taps_far (media->taps, playing ? frame : NULL);
  return playing;
}

static void
on_push (gpointer data, const gint16 *frame, gint64 now)
{
  PhoneMedia *media = data;

  media_send_push (media->send, media_taps_near (media->taps, frame, now), now);
}

static void
on_packet (const guint8 *packet, gsize length, gint64 arrival, gpointer data)
{
  PhoneMedia *media = data;

  media_receive_put (media->receive, packet, length, arrival);
}

static void
on_wake (gpointer data)
{
  PhoneMedia *media = data;

  media_transport_wake (media->transport);
}

static void
on_send (const guint8 *packet, gsize length, gpointer data)
{
  PhoneMedia *media = data;

  media_transport_send (media->transport, packet, length);
}

static void
on_work (gpointer data)
{
  PhoneMedia *media = data;
  media_send_drain (media->send);
}

static const MediaPortOps port_ops = { .pull = on_pull, .push = on_push };

/* ---- twice a second ---- */

static double
share (guint64 part, guint64 whole)
{
  return whole > 0 ? (double) part / (double) whole : 0;
}

/* concealed: share of what was played. */
static void
get_metrics (PhoneMedia *media, const MediaReceiveStats *receive, double round_trip, double concealed, PhoneVoiceMetrics *ret)
{
  double capture, output;

  media_hub_get_delays (media->host.hub, &capture, &output);
  media_metrics_get (&media->metrics, receive, media->plan->send.id, round_trip, capture + output + media->rate.rate.frame_ms, concealed, ret);
}

/* What the peer is told in RTCP, as of now. */
static void
tell_metrics (PhoneMedia *media, const MediaReceiveStats *receive, double round_trip)
{
  PhoneVoiceMetrics metrics;

  get_metrics (media, receive, round_trip, share (receive->concealed_samples, receive->played_samples), &metrics);
  media_transport_set_metrics (media->transport, &metrics);
}

static void
take_sample (PhoneMedia *media, const MediaTransportStats *transport, const MediaReceiveStats *receive, gint64 now)
{
  if (media->n_samples > WINDOW)
    memmove (media->samples, media->samples + 1, sizeof media->samples[0] * --media->n_samples);
  media->samples[media->n_samples++] = (Sample) {
    .at = now,
    .sent_octets = transport->rtp_octets_sent,
    .received = transport->rtcp.received,
    .lost = MAX (transport->rtcp.lost, 0),
    .concealed = receive->concealed_samples,
    .played = receive->played_samples,
    .ssrc = transport->remote_ssrc,
  };
}

/* While we only receive, the reports of the peer know no round trip, or an old one. */
static void
get_transport_stats (PhoneMedia *media, MediaTransportStats *ret_stats)
{
  media_transport_get_stats (media->transport, ret_stats);
  if (!isnan (ret_stats->round_trip))
    ret_stats->rtcp.round_trip = ret_stats->round_trip;
}

static gboolean
on_tick (gpointer data)
{
  PhoneMedia *media = data;
  MediaTransportStats transport;
  MediaReceiveStats receive;
  gint64 now = g_get_monotonic_time ();
  guint seconds;

  get_transport_stats (media, &transport);
  media_receive_get_stats (media->receive, &receive);
  take_sample (media, &transport, &receive, now);
  media_metrics_update (&media->metrics, &receive);
  if (media->plan->voip_metrics)
    tell_metrics (media, &receive, transport.rtcp.round_trip);

  if (transport.rtcp.have_report && transport.rtcp.report_serial != media->report_serial)
    {
      media->report_serial = transport.rtcp.report_serial;
      guint rate = phone_codec_clock_rate (media->plan->send.id);
      RateReport report = { .now = now, .loss = transport.rtcp.report_loss, .jitter = transport.rtcp.report_jitter * 1000 / rate,
                            .round_trip = transport.rtcp.round_trip, .delay = transport.report_delay };
      media->round_trip = transport.rtcp.round_trip;
      if (rate_control_update (&media->rate, &report))
        use_rate (media, transport.rtcp.round_trip);
    }
  if (rate_control_tick (&media->rate, media->begun, now))
    use_rate (media, transport.rtcp.round_trip);
  if (media_watch_update (&media->watch, transport.last_rtp, transport.last_rtcp, now, &seconds))
    {
      PhoneLogFields fields = log_fields (media);
      phone_log_notice (&fields, "no media from the peer for %u s", seconds);
      if (media->events.rtp_timeout != NULL)
        {
          /* The handler may hang up and close us. */
          media_session_ref (media);
          media->events.rtp_timeout (media->call, seconds);
          media_session_unref (media);
        }
    }
  return G_SOURCE_CONTINUE;
}

static void
set_ticking (PhoneMedia *media, gboolean ticking)
{
  if (ticking == (media->tick != NULL))
    return;
  if (ticking)
    {
      media->tick = g_timeout_source_new (TICK_MS);
      g_source_set_callback (media->tick, on_tick, media, NULL);
      g_source_attach (media->tick, media->host.context);
      return;
    }
  g_source_destroy (media->tick);
  g_clear_pointer (&media->tick, g_source_unref);
}

/* ---- the plan ---- */

static gboolean
formats_equal (const PhoneMediaPlan *a, const PhoneMediaPlan *b)
{
  if (a->n_receive != b->n_receive || a->receive_dtmf_8000 != b->receive_dtmf_8000 || a->receive_dtmf_48000 != b->receive_dtmf_48000
      || a->receive_red != b->receive_red)
    return FALSE;
  for (guint i = 0; i < a->n_receive; i++)
    if (a->receive[i].id != b->receive[i].id || a->receive[i].payload_type != b->receive[i].payload_type)
      return FALSE;
  return TRUE;
}

static gboolean
codec_equal (const PhoneCodec *a, const PhoneCodec *b)
{
  return a->id == b->id && a->payload_type == b->payload_type && a->max_playback_rate == b->max_playback_rate
         && a->max_average_bitrate == b->max_average_bitrate && a->min_ptime == b->min_ptime && a->use_inband_fec == b->use_inband_fec
         && a->use_dtx == b->use_dtx
         && a->stereo == b->stereo && a->cbr == b->cbr;
}

static gboolean
sending_equal (const PhoneMediaPlan *a, const PhoneMediaPlan *b)
{
  return codec_equal (&a->send, &b->send) && a->ptime == b->ptime && a->least_ptime == b->least_ptime && a->send_dtmf == b->send_dtmf
         && a->send_dtmf_rate == b->send_dtmf_rate && a->send_red == b->send_red;
}

/* What may fail comes first; nothing has changed when it does. */
static gboolean
apply_fallible (PhoneMedia *media, const PhoneMediaPlan *plan, RateControl *rate, GError **error)
{
  MediaSend *send = media->send;
  gboolean new_format = media->plan == NULL || media->plan->refused || !sending_equal (media->plan, plan);

  if (new_format)
    {
      rate_control_init (rate, plan, media->opus_bitrate, media->opus_complexity);
      if (!media_send_set_format (send, plan, &rate->rate, error))
        return FALSE;
    }
  if (media_transport_apply (media->transport, plan, error))
    return TRUE;
  if (new_format && media->plan != NULL && !media->plan->refused)
    media_send_set_format (send, media->plan, &media->rate.rate, NULL);
  return FALSE;
}

static void
stop_flow (PhoneMedia *media)
{
  g_atomic_int_set (&media->listening, FALSE);
  media_port_set_running (media->port, FALSE);
  set_ticking (media, FALSE);
  media_send_set_enabled (media->send, FALSE);
}

static void
log_plan (PhoneMedia *media, const PhoneMediaPlan *plan)
{
  PhoneLogFields fields = log_fields (media);
  phone_log_info (&fields, "media: %s, %s, %u ms, %s, peer at %s port %u%s%s", phone_codec_id_to_string (plan->send.id),
                  phone_direction_to_string (plan->direction), plan->ptime,
                  plan->dtls        ? "keys by DTLS"
                  : plan->encrypted ? phone_srtp_suite_to_string (plan->send_key.suite)
                                    : "in clear",
                  plan->remote_address, plan->remote_port, plan->rtcp_mux ? ", RTCP multiplexed" : "",
                  phone_media_plan_has_ice (plan) ? ", ICE" : "");
}

gboolean
media_session_apply (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  RateControl rate = media->rate;
  gboolean first = !media->started;

  if (plan->refused)
    {
      stop_flow (media);
      phone_media_plan_free (media->plan);
      media->plan = phone_media_plan_copy (plan);
      return TRUE;
    }
  if (first || media->plan->refused || !formats_equal (media->plan, plan))
    media_receive_set_formats (media->receive, plan);
  if (!apply_fallible (media, plan, &rate, error) || (first && !media_transport_start (media->transport, error)))
    {
      if (!first && !media->plan->refused)
        media_receive_set_formats (media->receive, media->plan);
      return FALSE;
    }
  media->started = TRUE;
  media->rate = rate;
  if (media->begun == 0)
    {
      media->begun = g_get_monotonic_time ();
      media->samples[media->n_samples++] = (Sample) { .at = media->begun };     /* what comes before the first tick counts, too */
    }

  gboolean sends = plan->direction == PHONE_DIRECTION_SENDONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
  gboolean listens = plan->direction == PHONE_DIRECTION_RECVONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
  g_atomic_int_set (&media->listening, listens);
  media_send_set_enabled (media->send, sends);
  media_port_set_running (media->port, sends || listens);
  MediaWatchMode watch = !listens ? MEDIA_WATCH_NO_RTP : sends ? MEDIA_WATCH_RTP : MEDIA_WATCH_RTP_OPTIONAL;
  media_watch_restart (&media->watch, media->rtp_timeout, watch, g_get_monotonic_time ());
  set_ticking (media, TRUE);
  log_plan (media, plan);
  phone_media_plan_free (media->plan);
  media->plan = phone_media_plan_copy (plan);
  return TRUE;
}

/* ---- the rest of the table ---- */

static MediaIceParams
ice_params (PhoneMedia *media, const PhoneIceParams *ice)
{
  return (MediaIceParams) {
    .bind_address = media->bind_address,
    .local_address = ice->local_address,
    .n_components = ice->components,
    .port_first = media->port_first,
    .port_last = media->port_last,
    .controlling = ice->controlling,
    .stun = ice->stun,
    .turn = ice->turn,
    .turn_user = ice->turn_user,
    .turn_secret = ice->turn_secret,
    .tls_ca = ice->tls_ca,
    .tls_verify = ice->tls_verify,
    .call_id = media->call_id,
  };
}

static MediaTransport *
open_transport (PhoneMedia *media, const PhoneMediaParams *params, GError **error)
{
  MediaIceParams ice = params->ice != NULL ? ice_params (media, params->ice) : (MediaIceParams) { 0 };
  MediaTransportParams transport = {
    .bind_address = media->bind_address,
    .ipv6 = params->ipv6,
    .port_first = media->port_first,
    .port_last = media->port_last,
    .ice = params->ice != NULL ? &ice : NULL,
  };
  return media_transport_new (&transport, error);
}

PhoneMedia *
media_session_new (const MediaSessionHost *host, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events,
                   GError **error)
{
  PhoneMedia *media = g_new0 (PhoneMedia, 1);

  media->references = 1;
  media->bind_address = g_strdup (params->bind_address != NULL ? params->bind_address : host->settings->media_bind);
  media->port_first = host->settings->port_first;
  media->port_last = host->settings->port_last;
  media->call_id = g_strdup (params->call_id);
  MediaTransport *transport = open_transport (media, params, error);
  if (transport == NULL)
    {
      g_free (media->bind_address);
      g_free (media->call_id);
      g_free (media);
      return NULL;
    }
  media_mutex_init (&media->lock);
  media->host = *host;
  media->host.settings = NULL;          /* may be replaced while we live */
  g_main_context_ref (media->host.context);
  media->rtp_timeout = host->settings->rtp_timeout;
  media->opus_bitrate = host->settings->opus_bitrate;
  media->opus_complexity = host->settings->opus_complexity;
  media->call = call;
  media->events = *events;
  media->country = g_strdup (params->country);
  media->transport = transport;
  media->receive = media_receive_new ();
  media->send = media_send_new ();
  media_receive_set_dtmf_handler (media->receive, on_dtmf, media);
  media_send_set_callbacks (media->send, on_wake, on_send, media);
  media_transport_set_local_ssrc (transport, media_send_get_ssrc (media->send));
  media_transport_set_callbacks (transport, on_packet, on_work, on_first_rtp, media);
  media_transport_set_ice_callback (transport, on_ice_changed);
  media_transport_set_dtls_callbacks (transport, on_secured, on_unsecured);
  media_transport_set_told_callback (transport, on_told);
  media->round_trip = NAN;
  media->taps = media_taps_new ();
  media->player = media_player_new (media->taps, on_played, media);
  media->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) media_stream_free);
  media->port = media_hub_add_port (host->hub, media->call_id, &port_ops, media);
  return media;
}

/* ---- ICE ---- */

gboolean
media_session_get_ice (PhoneMedia *media, PhoneIceDesc *ret_local, char **ret_address)
{
  MediaAddress address;

  if (!media_transport_get_ice (media->transport, ret_local, &address))
    return FALSE;
  *ret_address = media_address_to_host (&address);
  return TRUE;
}

PhoneIceState
media_session_get_ice_state (PhoneMedia *media)
{
  MediaIcePath path;
  return media_transport_get_ice_path (media->transport, &path) ? path.state : PHONE_ICE_OFF;
}

void
media_session_restart_ice (PhoneMedia *media)
{
  media_transport_restart_ice (media->transport);
}

gboolean
media_session_trickle_ice (PhoneMedia *media, const PhoneMediaPlan *plan, GError **error)
{
  return media_transport_trickle_ice (media->transport, plan, error);
}

gboolean
media_session_renew_ice (PhoneMedia *media, const PhoneIceParams *ice, GError **error)
{
  MediaIceParams params = ice_params (media, ice);
  return media_transport_renew_ice (media->transport, &params, error);
}

void
media_session_drop_ice (PhoneMedia *media)
{
  media_transport_drop_ice (media->transport);
}

void
media_session_get_ports (PhoneMedia *media, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  media_transport_get_ports (media->transport, ret_rtp, ret_rtcp);
}

gboolean
media_session_get_dtls (PhoneMedia *media, PhoneDtlsDesc *ret_local, GError **error)
{
  return media_transport_get_dtls (media->transport, ret_local, error);
}

void
media_session_set_dtls_suites (PhoneMedia *media, guint suites)
{
  media_transport_set_dtls_suites (media->transport, suites);
}

char *
media_session_get_destination (PhoneMedia *media)
{
  return media_transport_get_destination (media->transport);
}

void
media_session_set_muted (PhoneMedia *media, gboolean muted)
{
  media_port_set_muted (media->port, muted);
}

gboolean
media_session_open_stream (PhoneMedia *media, const PhoneStreamParams *params, int *ret_fd, GError **error)
{
  MediaStream *stream;

  drop_streams (media);
  if (media->streams->len >= MAX_STREAMS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "The call has %d streams already", MAX_STREAMS);
      return FALSE;
    }
  stream = media_stream_new (media->taps, params, on_stream_gone, media, ret_fd, error);
  if (stream == NULL)
    return FALSE;
  g_ptr_array_add (media->streams, stream);
  return TRUE;
}

gboolean
media_session_play (PhoneMedia *media, const char *path, gboolean queue, GError **error)
{
  if (!queue)
    media_player_clear (media->player);
  return media_player_add (media->player, path, error);
}

void
media_session_stop_playing (PhoneMedia *media)
{
  media_player_clear (media->player);
}

gboolean
media_session_record_start (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  g_return_val_if_fail (media->recorder == NULL, FALSE);
  media->recorder = media_recorder_new (media->taps, sink, params, &recorder_events, media, error);
  return media->recorder != NULL;
}

void
media_session_record_pause (PhoneMedia *media, gboolean paused)
{
  if (media->recorder != NULL)
    media_recorder_set_paused (media->recorder, paused);
}

void
media_session_record_stop (PhoneMedia *media)
{
  media_recorder_stop (g_steal_pointer (&media->recorder));
}

void
media_session_set_attached (PhoneMedia *media, gboolean attached)
{
  media_port_set_attached (media->port, attached);
}

void
media_session_set_room (PhoneMedia *media, MediaRoom *room)
{
  media_port_set_room (media->port, room);
}

void
media_session_set_voice (PhoneMedia *media, gboolean voice)
{
  media_port_set_voice (media->port, voice);
}

double
media_session_get_level (PhoneMedia *media)
{
  return media_port_get_level (media->port);
}

void
media_session_set_tone (PhoneMedia *media, PhoneTone tone)
{
  media_port_set_tone (media->port, tone, media->country);
}

static gboolean
on_beep (gpointer data, gint16 *frame, gboolean *ret_only)
{
  return media_tone_render (data, frame, MEDIA_FRAME);
}

void
media_session_beep (PhoneMedia *media)
{
  media_taps_remove (media->taps, &media->beep);
  media_tone_set (&media->beep, PHONE_TONE_BEEP, NULL);
  media_taps_add_source (media->taps, on_beep, &media->beep);
  media_port_beep (media->port);
}

gboolean
media_session_send_dtmf (PhoneMedia *media, const char *digits, guint ms, GError **error)
{
  if (media->started)
    return media_send_dtmf (media->send, digits, ms, error);
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no media runs that could carry digits");
  return FALSE;
}

void
media_session_close (PhoneMedia *media)
{
  media->closed = TRUE;
  stop_flow (media);
  media_hub_remove_port (media->host.hub, g_steal_pointer (&media->port));
  media_session_record_stop (media);
  g_ptr_array_set_size (media->streams, 0);
  g_clear_pointer (&media->player, media_player_free);
  media->host.retire (media, media->host.data);
}

void
media_session_finish (PhoneMedia *media)
{
  media_transport_stop (media->transport);
  media_session_unref (media);
}

gboolean
media_session_is_stuck (PhoneMedia *media)
{
  return media_transport_is_running (media->transport);
}

/* ---- report ---- */

/* Over the window: loss before concealment, share concealed, bit rate. */
static void
measure_window (PhoneMedia *media, const Sample *now, double *ret_loss, double *ret_concealed, guint *ret_bitrate)
{
  *ret_loss = NAN;
  *ret_concealed = 0;
  *ret_bitrate = 0;
  if (media->n_samples == 0)
    return;
  const Sample *then = &media->samples[0];
  if (now->at > then->at && now->sent_octets >= then->sent_octets)
    *ret_bitrate = (guint) ((now->sent_octets - then->sent_octets) * 8 * G_USEC_PER_SEC / (guint64) (now->at - then->at));
  if (now->played > then->played)
    *ret_concealed = share (now->concealed - MIN (then->concealed, now->concealed), now->played - then->played);
  if ((then->ssrc != now->ssrc && then->received > 0) || now->received < then->received)
    return;
  gint64 lost = MAX (now->lost - then->lost, 0);
  guint64 all = now->received - then->received + (guint64) lost;
  if (all > 0)
    *ret_loss = share ((guint64) lost, all);
}

gboolean
media_session_report (PhoneMedia *media, PhoneMediaReport *ret)
{
  MediaTransportStats transport;
  MediaReceiveStats receive;
  MediaSendStats send;
  PhoneVoiceMetrics lately;
  double concealed_now;

  if (!media->started || media->plan == NULL || media->plan->refused)
    return FALSE;
  gint64 now = g_get_monotonic_time ();
  get_transport_stats (media, &transport);
  media_receive_get_stats (media->receive, &receive);
  media_send_get_stats (media->send, &send);

  *ret = (PhoneMediaReport) {
    .at = now,
    .packets_sent = transport.rtp_sent,
    .octets_sent = transport.rtp_octets_sent,
    .packets_received = transport.rtp_received,
    .octets_received = transport.rtp_octets_received,
    .packets_lost = transport.rtcp.lost,
    .loss_remote = transport.rtcp.report_loss,
    .jitter_local = transport.rtcp.jitter,
    .jitter_remote = transport.rtcp.report_jitter * 1000 / phone_codec_clock_rate (media->plan->send.id),
    .round_trip = transport.rtcp.round_trip,
    .playout_target = receive.target_ms,
    .playout_delay = receive.delay_ms,
    .concealed = share (receive.concealed_samples, receive.played_samples),
    .accelerated = share (receive.accelerated_samples, receive.played_samples),
    .expanded = share (receive.expanded_samples, receive.played_samples),
    .fec_used = receive.fec_used,
    .late_packets = receive.late,
    .red = media->rate.rate.copies,
    .copies_sent = send.copies,
    .copies_used = receive.copies_used,
    .send_queue = media->rate.fed != 0 ? rate_queue_length (&media->rate.queue) : NAN,
    .feedback = media->plan->ccfb ? "ccfb" : media->plan->transport_cc != 0 ? "transport-cc" : "reports",
    .breaks = media->rate.breaks,
    .duplicates = receive.duplicates,
    .auth_failures = transport.srtp.auth_failures,
    .replayed = transport.srtp.replayed,
    .level_in = send.level,
    .level_out = receive.level,
    .bitrate_target = media->rate.rate.bitrate,
    .rate_reason = media->rate.reason,
    .key_changes = transport.srtp.send_key_changes + transport.srtp.receive_key_changes,
  };
  MediaIcePath path;
  if (media_transport_get_ice_path (media->transport, &path))
    {
      ret->ice = path.state;
      memcpy (ret->ice_local, path.local, sizeof ret->ice_local);
      memcpy (ret->ice_remote, path.remote, sizeof ret->ice_remote);
    }
  g_strlcpy (ret->codec, phone_codec_id_to_string (media->plan->send.id), sizeof ret->codec);
  media_hub_get_delays (media->host.hub, &ret->capture_delay, &ret->output_delay);
  media_hub_get_origins (media->host.hub, &ret->input_origin, &ret->output_origin);

  Sample sample = { .at = now, .sent_octets = transport.rtp_octets_sent, .received = transport.rtcp.received, .lost = MAX (transport.rtcp.lost, 0),
                    .concealed = receive.concealed_samples, .played = receive.played_samples, .ssrc = transport.remote_ssrc };
  measure_window (media, &sample, &ret->loss_local, &concealed_now, &ret->bitrate);

  get_metrics (media, &receive, transport.rtcp.round_trip, concealed_now, &lately);
  get_metrics (media, &receive, transport.rtcp.round_trip, ret->concealed, &ret->metrics);
  ret->mos = lately.mos_cq;
  ret->have_peer_metrics = transport.have_peer_metrics;
  ret->local_ssrc = media_send_get_ssrc (media->send);
  ret->remote_ssrc = transport.remote_ssrc;
  ret->peer_metrics = transport.peer_metrics;
  return TRUE;
}
