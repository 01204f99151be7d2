/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that hear each other. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- which one ---- */

static size_t
count (const CtlValue *conference, const char *key)
{
  const CtlValue *list = ctl_value_get (conference, key);

  return list ? list->n : 0;
}

/* The conference of this number, or the only one. *ret_conference: a flat dictionary. */
static int
choose (Ctl *ctl, const char *word, CtlValue **ret_conference)
{
  CtlValue *list = NULL;
  const CtlValue *chosen = NULL;
  unsigned long number = 0;
  int status;

  if (word && !ctl_parse_number (word, 1, UINT32_MAX, &number))
    {
      ctl_error ("'%s' is not the number of a conference", word);
      return CTL_EXIT_USAGE;
    }
  status = ctl_get_list (ctl, PHONE_DBUS_CONFERENCE_PATH, &list);
  if (status != CTL_EXIT_OK)
    return status;
  for (size_t i = 0; i < list->n && !chosen; i++)
    if (word ? ctl_value_uint (list->items[i], "number") == number : list->n == 1)
      chosen = list->items[i];
  if (chosen)
    *ret_conference = ctl_value_copy (chosen);
  else if (word)
    ctl_error ("there is no conference %lu", number);
  else if (list->n == 0)
    ctl_error ("there is no conference");
  else
    {
      ctl_error ("which conference? say its number:");
      for (size_t i = 0; i < list->n; i++)
        ctl_error ("  %lu  %zu calls", (unsigned long) ctl_value_uint (list->items[i], "number"), count (list->items[i], "Calls"));
    }
  status = chosen ? CTL_EXIT_OK : word || list->n == 0 ? CTL_EXIT_NO_OBJECT : CTL_EXIT_USAGE;
  ctl_value_free (list);
  return status;
}

/* The call of this number, and the object of the conference that it is in. The strings are the call's. */
static int
choose_member (Ctl *ctl, const char *word, CtlValue **ret_call, const char **ret_conference)
{
  int status = ctl_choose_call (ctl, word, NULL, ret_call);

  if (status != CTL_EXIT_OK)
    return status;
  *ret_conference = ctl_value_string (*ret_call, "Conference");
  if (strcmp (*ret_conference, PHONE_DBUS_NO_OBJECT) != 0)
    return CTL_EXIT_OK;
  ctl_error ("call %s is in no conference", word);
  ctl_value_free (*ret_call);
  *ret_call = NULL;
  return CTL_EXIT_STATE;
}

/* ---- showing ---- */

static void
add_conference (CtlTable *table, const CtlValue *conference)
{
  bool away = ctl_value_bool (conference, "LocalHold"), muted = ctl_value_bool (conference, "Muted");

  ctl_table_add (table, CTL_BOLD, "conference %lu", (unsigned long) ctl_value_uint (conference, "number"));
  ctl_table_add (table, away ? CTL_WARN : CTL_GOOD, "%s%s%s%s", away ? "on hold" : "active", muted ? ", muted" : "",
                 ctl_value_bool (conference, "Keep") ? ", kept" : "", ctl_recording_text (conference));
  ctl_table_add (table, CTL_PLAIN, "%s", "");
  ctl_table_add (table, CTL_PLAIN, "%zu calls", count (conference, "Calls"));
  for (int i = 4; i < CTL_CALL_COLUMNS; i++)
    ctl_table_add (table, CTL_PLAIN, "%s", "");
}

static const CtlValue *
find_call (const CtlValue *calls, const char *object)
{
  for (size_t i = 0; i < calls->n; i++)
    if (strcmp (ctl_value_string (calls->items[i], "object"), object) == 0)
      return calls->items[i];
  return NULL;
}

/* As we say it of our own calls, and not as RFC 4575 does. */
static const char *
status_text (const char *status)
{
  static const struct { const char *status, *text; } words[] = {
    { "on-hold", "on hold" },
    { "muted-via-focus", "not heard" },
    { "dialing-out", "dialing" },
    { "dialing-in", "ringing" },
    { "alerting", "ringing" },
  };

  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (strcmp (status, words[i].status) == 0)
      return words[i].text;
  return status;
}

/* Who is in the conference that the peer of the call is. */
static void
add_roster (CtlTable *table, const CtlValue *call, const char *indent)
{
  const CtlValue *roster = ctl_value_get (call, "Roster");

  for (size_t i = 0; roster && i < roster->n; i++)
    {
      const CtlValue *one = roster->items[i];
      const char *status = ctl_value_string (one, "status"), *name = ctl_value_string (one, "name"), *uri = ctl_value_string (one, "uri");
      bool talks = strcmp (status, "connected") == 0;

      ctl_table_add (table, CTL_DIM, "%s%s", indent, i + 1 < roster->n ? "├─" : "└─");
      ctl_table_add (table, talks ? CTL_PLAIN : CTL_DIM, "%s", status_text (status));
      ctl_table_add (table, CTL_DIM, "%s", "with");
      ctl_table_add (table, CTL_PLAIN, *name ? "%s <%s>" : "%s%s", name, uri);
      for (size_t column = 4; column < CTL_CALL_COLUMNS; column++)
        ctl_table_add (table, CTL_PLAIN, "%s", "");
    }
}

