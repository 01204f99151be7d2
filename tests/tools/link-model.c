/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link-model.h"

#include <math.h>
#include <string.h>

static const struct
{
  const char *key;
  gsize offset;
  double most;
} members[] = {
  { "delay", G_STRUCT_OFFSET (LinkConfig, delay), 10000 },
  { "jitter", G_STRUCT_OFFSET (LinkConfig, jitter), 10000 },
  { "loss", G_STRUCT_OFFSET (LinkConfig, loss), 1 },
  { "burst", G_STRUCT_OFFSET (LinkConfig, burst), 1000 },
  { "run", G_STRUCT_OFFSET (LinkConfig, run), 1000 },
  { "stall-every", G_STRUCT_OFFSET (LinkConfig, stall_every), 3600 },
  { "stall", G_STRUCT_OFFSET (LinkConfig, stall), 10000 },
  { "rate", G_STRUCT_OFFSET (LinkConfig, rate), 1e10 },
  { "queue", G_STRUCT_OFFSET (LinkConfig, queue), 60000 },
  { "reorder", G_STRUCT_OFFSET (LinkConfig, reorder), 1 },
};

gboolean
link_config_set (LinkConfig *config, const char *assignment)
{
  const char *equals = strchr (assignment, '=');
  char *end;
  double value;

  if (!equals || equals[1] == '\0')
    return FALSE;
  value = g_ascii_strtod (equals + 1, &end);
  for (guint i = 0; i < G_N_ELEMENTS (members); i++)
    if (strlen (members[i].key) == (gsize) (equals - assignment) && strncmp (assignment, members[i].key, (gsize) (equals - assignment)) == 0)
      {
        if (*end != '\0' || !(value >= 0) || value > members[i].most)
          return FALSE;
        G_STRUCT_MEMBER (double, config, members[i].offset) = value;
        return TRUE;
      }
  return FALSE;
}

/* splitmix64 (Steele, Lea, Flood 2014); 0 <= x < 1. */
static double
uniform (LinkModel *model)
{
  guint64 z = model->random += 0x9e3779b97f4a7c15;

  z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
  z = (z ^ z >> 27) * 0x94d049bb133111eb;
  return (double) ((z ^ z >> 31) >> 11) / 9007199254740992.0;
}

static double
exponential (LinkModel *model, double mean)
{
  return -log (1 - uniform (model)) * mean;
}

void
link_model_init (LinkModel *model, const LinkConfig *config, guint64 seed)
{
  *model = (LinkModel) { .config = *config, .random = seed, .free_at = G_MININT64, .latest = G_MININT64, .stall_begin = G_MININT64,
                         .stall_end = G_MININT64 };
}

static gboolean
is_lost (LinkModel *model)
{
  const LinkConfig *c = &model->config;

  if (c->run > 1)
    {
      /* After a run at least one gets through, so a run begins a little more often than loss / run. */
      if (model->run_left == 0 && !model->bad && uniform (model) < c->loss / (c->run - c->loss * (c->run - 1)))
        model->run_left = (guint) c->run;
      model->bad = model->run_left == 1;
      if (model->run_left == 0)
        return FALSE;
      model->run_left--;
      return TRUE;
    }
  if (c->burst <= 1 || c->loss >= 1)
    return uniform (model) < c->loss;
  /* Gilbert (1960): the bad state is left with 1 / burst and entered so that its share is `loss`. */
  if (model->bad)
    model->bad = uniform (model) >= 1 / c->burst;
  else
    model->bad = uniform (model) < c->loss / (1 - c->loss) / c->burst;
  return model->bad;
}

static gint64
after_stalls (LinkModel *model, gint64 now, gint64 leaves)
{
  const LinkConfig *c = &model->config;

  if (c->stall_every <= 0 || c->stall <= 0)
    return leaves;
  if (model->stall_begin == G_MININT64)
    model->stall_begin = now + (gint64) (exponential (model, c->stall_every) * 1e6);
  while (now >= model->stall_begin)
    {
      model->stall_end = model->stall_begin + (gint64) (c->stall * 1e3);
      model->stall_begin = model->stall_end + (gint64) (exponential (model, c->stall_every) * 1e6);
    }
  return MAX (leaves, model->stall_end);
}

gint64
link_model_offer (LinkModel *model, gint64 now, guint octets)
{
  const LinkConfig *c = &model->config;
  gint64 leaves = now;

  if (c->rate > 0)
    {
      gint64 begin = MAX (now, model->free_at), end = begin + (gint64) (octets * 8e6 / c->rate);

      if (c->queue > 0 && begin - now > (gint64) (c->queue * 1e3))
        {
          model->dropped++;
          return LINK_DROPPED;
        }
      leaves = model->free_at = end;
    }
  if (is_lost (model))
    {
      model->lost++;
      return LINK_LOST;
    }
  leaves += (gint64) ((c->delay + (c->jitter > 0 ? exponential (model, c->jitter) : 0)) * 1e3);
  leaves = after_stalls (model, now, leaves);
  if (c->reorder < 1)
    leaves = MAX (leaves, model->latest);
  model->latest = MAX (model->latest, leaves);
  model->passed++;
  return leaves;
}
