/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The archive of core/ports.h on SQLite: history (and what else outlives the process) in one file, $XDG_STATE_HOME/phoned/phone.db. */

#include "core/ports.h"

typedef struct _Store Store;

typedef struct
{
  /* What is wrong with the archive, for people; NULL: nothing any more. waiting: entries held in memory until the disk takes them.
   * On the main loop. */
  void (*fault) (const char *text, guint waiting, gpointer data);
} StoreEvents;

/* path: the file; its folder is made when it is missing. Never fails: a disk that does not work is a fault to report, not a reason not to
 * start. Nothing of the disk is touched on this thread. */
Store *store_new (const char *path, const StoreEvents *events, gpointer data);
/* Carries out what was asked, fires the callbacks that are due, ends the thread. After this every request fails. */
void store_close (Store *store);
void store_free (Store *store);                 /* accepts NULL; closes first */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Store, store_free)

extern const PhoneArchiveOps store_archive_ops; /* archive_data: Store * */
