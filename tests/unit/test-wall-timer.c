/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The timer for a time of day: fires at its time, at once for one that is over, and not when it was taken back. */

#include "util/wall-timer.h"

static guint fired;

static void
on_fired (gpointer data)
{
  fired++;
}

static void
test_fires (void)
{
  g_autoptr (PhoneWallTimer) timer = phone_wall_timer_new (on_fired, NULL);
  gint64 at = g_get_real_time () / G_USEC_PER_SEC + 1;

  g_assert_nonnull (timer);
  phone_wall_timer_set (timer, at);
  while (fired == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpint (g_get_real_time () / G_USEC_PER_SEC, >=, at);
  /* once */
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (fired, ==, 1);
}

static void
test_over (void)
{
  g_autoptr (PhoneWallTimer) timer = phone_wall_timer_new (on_fired, NULL);

  fired = 0;
  phone_wall_timer_set (timer, 1000);
  phone_wall_timer_set (timer, 0);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_cmpuint (fired, ==, 0);
  phone_wall_timer_set (timer, 1000);
  while (fired == 0)
    g_main_context_iteration (NULL, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wall-timer/fires", test_fires);
  g_test_add_func ("/wall-timer/over", test_over);
  return g_test_run ();
}
