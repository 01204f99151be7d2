/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A scripted SIP peer on a UDP socket (or accepted TCP connections): no stack, only text, so that it can do what no stack would: be silent, answer
 * twice, answer wrong, from several branches. Everything that comes is kept; a handler may answer at once. */

#include <gio/gio.h>

typedef struct _Peer Peer;

typedef struct
{
  char *text;                   /* NUL-terminated, whole message */
  char *method;                 /* of a request; NULL: a response */
  guint status;                 /* of a response; 0: a request */
  GSocketAddress *from;
  GSocketConnection *connection;        /* TCP; borrowed; NULL: UDP */
} PeerMessage;

typedef void (*PeerHandler) (Peer *peer, const PeerMessage *message, gpointer data);

Peer *peer_new (const char *address, guint16 port, PeerHandler handler, gpointer data);
Peer *peer_new_tcp (const char *address, guint16 port, PeerHandler handler, gpointer data);
void peer_free (Peer *peer);
void peer_set_handler (Peer *peer, PeerHandler handler, gpointer data);
void peer_close_connections (Peer *peer);       /* TCP: as a proxy that restarts */

/* Value of the first header of that name (long form), or NULL. Caller frees. */
char *peer_header (const PeerMessage *message, const char *name);
const char *peer_body (const PeerMessage *message);
guint peer_count (Peer *peer, const char *method);      /* requests of that method seen, retransmissions too */
guint peer_count_status (Peer *peer, guint status, const char *method);
/* The last response of that status to a request of that method, or NULL. */
const PeerMessage *peer_response (Peer *peer, guint status, const char *method);
/* The nth (0: first) request of that method; NULL: not come yet. */
const PeerMessage *peer_request (Peer *peer, const char *method, guint n);
const PeerMessage *peer_last (Peer *peer, const char *method);

/* A response to message: Via (with received and rport filled in), From, To (tag added unless status is 100 or it has one), Call-ID,
 * CSeq and Record-Route are copied. extra: header lines, each with CRLF, or NULL; body: SDP or NULL. */
void peer_reply (Peer *peer, const PeerMessage *message, guint status, const char *phrase, const char *to_tag, const char *extra,
                 const char *body);
/* With a Via that claims another source, "host:port"; NULL: the true one. */
void peer_reply_seen_as (Peer *peer, const PeerMessage *message, const char *seen_as, guint status, const char *phrase, const char *to_tag,
                         const char *extra, const char *body);
void peer_send (Peer *peer, const char *address, guint16 port, const char *format, ...) G_GNUC_PRINTF (4, 5);
void peer_send_raw (Peer *peer, const char *address, guint16 port, const char *data, gsize length);
guint16 peer_port (Peer *peer);

/* One audio line of PCMU at address:port. Static until the next call. */
const char *peer_sdp (const char *address, guint16 port, const char *direction);
