/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The network's end of a call: both sockets or ICE, SRTP, the source filter, RTCP, and the one thread that reads, and that encodes and sends when
 * woken (with ICE that has one of its own to read). Thread-safe; everything can change while it runs. */

#include "core/offer-answer.h"
#include "media/media-ice.h"
#include "media/media-monitor.h"
#include "media/media-srtp.h"
#include "media/rtcp-session.h"

typedef struct _MediaTransport MediaTransport;

typedef struct
{
  guint64 rtp_received, rtp_octets_received, rtcp_received;     /* accepted; octets of payload and header, without SRTP's */
  guint64 rtp_sent, rtp_octets_sent, rtcp_sent, send_errors;
  guint64 filtered;             /* from a stranger, or too many sources */
  guint64 malformed, unknown;   /* RTP that is none; STUN and the like, payload types that were not agreed on */
  gint64 last_rtp, last_rtcp;   /* monotonic us of the last accepted packet, 0: none */
  guint32 remote_ssrc;          /* of the last accepted RTP packet */
  guint64 moves;                /* times the destination followed the peer */
  RtcpStats rtcp;               /* of remote_ssrc */
  double report_delay;          /* of MediaMonitor */
  double round_trip;            /* ms, as extended reports have it while we only receive; NAN: they do not */
  gboolean have_peer_metrics;
  PhoneVoiceMetrics peer_metrics;       /* RTCP XR: how the peer hears us */
  MediaSrtpStats srtp;
} MediaTransportStats;

typedef struct
{
  const char *bind_address;     /* numeric or NULL for any */
  gboolean ipv6;
  guint port_first, port_last;
  const MediaIceParams *ice;    /* NULL: plain sockets */
} MediaTransportParams;

/* The sockets are bound. MEDIA_FAILED: no ports. */
MediaTransport *media_transport_new (const MediaTransportParams *params, GError **error);
void media_transport_free (MediaTransport *transport);          /* stops it; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaTransport, media_transport_free)
/* The thread. MEDIA_FAILED: there is none left. After media_transport_set_local_ssrc(). */
gboolean media_transport_start (MediaTransport *transport, GError **error);
/* Says BYE and waits for the thread. Nothing is called any more. Not on the main thread. */
void media_transport_stop (MediaTransport *transport);
gboolean media_transport_is_running (MediaTransport *transport);
void media_transport_get_ports (MediaTransport *transport, guint16 *ret_rtp, guint16 *ret_rtcp);

/* Addresses, keys, rtcp-mux, payload types and direction of the plan. MEDIA_FAILED: an address of the wrong family, or keys that
 * libsrtp refuses; nothing has changed then. */
gboolean media_transport_apply (MediaTransport *transport, const PhoneMediaPlan *plan, GError **error);
/* Before it starts. A peer that echoes our packets comes back under another SSRC: two sources of one name would be reported on as one. */
void media_transport_set_local_ssrc (MediaTransport *transport, guint32 ssrc);

/* What is ours of ICE, of the session that will come into use if there is one. FALSE: plain RTP; *ret_local is all zero then. ret_default: where
 * a peer without ICE would send to. */
gboolean media_transport_get_ice (MediaTransport *transport, PhoneIceDesc *ret_local, MediaAddress *ret_default);
/* FALSE: plain RTP. */
gboolean media_transport_get_ice_path (MediaTransport *transport, MediaIcePath *ret_path);
/* Other credentials on the same sockets (RFC 8445 section 9). */
void media_transport_restart_ice (MediaTransport *transport);
gboolean media_transport_trickle_ice (MediaTransport *transport, const PhoneMediaPlan *plan, GError **error);
/* Other sockets, after a change of the network: beside the old ones, which carry the call until the new ones can. Until there is a plan with
 * their credentials media_transport_drop_ice() takes them back. */
gboolean media_transport_renew_ice (MediaTransport *transport, const MediaIceParams *params, GError **error);
void media_transport_drop_ice (MediaTransport *transport);
/* Now and then, on the main thread: a session that can carry the call takes over. */
void media_transport_settle_ice (MediaTransport *transport);

/* packet: an RTP packet of the peer's, plain, without CSRCs, extension and padding; arrival: monotonic us. On the thread that reads, as first: the
 * first accepted one. work: after media_transport_wake(), on the I/O thread. Set before it starts. */
typedef void (*MediaTransportCallback) (gpointer data);
typedef void (*MediaTransportPacket) (const guint8 *packet, gsize length, gint64 arrival, gpointer data);
void media_transport_set_callbacks (MediaTransport *transport, MediaTransportPacket packet, MediaTransportCallback work,
                                    MediaTransportCallback first, gpointer data);
/* A plain RTP packet of ours; from one thread at a time. */
void media_transport_send (MediaTransport *transport, const guint8 *packet, gsize length);
/* Other reports say what is urgent: a compound of 150 octets is 30 ms of a narrow link. Live, after the start. */
void media_transport_set_sparing (MediaTransport *transport, gboolean sparing);
/* Our side of DTLS; the certificate is made when it is asked for first. MEDIA_FAILED. */
gboolean media_transport_get_dtls (MediaTransport *transport, PhoneDtlsDesc *ret_local, GError **error);
/* Bit 1 << PhoneSrtpSuite: what handshakes may agree on; 0: all. For the next handshake. */
void media_transport_set_dtls_suites (MediaTransport *transport, guint suites);
/* On the thread that reads. secured: keys are in use. unsecured: silent: nobody has answered for long, it goes on; else it has failed. */
typedef void (*MediaTransportSecured) (PhoneSrtpSuite suite, gpointer data);
typedef void (*MediaTransportUnsecured) (const char *why, gboolean silent, gpointer data);
void media_transport_set_dtls_callbacks (MediaTransport *transport, MediaTransportSecured secured, MediaTransportUnsecured unsecured);
/* After media_transport_set_callbacks(). On ICE's thread: gathering is over, the state or the path is another one. */
void media_transport_set_ice_callback (MediaTransport *transport, MediaTransportCallback changed);
/* After media_transport_set_callbacks(). On the thread that reads: the peer has told when packets of ours came. */
void media_transport_set_told_callback (MediaTransport *transport, MediaTransportCallback told);
/* What it told since the last time, in order; returns how many. */
guint media_transport_take_samples (MediaTransport *transport, RateSample ret_samples[MEDIA_MONITOR_SAMPLES]);
/* How we hear the peer, for RTCP XR if it wants them. */
void media_transport_set_metrics (MediaTransport *transport, const PhoneVoiceMetrics *metrics);
void media_transport_wake (MediaTransport *transport);          /* any thread, quick */

/* Where RTP goes to now; the caller frees. */
char *media_transport_get_destination (MediaTransport *transport);
void media_transport_get_stats (MediaTransport *transport, MediaTransportStats *ret_stats);
