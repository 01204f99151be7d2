/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Do not disturb: the switch, and what it does. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_FILE 65536

static const CtlOption on_options[] = {
  { "until", 'u', "TIME", "end by itself: HH:MM, YYYY-MM-DD[THH:MM], or in 30m, 8h, 2d" },
  { "mode", 'm', "MODE", "silent, busy or voicemail" },
  { 0 },
};

static int
set (Ctl *ctl, const char *name, const char *types, const char *text)
{
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, name, types, text);
}

static int
get (Ctl *ctl, CtlValue **ret_objects, const CtlValue **ret_dnd)
{
  int status = ctl_get_objects (ctl, ret_objects);

  if (status != CTL_EXIT_OK)
    return status;
  *ret_dnd = ctl_value_get (ctl_value_get (*ret_objects, PHONE_DBUS_PATH), PHONE_DBUS_DND);
  if (*ret_dnd)
    return CTL_EXIT_OK;
  ctl_error ("phoned knows no do-not-disturb");
  ctl_value_free (*ret_objects);
  *ret_objects = NULL;
  return CTL_EXIT_OTHER;
}

/* ---- status ---- */

/* An item on one line: of a calendar what it is called. Caller frees. */
static char *
item_text (const CtlValue *item)
{
  const char *text = item->kind == CTL_STRING ? item->s : "", *summary;

  if (strncmp (text, "BEGIN:", 6) != 0)
    return ctl_format ("%s", text);
  summary = strstr (text, "\nSUMMARY:");
  return ctl_format ("calendar%s%.*s", summary ? ": " : "", summary ? (int) strcspn (summary + 9, "\r\n") : 0, summary ? summary + 9 : "");
}

static void
print_list (CtlTable *table, const char *name, const CtlValue *list)
{
  for (size_t i = 0; list && i < list->n; i++)
    {
      char *text = item_text (list->items[i]);

      ctl_table_pair (table, i ? " " : name, CTL_PLAIN, "%s", text);
      free (text);
    }
}

static void
print_status (Ctl *ctl, const CtlValue *dnd)
{
  CtlTable *table = ctl_table_new (ctl, 2);
  bool active = ctl_value_bool (dnd, "Active");
  time_t now = time (NULL), next = (time_t) ctl_value_uint (dnd, "NextChange");
  char *when = ctl_text_time (next, now);

  ctl_table_pair (table, "do not disturb", active ? CTL_WARN : CTL_PLAIN, "%s%s%s%s", active ? "on" : "off", active ? " (" : "",
                  ctl_value_string (dnd, "Cause"), active ? ")" : "");
  if (next)
    ctl_table_pair (table, active ? "off" : "on", CTL_PLAIN, "%s", when);
  ctl_table_pair (table, "mode", CTL_PLAIN, "%s", ctl_value_string (dnd, "Mode"));
  ctl_table_pair (table, "mailbox", CTL_PLAIN, "%s", ctl_value_string (dnd, "Mailbox"));
  print_list (table, "schedule", ctl_value_get (dnd, "Schedule"));
  print_list (table, "let through", ctl_value_get (dnd, "AllowList"));
  print_list (table, "accounts", ctl_value_get (dnd, "Accounts"));
  if (ctl_value_uint (dnd, "RepeatMinutes"))
    ctl_table_pair (table, "second call", CTL_PLAIN, "gets through within %lu min", (unsigned long) ctl_value_uint (dnd, "RepeatMinutes"));
  if (ctl_value_bool (dnd, "FollowDesktop"))
    ctl_table_pair (table, "desktop", CTL_PLAIN, "followed");
  ctl_table_print (table);
  free (when);
}

static int
run_status (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *dnd;
  int status = get (ctl, &objects, &dnd);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (dnd);
  else
    print_status (ctl, dnd);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

/* ---- on and off ---- */

/* "22:30": the next time it is that; "8h": from now; a date. */
static bool
read_until (const char *text, uint64_t *ret_until)
{
  time_t now = time (NULL), span = ctl_read_span (text), when = span > 0 ? now + span : ctl_read_date (text);
  struct tm local = { 0 };
  const char *rest;

  if (when <= 0 && localtime_r (&now, &local) && (rest = strptime (text, "%H:%M", &local)) && !*rest)
    {
      local.tm_sec = 0;
      local.tm_isdst = -1;
      when = mktime (&local);
      if (when <= now)
        {
          local.tm_mday++;
          local.tm_isdst = -1;
          when = mktime (&local);
        }
    }
  *ret_until = (uint64_t) when;
  return when > 0;
}

static int
run_on (Ctl *ctl, const CtlArgs *args)
{
  const char *text = ctl_args_value (args, "until"), *mode = ctl_args_value (args, "mode");
  uint64_t until = 0;
  int status = CTL_EXIT_OK;

  if (text && !read_until (text, &until))
    {
      ctl_error ("--until wants HH:MM, YYYY-MM-DD[THH:MM], or a time from now like 30m, 8h, 2d, not '%s'", text);
      return CTL_EXIT_USAGE;
    }
  if (mode)
    status = set (ctl, "Mode", "s", mode);
  if (status == CTL_EXIT_OK)
    status = ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, "Until", "t", until);
  if (status == CTL_EXIT_OK)
    status = ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, "Enabled", "b", 1);
  return status;
}

