/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A speech file from the coder through rate control, a link and the receiver, with the receiver's feedback on its way back, all of it in virtual time: what
 * tests/bench/voice does on a machine that is never late, for one direction, without devices. Sample 0 of the output is the moment of sample 0 of the
 * input.
 *
 *   rate-sim [--seed N] [--bitrate N] [--log FILE] [--fixed] "delay=20 rate=40000 queue=400" IN.wav [OUT.wav] */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "link-model.h"
#include "media/media-arrivals.h"
#include "media/media-red.h"
#include "media/playout-stream.h"
#include "media/rate-control.h"

#define SSRC 0x12345678
#define LEAD_MS 1300            /* of silence before the speech, as in a call that has just been answered */
#define HEADERS 56              /* IP, UDP, RTP, SRTP */
#define REPORT 48               /* IP, UDP, SRTCP */
#define COMPOUND 172            /* octets of a sender report with RTCP XR, every 2.5 s or so */
#define SILENCE 64              /* octets of a packet of the peer, who listens */
#define SILENCE_US 20000
#define MAX_COPIES 2
#define SIGNALLING 316          /* what is in the queue when the call begins: an ACK there, 180 and 200 back */
#define SIGNALLING_BACK 2015
#define AGAIN_BACK_US 500000    /* and where that took as long, the 200 once more, and an ACK for it */
#define AGAIN_BACK 1134
#define AGAIN_US 650000
#define SLOW 100000             /* bit/s */

static int bitrate = 28000, phase_ms = 3, least_ptime = 20, fixed_frame = 20, fixed_copies = 0, fixed_loss = 0, complexity = 7;
static gint64 seed = 1;
static gboolean fixed;
static char *log_path;

static const GOptionEntry options[] = {
  { "bitrate", 0, 0, G_OPTION_ARG_INT, &bitrate, NULL, "BIT/S" },
  { "seed", 0, 0, G_OPTION_ARG_INT64, &seed, NULL, "N" },
  { "least-ptime", 0, 0, G_OPTION_ARG_INT, &least_ptime, "of a packet, as the peer says", "MS" },
  { "fixed", 0, 0, G_OPTION_ARG_NONE, &fixed, "without rate control", NULL },
  { "complexity", 0, 0, G_OPTION_ARG_INT, &complexity, NULL, "N" },
  { "frame", 0, 0, G_OPTION_ARG_INT, &fixed_frame, "then", "MS" },
  { "copies", 0, 0, G_OPTION_ARG_INT, &fixed_copies, "then", "N" },
  { "loss-percent", 0, 0, G_OPTION_ARG_INT, &fixed_loss, "then: what the encoder is told; with in-band FEC if above 0 and without copies", "N" },
  { "log", 0, 0, G_OPTION_ARG_FILENAME, &log_path, "time, bit rate, frame, queue, playout target and delay of every 10 ms", "FILE" },
  { NULL },
};

typedef struct
{
  gint64 at;
  gboolean report;
  guint16 seq;
  guint octets;                 /* on the wire */
  gsize length;
  guint8 packet[PLAYOUT_MAX_PACKET];
} Flight;

static gint
by_arrival (gconstpointer a, gconstpointer b, gpointer data)
{
  const Flight *x = a, *y = b;

  return x->at <= y->at ? -1 : 1;       /* what arrives together stays in order */
}

static void
fly (GQueue *way, LinkModel *link, gint64 now, guint octets, Flight *flight)
{
  gint64 at = link_model_offer (link, now, octets);

  if (flight == NULL)
    return;
  if (at < 0)
    {
      g_free (flight);
      return;
    }
  flight->at = at;
  flight->octets = octets;
  g_queue_insert_sorted (way, flight, by_arrival, NULL);
}

static Flight *
pop_due (GQueue *way, gint64 now)
{
  Flight *flight = g_queue_peek_head (way);

  return flight != NULL && flight->at <= now ? g_queue_pop_head (way) : NULL;
}

