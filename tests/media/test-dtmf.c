/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <string.h>
#include "media/dtmf-core.h"
#include "pcm-signal.h"

typedef struct { guint8 payload[DTMF_PAYLOAD]; guint32 timestamp; gboolean marker; gint64 at; } Packet;

static guint
run_sender (DtmfSender *sender, guint slot_ms, guint clock_rate, guint slots, Packet *ret_packets)
{
  guint32 timestamp = 0xffffff00;       /* wraps in the middle */
  guint n = 0;

  for (guint i = 0; i < slots; i++, timestamp += slot_ms * (clock_rate / 1000))
    {
      Packet *packet = &ret_packets[n];

      if (dtmf_sender_step (sender, slot_ms, timestamp, clock_rate, packet->payload, &packet->timestamp, &packet->marker))
        {
          packet->at = (gint64) (i + 1) * slot_ms * 1000;
          n++;
        }
    }
  return n;
}

static guint
ticks (const Packet *packet)
{
  return (guint) packet->payload[2] << 8 | packet->payload[3];
}

static void
test_sender (void)
{
  DtmfSender sender = { 0 };
  Packet packets[64];
  guint n;

  g_assert_true (dtmf_sender_queue (&sender, "5d", 100));
  n = run_sender (&sender, 20, 8000, 40, packets);
  /* Each: 20, 40, 60, 80, 100 E, E, E. */
  g_assert_cmpuint (n, ==, 14);
  for (guint i = 0; i < n; i++)
    {
      guint k = i % 7;

      g_assert_cmpuint (packets[i].payload[0], ==, i < 7 ? 5 : 15);
      g_assert_cmpint (packets[i].marker, ==, k == 0);
      g_assert_cmpuint (packets[i].payload[1], ==, (k >= 4 ? 0x80 : 0) | 10);
      g_assert_cmpuint (ticks (&packets[i]), ==, MIN (k + 1, 5) * 160);
      g_assert_cmpuint (packets[i].timestamp, ==, packets[i < 7 ? 0 : 7].timestamp);
    }
  /* At least 50 ms between the end of one and the beginning of the next. */
  g_assert_cmpuint (packets[7].timestamp - packets[0].timestamp, >=, (100 + DTMF_PAUSE_MS) * 8);
  g_assert_cmpuint (packets[7].timestamp - packets[0].timestamp, <=, (100 + DTMF_PAUSE_MS + 40) * 8);
}

static void
test_sender_limits (void)
{
  DtmfSender sender = { 0 };
  Packet packets[200];
  guint n;
  char many[DTMF_MAX_QUEUE + 1];

  g_assert_false (dtmf_sender_queue (&sender, "12x", 100));
  g_assert_cmpuint (run_sender (&sender, 20, 8000, 5, packets), ==, 0);
  memset (many, '1', DTMF_MAX_QUEUE);
  many[DTMF_MAX_QUEUE] = 0;
  g_assert_true (dtmf_sender_queue (&sender, many, 40));
  g_assert_false (dtmf_sender_queue (&sender, "1", 40));

  /* The duration field is 16 bits: at 48 kHz no event is longer than 1.365 s. */
  sender = (DtmfSender) { 0 };
  g_assert_true (dtmf_sender_queue (&sender, "*", 5000));
  n = run_sender (&sender, 20, 48000, 150, packets);
  g_assert_cmpuint (ticks (&packets[n - 1]), ==, 1365 * 48);

  /* A break drops the digit under way and keeps those behind it. */
  sender = (DtmfSender) { 0 };
  g_assert_true (dtmf_sender_queue (&sender, "12", 100));
  run_sender (&sender, 20, 8000, 2, packets);
  dtmf_sender_break (&sender);
  n = run_sender (&sender, 20, 8000, 40, packets);
  g_assert_cmpuint (n, ==, 7);
  g_assert_cmpuint (packets[0].payload[0], ==, 2);
}

static void
check_digits (DtmfReceiver *receiver, const char *digits, guint ms)
{
  char digit;
  guint got;

  for (; *digits; digits++)
    {
      g_assert_true (dtmf_receiver_take (receiver, &digit, &got));
      g_assert_cmpint (digit, ==, *digits);
      if (ms)
        g_assert_cmpuint (got, ==, ms);
    }
  g_assert_false (dtmf_receiver_take (receiver, &digit, &got));
}

