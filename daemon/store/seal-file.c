/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/seal-file.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "phonseal\1\0\0"           /* with its NUL: 12 octets */
#define MAGIC_LENGTH 12
#define KEY_LENGTH crypto_secretstream_xchacha20poly1305_KEYBYTES
#define EXTRA crypto_secretstream_xchacha20poly1305_ABYTES
#define SEALED_LENGTH (KEY_LENGTH + crypto_box_SEALBYTES)
#define STREAM_HEADER crypto_secretstream_xchacha20poly1305_HEADERBYTES
#define HEADER (MAGIC_LENGTH + STORE_SEAL_ID + SEALED_LENGTH + STREAM_HEADER)
#define TAG_MESSAGE crypto_secretstream_xchacha20poly1305_TAG_MESSAGE
#define TAG_FINAL crypto_secretstream_xchacha20poly1305_TAG_FINAL

G_STATIC_ASSERT (sizeof MAGIC == MAGIC_LENGTH);
G_STATIC_ASSERT (STORE_SEAL_PUBLIC_KEY == crypto_box_PUBLICKEYBYTES && STORE_SEAL_PRIVATE_KEY == crypto_box_SECRETKEYBYTES);

typedef crypto_secretstream_xchacha20poly1305_state StreamState;

static void
start_sodium (void)
{
  if (sodium_init () < 0)
    g_error ("libsodium does not start");
}

void
store_seal_derive_public (const guint8 private_key[STORE_SEAL_PRIVATE_KEY], guint8 ret_public[STORE_SEAL_PUBLIC_KEY])
{
  start_sodium ();
  crypto_scalarmult_base (ret_public, private_key);
}

/* ---- writing ---- */

struct _StoreSealWriter
{
  int fd;
  char *path;
  off_t length;                 /* of the whole chunks in the file */
  int failed;                   /* errno of the first fault */
  gboolean finished;
  StreamState *stream;          /* guarded memory */
  guint8 header[HEADER];
  guint8 plain[STORE_SEAL_CHUNK];
  gsize n_plain;
};

static gboolean
write_all (int fd, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);

      if (n < 0 && errno == EINTR)
        continue;
      if (n <= 0)
        return FALSE;
      data += n;
      length -= (gsize) n;
    }
  return TRUE;
}

static gboolean
report (StoreSealWriter *writer, GError **error)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", writer->path, g_strerror (writer->failed));
  return FALSE;
}

/* A partial chunk at the end would read as one that was cut off, which is true, but a later reader should not depend on it. */
static gboolean
fail (StoreSealWriter *writer, GError **error)
{
  writer->failed = errno != 0 ? errno : EIO;
  if (ftruncate (writer->fd, writer->length) < 0)
    g_debug ("%s: cannot be cut to its last whole chunk: %s", writer->path, g_strerror (errno));
  return report (writer, error);
}

static gboolean
write_chunk (StoreSealWriter *writer, guint8 tag, GError **error)
{
  guint8 chunk[4 + STORE_SEAL_CHUNK + EXTRA];
  guint32 length = (guint32) (writer->n_plain + EXTRA), wire = GUINT32_TO_BE (length);

  memcpy (chunk, &wire, sizeof wire);
  crypto_secretstream_xchacha20poly1305_push (writer->stream, chunk + 4, NULL, writer->plain, writer->n_plain, writer->header, HEADER, tag);
  sodium_memzero (writer->plain, writer->n_plain);
  writer->n_plain = 0;
  errno = 0;
  if (!write_all (writer->fd, chunk, 4 + length))
    return fail (writer, error);
  writer->length += 4 + (off_t) length;
  return TRUE;
}

static void
make_header (StoreSealWriter *writer, const char *id, const guint8 *public_key)
{
  guint8 key[KEY_LENGTH], *at = writer->header;

  memcpy (at, MAGIC, MAGIC_LENGTH);
  memcpy (at += MAGIC_LENGTH, id, STORE_SEAL_ID);
  crypto_secretstream_xchacha20poly1305_keygen (key);
  if (crypto_box_seal (at += STORE_SEAL_ID, key, sizeof key, public_key) != 0)
    g_error ("libsodium cannot seal a key");
  crypto_secretstream_xchacha20poly1305_init_push (writer->stream, at + SEALED_LENGTH, key);
  sodium_memzero (key, sizeof key);
}

