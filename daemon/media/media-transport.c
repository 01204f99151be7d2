/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread per call does all the network's work. Without ICE it sleeps in poll(2) on both sockets and an eventfd, reads a batch of packets from
 * each socket before it looks at the others again (a flood on one starves nobody), and drains the sender when the hub has rung.
 *
 *   datagram -> class (RFC 7983) -> source filter -> SRTP -> shape (media-rtp) -> sources gate -> numbers (rtcp-session) -> MediaReceive
 *   MediaSend -> numbers -> SRTP -> sendto;  rtcp-session -> extended reports (media-monitor) -> SRTP -> sendto
 *
 * Its parts: what comes (media-transport-hear), what goes (-speak), keys by a handshake (-dtls), ICE (-ice). With ICE that session's thread
 * reads, and the one here sends.
 *
 * The lock guards SRTP, handshake, latches, reports and settings; it is never held over a callback or a system call. */

#include "media/media-transport-private.h"

#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <poll.h>
#include <unistd.h>

#include "media/media-thread.h"

#define FLOOD_BATCHES 100               /* full ones in a row: 3200 packets, a minute's worth, and more wait */
#define REPORT_INTERVAL (500 * 1000)    /* us; media_transport_set_sparing() */
#define SPARE_INTERVAL (2500 * 1000)

static void *
io_thread (void *data)
{
  MediaTransport *self = data;
  struct pollfd fds[] = { { .fd = self->event_fd, .events = POLLIN }, { .fd = -1, .events = POLLIN }, { .fd = -1, .events = POLLIN } };
  guint full = 0;

  /* It encodes and sends: a packet that leaves late is jitter at the other end. */
  media_thread_prepare ("media-io", TRUE);
  while (!g_atomic_int_get (&self->stopping))
    {
      /* Plain sockets may come later, with a wake-up. */
      fds[1].fd = g_atomic_int_get (&self->sockets.rtp);
      fds[2].fd = g_atomic_int_get (&self->sockets.rtcp);
      int handshake = media_transport_tend_handshake (self), report = media_transport_tend_reports (self);
      if (poll (fds, G_N_ELEMENTS (fds), handshake < 0 || (report >= 0 && report < handshake) ? report : handshake) < 0)
        continue;
      if (fds[0].revents != 0)
        {
          guint64 count;
          if (read (self->event_fd, &count, sizeof count) == sizeof count && !g_atomic_int_get (&self->stopping)
              && self->work != NULL)
            self->work (self->callback_data);
          media_transport_guard_ice (self);
        }
      gboolean emptied = TRUE;
      if (fds[1].revents != 0)
        emptied = media_transport_read (self, fds[1].fd, FALSE);
      if (fds[2].revents != 0)
        emptied = media_transport_read (self, fds[2].fd, TRUE) && emptied;
      /* Whoever floods us must not get real-time priority for it. */
      full = emptied ? 0 : full + 1;
      if (full == FLOOD_BATCHES)
        media_thread_restore ();
    }
  return NULL;
}

void
media_transport_wake (MediaTransport *self)
{
  guint64 one = 1;
  gssize n = write (self->event_fd, &one, sizeof one);  /* fails only when 2^64 - 2 wake-ups wait */
  (void) n;
}

/* RFC 7022 section 4.2: 96 random bits. */
static void
begin_reports (MediaTransport *self)
{
  guint8 random[RTCP_CNAME / 4 * 3];

  if (getrandom (random, sizeof random, 0) != sizeof random)
    for (guint i = 0; i < sizeof random; i++)
      random[i] = (guint8) g_random_int ();
  g_autofree char *cname = g_base64_encode (random, sizeof random);
  pthread_mutex_lock (&self->lock);
  rtcp_session_init (&self->rtcp, self->local_ssrc, cname, REPORT_INTERVAL, g_get_real_time (), g_random_int (), g_get_monotonic_time ());
  pthread_mutex_unlock (&self->lock);
}

gboolean
media_transport_start (MediaTransport *self, GError **error)
{
  g_return_val_if_fail (!self->running, FALSE);
  g_atomic_int_set (&self->stopping, FALSE);
  self->opened = g_get_monotonic_time ();
  begin_reports (self);
  g_atomic_int_set (&self->flowing, TRUE);
  self->running = media_thread_create (&self->thread, io_thread, self);
  if (self->running)
    return TRUE;
  g_atomic_int_set (&self->flowing, FALSE);
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no thread is left for a call's media");
  return FALSE;
}

