/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What has come: which class it is of, whether it is the peer's, and to whom it goes. The lock is held while a packet is judged and never while
 * it is handed on; self->in belongs to whoever reads. */

#include "media/media-transport-private.h"

#include <string.h>

#include "media/media-rtp.h"

#define BATCH 32
#define FRESH_US 1000                   /* a packet that has just come is alone, most likely: poll() will say if not */
/* us. What the peer said before we were told of it waits in the socket; older than this it is not worth the delay that it brings. */
#define MAX_BACKLOG (250 * 1000)

/* Lock held. FALSE: it is not to be used further. */
static gboolean
unprotect (MediaTransport *self, gboolean rtcp, const MediaAddress *from, gsize *length, gint64 now)
{
  if (!self->encrypted)
    return TRUE;
  MediaSrtpResult result = rtcp ? media_srtp_unprotect_rtcp (media_transport_srtp_of (self, TRUE), self->in.octets, length, now)
                                : media_srtp_unprotect_rtp (self->srtp, self->in.octets, length, now);
  if (result == MEDIA_SRTP_REPLAYED && from != NULL)
    media_latch_replayed (rtcp && !self->mux ? &self->rtcp_latch : &self->rtp_latch, from, now);
  return result == MEDIA_SRTP_OK;
}

/* from NULL: a pair that ICE has validated. */
static gboolean
accept_rtp (MediaTransport *self, const MediaAddress *from, gsize *length, gint64 now)
{
  MediaRtpHeader header;
  gboolean moved = FALSE, numbered;
  gsize received = *length;
  guint16 number;

  if (from != NULL && !media_latch_may_enter (&self->rtp_latch, from, now))
    {
      self->stats.filtered++;
      return FALSE;
    }
  if (!unprotect (self, FALSE, from, length, now))
    return FALSE;
  numbered = media_monitor_number (&self->monitor, self->in.octets, *length, &number);
  if (!media_rtp_normalise (self->in.octets, length, &header))
    {
      self->stats.malformed++;
      return FALSE;
    }
  if (self->clock_rates[header.payload_type] == 0)
    {
      self->stats.unknown++;
      return FALSE;
    }
  guint32 ssrc = header.ssrc;           /* as the peer knows it */
  if (self->has_local_ssrc && header.ssrc == self->local_ssrc)
    {
      header.ssrc = ~header.ssrc;
      media_rtp_set_ssrc (self->in.octets, header.ssrc);
    }
  if (from != NULL && !media_latch_valid (&self->rtp_latch, from, header.ssrc, header.seq, now, &moved))
    {
      self->stats.filtered++;
      return FALSE;
    }
  if (moved)
    {
      /* What the former holder of the place has used up is not held against the new one. */
      self->stats.moves++;
      self->gate = (MediaSourceGate) { 0 };
    }
  if (!media_source_gate_admit (&self->gate, header.ssrc, now))
    {
      self->stats.filtered++;
      return FALSE;
    }
  if (!rtcp_session_arrived (&self->rtcp, header.ssrc, header.seq, header.timestamp, self->clock_rates[header.payload_type],
                             *length - MEDIA_RTP_HEADER, now))
    {
      self->stats.malformed++;
      return FALSE;
    }
  self->stats.rtp_received++;
  self->stats.rtp_octets_received += *length;
  self->stats.last_rtp = now;
  self->stats.remote_ssrc = header.ssrc;
  if (numbered)
    media_monitor_arrived (&self->monitor, ssrc, number, received + media_transport_ip_overhead (self), now);
  return self->receive && now >= self->opened - MAX_BACKLOG;
}

