/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/settings-table.h"

#include <string.h>

#include "util/text.h"

#define MAX_VALUE 1024          /* octets */
#define SHOWN_VALUE 64          /* characters of a wrong value in an error message */

gpointer
phone_setting_refuse (const char *value, const char *expected, GError **error)
{
  g_autofree char *shown = phone_text_clean (value, -1, SHOWN_VALUE);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is not %s", shown != NULL ? shown : "", expected);
  return NULL;
}

gboolean
phone_setting_parse_uint (const char *value, guint min, guint max, guint *ret_number)
{
  guint64 number;

  /* g_ascii_string_to_unsigned() alone would take "+5". */
  if (!g_ascii_isdigit (value[0]) || !g_ascii_string_to_unsigned (value, 10, min, max, &number, NULL))
    return FALSE;
  *ret_number = (guint) number;
  return TRUE;
}

char *
phone_setting_check_path (const char *value, GError **error)
{
  return g_path_is_absolute (value) ? g_strdup (value) : phone_setting_refuse (value, "an absolute path", error);
}

char *
phone_setting_check_country (const char *value, GError **error)
{
  if (strlen (value) != 2 || !g_ascii_isalpha (value[0]) || !g_ascii_isalpha (value[1]))
    return phone_setting_refuse (value, "a country code of two letters (ISO 3166-1)", error);
  return g_ascii_strup (value, -1);
}

static gboolean
parse_bool (const char *value, gboolean *ret_value)
{
  static const char *const yes[] = { "true", "yes", "on", "1", NULL };
  static const char *const no[] = { "false", "no", "off", "0", NULL };
  g_autofree char *lower = g_ascii_strdown (value, -1);

  if (g_strv_contains (yes, lower))
    *ret_value = TRUE;
  else if (g_strv_contains (no, lower))
    *ret_value = FALSE;
  else
    return FALSE;
  return TRUE;
}

const PhoneSetting *
phone_setting_find (const PhoneSettingTable *table, const char *section, const char *key)
{
  for (gsize i = 0; i < table->n_rows; i++)
    if (g_strcmp0 (table->rows[i].section, section) == 0 && g_str_equal (table->rows[i].key, key))
      return &table->rows[i];
  return NULL;
}

/* Edits (insert, delete, replace) from a to b: Levenshtein, one row of the matrix at a time. */
static guint
distance (const char *a, const char *b)
{
  guint row[64];
  gsize n = strlen (b);

  if (n >= G_N_ELEMENTS (row) || strlen (a) >= G_N_ELEMENTS (row))
    return G_MAXUINT;
  for (guint k = 0; k <= n; k++)
    row[k] = k;
  for (gsize i = 0; a[i] != '\0'; i++)
    {
      guint diagonal = row[0];
      row[0] = (guint) i + 1;
      for (gsize k = 0; k < n; k++)
        {
          guint replaced = diagonal + (a[i] != b[k]);
          diagonal = row[k + 1];
          row[k + 1] = MIN (replaced, MIN (row[k], diagonal) + 1);
        }
    }
  return row[n];
}

void
phone_setting_set_unknown (const PhoneSettingTable *table, const char *section, const char *key, GError **error)
{
  g_autofree char *shown = phone_text_clean (key, -1, SHOWN_VALUE);
  const PhoneSetting *nearest = NULL;
  guint best = 4;

  if (shown == NULL)
    shown = g_strdup ("");
  for (gsize i = 0; i < table->n_rows; i++)
    {
      const PhoneSetting *row = &table->rows[i];
      guint d = distance (shown, row->key);
      /* A word of which half was changed is another word. */
      if (g_strcmp0 (row->section, section) == 0 && d < best && d * 2 < strlen (row->key))
        {
          nearest = row;
          best = d;
        }
    }

  if (nearest != NULL)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: there is no such key; did you mean \"%s\"?", shown, nearest->key);
  else
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: there is no such key", shown);
}

static gboolean
set_text (const PhoneSetting *row, char **member, const char *value, GError **error)
{
  g_autofree char *text = NULL;

  if (value != NULL)
    {
      text = row->check != NULL ? row->check (value, error) : g_strdup (value);
      if (text == NULL)
        return FALSE;
    }
  g_free (*member);
  *member = g_steal_pointer (&text);
  return TRUE;
}

static gboolean
set_word (const PhoneSetting *row, guint *member, const char *value, GError **error)
{
  g_autofree char *all = NULL;
  g_autofree char *expected = NULL;

  for (guint i = 0; row->words[i] != NULL; i++)
    if (g_str_equal (row->words[i], value))
      {
        *member = i;
        return TRUE;
      }
  all = g_strjoinv (", ", (char **) row->words);
  expected = g_strconcat ("one of ", all, NULL);
  phone_setting_refuse (value, expected, error);
  return FALSE;
}

