/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "store/vault.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/seal-keys.h"
#include "util/atomic-file.h"
#include "util/log.h"
#include "util/text.h"

#define GROUP "recording"
#define READER_SECONDS 120              /* that a client may leave its end of the pipe unread */
#define MAX_READERS 16
#define MAX_INFO (64 * 1024)            /* octets of an info file that we read */
#define LIMITS_EVERY_S 3600

/* Shared with sinks and readers, which live on other threads and may outlive the vault. */
typedef struct
{
  gint references;                      /* atomic */
  StoreVault *vault;                    /* main thread; NULL: it is gone */
  gint readers;                         /* atomic */
} Link;

struct _StoreVault
{
  char *folder;
  StoreSealKeys *keys;
  GPtrArray *recordings;                /* PhoneRecording, newest first */
  Link *link;
  PhoneVaultChanged changed;
  gpointer changed_data;
  struct
  {
    guint days;
    guint64 octets;
  } limits[phone_recording_kind_n_values];
  guint limits_timer;
};

static Link *
link_ref (Link *link)
{
  g_atomic_int_inc (&link->references);
  return link;
}

static void
link_unref (Link *link)
{
  if (g_atomic_int_dec_and_test (&link->references))
    g_free (link);
}

/* ---- files ---- */

static char *
path_of (const char *folder, const char *id, const char *suffix)
{
  g_autofree char *name = g_strconcat (id, suffix, NULL);
  return g_build_filename (folder, name, NULL);
}

static void
set_text (GKeyFile *file, const char *key, const char *value)
{
  g_autofree char *clean = phone_text_clean (value, -1, 1024);

  if (clean && *clean)
    g_key_file_set_string (file, GROUP, key, clean);
}

/* Any thread. */
static gboolean
save_info (const char *folder, const PhoneRecording *recording, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = path_of (folder, recording->id, ".info");
  g_autofree char *text = NULL;
  gsize length;

  g_key_file_set_string (file, GROUP, "kind", phone_recording_kind_to_string (recording->kind));
  g_key_file_set_string (file, GROUP, "state", phone_recording_state_to_string (recording->state));
  g_key_file_set_string (file, GROUP, "format", phone_recording_format_to_string (recording->format));
  set_text (file, "account", recording->account);
  set_text (file, "call", recording->call_id);
  g_key_file_set_string (file, GROUP, "direction", recording->outgoing ? "outgoing" : "incoming");
  set_text (file, "remote-uri", recording->remote_uri);
  set_text (file, "remote-name", recording->remote_name);
  g_key_file_set_int64 (file, GROUP, "start", recording->start);
  g_key_file_set_uint64 (file, GROUP, "ms", recording->ms);
  g_key_file_set_boolean (file, GROUP, "heard", recording->heard);
  text = g_key_file_to_data (file, &length, NULL);
  return phone_atomic_write (path, text, length, 0600, error);
}

static void
take_text (GKeyFile *file, const char *key, char **member)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, key, NULL);
  g_autofree char *clean = value ? phone_text_clean (value, -1, 1024) : NULL;

  if (clean)
    {
      g_free (*member);
      *member = g_steal_pointer (&clean);
    }
}

static void
load_info (const char *folder, PhoneRecording *recording)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *path = path_of (folder, recording->id, ".info");
  g_autofree char *kind = NULL, *state = NULL, *format = NULL, *direction = NULL;
  GStatBuf info;

  if (g_lstat (path, &info) != 0 || !S_ISREG (info.st_mode) || info.st_size > MAX_INFO
      || !g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL))
    return;
  kind = g_key_file_get_string (file, GROUP, "kind", NULL);
  state = g_key_file_get_string (file, GROUP, "state", NULL);
  format = g_key_file_get_string (file, GROUP, "format", NULL);
  direction = g_key_file_get_string (file, GROUP, "direction", NULL);
  if (kind)
    phone_recording_kind_from_string (kind, &recording->kind);
  if (state)
    phone_recording_state_from_string (state, &recording->state);
  if (format)
    phone_recording_format_from_string (format, &recording->format);
  recording->outgoing = g_strcmp0 (direction, "outgoing") == 0;
  take_text (file, "account", &recording->account);
  take_text (file, "call", &recording->call_id);
  take_text (file, "remote-uri", &recording->remote_uri);
  take_text (file, "remote-name", &recording->remote_name);
  recording->start = MAX (g_key_file_get_int64 (file, GROUP, "start", NULL), 0);
  recording->ms = g_key_file_get_uint64 (file, GROUP, "ms", NULL);
  recording->heard = g_key_file_get_boolean (file, GROUP, "heard", NULL);
}

