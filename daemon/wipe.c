/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory is wiped when it is given back.
 *
 * The keys of a call travel as text in SIP messages (RFC 4568), passwords become digests, and what people write to each other passes through
 * too. Our own code wipes what it knows to be secret, but the messages belong to sofia-sip: receive buffers, parsed copies, requests that are
 * kept for a second challenge, and none of it is ours to wipe at the right time. The one place that all of it passes is free (), so this
 * program defines it, and the dynamic linker gives it to every library (how: see sip/ua-clock.c). realloc () comes along, as it frees where a
 * block has to move. glibc's own M_PERTURB would not do: blocks that go to the thread's cache, the small ones, are left as they are.
 *
 * It costs a memset of each block, in cache as it was just in use. Blocks over LIMIT are no messages (those end at 64 kB) but audio
 * files and the like, and most have pages of their own that the kernel takes back.
 *
 * The sanitizers and valgrind have an allocator of their own, and get it. */

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__ && defined __GLIBC__

#define LIMIT (256 * 1024)
#define EXPORT __attribute__ ((visibility ("default"), used))

/* glibc exports its own under these names for whoever stands in front of it. */
extern void __libc_free (void *block);
extern void *__libc_realloc (void *block, size_t size);

EXPORT void
free (void *block)
{
  size_t size = block != NULL ? malloc_usable_size (block) : 0;

  if (size > 0 && size <= LIMIT)
    explicit_bzero (block, size);
  __libc_free (block);
}

EXPORT void *
realloc (void *block, size_t size)
{
  size_t old = block != NULL ? malloc_usable_size (block) : 0;
  void *moved;

  if (old == 0 || old > LIMIT)
    return __libc_realloc (block, size);
  if (size == 0)
    {
      free (block);
      return NULL;
    }
  if (size <= old)
    {
      explicit_bzero ((char *) block + size, old - size);
      return __libc_realloc (block, size);
    }
  moved = malloc (size);
  if (moved == NULL)
    return NULL;
  memcpy (moved, block, old);
  free (block);
  return moved;
}

#endif
