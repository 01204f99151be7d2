/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Which numbers call for help. A wrong "yes" costs little (a limit is not applied), a wrong "no" may cost a life: the
 * pan-European 112, the North American 911 and urn:service:sos (RFC 5031) count everywhere, the rest by country. */

#include <glib.h>

/* target: what the user dialled (number, tel: or sip: URI, urn:service:sos). country: ISO 3166-1 alpha-2 or NULL. Pure. */
gboolean phone_is_emergency_number (const char *target, const char *country);
