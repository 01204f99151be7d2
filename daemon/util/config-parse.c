/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/config-parse.h"

#include <string.h>

#include "util/text.h"

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define SPACE " \t"
#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define SHOWN_NAME 64

typedef enum
{
  LINE_BLANK,                   /* empty or a comment */
  LINE_SECTION,
  LINE_KEY,
  LINE_BAD,
} LineKind;

typedef struct
{
  LineKind kind;
  char *name;                   /* of the section or key; for a bad line the key if it could be read, else NULL */
  char *value;
  const char *fault;            /* static; bad lines only */
} Line;

static void
line_clear (Line *line)
{
  g_free (line->name);
  g_free (line->value);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Line, line_clear)

static char *
trimmed (const char *text, const char *end)
{
  while (text < end && strchr (SPACE, *text) != NULL)
    text++;
  while (text < end && strchr (SPACE, end[-1]) != NULL)
    end--;
  return g_strndup (text, (gsize) (end - text));
}

static gboolean
is_name (const char *text)
{
  return text[0] != '\0' && strspn (text, NAME_CHARACTERS) == strlen (text);
}

static Line
bad (const char *fault, char *name)
{
  return (Line) { .kind = LINE_BAD, .fault = fault, .name = name };
}

/* One line without its newline. There is no NUL in it. */
static Line
classify (const char *text, gsize length)
{
  g_autofree char *line = NULL;
  g_autofree char *name = NULL;
  g_autofree char *value = NULL;
  char *equals;

  while (length > 0 && text[length - 1] == '\r')
    length--;
  if (length > PHONE_CONFIG_MAX_LINE)
    return bad ("the line is longer than " G_STRINGIFY (PHONE_CONFIG_MAX_LINE) " octets", NULL);
  if (!g_utf8_validate (text, (gssize) length, NULL))
    return bad ("the line is not UTF-8", NULL);

  line = trimmed (text, text + length);
  if (line[0] == '\0' || line[0] == '#' || line[0] == ';')
    return (Line) { .kind = LINE_BLANK };

  if (line[0] == '[')
    {
      gsize n = strlen (line);
      if (line[n - 1] != ']')
        return bad ("a section does not end with ']'", NULL);
      name = trimmed (line + 1, line + n - 1);
      if (!is_name (name))
        return bad ("the name of a section is made of lower-case letters, digits and '-'", NULL);
      return (Line) { .kind = LINE_SECTION, .name = g_steal_pointer (&name) };
    }

  equals = strchr (line, '=');
  if (equals == NULL)
    return bad ("neither a comment, nor [section], nor key=value", NULL);
  name = trimmed (line, equals);
  if (!is_name (name))
    {
      g_autofree char *shown = phone_text_clean (name, -1, SHOWN_NAME);
      return bad ("a key is made of lower-case letters, digits and '-'", g_steal_pointer (&shown));
    }
  value = trimmed (equals + 1, line + strlen (line));
  if (!phone_text_is_clean (value))
    return bad ("the value has control characters", g_steal_pointer (&name));
  return (Line) { .kind = LINE_KEY, .name = g_steal_pointer (&name), .value = g_steal_pointer (&value) };
}

static void
entry_free (gpointer data)
{
  PhoneConfigEntry *entry = data;
  if (entry == NULL)
    return;
  g_free (entry->section);
  g_free (entry->key);
  g_free (entry->value);
  g_free (entry);
}

static void
problem_free (gpointer data)
{
  PhoneConfigProblem *problem = data;
  g_free (problem->message);
  g_free (problem);
}

void
phone_config_file_free (PhoneConfigFile *file)
{
  if (file == NULL)
    return;
  g_ptr_array_unref (file->entries);
  g_ptr_array_unref (file->problems);
  g_free (file);
}

/* Takes message. */
static void
add_problem (PhoneConfigFile *file, guint line, gboolean is_warning, char *message)
{
  PhoneConfigProblem *problem;

  if (file->problems->len >= PHONE_CONFIG_MAX_PROBLEMS)
    {
      g_free (message);
      return;
    }
  problem = g_new (PhoneConfigProblem, 1);
  problem->line = line;
  problem->is_warning = is_warning;
  problem->message = message;
  g_ptr_array_add (file->problems, problem);
}

