/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A handshake with whoever writes to the port: an octet that chooses the role, then datagrams, each after an octet of who and when and two of
 * length. Nobody here has the certificate, so no key may ever come of it; and nothing may be answered to an address that did not speak. */

#include "media/media-handshake.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static MediaAddress
address (guint port)
{
  MediaAddress a = { 0 };

  a.v4.sin_family = AF_INET;
  a.v4.sin_addr.s_addr = htonl (0x7f000001);
  a.v4.sin_port = htons ((guint16) port);
  return a;
}

static void
drain (MediaHandshake *handshake, guint spoken)
{
  MediaHandshakeEvent event;
  MediaAddress to;
  GBytes *datagram;
  guint component;

  while (media_handshake_take_event (handshake, &event) != MEDIA_HANDSHAKE_NOTHING)
    {
      g_assert (event.type != MEDIA_HANDSHAKE_KEYS);
      g_assert (event.reason[0] != '\0');
    }
  while (media_handshake_take_output (handshake, &component, &to, &datagram))
    {
      g_assert (g_bytes_get_size (datagram) <= MEDIA_DTLS_MTU);
      g_assert (component < 2 && (spoken >> (media_address_port (&to) - 4000) & 1));
      g_bytes_unref (datagram);
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static MediaCertificate *certificate;
  static const PhoneFingerprint nobody = { .hash = PHONE_HASH_SHA256 };
  g_autoptr (MediaHandshake) handshake = NULL;
  MediaAddress named = address (4000);
  gint64 now = G_USEC_PER_SEC;
  guint spoken = 1;                     /* the address of the SDP is spoken to unasked */

  if (certificate == NULL)
    certificate = media_certificate_new (NULL);
  if (size == 0)
    return 0;
  handshake = media_handshake_new (&(MediaHandshakeParams) { .dtls = { .certificate = certificate, .client = (data[0] & 1) != 0,
                                                                       .n_fingerprints = 1, .fingerprints = &nobody },
                                                             .n_components = 1 + (data[0] >> 1 & 1) },
                                   NULL);
  g_assert (handshake != NULL);
  for (guint i = 0; i < 2; i++)
    media_handshake_set_ready (handshake, i, &named, now);
  drain (handshake, spoken);
  data++;
  size--;
  for (guint turn = 0; turn < 64 && size >= 3; turn++)
    {
      guint how = data[0];
      gsize length = MIN ((gsize) (data[1] << 8 | data[2]), size - 3);
      g_autofree guint8 *copy = g_malloc (length + (length == 0));      /* so that reading past its end is seen */
      MediaAddress from = address (4000 + (how & 3));

      if (length > 0)
        memcpy (copy, data + 3, length);
      spoken |= 1u << (how & 3);
      now += (how >> 2 & 15) * G_USEC_PER_SEC / 2;
      media_handshake_receive (handshake, how >> 6 & 1, &from, copy, length, now);
      media_handshake_tick (handshake, now);
      drain (handshake, spoken);
      data += 3 + length;
      size -= 3 + length;
    }
  media_handshake_close (handshake);
  drain (handshake, spoken);
  return 0;
}
