/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/vcard.h"

#include <string.h>

#define MAX_LINE (3 * PHONE_VCARD_MAX_VALUE)    /* octets that are kept of a line: in quoted-printable a value takes three times its length */
#define QUOTED_PRINTABLE "QUOTED-PRINTABLE"

void
phone_vcard_reader_init (PhoneVcardReader *reader, const char *data, gsize length)
{
  *reader = (PhoneVcardReader){ .at = data, .end = data + length, .next_line = 1 };
  reader->text = g_string_new (NULL);
  reader->decoded = g_string_new (NULL);
}

void
phone_vcard_reader_clear (PhoneVcardReader *reader)
{
  g_string_free (reader->text, TRUE);
  g_string_free (reader->decoded, TRUE);
}

/* ---- lines ---- */

static void
append_physical (PhoneVcardReader *reader)
{
  const char *newline = memchr (reader->at, '\n', (gsize) (reader->end - reader->at));
  const char *end = newline ? newline : reader->end;
  gsize length = (gsize) (end - reader->at), room = MAX_LINE - reader->text->len;

  if (length > 0 && end[-1] == '\r')
    length--;
  g_string_append_len (reader->text, reader->at, (gssize) MIN (length, room));
  reader->at = newline ? newline + 1 : reader->end;
  reader->next_line++;
}

/* The colon that ends name and parameters; parameters may be quoted. */
static char *
find_colon (char *line)
{
  gboolean quoted = FALSE;

  for (char *p = line; *p; p++)
    if (*p == '"')
      quoted = !quoted;
    else if (*p == ':' && !quoted)
      return p;
  return NULL;
}

/* 2.1 says ENCODING=QUOTED-PRINTABLE or just QUOTED-PRINTABLE. */
static gboolean
is_quoted_printable (char *line)
{
  char *colon = find_colon (line);
  g_autofree char *head = colon ? g_ascii_strup (line, colon - line) : NULL;

  return head && strstr (head, QUOTED_PRINTABLE);
}

/* A line that begins with white space goes on with the one before (RFC 6350 section 3.2); one that ends with '=' in quoted-printable, too. */
static void
read_line (PhoneVcardReader *reader)
{
  g_string_truncate (reader->text, 0);
  reader->line = reader->next_line;
  append_physical (reader);
  while (reader->at < reader->end)
    if (*reader->at == ' ' || *reader->at == '\t')
      {
        reader->at++;
        append_physical (reader);
      }
    else if (reader->text->len && reader->text->str[reader->text->len - 1] == '=' && is_quoted_printable (reader->text->str))
      {
        g_string_truncate (reader->text, reader->text->len - 1);
        append_physical (reader);
      }
    else
      break;
}

static void
decode_quoted_printable (const char *from, GString *to)
{
  for (const char *p = from; *p; p++)
    if (*p == '=' && g_ascii_isxdigit (p[1]) && g_ascii_isxdigit (p[2]))
      {
        g_string_append_c (to, (char) (g_ascii_xdigit_value (p[1]) << 4 | g_ascii_xdigit_value (p[2])));
        p += 2;
      }
    else
      g_string_append_c (to, *p);
}

/* ---- properties ---- */

static void
take_value (PhoneVcardReader *reader, const char *value, gboolean quoted_printable)
{
  g_autofree char *valid = NULL;

  g_string_truncate (reader->decoded, 0);
  if (quoted_printable)
    decode_quoted_printable (value, reader->decoded);
  else
    g_string_append (reader->decoded, value);
  g_string_truncate (reader->decoded, MIN (reader->decoded->len, PHONE_VCARD_MAX_VALUE));
  valid = g_utf8_make_valid (reader->decoded->str, -1);
  g_string_assign (reader->decoded, valid);
  reader->value = reader->decoded->str;
}

/* [GROUP.]NAME[;PARAMETERS]:VALUE */
static gboolean
take_property (PhoneVcardReader *reader)
{
  gboolean quoted_printable = is_quoted_printable (reader->text->str);
  char *colon = find_colon (reader->text->str), *dot;
  char *name = reader->text->str;

  if (!colon || strlen (reader->text->str) != reader->text->len)
    return FALSE;
  *colon = '\0';
  name[strcspn (name, ";")] = '\0';
  dot = strrchr (name, '.');
  name = dot ? dot + 1 : name;
  for (char *p = name; *p; p++)
    *p = g_ascii_toupper (*p);
  reader->name = name;
  take_value (reader, colon + 1, quoted_printable);
  return *name != '\0';
}

gboolean
phone_vcard_reader_next (PhoneVcardReader *reader)
{
  while (reader->at < reader->end)
    {
      read_line (reader);
      if (take_property (reader))
        return TRUE;
    }
  return FALSE;
}

GStrv
phone_vcard_split (const char *value, char separator, guint max)
{
  g_autoptr (GStrvBuilder) parts = g_strv_builder_new ();
  g_autoptr (GString) part = g_string_new (NULL);
  guint n = 0;

  for (const char *p = value; n < max; p++)
    {
      if (*p == '\0' || *p == separator)
        {
          g_strv_builder_add (parts, part->str);
          g_string_truncate (part, 0);
          n++;
          if (*p == '\0')
            break;
        }
      else if (*p == '\\' && p[1])
        {
          p++;
          g_string_append_c (part, *p == 'n' || *p == 'N' ? '\n' : *p);
        }
      else
        g_string_append_c (part, *p);
    }
  return g_strv_builder_end (parts);
}