/* The switch is not all there is: a schedule or the desktop may hold it on, and then that is told. */
static int
run_off (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *dnd;
  int status = ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, "Enabled", "b", 0);

  if (status != CTL_EXIT_OK || ctl->json || (status = get (ctl, &objects, &dnd)) != CTL_EXIT_OK)
    return status;
  if (ctl_value_bool (dnd, "Active"))
    {
      time_t next = (time_t) ctl_value_uint (dnd, "NextChange");
      char *when = ctl_text_time (next, time (NULL));

      ctl_print (ctl, CTL_WARN, "still on (%s)%s%s", ctl_value_string (dnd, "Cause"), next ? ", off " : "", next ? when : "");
      free (when);
    }
  ctl_value_free (objects);
  return status;
}

static int run_mode (Ctl *ctl, const CtlArgs *args) { return set (ctl, "Mode", "s", args->words[1]); }

static int
run_mailbox (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *dnd, *mailbox;
  int status;

  if (args->n_words > 1)
    return set (ctl, "Mailbox", "s", strcmp (args->words[1], "off") == 0 ? "" : args->words[1]);
  status = get (ctl, &objects, &dnd);
  if (status != CTL_EXIT_OK)
    return status;
  mailbox = ctl_value_get (dnd, "Mailbox");
  if (ctl->json && mailbox)
    ctl_print_json (mailbox);
  else if (!ctl->json)
    ctl_print (ctl, CTL_PLAIN, "%s", *ctl_value_string (dnd, "Mailbox") ? ctl_value_string (dnd, "Mailbox") : "none");
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

static int
run_repeat (Ctl *ctl, const CtlArgs *args)
{
  unsigned long minutes;

  if (!ctl_parse_number (args->words[1], 0, 60, &minutes))
    {
      ctl_error ("0 to 60 minutes, not '%s'", args->words[1]);
      return CTL_EXIT_USAGE;
    }
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, "RepeatMinutes", "u", (uint32_t) minutes);
}

static int
run_desktop (Ctl *ctl, const CtlArgs *args)
{
  bool on = strcmp (args->words[1], "on") == 0;

  if (!on && strcmp (args->words[1], "off") != 0)
    {
      ctl_error ("on or off, not '%s'", args->words[1]);
      return CTL_EXIT_USAGE;
    }
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_DND, "FollowDesktop", "b", (int) on);
}

/* ---- lists ---- */

/* A property of strings: what is there without item `without` (1 is the first, 0: none), and `more` behind it. */
static int
write_list (Ctl *ctl, const char *name, const CtlValue *old, size_t without, const char *more)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, "org.freedesktop.DBus.Properties", "Set");
  int r = sd_bus_message_append (m, "ss", PHONE_DBUS_DND, name);

  if (r >= 0)
    r = sd_bus_message_open_container (m, 'v', "as");
  if (r >= 0)
    r = sd_bus_message_open_container (m, 'a', "s");
  for (size_t i = 0; r >= 0 && old && i < old->n; i++)
    if (i + 1 != without)
      r = sd_bus_message_append (m, "s", old->items[i]->s);
  if (r >= 0 && more)
    r = sd_bus_message_append (m, "s", more);
  if (r >= 0)
    r = sd_bus_message_close_container (m);
  if (r >= 0)
    r = sd_bus_message_close_container (m);
  if (r >= 0)
    return ctl_send (ctl, m, NULL);
  sd_bus_message_unref (m);
  return ctl_report (ctl, NULL, NULL, r);
}

static char *
join_words (const CtlArgs *args, size_t from)
{
  char *text = ctl_format ("%s", "");

  for (size_t i = from; i < args->n_words; i++)
    {
      char *longer = ctl_format ("%s%s%s", text, i > from ? " " : "", args->words[i]);

      free (text);
      text = longer;
    }
  return text;
}

