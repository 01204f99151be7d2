/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* RFC 8888 section 3.1, for each stream:
 *
 *     SSRC | begin_seq | num_reports | R ECN ATO, R ECN ATO, ... | (padding)          and behind the last: report timestamp
 *
 * ATO: 1/1024 s before the report timestamp, 0x1ffe: more than fits, 0x1fff: unknown.
 *
 * Transport-wide feedback:
 *
 *     SSRC | base seq | count | reference time (64 ms) | report number | chunks of what became of each packet | times since the one before (0.25 ms)
 *
 * A chunk is a run of one symbol (13 bits of length), 14 symbols of one bit, or 7 of two. */

#include "media/media-feedback.h"

#include <string.h>

#include "media/media-octets.h"

#define RTPFB 205
#define FMT_CCFB 11
#define FMT_TRANSPORT_CC 15
#define HEADER 8                        /* with the sender's SSRC */

#define NTP_WRAP ((gint64) 65536 * G_USEC_PER_SEC)      /* of the middle 32 bits of a NTP timestamp */
#define ATO_OVER 0x1ffe
#define ATO_UNKNOWN 0x1fff

#define REFERENCE ((gint64) 64000)      /* us */
#define REFERENCE_WRAP (((gint64) 1 << 24) * REFERENCE)
#define TICK 250                        /* us */
#define RUN_WORTH_IT 7                  /* symbols of a vector of two bits */
#define RUN_MAX 0x1fff

enum
{
  SYMBOL_LOST,
  SYMBOL_SMALL,
  SYMBOL_LARGE,
  SYMBOL_UNTIMED,
};

/* ---- RFC 8888 ---- */

/* FALSE: malformed. Other streams than ours are passed over. */
static gboolean
parse_ccfb (const guint8 *p, gsize length, guint32 ssrc, MediaFeedback *ret)
{
  gsize at = HEADER, end = length - 4;
  gint64 reported;

  if (length < HEADER + 4)
    return FALSE;
  reported = (gint64) media_read32 (p + end) * G_USEC_PER_SEC / 65536;
  ret->n = 0;
  while (end - at >= 8)
    {
      guint32 stream = media_read32 (p + at);
      guint16 begin = (guint16) media_read16 (p + at + 4);
      guint n = media_read16 (p + at + 6);
      gsize octets = (2 * (gsize) n + 3) / 4 * 4;

      at += 8;
      if (octets > end - at)
        return FALSE;
      for (guint i = 0; stream == ssrc && i < n && ret->n < MEDIA_FEEDBACK_MAX; i++)
        {
          guint block = media_read16 (p + at + 2 * (gsize) i), offset = block & 0x1fff;

          ret->items[ret->n++] = (MediaFeedbackItem) {
            .seq = (guint16) (begin + i),
            .received = (block & 0x8000) != 0,
            .timed = (block & 0x8000) != 0 && offset < ATO_OVER,
            .arrival = (reported - (gint64) offset * G_USEC_PER_SEC / 1024 + NTP_WRAP) % NTP_WRAP,
          };
        }
      at += octets;
    }
  ret->kind = MEDIA_FEEDBACK_CCFB;
  ret->wrap = NTP_WRAP;
  return at == end && ret->n > 0;
}

static gsize
write_ccfb (guint32 ssrc, const MediaFeedbackItem *items, guint n, gint64 now, guint8 *p, gsize capacity)
{
  gsize blocks = (2 * (gsize) n + 3) / 4 * 4, length = HEADER + 8 + blocks + 4;

  if (length > capacity)
    return 0;
  memset (p + HEADER, 0, length - HEADER);
  media_write32 (p + HEADER, ssrc);
  media_write16 (p + HEADER + 4, items[0].seq);
  media_write16 (p + HEADER + 6, n);
  for (guint i = 0; i < n; i++)
    {
      gint64 offset = (now - items[i].arrival) * 1024 / G_USEC_PER_SEC;

      if (items[i].received)
        media_write16 (p + HEADER + 8 + 2 * (gsize) i, 0x8000 | (guint) CLAMP (offset, 0, ATO_OVER));
    }
  media_write32 (p + length - 4, (guint32) (now % NTP_WRAP * 65536 / G_USEC_PER_SEC));
  return length;
}

