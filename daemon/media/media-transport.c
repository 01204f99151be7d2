/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread per call does all the network's work. Without ICE it sleeps in poll(2) on both sockets and an eventfd, reads at most BATCH packets from
 * each socket before it looks at the others again (a flood on one starves nobody), and drains the sender when the hub has rung.
 *
 *   datagram -> class (RFC 7983) -> source filter -> SRTP -> shape (media-rtp) -> sources gate -> rtp_src -> rtpsession -> ...
 *   ... MediaSend -> rtpsession -> rtp_sink -> SRTP -> sendto
 *
 * With ICE (media-ice) the datagrams come on that session's thread, from validated pairs only: the source filter has nothing to do. For a
 * short while there are two sessions, when the network has changed: what either hears is taken, and the one in `ice` speaks. A peer that
 * turns out to have no ICE gets the sockets of the default candidates as plain ones.
 *
 * With DTLS (media-handshake) the keys come out of a handshake on the same way as the media, driven by whoever reads, and by the I/O
 * thread when a flight is to be repeated. Until it is done nothing is sent and nothing is heard; a later one leaves the keys of the one
 * before in use until it is done too.
 *
 * The lock guards SRTP, handshake, latches and settings; it is never held over a push or a system call. rtpsession's RTCP thread comes in by rtcp_sink,
 * the main thread by the setters.
 *
 * Events and queries end here: nothing of what rtpsession says downstream or the receiver says upstream concerns a socket. */

#include "media/media-transport.h"

#include "media/media-thread.h"

#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "media/media-handshake.h"
#include "media/media-latch.h"
#include "media/media-monitor.h"
#include "media/media-packet.h"
#include "media/media-rtp.h"
#include "media/media-socket.h"
#include "media/media-thread.h"

#define BATCH 32
#define FLOOD_BATCHES 100               /* full ones in a row: 3200 packets, a minute's worth, and more wait */
#define MAX_DATAGRAM MEDIA_SRTP_MAX_PACKET
/* us. What the peer said before we were told of it waits in the socket; older than this it is not worth the delay that it brings. */
#define MAX_BACKLOG (250 * 1000)

struct _MediaTransport
{
  GstElement parent;
  GstPad *rtp_src, *rtcp_src;
  MediaSockets sockets;
  int event_fd;
  pthread_t thread;
  gboolean running;                     /* there is a thread */
  gint stopping;                        /* atomic */
  MediaTransportCallback work, first, ice_changed, told;
  MediaTransportSecured secured;
  MediaTransportUnsecured unsecured;
  gpointer callback_data;
  MediaCertificate *certificate;        /* main thread; NULL until DTLS is asked for */
  PhoneDtlsDesc local_dtls;
  guint dtls_suites;

  MediaIce *ice, *next_ice;             /* changed by the main thread under the lock */
  pthread_mutex_t in_lock;              /* of `in` while two sessions hear */

  pthread_mutex_t lock;
  pthread_cond_t bye_sent;
  gboolean said_bye;
  MediaSrtp *srtp;                      /* used when encrypted */
  MediaSrtp *rtcp_srtp;                 /* of RTCP when that has a handshake of its own */
  MediaHandshake *handshake;            /* with DTLS */
  PhoneDtlsPlan dtls;                   /* what it is for */
  gboolean applied, encrypted, receive, mux;
  gint64 opened;                        /* monotonic us: when reading began */
  MediaLatch rtp_latch, rtcp_latch;
  MediaSourceGate gate;
  guint8 payload_types[16];             /* bit set: may arrive */
  guint32 local_ssrc;
  gboolean has_local_ssrc;
  MediaMonitor monitor;
  MediaTransportStats stats;

  /* The thread that reads only */
  gint flowing;                         /* atomic: pads may be pushed */
  gboolean started_rtp, started_rtcp, saw_first;
  union
  {
    guint32 align;
    guint8 octets[MAX_DATAGRAM];
  } in;
};

G_DEFINE_FINAL_TYPE (MediaTransport, media_transport, GST_TYPE_ELEMENT)

/* A bin cannot order an element that stands on both sides of another; so the way out is an element of its own. */
struct _MediaTransportSink
{
  GstElement parent;
  MediaTransport *transport;
};

