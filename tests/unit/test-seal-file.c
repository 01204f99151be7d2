/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Sealed files: what was written comes back, and nothing else does. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/seal-file.h"

#define ID "6f1e2f2c-0c2b-4b53-9d7e-1c1f6a7f3a10"
#define OTHER_ID "6f1e2f2c-0c2b-4b53-9d7e-1c1f6a7f3a11"
#define HEADER (12 + 36 + 80 + 24)

static const guint8 private_key[STORE_SEAL_PRIVATE_KEY] = "the key of a test, not of a user";
static const guint8 other_key[STORE_SEAL_PRIVATE_KEY] = "the key of another test than it.";

typedef struct
{
  char *folder, *path;
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];
} Fixture;

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->folder = g_dir_make_tmp ("seal-XXXXXX", NULL);
  f->path = g_build_filename (f->folder, "file", NULL);
  store_seal_derive_public (private_key, f->public_key);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  g_remove (f->path);
  g_rmdir (f->folder);
  g_free (f->path);
  g_free (f->folder);
}

static guint8 *
make_plain (gsize length)
{
  guint8 *plain = g_malloc (length + 1);

  for (gsize i = 0; i < length; i++)
    plain[i] = (guint8) (i * 7 + i / 251);
  return plain;
}

static void
write_file (Fixture *f, const guint8 *plain, gsize length, gsize piece, gboolean finish)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (StoreSealWriter) writer = store_seal_writer_new (f->path, ID, f->public_key, &error);

  g_assert_no_error (error);
  for (gsize at = 0; at < length; at += piece)
    g_assert_true (store_seal_writer_write (writer, plain + at, MIN (piece, length - at), &error));
  if (finish)
    g_assert_true (store_seal_writer_finish (writer, &error));
  g_assert_no_error (error);
}

/* Everything up to the fault; *ret_state says how it ended. */
static GByteArray *
read_fd (int fd, const char *id, const guint8 *key, StoreSealState *ret_state, GError **error)
{
  g_autoptr (StoreSealReader) reader = store_seal_reader_new (fd, id, key, error);
  GByteArray *plain;
  const guint8 *octets;
  gsize n;

  if (reader == NULL)
    return NULL;
  plain = g_byte_array_new ();
  while ((octets = store_seal_reader_next (reader, &n)) != NULL)
    g_byte_array_append (plain, octets, (guint) n);
  *ret_state = store_seal_reader_get_state (reader);
  return plain;
}

static GByteArray *
read_file (Fixture *f, StoreSealState *ret_state, GError **error)
{
  return read_fd (open (f->path, O_RDONLY | O_CLOEXEC), ID, private_key, ret_state, error);
}

static void
set_contents (Fixture *f, const char *data, gsize length)
{
  g_assert_true (g_file_set_contents (f->path, data, (gssize) length, NULL));
}

static void
test_round_trip (Fixture *f, gconstpointer unused)
{
  static const gsize lengths[] = { 0, 1, 17, STORE_SEAL_CHUNK - 1, STORE_SEAL_CHUNK, STORE_SEAL_CHUNK + 1, 3 * STORE_SEAL_CHUNK, 100000 };
  static const gsize pieces[] = { 1, 960, STORE_SEAL_CHUNK, 99999 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++)
    for (guint k = 0; k < G_N_ELEMENTS (pieces); k++)
      {
        g_autofree guint8 *plain = make_plain (lengths[i]);
        g_autoptr (GByteArray) got = NULL;
        g_autoptr (GError) error = NULL;
        g_autofree char *raw = NULL;
        StoreSealState state;
        GStatBuf info;
        gsize size;

        g_remove (f->path);
        write_file (f, plain, lengths[i], pieces[k], TRUE);
        got = read_file (f, &state, &error);
        g_assert_no_error (error);
        g_assert_cmpint (state, ==, STORE_SEAL_WHOLE);
        g_assert_cmpmem (got->data, got->len, plain, lengths[i]);
        g_assert_cmpint (g_stat (f->path, &info), ==, 0);
        g_assert_cmpuint (info.st_mode & 0777, ==, 0600);
        g_assert_true (g_file_get_contents (f->path, &raw, &size, NULL));
        if (lengths[i] > 64)
          g_assert_null (memmem (raw, size, plain, 32));
      }
}

