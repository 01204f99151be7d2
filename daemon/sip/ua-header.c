/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/ua-header.h"

#include <string.h>

#include "util/name-addr.h"

#define MAX_ENTRIES 32
#define MAX_DTMF_BODY 256
#define MAX_DTMF_MS 6000

/* ---- DTMF ---- */

static gboolean
parse_digit (const char *text, char *ret_digit)
{
  char c = g_ascii_toupper (text[0]);

  if (c == '1' && (text[1] == '0' || text[1] == '1') && !g_ascii_isalnum (text[2]))
    {
      *ret_digit = text[1] == '0' ? '*' : '#';
      return TRUE;
    }
  if (c == '\0' || !strchr ("0123456789*#ABCD", c) || g_ascii_isalnum (text[1]))
    return FALSE;
  *ret_digit = c;
  return TRUE;
}

static gboolean
parse_relay (const char *body, char *ret_digit, guint *ret_ms)
{
  g_auto (GStrv) lines = g_strsplit_set (body, "\r\n", MAX_ENTRIES);
  gboolean found = FALSE;

  for (gsize i = 0; lines[i]; i++)
    {
      char *value = strchr (lines[i], '=');
      const char *name = lines[i];

      if (!value)
        continue;
      *value++ = '\0';
      g_strstrip (lines[i]);
      g_strstrip (value);
      if (g_ascii_strcasecmp (name, "Signal") == 0)
        found = parse_digit (value, ret_digit);
      else if (g_ascii_strcasecmp (name, "Duration") == 0)
        *ret_ms = (guint) CLAMP (g_ascii_strtoll (value, NULL, 10), 0, MAX_DTMF_MS);
    }
  return found;
}

static gboolean
is_type (const char *content_type, const char *wanted)
{
  gsize length = strlen (wanted);

  return g_ascii_strncasecmp (content_type, wanted, length) == 0 && (content_type[length] == '\0' || strchr ("; \t", content_type[length]));
}

gboolean
ua_dtmf_info_parse (const char *content_type, const char *body, gsize length, char *ret_digit, guint *ret_ms)
{
  g_autofree char *text = NULL;

  *ret_ms = 0;
  if (length == 0 || length > MAX_DTMF_BODY || memchr (body, '\0', length))
    return FALSE;
  text = g_strndup (body, length);
  if (is_type (content_type, "application/dtmf-relay"))
    return parse_relay (text, ret_digit, ret_ms);
  if (is_type (content_type, "application/dtmf"))
    return parse_digit (g_strstrip (text), ret_digit);
  return FALSE;
}

char *
ua_dtmf_info_write (char digit, guint ms)
{
  return g_strdup_printf ("Signal=%c\r\nDuration=%u\r\n", digit, ms);
}

/* ---- lists ---- */

char **
ua_header_split (const char *value)
{
  g_autoptr (GPtrArray) entries = g_ptr_array_new_with_free_func (g_free);
  const char *start = value;
  gboolean quoted = FALSE, bracket = FALSE;

  for (const char *p = value;; p++)
    {
      if (quoted)
        {
          if (*p == '\\' && p[1])
            p++;
          else if (*p == '"' || *p == '\0')
            quoted = FALSE;
        }
      else if (*p == '"')
        quoted = TRUE;
      else if (*p == '<')
        bracket = TRUE;
      else if (*p == '>')
        bracket = FALSE;
      if (*p == '\0' || (*p == ',' && !quoted && !bracket))
        {
          char *entry = g_strstrip (g_strndup (start, (gsize) (p - start)));

          if (*entry && entries->len < MAX_ENTRIES)
            g_ptr_array_add (entries, entry);
          else
            g_free (entry);
          start = p + 1;
        }
      if (*p == '\0')
        break;
    }
  g_ptr_array_add (entries, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&entries), FALSE);
}

gboolean
ua_header_is_safe (const char *text)
{
  for (const char *p = text; *p; p++)
    if ((guchar) *p < 0x20 || *p == 0x7f)
      return FALSE;
  return TRUE;
}

/* ---- auto-answer ---- */

/* Value of ;name= outside of angle brackets and quotes, lower case; NULL: absent. */
static char *
find_param (const char *entry, const char *name)
{
  gsize length = strlen (name);
  const char *p = strrchr (entry, '>');

  for (p = strchr (p ? p : entry, ';'); p; p = strchr (p, ';'))
    {
      p++;
      p += strspn (p, " \t");
      if (g_ascii_strncasecmp (p, name, length) == 0 && p[length] == '=')
        {
          const char *value = p + length + 1;
          gboolean quote = *value == '"';
          const char *end = quote ? strchr (++value, '"') : NULL;

          return g_ascii_strdown (value, end ? end - value : (gssize) strcspn (value, ";, \t"));
        }
    }
  return NULL;
}

