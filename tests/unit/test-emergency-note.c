/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The note of a call for help is on the disk when it is asked for; a disk that hangs holds up nobody, and has the newest time when it goes on.
 * fsync() is this test's. */

#include "emergency-note.h"

#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

static GMutex lock;
static GCond changed;
static gboolean hangs;
static guint synced;                    /* how often it was asked */

int fsync (int fd);

int
fsync (int fd)
{
  g_mutex_lock (&lock);
  synced++;
  g_cond_broadcast (&changed);
  while (hangs)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  return 0;
}

static void
set_hangs (gboolean value)
{
  g_mutex_lock (&lock);
  hangs = value;
  g_cond_broadcast (&changed);
  g_mutex_unlock (&lock);
}

typedef struct
{
  char *root, *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->root = g_dir_make_tmp ("phoned-note-XXXXXX", NULL);
  f->path = g_build_filename (f->root, "state", "emergency-call", NULL);
  set_hangs (FALSE);
  synced = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  const char *argv[] = { "rm", "-r", f->root, NULL };

  g_assert_true (g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
  g_free (f->root);
  g_free (f->path);
}

static gint64
load (Fixture *f)
{
  EmergencyNote *note = emergency_note_new (f->path);
  gint64 at = emergency_note_load (note);

  emergency_note_free (note);
  return at;
}

static void
test_kept (Fixture *f, gconstpointer data)
{
  EmergencyNote *note = emergency_note_new (f->path);
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (emergency_note_load (note), ==, 0);
  for (gint64 at = 1764400000; at < 1764400003; at++)
    {
      g_assert_true (emergency_note_save (note, at, &error));
      g_assert_no_error (error);
      g_assert_cmpint (load (f), ==, at);
    }
  emergency_note_free (note);
  /* the file and its directory, each time */
  g_assert_cmpuint (synced, ==, 6);
  g_assert_true (g_file_set_contents (f->path, "no number", -1, NULL));
  g_assert_cmpint (load (f), ==, 0);
  g_assert_true (g_file_set_contents (f->path, "-5\n", -1, NULL));
  g_assert_cmpint (load (f), ==, 0);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  EmergencyNote *note = emergency_note_new (f->path);
  g_autofree char *state = g_path_get_dirname (f->path);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (state, "not a folder", -1, NULL));
  g_assert_false (emergency_note_save (note, 1764400000, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_assert_cmpint (g_unlink (state), ==, 0);
  g_assert_true (emergency_note_save (note, 1764400001, NULL));
  g_assert_cmpint (load (f), ==, 1764400001);
  emergency_note_free (note);
}

static void
test_hanging (Fixture *f, gconstpointer data)
{
  EmergencyNote *note = emergency_note_new (f->path);
  g_autoptr (GError) first = NULL, second = NULL;

  set_hangs (TRUE);
  g_assert_false (emergency_note_save (note, 1764400000, &first));
  g_assert_error (first, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_assert_nonnull (strstr (first->message, "does not answer"));
  /* called for help again: no second one hangs */
  g_assert_false (emergency_note_save (note, 1764400060, &second));
  g_assert_cmpuint (synced, ==, 1);
  emergency_note_free (note);
  set_hangs (FALSE);
  /* file and directory of either; the name is there before the directory is asked for */
  g_mutex_lock (&lock);
  while (synced < 4)
    g_cond_wait (&changed, &lock);
  g_mutex_unlock (&lock);
  g_assert_cmpint (load (f), ==, 1764400060);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/emergency-note/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("kept", test_kept);
  ADD ("refused", test_refused);
  ADD ("hanging", test_hanging);
  return g_test_run ();
}
