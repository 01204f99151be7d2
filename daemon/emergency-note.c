/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread at most writes, whatever hangs: it takes the newest time and ends when there is none that it has not written. It holds a reference,
 * so that nobody has to wait for it. */

#include "emergency-note.h"

#include <string.h>

#include "util/atomic-file.h"

#define MAX_FILE 64

struct _EmergencyNote
{
  gatomicrefcount refs;
  char *path;
  GMutex lock;
  GCond written_cond;
  gint64 wanted;                /* the newest time */
  guint asked, written;         /* which of the times it is, and which one the disk has or has refused */
  gboolean writing;             /* there is a thread */
  char *fault;                  /* of the last attempt; NULL: it went well */
};

EmergencyNote *
emergency_note_new (const char *path)
{
  EmergencyNote *note = g_new0 (EmergencyNote, 1);

  g_atomic_ref_count_init (&note->refs);
  note->path = g_strdup (path);
  g_mutex_init (&note->lock);
  g_cond_init (&note->written_cond);
  return note;
}

void
emergency_note_free (EmergencyNote *note)
{
  if (!note || !g_atomic_ref_count_dec (&note->refs))
    return;
  g_mutex_clear (&note->lock);
  g_cond_clear (&note->written_cond);
  g_free (note->path);
  g_free (note->fault);
  g_free (note);
}

gint64
emergency_note_load (EmergencyNote *note)
{
  g_autofree char *text = NULL;
  gsize length;

  if (!g_file_get_contents (note->path, &text, &length, NULL) || length > MAX_FILE)
    return 0;
  return MAX (g_ascii_strtoll (text, NULL, 10), 0);
}

static void
write_file (const char *path, gint64 at, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path), *text = g_strdup_printf ("%" G_GINT64_FORMAT "\n", at);

  if (phone_make_directory (directory, 0700, error))
    phone_atomic_write (path, text, strlen (text), 0600, error);
}

static gpointer
write_newest (gpointer data)
{
  EmergencyNote *note = data;

  g_mutex_lock (&note->lock);
  while (note->written != note->asked)
    {
      gint64 at = note->wanted;
      guint which = note->asked;
      g_autoptr (GError) error = NULL;

      g_mutex_unlock (&note->lock);
      write_file (note->path, at, &error);
      g_mutex_lock (&note->lock);
      note->written = which;
      g_free (note->fault);
      note->fault = error ? g_strdup (error->message) : NULL;
      g_cond_broadcast (&note->written_cond);
    }
  note->writing = FALSE;
  g_mutex_unlock (&note->lock);
  emergency_note_free (note);
  return NULL;
}

/* Called with the lock. Without a thread to be had there is none now: a disk that may hang is the smaller evil. */
static void
start_writing (EmergencyNote *note)
{
  g_autoptr (GError) error = NULL;
  GThread *thread;

  if (note->writing)
    return;
  note->writing = TRUE;
  g_atomic_ref_count_inc (&note->refs);
  thread = g_thread_try_new ("emergency-note", write_newest, note, &error);
  if (thread)
    {
      g_thread_unref (thread);
      return;
    }
  g_mutex_unlock (&note->lock);
  write_newest (note);
  g_mutex_lock (&note->lock);
}

gboolean
emergency_note_save (EmergencyNote *note, gint64 at, GError **error)
{
  gint64 deadline = g_get_monotonic_time () + EMERGENCY_NOTE_WAIT_MS * G_TIME_SPAN_MILLISECOND;
  g_autofree char *fault = NULL;
  gboolean in_time = TRUE;

  g_mutex_lock (&note->lock);
  note->wanted = at;
  note->asked++;
  start_writing (note);
  while (note->written != note->asked && in_time)
    in_time = g_cond_wait_until (&note->written_cond, &note->lock, deadline);
  if (note->written != note->asked)
    fault = g_strdup_printf ("%s: the disk does not answer; it is written when it does", note->path);
  else
    fault = g_strdup (note->fault);
  g_mutex_unlock (&note->lock);
  if (fault)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, fault);
  return !fault;
}
