/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Pages of what phoned keeps a history of, entries and messages: the options on the line that say which, one page, all of them as a file. */

#include "ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const CtlOption ctl_export_options[] = {
  { "format", 0, "FORMAT", "json (one object a line) or csv" },
  { "account", 'a', "ID", "only those of this account" },
  { "since", 0, "TIME", "from YYYY-MM-DD[THH:MM] on, or 7d, 12h, 30m ago" },
  { "until", 0, "TIME", "before that time" },
  { 0 },
};

/* ---- what is asked ---- */

/* "7d" ago, or a local date. FALSE: neither. */
static bool
read_time (const char *text, uint64_t *ret_time)
{
  time_t now = time (NULL), back = ctl_read_span (text), when = back < 0 ? ctl_read_date (text) : now > back ? now - back : 1;

  *ret_time = (uint64_t) when;
  return when > 0;
}

/* The option of that name as {sv} of type t, if it is given. -EINVAL: it was said what is wrong with it. */
static int
append_time (sd_bus_message *m, const CtlArgs *args, const char *name)
{
  const char *text = ctl_args_value (args, name);
  uint64_t when;

  if (!text)
    return 0;
  if (read_time (text, &when))
    return sd_bus_message_append (m, "{sv}", name, "t", when);
  ctl_error ("--%s wants YYYY-MM-DD[THH:MM], or a time ago like 7d, 12h, 30m, not '%s'", name, text);
  return -EINVAL;
}

/* -EINVAL: it was said what is wrong with the line. */
static int
append_filter (sd_bus_message *m, const CtlPages *pages, const CtlArgs *args, const char *before)
{
  bool in = ctl_args_flag (args, "incoming"), out = ctl_args_flag (args, "outgoing");
  int r = sd_bus_message_open_container (m, 'a', "{sv}");

  for (const char *const *word = pages->words; r >= 0 && *word; word++)
    if (ctl_args_value (args, *word))
      r = sd_bus_message_append (m, "{sv}", *word, "s", ctl_args_value (args, *word));
  if (r >= 0 && in != out)
    r = sd_bus_message_append (m, "{sv}", "direction", "s", in ? "incoming" : "outgoing");
  if (r >= 0 && ctl_args_flag (args, pages->unseen))
    r = sd_bus_message_append (m, "{sv}", pages->seen, "b", 0);
  if (r >= 0 && before)
    r = sd_bus_message_append (m, "{sv}", "before", "s", before);
  if (r >= 0)
    r = append_time (m, args, "since");
  if (r >= 0)
    r = append_time (m, args, "until");
  return r < 0 ? r : sd_bus_message_close_container (m);
}

bool
ctl_read_number (const CtlArgs *args, const char *name, unsigned long min, unsigned long max, unsigned long *ret_number)
{
  const char *text = ctl_args_value (args, name);

  if (!text || ctl_parse_number (text, min, max, ret_number))
    return true;
  ctl_error ("--%s wants %lu to %lu, not '%s'", name, min, max, text);
  return false;
}

int
ctl_get_page (Ctl *ctl, const CtlPages *pages, const CtlArgs *args, const char *before, unsigned long offset, unsigned long limit,
              CtlValue **ret_page)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, pages->interface, "List"), *reply = NULL;
  int r = append_filter (m, pages, args, before), status;

  if (r >= 0)
    r = sd_bus_message_append (m, "uu", (uint32_t) offset, (uint32_t) limit);
  if (r < 0)
    {
      sd_bus_message_unref (m);
      return r == -EINVAL ? CTL_EXIT_USAGE : ctl_report (ctl, NULL, NULL, r);
    }
  status = ctl_send (ctl, m, &reply);
  if (status == CTL_EXIT_OK && (r = ctl_value_read (reply, ret_page)) < 0)
    status = ctl_report (ctl, NULL, NULL, r);
  sd_bus_message_unref (reply);
  return status;
}

/* ---- export ---- */

/* A line feed stays within its quotes (RFC 4180); whatever else acts on a terminal does not. */
static void
print_text (const char *text)
{
  putchar ('"');
  while (*text)
    {
      size_t length = strcspn (text, "\n");
      char *line = ctl_format ("%.*s", (int) length, text), *clean = ctl_text_clean (line);

      for (const char *p = clean; *p; p++)
        {
          if (*p == '"')
            putchar ('"');
          putchar (*p);
        }
      text += length;
      if (*text == '\n')
        putchar (*text++);
      free (line);
      free (clean);
    }
  putchar ('"');
}

static void
print_row (const CtlValue *entry, const char *const *columns)
{
  for (size_t i = 0; columns[i]; i++)
    {
      const CtlValue *value = ctl_value_get (entry, columns[i]);

      if (i)
        putchar (',');
      if (value && value->kind == CTL_STRING)
        print_text (value->s);
      else if (value)
        ctl_value_json (stdout, value);
    }
  putchar ('\n');
}

static void
print_names (const char *const *columns)
{
  for (size_t i = 0; columns[i]; i++)
    printf ("%s%s", i ? "," : "", columns[i]);
  putchar ('\n');
}

int
ctl_export_pages (Ctl *ctl, const CtlPages *pages, const CtlArgs *args)
{
  const char *format = ctl_args_value (args, "format");
  bool csv = format && strcmp (format, "csv") == 0, more = true;
  char *before = NULL;
  int status = CTL_EXIT_OK;

  if (format && !csv && strcmp (format, "json") != 0)
    {
      ctl_error ("--format wants json or csv, not '%s'", format);
      return CTL_EXIT_USAGE;
    }
  if (csv)
    print_names (pages->columns);
  while (status == CTL_EXIT_OK && more && !ferror (stdout))
    {
      CtlValue *page = NULL;

      status = ctl_get_page (ctl, pages, args, before, 0, pages->most, &page);
      more = status == CTL_EXIT_OK && page->n == pages->most;
      for (size_t i = 0; status == CTL_EXIT_OK && i < page->n; i++)
        if (csv)
          print_row (page->items[i], pages->columns);
        else
          ctl_print_json (page->items[i]);
      if (more)
        {
          free (before);
          before = ctl_format ("%s", ctl_value_string (page->items[page->n - 1], "id"));
        }
      ctl_value_free (page);
    }
  free (before);
  return status;
}
