/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A STUN or TURN server as a URI names it (RFC 7064, RFC 7065): stun:HOST[:PORT], turn:HOST[:PORT][?transport=udp|tcp],
 * turns:HOST[:PORT][?transport=tcp]. */

#include <glib.h>

typedef enum
{
  PHONE_ICE_SERVER_UDP,
  PHONE_ICE_SERVER_TCP,
  PHONE_ICE_SERVER_TLS,
} PhoneIceServerTransport;

typedef struct
{
  char *host;                   /* name or numeric, IPv6 without brackets */
  guint16 port;
  PhoneIceServerTransport transport;
} PhoneIceServer;

/* relay: a TURN server is wanted, else a STUN server. HOST[:PORT] alone will do. INVALID_OPTION says what is wrong. */
PhoneIceServer *phone_ice_server_parse (const char *text, gboolean relay, GError **error);
void phone_ice_server_free (PhoneIceServer *server);            /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneIceServer, phone_ice_server_free)
