/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-ring.h"

#include <string.h>

void
media_ring_init (MediaRing *ring, guint samples)
{
  ring->size = 64;
  while (ring->size < samples)
    ring->size *= 2;
  ring->samples = g_new0 (gint16, ring->size);
  atomic_init (&ring->head, 0);
  atomic_init (&ring->tail, 0);
}

void
media_ring_clear (MediaRing *ring)
{
  g_clear_pointer (&ring->samples, g_free);
}

guint
media_ring_fill (MediaRing *ring)
{
  /* tail first: head only grows, so the difference is never negative. */
  guint tail = atomic_load_explicit (&ring->tail, memory_order_acquire);
  return MIN (atomic_load_explicit (&ring->head, memory_order_acquire) - tail, ring->size);
}

guint
media_ring_write (MediaRing *ring, const gint16 *samples, guint n)
{
  guint head = atomic_load_explicit (&ring->head, memory_order_relaxed);
  guint tail = atomic_load_explicit (&ring->tail, memory_order_acquire);
  guint at = head & (ring->size - 1);
  guint first;

  n = MIN (n, ring->size - (head - tail));
  first = MIN (n, ring->size - at);
  memcpy (ring->samples + at, samples, first * sizeof *samples);
  memcpy (ring->samples, samples + first, (n - first) * sizeof *samples);
  atomic_store_explicit (&ring->head, head + n, memory_order_release);
  return n;
}

guint
media_ring_peek (MediaRing *ring, gint16 *ret_samples, guint n)
{
  guint tail = atomic_load_explicit (&ring->tail, memory_order_relaxed);
  guint head = atomic_load_explicit (&ring->head, memory_order_acquire);
  guint at = tail & (ring->size - 1);
  guint first;

  n = MIN (n, head - tail);
  first = MIN (n, ring->size - at);
  memcpy (ret_samples, ring->samples + at, first * sizeof *ret_samples);
  memcpy (ret_samples + first, ring->samples, (n - first) * sizeof *ret_samples);
  return n;
}

guint
media_ring_skip (MediaRing *ring, guint n)
{
  guint tail = atomic_load_explicit (&ring->tail, memory_order_relaxed);
  guint head = atomic_load_explicit (&ring->head, memory_order_acquire);

  n = MIN (n, head - tail);
  atomic_store_explicit (&ring->tail, tail + n, memory_order_release);
  return n;
}

guint
media_ring_read (MediaRing *ring, gint16 *ret_samples, guint n)
{
  return media_ring_skip (ring, media_ring_peek (ring, ret_samples, n));
}
