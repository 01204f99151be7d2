/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/backoff.h"

/* RFC 5626 section 4.5: after three failures with a base of 30 s the upper bound is 240 s. */
static void
test_growth (void)
{
  static const guint all_failed[] = { 60, 120, 240, 480, 960, 1800, 1800, 1800 };
  static const guint others_work[] = { 180, 360, 720, 1440, 1800, 1800 };
  PhoneBackoff low = { 0 }, high = { 0 }, other = { 0 };

  for (guint i = 0; i < G_N_ELEMENTS (all_failed); i++)
    {
      g_assert_cmpuint (phone_backoff_fail (&low, TRUE, 0, 0.0), ==, all_failed[i] * 500);
      g_assert_cmpuint (phone_backoff_fail (&high, TRUE, 0, 0.999999), <=, all_failed[i] * 1000);
      g_assert_cmpuint (high.failures, ==, i + 1);
    }
  for (guint i = 0; i < G_N_ELEMENTS (others_work); i++)
    g_assert_cmpuint (phone_backoff_fail (&other, FALSE, 0, 0.5), ==, others_work[i] * 750);
}

static void
test_spread (void)
{
  guint lowest = G_MAXUINT, highest = 0;
  for (guint i = 0; i < 1000; i++)
    {
      PhoneBackoff b = { 2 };
      guint wait = phone_backoff_fail (&b, TRUE, 0, i / 1000.0);
      lowest = MIN (lowest, wait);
      highest = MAX (highest, wait);
    }
  g_assert_cmpuint (lowest, ==, 120000);
  g_assert_cmpuint (highest, ==, 239880);
}

static void
test_never_overflows (void)
{
  PhoneBackoff b = { G_MAXUINT - 2 };
  for (guint i = 0; i < 8; i++)
    g_assert_cmpuint (phone_backoff_fail (&b, i % 2, 0, 0.0), ==, 900000);
  g_assert_cmpuint (b.failures, ==, G_MAXUINT);
}

static void
test_retry_after (void)
{
  PhoneBackoff b = { 0 };
  g_assert_cmpuint (phone_backoff_fail (&b, TRUE, 120, 0.0), ==, 120000);
  phone_backoff_reset (&b);
  g_assert_cmpuint (b.failures, ==, 0);
  /* Smaller than our own wait: ours holds. */
  g_assert_cmpuint (phone_backoff_fail (&b, TRUE, 5, 0.0), ==, 30000);
  g_assert_cmpuint (phone_backoff_fail (&b, TRUE, 3600, 0.9), ==, 3600000);
  g_assert_cmpuint (phone_backoff_fail (&b, TRUE, G_MAXUINT, 0.0), ==, 86400000);
}

/* What is wanted without end happens ever less often; what was not wanted for a while happens at once. */
static void
test_pace (void)
{
  PhonePace pace = { 0 };
  gint64 now = 1000;
  guint last = 0;

  for (guint i = 0; i < 20; i++)
    {
      guint ms = phone_pace_wait (&pace, now);

      g_assert_cmpuint (ms, ==, i == 0 ? 0 : MIN (3000u << MIN (i - 1, 12u), 1800000u));
      g_assert_cmpuint (ms, >=, last);
      now += (gint64) ms * 1000;
      g_assert_cmpuint (phone_pace_wait (&pace, now), ==, 0);
      g_assert_cmpuint (i ? phone_pace_wait (&pace, now - 1) : 1, ==, 1);
      phone_pace_take (&pace, now);
      last = ms;
    }
  g_assert_cmpuint (phone_pace_wait (&pace, now + 1800 * G_USEC_PER_SEC), ==, 0);
  /* quiet is a minute beyond twice the distance, no less */
  now += (3660 * (gint64) G_USEC_PER_SEC) - 1;
  phone_pace_take (&pace, now);
  g_assert_cmpuint (phone_pace_wait (&pace, now), ==, 1800000);
  now += 3660 * (gint64) G_USEC_PER_SEC;
  phone_pace_take (&pace, now);
  g_assert_cmpuint (phone_pace_wait (&pace, now), ==, 3000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backoff/growth", test_growth);
  g_test_add_func ("/backoff/pace", test_pace);
  g_test_add_func ("/backoff/spread", test_spread);
  g_test_add_func ("/backoff/never-overflows", test_never_overflows);
  g_test_add_func ("/backoff/retry-after", test_retry_after);
  return g_test_run ();
}
