/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is counted: twice a second for the rate control, the watch for silence and what the peer is told; as a report when somebody asks. */

#include "media/media-session-private.h"

#include <math.h>
#include <string.h>

#define TICK_MS 500

static void
use_rate (PhoneMedia *media, double round_trip)
{
  const MediaRate *rate = &media->rate.rate;
  PhoneLogFields fields = media_session_log_fields (media);

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
void
media_session_take_feedback (PhoneMedia *media)
{
  RateSample samples[MEDIA_MONITOR_SAMPLES];
  guint n = media_transport_take_samples (media->transport, samples);

  if (media->plan != NULL && !media->plan->refused && rate_control_feedback (&media->rate, samples, n, g_get_monotonic_time ()))
    use_rate (media, media->round_trip);
}

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

static MediaSessionSample
sample_of (const MediaTransportStats *transport, const MediaReceiveStats *receive, gint64 now)
{
  return (MediaSessionSample) {
    .at = now,
    .sent_octets = transport->rtp_octets_sent,
    .received = transport->rtcp.received,
    .lost = MAX (transport->rtcp.lost, 0),
    .concealed = receive->concealed_samples,
    .played = receive->played_samples,
    .ssrc = transport->remote_ssrc,
  };
}

static void
take_sample (PhoneMedia *media, const MediaTransportStats *transport, const MediaReceiveStats *receive, gint64 now)
{
  if (media->n_samples > MEDIA_SESSION_WINDOW)
    memmove (media->samples, media->samples + 1, sizeof media->samples[0] * --media->n_samples);
  media->samples[media->n_samples++] = sample_of (transport, receive, now);
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
      PhoneLogFields fields = media_session_log_fields (media);
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

void
media_session_set_ticking (PhoneMedia *media, gboolean ticking)
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

/* ---- report ---- */

/* Over the window: loss before concealment, share concealed, bit rate. */
static void
measure_window (PhoneMedia *media, const MediaSessionSample *now, double *ret_loss, double *ret_concealed, guint *ret_bitrate)
{
  *ret_loss = NAN;
  *ret_concealed = 0;
  *ret_bitrate = 0;
  if (media->n_samples == 0)
    return;
  const MediaSessionSample *then = &media->samples[0];
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

  MediaSessionSample sample = sample_of (&transport, &receive, now);
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