static guint
seconds_to_ms (const char *text)
{
  gint64 seconds = g_ascii_strtoll (text, NULL, 10);

  return seconds <= 0 ? 1 : (guint) MIN (seconds, UA_MAX_AUTO_ANSWER_S) * 1000;
}

static guint
older_wish (const char *call_info, const char *alert_info)
{
  g_auto (GStrv) entries = call_info ? ua_header_split (call_info) : NULL;

  for (gsize i = 0; entries && entries[i]; i++)
    {
      g_autofree char *after = find_param (entries[i], "answer-after");

      if (after && g_ascii_isdigit (*after))
        return seconds_to_ms (after);
    }
  if (alert_info)
    {
      /* some send the parameter without a URI */
      g_autofree char *entry = g_strconcat (*alert_info == '<' ? "" : ";", alert_info, NULL);
      g_autofree char *info = find_param (entry, "info");

      if (info && (strstr (info, "auto-answer") || strstr (info, "autoanswer") || strstr (info, "ringanswer")))
        return 1;
    }
  return 0;
}

/* "Auto" or "Manual", with ;require if nothing else will do. FALSE: neither. */
static gboolean
take_mode (const char *value, gboolean privileged, PhoneAnswerWish *ret_wish)
{
  g_auto (GStrv) parts = value ? g_strsplit (value, ";", 8) : NULL;

  if (!parts || !parts[0])
    return FALSE;
  g_strstrip (parts[0]);
  if (g_ascii_strcasecmp (parts[0], "Auto") == 0)
    ret_wish->ms = MAX (ret_wish->ms, 1);
  else if (g_ascii_strcasecmp (parts[0], "Manual") == 0)
    ret_wish->ms = 0;
  else
    return FALSE;
  ret_wish->manual = ret_wish->ms == 0;
  ret_wish->privileged = privileged;
  ret_wish->required = FALSE;
  for (gsize i = 1; parts[i]; i++)
    ret_wish->required |= g_ascii_strcasecmp (g_strstrip (parts[i]), "require") == 0;
  return TRUE;
}

PhoneAnswerWish
ua_answer_wish (const char *call_info, const char *alert_info, const char *answer_mode, const char *priv_answer_mode)
{
  PhoneAnswerWish wish = { .ms = older_wish (call_info, alert_info) };

  if (!take_mode (priv_answer_mode, TRUE, &wish))
    take_mode (answer_mode, FALSE, &wish);
  return wish;
}

/* ---- how to ring ---- */

static void
add_word (GString *words, const char *text, gsize length)
{
  if (length == 0 || words->len + length + 1 > UA_MAX_ALERT)
    return;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (text[i]) || strchr ("\"<>,\\", text[i]))
      return;
  if (words->len)
    g_string_append_c (words, ' ');
  for (gsize i = 0; i < length; i++)
    g_string_append_c (words, g_ascii_tolower (text[i]));
}

char *
ua_alert_words (const char *alert_info)
{
  g_auto (GStrv) entries = ua_header_split (alert_info);
  GString *words = g_string_new (NULL);

  for (gsize i = 0; entries[i]; i++)
    {
      const char *open = strchr (entries[i], '<'), *close = open ? strchr (open, '>') : NULL;
      gsize bare = strcspn (entries[i], "; \t");
      /* some send the parameter, or a mere word, without a URI */
      g_autofree char *entry = g_strconcat (open ? "" : ";", entries[i], NULL);
      g_autofree char *info = find_param (entry, "info");

      if (close)
        add_word (words, open + 1, (gsize) (close - open - 1));
      else if (!open && !memchr (entries[i], '=', bare))
        add_word (words, entries[i], bare);
      if (info)
        add_word (words, info, strlen (info));
    }
  return g_string_free (words, words->len == 0);
}

/* ---- diversion ---- */

static char *
entry_uri (const char *entry)
{
  g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (entry, NULL);

  return addr ? phone_uri_to_string (addr->uri) : NULL;
}

char *
ua_diverter (const char *diversion, const char *history_info)
{
  g_auto (GStrv) entries = diversion ? ua_header_split (diversion) : NULL;
  char *uri = NULL;

  if (entries && entries[0] && (uri = entry_uri (entries[0])))
    return uri;
  if (!history_info)
    return NULL;
  g_clear_pointer (&entries, g_strfreev);
  entries = ua_header_split (history_info);
  /* An entry's cause says why the call came to it; who diverted is the entry before. */
  for (gsize n = g_strv_length (entries); n > 1; n--)
    if (strstr (entries[n - 1], "cause="))
      return entry_uri (entries[n - 2]);
  return NULL;
}
