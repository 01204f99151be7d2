/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* RTP payload for redundant audio (RFC 2198): a packet that carries copies of earlier ones. Pure. */

#include <glib.h>

#define MEDIA_RED_MAX 4                 /* blocks that are understood, the newest among them */
#define MEDIA_RED_MAX_OFFSET 0x3fff     /* of the timestamp */
#define MEDIA_RED_MAX_LENGTH 0x3ff      /* octets of a copy */

typedef struct
{
  guint8 payload_type;
  guint offset;                         /* by which the timestamp is before the packet's; 0: the packet's own */
  const guint8 *data;                   /* borrowed */
  gsize length;
} MediaRedBlock;

/* Blocks of a payload, oldest first, the packet's own last. Returns how many; 0: malformed, or more than MEDIA_RED_MAX. Empty copies, which keep
 * the place of what was not sent, are left out. */
guint media_red_parse (const guint8 *payload, gsize length, MediaRedBlock ret_blocks[MEDIA_RED_MAX]);
/* The reverse; the last block is the packet's own. Returns octets, 0: it does not fit, into capacity or into the format. */
gsize media_red_write (const MediaRedBlock *blocks, guint n, guint8 *ret_payload, gsize capacity);
