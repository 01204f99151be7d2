/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The pair of keys behind sealed files. The public one lies in the state folder and is all that writing needs; the private one is, in this
 * order, where it is found:
 *
 *   credential   phoned-seal-key of the service (LoadCredential=, LoadCredentialEncrypted=): for kiosks and servers
 *   pass phrase  FOLDER/seal.key, encrypted (argon2id); readable after an unlock, until the daemon ends or it is locked again
 *   keyring      the Secret Service of the desktop (libsecret)
 *
 * Whoever deletes the private key has shredded all sealed files. Main thread; results come later, on the main loop, and not after
 * store_seal_keys_free(). */

#include "store/seal-file.h"
#include "util/phone-enum.h"
#include "util/secret.h"

#define STORE_SEAL_KEY_STATE_LIST(X) \
  X (STORE_SEAL_KEY_NONE, "none") X (STORE_SEAL_KEY_READY, "ready") X (STORE_SEAL_KEY_LOCKED, "locked") X (STORE_SEAL_KEY_ABSENT, "absent")
/* none: no pair was made yet. locked: keyring or pass phrase. absent: there is a public key, and nothing that holds the private one. */
PHONE_DECLARE_ENUM (StoreSealKeyState, store_seal_key_state, STORE_SEAL_KEY_STATE_LIST)

typedef struct _StoreSealKeys StoreSealKeys;

/* folder: absolute, made when needed. credentials: $CREDENTIALS_DIRECTORY or NULL. */
StoreSealKeys *store_seal_keys_new (const char *folder, const char *credentials);
void store_seal_keys_free (StoreSealKeys *keys);                /* accepts NULL */

/* Borrowed; NULL: there is no pair yet. */
const guint8 *store_seal_keys_get_public (StoreSealKeys *keys);

/* private_key: NULL with error (STORAGE: no keyring, or it refused; AUTH_FAILED: it is locked, or the pass phrase is wrong). */
typedef void (*StoreSealKeysDone) (PhoneSecret *private_key, const GError *error, gpointer data);
/* Makes a pair and stores it in the keyring if there is none. done gets no private key when there was one already. */
void store_seal_keys_prepare (StoreSealKeys *keys, StoreSealKeysDone done, gpointer data);
/* unlock: the keyring may ask the user. */
void store_seal_keys_load (StoreSealKeys *keys, gboolean unlock, StoreSealKeysDone done, gpointer data);
/* What a load would find, without asking anybody. */
typedef void (*StoreSealKeysState) (StoreSealKeyState state, gpointer data);
void store_seal_keys_check (StoreSealKeys *keys, StoreSealKeysState done, gpointer data);
/* Opens seal.key; or, when there is no pair yet, makes one that only this pass phrase opens. */
void store_seal_keys_unlock (StoreSealKeys *keys, PhoneSecret *pass_phrase, StoreSealKeysDone done, gpointer data);
/* Forgets a private key that a pass phrase opened. */
void store_seal_keys_lock (StoreSealKeys *keys);
