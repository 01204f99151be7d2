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
 * A packet that turns up after its place has been concealed is decoded as if the concealment had not been, and what is over of it is
 * dropped: the decoder stays in step, only the sound that was too late is lost. Unless the target wants more delay than there is:
 * then time is set back to its beginning and nothing is lost.
 *
 * Stretching is sparing. Each change of the delay shifts the words against each other, which costs more intelligibility than the same
 * length of concealment; so in speech only large errors are worked off, and small ones in pauses of at least 100 ms. */

#define TICKS(us) ((us) * 48 / 1000)
#define MS(ms) ((ms) * 48)
#define FRAME 480
#define MAX_GAP MS (2000)       /* a jump of the timestamp that arrival times do not explain is a new time base */
#define MAX_REORDER MS (5000)
#define MAX_HOLE MS (500)       /* more than that between two packets is not concealed */
#define MAX_CREDIT MS (500)     /* concealed without knowing what comes: then it is an outage */
#define MAX_BACKLOG MS (250)    /* of an outage that is still played, above the target */
#define NO_RUN G_MININT64
#define SLACKS 8
#define REST 3                  /* frames between two changes of speech */
#define MAX_STEP MS (20)        /* of one change */
#define LENGTHEN_BELOW MS (30)  /* of what waits: time is better kept in packets, which can still be thought over */
#define PAUSE_MARGIN 72         /* 1.5 ms kept when the delay is shortened in a pause, or a sixteenth of the target */
#define SPEECH_MARGIN MS (40)   /* and in speech, and a quarter of the target */
#define SPEECH_LACK MS (40)     /* that is too little in speech before it is lengthened, and a quarter of the target */
#define GIVE_BACK MS (40)       /* or half the target: less is too little for a shift */
#define SOURCE_QUIET_US (1000 * 1000)
#define PULL_GAP_US (200 * 1000)        /* nobody pulled: a hold */

