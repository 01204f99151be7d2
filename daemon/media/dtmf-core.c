/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/dtmf-core.h"

#include <string.h>

/* Payload (RFC 4733 section 2.3): event, E and R bits and volume, duration in ticks of the RTP clock, all since the timestamp of the
 * packet, which is that of the event's beginning. Updates carry the duration so far; the last goes out three times.
 *
 * A receiver tells events apart by timestamp alone: sequence numbers do not help, since reports repeat and get lost. */

#define VOLUME 10               /* -10 dBm0, as RFC 4733 section 2.3.3 puts it without the sign */
#define END_COPIES 3
#define STALE_SECONDS 5         /* an older timestamp than that is a new time base and not a late packet */

static const char digits_in_order[] = "0123456789*#ABCD";

int
dtmf_code (char digit)
{
  const char *found = digit ? strchr (digits_in_order, g_ascii_toupper (digit)) : NULL;

  return found ? (int) (found - digits_in_order) : -1;
}

char
dtmf_digit (guint code)
{
  return code < 16 ? digits_in_order[code] : 0;
}

gboolean
dtmf_sender_queue (DtmfSender *sender, const char *digits, guint ms)
{
  gsize n = strlen (digits);

  if (n > DTMF_MAX_QUEUE - sender->count)
    return FALSE;
  for (gsize i = 0; i < n; i++)
    if (dtmf_code (digits[i]) < 0)
      return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      guint at = (sender->first + sender->count++) % DTMF_MAX_QUEUE;

      sender->queue[at].code = (guint8) dtmf_code (digits[i]);
      sender->queue[at].ms = (guint16) CLAMP (ms, DTMF_MIN_MS, G_MAXUINT16);
    }
  return TRUE;
}

static void
next_in_queue (DtmfSender *sender)
{
  sender->active = FALSE;
  sender->first = (sender->first + 1) % DTMF_MAX_QUEUE;
  sender->count--;
}

gboolean
dtmf_sender_step (DtmfSender *sender, guint ms, guint32 timestamp, guint clock_rate, guint8 ret_payload[DTMF_PAYLOAD],
                  guint32 *ret_timestamp, gboolean *ret_marker)
{
  guint length, ticks;
  gboolean end;

  if (!sender->active)
    {
      if (sender->pause > 0)
        {
          sender->pause -= MIN (ms, sender->pause);
          return FALSE;
        }
      if (sender->count == 0)
        return FALSE;
      sender->active = TRUE;
      sender->timestamp = timestamp;
      sender->elapsed = sender->ends_sent = 0;
    }

  length = MIN (sender->queue[sender->first].ms, G_MAXUINT16 / (clock_rate / 1000));
  *ret_marker = sender->elapsed == 0;
  *ret_timestamp = sender->timestamp;
  sender->elapsed += ms;
  end = sender->elapsed >= length;
  ticks = MIN (sender->elapsed, length) * (clock_rate / 1000);
  ret_payload[0] = sender->queue[sender->first].code;
  ret_payload[1] = (guint8) ((end ? 0x80 : 0) | VOLUME);
  ret_payload[2] = (guint8) (ticks >> 8);
  ret_payload[3] = (guint8) ticks;

  if (end && ++sender->ends_sent == END_COPIES)
    {
      guint over = sender->elapsed - length;    /* the copies took time already */

      sender->pause = over < DTMF_PAUSE_MS ? DTMF_PAUSE_MS - over : 0;
      next_in_queue (sender);
    }
  return TRUE;
}

void
dtmf_sender_break (DtmfSender *sender)
{
  if (!sender->active)
    return;
  sender->pause = DTMF_PAUSE_MS;
  next_in_queue (sender);
}

static void
complete (DtmfReceiver *receiver)
{
  guint ticks = receiver->segment - receiver->start + receiver->duration;

  receiver->active = FALSE;
  receiver->any_done = TRUE;
  receiver->done = receiver->segment;
  if (receiver->n_ready == DTMF_MAX_DONE || ticks == 0)
    return;
  receiver->ready[receiver->n_ready].digit = dtmf_digit (receiver->code);
  receiver->ready[receiver->n_ready++].ms = (guint) ((guint64) ticks * 1000 / receiver->clock_rate);
}

void
dtmf_receiver_packet (DtmfReceiver *receiver, const guint8 *payload, gsize length, guint32 timestamp, guint clock_rate, gint64 now)
{
  guint8 code;
  gboolean end;
  guint duration;

  if (length < DTMF_PAYLOAD || clock_rate < 1000 || dtmf_digit (payload[0]) == 0)
    return;
  code = payload[0];
  end = (payload[1] & 0x80) != 0;
  duration = (guint) payload[2] << 8 | payload[3];

  if (receiver->any_done)
    {
      gint32 ahead = (gint32) (timestamp - receiver->done);

      if (ahead == 0 || (ahead < 0 && ahead > -(gint32) (STALE_SECONDS * clock_rate)))
        return;                 /* a copy of the end, or a straggler */
    }
  if (receiver->active && timestamp != receiver->segment)
    {
      gint32 ahead = (gint32) (timestamp - receiver->segment);

      if (ahead < 0 && ahead > -(gint32) (STALE_SECONDS * clock_rate))
        return;
      if (code == receiver->code && timestamp == receiver->segment + receiver->duration && receiver->duration > 0xf000)
        {
          receiver->segment = timestamp;
          receiver->duration = 0;
        }
      else
        complete (receiver);    /* its end was lost and the next is here */
    }
  if (!receiver->active)
    {
      receiver->active = TRUE;
      receiver->code = code;
      receiver->start = receiver->segment = timestamp;
      receiver->duration = 0;
      receiver->clock_rate = clock_rate;
    }
  receiver->duration = MAX (receiver->duration, duration);      /* reports may be reordered */
  receiver->heard = now;
  if (end)
    complete (receiver);
}

void
dtmf_receiver_poll (DtmfReceiver *receiver, gint64 now)
{
  if (receiver->active && now - receiver->heard > DTMF_TIMEOUT_US)
    complete (receiver);
}

gboolean
dtmf_receiver_take (DtmfReceiver *receiver, char *ret_digit, guint *ret_ms)
{
  if (receiver->n_ready == 0)
    return FALSE;
  *ret_digit = receiver->ready[0].digit;
  *ret_ms = receiver->ready[0].ms;
  receiver->n_ready--;
  memmove (receiver->ready, receiver->ready + 1, receiver->n_ready * sizeof receiver->ready[0]);
  return TRUE;
}
