/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Numbers in network byte order, wherever they stand in a packet. The caller has checked that they are within it. */

#include <glib.h>

static inline guint
media_read16 (const guint8 *p)
{
  return (guint) p[0] << 8 | p[1];
}

static inline guint32
media_read32 (const guint8 *p)
{
  return (guint32) media_read16 (p) << 16 | media_read16 (p + 2);
}

static inline void
media_write16 (guint8 *p, guint value)
{
  p[0] = (guint8) (value >> 8);
  p[1] = (guint8) value;
}

static inline void
media_write32 (guint8 *p, guint32 value)
{
  media_write16 (p, value >> 16);
  media_write16 (p + 2, value & 0xffff);
}
