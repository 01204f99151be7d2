/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia's log into ours. sofia writes to stderr, piece by piece, at ten levels; here the pieces become lines, and a line goes out at debug
 * level (errors at warning), without what must not be in a log: phone_log_redact () knows keys, digests and digits. */

#include "sip/ua-private.h"

#include <sofia-sip/su_log.h>
#include <stdio.h>
#include <string.h>

#define MAX_LINE 8192
#define LEVEL_QUIET 1
#define LEVEL_TRACE 7

extern su_log_t tport_log[];

static GString *pending;

static void
flush_line (const char *line, gsize length)
{
  g_autofree char *text = g_strndup (line, length);

  g_strchomp (text);
  if (*text)
    phone_log_debug (NULL, "sofia: %s", text);
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
