/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that the server keeps, and calls that ring somewhere else. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int
show_slot (Ctl *ctl, sd_bus_message *reply)
{
  const char *slot;
  CtlValue *value;

  if (sd_bus_message_read (reply, "s", &slot) < 0)
    return ctl_report (ctl, NULL, NULL, -EBADMSG);
  value = ctl_value_new_dict ();
  ctl_value_set (value, "slot", ctl_value_new_string (slot));
  if (ctl->json)
    ctl_print_json (value);
  else
    {
      char *clean = ctl_text_clean (slot);

      ctl_print (ctl, CTL_GOOD, *slot ? "parked at %s" : "parked; the server does not say where%s", clean);
      free (clean);
    }
  ctl_value_free (value);
  return CTL_EXIT_OK;
}

static int
run_park (Ctl *ctl, const CtlArgs *args)
{
  const char *slot = args->n_words > 2 ? args->words[2] : NULL;
  CtlValue *call = NULL;
  sd_bus_message *message, *reply = NULL;
  int status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, ctl->verb->can, &call), r;

  if (status == CTL_EXIT_NO_OBJECT && args->n_words == 2)
    ctl_error ("a slot is said behind the number of the call: phonectl park N %s", args->words[1]);
  if (status != CTL_EXIT_OK)
    return status;
  message = ctl_new_call (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, "Park");
  ctl_value_free (call);
  r = slot ? sd_bus_message_append (message, "a{sv}", 1, "slot", "s", slot) : sd_bus_message_append (message, "a{sv}", 0);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("park: '%s' is not text", slot);
      return CTL_EXIT_USAGE;
    }
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK)
    status = show_slot (ctl, reply);
  sd_bus_message_unref (reply);
  return status;
}

static int
show_call (Ctl *ctl, sd_bus_message *reply)
{
  const char *path;
  CtlValue *value;

  if (sd_bus_message_read (reply, "o", &path) < 0)
    return ctl_report (ctl, NULL, NULL, -EBADMSG);
  value = ctl_value_new_dict ();
  ctl_value_set (value, "call", ctl_value_new_uint (strtoul (strrchr (path, '/') + 1, NULL, 10)));
  ctl_value_set (value, "object", ctl_value_new_string (path));
  if (ctl->json)
    ctl_print_json (value);
  else
    ctl_print (ctl, CTL_PLAIN, "call %s", strrchr (path, '/') + 1);
  ctl_value_free (value);
  return CTL_EXIT_OK;
}

static int
run_pickup (Ctl *ctl, const CtlArgs *args)
{
  const char *account = ctl_args_value (args, "account"), *target = args->n_words > 1 ? args->words[1] : "";
  char *path = account ? ctl_account_path (account) : NULL;
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "Pickup"), *reply = NULL;
  int r = sd_bus_message_append (message, "s", target), status;

  if (r >= 0)
    r = sd_bus_message_open_container (message, 'a', "{sv}");
  if (r >= 0 && path)
    r = sd_bus_message_append (message, "{sv}", "account", "o", path);
  if (r >= 0 && ctl_args_flag (args, "parked"))
    r = sd_bus_message_append (message, "{sv}", "parked", "b", 1);
  if (r >= 0)
    r = sd_bus_message_close_container (message);
  free (path);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("pickup: '%s' cannot be sent", target);
      return CTL_EXIT_USAGE;
    }
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK)
    status = show_call (ctl, reply);
  sd_bus_message_unref (reply);
  return status;
}

static const CtlOption pickup_options[] = {
  { "account", 'a', "ID", "the account to do it with; otherwise as for dial" },
  { "parked", 'p', NULL, "TARGET is the slot of a parked call" },
  { 0 },
};

const CtlVerb ctl_park_verbs[] = {
  { "park", "[N] [SLOT]", "let the server keep a call until somebody takes it from there", NULL, run_park, "park" },
  { "pickup", "[TARGET]", "take the call that rings at another phone, or a parked one", pickup_options, run_pickup },
  { 0 },
};