/* Wherever the file is cut, what is left is the beginning of what was written, and the cut is seen. */
static void
test_truncated (Fixture *f, gconstpointer unused)
{
  gsize length = STORE_SEAL_CHUNK + 50;
  g_autofree guint8 *plain = make_plain (length);
  g_autofree char *raw = NULL;
  gsize size;

  write_file (f, plain, length, 960, TRUE);
  g_assert_true (g_file_get_contents (f->path, &raw, &size, NULL));
  for (gsize cut = 0; cut < size; cut += cut < HEADER + 40 || cut > size - 200 ? 1 : 97)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) got = NULL;
      StoreSealState state = STORE_SEAL_WHOLE;

      set_contents (f, raw, cut);
      got = read_file (f, &state, &error);
      if (cut < HEADER)
        {
          g_assert_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE);
          continue;
        }
      g_assert_no_error (error);
      g_assert_cmpint (state, ==, STORE_SEAL_TRUNCATED);
      g_assert_cmpuint (got->len, ==, cut >= HEADER + 4 + STORE_SEAL_CHUNK + 17 ? STORE_SEAL_CHUNK : 0);
      g_assert_cmpmem (got->data, got->len, plain, got->len);
    }
}

/* One flipped bit anywhere is found, and nothing wrong is handed out before it. */
static void
test_flipped (Fixture *f, gconstpointer unused)
{
  gsize length = STORE_SEAL_CHUNK + 50;
  g_autofree guint8 *plain = make_plain (length);
  g_autofree char *raw = NULL;
  gsize size;

  write_file (f, plain, length, 960, TRUE);
  g_assert_true (g_file_get_contents (f->path, &raw, &size, NULL));
  for (gsize at = 0; at < size; at += at < HEADER + 40 || at > size - 200 ? 1 : 97)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GByteArray) got = NULL;
      StoreSealState state = STORE_SEAL_WHOLE;

      raw[at] ^= (char) (1 << at % 8);
      set_contents (f, raw, size);
      got = read_file (f, &state, &error);
      raw[at] ^= (char) (1 << at % 8);
      if (got == NULL)
        {
          g_assert_cmpuint (at, <, HEADER);
          continue;
        }
      g_assert_cmpint (state, !=, STORE_SEAL_WHOLE);
      g_assert_cmpuint (got->len, <, length);
      g_assert_cmpmem (got->data, got->len, plain, got->len);
    }
}

static void
test_rearranged (Fixture *f, gconstpointer unused)
{
  gsize chunk = 4 + STORE_SEAL_CHUNK + 17, length = 3 * STORE_SEAL_CHUNK;
  g_autofree guint8 *plain = make_plain (length);
  g_autofree char *raw = NULL, *moved = NULL;
  g_autoptr (GByteArray) got = NULL, twice = NULL, longer = NULL;
  StoreSealState state;
  gsize size;

  write_file (f, plain, length, 960, TRUE);
  g_assert_true (g_file_get_contents (f->path, &raw, &size, NULL));
  /* the first two chunks change places */
  moved = g_memdup2 (raw, size);
  memcpy (moved + HEADER, raw + HEADER + chunk, chunk);
  memcpy (moved + HEADER + chunk, raw + HEADER, chunk);
  set_contents (f, moved, size);
  got = read_file (f, &state, NULL);
  g_assert_cmpint (state, ==, STORE_SEAL_DAMAGED);
  g_assert_cmpuint (got->len, ==, 0);
  /* the first one comes again */
  memcpy (moved, raw, size);
  memcpy (moved + HEADER + chunk, raw + HEADER, chunk);
  set_contents (f, moved, size);
  twice = read_file (f, &state, NULL);
  g_assert_cmpint (state, ==, STORE_SEAL_DAMAGED);
  g_assert_cmpuint (twice->len, ==, STORE_SEAL_CHUNK);
  /* something follows the end */
  g_autofree char *more = g_malloc0 (size + 1);
  memcpy (more, raw, size);
  set_contents (f, more, size + 1);
  longer = read_file (f, &state, NULL);
  g_assert_cmpint (state, ==, STORE_SEAL_DAMAGED);
  g_assert_cmpmem (longer->data, longer->len, plain, length);
}

