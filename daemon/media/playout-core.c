/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/playout-core.h"

#include "media/playout-delay.h"

/* The model. Packets stand in a ring by sequence number. `next` is the media time of the first sample that has not been produced yet;
 * what has been produced and not played is the caller's buffer, so the sample that plays now has media time next - buffered, and
 *
 *     delay = now - (next - buffered) - base
 *
 * is exactly the time that the fastest packet would have waited: no level has to be filtered. base and target come from
 * playout-delay.
 *
 * Two modes. TALKING: the timeline runs on, packet by packet; what is missing is taken from the copy in the packet behind it or is
 * concealed. PAUSED (start, DTX, comfort noise, an outage): nothing is due, and the packet that ends the pause plays when it has waited
 * for the target delay: this is where the delay is changed for free.
 *
 * Concealment goes ahead on credit when nothing is there at all: a packet that turns up after its place has been filled is still played
 * from its beginning, and the delay grows by what was filled in, as long as the target wants that much; else its first part
 * is skipped. */

#define TICKS(us) ((us) * 48 / 1000)
#define MS(ms) ((ms) * 48)
#define FRAME 480
#define MAX_GAP MS (2000)       /* a jump of the timestamp that arrival times do not explain is a new time base */
#define MAX_CREDIT MS (120)     /* concealed without knowing what comes: then it is a pause */
#define SOURCE_QUIET_US (1000 * 1000)
#define PULL_GAP_US (200 * 1000)        /* nobody pulled: a hold */

typedef struct
{
  gboolean used;
  gint64 seq, media;
  guint duration;
  PlayoutKind kind;
  gboolean fec, reset;
} Slot;

struct _Playout
{
  Slot slots[PLAYOUT_SLOTS];
  guint n_used;
  gboolean started, talking;
  PlayoutDelay delay;
  gint64 min_target, max_target;

  /* the packet with the highest sequence number so far */
  guint32 ssrc, timestamp, retired_ssrc;
  gboolean any_retired;
  gint64 seq, media, arrival;
  guint duration, clock_rate;
  gboolean reset_due, any_strange;
  guint16 strange_seq;

  gint64 next;                  /* media time */
  gint64 last_seq;              /* of what was produced last */
  PlayoutKind last_kind;
  gint64 credit;                /* samples concealed since the buffer ran dry */
  gint64 pulled;                /* us: the last pull */
  PlayoutStats stats;
};

static void
flush (Playout *playout)
{
  for (guint i = 0; i < PLAYOUT_SLOTS; i++)
    playout->slots[i] = (Slot) { .seq = G_MININT64 };
  playout->n_used = 0;
}

Playout *
playout_new (void)
{
  Playout *playout = g_new0 (Playout, 1);

  playout->max_target = MS (600);
  flush (playout);
  return playout;
}

void
playout_free (Playout *playout)
{
  g_free (playout);
}

void
playout_set_bounds (Playout *playout, guint min_ms, guint max_ms)
{
  playout->min_target = MS (min_ms);
  playout->max_target = MS (MAX (min_ms, max_ms));
}

static gint64
target (const Playout *playout)
{
  return CLAMP (playout_delay_target (&playout->delay), playout->min_target, playout->max_target);
}

static void
release (Playout *playout, Slot *slot)
{
  slot->used = FALSE;
  playout->n_used--;
}

/* Lowest sequence number that is stored and was not passed. */
static Slot *
first_slot (Playout *playout)
{
  Slot *first = NULL;

  if (playout->n_used == 0)
    return NULL;
  for (gint64 seq = MAX (playout->last_seq + 1, playout->seq - PLAYOUT_SLOTS + 1); seq <= playout->seq; seq++)
    {
      Slot *slot = &playout->slots[seq & (PLAYOUT_SLOTS - 1)];

      if (slot->used && slot->seq == seq)
        {
          first = slot;
          break;
        }
    }
  return first;
}

static void
begin_source (Playout *playout, const PlayoutPacket *packet)
{
  if (playout->started)
    {
      playout->stats.resets++;
      playout->any_retired = playout->ssrc != packet->ssrc;
      playout->retired_ssrc = playout->ssrc;
    }
  flush (playout);
  playout_delay_reset (&playout->delay);
  playout->started = TRUE;
  playout->talking = FALSE;
  playout->ssrc = packet->ssrc;
  playout->seq = packet->seq;
  playout->timestamp = packet->timestamp;
  playout->clock_rate = packet->clock_rate;
  playout->media = 0;
  playout->arrival = packet->arrival;
  playout->duration = packet->duration;
  playout->last_seq = playout->seq - 1;
  playout->credit = 0;
  playout->reset_due = TRUE;
}

