/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One DTLS association that agrees on SRTP keys (RFC 5764), on OpenSSL and without I/O: datagrams come in by a function and go out by a
 * queue, time comes from the caller. Not thread-safe: the owner serialises. */

#include "core/media-desc.h"
#include "media/media-certificate.h"

typedef struct _MediaDtls MediaDtls;

typedef enum
{
  MEDIA_DTLS_HANDSHAKE,
  MEDIA_DTLS_CONNECTED,         /* the peer has proven to own a certificate with its fingerprint; keys can be taken */
  MEDIA_DTLS_CLOSED,            /* it was connected, and the peer has said goodbye */
  MEDIA_DTLS_FAILED,
} MediaDtlsState;

typedef struct
{
  const MediaCertificate *certificate;
  gboolean client;                      /* we send the ClientHello */
  guint n_fingerprints;                 /* of the peer; any of them will do */
  const PhoneFingerprint *fingerprints;
  guint suites;                         /* bit 1 << PhoneSrtpSuite; 0: all that DTLS has */
} MediaDtlsParams;

/* Octets that a datagram of ours has at most: through tunnels and IPv6 without fragments. */
#define MEDIA_DTLS_MTU 1200

MediaDtls *media_dtls_new (const MediaDtlsParams *params, GError **error);      /* MEDIA_FAILED */
void media_dtls_free (MediaDtls *dtls);         /* wipes; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaDtls, media_dtls_free)

/* The client's first flight; a server does nothing. */
void media_dtls_start (MediaDtls *dtls);
void media_dtls_receive (MediaDtls *dtls, const guint8 *data, gsize length);
/* us until media_dtls_tick() is due to repeat a flight, -1: nothing is waited for. */
gint64 media_dtls_timeout (MediaDtls *dtls);
void media_dtls_tick (MediaDtls *dtls);
/* Says goodbye (close_notify); what goes out is in the queue. */
void media_dtls_close (MediaDtls *dtls);
/* The next datagram to send; NULL: none. Caller unrefs. */
GBytes *media_dtls_take_output (MediaDtls *dtls);

MediaDtlsState media_dtls_get_state (const MediaDtls *dtls);
/* Why it FAILED; "" otherwise. */
const char *media_dtls_get_reason (const MediaDtls *dtls);
/* FAILED, and another attempt would end alike: a wrong certificate, no suite in common. */
gboolean media_dtls_is_final (const MediaDtls *dtls);
/* When CONNECTED; the caller wipes both. FALSE (MEDIA_FAILED): the peer wants no SRTP. */
gboolean media_dtls_get_keys (MediaDtls *dtls, PhoneSrtpKey *ret_send, PhoneSrtpKey *ret_receive, GError **error);