/* Conferences with their calls below them, then the calls that are in none. */
void
ctl_add_call_tree (CtlTable *table, const CtlValue *calls, const CtlValue *conferences)
{
  for (size_t i = 0; i < conferences->n; i++)
    {
      const CtlValue *members = ctl_value_get (conferences->items[i], "Calls");

      add_conference (table, conferences->items[i]);
      for (size_t j = 0; members && j < members->n; j++)
        {
          const CtlValue *call = find_call (calls, members->items[j]->s);

          if (!call)
            continue;
          ctl_add_call (table, call, j + 1 < members->n ? "├─ " : "└─ ",
                        ctl_value_has (ctl_value_get (conferences->items[i], "MutedCalls"), members->items[j]->s));
          add_roster (table, call, j + 1 < members->n ? "│  " : "   ");
        }
    }
  for (size_t i = 0; i < calls->n; i++)
    if (strcmp (ctl_value_string (calls->items[i], "Conference"), PHONE_DBUS_NO_OBJECT) == 0)
      {
        ctl_add_call (table, calls->items[i], "", false);
        add_roster (table, calls->items[i], "");
      }
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL, *conferences, *calls;
  CtlTable *table;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  conferences = ctl_collect (objects, PHONE_DBUS_CONFERENCE_PATH);
  if (ctl->json)
    ctl_print_json (conferences);
  else if (conferences->n == 0)
    ctl_print (ctl, CTL_DIM, "no conference");
  else
    {
      CtlValue *members = ctl_value_new_array ();

      calls = ctl_collect (objects, PHONE_DBUS_CALL_PATH);
      for (size_t i = 0; i < calls->n; i++)
        if (strcmp (ctl_value_string (calls->items[i], "Conference"), PHONE_DBUS_NO_OBJECT) != 0)
          ctl_value_append (members, ctl_value_copy (calls->items[i]));
      table = ctl_table_new (ctl, CTL_CALL_COLUMNS);
      ctl_add_call_tree (table, members, conferences);
      ctl_table_print (table);
      ctl_value_free (members);
      ctl_value_free (calls);
    }
  ctl_value_free (conferences);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

/* ---- acting ---- */

static int
append_calls (Ctl *ctl, sd_bus_message *message, const CtlArgs *args, int *ret_status)
{
  int r = sd_bus_message_open_container (message, 'a', "o");

  for (size_t i = 1; r >= 0 && i < args->n_words; i++)
    {
      CtlValue *call = NULL;

      *ret_status = ctl_choose_call (ctl, args->words[i], NULL, &call);
      if (*ret_status != CTL_EXIT_OK)
        return -ENOENT;
      r = sd_bus_message_append (message, "o", ctl_value_string (call, "object"));
      ctl_value_free (call);
    }
  return r < 0 ? r : sd_bus_message_close_container (message);
}

static int
run_create (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "CreateConference"), *reply = NULL;
  const char *object;
  int status = CTL_EXIT_OTHER, r = append_calls (ctl, message, args, &status);

  if (r >= 0)
    r = ctl_args_flag (args, "keep") ? sd_bus_message_append (message, "a{sv}", 1, "keep", "b", 1)
                                     : sd_bus_message_append (message, "a{sv}", 0);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      return status;
    }
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK && sd_bus_message_read (reply, "o", &object) < 0)
    status = ctl_report (ctl, NULL, NULL, -EBADMSG);
  if (status == CTL_EXIT_OK && ctl->json)
    {
      CtlValue *value = ctl_value_new_dict ();

      ctl_value_set (value, "conference", ctl_value_new_uint (strtoul (strrchr (object, '/') + 1, NULL, 10)));
      ctl_value_set (value, "object", ctl_value_new_string (object));
      ctl_print_json (value);
      ctl_value_free (value);
    }
  else if (status == CTL_EXIT_OK)
    ctl_print (ctl, CTL_PLAIN, "conference %s", strrchr (object, '/') + 1);
  sd_bus_message_unref (reply);
  return status;
}

static int
run_add (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *call = NULL, *conference = NULL;
  int status = choose (ctl, ctl_args_value (args, "conference"), &conference);

  if (status == CTL_EXIT_OK)
    status = ctl_choose_call (ctl, args->words[1], NULL, &call);
  if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (conference, "object"), PHONE_DBUS_CONFERENCE, "Add", NULL, "o",
                              ctl_value_string (call, "object"));
  ctl_value_free (call);
  ctl_value_free (conference);
  return status;
}

static int
act_on_member (Ctl *ctl, const CtlArgs *args, const char *member)
{
  CtlValue *call = NULL;
  const char *conference;
  int status = choose_member (ctl, args->words[1], &call, &conference);

  if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, conference, PHONE_DBUS_CONFERENCE, member, NULL, "o", ctl_value_string (call, "object"));
  ctl_value_free (call);
  return status;
}