/* Media time of a packet by the timeline of the newest one. Changes the timeline's origin when the packet cannot belong to it. */
static gint64
place_in_time (Playout *playout, const PlayoutPacket *packet, gint64 seq)
{
  gint64 ahead = seq - playout->seq, by_clock = TICKS (packet->arrival - playout->arrival), step;

  /* Some peers stamp events with a clock of their own; they have no sound to be placed. */
  if (packet->kind == PLAYOUT_EVENT)
    return playout->media + (ahead > 0 ? playout->duration : 0);
  if (packet->clock_rate == playout->clock_rate)
    {
      step = (gint64) (gint32) (packet->timestamp - playout->timestamp) * (48000 / packet->clock_rate);
      if (ahead <= 0)
        return playout->media + step;
      /* Either the sequence or the clock on the wall explains the step. */
      if (step >= 0 && (step <= ahead * (gint64) MAX (playout->duration, MS (10)) + MS (200) || ABS (step - by_clock) < MAX_GAP))
        return playout->media + step;
    }
  else if (ahead <= 0)
    return G_MININT64;

  playout->stats.resets++;
  step = ahead <= 50 ? ahead * playout->duration : MAX (by_clock, 0);
  return playout->media + step;
}

PlayoutVerdict
playout_insert (Playout *playout, const PlayoutPacket *packet, guint *ret_slot)
{
  gint64 seq, media;
  Slot *slot;

  if (playout->started && packet->ssrc != playout->ssrc && playout->any_retired && packet->ssrc == playout->retired_ssrc
      && packet->arrival - playout->arrival < SOURCE_QUIET_US)
    {
      playout->stats.refused++;
      return PLAYOUT_REFUSED;
    }
  if (!playout->started || packet->ssrc != playout->ssrc)
    begin_source (playout, packet);

  playout->stats.received++;
  seq = playout->seq + (gint16) (guint16) (packet->seq - (guint16) playout->seq);
  if (seq < playout->seq - PLAYOUT_SLOTS / 2 || seq > playout->seq + 3000)
    {
      /* Far outside. Two in a row mean that the sender restarted without a new SSRC (RFC 3550 section A.1). */
      if (!playout->any_strange || packet->seq != playout->strange_seq)
        {
          playout->any_strange = TRUE;
          playout->strange_seq = (guint16) (packet->seq + 1);
          playout->stats.refused++;
          return PLAYOUT_REFUSED;
        }
      begin_source (playout, packet);
      seq = playout->seq;
    }
  playout->any_strange = FALSE;
  slot = &playout->slots[seq & (PLAYOUT_SLOTS - 1)];
  if (slot->seq == seq)         /* waiting, or played already */
    {
      playout->stats.duplicates++;
      return PLAYOUT_DUPLICATE;
    }
  media = place_in_time (playout, packet, seq);
  if (media == G_MININT64)
    {
      playout->stats.refused++;
      return PLAYOUT_REFUSED;
    }
  if (packet->kind == PLAYOUT_SPEECH || packet->kind == PLAYOUT_DTX)
    playout_delay_add (&playout->delay, TICKS (packet->arrival) - media);
  if (seq <= playout->last_seq)
    {
      playout->stats.late++;
      return PLAYOUT_LATE;
    }
  if (slot->used)
    release (playout, slot);

  *slot = (Slot) { .used = TRUE, .seq = seq, .media = media, .duration = packet->duration, .kind = packet->kind, .fec = packet->fec,
                   .reset = playout->reset_due };
  playout->reset_due = FALSE;
  playout->n_used++;
  if (seq >= playout->seq)
    {
      playout->seq = seq;
      if (packet->kind != PLAYOUT_EVENT)
        {
          playout->media = media;
          playout->timestamp = packet->timestamp;
          playout->clock_rate = packet->clock_rate;
          playout->arrival = packet->arrival;
        }
      if (packet->duration)
        playout->duration = packet->duration;
    }
  *ret_slot = (guint) (seq & (PLAYOUT_SLOTS - 1));
  return PLAYOUT_STORED;
}

static void
decide (PlayoutDecision *decision, PlayoutAction action, guint slot, guint samples, guint skip)
{
  *decision = (PlayoutDecision) { .action = action, .slot = slot, .samples = samples, .skip = skip };
}

static guint
slot_index (const Playout *playout, const Slot *slot)
{
  return (guint) (slot - playout->slots);
}

/* The packet has come to its turn: produce it from media time `next` on. */
static void
take (Playout *playout, Slot *slot, PlayoutDecision *decision)
{
  guint skip = (guint) CLAMP (playout->next - slot->media, 0, (gint64) slot->duration);

  decide (decision, PLAYOUT_DECODE, slot_index (playout, slot), slot->duration - skip, skip);
  decision->reset = slot->reset;
  if (slot->seq > playout->last_seq + 1 && playout->talking)
    playout->stats.lost += (guint64) (slot->seq - playout->last_seq - 1);
  playout->next = slot->media + slot->duration;
  playout->last_seq = slot->seq;
  playout->last_kind = slot->kind;
  playout->credit = 0;
  playout->talking = TRUE;
  release (playout, slot);
}