typedef struct
{
  gboolean used;
  gint64 seq, media;
  guint duration;
  PlayoutKind kind;
  gboolean fec, copy;
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

  gint64 first_seq;
  gint64 next;                  /* media time */
  gint64 last_seq;              /* of what was produced last */
  PlayoutKind last_kind;
  gint64 credit;                /* samples concealed since the buffer ran dry */
  gint64 pulled;                /* us: the last pull */
  gint64 run;                   /* media time at which the concealment under way began, or NO_RUN */
  gboolean outage;              /* the pause is no pause: nothing came for a while */
  gint64 slack[SLACKS];         /* of the last pulls */
  guint n_slacks, slack_at;
  guint rest;                   /* frames until speech may be stretched again */
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
  playout->first_seq = playout->seq;
  playout->run = NO_RUN;
  playout->outage = FALSE;
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
        return step <= 0 && step >= -MAX_REORDER ? playout->media + step : G_MININT64;
      /* Either the sequence or the clock on the wall explains the step, and media time does not run ahead of the clock. */
      if (step >= 0 && step <= by_clock + MAX_GAP && (step <= ahead * (gint64) MAX (playout->duration, MS (10)) + MS (200) || ABS (step - by_clock) < MAX_GAP))
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

  playout->stats.received += !packet->copy;
  seq = playout->seq + (gint16) (guint16) (packet->seq - (guint16) playout->seq);
  if (seq < playout->seq - PLAYOUT_SLOTS / 2 || seq > playout->seq + 3000)
    {
      if (packet->copy)
        return PLAYOUT_REFUSED;
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
      playout->stats.duplicates += !packet->copy;
      return PLAYOUT_DUPLICATE;
    }
  media = place_in_time (playout, packet, seq);
  if (media == G_MININT64)
    {
      playout->stats.refused++;
      return PLAYOUT_REFUSED;
    }
  if (packet->kind == PLAYOUT_SPEECH || packet->kind == PLAYOUT_DTX)
    playout_delay_add (&playout->delay, TICKS (packet->arrival) - media, packet->duration);
  /* The copy of a frame that has not come counts as its arrival. */
  if (packet->fec && playout->slots[(seq - 1) & (PLAYOUT_SLOTS - 1)].seq != seq - 1 && seq > playout->first_seq)
    playout_delay_add (&playout->delay, TICKS (packet->arrival) - (media - packet->duration), packet->duration);
  if (seq <= playout->last_seq)
    {
      if (!slot->used)
        slot->seq = seq;        /* another copy of it is a duplicate */
      playout->stats.late += !packet->copy;
      return PLAYOUT_LATE;
    }
  if (slot->used)
    release (playout, slot);

  *slot = (Slot) { .used = TRUE, .seq = seq, .media = media, .duration = packet->duration, .kind = packet->kind, .fec = packet->fec,
                   .copy = packet->copy };
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
  decision->reset = playout->reset_due;
  playout->reset_due = FALSE;
  decision->rewind = playout->run == slot->media;
  playout->run = NO_RUN;
  if (slot->seq > playout->last_seq + 1 && playout->talking)
    playout->stats.lost += (guint64) (slot->seq - playout->last_seq - 1);
  playout->next = MAX (playout->next, slot->media + slot->duration);
  playout->last_seq = slot->seq;
  playout->last_kind = slot->kind;
  playout->credit = 0;
  playout->talking = TRUE;
  playout->stats.copies_used += slot->copy && decision->samples > 0;
  if (decision->samples == 0)
    playout->stats.late++;
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
pull_paused (Playout *playout, gint64 now, PlayoutDecision *decision)
{
  gint64 base = playout_delay_base (&playout->delay), plays = TICKS (now);
  gint64 wait = target (playout), oldest = MAX (MIN (wait + MAX_BACKLOG, playout->max_target), wait + MS (60));
  Slot *slot = first_slot (playout);

  /* After an outage all that was under way arrives at once: begin with what is not older than the delay allows. */
  while (slot && playout->outage && plays - slot->media - base > oldest)
    {
      playout->last_seq = slot->seq;
      release (playout, slot);
      playout->stats.late++;
      slot = first_slot (playout);
    }
  if (!slot || slot->duration == 0 || plays < base + slot->media + wait)
    {
      decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
      return;
    }
  playout->next = slot->media;
  playout->run = NO_RUN;
  playout->n_slacks = 0;
  playout->outage = FALSE;
  take (playout, slot, decision);
}

/* Conceals; the decoder's state of before is worth keeping, the packet may still come. */
static void
conceal (Playout *playout, guint samples, PlayoutDecision *decision)
{
  decide (decision, PLAYOUT_CONCEAL, PLAYOUT_NO_SLOT, samples, 0);
  decision->first = playout->run == NO_RUN;
  if (decision->first)
    playout->run = playout->next;
  playout->next += samples;
}

/* What was filled in on credit is given back, as far as there is sound for it, if the delay that comes of it is wanted anyway. It is a shift
 * in the middle of speech: the next pause does for less. */
static void
settle_credit (Playout *playout, gint64 now, const Slot *slot)
{
  gint64 begin = slot->media - (slot->fec && slot->seq > playout->last_seq + 1 ? slot->duration : 0);
  gint64 back = MIN (playout->next - begin, playout->credit);
  gint64 slack = TICKS (now) - playout->next - playout_delay_base (&playout->delay);
  gint64 wait = MAX (target (playout), MIN (playout_delay_urgent (&playout->delay, slack), playout->max_target));

  /* Slack comes in whole frames: less may be too little. */
  if (back > 0 && playout->next - back < slot->media + slot->duration && wait - slack > MIN (wait / 2, GIVE_BACK) && slack + back < wait + FRAME)
    {
      playout->next -= back;
      playout->n_slacks = 0;
    }
  playout->credit = 0;
}

static void
pull_dry (Playout *playout, PlayoutDecision *decision)
{
  if (playout->last_kind == PLAYOUT_DTX || playout->credit >= MAX_CREDIT)
    {
      playout->talking = FALSE;
      playout->outage = playout->last_kind != PLAYOUT_DTX;
      playout->run = NO_RUN;
      decide (decision, PLAYOUT_COMFORT, PLAYOUT_NO_SLOT, FRAME, 0);
      return;
    }
  conceal (playout, FRAME, decision);
  playout->credit += FRAME;
}

static void
take_copy (Playout *playout, Slot *slot, PlayoutDecision *decision)
{
  gint64 gap = MAX (slot->media - playout->next, 0);

  decide (decision, PLAYOUT_DECODE_FEC, slot_index (playout, slot), (guint) gap, slot->duration - (guint) gap);
  decision->reset = playout->reset_due;
  playout->reset_due = FALSE;
  decision->rewind = playout->run == slot->media - slot->duration;
  playout->run = NO_RUN;
  playout->next += gap;
  playout->stats.fec_used += gap > 0;
  playout->stats.lost += (guint64) (slot->seq - 1 - playout->last_seq);
  playout->last_seq = slot->seq - 1;
}

static void
drop_long_over (Playout *playout)
{
  Slot *slot;

  while (playout->talking && (slot = first_slot (playout)) && slot->media + slot->duration < playout->next - MAX_CREDIT)
    {
      playout->last_seq = slot->seq;
      release (playout, slot);
      playout->stats.late++;
    }
}

static void
pull_talking (Playout *playout, gint64 now, PlayoutDecision *decision)
{
  Slot *slot = first_slot (playout);
  gint64 gap;

  if (!slot)
    {
      pull_dry (playout, decision);
      return;
    }

  settle_credit (playout, now, slot);
  gap = slot->media - playout->next;
  if (slot->fec && slot->seq > playout->last_seq + 1 && gap <= slot->duration
      && (gap > 0 || (gap == 0 && playout->run == slot->media - slot->duration)))
    take_copy (playout, slot, decision);
  else if (gap <= 0)
    take (playout, slot, decision);
  else if (slot->seq == playout->last_seq + 1 || playout->last_kind == PLAYOUT_DTX || gap > MAX_HOLE)
    {
      /* The sender left time out, or so much is missing that it is no use. */
      playout->talking = FALSE;
      playout->outage = FALSE;
      pull_paused (playout, now, decision);
    }
  else
    {
      guint samples = (guint) MIN (gap, FRAME);

      /* Stop where the copy begins. */
      if (slot->fec && gap > slot->duration && gap - samples < slot->duration)
        samples = (guint) gap - slot->duration;
      conceal (playout, samples, decision);
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
    {
      playout->talking = FALSE;
      playout->outage = TRUE;
      playout->run = NO_RUN;
    }
  playout->pulled = now;
  drop_long_over (playout);
  if (!take_silent (playout, ret_decision))
    {
      if (playout->talking)
        pull_talking (playout, now, ret_decision);
      else
        pull_paused (playout, now, ret_decision);
    }
  playout->stats.target = target (playout);
  if (playout->talking && ret_decision->samples > 0)
    playout->stats.delay = TICKS (now) + buffered + ret_decision->samples - playout->next - playout_delay_base (&playout->delay);
}

gboolean
playout_ready (const Playout *playout)
{
  const Slot *slot = first_slot ((Playout *) playout);

  return playout->talking && slot && slot->duration > 0 && slot->media == playout->next;
}

/* Slack is what the next packet could have been later. A packet is fetched when less than a frame waits, so it is the delay less what
 * waits then: the remainder of the buffer in frames. The least of the last few pulls counts: a driver may pull two frames at once. */
static gint64
slack_now (Playout *playout, gint64 now, guint buffered)
{
  gint64 delay = TICKS (now) - (playout->next - buffered) - playout_delay_base (&playout->delay), least;

  playout->slack[playout->slack_at++ % SLACKS] = delay - buffered % FRAME;
  playout->n_slacks = MIN (playout->n_slacks + 1, SLACKS);
  least = delay - buffered % FRAME;
  for (guint i = 1; i < playout->n_slacks; i++)
    least = MIN (least, playout->slack[(playout->slack_at - 1 - i) % SLACKS]);
  return least;
}

int
playout_stretch (Playout *playout, gint64 now, guint buffered, gboolean quiet, double *ret_match)
{
  gint64 remainder = buffered % FRAME, slack, wait, urgent, change;

  if (!playout->talking || now - playout->pulled > PULL_GAP_US)
    return 0;
  playout->pulled = now;
  slack = slack_now (playout, now, buffered);
  urgent = MIN (playout_delay_urgent (&playout->delay, slack), playout->max_target);
  wait = MAX (target (playout), urgent);
  if (playout->rest > 0 && --playout->rest > 0 && !quiet)
    return 0;

  /* Packets are fetched on ticks, a frame apart: slack comes in whole frames, and the remainder of the buffer is delay that is
   * good for nothing. */
  if (slack < wait)
    {
      gint64 lack = wait - slack;

      change = (lack + FRAME - 1) / FRAME * FRAME - remainder;
      if (buffered > LENGTHEN_BELOW)
        return 0;
      if (urgent == 0 && lack <= (quiet ? wait / 8 : SPEECH_LACK + wait / 4))
        return 0;
      *ret_match = quiet ? -1 : urgent > 0 ? 0.5 : 0.85;
      return (int) MIN (change, MAX_STEP);
    }
  else
    {
      gint64 margin = quiet ? MAX (PAUSE_MARGIN, wait / 16) : SPEECH_MARGIN + wait / 4;

      change = MAX (slack - wait - margin, 0) / FRAME * FRAME + remainder;
      if (change < (quiet ? PAUSE_MARGIN : FRAME))
        return 0;
      /* The more there is too much, the less it matters how the joint sounds. */
      *ret_match = quiet || slack - wait > MS (200) ? -1 : slack - wait > MS (100) ? 0.5 : 0.85;
      return -(int) MIN (change, MAX_STEP);
    }
}

void
playout_stretched (Playout *playout, int samples)
{
  for (guint i = 0; i < SLACKS; i++)
    playout->slack[i] += samples;
  playout->rest = REST;
}

void
playout_get_stats (const Playout *playout, PlayoutStats *ret_stats)
{
  *ret_stats = playout->stats;
  ret_stats->waiting = playout->n_used;
}
