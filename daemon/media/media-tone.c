/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The table follows ITU-T's "Various tones used in national networks" (annex to Operational Bulletin 781,
 * 2003), the companion of E.180/Q.35; the UK's from BT SIN 350, Australia's from ACIF S002, New Zealand's
 * from TNA 102. Times are milliseconds. A caller who hears busy in the cadence of home knows at once what
 * it means: hence by country and not one tone for all.
 *
 * The ring has no standard (a bell has no frequency): we give it a two-tone warble in the cadence of the
 * country's ringing tone.
 *
 * Levels: E.180 asks for -10 dBm0 +-5 dB for progress tones; 0 dBm0 lies 3.14 dB under full scale (ITU-T
 * G.711). Call waiting is mixed into speech and stays 6 dB below. The generator has one gain that runs
 * towards 1 inside a sounding segment and towards 0 near its end or when the tone changes, shaped by a
 * raised cosine: no edge is ever steeper than 5 ms. */

#include "media/media-tone.h"

#include <math.h>
#include <string.h>

#define LEVEL_PROGRESS 0.22     /* -13.1 dBFS */
#define LEVEL_WAITING 0.11
#define LEVEL_RING 0.5

#define S(f, on) { MEDIA_TONE_SINE, f, 0, on }
#define P(f, g, on) { MEDIA_TONE_SUM, f, g, on }
#define M(f, g, on) { MEDIA_TONE_MODULATED, f, g, on }
#define Q(off) { MEDIA_TONE_QUIET, 0, 0, off }

typedef struct
{
  char country[3];
  MediaToneSegment ringback[MEDIA_TONE_MAX_SEGMENTS];
  MediaToneSegment busy[MEDIA_TONE_MAX_SEGMENTS];
  MediaToneSegment congestion[MEDIA_TONE_MAX_SEGMENTS];
  MediaToneSegment waiting[MEDIA_TONE_MAX_SEGMENTS];
} Country;

/* The first row serves every country that is not in the list. */
static const Country countries[] = {
  { "", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 250), Q (250) },
    { S (425, 200), Q (200), S (425, 200), Q (5000) } },
  { "AT", { S (420, 1000), Q (5000) }, { S (420, 400), Q (400) }, { S (420, 200), Q (200) },
    { S (420, 40), Q (1960) } },
  { "AU", { P (413, 438, 400), Q (200), P (413, 438, 400), Q (2000) }, { S (425, 375), Q (375) },
    { S (425, 375), Q (375), S (420, 375), Q (375) }, { S (425, 200), Q (200), S (425, 200), Q (4400) } },
  { "BE", { S (425, 1000), Q (3000) }, { S (425, 500), Q (500) }, { S (425, 167), Q (167) },
    { S (1400, 175), Q (175), S (1400, 175), Q (3500) } },
  { "BR", { S (425, 1000), Q (4000) }, { S (425, 250), Q (250) },
    { S (425, 250), Q (250), S (425, 750), Q (250) }, { S (425, 50), Q (1000) } },
  { "CA", { P (440, 480, 2000), Q (4000) }, { P (480, 620, 500), Q (500) }, { P (480, 620, 250), Q (250) },
    { S (440, 300), Q (10000) } },
  { "CH", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 200), Q (200) },
    { S (425, 200), Q (200), S (425, 200), Q (4000) } },
  { "CN", { S (450, 1000), Q (4000) }, { S (450, 350), Q (350) }, { S (450, 700), Q (700) },
    { S (450, 400), Q (4000) } },
  { "CZ", { S (425, 1000), Q (4000) }, { S (425, 330), Q (330) }, { S (425, 165), Q (165) },
    { S (425, 330), Q (9000) } },
  { "DE", { S (425, 1000), Q (4000) }, { S (425, 480), Q (480) }, { S (425, 240), Q (240) },
    { S (425, 200), Q (200), S (425, 200), Q (5000) } },
  { "DK", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 200), Q (200) },
    { S (425, 200), Q (600), S (425, 200), Q (3000) } },
  { "ES", { S (425, 1500), Q (3000) }, { S (425, 200), Q (200) },
    { S (425, 200), Q (200), S (425, 200), Q (200), S (425, 200), Q (600) },
    { S (425, 175), Q (175), S (425, 175), Q (3500) } },
  { "FI", { S (425, 1000), Q (4000) }, { S (425, 300), Q (300) }, { S (425, 200), Q (200) },
    { S (425, 150), Q (150), S (425, 150), Q (8000) } },
  { "FR", { S (440, 1500), Q (3500) }, { S (440, 500), Q (500) }, { S (440, 250), Q (250) },
    { S (440, 300), Q (10000) } },
  { "GB", { P (400, 450, 400), Q (200), P (400, 450, 400), Q (2000) }, { S (400, 375), Q (375) },
    { S (400, 400), Q (350), S (400, 225), Q (525) }, { S (400, 100), Q (4000) } },
  { "IE", { P (400, 450, 400), Q (200), P (400, 450, 400), Q (2000) }, { S (425, 500), Q (500) },
    { S (425, 250), Q (250) }, { S (425, 180), Q (200), S (425, 200), Q (4500) } },
  { "IN", { M (400, 25, 400), Q (200), M (400, 25, 400), Q (2000) }, { S (400, 750), Q (750) },
    { S (400, 250), Q (250) }, { S (400, 200), Q (100), S (400, 200), Q (7500) } },
  { "IT", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 200), Q (200) },
    { S (425, 400), Q (100), S (425, 250), Q (100), S (425, 150), Q (14000) } },
  { "JP", { M (400, 16, 1000), Q (2000) }, { S (400, 500), Q (500) }, { S (400, 500), Q (500) },
    { M (400, 16, 500), Q (8000) } },
  { "NL", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 250), Q (250) },
    { S (425, 500), Q (9500) } },
  { "NO", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 200), Q (200) },
    { S (425, 200), Q (600), S (425, 200), Q (10000) } },
  { "NZ", { P (400, 450, 400), Q (200), P (400, 450, 400), Q (2000) }, { S (400, 500), Q (500) },
    { S (400, 250), Q (250) }, { S (400, 200), Q (3000) } },
  { "PL", { S (425, 1000), Q (4000) }, { S (425, 500), Q (500) }, { S (425, 500), Q (500) },
    { S (425, 150), Q (150), S (425, 150), Q (4000) } },
  { "PT", { S (425, 1000), Q (5000) }, { S (425, 500), Q (500) }, { S (425, 200), Q (200) },
    { S (425, 200), Q (200), S (425, 200), Q (5000) } },
  { "SE", { S (425, 1000), Q (5000) }, { S (425, 250), Q (250) }, { S (425, 250), Q (750) },
    { S (425, 200), Q (500), S (425, 200), Q (9100) } },
  { "US", { P (440, 480, 2000), Q (4000) }, { P (480, 620, 500), Q (500) }, { P (480, 620, 250), Q (250) },
    { S (440, 300), Q (10000) } },
  { "ZA", { M (400, 33, 400), Q (200), M (400, 33, 400), Q (2000) }, { S (400, 500), Q (500) },
    { S (400, 250), Q (250) }, { M (400, 33, 250), Q (250), M (400, 33, 250), Q (3250) } },
};