/* What the receiver says in its reports. */
typedef struct
{
  guint32 packets, expected;    /* at the last report */
  guint32 received;
  guint16 highest;
  gint64 transit;
  double jitter;                /* ms (RFC 3550 section 6.4.1) */
} Receiver;

static void
note_arrival (Receiver *receiver, const Flight *flight)
{
  guint32 timestamp = GUINT32_FROM_BE (*(const guint32 *) (const void *) (flight->packet + 4));
  gint64 transit = flight->at - (gint64) timestamp * 1000 / 48;

  if (receiver->received++ > 0)
    receiver->jitter += (ABS (transit - receiver->transit) / 1000.0 - receiver->jitter) / 16;
  receiver->transit = transit;
  receiver->highest = MAX (receiver->highest, flight->seq);
}

static RateReport
report_of (Receiver *receiver, gint64 now, double delay)
{
  guint32 expected = receiver->highest + 1u;
  double lost = (double) (expected - receiver->expected) - (double) (receiver->received - receiver->packets);
  RateReport report = { .now = now, .loss = expected > receiver->expected ? MAX (lost, 0) / (expected - receiver->expected) : 0,
                        .jitter = receiver->jitter, .round_trip = 2 * delay, .delay = 2 * delay };

  receiver->expected = expected;
  receiver->packets = receiver->received;
  return report;
}

/* The payload of a packet with copies of those before it (RFC 2198). */
typedef struct
{
  guint8 payload[MEDIA_MAX_PAYLOAD];
  gsize length;
  guint32 timestamp;
} Said;

static gsize
add_copies (const Said *said, guint copies, guint8 *ret_payload, gsize capacity)
{
  MediaRedBlock blocks[MAX_COPIES + 1];
  guint n = 0;

  for (guint i = MIN (copies, MAX_COPIES) + 1; i-- > 0;)
    if (said[i].length > 0)
      blocks[n++] = (MediaRedBlock) { .payload_type = 96, .offset = said[0].timestamp - said[i].timestamp, .data = said[i].payload,
                                      .length = said[i].length };
  return media_red_write (blocks, n, ret_payload, capacity);
}

