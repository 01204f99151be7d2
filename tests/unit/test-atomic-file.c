/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "util/atomic-file.h"

typedef struct
{
  char *dir, *path;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("phoned-test-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "file.conf", NULL);
}

static guint
count_files (const char *dir)
{
  g_autoptr (GDir) d = g_dir_open (dir, 0, NULL);
  guint n = 0;
  while (g_dir_read_name (d) != NULL)
    n++;
  return n;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (GDir) d = g_dir_open (f->dir, 0, NULL);
  for (const char *name; (name = g_dir_read_name (d)) != NULL;)
    {
      g_autofree char *path = g_build_filename (f->dir, name, NULL);
      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (f->dir), ==, 0);
  g_free (f->path);
  g_free (f->dir);
}

static void
assert_file (const char *path, const char *content, guint mode)
{
  g_autofree char *data = NULL;
  gsize length;
  struct stat st;

  g_assert_true (g_file_get_contents (path, &data, &length, NULL));
  g_assert_cmpmem (data, length, content, strlen (content));
  g_assert_cmpint (lstat (path, &st), ==, 0);
  g_assert_true (S_ISREG (st.st_mode));
  g_assert_cmpuint (st.st_mode & 07777, ==, mode);
}

static void
test_write (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  mode_t old = umask (0777);

  g_assert_true (phone_atomic_write (f->path, "one", 3, 0600, &error));
  g_assert_no_error (error);
  umask (0);
  assert_file (f->path, "one", 0600);
  g_assert_true (phone_atomic_write (f->path, "two\n", 4, 0640, &error));
  assert_file (f->path, "two\n", 0640);
  g_assert_true (phone_atomic_write (f->path, NULL, 0, 0600, &error));
  assert_file (f->path, "", 0600);
  g_assert_cmpuint (count_files (f->dir), ==, 1);
  umask (old);
}

/* A reader that has the old file open keeps the whole old content. */
static void
test_replaces (Fixture *f, gconstpointer data)
{
  char buffer[8] = "";
  int fd;

  g_assert_true (phone_atomic_write (f->path, "old", 3, 0600, NULL));
  fd = open (f->path, O_RDONLY);
  g_assert_true (phone_atomic_write (f->path, "newer", 5, 0600, NULL));
  g_assert_cmpint (read (fd, buffer, sizeof buffer), ==, 3);
  g_assert_cmpstr (buffer, ==, "old");
  close (fd);
}

static void
test_symlink (Fixture *f, gconstpointer data)
{
  g_autofree char *victim = g_build_filename (f->dir, "victim", NULL);

  g_assert_true (g_file_set_contents (victim, "precious", -1, NULL));
  g_assert_cmpint (g_chmod (victim, 0644), ==, 0);
  g_assert_cmpint (symlink (victim, f->path), ==, 0);
  g_assert_true (phone_atomic_write (f->path, "mine", 4, 0600, NULL));
  assert_file (victim, "precious", 0644);
  assert_file (f->path, "mine", 0600);
}

static void
test_errors (Fixture *f, gconstpointer data)
{
  g_autofree char *missing = g_build_filename (f->dir, "no-such-dir", "file", NULL);
  g_autofree char *sub = g_build_filename (f->dir, "sub", NULL);
  g_autofree char *below = g_build_filename (f->path, "x", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_false (phone_atomic_write (missing, "x", 1, 0600, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_assert_nonnull (strstr (error->message, missing));
  g_clear_error (&error);

  /* rename() over a directory fails: the temporary file must not stay. */
  g_assert_cmpint (g_mkdir (sub, 0700), ==, 0);
  g_assert_false (phone_atomic_write (sub, "x", 1, 0600, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_assert_cmpuint (count_files (f->dir), ==, 1);
  g_clear_error (&error);

  g_assert_false (phone_atomic_remove (sub, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_clear_error (&error);

  g_assert_true (phone_atomic_write (f->path, "x", 1, 0600, NULL));
  g_assert_false (phone_make_directory (below, 0700, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

/* write() fails in the middle, as on a full device: the old file stays as it was and nothing is left beside it. */
static void
test_full (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *big = g_malloc0 (100000);
  struct rlimit old, small;
  void (*old_handler) (int) = signal (SIGXFSZ, SIG_IGN);

  g_assert_true (phone_atomic_write (f->path, "old", 3, 0600, NULL));
  g_assert_cmpint (getrlimit (RLIMIT_FSIZE, &old), ==, 0);
  small = (struct rlimit) { 50000, old.rlim_max };
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &small), ==, 0);
  g_assert_false (phone_atomic_write (f->path, big, 100000, 0600, &error));
  g_assert_cmpint (setrlimit (RLIMIT_FSIZE, &old), ==, 0);
  signal (SIGXFSZ, old_handler);

  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
  assert_file (f->path, "old", 0600);
  g_assert_cmpuint (count_files (f->dir), ==, 1);
}

static void
test_remove (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (phone_atomic_write (f->path, "x", 1, 0600, NULL));
  g_assert_true (phone_atomic_remove (f->path, &error));
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_true (phone_atomic_remove (f->path, &error));
  g_assert_no_error (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/atomic-file/" name, Fixture, NULL, set_up, function, tear_down)
  ADD ("write", test_write);
  ADD ("replaces", test_replaces);
  ADD ("symlink", test_symlink);
  ADD ("errors", test_errors);
  ADD ("full", test_full);
  ADD ("remove", test_remove);
  return g_test_run ();
}
