/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl-args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const CtlOption *
find_long (const CtlOption *const *tables, const char *name, size_t length)
{
  for (; *tables; tables++)
    for (const CtlOption *option = *tables; option->name; option++)
      if (strlen (option->name) == length && strncmp (option->name, name, length) == 0)
        return option;
  return NULL;
}

static const CtlOption *
find_short (const CtlOption *const *tables, char letter)
{
  for (; *tables; tables++)
    for (const CtlOption *option = *tables; option->name; option++)
      if (option->letter && option->letter == letter)
        return option;
  return NULL;
}

static bool
add_option (CtlArgs *args, const CtlOption *option, const char *value, char *error, size_t error_size)
{
  if (args->n_options == CTL_MAX_OPTIONS)
    {
      snprintf (error, error_size, "more than %d options", CTL_MAX_OPTIONS);
      return false;
    }
  args->options[args->n_options].option = option;
  args->options[args->n_options].value = value;
  args->n_options++;
  return true;
}

/* One argument that begins with a dash; *i moves on when the value is the next argument. */
static bool
take_option (CtlArgs *args, int argc, char *const *argv, int *i, const CtlOption *const *tables, char *error, size_t error_size)
{
  const char *argument = argv[*i];
  bool is_long = argument[1] == '-';
  const char *name = argument + (is_long ? 2 : 1);
  size_t length = is_long ? strcspn (name, "=") : 1;
  const CtlOption *option = is_long ? find_long (tables, name, length) : find_short (tables, *name);
  const char *value = NULL;

  if (!option)
    {
      snprintf (error, error_size, "unknown option %s%.*s", is_long ? "--" : "-", (int) (length > 64 ? 64 : length), name);
      return false;
    }
  if (is_long ? name[length] == '=' : name[1] != '\0')
    value = name + length + (is_long ? 1 : 0);
  if (!option->value && value)
    {
      snprintf (error, error_size, "option --%s takes no value", option->name);
      return false;
    }
  if (option->value && !value)
    {
      if (*i + 1 >= argc)
        {
          snprintf (error, error_size, "option --%s wants %s", option->name, option->value);
          return false;
        }
      value = argv[++*i];
    }
  return add_option (args, option, value, error, error_size);
}

bool
ctl_args_parse (CtlArgs *args, int argc, char *const *argv, const CtlOption *const *tables, bool stop_at_word, int *ret_used,
                char *error, size_t error_size)
{
  bool options_over = false;
  int i;

  for (i = 0; i < argc; i++)
    {
      const char *argument = argv[i];

      if (!options_over && strcmp (argument, "--") == 0)
        {
          options_over = true;
          continue;
        }
      if (!options_over && argument[0] == '-' && argument[1] != '\0')
        {
          if (!take_option (args, argc, argv, &i, tables, error, error_size))
            return false;
          continue;
        }
      if (stop_at_word)
        break;
      if (args->n_words == CTL_MAX_WORDS)
        {
          snprintf (error, error_size, "more than %d words", CTL_MAX_WORDS);
          return false;
        }
      args->words[args->n_words++] = argument;
    }
  *ret_used = i;
  return true;
}

bool
ctl_args_flag (const CtlArgs *args, const char *name)
{
  for (size_t i = 0; i < args->n_options; i++)
    if (strcmp (args->options[i].option->name, name) == 0)
      return true;
  return false;
}

const char *
ctl_args_value (const CtlArgs *args, const char *name)
{
  const char *value = NULL;

  for (size_t i = 0; i < args->n_options; i++)
    if (strcmp (args->options[i].option->name, name) == 0)
      value = args->options[i].value;
  return value;
}

bool
ctl_parse_number (const char *text, unsigned long min, unsigned long max, unsigned long *ret_number)
{
  char *end;
  unsigned long number;

  if (text[0] < '0' || text[0] > '9')
    return false;
  errno = 0;
  number = strtoul (text, &end, 10);
  if (errno || *end || number < min || number > max)
    return false;
  *ret_number = number;
  return true;
}
