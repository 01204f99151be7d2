/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A session lives in three steps: new (sockets are bound, nothing runs), apply (it starts with the first plan and is changed by the
 * later ones), close. What threads have to tell is in media-session-events, what is counted in media-session-numbers, what else may be done to a
 * call in media-session-control. */

#include "media/media-session-private.h"

#include <math.h>
#include <string.h>

#include "media/media-thread.h"

PhoneMedia *
media_session_ref (PhoneMedia *media)
{
  g_atomic_int_inc (&media->references);
  return media;
}

gboolean
media_session_ref_live (PhoneMedia *media)
{
  gint references;

  do
    if ((references = g_atomic_int_get (&media->references)) == 0)
      return FALSE;
  while (!g_atomic_int_compare_and_exchange (&media->references, references, references + 1));
  return TRUE;
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
  media_session_clear_events (media);
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

PhoneLogFields
media_session_log_fields (PhoneMedia *media)
{
  return (PhoneLogFields) { .call = media->call_id };
}

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
  media_session_set_ticking (media, FALSE);
  media_send_set_enabled (media->send, FALSE);
}

static void
log_plan (PhoneMedia *media, const PhoneMediaPlan *plan)
{
  PhoneLogFields fields = media_session_log_fields (media);
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
      media->samples[media->n_samples++] = (MediaSessionSample) { .at = media->begun };     /* what comes before the first tick counts, too */
    }

  gboolean sends = plan->direction == PHONE_DIRECTION_SENDONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
  gboolean listens = plan->direction == PHONE_DIRECTION_RECVONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
  g_atomic_int_set (&media->listening, listens);
  media_send_set_enabled (media->send, sends);
  media_port_set_running (media->port, sends || listens);
  MediaWatchMode watch = !listens ? MEDIA_WATCH_NO_RTP : sends ? MEDIA_WATCH_RTP : MEDIA_WATCH_RTP_OPTIONAL;
  media_watch_restart (&media->watch, media->rtp_timeout, watch, g_get_monotonic_time ());
  media_session_set_ticking (media, TRUE);
  log_plan (media, plan);
  phone_media_plan_free (media->plan);
  media->plan = phone_media_plan_copy (plan);
  return TRUE;
}

/* ---- life ---- */

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
  media_receive_set_dtmf_handler (media->receive, media_session_on_dtmf, media);
  media_send_set_callbacks (media->send, on_wake, on_send, media);
  media_transport_set_local_ssrc (transport, media_send_get_ssrc (media->send));
  media_transport_set_callbacks (transport, on_packet, on_work, media_session_on_first_rtp, media);
  media_transport_set_ice_callback (transport, media_session_on_ice_changed);
  media_transport_set_dtls_callbacks (transport, media_session_on_secured, media_session_on_unsecured);
  media_transport_set_told_callback (transport, media_session_on_told);
  media->round_trip = NAN;
  media->taps = media_taps_new ();
  media->player = media_player_new (media->taps, media_session_on_played, media);
  media->streams = g_ptr_array_new_with_free_func ((GDestroyNotify) media_stream_free);
  media->port = media_hub_add_port (host->hub, media->call_id, &port_ops, media);
  return media;
}

gboolean
media_session_renew_ice (PhoneMedia *media, const PhoneIceParams *ice, GError **error)
{
  MediaIceParams params = ice_params (media, ice);
  return media_transport_renew_ice (media->transport, &params, error);
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
