/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/wav-ogg.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static gboolean
count (gpointer data, gconstpointer octets, gsize length, GError **error)
{
  *(gsize *) data += length;
  return TRUE;
}

/* However it is cut into pieces, the same comes out. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  gsize whole = 0, pieces = 0, at = 0;
  g_autoptr (MediaWavOgg) one = media_wav_ogg_new (count, &whole);
  g_autoptr (MediaWavOgg) other = media_wav_ogg_new (count, &pieces);
  gboolean fine = media_wav_ogg_add (one, data, size, NULL) && media_wav_ogg_finish (one, NULL), still = TRUE;

  for (gsize n = 1; still && at < size; at += n, n = n % 97 + 1)
    {
      n = MIN (n, size - at);
      still = media_wav_ogg_add (other, data + at, n, NULL);
    }
  still = still && media_wav_ogg_finish (other, NULL);
  g_assert (fine == still && whole == pieces);
  return 0;
}
