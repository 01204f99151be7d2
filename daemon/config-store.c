/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a client changes goes into the user's own files and nowhere else. A change that those files could not keep over a
 * restart, because something above them has the last word, is refused and says what has it. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config-private.h"
#include "emergency-note.h"
#include "util/atomic-file.h"
#include "util/config-parse.h"

#define NEW_FILE "# A phoned account, see phoned.conf(5).\n"

struct _PhoneConfigStore
{
  PhoneConfigDirs *dirs;
  EmergencyNote *emergency;
};

PhoneConfigStore *
phone_config_store_new (const PhoneConfigDirs *dirs)
{
  PhoneConfigStore *store;
  g_autofree char *emergency = NULL;

  g_return_val_if_fail (dirs != NULL, NULL);
  store = g_new (PhoneConfigStore, 1);
  store->dirs = phone_config_dirs_new_for (dirs->user, dirs->system, dirs->state, dirs->credentials);
  emergency = g_build_filename (dirs->state, "emergency-call", NULL);
  store->emergency = emergency_note_new (emergency);
  return store;
}

void
phone_config_store_free (PhoneConfigStore *store)
{
  if (store == NULL)
    return;
  phone_config_dirs_free (store->dirs);
  emergency_note_free (store->emergency);
  g_free (store);
}

/* ---- accounts ---- */

/* The pairs that the user's file needs on top of what lies below it. "" brings back a default that /etc has changed. */
static GStrv
make_pairs (const PhoneAccountSettings *settings, const PhoneAccountSettings *below)
{
  g_autoptr (GStrvBuilder) pairs = g_strv_builder_new ();

  for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
    {
      g_autofree char *value = phone_account_settings_get (settings, *key);
      g_autofree char *value_below = phone_account_settings_get (below, *key);
      if (g_strcmp0 (value, value_below) != 0)
        g_strv_builder_add_many (pairs, *key, value != NULL ? value : "", NULL);
    }
  return g_strv_builder_end (pairs);
}

/* The user's drop-ins come after the file that is being written: none of them may change what was asked for. */
static gboolean
check_dropins (GPtrArray *layers, const PhoneAccountSettings *settings, GError **error)
{
  g_autoptr (PhoneAccountSettings) after = phone_account_settings_copy (settings);

  for (guint i = 0; i < layers->len; i++)
    {
      const PhoneConfigLayer *layer = g_ptr_array_index (layers, i);
      if (!layer->is_user || !layer->is_dropin)
        continue;
      phone_config_apply_account_file (layer->path, after, NULL, NULL);
      for (const char *const *key = phone_account_settings_keys (); *key != NULL; key++)
        {
          g_autofree char *wanted = phone_account_settings_get (settings, *key);
          g_autofree char *got = phone_account_settings_get (after, *key);
          if (g_strcmp0 (wanted, got) != 0)
            {
              g_set_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED, "%s: is set in %s", *key, layer->path);
              return FALSE;
            }
        }
    }
  return TRUE;
}

/* TRUE if text, read over what lies below, gives the settings. */
static gboolean
gives (const char *text, const PhoneAccountSettings *below, const PhoneAccountSettings *settings)
{
  g_autoptr (PhoneConfigFile) file = phone_config_parse (text, strlen (text));
  g_autoptr (PhoneAccountSettings) got = phone_account_settings_copy (below);

  for (guint i = 0; i < file->problems->len; i++)
    if (!((const PhoneConfigProblem *) g_ptr_array_index (file->problems, i))->is_warning)
      return FALSE;
  for (guint i = 0; i < file->entries->len; i++)
    {
      const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, i);
      if (!g_str_equal (entry->section, "account") || !phone_account_settings_set (got, entry->key, entry->value, NULL))
        return FALSE;
    }
  return phone_account_settings_equal (got, settings);
}

static gboolean
make_parent (const char *path, GError **error)
{
  g_autofree char *directory = g_path_get_dirname (path);
  return phone_make_directory (directory, 0700, error);
}

