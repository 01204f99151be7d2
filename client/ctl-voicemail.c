/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* voicemail: the mailboxes of the servers, and the answering machine of this phone. */

#include "ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const CtlOption account_options[] = {
  { "account", 'a', "ID", "the account; otherwise all, or the default one" },
  { 0 },
};

static const CtlOption box_options[] = {
  { "account", 'a', "ID", "the account; otherwise all" },
  { "server", 's', NULL, "with them what the mailboxes of the servers tell" },
  { 0 },
};

/* ---- the messages that are here ---- */

static void
add_message (CtlTable *table, const CtlValue *message)
{
  time_t start = (time_t) ctl_value_uint (message, "start");
  const char *state = ctl_value_string (message, "state");
  char *when = ctl_text_time (start, time (NULL)), *length = ctl_recording_length (ctl_value_uint (message, "ms"));
  char *party = ctl_recording_party (message);

  ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (message, "id"));
  ctl_table_add (table, ctl_value_bool (message, "heard") ? CTL_DIM : CTL_WARN, "%s", ctl_value_bool (message, "heard") ? "heard" : "new");
  ctl_table_add (table, CTL_PLAIN, "%s", when);
  ctl_table_add (table, CTL_PLAIN, "%s", length);
  ctl_table_add (table, CTL_PLAIN, "%s", party);
  ctl_table_add (table, CTL_WARN, "%s", strcmp (state, "whole") == 0 ? "" : state);
  free (when);
  free (party);
  free (length);
}

/* ---- what the server has ---- */

/* How many there are in the mailbox of an account: "2 new (1 urgent), 8 old"; "messages wait" if the server does not count (in RFC 3842
 * section 5.2 the counts are optional). Caller frees. */
static char *
count_text (const CtlValue *account)
{
  uint64_t fresh = ctl_value_uint (account, "New"), old = ctl_value_uint (account, "Old"), urgent = ctl_value_uint (account, "NewUrgent");
  char *extra, *text;

  if (ctl_value_bool (account, "Waiting") && fresh == 0)
    return old ? ctl_format ("messages wait, %" PRIu64 " old", old) : ctl_format ("messages wait");
  extra = urgent ? ctl_format (" (%" PRIu64 " urgent)", urgent) : ctl_format ("%s", "");
  text = ctl_format ("%" PRIu64 " new%s, %" PRIu64 " old", fresh, extra, old);

  free (extra);
  return text;
}

static void
add_mailbox (CtlTable *table, const CtlValue *account)
{
  bool known = ctl_value_bool (account, "Known"), waiting = known && ctl_value_bool (account, "Waiting");
  char *text = known ? count_text (account)
                     : ctl_subscription_text (ctl_value_string (account, "Subscription"), ctl_value_get (account, "SubscriptionDetail"));

  ctl_table_add (table, CTL_BOLD, "%s", "at the server");
  ctl_table_add (table, waiting ? CTL_WARN : CTL_DIM, "%s", !known ? "unknown" : waiting ? "new" : "heard");
  ctl_table_add (table, CTL_PLAIN, "%s", text);
  ctl_table_add (table, CTL_PLAIN, "%s", "");
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Mailbox"));
  ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (account, "Id"));
  free (text);
}

/* The same as an element of the list; counts only if the server has said something. */
static CtlValue *
mailbox_value (const CtlValue *account)
{
  static const char *const counts[][2] = { { "new", "New" }, { "old", "Old" }, { "new-urgent", "NewUrgent" }, { "old-urgent", "OldUrgent" } };
  bool known = ctl_value_bool (account, "Known");
  CtlValue *one = ctl_value_new_dict ();

  ctl_value_set (one, "kind", ctl_value_new_string ("mailbox"));
  ctl_value_set (one, "account", ctl_value_new_string (ctl_value_string (account, "Id")));
  ctl_value_set (one, "known", ctl_value_new_bool (known));
  if (known)
    ctl_value_set (one, "waiting", ctl_value_new_bool (ctl_value_bool (account, "Waiting")));
  for (size_t i = 0; known && i < sizeof counts / sizeof *counts; i++)
    ctl_value_set (one, counts[i][0], ctl_value_new_uint (ctl_value_uint (account, counts[i][1])));
  ctl_value_set (one, "mailbox", ctl_value_new_string (ctl_value_string (account, "Mailbox")));
  return one;
}

/* ---- the verbs ---- */

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *all = NULL, *accounts = NULL;
  int status = ctl_get_recordings (ctl, args, "voicemail", &all);

  if (status == CTL_EXIT_OK && ctl_args_flag (args, "server"))
    status = ctl_get_accounts (ctl, args, PHONE_DBUS_VOICEMAIL, &accounts);
  for (size_t i = 0; accounts && i < accounts->n; i++)
    ctl_value_append (all, mailbox_value (accounts->items[i]));
  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (all);
  else if (status == CTL_EXIT_OK && all->n == 0)
    ctl_print (ctl, CTL_DIM, "no messages");
  else if (status == CTL_EXIT_OK)
    {
      CtlTable *table = ctl_table_new (ctl, 6);

      for (size_t i = 0; i < all->n; i++)
        if (strcmp (ctl_value_string (all->items[i], "kind"), "mailbox") != 0)
          add_message (table, all->items[i]);
      for (size_t i = 0; accounts && i < accounts->n; i++)
        add_mailbox (table, accounts->items[i]);
      ctl_table_print (table);
    }
  ctl_value_free (accounts);
  ctl_value_free (all);
  return status;
}

