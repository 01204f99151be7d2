/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Arbitrary packets at arbitrary times into the playout kernel, under the checks of playout-check. Each step is five octets: what,
 * sequence number, timestamp, time, size. */
#include <stdint.h>
#include "playout-check.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint durations[] = { 120, 480, 960, 960, 960, 1920, 2880, 5760 };
  Check check;
  PlayoutPacket packet = { .ssrc = 1, .seq = 65000, .timestamp = 0xfffff000, .clock_rate = 48000, .duration = 960 };
  gint64 now = 1000000;

  if (size < 2)
    return 0;
  check_init (&check, data[0] & 0x3f, data[1] * 4u, FALSE);
  data += 2;
  size -= 2;
  for (guint step = 0; size >= 5 && step < 4000; step++, data += 5, size -= 5)
    {
      guint what = data[0];

      now += (gint64) data[3] * ((what & 0x80) ? 4000 : 200);
      if (what & 1)
        {
          /* Mostly the next packet; sometimes a neighbour, sometimes anywhere. */
          packet.seq = (guint16) (packet.seq + 1 + ((what & 2) ? (gint8) data[1] : 0) * ((what & 0x40) ? 257 : 1));
          packet.timestamp += packet.duration + ((what & 4) ? (guint32) ((gint8) data[2] * ((what & 0x40) ? 9973 : 160)) : 0);
          packet.duration = durations[data[4] & 7];
          packet.clock_rate = (data[4] & 0x18) == 0x18 ? 8000 : 48000;
          packet.fec = (data[4] & 0x20) != 0;
          packet.kind = (what & 0x38) == 0x38 ? (PlayoutKind) (data[4] >> 6) : PLAYOUT_SPEECH;
          if (packet.kind == PLAYOUT_NOISE || packet.kind == PLAYOUT_EVENT)
            packet.duration = 0;
          packet.ssrc = (what & 0x3a) == 0x2a ? data[1] & 3 : packet.ssrc;
          packet.arrival = now - ((what & 0x10) ? data[3] * 500 : 0);
          check_insert (&check, &packet);
          if (packet.duration == 0)
            packet.duration = 960;
        }
      else
        for (guint i = 0; i <= (guint) (data[1] & 3); i++)
          {
            check_tick (&check, now, (what & 2) != 0, (what & 4) != 0);
            now += 10000;
          }
    }
  check_clear (&check);
  return 0;
}
