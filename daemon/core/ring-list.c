/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ring-list.h"

#include <string.h>

#define MAX_RULES 64

static const struct
{
  const char *word;
  PhoneTone tone;
} rings[] = {
  { "normal", PHONE_TONE_RING },          { "short", PHONE_TONE_RING_SHORT }, { "double", PHONE_TONE_RING_DOUBLE },
  { "triple", PHONE_TONE_RING_TRIPLE },   { "long", PHONE_TONE_RING_LONG },   { "silent", PHONE_TONE_NONE },
};

/* FALSE: neither a word nor a file. */
static gboolean
parse_ring (const char *text, PhoneTone *ret_tone, char **ret_sound)
{
  *ret_sound = NULL;
  *ret_tone = PHONE_TONE_RING;
  if (g_path_is_absolute (text))
    {
      *ret_sound = g_strdup (text);
      return TRUE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (rings); i++)
    if (g_str_equal (rings[i].word, text))
      {
        *ret_tone = rings[i].tone;
        return TRUE;
      }
  return FALSE;
}

/* "PATTERN=RING"; a pattern may have '=' in it, a ring has none. */
static gboolean
split_rule (char *rule, const char **ret_pattern, const char **ret_ring)
{
  char *equals = strrchr (rule, '=');

  if (!equals)
    return FALSE;
  *equals = '\0';
  *ret_pattern = g_strstrip (rule);
  *ret_ring = g_strstrip (equals + 1);
  return **ret_pattern != '\0';
}

char *
phone_ring_list_check (const char *text, GError **error)
{
  g_auto (GStrv) rules = g_strsplit (text, ",", MAX_RULES + 1);
  g_autoptr (GString) list = g_string_new (NULL);

  if (g_strv_length (rules) > MAX_RULES)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "more than %d rules", MAX_RULES);
      return NULL;
    }
  for (gsize i = 0; rules[i]; i++)
    {
      g_autofree char *shown = g_strdup (g_strstrip (rules[i]));
      g_autofree char *sound = NULL;
      const char *pattern, *ring;
      PhoneTone tone;

      if (!split_rule (rules[i], &pattern, &ring) || strpbrk (pattern, " \t") || !parse_ring (ring, &tone, &sound))
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                       "\"%s\" is not WORD=RING, where RING is normal, short, double, triple, long, silent or the path of a WAV file", shown);
          return NULL;
        }
      g_string_append_printf (list, "%s%s=%s", list->len ? "," : "", pattern, ring);
    }
  return g_string_free (g_steal_pointer (&list), FALSE);
}

static gboolean
fits (const char *pattern, char **words)
{
  g_autofree char *lower = g_ascii_strdown (pattern, -1);

  for (gsize i = 0; words[i]; i++)
    if (*words[i] && (strpbrk (lower, "*?") ? g_pattern_match_simple (lower, words[i]) : strstr (words[i], lower) != NULL))
      return TRUE;
  return FALSE;
}

PhoneTone
phone_ring_list_choose (const char *list, const char *words, char **ret_sound)
{
  g_auto (GStrv) rules = g_strsplit (list && words ? list : "", ",", MAX_RULES + 1);
  g_auto (GStrv) split = g_strsplit (words ? words : "", " ", -1);
  const char *pattern, *ring;
  PhoneTone tone;

  for (gsize i = 0; rules[i]; i++)
    if (split_rule (rules[i], &pattern, &ring) && fits (pattern, split) && parse_ring (ring, &tone, ret_sound))
      return tone;
  *ret_sound = NULL;
  return PHONE_TONE_RING;
}
