/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/rate-choice.h"

#include <math.h>

#define DELAY_PRICE 0.25                /* points for a ms */
#define FRAME_STAYS 2                   /* points by which another length must be better */
#define STEP 500                        /* bit/s */

double
rate_choice_overhead (guint octets, guint frame_ms)
{
  return octets * 8000.0 / MAX (frame_ms, 10);
}

/* What a bit rate costs below the best (measured with Opus 1.3, wide band, complexity 8, on natural speech). */
static double
impairment (double bitrate)
{
  static const struct
  {
    double bitrate, points;
  } table[] = { { 6000, 60 }, { 8000, 34 }, { 10000, 20 }, { 12000, 11 }, { 13000, 9 }, { 14000, 6.5 }, { 16000, 3.5 }, { 18000, 1.5 }, { 20000, 0.5 },
                { 24000, 0.25 }, { 32000, 0 } };

  if (bitrate <= table[0].bitrate)
    return table[0].points + (table[0].bitrate - bitrate) / 100;
  for (guint i = 1; i < G_N_ELEMENTS (table); i++)
    if (bitrate < table[i].bitrate)
      return table[i].points
             + (table[i - 1].points - table[i].points) * (table[i].bitrate - bitrate) / (table[i].bitrate - table[i - 1].bitrate);
  return 0;
}

double
rate_choice_price (const RateQuestion *question, guint frame_ms, double *ret_bitrate)
{
  double headers = rate_choice_overhead (question->overhead, frame_ms), most = MIN (question->wire - headers, question->most), best = INFINITY;

  *ret_bitrate = most;
  for (double bitrate = most; bitrate == most || bitrate >= question->least; bitrate -= STEP)
    {
      double passing = question->capacity > 0 ? (bitrate + headers) / question->capacity : 0;
      double price = impairment (bitrate) + DELAY_PRICE * frame_ms * (1 + passing);

      if (price < best)
        {
          best = price;
          *ret_bitrate = bitrate;
        }
    }
  return best + (frame_ms == question->frame_ms ? 0 : FRAME_STAYS);
}
