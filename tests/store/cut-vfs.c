/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cut-vfs.h"

#include <fcntl.h>
#include <glib.h>
#include <sqlite3.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  sqlite3_int64 offset;         /* -1: truncate to length */
  gsize length;
  guint8 data[];
} Write;

typedef struct
{
  sqlite3_file base;
  int shadow;                   /* -1: a file without a shadow */
  GPtrArray *writes;            /* since the last sync */
  sqlite3_file real[];
} CutFile;

static sqlite3_vfs *real_vfs;

#define REAL(file) (((CutFile *) (file))->real)

static void
note (CutFile *self, sqlite3_int64 offset, const void *data, gsize length)
{
  Write *w;

  if (self->shadow < 0)
    return;
  w = g_malloc (sizeof *w + (data ? length : 0));
  w->offset = offset;
  w->length = length;
  if (data)
    memcpy (w->data, data, length);
  g_ptr_array_add (self->writes, w);
}

static int
cut_close (sqlite3_file *file)
{
  CutFile *self = (CutFile *) file;

  if (self->shadow >= 0)
    close (self->shadow);
  g_clear_pointer (&self->writes, g_ptr_array_unref);
  return REAL (file)->pMethods->xClose (REAL (file));
}

static int
cut_write (sqlite3_file *file, const void *data, int length, sqlite3_int64 offset)
{
  note ((CutFile *) file, offset, data, (gsize) length);
  return REAL (file)->pMethods->xWrite (REAL (file), data, length, offset);
}

static int
cut_truncate (sqlite3_file *file, sqlite3_int64 size)
{
  note ((CutFile *) file, -1, NULL, (gsize) size);
  return REAL (file)->pMethods->xTruncate (REAL (file), size);
}

static int
cut_sync (sqlite3_file *file, int flags)
{
  CutFile *self = (CutFile *) file;
  int rc = REAL (file)->pMethods->xSync (REAL (file), flags);

  for (guint i = 0; self->shadow >= 0 && rc == SQLITE_OK && i < self->writes->len; i++)
    {
      const Write *w = self->writes->pdata[i];

      if (w->offset < 0 ? ftruncate (self->shadow, (off_t) w->length) < 0
                        : pwrite (self->shadow, w->data, w->length, w->offset) != (gssize) w->length)
        g_error ("shadow: %m");
    }
  if (rc == SQLITE_OK && self->shadow >= 0)
    g_ptr_array_set_size (self->writes, 0);
  return rc;
}

static int cut_read (sqlite3_file *f, void *data, int n, sqlite3_int64 at) { return REAL (f)->pMethods->xRead (REAL (f), data, n, at); }
static int cut_size (sqlite3_file *f, sqlite3_int64 *size) { return REAL (f)->pMethods->xFileSize (REAL (f), size); }
static int cut_lock (sqlite3_file *f, int level) { return REAL (f)->pMethods->xLock (REAL (f), level); }
static int cut_unlock (sqlite3_file *f, int level) { return REAL (f)->pMethods->xUnlock (REAL (f), level); }
static int cut_reserved (sqlite3_file *f, int *out) { return REAL (f)->pMethods->xCheckReservedLock (REAL (f), out); }
static int cut_control (sqlite3_file *f, int op, void *arg) { return REAL (f)->pMethods->xFileControl (REAL (f), op, arg); }
static int cut_sector (sqlite3_file *f) { return REAL (f)->pMethods->xSectorSize (REAL (f)); }
/* This disk promises nothing. */
static int cut_device (sqlite3_file *f) { return 0; }
static int cut_shm_map (sqlite3_file *f, int r, int n, int x, void volatile **p) { return REAL (f)->pMethods->xShmMap (REAL (f), r, n, x, p); }
static int cut_shm_lock (sqlite3_file *f, int at, int n, int flags) { return REAL (f)->pMethods->xShmLock (REAL (f), at, n, flags); }
static void cut_shm_barrier (sqlite3_file *f) { REAL (f)->pMethods->xShmBarrier (REAL (f)); }
static int cut_shm_unmap (sqlite3_file *f, int remove) { return REAL (f)->pMethods->xShmUnmap (REAL (f), remove); }

static const sqlite3_io_methods methods = {
  .iVersion = 2,
  .xClose = cut_close,
  .xRead = cut_read,
  .xWrite = cut_write,
  .xTruncate = cut_truncate,
  .xSync = cut_sync,
  .xFileSize = cut_size,
  .xLock = cut_lock,
  .xUnlock = cut_unlock,
  .xCheckReservedLock = cut_reserved,
  .xFileControl = cut_control,
  .xSectorSize = cut_sector,
  .xDeviceCharacteristics = cut_device,
  .xShmMap = cut_shm_map,
  .xShmLock = cut_shm_lock,
  .xShmBarrier = cut_shm_barrier,
  .xShmUnmap = cut_shm_unmap,
};

static int
cut_open (sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *ret_flags)
{
  CutFile *self = (CutFile *) file;
  g_autofree char *shadow = NULL;
  int rc;

  memset (self, 0, sizeof *self);
  self->shadow = -1;
  rc = real_vfs->xOpen (real_vfs, name, self->real, flags, ret_flags);
  if (!self->real->pMethods)
    return rc;
  self->base.pMethods = &methods;
  if (rc != SQLITE_OK || !name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
    return rc;
  shadow = g_strconcat (name, ".durable", NULL);
  self->shadow = open (shadow, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  self->writes = g_ptr_array_new_with_free_func (g_free);
  return rc;
}

/* A file that is deleted may be back after the cut, or not; that it is gone is the harder case for what was acknowledged. */
static int
cut_delete (sqlite3_vfs *vfs, const char *name, int sync_dir)
{
  g_autofree char *shadow = g_strconcat (name, ".durable", NULL);

  unlink (shadow);
  return real_vfs->xDelete (real_vfs, name, sync_dir);
}

void
cut_vfs_register (void)
{
  static sqlite3_vfs vfs;

  real_vfs = sqlite3_vfs_find (NULL);
  vfs = *real_vfs;
  vfs.zName = "cut";
  vfs.pNext = NULL;
  vfs.szOsFile = (int) sizeof (CutFile) + real_vfs->szOsFile;
  vfs.xOpen = cut_open;
  vfs.xDelete = cut_delete;
  sqlite3_vfs_register (&vfs, 1);
}
