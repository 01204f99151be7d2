/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every request is an Ask that is on the list of its StoreSealKeys until it is answered, so that nothing is answered after the end. What takes
 * long (argon2id) runs in a thread of GTask with copies of all that it needs. */

#include "store/seal-keys.h"

#include <libsecret/secret.h>
#include <sodium.h>
#include <string.h>

#include "util/atomic-file.h"
#include "util/log.h"

PHONE_DEFINE_ENUM (StoreSealKeyState, store_seal_key_state, STORE_SEAL_KEY_STATE_LIST)

#define CREDENTIAL "phoned-seal-key"
#define PUBLIC_FILE "seal.pub"
#define WRAPPED_FILE "seal.key"
#define WRAPPED_MAGIC "phonekey\1\0\0"   /* with its NUL: 12 octets */
#define WRAPPED_MAGIC_LENGTH 12
#define NONCE crypto_secretbox_NONCEBYTES
#define SALT crypto_pwhash_SALTBYTES
#define WRAPPED_LENGTH (WRAPPED_MAGIC_LENGTH + SALT + NONCE + crypto_secretbox_MACBYTES + STORE_SEAL_PRIVATE_KEY)
#define HEX (2 * STORE_SEAL_PRIVATE_KEY)
#define KEYRING_SECONDS 30              /* that a keyring without anybody to ask may take */

struct _StoreSealKeys
{
  char *folder, *credential;            /* credential: path, NULL: none */
  gboolean has_public;
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];
  PhoneSecret *opened;                  /* by the pass phrase */
  GList *asks;
};

typedef struct
{
  StoreSealKeys *keys;                  /* NULL: nobody waits any more */
  StoreSealKeysDone done;
  StoreSealKeysState check;
  gpointer data;
  GCancellable *cancellable;
  guint timeout;
  PhoneSecret *fresh;                   /* private key of the pair that is being stored */
  gboolean again, unlock;               /* the second attempt; the keyring may ask the user */
} Ask;

/* Only the public key tells pairs apart, so that a keyring shared by two machines keeps both. */
static const SecretSchema schema = {
  "org.phoned.SealedFiles",
  SECRET_SCHEMA_NONE,
  { { "public-key", SECRET_SCHEMA_ATTRIBUTE_STRING }, { NULL, 0 } },
};

/* ---- requests ---- */

static gboolean
on_timeout (gpointer data)
{
  Ask *ask = data;

  ask->timeout = 0;
  g_cancellable_cancel (ask->cancellable);
  return G_SOURCE_REMOVE;
}

static Ask *
ask_new (StoreSealKeys *keys, StoreSealKeysDone done, gpointer data)
{
  Ask *ask = g_new0 (Ask, 1);

  ask->keys = keys;
  ask->done = done;
  ask->data = data;
  ask->cancellable = g_cancellable_new ();
  keys->asks = g_list_prepend (keys->asks, ask);
  return ask;
}

static void
ask_free (Ask *ask)
{
  if (ask->keys)
    ask->keys->asks = g_list_remove (ask->keys->asks, ask);
  g_clear_handle_id (&ask->timeout, g_source_remove);
  g_object_unref (ask->cancellable);
  phone_secret_unref (ask->fresh);
  g_free (ask);
}

static void
answer (Ask *ask, PhoneSecret *private_key, const GError *error)
{
  if (ask->keys && ask->done)
    ask->done (private_key, error, ask->data);
  ask_free (ask);
}

static void
refuse (Ask *ask, PhoneError code, const char *format, ...) G_GNUC_PRINTF (3, 4);

static void
refuse (Ask *ask, PhoneError code, const char *format, ...)
{
  va_list args;
  g_autoptr (GError) error = NULL;

  va_start (args, format);
  error = g_error_new_valist (PHONE_ERROR, (int) code, format, args);
  va_end (args);
  answer (ask, NULL, error);
}

/* What is known at once is told in the next turn of the loop all the same: a caller need not expect it inside its call. */
typedef struct
{
  Ask *ask;
  PhoneSecret *key;
  GError *error;
  StoreSealKeyState state;
} Later;

static gboolean
on_later (gpointer data)
{
  Later *later = data;

  if (later->ask->check)
    {
      if (later->ask->keys)
        later->ask->check (later->state, later->ask->data);
      ask_free (later->ask);
    }
  else
    answer (later->ask, later->key, later->error);
  phone_secret_unref (later->key);
  g_clear_error (&later->error);
  g_free (later);
  return G_SOURCE_REMOVE;
}

