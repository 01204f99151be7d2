/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The impaired link of the benches: what it says it does to packets, it does. */
#include "link-model.h"

#include <glib.h>

#define STEP 20000              /* us between packets */
#define MANY 100000

static LinkModel
make (const char *words, guint64 seed)
{
  g_auto (GStrv) assignments = g_strsplit (words, " ", -1);
  LinkConfig config = { 0 };
  LinkModel model;

  for (guint i = 0; assignments[i]; i++)
    g_assert_true (link_config_set (&config, assignments[i]));
  link_model_init (&model, &config, seed);
  return model;
}

static void
test_config (void)
{
  LinkConfig config = { .delay = 3 };

  g_assert_true (link_config_set (&config, "loss=0.25"));
  g_assert_cmpfloat (config.loss, ==, 0.25);
  g_assert_cmpfloat (config.delay, ==, 3);
  g_assert_false (link_config_set (&config, "loss=1.5"));
  g_assert_false (link_config_set (&config, "loss=-1"));
  g_assert_false (link_config_set (&config, "loss=nan"));
  g_assert_false (link_config_set (&config, "loss=0.1x"));
  g_assert_false (link_config_set (&config, "loss="));
  g_assert_false (link_config_set (&config, "los=1"));
  g_assert_false (link_config_set (&config, "loss"));
  g_assert_cmpfloat (config.loss, ==, 0.25);
}

static void
test_delay (void)
{
  LinkModel model = make ("delay=20", 1);

  for (gint64 now = 0; now < 1000 * STEP; now += STEP)
    g_assert_cmpint (link_model_offer (&model, now, 100), ==, now + 20000);
  g_assert_cmpuint (model.passed, ==, 1000);
}

static void
test_loss (void)
{
  LinkModel model = make ("loss=0.05", 2);
  guint pairs = 0;
  gboolean before = FALSE;

  for (gint64 i = 0; i < MANY; i++)
    {
      gboolean lost = link_model_offer (&model, i * STEP, 100) == LINK_LOST;

      pairs += lost && before;
      before = lost;
    }
  g_assert_cmpuint (model.lost, >=, 4700);      /* four standard deviations */
  g_assert_cmpuint (model.lost, <=, 5300);
  g_assert_cmpuint (pairs, <=, 320);            /* 250 when they do not know of each other */
}

static void
test_bursts (void)
{
  for (guint exact = 0; exact < 2; exact++)
    {
      LinkModel model = make (exact ? "loss=0.1 run=3" : "loss=0.1 burst=3", 3);
      guint runs = 0, length = 0, other = 0;

      for (gint64 i = 0; i < MANY; i++)
        if (link_model_offer (&model, i * STEP, 100) == LINK_LOST)
          length++;
        else if (length > 0)
          {
            runs++;
            other += length != 3;
            length = 0;
          }
      g_assert_cmpuint (model.lost, >=, 9000);
      g_assert_cmpuint (model.lost, <=, 11000);
      g_assert_cmpfloat_with_epsilon ((double) model.lost / runs, 3, exact ? 0.01 : 0.2);
      if (exact)
        g_assert_cmpuint (other, ==, 0);
      else
        g_assert_cmpuint (other, >, runs / 2);
    }
}

static void
test_jitter (void)
{
  LinkModel model = make ("delay=20 jitter=40 reorder=1", 4), ordered = make ("delay=20 jitter=40", 4);
  double sum = 0;
  gint64 last = 0;
  guint overtaken = 0;

  for (gint64 i = 0; i < MANY; i++)
    {
      gint64 leaves = link_model_offer (&model, i * STEP, 100), in_order = link_model_offer (&ordered, i * STEP, 100);

      g_assert_cmpint (leaves, >=, i * STEP + 20000);
      g_assert_cmpint (in_order, >=, leaves);
      g_assert_cmpint (in_order, >=, last);
      overtaken += leaves < last;
      last = in_order;
      sum += (double) (leaves - i * STEP) / 1000;
    }
  g_assert_cmpfloat_with_epsilon (sum / MANY, 60, 1);
  g_assert_cmpuint (overtaken, >, MANY / 10);
}

static void
test_stalls (void)
{
  LinkModel model = make ("delay=20 stall-every=3 stall=150", 5);
  guint stalls = 0;
  gint64 last = 0, most = 0;

  for (gint64 i = 0; i < MANY; i++)
    {
      gint64 leaves = link_model_offer (&model, i * STEP, 100);

      most = MAX (most, leaves - i * STEP);
      stalls += leaves > i * STEP + 20000 && leaves != last;
      last = leaves;
    }
  g_assert_cmpint (most, <=, 150000);
  g_assert_cmpint (most, >, 125000);
  g_assert_cmpuint (stalls, >=, 540);           /* 2000 s, one every 3.15 s */
  g_assert_cmpuint (stalls, <=, 730);
}

static void
test_bottleneck (void)
{
  LinkModel model = make ("delay=20 rate=40000 queue=400", 6);
  gint64 now = 0;

  /* 125 octets every 20 ms are 50 kbit/s: 5 ms more wait with each packet, until the queue is full. */
  for (guint i = 0; i < 80; i++, now += STEP)
    g_assert_cmpint (link_model_offer (&model, now, 125), ==, now + 20000 + 25000 + 5000 * i);
  g_assert_cmpuint (model.dropped, ==, 0);
  for (guint i = 0; i < 1000; i++, now += STEP)
    link_model_offer (&model, now, 125);
  g_assert_cmpuint (model.dropped, >=, 190);    /* a fifth */
  g_assert_cmpuint (model.dropped, <=, 210);
  /* Half the rate: it drains, and then there is no wait. */
  for (guint i = 0; i < 60; i++, now += STEP)
    link_model_offer (&model, now, 50);
  g_assert_cmpint (link_model_offer (&model, now, 50), ==, now + 20000 + 10000);
  /* It goes away. */
  g_assert_true (link_config_set (&model.config, "rate=0"));
  now += STEP;
  g_assert_cmpint (link_model_offer (&model, now, 125), ==, now + 20000);
}

static void
test_seeds (void)
{
  LinkModel a = make ("loss=0.3 jitter=10 stall-every=1 stall=50", 7), b = a, c = make ("loss=0.3 jitter=10 stall-every=1 stall=50", 8);
  guint same = 0;

  for (gint64 i = 0; i < 1000; i++)
    {
      gint64 leaves = link_model_offer (&a, i * STEP, 100);

      g_assert_cmpint (link_model_offer (&b, i * STEP, 100), ==, leaves);
      same += link_model_offer (&c, i * STEP, 100) == leaves;
    }
  g_assert_cmpuint (same, <, 500);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/config", test_config);
  g_test_add_func ("/link/delay", test_delay);
  g_test_add_func ("/link/loss", test_loss);
  g_test_add_func ("/link/bursts", test_bursts);
  g_test_add_func ("/link/jitter", test_jitter);
  g_test_add_func ("/link/stalls", test_stalls);
  g_test_add_func ("/link/bottleneck", test_bottleneck);
  g_test_add_func ("/link/seeds", test_seeds);
  return g_test_run ();
}
