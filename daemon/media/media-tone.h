/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Telephone tones as numbers: which frequencies, in what cadence, in which country (ITU-T E.180/Q.35 and
 * the list of national tones that goes with it), and a generator that turns them into samples without
 * clicks. Pure: no thread, no clock, no allocation. */

#include "core/ports.h"
#include "media/media-types.h"

/* How the two frequencies of a segment go together. */
typedef enum
{
  MEDIA_TONE_QUIET,             /* no sound */
  MEDIA_TONE_SINE,              /* hz alone */
  MEDIA_TONE_SUM,               /* hz and hz2 at once, half the amplitude each */
  MEDIA_TONE_MODULATED,         /* hz, its amplitude modulated by hz2 */
  MEDIA_TONE_WARBLE,            /* hz and hz2 in turn, MEDIA_TONE_WARBLE_MS each */
} MediaToneKind;

#define MEDIA_TONE_WARBLE_MS 25
#define MEDIA_TONE_MAX_SEGMENTS 8
#define MEDIA_TONE_FOREVER G_MAXUINT16  /* ms of a segment without end */
/* Samples of the ramp at both ends of a sounding segment: 5 ms. */
#define MEDIA_TONE_RAMP (MEDIA_RATE / 200)

typedef struct
{
  MediaToneKind kind;
  guint16 hz, hz2;
  guint16 ms;                   /* 0: end of the list, which then starts again */
} MediaToneSegment;

/* The cadence of a tone: writes up to MEDIA_TONE_MAX_SEGMENTS segments and returns their number (0 for
 * PHONE_TONE_NONE). country is an ISO 3166-1 alpha-2 code in any case; NULL or an unknown one gives the
 * values that E.180 recommends. */
guint media_tone_segments (PhoneTone tone, const char *country, MediaToneSegment *ret_segments);

typedef struct
{
  MediaToneSegment segments[MEDIA_TONE_MAX_SEGMENTS], next[MEDIA_TONE_MAX_SEGMENTS];
  guint n_segments, n_next;
  double amplitude, next_amplitude;     /* of full scale */
  gboolean once, next_once;             /* it ends with its last segment */
  gboolean change;                      /* next waits until the old tone has faded out */
  guint index, position;                /* segment, and samples into it */
  guint gain;                           /* 0..MEDIA_TONE_RAMP */
  double phase, phase2;                 /* turns */
} MediaTone;

void media_tone_init (MediaTone *tone);                 /* silent */
/* Starts a tone from its beginning, in place of what sounds now (which fades out first). PHONE_TONE_NONE
 * fades out, PHONE_TONE_BEEP sounds once. */
void media_tone_set (MediaTone *tone, PhoneTone which, const char *country);
/* A sine of hz (20..MEDIA_RATE/2), amplitude 0..1 of full scale, for ms or MEDIA_TONE_FOREVER (any other ms
 * repeats after a second of quiet). */
void media_tone_set_sine (MediaTone *tone, guint hz, double amplitude, guint ms);
/* Writes n samples. FALSE: nothing sounds or will sound; the samples are then zero. */
gboolean media_tone_render (MediaTone *tone, gint16 *ret_samples, guint n);