StoreSealWriter *
store_seal_writer_new (const char *path, const char *id, const guint8 public_key[STORE_SEAL_PUBLIC_KEY], GError **error)
{
  g_autoptr (StoreSealWriter) writer = g_new0 (StoreSealWriter, 1);

  g_return_val_if_fail (strlen (id) == STORE_SEAL_ID, NULL);
  start_sodium ();
  writer->path = g_strdup (path);
  writer->stream = sodium_malloc (sizeof *writer->stream);
  writer->fd = open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (writer->fd < 0 || writer->stream == NULL)
    {
      writer->failed = writer->stream == NULL ? ENOMEM : errno;
      report (writer, error);
      return NULL;
    }
  make_header (writer, id, public_key);
  errno = 0;
  if (!write_all (writer->fd, writer->header, HEADER))
    {
      fail (writer, error);
      unlink (path);
      return NULL;
    }
  writer->length = HEADER;
  return g_steal_pointer (&writer);
}

gboolean
store_seal_writer_write (StoreSealWriter *writer, gconstpointer data, gsize length, GError **error)
{
  const guint8 *from = data;

  g_return_val_if_fail (!writer->finished, FALSE);
  if (writer->failed != 0)
    return report (writer, error);
  while (length > 0)
    {
      gsize n = MIN (length, STORE_SEAL_CHUNK - writer->n_plain);

      memcpy (writer->plain + writer->n_plain, from, n);
      writer->n_plain += n;
      from += n;
      length -= n;
      if (writer->n_plain == STORE_SEAL_CHUNK && !write_chunk (writer, TAG_MESSAGE, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
store_seal_writer_sync (StoreSealWriter *writer, GError **error)
{
  if (writer->failed != 0)
    return report (writer, error);
  if (writer->n_plain > 0 && !write_chunk (writer, TAG_MESSAGE, error))
    return FALSE;
  return fdatasync (writer->fd) == 0 || fail (writer, error);
}

gboolean
store_seal_writer_finish (StoreSealWriter *writer, GError **error)
{
  if (writer->failed != 0)
    return report (writer, error);
  if (!write_chunk (writer, TAG_FINAL, error))
    return FALSE;
  writer->finished = TRUE;
  return fsync (writer->fd) == 0 || fail (writer, error);
}

void
store_seal_writer_free (StoreSealWriter *writer)
{
  if (writer == NULL)
    return;
  if (writer->fd >= 0)
    close (writer->fd);
  sodium_free (writer->stream);
  sodium_memzero (writer->plain, sizeof writer->plain);
  g_free (writer->path);
  g_free (writer);
}

/* ---- reading ---- */

struct _StoreSealReader
{
  int fd;
  gboolean ended, final;
  StoreSealState state;
  StreamState *stream;
  guint8 header[HEADER];
  guint8 plain[STORE_SEAL_CHUNK];
};

const char *
store_seal_state_to_string (StoreSealState state)
{
  switch (state)
    {
    case STORE_SEAL_WHOLE: return "whole";
    case STORE_SEAL_TRUNCATED: return "truncated";
    case STORE_SEAL_DAMAGED: return "damaged";
    }
  g_assert_not_reached ();
}

/* Octets read: fewer than length only at the end of the file; -1: errno. */
static gssize
read_all (int fd, guint8 *ret_data, gsize length)
{
  gsize done = 0;

  while (done < length)
    {
      gssize n = read (fd, ret_data + done, length - done);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return -1;
      if (n == 0)
        break;
      done += (gsize) n;
    }
  return (gssize) done;
}

static gboolean
open_header (StoreSealReader *reader, const char *id, const guint8 *private_key, GError **error)
{
  const guint8 *sealed = reader->header + MAGIC_LENGTH + STORE_SEAL_ID;
  guint8 public_key[STORE_SEAL_PUBLIC_KEY], key[KEY_LENGTH];
  gboolean ok;

  if (read_all (reader->fd, reader->header, HEADER) != HEADER || memcmp (reader->header, MAGIC, MAGIC_LENGTH) != 0)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "This is no sealed file, or one of another version");
      return FALSE;
    }
  if (id != NULL && (strlen (id) != STORE_SEAL_ID || memcmp (reader->header + MAGIC_LENGTH, id, STORE_SEAL_ID) != 0))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "This sealed file is not the one of %s: files were exchanged", id);
      return FALSE;
    }
  store_seal_derive_public (private_key, public_key);
  ok = crypto_box_seal_open (key, sealed, SEALED_LENGTH, public_key, private_key) == 0
       && crypto_secretstream_xchacha20poly1305_init_pull (reader->stream, sealed + SEALED_LENGTH, key) == 0;
  sodium_memzero (key, sizeof key);
  if (!ok)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED, "The file is not sealed to this key, or its header was changed");
  return ok;
}

