/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The E-model (ITU-T G.107, 06/2015) with its default values, as far as a call's numbers move it: delay and loss. Pure. */

#include <glib.h>

typedef struct
{
  double delay;                 /* ms, one way, mouth to ear */
  double loss;                  /* 0..1, what was concealed after FEC and playout did what they could */
  double burst_ratio;           /* G.107 section 7.4; 1: random loss */
  double ie, bpl;               /* equipment impairment and loss robustness of the codec, see emodel_codec() */
} EmodelInput;

/* Transmission rating R, 0..100. */
double emodel_rating (const EmodelInput *input);
/* G.107 annex B: 1..4.5. */
double emodel_mos (double rating);
/* One-way delay impairment Id (G.107 section 7.3, TELR and WEPL at their defaults). */
double emodel_delay_impairment (double delay);