static gboolean
set_uint (const PhoneSetting *row, guint *member, const char *value, GError **error)
{
  g_autofree char *expected = NULL;

  if (phone_setting_parse_uint (value, row->min, row->max, member))
    return TRUE;
  if (row->zero_too && phone_setting_parse_uint (value, 0, 0, member))
    return TRUE;
  expected = g_strdup_printf ("a number from %u to %u%s", row->min, row->max, row->zero_too ? ", or 0" : "");
  phone_setting_refuse (value, expected, error);
  return FALSE;
}

/* value: text, or NULL for a text or custom setting that is not set. */
static gboolean
set_value (const PhoneSetting *row, gpointer settings, const char *value, GError **error)
{
  gpointer member = (char *) settings + row->offset;

  switch (row->kind)
    {
    case PHONE_SETTING_TEXT:
      return set_text (row, member, value, error);
    case PHONE_SETTING_BOOL:
      if (!parse_bool (value, member))
        {
          phone_setting_refuse (value, "true or false", error);
          return FALSE;
        }
      return TRUE;
    case PHONE_SETTING_UINT:
      return set_uint (row, member, value, error);
    case PHONE_SETTING_WORD:
      return set_word (row, member, value, error);
    case PHONE_SETTING_CUSTOM:
      return row->parse (settings, value, error);
    }
  g_assert_not_reached ();
}

char *
phone_setting_dup_default (const PhoneSetting *row)
{
  return row->make_def != NULL ? row->make_def () : g_strdup (row->def);
}

static gboolean
check_text (const char *value, GError **error)
{
  if (strnlen (value, MAX_VALUE + 1) > MAX_VALUE)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "the value is longer than %d octets", MAX_VALUE);
  else if (!phone_text_is_clean (value))
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "the value has control characters or is not UTF-8");
  else
    return TRUE;
  return FALSE;
}

gboolean
phone_setting_set (const PhoneSetting *row, gpointer settings, const char *value, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  gboolean ok = value == NULL || check_text (value, &local);

  if (ok)
    {
      /* As in a keyfile: what is set over D-Bus must come back from the file as it was. */
      text = value != NULL ? g_strstrip (g_strdup (value)) : NULL;
      if (text == NULL || text[0] == '\0')
        {
          g_free (text);
          text = phone_setting_dup_default (row);
        }
      ok = set_value (row, settings, text, &local);
    }
  if (ok)
    return TRUE;
  /* Whatever a check found (a URI that cannot be parsed), to the caller it is an option with a bad value. */
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "%s: %s", row->key, local->message);
  return FALSE;
}

char *
phone_setting_format (const PhoneSetting *row, gconstpointer settings)
{
  gconstpointer member = (const char *) settings + row->offset;

  switch (row->kind)
    {
    case PHONE_SETTING_TEXT:
      return g_strdup (*(char *const *) member);
    case PHONE_SETTING_BOOL:
      return g_strdup (*(const gboolean *) member ? "true" : "false");
    case PHONE_SETTING_UINT:
      return g_strdup_printf ("%u", *(const guint *) member);
    case PHONE_SETTING_WORD:
      return g_strdup (row->words[*(const guint *) member]);
    case PHONE_SETTING_CUSTOM:
      return row->format (settings);
    }
  g_assert_not_reached ();
}

void
phone_setting_reset_all (const PhoneSettingTable *table, gpointer settings)
{
  for (gsize i = 0; i < table->n_rows; i++)
    {
      g_autoptr (GError) error = NULL;
      if (!phone_setting_set (&table->rows[i], settings, NULL, &error))
        g_error ("a default is not valid: %s", error->message);
    }
}

gpointer
phone_setting_copy_all (const PhoneSettingTable *table, gconstpointer settings)
{
  gpointer copy = g_memdup2 (settings, table->size);

  for (gsize i = 0; i < table->n_rows; i++)
    if (table->rows[i].kind == PHONE_SETTING_TEXT)
      {
        char **member = (char **) ((char *) copy + table->rows[i].offset);
        *member = g_strdup (*member);
      }
  return copy;
}

void
phone_setting_clear_all (const PhoneSettingTable *table, gpointer settings)
{
  for (gsize i = 0; i < table->n_rows; i++)
    if (table->rows[i].kind == PHONE_SETTING_TEXT)
      g_clear_pointer ((char **) ((char *) settings + table->rows[i].offset), g_free);
}

gboolean
phone_setting_equal_all (const PhoneSettingTable *table, gconstpointer a, gconstpointer b)
{
  for (gsize i = 0; i < table->n_rows; i++)
    {
      g_autofree char *text_a = phone_setting_format (&table->rows[i], a);
      g_autofree char *text_b = phone_setting_format (&table->rows[i], b);
      if (g_strcmp0 (text_a, text_b) != 0)
        return FALSE;
    }
  return TRUE;
}
