/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "config-private.h"
#include "util/config-parse.h"
#include "util/text.h"

#define MAX_FILES 1000          /* in one directory */
#define MAX_PROBLEMS 1000

/* ---- places ---- */

PhoneConfigDirs *
phone_config_dirs_new_for (const char *user, const char *system, const char *state, const char *credentials)
{
  PhoneConfigDirs *dirs = g_new0 (PhoneConfigDirs, 1);

  dirs->user = g_strdup (user);
  dirs->system = g_strdup (system);
  dirs->state = g_strdup (state);
  dirs->credentials = g_strdup (credentials);
  return dirs;
}

/* XDG Base Directory: a relative path in a variable is to be ignored. */
static char *
xdg_directory (const char *variable, const char *below_home)
{
  const char *value = g_getenv (variable);

  if (value != NULL && g_path_is_absolute (value))
    return g_build_filename (value, "phoned", NULL);
  return g_build_filename (g_get_home_dir (), below_home, "phoned", NULL);
}

PhoneConfigDirs *
phone_config_dirs_new (void)
{
  g_autofree char *user = xdg_directory ("XDG_CONFIG_HOME", ".config");
  g_autofree char *state = xdg_directory ("XDG_STATE_HOME", ".local/state");
  const char *credentials = g_getenv ("CREDENTIALS_DIRECTORY");

  return phone_config_dirs_new_for (user, "/etc/phoned", state,
                                    credentials != NULL && g_path_is_absolute (credentials) ? credentials : NULL);
}

void
phone_config_dirs_free (PhoneConfigDirs *dirs)
{
  if (dirs == NULL)
    return;
  g_free (dirs->user);
  g_free (dirs->system);
  g_free (dirs->state);
  g_free (dirs->credentials);
  g_free (dirs);
}

/* ---- problems ---- */

void
phone_config_add_problem (GPtrArray *problems, const char *format, ...)
{
  va_list args;
  g_autofree char *message = NULL;

  if (problems == NULL || problems->len >= MAX_PROBLEMS)
    return;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  /* File names may hold anything. */
  g_ptr_array_add (problems, phone_text_clean (message, -1, 2048));
}

/* ---- files ---- */

/* A link to /dev/null is the customary way to hide a drop-in. */
static gboolean
is_null_device (const struct stat *st)
{
  return S_ISCHR (st->st_mode) && st->st_rdev == makedev (1, 3);
}

static gboolean
read_all (int fd, gsize max, GByteArray *out)
{
  guint8 buffer[16384];

  while (out->len <= max)
    {
      ssize_t n = read (fd, buffer, sizeof buffer);
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return FALSE;
      if (n == 0)
        break;
      g_byte_array_append (out, buffer, (guint) n);
    }
  return TRUE;
}