static gint
compare_start (gconstpointer a, gconstpointer b)
{
  const PhoneRecording *x = *(PhoneRecording *const *) a, *y = *(PhoneRecording *const *) b;

  return x->start != y->start ? (x->start < y->start ? 1 : -1) : strcmp (x->id, y->id);
}

/* A recording that still runs as its info says was cut off: nobody writes at the start. */
static void
load_all (StoreVault *vault)
{
  g_autoptr (GDir) dir = g_dir_open (vault->folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *id = g_str_has_suffix (name, ".seal") ? g_strndup (name, strlen (name) - strlen (".seal")) : NULL;
      g_autofree char *path = g_build_filename (vault->folder, name, NULL);
      GStatBuf info;

      if (!id || !g_uuid_string_is_valid (id) || g_lstat (path, &info) != 0 || !S_ISREG (info.st_mode))
        continue;
      PhoneRecording *recording = phone_recording_new (PHONE_RECORDING_CALL);
      g_free (recording->id);
      recording->id = g_steal_pointer (&id);
      recording->state = PHONE_RECORDING_CUT_OFF;
      recording->start = info.st_mtime;
      recording->octets = (guint64) info.st_size;
      load_info (vault->folder, recording);
      if (recording->state == PHONE_RECORDING_RUNNING)
        recording->state = PHONE_RECORDING_CUT_OFF;
      g_ptr_array_add (vault->recordings, recording);
    }
  g_ptr_array_sort (vault->recordings, compare_start);
}

static PhoneRecording *
find (StoreVault *vault, const char *id, GError **error)
{
  for (guint i = 0; i < vault->recordings->len; i++)
    {
      PhoneRecording *recording = g_ptr_array_index (vault->recordings, i);
      if (g_str_equal (recording->id, id))
        return recording;
    }
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NO_SUCH_ENTRY, "There is no recording of this id");
  return NULL;
}

static void
tell (StoreVault *vault, const char *id)
{
  if (vault->changed)
    vault->changed (id, vault->changed_data);
}

/* ---- life ---- */

static void
free_recording (gpointer data)
{
  phone_recording_free (data);
}

StoreVault *
store_vault_new (const char *folder, const char *credentials)
{
  StoreVault *vault = g_new0 (StoreVault, 1);

  vault->folder = g_strdup (folder);
  vault->keys = store_seal_keys_new (folder, credentials);
  vault->recordings = g_ptr_array_new_with_free_func (free_recording);
  vault->link = g_new0 (Link, 1);
  vault->link->references = 1;
  vault->link->vault = vault;
  load_all (vault);
  return vault;
}

void
store_vault_free (StoreVault *vault)
{
  if (!vault)
    return;
  g_clear_handle_id (&vault->limits_timer, g_source_remove);
  vault->link->vault = NULL;
  link_unref (vault->link);
  store_seal_keys_free (vault->keys);
  g_ptr_array_unref (vault->recordings);
  g_free (vault->folder);
  g_free (vault);
}

/* ---- retention ---- */

static gboolean
delete_files (StoreVault *vault, const char *id, GError **error)
{
  g_autofree char *info = path_of (vault->folder, id, ".info");
  g_autofree char *seal = path_of (vault->folder, id, ".seal");

  /* The sound first: an info that is left over names nobody's voice. */
  return phone_atomic_remove (seal, error) && phone_atomic_remove (info, error);
}

static void
apply_limits (StoreVault *vault)
{
  gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  guint64 octets[phone_recording_kind_n_values] = { 0 };

  for (guint i = 0; i < vault->recordings->len;)
    {
      PhoneRecording *recording = g_ptr_array_index (vault->recordings, i);
      guint days = vault->limits[recording->kind].days;
      guint64 most = vault->limits[recording->kind].octets;
      gboolean over = (days > 0 && recording->start < now - (gint64) days * 86400)
                      || (most > 0 && octets[recording->kind] + recording->octets > most);
      g_autoptr (GError) error = NULL;

      if (recording->state == PHONE_RECORDING_RUNNING || !over)
        {
          octets[recording->kind] += recording->octets;
          i++;
          continue;
        }
      g_autofree char *id = g_strdup (recording->id);
      if (!delete_files (vault, id, &error))
        {
          phone_log_warning (NULL, "An old recording cannot be deleted: %s", error->message);
          i++;
          continue;
        }
      phone_log_notice (NULL, "Recording %s is over the limit of age or size; deleted", id);
      g_ptr_array_remove_index (vault->recordings, i);
      tell (vault, id);
    }
}

