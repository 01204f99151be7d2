/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a session has to bear: a stranger who floods its ports, and a life of many calls. */

#include <arpa/inet.h>
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "media/media-session.h"
#include "session-pair.h"

static MediaEngine *engine;

static gboolean
nothing_retires (gpointer data)
{
  return media_engine_get_retiring (engine) == 0;
}

/* ---- the stranger ---- */

typedef struct
{
  const char *from, *to;
  guint16 rtp_port, rtcp_port;
  guint32 victim_ssrc;
  gint stop;
  guint64 sent;
  pthread_t thread;
} Mallory;

static void
put32 (guint8 *p, guint32 value)
{
  for (int i = 3; i >= 0; i--, value >>= 8)
    p[i] = value & 0xff;
}

static gsize
hostile_packet (guint8 *packet, guint i)
{
  static const guint8 types[] = { 107, 0, 8, 9 };

  for (guint k = 0; k < 200; k++)
    packet[k] = (guint8) g_random_int ();
  switch (i % 8)
    {
    case 0:                             /* a perfect stream, if it were his to send */
      packet[0] = 0x80;
      packet[1] = types[i / 8 % G_N_ELEMENTS (types)];
      packet[2] = (guint8) (i / 8 >> 8);
      packet[3] = (guint8) (i / 8);
      put32 (packet + 8, 0x66666666);
      return 180;
    case 1:                             /* sources without end */
      packet[0] = 0x80;
      packet[1] = types[i / 8 % G_N_ELEMENTS (types)];
      return 180;
    case 2:                             /* BYE */
      packet[0] = 0x80;
      packet[1] = 201;
      packet[2] = 0;
      packet[3] = 1;
      memcpy (packet + 8, "\x81\xcb\0\1", 4);
      memcpy (packet + 12, packet + 4, 4);
      return 16;
    case 3:                             /* STUN */
      memcpy (packet, "\0\1\0\0\x21\x12\xa4\x42", 8);
      return 20;
    case 4:
      packet[0] = 0x80;
      packet[1] = 200;
      return 200;
    case 5:                             /* DTLS: a ClientHello, or something like it */
      memcpy (packet, "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x64\1\0\0\x58\0\0\0\0\0\0\0\x58\xfe\xfd", 27);
      return 113;
    case 6:                             /* DTLS: a fatal alert in clear */
      memcpy (packet, "\x15\xfe\xfd\0\0\0\0\0\0\0\1\0\2\2\x28", 15);
      return 15;
    default:
      return g_random_int_range (0, 200);
    }
}

static gpointer
flood (gpointer data)
{
  Mallory *m = data;
  struct sockaddr_in from = { .sin_family = AF_INET }, to = { .sin_family = AF_INET };
  guint8 packet[256];
  int fd = socket (AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

  inet_pton (AF_INET, m->from, &from.sin_addr);
  inet_pton (AF_INET, m->to, &to.sin_addr);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &from, sizeof from), ==, 0);
  for (guint i = 0; !g_atomic_int_get (&m->stop); i++)
    {
      gsize n = hostile_packet (packet, i);
      to.sin_port = g_htons (i % 5 == 4 ? m->rtcp_port : m->rtp_port);
      sendto (fd, packet, n, 0, (struct sockaddr *) &to, sizeof to);
      m->sent++;
      if (i % 20 == 19)
        g_usleep (2000);
    }
  close (fd);
  return NULL;
}

#define BY_DTLS 99

static void
test_flood (gconstpointer data)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;
  PhoneMediaReport report;

  options.suite = GPOINTER_TO_INT (data);
  options.association = options.suite == BY_DTLS ? 1 : 0;
  options.codec = PHONE_CODEC_PCMA;
  options.mux = FALSE;
  pair_init (&pair, engine, "flood", "127.30.30.1", "127.30.30.2");
  Mallory mallory = { .from = "127.30.30.66", .to = "127.30.30.1", .rtp_port = pair.alice.rtp_port, .rtcp_port = pair.alice.rtcp_port };

  /* He is there first: before the plan, and while nobody else has spoken. */
  g_assert_cmpint (pthread_create (&mallory.thread, NULL, flood, &mallory), ==, 0);
  side_apply (&pair.alice, side_plan (&pair.bob, &options, FALSE));
  pair_run (&pair.alice, 300);
  side_apply (&pair.bob, side_plan (&pair.alice, &options, TRUE));
  pair.options = options;
  pair_run (&pair.alice, 500);
  pair_restart_recording (&pair);
  pair_run (&pair.alice, 3000);
  g_atomic_int_set (&mallory.stop, TRUE);
  pthread_join (mallory.thread, NULL);

  g_assert_cmpfloat (pair_heard (&pair.alice, &pair.bob, 0), >, 0.9);
  g_assert_cmpfloat (pair_heard (&pair.bob, &pair.alice, 0), >, 0.9);
  g_autofree char *destination = media_session_get_destination (pair.alice.media);
  g_autofree char *wanted = g_strdup_printf ("127.30.30.2:%u", pair.bob.rtp_port);
  g_assert_cmpstr (destination, ==, wanted);
  g_assert_true (media_ops.media_report (pair.alice.media, &report));
  g_test_message ("%" G_GUINT64_FORMAT " hostile packets; received %" G_GUINT64_FORMAT ", refused %" G_GUINT64_FORMAT, mallory.sent,
                  report.packets_received, report.auth_failures);
  g_assert_cmpuint (mallory.sent, >, 2000);
  /* What the stranger may try is bounded, and none of it was played once bob spoke. */
  g_assert_cmpuint (report.auth_failures, <=, 100 * 8);
  g_assert_cmpuint (pair.alice.failures + pair.alice.timeouts, ==, 0);
  pair_clear (&pair);
  pair_wait (nothing_retires, NULL, 10);
}