/* ---- transport-wide ---- */

static guint
symbol_of_chunk (guint chunk, guint i)
{
  if ((chunk & 0x8000) == 0)
    return chunk >> 13 & 3;
  if ((chunk & 0x4000) == 0)
    return chunk >> (13 - i) & 1;
  return chunk >> (12 - 2 * i) & 3;
}

static guint
symbols_in_chunk (guint chunk)
{
  return (chunk & 0x8000) == 0 ? chunk & RUN_MAX : (chunk & 0x4000) == 0 ? 14 : 7;
}

static gboolean
parse_transport_cc (const guint8 *p, gsize length, MediaFeedback *ret)
{
  guint8 symbols[MEDIA_FEEDBACK_MAX];
  gsize at = HEADER + 12;
  guint16 base;
  guint count, n = 0;
  gint64 arrival;

  if (length < at)
    return FALSE;
  base = (guint16) media_read16 (p + HEADER + 4);
  count = media_read16 (p + HEADER + 6);
  arrival = (gint64) (media_read32 (p + HEADER + 8) >> 8) * REFERENCE;
  if (count == 0 || count > MEDIA_FEEDBACK_MAX)
    return FALSE;
  while (n < count)
    {
      guint chunk, in_chunk;

      if (length - at < 2)
        return FALSE;
      chunk = media_read16 (p + at);
      at += 2;
      in_chunk = symbols_in_chunk (chunk);
      if (in_chunk == 0)
        return FALSE;
      for (guint i = 0; i < in_chunk && n < count; i++)
        symbols[n++] = (guint8) symbol_of_chunk (chunk, i);
    }
  for (guint i = 0; i < count; i++)
    {
      gsize octets = symbols[i] == SYMBOL_SMALL ? 1 : symbols[i] == SYMBOL_LARGE ? 2 : 0;

      if (octets > length - at)
        return FALSE;
      if (octets > 0)
        arrival += TICK * (gint64) (octets == 1 ? p[at] : (gint16) media_read16 (p + at));
      at += octets;
      ret->items[i] = (MediaFeedbackItem) { .seq = (guint16) (base + i), .received = symbols[i] != SYMBOL_LOST, .timed = octets > 0,
                                            .arrival = (arrival % REFERENCE_WRAP + REFERENCE_WRAP) % REFERENCE_WRAP };
    }
  ret->kind = MEDIA_FEEDBACK_TRANSPORT_CC;
  ret->wrap = REFERENCE_WRAP;
  ret->n = count;
  return TRUE;
}

/* What became of each packet, and the time since the one before in ticks. FALSE: a time is too long for the format. */
static gboolean
make_symbols (const MediaFeedbackItem *items, guint n, gint64 reference, guint8 *ret_symbols, gint *ret_deltas)
{
  gint64 last = reference;

  for (guint i = 0; i < n; i++)
    {
      gint64 delta = items[i].received ? (items[i].arrival - last) / TICK : 0;

      if (delta < G_MININT16 || delta > G_MAXINT16)
        return FALSE;
      ret_deltas[i] = (gint) delta;
      ret_symbols[i] = !items[i].received ? SYMBOL_LOST : delta >= 0 && delta <= G_MAXUINT8 ? SYMBOL_SMALL : SYMBOL_LARGE;
      last += delta * TICK;
    }
  return TRUE;
}

static gsize
write_chunks (const guint8 *symbols, guint n, guint8 *p)
{
  gsize at = 0;

  for (guint i = 0; i < n; at += 2)
    {
      guint run = 1, chunk = 0xc000;

      while (i + run < n && run < RUN_MAX && symbols[i + run] == symbols[i])
        run++;
      if (run >= RUN_WORTH_IT || i + run == n)
        {
          media_write16 (p + at, (guint) symbols[i] << 13 | run);
          i += run;
          continue;
        }
      for (guint j = 0; j < RUN_WORTH_IT && i < n; j++, i++)
        chunk |= (guint) symbols[i] << (12 - 2 * j);
      media_write16 (p + at, chunk);
    }
  return at;
}