static void
accept_rtcp (MediaTransport *self, gboolean muxed, const MediaAddress *from, gsize *length, gint64 now, gboolean *ret_told)
{
  union
  {
    guint32 align;
    guint8 octets[MEDIA_TRANSPORT_MAX_DATAGRAM];
  } whole;
  gsize received;
  MediaLatch *latch = muxed ? &self->rtp_latch : &self->rtcp_latch;
  guint32 sender;
  gboolean bye, moved;

  if (from != NULL && !media_latch_may_enter (latch, from, now))
    {
      self->stats.filtered++;
      return;
    }
  if (!unprotect (self, TRUE, from, length, now))
    return;
  received = *length;
  memcpy (whole.octets, self->in.octets, received);
  if (!media_rtcp_filter (self->in.octets, length, self->monitor.kind != MEDIA_FEEDBACK_NONE, &sender, &bye))
    {
      self->stats.malformed++;
      return;
    }
  if (self->has_local_ssrc && sender == self->local_ssrc)
    return;
  if ((from != NULL && !media_latch_valid_rtcp (latch, &self->rtp_latch, from, sender, now, &moved))
      || !media_source_gate_admit (&self->gate, sender, now))
    {
      self->stats.filtered++;
      return;
    }
  self->stats.rtcp_received++;
  self->stats.last_rtcp = now;
  if (self->has_local_ssrc)
    *ret_told = media_monitor_told (&self->monitor, whole.octets, received, self->local_ssrc, now);
  rtcp_session_told (&self->rtcp, self->in.octets, *length, now);
}

void
media_transport_hear (MediaTransport *self, gboolean rtcp_socket, const MediaAddress *from, gsize length, gint64 arrival)
{
  gboolean rtp = FALSE, dtls = FALSE, first = FALSE, told = FALSE, due;

  pthread_mutex_lock (&self->lock);
  if (self->applied)
    switch (media_packet_classify (self->in.octets, length))
      {
      case MEDIA_PACKET_RTP:
        rtp = !rtcp_socket && accept_rtp (self, from, &length, arrival);
        break;
      case MEDIA_PACKET_RTCP:
        accept_rtcp (self, !rtcp_socket, from, &length, arrival, &told);
        break;
      case MEDIA_PACKET_DTLS:
        if (self->handshake == NULL)
          self->stats.unknown++;
        else
          {
            media_handshake_receive (self->handshake, rtcp_socket ? 1 : 0, from, self->in.octets, length, arrival);
            dtls = TRUE;
          }
        break;
      case MEDIA_PACKET_STUN:
      case MEDIA_PACKET_ZRTP:
      case MEDIA_PACKET_TURN_CHANNEL:
      case MEDIA_PACKET_UNKNOWN:
        self->stats.unknown++;
        break;
      }
  due = from == NULL && rtp && media_arrivals_due (&self->monitor.arrivals) < arrival;
  first = self->stats.rtp_received > 0 && !self->saw_first;
  self->saw_first |= first;
  pthread_mutex_unlock (&self->lock);

  if (dtls)
    {
      media_transport_pump_handshake (self);
      if (from == NULL)
        media_transport_wake (self);    /* what the I/O thread waits for is something else now */
    }
  if (due)
    media_transport_wake (self);        /* the report goes out from the I/O thread, which may sleep for long */
  if (first && self->first != NULL)
    self->first (self->callback_data);
  if (told && self->told != NULL)
    self->told (self->callback_data);
  if (rtp && self->packet != NULL)
    self->packet (self->in.octets, length, arrival, self->callback_data);
}

/* FALSE: the batch is used up, and more may wait. */
gboolean
media_transport_read (MediaTransport *self, int fd, gboolean rtcp)
{
  MediaAddress from;
  gint64 arrival;

  for (guint i = 0; i < BATCH; i++)
    {
      gssize n = media_socket_receive (fd, self->in.octets, sizeof self->in.octets, &from, &arrival);
      if (n == -1)
        return TRUE;
      if (n > 0)
        media_transport_hear (self, rtcp, &from, (gsize) n, arrival);
      if (i == 0 && n > 0 && g_get_monotonic_time () - arrival < FRESH_US)
        return TRUE;
    }
  return FALSE;
}
