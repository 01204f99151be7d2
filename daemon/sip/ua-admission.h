/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* How many strangers may be connected over TCP or TLS, and for how long without saying anything. */

#include <glib.h>

/* A connection of TLS: octets of the handshake alone will not do. FALSE: too many from there, or in all, have shaken hands of late. */
gboolean ua_admission_expect (int fd);
/* The first of SIP came. */
void ua_admission_prove (int fd);

/* Called by ua_platform_init. */
gboolean ua_admission_init (GError **error);
