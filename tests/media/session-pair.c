/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "session-pair.h"

#include <math.h>
#include <string.h>

#include "pcm-signal.h"

/* Compared at 4 kHz: the structure of speech is there, and the work is bearable under a sanitizer. */
#define DECIMATION 12
#define RATE (MEDIA_RATE / DECIMATION)
#define WINDOW (RATE / 2)
#define MAX_LAG (RATE * 4 / 5)  /* a stall of the machine makes playout careful for a while */
#define MIN_LAG_RANGE (RATE / 4)

PhoneDaemonSettings *
pair_settings (void)
{
  PhoneDaemonSettings *settings = phone_daemon_settings_new ();
  settings->port_first = 21000;
  settings->port_last = 23999;
  settings->opus_complexity = 1;        /* many sessions at once on small machines */
  return settings;
}

/* The tests pass a Side where core passes a call. */
static void
on_dtmf (PhoneCall *call, char digit, guint ms)
{
  g_string_append_c (((Side *) (gpointer) call)->digits, digit);
}

static void
on_rtp_timeout (PhoneCall *call, guint seconds)
{
  ((Side *) (gpointer) call)->timeouts++;
}

static void
on_first_rtp (PhoneCall *call)
{
  ((Side *) (gpointer) call)->first_rtp++;
}

static void
on_failed (PhoneCall *call, const GError *error)
{
  g_test_message ("%s: %s", ((Side *) (gpointer) call)->name, error->message);
  ((Side *) (gpointer) call)->failures++;
  g_strlcpy (((Side *) (gpointer) call)->why, error->message, sizeof ((Side *) NULL)->why);
}

static void
on_secured (PhoneCall *call, PhoneSrtpSuite suite)
{
  ((Side *) (gpointer) call)->secured++;
  ((Side *) (gpointer) call)->suite = suite;
}

static const PhoneMediaEvents events = { .dtmf = on_dtmf, .rtp_timeout = on_rtp_timeout, .first_rtp = on_first_rtp, .secured = on_secured, .failed = on_failed };

void
side_init (Side *side, MediaEngine *engine, const char *name, const char *address)
{
  g_autoptr (GError) error = NULL;
  PhoneMediaParams params = { .call_id = side->name, .bind_address = address, .ipv6 = strchr (address, ':') != NULL };

  memset (side, 0, sizeof *side);
  g_strlcpy (side->name, name, sizeof side->name);
  side->address = address;
  side->digits = g_string_new (NULL);
  side->media = media_ops.media_new (engine, (PhoneCall *) (gpointer) side, &params, &events, &error);
  g_assert_no_error (error);
  media_ops.media_ports (side->media, &side->rtp_port, &side->rtcp_port);
  media_ops.media_set_attached (side->media, TRUE);
  side->speech = g_new (gint16, PAIR_SPEECH);
  /* The same two texts everywhere: what a codec makes of them is known. */
  signal_speech (side->speech, PAIR_SPEECH, g_str_has_suffix (name, "alice") ? 1 : 2);
  fake_hub_set_input (side->name, side->speech, PAIR_SPEECH);
}

void
side_clear (Side *side)
{
  media_ops.media_free (side->media);
  phone_media_plan_free (side->plan);
  g_string_free (side->digits, TRUE);
  g_free (side->speech);
}

static PhoneSrtpKey
make_key (PhoneSrtpSuite suite, guint8 seed)
{
  PhoneSrtpKey key = { .tag = 1, .suite = suite };
  for (guint i = 0; i < sizeof key.key; i++)
    key.key[i] = (guint8) (seed * 37 + i);
  return key;
}

static guint8
payload_type (PhoneCodecId id)
{
  switch (id)
    {
    case PHONE_CODEC_OPUS: return 107;
    case PHONE_CODEC_G722: return 9;
    case PHONE_CODEC_PCMU: return 0;
    case PHONE_CODEC_PCMA: return 8;
    }
  g_assert_not_reached ();
}

static PhoneMediaPlan *
empty_plan (void)
{
  static const PhoneMediaPlan nothing = { .send_dtmf = -1, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1 };
  return phone_media_plan_copy (&nothing);
}

PhoneMediaPlan *
side_plan (const Side *to, const PairOptions *options, gboolean reversed)
{
  PhoneMediaPlan *plan = empty_plan ();
  gboolean send = reversed ? options->receive : options->send, receive = reversed ? options->send : options->receive;

  plan->remote_address = g_strdup (to->address);
  plan->remote_port = to->rtp_port;
  plan->remote_rtcp_port = options->mux ? to->rtp_port : to->rtcp_port;
  plan->rtcp_mux = options->mux;
  plan->direction = send && receive ? PHONE_DIRECTION_SENDRECV
                    : send          ? PHONE_DIRECTION_SENDONLY
                    : receive       ? PHONE_DIRECTION_RECVONLY
                                    : PHONE_DIRECTION_INACTIVE;
  plan->send = (PhoneCodec) { .id = options->codec, .payload_type = payload_type (options->codec), .use_inband_fec = TRUE };
  plan->n_receive = 1;
  plan->receive[0] = plan->send;
  plan->ptime = options->ptime;
  if (phone_codec_clock_rate (options->codec) == 48000)
    plan->send_dtmf = plan->receive_dtmf_48000 = 110;
  else
    plan->send_dtmf = plan->receive_dtmf_8000 = 101;
  plan->send_dtmf_rate = phone_codec_clock_rate (options->codec);
  plan->dtls = options->association != 0;
  plan->encrypted = plan->dtls || options->suite != PAIR_CLEAR;
  if (plan->dtls)
    {
      PhoneDtlsDesc theirs;

      g_assert_true (media_ops.media_dtls (to->media, &theirs, NULL));
      plan->handshake = (PhoneDtlsPlan) { .association = options->association, .client = !reversed, .n_fingerprints = 1,
                                          .fingerprints = { theirs.fingerprints[0] } };
    }
  else if (plan->encrypted)
    {
      PhoneSrtpKey one = make_key (options->suite, options->key), two = make_key (options->suite, options->key + 100);
      plan->send_key = reversed ? two : one;
      plan->receive_key = reversed ? one : two;
    }
  return plan;
}