#define W(on) { MEDIA_TONE_WARBLE, 950, 1270, on }
/* Rings that mean something else than that somebody calls: the same everywhere, so that one can tell them. */
static const MediaToneSegment short_ring[MEDIA_TONE_MAX_SEGMENTS] = { W (300), Q (3700) },
                              double_ring[MEDIA_TONE_MAX_SEGMENTS] = { W (500), Q (300), W (500), Q (2700) },
                              triple_ring[MEDIA_TONE_MAX_SEGMENTS] = { W (300), Q (200), W (300), Q (200), W (300), Q (2700) },
                              long_ring[MEDIA_TONE_MAX_SEGMENTS] = { W (3000), Q (2000) };

/* Two notes that rise: no tone of the network does. */
static const MediaToneSegment beep[MEDIA_TONE_MAX_SEGMENTS] = { S (660, 150), Q (40), S (880, 200), Q (40) };

static const Country *
find_country (const char *code)
{
  if (code != NULL)
    for (guint i = 1; i < G_N_ELEMENTS (countries); i++)
      if (g_ascii_strcasecmp (countries[i].country, code) == 0)
        return &countries[i];
  return &countries[0];
}

guint
media_tone_segments (PhoneTone tone, const char *code, MediaToneSegment *ret_segments)
{
  const Country *country = find_country (code);
  const MediaToneSegment *from = NULL;
  guint n = 0;

  switch (tone)
    {
    case PHONE_TONE_NONE:
      return 0;
    case PHONE_TONE_RINGBACK:
    case PHONE_TONE_RING:
      from = country->ringback;
      break;
    case PHONE_TONE_BUSY:
      from = country->busy;
      break;
    case PHONE_TONE_CONGESTION:
      from = country->congestion;
      break;
    case PHONE_TONE_CALL_WAITING:
      from = country->waiting;
      break;
    case PHONE_TONE_RING_SHORT:
      from = short_ring;
      break;
    case PHONE_TONE_RING_DOUBLE:
      from = double_ring;
      break;
    case PHONE_TONE_RING_TRIPLE:
      from = triple_ring;
      break;
    case PHONE_TONE_RING_LONG:
      from = long_ring;
      break;
    case PHONE_TONE_BEEP:
      from = beep;
      break;
    }
  g_return_val_if_fail (from != NULL, 0);

  for (; n < MEDIA_TONE_MAX_SEGMENTS && from[n].ms != 0; n++)
    {
      ret_segments[n] = from[n];
      if (tone == PHONE_TONE_RING && from[n].kind != MEDIA_TONE_QUIET)
        ret_segments[n] = (MediaToneSegment) { MEDIA_TONE_WARBLE, 950, 1270, from[n].ms };
    }
  return n;
}

