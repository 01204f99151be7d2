/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Sealed files: what is too private to lie on a disk in plain (recordings, voicemail), written while the key that reads it may be locked
 * away. A file has a random key of its own for libsodium's secretstream (XChaCha20-Poly1305), sealed (crypto_box_seal) to the public key of
 * the user; only the private key opens it.
 *
 *   "phonseal" version(1) 0 0 0 | id, 36 characters | sealed key, 80 octets | secretstream header, 24 octets
 *   then chunks:  length of what follows, 4 octets, most significant first | secretstream ciphertext, 17 octets more than plain
 *
 * The whole header is additional data of every chunk, so a chunk of another file, another order, a flipped bit and a missing end (the last
 * chunk carries secretstream's FINAL tag) are all found. Everything up to the fault can still be read. Neither end is thread-safe; both may
 * be used on any one thread. */

#include <glib.h>
#include "util/phone-error.h"

#define STORE_SEAL_PUBLIC_KEY 32
#define STORE_SEAL_PRIVATE_KEY 32
#define STORE_SEAL_ID 36                /* characters of a UUID in lower case */
#define STORE_SEAL_CHUNK 8192           /* octets of plain text in a full chunk */

/* Public from private. */
void store_seal_derive_public (const guint8 private_key[STORE_SEAL_PRIVATE_KEY], guint8 ret_public[STORE_SEAL_PUBLIC_KEY]);

/* ---- writing ---- */

typedef struct _StoreSealWriter StoreSealWriter;

/* Makes path with mode 0600; it must not exist (a symbolic link neither). STORAGE names the file. */
StoreSealWriter *store_seal_writer_new (const char *path, const char *id, const guint8 public_key[STORE_SEAL_PUBLIC_KEY], GError **error);
/* STORAGE: the disk is full, or worse. The file then ends with the last whole chunk, and every later call fails alike. */
gboolean store_seal_writer_write (StoreSealWriter *writer, gconstpointer data, gsize length, GError **error);
/* What was written so far is on the disk: a crash or power cut loses only what comes after. */
gboolean store_seal_writer_sync (StoreSealWriter *writer, GError **error);
/* Ends the file as a whole one, on the disk. */
gboolean store_seal_writer_finish (StoreSealWriter *writer, GError **error);
void store_seal_writer_free (StoreSealWriter *writer);  /* not finished: the file stays, and reads as truncated; accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoreSealWriter, store_seal_writer_free)

/* ---- reading ---- */

typedef enum
{
  STORE_SEAL_WHOLE,
  STORE_SEAL_TRUNCATED,         /* ends too early: the phone or the disk stopped while it was written */
  STORE_SEAL_DAMAGED,           /* bits, chunks or the header are not those that were written, or the key is another */
} StoreSealState;
const char *store_seal_state_to_string (StoreSealState state);

typedef struct _StoreSealReader StoreSealReader;

/* Takes fd over (also when it fails), and reads from its present position. id NULL: any. STORAGE: no sealed file, or one of another id or
 * version; AUTH_FAILED: not sealed to this key, or its header was tampered with (the two cannot be told apart). */
StoreSealReader *store_seal_reader_new (int fd, const char *id, const guint8 private_key[STORE_SEAL_PRIVATE_KEY], GError **error);
/* The next octets, at most STORE_SEAL_CHUNK, borrowed until the next call; NULL at the end, whatever kind of end it is. */
const guint8 *store_seal_reader_next (StoreSealReader *reader, gsize *ret_length);
/* After NULL: how it ended. */
StoreSealState store_seal_reader_get_state (const StoreSealReader *reader);
void store_seal_reader_free (StoreSealReader *reader);  /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (StoreSealReader, store_seal_reader_free)
