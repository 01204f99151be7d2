/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

static void
print_problems (Ctl *ctl, const CtlValue *problems)
{
  for (size_t i = 0; problems && i < problems->n; i++)
    if (problems->items[i]->kind == CTL_STRING)
      ctl_print (ctl, CTL_BAD, "configuration: %s", problems->items[i]->s);
}

/* What waits to be heard, in all boxes. */
static void
print_voicemail (CtlTable *table, const CtlValue *accounts)
{
  unsigned long here = 0, there = 0;
  bool waiting = false;

  for (size_t i = 0; i < accounts->n; i++)
    {
      here += (unsigned long) ctl_value_uint (accounts->items[i], "VoicemailUnheard");
      there += (unsigned long) ctl_value_uint (accounts->items[i], "VoicemailNew");
      waiting |= ctl_value_bool (accounts->items[i], "VoicemailWaiting");
    }
  if (here)
    ctl_table_pair (table, "voicemail", CTL_WARN, "%lu new (phonectl voicemail list)", here);
  if (there)
    ctl_table_pair (table, here ? " " : "voicemail", CTL_WARN, "%lu new at the server (phonectl voicemail call)", there);
  else if (waiting)
    ctl_table_pair (table, here ? " " : "voicemail", CTL_WARN, "messages wait at the server (phonectl voicemail call)");
}

static void
print_status (Ctl *ctl, const CtlValue *status)
{
  const CtlValue *accounts = ctl_value_get (status, "accounts"), *calls = ctl_value_get (status, "calls");
  const char *state = ctl_value_string (status, "State"), *network = ctl_value_string (status, "NetworkState");
  CtlTable *table = ctl_table_new (ctl, 2);
  char *version = ctl_format ("phoned %s", ctl_value_string (status, "Version"));

  ctl_table_pair (table, version, ctl_style_of_state (state), "%s", state);
  ctl_table_pair (table, "network", ctl_style_of_state (network), "%s", network);
  ctl_table_pair (table, "audio", CTL_PLAIN, "in %s, out %s, ring %s", ctl_value_string (status, "Input"),
                  ctl_value_string (status, "Output"), ctl_value_string (status, "Ring"));
  if (ctl_value_bool (status, "InputMuted"))
    ctl_table_pair (table, "microphone", CTL_WARN, "muted for all calls");
  if (ctl_value_bool (status, "OutputMuted"))
    ctl_table_pair (table, "loudspeaker", CTL_WARN, "muted for all calls");
  if (ctl_value_bool (status, "DndActive"))
    ctl_table_pair (table, "do not disturb", CTL_WARN, "on (%s)", ctl_value_string (status, "DndCause"));
  if (ctl_value_uint (status, "HistoryUnseen"))
    ctl_table_pair (table, "missed", CTL_WARN, "%lu (phonectl history --unseen)", (unsigned long) ctl_value_uint (status, "HistoryUnseen"));
  print_voicemail (table, accounts);
  for (size_t i = 0; i < accounts->n; i++)
    if (*ctl_value_string (accounts->items[i], "ForwardingUnconditional"))
      ctl_table_pair (table, "forwarded", CTL_WARN, "calls to %s go to %s", ctl_value_string (accounts->items[i], "Id"),
                      ctl_value_string (accounts->items[i], "ForwardingUnconditional"));
  if (ctl_value_uint (status, "MessagesUnread"))
    ctl_table_pair (table, "messages", CTL_WARN, "%lu (phonectl message --unread)", (unsigned long) ctl_value_uint (status, "MessagesUnread"));
  if (ctl_value_uint (status, "MessagesQueued"))
    ctl_table_pair (table, "to be sent", CTL_WARN, "%lu (phonectl message --outgoing)", (unsigned long) ctl_value_uint (status, "MessagesQueued"));
  ctl_table_print (table);
  free (version);

  putchar ('\n');
  if (accounts->n == 0)
    ctl_print_no_account (ctl);
  else
    {
      table = ctl_table_new (ctl, CTL_ACCOUNT_COLUMNS);
      ctl_add_accounts (table, accounts, ctl_value_string (status, "DefaultAccount"));
      ctl_table_print (table);
    }
  if (calls->n)
    {
      putchar ('\n');
      table = ctl_table_new (ctl, CTL_CALL_COLUMNS);
      ctl_add_call_tree (table, calls, ctl_value_get (status, "conferences"));
      ctl_table_print (table);
    }
  print_problems (ctl, ctl_value_get (status, "Problems"));
  if (*ctl_value_string (status, "HistoryFault"))
    ctl_print (ctl, CTL_BAD, "history: %s", ctl_value_string (status, "HistoryFault"));
}

static int
run_status (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL, *status;
  int result = ctl_get_objects (ctl, &objects);

  if (result != CTL_EXIT_OK)
    return result;
  status = ctl_flatten (PHONE_DBUS_PATH, ctl_value_get (objects, PHONE_DBUS_PATH));
  ctl_value_set (status, "accounts", ctl_collect (objects, PHONE_DBUS_ACCOUNT_PATH));
  ctl_value_set (status, "conferences", ctl_collect (objects, PHONE_DBUS_CONFERENCE_PATH));
  ctl_value_set (status, "calls", ctl_collect (objects, PHONE_DBUS_CALL_PATH));
  if (ctl->json)
    ctl_print_json (status);
  else
    print_status (ctl, status);
  ctl_value_free (status);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

/* What is wrong with the files is said, but the reload itself went well. */
static int
run_reload (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *problems;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "Reload", NULL, NULL);

  if (status == CTL_EXIT_OK)
    status = ctl_get_objects (ctl, &objects);
  if (status != CTL_EXIT_OK)
    return status;
  problems = ctl_value_get (ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_MANAGER), "Problems");
  if (ctl->json && problems)
    ctl_print_json (problems);
  else
    print_problems (ctl, problems);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

const CtlVerb ctl_status_verbs[] = {
  { "status", "", "the phone, its accounts and calls at a glance", NULL, run_status },
  { "reload", "", "read the configuration files again", NULL, run_reload },
  { 0 },
};