static gsize
write_transport_cc (guint32 ssrc, const MediaFeedbackItem *items, guint n, guint8 count, guint8 *p, gsize capacity)
{
  guint8 symbols[MEDIA_FEEDBACK_MAX];
  gint deltas[MEDIA_FEEDBACK_MAX];
  gint64 reference = 0;
  gsize at = HEADER + 12;

  for (guint i = n; i-- > 0;)
    if (items[i].received)
      reference = items[i].arrival / REFERENCE;
  /* A chunk holds one symbol at the least. */
  if (capacity < at + 4 * (gsize) n + 3 || !make_symbols (items, n, reference * REFERENCE, symbols, deltas))
    return 0;
  media_write32 (p + HEADER, ssrc);
  media_write16 (p + HEADER + 4, items[0].seq);
  media_write16 (p + HEADER + 6, n);
  media_write32 (p + HEADER + 8, (guint32) (reference & 0xffffff) << 8 | count);
  at += write_chunks (symbols, n, p + at);
  for (guint i = 0; i < n; i++)
    if (symbols[i] == SYMBOL_SMALL)
      p[at++] = (guint8) deltas[i];
    else if (symbols[i] == SYMBOL_LARGE)
      {
        media_write16 (p + at, (guint) deltas[i] & 0xffff);
        at += 2;
      }
  while (at % 4 != 0)
    p[at++] = 0;
  return at;
}

/* ---- both ---- */

static gboolean
parse_one (const guint8 *p, gsize length, guint32 ssrc, MediaFeedback *ret)
{
  guint format = p[0] & 0x1f;

  if (p[0] & 0x20)
    {
      guint padding = p[length - 1];

      if (padding == 0 || padding > length - HEADER)
        return FALSE;
      length -= padding;
    }
  return format == FMT_CCFB ? length % 4 == 0 && parse_ccfb (p, length, ssrc, ret)
                            : format == FMT_TRANSPORT_CC && parse_transport_cc (p, length, ret);
}

gboolean
media_feedback_parse (const guint8 *packet, gsize length, guint32 ssrc, MediaFeedback *ret)
{
  gsize at = 0;

  while (length - at >= HEADER && packet[at] >> 6 == 2)
    {
      gsize octets = 4 * ((gsize) media_read16 (packet + at + 2) + 1);

      if (octets > length - at)
        break;
      if (packet[at + 1] == RTPFB && octets > HEADER && parse_one (packet + at, octets, ssrc, ret))
        return TRUE;
      at += octets;
    }
  ret->kind = MEDIA_FEEDBACK_NONE;
  ret->n = 0;
  return FALSE;
}

gsize
media_feedback_write (MediaFeedbackKind kind, guint32 sender, guint32 ssrc, const MediaFeedbackItem *items, guint n, gint64 now, guint8 count,
                      guint8 *ret_packet, gsize capacity)
{
  gsize length = 0;

  if (n == 0 || n > MEDIA_FEEDBACK_MAX || capacity < HEADER)
    return 0;
  switch (kind)
    {
    case MEDIA_FEEDBACK_NONE:
      return 0;
    case MEDIA_FEEDBACK_CCFB:
      length = write_ccfb (ssrc, items, n, now, ret_packet, capacity);
      break;
    case MEDIA_FEEDBACK_TRANSPORT_CC:
      length = write_transport_cc (ssrc, items, n, count, ret_packet, capacity);
      break;
    }
  if (length == 0)
    return 0;
  ret_packet[0] = 0x80 | (kind == MEDIA_FEEDBACK_CCFB ? FMT_CCFB : FMT_TRANSPORT_CC);
  ret_packet[1] = RTPFB;
  media_write16 (ret_packet + 2, (guint) (length / 4 - 1));
  media_write32 (ret_packet + 4, sender);
  return length;
}