static gboolean
on_limits_timer (gpointer data)
{
  apply_limits (data);
  return G_SOURCE_CONTINUE;
}

/* They grow old also while nothing new is recorded. */
void
store_vault_set_limits (StoreVault *vault, PhoneRecordingKind kind, guint days, guint64 octets)
{
  vault->limits[kind].days = days;
  vault->limits[kind].octets = octets;
  apply_limits (vault);
  if (days > 0 && !vault->limits_timer)
    vault->limits_timer = g_timeout_add_seconds (LIMITS_EVERY_S, on_limits_timer, vault);
}

/* ---- writing ---- */

typedef struct
{
  PhoneByteSink sink;
  Link *link;
  GMainContext *context;
  char *folder;
  StoreSealWriter *writer;
  PhoneRecording *recording;
} Sink;

static gboolean
sink_write (PhoneByteSink *sink, gconstpointer data, gsize length, GError **error)
{
  return store_seal_writer_write (((Sink *) sink)->writer, data, length, error);
}

static gboolean
sink_sync (PhoneByteSink *sink, GError **error)
{
  return store_seal_writer_sync (((Sink *) sink)->writer, error);
}

static void
sink_free (gpointer data)
{
  Sink *self = data;

  link_unref (self->link);
  g_main_context_unref (self->context);
  phone_recording_free (self->recording);
  g_free (self->folder);
  g_free (self);
}

static gboolean
on_sink_closed (gpointer data)
{
  Sink *self = data;
  StoreVault *vault = self->link->vault;
  PhoneRecording *recording = vault ? find (vault, self->recording->id, NULL) : NULL;

  if (recording)
    {
      recording->state = self->recording->state;
      recording->ms = self->recording->ms;
      recording->octets = self->recording->octets;
      if (recording->heard && !save_info (vault->folder, recording, NULL))      /* the sink did not know */
        recording->heard = FALSE;
      phone_log_info (NULL, "Recording %s ends: %s, %.1f s", recording->id, phone_recording_state_to_string (recording->state),
                      (double) recording->ms / 1000);
      tell (vault, recording->id);
      apply_limits (vault);
    }
  return G_SOURCE_REMOVE;
}

/* The info is written here, where the sound was: at the end of the daemon the main loop may not turn any more. */
static void
sink_close (PhoneByteSink *sink, gboolean complete, guint64 ms)
{
  Sink *self = (Sink *) sink;
  g_autoptr (GError) error = NULL;
  g_autofree char *path = path_of (self->folder, self->recording->id, ".seal");
  GStatBuf info;

  complete = complete && store_seal_writer_finish (self->writer, &error);
  g_clear_pointer (&self->writer, store_seal_writer_free);
  self->recording->state = complete ? PHONE_RECORDING_WHOLE : PHONE_RECORDING_CUT_OFF;
  self->recording->ms = ms;
  if (g_lstat (path, &info) == 0)
    self->recording->octets = (guint64) info.st_size;
  if (!error)
    save_info (self->folder, self->recording, &error);
  if (error)
    phone_log_warning (NULL, "Recording %s: %s", self->recording->id, error->message);
  g_main_context_invoke_full (self->context, G_PRIORITY_DEFAULT, on_sink_closed, self, sink_free);
}

static PhoneByteSink *
create (gpointer data, const PhoneRecording *what, GError **error)
{
  StoreVault *vault = data;
  g_autofree char *path = path_of (vault->folder, what->id, ".seal");
  const guint8 *public_key = store_seal_keys_get_public (vault->keys);
  StoreSealWriter *writer;

  if (!public_key)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "There is no key to seal a recording to");
      return NULL;
    }
  if (!phone_make_directory (vault->folder, 0700, error) || !(writer = store_seal_writer_new (path, what->id, public_key, error)))
    return NULL;
  if (!save_info (vault->folder, what, error))
    {
      store_seal_writer_free (writer);
      g_unlink (path);
      return NULL;
    }
  Sink *self = g_new0 (Sink, 1);
  self->sink = (PhoneByteSink){ sink_write, sink_sync, sink_close };
  self->link = link_ref (vault->link);
  self->context = g_main_context_ref_thread_default ();
  self->folder = g_strdup (vault->folder);
  self->writer = writer;
  self->recording = phone_recording_copy (what);
  g_ptr_array_insert (vault->recordings, 0, phone_recording_copy (what));
  g_ptr_array_sort (vault->recordings, compare_start);
  tell (vault, what->id);
  return &self->sink;
}

/* ---- reading ---- */

