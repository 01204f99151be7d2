/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The DTLS handshakes of one call: one association for each component (RTP, and RTCP where it is not multiplexed, RFC 5764 section 4.1.2),
 * and what to do about everything that is not the peer. No I/O, no clock: `now` is monotonic us, datagrams go out by a queue. Not
 * thread-safe: the owner serialises. */

#include "media/media-address.h"
#include "media/media-dtls.h"

typedef struct _MediaHandshake MediaHandshake;

#define MEDIA_HANDSHAKE_COMPONENTS 2
#define MEDIA_HANDSHAKE_PATIENCE (30 * G_USEC_PER_SEC)

typedef struct
{
  MediaDtlsParams dtls;                 /* certificate is borrowed and outlives the handshake */
  guint n_components;
} MediaHandshakeParams;

typedef enum
{
  MEDIA_HANDSHAKE_NOTHING,
  MEDIA_HANDSHAKE_KEYS,                 /* send, receive, from */
  MEDIA_HANDSHAKE_SILENT,               /* nobody came within the patience; it goes on trying. reason */
  MEDIA_HANDSHAKE_FAILED,               /* reason */
} MediaHandshakeEventType;

typedef struct
{
  MediaHandshakeEventType type;
  guint component;                      /* from 0 */
  PhoneSrtpKey send, receive;
  gboolean has_from;
  MediaAddress from;                    /* where the peer turned out to be */
  char reason[192];
} MediaHandshakeEvent;

typedef struct
{
  guint64 filtered;                     /* datagrams of strangers, or too many */
  guint64 restarts;                     /* associations that were given up for a new one */
} MediaHandshakeStats;

MediaHandshake *media_handshake_new (const MediaHandshakeParams *params, GError **error);
void media_handshake_free (MediaHandshake *handshake);          /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaHandshake, media_handshake_free)

/* There is a way to the peer: patience begins, and a client speaks. peer NULL: by validated pairs (ICE). Again with another address: the
 * peer has moved. */
void media_handshake_set_ready (MediaHandshake *handshake, guint component, const MediaAddress *peer, gint64 now);
gboolean media_handshake_is_ready (const MediaHandshake *handshake, guint component);
/* from NULL: by a validated pair. */
void media_handshake_receive (MediaHandshake *handshake, guint component, const MediaAddress *from, const guint8 *data, gsize length,
                              gint64 now);
/* When media_handshake_tick() is due; G_MAXINT64: never. */
gint64 media_handshake_next (MediaHandshake *handshake, gint64 now);
void media_handshake_tick (MediaHandshake *handshake, gint64 now);
/* FALSE: nothing is left. ret_to is not set where datagrams go by validated pairs. The caller unrefs *ret_datagram. */
gboolean media_handshake_take_output (MediaHandshake *handshake, guint *ret_component, MediaAddress *ret_to, GBytes **ret_datagram);
/* What has happened; each thing once. The caller wipes the event with media_handshake_event_clear(). */
MediaHandshakeEventType media_handshake_take_event (MediaHandshake *handshake, MediaHandshakeEvent *ret_event);
void media_handshake_event_clear (MediaHandshakeEvent *event);
/* Says goodbye on what is connected. */
void media_handshake_close (MediaHandshake *handshake);
void media_handshake_get_stats (const MediaHandshake *handshake, MediaHandshakeStats *ret_stats);
