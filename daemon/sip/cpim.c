/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Common Presence and Instant Messaging: headers of the message, an empty line, MIME headers of the content, an empty line, the content.
 *
 *   From: Alice <sip:alice@example.org>
 *   NS: imdn <urn:ietf:params:imdn>
 *   imdn.Message-ID: 34jk324j
 *
 *   Content-Type: text/plain; charset=utf-8
 *
 *   Hello
 *
 * Names of headers are compared with case (RFC 3862 section 2), names of MIME headers without. A prefix means what its NS says. Lines that
 * end with a line feed alone are taken too, and so is one block with the headers of both. */

#include "sip/instant-message.h"

#include <string.h>

#define NS_IMDN "urn:ietf:params:imdn"
#define MAX_LINES 64
#define MAX_LINE 4096
#define MAX_PREFIX 32

/* ---- lines ---- */

typedef struct
{
  const char *at, *end;
  guint n;
} Lines;

/* FALSE: the end, or a limit (then *line is NULL). An empty line is one of length 0. What *line had is freed. */
static gboolean
next_line (Lines *lines, char **line)
{
  const char *feed = memchr (lines->at, '\n', (gsize) (lines->end - lines->at));
  gsize length;

  g_clear_pointer (line, g_free);
  if (!feed || lines->n++ >= MAX_LINES)
    return FALSE;
  length = (gsize) (feed - lines->at);
  if (length > 0 && feed[-1] == '\r')
    length--;
  if (length > MAX_LINE || memchr (lines->at, '\0', length) || !g_utf8_validate (lines->at, (gssize) length, NULL))
    return FALSE;
  *line = g_strndup (lines->at, length);
  lines->at = feed + 1;
  return TRUE;
}

/* Cuts the line at its first colon. NULL: there is none, or the name is no token. */
static char *
split_header (char *line)
{
  char *colon = strchr (line, ':');

  if (!colon || colon == line)
    return NULL;
  for (const char *p = line; p < colon; p++)
    if (!g_ascii_isgraph (*p))
      return NULL;
  *colon = '\0';
  return g_strstrip (colon + 1);
}

/* ---- headers of the message ---- */

static char *
between_brackets (const char *value)
{
  const char *open = strrchr (value, '<'), *close = open ? strchr (open, '>') : NULL;

  if (!open || !close || close == open + 1 || (gsize) (close - open) > UA_IM_MAX_ID * 4)
    return NULL;
  return g_strndup (open + 1, (gsize) (close - open - 1));
}

static void
take_uri (char **where, const char *value)
{
  if (!*where)
    *where = between_brackets (value);
}

/* "imdn <urn:ietf:params:imdn>"; without a prefix: the default name space. */
static void
take_ns (char **prefix, const char *value)
{
  g_autofree char *urn = between_brackets (value);
  gsize length = strcspn (value, " \t<");

  if (urn && g_str_equal (urn, NS_IMDN) && length <= MAX_PREFIX)
    {
      g_free (*prefix);
      *prefix = g_strndup (value, length);
    }
}

static gboolean
is_token (const char *text)
{
  gsize length = strlen (text);

  if (length == 0 || length > UA_IM_MAX_ID)
    return FALSE;
  for (gsize i = 0; i < length; i++)
    if (!g_ascii_isgraph (text[i]))
      return FALSE;
  return TRUE;
}

/* "positive-delivery, negative-delivery;x=y, display" */
static guint
read_dispositions (const char *value)
{
  g_auto (GStrv) words = g_strsplit (value, ",", 16);
  guint asks = 0;

  for (gsize i = 0; words[i]; i++)
    {
      words[i][strcspn (words[i], ";")] = '\0';
      g_strstrip (words[i]);
      if (g_ascii_strcasecmp (words[i], "positive-delivery") == 0)
        asks |= PHONE_REPORT_DELIVERED;
      else if (g_ascii_strcasecmp (words[i], "display") == 0)
        asks |= PHONE_REPORT_DISPLAYED;
    }
  return asks;
}

/* The part behind the prefix of the IMDN name space; NULL: another name. */
static const char *
imdn_name (const char *name, const char *prefix)
{
  gsize length = prefix ? strlen (prefix) : 0;

  if (!prefix)
    return NULL;
  if (length == 0)
    return name;
  return g_ascii_strncasecmp (name, prefix, length) == 0 && name[length] == '.' ? name + length + 1 : NULL;
}

/* FALSE: the content is in a coding that is not read. */
static gboolean
take_content_header (UaCpim *cpim, const char *name, const char *value, GError **error)
{
  if (g_ascii_strcasecmp (name, "Content-Type") == 0 && !cpim->content_type)
    cpim->content_type = g_strdup (value);
  else if (g_ascii_strcasecmp (name, "Content-Transfer-Encoding") == 0 && g_ascii_strcasecmp (value, "7bit") != 0
           && g_ascii_strcasecmp (value, "8bit") != 0 && g_ascii_strcasecmp (value, "binary") != 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NOT_SUPPORTED, "CPIM: the content is encoded");
      return FALSE;
    }
  return TRUE;
}

