/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <math.h>

#include "media/emodel.h"

static double
rating (double delay, double loss, double burst, double ie, double bpl)
{
  EmodelInput input = { .delay = delay, .loss = loss, .burst_ratio = burst, .ie = ie, .bpl = bpl };
  return emodel_rating (&input);
}

static void
assert_near (double value, double wanted, double tolerance)
{
  if (fabs (value - wanted) > tolerance)
    g_error ("%g is not within %g of %g", value, tolerance, wanted);
}

/* G.107 table 2: all defaults give R = 93.2; annex B table B.1 maps R to MOS. */
static void
test_defaults (void)
{
  assert_near (rating (0, 0, 1, 0, 4.3), 93.2, 0.1);
  assert_near (emodel_mos (93.2), 4.41, 0.01);
  static const struct
  {
    double rating, mos;
  } table_b1[] = { { 90, 4.34 }, { 80, 4.03 }, { 70, 3.60 }, { 60, 3.10 }, { 50, 2.58 } };
  for (guint i = 0; i < G_N_ELEMENTS (table_b1); i++)
    assert_near (emodel_mos (table_b1[i].rating), table_b1[i].mos, 0.01);
  assert_near (emodel_mos (-5), 1, 0);
  assert_near (emodel_mos (2), 1, 0);
  assert_near (emodel_mos (100), 4.5, 0);
}

/* Against Cole and Rosenbluth (2001), who fitted Id = 0.024 d + 0.11 (d - 177.3) H (d - 177.3) to the curve. */
static void
test_delay (void)
{
  double last = 0;
  for (double delay = 0; delay <= 400; delay += 5)
    {
      double id = emodel_delay_impairment (delay);
      g_assert_cmpfloat (id, >=, last - 1e-9);
      last = id;
      if (delay >= 20)
        assert_near (id, 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0), 3.0);
    }
  assert_near (emodel_delay_impairment (NAN), emodel_delay_impairment (0), 1e-9);
}

static void
test_loss (void)
{
  /* Ie,eff by hand: 95 * 5 / (5 + 25.1) = 15.78 */
  assert_near (rating (0, 0, 1, 0, 25.1) - rating (0, 0.05, 1, 0, 25.1), 15.78, 0.01);
  /* Bursts hurt more: 95 * 5 / (2.5 + 25.1) = 17.21 */
  assert_near (rating (0, 0, 1, 0, 25.1) - rating (0, 0.05, 2, 0, 25.1), 17.21, 0.01);
  g_assert_cmpfloat (rating (0, 1, 1, 0, 4.3), <, 5);
  g_assert_cmpfloat (rating (0, 7, 0, 0, 4.3), >=, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/emodel/defaults", test_defaults);
  g_test_add_func ("/emodel/delay", test_delay);
  g_test_add_func ("/emodel/loss", test_loss);
  return g_test_run ();
}
