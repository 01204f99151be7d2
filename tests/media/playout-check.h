/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Runs the playout kernel as playout-stream does, with counters in place of samples, and asserts after each step what must hold whatever
 * the network does: no packet twice and none out of order, a bounded number of decisions, nothing made up while the sound for it is
 * there, nothing left waiting. Shared by the tests and the fuzzer. */

#include "media/playout-core.h"

typedef struct
{
  gboolean used;
  PlayoutPacket packet;
} CheckSlot;

typedef struct
{
  Playout *playout;
  guint max_ms;                 /* bound of the target */
  /* TRUE: timestamps follow sequence numbers, one source, no pauses: then media time is known here too and more is checked. */
  gboolean regular;
  guint16 first_seq;
  CheckSlot slots[PLAYOUT_SLOTS];
  guint buffered;
  gboolean any_played;
  guint32 last_ssrc;
  guint16 last_seq;
  gint64 next;                  /* regular: media time behind what was produced */
  guint64 decoded, by_fec, concealed, comfort, silence, stretched, resets;      /* samples; resets: decisions */
  guint64 hash;                 /* of all decisions */
} Check;

void check_init (Check *check, guint min_ms, guint max_ms, gboolean regular);
void check_clear (Check *check);
PlayoutVerdict check_insert (Check *check, const PlayoutPacket *packet);
/* One frame of 10 ms. quiet: what waits is a pause. obliging: stretching succeeds. */
void check_tick (Check *check, gint64 now, gboolean quiet, gboolean obliging);