static void
feed (DtmfReceiver *receiver, const Packet *packet)
{
  dtmf_receiver_packet (receiver, packet->payload, DTMF_PAYLOAD, packet->timestamp, 8000, packet->at);
}

static void
test_receiver (void)
{
  DtmfSender sender = { 0 };
  DtmfReceiver receiver = { 0 };
  Packet packets[64];
  guint n;

  g_assert_true (dtmf_sender_queue (&sender, "0#5", 100));
  n = run_sender (&sender, 20, 8000, 60, packets);
  g_assert_cmpuint (n, ==, 21);
  for (guint i = 0; i < n; i++)
    feed (&receiver, &packets[i]);
  check_digits (&receiver, "0#5", 100);

  /* Stragglers and copies of what is done. */
  for (guint i = 0; i < n; i++)
    feed (&receiver, &packets[i]);
  check_digits (&receiver, "", 0);

  /* Only one of each event's end packets arrives. */
  receiver = (DtmfReceiver) { 0 };
  for (guint i = 6; i < n; i += 7)
    feed (&receiver, &packets[i]);
  check_digits (&receiver, "0#5", 100);

  /* No end at all: the next event completes the first, silence the last; what was heard counts. */
  receiver = (DtmfReceiver) { 0 };
  for (guint i = 0; i < n; i++)
    if (i % 7 < 3)
      feed (&receiver, &packets[i]);
  dtmf_receiver_poll (&receiver, packets[16].at + DTMF_TIMEOUT_US);
  check_digits (&receiver, "0#", 60);
  dtmf_receiver_poll (&receiver, packets[16].at + DTMF_TIMEOUT_US + 1);
  check_digits (&receiver, "5", 60);
  feed (&receiver, &packets[17]);       /* its end comes after all: not again */
  check_digits (&receiver, "", 0);

  /* Reordered reports. */
  receiver = (DtmfReceiver) { 0 };
  for (guint i = 0; i < 7; i++)
    {
      static const guint order[] = { 1, 0, 3, 2, 5, 4, 6 };
      feed (&receiver, &packets[order[i]]);
    }
  check_digits (&receiver, "0", 100);
}

static void
test_receiver_segments (void)
{
  DtmfReceiver receiver = { 0 };
  const guint8 first[] = { 1, 10, 0xff, 0xff }, second[] = { 1, 10, 0x10, 0 }, end[] = { 1, 0x8a, 0x20, 0 };

  dtmf_receiver_packet (&receiver, first, 4, 1000, 8000, 0);
  dtmf_receiver_packet (&receiver, second, 4, 1000 + 0xffff, 8000, 20000);
  dtmf_receiver_packet (&receiver, end, 4, 1000 + 0xffff, 8000, 40000);
  check_digits (&receiver, "1", (0xffff + 0x2000) / 8);
}

static void
test_receiver_hostile (void)
{
  DtmfReceiver receiver = { 0 };
  SignalRandom random = { 3 };
  guint8 payload[8];
  char digit;
  guint ms, taken = 0;

  for (guint i = 0; i < 100000; i++)
    {
      for (guint k = 0; k < sizeof payload; k++)
        payload[k] = (guint8) signal_random (&random);
      payload[0] &= 0x1f;
      dtmf_receiver_packet (&receiver, payload, signal_random (&random) % 9, signal_random (&random), 8000, i * 1000);
      if (i % 100 == 0)
        while (dtmf_receiver_take (&receiver, &digit, &ms))
          {
            g_assert_cmpint (dtmf_code (digit), >=, 0);
            taken++;
          }
    }
  g_assert_cmpuint (taken, >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dtmf/sender", test_sender);
  g_test_add_func ("/dtmf/sender-limits", test_sender_limits);
  g_test_add_func ("/dtmf/receiver", test_receiver);
  g_test_add_func ("/dtmf/receiver-segments", test_receiver_segments);
  g_test_add_func ("/dtmf/receiver-hostile", test_receiver_hostile);
  return g_test_run ();
}
