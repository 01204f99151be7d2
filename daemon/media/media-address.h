/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A UDP address as a value. IPv4 addresses are kept IPv4-mapped when the socket is an IPv6 one, so that equal means equal. */

#include <glib.h>
#include <netinet/in.h>
#include <sys/socket.h>

typedef union
{
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} MediaAddress;

/* text: numeric. family: of the socket it will be used with. FALSE: not an address, or IPv6 for an IPv4 socket. */
gboolean media_address_parse (const char *text, guint16 port, int family, MediaAddress *ret_address);
socklen_t media_address_length (const MediaAddress *address);
gboolean media_address_equal (const MediaAddress *a, const MediaAddress *b);            /* host and port */
gboolean media_address_same_host (const MediaAddress *a, const MediaAddress *b);
/* FALSE: no place to send to: never set, port 0, or the unspecified address (a hold as RFC 2543 had it). */
gboolean media_address_is_usable (const MediaAddress *address);
guint16 media_address_port (const MediaAddress *address);
/* The host alone, as in SDP; the caller frees. */
char *media_address_to_host (const MediaAddress *address);
/* "192.0.2.1:4000", "[2001:db8::1]:4000"; the caller frees. */
char *media_address_to_string (const MediaAddress *address);
