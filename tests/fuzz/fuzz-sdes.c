/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Values of a=crypto: what is taken is written back to an equal key, what is not leaves nothing behind. */

#include "sip/sdes.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const PhoneSrtpKey nothing;
  PhoneSrtpKey key, back;
  const char *why;
  GString *text;

  if (!ua_sdes_parse ((UaSlice) { (const char *) data, size }, &key, &why))
    {
      g_assert (why != NULL);
      g_assert (memcmp (&key, &nothing, sizeof key) == 0);
      return 0;
    }
  g_assert (key.tag >= 1 && key.tag <= 999999999);
  g_assert (key.lifetime <= G_GUINT64_CONSTANT (1) << 48);
  g_assert (key.mki_length <= 128);
  text = g_string_new (NULL);
  ua_sdes_format (&key, text);
  g_assert (text->len <= UA_SDES_MAX_TEXT);
  g_assert (ua_sdes_parse ((UaSlice) { text->str, text->len }, &back, &why));
  g_assert (phone_srtp_key_equal (&key, &back));
  g_string_free (text, TRUE);
  return 0;
}
