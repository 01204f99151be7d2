/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The three repairs that sofia-sip needs (clock, TLS, digest), switched on and proved. Call once, first thing
 * in the program that uses sofia-sip, before su_root or nua objects and before threads. On an error (a
 * library version that does not go through the hooks) do not go on: the message says which repair does not
 * hold. Ignores SIGPIPE.
 *
 * An executable that links phone-sip gets the interposed functions by calling this; see
 * daemon/sip/meson.build. */

#include "util/phone-error.h"

gboolean ua_platform_init (GError **error);
