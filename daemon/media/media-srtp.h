/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* SRTP and SRTCP (RFC 3711, 6188, 7714) for one call, on libsrtp2 and without GStreamer: packets are plain memory, changed in place.
 * Not thread-safe: the owner serialises. Keys are wiped when they are replaced and when the session is freed. */

#include "core/media-desc.h"
#include "util/phone-error.h"

/* Room that a packet needs behind its end to be protected: tag (16), MKI (128 at most), SRTCP index (4). */
#define MEDIA_SRTP_TRAILER 148
/* A packet longer than this is refused, not parsed. */
#define MEDIA_SRTP_MAX_PACKET 2048

typedef struct _MediaSrtp MediaSrtp;

typedef enum
{
  MEDIA_SRTP_OK,
  MEDIA_SRTP_MALFORMED,         /* not RTP or RTCP, too short or too long */
  MEDIA_SRTP_NO_KEY,
  MEDIA_SRTP_AUTH_FAILED,
  MEDIA_SRTP_REPLAYED,          /* or too old for the replay window */
  MEDIA_SRTP_REFUSED,           /* one source too many under this key */
} MediaSrtpResult;

typedef struct
{
  guint64 auth_failures, replayed, refused, malformed;
  guint64 send_key_changes, receive_key_changes;        /* the first key is no change; a receive key counts once a packet used it */
} MediaSrtpStats;

/* Starts libsrtp, once; any thread. The first key does it too, but then a call waits for libsrtp's tests of itself. MEDIA_FAILED. */
gboolean media_srtp_init (GError **error);

MediaSrtp *media_srtp_new (void);
void media_srtp_free (MediaSrtp *srtp);                 /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaSrtp, media_srtp_free)

/* The key that we protect with. The same key again changes nothing. restart: the rollover counter starts at 0, as RFC 4568 section 7.1.4
 * has it when our transport address changed with the key; otherwise it goes on (RFC 3711 section 3.3.1).
 * MEDIA_FAILED: libsrtp refused; the old key stays. */
gboolean media_srtp_set_send_key (MediaSrtp *srtp, const PhoneSrtpKey *key, gboolean restart, GError **error);
/* The same for the side that answers, to whose peer the key is still under way: the old key goes on until a packet authenticates with the peer's
 * next one, which shows that it has the answer, or for 300 ms. The first key counts at once. Set the receive key before. */
gboolean media_srtp_set_send_key_later (MediaSrtp *srtp, const PhoneSrtpKey *key, gint64 now, GError **error);
/* The key that the peer protects with. The first is current at once; a later one waits as `next` until a packet authenticates with it. */
gboolean media_srtp_set_receive_key (MediaSrtp *srtp, const PhoneSrtpKey *key, GError **error);
gboolean media_srtp_can_send (const MediaSrtp *srtp);

/* packet: 32-bit aligned, length in and out. On anything but OK the content of packet is undefined. now: monotonic us. */
MediaSrtpResult media_srtp_unprotect_rtp (MediaSrtp *srtp, guint8 *packet, gsize *length, gint64 now);
MediaSrtpResult media_srtp_unprotect_rtcp (MediaSrtp *srtp, guint8 *packet, gsize *length, gint64 now);
/* capacity: octets that packet has room for, at least *length + MEDIA_SRTP_TRAILER. */
MediaSrtpResult media_srtp_protect_rtp (MediaSrtp *srtp, guint8 *packet, gsize *length, gsize capacity);
MediaSrtpResult media_srtp_protect_rtcp (MediaSrtp *srtp, guint8 *packet, gsize *length, gsize capacity);

void media_srtp_get_stats (const MediaSrtp *srtp, MediaSrtpStats *ret_stats);