/* Events and descriptions of noise make no sound of their own and are taken as soon as they are first. TRUE: there is a decision. */
static gboolean
take_silent (Playout *playout, PlayoutDecision *decision)
{
  Slot *slot;

  while ((slot = first_slot (playout)) && slot->duration == 0)
    {
      gboolean noise = slot->kind == PLAYOUT_NOISE;

      if (playout->talking && slot->media > playout->next && slot->seq != playout->last_seq + 1)
        break;                  /* what is missing in front of it comes first */
      playout->last_seq = slot->seq;
      playout->last_kind = slot->kind;
      playout->talking = FALSE;
      release (playout, slot);
      if (noise)
        {
          decide (decision, PLAYOUT_COMFORT, slot_index (playout, slot), FRAME, 0);
          return TRUE;
        }
    }
  return FALSE;
}

static void
pull_paused (Playout *playout, gint64 now, guint buffered, PlayoutDecision *decision)
{
  gint64 base = playout_delay_base (&playout->delay), plays = TICKS (now) + buffered;
  Slot *slot = first_slot (playout), *later;

  if (!slot || slot->duration == 0 || plays < base + slot->media + target (playout))
    {
      decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
      return;
    }
  /* After an outage all that was under way arrives at once: begin with what is not older than the delay allows. */
  while (slot->duration > 0 && plays - slot->media - base > playout->max_target)
    {
      gint64 seq = slot->seq;

      playout->last_seq = seq;
      release (playout, slot);
      playout->stats.late++;
      later = first_slot (playout);
      if (!later)
        {
          decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
          return;
        }
      slot = later;
    }
  if (slot->duration == 0)
    {
      decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
      return;
    }
  playout->next = slot->media;
  take (playout, slot, decision);
}

static void
pull_talking (Playout *playout, gint64 now, guint buffered, PlayoutDecision *decision)
{
  gint64 base = playout_delay_base (&playout->delay), gap;
  Slot *slot;

  while ((slot = first_slot (playout)))
    {
      /* What was filled in on credit is given back if the delay that comes of it is wanted. */
      if (slot->media < playout->next && playout->credit > 0)
        {
          gint64 back = MIN (playout->next - slot->media, playout->credit);
          gint64 grown = TICKS (now) + buffered - (playout->next - back) - base;

          if (grown <= target (playout) + MS (20))
            playout->next -= back;
          playout->credit = 0;
        }
      if (slot->media + slot->duration > playout->next)
        break;
      playout->last_seq = slot->seq;    /* wholly over */
      release (playout, slot);
      playout->stats.late++;
    }

  if (!slot)
    {
      if (playout->last_kind == PLAYOUT_DTX || playout->credit >= MAX_CREDIT)
        {
          playout->talking = FALSE;
          decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
          return;
        }
      decide (decision, PLAYOUT_CONCEAL, PLAYOUT_NO_SLOT, FRAME, 0);
      playout->next += FRAME;
      playout->credit += FRAME;
      return;
    }

  gap = slot->media - playout->next;
  if (gap <= 0)
    take (playout, slot, decision);
  else if (slot->seq == playout->last_seq + 1 || playout->last_kind == PLAYOUT_DTX)
    {
      /* Nothing is missing: the sender left time out. */
      playout->talking = FALSE;
      pull_paused (playout, now, buffered, decision);
    }
  else if (slot->fec && gap <= slot->duration)
    {
      decide (decision, PLAYOUT_DECODE_FEC, slot_index (playout, slot), (guint) gap, slot->duration - (guint) gap);
      playout->next += gap;
      playout->credit = 0;
      playout->stats.fec_used++;
      playout->stats.lost += (guint64) (slot->seq - 1 - playout->last_seq);
      playout->last_seq = slot->seq - 1;
    }
  else
    {
      guint samples = (guint) MIN (gap, FRAME);

      if (slot->fec && gap - samples < slot->duration && gap > slot->duration)
        samples = (guint) gap - slot->duration;
      decide (decision, PLAYOUT_CONCEAL, PLAYOUT_NO_SLOT, samples, 0);
      playout->next += samples;
    }
}

void
playout_pull (Playout *playout, gint64 now, guint buffered, PlayoutDecision *ret_decision)
{
  if (!playout->started)
    {
      decide (ret_decision, PLAYOUT_SILENCE, PLAYOUT_NO_SLOT, FRAME, 0);
      return;
    }
  /* What was due while nobody listened is over. Else a packet missing at the beginning of a hold would have the whole of it concealed
   * at the end, and the delay would stay as long as the hold. */
  if (now - playout->pulled > PULL_GAP_US)
    playout->talking = FALSE;
  playout->pulled = now;
  if (!take_silent (playout, ret_decision))
    {
      if (playout->talking)
        pull_talking (playout, now, buffered, ret_decision);
      else
        pull_paused (playout, now, buffered, ret_decision);
    }
  playout->stats.target = target (playout);
  if (playout->talking)
    playout->stats.delay = TICKS (now) + buffered + ret_decision->samples - playout->next - playout_delay_base (&playout->delay);
}

void
playout_get_stats (const Playout *playout, PlayoutStats *ret_stats)
{
  *ret_stats = playout->stats;
}