StoreSealReader *
store_seal_reader_new (int fd, const char *id, const guint8 private_key[STORE_SEAL_PRIVATE_KEY], GError **error)
{
  g_autoptr (StoreSealReader) reader = g_new0 (StoreSealReader, 1);

  start_sodium ();
  reader->fd = fd;
  reader->stream = sodium_malloc (sizeof *reader->stream);
  if (reader->stream == NULL)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "No guarded memory is left");
      return NULL;
    }
  return open_header (reader, id, private_key, error) ? g_steal_pointer (&reader) : NULL;
}

static gssize
end (StoreSealReader *reader, StoreSealState state)
{
  reader->ended = TRUE;
  reader->state = state;
  return -1;
}

/* One chunk into plain: its length, 0 for an empty one; or -1: the file ends here. */
static gssize
pull_chunk (StoreSealReader *reader)
{
  guint8 chunk[STORE_SEAL_CHUNK + EXTRA], tag = TAG_MESSAGE;
  unsigned long long plain = 0;
  guint32 wire = 0, length;
  gssize n = read_all (reader->fd, (guint8 *) &wire, sizeof wire);

  if (reader->final)            /* what follows a whole file was not written by us */
    return end (reader, n == 0 ? STORE_SEAL_WHOLE : STORE_SEAL_DAMAGED);
  if (n >= 0 && n < (gssize) sizeof wire)
    return end (reader, STORE_SEAL_TRUNCATED);
  length = GUINT32_FROM_BE (wire);
  if (n < 0 || length < EXTRA || length > sizeof chunk)
    return end (reader, STORE_SEAL_DAMAGED);
  n = read_all (reader->fd, chunk, length);
  if (n != (gssize) length)
    return end (reader, n < 0 ? STORE_SEAL_DAMAGED : STORE_SEAL_TRUNCATED);
  if (crypto_secretstream_xchacha20poly1305_pull (reader->stream, reader->plain, &plain, &tag, chunk, length, reader->header, HEADER) != 0)
    return end (reader, STORE_SEAL_DAMAGED);
  reader->final = tag == TAG_FINAL;
  return (gssize) plain;
}

const guint8 *
store_seal_reader_next (StoreSealReader *reader, gsize *ret_length)
{
  gssize n = 0;

  /* The last chunk may be empty, and so may one that only was to be on the disk. */
  while (!reader->ended && n == 0)
    n = pull_chunk (reader);
  *ret_length = !reader->ended ? (gsize) n : 0;
  return !reader->ended ? reader->plain : NULL;
}

StoreSealState
store_seal_reader_get_state (const StoreSealReader *reader)
{
  return reader->state;
}

void
store_seal_reader_free (StoreSealReader *reader)
{
  if (reader == NULL)
    return;
  if (reader->fd >= 0)
    close (reader->fd);
  sodium_free (reader->stream);
  sodium_memzero (reader->plain, sizeof reader->plain);
  g_free (reader);
}
