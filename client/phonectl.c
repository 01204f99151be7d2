/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* phonectl: reads its line, connects, runs the row. */

#include "ctl.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 60

static void
print_options (const CtlOption *options, const char *indent)
{
  for (; options && options->name; options++)
    {
      char name[64];

      if (!options->help)
        continue;
      snprintf (name, sizeof name, "%c%c%s--%s%s%s", options->letter ? '-' : ' ', options->letter ? options->letter : ' ',
                options->letter ? ", " : "  ", options->name, options->value ? "=" : "", options->value ? options->value : "");
      printf ("%s%-30s %s\n", indent, name, options->help);
    }
}

static void
print_row (const char *of, const CtlVerb *row, const char *indent)
{
  char usage[128];

  snprintf (usage, sizeof usage, "%s%s%s%s%s", of, *of ? " " : "", row->name, *row->words ? " " : "", row->words);
  printf ("%s%-30s %s\n", indent, usage, row->summary);
}

static void
print_help (const CtlLine *line)
{
  if (line->verb)
    {
      const CtlVerb *row = line->action ? line->action : line->verb;

      if (line->action && line->args.n_words == 1 && line->action == line->verb->actions)
        {
          printf ("phonectl %s: %s\n", line->verb->name, line->verb->summary);
          for (row = line->verb->actions; row->name; row++)
            {
              print_row (line->verb->name, row, "  ");
              print_options (row->options, "    ");
            }
          return;
        }
      printf ("phonectl ");
      print_row (line->action ? line->verb->name : "", row, "");
      print_options (row->options, "  ");
      return;
    }
  puts ("phonectl [OPTIONS] VERB ...\n\nVerbs:");
  for (size_t i = 0; ctl_verb_tables[i]; i++)
    for (const CtlVerb *row = ctl_verb_tables[i]; row->name; row++)
      print_row ("", row, "  ");
  puts ("\nOptions:");
  print_options (ctl_global_options, "  ");
  puts ("\n`phonectl VERB --help` tells more, phonectl(1) tells all. N is the number of a call; it may be left out when only one can be meant.");
}

static void
list_row (const char *of, const CtlVerb *row)
{
  printf ("%s%s%s", of, *of ? " " : "", row->name);
  for (const CtlOption *option = row->options; option && option->name; option++)
    printf (" --%s", option->name);
  putchar ('\n');
}

/* For tests of what must know every verb and option: a line for each row, before them one for the options of all. */
static void
list_verbs (void)
{
  for (const CtlOption *option = ctl_global_options; option->name; option++)
    if (option->help)
      printf ("%s--%s", option == ctl_global_options ? "" : " ", option->name);
  putchar ('\n');
  for (size_t i = 0; ctl_verb_tables[i]; i++)
    for (const CtlVerb *verb = ctl_verb_tables[i]; verb->name; verb++)
      {
        list_row ("", verb);
        for (const CtlVerb *row = verb->actions; row && row->name; row++)
          list_row (verb->name, row);
      }
}

static bool
read_globals (Ctl *ctl, const CtlArgs *args)
{
  const char *timeout = ctl_args_value (args, "timeout"), *no_color = getenv ("NO_COLOR"), *term = getenv ("TERM");
  unsigned long seconds = DEFAULT_TIMEOUT_S;

  if (timeout && !ctl_parse_number (timeout, 1, 86400, &seconds))
    {
      ctl_error ("--timeout wants seconds, not '%s'", timeout);
      return false;
    }
  ctl->timeout_us = seconds * 1000000;
  ctl->json = ctl_args_flag (args, "json");
  ctl->host = ctl_args_value (args, "host");
  ctl->color = isatty (STDOUT_FILENO) && !(no_color && *no_color) && !ctl_args_flag (args, "no-color")
               && !(term && strcmp (term, "dumb") == 0);
  return true;
}

/* Only what characters are: numbers and dates look the same everywhere. */
static void
choose_locale (void)
{
  setlocale (LC_CTYPE, "");
  if (strcmp (nl_langinfo (CODESET), "UTF-8") != 0)
    setlocale (LC_CTYPE, "C.UTF-8");
}

static int
run (Ctl *ctl, const CtlLine *line)
{
  int status;

  if (!read_globals (ctl, &line->args))
    return CTL_EXIT_USAGE;
  ctl->verb = line->action ? line->action : line->verb;
  status = ctl_connect (ctl);
  if (status == CTL_EXIT_OK)
    status = ctl->verb->run (ctl, &line->args);
  sd_bus_flush_close_unref (ctl->bus);
  return status;
}

/* Output that was lost is a failure, whatever the phone said. */
static int
close_output (int status)
{
  if (fflush (stdout) == 0 && !ferror (stdout))
    return status;
  ctl_error ("the output cannot be written");
  return status == CTL_EXIT_OK ? CTL_EXIT_OTHER : status;
}

int
main (int argc, char **argv)
{
  CtlLine line;
  Ctl ctl = { 0 };
  char error[512];

  choose_locale ();
  if (argc > 1 && strcmp (argv[1], "--complete") == 0)
    {
      ctl_complete (argc - 2, argv + 2);
      return CTL_EXIT_OK;
    }
  if (!ctl_line_parse (&line, argc > 0 ? argc - 1 : 0, argv + 1, error, sizeof error))
    {
      ctl_error ("%s", error);
      return CTL_EXIT_USAGE;
    }
  if (ctl_args_flag (&line.args, "version"))
    puts ("phonectl " PHONED_VERSION);
  else if (ctl_args_flag (&line.args, "list-verbs"))
    list_verbs ();
  else if (ctl_args_flag (&line.args, "help"))
    print_help (&line);
  else if (line.verb)
    return close_output (run (&ctl, &line));
  else
    {
      ctl_error ("which verb? see phonectl --help");
      return CTL_EXIT_USAGE;
    }
  return close_output (CTL_EXIT_OK);
}
