/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <systemd/sd-bus.h>
#include "util/phone-error.h"

/* The D-Bus name of a code, by dbus/errors.def. Static. */
const char *bus_error_name (PhoneError code);
/* Fills ret_error from error (another domain than PHONE_ERROR: Failed) and returns the negative errno that a
 * handler returns. */
int bus_error_set (sd_bus_error *ret_error, const GError *error);
