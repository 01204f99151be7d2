/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* How much echo is left, and what becomes of a voice beside it. A simulated room (tests/media/room.h), synthetic speech at both ends, the
 * microphone with noise of its own at -75 dBFS. First the far end alone (ERLE: echo return loss enhancement), then both, then the near
 * end alone. Figures, no verdict.
 *
 *   bench-echo */

#include "media/media-echo.h"
#include "media/media-voice.h"
#include "pcm-signal.h"
#include "room.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define SECONDS 20
#define FRAMES (SECONDS * 100)
#define BOTH 1300               /* frame from which both talk */

typedef struct
{
  const char *name;
  guint delay_ms;
  double gain_db, reverberation, rattle;
  guint jumps;                  /* frames between cuts of 5 ms by the buffer of the microphone; 0: none */
} Case;

static const Case cases[] = {
  { "desk, 250 ms of room", 60, -6, 0.25, 0, 0 },
  { "desk, loud", 60, 0, 0.25, 0, 0 },
  { "large room, 500 ms", 80, -6, 0.5, 0, 0 },
  { "rattling loudspeaker", 60, -6, 0.25, 3, 0 },
  { "crystals apart", 60, -6, 0.25, 0, 300 },
};

static double
db (double a, double b)
{
  return 10 * log10 ((a + 1e-9) / (b + 1e-9));
}

static void
run (const Case *c, MediaVoiceParts parts)
{
  guint n = FRAMES * MEDIA_FRAME;
  g_autofree gint16 *far = g_new (gint16, n), *near = g_new (gint16, n), *out = g_new (gint16, n), *microphone = g_new (gint16, n);
  g_autofree gint16 *voiced = g_new (gint16, n);
  g_autofree float *air = g_new0 (float, n + SECONDS * MEDIA_RATE);
  Room *room = room_new (1, c->delay_ms * 48, c->gain_db, c->reverberation);
  MediaVoice *voice = media_voice_new ();
  SignalRandom random = { 3 };
  double early[2] = { 0 }, late[2] = { 0 };
  guint at = 0;
  gint64 start;

  room->rattle = c->rattle;
  media_voice_set_parts (voice, parts);
  signal_speech (far, n, 11);
  signal_speech (near, n, 22);
  memset (near, 0, BOTH * MEDIA_FRAME * sizeof *near);
  for (guint f = 0; f < FRAMES; f++)
    room_add_echo (room, far + f * MEDIA_FRAME, air + f * MEDIA_FRAME);
  for (guint i = 0; i < n; i++)
    air[i] += near[i] + (float) (10 * (signal_uniform (&random) - 0.5));

  start = g_get_monotonic_time ();
  for (guint f = 0; f < FRAMES; f++)
    {
      gint16 *frame = out + f * MEDIA_FRAME;
      gint shift = c->jumps > 0 && f % c->jumps == c->jumps - 1 ? (f / c->jumps % 2 ? -240 : 240) : 0;

      at = (guint) ((gint) at + shift);
      for (guint i = 0; i < MEDIA_FRAME; i++)
        {
          frame[i] = microphone[f * MEDIA_FRAME + i] = (gint16) lrintf (CLAMP (air[at + i], -32768, 32767));
          voiced[f * MEDIA_FRAME + i] = at + i < n ? near[at + i] : 0;
        }
      at += MEDIA_FRAME;
      if (shift != 0)
        media_voice_shift (voice, shift);
      media_voice_process (voice, far + f * MEDIA_FRAME, frame);
      for (guint i = 0; i < MEDIA_FRAME; i++)
        {
          double *sums = f < 300 && f >= 100 ? early : f >= 800 && f < BOTH ? late : NULL;
          if (sums)
            {
              sums[0] += pow (microphone[f * MEDIA_FRAME + i], 2);
              sums[1] += pow (frame[i], 2);
            }
        }
    }
  double cost = (g_get_monotonic_time () - start) / 1000.0 / FRAMES;
  guint from = (BOTH + 50) * MEDIA_FRAME, count = n - from - 2 * MEDIA_FRAME, lag;
  double likeness = signal_correlate (voiced + from, out + from, count, 2 * MEDIA_FRAME, &lag);

  printf ("  %-24s %5.1f dB  %5.1f dB   %6.3f  %5.1f dB  %+5.1f dB  %6.3f ms\n", c->name, db (early[0], early[1]), db (late[0], late[1]), likeness,
          signal_snr (voiced + from, out + from, count, lag), signal_power_db (out + from, count) - signal_power_db (voiced + from, count), cost);
  media_voice_free (voice);
  room_free (room);
}

int
main (void)
{
  printf ("  %-24s %8s  %8s   %24s  %8s  %9s\n", "", "ERLE 1-3 s", "8-13 s", "both talk: likeness, SNR", "loudness", "cost/10 ms");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    run (&cases[i], (MediaVoiceParts) { .echo = TRUE });
  printf ("with noise suppression\n");
  run (&cases[0], (MediaVoiceParts) { .echo = TRUE, .noise = TRUE });
  return 0;
}