static char *
bad_line_message (const char *section, const Line *line)
{
  if (line->name != NULL)
    return g_strdup_printf ("[%s] %s: %s", section != NULL ? section : "", line->name, line->fault);
  if (section != NULL)
    return g_strdup_printf ("[%s]: %s", section, line->fault);
  return g_strdup (line->fault);
}

/* Keeps one entry for each key: the last. seen: "section key" -> index of the entry. */
static void
add_entry (PhoneConfigFile *file, GHashTable *seen, guint number, const char *section, Line *line)
{
  char *id = g_strdup_printf ("%s %s", section, line->name);
  gpointer index;
  PhoneConfigEntry *entry;

  if (g_hash_table_lookup_extended (seen, id, NULL, &index))
    {
      PhoneConfigEntry *earlier = g_ptr_array_index (file->entries, GPOINTER_TO_UINT (index));
      add_problem (file, number, TRUE,
                   g_strdup_printf ("[%s] %s: stands in line %u too; this one counts", section, line->name, earlier->line));
      entry_free (earlier);
      g_ptr_array_index (file->entries, GPOINTER_TO_UINT (index)) = NULL;
    }
  entry = g_new (PhoneConfigEntry, 1);
  entry->line = number;
  entry->section = g_strdup (section);
  entry->key = g_steal_pointer (&line->name);
  entry->value = g_steal_pointer (&line->value);
  g_hash_table_replace (seen, id, GUINT_TO_POINTER (file->entries->len));
  g_ptr_array_add (file->entries, entry);
}

static void
remove_holes (GPtrArray *entries)
{
  guint n = 0;
  for (guint i = 0; i < entries->len; i++)
    if (entries->pdata[i] != NULL)
      {
        gpointer entry = entries->pdata[i];
        entries->pdata[i] = NULL;
        entries->pdata[n++] = entry;
      }
  g_ptr_array_set_size (entries, (int) n);
}

/* What makes a file unreadable as a whole; NULL: nothing. */
static const char *
whole_fault (const char *data, gsize length)
{
  if (length > PHONE_CONFIG_MAX_FILE)
    return "the file is larger than 1 MiB";
  if (length > 0 && memchr (data, '\0', length) != NULL)
    return "the file contains a NUL octet";
  return NULL;
}

static const char *
skip_mark (const char *data, gsize length)
{
  gsize n = strlen (BYTE_ORDER_MARK);
  return length >= n && memcmp (data, BYTE_ORDER_MARK, n) == 0 ? data + n : data;
}

/* Of the line that ends before stop; NUL if there is nothing but white space. */
static char
first_char (const char *text, const char *stop)
{
  while (text < stop && strchr (SPACE, *text) != NULL && *text != '\0')
    text++;
  return text < stop ? *text : '\0';
}

PhoneConfigFile *
phone_config_parse (const char *data, gsize length)
{
  PhoneConfigFile *file = g_new (PhoneConfigFile, 1);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *section = NULL;
  gboolean section_is_bad = FALSE;
  const char *fault = whole_fault (data, length);
  const char *end = data + length;
  const char *next;
  guint number = 0;

  file->entries = g_ptr_array_new_with_free_func (entry_free);
  file->problems = g_ptr_array_new_with_free_func (problem_free);
  if (fault != NULL)
    {
      add_problem (file, 0, FALSE, g_strdup (fault));
      return file;
    }
  if (length == 0)
    return file;

  for (const char *text = skip_mark (data, length); text < end; text = next)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      const char *stop = newline != NULL ? newline : end;
      g_auto (Line) line = classify (text, (gsize) (stop - text));

      next = newline != NULL ? newline + 1 : end;
      number++;
      switch (line.kind)
        {
        case LINE_BLANK:
          break;
        case LINE_SECTION:
          g_free (section);
          section = g_steal_pointer (&line.name);
          section_is_bad = FALSE;
          break;
        case LINE_BAD:
          add_problem (file, number, FALSE, bad_line_message (section, &line));
          /* The keys below a header that cannot be read do not belong to the section above it. */
          if (line.name == NULL && first_char (text, stop) == '[')
            section_is_bad = TRUE;
          break;
        case LINE_KEY:
          if (section == NULL && !section_is_bad)
            add_problem (file, number, FALSE, g_strdup_printf ("%s: stands before any [section]", line.name));
          else if (file->entries->len >= PHONE_CONFIG_MAX_ENTRIES)
            add_problem (file, number, FALSE, g_strdup_printf ("%s: too many keys in one file", line.name));
          else if (!section_is_bad)
            add_entry (file, seen, number, section, &line);
          break;
        }
      /* Not read to the end: then the last problem is an error whatever it was. */
      if (file->problems->len >= PHONE_CONFIG_MAX_PROBLEMS)
        {
          ((PhoneConfigProblem *) g_ptr_array_index (file->problems, file->problems->len - 1))->is_warning = FALSE;
          break;
        }
    }
  remove_holes (file->entries);
  return file;
}

