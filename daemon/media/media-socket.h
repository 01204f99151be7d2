/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The pair of UDP sockets of one call: RTP on an even port, RTCP on the next (RFC 3550 section 11), out of the configured range. */

#include "media/media-address.h"
#include "util/phone-error.h"

typedef struct
{
  int rtp, rtcp;                        /* non-blocking descriptors, -1: closed */
  guint16 rtp_port, rtcp_port;
  int family;
} MediaSockets;

/* bind_address: numeric, or NULL for any; any with ipv6 takes both families. first..last: where to look, inclusive. The sockets mark
 * their packets DSCP EF (RFC 3246), and receive with kernel timestamps. MEDIA_FAILED: no pair is free, or the address is not ours. */
gboolean media_sockets_open (const char *bind_address, gboolean ipv6, guint first, guint last, MediaSockets *ret_sockets,
                             GError **error);
void media_sockets_close (MediaSockets *sockets);
/* A bound, non-blocking UDP socket that somebody else made gets what ours have. */
void media_socket_adopt (int fd);

/* One datagram. Returns its length (0 is a valid one), -1: none waits, -2: longer than capacity (dropped).
 * ret_arrival: monotonic us at which the kernel had it. */
gssize media_socket_receive (int fd, guint8 *buffer, gsize capacity, MediaAddress *ret_from, gint64 *ret_arrival);
/* FALSE: the kernel did not take it. Errors that earlier packets brought (ICMP) are not counted against this one. */
gboolean media_socket_send (int fd, const guint8 *data, gsize length, const MediaAddress *to);
