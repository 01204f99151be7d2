/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* forward: whom the calls to an account are sent on to. */

#include "ctl.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const CtlOption account_options[] = {
  { "account", 'a', "ID", "the account; otherwise all (show), or the default one" },
  { 0 },
};

static const CtlOption set_options[] = {
  { "account", 'a', "ID", "the account; otherwise the default one" },
  { "server", 's', NULL, "by the server: its code is dialled, and works while this phone is off" },
  { 0 },
};

static const CtlOption no_reply_options[] = {
  { "account", 'a', "ID", "the account; otherwise the default one" },
  { "server", 's', NULL, "by the server: its code is dialled, and works while this phone is off" },
  { "after", 0, "SECONDS", "how long it rings before that, 1 to 600" },
  { 0 },
};

static void
add_row (CtlTable *table, const CtlValue *one, const char *when, const char *key)
{
  const char *target = ctl_value_string (one, key);

  ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (one, "Id"));
  ctl_table_add (table, CTL_PLAIN, "%s", when);
  ctl_table_add (table, *target ? CTL_WARN : CTL_DIM, "%s", *target ? target : "nobody");
}

/* What the server was told, if it ever was. */
static void
add_at_server (CtlTable *table, const CtlValue *one)
{
  static const char *const kinds[][2] = { { "unconditional", "all" }, { "busy", "busy" }, { "no-reply", "no reply" } };
  const CtlValue *taken = ctl_value_get (one, "AtServer");

  for (size_t i = 0; taken && i < sizeof kinds / sizeof kinds[0]; i++)
    if (ctl_value_get (taken, kinds[i][0]))
      {
        const char *target = ctl_value_string (taken, kinds[i][0]);

        ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (one, "Id"));
        ctl_table_add (table, CTL_PLAIN, "%s, at the server", kinds[i][1]);
        ctl_table_add (table, *target ? CTL_WARN : CTL_DIM, "%s", *target ? target : "nobody");
      }
}

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *list = NULL;
  CtlTable *table;
  int status = ctl_get_accounts (ctl, args, PHONE_DBUS_FORWARDING, &list);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (list);
  else
    {
      table = ctl_table_new (ctl, 3);
      for (size_t i = 0; i < list->n; i++)
        {
          char *late = ctl_format ("no reply in %" PRIu64 " s", ctl_value_uint (list->items[i], "NoReplyTimeout"));

          add_row (table, list->items[i], "all", "Unconditional");
          add_row (table, list->items[i], "busy", "Busy");
          add_row (table, list->items[i], late, "NoReply");
          free (late);
          add_at_server (table, list->items[i]);
        }
      ctl_table_print (table);
    }
  ctl_value_free (list);
  return CTL_EXIT_OK;
}

/* "off" is nobody; a person of that name is sip:off@... */
static int
set_target (Ctl *ctl, const char *path, const char *property, const char *target)
{
  return ctl_set_property (ctl, path, PHONE_DBUS_FORWARDING, property, "s", strcmp (target, "off") == 0 ? "" : target);
}

/* The server's own forwarding: a call with its code. */
static int
set_at_server (Ctl *ctl, const char *path, const char *kind, const char *target)
{
  sd_bus_message *reply = NULL;
  const char *call;
  CtlValue *value;
  int status = ctl_call_method (ctl, path, PHONE_DBUS_FORWARDING, "SetAtServer", &reply, "ss", kind, strcmp (target, "off") == 0 ? "" : target);

  if (status == CTL_EXIT_OK && sd_bus_message_read (reply, "o", &call) < 0)
    status = ctl_report (ctl, NULL, NULL, -EBADMSG);
  if (status == CTL_EXIT_OK)
    {
      value = ctl_value_new_dict ();
      ctl_value_set (value, "call", ctl_value_new_uint (strtoul (strrchr (call, '/') + 1, NULL, 10)));
      ctl_value_set (value, "object", ctl_value_new_string (call));
      if (ctl->json)
        ctl_print_json (value);
      else
        ctl_print (ctl, CTL_PLAIN, "call %s", strrchr (call, '/') + 1);
      ctl_value_free (value);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
set (Ctl *ctl, const CtlArgs *args, const char *property, const char *kind)
{
  int status;
  char *path = ctl_choose_account (ctl, args, &status);

  if (path)
    status = ctl_args_flag (args, "server") ? set_at_server (ctl, path, kind, args->words[1]) : set_target (ctl, path, property, args->words[1]);
  free (path);
  return status;
}

static int run_all (Ctl *ctl, const CtlArgs *args) { return set (ctl, args, "Unconditional", "unconditional"); }
static int run_busy (Ctl *ctl, const CtlArgs *args) { return set (ctl, args, "Busy", "busy"); }

static int
run_no_reply (Ctl *ctl, const CtlArgs *args)
{
  const char *after = ctl_args_value (args, "after");
  unsigned long seconds = 0;
  int status;
  char *path;

  if (after && !ctl_parse_number (after, 1, UINT32_MAX, &seconds))
    {
      ctl_error ("--after wants seconds, not '%s'", after);
      return CTL_EXIT_USAGE;
    }
  if (after && ctl_args_flag (args, "server"))
    {
      ctl_error ("--after and --server do not go together: the server has a time of its own");
      return CTL_EXIT_USAGE;
    }
  if (ctl_args_flag (args, "server"))
    return set (ctl, args, "NoReply", "no-reply");
  path = ctl_choose_account (ctl, args, &status);
  if (path && after)
    status = ctl_set_property (ctl, path, PHONE_DBUS_FORWARDING, "NoReplyTimeout", "u", (uint32_t) seconds);
  if (path && status == CTL_EXIT_OK)
    status = set_target (ctl, path, "NoReply", args->words[1]);
  free (path);
  return status;
}

static int
run_off (Ctl *ctl, const CtlArgs *args)
{
  static const char *const properties[] = { "Unconditional", "Busy", "NoReply" };
  int status;
  char *path = ctl_choose_account (ctl, args, &status);

  for (size_t i = 0; path && status == CTL_EXIT_OK && i < sizeof properties / sizeof properties[0]; i++)
    status = set_target (ctl, path, properties[i], "off");
  free (path);
  return status;
}

static const CtlVerb actions[] = {
  { "show", "", "whom calls are sent on to", account_options, run_show },
  { "all", "TARGET|off", "send every call on", set_options, run_all },
  { "busy", "TARGET|off", "send calls on that would get busy", set_options, run_busy },
  { "no-reply", "TARGET|off", "send calls on that nobody answers", no_reply_options, run_no_reply },
  { "off", "", "send nothing on any more", account_options, run_off },
  { 0 },
};

const CtlVerb ctl_forward_verbs[] = {
  { "forward", "[ACTION ...]", "whom your calls are sent on to", .actions = actions },
  { 0 },
};
