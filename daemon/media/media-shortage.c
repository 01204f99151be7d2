/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-shortage.h"

#define WINDOW (5 * G_USEC_PER_SEC)     /* crystals part by half a millisecond in it, at the most */
#define TOLERANCE 2000          /* us: of crystals, and of a server that is late itself */

void
media_shortage_init (MediaShortage *shortage)
{
  *shortage = (MediaShortage) { .base = G_MAXINT64, .next_base = G_MAXINT64 };
}

gboolean
media_shortage_add (MediaShortage *shortage, gint64 now, gint64 buffer_us, gint64 frame_us)
{
  gint64 offset = now - shortage->frames * frame_us;

  if (shortage->frames == 0)
    shortage->window = now;
  shortage->frames++;
  if (now - shortage->window > WINDOW)
    {
      shortage->base = shortage->next_base;
      shortage->next_base = G_MAXINT64;
      shortage->window = now;
    }
  shortage->next_base = MIN (shortage->next_base, offset);
  shortage->base = MIN (shortage->base, offset);
  if (offset - shortage->base <= buffer_us - frame_us + TOLERANCE)
    return FALSE;
  media_shortage_init (shortage);
  return TRUE;
}
