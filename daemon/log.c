/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The boundary at which log messages leave the process. Libraries log through GLib too, so the redaction stands here and
 * not at the callers. */

#include "log.h"

#include <string.h>
#include <unistd.h>

#include "util/log.h"

static GLogLevelFlags max_level = G_LOG_LEVEL_MESSAGE;
static gboolean to_journal;

static const struct
{
  const char *name;
  GLogLevelFlags level;
  char priority;
} levels[] = {
  { "error", G_LOG_LEVEL_CRITICAL, '3' }, { "warning", G_LOG_LEVEL_WARNING, '4' }, { "notice", G_LOG_LEVEL_MESSAGE, '5' },
  { "info", G_LOG_LEVEL_INFO, '6' },      { "debug", G_LOG_LEVEL_DEBUG, '7' },
};

gboolean
log_level_from_string (const char *name, GLogLevelFlags *ret_level)
{
  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (g_str_equal (name, levels[i].name))
      {
        *ret_level = levels[i].level;
        return TRUE;
      }
  return FALSE;
}

static const GLogField *
find_field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key))
      return &fields[i];
  return NULL;
}

static void
write_line (GLogLevelFlags level, const char *message)
{
  const char *name = "error";
  g_autofree char *line = NULL;
  gsize length;

  for (gsize i = 0; i < G_N_ELEMENTS (levels); i++)
    if (level & levels[i].level)
      name = levels[i].name;
  line = g_strdup_printf ("phoned: %s: %s\n", name, message);
  length = strlen (line);
  for (gsize done = 0; done < length;)
    {
      gssize n = write (STDERR_FILENO, line + done, length - done);

      if (n <= 0)
        return;
      done += (gsize) n;
    }
}

static GLogWriterOutput
write_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const GLogField *message = find_field (fields, n_fields, "MESSAGE");
  g_autofree char *text = NULL;
  g_autofree char *clean = NULL;
  g_autofree GLogField *copy = NULL;

  if ((level & G_LOG_LEVEL_MASK) > max_level || !message)
    return G_LOG_WRITER_HANDLED;
  text = message->length < 0 ? g_strdup (message->value) : g_strndup (message->value, (gsize) message->length);
  clean = phone_log_redact (text);
  if (!to_journal)
    {
      write_line (level, clean);
      return G_LOG_WRITER_HANDLED;
    }
  copy = g_memdup2 (fields, n_fields * sizeof *fields);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (copy[i].key, "MESSAGE"))
      {
        copy[i].value = clean;
        copy[i].length = -1;
      }
  if (g_log_writer_journald (level, copy, n_fields, NULL) != G_LOG_WRITER_HANDLED)
    write_line (level, clean);
  return G_LOG_WRITER_HANDLED;
}

void
log_set_level (GLogLevelFlags level)
{
  max_level = level;
}

void
log_init (GLogLevelFlags level)
{
  max_level = level;
  to_journal = g_log_writer_is_journald (STDERR_FILENO);
  g_log_set_writer_func (write_log, NULL, NULL);
}
