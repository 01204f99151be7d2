/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One request on its way: made on the main loop, run on the worker's thread, finished on the main loop. A file of statements
 * (store-history.c) begins a struct of its own with a StoreJob and fills in the functions. */

#include "store/store-db.h"
#include "store/store.h"

typedef struct _StoreJob StoreJob;
struct _StoreJob
{
  /* A result code. A write may run more than once (after a disk fault, each time in a new transaction) and keeps what it needs. */
  int (*run) (StoreDb *db, StoreJob *job);
  /* Once. error: STORAGE, or NULL. */
  void (*finish) (StoreJob *job, gboolean kept, const GError *error);
  void (*free) (StoreJob *job);
  gboolean is_write;
  gboolean now_or_never;        /* a write that fails when the disk does not take it, instead of waiting in memory */

  /* the worker's */
  int refs;                     /* atomic: a write that waits for the disk may be finished already */
  gboolean finished, kept;
  GError *error;
};

/* Takes the job. */
void store_push (Store *store, StoreJob *job);

#define STORE_MAX_KEPT 1000             /* writes that wait in memory for a disk that does not take them */
