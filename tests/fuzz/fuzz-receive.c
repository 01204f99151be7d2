/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whole RTP packets, of any content, into the receiver: header, payload types, all decoders, events, comfort noise, concealment and
 * stretching. Records of: flags, length, then that many octets of payload; the header comes from the flags, or (flag 0x80) from the
 * data. */
#include <stdint.h>
#include <string.h>
#include "media/playout-stream.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint8 types[] = { 96, 9, 0, 8, 13, 101, 102, 77 };
  PhoneMediaPlan plan = { .receive_dtmf_8000 = 101, .receive_dtmf_48000 = 102, .receive_red = 77, .n_receive = 4,
    .receive = { { .id = PHONE_CODEC_OPUS, .payload_type = 96 }, { .id = PHONE_CODEC_G722, .payload_type = 9 },
                 { .id = PHONE_CODEC_PCMU, .payload_type = 0 }, { .id = PHONE_CODEC_PCMA, .payload_type = 8 } } };
  PlayoutFormat formats[128];
  PlayoutStream *stream = playout_stream_new ();
  gint16 frame[MEDIA_FRAME];
  gint64 now = 1000000;
  guint16 seq = 65500;
  guint32 timestamp = 0xffff0000;
  char digit;
  guint ms;

  playout_formats_from_plan (formats, &plan);
  playout_stream_set_formats (stream, formats);
  for (guint step = 0; size >= 2 && step < 300; step++)
    {
      guint flags = data[0];
      size_t length = MIN (data[1], size - 2);
      guint8 packet[12 + 255];

      data += 2;
      size -= 2;
      memcpy (packet + 12, data, length);
      if (flags & 0x80)
        playout_stream_insert (stream, data, length, now);
      else
        {
          seq = (guint16) (seq + 1 + ((flags & 8) ? 1 : 0));
          timestamp += 960;
          packet[0] = 0x80;
          packet[1] = types[flags & 7];
          packet[2] = (guint8) (seq >> 8);
          packet[3] = (guint8) seq;
          for (guint i = 0; i < 4; i++)
            packet[4 + i] = (guint8) (timestamp >> (24 - 8 * i));
          memset (packet + 8, 0, 4);
          playout_stream_insert (stream, packet, 12 + length, now);
        }
      data += length;
      size -= length;
      for (guint i = 0; i < (flags >> 4 & 7); i++, now += 10000)
        playout_stream_pull (stream, frame, now);
      while (playout_stream_take_digit (stream, &digit, &ms))
        ;
    }
  playout_stream_free (stream);
  return 0;
}