static gboolean
account_save (gpointer data, const PhoneAccountSettings *settings, GError **error)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autofree char *name = phone_config_account_name (settings->id);
  g_autofree char *path = g_build_filename (dirs->user, name, NULL);
  g_autoptr (GPtrArray) layers = phone_config_layers (dirs, name, NULL);
  g_autoptr (PhoneAccountSettings) below = phone_account_settings_new (settings->id, error);
  g_auto (GStrv) pairs = NULL;
  g_autofree char *old = NULL;
  g_autofree char *text = NULL;
  gsize length;

  if (below == NULL)
    return FALSE;
  for (guint i = 0; i < layers->len; i++)
    {
      const PhoneConfigLayer *layer = g_ptr_array_index (layers, i);
      if (!layer->is_user)
        phone_config_apply_account_file (layer->path, below, NULL, NULL);
    }
  if (!check_dropins (layers, settings, error))
    return FALSE;

  pairs = make_pairs (settings, below);
  /* An old file that cannot be read is replaced. */
  old = phone_config_read (path, PHONE_CONFIG_MAX_FILE, &length, NULL);
  if (old == NULL)
    {
      old = g_strdup (NEW_FILE);
      length = strlen (NEW_FILE);
    }
  text = phone_config_rewrite (old, length, "account", (const char *const *) pairs);
  if (!gives (text, below, settings))
    {
      /* Something in the old file is in the way; the settings count for more than its comments. */
      g_free (text);
      text = phone_config_rewrite (NEW_FILE, strlen (NEW_FILE), "account", (const char *const *) pairs);
    }
  return make_parent (path, error) && phone_atomic_write (path, text, strlen (text), 0600, error);
}

static char *
secret_path (const PhoneConfigDirs *dirs, const char *id)
{
  return g_build_filename (dirs->state, "secrets", id, NULL);
}

/* An account's id has no dot. */
static char *
turn_secret_path (const PhoneConfigDirs *dirs, const char *id)
{
  g_autofree char *name = g_strconcat (id, ".turn", NULL);

  return secret_path (dirs, name);
}

static gboolean
account_delete (gpointer data, const char *id, GError **error)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autofree char *name = phone_config_account_name (id);
  g_autofree char *system_path = g_build_filename (dirs->system, name, NULL);
  g_autofree char *path = g_build_filename (dirs->user, name, NULL);
  g_autofree char *secret = secret_path (dirs, id), *turn_secret = turn_secret_path (dirs, id);
  g_autofree char *dropins = g_strconcat (path, ".d", NULL);
  g_autoptr (PhoneAccountSettings) valid = phone_account_settings_new (id, error);
  g_autoptr (GPtrArray) layers = NULL;

  /* The id becomes a file name: nothing else may. */
  if (valid == NULL)
    return FALSE;
  if (g_file_test (system_path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED, "The account %s comes from %s; it can be disabled but not removed", id,
                   system_path);
      return FALSE;
    }
  if (!g_file_test (path, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ACCOUNT, "There is no file %s", path);
      return FALSE;
    }

  layers = phone_config_layers (dirs, name, NULL);
  if (!phone_atomic_remove (path, error))
    return FALSE;
  /* Left behind, they would come back with the next account of that name. */
  for (guint i = 0; i < layers->len; i++)
    {
      const PhoneConfigLayer *layer = g_ptr_array_index (layers, i);
      if (layer->is_user && layer->is_dropin && !phone_atomic_remove (layer->path, error))
        return FALSE;
    }
  (void) rmdir (dropins);
  return phone_atomic_remove (secret, error) && phone_atomic_remove (turn_secret, error);
}

/* ---- passwords ---- */