static gboolean
read_message_headers (Lines *lines, UaCpim *cpim, GError **error)
{
  g_autofree char *prefix = NULL;
  g_autofree char *line = NULL;

  for (; next_line (lines, &line);)
    {
      const char *value, *name;

      if (*line == '\0')
        return TRUE;
      if (*line == ' ' || *line == '\t')
        continue;               /* the rest of a folded header of the content that stands in the same block */
      value = split_header (line);
      if (!value)
        break;
      name = imdn_name (line, prefix);
      if (g_str_equal (line, "From"))
        take_uri (&cpim->from, value);
      else if (g_str_equal (line, "To"))
        take_uri (&cpim->to, value);
      else if (g_str_equal (line, "NS"))
        take_ns (&prefix, value);
      else if (g_str_equal (line, "Require"))
        {
          g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "CPIM: a header that is not known here is required");
          return FALSE;
        }
      else if (name && g_ascii_strcasecmp (name, "Message-ID") == 0 && !cpim->message_id && is_token (value))
        cpim->message_id = g_strdup (value);
      else if (name && g_ascii_strcasecmp (name, "Disposition-Notification") == 0)
        cpim->asks |= read_dispositions (value);
      else if (!take_content_header (cpim, line, value, error))
        return FALSE;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "CPIM: the headers of the message cannot be read");
  return FALSE;
}

/* ---- headers of the content ---- */

static gboolean
read_content_headers (Lines *lines, UaCpim *cpim, GError **error)
{
  g_autofree char *line = NULL;

  for (; next_line (lines, &line);)
    {
      const char *value;

      if (*line == '\0')
        return TRUE;
      if (*line == ' ' || *line == '\t')
        continue;               /* the rest of a folded line: of none that matters here */
      value = split_header (line);
      if (!value)
        break;
      if (!take_content_header (cpim, line, value, error))
        return FALSE;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "CPIM: the headers of the content cannot be read");
  return FALSE;
}

gboolean
ua_cpim_read (const char *data, gsize length, UaCpim *ret_cpim, GError **error)
{
  Lines lines = { .at = data, .end = data + length };
  UaCpim cpim = { 0 };

  if (length > UA_CPIM_MAX)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "CPIM: larger than %d octets", UA_CPIM_MAX);
      return FALSE;
    }
  /* Some write all headers in one block, as examples of RFC 5438 are often printed: with the type the content was announced already. */
  if (!read_message_headers (&lines, &cpim, error) || (!cpim.content_type && !read_content_headers (&lines, &cpim, error)))
    {
      ua_cpim_clear (&cpim);
      return FALSE;
    }
  if (!cpim.content_type)
    cpim.content_type = g_strdup ("text/plain");
  cpim.body = lines.at;
  cpim.length = (gsize) (lines.end - lines.at);
  *ret_cpim = cpim;
  return TRUE;
}

void
ua_cpim_clear (UaCpim *cpim)
{
  g_clear_pointer (&cpim->from, g_free);
  g_clear_pointer (&cpim->to, g_free);
  g_clear_pointer (&cpim->message_id, g_free);
  g_clear_pointer (&cpim->content_type, g_free);
}

/* ---- writing ---- */

char *
ua_cpim_write (const UaCpimParams *params)
{
  g_autoptr (GDateTime) when = g_date_time_new_from_unix_utc (params->time);
  g_autofree char *stamp = when ? g_date_time_format (when, "%Y-%m-%dT%H:%M:%SZ") : NULL;
  GString *text = g_string_new (NULL);

  g_string_append_printf (text, "From: <%s>\r\nTo: <%s>\r\n", params->from, params->to);
  if (stamp)
    g_string_append_printf (text, "DateTime: %s\r\n", stamp);
  if (params->message_id)
    g_string_append_printf (text, "NS: imdn <" NS_IMDN ">\r\nimdn.Message-ID: %s\r\n", params->message_id);
  if (params->message_id && params->asks)
    g_string_append_printf (text, "imdn.Disposition-Notification: %s%s%s\r\n",
                            params->asks & PHONE_REPORT_DELIVERED ? "positive-delivery, negative-delivery" : "",
                            params->asks == (PHONE_REPORT_DELIVERED | PHONE_REPORT_DISPLAYED) ? ", " : "",
                            params->asks & PHONE_REPORT_DISPLAYED ? "display" : "");
  g_string_append_printf (text, "\r\nContent-Type: %s\r\n", params->content_type);
  if (params->is_report)
    g_string_append (text, "Content-Disposition: notification\r\n");
  g_string_append_printf (text, "Content-Length: %lu\r\n\r\n%s", (gulong) strlen (params->body), params->body);
  return g_string_free (text, FALSE);
}
