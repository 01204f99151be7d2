/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plays a speech file through encoder, a made-up network and the receiver in virtual time, and writes what would be heard. Sample 0 of the
 * output is the moment of sample 0 of the input: the lag between the two is the delay from microphone to loudspeaker without
 * the devices.
 *
 *   playout-sim [--codec NAME] [--bitrate N] [--frame MS] [--loss-percent N] [--dtx] [--seed N] [--log FILE] TRACE IN.wav [OUT.wav] */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "media/playout-stream.h"
#include "trace.h"

static char *codec_name, *log_path;
static int bitrate = 28000, frame_ms = 20, loss_percent = 10, complexity = 8, phase_ms = 3, min_ms = 0, max_ms = 600;
static gint64 seed = 1;
static gboolean dtx, no_fec;

static const GOptionEntry options[] = {
  { "codec", 0, 0, G_OPTION_ARG_STRING, &codec_name, "opus, g722, pcmu, pcma", "NAME" },
  { "bitrate", 0, 0, G_OPTION_ARG_INT, &bitrate, NULL, "BIT/S" },
  { "frame", 0, 0, G_OPTION_ARG_INT, &frame_ms, NULL, "MS" },
  { "loss-percent", 0, 0, G_OPTION_ARG_INT, &loss_percent, "what the encoder is told", "N" },
  { "complexity", 0, 0, G_OPTION_ARG_INT, &complexity, NULL, "N" },
  { "phase", 0, 0, G_OPTION_ARG_INT, &phase_ms, "of the hub's ticks", "MS" },
  { "min", 0, 0, G_OPTION_ARG_INT, &min_ms, "least target delay", "MS" },
  { "max", 0, 0, G_OPTION_ARG_INT, &max_ms, "largest target delay", "MS" },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, NULL, "N" },
  { "dtx", 0, 0, G_OPTION_ARG_NONE, &dtx, NULL, NULL },
  { "no-fec", 0, 0, G_OPTION_ARG_NONE, &no_fec, NULL, NULL },
  { "log", 0, 0, G_OPTION_ARG_FILENAME, &log_path, "time, target and delay of every tick, as text", "FILE" },
  { NULL },
};

static gint16 *
read_wav (const char *path, guint *ret_n)
{
  g_autofree char *data = NULL;
  gsize length, at = 12;

  if (!g_file_get_contents (path, &data, &length, NULL) || length < 44 || memcmp (data, "RIFF", 4) != 0)
    return NULL;
  while (at + 8 <= length)
    {
      guint32 size;

      memcpy (&size, data + at + 4, 4);
      size = GUINT32_FROM_LE (size);
      if (memcmp (data + at, "fmt ", 4) == 0 && (data[at + 10] != 1 || memcmp (data + at + 12, "\x80\xbb\0\0", 4) != 0))
        return NULL;
      if (memcmp (data + at, "data", 4) == 0)
        {
          *ret_n = (guint) (MIN (size, length - at - 8) / 2);
          return g_memdup2 (data + at + 8, *ret_n * 2);
        }
      at += 8 + size + (size & 1);
    }
  return NULL;
}

static void
write_wav (const char *path, const gint16 *pcm, guint n)
{
  FILE *file = fopen (path, "wb");
  guint32 words[11] = { 0x46464952, 36 + n * 2, 0x45564157, 0x20746d66, 16, 0x00010001, 48000, 96000, 0x00100002, 0x61746164, n * 2 };

  if (!file)
    return;
  fwrite (words, 4, 11, file);
  fwrite (pcm, 2, n, file);
  fclose (file);
}

typedef struct { gint64 arrival; guint index; } Order;

