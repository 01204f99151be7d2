/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-watch.h"

void
media_watch_restart (MediaWatch *watch, guint timeout, gboolean listening, gint64 now)
{
  *watch = (MediaWatch) { .timeout = timeout, .listening = listening, .since = now };
}

gboolean
media_watch_update (MediaWatch *watch, gint64 last_rtp, gint64 last_rtcp, gint64 now, guint *ret_seconds)
{
  gint64 last = MAX (watch->since, last_rtcp);

  if (watch->timeout == 0 || (!watch->listening && last_rtcp == 0))
    return FALSE;
  if (watch->listening)
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
