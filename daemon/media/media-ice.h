/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One ICE session (RFC 8445) for one call on libnice: candidates, checks, consent (RFC 7675), TURN (RFC 8656). Components 1 (RTP, and
 * all else when multiplexed) and 2 (RTCP). Its sockets are libnice's, and a thread of its own serves them. Thread-safe. */

#include "core/ice-server.h"
#include "core/ice.h"
#include "media/media-socket.h"
#include "util/secret.h"

typedef struct _MediaIce MediaIce;

#define MEDIA_ICE_COMPONENTS 2

typedef struct
{
  const char *bind_address;     /* numeric: candidates of this address only; NULL: those of the interfaces */
  const char *local_address;    /* numeric: ours as the peer's side of the network sees us; the default candidate */
  guint n_components;
  guint port_first, port_last;
  gboolean controlling;         /* the role for good; libnice settles conflicts (RFC 8445 section 7.3.1.1) */
  const PhoneIceServer *stun, *turn;    /* NULL: none */
  const char *turn_user, *tls_ca;
  gboolean tls_verify;
  PhoneSecret *turn_secret;
  const char *call_id;          /* for log fields; static until freed */
  guint trickle_ms;             /* 0: MEDIA_ICE_TRICKLE_MS */
} MediaIceParams;

typedef struct
{
  PhoneIceState state;
  char local[64], remote[64];           /* "host 192.0.2.1:4000", "" before there is a pair; of component 1 */
  MediaAddress to;
  gboolean relayed;
} MediaIcePath;

/* Both on ICE's thread. received: from the peer on a validated pair; octets may be changed and are lent. changed: gathering is over, the
 * state or the path is another one. Nothing is called any more after media_ice_free(). */
typedef struct
{
  void (*received) (gpointer data, guint component, guint8 *octets, gsize length, gint64 arrival);
  void (*changed) (gpointer data);
} MediaIceCallbacks;

/* The sockets are bound and host candidates known when it returns; with servers the rest follows within MEDIA_ICE_GATHER_MS. */
#define MEDIA_ICE_GATHER_MS 1500
/* A peer that trickles and says nothing for so long has no more candidates, whether it has said so (RFC 8838 section 14) or not: without an end
 * checks that lead nowhere would never have failed. */
#define MEDIA_ICE_TRICKLE_MS 25000
MediaIce *media_ice_new (const MediaIceParams *params, const MediaIceCallbacks *callbacks, gpointer data, GError **error);
/* The end of the session: gives TURN allocations back, beside the caller. Not from a callback of its own. Accepts NULL. Who still holds a
 * reference may send, which does nothing any more. */
void media_ice_free (MediaIce *ice);
MediaIce *media_ice_ref (MediaIce *ice);
void media_ice_unref (MediaIce *ice);

gboolean media_ice_is_gathered (MediaIce *ice);
/* Our side as it goes into SDP; it holds the password. */
void media_ice_get_local (MediaIce *ice, PhoneIceDesc *ret_local);
/* The default candidate of each component, all zero where there is none: a host candidate, towards the peer's side. */
void media_ice_get_defaults (MediaIce *ice, MediaAddress ret_defaults[MEDIA_ICE_COMPONENTS]);
/* The peer's side: begins or goes on checking. Other credentials than before begin anew (media_ice_restart() was called first, or the peer
 * restarts). n_components: how many are in use now. */
gboolean media_ice_set_remote (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error);
/* The same with candidates that came later. If they belong to another session than this one (one that is being restarted, or took its place) it
 * does nothing. */
gboolean media_ice_trickle (MediaIce *ice, const PhoneIceDesc *remote, guint n_components, GError **error);
/* Other credentials of ours on the same sockets; what runs goes on until the peer's new ones are there. */
void media_ice_restart (MediaIce *ice);
/* FALSE: there is no path, or no consent. */
gboolean media_ice_send (MediaIce *ice, guint component, const guint8 *data, gsize length);
void media_ice_get_path (MediaIce *ice, MediaIcePath *ret_path);
/* From the sender's thread now and then: a flood must not hold real-time priority. */
void media_ice_guard (MediaIce *ice);
/* For a peer without ICE: the sockets of the default candidates as plain ones, for whoever closes them. The session is over then. */
gboolean media_ice_detach (MediaIce *ice, MediaSockets *ret_sockets, GError **error);
