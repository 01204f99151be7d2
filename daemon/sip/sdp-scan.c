/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is insisted on: v=0 first, one o= with its fields, lines of the form x=..., m-lines that can be
 * repeated in an answer, and the limits. What is let pass because deployed peers do it and nothing depends on
 * it: bare LF or CR, no s= or t=, unknown line types, lines out of order inside a section, blank lines, odd
 * contents of o=. */

#include "sip/sdp-scan.h"

#include <string.h>

void
ua_sdp_fail (GError **error, guint line, const char *format, ...)
{
  va_list args;
  g_autofree char *what = NULL;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "SDP line %u: %s", line, what);
}

/* The next line that is not blank, without its end. */
static gboolean
next_raw_line (UaSdpCursor *cursor, UaSlice *ret_line)
{
  while (cursor->rest.length > 0)
    {
      gsize n = 0, end;

      while (n < cursor->rest.length && cursor->rest.at[n] != '\r' && cursor->rest.at[n] != '\n')
        n++;
      end = n < cursor->rest.length ? n + 1 : n;
      if (end < cursor->rest.length && cursor->rest.at[n] == '\r' && cursor->rest.at[end] == '\n')
        end++;
      *ret_line = (UaSlice) { cursor->rest.at, n };
      cursor->rest.at += end;
      cursor->rest.length -= end;
      cursor->number++;
      if (ua_slice_trim (*ret_line).length > 0)
        return TRUE;
    }
  return FALSE;
}

static UaSdpLine
make_line (UaSlice raw, guint number)
{
  if (raw.length < 2 || raw.at[1] != '=' || memchr (raw.at, '\0', raw.length) != NULL)
    return (UaSdpLine) { .number = number };
  return (UaSdpLine) { .type = raw.at[0], .value = { raw.at + 2, raw.length - 2 }, .number = number };
}

gboolean
ua_sdp_next_line (UaSdpCursor *cursor, UaSdpLine *ret_line)
{
  UaSlice raw;

  if (!next_raw_line (cursor, &raw))
    return FALSE;
  *ret_line = make_line (raw, cursor->number);
  return TRUE;
}

void
ua_sdp_attribute (const UaSdpLine *line, UaSlice *ret_name, UaSlice *ret_value)
{
  UaSlice rest = line->value;

  ua_slice_until (&rest, ':', ret_name);
  *ret_name = ua_slice_trim (*ret_name);
  *ret_value = ua_slice_trim (rest);
}

static gboolean
check_origin (const UaSdpLine *line, GError **error)
{
  UaSlice rest = line->value, word;
  guint n = 0;

  while (ua_slice_word (&rest, &word))
    n++;
  if (n < 6)
    {
      ua_sdp_fail (error, line->number, "o= has %u fields instead of 6", n);
      return FALSE;
    }
  return TRUE;
}

static gboolean
parse_media (const UaSdpLine *line, UaSdpSection *section, GError **error)
{
  UaSlice rest = line->value, port, ports;
  guint64 number;

  if (!ua_slice_word (&rest, &section->media) || !ua_slice_word (&rest, &ports)
      || !ua_slice_word (&rest, &section->protocol) || !ua_slice_is_token (section->media)
      || !ua_slice_is_token (section->protocol))
    {
      ua_sdp_fail (error, line->number, "m= needs media, port, protocol and formats");
      return FALSE;
    }
  ua_slice_until (&ports, '/', &port);          /* "49170/2": layered encodings, not for us */
  if (!ua_slice_number (port, G_MAXUINT16, &number))
    {
      g_autofree char *quoted = ua_slice_quote (port);
      ua_sdp_fail (error, line->number, "\"%s\" in m= is not a port", quoted);
      return FALSE;
    }
  section->number = line->number;
  section->port = (guint16) number;
  section->formats = ua_slice_trim (rest);
  return TRUE;
}

/* The attributes that are needed before it is known which section matters. */
static void
note_attribute (UaSdpScan *scan, UaSdpSection *section, const UaSdpLine *line)
{
  UaSlice name, value, semantics;

  ua_sdp_attribute (line, &name, &value);
  if (section != &scan->session)
    {
      if (ua_slice_is (name, "mid") && ua_slice_is_token (value))
        section->mid = value;
    }
  else if (ua_slice_is (name, "group") && ua_slice_word (&value, &semantics)
           && ua_slice_is (semantics, "BUNDLE"))
    scan->bundle = value;
}

gboolean
ua_sdp_scan (const char *text, gsize length, UaSdpScan *ret_scan, GError **error)
{
  UaSdpScan *scan = ret_scan;
  UaSdpSection *section = &scan->session;
  UaSdpCursor cursor = { .rest = { text, length } };
  UaSlice raw;
  gboolean first = TRUE, has_origin = FALSE;

  memset (scan, 0, sizeof *scan);
  if (length == 0 || length > UA_SDP_MAX_LENGTH)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "SDP of %" G_GSIZE_FORMAT " octets", length);
      return FALSE;
    }
  scan->session.body = cursor;

  while (next_raw_line (&cursor, &raw))
    {
      UaSdpLine line;

      line = make_line (raw, cursor.number);
      if (line.type == '\0')
        {
          ua_sdp_fail (error, cursor.number, "not of the form x=...");
          return FALSE;
        }
      if (first && (line.type != 'v' || !ua_slice_is (ua_slice_trim (line.value), "0")))
        {
          ua_sdp_fail (error, line.number, "v=0 must come first");
          return FALSE;
        }
      first = FALSE;

      if (line.type == 'o' && section == &scan->session)
        {
          if (has_origin || !check_origin (&line, error))
            {
              if (has_origin)
                ua_sdp_fail (error, line.number, "a second o=");
              return FALSE;
            }
          has_origin = TRUE;
        }
      else if (line.type == 'm')
        {
          if (scan->n_media == UA_SDP_MAX_MEDIA)
            {
              ua_sdp_fail (error, line.number, "more than %d m-lines", UA_SDP_MAX_MEDIA);
              return FALSE;
            }
          section->body.rest.length = (gsize) (raw.at - section->body.rest.at);
          section = &scan->media[scan->n_media];
          if (!parse_media (&line, section, error))
            return FALSE;
          section->body = cursor;
          scan->n_media++;
        }
      else if (line.type == 'c' && section->connection.type == 0)
        section->connection = line;
      else if (line.type == 'a')
        note_attribute (scan, section, &line);
    }

  if (!has_origin)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "SDP without o=");
      return FALSE;
    }
  return TRUE;
}
