/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "playout-check.h"

#include <string.h>

#define FRAME 480
#define LONGEST (48 * 120)
/* Beyond the target: the backlog of an outage, a packet, two ticks. */
#define SLOP_US ((250 + 120 + 40) * 1000)

void
check_init (Check *check, guint min_ms, guint max_ms, gboolean regular)
{
  memset (check, 0, sizeof *check);
  check->playout = playout_new ();
  check->max_ms = max_ms;
  check->regular = regular;
  playout_set_bounds (check->playout, min_ms, max_ms);
}

void
check_clear (Check *check)
{
  playout_free (check->playout);
}

PlayoutVerdict
check_insert (Check *check, const PlayoutPacket *packet)
{
  guint slot = G_MAXUINT;
  PlayoutVerdict verdict = playout_insert (check->playout, packet, &slot);

  if (verdict == PLAYOUT_STORED)
    {
      g_assert_cmpuint (slot, <, PLAYOUT_SLOTS);
      check->slots[slot] = (CheckSlot) { TRUE, *packet };
    }
  return verdict;
}

/* Regular: media time of a packet, by its sequence number. All have one duration. */
static gint64
media_of (const Check *check, const PlayoutPacket *packet)
{
  gint64 near = check->next / packet->duration;
  gint16 ahead = (gint16) (packet->seq - (guint16) (check->first_seq + near));

  return (near + ahead) * packet->duration;
}

static void
note (Check *check, const PlayoutDecision *decision)
{
  guint64 words[] = { decision->action, decision->slot, decision->samples, decision->skip };

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    check->hash = (check->hash ^ words[i]) * 0x100000001b3;
}

/* Noise or silence: whatever waits has come so lately that it must wait for the target still. What is older was given up. */
static void
check_pause (Check *check, gint64 now)
{
  PlayoutStats stats;
  guint young = 0;

  playout_get_stats (check->playout, &stats);
  for (guint i = 0; i < PLAYOUT_SLOTS; i++)
    young += check->slots[i].used && (now - check->slots[i].packet.arrival) * 48 / 1000 <= stats.target + 2 * FRAME;
  g_assert_cmpuint (stats.waiting, <=, young);
}

static void
check_made_up (Check *check, const PlayoutDecision *decision)
{
  for (guint i = 0; check->regular && i < PLAYOUT_SLOTS; i++)
    {
      const CheckSlot *slot = &check->slots[i];

      if (slot->used)
        {
          gint64 media = media_of (check, &slot->packet);

          g_assert_false (media <= check->next && check->next < media + slot->packet.duration);
        }
    }
  check->concealed += decision->samples;
  check->next += decision->samples;
}

static void
check_packet (Check *check, const PlayoutDecision *decision, gint64 now)
{
  CheckSlot *slot = &check->slots[decision->slot];
  const PlayoutPacket *packet = &slot->packet;
  gboolean copy = decision->action == PLAYOUT_DECODE_FEC;

  g_assert_true (slot->used);
  g_assert_cmpuint (decision->samples + decision->skip, ==, packet->duration);
  g_assert_cmpuint (packet->duration, >, 0);
  if (copy)
    g_assert_true (packet->fec);
  if (check->any_played && packet->ssrc == check->last_ssrc && !decision->reset)
    g_assert_cmpint ((gint16) (packet->seq - check->last_seq), >, (copy ? 1 : 0));
  if (check->regular)
    {
      gint64 begin = media_of (check, packet) - (copy ? (gint64) packet->duration : 0) + decision->skip;

      /* Bounded delay. */
      if (decision->samples > 0)
        g_assert_cmpint (now - packet->arrival, <=, check->max_ms * 1000 + SLOP_US);
      if (decision->samples > 0)
        check->next = begin + decision->samples;
    }
  check->resets += decision->reset;
  if (decision->reset)
    check->any_played = FALSE;
  if (copy)
    {
      check->by_fec += decision->samples;
      return;
    }
  check->decoded += decision->samples;
  check->any_played = TRUE;
  check->last_seq = packet->seq;
  check->last_ssrc = packet->ssrc;
  slot->used = FALSE;
}

static PlayoutAction
append (Check *check, gint64 now)
{
  PlayoutDecision decision = { .action = (PlayoutAction) 99 };

  playout_pull (check->playout, now, check->buffered, &decision);
  note (check, &decision);
  g_assert_cmpuint (decision.samples, <=, LONGEST);
  g_assert_cmpuint (decision.skip, <=, LONGEST);
  switch (decision.action)
    {
    case PLAYOUT_SILENCE:
      check->silence += decision.samples;
      g_assert_cmpuint (decision.samples, >, 0);
      break;
    case PLAYOUT_COMFORT:
      g_assert_cmpuint (decision.samples, >, 0);
      if (decision.slot != PLAYOUT_NO_SLOT)
        {
          g_assert_true (check->slots[decision.slot].used);
          g_assert_cmpint (check->slots[decision.slot].packet.kind, ==, PLAYOUT_NOISE);
          check->slots[decision.slot].used = FALSE;
        }
      if (check->regular)
        check_pause (check, now);
      check->comfort += decision.samples;
      break;
    case PLAYOUT_CONCEAL:
      g_assert_cmpuint (decision.samples, >, 0);
      g_assert_cmpuint (decision.samples, <=, FRAME);
      check_made_up (check, &decision);
      break;
    case PLAYOUT_DECODE:
    case PLAYOUT_DECODE_FEC:
      check_packet (check, &decision, now);
      break;
    }
  check->buffered += decision.samples;
  return decision.action;
}

void
check_tick (Check *check, gint64 now, gboolean quiet, gboolean obliging)
{
  double match = 2;
  int wanted;

  for (guint i = 0; check->buffered < FRAME; i++)
    {
      g_assert_cmpuint (i, <=, PLAYOUT_SLOTS + 8);
      append (check, now);
    }
  wanted = playout_stretch (check->playout, now, check->buffered, quiet, &match);
  g_assert_cmpint (ABS (wanted), <=, 960);
  if (wanted != 0)
    {
      g_assert_cmpfloat (match, >=, -1);
      g_assert_cmpfloat (match, <=, 1);
      while (wanted < 0 && check->buffered < FRAME + 960 + 384 && playout_ready (check->playout))
        g_assert_cmpint (append (check, now), ==, PLAYOUT_DECODE);
      if (wanted < 0)
        wanted = -MIN (-wanted, (int) check->buffered - FRAME);
      if (obliging && wanted != 0)
        {
          check->buffered = (guint) ((int) check->buffered + wanted);
          check->stretched += (guint) ABS (wanted);
          playout_stretched (check->playout, wanted);
        }
    }
  g_assert_cmpuint (check->buffered, <=, FRAME + 960 + 384 + LONGEST);
  check->buffered -= FRAME;
}
