/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The key of sealed files, behind a credential and behind a pass phrase; the keyring is in tests/system. */

#include <glib/gstdio.h>
#include <string.h>

#include "store/seal-keys.h"

#define CREDENTIAL_KEY "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

typedef struct
{
  char *folder, *credentials;
  StoreSealKeys *keys;
  GMainLoop *loop;
  PhoneSecret *key;
  GError *error;
  StoreSealKeyState state;
} Fixture;

static void
open_keys (Fixture *f, gboolean with_credentials)
{
  store_seal_keys_free (f->keys);
  f->keys = store_seal_keys_new (f->folder, with_credentials ? f->credentials : NULL);
}

static void
set_up (Fixture *f, gconstpointer unused)
{
  f->folder = g_dir_make_tmp ("keys-XXXXXX", NULL);
  f->credentials = g_build_filename (f->folder, "credentials", NULL);
  g_mkdir (f->credentials, 0700);
  f->loop = g_main_loop_new (NULL, FALSE);
  open_keys (f, FALSE);
}

static void
tear_down (Fixture *f, gconstpointer unused)
{
  static const char *const names[] = { "seal.pub", "seal.key", "credentials/phoned-seal-key", "credentials" };

  store_seal_keys_free (f->keys);
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *path = g_build_filename (f->folder, names[i], NULL);
      g_remove (path);
    }
  g_assert_cmpint (g_rmdir (f->folder), ==, 0);
  g_clear_pointer (&f->key, phone_secret_unref);
  g_clear_error (&f->error);
  g_main_loop_unref (f->loop);
  g_free (f->folder);
  g_free (f->credentials);
}

static void
on_done (PhoneSecret *key, const GError *error, gpointer data)
{
  Fixture *f = data;

  g_clear_pointer (&f->key, phone_secret_unref);
  g_clear_error (&f->error);
  f->key = key != NULL ? phone_secret_ref (key) : NULL;
  f->error = error != NULL ? g_error_copy (error) : NULL;
  g_main_loop_quit (f->loop);
}

static void
on_state (StoreSealKeyState state, gpointer data)
{
  Fixture *f = data;

  f->state = state;
  g_main_loop_quit (f->loop);
}

static StoreSealKeyState
check (Fixture *f)
{
  store_seal_keys_check (f->keys, on_state, f);
  g_main_loop_run (f->loop);
  return f->state;
}

static void
unlock (Fixture *f, const char *pass_phrase)
{
  g_autoptr (PhoneSecret) secret = phone_secret_new (pass_phrase, -1);

  store_seal_keys_unlock (f->keys, secret, on_done, f);
  g_main_loop_run (f->loop);
}

static void
load (Fixture *f)
{
  store_seal_keys_load (f->keys, FALSE, on_done, f);
  g_main_loop_run (f->loop);
}

static void
assert_pair (Fixture *f)
{
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];

  g_assert_no_error (f->error);
  g_assert_nonnull (f->key);
  store_seal_derive_public ((const guint8 *) phone_secret_peek (f->key), public_key);
  g_assert_cmpmem (public_key, sizeof public_key, store_seal_keys_get_public (f->keys), STORE_SEAL_PUBLIC_KEY);
}

static void
test_credential (Fixture *f, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (f->credentials, "phoned-seal-key", NULL);

  g_assert_true (g_file_set_contents (path, CREDENTIAL_KEY "\n", -1, NULL));
  open_keys (f, TRUE);
  g_assert_cmpint (check (f), ==, STORE_SEAL_KEY_READY);
  load (f);
  assert_pair (f);
  g_assert_cmpint (phone_secret_peek (f->key)[31], ==, 0x1f);

  /* one digit is missing: it is not used, and not taken for a shorter key */
  g_assert_true (g_file_set_contents (path, CREDENTIAL_KEY, 63, NULL));
  open_keys (f, TRUE);
  g_assert_null (store_seal_keys_get_public (f->keys));
}

static void
test_pass_phrase (Fixture *f, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (f->folder, "seal.key", NULL);
  g_autofree char *text = NULL;
  guint8 public_key[STORE_SEAL_PUBLIC_KEY];
  GStatBuf info;
  gsize length;

  g_assert_null (store_seal_keys_get_public (f->keys));
  g_assert_cmpint (check (f), ==, STORE_SEAL_KEY_NONE);
  load (f);
  g_assert_error (f->error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED);
  unlock (f, "");
  g_assert_error (f->error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  unlock (f, "correct horse");
  assert_pair (f);
  memcpy (public_key, store_seal_keys_get_public (f->keys), sizeof public_key);
  g_assert_cmpint (g_stat (path, &info), ==, 0);
  g_assert_cmpuint (info.st_mode & 0777, ==, 0600);

  /* the next life: it can be sealed to at once, and read after the pass phrase */
  open_keys (f, FALSE);
  g_assert_cmpmem (public_key, sizeof public_key, store_seal_keys_get_public (f->keys), STORE_SEAL_PUBLIC_KEY);
  g_assert_cmpint (check (f), ==, STORE_SEAL_KEY_LOCKED);
  load (f);
  g_assert_error (f->error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED);
  unlock (f, "correct house");
  g_assert_error (f->error, PHONE_ERROR, PHONE_ERROR_AUTH_FAILED);
  g_assert_cmpint (check (f), ==, STORE_SEAL_KEY_LOCKED);
  unlock (f, "correct horse");
  assert_pair (f);
  load (f);
  assert_pair (f);
  store_seal_keys_lock (f->keys);
  g_assert_cmpint (check (f), ==, STORE_SEAL_KEY_LOCKED);

  /* a file that is not whole is told from a wrong pass phrase */
  g_assert_true (g_file_get_contents (path, &text, &length, NULL));
  g_assert_true (g_file_set_contents (path, text, (gssize) length - 1, NULL));
  unlock (f, "correct horse");
  g_assert_error (f->error, PHONE_ERROR, PHONE_ERROR_STORAGE);
}

/* Nobody is told after the end. */
static void
on_never (PhoneSecret *key, const GError *error, gpointer data)
{
  g_assert_not_reached ();
}

static gboolean
on_enough (gpointer loop)
{
  g_main_loop_quit (loop);
  return G_SOURCE_REMOVE;
}

static void
test_freed (Fixture *f, gconstpointer unused)
{
  g_autoptr (PhoneSecret) secret = phone_secret_new ("short-lived", -1);

  store_seal_keys_load (f->keys, FALSE, on_never, f);
  store_seal_keys_unlock (f->keys, secret, on_never, f);
  g_clear_pointer (&f->keys, store_seal_keys_free);
  /* argon2id takes its time in a thread; the result must find nobody. Not awaited by an event: there is to be none. */
  g_timeout_add (1500, on_enough, f->loop);
  g_main_loop_run (f->loop);
}

#define TEST(name, function) g_test_add ("/seal-keys/" name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  TEST ("credential", test_credential);
  TEST ("pass-phrase", test_pass_phrase);
  TEST ("freed", test_freed);
  return g_test_run ();
}