static int
by_arrival (gconstpointer a, gconstpointer b)
{
  const Order *x = a, *y = b;

  return x->arrival < y->arrival ? -1 : x->arrival > y->arrival ? 1 : x->index < y->index ? -1 : 1;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("TRACE IN.wav [OUT.wav]");
  g_autoptr (GError) error = NULL;
  g_autoptr (MediaEncoder) encoder = NULL;
  g_autoptr (PlayoutStream) stream = playout_stream_new ();
  g_autofree gint16 *speech = NULL, *heard = NULL;
  g_autofree gint64 *arrivals = NULL;
  g_autofree Order *order = NULL;
  g_autofree guint8 *packets = NULL;
  g_autofree int *sizes = NULL;
  PhoneCodecId id = PHONE_CODEC_OPUS;
  PhoneMediaPlan plan = { .send_dtmf = -1, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1, .n_receive = 1 };
  PlayoutFormat formats[128];
  const Trace *trace;
  FILE *log = NULL;
  guint n = 0, samples, n_packets, ticks, n_arrived = 0, at = 0;
  MediaReceiveStats stats;
  double delay_sum = 0;
  MediaRate rate;
  PhoneCodec codec;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 3 || !(trace = trace_find (argv[1]))
      || !(speech = read_wav (argv[2], &n)) || (codec_name && !phone_codec_id_from_string (codec_name, &id)))
    {
      fprintf (stderr, "%s\nneeds a trace and a mono 48 kHz WAV file; traces:", error ? error->message : "");
      for (trace = traces; trace->name; trace++)
        fprintf (stderr, " %s", trace->name);
      fprintf (stderr, "\n");
      return 2;
    }
  rate = (MediaRate) { .bitrate = (guint) bitrate, .frame_ms = (guint) frame_ms, .complexity = (guint) complexity, .fec = !no_fec,
                       .dtx = dtx, .loss_percent = (guint) loss_percent };
  codec = (PhoneCodec) { .id = id, .payload_type = 96, .use_inband_fec = TRUE, .use_dtx = TRUE };
  encoder = media_encoder_new (&codec, &rate, &error);
  if (!encoder)
    return 1;
  if (log_path)
    log = fopen (log_path, "w");

  samples = (guint) frame_ms * 48;
  n_packets = n / samples;
  packets = g_malloc ((gsize) n_packets * PLAYOUT_MAX_PACKET);
  sizes = g_new (int, n_packets);
  arrivals = g_new (gint64, n_packets);
  order = g_new (Order, n_packets);
  trace_run (trace, n_packets, (guint) frame_ms, (guint64) seed, arrivals);
  for (guint i = 0; i < n_packets; i++)
    {
      guint8 *packet = packets + (gsize) i * PLAYOUT_MAX_PACKET;
      guint32 timestamp = i * (guint) frame_ms * (phone_codec_clock_rate (id) / 1000);

      sizes[i] = media_encoder_encode (encoder, speech + i * samples, samples, packet + 12);
      memset (packet, 0, 12);
      packet[0] = 0x80;
      packet[1] = 96;
      packet[2] = (guint8) (i >> 8);
      packet[3] = (guint8) i;
      for (guint k = 0; k < 4; k++)
        packet[4 + k] = (guint8) (timestamp >> (24 - 8 * k));
      if (arrivals[i] != TRACE_LOST && sizes[i] > 0)
        order[n_arrived++] = (Order) { arrivals[i], i };
    }
  qsort (order, n_arrived, sizeof order[0], by_arrival);

  plan.receive[0] = codec;
  playout_formats_from_plan (formats, &plan);
  playout_stream_set_formats (stream, formats);
  playout_stream_set_bounds (stream, (guint) min_ms, (guint) max_ms);
  ticks = n / MEDIA_FRAME + 100;
  heard = g_new0 (gint16, ticks * MEDIA_FRAME + 48 * phase_ms);
  for (guint tick = 0; tick < ticks; tick++)
    {
      /* Frame `tick` is heard from here on. */
      gint64 now = (gint64) tick * 10000 + phase_ms * 1000;

      while (at < n_arrived && order[at].arrival <= now)
        {
          guint i = order[at++].index;

          playout_stream_insert (stream, packets + (gsize) i * PLAYOUT_MAX_PACKET, 12 + (gsize) sizes[i], arrivals[i]);
        }
      playout_stream_pull (stream, heard + tick * MEDIA_FRAME + 48 * phase_ms, now);
      playout_stream_get_stats (stream, &stats);
      delay_sum += stats.delay_ms;
      if (log)
        fprintf (log, "%.3f %.1f %.1f %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT "\n", now / 1e6, stats.target_ms,
                 stats.delay_ms, stats.concealed_samples, stats.accelerated_samples, stats.expanded_samples);
    }
  if (log)
    fclose (log);
  printf ("%-10s mean delay %5.1f ms, target %5.1f; lost %4" G_GUINT64_FORMAT " late %4" G_GUINT64_FORMAT " fec %4" G_GUINT64_FORMAT
          "; concealed %4.1f %%, accelerated %4.1f %%, expanded %4.1f %%\n", trace->name, delay_sum / ticks, stats.target_ms,
          stats.lost, stats.late, stats.fec_used, 100.0 * stats.concealed_samples / n, 100.0 * stats.accelerated_samples / n,
          100.0 * stats.expanded_samples / n);
  if (argc > 3)
    write_wav (argv[3], heard, ticks * MEDIA_FRAME);
  return 0;
}