/* 48 kHz mono of 16 bits with the plain header of 44 octets, behind LEAD_MS of silence. */
static gint16 *
read_wav (const char *path, guint *ret_n)
{
  g_autofree char *data = NULL;
  gsize length;

  if (!g_file_get_contents (path, &data, &length, NULL) || length < 44 || memcmp (data, "RIFF", 4) != 0)
    return NULL;
  *ret_n = (guint) ((length - 44) / 2) + LEAD_MS * 48;
  gint16 *pcm = g_new0 (gint16, *ret_n);
  memcpy (pcm + LEAD_MS * 48, data + 44, (length - 44) / 2 * 2);
  return pcm;
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

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("LINK IN.wav [OUT.wav]");
  g_autoptr (GError) error = NULL;
  g_autoptr (PlayoutStream) stream = playout_stream_new ();
  g_autoptr (MediaEncoder) encoder = NULL;
  g_autofree gint16 *speech = NULL, *heard = NULL;
  PhoneCodec codec = { .id = PHONE_CODEC_OPUS, .payload_type = 96, .use_inband_fec = TRUE };
  PhoneMediaPlan plan = { .send_dtmf = -1, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1, .n_receive = 1, .ptime = 20, .encrypted = TRUE, .ccfb = TRUE,
                          .send_red = 97, .receive_red = 97, .send = codec };
  Said said[MAX_COPIES + 1] = { 0 };
  Receiver receiver = { 0 };
  static PlayoutFormat formats[128];
  static RateHistory history;
  static MediaArrivals arrivals, ours;
  static MediaFeedback feedback;
  static RateControl control;
  GQueue there = G_QUEUE_INIT, back = G_QUEUE_INIT;
  g_autoptr (GRand) random = NULL;
  LinkConfig config = { 0 };
  LinkModel link_there, link_back;
  MediaReceiveStats stats;
  MediaRate used;
  FILE *log = NULL;
  guint n = 0, at = 0, late = 0;
  guint32 timestamp = 0;
  guint16 seq = 0, peer_seq = 0;
  gint64 compound = 700 * 1000;

  g_option_context_add_main_entries (context, options, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error) || argc < 3 || !(speech = read_wav (argv[2], &n)))
    {
      fprintf (stderr, "%s\n", error ? error->message : "needs a link and a mono 48 kHz WAV file");
      return 2;
    }
  g_auto (GStrv) words = g_strsplit (argv[1], " ", -1);
  for (guint i = 0; words[i] != NULL; i++)
    if (!link_config_set (&config, words[i]))
      return 2;
  random = g_rand_new_with_seed ((guint32) seed);
  link_model_init (&link_there, &config, (guint64) seed);
  link_model_init (&link_back, &config, (guint64) seed + 1000);
  fly (&there, &link_there, 0, SIGNALLING, NULL);
  fly (&back, &link_back, 0, SIGNALLING_BACK, NULL);
  plan.least_ptime = (guint) least_ptime;
  rate_control_init (&control, &plan, (guint) bitrate, (guint) complexity);
  if (fixed)
    control.rate = (MediaRate) { .bitrate = (guint) bitrate, .frame_ms = (guint) fixed_frame, .copies = (guint) fixed_copies, .complexity = (guint) complexity,
                                 .loss_percent = (guint) fixed_loss, .fec = fixed_loss > 0 && fixed_copies == 0 };
  used = control.rate;
  encoder = media_encoder_new (&codec, &used, &error);
  if (!encoder)
    return 1;
  if (log_path)
    log = fopen (log_path, "w");
  media_arrivals_start (&arrivals, MEDIA_FEEDBACK_CCFB);
  media_arrivals_start (&ours, MEDIA_FEEDBACK_CCFB);
  plan.receive[0] = codec;
  playout_formats_from_plan (formats, &plan);
  playout_stream_set_formats (stream, formats);
  playout_stream_set_bounds (stream, 0, 600);
  heard = g_new0 (gint16, n + 48000);

  for (gint64 now = 0; now < (gint64) n * 1000 / 48 + 500000; now += 1000)
    {
      Flight *flight;

      /* A packet goes out when its last sample has been spoken. */
      if (at + used.frame_ms * 48 <= n && now >= (gint64) (at + used.frame_ms * 48) * 1000 / 48)
        {
          flight = g_new0 (Flight, 1);
          memmove (said + 1, said, MAX_COPIES * sizeof said[0]);
          int encoded = media_encoder_encode (encoder, speech + at, used.frame_ms * 48, said[0].payload);
          said[0].length = (gsize) MAX (encoded, 0);
          said[0].timestamp = timestamp;
          gsize octets = used.copies > 0 ? add_copies (said, used.copies, flight->packet + 12, sizeof flight->packet - 12) : said[0].length;

          if (used.copies == 0)
            memcpy (flight->packet + 12, said[0].payload, octets);
          flight->packet[0] = 0x80;
          flight->packet[1] = used.copies > 0 ? 97 : 96;
          flight->packet[2] = (guint8) (seq >> 8);
          flight->packet[3] = (guint8) seq;
          for (guint k = 0; k < 4; k++)
            flight->packet[4 + k] = (guint8) (timestamp >> (24 - 8 * k));
          flight->length = 12 + octets;
          flight->seq = seq;
          rate_history_sent (&history, seq++, octets + HEADERS, now + G_USEC_PER_SEC);
          timestamp += used.frame_ms * 48;
          at += used.frame_ms * 48;
          late += config.rate > 0 && link_there.free_at - now > 60000;
          fly (&there, &link_there, now, (guint) octets + HEADERS, flight);
          if (memcmp (&used, &control.rate, sizeof used) != 0)
            media_encoder_set_rate (encoder, &control.rate);
          used = control.rate;
        }
      if (config.rate > 0 && config.rate < SLOW && now == AGAIN_BACK_US)
        fly (&back, &link_back, now, AGAIN_BACK, NULL);
      if (config.rate > 0 && config.rate < SLOW && now == AGAIN_US)
        fly (&there, &link_there, now, SIGNALLING, NULL);
      if (now >= compound)
        {
          fly (&there, &link_there, now, COMPOUND, NULL);
          rate_history_sent_rtcp (&history, COMPOUND, now + G_USEC_PER_SEC);
          RateReport report = report_of (&receiver, now + G_USEC_PER_SEC, config.delay);
          if (!fixed)
            rate_control_update (&control, &report);
          compound += (gint64) ((1.25 + 2.5 * g_rand_double (random)) * G_USEC_PER_SEC);
        }
      while ((flight = pop_due (&there, now)) != NULL)
        {
          media_arrivals_note (&arrivals, SSRC, flight->seq, flight->octets, flight->at + G_USEC_PER_SEC);
          note_arrival (&receiver, flight);
          playout_stream_insert (stream, flight->packet, flight->length, flight->at);
          g_free (flight);
        }
      if (media_arrivals_due (&arrivals) <= now + G_USEC_PER_SEC)
        {
          flight = g_new0 (Flight, 1);
          flight->length = media_arrivals_write (&arrivals, 1, now + G_USEC_PER_SEC, flight->packet, sizeof flight->packet);
          guint octets = (guint) flight->length + REPORT;
          fly (&back, &link_back, now, octets, flight);
        }
      /* The peer is quiet, and his packets need reports of ours. */
      if (now % SILENCE_US == 0)
        {
          fly (&back, &link_back, now, SILENCE, NULL);
          media_arrivals_note (&ours, SSRC + 1, peer_seq++, SILENCE, now + G_USEC_PER_SEC);
        }
      if (media_arrivals_due (&ours) <= now + G_USEC_PER_SEC)
        {
          guint8 report[1500];

          guint octets = (guint) media_arrivals_write (&ours, 2, now + G_USEC_PER_SEC, report, sizeof report) + REPORT;
          fly (&there, &link_there, now, octets, NULL);
          rate_history_sent_rtcp (&history, octets, now + G_USEC_PER_SEC);
        }
      while ((flight = pop_due (&back, now)) != NULL)
        {
          RateSample samples[MEDIA_FEEDBACK_MAX];

          media_feedback_parse (flight->packet, flight->length, SSRC, &feedback);
          guint found = rate_history_match (&history, &feedback, samples);
          if (!fixed)
            rate_control_feedback (&control, samples, found, now + G_USEC_PER_SEC);
          g_free (flight);
        }
      if (now % 10000 == phase_ms * 1000 && now * 48 / 1000 + MEDIA_FRAME <= n + 47000)
        {
          playout_stream_pull (stream, heard + now * 48 / 1000, now);
          playout_stream_get_stats (stream, &stats);
          if (log)
            fprintf (log, "%.2f %u %u %s %.0f %.0f %.0f\n", now / 1e6, used.bitrate, used.frame_ms, control.reason,
                     MAX (0, (double) (link_there.free_at - now) / 1000), stats.target_ms, stats.delay_ms);
        }
    }
  if (log)
    fclose (log);
  printf ("seed %d: dropped %d, %u of %u packets waited more than 60 ms, playout target %.0f ms, delay %.0f, concealed %.2f %%, rate %u in %u ms (%s)\n",
          (int) seed, (int) link_there.dropped, late, seq, stats.target_ms, stats.delay_ms, 100.0 * stats.concealed_samples / n, used.bitrate, used.frame_ms,
          control.reason);
  if (argc > 3)
    write_wav (argv[3], heard + LEAD_MS * 48, n - LEAD_MS * 48 + 40000);
  g_queue_clear_full (&there, g_free);
  g_queue_clear_full (&back, g_free);
  return 0;
}
