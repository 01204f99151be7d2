/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The decisions of adaptive playout for one RTP stream, in the manner of WebRTC's NetEQ. Pure: no thread, no clock, no codec, no
 * sample; packets go in with their arrival times, and each pull says what to put behind the samples that wait to be played.
 * Recorded arrival traces replay through it.
 *
 * Media time counts samples at 48 kHz whatever the codec. Times of day are microseconds of one monotonic clock. */

#include <glib.h>

#define PLAYOUT_SLOTS 256
#define PLAYOUT_NO_SLOT G_MAXUINT

typedef struct _Playout Playout;

typedef enum
{
  PLAYOUT_SPEECH,               /* decodes to `duration` samples */
  PLAYOUT_DTX,                  /* the same, and says that nothing may follow for a while */
  PLAYOUT_NOISE,                /* comfort noise (RFC 3389), holds until the next */
  PLAYOUT_EVENT,                /* telephone event: stands in the sequence, has no sound */
} PlayoutKind;

typedef struct
{
  guint32 ssrc;
  guint16 seq;
  guint32 timestamp;
  guint clock_rate;             /* Hz: 8000 or 48000 */
  guint duration;               /* samples at 48 kHz; 0 for NOISE and EVENT */
  PlayoutKind kind;
  gboolean fec;                 /* carries a copy of the frame before it */
  gboolean copy;                /* came with a later packet (RFC 2198) */
  gint64 arrival;               /* us */
} PlayoutPacket;

typedef enum
{
  PLAYOUT_STORED,               /* in the slot returned; whatever the slot held before is gone */
  PLAYOUT_DUPLICATE,
  PLAYOUT_LATE,                 /* its time is over */
  PLAYOUT_REFUSED,              /* of a source that was left, or out of any order */
} PlayoutVerdict;

typedef enum
{
  PLAYOUT_SILENCE,              /* `samples` of silence: no stream yet */
  PLAYOUT_COMFORT,              /* `samples` of noise: a pause of the talker; slot, if any, holds a new description of the noise */
  PLAYOUT_DECODE,               /* the packet in `slot`; drop the first `skip` samples of it */
  PLAYOUT_DECODE_FEC,           /* `samples` + `skip` of the frame before `slot` from the copy in it; drop the first `skip` */
  PLAYOUT_CONCEAL,              /* `samples` by the decoder's concealment */
} PlayoutAction;

typedef struct
{
  PlayoutAction action;
  guint slot;
  guint samples;                /* to append; may be 0: decode for the sake of the decoder's state only */
  guint skip;
  gboolean reset;               /* DECODE, DECODE_FEC: the first packet of another source: begin with fresh decoder state */
  gboolean first;               /* CONCEAL: begins here: keep the decoder's state of before, the packet may still come */
  gboolean rewind;              /* DECODE, DECODE_FEC: it came: go back to that state; `skip` is what was concealed meanwhile, all of it maybe */
} PlayoutDecision;

typedef struct
{
  guint64 received, late, duplicates, refused, lost, fec_used, copies_used, resets;
  guint waiting;                /* packets stored now */
  gint64 target, delay;         /* samples at 48 kHz; delay as of the last pull */
} PlayoutStats;

Playout *playout_new (void);
void playout_free (Playout *playout);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Playout, playout_free)

/* ms; the target stays within. Defaults 0 and 600. */
void playout_set_bounds (Playout *playout, guint min_ms, guint max_ms);
PlayoutVerdict playout_insert (Playout *playout, const PlayoutPacket *packet, guint *ret_slot);
/* Call until enough waits to be played. buffered: samples decoded and not yet played at `now`. */
void playout_pull (Playout *playout, gint64 now, guint buffered, PlayoutDecision *ret_decision);
/* TRUE: the next pull decodes a packet that is waiting. */
gboolean playout_ready (const Playout *playout);

/* Once for each frame that is played, just before it is taken: by how many samples what waits should be shortened (negative) or
 * lengthened (positive) now; 0: leave it. quiet: what waits is a pause, any length will do; else the caller looks for a lag at which
 * the sound resembles itself at least as much as *ret_match. */
int playout_stretch (Playout *playout, gint64 now, guint buffered, gboolean quiet, double *ret_match);
/* What came of it. */
void playout_stretched (Playout *playout, int samples);

void playout_get_stats (const Playout *playout, PlayoutStats *ret_stats);
