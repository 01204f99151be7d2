/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* CPU time of one call leg (one direction sent, one received), as a share of one core: bare codec calls in a loop, against the same
 * through our sending and receiving ends. Virtual time, one thread, hot caches: the ratio is what they cost. */

#include <opus.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "media/media-receive.h"
#include "media/media-send.h"
#include "pcm-signal.h"

#define SECONDS 60
#define FRAMES (SECONDS * 100)
#define SPEECH (10 * MEDIA_RATE)

static gint16 speech[SPEECH];

static double
cpu_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double) now.tv_sec + (double) now.tv_nsec * 1e-9;
}

/* libopus with the settings that the encoder has. */
static double
bare_opus (const MediaRate *rate)
{
  OpusEncoder *encoder = opus_encoder_create (MEDIA_RATE, 1, OPUS_APPLICATION_VOIP, NULL);
  OpusDecoder *decoder = opus_decoder_create (MEDIA_RATE, 1, NULL);
  guint8 payload[MEDIA_MAX_PAYLOAD];
  gint16 pcm[5760];
  double begin;

  opus_encoder_ctl (encoder, OPUS_SET_SIGNAL (OPUS_SIGNAL_VOICE));
  opus_encoder_ctl (encoder, OPUS_SET_BITRATE ((opus_int32) rate->bitrate));
  opus_encoder_ctl (encoder, OPUS_SET_COMPLEXITY ((opus_int32) rate->complexity));
  opus_encoder_ctl (encoder, OPUS_SET_INBAND_FEC (rate->fec));
  opus_encoder_ctl (encoder, OPUS_SET_PACKET_LOSS_PERC ((opus_int32) rate->loss_percent));
  begin = cpu_seconds ();
  for (guint i = 0; i < FRAMES / 2; i++)
    {
      int octets = opus_encode (encoder, speech + (gsize) i * 960 % SPEECH, 960, payload, sizeof payload);

      if (opus_decode (decoder, payload, octets, pcm, 5760, 0) != 960)
        abort ();
    }
  begin = cpu_seconds () - begin;
  opus_encoder_destroy (encoder);
  opus_decoder_destroy (decoder);
  return begin / SECONDS;
}

static double
bare_codec (const PhoneCodec *codec, const MediaRate *rate)
{
  g_autoptr (MediaEncoder) encoder = media_encoder_new (codec, rate, NULL);
  g_autoptr (MediaDecoder) decoder = media_decoder_new (codec->id, NULL);
  guint8 payload[MEDIA_MAX_PAYLOAD];
  gint16 pcm[5760];
  double begin = cpu_seconds ();

  for (guint i = 0; i < FRAMES / 2; i++)
    {
      int octets = media_encoder_encode (encoder, speech + (gsize) i * 960 % SPEECH, 960, payload);

      media_decoder_decode (decoder, payload, (gsize) octets, pcm, 5760);
    }
  return (cpu_seconds () - begin) / SECONDS;
}

static gint64 virtual_now;

static void
on_sent (const guint8 *packet, gsize length, gpointer data)
{
  media_receive_put (data, packet, length, virtual_now);
}

static double
ends (const PhoneCodec *codec, const MediaRate *rate)
{
  g_autoptr (MediaSend) send = media_send_new ();
  g_autoptr (MediaReceive) receive = media_receive_new ();
  PhoneMediaPlan plan = { .send = *codec, .n_receive = 1, .receive = { *codec }, .ptime = 20, .send_dtmf = -1, .receive_dtmf_8000 = -1,
                          .receive_dtmf_48000 = -1 };
  gint16 frame[MEDIA_FRAME];
  MediaReceiveStats stats;
  double begin;

  media_send_set_callbacks (send, NULL, on_sent, receive);
  media_receive_set_formats (receive, &plan);
  media_send_set_format (send, &plan, rate, NULL);
  media_send_set_enabled (send, TRUE);

  virtual_now = g_get_monotonic_time ();
  begin = cpu_seconds ();
  for (guint i = 0; i < FRAMES; i++)
    {
      media_send_push (send, speech + (gsize) i * MEDIA_FRAME % SPEECH, virtual_now);
      media_send_drain (send);
      media_receive_pull (receive, frame, virtual_now);
      virtual_now += 10000;
    }
  begin = (cpu_seconds () - begin) / SECONDS;
  media_receive_get_stats (receive, &stats);
  if (stats.received < FRAMES / 2 - 2 || stats.concealed_samples > 0)
    g_error ("only %" G_GUINT64_FORMAT " packets arrived, or too late", stats.received);
  return begin;
}

int
main (void)
{
  signal_speech (speech, SPEECH, 5);
  printf ("one leg, both directions, 20 ms packets, per cent of a core        bare codec   our ends   ratio\n");
  for (guint complexity = 5; complexity <= 10; complexity += 5)
    {
      MediaRate rate = { .bitrate = 28000, .frame_ms = 20, .complexity = complexity, .fec = TRUE, .loss_percent = 5 };
      PhoneCodec codec = { .id = PHONE_CODEC_OPUS, .payload_type = 96, .use_inband_fec = TRUE };
      double bare = bare_opus (&rate), ours = ends (&codec, &rate);

      printf ("opus, 28 kbit/s, complexity %2u, against libopus itself               %6.3f %%   %6.3f %%   %5.2f\n", complexity,
              100 * bare, 100 * ours, ours / bare);
    }
  for (guint id = 0; id < phone_codec_id_n_values; id++)
    {
      MediaRate rate = { .frame_ms = 20 };
      PhoneCodec codec = { .id = (PhoneCodecId) id, .payload_type = 96 };
      double bare, ours;

      if (id == PHONE_CODEC_OPUS)
        continue;
      bare = bare_codec (&codec, &rate);
      ours = ends (&codec, &rate);
      printf ("%-5s with its resampler                                           %6.3f %%   %6.3f %%   %5.2f\n",
              phone_codec_id_to_string ((PhoneCodecId) id), 100 * bare, 100 * ours, ours / bare);
    }
  return 0;
}
