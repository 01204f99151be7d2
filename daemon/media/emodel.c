/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/emodel.h"

#include <math.h>

/* Ro - Is of G.107 with every parameter at its default (table 2): with the delay impairment at 0 ms, 0.15, this is R = 93.2. */
#define RO 94.77
#define RO_LESS_IS 93.35

#define TELR 65.0
#define WEPL 110.0

double
emodel_delay_impairment (double delay)
{
  if (!(delay > 0))
    delay = 0;

  /* Idte, talker echo: equations 7-19 to 7-23 with the mean one-way delay T of the echo path. */
  double terv = TELR - 40 * log10 ((1 + delay / 10) / (1 + delay / 150)) + 6 * exp (-0.3 * delay * delay);
  double re = 80 + 2.5 * (terv - 14);
  double half = (RO - re) / 2;
  double idte = (half + sqrt (half * half + 100) - 1) * (1 - exp (-delay));

  /* Idle, listener echo: equations 7-24 and 7-25, Tr = 2T. */
  double rle = 10.5 * (WEPL + 7) * pow (2 * delay + 1, -0.25);
  half = (RO - rle) / 2;
  double idle = half + sqrt (half * half + 169);

  /* Idd, the delay itself: equations 7-26 to 7-28. */
  double idd = 0;
  if (delay > 100)
    {
      double x = log2 (delay / 100);
      idd = 25 * (pow (1 + pow (x, 6), 1.0 / 6) - 3 * pow (1 + pow (x / 3, 6), 1.0 / 6) + 2);
    }
  return idte + idle + idd;
}

double
emodel_rating (const EmodelInput *input)
{
  /* Ie,eff: equation 7-29, in per cent. */
  double ppl = 100 * CLAMP (input->loss, 0, 1);
  double burst = input->burst_ratio >= 1 ? input->burst_ratio : 1;
  double ie_eff = input->ie + (95 - input->ie) * ppl / (ppl / burst + input->bpl);
  double rating = RO_LESS_IS - emodel_delay_impairment (input->delay) - ie_eff;
  return CLAMP (rating, 0, 100);
}

double
emodel_mos (double rating)
{
  if (rating <= 0)
    return 1;
  if (rating >= 100)
    return 4.5;
  double mos = 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6;
  return MAX (mos, 1);
}
