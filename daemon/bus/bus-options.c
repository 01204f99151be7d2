/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/bus-options.h"

#include <string.h>

#define MAX_KEYS 64
#define MAX_HEADERS 32
#define MAX_LIST 64
#define MAX_TEXT 4096                   /* octets of one value */
#define SHOWN_KEY 64                    /* octets of an unknown key that an error message repeats */

/* A message that does not parse although its signature fits: sd-bus has validated it, so this is memory or a
 * bug. */
static gboolean
malformed (int r, GError **error)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Cannot read the options: %s",
               g_strerror (-r));
  return FALSE;
}

G_GNUC_PRINTF (3, 4)
static gboolean
refuse (const char *key, GError **error, const char *format, ...)
{
  g_autofree char *why = NULL;
  g_autofree char *shown = g_strndup (key, SHOWN_KEY);
  va_list args;

  va_start (args, format);
  why = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option '%s' %s", shown, why);
  return FALSE;
}

static gboolean
check_length (const char *key, const char *value, GError **error)
{
  if (strlen (value) <= MAX_TEXT)
    return TRUE;
  return refuse (key, error, "is longer than %d octets", MAX_TEXT);
}

/* ---- options of a method ---- */

static gboolean
read_pairs (sd_bus_message *m, const char *key, GPtrArray **ret_pairs, GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);
  const char *name, *value;
  int r = sd_bus_message_enter_container (m, 'a', "{ss}");

  while (r >= 0 && (r = sd_bus_message_read (m, "{ss}", &name, &value)) > 0)
    {
      if (pairs->len >= 2 * MAX_HEADERS)
        return refuse (key, error, "has more than %d entries", MAX_HEADERS);
      if (!check_length (key, name, error) || !check_length (key, value, error))
        return FALSE;
      g_ptr_array_add (pairs, g_strdup (name));
      g_ptr_array_add (pairs, g_strdup (value));
    }
  if (r >= 0)
    r = sd_bus_message_exit_container (m);
  if (r < 0)
    return malformed (r, error);
  g_ptr_array_add (pairs, NULL);
  g_clear_pointer (ret_pairs, g_ptr_array_unref);
  *ret_pairs = g_steal_pointer (&pairs);
  return TRUE;
}

static gboolean
read_option (sd_bus_message *m, const BusOption *option, GError **error)
{
  int r;

  if (strcmp (option->signature, "a{ss}") == 0)
    return read_pairs (m, option->key, option->ret, error);
  r = sd_bus_message_read_basic (m, option->signature[0], option->ret);
  if (r < 0)
    return malformed (r, error);
  if (option->signature[0] == 's')
    return check_length (option->key, *(const char **) option->ret, error);
  return TRUE;
}

static const BusOption *
find_option (const BusOption *options, gsize n, const char *key)
{
  for (gsize i = 0; i < n; i++)
    if (strcmp (options[i].key, key) == 0)
      return &options[i];
  return NULL;
}

/* Enters the next entry and its variant. FALSE without error: there is none. */
static gboolean
next_entry (sd_bus_message *m, const char **ret_key, const char **ret_signature, GError **error)
{
  int r = sd_bus_message_enter_container (m, 'e', "sv");

  if (r == 0)
    return FALSE;
  if (r > 0)
    r = sd_bus_message_read_basic (m, 's', ret_key);
  if (r >= 0)
    r = sd_bus_message_peek_type (m, NULL, ret_signature);
  if (r >= 0)
    r = sd_bus_message_enter_container (m, 'v', *ret_signature);
  if (r < 0)
    return malformed (r, error);
  return TRUE;
}

static gboolean
leave_entry (sd_bus_message *m, GError **error)
{
  int r = sd_bus_message_exit_container (m);

  if (r >= 0)
    r = sd_bus_message_exit_container (m);
  return r < 0 ? malformed (r, error) : TRUE;
}

