/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* RMS level of PCM in dB relative to a full-scale square wave, -127 (silence) .. 0, as RFC 6465 counts audio levels. */

#include <glib.h>
#include <math.h>

static inline double
media_level (const gint16 *pcm, guint n)
{
  double power = 0;

  for (guint i = 0; i < n; i++)
    power += (double) pcm[i] * pcm[i];
  if (n == 0 || power <= 0)
    return -127;
  return CLAMP (10 * log10 (power / n / (32768.0 * 32768.0)), -127, 0);
}
