/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "media/media-octets.h"
#include "media/media-receive.h"
#include "media/media-send.h"
#include "media/media-thread.h"
#include "pcm-signal.h"

/* The sending and the receiving end back to back, over an array in place of a network, in virtual time: what goes into the one as
 * PCM must come out of the other as the same sound. */

#define SECONDS 6
#define FRAMES (SECONDS * 100)
#define N (FRAMES * MEDIA_FRAME)
#define START G_GINT64_CONSTANT (1000000000)
#define MAX_PACKETS (FRAMES + 100)

typedef struct { GBytes *packet; gint64 arrival; } Flight;

typedef struct
{
  MediaSend *send;
  MediaReceive *receive;
  Flight flights[MAX_PACKETS];
  guint n_flights;
  gint64 now;
  SignalRandom random;
  double loss;
  double jitter_ms;             /* mean of an exponential */
  gint64 last_arrival;
  gboolean reorder;             /* else the network keeps the order */
  guint sent, dropped;
  GArray *digits;
  guint digit_ms;               /* of the last one */
} Path;

static gint16 speech[N], heard[N];

static void
on_sent (const guint8 *packet, gsize length, gpointer data)
{
  Path *path = data;
  gint64 arrival = path->now + 5000;

  path->sent++;
  g_assert_cmpuint (path->n_flights, <, MAX_PACKETS);
  if (path->jitter_ms > 0)
    arrival += (gint64) (-log (1 - signal_uniform (&path->random)) * path->jitter_ms * 1000);
  if (!path->reorder)
    arrival = MAX (arrival, path->last_arrival);
  path->last_arrival = arrival;
  if (signal_uniform (&path->random) < path->loss)
    path->dropped++;
  else
    path->flights[path->n_flights++] = (Flight) { g_bytes_new (packet, length), arrival };
}

static void
on_digit (char digit, guint ms, gpointer data)
{
  Path *path = data;

  g_array_append_val (path->digits, digit);
  path->digit_ms = ms;
}

static PhoneMediaPlan
plan_for (PhoneCodecId id)
{
  PhoneMediaPlan plan = { .direction = PHONE_DIRECTION_SENDRECV, .ptime = 20, .send_dtmf = -1, .receive_dtmf_8000 = 101,
                          .receive_dtmf_48000 = 102 };
  static const guint8 types[] = { [PHONE_CODEC_OPUS] = 96, [PHONE_CODEC_G722] = 9, [PHONE_CODEC_PCMU] = 0, [PHONE_CODEC_PCMA] = 8 };

  for (guint i = 0; i < phone_codec_id_n_values; i++)
    plan.receive[plan.n_receive++] = (PhoneCodec) { .id = (PhoneCodecId) i, .payload_type = types[i], .use_inband_fec = TRUE };
  plan.send = (PhoneCodec) { .id = id, .payload_type = types[id], .use_inband_fec = TRUE, .use_dtx = TRUE };
  plan.send_dtmf = id == PHONE_CODEC_OPUS ? 102 : 101;
  return plan;
}

static const MediaRate default_rate = { .bitrate = 28000, .complexity = 5, .fec = TRUE, .loss_percent = 10, .frame_ms = 20 };

static void
path_init (Path *path, PhoneCodecId id, const MediaRate *rate)
{
  PhoneMediaPlan plan = plan_for (id);
  GError *error = NULL;

  memset (path, 0, sizeof *path);
  path->now = START;
  path->random.state = 11;
  path->digits = g_array_new (TRUE, TRUE, 1);
  path->send = media_send_new ();
  path->receive = media_receive_new ();
  media_send_set_callbacks (path->send, NULL, on_sent, path);
  media_receive_set_formats (path->receive, &plan);
  media_receive_set_dtmf_handler (path->receive, on_digit, path);
  g_assert_true (media_send_set_format (path->send, &plan, rate, &error));
  g_assert_no_error (error);
  media_send_set_enabled (path->send, TRUE);
}

