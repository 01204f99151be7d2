/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

struct CtlTable
{
  const Ctl *ctl;
  size_t columns, n;
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

char *
ctl_clean (const char *text)
{
  size_t length = strlen (text);
  char *clean = malloc (3 * length + 1), *out = clean;

  if (!clean)
    abort ();
  /* C0, DEL and the C1 range (U+0080 to U+009F, in UTF-8 C2 80 to C2 9F) drive terminals. */
  for (const unsigned char *p = (const unsigned char *) text; *p; p++)
    {
      bool c1 = p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f;

      if (*p >= 0x20 && *p != 0x7f && !c1)
        {
          *out++ = (char) *p;
          continue;
        }
      memcpy (out, "\xef\xbf\xbd", 3);
      out += 3;
      if (c1)
        p++;
    }
  *out = '\0';
  return clean;
}

CtlStyle
ctl_style_of_state (const char *state)
{
  static const struct
  {
    const char *state;
    CtlStyle style;
  } rows[] = {
    { "registered", CTL_GOOD }, { "active", CTL_GOOD },   { "online", CTL_GOOD },  { "failed", CTL_BAD },
    { "offline", CTL_BAD },     { "incoming", CTL_WARN }, { "waiting", CTL_WARN }, { "ringing", CTL_WARN },
    { "registering", CTL_WARN }, { "alerting", CTL_WARN }, { "held", CTL_WARN },   { "disconnected", CTL_DIM },
  };

  for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
    if (strcmp (rows[i].state, state) == 0)
      return rows[i].style;
  return CTL_PLAIN;
}

CtlTable *
ctl_table_new (const Ctl *ctl, size_t columns)
{
  CtlTable *table = calloc (1, sizeof *table);

  if (!table)
    abort ();
  table->ctl = ctl;
  table->columns = columns;
  return table;
}

void
ctl_table_add (CtlTable *table, CtlStyle style, const char *format, ...)
{
  va_list args;
  char *text;

  va_start (args, format);
  if (vasprintf (&text, format, args) < 0)
    abort ();
  va_end (args);
  table->cells = reallocarray (table->cells, table->n + 1, sizeof *table->cells);
  if (!table->cells)
    abort ();
  table->cells[table->n].text = ctl_clean (text);
  table->cells[table->n].style = style;
  table->n++;
  free (text);
}

/* Columns that a string takes on a terminal; octets where the locale cannot tell. */
static size_t
width_of (const char *text)
{
  wchar_t wide[512];
  size_t n = mbstowcs (wide, text, sizeof wide / sizeof wide[0]);
  int width = n == (size_t) -1 || n == sizeof wide / sizeof wide[0] ? -1 : wcswidth (wide, n);

  return width < 0 ? strlen (text) : (size_t) width;
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

void
ctl_table_print (CtlTable *table)
{
  size_t *widths = calloc (table->columns, sizeof *widths);

  if (!widths)
    abort ();
  for (size_t i = 0; i < table->n; i++)
    {
      size_t width = width_of (table->cells[i].text);

      if (width > widths[i % table->columns])
        widths[i % table->columns] = width;
    }
  for (size_t i = 0; i < table->n; i++)
    {
      size_t column = i % table->columns;
      bool last = column + 1 == table->columns || i + 1 == table->n;
      const char *code = table->ctl->color ? style_code (table->cells[i].style) : "";

      printf ("%s%s%s", code, table->cells[i].text, *code ? "\033[0m" : "");
      if (last)
        putchar ('\n');
      else
        printf ("%*s", (int) (widths[column] - width_of (table->cells[i].text) + 2), "");
      free (table->cells[i].text);
    }
  fflush (stdout);
  free (widths);
  free (table->cells);
  free (table);
}

void
ctl_error (const char *format, ...)
{
  va_list args;
  char *text, *clean;

  va_start (args, format);
  if (vasprintf (&text, format, args) < 0)
    abort ();
  va_end (args);
  clean = ctl_clean (text);
  fprintf (stderr, "phonectl: %s\n", clean);
  free (clean);
  free (text);
}
