/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Questions to a name server that cannot be reached count as lost, see ua-datagram.c. Part of ua_platform_init (). */

#include "util/phone-error.h"

gboolean ua_datagram_init (GError **error);
