/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-watch.h"

void
media_watch_restart (MediaWatch *watch, guint timeout, MediaWatchMode mode, gint64 now)
{
  *watch = (MediaWatch) { .timeout = timeout, .mode = mode, .since = now };
}

gboolean
media_watch_update (MediaWatch *watch, gint64 last_rtp, gint64 last_rtcp, gint64 now, guint *ret_seconds)
{
  gint64 last = MAX (watch->since, last_rtcp);

  if (watch->timeout == 0 || (watch->mode != MEDIA_WATCH_RTP && last_rtcp <= watch->since))
    return FALSE;
  if (watch->mode != MEDIA_WATCH_NO_RTP)
    last = MAX (last, last_rtp);
  if (now - last < (gint64) watch->timeout * G_USEC_PER_SEC)
    {
      watch->told = FALSE;
      return FALSE;
    }
  if (watch->told)
    return FALSE;
  watch->told = TRUE;
  *ret_seconds = (guint) ((now - last) / G_USEC_PER_SEC);
  return TRUE;
}