/* is_ours: the file must belong to us and be closed to everybody else. NULL without error: no such file. */
static PhoneSecret *
read_secret (const char *path, gboolean is_ours, GError **error)
{
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  g_autoptr (PhoneSecret) secret = NULL;
  g_autoptr (GError) local = NULL;
  struct stat st;

  if (fd < 0 && errno == ENOENT)
    return NULL;
  if (fd < 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", path,
                   errno == ELOOP ? "is a symbolic link" : g_strerror (errno));
      return NULL;
    }
  if (fstat (fd, &st) != 0 || !S_ISREG (st.st_mode))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: not a regular file", path);
  else if (is_ours && st.st_uid != geteuid ())
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: belongs to another user (uid %u)", path, (guint) st.st_uid);
  else if (is_ours && (st.st_mode & 077) != 0)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: has mode %04o, others could read it; it must be 0600 (chmod 600)", path,
                 (guint) st.st_mode & 07777);
  else if ((secret = phone_secret_read_fd (fd, &local)) == NULL)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", path, local->message);
  else if (phone_secret_length (secret) == 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: is empty", path);
      g_clear_pointer (&secret, phone_secret_unref);
    }
  close (fd);
  return g_steal_pointer (&secret);
}

static char *
credential_path (const PhoneConfigDirs *dirs, const char *id)
{
  g_autofree char *name = g_strconcat ("phoned-", id, NULL);
  return dirs->credentials != NULL ? g_build_filename (dirs->credentials, name, NULL) : NULL;
}

static PhoneSecret *
secret_load (gpointer data, const PhoneAccountSettings *settings, GError **error)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autofree char *credential = credential_path (dirs, settings->id);
  g_autofree char *state = secret_path (dirs, settings->id);
  g_autoptr (GError) local = NULL;
  PhoneSecret *secret = credential != NULL ? read_secret (credential, FALSE, &local) : NULL;

  if (secret == NULL && local == NULL && settings->password_file != NULL)
    {
      secret = read_secret (settings->password_file, TRUE, &local);
      /* It was named: that it is missing must not go unnoticed. */
      if (secret == NULL && local == NULL)
        g_set_error (&local, PHONE_ERROR, PHONE_ERROR_STORAGE, "password-file: %s does not exist", settings->password_file);
    }
  else if (secret == NULL && local == NULL)
    secret = read_secret (state, TRUE, &local);
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return secret;
}

static PhoneSecret *
turn_secret_load (gpointer data, const PhoneAccountSettings *settings, GError **error)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autofree char *name = g_strconcat (settings->id, "-turn", NULL);
  g_autofree char *credential = credential_path (dirs, name);
  g_autoptr (GError) local = NULL;
  PhoneSecret *secret = credential != NULL ? read_secret (credential, FALSE, &local) : NULL;

  if (secret == NULL && local == NULL && settings->turn_password_file != NULL)
    {
      secret = read_secret (settings->turn_password_file, TRUE, &local);
      if (secret == NULL && local == NULL)
        g_set_error (&local, PHONE_ERROR, PHONE_ERROR_STORAGE, "turn-password-file: %s does not exist", settings->turn_password_file);
    }
  else if (secret == NULL && local == NULL)
    {
      g_autofree char *path = turn_secret_path (dirs, settings->id);

      secret = read_secret (path, TRUE, &local);
    }
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return secret;
}

/* What goes before the state folder in secret_load(), or NULL. */
static char *
find_override (const PhoneConfigDirs *dirs, const char *id, gboolean turn)
{
  g_autofree char *name = g_strconcat (id, turn ? "-turn" : NULL, NULL);
  g_autofree char *credential = credential_path (dirs, name);
  g_autoptr (PhoneAccountSettings) settings = NULL;

  if (credential != NULL && g_file_test (credential, G_FILE_TEST_EXISTS))
    return g_strdup_printf ("the credential %s", credential);
  settings = phone_config_load_account (dirs, id, NULL);
  if (turn)
    return settings != NULL && settings->turn_password_file != NULL ? g_strdup_printf ("turn-password-file=%s", settings->turn_password_file) : NULL;
  if (settings != NULL && settings->password_file != NULL)
    return g_strdup_printf ("password-file=%s", settings->password_file);
  return NULL;
}

/* The folder may be older than we are, and laxer. */
static gboolean
make_private_directory (const char *path, GError **error)
{
  struct stat st;

  if (!phone_make_directory (path, 0700, error))
    return FALSE;
  if (lstat (path, &st) == 0 && S_ISDIR (st.st_mode) && st.st_uid == geteuid ()
      && ((st.st_mode & 077) == 0 || chmod (path, 0700) == 0))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: must be a directory of ours with mode 0700", path);
  return FALSE;
}

