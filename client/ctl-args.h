/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Command lines: words and options by table, in any order, "--" ends the options. Pure. */

#include <stdbool.h>
#include <stddef.h>

#define CTL_MAX_WORDS 64
#define CTL_MAX_OPTIONS 64

typedef struct
{
  const char *name;             /* long name without dashes; NULL ends a table */
  char letter;                  /* short form, 0: none */
  const char *value;            /* what the value is called in the help, NULL: a flag */
  const char *help;             /* NULL: not for people */
} CtlOption;

typedef struct
{
  size_t n_words;
  const char *words[CTL_MAX_WORDS + 1];         /* borrowed from argv, NULL-terminated */
  size_t n_options;
  struct
  {
    const CtlOption *option;
    const char *value;          /* borrowed, NULL for flags */
  } options[CTL_MAX_OPTIONS];
} CtlArgs;

/* Adds to args (zeroed by the caller at first). tables: NULL-terminated list of option tables. stop_at_word: leave everything from
 * the first word on; *ret_used tells how many arguments were taken. FALSE: error holds one line that names the argument. */
bool ctl_args_parse (CtlArgs *args, int argc, char *const *argv, const CtlOption *const *tables, bool stop_at_word,
                     int *ret_used, char *error, size_t error_size);
const CtlOption *ctl_args_find (const CtlOption *const *tables, const char *name, size_t length);       /* by its long name */
bool ctl_args_flag (const CtlArgs *args, const char *name);
const char *ctl_args_value (const CtlArgs *args, const char *name);             /* the last one, NULL: not given */
/* Whole decimal number within bounds. */
bool ctl_parse_number (const char *text, unsigned long min, unsigned long max, unsigned long *ret_number);

/* What words a verb takes stands in its help, "[N] DIGITS": a name for each word, in brackets those that may be missing, with "..."
 * one that may be repeated. Parser and completion read the same text. */
void ctl_usage_count (const char *usage, size_t *ret_min, size_t *ret_max);
/* The bare name for the word at this place ("N", "KEY=VALUE"), its length in *ret_length; NULL: no such word. */
const char *ctl_usage_at (const char *usage, size_t place, size_t *ret_length);