void
media_transport_stop (MediaTransport *self)
{
  if (!self->running)
    return;
  g_atomic_int_set (&self->stopping, TRUE);
  media_transport_wake (self);
  pthread_join (self->thread, NULL);
  media_transport_say_bye (self);
  media_transport_close_handshake (self);
  g_atomic_int_set (&self->flowing, FALSE);
  /* Whoever is in the middle of a datagram has come to its end after this. */
  pthread_mutex_lock (&self->in_lock);
  pthread_mutex_unlock (&self->in_lock);
  g_atomic_int_set (&self->running, FALSE);
}

gboolean
media_transport_is_running (MediaTransport *self)
{
  return g_atomic_int_get (&self->running);
}

/* ---- settings ---- */

static void
allow (MediaTransport *self, int payload_type, guint clock_rate)
{
  if (payload_type >= 0 && payload_type < 128)
    self->clock_rates[payload_type] = (guint16) clock_rate;
}

/* Lock held. */
static void
allow_formats (MediaTransport *self, const PhoneMediaPlan *plan)
{
  memset (self->clock_rates, 0, sizeof self->clock_rates);
  for (guint i = 0; i < plan->n_receive; i++)
    allow (self, plan->receive[i].payload_type, phone_codec_clock_rate (plan->receive[i].id));
  allow (self, plan->receive_dtmf_8000, 8000);
  allow (self, plan->receive_dtmf_48000, 48000);
  allow (self, plan->receive_red != 0 ? plan->receive_red : -1, 48000);
  self->send_clock_rate = phone_codec_clock_rate (plan->send.id);
}

static gboolean
find_peer (MediaTransport *self, const PhoneMediaPlan *plan, MediaAddress *ret_rtp, MediaAddress *ret_rtcp, GError **error)
{
  const char *host = plan->remote_address != NULL ? plan->remote_address : "";

  if (media_address_parse (host, plan->remote_port, self->sockets.family, ret_rtp)
      && media_address_parse (host, plan->remote_rtcp_port, self->sockets.family, ret_rtcp))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "media cannot be sent to “%s” from an %s socket", host,
               self->sockets.family == AF_INET ? "IPv4" : "IPv6");
  return FALSE;
}

static gboolean
apply_paths (MediaTransport *self, const PhoneMediaPlan *plan, MediaAddress *ret_rtp, MediaAddress *ret_rtcp, GError **error)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;

  if (ice != NULL && phone_media_plan_has_ice (plan))
    return media_ice_set_remote (ice, &plan->ice, plan->rtcp_mux ? 1 : 2, error);
  if (self->ice != NULL && !media_transport_leave_ice (self, error))
    return FALSE;
  return find_peer (self, plan, ret_rtp, ret_rtcp, error);
}

gboolean
media_transport_apply (MediaTransport *self, const PhoneMediaPlan *plan, GError **error)
{
  MediaAddress rtp = { 0 }, rtcp = { 0 };
  gint64 now = g_get_monotonic_time ();
  MediaHandshake *handshake;

  if (!media_transport_prepare_handshake (self, plan, &handshake, error))
    return FALSE;
  if (!apply_paths (self, plan, &rtp, &rtcp, error))
    {
      media_handshake_free (handshake);
      return FALSE;
    }

  pthread_mutex_lock (&self->lock);
  gboolean ok = !plan->encrypted || plan->dtls
                || (media_srtp_set_receive_key (self->srtp, &plan->receive_key, error)
                    && (plan->answered ? media_srtp_set_send_key_later (self->srtp, &plan->send_key, now, error)
                                       : media_srtp_set_send_key (self->srtp, &plan->send_key, FALSE, error)));
  if (ok)
    {
      media_latch_negotiate (&self->rtp_latch, &rtp, plan->encrypted, now);
      media_latch_negotiate (&self->rtcp_latch, &rtcp, plan->encrypted, now);
      self->encrypted = plan->encrypted;
      self->mux = plan->rtcp_mux;
      handshake = media_transport_adopt_handshake (self, plan, handshake, &rtp, &rtcp, now);
      self->receive = plan->direction == PHONE_DIRECTION_RECVONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
      allow_formats (self, plan);
      media_monitor_apply (&self->monitor, plan);
      self->applied = TRUE;
    }
  pthread_mutex_unlock (&self->lock);
  media_handshake_free (handshake);
  if (plan->dtls)
    media_transport_wake (self);
  return ok;
}

void
media_transport_set_local_ssrc (MediaTransport *self, guint32 ssrc)
{
  pthread_mutex_lock (&self->lock);
  self->local_ssrc = ssrc;
  self->has_local_ssrc = TRUE;
  pthread_mutex_unlock (&self->lock);
}