/* The one that is named, else the oldest that nobody has heard. */
static int
run_play (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *all = NULL;
  const char *id = args->n_words > 1 ? args->words[1] : NULL;
  int status = id ? CTL_EXIT_OK : ctl_get_recordings (ctl, args, "voicemail", &all);

  for (size_t i = 0; all && i < all->n; i++)
    if (!ctl_value_bool (all->items[i], "heard") && strcmp (ctl_value_string (all->items[i], "state"), "running") != 0)
      id = ctl_value_string (all->items[i], "id");
  if (status == CTL_EXIT_OK && id)
    status = ctl_recording_play (ctl, id);
  else if (status == CTL_EXIT_OK)
    {
      ctl_error ("there is no new message");
      status = CTL_EXIT_NO_OBJECT;
    }
  ctl_value_free (all);
  return status;
}

static int
run_mark (Ctl *ctl, const CtlArgs *args)
{
  const char *how = args->words[1];

  if (strcmp (how, "heard") != 0 && strcmp (how, "new") != 0)
    {
      ctl_error ("mark: heard or new, not '%s'", how);
      return CTL_EXIT_USAGE;
    }
  return ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "SetHeard", NULL, "sb", args->words[2], (int) (*how == 'h'));
}

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *list = NULL;
  CtlTable *table;
  int status = ctl_get_accounts (ctl, args, PHONE_DBUS_VOICEMAIL, &list);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (list);
  else
    {
      table = ctl_table_new (ctl, 5);
      for (size_t i = 0; i < list->n; i++)
        {
          const CtlValue *one = list->items[i];
          char *text = ctl_subscription_text (ctl_value_string (one, "Subscription"), ctl_value_get (one, "SubscriptionDetail"));

          ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (one, "Id"));
          if (ctl_value_bool (one, "Known"))
            {
              char *count = count_text (one);

              ctl_table_add (table, ctl_value_bool (one, "Waiting") ? CTL_WARN : CTL_PLAIN, "%s", count);
              free (count);
            }
          else
            ctl_table_add (table, CTL_DIM, "%s", "unknown");
          ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "Mailbox"));
          ctl_table_add (table, CTL_DIM, "%s", strcmp (text, "active") == 0 ? "" : text);
          if (ctl_value_bool (one, "Answering") || ctl_value_uint (one, "Messages"))
            ctl_table_add (table, ctl_value_uint (one, "Unheard") ? CTL_WARN : CTL_PLAIN, "here %" PRIu64 " new, %" PRIu64 " heard",
                           ctl_value_uint (one, "Unheard"), ctl_value_uint (one, "Messages") - ctl_value_uint (one, "Unheard"));
          else
            ctl_table_add (table, CTL_PLAIN, "%s", "");
          free (text);
        }
      ctl_table_print (table);
    }
  ctl_value_free (list);
  return CTL_EXIT_OK;
}

static int
run_call (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  int status;
  char *path = ctl_choose_account (ctl, args, &status);

  if (path)
    status = ctl_call_method (ctl, path, PHONE_DBUS_VOICEMAIL, "Call", &reply, NULL);
  if (path && status == CTL_EXIT_OK)
    status = ctl_print_call (ctl, reply);
  sd_bus_message_unref (reply);
  free (path);
  return status;
}

/* Without a keyring nobody makes a key by himself, and callers would be told that nothing can be recorded. The machine is on already: if the
 * state of the key cannot be told, that is no failure of what was asked for, and nothing is said. */
static void
print_missing_key (Ctl *ctl)
{
  sd_bus_message *ask, *reply = NULL;
  const char *state;

  if (ctl->json)
    return;
  ask = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "GetKeyState");
  if (sd_bus_call (ctl->bus, ask, ctl->timeout_us, NULL, &reply) >= 0 && sd_bus_message_read (reply, "s", &state) >= 0
      && strcmp (state, "none") == 0)
    ctl_print (ctl, CTL_WARN, "there is no key yet to seal messages with: without a keyring, first do 'phonectl recording unlock'");
  sd_bus_message_unref (reply);
  sd_bus_message_unref (ask);
}

static int
run_machine (Ctl *ctl, const CtlArgs *args)
{
  const char *mode = args->words[1];
  int status;
  char *path;

  if (strcmp (mode, "on") != 0 && strcmp (mode, "off") != 0)
    {
      ctl_error ("machine: on or off, not '%s'", mode);
      return CTL_EXIT_USAGE;
    }
  path = ctl_choose_account (ctl, args, &status);
  if (path)
    status = ctl_set_property (ctl, path, PHONE_DBUS_VOICEMAIL, "Answering", "b", (int) (strcmp (mode, "on") == 0));
  if (path && status == CTL_EXIT_OK && strcmp (mode, "on") == 0)
    print_missing_key (ctl);
  free (path);
  return status;
}

static const CtlVerb actions[] = {
  { "show", "", "how many messages there are, at the servers and here", account_options, run_show },
  { "list", "", "the messages that the answering machine has, the newest first", box_options, run_list },
  { "play", "[RECORDING]", "play a message, or the oldest new one", account_options, run_play },
  { "mark", "HEARD RECORDING", "heard or new", NULL, run_mark },
  { "export", "RECORDING FILE", "decrypt a message into a new file; - is standard output", ctl_recording_export_options, ctl_recording_export },
  { "delete", "RECORDING...", "delete messages", NULL, ctl_recording_delete },
  { "machine", "MODE", "on or off: the answering machine of an account", account_options, run_machine },
  { "call", "", "call the mailbox", account_options, run_call },
  { 0 },
};

const CtlVerb ctl_voicemail_verbs[] = {
  { "voicemail", "[ACTION ...]", "the mailbox, and the answering machine", .actions = actions },
  { 0 },
};
