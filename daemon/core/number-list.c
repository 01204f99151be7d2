/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/number-list.h"

#include <string.h>

#include "util/phone-uri.h"

#define MAX_ITEMS 256

static gboolean
is_number (const char *text)
{
  gboolean digit = FALSE;

  for (; *text; text++)
    {
      if (!strchr ("+*# -./()0123456789", *text))
        return FALSE;
      digit |= g_ascii_isdigit (*text);
    }
  return digit;
}

/* "+49 (30) 12-34" -> "+49301234" */
static char *
strip_marks (const char *text)
{
  GString *stripped = g_string_new (NULL);

  for (; *text; text++)
    if (!strchr (" -./()", *text))
      g_string_append_c (stripped, *text);
  return g_string_free (stripped, FALSE);
}

static char *
canonical (const char *item)
{
  g_autofree char *lower = NULL;

  if (g_ascii_strncasecmp (item, "sip:", 4) == 0 || g_ascii_strncasecmp (item, "tel:", 4) == 0)
    item += 4;
  else if (g_ascii_strncasecmp (item, "sips:", 5) == 0)
    item += 5;
  if (is_number (item))
    return strip_marks (item);
  lower = g_ascii_strdown (item, -1);
  return g_steal_pointer (&lower);
}

char *
phone_number_list_check (const char *text, GError **error)
{
  g_auto (GStrv) items = g_strsplit (text, ",", MAX_ITEMS + 1);

  if (g_strv_length (items) > MAX_ITEMS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "the list has more than %d items", MAX_ITEMS);
      return NULL;
    }
  for (guint i = 0; items[i]; i++)
    {
      g_strstrip (items[i]);
      if (!*items[i] || strpbrk (items[i], "<>\" \t?;") != NULL)
        if (!*items[i] || !is_number (items[i]))
          {
            g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is neither a number nor USER@HOST", items[i]);
            return NULL;
          }
    }
  return g_strjoinv (",", items);
}

gboolean
phone_number_list_matches (const char *list, const char *uri)
{
  g_autoptr (PhoneUri) parsed = list && uri ? phone_uri_parse (uri, NULL) : NULL;
  g_autofree char *user = NULL, *both = NULL;
  g_auto (GStrv) items = NULL;

  if (!parsed)
    return FALSE;
  user = canonical (parsed->user ? parsed->user : "");
  if (parsed->host)
    {
      g_autofree char *host = g_ascii_strdown (parsed->host, -1);
      both = g_strdup_printf ("%s@%s", user, host);
    }
  items = g_strsplit (list, ",", -1);
  for (guint i = 0; items[i]; i++)
    {
      g_autofree char *item = canonical (items[i]);

      if (*item && g_pattern_match_simple (item, strchr (item, '@') && both ? both : user))
        return TRUE;
    }
  return FALSE;
}