gboolean
bus_options_read (sd_bus_message *m, const BusOption *options, gsize n, GError **error)
{
  g_autoptr (GError) failure = NULL;
  guint64 seen = 0;
  const char *key, *signature;
  int r = sd_bus_message_enter_container (m, 'a', "{sv}");

  if (r < 0)
    return malformed (r, error);
  g_return_val_if_fail (n < 64, FALSE);
  while (next_entry (m, &key, &signature, &failure))
    {
      const BusOption *option = find_option (options, n, key);
      guint64 bit;

      if (!option)
        return refuse (key, error, "is unknown");
      bit = G_GUINT64_CONSTANT (1) << (option - options);
      if (seen & bit)
        return refuse (key, error, "is given twice");
      if (strcmp (signature, option->signature) != 0)
        return refuse (key, error, "must be of type %s, not %s", option->signature, signature);
      if (!read_option (m, option, error) || !leave_entry (m, error))
        return FALSE;
      seen |= bit;
    }
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  r = sd_bus_message_exit_container (m);
  return r < 0 ? malformed (r, error) : TRUE;
}

/* ---- settings ---- */

static char *
read_list (sd_bus_message *m, const char *key, GError **error)
{
  g_autoptr (GString) joined = g_string_new (NULL);
  const char *item;
  guint n = 0;
  int r = sd_bus_message_enter_container (m, 'a', "s");

  while (r >= 0 && (r = sd_bus_message_read_basic (m, 's', &item)) > 0)
    {
      if (++n > MAX_LIST || joined->len + strlen (item) > MAX_TEXT)
        {
          refuse (key, error, "is a list of more than %d items or %d octets", MAX_LIST, MAX_TEXT);
          return NULL;
        }
      if (strchr (item, ','))
        {
          refuse (key, error, "has a comma inside a list item");
          return NULL;
        }
      g_string_append_printf (joined, "%s%s", joined->len ? "," : "", item);
    }
  if (r >= 0)
    r = sd_bus_message_exit_container (m);
  if (r < 0)
    {
      malformed (r, error);
      return NULL;
    }
  return g_string_free (g_steal_pointer (&joined), FALSE);
}

/* The value of a variant as text. */
static char *
read_value (sd_bus_message *m, const char *key, const char *signature, GError **error)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];
  union
  {
    int b;
    guint32 u;
    gint32 i;
    double d;
    const char *s;
  } value;
  int r;

  if (strcmp (signature, "as") == 0)
    return read_list (m, key, error);
  if (strlen (signature) != 1 || !strchr ("sbuid", signature[0]))
    {
      refuse (key, error, "must be of type s, b, u, i, d or as, not %s", signature);
      return NULL;
    }
  r = sd_bus_message_read_basic (m, signature[0], &value);
  if (r < 0)
    {
      malformed (r, error);
      return NULL;
    }
  if (signature[0] == 'b')
    return g_strdup (value.b ? "true" : "false");
  if (signature[0] == 'u')
    return g_strdup_printf ("%" G_GUINT32_FORMAT, value.u);
  if (signature[0] == 'i')
    return g_strdup_printf ("%" G_GINT32_FORMAT, value.i);
  if (signature[0] == 'd')
    return g_strdup (g_ascii_dtostr (buffer, sizeof buffer, value.d));
  return check_length (key, value.s, error) ? g_strdup (value.s) : NULL;
}

static gboolean
has_key (GPtrArray *pairs, const char *key)
{
  for (guint i = 0; i < pairs->len; i += 2)
    if (strcmp (pairs->pdata[i], key) == 0)
      return TRUE;
  return FALSE;
}

GPtrArray *
bus_options_read_settings (sd_bus_message *m, GError **error)
{
  g_autoptr (GPtrArray) pairs = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failure = NULL;
  const char *key, *signature;
  int r = sd_bus_message_enter_container (m, 'a', "{sv}");

  while (r >= 0 && next_entry (m, &key, &signature, &failure))
    {
      char *text = NULL;

      if (pairs->len >= 2 * MAX_KEYS)
        refuse (key, &failure, "is one too many: at most %d at a time", MAX_KEYS);
      else if (has_key (pairs, key))
        refuse (key, &failure, "is given twice");
      else
        text = read_value (m, key, signature, &failure);
      if (!text)
        break;
      g_ptr_array_add (pairs, g_strdup (key));
      g_ptr_array_add (pairs, text);
      if (!leave_entry (m, &failure))
        break;
    }
  if (r >= 0 && !failure)
    r = sd_bus_message_exit_container (m);
  if (r < 0)
    malformed (r, &failure);
  if (failure)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_ptr_array_add (pairs, NULL);
  return g_steal_pointer (&pairs);
}
