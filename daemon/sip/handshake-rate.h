/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How often strangers may make us do the arithmetic of a TLS handshake: a bucket of tokens for all, and one for each source. The memory is
 * bounded; what is forgotten is the source that has used least. */

#include <glib.h>
#include <sys/socket.h>

enum
{
  HANDSHAKE_SOURCE_BURST = 40,
  HANDSHAKE_SOURCE_PER_S = 4,
  HANDSHAKE_TOTAL_BURST = 400,
  HANDSHAKE_TOTAL_PER_S = 40,   /* a few percent of a core */
  HANDSHAKE_MAX_SOURCES = 64,
};

typedef struct _HandshakeRate HandshakeRate;

HandshakeRate *handshake_rate_new (void);
void handshake_rate_free (HandshakeRate *rate);
/* TRUE: it may, and is counted. An IPv6 source is its network of 64 bits. now: monotonic us. */
gboolean handshake_rate_take (HandshakeRate *rate, const struct sockaddr *from, gint64 now);