static void
path_clear (Path *path)
{
  for (guint i = 0; i < path->n_flights; i++)
    g_bytes_unref (path->flights[i].packet);
  media_send_free (path->send);
  media_receive_free (path->receive);
  g_array_unref (path->digits);
}

/* What is due reaches the receiver, in order of arrival. */
static void
deliver (Path *path)
{
  for (;;)
    {
      guint first = G_MAXUINT;

      for (guint i = 0; i < path->n_flights; i++)
        if (path->flights[i].arrival <= path->now && (first == G_MAXUINT || path->flights[i].arrival < path->flights[first].arrival))
          first = i;
      if (first == G_MAXUINT)
        return;
      Flight flight = path->flights[first];
      path->n_flights--;
      memmove (path->flights + first, path->flights + first + 1, (path->n_flights - first) * sizeof (Flight));
      media_receive_put (path->receive, g_bytes_get_data (flight.packet, NULL), g_bytes_get_size (flight.packet), flight.arrival);
      g_bytes_unref (flight.packet);
    }
}

static void
step (Path *path, const gint16 *said, gint16 *ret_heard)
{
  media_send_push (path->send, said, path->now);
  media_send_drain (path->send);
  deliver (path);
  if (!media_receive_pull (path->receive, ret_heard, path->now))
    memset (ret_heard, 0, MEDIA_FRAME * sizeof ret_heard[0]);
  path->now += MEDIA_FRAME_MS * 1000;
}

static void
talk (Path *path, guint from, guint to)
{
  for (guint i = from; i < to; i++)
    step (path, speech + i * MEDIA_FRAME, heard + i * MEDIA_FRAME);
}

/* Mean over windows of one second of the best correlation within 300 ms, at 8 kHz to be quick: time may be stretched between windows. */
static double
likeness (guint from, guint to)
{
  static gint16 a[N / 6], b[N / 6];
  double sum = 0;
  guint windows = 0;

  for (guint i = 0; i < N / 6; i++)
    {
      int x = 0, y = 0;

      for (guint k = 0; k < 6; k++)
        {
          x += speech[i * 6 + k];
          y += heard[i * 6 + k];
        }
      a[i] = (gint16) (x / 6);
      b[i] = (gint16) (y / 6);
    }
  for (guint w = from; w + 130 <= to; w += 100, windows++)
    sum += signal_correlate (a + w * 80, b + w * 80, 8000 + 2400, 2400, NULL);
  g_assert_cmpuint (windows, >, 0);
  return sum / windows;
}

static void
report (Path *path, const char *name)
{
  MediaReceiveStats stats;

  media_receive_get_stats (path->receive, &stats);
  g_test_message ("%s: likeness %.3f, %u sent, %u dropped, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " late, %" G_GUINT64_FORMAT
                  " by FEC, %.1f %% concealed, target %.0f ms, delay %.0f ms", name, likeness (100, FRAMES), path->sent, path->dropped,
                  stats.lost, stats.late, stats.fec_used, 100.0 * stats.concealed_samples / MAX (stats.played_samples, 1), stats.target_ms,
                  stats.delay_ms);
}

static void
test_clean (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  static const guint lengths[] = { 10, 20, 40, 60 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      Path path;
      MediaRate rate = default_rate;
      MediaReceiveStats stats;
      MediaSendStats sent;

      rate.frame_ms = lengths[i];
      path_init (&path, id, &rate);
      talk (&path, 0, FRAMES);
      report (&path, phone_codec_id_to_string (id));
      media_receive_get_stats (path.receive, &stats);
      media_send_get_stats (path.send, &sent);
      g_assert_cmpuint (path.sent, ==, FRAMES * 10 / lengths[i]);
      g_assert_cmpuint (sent.packets, ==, path.sent);
      g_assert_cmpstr (stats.codec, ==, phone_codec_id_to_string (id));
      g_assert_cmpuint (stats.received + path.n_flights, ==, path.sent);
      g_assert_cmpuint (stats.late + stats.lost + stats.resets + stats.concealed_samples, ==, 0);
      g_assert_cmpfloat (likeness (100, FRAMES), >, id == PHONE_CODEC_OPUS ? 0.75 : 0.95);    /* Opus keeps no waveform of hisses */
      g_assert_cmpfloat (stats.delay_ms, <, 60);
      path_clear (&path);
    }
}

