/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Keys out of a handshake (media-handshake), which is driven by whoever reads and by the I/O thread when a flight is to be repeated. Until it
 * is done nothing is sent and nothing is heard; a later one leaves the keys of the one before in use until it is done too. */

#include "media/media-transport-private.h"

#include <string.h>

/* Lock held. Keys into use, the rest into words for whoever is to be told without the lock. */
static void
take_handshake_events (MediaTransport *self, gboolean *ret_secured, PhoneSrtpSuite *ret_suite, gboolean *ret_silent, char **ret_why)
{
  MediaHandshakeEvent event;
  g_autoptr (GError) error = NULL;

  while (media_handshake_take_event (self->handshake, &event) != MEDIA_HANDSHAKE_NOTHING)
    {
      MediaSrtp *srtp = event.component == 0 ? self->srtp : self->rtcp_srtp;
      MediaLatch *latch = event.component == 0 ? &self->rtp_latch : &self->rtcp_latch;
      gboolean moved;

      if (event.type == MEDIA_HANDSHAKE_KEYS)
        {
          /* Whoever has shown the certificate is the peer, and his counters begin at 0. */
          if (!media_srtp_set_send_key (srtp, &event.send, TRUE, &error) || !media_srtp_set_receive_key (srtp, &event.receive, &error))
            {
              *ret_why = g_strdup (error->message);
              g_clear_error (&error);
            }
          else if (event.component == 0)
            {
              *ret_secured = TRUE;
              *ret_suite = event.send.suite;
            }
          if (event.has_from)
            media_latch_valid_rtcp (latch, &self->rtp_latch, &event.from, 0, g_get_monotonic_time (), &moved);
        }
      else if (event.component == 0 && *ret_why == NULL)        /* a call without RTCP is a call */
        {
          *ret_silent = event.type == MEDIA_HANDSHAKE_SILENT;
          *ret_why = g_strdup (event.reason);
        }
      media_handshake_event_clear (&event);
    }
}

/* Lock held. Where the next datagram goes; NULL: there is none. */
static GBytes *
next_flight (MediaTransport *self, MediaTransportWay *ret_way)
{
  MediaAddress to;
  GBytes *datagram;
  guint component;

  if (self->handshake == NULL || !media_handshake_take_output (self->handshake, &component, &to, &datagram))
    return NULL;
  *ret_way = (MediaTransportWay) { .component = component + 1, .fd = component == 0 ? self->sockets.rtp : self->sockets.rtcp, .to = to,
                     .ice = self->ice != NULL ? media_ice_ref (self->ice) : NULL };
  return datagram;
}

/* Without the lock, after anything that may have moved the handshake. Keys first: the peer may speak as soon as our last flight is there. */
void
media_transport_pump_handshake (MediaTransport *self)
{
  gboolean secured = FALSE, silent = FALSE;
  PhoneSrtpSuite suite = PHONE_SRTP_AEAD_AES_256_GCM;
  g_autofree char *why = NULL;
  GBytes *datagram;
  MediaTransportWay way;

  pthread_mutex_lock (&self->lock);
  if (self->handshake != NULL)
    take_handshake_events (self, &secured, &suite, &silent, &why);
  while ((datagram = next_flight (self, &way)) != NULL)
    {
      pthread_mutex_unlock (&self->lock);
      media_transport_send_by (&way, g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));
      g_clear_pointer (&way.ice, media_ice_unref);
      g_bytes_unref (datagram);
      pthread_mutex_lock (&self->lock);
    }
  pthread_mutex_unlock (&self->lock);

  if (secured && self->secured != NULL)
    self->secured (suite, self->callback_data);
  if (why != NULL && self->unsecured != NULL)
    self->unsecured (why, silent, self->callback_data);
}

