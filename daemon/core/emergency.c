/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/emergency.h"

#include <string.h>

#define MAX_EMERGENCY_DIGITS 6

typedef struct
{
  const char *country;
  const char *numbers;          /* space separated */
} CountryRow;

/* Beside 112 and 911, which count everywhere. */
static const CountryRow table[] = {
  { "AR", "100 101 107" }, { "AT", "122 133 144 140" }, { "AU", "000 106" },      { "BE", "100 101" },
  { "BG", "150 160 166" }, { "BR", "190 192 193" },     { "CH", "117 118 144 1414" }, { "CL", "131 132 133" },
  { "CN", "110 119 120" }, { "CZ", "150 155 156 158" }, { "DE", "110" },          { "EG", "122 123 180" },
  { "ES", "061 062 080 091 092" }, { "FR", "15 17 18 114 115 119 196" }, { "GB", "999" }, { "GR", "100 166 199" },
  { "HK", "999" },         { "HU", "104 105 107" },     { "ID", "110 113 118 119" }, { "IE", "999" },
  { "IL", "100 101 102" }, { "IN", "100 101 102 108" }, { "IT", "113 115 118" },  { "JP", "110 118 119" },
  { "KR", "112 119" },     { "MX", "065 066 068" },     { "MY", "999" },          { "NO", "110 113" },
  { "NZ", "111" },         { "PH", "117" },             { "PL", "997 998 999" },  { "RU", "101 102 103" },
  { "SG", "995 999" },     { "SK", "150 155 158" },     { "TH", "191 199 1669" }, { "TR", "110 155" },
  { "TW", "110 119" },     { "UA", "101 102 103" },     { "ZA", "10111 10177" },
};

static gboolean
contains (const char *numbers, const char *digits)
{
  gsize length = strlen (digits);

  for (const char *p = numbers; *p; p += strspn (p, " "))
    {
      gsize word = strcspn (p, " ");

      if (word == length && strncmp (p, digits, length) == 0)
        return TRUE;
      p += word;
    }
  return FALSE;
}

/* The user part as bare digits; FALSE if there is anything but digits and visual separators in it. */
static gboolean
take_digits (const char *target, char *ret_digits)
{
  static const char *const schemes[] = { "sips:", "sip:", "tel:" };
  gsize n = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (schemes); i++)
    if (g_ascii_strncasecmp (target, schemes[i], strlen (schemes[i])) == 0)
      {
        target += strlen (schemes[i]);
        break;
      }
  for (const char *p = target; *p && *p != '@' && *p != ';' && *p != '?'; p++)
    {
      if (strchr ("-.() ", *p))
        continue;
      if (!g_ascii_isdigit (*p) || n == MAX_EMERGENCY_DIGITS)
        return FALSE;
      ret_digits[n++] = *p;
    }
  ret_digits[n] = '\0';
  return n > 0;
}

gboolean
phone_is_emergency_number (const char *target, const char *country)
{
  char digits[MAX_EMERGENCY_DIGITS + 1];

  if (g_ascii_strncasecmp (target, "urn:service:sos", 15) == 0)
    return TRUE;
  if (!take_digits (target, digits))
    return FALSE;
  if (contains ("112 911", digits))
    return TRUE;
  for (gsize i = 0; country && i < G_N_ELEMENTS (table); i++)
    if (g_ascii_strcasecmp (country, table[i].country) == 0)
      return contains (table[i].numbers, digits);
  return FALSE;
}
