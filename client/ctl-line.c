/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* phonectl [OPTIONS] VERB [ACTION] [WORDS] with options anywhere: the line is read up to the word that chooses the row, then that row's
 * options join in. Tables only, no bus. */

#include "ctl.h"

#include <string.h>

const CtlOption ctl_global_options[] = {
  { "json", 'j', NULL, "JSON in place of text" },
  { "host", 'H', "USER@HOST", "the phone of a user on another machine, over ssh" },
  { "no-color", 0, NULL, "no colours, as NO_COLOR=1 in the environment" },
  { "timeout", 0, "SECONDS", "how long to wait for phoned (60)" },
  { "help", 'h', NULL, "what there is; behind a verb, all about it" },
  { "version", 0, NULL, "print the version" },
  { "list-verbs", 0, NULL, NULL },
  { "complete", 0, NULL, NULL },
  { 0 },
};

const CtlVerb *const ctl_verb_tables[] = {
  ctl_status_verbs, ctl_dial_verbs, ctl_call_verbs, ctl_conference_verbs, ctl_transfer_verbs, ctl_park_verbs, ctl_stats_verbs, ctl_account_verbs,
  ctl_audio_verbs, ctl_presence_verbs, ctl_voicemail_verbs, ctl_forward_verbs, ctl_recording_verbs, ctl_stream_verbs, ctl_collect_verbs,
  ctl_history_verbs, ctl_dnd_verbs, ctl_message_verbs, ctl_monitor_verbs, NULL,
};

static const CtlOption no_options[] = { { 0 } };

const CtlVerb *
ctl_find_row (const CtlVerb *rows, const char *name)
{
  for (; rows->name; rows++)
    if (strcmp (rows->name, name) == 0)
      return rows;
  return NULL;
}

const CtlVerb *
ctl_find_verb (const char *name)
{
  const CtlVerb *row = NULL;

  for (size_t i = 0; !row && ctl_verb_tables[i]; i++)
    row = ctl_find_row (ctl_verb_tables[i], name);
  return row;
}

static bool
check_words (const CtlLine *line, const CtlVerb *row, char *error, size_t error_size)
{
  const char *of = line->action ? line->verb->name : "";
  const char *gap = line->action ? " " : "", *space = *row->words ? " " : "";
  size_t min, max, n = line->args.n_words - 1;

  ctl_usage_count (row->words, &min, &max);
  if (n >= min && n <= max)
    return true;
  if (n > max)
    snprintf (error, error_size, "'%.64s' is one word too many: phonectl %s%s%s%s%s", line->args.words[1 + max], of, gap, row->name,
              space, row->words);
  else
    snprintf (error, error_size, "a word is missing: phonectl %s%s%s%s%s", of, gap, row->name, space, row->words);
  return false;
}

/* Options of the action that is meant when none is named may come in front of an action, but only of that one. */
static bool
check_early_options (const CtlLine *line, size_t first, char *error, size_t error_size)
{
  const CtlOption *const tables[] = { ctl_global_options, line->action->options ? line->action->options : no_options, NULL };

  for (size_t i = first; i < line->args.n_options; i++)
    {
      const char *name = line->args.options[i].option->name;

      if (ctl_args_find (tables, name, strlen (name)) != line->args.options[i].option)
        {
          snprintf (error, error_size, "--%s does not go with %s %s", name, line->verb->name, line->action->name);
          return false;
        }
    }
  return true;
}

static bool
choose_action (CtlLine *line, const char *word, char *error, size_t error_size)
{
  size_t used;

  line->action = word ? ctl_find_row (line->verb->actions, word) : line->verb->actions;
  if (line->action)
    return true;
  used = (size_t) snprintf (error, error_size, "%s: there is no '%.64s', but", line->verb->name, word);
  for (const CtlVerb *row = line->verb->actions; row->name && used < error_size; row++)
    used += (size_t) snprintf (error + used, error_size - used, " %s%s", row->name, row[1].name ? "," : "");
  return false;
}

bool
ctl_line_parse (CtlLine *ret_line, int argc, char *const *argv, char *error, size_t error_size)
{
  const CtlOption *tables[] = { ctl_global_options, no_options, NULL };
  CtlArgs *args = &ret_line->args;
  const CtlVerb *row;
  int used, at;

  memset (ret_line, 0, sizeof *ret_line);
  if (!ctl_args_parse (args, argc, argv, tables, true, &at, error, error_size))
    return false;
  if (at == argc)
    return true;
  row = ret_line->verb = ctl_find_verb (argv[at]);
  if (!row)
    {
      snprintf (error, error_size, "there is no verb '%.64s'; see phonectl --help", argv[at]);
      return false;
    }
  if (row->actions)
    {
      size_t first = args->n_options;

      at++;
      tables[1] = row->actions->options ? row->actions->options : no_options;
      if (!ctl_args_parse (args, argc - at, argv + at, tables, true, &used, error, error_size))
        return false;
      at += used;
      if (!choose_action (ret_line, at < argc ? argv[at] : NULL, error, error_size)
          || !check_early_options (ret_line, first, error, error_size))
        return false;
      row = ret_line->action;
    }
  args->words[args->n_words++] = row->name;
  tables[1] = row->options ? row->options : no_options;
  if (at < argc && !ctl_args_parse (args, argc - at - 1, argv + at + 1, tables, false, &used, error, error_size))
    return false;
  return ctl_args_flag (args, "help") || check_words (ret_line, row, error, error_size);
}