typedef struct
{
  Link *link;
  char *id;
  int fd;                               /* of the sealed file */
  int out;                              /* writing end of the pipe; -1: only to be verified */
  PhoneSecret *key;
  PhoneVaultVerified verified;
  PhoneVaultOpened opened;
  gpointer data;
  StoreSealState state;
  guint64 octets;
  GError *error;
} Read;

static void
read_free (Read *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->out >= 0)
    close (self->out);
  phone_secret_unref (self->key);
  g_clear_error (&self->error);
  link_unref (self->link);
  g_free (self->id);
  g_free (self);
}

/* FALSE: the reader has gone, or sleeps. */
static gboolean
write_pipe (int fd, const guint8 *data, gsize length)
{
  while (length > 0)
    {
      gssize n = write (fd, data, length);
      struct pollfd poller = { .fd = fd, .events = POLLOUT };

      if (n > 0)
        {
          data += n;
          length -= (gsize) n;
        }
      else if (n < 0 && errno == EAGAIN)
        {
          int r = poll (&poller, 1, READER_SECONDS * 1000);
          if (r == 0 || (r < 0 && errno != EINTR))
            return FALSE;
        }
      else if (!(n < 0 && errno == EINTR))
        return FALSE;
    }
  return TRUE;
}

static void
read_through (Read *self)
{
  g_autoptr (StoreSealReader) reader = store_seal_reader_new (g_steal_fd (&self->fd), self->id,
                                                              (const guint8 *) phone_secret_peek (self->key), &self->error);
  const guint8 *octets;
  gsize n;

  if (!reader)
    return;
  while ((octets = store_seal_reader_next (reader, &n)) != NULL)
    {
      self->octets += n;
      if (self->out >= 0 && !write_pipe (self->out, octets, n))
        return;
    }
  self->state = store_seal_reader_get_state (reader);
}

