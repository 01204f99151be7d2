/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia's log into ours. sofia writes to stderr, piece by piece, at ten levels; here the pieces become lines, and a line goes out at debug
 * level, without what must not be in a log: phone_log_redact () knows keys, digests and "Signal=5". What it cannot know by the line is a body
 * that is a digit and nothing else (application/dtmf), so bodies are shown when they are SDP, and no others. */

#include "sip/ua-private.h"

#include <sofia-sip/su_log.h>
#include <stdio.h>
#include <string.h>

#define MAX_LINE 8192
#define LEVEL_QUIET 1
#define LEVEL_TRACE 7

extern su_log_t tport_log[];

static GString *pending;

/* Where we are in a traced message: between two lines of dashes. */
static struct
{
  enum { OUTSIDE, HEADERS, BODY } part;
  gboolean show_body;
} traced;

static gboolean
is_content_type (const char *line)
{
  return g_ascii_strncasecmp (line, "Content-Type", 12) == 0 || ((line[0] == 'c' || line[0] == 'C') && strchr (": \t", line[1]));
}

/* FALSE: not for the log. */
static gboolean
follow_trace (const char *line)
{
  if (g_str_has_prefix (line, "----------"))
    {
      traced.part = traced.part == OUTSIDE ? HEADERS : OUTSIDE;
      traced.show_body = FALSE;
      return TRUE;
    }
  if (traced.part == HEADERS && *line == '\0')
    traced.part = BODY;
  else if (traced.part == HEADERS && is_content_type (line) && g_strstr_len (line, -1, "application/sdp"))
    traced.show_body = TRUE;
  return traced.part != BODY || traced.show_body;
}

static void
flush_line (const char *line, gsize length)
{
  g_autofree char *text = g_strndup (line, length);

  g_autofree char *clean = phone_log_redact (g_strchomp (text));

  if (follow_trace (text + strspn (text, " ")) && *clean)
    phone_log_debug (NULL, "sofia: %s", clean);
}

static void G_GNUC_PRINTF (2, 0)
on_sofia_log (void *stream, char const *format, va_list arguments)
{
  char buffer[MAX_LINE];
  char *end;
  int length = vsnprintf (buffer, sizeof buffer, format, arguments);

  if (length <= 0)
    return;
  g_string_append_len (pending, buffer, MIN ((gsize) length, sizeof buffer - 1));
  while ((end = memchr (pending->str, '\n', pending->len)))
    {
      flush_line (pending->str, (gsize) (end - pending->str));
      g_string_erase (pending, 0, end - pending->str + 1);
    }
  if (pending->len > MAX_LINE)
    {
      flush_line (pending->str, pending->len);
      g_string_truncate (pending, 0);
    }
}

void
ua_log_init (void)
{
  if (pending)
    return;
  pending = g_string_new (NULL);
  su_log_redirect (NULL, on_sofia_log, NULL);
}

void
ua_log_set_trace (gboolean trace)
{
  su_log_set_level (NULL, trace ? LEVEL_TRACE : LEVEL_QUIET);
}