static void
answer_later (Ask *ask, PhoneSecret *key, GError *error, StoreSealKeyState state)
{
  Later *later = g_new0 (Later, 1);

  *later = (Later){ ask, key ? phone_secret_ref (key) : NULL, error, state };
  g_idle_add_full (G_PRIORITY_DEFAULT, on_later, later, NULL);
}

/* ---- the pair ---- */

static gboolean
parse_private (const char *text, guint8 ret_key[STORE_SEAL_PRIVATE_KEY])
{
  gsize length = strlen (text), n = 0;

  while (length > 0 && g_ascii_isspace (text[length - 1]))
    length--;
  return length == HEX && sodium_hex2bin (ret_key, STORE_SEAL_PRIVATE_KEY, text, length, NULL, &n, NULL) == 0
         && n == STORE_SEAL_PRIVATE_KEY;
}

static PhoneSecret *
make_private (void)
{
  guint8 key[STORE_SEAL_PRIVATE_KEY];
  PhoneSecret *secret;

  randombytes_buf (key, sizeof key);
  secret = phone_secret_new ((const char *) key, sizeof key);
  sodium_memzero (key, sizeof key);
  return secret;
}

static PhoneSecret *
read_credential (StoreSealKeys *keys)
{
  g_autofree char *text = NULL;
  guint8 key[STORE_SEAL_PRIVATE_KEY];
  PhoneSecret *secret = NULL;
  gsize length = 0;

  if (!keys->credential || !g_file_get_contents (keys->credential, &text, &length, NULL))
    return NULL;
  if (parse_private (text, key))
    secret = phone_secret_new ((const char *) key, sizeof key);
  else
    phone_log_warning (NULL, "The credential %s is not a key of %d hexadecimal digits; it is not used", CREDENTIAL, HEX);
  sodium_memzero (key, sizeof key);
  sodium_memzero (text, length);
  return secret;
}

static void
take_public (StoreSealKeys *keys, PhoneSecret *private_key)
{
  store_seal_derive_public ((const guint8 *) phone_secret_peek (private_key), keys->public_key);
  keys->has_public = TRUE;
}

static char *
path_of (StoreSealKeys *keys, const char *name)
{
  return g_build_filename (keys->folder, name, NULL);
}

static gboolean
save_public (StoreSealKeys *keys, GError **error)
{
  g_autofree char *path = path_of (keys, PUBLIC_FILE);
  char hex[HEX + 2];

  sodium_bin2hex (hex, HEX + 1, keys->public_key, sizeof keys->public_key);
  strcpy (hex + HEX, "\n");
  return phone_make_directory (keys->folder, 0700, error) && phone_atomic_write (path, hex, HEX + 1, 0600, error);
}

static void
load_public (StoreSealKeys *keys)
{
  g_autofree char *path = path_of (keys, PUBLIC_FILE);
  g_autofree char *text = NULL;
  g_autoptr (PhoneSecret) credential = read_credential (keys);

  if (credential)
    take_public (keys, credential);
  else if (g_file_get_contents (path, &text, NULL, NULL))
    {
      keys->has_public = parse_private (text, keys->public_key);
      if (!keys->has_public)
        phone_log_warning (NULL, "%s is no public key; a new pair will be made when one is needed", path);
    }
}

/* Whether a private key is the other half of ours. */
static gboolean
fits (StoreSealKeys *keys, PhoneSecret *private_key)
{
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];

  if (phone_secret_length (private_key) != STORE_SEAL_PRIVATE_KEY)
    return FALSE;
  store_seal_derive_public ((const guint8 *) phone_secret_peek (private_key), public_key);
  return memcmp (public_key, keys->public_key, sizeof public_key) == 0;
}

static char *
public_text (StoreSealKeys *keys)
{
  char hex[HEX + 1];

  return g_strdup (sodium_bin2hex (hex, sizeof hex, keys->public_key, sizeof keys->public_key));
}

StoreSealKeys *
store_seal_keys_new (const char *folder, const char *credentials)
{
  StoreSealKeys *keys = g_new0 (StoreSealKeys, 1);

  if (sodium_init () < 0)
    g_error ("libsodium does not start");
  keys->folder = g_strdup (folder);
  keys->credential = credentials ? g_build_filename (credentials, CREDENTIAL, NULL) : NULL;
  load_public (keys);
  return keys;
}

void
store_seal_keys_free (StoreSealKeys *keys)
{
  if (!keys)
    return;
  for (GList *l = keys->asks; l; l = l->next)
    {
      Ask *ask = l->data;

      ask->keys = NULL;
      g_cancellable_cancel (ask->cancellable);
    }
  g_list_free (keys->asks);
  phone_secret_unref (keys->opened);
  g_free (keys->folder);
  g_free (keys->credential);
  g_free (keys);
}

