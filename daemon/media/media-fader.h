/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The switch and the slider that the mixer of a sound server has for one stream, and that are ours as well: whoever touches one last is
 * right. What is set here goes to the element that has the stream (its "mute" and "volume"), what changes there is told, with the number of the words of
 * ours that had arrived before: with it media_fader_hear() tells news from what our own next word has made stale on its way to the
 * main loop. */

#include <gst/gst.h>

typedef enum
{
  MEDIA_FADER_MUTE,             /* 0, 1 */
  MEDIA_FADER_VOLUME,           /* percent, 0..PHONE_VOLUME_MAX */
  MEDIA_FADER_N_PARTS,
} MediaFaderPart;

typedef struct
{
  _Atomic gint64 word[MEDIA_FADER_N_PARTS];     /* number << 16 | value of the last one; 0: none yet, the server may have it as it likes */
  guint64 applied[MEDIA_FADER_N_PARTS];         /* own thread: number of the last one that went to the element */
  int seen[MEDIA_FADER_N_PARTS];                /* own thread: as the mixer has it, -1: not known */
  gint64 applied_at[MEDIA_FADER_N_PARTS];       /* own thread: us */
  gboolean prepared;                            /* own thread: it has not been looked at since the stream began */
} MediaFader;

/* text goes to media_fader_hear(). */
typedef void (*MediaFaderNews) (gpointer data, MediaFaderPart part, const char *text);

void media_fader_init (MediaFader *fader);
void media_fader_set (MediaFader *fader, MediaFaderPart part, guint value);     /* any thread */
gboolean media_fader_is_due (const MediaFader *fader);          /* own thread: media_fader_check() has something to do */
/* An element that lacks one of the two, or NULL: nothing is set, nothing is told.
 *
 * Own thread, before a stream begins: with the elements of PulseAudio it begins like this, without a moment of something else. */
void media_fader_prepare (MediaFader *fader, GstElement *element, gint64 now);
/* Own thread, the stream being up. now: monotonic, us. */
void media_fader_check (MediaFader *fader, GstElement *element, gint64 now, MediaFaderNews news, gpointer data);
/* What news told: FALSE, it is stale. Whichever thread sets. */
gboolean media_fader_hear (const MediaFader *fader, MediaFaderPart part, const char *text, guint *ret_value);
