/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trace.h"

#include <math.h>
#include <string.h>

const Trace traces[] = {
  { .name = "clean", .base_ms = 1, .jitter_ms = 0.3 },
  { .name = "loss-5", .base_ms = 20, .jitter_ms = 0.3, .loss = 0.05 },
  { .name = "loss-15", .base_ms = 20, .jitter_ms = 0.3, .loss = 0.15 },
  { .name = "jitter-40", .base_ms = 20, .jitter_ms = 40 },
  { .name = "stalls-150", .base_ms = 20, .jitter_ms = 0.3, .stall_every_s = 3, .stall_ms = 150 },
  { .name = "bursts", .base_ms = 20, .jitter_ms = 30, .loss = 0.1, .burst = 3 },
  { .name = "bloat", .base_ms = 20, .jitter_ms = 2, .bloat_ms = 300 },
  { .name = "wifi", .base_ms = 10, .jitter_ms = 3, .stall_every_s = 1.5, .stall_ms = 50, .loss = 0.005 },
  { .name = "reorder", .base_ms = 20, .jitter_ms = 15, .reorder = TRUE, .loss = 0.01, .duplicate = 0.02 },
  { .name = "drift", .base_ms = 5, .jitter_ms = 0.5, .drift_ppm = 300 },
  { .name = NULL },
};

const Trace *
trace_find (const char *name)
{
  for (const Trace *trace = traces; trace->name; trace++)
    if (g_str_equal (trace->name, name))
      return trace;
  return NULL;
}

static double
exponential (SignalRandom *random, double mean)
{
  return -log (1 - signal_uniform (random)) * mean;
}

void
trace_run (const Trace *trace, guint n, guint frame_ms, guint64 seed, gint64 *ret_arrival)
{
  SignalRandom random = { seed };
  double stall_begin = -1e9, next_stall = trace->stall_every_s > 0 ? 1000 + exponential (&random, trace->stall_every_s * 1000) : 1e18;
  double latest = 0;
  guint losing = 0;

  for (guint i = 0; i < n; i++)
    {
      double sent = (i + 1) * (double) frame_ms * (1 - trace->drift_ppm * 1e-6), arrival = sent + trace->base_ms;

      if (losing == 0 && trace->loss > 0)
        {
          guint burst = MAX (trace->burst, 1);

          /* After a run at least one gets through, so a run begins a little more often than loss / burst. */
          if (signal_uniform (&random) < trace->loss / (burst - trace->loss * (burst - 1)))
            losing = burst;
        }
      if (trace->jitter_ms > 0)
        arrival += exponential (&random, trace->jitter_ms);
      if (trace->bloat_ms > 0)
        {
          double phase = fmod (sent, 12000);

          arrival += phase < 4000 ? 0 : phase < 8000 ? trace->bloat_ms * (phase - 4000) / 4000
                     : phase < 9000 ? trace->bloat_ms * (9000 - phase) / 1000 : 0;
        }
      while (sent >= next_stall)
        {
          stall_begin = next_stall;
          next_stall += trace->stall_ms + exponential (&random, trace->stall_every_s * 1000);
        }
      if (arrival < stall_begin + trace->stall_ms)
        arrival = stall_begin + trace->stall_ms;
      if (!trace->reorder)
        arrival = MAX (arrival, latest);
      latest = MAX (latest, arrival);
      if (losing > 0)
        {
          losing--;
          ret_arrival[i] = TRACE_LOST;
        }
      else
        ret_arrival[i] = (gint64) (arrival * 1000);
    }
}