static const char *
find_pair (const char *const *pairs, const char *key, guint *ret_index)
{
  for (guint i = 0; pairs[i] != NULL; i += 2)
    if (g_str_equal (pairs[i], key))
      {
        *ret_index = i / 2;
        return pairs[i + 1];
      }
  return NULL;
}

/* A line that does not parse, as a comment if it can be one. */
static void
keep_as_comment (GPtrArray *lines, const char *text, gsize length)
{
  if (length + 2 <= PHONE_CONFIG_MAX_LINE && g_utf8_validate (text, (gssize) length, NULL))
    g_ptr_array_add (lines, g_strdup_printf ("# %.*s", (int) length, text));
}

char *
phone_config_rewrite (const char *old, gsize length, const char *section, const char *const *pairs)
{
  g_autoptr (GPtrArray) lines = g_ptr_array_new_with_free_func (g_free);
  guint n_pairs = (guint) g_strv_length ((char **) pairs) / 2;
  g_autofree gboolean *written = g_new0 (gboolean, n_pairs + 1);
  gboolean usable = old != NULL && length > 0 && whole_fault (old, length) == NULL;
  const char *end = usable ? old + length : NULL;
  const char *next;
  gboolean inside = FALSE, outside = FALSE;     /* of section; in another one; neither: before any */
  int insert_at = -1;
  GString *out;

  for (const char *text = usable ? skip_mark (old, length) : NULL; text < end; text = next)
    {
      const char *newline = memchr (text, '\n', (gsize) (end - text));
      gsize n = (gsize) ((newline != NULL ? newline : end) - text);
      g_auto (Line) line = classify (text, n);
      const char *value = NULL;
      guint index = 0;

      next = newline != NULL ? newline + 1 : end;
      while (n > 0 && text[n - 1] == '\r')
        n--;
      switch (line.kind)
        {
        case LINE_BLANK:
          g_ptr_array_add (lines, g_strndup (text, n));
          break;
        case LINE_SECTION:
          inside = g_str_equal (line.name, section);
          outside = !inside;
          g_ptr_array_add (lines, g_strndup (text, n));
          if (inside)
            insert_at = (int) lines->len;
          break;
        case LINE_BAD:
          /* Below a header that cannot be read nothing is ours. */
          if (first_char (text, text + n) == '[')
            inside = outside = FALSE;
          keep_as_comment (lines, text, n);
          break;
        case LINE_KEY:
          if (outside)
            g_ptr_array_add (lines, g_strndup (text, n));
          else if (!inside)
            keep_as_comment (lines, text, n);
          if (!inside)
            break;
          value = find_pair (pairs, line.name, &index);
          if (value == NULL || written[index])
            break;
          g_ptr_array_add (lines, g_str_equal (value, line.value) ? g_strndup (text, n) : g_strdup_printf ("%s=%s", line.name, value));
          written[index] = TRUE;
          insert_at = (int) lines->len;
          break;
        }
    }

  if (insert_at < 0)
    {
      g_ptr_array_add (lines, g_strdup_printf ("[%s]", section));
      insert_at = (int) lines->len;
    }
  for (guint i = 0; i < n_pairs; i++)
    if (!written[i])
      g_ptr_array_insert (lines, insert_at++, g_strdup_printf ("%s=%s", pairs[2 * i], pairs[2 * i + 1]));

  out = g_string_new (NULL);
  for (guint i = 0; i < lines->len; i++)
    g_string_append_printf (out, "%s\n", (const char *) g_ptr_array_index (lines, i));
  return g_string_free (out, FALSE);
}
