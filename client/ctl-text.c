/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Names and phrases come from whoever calls. A terminal obeys escape sequences, and a reader is fooled by text that runs backwards;
 * so everything that phonectl shows goes through ctl_text_clean(), as a whole, at the last moment. */

#include "ctl-text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

int32_t
ctl_text_next (const char *text, size_t *ret_length)
{
  static const int32_t least[] = { 0, 0x80, 0x800, 0x10000 };
  const unsigned char *p = (const unsigned char *) text;
  size_t more = p[0] < 0x80 ? 0 : (p[0] & 0xe0) == 0xc0 ? 1 : (p[0] & 0xf0) == 0xe0 ? 2 : (p[0] & 0xf8) == 0xf0 ? 3 : 4;
  int32_t character;

  *ret_length = p[0] ? 1 : 0;
  if (more == 0)
    return p[0];
  if (more == 4)
    return -1;
  character = p[0] & (0x3f >> more);
  for (size_t i = 1; i <= more; i++)
    {
      if ((p[i] & 0xc0) != 0x80)        /* the final NUL too */
        return -1;
      character = character << 6 | (p[i] & 0x3f);
    }
  if (character < least[more] || character > 0x10ffff || (character >= 0xd800 && character <= 0xdfff))
    return -1;
  *ret_length = more + 1;
  return character;
}

bool
ctl_text_is_unsafe (int32_t character)
{
  static const struct
  {
    int32_t first, last;
  } ranges[] = {
    { 0x00, 0x1f },     { 0x7f, 0x9f },     { 0x61c, 0x61c },   { 0x200b, 0x200f },   { 0x2028, 0x202e },
    { 0x2060, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
  };

  if (character < 0)
    return true;
  for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
    if (character >= ranges[i].first && character <= ranges[i].last)
      return true;
  return false;
}

char *
ctl_text_clean (const char *text)
{
  char *clean = malloc (3 * strlen (text) + 1), *out = clean;
  size_t length;

  if (!clean)
    abort ();
  for (const char *p = text; *p; p += length)
    if (ctl_text_is_unsafe (ctl_text_next (p, &length)))
      out = mempcpy (out, REPLACEMENT, strlen (REPLACEMENT));
    else
      out = mempcpy (out, p, length);
  *out = '\0';
  return clean;
}

/* ---- times ---- */

char *
ctl_text_duration (uint64_t seconds)
{
  unsigned minutes = (unsigned) (seconds / 60 % 60), rest = (unsigned) (seconds % 60);
  char *text;
  int n = seconds < 3600 ? asprintf (&text, "%u:%02u", minutes, rest)
                         : asprintf (&text, "%" PRIu64 ":%02u:%02u", seconds / 3600, minutes, rest);

  if (n < 0)
    abort ();
  return text;
}

char *
ctl_text_relative (time_t when, time_t now)
{
  static const struct
  {
    uint64_t size;
    const char *name;
  } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
  uint64_t distance = when > now ? (uint64_t) when - (uint64_t) now : (uint64_t) now - (uint64_t) when;
  char amount[64], *text;
  size_t i = 0;

  if (distance == 0)
    {
      text = strdup ("now");
      if (!text)
        abort ();
      return text;
    }
  while (distance < units[i].size)
    i++;
  /* Two units tell enough, and with days one. */
  if (i > 0 && i < 3 && distance % units[i].size / units[i + 1].size)
    snprintf (amount, sizeof amount, "%" PRIu64 " %s %" PRIu64 " %s", distance / units[i].size, units[i].name,
              distance % units[i].size / units[i + 1].size, units[i + 1].name);
  else
    snprintf (amount, sizeof amount, "%" PRIu64 " %s", distance / units[i].size, units[i].name);
  if ((when > now ? asprintf (&text, "in %s", amount) : asprintf (&text, "%s ago", amount)) < 0)
    abort ();
  return text;
}

char *
ctl_text_time (time_t when, time_t now)
{
  char *relative = ctl_text_relative (when, now), *text;
  char stamp[64];
  struct tm local;

  if (!localtime_r (&when, &local) || strftime (stamp, sizeof stamp, "%Y-%m-%d %H:%M:%S", &local) == 0)
    return relative;
  if (asprintf (&text, "%s (%s)", stamp, relative) < 0)
    abort ();
  free (relative);
  return text;
}

time_t
ctl_read_span (const char *text)
{
  static const struct
  {
    char unit;
    time_t seconds;
  } units[] = { { 'd', 86400 }, { 'h', 3600 }, { 'm', 60 } };
  char *end;
  unsigned long n = strtoul (text, &end, 10);

  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (end != text && *end == units[i].unit && !end[1] && n <= 100000)
      return (time_t) n * units[i].seconds;
  return -1;
}

time_t
ctl_read_date (const char *text)
{
  static const char *const forms[] = { "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d" };

  for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
    {
      struct tm local = { .tm_isdst = -1 };
      const char *rest = strptime (text, forms[i], &local);

      if (rest && !*rest)
        return mktime (&local);
    }
  return -1;
}
