/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The capacity of links on which packets are delayed as they would be. */
#include "media/rate-link.h"

#define REPORT 128              /* octets */
#define N 100                   /* packets */

typedef struct
{
  RateLink link;
  GRand *random;
  gint64 now, free_at;
} Fixture;

/* Sends N packets every 20 ms over a link of that many bit/s, 0: of any number, with a report somewhere before each 20th; jitter: us at most. */
static void
pass (Fixture *f, double capacity, guint least, guint most, gboolean reports, gint jitter)
{
  for (guint i = 0; i < N; i++)
    {
      RateSample packet = { .sent = f->now, .octets = least + g_rand_int_range (f->random, 0, (gint) (most - least + 1)) };

      if (reports && i % 20 == 19)
        {
          packet.ahead = REPORT;
          packet.ahead_sent = f->now - g_rand_int_range (f->random, 0, 20000);
          if (capacity > 0)
            f->free_at = MAX (f->free_at, packet.ahead_sent) + (gint64) (REPORT * 8e6 / capacity);
        }
      f->free_at = MAX (f->free_at, f->now);
      if (capacity > 0)
        f->free_at += (gint64) (packet.octets * 8e6 / capacity);
      packet.arrived = f->free_at + 20000 + 77 * G_USEC_PER_SEC + (jitter > 0 ? g_rand_int_range (f->random, 0, jitter) : 0);
      rate_link_add (&f->link, &packet, 1);
      f->now += 20000;
    }
}

static void
fixture_init (Fixture *f, guint32 seed)
{
  *f = (Fixture) { .random = g_rand_new_with_seed (seed), .now = 5 * G_USEC_PER_SEC };
  rate_link_init (&f->link);
}

static void
test_narrow (void)
{
  static const double capacities[] = { 30000, 40000, 50000, 64000 };

  for (guint i = 0; i < G_N_ELEMENTS (capacities); i++)
    for (guint32 seed = 1; seed <= 10; seed++)
      {
        Fixture f;

        fixture_init (&f, seed);
        pass (&f, capacities[i], 58, MIN (58 + 2 * (guint) (capacities[i] / 1000 - 27), 130), TRUE, 1500);
        double found = rate_link_capacity (&f.link);
        g_assert_cmpfloat (found, >, 0.94 * capacities[i]);
        g_assert_cmpfloat (found, <, 1.06 * capacities[i]);
        g_rand_free (f.random);
      }
}

/* Packets of one length say nothing of themselves; those behind a report do. */
static void
test_reports (void)
{
  Fixture f;

  fixture_init (&f, 1);
  pass (&f, 40000, 80, 80, FALSE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
  pass (&f, 40000, 80, 80, TRUE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), >, 37000);
  g_assert_cmpfloat (rate_link_capacity (&f.link), <, 43000);
  g_rand_free (f.random);
}

/* What is in the queue already when the first packet comes. */
static void
test_standing (void)
{
  Fixture f;

  fixture_init (&f, 2);
  f.free_at = f.now + 300000;
  pass (&f, 40000, 58, 100, TRUE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), >, 37000);
  g_assert_cmpfloat (rate_link_capacity (&f.link), <, 43000);
  g_rand_free (f.random);
}

/* Wide, and where packets are late for reasons of their own. */
static void
test_not_narrow (void)
{
  for (guint32 seed = 1; seed <= 20; seed++)
    {
      Fixture f;

      fixture_init (&f, seed);
      pass (&f, 0, 80, 80, FALSE, 0);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      pass (&f, 0, 58, 130, TRUE, 0);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      pass (&f, 0, 58, 130, TRUE, 3000);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      pass (&f, 0, 58, 130, TRUE, 60000);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      pass (&f, 2e6, 58, 130, TRUE, 1000);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      /* Once something stands still, and what waited comes at once. */
      pass (&f, 0, 80, 80, FALSE, 0);
      f.free_at = f.now + 60000;
      pass (&f, 0, 80, 80, FALSE, 0);
      g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
      g_rand_free (f.random);
    }
}

/* What was seen long ago is no measure of today. */
static void
test_old (void)
{
  Fixture f;

  fixture_init (&f, 4);
  pass (&f, 40000, 58, 90, TRUE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), >, 0);
  rate_link_add (&f.link, &(RateSample) { .sent = f.now + 30 * G_USEC_PER_SEC, .arrived = f.now + (30 + 77) * G_USEC_PER_SEC + 36000, .octets = 80 }, 1);
  g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
  g_rand_free (f.random);
}

/* It becomes another one, and after as many packets nothing is left of what it was. */
static void
test_change (void)
{
  Fixture f;

  fixture_init (&f, 3);
  pass (&f, 40000, 58, 90, TRUE, 1500);
  pass (&f, 60000, 58, 120, TRUE, 1500);
  pass (&f, 60000, 58, 120, TRUE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), >, 56000);
  g_assert_cmpfloat (rate_link_capacity (&f.link), <, 64000);
  pass (&f, 0, 58, 130, TRUE, 1500);
  pass (&f, 0, 58, 130, TRUE, 1500);
  g_assert_cmpfloat (rate_link_capacity (&f.link), ==, 0);
  g_rand_free (f.random);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rate-link/narrow", test_narrow);
  g_test_add_func ("/rate-link/reports", test_reports);
  g_test_add_func ("/rate-link/standing", test_standing);
  g_test_add_func ("/rate-link/not-narrow", test_not_narrow);
  g_test_add_func ("/rate-link/old", test_old);
  g_test_add_func ("/rate-link/change", test_change);
  return g_test_run ();
}
