/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/backoff.h"

guint
phone_backoff_fail (PhoneBackoff *backoff, gboolean all_flows_failed, guint retry_after, double random)
{
  guint base = all_flows_failed ? PHONE_BACKOFF_BASE_ALL_FAILED : PHONE_BACKOFF_BASE_OTHERS_WORK;
  guint upper, wait, floor_ms;

  g_return_val_if_fail (backoff != NULL, PHONE_BACKOFF_MAX * 1000);
  g_return_val_if_fail (random >= 0 && random < 1, PHONE_BACKOFF_MAX * 1000);

  if (backoff->failures < G_MAXUINT)
    backoff->failures++;
  /* 30 s * 2^6 is over the maximum already; a larger exponent would only overflow. */
  upper = MIN (PHONE_BACKOFF_MAX, base << MIN (backoff->failures, 6u)) * 1000;
  wait = upper / 2 + (guint) (random * (upper / 2.0));
  floor_ms = MIN (retry_after, PHONE_BACKOFF_RETRY_AFTER_MAX) * 1000;
  return MAX (wait, floor_ms);
}

void
phone_backoff_reset (PhoneBackoff *backoff)
{
  g_return_if_fail (backoff != NULL);
  backoff->failures = 0;
}

static gboolean
is_new (const PhonePace *pace, gint64 now)
{
  return !pace->last || now - pace->last >= (2 * (gint64) pace->ms + PHONE_PACE_QUIET_MS) * 1000;
}

guint
phone_pace_wait (const PhonePace *pace, gint64 now)
{
  gint64 due = pace->last + (gint64) pace->ms * 1000;

  return is_new (pace, now) || now >= due ? 0 : (guint) ((due - now + 999) / 1000);
}

void
phone_pace_take (PhonePace *pace, gint64 now)
{
  pace->ms = is_new (pace, now) ? PHONE_PACE_FIRST_MS : MIN (2 * pace->ms, PHONE_BACKOFF_MAX * 1000);
  pace->last = now;
}
