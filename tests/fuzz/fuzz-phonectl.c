/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* phonectl's command line against its real tables: one word a line of the input. What is accepted comes from the arguments and fits its
 * row; what is shown is safe for a terminal. */

#include <glib.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
is_from (const char *text, GPtrArray *argv)
{
  for (guint i = 0; i < argv->len; i++)
    {
      const char *argument = g_ptr_array_index (argv, i);
      if (text >= argument && text <= argument + strlen (argument))
        return TRUE;
    }
  return FALSE;
}

static void
check_line (const CtlLine *line, GPtrArray *argv)
{
  const CtlVerb *row = line->action ? line->action : line->verb;
  size_t min, max;

  g_assert (line->args.n_words <= CTL_MAX_WORDS && line->args.n_options <= CTL_MAX_OPTIONS);
  g_assert (line->args.words[line->args.n_words] == NULL);
  g_assert ((row == NULL) == (line->args.n_words == 0));
  for (size_t i = 0; i < line->args.n_options; i++)
    {
      g_assert ((line->args.options[i].value == NULL) == (line->args.options[i].option->value == NULL));
      g_assert (line->args.options[i].value == NULL || is_from (line->args.options[i].value, argv));
    }
  if (row == NULL)
    return;
  g_assert (row->run != NULL && line->args.words[0] == row->name);
  for (size_t i = 1; i < line->args.n_words; i++)
    g_assert (is_from (line->args.words[i], argv));
  ctl_usage_count (row->words, &min, &max);
  g_assert (ctl_args_flag (&line->args, "help") || (line->args.n_words - 1 >= min && line->args.n_words - 1 <= max));
}

static void
check_text (const char *text)
{
  char *clean = ctl_text_clean (text), *again = ctl_text_clean (clean);
  size_t length;

  g_assert (g_utf8_validate (clean, -1, NULL) && strcmp (clean, again) == 0);
  for (const char *p = clean; *p; p += length)
    g_assert (!ctl_text_is_unsafe (ctl_text_next (p, &length)));
  /* A text that is UTF-8 is read as GLib reads it. */
  if (g_utf8_validate (text, -1, NULL))
    for (const char *p = text; *p; p += length)
      g_assert ((gunichar) ctl_text_next (p, &length) == g_utf8_get_char (p));
  free (clean);
  free (again);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GPtrArray) argv = g_ptr_array_new_with_free_func (g_free);
  char error[512] = "";
  unsigned long number;
  CtlLine line;

  check_text (text);
  for (const char *p = text; argv->len < 256; p = strchr (p, '\n') + 1)
    {
      g_ptr_array_add (argv, g_strndup (p, strcspn (p, "\n")));
      if (!strchr (p, '\n'))
        break;
    }
  if (ctl_line_parse (&line, (int) argv->len, (char *const *) argv->pdata, error, sizeof error))
    check_line (&line, argv);
  else
    g_assert (*error != '\0');
  if (ctl_parse_number (text, 1, 1000, &number))
    g_assert (number >= 1 && number <= 1000);
  return 0;
}
