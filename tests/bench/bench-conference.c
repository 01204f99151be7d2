/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What one more party costs: CPU time of a conference of 2 to 16, as a share of one core. Two figures: all of the work at the hub's beat
 * (each party decoded, mixed and encoded), and of it the mixing alone. Virtual time, one thread. The last column is the cost of the party
 * that was added last; it stays the same as long as the work grows with the number of parties and not with its square. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "media/media-codec.h"
#include "media/media-mixer.h"
#include "pcm-signal.h"

#define PARTIES 16
#define SPEECH (10 * MEDIA_RATE)
#define PACKET (2 * MEDIA_FRAME)

static gint16 speech[PARTIES][SPEECH];

typedef struct
{
  MediaSeat seat;
  MediaEncoder *theirs, *ours;
  MediaDecoder *decoder;
  gint16 said[PACKET], heard[PACKET];
  guint8 payload[MEDIA_MAX_PAYLOAD];
} Party;

static double
cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

static void
mix (Party *parties, guint n, MediaMixer *mixer, const gint16 *microphone, guint half)
{
  media_mixer_begin (mixer);
  for (guint i = 0; i < n; i++)
    media_mixer_say (mixer, &parties[i].seat, parties[i].said + half * MEDIA_FRAME, 1);
  for (guint i = 0; i < n; i++)
    media_mixer_hear (mixer, &parties[i].seat, microphone, 1, parties[i].heard + half * MEDIA_FRAME);
}

/* Percent of a core. What the peers spend on their encoders is not counted. */
static void
run (Party *parties, guint n, guint seconds, double *ret_all, double *ret_mix)
{
  MediaMixer mixer;
  guint8 reply[MEDIA_MAX_PAYLOAD];
  double all = 0, mixing = 0;

  media_mixer_init (&mixer);
  for (guint packet = 0; packet < seconds * 50; packet++)
    {
      gsize at = (gsize) packet * PACKET % SPEECH;
      int length[PARTIES];
      double begin, middle;

      for (guint i = 0; i < n; i++)
        length[i] = media_encoder_encode (parties[i].theirs, speech[i] + at, PACKET, parties[i].payload);
      begin = cpu_seconds ();
      for (guint i = 0; i < n; i++)
        if (media_decoder_decode (parties[i].decoder, parties[i].payload, (gsize) MAX (length[i], 0), parties[i].said, PACKET) < 0)
          abort ();
      middle = cpu_seconds ();
      mix (parties, n, &mixer, speech[PARTIES - 1] + at, 0);
      mix (parties, n, &mixer, speech[PARTIES - 1] + at + MEDIA_FRAME, 1);
      mixing += cpu_seconds () - middle;
      for (guint i = 0; i < n; i++)
        media_encoder_encode (parties[i].ours, parties[i].heard, PACKET, reply);
      all += cpu_seconds () - begin;
    }
  *ret_all = 100 * all / seconds;
  *ret_mix = 100 * mixing / seconds;
}

static PhoneCodecId
codec_of (guint party, const char *which)
{
  PhoneCodecId id;

  if (phone_codec_id_from_string (which, &id))
    return id;
  return (PhoneCodecId[]){ PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMU, PHONE_CODEC_PCMA }[party % 4];
}

int
main (int argc, char **argv)
{
  const char *which = argc > 1 ? argv[1] : "mixed";
  guint seconds = argc > 2 ? (guint) atoi (argv[2]) : 10;
  MediaRate rate = { .bitrate = 28000, .frame_ms = 20, .complexity = 5 };
  g_autofree Party *parties = g_new0 (Party, PARTIES);
  double before = 0, before_mix = 0;

  for (guint i = 0; i < PARTIES; i++)
    {
      PhoneCodec codec = { .id = codec_of (i, which), .max_playback_rate = 48000 };

      signal_speech (speech[i], SPEECH, i + 1);
      media_seat_init (&parties[i].seat);
      parties[i].theirs = media_encoder_new (&codec, &rate, NULL);
      parties[i].ours = media_encoder_new (&codec, &rate, NULL);
      parties[i].decoder = media_decoder_new (codec.id, NULL);
    }
  printf ("%s, percent of a core\nparties  all    mixing  of the last one: all  mixing\n", which);
  for (guint n = 1; n < PARTIES; n++)
    {
      double all, mixing;

      run (parties, n, seconds, &all, &mixing);
      printf ("%7u  %5.2f  %6.3f  %20.2f  %6.3f\n", n + 1, all, mixing, all - before, mixing - before_mix);
      before = all;
      before_mix = mixing;
    }
  for (guint i = 0; i < PARTIES; i++)
    {
      media_encoder_free (parties[i].theirs);
      media_encoder_free (parties[i].ours);
      media_decoder_free (parties[i].decoder);
    }
  return 0;
}