static gpointer
run_pipe (gpointer data)
{
  Read *self = data;
  sigset_t set;

  /* A client that hangs up early is no reason to die. */
  sigemptyset (&set);
  sigaddset (&set, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  read_through (self);
  if (self->error)
    phone_log_warning (NULL, "Recording %s: %s", self->id, self->error->message);
  else if (self->state != STORE_SEAL_WHOLE)
    phone_log_notice (NULL, "Recording %s is %s; %" G_GUINT64_FORMAT " octets of it are good", self->id,
                      store_seal_state_to_string (self->state), self->octets);
  g_atomic_int_add (&self->link->readers, -1);
  read_free (self);
  return NULL;
}

static void
run_verify (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  read_through (data);
  g_atomic_int_add (&((Read *) data)->link->readers, -1);
  g_task_return_boolean (task, TRUE);
}

static void
on_verified (GObject *source, GAsyncResult *result, gpointer data)
{
  Read *self = data;

  if (self->link->vault)
    self->verified (self->error ? NULL : store_seal_state_to_string (self->state), self->octets, self->error, self->data);
  read_free (self);
}

static void
read_fail (Read *self, const GError *error)
{
  if (self->verified)
    self->verified (NULL, 0, error, self->data);
  else
    self->opened (-1, error, self->data);
  read_free (self);
}

static void
start_pipe (Read *self)
{
  int ends[2];
  g_autoptr (GError) error = NULL;
  PhoneVaultOpened opened = self->opened;
  gpointer user = self->data;

  if (pipe2 (ends, O_CLOEXEC) < 0)
    {
      error = g_error_new (PHONE_ERROR, PHONE_ERROR_STORAGE, "No pipe for a recording: %s", g_strerror (errno));
      g_atomic_int_add (&self->link->readers, -1);
      read_fail (self, error);
      return;
    }
  g_unix_set_fd_nonblocking (ends[1], TRUE, NULL);
  self->out = ends[1];
  g_thread_unref (g_thread_new ("vault-read", run_pipe, self));
  opened (ends[0], NULL, user);
}

static void
on_key (PhoneSecret *key, const GError *error, gpointer data)
{
  Read *self = data;
  g_autoptr (GError) local = NULL;

  if (error)
    {
      read_fail (self, error);
      return;
    }
  if (g_atomic_int_add (&self->link->readers, 1) >= MAX_READERS)
    {
      g_atomic_int_add (&self->link->readers, -1);
      local = g_error_new (PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d recordings are being read already", MAX_READERS);
      read_fail (self, local);
      return;
    }
  self->key = phone_secret_ref (key);
  if (self->opened)
    start_pipe (self);
  else
    {
      g_autoptr (GTask) task = g_task_new (NULL, NULL, on_verified, self);
      g_task_set_task_data (task, self, NULL);
      g_task_run_in_thread (task, run_verify);
    }
}

static void
start_read (StoreVault *vault, const char *id, gboolean unlock, PhoneVaultOpened opened, PhoneVaultVerified verified, gpointer data)
{
  Read *self = g_new0 (Read, 1);
  g_autoptr (GError) error = NULL;

  self->link = link_ref (vault->link);
  self->id = g_strdup (id);
  self->fd = self->out = -1;
  self->opened = opened;
  self->verified = verified;
  self->data = data;
  if (find (vault, id, &error))
    {
      g_autofree char *path = path_of (vault->folder, id, ".seal");

      self->fd = open (path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
      if (self->fd < 0)
        g_set_error (&error, PHONE_ERROR, PHONE_ERROR_STORAGE, "%s: %s", path, g_strerror (errno));
    }
  if (error)
    read_fail (self, error);
  else
    store_seal_keys_load (vault->keys, unlock, on_key, self);
}

static void
open_recording (gpointer data, const char *id, PhoneVaultOpened done, gpointer user)
{
  start_read (data, id, TRUE, done, NULL, user);
}

static void
verify (gpointer data, const char *id, PhoneVaultVerified done, gpointer user)
{
  start_read (data, id, TRUE, NULL, done, user);
}

/* ---- the rest of the table ---- */

static GPtrArray *
list (gpointer data)
{
  return ((StoreVault *) data)->recordings;
}

static gboolean
remove_recording (gpointer data, const char *id, GError **error)
{
  StoreVault *vault = data;
  PhoneRecording *recording = find (vault, id, error);
  g_autofree char *gone = g_strdup (id);

  if (!recording)
    return FALSE;
  if (recording->state == PHONE_RECORDING_RUNNING)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The recording still runs");
      return FALSE;
    }
  if (!delete_files (vault, id, error))
    return FALSE;
  g_ptr_array_remove (vault->recordings, recording);
  tell (vault, gone);
  return TRUE;
}

static gboolean
set_heard (gpointer data, const char *id, gboolean heard, GError **error)
{
  StoreVault *vault = data;
  PhoneRecording *recording = find (vault, id, error);

  if (!recording)
    return FALSE;
  if (recording->heard == heard)
    return TRUE;
  recording->heard = heard;
  /* One that still runs is written by its sink; the mark is kept in memory until then. */
  if (recording->state != PHONE_RECORDING_RUNNING && !save_info (vault->folder, recording, error))
    return FALSE;
  tell (vault, id);
  return TRUE;
}

typedef struct
{
  PhoneVaultDone done;
  PhoneVaultKeyState state;
  gpointer data;
} Hand;

static void
on_keys_done (PhoneSecret *key, const GError *error, gpointer data)
{
  g_autofree Hand *hand = data;
  hand->done (error, hand->data);
}

static void
on_keys_state (StoreSealKeyState state, gpointer data)
{
  g_autofree Hand *hand = data;
  hand->state (store_seal_key_state_to_string (state), hand->data);
}

static Hand *
hand_new (PhoneVaultDone done, PhoneVaultKeyState state, gpointer data)
{
  Hand *hand = g_new0 (Hand, 1);
  *hand = (Hand){ done, state, data };
  return hand;
}

static void
prepare (gpointer data, PhoneVaultDone done, gpointer user)
{
  store_seal_keys_prepare (((StoreVault *) data)->keys, on_keys_done, hand_new (done, NULL, user));
}

static void
unlock (gpointer data, PhoneSecret *pass_phrase, PhoneVaultDone done, gpointer user)
{
  store_seal_keys_unlock (((StoreVault *) data)->keys, pass_phrase, on_keys_done, hand_new (done, NULL, user));
}

static void
lock (gpointer data)
{
  store_seal_keys_lock (((StoreVault *) data)->keys);
}

static void
key_state (gpointer data, PhoneVaultKeyState done, gpointer user)
{
  store_seal_keys_check (((StoreVault *) data)->keys, on_keys_state, hand_new (NULL, done, user));
}

static void
watch (gpointer data, PhoneVaultChanged changed, gpointer user)
{
  StoreVault *vault = data;

  vault->changed = changed;
  vault->changed_data = user;
}

const PhoneVaultOps store_vault_ops = {
  .prepare = prepare,
  .create = create,
  .list = list,
  .remove = remove_recording,
  .set_heard = set_heard,
  .open = open_recording,
  .verify = verify,
  .unlock = unlock,
  .lock = lock,
  .key_state = key_state,
  .watch = watch,
};