static int run_remove (Ctl *ctl, const CtlArgs *args) { return act_on_member (ctl, args, "Remove"); }
static int run_split (Ctl *ctl, const CtlArgs *args) { return act_on_member (ctl, args, "Split"); }

/* One of the others, or ourselves. */
static int
set_muted (Ctl *ctl, const CtlArgs *args, bool muted)
{
  CtlValue *chosen = NULL;
  const char *object;
  int status;

  if (args->n_words > 1)
    {
      status = choose_member (ctl, args->words[1], &chosen, &object);
      if (status == CTL_EXIT_OK)
        status = ctl_call_method (ctl, object, PHONE_DBUS_CONFERENCE, "Mute", NULL, "ob", ctl_value_string (chosen, "object"), (int) muted);
    }
  else
    {
      status = choose (ctl, ctl_args_value (args, "conference"), &chosen);
      if (status == CTL_EXIT_OK)
        status = ctl_set_property (ctl, ctl_value_string (chosen, "object"), PHONE_DBUS_CONFERENCE, "Muted", "b", (int) muted);
    }
  ctl_value_free (chosen);
  return status;
}

static int run_mute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, true); }
static int run_unmute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, false); }

static int
act (Ctl *ctl, const CtlArgs *args, const char *member)
{
  CtlValue *conference = NULL;
  int status = choose (ctl, args->n_words > 1 ? args->words[1] : NULL, &conference);

  if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (conference, "object"), PHONE_DBUS_CONFERENCE, member, NULL, NULL);
  ctl_value_free (conference);
  return status;
}

static int run_hold (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Hold"); }
static int run_resume (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Resume"); }

static int
run_end (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *conference = NULL;
  int status = choose (ctl, args->n_words > 1 ? args->words[1] : NULL, &conference);

  if (status == CTL_EXIT_OK && ctl_args_flag (args, "connect"))
    status = ctl_call_method (ctl, ctl_value_string (conference, "object"), PHONE_DBUS_CONFERENCE, "End", NULL, "a{sv}", 1, "connect", "b", 1);
  else if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (conference, "object"), PHONE_DBUS_CONFERENCE, "End", NULL, "a{sv}", 0);
  ctl_value_free (conference);
  return status;
}

/* [C] and what. */
static int
run_record (Ctl *ctl, const CtlArgs *args)
{
  const char *number = NULL, *what = "start";
  CtlValue *conference = NULL;
  int status;

  for (size_t i = 1; i < args->n_words; i++)
    if (i == 1 && *args->words[i] && strspn (args->words[i], "0123456789") == strlen (args->words[i]))
      number = args->words[i];
    else
      what = args->words[i];
  if (strcmp (what, "start") != 0 && strcmp (what, "pause") != 0 && strcmp (what, "stop") != 0)
    {
      ctl_error ("record: start, pause or stop, not '%s'", what);
      return CTL_EXIT_USAGE;
    }
  status = choose (ctl, number, &conference);
  if (status == CTL_EXIT_OK && strcmp (what, "start") == 0)
    status = ctl_start_recording (ctl, ctl_value_string (conference, "object"));
  else if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (conference, "object"), PHONE_DBUS_RECORDING,
                              strcmp (what, "pause") == 0 ? "Pause" : "Stop", NULL, NULL);
  ctl_value_free (conference);
  return status;
}

static const CtlOption create_options[] = {
  { "keep", 'k', NULL, "it stays until it is ended, however few calls are left" },
  { 0 },
};
static const CtlOption which_options[] = {
  { "conference", 'c', "C", "which; may be left out when there is only one" },
  { 0 },
};
static const CtlOption end_options[] = {
  { "connect", 0, NULL, "only leave: the two parties that there are go on with each other" },
  { 0 },
};

static const CtlVerb actions[] = {
  { "list", "", "all of them and their calls", NULL, run_list },
  { "create", "N...", "of calls, those on hold are resumed", create_options, run_create },
  { "add", "N", "one more call", which_options, run_add },
  { "remove", "N", "take a call out and put it on hold", NULL, run_remove },
  { "split", "N", "take a call out and talk to it alone; the others go on", NULL, run_split },
  { "mute", "[N]", "the others do not hear this call; without N: us", which_options, run_mute },
  { "unmute", "[N]", "they hear it again", which_options, run_unmute },
  { "hold", "[C]", "be away; the others go on", NULL, run_hold },
  { "resume", "[C]", "be back", NULL, run_resume },
  { "record", "[C] [WHAT]", "start, pause or stop a recording of it", NULL, run_record },
  { "end", "[C]", "hang up all of it", end_options, run_end },
  { 0 },
};

const CtlVerb ctl_conference_verbs[] = {
  { "conference", "[ACTION ...]", "calls that hear each other", .actions = actions },
  { 0 },
};
