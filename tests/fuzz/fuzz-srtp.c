/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Octet 0 picks the suite (low bits) and options: 0x08 RTCP, 0x10 MKI, 0x20 a next key is waiting, 0x40 the packet is first made a valid one
 * and the input is XORed over it, so that the fuzzer gets past authentication at the offsets that it leaves alone. */

#include <string.h>

#include "media/media-srtp.h"

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);

static PhoneSrtpKey
make_key (guint8 options, guint8 seed)
{
  PhoneSrtpKey key = { .tag = 1, .suite = (options & 7) % phone_srtp_suite_n_values };
  memset (key.key, seed, sizeof key.key);
  if (options & 0x10)
    {
      key.mki_length = 3;
      key.mki = seed;
    }
  return key;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  union
  {
    guint32 align;
    guint8 octets[MEDIA_SRTP_MAX_PACKET + MEDIA_SRTP_TRAILER];
  } packet = { 0 };

  if (size < 1 || size - 1 > MEDIA_SRTP_MAX_PACKET)
    return 0;
  guint8 options = data[0];
  gboolean rtcp = (options & 0x08) != 0;
  gsize length = --size;
  data++;

  g_autoptr (MediaSrtp) srtp = media_srtp_new ();
  PhoneSrtpKey key = make_key (options, 1), next = make_key (options + 1, 2);
  if (!media_srtp_set_receive_key (srtp, &key, NULL) || !media_srtp_set_send_key (srtp, &key, FALSE, NULL))
    g_abort ();
  if ((options & 0x20) && !media_srtp_set_receive_key (srtp, &next, NULL))
    g_abort ();

  if (options & 0x40)
    {
      static const guint8 rtp_header[16] = { 0x80, 96, 0, 1, [11] = 5 };
      static const guint8 rtcp_header[16] = { 0x80, 201, 0, 1, 0, 0, 0, 5, 0x81, 203, 0, 1, 0, 0, 0, 5 };
      length = 16;
      memcpy (packet.octets, rtcp ? rtcp_header : rtp_header, length);
      MediaSrtpResult made = rtcp ? media_srtp_protect_rtcp (srtp, packet.octets, &length, sizeof packet.octets)
                                  : media_srtp_protect_rtp (srtp, packet.octets, &length, sizeof packet.octets);
      if (made != MEDIA_SRTP_OK)
        g_abort ();
      for (gsize i = 0; i < size && i < length; i++)
        packet.octets[i] ^= data[i];
    }
  else
    memcpy (packet.octets, data, length);

  gsize before = length;
  MediaSrtpResult result = rtcp ? media_srtp_unprotect_rtcp (srtp, packet.octets, &length, 1)
                                : media_srtp_unprotect_rtp (srtp, packet.octets, &length, 1);
  if (result == MEDIA_SRTP_OK && length >= before)
    g_abort ();
  return 0;
}