const guint8 *
store_seal_keys_get_public (StoreSealKeys *keys)
{
  return keys->has_public ? keys->public_key : NULL;
}

/* ---- keyring ---- */

/* libsecret keeps its connection to a keyring, and a session with it that a keyring which was started anew does not know. TRUE: the request
 * goes out a second time, over a fresh one. */
static gboolean
try_again (Ask *ask, void (*start) (Ask *ask))
{
  if (!ask->keys || ask->again || g_cancellable_is_cancelled (ask->cancellable))
    return FALSE;
  ask->again = TRUE;
  secret_service_disconnect ();
  start (ask);
  return TRUE;
}

static void store_fresh (Ask *ask);
static void search (Ask *ask);

static void
on_stored (GObject *source, GAsyncResult *result, gpointer data)
{
  Ask *ask = data;
  g_autoptr (GError) error = NULL;
  gboolean ok = secret_password_store_finish (result, &error);
  StoreSealKeys *keys = ask->keys;

  if (!keys)
    ask_free (ask);
  else if (!ok && try_again (ask, store_fresh))
    return;
  else if (!ok)
    refuse (ask, PHONE_ERROR_STORAGE, "No keyring keeps the key of sealed files (%s); a pass phrase or a credential can do so instead",
            error->message);
  else if (keys->has_public)
    answer (ask, NULL, NULL);           /* another request was quicker */
  else
    {
      g_autoptr (GError) local = NULL;

      take_public (keys, ask->fresh);
      keys->has_public = save_public (keys, &local);
      answer (ask, keys->has_public ? ask->fresh : NULL, local);
    }
}

static void
store_fresh (Ask *ask)
{
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];
  char private_text[HEX + 1], public_hex[HEX + 1];

  store_seal_derive_public ((const guint8 *) phone_secret_peek (ask->fresh), public_key);
  sodium_bin2hex (public_hex, sizeof public_hex, public_key, sizeof public_key);
  sodium_bin2hex (private_text, sizeof private_text, (const guint8 *) phone_secret_peek (ask->fresh), STORE_SEAL_PRIVATE_KEY);
  secret_password_store (&schema, SECRET_COLLECTION_DEFAULT, "phoned: key of recordings and voicemail", private_text, ask->cancellable,
                         on_stored, ask, "public-key", public_hex, NULL);
  sodium_memzero (private_text, sizeof private_text);
}

void
store_seal_keys_prepare (StoreSealKeys *keys, StoreSealKeysDone done, gpointer data)
{
  Ask *ask = ask_new (keys, done, data);

  if (keys->has_public)
    {
      answer_later (ask, NULL, NULL, STORE_SEAL_KEY_READY);
      return;
    }
  ask->fresh = make_private ();
  ask->timeout = g_timeout_add_seconds (KEYRING_SECONDS, on_timeout, ask);
  store_fresh (ask);
}

/* The item that holds our private key: NULL and *ret_locked says whether one is there that cannot be read. */
static PhoneSecret *
find_in (StoreSealKeys *keys, GList *items, gboolean *ret_locked)
{
  *ret_locked = FALSE;
  for (GList *l = items; l; l = l->next)
    {
      g_autoptr (SecretValue) value = secret_item_get_secret (l->data);
      g_autoptr (PhoneSecret) key = NULL;
      guint8 octets[STORE_SEAL_PRIVATE_KEY];
      const char *text = value ? secret_value_get_text (value) : NULL;

      *ret_locked |= secret_item_get_locked (l->data);
      if (text && parse_private (text, octets))
        key = phone_secret_new ((const char *) octets, sizeof octets);
      sodium_memzero (octets, sizeof octets);
      if (key && fits (keys, key))
        return g_steal_pointer (&key);
    }
  return NULL;
}

static void
on_found (GObject *source, GAsyncResult *result, gpointer data)
{
  Ask *ask = data;
  g_autoptr (GError) error = NULL;
  GList *items = secret_service_search_finish (NULL, result, &error);
  g_autoptr (PhoneSecret) key = NULL;
  gboolean locked = FALSE;

  if (!ask->keys)
    ask_free (ask);
  else
    {
      key = find_in (ask->keys, items, &locked);
      if (error)
        phone_log_debug (NULL, "The keyring cannot be asked: %s", error->message);
      if (!key && !locked && try_again (ask, search))
        {
          g_list_free_full (items, g_object_unref);
          return;
        }
      if (ask->check)
        {
          ask->check (key ? STORE_SEAL_KEY_READY : locked ? STORE_SEAL_KEY_LOCKED : STORE_SEAL_KEY_ABSENT, ask->data);
          ask_free (ask);
        }
      else if (key)
        answer (ask, key, NULL);
      else if (error)
        refuse (ask, PHONE_ERROR_STORAGE, "The keyring cannot be asked for the key of sealed files: %s", error->message);
      else if (locked)
        refuse (ask, PHONE_ERROR_AUTH_FAILED, "The keyring with the key of sealed files is locked");
      else
        refuse (ask, PHONE_ERROR_STORAGE, "The key of sealed files is not in the keyring any more: they cannot be read");
    }
  g_list_free_full (items, g_object_unref);
}

