/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A bounded queue of samples between one writing and one reading thread; neither ever waits for the other. */

#include <stdatomic.h>
#include "media/media-types.h"

typedef struct
{
  gint16 *samples;
  guint size;                   /* power of two */
  atomic_uint head, tail;       /* samples ever written, ever read; modulo 2^32 */
} MediaRing;

/* Holds at least `samples` samples. */
void media_ring_init (MediaRing *ring, guint samples);
void media_ring_clear (MediaRing *ring);        /* frees what it holds, not the struct */
/* Either thread. */
guint media_ring_fill (MediaRing *ring);
/* Writing thread: takes what fits, returns how many that were. */
guint media_ring_write (MediaRing *ring, const gint16 *samples, guint n);
/* Reading thread: copies at most n, returns how many. peek does not take them out; skip only takes out. */
guint media_ring_read (MediaRing *ring, gint16 *ret_samples, guint n);
guint media_ring_peek (MediaRing *ring, gint16 *ret_samples, guint n);
guint media_ring_skip (MediaRing *ring, guint n);
