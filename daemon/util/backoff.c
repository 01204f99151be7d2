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
