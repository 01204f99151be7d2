/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/text.h"

#include <string.h>

static gboolean
is_control (gunichar c)
{
  return g_unichar_iscntrl (c) || c == 0x2028 || c == 0x2029;
}

char *
phone_text_clean (const char *data, gssize length, gsize max_chars)
{
  g_autofree char *valid = NULL;
  g_autoptr (GString) out = g_string_new (NULL);
  gsize size, n = 0;

  if (data == NULL)
    return NULL;

  /* Four octets a character at most, and a bad octet becomes one character: no need to look further than this. */
  size = length < 0 ? strnlen (data, max_chars * 4 + 4) : MIN ((gsize) length, max_chars * 4 + 4);
  valid = g_utf8_make_valid (data, (gssize) size);
  for (const char *p = valid; *p != '\0' && n < max_chars; p = g_utf8_next_char (p), n++)
    {
      gunichar c = g_utf8_get_char (p);
      g_string_append_unichar (out, is_control (c) ? ' ' : c);
    }

  g_strstrip (out->str);
  if (out->str[0] == '\0')
    return NULL;
  return g_strdup (out->str);
}

char *
phone_text_clean_lines (const char *data, gsize length, gsize max_chars)
{
  g_autofree char *valid = g_utf8_make_valid (data, (gssize) MIN (length, max_chars * 4 + 4));
  GString *out = g_string_new (NULL);
  gsize n = 0;

  for (const char *p = valid; *p != '\0' && n < max_chars; p = g_utf8_next_char (p), n++)
    {
      gunichar c = g_utf8_get_char (p);

      if (c == '\r' && p[1] == '\n')
        continue;
      if (c == '\r' || c == 0x85 || c == 0x2028 || c == 0x2029)
        c = '\n';
      g_string_append_unichar (out, c == '\n' || c == '\t' || !is_control (c) ? c : ' ');
    }
  return g_string_free (out, FALSE);
}

static gboolean
is_clean (const char *text, gboolean lines)
{
  g_return_val_if_fail (text != NULL, FALSE);

  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    if (is_control (g_utf8_get_char (p)) && !(lines && (*p == '\n' || *p == '\t')))
      return FALSE;
  return TRUE;
}

gboolean phone_text_is_clean (const char *text) { return is_clean (text, FALSE); }
gboolean phone_text_is_clean_lines (const char *text) { return is_clean (text, TRUE); }

const char *
phone_text_octet (guchar octet)
{
  static _Thread_local char text[8];

  g_snprintf (text, sizeof text, g_ascii_isprint ((char) octet) ? "'%c'" : "0x%02x", octet);
  return text;
}
