/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Stopping as a state machine on the one main loop, never a nested one:
 *
 *   running -> ending calls and registrations (BYE, un-REGISTER; deadline) -> loop quits
 *
 * A second request while stopping quits at once. */

#include "core/registry.h"

typedef struct _Shutdown Shutdown;

Shutdown *shutdown_new (GMainLoop *loop, PhoneRegistry *registry);
void shutdown_begin (Shutdown *shutdown, const char *why);
void shutdown_free (Shutdown *shutdown);