static char *
read_calendar (const char *path)
{
  FILE *file = strcmp (path, "-") == 0 ? stdin : fopen (path, "re");
  char *text = file ? calloc (1, MAX_FILE + 1) : NULL;
  size_t n = text ? fread (text, 1, MAX_FILE + 1, file) : 0;
  const char *why = !file || ferror (file) ? strerror (errno) : n > MAX_FILE ? "larger than 64 KiB" : strlen (text) != n ? "not text" : NULL;

  if (file && file != stdin)
    fclose (file);
  if (!why)
    return text;
  ctl_error ("%s: %s", path, why);
  free (text);
  return NULL;
}

static int
remove_item (Ctl *ctl, const char *name, const CtlValue *list, const CtlArgs *args)
{
  unsigned long place = 0;

  if (args->n_words != 3)
    {
      ctl_error ("which one? its number in the list, or its text");
      return CTL_EXIT_USAGE;
    }
  for (size_t i = 0; !place && list && i < list->n; i++)
    if (strcmp (list->items[i]->s, args->words[2]) == 0)
      place = i + 1;
  if (place || (list && list->n && ctl_parse_number (args->words[2], 1, list->n, &place)))
    return write_list (ctl, name, list, place, NULL);
  ctl_error ("there is no '%s' in the list", args->words[2]);
  return CTL_EXIT_NO_OBJECT;
}

static int
show_list (Ctl *ctl, const CtlValue *list)
{
  if (ctl->json)
    {
      if (list)
        ctl_print_json (list);
      return CTL_EXIT_OK;
    }
  for (size_t i = 0; list && i < list->n; i++)
    {
      char *text = item_text (list->items[i]);

      ctl_print (ctl, CTL_PLAIN, "%zu  %s", i + 1, text);
      free (text);
    }
  return CTL_EXIT_OK;
}

/* list | add TEXT... | import FILE | remove N|TEXT | clear */
static int
edit_list (Ctl *ctl, const char *name, const CtlArgs *args, bool calendars)
{
  const char *action = args->n_words > 1 ? args->words[1] : "list";
  CtlValue *objects = NULL;
  const CtlValue *dnd, *list;
  char *text = NULL;
  int status = get (ctl, &objects, &dnd);

  if (status != CTL_EXIT_OK)
    return status;
  list = ctl_value_get (dnd, name);
  if (strcmp (action, "list") == 0 && args->n_words <= 2)
    status = show_list (ctl, list);
  else if (strcmp (action, "add") == 0 && args->n_words > 2)
    status = write_list (ctl, name, list, 0, text = join_words (args, 2));
  else if (calendars && strcmp (action, "import") == 0 && args->n_words == 3)
    status = (text = read_calendar (args->words[2])) ? write_list (ctl, name, list, 0, text) : CTL_EXIT_OTHER;
  else if (strcmp (action, "remove") == 0)
    status = remove_item (ctl, name, list, args);
  else if (strcmp (action, "clear") == 0 && args->n_words == 2)
    status = write_list (ctl, name, NULL, 0, NULL);
  else
    {
      ctl_error ("list, add TEXT, %sremove N or clear", calendars ? "import FILE, " : "");
      status = CTL_EXIT_USAGE;
    }
  free (text);
  ctl_value_free (objects);
  return status;
}

static int run_schedule (Ctl *ctl, const CtlArgs *args) { return edit_list (ctl, "Schedule", args, true); }
static int run_allow (Ctl *ctl, const CtlArgs *args) { return edit_list (ctl, "AllowList", args, false); }
static int run_accounts (Ctl *ctl, const CtlArgs *args) { return edit_list (ctl, "Accounts", args, false); }

static const CtlVerb actions[] = {
  { "status", "", "whether it is on, why, and what changes next", NULL, run_status },
  { "on", "", "switch it on", on_options, run_on },
  { "off", "", "switch it off", NULL, run_off },
  { "mode", "MODE", "silent, busy or voicemail", NULL, run_mode },
  { "schedule", "[WINDOW...]", "list, add WINDOW, import FILE, remove N, clear", NULL, run_schedule },
  { "allow", "[WHO...]", "who gets through: list, add NUMBER|contact:NAME|group:NAME, remove N, clear", NULL, run_allow },
  { "accounts", "[ID...]", "only these: list, add ID, remove N, clear", NULL, run_accounts },
  { "repeat", "MINUTES", "who calls again within so many minutes gets through; 0: nobody", NULL, run_repeat },
  { "desktop", "SWITCH", "on or off: follow the desktop's own", NULL, run_desktop },
  { "mailbox", "[URI]", "where mode voicemail sends callers; off: nowhere", NULL, run_mailbox },
  { 0 },
};

const CtlVerb ctl_dnd_verbs[] = {
  { "dnd", "[ACTION ...]", "do not disturb", .actions = actions },
  { 0 },
};
