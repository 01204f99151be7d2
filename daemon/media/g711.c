/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/g711.h"

/* Both laws: a sign, three bits of segment, four bits of step. The u-law works on 14 bits with a bias of 33 and sends the complement
 * (table 2a); the A-law on 13 bits and inverts every other bit (table 1a). Linear values here are scaled to 16 bits: 4 times the
 * 14-bit, 8 times the 13-bit number. */

#define ULAW_BIAS 33
#define ULAW_CLIP 8158

guint8
g711_ulaw_encode (gint16 linear)
{
  int value = linear >> 2, sign = 0;
  int segment;

  if (value < 0)
    {
      value = -1 - value;       /* the decision thresholds lie symmetric about minus one half */
      sign = 0x80;
    }
  value = MIN (value, ULAW_CLIP) + ULAW_BIAS;
  segment = g_bit_storage ((gulong) value) - 6;
  return (guint8) ~(sign | segment << 4 | ((value >> (segment + 1)) & 0x0f));
}

gint16
g711_ulaw_decode (guint8 code)
{
  int bits = (guint8) ~code, segment = bits >> 4 & 7;
  int value = ((((bits & 0x0f) << 1) + ULAW_BIAS) << segment) - ULAW_BIAS;

  return (gint16) ((bits & 0x80 ? -value : value) * 4);
}

guint8
g711_alaw_encode (gint16 linear)
{
  int value = linear >> 3, sign = 0x80;
  int segment;

  if (value < 0)
    {
      value = -1 - value;
      sign = 0;
    }
  segment = value < 32 ? 0 : g_bit_storage ((gulong) value) - 5;
  return (guint8) ((sign | segment << 4 | (value >> (segment ? segment : 1) & 0x0f)) ^ 0x55);
}

gint16
g711_alaw_decode (guint8 code)
{
  int bits = code ^ 0x55, segment = bits >> 4 & 7;
  int value = (bits & 0x0f) * 2 + 1;

  if (segment > 0)
    value = (value + 32) << (segment - 1);
  return (gint16) ((bits & 0x80 ? value : -value) * 8);
}