static gboolean
save (const PhoneConfigDirs *dirs, const char *account_id, gboolean turn, PhoneSecret *secret, GError **error)
{
  g_autoptr (PhoneAccountSettings) valid = phone_account_settings_new (account_id, error);
  g_autofree char *override = NULL;
  g_autofree char *path = NULL;
  g_autofree char *directory = NULL;

  if (valid == NULL)
    return FALSE;
  override = find_override (dirs, account_id, turn);
  if (override != NULL)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_POLICY_DENIED, "The %spassword of %s comes from %s", turn ? "TURN " : "", account_id, override);
      return FALSE;
    }
  path = turn ? turn_secret_path (dirs, account_id) : secret_path (dirs, account_id);
  /* Reading takes a newline at the end for that of an editor. */
  if (strlen (phone_secret_peek (secret)) != phone_secret_length (secret) || g_str_has_suffix (phone_secret_peek (secret), "\n"))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A password has no NUL and does not end in a newline");
      return FALSE;
    }
  if (phone_secret_length (secret) == 0)
    return phone_atomic_remove (path, error);

  directory = g_path_get_dirname (path);
  if (!make_private_directory (directory, error))
    return FALSE;
  return phone_atomic_write (path, phone_secret_peek (secret), phone_secret_length (secret), 0600, error);
}

static gboolean
secret_save (gpointer data, const char *account_id, PhoneSecret *secret, GError **error)
{
  return save (((PhoneConfigStore *) data)->dirs, account_id, FALSE, secret, error);
}

static gboolean
turn_secret_save (gpointer data, const char *account_id, PhoneSecret *secret, GError **error)
{
  return save (((PhoneConfigStore *) data)->dirs, account_id, TRUE, secret, error);
}

/* ---- choices ---- */

#define CHOICES_GROUP "choices"

static char *
choices_path (const PhoneConfigDirs *dirs)
{
  return g_build_filename (dirs->state, "choices.conf", NULL);
}

/* Nothing is lost with a file that cannot be read: the configuration counts again. */
static GKeyFile *
read_choices (const PhoneConfigDirs *dirs)
{
  g_autofree char *path = choices_path (dirs);
  GKeyFile *file = g_key_file_new ();

  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
  return file;
}

static char *
choice_load (gpointer data, const char *key)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autoptr (GKeyFile) file = read_choices (dirs);

  return g_key_file_get_string (file, CHOICES_GROUP, key, NULL);
}

static gboolean
choice_save (gpointer data, const char *key, const char *value, GError **error)
{
  const PhoneConfigDirs *dirs = ((PhoneConfigStore *) data)->dirs;
  g_autoptr (GKeyFile) file = read_choices (dirs);
  g_autofree char *path = choices_path (dirs);
  g_autofree char *text = NULL;
  gsize length;

  if (value)
    g_key_file_set_string (file, CHOICES_GROUP, key, value);
  else if (!g_key_file_remove_key (file, CHOICES_GROUP, key, NULL))
    return TRUE;
  text = g_key_file_to_data (file, &length, NULL);
  return phone_make_directory (dirs->state, 0700, error) && phone_atomic_write (path, text, length, 0600, error);
}

static gint64
emergency_load (gpointer data)
{
  return emergency_note_load (((PhoneConfigStore *) data)->emergency);
}

static gboolean
emergency_save (gpointer data, gint64 at, GError **error)
{
  return emergency_note_save (((PhoneConfigStore *) data)->emergency, at, error);
}

const PhoneStoreOps phone_config_store_ops = {
  .account_save = account_save,
  .account_delete = account_delete,
  .secret_load = secret_load,
  .turn_secret_load = turn_secret_load,
  .secret_save = secret_save,
  .turn_secret_save = turn_secret_save,
  .choice_load = choice_load,
  .choice_save = choice_save,
  .emergency_load = emergency_load,
  .emergency_save = emergency_save,
};
