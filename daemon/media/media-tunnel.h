/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* TURN over TLS (RFC 8656 section 2.1): a port on loopback whose connections go on to a server inside TLS, each in one of its own. */

#include "util/phone-error.h"

typedef struct _MediaTunnel MediaTunnel;

#define MEDIA_TUNNEL_ADDRESS "127.0.0.1"

/* ca: PEM file or directory, NULL: the system's. The server is looked up and verified when the first connection comes; what goes wrong then
 * closes the connection and stands in the log. */
MediaTunnel *media_tunnel_new (const char *host, guint16 port, const char *ca, gboolean verify, GError **error);
guint16 media_tunnel_get_port (MediaTunnel *tunnel);
void media_tunnel_free (MediaTunnel *tunnel);                   /* does not wait; accepts NULL */