char *
phone_config_read (const char *path, gsize max, gsize *ret_length, GError **error)
{
  g_autoptr (GByteArray) content = NULL;
  struct stat st;
  /* O_NONBLOCK: a FIFO must not stop us; symbolic links are what dotfile managers make. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  gboolean is_readable, ok = FALSE;

  *ret_length = 0;
  if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
    return NULL;
  content = g_byte_array_new ();
  is_readable = fd >= 0 && fstat (fd, &st) == 0;
  if (is_readable && !S_ISREG (st.st_mode) && !is_null_device (&st))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: not a regular file", path);
  else if (!is_readable || !read_all (fd, max, content))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", path, g_strerror (errno));
  else
    ok = TRUE;
  if (fd >= 0)
    close (fd);
  if (!ok)
    return NULL;
  *ret_length = content->len;
  g_byte_array_append (content, (const guint8 *) "", 1);
  return (char *) g_byte_array_free (g_steal_pointer (&content), FALSE);
}

static int
compare_strings (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *
phone_config_list (const char *directory, const char *suffix, guint max, GPtrArray *problems)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (GDir) dir = g_dir_open (directory, 0, &error);

  if (dir == NULL && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOENT)
      && !g_error_matches (error, G_FILE_ERROR, G_FILE_ERROR_NOTDIR))
    phone_config_add_problem (problems, "%s: %s", directory, error->message);
  for (const char *name; dir != NULL && (name = g_dir_read_name (dir)) != NULL;)
    {
      if (name[0] == '.' || !g_str_has_suffix (name, suffix))
        continue;
      if (names->len == max)
        {
          phone_config_add_problem (problems, "%s: more than %u files", directory, max);
          break;
        }
      g_ptr_array_add (names, g_strdup (name));
    }
  g_ptr_array_sort (names, compare_strings);
  return names;
}

static void
layer_free (gpointer data)
{
  PhoneConfigLayer *layer = data;
  g_free (layer->path);
  g_free (layer);
}

/* Takes path. */
static void
add_layer (GPtrArray *layers, char *path, gboolean is_user, gboolean is_dropin)
{
  PhoneConfigLayer *layer = g_new (PhoneConfigLayer, 1);
  layer->path = path;
  layer->is_user = is_user;
  layer->is_dropin = is_dropin;
  g_ptr_array_add (layers, layer);
}

GPtrArray *
phone_config_layers (const PhoneConfigDirs *dirs, const char *name, GPtrArray *problems)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func (layer_free);
  g_autofree char *dropins = g_strconcat (name, ".d", NULL);
  g_autofree char *system_dropins = g_build_filename (dirs->system, dropins, NULL);
  g_autofree char *user_dropins = g_build_filename (dirs->user, dropins, NULL);
  g_autoptr (GPtrArray) system_names = phone_config_list (system_dropins, ".conf", MAX_FILES, problems);
  g_autoptr (GPtrArray) user_names = phone_config_list (user_dropins, ".conf", MAX_FILES, problems);

  add_layer (layers, g_build_filename (dirs->system, name, NULL), FALSE, FALSE);
  for (guint i = 0; i < system_names->len; i++)
    if (!g_ptr_array_find_with_equal_func (user_names, system_names->pdata[i], g_str_equal, NULL))
      add_layer (layers, g_build_filename (system_dropins, system_names->pdata[i], NULL), FALSE, TRUE);
  add_layer (layers, g_build_filename (dirs->user, name, NULL), TRUE, FALSE);
  for (guint i = 0; i < user_names->len; i++)
    add_layer (layers, g_build_filename (user_dropins, user_names->pdata[i], NULL), TRUE, TRUE);
  return layers;
}

/* NULL: not there, or a problem (then *ret_ok is FALSE). */
static PhoneConfigFile *
parse_file (const char *path, GPtrArray *problems, gboolean *ret_ok)
{
  g_autoptr (GError) error = NULL;
  gsize length;
  g_autofree char *data = phone_config_read (path, PHONE_CONFIG_MAX_FILE, &length, &error);
  g_autoptr (PhoneConfigFile) file = NULL;

  if (error != NULL)
    {
      phone_config_add_problem (problems, "%s", error->message);
      *ret_ok = FALSE;
    }
  if (data == NULL)
    return NULL;
  file = phone_config_parse (data, length);
  for (guint i = 0; i < file->problems->len; i++)
    {
      const PhoneConfigProblem *problem = g_ptr_array_index (file->problems, i);
      if (problem->line > 0)
        phone_config_add_problem (problems, "%s:%u: %s", path, problem->line, problem->message);
      else
        phone_config_add_problem (problems, "%s: %s", path, problem->message);
      if (!problem->is_warning)
        *ret_ok = FALSE;
    }
  return g_steal_pointer (&file);
}

/* ---- phoned.conf ---- */

static void
load_daemon (const PhoneConfigDirs *dirs, PhoneConfig *config)
{
  g_autoptr (GPtrArray) layers = phone_config_layers (dirs, "phoned.conf", config->problems);

  for (guint i = 0; i < layers->len; i++)
    {
      const char *path = ((const PhoneConfigLayer *) g_ptr_array_index (layers, i))->path;
      gboolean ok = TRUE;
      g_autoptr (PhoneConfigFile) file = parse_file (path, config->problems, &ok);

      for (guint k = 0; file != NULL && k < file->entries->len; k++)
        {
          const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, k);
          g_autoptr (GError) error = NULL;
          if (!phone_daemon_settings_set (config->daemon, entry->section, entry->key, entry->value, &error))
            phone_config_add_problem (config->problems, "%s:%u: %s", path, entry->line, error->message);
        }
    }
}