static void
search (Ask *ask)
{
  g_autoptr (GHashTable) attributes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  g_hash_table_insert (attributes, (gpointer) "public-key", public_text (ask->keys));
  secret_service_search (NULL, &schema, attributes,
                         SECRET_SEARCH_ALL | SECRET_SEARCH_LOAD_SECRETS | (ask->unlock ? SECRET_SEARCH_UNLOCK : 0), ask->cancellable,
                         on_found, ask);
}

static void
ask_keyring (Ask *ask, gboolean unlock)
{
  ask->unlock = unlock;
  ask->timeout = g_timeout_add_seconds (KEYRING_SECONDS, on_timeout, ask);
  search (ask);
}

/* ---- pass phrase ---- */

static gboolean
has_wrapped (StoreSealKeys *keys)
{
  g_autofree char *path = path_of (keys, WRAPPED_FILE);

  return g_file_test (path, G_FILE_TEST_IS_REGULAR);
}

typedef struct
{
  char *path;
  PhoneSecret *pass_phrase;
  PhoneSecret *key;             /* to be wrapped; NULL: unwrap what path has */
} Wrap;

static void
wrap_free (gpointer data)
{
  Wrap *wrap = data;

  g_free (wrap->path);
  phone_secret_unref (wrap->pass_phrase);
  phone_secret_unref (wrap->key);
  g_free (wrap);
}

static gboolean
stretch (const Wrap *wrap, const guint8 *salt, guint8 ret_key[crypto_secretbox_KEYBYTES], GError **error)
{
  if (crypto_pwhash (ret_key, crypto_secretbox_KEYBYTES, phone_secret_peek (wrap->pass_phrase), phone_secret_length (wrap->pass_phrase), salt,
                     crypto_pwhash_OPSLIMIT_MODERATE, crypto_pwhash_MEMLIMIT_MODERATE, crypto_pwhash_ALG_ARGON2ID13)
      == 0)
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "There is not enough memory to check the pass phrase");
  return FALSE;
}

static PhoneSecret *
unwrap (const Wrap *wrap, GError **error)
{
  g_autofree char *text = NULL;
  g_autoptr (GError) local = NULL;
  guint8 key[crypto_secretbox_KEYBYTES], private_key[STORE_SEAL_PRIVATE_KEY];
  gsize length = 0;
  PhoneSecret *secret = NULL;

  if (!g_file_get_contents (wrap->path, &text, &length, &local) || length != WRAPPED_LENGTH
      || memcmp (text, WRAPPED_MAGIC, WRAPPED_MAGIC_LENGTH) != 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", wrap->path, local ? local->message : "this is no key of ours");
      return NULL;
    }
  const guint8 *salt = (const guint8 *) text + WRAPPED_MAGIC_LENGTH, *nonce = salt + SALT, *box = nonce + NONCE;
  if (!stretch (wrap, salt, key, error))
    return NULL;
  if (crypto_secretbox_open_easy (private_key, box, crypto_secretbox_MACBYTES + STORE_SEAL_PRIVATE_KEY, nonce, key) == 0)
    secret = phone_secret_new ((const char *) private_key, sizeof private_key);
  else
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED, "This is not the pass phrase of the key of sealed files");
  sodium_memzero (key, sizeof key);
  sodium_memzero (private_key, sizeof private_key);
  return secret;
}

static gboolean
wrap_key (const Wrap *wrap, GError **error)
{
  guint8 file[WRAPPED_LENGTH], key[crypto_secretbox_KEYBYTES];
  guint8 *salt = file + WRAPPED_MAGIC_LENGTH, *nonce = salt + SALT, *box = nonce + NONCE;

  memcpy (file, WRAPPED_MAGIC, WRAPPED_MAGIC_LENGTH);
  randombytes_buf (salt, SALT + NONCE);
  if (!stretch (wrap, salt, key, error))
    return FALSE;
  crypto_secretbox_easy (box, (const guint8 *) phone_secret_peek (wrap->key), STORE_SEAL_PRIVATE_KEY, nonce, key);
  sodium_memzero (key, sizeof key);
  return phone_atomic_write (wrap->path, (const char *) file, sizeof file, 0600, error);
}

