/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What goes out: packets of the sender, reports in their time, a goodbye. Whoever sends holds the lock while keys are used, and not over the
 * system call. */

#include "media/media-transport-private.h"

#include <string.h>

#include "media/media-octets.h"
#include "media/media-rtp.h"

/* Lock held. */
MediaSrtp *
media_transport_srtp_of (MediaTransport *self, gboolean rtcp)
{
  return rtcp && !self->mux && self->handshake != NULL ? self->rtcp_srtp : self->srtp;
}

/* Lock held. FALSE: there is no place to send to. */
static gboolean
find_way (MediaTransport *self, gboolean rtcp, MediaTransportWay *ret_way)
{
  gboolean second = rtcp && !self->mux;

  *ret_way = (MediaTransportWay) { .component = second ? 2 : 1, .fd = second ? self->sockets.rtcp : self->sockets.rtp };
  if (!self->applied)
    return FALSE;
  if (self->ice != NULL)
    {
      ret_way->ice = media_ice_ref (self->ice);
      return TRUE;
    }
  ret_way->to = *media_latch_destination (second ? &self->rtcp_latch : &self->rtp_latch);
  return ret_way->fd >= 0 && media_address_is_usable (&ret_way->to);
}

/* Without the lock. */
gboolean
media_transport_send_by (MediaTransportWay *way, const guint8 *data, gsize length)
{
  return way->ice != NULL ? media_ice_send (way->ice, way->component, data, length)
                          : media_socket_send (way->fd, data, length, &way->to);
}

/* Lock held, but not while it is sent. */
static void
send_rtcp (MediaTransport *self, guint8 *octets, gsize length, gsize capacity)
{
  MediaTransportWay way;
  MediaSrtp *srtp = media_transport_srtp_of (self, TRUE);
  gboolean waiting = self->handshake != NULL && !media_srtp_can_send (srtp);
  gboolean ok = find_way (self, TRUE, &way)
                && (!self->encrypted || media_srtp_protect_rtcp (srtp, octets, &length, capacity) == MEDIA_SRTP_OK);

  waiting |= way.ice != NULL;
  pthread_mutex_unlock (&self->lock);
  ok = ok && media_transport_send_by (&way, octets, length);
  g_clear_pointer (&way.ice, media_ice_unref);
  pthread_mutex_lock (&self->lock);
  if (ok)
    {
      self->stats.rtcp_sent++;
      rate_history_sent_rtcp (&self->monitor.history, length + media_transport_ip_overhead (self), g_get_monotonic_time ());
    }
  else
    self->stats.send_errors += !waiting;
}

/* Lock held. A report while there is nowhere to send to would say of a time that the next one must tell of. */
static gboolean
can_report (MediaTransport *self)
{
  return self->applied && self->has_local_ssrc && (!self->encrypted || media_srtp_can_send (media_transport_srtp_of (self, TRUE)));
}

/* Lock held. */
static void
send_report (MediaTransport *self, gboolean bye, gint64 now)
{
  union
  {
    guint32 align;
    guint8 octets[RTCP_COMPOUND + MEDIA_XR_LENGTH + MEDIA_XR_TIMES_LENGTH + MEDIA_SRTP_TRAILER];
  } out;
  gsize length = rtcp_session_write (&self->rtcp, bye, now, out.octets);

  media_monitor_tell (&self->monitor, out.octets, &length, sizeof out - MEDIA_SRTP_TRAILER, self->local_ssrc, self->stats.remote_ssrc, now);
  send_rtcp (self, out.octets, length, sizeof out.octets);
}

/* Lock held. */
static void
tell_arrivals (MediaTransport *self, gint64 now)
{
  union
  {
    guint32 align;
    guint8 octets[MEDIA_TRANSPORT_MAX_DATAGRAM + MEDIA_SRTP_TRAILER];
  } out;
  gsize length = media_arrivals_write (&self->monitor.arrivals, self->local_ssrc, now, out.octets, MEDIA_TRANSPORT_MAX_DATAGRAM);

  if (length > 0 && self->has_local_ssrc)
    send_rtcp (self, out.octets, length, sizeof out.octets);
}

int
media_transport_tend_reports (MediaTransport *self)
{
  gint64 now = g_get_monotonic_time (), due;

  pthread_mutex_lock (&self->lock);
  if (media_arrivals_due (&self->monitor.arrivals) <= now)
    tell_arrivals (self, now);
  if (rtcp_session_due (&self->rtcp) <= now)
    {
      if (can_report (self))
        send_report (self, FALSE, now);
      else
        rtcp_session_skip (&self->rtcp, now);
    }
  due = MIN (media_arrivals_due (&self->monitor.arrivals), rtcp_session_due (&self->rtcp));
  pthread_mutex_unlock (&self->lock);
  return (int) CLAMP ((due - now + 999) / 1000, 1, G_MAXINT);
}

void
media_transport_say_bye (MediaTransport *self)
{
  pthread_mutex_lock (&self->lock);
  if (self->stats.rtp_sent + self->stats.rtcp_sent > 0 && can_report (self))
    send_report (self, TRUE, g_get_monotonic_time ());
  pthread_mutex_unlock (&self->lock);
}

void
media_transport_send (MediaTransport *self, const guint8 *packet, gsize plain)
{
  union
  {
    guint32 align;
    guint8 octets[MEDIA_TRANSPORT_MAX_DATAGRAM + MEDIA_MONITOR_MARK + MEDIA_SRTP_TRAILER];
  } out;
  gsize length = plain;
  MediaTransportWay way;
  gint64 now = g_get_monotonic_time ();

  g_return_if_fail (plain >= MEDIA_RTP_HEADER);
  if (plain > MEDIA_TRANSPORT_MAX_DATAGRAM)
    return;
  memcpy (out.octets, packet, plain);

  pthread_mutex_lock (&self->lock);
  gboolean ok = find_way (self, FALSE, &way);
  media_monitor_mark (&self->monitor, out.octets, &length);
  if (ok && self->encrypted)
    ok = media_srtp_protect_rtp (self->srtp, out.octets, &length, sizeof out.octets) == MEDIA_SRTP_OK;
  if (ok)
    {
      media_monitor_sent (&self->monitor, (guint16) media_read16 (packet + 2), length + media_transport_ip_overhead (self), now);
      rtcp_session_sent (&self->rtcp, media_read32 (packet + 4), self->send_clock_rate, plain - MEDIA_RTP_HEADER, now);
    }
  gboolean waiting = way.ice != NULL || (self->handshake != NULL && !media_srtp_can_send (self->srtp));
  pthread_mutex_unlock (&self->lock);

  ok = ok && media_transport_send_by (&way, out.octets, length);
  waiting = waiting && !ok;             /* for a pair or for keys: no fault of anything here */
  g_clear_pointer (&way.ice, media_ice_unref);

  pthread_mutex_lock (&self->lock);
  if (ok)
    {
      self->stats.rtp_sent++;
      self->stats.rtp_octets_sent += plain;
    }
  else
    self->stats.send_errors += !waiting;
  pthread_mutex_unlock (&self->lock);
}