/* On the I/O thread: repeats what is due. ms that may be slept, -1: for ever. */
int
media_transport_tend_handshake (MediaTransport *self)
{
  gint64 now, next;
  MediaIcePath path;
  MediaIce *ice = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->handshake == NULL)
    {
      pthread_mutex_unlock (&self->lock);
      return -1;
    }
  now = g_get_monotonic_time ();
  if (self->ice != NULL && !media_handshake_is_ready (self->handshake, 0))
    ice = media_ice_ref (self->ice);
  pthread_mutex_unlock (&self->lock);

  if (ice != NULL)
    {
      media_ice_get_path (ice, &path);
      media_ice_unref (ice);
    }

  /* The main thread may have taken it away meanwhile. */
  pthread_mutex_lock (&self->lock);
  if (ice != NULL && path.state == PHONE_ICE_CONNECTED && self->handshake != NULL)
    for (guint i = 0; i < MEDIA_HANDSHAKE_COMPONENTS; i++)
      media_handshake_set_ready (self->handshake, i, NULL, now);
  if (self->handshake != NULL && media_handshake_next (self->handshake, now) <= now)
    media_handshake_tick (self->handshake, now);
  pthread_mutex_unlock (&self->lock);
  media_transport_pump_handshake (self);

  pthread_mutex_lock (&self->lock);
  next = self->handshake != NULL ? media_handshake_next (self->handshake, now) : G_MAXINT64;
  pthread_mutex_unlock (&self->lock);
  return next == G_MAXINT64 ? -1 : (int) CLAMP ((next - now + 999) / 1000, 1, G_MAXINT);
}

gboolean
media_transport_get_dtls (MediaTransport *self, PhoneDtlsDesc *ret_local, GError **error)
{
  if (self->certificate == NULL)
    {
      guint8 id[24];
      g_autofree char *text = NULL;

      self->certificate = media_certificate_new (error);
      if (self->certificate == NULL)
        return FALSE;
      for (gsize i = 0; i < sizeof id; i++)
        id[i] = (guint8) g_random_int_range (0, 256);
      text = g_base64_encode (id, sizeof id);   /* 32 of the characters that a tls-id may have */
      self->local_dtls = (PhoneDtlsDesc) { .n_fingerprints = 1, .fingerprints = { self->certificate->fingerprint } };
      g_strlcpy (self->local_dtls.tls_id, text, sizeof self->local_dtls.tls_id);
    }
  *ret_local = self->local_dtls;
  return TRUE;
}

/* *ret_handshake NULL: the one that there is goes on, or none is needed. */
gboolean
media_transport_prepare_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake **ret_handshake, GError **error)
{
  const PhoneDtlsPlan *dtls = &plan->handshake;
  PhoneDtlsDesc unused;

  *ret_handshake = NULL;
  if (!plan->dtls)
    return TRUE;
  if (self->handshake != NULL && self->dtls.association == dtls->association && !self->dtls.client == !dtls->client
      && self->dtls.n_fingerprints == dtls->n_fingerprints && (plan->rtcp_mux || !self->mux)
      && memcmp (self->dtls.fingerprints, dtls->fingerprints, sizeof dtls->fingerprints) == 0)
    return TRUE;
  if (!media_srtp_init (error) || !media_transport_get_dtls (self, &unused, error))
    return FALSE;
  *ret_handshake = media_handshake_new (&(MediaHandshakeParams) { .dtls = { .certificate = self->certificate, .client = dtls->client,
                                                                            .n_fingerprints = dtls->n_fingerprints,
                                                                            .fingerprints = dtls->fingerprints,
                                                                            .suites = self->dtls_suites },
                                                                  .n_components = plan->rtcp_mux ? 1 : 2 },
                                        error);
  return *ret_handshake != NULL;
}

/* Lock held. Returns what is to be freed. */
MediaHandshake *
media_transport_adopt_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake *handshake, const MediaAddress *rtp,
                 const MediaAddress *rtcp, gint64 now)
{
  MediaHandshake *old = handshake != NULL || !plan->dtls ? g_steal_pointer (&self->handshake) : NULL;

  if (!plan->dtls)
    return old;
  if (handshake != NULL)
    {
      self->handshake = handshake;
      self->dtls = plan->handshake;
    }
  /* With ICE the I/O thread waits for a pair. */
  if (self->ice == NULL && media_address_is_usable (rtp))
    media_handshake_set_ready (self->handshake, 0, rtp, now);
  if (self->ice == NULL && media_address_is_usable (rtcp))
    media_handshake_set_ready (self->handshake, 1, rtcp, now);
  return old;
}

void
media_transport_close_handshake (MediaTransport *self)
{
  pthread_mutex_lock (&self->lock);
  if (self->handshake != NULL)
    media_handshake_close (self->handshake);
  pthread_mutex_unlock (&self->lock);
  media_transport_pump_handshake (self);
}

void
media_transport_set_dtls_suites (MediaTransport *self, guint suites)
{
  self->dtls_suites = suites;
}

void
media_transport_set_dtls_callbacks (MediaTransport *self, MediaTransportSecured secured, MediaTransportUnsecured unsecured)
{
  self->secured = secured;
  self->unsecured = unsecured;
}
