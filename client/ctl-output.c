/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#define GAP 2
#define MAX_COLUMNS 16

struct CtlTable
{
  const Ctl *ctl;
  size_t columns, n;
  unsigned right;               /* bit for a column */
  struct
  {
    char *text;
    CtlStyle style;
  } *cells;
};

void
ctl_print_json (const CtlValue *value)
{
  ctl_value_json (stdout, value);
  putchar ('\n');
  fflush (stdout);
}

static char *
format_clean (const char *format, va_list args)
{
  char *text, *clean;

  if (vasprintf (&text, format, args) < 0)
    abort ();
  clean = ctl_text_clean (text);
  free (text);
  return clean;
}

char *
ctl_format (const char *format, ...)
{
  va_list args;
  char *text;

  va_start (args, format);
  if (vasprintf (&text, format, args) < 0)
    abort ();
  va_end (args);
  return text;
}

CtlStyle
ctl_style_of_state (const char *state)
{
  static const struct
  {
    const char *state;
    CtlStyle style;
  } rows[] = {
    { "registered", CTL_GOOD },  { "active", CTL_GOOD },   { "online", CTL_GOOD }, { "in-call", CTL_GOOD },
    { "failed", CTL_BAD },       { "offline", CTL_BAD },   { "local", CTL_WARN },  { "incoming", CTL_WARN },
    { "waiting", CTL_WARN },     { "ringing", CTL_WARN },  { "held", CTL_WARN },   { "registering", CTL_WARN },
    { "suspended", CTL_WARN },   { "alerting", CTL_WARN }, { "dialing", CTL_WARN }, { "stopping", CTL_WARN },
    { "disconnected", CTL_DIM }, { "disabled", CTL_DIM },
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp (rows[i].state, state) == 0)
      return rows[i].style;
  return CTL_PLAIN;
}

static const char *
style_code (CtlStyle style)
{
  switch (style)
    {
    case CTL_PLAIN:
      return "";
    case CTL_GOOD:
      return "\033[32m";
    case CTL_BAD:
      return "\033[31m";
    case CTL_WARN:
      return "\033[33m";
    case CTL_DIM:
      return "\033[2m";
    case CTL_BOLD:
      return "\033[1m";
    }
  return "";
}

static void
put_styled (const Ctl *ctl, CtlStyle style, const char *clean)
{
  const char *code = ctl->color && *clean ? style_code (style) : "";

  printf ("%s%s%s", code, clean, *code ? "\033[0m" : "");
}

void
ctl_print (const Ctl *ctl, CtlStyle style, const char *format, ...)
{
  va_list args;
  char *clean;

  va_start (args, format);
  clean = format_clean (format, args);
  va_end (args);
  put_styled (ctl, style, clean);
  putchar ('\n');
  fflush (stdout);
  free (clean);
}

void
ctl_error (const char *format, ...)
{
  va_list args;
  char *clean;

  va_start (args, format);
  clean = format_clean (format, args);
  va_end (args);
  fflush (stdout);
  fprintf (stderr, "phonectl: %s\n", clean);
  free (clean);
}

/* ---- tables ---- */

CtlTable *
ctl_table_new (const Ctl *ctl, size_t columns)
{
  CtlTable *table = calloc (1, sizeof *table);

  if (!table || columns > MAX_COLUMNS)
    abort ();
  table->ctl = ctl;
  table->columns = columns;
  return table;
}

void
ctl_table_right (CtlTable *table, size_t column)
{
  table->right |= 1u << column;
}

static void
add_cell (CtlTable *table, CtlStyle style, char *clean)
{
  table->cells = reallocarray (table->cells, table->n + 1, sizeof *table->cells);
  if (!table->cells)
    abort ();
  table->cells[table->n].text = clean;
  table->cells[table->n].style = style;
  table->n++;
}

void
ctl_table_add (CtlTable *table, CtlStyle style, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  add_cell (table, style, format_clean (format, args));
  va_end (args);
}

void
ctl_table_pair (CtlTable *table, const char *name, CtlStyle style, const char *format, ...)
{
  va_list args;
  char *clean;

  va_start (args, format);
  clean = format_clean (format, args);
  va_end (args);
  if (!*clean)
    {
      free (clean);
      return;
    }
  ctl_table_add (table, CTL_DIM, "%s", name);
  add_cell (table, style, clean);
}

/* Columns that a string takes on a terminal. */
static size_t
width_of (const char *text)
{
  size_t width = 0, length;
  int32_t character;

  while ((character = ctl_text_next (text, &length)) != 0)
    {
      int columns = character < 0 ? 1 : wcwidth ((wchar_t) character);

      width += columns < 0 ? 1 : (size_t) columns;
      text += length;
    }
  return width;
}

static void
print_row (const CtlTable *table, size_t first, const size_t *widths)
{
  size_t pending = 0;

  for (size_t column = 0; column < table->columns && first + column < table->n; column++)
    {
      const char *text = table->cells[first + column].text;
      size_t space = widths[column] - width_of (text);
      bool right = table->right >> column & 1;

      if (widths[column] == 0)
        continue;
      /* Nothing is printed behind the last text of a row. */
      if (*text)
        {
          printf ("%*s", (int) (pending + (right ? space : 0)), "");
          put_styled (table->ctl, table->cells[first + column].style, text);
          pending = right ? GAP : space + GAP;
        }
      else
        pending += space + GAP;
    }
  putchar ('\n');
}

void
ctl_table_print (CtlTable *table)
{
  size_t widths[MAX_COLUMNS] = { 0 };

  for (size_t i = 0; i < table->n; i++)
    {
      size_t width = width_of (table->cells[i].text);

      if (width > widths[i % table->columns])
        widths[i % table->columns] = width;
    }
  for (size_t i = 0; i < table->n; i += table->columns)
    print_row (table, i, widths);
  fflush (stdout);
  for (size_t i = 0; i < table->n; i++)
    free (table->cells[i].text);
  free (table->cells);
  free (table);
}
