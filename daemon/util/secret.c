/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Each secret has pages of its own: locking, dump and fork advice work on whole pages, and munlock() of one secret must
 * not unlock a neighbour. A phone has a handful of secrets, so a page each is nothing. The small handle with the
 * reference count is on the heap, where leak checkers see it.
 *
 * The kernel may refuse any of the advice (RLIMIT_MEMLOCK, old kernels): then the secret is still wiped, which is what
 * can be promised everywhere. */

#include "util/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/phone-error.h"

#define STACK_DEPTH (32 * 1024)         /* of what ciphers and parsers use; a media thread has 8 MB */
#define SECRET_MAX 4096

struct _PhoneSecret
{
  gatomicrefcount refs;
  gsize length;
  gsize mapped;
  char *data;
};

/* Room for capacity octets and a NUL, all zero. */
static PhoneSecret *
secret_alloc (gsize capacity)
{
  PhoneSecret *secret = g_new0 (PhoneSecret, 1);
  gsize page = (gsize) sysconf (_SC_PAGESIZE);

  g_assert (capacity < G_MAXSIZE - page);
  g_atomic_ref_count_init (&secret->refs);
  secret->mapped = (capacity / page + 1) * page;
  secret->data = mmap (NULL, secret->mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (secret->data == MAP_FAILED)
    g_error ("cannot allocate %" G_GSIZE_FORMAT " octets for a secret", secret->mapped);

  (void) mlock (secret->data, secret->mapped);
  (void) madvise (secret->data, secret->mapped, MADV_DONTDUMP);
  (void) madvise (secret->data, secret->mapped, MADV_WIPEONFORK);
  return secret;
}

PhoneSecret *
phone_secret_new (const char *data, gssize length)
{
  gsize n;
  PhoneSecret *secret;

  g_return_val_if_fail (data != NULL || length == 0, NULL);

  n = length < 0 ? strlen (data) : (gsize) length;
  secret = secret_alloc (n);
  if (n > 0)
    memcpy (secret->data, data, n);
  secret->length = n;
  return secret;
}

PhoneSecret *
phone_secret_ref (PhoneSecret *secret)
{
  g_return_val_if_fail (secret != NULL, NULL);
  g_atomic_ref_count_inc (&secret->refs);
  return secret;
}

void
phone_secret_unref (PhoneSecret *secret)
{
  if (secret == NULL || !g_atomic_ref_count_dec (&secret->refs))
    return;
  explicit_bzero (secret->data, secret->mapped);
  munmap (secret->data, secret->mapped);
  g_free (secret);
}

const char *
phone_secret_peek (const PhoneSecret *secret)
{
  g_return_val_if_fail (secret != NULL, "");
  return secret->data;
}

gsize
phone_secret_length (const PhoneSecret *secret)
{
  g_return_val_if_fail (secret != NULL, 0);
  return secret->length;
}

gboolean
phone_secret_equal (const PhoneSecret *a, const PhoneSecret *b)
{
  volatile guchar difference = 0;

  g_return_val_if_fail (a != NULL && b != NULL, FALSE);
  if (a->length != b->length)
    return FALSE;
  for (gsize i = 0; i < a->length; i++)
    difference |= (guchar) (a->data[i] ^ b->data[i]);
  return difference == 0;
}

/* TRUE when read() will not wait: regular files always, pipes and sockets when there is data or the other end is closed. */
static gboolean
is_ready (int fd)
{
  struct pollfd p = { .fd = fd, .events = POLLIN };
  int n;

  do
    n = poll (&p, 1, 0);
  while (n < 0 && errno == EINTR);
  return n > 0;
}

PhoneSecret *
phone_secret_read_fd (int fd, GError **error)
{
  /* Straight into locked pages, one octet more than allowed (and a newline) to notice what is too long. */
  const gsize capacity = SECRET_MAX + 2;
  g_autoptr (PhoneSecret) secret = secret_alloc (capacity);

  for (;;)
    {
      ssize_t n;

      if (!is_ready (fd))
        {
          g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                               "the secret is not complete: write all of it and close the descriptor before handing it over");
          return NULL;
        }
      n = read (fd, secret->data + secret->length, capacity - secret->length);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        {
          g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "cannot read the secret: %s", g_strerror (errno));
          return NULL;
        }
      if (n == 0)
        break;
      secret->length += (gsize) n;
      if (secret->length == capacity)
        break;
    }

  if (secret->length > 0 && secret->data[secret->length - 1] == '\n')
    secret->data[--secret->length] = '\0';
  if (secret->length > SECRET_MAX)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "the secret is longer than %d octets", SECRET_MAX);
      return NULL;
    }
  if (memchr (secret->data, '\0', secret->length) != NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "the secret contains a NUL octet");
      return NULL;
    }
  return g_steal_pointer (&secret);
}

/* The C library copies with the widest registers that there are, and the compiler clears those that it was told of. */
static void
wipe_vector_registers (void)
{
#ifdef __x86_64__
  if (__builtin_cpu_supports ("avx"))
    __asm__ volatile ("vzeroall" ::: "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12",
                      "xmm13", "xmm14", "xmm15");
  if (__builtin_cpu_supports ("avx512f"))
    __asm__ volatile (".irp n, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31\n\t"
                      "vpxorq %zmm\\n, %zmm\\n, %zmm\\n\n\t"
                      ".endr");
#endif
}

/* What memcpy () had in vector registers goes to the stack when the dynamic linker looks up the next function: they are cleared too. */
__attribute__ ((noinline, zero_call_used_regs ("all"))) void
phone_secret_wipe_stack (void)
{
  char dead[STACK_DEPTH];

  explicit_bzero (dead, sizeof dead);
  wipe_vector_registers ();
}
