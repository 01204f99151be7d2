/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-taps.h"

#include <string.h>

#include "media/media-mix.h"
#include "media/media-thread.h"

typedef struct
{
  MediaTapFunc tap;
  MediaSourceFunc source;
  gpointer data;
} Entry;

struct _MediaTaps
{
  pthread_mutex_t lock;
  GArray *entries;              /* of Entry */
  gint n;                       /* atomic: most calls have none, and take no lock */

  /* hub thread */
  MediaMix sources, mix;
  gint16 far[MEDIA_FRAME], near[MEDIA_FRAME], added[MEDIA_FRAME];
  gboolean adds;                        /* added is of this tick */
};

static const gint16 silence[MEDIA_FRAME];

MediaTaps *
media_taps_new (void)
{
  MediaTaps *taps = g_new0 (MediaTaps, 1);

  media_mutex_init (&taps->lock);
  taps->entries = g_array_new (FALSE, FALSE, sizeof (Entry));
  media_mix_init (&taps->sources);
  media_mix_init (&taps->mix);
  return taps;
}

void
media_taps_free (MediaTaps *taps)
{
  if (taps == NULL)
    return;
  g_array_unref (taps->entries);
  pthread_mutex_destroy (&taps->lock);
  g_free (taps);
}

static void
add (MediaTaps *taps, const Entry *entry)
{
  pthread_mutex_lock (&taps->lock);
  g_array_append_val (taps->entries, *entry);
  g_atomic_int_set (&taps->n, (gint) taps->entries->len);
  pthread_mutex_unlock (&taps->lock);
}

void
media_taps_add (MediaTaps *taps, MediaTapFunc func, gpointer data)
{
  Entry entry = { .tap = func, .data = data };
  add (taps, &entry);
}

void
media_taps_add_source (MediaTaps *taps, MediaSourceFunc func, gpointer data)
{
  Entry entry = { .source = func, .data = data };
  add (taps, &entry);
}

void
media_taps_remove (MediaTaps *taps, gpointer data)
{
  pthread_mutex_lock (&taps->lock);
  for (guint i = taps->entries->len; i-- > 0;)
    if (g_array_index (taps->entries, Entry, i).data == data)
      g_array_remove_index (taps->entries, i);
  g_atomic_int_set (&taps->n, (gint) taps->entries->len);
  pthread_mutex_unlock (&taps->lock);
}

void
media_taps_far (MediaTaps *taps, const gint16 *frame)
{
  if (media_taps_in_use (taps))
    memcpy (taps->far, frame != NULL ? frame : silence, sizeof taps->far);
}

/* TRUE: taps->near is what the sources and the microphone say together. */
static gboolean
mix_sources (MediaTaps *taps, const gint16 *frame)
{
  gint16 said[MEDIA_FRAME];
  gboolean only = FALSE;

  media_mix_begin (&taps->sources);
  for (guint i = 0; i < taps->entries->len; i++)
    {
      const Entry *entry = &g_array_index (taps->entries, Entry, i);
      gboolean alone = FALSE;

      if (entry->source == NULL || !entry->source (entry->data, said, &alone))
        continue;
      media_mix_add (&taps->sources, said);
      taps->adds = TRUE;
      only |= alone;
    }
  if (!taps->adds)
    return FALSE;
  media_mix_end (&taps->sources, taps->added);
  media_mix_begin (&taps->mix);
  media_mix_add (&taps->mix, taps->added);
  if (!only)
    media_mix_add (&taps->mix, frame);
  media_mix_end (&taps->mix, taps->near);
  return TRUE;
}

gboolean
media_taps_in_use (MediaTaps *taps)
{
  return g_atomic_int_get (&taps->n) > 0;
}

const gint16 *
media_taps_added (MediaTaps *taps)
{
  return taps->adds ? taps->added : NULL;
}

const gint16 *
media_taps_near (MediaTaps *taps, const gint16 *frame, gint64 now)
{
  taps->adds = FALSE;
  if (!media_taps_in_use (taps))
    return frame;
  pthread_mutex_lock (&taps->lock);
  if (mix_sources (taps, frame))
    frame = taps->near;
  for (guint i = 0; i < taps->entries->len; i++)
    {
      const Entry *entry = &g_array_index (taps->entries, Entry, i);
      if (entry->tap != NULL)
        entry->tap (entry->data, frame, taps->far, now);
    }
  pthread_mutex_unlock (&taps->lock);
  return frame;
}
