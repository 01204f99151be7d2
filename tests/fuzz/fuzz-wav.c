/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-wav.h"

#include <stdint.h>
#include <string.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

typedef struct { const uint8_t *octets; size_t length; } Memory;

static gssize
read_memory (gpointer data, guint64 offset, void *ret_octets, gsize n)
{
  Memory *memory = data;

  if (offset >= memory->length)
    return 0;
  n = MIN (n, memory->length - offset);
  memcpy (ret_octets, memory->octets + offset, n);
  return n;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  Memory memory = { data, size };
  MediaWavInfo info;

  if (!media_wav_parse (read_memory, &memory, size, &info, NULL))
    return 0;
  g_assert (info.frames > 0 && info.channels > 0 && info.channels <= MEDIA_WAV_MAX_CHANNELS);
  g_assert (info.data_offset + info.frames * info.frame_size <= size);
  for (guint64 done = 0; done < info.frames;)
    {
      float mono[256];
      guint n = MIN (G_N_ELEMENTS (mono), info.frames - done);

      media_wav_convert (&info, data + info.data_offset + done * info.frame_size, n, mono);
      for (guint i = 0; i < n; i++)
        g_assert (mono[i] >= -1 && mono[i] <= 1);
      done += n;
    }
  return 0;
}
