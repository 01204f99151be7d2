/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of a call's transport share. Lock held, or not: as it says. */

#include "media/media-transport.h"

#include <pthread.h>

#include "media/media-handshake.h"
#include "media/media-latch.h"
#include "media/media-monitor.h"
#include "media/media-rtp.h"
#include "media/media-socket.h"
#include "media/rtcp-session.h"

#define MEDIA_TRANSPORT_MAX_DATAGRAM MEDIA_SRTP_MAX_PACKET

struct _MediaTransport
{
  MediaSockets sockets;
  int event_fd;
  pthread_t thread;
  gint running;                         /* atomic: there is a thread */
  gint stopping;                        /* atomic */
  MediaTransportPacket packet;
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
  MediaSrtp *srtp;                      /* used when encrypted */
  MediaSrtp *rtcp_srtp;                 /* of RTCP when that has a handshake of its own */
  MediaHandshake *handshake;            /* with DTLS */
  PhoneDtlsPlan dtls;                   /* what it is for */
  gboolean applied, encrypted, receive, mux;
  gint64 opened;                        /* monotonic us: when reading began */
  MediaLatch rtp_latch, rtcp_latch;
  MediaSourceGate gate;
  guint16 clock_rates[128];             /* by payload type, 0: may not arrive */
  guint send_clock_rate;
  guint32 local_ssrc;
  gboolean has_local_ssrc;
  RtcpSession rtcp;
  MediaMonitor monitor;
  MediaTransportStats stats;

  /* The thread that reads only */
  gint flowing;                         /* atomic: packets may be handed on */
  gboolean saw_first;
  union
  {
    guint32 align;
    guint8 octets[MEDIA_TRANSPORT_MAX_DATAGRAM];
  } in;
};

/* ---- hear: the thread that reads ---- */

/* from NULL: a pair that ICE has validated. self->in holds the datagram. */
void media_transport_hear (MediaTransport *self, gboolean rtcp_socket, const MediaAddress *from, gsize length, gint64 arrival);
/* FALSE: the batch is used up, and more may wait. */
gboolean media_transport_read (MediaTransport *self, int fd, gboolean rtcp);

/* ---- speak ---- */

/* How a packet leaves, as it was under the lock. */
typedef struct
{
  MediaIce *ice;                        /* a reference; NULL: by a socket of ours */
  guint component;
  int fd;
  MediaAddress to;
} MediaTransportWay;

static inline gsize
media_transport_ip_overhead (MediaTransport *self)
{
  return (self->sockets.family == AF_INET6 ? 40 : 20) + 8;
}

/* Lock held. */
MediaSrtp *media_transport_srtp_of (MediaTransport *self, gboolean rtcp);
/* Without the lock. */
gboolean media_transport_send_by (MediaTransportWay *way, const guint8 *data, gsize length);
/* On the I/O thread: what is to be told to the peer, if it is due. ms that may be slept. */
int media_transport_tend_reports (MediaTransport *self);
void media_transport_say_bye (MediaTransport *self);

/* ---- keys by a handshake ---- */

/* Without the lock, after anything that may have moved the handshake. */
void media_transport_pump_handshake (MediaTransport *self);
/* On the I/O thread: repeats what is due. ms that may be slept, -1: for ever. */
int media_transport_tend_handshake (MediaTransport *self);
/* *ret_handshake NULL: the one that there is goes on, or none is needed. */
gboolean media_transport_prepare_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake **ret_handshake, GError **error);
/* Lock held. Returns what is to be freed. */
MediaHandshake *media_transport_adopt_handshake (MediaTransport *self, const PhoneMediaPlan *plan, MediaHandshake *handshake,
                                                 const MediaAddress *rtp, const MediaAddress *rtcp, gint64 now);
void media_transport_close_handshake (MediaTransport *self);

/* ---- ICE ---- */

extern const MediaIceCallbacks media_transport_ice_callbacks;
/* On the I/O thread now and then. */
void media_transport_guard_ice (MediaTransport *self);
/* The peer has ICE no more, or never had. */
gboolean media_transport_leave_ice (MediaTransport *self, GError **error);
