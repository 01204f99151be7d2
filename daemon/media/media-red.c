/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-red.h"

#include <string.h>

/* Section 3: four octets for each copy (F = 1, type 7, offset 14, length 10 bits), one for the packet's own (F = 0, type 7), then the data. */
#define COPY_HEADER 4

guint
media_red_parse (const guint8 *payload, gsize length, MediaRedBlock ret_blocks[MEDIA_RED_MAX])
{
  gsize at = 0, data, copies = 0;
  guint n = 0, headers = 0;

  for (; at < length && payload[at] & 0x80; at += COPY_HEADER, headers++)
    {
      if (length - at < COPY_HEADER || headers == MEDIA_RED_MAX - 1)
        return 0;
      copies += (gsize) (payload[at + 2] & 3) << 8 | payload[at + 3];
    }
  if (at >= length || length - at - 1 <= copies)        /* an own of nothing is no packet */
    return 0;
  data = at + 1;
  for (guint i = 0; i < headers; i++)
    {
      const guint8 *h = payload + i * COPY_HEADER;
      MediaRedBlock block = { .payload_type = h[0] & 0x7f, .offset = (guint) h[1] << 6 | h[2] >> 2, .data = payload + data,
                              .length = (gsize) (h[2] & 3) << 8 | h[3] };

      data += block.length;
      if (block.length > 0 && block.offset > 0)
        ret_blocks[n++] = block;
    }
  ret_blocks[n++] = (MediaRedBlock) { .payload_type = payload[at] & 0x7f, .data = payload + data, .length = length - data };
  return n;
}

gsize
media_red_write (const MediaRedBlock *blocks, guint n, guint8 *ret_payload, gsize capacity)
{
  gsize length = 1, at = 0;

  if (n == 0 || n > MEDIA_RED_MAX)
    return 0;
  for (guint i = 0; i < n; i++)
    length += blocks[i].length + (i + 1 < n ? COPY_HEADER : 0);
  if (length > capacity)
    return 0;
  for (guint i = 0; i + 1 < n; i++)
    {
      const MediaRedBlock *b = &blocks[i];

      if (b->offset > MEDIA_RED_MAX_OFFSET || b->length > MEDIA_RED_MAX_LENGTH)
        return 0;
      ret_payload[at++] = 0x80 | (b->payload_type & 0x7f);
      ret_payload[at++] = (guint8) (b->offset >> 6);
      ret_payload[at++] = (guint8) ((b->offset & 0x3f) << 2 | b->length >> 8);
      ret_payload[at++] = (guint8) (b->length & 0xff);
    }
  ret_payload[at++] = blocks[n - 1].payload_type & 0x7f;
  for (guint i = 0; i < n; i++)
    {
      memcpy (ret_payload + at, blocks[i].data, blocks[i].length);
      at += blocks[i].length;
    }
  return at;
}
