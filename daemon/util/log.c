/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/log.h"

#include <string.h>

void
phone_log (GLogLevelFlags level, const char *file, const char *line, const char *func, const PhoneLogFields *fields,
           const char *format, ...)
{
  GLogField list[8];
  gsize n = 0;
  va_list args;
  g_autofree char *message = NULL;
  const char *priority = (level & G_LOG_LEVEL_DEBUG)     ? "7"
                         : (level & G_LOG_LEVEL_INFO)    ? "6"
                         : (level & G_LOG_LEVEL_MESSAGE) ? "5"
                                                         : "4";

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);

  list[n++] = (GLogField){ "MESSAGE", message, -1 };
  list[n++] = (GLogField){ "PRIORITY", priority, -1 };
  list[n++] = (GLogField){ "GLIB_DOMAIN", "phoned", -1 };
  list[n++] = (GLogField){ "CODE_FUNC", func, -1 };
  if (fields && fields->account)
    list[n++] = (GLogField){ "ACCOUNT", fields->account, -1 };
  if (fields && fields->call)
    list[n++] = (GLogField){ "CALL", fields->call, -1 };
  if (fields && fields->sip_call_id)
    list[n++] = (GLogField){ "SIP_CALL_ID", fields->sip_call_id, -1 };
  (void) file;
  (void) line;
  g_log_structured_array (level, list, n);
}

/* One rule: after `marker` (matched without case), the octets up to any of `stop` are replaced. */
typedef struct
{
  const char *marker;
  const char *stop;
} Rule;

static const Rule rules[] = {
  { "inline:", " |;\t\r\n" },
  { "a=ice-pwd:", "\r\n" },
  { "response=\"", "\"\r\n" },
  { "cnonce=\"", "\"\r\n" },
  { "authorization: basic ", "\r\n" },
  { "authorization: bearer ", "\r\n" },
  { "\nsignal=", "\r\n" },
  { "\nsignal =", "\r\n" },
};

static const Rule *
match_rule (const char *at)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (g_ascii_strncasecmp (at, rules[i].marker, strlen (rules[i].marker)) == 0)
      return &rules[i];
  return NULL;
}

char *
phone_log_redact (const char *text)
{
  GString *out = g_string_sized_new (strlen (text) + 16);

  for (const char *p = text; *p;)
    {
      const Rule *rule = match_rule (p);

      if (!rule)
        {
          g_string_append_c (out, *p++);
          continue;
        }
      gsize length = strlen (rule->marker);
      g_string_append_len (out, p, (gssize) length);
      p += length;
      p += strcspn (p, rule->stop);
      g_string_append (out, "[redacted]");
    }
  return g_string_free (out, FALSE);
}
