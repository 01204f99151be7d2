/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/bus-error.h"

#include "bus/bus-value.h"
#include "phone-dbus.h"

const char *
bus_error_name (PhoneError code)
{
  /* No default: a code without a line in the table does not compile. */
  switch (code)
    {
#define X(id, name, exit_status, sip) \
  case PHONE_ERROR_##id: \
    return PHONE_DBUS_ERROR_PREFIX name;
#include "errors.def"
#undef X
    }
  g_assert_not_reached ();
}

int
bus_error_set (sd_bus_error *ret_error, const GError *error)
{
  PhoneError code = error->domain == PHONE_ERROR ? (PhoneError) error->code : PHONE_ERROR_FAILED;
  g_autofree char *copy = NULL;

  return sd_bus_error_set (ret_error, bus_error_name (code), bus_text (error->message, &copy));
}