void
media_transport_set_sparing (MediaTransport *self, gboolean sparing)
{
  pthread_mutex_lock (&self->lock);
  rtcp_session_set_interval (&self->rtcp, sparing ? SPARE_INTERVAL : REPORT_INTERVAL);
  pthread_mutex_unlock (&self->lock);
}

void
media_transport_set_callbacks (MediaTransport *self, MediaTransportPacket packet, MediaTransportCallback work, MediaTransportCallback first,
                               gpointer data)
{
  self->packet = packet;
  self->work = work;
  self->first = first;
  self->callback_data = data;
}

void
media_transport_set_told_callback (MediaTransport *self, MediaTransportCallback told)
{
  self->told = told;
}

guint
media_transport_take_samples (MediaTransport *self, RateSample ret_samples[MEDIA_MONITOR_SAMPLES])
{
  pthread_mutex_lock (&self->lock);
  guint n = media_monitor_take (&self->monitor, ret_samples);
  pthread_mutex_unlock (&self->lock);
  return n;
}

void
media_transport_get_ports (MediaTransport *self, guint16 *ret_rtp, guint16 *ret_rtcp)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;
  MediaAddress defaults[MEDIA_ICE_COMPONENTS];

  *ret_rtp = self->sockets.rtp_port;
  *ret_rtcp = self->sockets.rtcp_port;
  if (ice == NULL)
    return;
  media_ice_get_defaults (ice, defaults);
  *ret_rtp = media_address_port (&defaults[0]);
  *ret_rtcp = defaults[1].any.sa_family != 0 ? media_address_port (&defaults[1]) : *ret_rtp;
}

/* ---- facts ---- */

char *
media_transport_get_destination (MediaTransport *self)
{
  MediaIcePath path;
  MediaAddress to;

  if (media_transport_get_ice_path (self, &path))
    return media_address_to_string (&path.to);
  pthread_mutex_lock (&self->lock);
  to = *media_latch_destination (&self->rtp_latch);
  pthread_mutex_unlock (&self->lock);
  return media_address_to_string (&to);
}

void
media_transport_set_metrics (MediaTransport *self, const PhoneVoiceMetrics *metrics)
{
  pthread_mutex_lock (&self->lock);
  self->monitor.metrics = *metrics;
  self->monitor.have_metrics = TRUE;
  pthread_mutex_unlock (&self->lock);
}

void
media_transport_get_stats (MediaTransport *self, MediaTransportStats *ret_stats)
{
  pthread_mutex_lock (&self->lock);
  *ret_stats = self->stats;
  media_srtp_get_stats (self->srtp, &ret_stats->srtp);
  rtcp_session_get_stats (&self->rtcp, self->stats.remote_ssrc, g_get_monotonic_time (), &ret_stats->rtcp);
  ret_stats->report_delay = self->monitor.report_delay;
  ret_stats->round_trip = media_monitor_round_trip (&self->monitor, g_get_monotonic_time ());
  ret_stats->have_peer_metrics = self->monitor.have_peer_metrics;
  ret_stats->peer_metrics = self->monitor.peer_metrics;
  pthread_mutex_unlock (&self->lock);
}

/* ---- life ---- */

void
media_transport_free (MediaTransport *self)
{
  if (self == NULL)
    return;
  media_transport_stop (self);
  media_ice_free (self->ice);
  media_ice_free (self->next_ice);
  media_sockets_close (&self->sockets);
  if (self->event_fd >= 0)
    close (self->event_fd);
  media_srtp_free (self->srtp);
  media_srtp_free (self->rtcp_srtp);
  media_handshake_free (self->handshake);
  media_certificate_free (self->certificate);
  pthread_mutex_destroy (&self->lock);
  pthread_mutex_destroy (&self->in_lock);
  g_free (self);
}

MediaTransport *
media_transport_new (const MediaTransportParams *params, GError **error)
{
  g_autoptr (MediaTransport) self = g_new0 (MediaTransport, 1);
  gboolean ok;

  self->sockets = (MediaSockets) { .rtp = -1, .rtcp = -1 };
  self->event_fd = -1;
  media_monitor_init (&self->monitor);
  self->srtp = media_srtp_new ();
  self->rtcp_srtp = media_srtp_new ();
  media_mutex_init (&self->lock);
  media_mutex_init (&self->in_lock);
  if (params->ice != NULL)
    ok = (self->ice = media_ice_new (params->ice, &media_transport_ice_callbacks, self, error)) != NULL;
  else
    ok = media_sockets_open (params->bind_address, params->ipv6, params->port_first, params->port_last, &self->sockets, error);
  self->event_fd = ok ? eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  if (self->event_fd >= 0)
    return g_steal_pointer (&self);
  if (ok)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no file descriptor is left for a call's media");
  return NULL;
}