#define MEDIA_TYPE_TRANSPORT_SINK (media_transport_sink_get_type ())
G_DECLARE_FINAL_TYPE (MediaTransportSink, media_transport_sink, MEDIA, TRANSPORT_SINK, GstElement)
G_DEFINE_FINAL_TYPE (MediaTransportSink, media_transport_sink, GST_TYPE_ELEMENT)

static GstStaticPadTemplate rtp_src_template
    = GST_STATIC_PAD_TEMPLATE ("rtp_src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate rtcp_src_template
    = GST_STATIC_PAD_TEMPLATE ("rtcp_src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtcp"));
static GstStaticPadTemplate rtp_sink_template
    = GST_STATIC_PAD_TEMPLATE ("rtp_sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtp"));
static GstStaticPadTemplate rtcp_sink_template
    = GST_STATIC_PAD_TEMPLATE ("rtcp_sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS ("application/x-rtcp"));

static void pump_handshake (MediaTransport *self);
static int tend_handshake (MediaTransport *self);
static int tend_reports (MediaTransport *self);

/* ---- receiving ---- */

static void
push (MediaTransport *self, GstPad *pad, gboolean *started, const char *media_type, gsize length, gint64 arrival)
{
  if (!*started)
    {
      g_autofree char *stream = g_strdup_printf ("%s/%08x", GST_PAD_NAME (pad), g_random_int ());
      g_autoptr (GstCaps) caps = gst_caps_new_empty_simple (media_type);
      GstSegment segment;
      gst_segment_init (&segment, GST_FORMAT_TIME);
      gst_pad_push_event (pad, gst_event_new_stream_start (stream));
      gst_pad_push_event (pad, gst_event_new_caps (caps));
      gst_pad_push_event (pad, gst_event_new_segment (&segment));
      *started = TRUE;
    }

  GstBuffer *buffer = gst_buffer_new_allocate (NULL, length, NULL);
  gst_buffer_fill (buffer, 0, self->in.octets, length);
  media_packet_set_arrival (buffer, arrival);
  GstClockTime base = gst_element_get_base_time (GST_ELEMENT (self)), now = (GstClockTime) arrival * 1000;
  GST_BUFFER_PTS (buffer) = GST_CLOCK_TIME_IS_VALID (base) && now > base ? now - base : 0;
  gst_pad_push (pad, buffer);
}

/* Lock held. */
static MediaSrtp *
srtp_of (MediaTransport *self, gboolean rtcp)
{
  return rtcp && !self->mux && self->handshake != NULL ? self->rtcp_srtp : self->srtp;
}

/* Lock held. FALSE: it is not to be used further. */
static gboolean
unprotect (MediaTransport *self, gboolean rtcp, const MediaAddress *from, gsize *length, gint64 now)
{
  if (!self->encrypted)
    return TRUE;
  MediaSrtpResult result = rtcp ? media_srtp_unprotect_rtcp (srtp_of (self, TRUE), self->in.octets, length, now)
                                : media_srtp_unprotect_rtp (self->srtp, self->in.octets, length, now);
  if (result == MEDIA_SRTP_REPLAYED && from != NULL)
    media_latch_replayed (rtcp && !self->mux ? &self->rtcp_latch : &self->rtp_latch, from, now);
  return result == MEDIA_SRTP_OK;
}

static gsize
ip_overhead (MediaTransport *self)
{
  return (self->sockets.family == AF_INET6 ? 40 : 20) + 8;
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
  if ((self->payload_types[header.payload_type / 8] & 1u << (header.payload_type % 8)) == 0)
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
  self->stats.rtp_received++;
  self->stats.rtp_octets_received += *length;
  self->stats.last_rtp = now;
  self->stats.remote_ssrc = header.ssrc;
  if (numbered)
    media_monitor_arrived (&self->monitor, ssrc, number, received + ip_overhead (self), now);
  return self->receive && now >= self->opened - MAX_BACKLOG;
}

static gboolean
accept_rtcp (MediaTransport *self, gboolean muxed, const MediaAddress *from, gsize *length, gint64 now, gboolean *ret_told)
{
  union
  {
    guint32 align;
    guint8 octets[MAX_DATAGRAM];
  } whole;
  gsize received;
  MediaLatch *latch = muxed ? &self->rtp_latch : &self->rtcp_latch;
  guint32 sender;
  gboolean bye, moved;

  if (from != NULL && !media_latch_may_enter (latch, from, now))
    {
      self->stats.filtered++;
      return FALSE;
    }
  if (!unprotect (self, TRUE, from, length, now))
    return FALSE;
  received = *length;
  memcpy (whole.octets, self->in.octets, received);
  if (!media_rtcp_filter (self->in.octets, length, self->monitor.kind != MEDIA_FEEDBACK_NONE, &sender, &bye))
    {
      self->stats.malformed++;
      return FALSE;
    }
  if (self->has_local_ssrc && sender == self->local_ssrc)
    return FALSE;
  if ((from != NULL && !media_latch_valid_rtcp (latch, &self->rtp_latch, from, sender, now, &moved))
      || !media_source_gate_admit (&self->gate, sender, now))
    {
      self->stats.filtered++;
      return FALSE;
    }
  self->stats.rtcp_received++;
  self->stats.last_rtcp = now;
  if (self->has_local_ssrc)
    *ret_told = media_monitor_told (&self->monitor, whole.octets, received, self->local_ssrc, now);
  return *length > 0;
}

static void
on_datagram (MediaTransport *self, gboolean rtcp_socket, const MediaAddress *from, gsize length, gint64 arrival)
{
  gboolean rtp = FALSE, rtcp = FALSE, dtls = FALSE, first = FALSE, told = FALSE, due;

  pthread_mutex_lock (&self->lock);
  if (self->applied)
    switch (media_packet_classify (self->in.octets, length))
      {
      case MEDIA_PACKET_RTP:
        rtp = !rtcp_socket && accept_rtp (self, from, &length, arrival);
        break;
      case MEDIA_PACKET_RTCP:
        rtcp = accept_rtcp (self, !rtcp_socket, from, &length, arrival, &told);
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
      pump_handshake (self);
      if (from == NULL)
        media_transport_wake (self);    /* what the I/O thread waits for is something else now */
    }
  if (due)
    media_transport_wake (self);        /* the report goes out from the I/O thread, which may sleep for long */
  if (first && self->first != NULL)
    self->first (self->callback_data);
  if (told && self->told != NULL)
    self->told (self->callback_data);
  if (rtp)
    push (self, self->rtp_src, &self->started_rtp, "application/x-rtp", length, arrival);
  if (rtcp)
    push (self, self->rtcp_src, &self->started_rtcp, "application/x-rtcp", length, arrival);
}

/* FALSE: the batch is used up, and more may wait. */
static gboolean
read_socket (MediaTransport *self, int fd, gboolean rtcp)
{
  MediaAddress from;
  gint64 arrival;

  for (guint i = 0; i < BATCH; i++)
    {
      gssize n = media_socket_receive (fd, self->in.octets, sizeof self->in.octets, &from, &arrival);
      if (n == -1)
        return TRUE;
      if (n > 0)
        on_datagram (self, rtcp, &from, (gsize) n, arrival);
    }
  return FALSE;
}

static void
on_ice_received (gpointer data, guint component, guint8 *octets, gsize length, gint64 arrival)
{
  MediaTransport *self = data;

  if (length > sizeof self->in.octets)
    return;
  pthread_mutex_lock (&self->in_lock);
  if (g_atomic_int_get (&self->flowing))
    {
      memcpy (self->in.octets, octets, length);
      on_datagram (self, component == 2, NULL, length, arrival);
    }
  pthread_mutex_unlock (&self->in_lock);
}

static void
on_ice_changed (gpointer data)
{
  MediaTransport *self = data;

  MediaTransportCallback changed = (MediaTransportCallback) g_atomic_pointer_get (&self->ice_changed);

  media_transport_wake (self);          /* a handshake may wait for a way */
  if (changed != NULL)
    changed (self->callback_data);
}

static const MediaIceCallbacks ice_callbacks = { .received = on_ice_received, .changed = on_ice_changed };

static void
guard_ice (MediaTransport *self)
{
  MediaIce *ice;

  pthread_mutex_lock (&self->lock);
  ice = self->ice != NULL ? media_ice_ref (self->ice) : NULL;
  pthread_mutex_unlock (&self->lock);
  if (ice == NULL)
    return;
  media_ice_guard (ice);
  media_ice_unref (ice);
}

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
      int handshake = tend_handshake (self), report = tend_reports (self);
      if (poll (fds, G_N_ELEMENTS (fds), handshake < 0 || (report >= 0 && report < handshake) ? report : handshake) < 0)
        continue;
      if (fds[0].revents != 0)
        {
          guint64 count;
          if (read (self->event_fd, &count, sizeof count) == sizeof count && !g_atomic_int_get (&self->stopping)
              && self->work != NULL)
            self->work (self->callback_data);
          guard_ice (self);
        }
      gboolean emptied = TRUE;
      if (fds[1].revents != 0)
        emptied = read_socket (self, fds[1].fd, FALSE);
      if (fds[2].revents != 0)
        emptied = read_socket (self, fds[2].fd, TRUE) && emptied;
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

/* ---- ways ---- */

/* How a packet leaves, as it was under the lock. */
typedef struct
{
  MediaIce *ice;                        /* a reference; NULL: by a socket of ours */
  guint component;
  int fd;
  MediaAddress to;
} Way;

/* Lock held. FALSE: there is no place to send to. */
static gboolean
find_way (MediaTransport *self, gboolean rtcp, Way *ret_way)
{
  gboolean second = rtcp && !self->mux;

  *ret_way = (Way) { .component = second ? 2 : 1, .fd = second ? self->sockets.rtcp : self->sockets.rtp };
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
static gboolean
send_by (Way *way, const guint8 *data, gsize length)
{
  return way->ice != NULL ? media_ice_send (way->ice, way->component, data, length)
                          : media_socket_send (way->fd, data, length, &way->to);
}

/* ---- DTLS ---- */

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
next_flight (MediaTransport *self, Way *ret_way)
{
  MediaAddress to;
  GBytes *datagram;
  guint component;

  if (self->handshake == NULL || !media_handshake_take_output (self->handshake, &component, &to, &datagram))
    return NULL;
  *ret_way = (Way) { .component = component + 1, .fd = component == 0 ? self->sockets.rtp : self->sockets.rtcp, .to = to,
                     .ice = self->ice != NULL ? media_ice_ref (self->ice) : NULL };
  return datagram;
}

/* Without the lock, after anything that may have moved the handshake. Keys first: the peer may speak as soon as our last flight is there. */
static void
pump_handshake (MediaTransport *self)
{
  gboolean secured = FALSE, silent = FALSE;
  PhoneSrtpSuite suite = PHONE_SRTP_AEAD_AES_256_GCM;
  g_autofree char *why = NULL;
  GBytes *datagram;
  Way way;

  pthread_mutex_lock (&self->lock);
  if (self->handshake != NULL)
    take_handshake_events (self, &secured, &suite, &silent, &why);
  while ((datagram = next_flight (self, &way)) != NULL)
    {
      pthread_mutex_unlock (&self->lock);
      send_by (&way, g_bytes_get_data (datagram, NULL), g_bytes_get_size (datagram));
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
static int
tend_handshake (MediaTransport *self)
{
  gint64 now = g_get_monotonic_time (), next;
  MediaIcePath path;
  MediaIce *ice = NULL;

  pthread_mutex_lock (&self->lock);
  if (self->handshake == NULL)
    {
      pthread_mutex_unlock (&self->lock);
      return -1;
    }
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
  pump_handshake (self);

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
static gboolean
prepare_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake **ret_handshake, GError **error)
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
static MediaHandshake *
adopt_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake *handshake, const MediaAddress *rtp,
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

static void
say_goodbye (MediaTransport *self)
{
  pthread_mutex_lock (&self->lock);
  if (self->handshake != NULL)
    media_handshake_close (self->handshake);
  pthread_mutex_unlock (&self->lock);
  pump_handshake (self);
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

/* ---- sending ---- */

/* On the I/O thread: tells the peer when its packets came, if that is due. ms that may be slept, -1: for ever. */
static int
tend_reports (MediaTransport *self)
{
  union
  {
    guint32 align;
    guint8 octets[MAX_DATAGRAM + MEDIA_SRTP_TRAILER];
  } out;
  gint64 now = g_get_monotonic_time (), due;
  gsize length = 0;
  gboolean ok = FALSE;
  Way way = { 0 };

  pthread_mutex_lock (&self->lock);
  if (media_arrivals_due (&self->monitor.arrivals) <= now)
    {
      length = media_arrivals_write (&self->monitor.arrivals, self->local_ssrc, now, out.octets, MAX_DATAGRAM);
      ok = length > 0 && self->has_local_ssrc && find_way (self, TRUE, &way)
           && (!self->encrypted
               || media_srtp_protect_rtcp (srtp_of (self, TRUE), out.octets, &length, sizeof out.octets) == MEDIA_SRTP_OK);
    }
  due = media_arrivals_due (&self->monitor.arrivals);
  pthread_mutex_unlock (&self->lock);

  ok = ok && send_by (&way, out.octets, length);
  g_clear_pointer (&way.ice, media_ice_unref);
  if (ok)
    {
      pthread_mutex_lock (&self->lock);
      self->stats.rtcp_sent++;
      rate_history_sent_rtcp (&self->monitor.history);
      pthread_mutex_unlock (&self->lock);
    }
  return due == G_MAXINT64 ? -1 : (int) CLAMP ((due - now + 999) / 1000, 1, G_MAXINT);
}

static GstFlowReturn
send_packet (MediaTransport *self, gboolean rtcp, GstBuffer *buffer)
{
  union
  {
    guint32 align;
    guint8 octets[MAX_DATAGRAM + MEDIA_MONITOR_MARK + MEDIA_XR_LENGTH + MEDIA_SRTP_TRAILER];
  } out;
  gsize plain = gst_buffer_get_size (buffer), length = plain;
  gboolean ok = TRUE;
  Way way;

  if (plain > MAX_DATAGRAM || gst_buffer_extract (buffer, 0, out.octets, plain) != plain)
    return GST_FLOW_OK;
  gboolean bye = rtcp && media_rtcp_has_bye (out.octets, length);

  pthread_mutex_lock (&self->lock);
  ok = find_way (self, rtcp, &way);
  guint16 seq = (guint16) (out.octets[2] << 8 | out.octets[3]);
  if (!rtcp)
    media_monitor_mark (&self->monitor, out.octets, &length);
  else if (self->stats.remote_ssrc != 0)
    media_monitor_tell (&self->monitor, out.octets, &length, MAX_DATAGRAM, self->local_ssrc, self->stats.remote_ssrc, g_get_monotonic_time ());
  if (ok && self->encrypted)
    ok = (rtcp ? media_srtp_protect_rtcp (srtp_of (self, TRUE), out.octets, &length, sizeof out.octets)
               : media_srtp_protect_rtp (self->srtp, out.octets, &length, sizeof out.octets))
         == MEDIA_SRTP_OK;
  if (ok && rtcp)
    rate_history_sent_rtcp (&self->monitor.history);
  if (ok && !rtcp)
    media_monitor_sent (&self->monitor, seq, length + ip_overhead (self), g_get_monotonic_time ());
  gboolean waiting = way.ice != NULL || (self->handshake != NULL && !media_srtp_can_send (srtp_of (self, rtcp)));
  pthread_mutex_unlock (&self->lock);

  ok = ok && send_by (&way, out.octets, length);
  waiting = waiting && !ok;             /* for a pair or for keys: no fault of anything here */
  g_clear_pointer (&way.ice, media_ice_unref);

  pthread_mutex_lock (&self->lock);
  if (!ok)
    self->stats.send_errors += !waiting;
  else if (rtcp)
    self->stats.rtcp_sent++;
  else
    {
      self->stats.rtp_sent++;
      self->stats.rtp_octets_sent += plain;
    }
  if (bye)
    {
      self->said_bye = TRUE;
      pthread_cond_broadcast (&self->bye_sent);
    }
  pthread_mutex_unlock (&self->lock);
  return GST_FLOW_OK;
}

static GstFlowReturn
on_rtp_sink (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFlowReturn flow = send_packet (MEDIA_TRANSPORT_SINK (parent)->transport, FALSE, buffer);
  gst_buffer_unref (buffer);
  return flow;
}

static GstFlowReturn
on_rtcp_sink (GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
  GstFlowReturn flow = send_packet (MEDIA_TRANSPORT_SINK (parent)->transport, TRUE, buffer);
  gst_buffer_unref (buffer);
  return flow;
}

gboolean
media_transport_wait_bye (MediaTransport *self, gint64 timeout)
{
  gint64 until = g_get_monotonic_time () + timeout;

  pthread_mutex_lock (&self->lock);
  while (!self->said_bye && media_cond_wait_until (&self->bye_sent, &self->lock, until))
    ;
  gboolean said = self->said_bye;
  pthread_mutex_unlock (&self->lock);
  return said;
}

/* ---- settings ---- */

static void
allow (guint8 *types, int payload_type)
{
  if (payload_type >= 0 && payload_type < 128)
    types[payload_type / 8] |= 1u << (payload_type % 8);
}

/* The peer has ICE no more, or never had: the sockets that our side of the description names carry plain RTP from now on. */
static gboolean
leave_ice (MediaTransport *self, GError **error)
{
  MediaIce *ice = self->ice;
  MediaSockets sockets;

  if (!media_ice_detach (ice, &sockets, error))
    return FALSE;
  pthread_mutex_lock (&self->lock);
  self->ice = NULL;
  self->sockets.family = sockets.family;
  self->sockets.rtp_port = sockets.rtp_port;
  self->sockets.rtcp_port = sockets.rtcp_port;
  pthread_mutex_unlock (&self->lock);
  /* Nothing of it is heard any more when the I/O thread begins to read. */
  media_ice_free (ice);
  media_transport_drop_ice (self);
  g_atomic_int_set (&self->sockets.rtp, sockets.rtp);
  g_atomic_int_set (&self->sockets.rtcp, sockets.rtcp);
  media_transport_wake (self);
  return TRUE;
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
  if (self->ice != NULL && !leave_ice (self, error))
    return FALSE;
  return find_peer (self, plan, ret_rtp, ret_rtcp, error);
}

gboolean
media_transport_apply (MediaTransport *self, const PhoneMediaPlan *plan, GError **error)
{
  MediaAddress rtp = { 0 }, rtcp = { 0 };
  gint64 now = g_get_monotonic_time ();
  MediaHandshake *handshake;

  if (!prepare_handshake (self, plan, &handshake, error))
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
      handshake = adopt_handshake (self, plan, handshake, &rtp, &rtcp, now);
      self->receive = plan->direction == PHONE_DIRECTION_RECVONLY || plan->direction == PHONE_DIRECTION_SENDRECV;
      memset (self->payload_types, 0, sizeof self->payload_types);
      for (guint i = 0; i < plan->n_receive; i++)
        allow (self->payload_types, plan->receive[i].payload_type);
      allow (self->payload_types, plan->receive_dtmf_8000);
      allow (self->payload_types, plan->receive_dtmf_48000);
      allow (self->payload_types, plan->receive_red != 0 ? plan->receive_red : -1);
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
media_transport_set_callbacks (MediaTransport *self, MediaTransportCallback work, MediaTransportCallback first, gpointer data)
{
  self->work = work;
  self->first = first;
  self->callback_data = data;
}

void
media_transport_set_ice_callback (MediaTransport *self, MediaTransportCallback changed)
{
  g_atomic_pointer_set (&self->ice_changed, changed);
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

gboolean
media_transport_get_ice (MediaTransport *self, PhoneIceDesc *ret_local, MediaAddress *ret_default)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;
  MediaAddress defaults[MEDIA_ICE_COMPONENTS] = { 0 };

  memset (ret_local, 0, sizeof *ret_local);
  if (ice != NULL)
    {
      media_ice_get_local (ice, ret_local);
      media_ice_get_defaults (ice, defaults);
    }
  *ret_default = defaults[0];
  return ice != NULL;
}

gboolean
media_transport_get_ice_path (MediaTransport *self, MediaIcePath *ret_path)
{
  MediaIcePath next;

  if (self->ice == NULL)
    return FALSE;
  media_ice_get_path (self->ice, ret_path);
  if (self->next_ice == NULL)
    return TRUE;
  /* What is coming decides what is to be waited for; while the old way carries the call it counts. */
  media_ice_get_path (self->next_ice, &next);
  if (next.state == PHONE_ICE_GATHERING || next.state == PHONE_ICE_WAITING || ret_path->state != PHONE_ICE_CONNECTED)
    ret_path->state = next.state;
  return TRUE;
}

void
media_transport_restart_ice (MediaTransport *self)
{
  MediaIce *ice = self->next_ice != NULL ? self->next_ice : self->ice;

  if (ice != NULL)
    media_ice_restart (ice);
}

gboolean
media_transport_trickle_ice (MediaTransport *self, const PhoneMediaPlan *plan, GError **error)
{
  guint n = plan->rtcp_mux ? 1 : 2;

  return (self->ice == NULL || media_ice_trickle (self->ice, &plan->ice, n, error))
         && (self->next_ice == NULL || media_ice_trickle (self->next_ice, &plan->ice, n, error));
}

gboolean
media_transport_renew_ice (MediaTransport *self, const MediaIceParams *params, GError **error)
{
  MediaIce *ice = media_ice_new (params, &ice_callbacks, self, error);

  if (ice == NULL)
    return FALSE;
  media_transport_drop_ice (self);
  pthread_mutex_lock (&self->lock);
  self->next_ice = ice;
  pthread_mutex_unlock (&self->lock);
  return TRUE;
}

void
media_transport_drop_ice (MediaTransport *self)
{
  pthread_mutex_lock (&self->lock);
  MediaIce *ice = g_steal_pointer (&self->next_ice);
  pthread_mutex_unlock (&self->lock);
  media_ice_free (ice);
}

void
media_transport_settle_ice (MediaTransport *self)
{
  MediaIcePath next;

  if (self->next_ice == NULL)
    return;
  media_ice_get_path (self->next_ice, &next);
  if (next.state != PHONE_ICE_CONNECTED)
    return;
  pthread_mutex_lock (&self->lock);
  MediaIce *old = self->ice;
  self->ice = g_steal_pointer (&self->next_ice);
  pthread_mutex_unlock (&self->lock);
  media_ice_free (old);
}

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
  ret_stats->report_delay = self->monitor.report_delay;
  ret_stats->round_trip = media_monitor_round_trip (&self->monitor, g_get_monotonic_time ());
  ret_stats->have_peer_metrics = self->monitor.have_peer_metrics;
  ret_stats->peer_metrics = self->monitor.peer_metrics;
  pthread_mutex_unlock (&self->lock);
}

/* ---- element ---- */

static gboolean
on_sink_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return TRUE;
}

static gboolean
on_src_event (GstPad *pad, GstObject *parent, GstEvent *event)
{
  gst_event_unref (event);
  return FALSE;
}

static gboolean
on_src_query (GstPad *pad, GstObject *parent, GstQuery *query)
{
  if (GST_QUERY_TYPE (query) != GST_QUERY_LATENCY)
    return gst_pad_query_default (pad, parent, query);
  gst_query_set_latency (query, TRUE, 0, GST_CLOCK_TIME_NONE);
  return TRUE;
}

static GstIterator *
no_links (GstPad *pad, GstObject *parent)
{
  return NULL;
}

static GstStateChangeReturn
media_transport_change_state (GstElement *element, GstStateChange transition)
{
  MediaTransport *self = MEDIA_TRANSPORT (element);

  if (transition == GST_STATE_CHANGE_PAUSED_TO_READY && self->running)
    {
      g_atomic_int_set (&self->stopping, TRUE);
      media_transport_wake (self);
      pthread_join (self->thread, NULL);
      self->running = FALSE;
      say_goodbye (self);
      g_atomic_int_set (&self->flowing, FALSE);
      /* Whoever is in the middle of a datagram has come to its end after this. */
      pthread_mutex_lock (&self->in_lock);
      pthread_mutex_unlock (&self->in_lock);
    }
  GstStateChangeReturn result = GST_ELEMENT_CLASS (media_transport_parent_class)->change_state (element, transition);
  if (result == GST_STATE_CHANGE_FAILURE)
    return result;
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !self->running)
    {
      g_atomic_int_set (&self->stopping, FALSE);
      self->started_rtp = self->started_rtcp = FALSE;
      self->opened = g_get_monotonic_time ();
      g_atomic_int_set (&self->flowing, TRUE);
      self->running = pthread_create (&self->thread, NULL, io_thread, self) == 0;
      if (!self->running)
        return GST_STATE_CHANGE_FAILURE;
    }
  if (transition == GST_STATE_CHANGE_READY_TO_PAUSED || transition == GST_STATE_CHANGE_PLAYING_TO_PAUSED)
    return GST_STATE_CHANGE_NO_PREROLL;
  return result;
}

static void
media_transport_finalize (GObject *object)
{
  MediaTransport *self = MEDIA_TRANSPORT (object);

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
  pthread_cond_destroy (&self->bye_sent);
  G_OBJECT_CLASS (media_transport_parent_class)->finalize (object);
}

static void
media_transport_class_init (MediaTransportClass *class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = media_transport_finalize;
  element_class->change_state = media_transport_change_state;
  gst_element_class_add_static_pad_template (element_class, &rtp_src_template);
  gst_element_class_add_static_pad_template (element_class, &rtcp_src_template);
  gst_element_class_set_static_metadata (element_class, "Media transport", "Source/Network/RTP",
                                         "RTP and RTCP sockets of one call, with SRTP", "phoned");
}

static GstPad *
add_pad (GstElement *element, GstStaticPadTemplate *template, GstPadChainFunction chain)
{
  GstPad *pad = gst_pad_new_from_static_template (template, template->name_template);

  if (chain != NULL)
    {
      gst_pad_set_chain_function (pad, chain);
      gst_pad_set_event_function (pad, on_sink_event);
    }
  else
    {
      gst_pad_set_event_function (pad, on_src_event);
      gst_pad_set_query_function (pad, on_src_query);
    }
  gst_pad_set_iterate_internal_links_function (pad, no_links);
  gst_element_add_pad (element, pad);
  return pad;
}

static void
media_transport_sink_finalize (GObject *object)
{
  g_clear_object (&MEDIA_TRANSPORT_SINK (object)->transport);
  G_OBJECT_CLASS (media_transport_sink_parent_class)->finalize (object);
}

static void
media_transport_sink_class_init (MediaTransportSinkClass *class)
{
  GstElementClass *element_class = GST_ELEMENT_CLASS (class);

  G_OBJECT_CLASS (class)->finalize = media_transport_sink_finalize;
  gst_element_class_add_static_pad_template (element_class, &rtp_sink_template);
  gst_element_class_add_static_pad_template (element_class, &rtcp_sink_template);
  gst_element_class_set_static_metadata (element_class, "Media transport sink", "Sink/Network/RTP", "The way out of a media transport",
                                         "phoned");
}

static void
media_transport_sink_init (MediaTransportSink *self)
{
  add_pad (GST_ELEMENT (self), &rtp_sink_template, on_rtp_sink);
  add_pad (GST_ELEMENT (self), &rtcp_sink_template, on_rtcp_sink);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SINK);
}

GstElement *
media_transport_make_sink (MediaTransport *self)
{
  MediaTransportSink *sink = g_object_new (MEDIA_TYPE_TRANSPORT_SINK, NULL);

  sink->transport = g_object_ref (self);
  return GST_ELEMENT (sink);
}

static void
media_transport_init (MediaTransport *self)
{
  self->sockets = (MediaSockets) { .rtp = -1, .rtcp = -1 };
  self->event_fd = -1;
  media_monitor_init (&self->monitor);
  self->srtp = media_srtp_new ();
  self->rtcp_srtp = media_srtp_new ();
  media_mutex_init (&self->lock);
  media_mutex_init (&self->in_lock);
  media_cond_init (&self->bye_sent);
  self->rtp_src = add_pad (GST_ELEMENT (self), &rtp_src_template, NULL);
  self->rtcp_src = add_pad (GST_ELEMENT (self), &rtcp_src_template, NULL);
  GST_OBJECT_FLAG_SET (self, GST_ELEMENT_FLAG_SOURCE);
}

MediaTransport *
media_transport_new (const MediaTransportParams *params, GError **error)
{
  MediaTransport *self = g_object_new (MEDIA_TYPE_TRANSPORT, NULL);
  gboolean ok;

  if (params->ice != NULL)
    ok = (self->ice = media_ice_new (params->ice, &ice_callbacks, self, error)) != NULL;
  else
    ok = media_sockets_open (params->bind_address, params->ipv6, params->port_first, params->port_last, &self->sockets, error);
  self->event_fd = ok ? eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK) : -1;
  if (self->event_fd >= 0)
    return self;
  if (ok)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no file descriptor is left for a call's media");
  gst_object_unref (gst_object_ref_sink (self));
  return NULL;
}