static void
run_wrap (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  const Wrap *wrap = data;
  GError *error = NULL;
  PhoneSecret *key = wrap->key ? (wrap_key (wrap, &error) ? phone_secret_ref (wrap->key) : NULL) : unwrap (wrap, &error);

  if (key)
    g_task_return_pointer (task, key, (GDestroyNotify) phone_secret_unref);
  else
    g_task_return_error (task, error);
}

static void
on_wrapped (GObject *source, GAsyncResult *result, gpointer data)
{
  Ask *ask = data;
  StoreSealKeys *keys = ask->keys;
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneSecret) key = g_task_propagate_pointer (G_TASK (result), &error);

  if (!keys)
    {
      ask_free (ask);
      return;
    }
  if (key && !keys->has_public)
    {
      take_public (keys, key);
      keys->has_public = save_public (keys, &error);
    }
  if (key && !error && !fits (keys, key))
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_STORAGE, "The key behind this pass phrase is not the one that files are sealed to");
  if (key && !error)
    {
      phone_secret_unref (keys->opened);
      keys->opened = phone_secret_ref (key);
    }
  answer (ask, error ? NULL : key, error);
}

void
store_seal_keys_unlock (StoreSealKeys *keys, PhoneSecret *pass_phrase, StoreSealKeysDone done, gpointer data)
{
  Ask *ask = ask_new (keys, done, data);
  Wrap *wrap;
  g_autoptr (GTask) task = NULL;
  g_autoptr (GError) error = NULL;
  gboolean fresh = !has_wrapped (keys);

  if (fresh && keys->has_public)
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE,
                         "The key of sealed files is not behind a pass phrase: it is in a keyring or a credential");
  else if (phone_secret_length (pass_phrase) == 0)
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The pass phrase is empty");
  else
    phone_make_directory (keys->folder, 0700, &error);
  if (error)
    {
      answer_later (ask, NULL, g_steal_pointer (&error), STORE_SEAL_KEY_NONE);
      return;
    }
  wrap = g_new0 (Wrap, 1);
  wrap->path = path_of (keys, WRAPPED_FILE);
  wrap->pass_phrase = phone_secret_ref (pass_phrase);
  wrap->key = fresh ? make_private () : NULL;
  task = g_task_new (NULL, ask->cancellable, on_wrapped, ask);
  g_task_set_task_data (task, wrap, wrap_free);
  g_task_run_in_thread (task, run_wrap);
}

void
store_seal_keys_lock (StoreSealKeys *keys)
{
  g_clear_pointer (&keys->opened, phone_secret_unref);
}

/* ---- reading ---- */

/* What needs no keyring. FALSE: it must be asked. */
static gboolean
find_at_hand (StoreSealKeys *keys, PhoneSecret **ret_key, StoreSealKeyState *ret_state)
{
  g_autoptr (PhoneSecret) credential = read_credential (keys);

  *ret_key = NULL;
  *ret_state = STORE_SEAL_KEY_READY;
  if (!keys->has_public)
    *ret_state = STORE_SEAL_KEY_NONE;
  else if (credential && fits (keys, credential))
    *ret_key = g_steal_pointer (&credential);
  else if (keys->opened)
    *ret_key = phone_secret_ref (keys->opened);
  else if (has_wrapped (keys))
    *ret_state = STORE_SEAL_KEY_LOCKED;
  else
    return FALSE;
  return TRUE;
}

void
store_seal_keys_load (StoreSealKeys *keys, gboolean unlock, StoreSealKeysDone done, gpointer data)
{
  Ask *ask = ask_new (keys, done, data);
  g_autoptr (PhoneSecret) key = NULL;
  StoreSealKeyState state;
  GError *error = NULL;

  if (!find_at_hand (keys, &key, &state))
    {
      ask_keyring (ask, unlock);
      return;
    }
  if (!key)
    g_set_error_literal (&error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED,
                         state == STORE_SEAL_KEY_NONE ? "There is no key of sealed files yet: nothing was ever sealed"
                                                      : "The key of sealed files is locked; it opens with its pass phrase");
  answer_later (ask, key, error, state);
}

void
store_seal_keys_check (StoreSealKeys *keys, StoreSealKeysState done, gpointer data)
{
  Ask *ask = ask_new (keys, NULL, data);
  g_autoptr (PhoneSecret) key = NULL;
  StoreSealKeyState state;

  ask->check = done;
  if (find_at_hand (keys, &key, &state))
    answer_later (ask, NULL, NULL, state);
  else
    ask_keyring (ask, FALSE);
}