void
media_tone_init (MediaTone *tone)
{
  memset (tone, 0, sizeof *tone);
}

void
media_tone_set (MediaTone *tone, PhoneTone which, const char *country)
{
  tone->n_next = media_tone_segments (which, country, tone->next);
  tone->next_amplitude = phone_tone_is_ring (which)         ? LEVEL_RING
                         : which == PHONE_TONE_CALL_WAITING ? LEVEL_WAITING
                                                            : LEVEL_PROGRESS;
  tone->next_once = which == PHONE_TONE_BEEP;
  tone->change = TRUE;
}

void
media_tone_set_sine (MediaTone *tone, guint hz, double amplitude, guint ms)
{
  tone->next[0] = (MediaToneSegment){ MEDIA_TONE_SINE, CLAMP (hz, 20, MEDIA_RATE / 2), 0,
                                      MIN (ms, MEDIA_TONE_FOREVER) };
  tone->next[1] = (MediaToneSegment) { MEDIA_TONE_QUIET, 0, 0, 1000 };
  tone->n_next = ms >= MEDIA_TONE_FOREVER ? 1 : 2;
  tone->next_amplitude = CLAMP (amplitude, 0, 1);
  tone->next_once = FALSE;
  tone->change = TRUE;
}

static void
take_next (MediaTone *tone)
{
  memcpy (tone->segments, tone->next, sizeof tone->segments);
  tone->n_segments = tone->n_next;
  tone->amplitude = tone->next_amplitude;
  tone->once = tone->next_once;
  tone->change = FALSE;
  tone->index = tone->position = 0;
  tone->phase = tone->phase2 = 0;
}

static double
turn (double *phase, double hz)
{
  double value = sin (2 * G_PI * *phase);

  *phase += hz / MEDIA_RATE;
  if (*phase >= 1)
    *phase -= 1;
  return value;
}

static double
next_value (MediaTone *tone, const MediaToneSegment *segment)
{
  switch (segment->kind)
    {
    case MEDIA_TONE_QUIET:
      return 0;
    case MEDIA_TONE_SINE:
      return turn (&tone->phase, segment->hz);
    case MEDIA_TONE_SUM:
      return (turn (&tone->phase, segment->hz) + turn (&tone->phase2, segment->hz2)) / 2;
    case MEDIA_TONE_MODULATED:
      /* Depth 90 %; the peak stays within the amplitude. */
      return turn (&tone->phase, segment->hz) * (1 + 0.9 * turn (&tone->phase2, segment->hz2)) / 1.9;
    case MEDIA_TONE_WARBLE:
      if ((tone->position / (MEDIA_TONE_WARBLE_MS * MEDIA_RATE / 1000)) & 1)
        return turn (&tone->phase, segment->hz2);
      return turn (&tone->phase, segment->hz);
    }
  g_return_val_if_reached (0);
}

gboolean
media_tone_render (MediaTone *tone, gint16 *ret_samples, guint n)
{
  if (tone->n_segments == 0 && !(tone->change && tone->n_next > 0))
    {
      tone->change = FALSE;
      memset (ret_samples, 0, n * sizeof *ret_samples);
      return FALSE;
    }

  for (guint i = 0; i < n; i++)
    {
      const MediaToneSegment *segment;
      guint length;
      gboolean rise;

      if (tone->change && tone->gain == 0)
        take_next (tone);
      if (tone->n_segments == 0)
        {
          ret_samples[i] = 0;
          continue;
        }

      segment = &tone->segments[tone->index];
      length = segment->ms == MEDIA_TONE_FOREVER ? G_MAXUINT : segment->ms * (MEDIA_RATE / 1000);
      rise = segment->kind != MEDIA_TONE_QUIET && !tone->change && length - tone->position > MEDIA_TONE_RAMP;
      if (rise && tone->gain < MEDIA_TONE_RAMP)
        tone->gain++;
      else if (!rise && tone->gain > 0)
        tone->gain--;
      ret_samples[i] = (gint16) lrint (next_value (tone, segment) * tone->amplitude * G_MAXINT16
                                       * (1 - cos (G_PI * tone->gain / MEDIA_TONE_RAMP)) / 2);

      if (++tone->position >= length)
        {
          tone->position = 0;
          tone->index = (tone->index + 1) % tone->n_segments;
          if (tone->once && tone->index == 0)
            tone->n_segments = 0;
        }
    }
  return TRUE;
}