void
side_apply (Side *side, PhoneMediaPlan *plan)
{
  g_autoptr (GError) error = NULL;

  media_ops.media_apply (side->media, plan, &error);
  g_assert_no_error (error);
  phone_media_plan_free (side->plan);
  side->plan = plan;
}

void
pair_init (Pair *pair, MediaEngine *engine, const char *name, const char *alice, const char *bob)
{
  g_autofree char *a = g_strdup_printf ("%s-alice", name), *b = g_strdup_printf ("%s-bob", name);

  memset (pair, 0, sizeof *pair);
  pair->engine = engine;
  side_init (&pair->alice, engine, a, alice);
  side_init (&pair->bob, engine, b, bob);
}

void
pair_apply (Pair *pair, const PairOptions *options)
{
  pair->options = *options;
  side_apply (&pair->bob, side_plan (&pair->alice, options, TRUE));
  side_apply (&pair->alice, side_plan (&pair->bob, options, FALSE));
}

void
pair_clear (Pair *pair)
{
  side_clear (&pair->alice);
  side_clear (&pair->bob);
}

void
pair_wait (PairCheck check, gpointer data, guint seconds)
{
  gint64 until = g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC;

  while (!check (data))
    {
      if (g_get_monotonic_time () > until)
        g_error ("what was waited for did not come in %u s", seconds);
      if (!g_main_context_iteration (NULL, FALSE))
        g_usleep (2000);
    }
}

typedef struct
{
  const Side *side;
  guint until;
} Run;

static gboolean
ticks_done (gpointer data)
{
  Run *run = data;
  return fake_hub_ticks (run->side->name) >= run->until;
}

void
pair_run (const Side *side, guint ms)
{
  Run run = { .side = side, .until = fake_hub_ticks (side->name) + ms / MEDIA_FRAME_MS };
  pair_wait (ticks_done, &run, 60 + ms / 1000 * 3);
}

void
pair_restart_recording (Pair *pair)
{
  fake_hub_clear (pair->alice.name);
  fake_hub_clear (pair->bob.name);
}

static guint
decimate (gint16 *pcm, guint n)
{
  for (guint i = 0; i < n / DECIMATION; i++)
    {
      int sum = 0;
      for (guint k = 0; k < DECIMATION; k++)
        sum += pcm[i * DECIMATION + k];
      pcm[i] = (gint16) (sum / DECIMATION);
    }
  return n / DECIMATION;
}

/* Best normalised correlation of a with any stretch of b that is late by 0..n_lags - 1. */
__attribute__ ((no_sanitize ("address", "undefined", "thread"))) static double
correlate (const gint16 *a, const gint16 *b, guint n_lags, guint *ret_lag)
{
  double aa = 0, bb = 0, best = 0;

  for (guint i = 0; i < WINDOW; i++)
    aa += (double) a[i] * a[i];
  for (guint i = 0; i < WINDOW; i++)
    bb += (double) b[i] * b[i];
  *ret_lag = 0;
  for (guint lag = 0; lag < n_lags; lag++)
    {
      gint64 ab = 0;
      for (guint i = 0; i < WINDOW; i++)
        ab += (gint64) a[i] * b[lag + i];
      double c = aa > 0 && bb > 0 ? (double) ab / sqrt (aa * bb) : 0;
      if (c > best)
        {
          best = c;
          *ret_lag = lag;
        }
      bb += (double) b[lag + WINDOW] * b[lag + WINDOW] - (double) b[lag] * b[lag];
    }
  return best;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

double
pair_heard (const Side *listener, const Side *speaker, guint skip)
{
  g_autofree gint16 *said = NULL, *unused_out = NULL, *unused_in = NULL, *heard = NULL;
  guint n_said, n_heard;
  g_autoptr (GArray) windows = g_array_new (FALSE, FALSE, sizeof (double));

  fake_hub_get (speaker->name, &said, &unused_out, &n_said);
  fake_hub_get (listener->name, &unused_in, &heard, &n_heard);
  n_said = decimate (said, n_said);
  n_heard = decimate (heard, n_heard);
  for (guint at = skip * RATE / 1000; at + WINDOW + MIN_LAG_RANGE < MIN (n_said, n_heard); at += WINDOW)
    {
      guint lag;
      if (signal_power_db (said + at, WINDOW) < -45)
        continue;
      double c = correlate (said + at, heard + at, MIN (MAX_LAG, n_heard - at - WINDOW), &lag);
      if (g_test_verbose ())
        g_test_message ("%s at %u ms: %.3f, %u ms late", listener->name, at * 1000 / RATE, c, lag * 1000 / RATE);
      g_array_append_val (windows, c);
    }
  g_array_sort (windows, compare);
  return windows->len > 0 ? g_array_index (windows, double, windows->len * 3 / 4) : 0;
}
