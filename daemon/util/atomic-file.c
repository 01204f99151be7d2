/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* rename() is atomic for what looks at the name, but only fsync() of the file before it and of the directory after it
 * make that true for what a power cut leaves. All steps use the directory's descriptor, so that a directory that is
 * renamed in the middle does not scatter them. */

#include "util/atomic-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

static gboolean
fail (GError **error, const char *action, const char *path)
{
  int saved = errno;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "cannot %s %s: %s", action, path, g_strerror (saved));
  return FALSE;
}

static int
open_directory_of (const char *path)
{
  g_autofree char *dir = g_path_get_dirname (path);
  return open (dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* A new file in dir with a name that nobody has; *ret_name is its name. */
static int
create_temporary (int dir, const char *base, char **ret_name)
{
  for (guint attempt = 0; attempt < 100; attempt++)
    {
      g_autofree char *name = g_strdup_printf (".%.200s.%08x", base, g_random_int ());
      int fd = openat (dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
      if (fd >= 0)
        {
          *ret_name = g_steal_pointer (&name);
          return fd;
        }
      if (errno != EEXIST)
        return -1;
    }
  return -1;
}

static gboolean
write_all (int fd, const char *data, gsize length)
{
  while (length > 0)
    {
      ssize_t n = write (fd, data, length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
phone_atomic_write (const char *path, const char *data, gsize length, guint mode, GError **error)
{
  g_autofree char *base = NULL;
  g_autofree char *temporary = NULL;
  int dir, fd;
  gboolean ok;

  g_return_val_if_fail (path != NULL && (data != NULL || length == 0), FALSE);

  base = g_path_get_basename (path);
  dir = open_directory_of (path);
  if (dir < 0)
    return fail (error, "open the directory of", path);

  fd = create_temporary (dir, base, &temporary);
  if (fd < 0)
    {
      fail (error, "create a file beside", path);
      close (dir);
      return FALSE;
    }

  /* close() reports what a network file system could not write. */
  ok = fchmod (fd, mode & 07777) == 0 && write_all (fd, data, length) && fsync (fd) == 0;
  if (ok)
    ok = close (fd) == 0;
  else
    {
      int saved = errno;
      close (fd);
      errno = saved;
    }
  if (ok)
    ok = renameat (dir, temporary, dir, base) == 0;
  if (!ok)
    {
      fail (error, "write", path);
      unlinkat (dir, temporary, 0);
    }
  else if (fsync (dir) != 0)
    ok = fail (error, "sync the directory of", path);
  close (dir);
  return ok;
}

gboolean
phone_atomic_remove (const char *path, GError **error)
{
  int dir;
  gboolean ok = TRUE;

  g_return_val_if_fail (path != NULL, FALSE);

  if (unlink (path) != 0)
    return errno == ENOENT ? TRUE : fail (error, "remove", path);
  dir = open_directory_of (path);
  if (dir < 0 || fsync (dir) != 0)
    ok = fail (error, "sync the directory of", path);
  if (dir >= 0)
    close (dir);
  return ok;
}

gboolean
phone_make_directory (const char *path, guint mode, GError **error)
{
  g_return_val_if_fail (path != NULL, FALSE);
  return g_mkdir_with_parents (path, (int) mode) == 0 ? TRUE : fail (error, "create the directory", path);
}
