/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* phonectl: finds the verb, parses its line, connects, runs it. */

#include "ctl.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_TIMEOUT_S 60

static const CtlOption global_options[] = {
  { "json", 'j', NULL, "JSON in place of text" },
  { "host", 'H', "USER@HOST", "the phone of a user on another machine, over ssh" },
  { "no-color", 0, NULL, "no colours, as NO_COLOR=1 in the environment" },
  { "timeout", 0, "SECONDS", "how long to wait for phoned (60)" },
  { "help", 'h', NULL, "this text" },
  { "version", 0, NULL, "print the version" },
  { "list-verbs", 0, NULL, NULL },
  { 0 },
};

static const CtlVerb *const verb_tables[] = {
  ctl_status_verbs, ctl_dial_verbs, ctl_call_verbs, ctl_stats_verbs, ctl_account_verbs, ctl_audio_verbs, ctl_monitor_verbs,
};
#define N_TABLES (sizeof verb_tables / sizeof verb_tables[0])

static const CtlVerb *
find_verb (const char *name)
{
  for (size_t i = 0; i < N_TABLES; i++)
    for (const CtlVerb *verb = verb_tables[i]; verb->name; verb++)
      if (strcmp (verb->name, name) == 0)
        return verb;
  return NULL;
}

static void
print_options (const CtlOption *options)
{
  for (; options && options->name; options++)
    {
      char name[64];

      if (!options->help)
        continue;
      snprintf (name, sizeof name, "%c%c%s--%s%s%s", options->letter ? '-' : ' ', options->letter ? options->letter : ' ',
                options->letter ? ", " : "  ", options->name, options->value ? "=" : "", options->value ? options->value : "");
      printf ("  %-28s %s\n", name, options->help);
    }
}

static void
print_help (const CtlVerb *verb)
{
  if (verb)
    {
      printf ("phonectl %s %s\n%s\n", verb->name, verb->words, verb->summary);
      print_options (verb->options);
      return;
    }
  puts ("phonectl [OPTIONS] VERB ...\n\nVerbs:");
  for (size_t i = 0; i < N_TABLES; i++)
    for (const CtlVerb *row = verb_tables[i]; row->name; row++)
      printf ("  %-28s %s\n", row->name, row->summary);
  puts ("\nOptions:");
  print_options (global_options);
  puts ("\nphonectl VERB --help tells more; phonectl(1) tells all.");
}

/* For the completions' test: every verb with its options, one line each. */
static void
list_verbs (void)
{
  for (size_t i = 0; i < N_TABLES; i++)
    for (const CtlVerb *row = verb_tables[i]; row->name; row++)
      {
        fputs (row->name, stdout);
        for (const CtlOption *option = row->options; option && option->name; option++)
          printf (" --%s", option->name);
        putchar ('\n');
      }
}

static bool
read_globals (Ctl *ctl, const CtlArgs *args)
{
  const char *timeout = ctl_args_value (args, "timeout");
  unsigned long seconds = DEFAULT_TIMEOUT_S;

  if (timeout && !ctl_parse_number (timeout, 1, 86400, &seconds))
    {
      ctl_error ("--timeout wants seconds, not '%s'", timeout);
      return false;
    }
  ctl->timeout_us = seconds * 1000000;
  ctl->json = ctl_args_flag (args, "json");
  ctl->host = ctl_args_value (args, "host");
  ctl->color = isatty (STDOUT_FILENO) && !getenv ("NO_COLOR") && !ctl_args_flag (args, "no-color");
  return true;
}

int
main (int argc, char **argv)
{
  static const CtlOption no_options[] = { { 0 } };
  const CtlOption *tables[] = { global_options, no_options, NULL };
  CtlArgs args = { 0 };
  Ctl ctl = { 0 };
  const CtlVerb *verb = NULL;
  char error[256];
  int used = 0, status;

  setlocale (LC_ALL, "");
  if (!ctl_args_parse (&args, argc - 1, argv + 1, tables, true, &used, error, sizeof error))
    {
      ctl_error ("%s", error);
      return CTL_EXIT_USAGE;
    }
  if (used + 1 < argc)
    {
      verb = find_verb (argv[used + 1]);
      if (!verb)
        {
          ctl_error ("there is no verb '%s'; see phonectl --help", argv[used + 1]);
          return CTL_EXIT_USAGE;
        }
      tables[1] = verb->options ? verb->options : no_options;
      if (!ctl_args_parse (&args, argc - 1 - used, argv + 1 + used, tables, false, &used, error, sizeof error))
        {
          ctl_error ("%s: %s", verb->name, error);
          return CTL_EXIT_USAGE;
        }
    }
  if (ctl_args_flag (&args, "version"))
    puts ("phonectl " PHONED_VERSION);
  else if (ctl_args_flag (&args, "list-verbs"))
    list_verbs ();
  else if (ctl_args_flag (&args, "help"))
    print_help (verb);
  else if (!verb)
    {
      print_help (NULL);
      return CTL_EXIT_USAGE;
    }
  else
    {
      if (!read_globals (&ctl, &args))
        return CTL_EXIT_USAGE;
      status = ctl_connect (&ctl);
      if (status == CTL_EXIT_OK)
        status = verb->run (&ctl, &args);
      sd_bus_flush_close_unref (ctl.bus);
      return status;
    }
  return CTL_EXIT_OK;
}