/* ---- many calls ---- */

/* Octets by which the heap wavers however many calls there were (measured: 20 to 45 k over 150, 300 and 600). */
#define HEAP_NOISE (100 * 1024)

static guint
count_entries (const char *folder)
{
  guint n = 0;
  DIR *dir = opendir (folder);
  while (readdir (dir) != NULL)
    n++;
  closedir (dir);
  return n;
}

static gboolean
both_have_heard (gpointer data)
{
  Pair *pair = data;
  return pair->alice.first_rtp > 0 && pair->bob.first_rtp > 0;
}

static void
one_call (guint i)
{
  Pair pair;
  PairOptions options = PAIR_DEFAULTS;

  options.suite = (int) (i % (phone_srtp_suite_n_values + 1)) - 1;
  options.codec = i % phone_codec_id_n_values;
  options.mux = i % 2;
  pair_init (&pair, engine, "churn", "127.30.31.1", "127.30.31.2");
  if (i % 10 != 9)                      /* every tenth is never connected */
    {
      pair_apply (&pair, &options);
      if (i % 3 != 0)                   /* some are hung up before anything has come */
        pair_wait (both_have_heard, &pair, 20);
      if (i % 4 == 0)
        {
          options.key++;
          options.codec = (options.codec + 1) % phone_codec_id_n_values;
          pair_apply (&pair, &options);
        }
    }
  pair_clear (&pair);
}

static guint
n_calls (void)
{
  const char *text = g_getenv ("PHONED_TEST_CALLS");
  return text != NULL ? (guint) g_ascii_strtoull (text, NULL, 10) : 200;
}

static void
test_churn (void)
{
  guint fds = 0, threads = 0, total = n_calls ();
  gsize memory = 0;

  for (guint i = 0; i < total; i++)
    {
      one_call (i);
      pair_wait (nothing_retires, NULL, 30);
      if (i == total / 4)
        {
          /* All that is made once has been made. */
          fds = count_entries ("/proc/self/fd");
          threads = count_entries ("/proc/self/task");
          memory = mallinfo2 ().uordblks;
        }
    }
  /* Idle threads of the pool that takes sessions down come and go. */
  guint fds_now = count_entries ("/proc/self/fd"), threads_now = count_entries ("/proc/self/task");
  gsize memory_now = mallinfo2 ().uordblks;
  g_test_message ("descriptors %u -> %u, threads %u -> %u, heap %zu -> %zu", fds, fds_now, threads, threads_now, memory, memory_now);
  g_assert_cmpuint (fds_now, <=, fds);
  g_assert_cmpuint (threads_now, <=, threads + 4);
  g_assert_cmpuint (memory_now, <, memory + HEAP_NOISE);
  g_assert_cmpuint (fake_hub_n_ports (), ==, 0);
}

/* All at once: teardown does not hold up the main loop, and everything goes. */
static void
test_many_at_once (void)
{
  Pair pairs[20];
  PairOptions options = PAIR_DEFAULTS;

  options.suite = PHONE_SRTP_AEAD_AES_256_GCM;
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    {
      g_autofree char *name = g_strdup_printf ("many-%u", i);
      pair_init (&pairs[i], engine, name, "127.30.32.1", "127.30.32.2");
      pair_apply (&pairs[i], &options);
    }
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pair_wait (both_have_heard, &pairs[i], 20);
  for (guint i = 0; i < G_N_ELEMENTS (pairs); i++)
    pair_clear (&pairs[i]);
  pair_wait (nothing_retires, NULL, 30);
}

/* An event that is under way when the session is closed is not delivered; the Side would be gone. */
static void
test_no_event_after_free (void)
{
  for (guint i = 0; i < 20; i++)
    {
      Pair pair;
      PairOptions options = PAIR_DEFAULTS;
      pair_init (&pair, engine, "late", "127.30.33.1", "127.30.33.2");
      pair_apply (&pair, &options);
      /* The first packets cross while nobody runs the main loop. */
      while (fake_hub_ticks (pair.alice.name) < 6)
        g_usleep (1000);
      g_assert_cmpuint (pair.alice.first_rtp, ==, 0);
      PhoneMedia *alice = media_session_ref (pair.alice.media);
      pair_clear (&pair);
      memset (&pair, 0xff, sizeof pair);
      while (g_main_context_iteration (NULL, FALSE))
        ;
      media_session_unref (alice);
      pair_wait (nothing_retires, NULL, 10);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* On a machine that is loaded enough the watchdog of teardown warns; that is not what is tested. */
  g_log_set_always_fatal (G_LOG_LEVEL_CRITICAL | G_LOG_FATAL_MASK);
  g_autoptr (PhoneDaemonSettings) settings = pair_settings ();
  g_autoptr (GError) error = NULL;
  engine = media_engine_new (settings, &error);
  g_assert_no_error (error);
  g_test_add_data_func ("/abuse/flood/clear", GINT_TO_POINTER (PAIR_CLEAR), test_flood);
  g_test_add_data_func ("/abuse/flood/secure", GINT_TO_POINTER (PHONE_SRTP_AES_CM_128_HMAC_SHA1_80), test_flood);
  g_test_add_data_func ("/abuse/flood/dtls", GINT_TO_POINTER (BY_DTLS), test_flood);
  g_test_add_func ("/abuse/churn", test_churn);
  g_test_add_func ("/abuse/many-at-once", test_many_at_once);
  g_test_add_func ("/abuse/no-event-after-free", test_no_event_after_free);
  int result = g_test_run ();
  g_clear_pointer (&engine, media_engine_free);
  return result;
}
