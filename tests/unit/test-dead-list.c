/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sip/ua-walk.h"

#define S ((gint64) G_USEC_PER_SEC)

/* Two minutes, and twice as long each time, up to half an hour. */
static void
test_doubling (void)
{
  static const guint minutes[] = { 2, 4, 8, 16, 32, 32 };
  UaDeadList *list = ua_dead_list_new ();
  gint64 now = 1000;

  g_assert_false (ua_dead_list_contains (list, "a", now));
  for (gsize i = 0; i < G_N_ELEMENTS (minutes); i++)
    {
      ua_dead_list_add (list, "a", 0, now);
      g_assert_true (ua_dead_list_contains (list, "a", now + minutes[i] * 60 * S - 1));
      now += minutes[i] * 60 * S;
      g_assert_false (ua_dead_list_contains (list, "a", now));
    }
  ua_dead_list_remove (list, "a");
  ua_dead_list_add (list, "a", 0, now);
  g_assert_false (ua_dead_list_contains (list, "a", now + 120 * S));
  ua_dead_list_free (list);
}

static void
test_retry_after (void)
{
  UaDeadList *list = ua_dead_list_new ();

  ua_dead_list_add (list, "a", 7, 0);
  g_assert_true (ua_dead_list_contains (list, "a", 7 * S - 1));
  g_assert_false (ua_dead_list_contains (list, "a", 7 * S));
  ua_dead_list_add (list, "a", G_MAXUINT, 0);
  g_assert_false (ua_dead_list_contains (list, "a", 3600 * S));
  ua_dead_list_clear (list);
  g_assert_false (ua_dead_list_contains (list, "a", 0));
  ua_dead_list_free (list);
}

/* A domain with endless servers does not fill the memory; the newest is always known. */
static void
test_limit (void)
{
  UaDeadList *list = ua_dead_list_new ();
  guint n = 0;

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      ua_dead_list_add (list, key, 0, 0);
      g_assert_true (ua_dead_list_contains (list, key, 0));
    }
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *key = g_strdup_printf ("%u", i);

      n += ua_dead_list_contains (list, key, 0);
    }
  g_assert_cmpuint (n, <=, 128);
  ua_dead_list_free (list);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dead-list/doubling", test_doubling);
  g_test_add_func ("/dead-list/retry-after", test_retry_after);
  g_test_add_func ("/dead-list/limit", test_limit);
  return g_test_run ();
}