static void
test_exchanged (Fixture *f, gconstpointer unused)
{
  g_autofree guint8 *plain = make_plain (100);
  g_autoptr (GError) no_id = NULL, wrong_id = NULL, wrong_key = NULL, exists = NULL;
  StoreSealState state;

  write_file (f, plain, 100, 100, TRUE);
  g_assert_null (read_fd (open (f->path, O_RDONLY | O_CLOEXEC), OTHER_ID, private_key, &state, &wrong_id));
  g_assert_error (wrong_id, PHONE_ERROR, PHONE_ERROR_STORAGE);
  g_assert_null (read_fd (open (f->path, O_RDONLY | O_CLOEXEC), ID, other_key, &state, &wrong_key));
  g_assert_error (wrong_key, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED);
  g_assert_null (read_fd (open ("/dev/null", O_RDONLY | O_CLOEXEC), NULL, private_key, &state, &no_id));
  g_assert_error (no_id, PHONE_ERROR, PHONE_ERROR_STORAGE);
  /* what is there is never written over */
  g_assert_null (store_seal_writer_new (f->path, ID, f->public_key, &exists));
  g_assert_error (exists, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

/* A full disk: the error says so, the file ends with a whole chunk, and all of it can be read. */
static void
test_full (Fixture *f, gconstpointer unused)
{
  g_autofree guint8 *plain = make_plain (10 * STORE_SEAL_CHUNK);
  pid_t child = fork ();
  int status;

  if (child == 0)
    {
      struct rlimit limit = { 30000, 30000 };
      g_autoptr (StoreSealWriter) writer = store_seal_writer_new (f->path, ID, f->public_key, NULL);
      g_autoptr (GError) error = NULL;

      signal (SIGXFSZ, SIG_IGN);
      setrlimit (RLIMIT_FSIZE, &limit);
      if (store_seal_writer_write (writer, plain, 10 * STORE_SEAL_CHUNK, &error) || error->code != PHONE_ERROR_STORAGE)
        _exit (1);
      _exit (store_seal_writer_finish (writer, NULL) ? 2 : 0);
    }
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);

  g_autoptr (GError) error = NULL;
  StoreSealState state;
  g_autoptr (GByteArray) got = read_file (f, &state, &error);
  g_assert_no_error (error);
  g_assert_cmpint (state, ==, STORE_SEAL_TRUNCATED);
  g_assert_cmpuint (got->len, ==, 3 * STORE_SEAL_CHUNK);
  g_assert_cmpmem (got->data, got->len, plain, got->len);
}

/* Killed at any moment: what was synced is there. */
static void
test_killed (Fixture *f, gconstpointer unused)
{
  g_autofree guint8 *plain = make_plain (20000);
  int pipes[2], status;
  char said;
  pid_t child;

  g_assert_cmpint (pipe (pipes), ==, 0);
  child = fork ();
  if (child == 0)
    {
      g_autoptr (StoreSealWriter) writer = store_seal_writer_new (f->path, ID, f->public_key, NULL);

      store_seal_writer_write (writer, plain, 12345, NULL);
      store_seal_writer_sync (writer, NULL);
      store_seal_writer_write (writer, plain + 12345, 1000, NULL);
      if (write (pipes[1], "s", 1) != 1)
        _exit (1);
      pause ();
    }
  g_assert_cmpint (read (pipes[0], &said, 1), ==, 1);
  kill (child, SIGKILL);
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  close (pipes[0]);
  close (pipes[1]);

  StoreSealState state;
  g_autoptr (GByteArray) got = read_file (f, &state, NULL);
  g_assert_cmpint (state, ==, STORE_SEAL_TRUNCATED);
  g_assert_cmpmem (got->data, got->len, plain, 12345);
}

#define TEST(name, function) g_test_add ("/seal-file/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  TEST ("round-trip", test_round_trip);
  TEST ("truncated", test_truncated);
  TEST ("flipped", test_flipped);
  TEST ("rearranged", test_rearranged);
  TEST ("exchanged", test_exchanged);
  TEST ("full", test_full);
  TEST ("killed", test_killed);
  return g_test_run ();
}
