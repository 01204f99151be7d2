/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which addresses ICE offers, and which of a peer's it sends checks to. */

#include <glib.h>

#define MEDIA_ICE_MAX_ADDRESSES 6       /* each is a host candidate, and with servers two more, for each component */

/* FALSE for NULL. */
gboolean media_ice_is_loopback (const char *address);
/* Numeric unicast; a name (mDNS, as browsers hide their addresses) is none. Loopback only for us who stand there too: a peer must not make us
 * knock at services of this machine. */
gboolean media_ice_is_acceptable (const char *address, gboolean we_are_loopback);
/* bind: that one alone. Loopback as the local address: that one alone. Else local first (the way to the peer's server), then those of the
 * interfaces that are up, without loopback and link-local. Fills list with texts for the caller to free, returns their number. */
/* The two families take turns, as the kernel names all of IPv4 first, and bridges of containers alone may be more than there is room for. */
guint media_ice_choose_addresses (const char *bind, const char *local, char *list[MEDIA_ICE_MAX_ADDRESSES + 1]);
/* The part of it without interfaces: adds those of found that are not in list (n long) yet, as far as there is room; the new length. */
guint media_ice_take_turns (const char *const *found, guint n_found, char *list[MEDIA_ICE_MAX_ADDRESSES + 1], guint n);
