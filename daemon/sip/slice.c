/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/slice.h"

#include <string.h>

#define MAX_QUOTE 32

static gboolean
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

static void
skip (UaSlice *slice, gsize n)
{
  slice->at += n;
  slice->length -= n;
}

gboolean
ua_slice_word (UaSlice *rest, UaSlice *ret_word)
{
  gsize n = 0;

  while (rest->length > 0 && is_blank (rest->at[0]))
    skip (rest, 1);
  while (n < rest->length && !is_blank (rest->at[n]))
    n++;
  *ret_word = (UaSlice) { rest->at, n };
  skip (rest, n);
  return n > 0;
}

gboolean
ua_slice_until (UaSlice *rest, char separator, UaSlice *ret_part)
{
  if (rest->length == 0)
    {
      *ret_part = *rest;
      return FALSE;
    }
  const char *found = memchr (rest->at, separator, rest->length);
  gsize n = found != NULL ? (gsize) (found - rest->at) : rest->length;

  *ret_part = (UaSlice) { rest->at, n };
  skip (rest, found != NULL ? n + 1 : n);
  return TRUE;
}

UaSlice
ua_slice_trim (UaSlice slice)
{
  while (slice.length > 0 && is_blank (slice.at[0]))
    skip (&slice, 1);
  while (slice.length > 0 && is_blank (slice.at[slice.length - 1]))
    slice.length--;
  return slice;
}

gboolean
ua_slice_is (UaSlice slice, const char *text)
{
  return slice.length == strlen (text) && g_ascii_strncasecmp (slice.at, text, slice.length) == 0;
}

gboolean
ua_slice_starts_with (UaSlice slice, const char *prefix)
{
  gsize n = strlen (prefix);

  return slice.length >= n && g_ascii_strncasecmp (slice.at, prefix, n) == 0;
}

gboolean
ua_slice_number (UaSlice slice, guint64 max, guint64 *ret_value)
{
  guint64 value = 0;

  if (slice.length == 0)
    return FALSE;
  for (gsize i = 0; i < slice.length; i++)
    {
      guint digit = (guint) (guchar) slice.at[i] - '0';

      if (digit > 9 || digit > max || value > (max - digit) / 10)
        return FALSE;
      value = value * 10 + digit;
    }
  *ret_value = value;
  return TRUE;
}

gboolean
ua_slice_is_token (UaSlice slice)
{
  for (gsize i = 0; i < slice.length; i++)
    if (!g_ascii_isgraph (slice.at[i]))
      return FALSE;
  return slice.length > 0;
}

char *
ua_slice_quote (UaSlice slice)
{
  gsize n = MIN (slice.length, MAX_QUOTE);
  char *text = g_strndup (slice.at, n);

  for (gsize i = 0; i < n; i++)
    if (!g_ascii_isprint (slice.at[i]))
      text[i] = '?';
  return text;
}