static void
test_loss (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  Path path;
  MediaReceiveStats stats;

  path_init (&path, id, &default_rate);
  path.loss = 0.05;
  talk (&path, 0, FRAMES);
  report (&path, phone_codec_id_to_string (id));
  media_receive_get_stats (path.receive, &stats);
  g_assert_cmpuint (path.dropped, >, 5);
  g_assert_cmpuint (stats.lost, >=, path.dropped - 3);
  g_assert_cmpuint (stats.lost, <=, path.dropped);
  g_assert_cmpfloat (likeness (100, FRAMES), >, id == PHONE_CODEC_OPUS ? 0.75 : 0.9);
  path_clear (&path);
}

static void
test_jitter (void)
{
  Path path;
  MediaReceiveStats stats;

  path_init (&path, PHONE_CODEC_OPUS, &default_rate);
  path.jitter_ms = 20;
  talk (&path, 0, FRAMES);
  report (&path, "jitter 20 ms");
  media_receive_get_stats (path.receive, &stats);
  g_assert_cmpfloat (stats.target_ms, >, 20);
  g_assert_cmpfloat (likeness (200, FRAMES), >, 0.7);
  path_clear (&path);
}

static void
test_reordering (void)
{
  Path path;
  MediaReceiveStats stats;

  path_init (&path, PHONE_CODEC_OPUS, &default_rate);
  path.jitter_ms = 10;
  path.reorder = TRUE;
  talk (&path, 0, FRAMES);
  report (&path, "reordering");
  media_receive_get_stats (path.receive, &stats);
  g_assert_cmpuint (stats.resets + stats.duplicates, ==, 0);
  g_assert_cmpfloat (likeness (200, FRAMES), >, 0.75);
  path_clear (&path);
}

/* One codec after the other on the same stream, with another clock rate, without a break. */
static void
test_codec_switch (void)
{
  Path path;
  static const PhoneCodecId order[] = { PHONE_CODEC_PCMA, PHONE_CODEC_OPUS, PHONE_CODEC_G722, PHONE_CODEC_PCMU };
  guint32 ssrc;

  path_init (&path, PHONE_CODEC_PCMA, &default_rate);
  ssrc = media_send_get_ssrc (path.send);
  for (guint i = 0; i < 4; i++)
    {
      PhoneMediaPlan plan = plan_for (order[i]);
      MediaReceiveStats stats;

      g_assert_true (media_send_set_format (path.send, &plan, &default_rate, NULL));
      talk (&path, i * FRAMES / 4, (i + 1) * FRAMES / 4);
      media_receive_get_stats (path.receive, &stats);
      g_assert_cmpstr (stats.codec, ==, phone_codec_id_to_string (order[i]));
      g_assert_cmpuint (stats.late, ==, 0);
      g_assert_cmpuint (stats.concealed_samples, ==, 0);
    }
  report (&path, "codec switch");
  g_assert_cmpuint (media_send_get_ssrc (path.send), ==, ssrc);
  g_assert_cmpfloat (likeness (0, FRAMES), >, 0.85);
  path_clear (&path);
}

