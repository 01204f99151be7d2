/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static CtlValue *
collect (const CtlValue *objects, const char *parent)
{
  CtlValue *list = ctl_value_new_array ();
  size_t length = strlen (parent);

  for (size_t i = 0; i < objects->n; i++)
    if (strncmp (objects->keys[i], parent, length) == 0 && objects->keys[i][length] == '/')
      ctl_value_append (list, ctl_flatten (objects->keys[i], objects->items[i]));
  return list;
}

static void
print_status (Ctl *ctl, const CtlValue *status)
{
  const CtlValue *accounts = ctl_value_get (status, "accounts"), *calls = ctl_value_get (status, "calls");
  const CtlValue *problems = ctl_value_get (status, "Problems");
  CtlTable *table = ctl_table_new (ctl, 2);

  ctl_table_add (table, CTL_BOLD, "phoned %s", ctl_value_string (status, "Version"));
  ctl_table_add (table, ctl_style_of_state (ctl_value_string (status, "State")), "%s", ctl_value_string (status, "State"));
  ctl_table_add (table, CTL_PLAIN, "network");
  ctl_table_add (table, ctl_style_of_state (ctl_value_string (status, "NetworkState")), "%s",
                 ctl_value_string (status, "NetworkState"));
  ctl_table_add (table, CTL_PLAIN, "audio");
  ctl_table_add (table, CTL_PLAIN, "in %s, out %s, ring %s%s", ctl_value_string (status, "Input"),
                 ctl_value_string (status, "Output"), ctl_value_string (status, "Ring"),
                 ctl_value_bool (status, "InputMuted") ? ", microphone muted" : "");
  ctl_table_print (table);

  table = ctl_table_new (ctl, 4);
  for (size_t i = 0; i < accounts->n; i++)
    {
      const CtlValue *account = accounts->items[i];
      const char *registration = ctl_value_string (account, "Registration");
      bool is_default = strcmp (ctl_value_string (account, "object"), ctl_value_string (status, "DefaultAccount")) == 0;

      ctl_table_add (table, CTL_PLAIN, "account %s%s", ctl_value_string (account, "Id"), is_default ? "*" : "");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Aor"));
      ctl_table_add (table, ctl_style_of_state (registration), "%s",
                     ctl_value_bool (account, "Enabled") ? registration : "disabled");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Transport"));
    }
  for (size_t i = 0; i < calls->n; i++)
    {
      const CtlValue *call = calls->items[i];
      const char *state = ctl_value_string (call, "State");

      ctl_table_add (table, CTL_PLAIN, "call %lu", (unsigned long) ctl_value_uint (call, "number"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (call, "RemoteUri"));
      ctl_table_add (table, ctl_style_of_state (state), "%s", state);
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (call, "Codec"));
    }
  ctl_table_print (table);
  for (size_t i = 0; problems && i < problems->n; i++)
    if (problems->items[i]->kind == CTL_STRING)
      ctl_error ("configuration: %s", problems->items[i]->s);
}

static int
run_status (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL, *status;
  int result;

  if (args->n_words > 1)
    {
      ctl_error ("status takes no words");
      return CTL_EXIT_USAGE;
    }
  result = ctl_get_objects (ctl, &objects);
  if (result != CTL_EXIT_OK)
    return result;
  status = ctl_flatten (PHONE_DBUS_PATH, ctl_value_get (objects, PHONE_DBUS_PATH));
  ctl_value_set (status, "accounts", collect (objects, PHONE_DBUS_ACCOUNT_PATH));
  ctl_value_set (status, "calls", collect (objects, PHONE_DBUS_CALL_PATH));
  if (ctl->json)
    ctl_print_json (status);
  else
    print_status (ctl, status);
  ctl_value_free (status);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

const CtlVerb ctl_status_verbs[] = {
  { "status", "", "the phone, its accounts and calls at a glance", NULL, run_status },
  { 0 },
};