/* ---- accounts.d ---- */

char *
phone_config_account_name (const char *id)
{
  return g_strdup_printf ("accounts.d/%s.conf", id);
}

gboolean
phone_config_apply_account_file (const char *path, PhoneAccountSettings *settings, GHashTable *origins, GPtrArray *problems)
{
  gboolean ok = TRUE;
  g_autoptr (PhoneConfigFile) file = parse_file (path, problems, &ok);

  for (guint i = 0; file != NULL && i < file->entries->len; i++)
    {
      const PhoneConfigEntry *entry = g_ptr_array_index (file->entries, i);
      g_autoptr (GError) error = NULL;

      if (!g_str_equal (entry->section, "account"))
        {
          phone_config_add_problem (problems, "%s:%u: [%s] %s: the file of an account has only the section [account]", path, entry->line,
                       entry->section, entry->key);
          ok = FALSE;
        }
      else if (!phone_account_settings_set (settings, entry->key, entry->value, &error))
        {
          phone_config_add_problem (problems, "%s:%u: [account] %s", path, entry->line, error->message);
          ok = FALSE;
        }
      else if (origins != NULL)
        g_hash_table_replace (origins, g_strdup (entry->key), g_strdup_printf ("%s:%u", path, entry->line));
    }
  return ok;
}

/* What is wrong with the whole is named by the key at the beginning of the message: where that key was set, else the last file. */
static void
add_validation_problem (GPtrArray *problems, GHashTable *origins, const char *last_path, const char *message)
{
  const char *colon = strchr (message, ':');
  g_autofree char *key = g_strndup (message, colon != NULL ? (gsize) (colon - message) : 0);
  const char *origin = g_hash_table_lookup (origins, key);

  phone_config_add_problem (problems, "%s: [account] %s", origin != NULL ? origin : last_path, message);
}

PhoneAccountSettings *
phone_config_load_account (const PhoneConfigDirs *dirs, const char *id, GPtrArray *problems)
{
  g_autofree char *name = phone_config_account_name (id);
  g_autoptr (GPtrArray) layers = phone_config_layers (dirs, name, problems);
  g_autoptr (GHashTable) origins = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneAccountSettings) settings = phone_account_settings_new (id, &error);
  const char *main_path = NULL;
  gboolean ok = TRUE;

  for (guint i = 0; i < layers->len; i++)
    {
      const PhoneConfigLayer *layer = g_ptr_array_index (layers, i);
      if (!layer->is_dropin && g_file_test (layer->path, G_FILE_TEST_EXISTS))
        main_path = layer->path;
    }
  if (settings == NULL)
    {
      phone_config_add_problem (problems, "%s: %s", main_path != NULL ? main_path : name, error->message);
      return NULL;
    }
  for (guint i = 0; i < layers->len; i++)
    if (!phone_config_apply_account_file (((const PhoneConfigLayer *) g_ptr_array_index (layers, i))->path, settings, origins, problems))
      ok = FALSE;
  if (ok && !phone_account_settings_validate (settings, &error))
    {
      add_validation_problem (problems, origins, main_path != NULL ? main_path : name, error->message);
      ok = FALSE;
    }
  return ok ? g_steal_pointer (&settings) : NULL;
}

