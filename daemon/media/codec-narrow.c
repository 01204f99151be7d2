/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/codec-narrow.h"

#include <string.h>

void
narrow_init_encoder (Narrow *narrow, guint factor)
{
  narrow->factor = factor;
  narrow->resampler = media_resampler_new (factor, FALSE);
}

void
narrow_init_decoder (Narrow *narrow, guint factor)
{
  narrow->factor = factor;
  narrow->resampler = media_resampler_new (factor, TRUE);
  narrow->plc = media_plc_new (MEDIA_RATE / factor);
}

void
narrow_clear (Narrow *narrow)
{
  g_clear_pointer (&narrow->resampler, media_resampler_free);
  g_clear_pointer (&narrow->plc, media_plc_free);
}

guint
narrow_down (Narrow *narrow, const gint16 *pcm, guint samples, gint16 *ret_narrow)
{
  return media_resampler_run (narrow->resampler, pcm, samples, ret_narrow);
}

int
narrow_up (Narrow *narrow, gint16 *decoded, guint n, gint16 *ret_pcm)
{
  media_plc_good (narrow->plc, decoded, n);
  return (int) media_resampler_run (narrow->resampler, decoded, n, ret_pcm);
}

int
narrow_conceal (gpointer data, gint16 *ret_pcm, guint samples)
{
  Narrow *narrow = data;
  gint16 filled[NARROW_MAX];
  guint n = samples / narrow->factor;

  media_plc_conceal (narrow->plc, filled, n);
  return (int) media_resampler_run (narrow->resampler, filled, n, ret_pcm);
}

gsize
narrow_saved_size (void)
{
  return media_resampler_size () + media_plc_size ();
}

void
narrow_save (gpointer data, gpointer ret_saved)
{
  Narrow *narrow = data;

  memcpy (ret_saved, narrow->resampler, media_resampler_size ());
  memcpy ((guint8 *) ret_saved + media_resampler_size (), narrow->plc, media_plc_size ());
}

void
narrow_restore (gpointer data, gconstpointer saved)
{
  Narrow *narrow = data;

  memcpy (narrow->resampler, saved, media_resampler_size ());
  memcpy (narrow->plc, (const guint8 *) saved + media_resampler_size (), media_plc_size ());
}
