/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/bus-value.h"

#include <math.h>
#include <string.h>

/* U+FDD0..U+FDEF and the last two of every plane: GLib takes them for valid, some D-Bus implementations do
 * not. */
static gboolean
is_noncharacter (gunichar c)
{
  return (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe;
}

static gboolean
is_clean (const char *text, gsize length)
{
  if (length > BUS_MAX_TEXT || !g_utf8_validate_len (text, length, NULL))
    return FALSE;
  for (const char *p = text; *p; p = g_utf8_next_char (p))
    if ((guchar) *p >= 0xef && is_noncharacter (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

const char *
bus_text (const char *text, char **ret_copy)
{
  gsize length = text ? strnlen (text, BUS_MAX_TEXT + 1) : 0;
  GString *clean = NULL;
  const char *end;

  *ret_copy = NULL;
  if (!text)
    return "";
  if (is_clean (text, length))
    return text;
  end = text + MIN (length, BUS_MAX_TEXT);
  clean = g_string_sized_new ((gsize) (end - text));
  for (const char *p = text; p < end;)
    {
      gunichar c = g_utf8_get_char_validated (p, end - p);
      gboolean valid = c != (gunichar) -1 && c != (gunichar) -2 && !is_noncharacter (c);

      /* '?' instead of U+FFFD: the text must not grow over its limit. */
      if (valid)
        g_string_append_unichar (clean, c);
      else
        g_string_append_c (clean, '?');
      p = c == (gunichar) -1 || c == (gunichar) -2 ? p + 1 : g_utf8_next_char (p);
    }
  *ret_copy = g_string_free (clean, FALSE);
  return *ret_copy;
}

int
bus_append_text (sd_bus_message *m, const char *text)
{
  g_autofree char *copy = NULL;

  return sd_bus_message_append (m, "s", bus_text (text, &copy));
}

int
bus_append_texts (sd_bus_message *m, const char *const *texts)
{
  int r = sd_bus_message_open_container (m, 'a', "s");

  for (gsize i = 0; r >= 0 && texts && texts[i]; i++)
    r = bus_append_text (m, texts[i]);
  return r < 0 ? r : sd_bus_message_close_container (m);
}

int
bus_dict_begin (sd_bus_message *m)
{
  return sd_bus_message_open_container (m, 'a', "{sv}");
}

int
bus_dict_end (sd_bus_message *m)
{
  return sd_bus_message_close_container (m);
}

int
bus_dict_text (sd_bus_message *m, const char *key, const char *text)
{
  g_autofree char *copy = NULL;

  return text && *text ? sd_bus_message_append (m, "{sv}", key, "s", bus_text (text, &copy)) : 0;
}

int
bus_dict_bool (sd_bus_message *m, const char *key, gboolean value)
{
  return sd_bus_message_append (m, "{sv}", key, "b", (int) !!value);
}

int
bus_dict_u32 (sd_bus_message *m, const char *key, guint32 value)
{
  return sd_bus_message_append (m, "{sv}", key, "u", value);
}

int
bus_dict_u64 (sd_bus_message *m, const char *key, guint64 value)
{
  return sd_bus_message_append (m, "{sv}", key, "t", value);
}

int
bus_dict_i64 (sd_bus_message *m, const char *key, gint64 value)
{
  return sd_bus_message_append (m, "{sv}", key, "x", value);
}

int
bus_dict_double (sd_bus_message *m, const char *key, double value)
{
  return isnan (value) ? 0 : sd_bus_message_append (m, "{sv}", key, "d", value);
}

int
bus_dict_time (sd_bus_message *m, const char *key, gint64 seconds)
{
  return seconds > 0 ? bus_dict_u64 (m, key, (guint64) seconds) : 0;
}