/* Sorted ids of all accounts that have a file in either place. */
static GPtrArray *
list_accounts (const PhoneConfigDirs *dirs, GPtrArray *problems)
{
  const char *const places[] = { dirs->system, dirs->user };
  GPtrArray *ids = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *directory = g_build_filename (places[i], "accounts.d", NULL);
      g_autoptr (GPtrArray) names = phone_config_list (directory, ".conf", MAX_FILES, problems);
      for (guint k = 0; k < names->len; k++)
        {
          g_autofree char *id = g_strdup (names->pdata[k]);
          id[strlen (id) - strlen (".conf")] = '\0';
          if (!g_ptr_array_find_with_equal_func (ids, id, g_str_equal, NULL))
            g_ptr_array_add (ids, g_steal_pointer (&id));
        }
    }
  g_ptr_array_sort (ids, compare_strings);
  return ids;
}

PhoneConfig *
phone_config_load (const PhoneConfigDirs *dirs)
{
  PhoneConfig *config;
  g_autoptr (GPtrArray) ids = NULL;

  g_return_val_if_fail (dirs != NULL, NULL);

  config = g_new0 (PhoneConfig, 1);
  config->daemon = phone_daemon_settings_new ();
  config->accounts = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_account_settings_free);
  config->broken = g_ptr_array_new_with_free_func (g_free);
  config->problems = g_ptr_array_new_with_free_func (g_free);

  load_daemon (dirs, config);
  ids = list_accounts (dirs, config->problems);
  for (guint i = 0; i < ids->len; i++)
    {
      PhoneAccountSettings *settings = phone_config_load_account (dirs, ids->pdata[i], config->problems);
      if (settings != NULL)
        g_ptr_array_add (config->accounts, settings);
      else
        g_ptr_array_add (config->broken, g_strdup (ids->pdata[i]));
    }
  return config;
}

void
phone_config_free (PhoneConfig *config)
{
  if (config == NULL)
    return;
  phone_daemon_settings_free (config->daemon);
  g_ptr_array_unref (config->accounts);
  g_ptr_array_unref (config->broken);
  g_ptr_array_unref (config->problems);
  g_free (config);
}

/* ---- reload ---- */

const PhoneAccountSettings *
phone_config_find_account (const PhoneConfig *config, const char *id)
{
  g_return_val_if_fail (config != NULL && id != NULL, NULL);

  for (guint i = 0; i < config->accounts->len; i++)
    {
      const PhoneAccountSettings *settings = g_ptr_array_index (config->accounts, i);
      if (g_str_equal (settings->id, id))
        return settings;
    }
  return NULL;
}

static gboolean
is_running (const GPtrArray *running, const char *id)
{
  for (guint i = 0; i < running->len; i++)
    if (g_str_equal (((const PhoneAccountSettings *) g_ptr_array_index (running, i))->id, id))
      return TRUE;
  return FALSE;
}

PhoneConfigDiff *
phone_config_diff (const GPtrArray *running, const PhoneConfig *next)
{
  PhoneConfigDiff *diff;
  g_autoptr (GStrvBuilder) added = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) removed = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) changed = g_strv_builder_new ();

  g_return_val_if_fail (running != NULL && next != NULL, NULL);

  for (guint i = 0; i < running->len; i++)
    {
      const PhoneAccountSettings *old = g_ptr_array_index (running, i);
      const PhoneAccountSettings *settings = phone_config_find_account (next, old->id);
      if (settings == NULL && !g_ptr_array_find_with_equal_func (next->broken, old->id, g_str_equal, NULL))
        g_strv_builder_add (removed, old->id);
      if (settings != NULL && !phone_account_settings_equal (old, settings))
        g_strv_builder_add (changed, old->id);
    }
  for (guint i = 0; i < next->accounts->len; i++)
    {
      const char *id = ((const PhoneAccountSettings *) g_ptr_array_index (next->accounts, i))->id;
      if (!is_running (running, id))
        g_strv_builder_add (added, id);
    }

  diff = g_new (PhoneConfigDiff, 1);
  diff->added = g_strv_builder_end (added);
  diff->removed = g_strv_builder_end (removed);
  diff->changed = g_strv_builder_end (changed);
  return diff;
}

void
phone_config_diff_free (PhoneConfigDiff *diff)
{
  if (diff == NULL)
    return;
  g_strfreev (diff->added);
  g_strfreev (diff->removed);
  g_strfreev (diff->changed);
  g_free (diff);
}
