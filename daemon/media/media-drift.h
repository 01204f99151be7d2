/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The buffer between a capture device, which writes when it likes and by its own crystal, and the hub,
 * which reads a frame every tick: as short as the jitter of both allows, and kept so by cutting or
 * repeating a few milliseconds where the ear does not notice. Pure but for the ring inside: one writing and
 * one reading thread. */

#include "media/media-ring.h"

typedef struct
{
  MediaRing ring;
  _Atomic gint64 written_at;    /* us, of the last write */
  atomic_uint period;           /* samples that the device writes at once, most of the time; 0: not known */
  guint writing, vote, votes;   /* writing thread: samples of this burst; the size that most bursts had, and by how many more */
  /* Reading thread. All numbers are samples. */
  gboolean primed;              /* sound flows */
  guint margin;                 /* how late the device may be, beyond its period */
  gint least_room;              /* by how much later the device could have written, at the least in this window */
  guint least_rest;             /* that were in the buffer for nothing, at the least */
  guint lack;                   /* that are still to be gained by repeating */
  guint reads, calm;            /* reads in this window; windows since the margin grew */
  gint16 last;                  /* the sample that was given out last */
  guint cut, repeated, underruns;       /* samples, samples, times */
} MediaDrift;

void media_drift_init (MediaDrift *drift);
void media_drift_clear (MediaDrift *drift);
/* Writing thread; what does not fit is lost. now: monotonic us, as below. */
void media_drift_write (MediaDrift *drift, const gint16 *samples, guint n, gint64 now);
/* Reading thread. FALSE: nothing to be heard (yet), frame untouched. */
gboolean media_drift_read (MediaDrift *drift, gint16 *ret_frame, gint64 now);
/* The same when no more is written: what is there as it is, nothing cut or waited for; last: a rest that is no frame, too, filled up with silence. */
gboolean media_drift_drain (MediaDrift *drift, gint16 *ret_frame, gboolean last);
void media_drift_restart (MediaDrift *drift);   /* reading thread: drops what is there */
guint media_drift_fill (MediaDrift *drift);     /* any thread */
guint media_drift_space (MediaDrift *drift);     /* any thread: samples that could be written now without loss, at least */
guint media_drift_position (MediaDrift *drift); /* reading thread: samples that left the buffer so far, modulo 2^32 */
