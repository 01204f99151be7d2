/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl-args.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const CtlOption *
ctl_args_find (const CtlOption *const *tables, const char *name, size_t length)
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

/* The value of an option that wants one: what is attached to it, or the next argument. */
static bool
take_value (CtlArgs *args, int argc, char *const *argv, int *i, const CtlOption *option, const char *attached, char *error,
            size_t error_size)
{
  if (!attached && *i + 1 >= argc)
    {
      snprintf (error, error_size, "option --%s wants %s", option->name, option->value);
      return false;
    }
  return add_option (args, option, attached ? attached : argv[++*i], error, error_size);
}

static bool
take_long (CtlArgs *args, int argc, char *const *argv, int *i, const CtlOption *const *tables, char *error, size_t error_size)
{
  const char *name = argv[*i] + 2;
  size_t length = strcspn (name, "=");
  const CtlOption *option = ctl_args_find (tables, name, length);
  const char *attached = name[length] == '=' ? name + length + 1 : NULL;

  if (!option)
    {
      snprintf (error, error_size, "unknown option --%.*s", (int) (length > 64 ? 64 : length), name);
      return false;
    }
  if (option->value)
    return take_value (args, argc, argv, i, option, attached, error, error_size);
  if (attached)
    {
      snprintf (error, error_size, "option --%s takes no value", option->name);
      return false;
    }
  return add_option (args, option, NULL, error, error_size);
}

/* One letter after the other; the first that wants a value takes the rest. */
static bool
take_short (CtlArgs *args, int argc, char *const *argv, int *i, const CtlOption *const *tables, char *error, size_t error_size)
{
  for (const char *letter = argv[*i] + 1; *letter; letter++)
    {
      const CtlOption *option = find_short (tables, *letter);

      if (!option)
        {
          snprintf (error, error_size, "unknown option -%.16s", letter);
          return false;
        }
      if (option->value)
        return take_value (args, argc, argv, i, option, letter[1] ? letter + 1 : NULL, error, error_size);
      if (!add_option (args, option, NULL, error, error_size))
        return false;
    }
  return true;
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
          if (!(argument[1] == '-' ? take_long : take_short) (args, argc, argv, &i, tables, error, error_size))
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

/* ---- usage ---- */

const char *
ctl_usage_at (const char *usage, size_t place, size_t *ret_length)
{
  for (const char *token = usage; *token; token += strspn (token, " "))
    {
      size_t length = strcspn (token, " ");
      const char *name = token + (*token == '[');
      size_t bare = strcspn (name, " ].");
      bool repeated = strncmp (name + bare, "...", 3) == 0;

      if (place == 0 || repeated)
        {
          *ret_length = bare;
          return name;
        }
      place--;
      token += length;
    }
  return NULL;
}

void
ctl_usage_count (const char *usage, size_t *ret_min, size_t *ret_max)
{
  *ret_min = *ret_max = 0;
  for (const char *token = usage; *token; token += strspn (token, " "))
    {
      size_t length = strcspn (token, " ");

      if (*token != '[')
        ++*ret_min;
      if (*ret_max != CTL_MAX_WORDS)
        ++*ret_max;
      if (memmem (token, length, "...", 3))
        *ret_max = CTL_MAX_WORDS;
      token += length;
    }
}
