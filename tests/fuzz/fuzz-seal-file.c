/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store/seal-file.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

/* The same key as the seeds are sealed to. The reader never hands out more than the file can hold. */
int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const guint8 key[STORE_SEAL_PRIVATE_KEY] = "the key of a test, not of a user";
  int fd = memfd_create ("seal", MFD_CLOEXEC);
  g_autoptr (StoreSealReader) reader = NULL;
  gsize n, all = 0;

  if (write (fd, data, size) != (ssize_t) size || lseek (fd, 0, SEEK_SET) != 0)
    g_error ("no memory file");
  reader = store_seal_reader_new (fd, NULL, key, NULL);
  if (reader == NULL)
    return 0;
  while (store_seal_reader_next (reader, &n) != NULL)
    {
      g_assert (n > 0 && n <= STORE_SEAL_CHUNK);
      all += n;
    }
  g_assert (all <= size);
  g_assert (store_seal_reader_next (reader, &n) == NULL && n == 0);
  return 0;
}