static void
test_dtmf (gconstpointer data)
{
  Path path;
  GError *error = NULL;

  path_init (&path, (PhoneCodecId) GPOINTER_TO_UINT (data), &default_rate);
  path.loss = 0.1;
  talk (&path, 0, 100);
  g_assert_true (media_send_dtmf (path.send, "0123456789*#abcd", 100, &error));
  g_assert_no_error (error);
  talk (&path, 100, FRAMES);
  g_assert_cmpstr (path.digits->data, ==, "0123456789*#ABCD");
  g_assert_cmpfloat (likeness (FRAMES - 200, FRAMES), >, 0.6);

  g_assert_false (media_send_dtmf (path.send, "x", 100, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  media_send_set_enabled (path.send, FALSE);
  g_assert_false (media_send_dtmf (path.send, "1", 100, &error));
  g_clear_error (&error);
  path_clear (&path);
}

/* Most peers with Opus take events at 8000 only: the payload type says in which units the duration counts. */
static void
test_dtmf_8000_beside_opus (void)
{
  Path path;
  PhoneMediaPlan plan = plan_for (PHONE_CODEC_OPUS);

  path_init (&path, PHONE_CODEC_OPUS, &default_rate);
  plan.send_dtmf = plan.receive_dtmf_8000;
  plan.send_dtmf_rate = 8000;
  g_assert_true (media_send_set_format (path.send, &plan, &default_rate, NULL));
  talk (&path, 0, 20);
  g_assert_true (media_send_dtmf (path.send, "5", 100, NULL));
  talk (&path, 20, 100);
  g_assert_cmpstr (path.digits->data, ==, "5");
  g_assert_cmpuint (path.digit_ms, ==, 100);
  path_clear (&path);
}

/* A pause by DTX is neither lost nor concealed, and what comes after it is whole. */
static void
test_dtx (void)
{
  Path path;
  MediaRate rate = default_rate;
  MediaReceiveStats stats;
  MediaSendStats sent;
  static const gint16 silence[MEDIA_FRAME];

  rate.dtx = TRUE;
  path_init (&path, PHONE_CODEC_OPUS, &rate);
  talk (&path, 0, 100);
  for (guint i = 100; i < 300; i++)
    step (&path, silence, heard + i * MEDIA_FRAME);
  talk (&path, 300, FRAMES);
  media_receive_get_stats (path.receive, &stats);
  media_send_get_stats (path.send, &sent);
  g_test_message ("%u packets sent, %" G_GUINT64_FORMAT " saved, %.0f ms comfort noise", path.sent, sent.not_sent,
                  stats.comfort_samples / 48.0);
  g_assert_cmpuint (sent.not_sent, >, 60);
  g_assert_cmpuint (stats.comfort_samples, >, 48 * 1000);
  g_assert_cmpuint (stats.lost + stats.late + stats.concealed_samples, ==, 0);
  g_assert_cmpfloat (likeness (300, FRAMES), >, 0.7);     /* Opus takes some of the hisses for pauses */
  path_clear (&path);
}

/* Hold sends nothing; media time goes on through it. */
static void
test_hold (void)
{
  Path path;
  guint sent;
  MediaReceiveStats stats;

  path_init (&path, PHONE_CODEC_PCMU, &default_rate);
  talk (&path, 0, 200);
  media_send_set_enabled (path.send, FALSE);
  sent = path.sent;
  talk (&path, 200, 300);
  g_assert_cmpuint (path.sent, ==, sent);
  media_send_set_enabled (path.send, TRUE);
  talk (&path, 300, FRAMES);
  media_receive_get_stats (path.receive, &stats);
  g_assert_cmpuint (stats.resets + stats.lost, ==, 0);
  g_assert_cmpfloat (likeness (310, FRAMES), >, 0.9);
  path_clear (&path);
}

typedef struct { guint8 type; gboolean marker; guint16 seq; guint32 timestamp, ssrc; gsize length; } Header;

static Header
header_of (GBytes *packet)
{
  gsize length;
  const guint8 *p = g_bytes_get_data (packet, &length);

  g_assert_cmpuint (length, >=, 12);
  g_assert_cmpuint (p[0], ==, 0x80);
  return (Header) { p[1] & 0x7f, p[1] >> 7, (guint16) media_read16 (p + 2), media_read32 (p + 4), media_read32 (p + 8), length };
}

/* The RTP header: marker, numbers that go on across a change of clock rate, a hold and a ring that overran. */
static void
test_headers (void)
{
  Path path;
  PhoneMediaPlan opus = plan_for (PHONE_CODEC_OPUS);
  Header headers[60];
  MediaSendStats stats;

  path_init (&path, PHONE_CODEC_G722, &default_rate);
  path.loss = 0;
#define SAY(n) for (guint i_ = 0; i_ < (n); i_++) { media_send_push (path.send, speech, path.now); path.now += 10000; media_send_drain (path.send); }
  SAY (10);                                             /* 0..4 */
  media_send_set_format (path.send, &opus, &default_rate, NULL);
  SAY (10);                                             /* 5..9 */
  media_send_set_enabled (path.send, FALSE);
  SAY (10);
  media_send_set_enabled (path.send, TRUE);
  SAY (10);                                             /* 10..14 */
  for (guint i = 0; i < 30; i++)                        /* 6 frames too many: 15..26 */
    {
      media_send_push (path.send, speech, path.now);
      path.now += 10000;
    }
  media_send_drain (path.send);
#undef SAY
  g_assert_cmpuint (path.n_flights, ==, 27);
  for (guint i = 0; i < 27; i++)
    headers[i] = header_of (path.flights[i].packet);
  for (guint i = 0; i < 27; i++)
    {
      g_assert_cmpuint (headers[i].type, ==, i < 5 ? 9 : 96);
      g_assert_cmpint (headers[i].marker, ==, i == 0 || i == 5 || i == 10);
      g_assert_cmpuint (headers[i].ssrc, ==, media_send_get_ssrc (path.send));
      if (i > 0)
        {
          guint32 step = headers[i].timestamp - headers[i - 1].timestamp;

          g_assert_cmpuint ((guint16) (headers[i].seq - headers[i - 1].seq), ==, 1);
          g_assert_cmpuint (step, ==, i <= 5 ? 160 : i == 10 ? 960 + 4800 : i == 15 ? 960 + 6 * 480 : 960);
        }
    }
  media_send_get_stats (path.send, &stats);
  g_assert_cmpuint (stats.dropped_frames, ==, 6);
  path_clear (&path);
}

/* Whatever comes in, frames come out. */
static void
test_hostile (void)
{
  Path path;
  gint16 frame[MEDIA_FRAME];

  path_init (&path, PHONE_CODEC_OPUS, &default_rate);
  for (guint i = 0; i < 20000; i++)
    {
      gsize length = signal_random (&path.random) % (i % 50 == 0 ? 1600 : 60);
      guint8 packet[1600];

      for (gsize k = 0; k < length; k++)
        packet[k] = (guint8) signal_random (&path.random);
      if (length > 12 && i % 4 != 0)
        {
          static const guint8 types[] = { 96, 9, 0, 8, 13, 101, 102, 50 };

          packet[0] &= 0xbf;
          packet[0] |= 0x80;
          packet[1] = types[signal_random (&path.random) % 8];
          if (i % 3)
            {
              media_write16 (packet + 2, (guint16) (i / 3 + signal_random (&path.random) % 8));
              media_write32 (packet + 4, i * 100 + signal_random (&path.random) % 4000);
              media_write32 (packet + 8, 1);
            }
        }
      media_receive_put (path.receive, packet, length, path.now);
      if (i % 2)
        {
          media_receive_pull (path.receive, frame, path.now);
          path.now += 10000;
        }
    }
  path_clear (&path);
}

/* The three threads of a call, as fast as they can: for the thread sanitizer, and for locks held where they should not be. */

typedef struct
{
  Path path;
  pthread_mutex_t lock;
  pthread_cond_t wake;
  gboolean woken;
  guint ticks_done;     /* atomic */
} Call;

static void
on_sent_straight (const guint8 *packet, gsize length, gpointer data)
{
  Call *call = data;

  media_receive_put (call->path.receive, packet, length, g_get_monotonic_time ());
}

static void
on_wake (gpointer data)
{
  Call *call = data;

  pthread_mutex_lock (&call->lock);
  call->woken = TRUE;
  pthread_cond_signal (&call->wake);
  pthread_mutex_unlock (&call->lock);
}

static gpointer
run_hub (gpointer data)
{
  Call *call = data;
  gint16 frame[MEDIA_FRAME];
  gint64 now = g_get_monotonic_time ();

  for (guint i = 0; i < 1500; i++, now += 10000)
    {
      media_send_push (call->path.send, speech + i % FRAMES * MEDIA_FRAME, now);
      media_receive_pull (call->path.receive, frame, now);
      g_atomic_int_inc (&call->ticks_done);
    }
  return NULL;
}

static gpointer
run_io (gpointer data)
{
  Call *call = data;

  for (;;)
    {
      pthread_mutex_lock (&call->lock);
      while (!call->woken)
        pthread_cond_wait (&call->wake, &call->lock);
      call->woken = FALSE;
      pthread_mutex_unlock (&call->lock);
      if (g_atomic_int_get (&call->ticks_done) == G_MAXINT / 2)
        return NULL;
      media_send_drain (call->path.send);
    }
}

static void
test_threads (void)
{
  Call call = { .ticks_done = 0 };
  pthread_t hub, io;
  MediaRate rate = default_rate;

  path_init (&call.path, PHONE_CODEC_OPUS, &rate);
  media_mutex_init (&call.lock);
  media_cond_init (&call.wake);
  media_send_set_callbacks (call.path.send, on_wake, on_sent_straight, &call);
  pthread_create (&hub, NULL, run_hub, &call);
  pthread_create (&io, NULL, run_io, &call);
  for (guint i = 0; g_atomic_int_get (&call.ticks_done) < 1500; i++)
    {
      PhoneMediaPlan plan = plan_for ((PhoneCodecId) (i / 20 % phone_codec_id_n_values));
      MediaReceiveStats received;
      MediaSendStats sent;

      rate.frame_ms = i % 3 ? 20 : 40;
      rate.bitrate = 16000 + i % 5 * 4000;
      if (i % 20 == 0)
        {
          media_send_set_format (call.path.send, &plan, &rate, NULL);
          media_receive_set_formats (call.path.receive, &plan);
        }
      media_send_set_rate (call.path.send, &rate);
      media_send_set_enabled (call.path.send, i % 11 != 0);
      media_send_dtmf (call.path.send, "5", 60, NULL);
      media_receive_get_stats (call.path.receive, &received);
      media_send_get_stats (call.path.send, &sent);
      g_assert_cmpuint (received.received, <=, sent.packets);
      g_thread_yield ();
    }
  pthread_join (hub, NULL);
  g_atomic_int_set (&call.ticks_done, G_MAXINT / 2);
  on_wake (&call);
  pthread_join (io, NULL);
  media_send_set_callbacks (call.path.send, NULL, NULL, NULL);
  path_clear (&call.path);
  pthread_cond_destroy (&call.wake);
  pthread_mutex_destroy (&call.lock);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal_speech (speech, N, 5);
  for (guint id = 0; id < phone_codec_id_n_values; id++)
    {
      g_autofree char *clean = g_strdup_printf ("/path/clean/%s", phone_codec_id_to_string ((PhoneCodecId) id));
      g_autofree char *loss = g_strdup_printf ("/path/loss/%s", phone_codec_id_to_string ((PhoneCodecId) id));
      g_autofree char *dtmf = g_strdup_printf ("/path/dtmf/%s", phone_codec_id_to_string ((PhoneCodecId) id));

      g_test_add_data_func (clean, GUINT_TO_POINTER (id), test_clean);
      g_test_add_data_func (loss, GUINT_TO_POINTER (id), test_loss);
      g_test_add_data_func (dtmf, GUINT_TO_POINTER (id), test_dtmf);
    }
  g_test_add_func ("/path/dtmf/8000-beside-opus", test_dtmf_8000_beside_opus);
  g_test_add_func ("/path/jitter", test_jitter);
  g_test_add_func ("/path/reordering", test_reordering);
  g_test_add_func ("/path/codec-switch", test_codec_switch);
  g_test_add_func ("/path/dtx", test_dtx);
  g_test_add_func ("/path/hold", test_hold);
  g_test_add_func ("/path/headers", test_headers);
  g_test_add_func ("/path/hostile", test_hostile);
  g_test_add_func ("/path/threads", test_threads);
  return g_test_run ();
}
