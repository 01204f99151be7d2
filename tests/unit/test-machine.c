/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answering machine, driven through fake ports: the test is the caller, the disk and the clock. */

#include <glib/gstdio.h>
#include <string.h>

#include "core/account-presence.h"
#include "fake/fake-ports.h"

#define PATIENCE_S 30

typedef struct
{
  FakePorts *fake;
  PhonePorts ports;
  PhoneMediaOps media;
  PhoneRegistry *registry;
  PhoneAccount *alice;
  char *folder;
} Fixture;

/* ---- a vault and a player ---- */

static struct
{
  GString *log;                 /* "play greeting", "stop", "record", "record-stop" */
  GPtrArray *list;              /* PhoneRecording */
  PhoneVaultChanged changed;
  gpointer data;
  gboolean no_key, no_room;
  guint quiet_ms;
  char *path;
} world;

static void
say (const char *word)
{
  g_string_append_printf (world.log, "%s%s", world.log->len ? ", " : "", word);
}

#define assert_log(expected) \
  G_STMT_START \
  { \
    g_assert_cmpstr (world.log->str, ==, expected); \
    g_string_truncate (world.log, 0); \
  } \
  G_STMT_END

static gboolean
play (PhoneMedia *media, const char *path, gboolean queue, GError **error)
{
  g_autofree char *name = g_path_get_basename (path), *word = g_strdup_printf ("play %.*s", (int) strcspn (name, "."), name);

  say (word);
  g_free (world.path);
  world.path = g_strdup (path);
  return TRUE;
}

static void
stop_playing (PhoneMedia *media)
{
  say ("stop");
}

/* Files are as long as their number of octets says, in s; those of one octet are no sounds. */
static gboolean
check_sound (const char *path, double *ret_seconds, GError **error)
{
  g_autofree char *content = NULL;
  gsize length;

  if (!g_file_get_contents (path, &content, &length, NULL) || length == 1)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: no WAV file", path);
      return FALSE;
    }
  *ret_seconds = (double) length;
  return TRUE;
}

static gboolean
record_start (PhoneMedia *media, PhoneByteSink *sink, const PhoneRecordParams *params, GError **error)
{
  say (params->message ? "record" : "record both");
  world.quiet_ms = params->quiet_ms;
  return TRUE;
}

static void
record_stop (PhoneMedia *media)
{
  PhoneRecording *recording = world.list->pdata[world.list->len - 1];

  say ("record-stop");
  recording->state = PHONE_RECORDING_WHOLE;
  world.changed (recording->id, world.data);
}

static void
prepare (gpointer vault, PhoneVaultDone done, gpointer data)
{
  g_autoptr (GError) error = world.no_key ? g_error_new (PHONE_ERROR, PHONE_ERROR_STORAGE, "no keyring") : NULL;

  done (error, data);
}

static PhoneByteSink *
create (gpointer vault, const PhoneRecording *recording, GError **error)
{
  static PhoneByteSink sink;

  if (world.no_room)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_STORAGE, "no space left");
      return NULL;
    }
  g_ptr_array_add (world.list, phone_recording_copy (recording));
  return &sink;
}

static GPtrArray *list (gpointer vault) { return world.list; }

static gboolean
remove_recording (gpointer vault, const char *id, GError **error)
{
  for (guint i = 0; i < world.list->len; i++)
    if (g_str_equal (((PhoneRecording *) world.list->pdata[i])->id, id))
      g_ptr_array_remove_index (world.list, i);
  return TRUE;
}

static void
watch (gpointer vault, PhoneVaultChanged changed, gpointer data)
{
  world.changed = changed;
  world.data = data;
}

static const PhoneVaultOps vault = { .prepare = prepare, .create = create, .list = list, .remove = remove_recording, .watch = watch };

/* ---- set-up ---- */

static void
set_up (Fixture *f, gconstpointer data)
{
  static const char *const sounds[] = { "greeting.wav", "full.wav", "sorry.wav", "goodbye.wav" };
  const char *const *pairs = data;
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (PhoneAccountSettings) account = phone_account_settings_new ("alice", NULL);
  PhoneRegistrationDetail detail = { .code = 200 };
  g_autoptr (GError) error = NULL;

  f->folder = g_dir_make_tmp ("phoned-machine-XXXXXX", NULL);
  for (guint i = 0; i < G_N_ELEMENTS (sounds); i++)
    {
      g_autofree char *path = g_build_filename (f->folder, sounds[i], NULL);

      g_assert_true (g_file_set_contents (path, "", 0, NULL));
    }
  memset (&world, 0, sizeof world);
  world.log = g_string_new (NULL);
  world.list = g_ptr_array_new_with_free_func ((GDestroyNotify) phone_recording_free);
  f->fake = fake_ports_new ();
  fake_ports_fill (f->fake, &f->ports);
  f->media = *f->ports.media;
  f->media.play = play;
  f->media.stop_playing = stop_playing;
  f->media.check_sound = check_sound;
  f->media.record_start = record_start;
  f->media.record_stop = record_stop;
  f->ports.media = &f->media;
  f->ports.vault = &vault;
  settings->linger = 0;
  settings->voicemail_least = 0;
  settings->voicemail_max = 2;
  settings->voicemail_silence = 7;
  settings->voicemail_seconds = 1;
  g_assert_true (phone_daemon_settings_set (settings, "voicemail", "sounds", f->folder, &error));
  g_assert_true (phone_account_settings_set (account, "aor", "sip:alice@example.org", NULL));
  g_assert_true (phone_account_settings_set (account, "answering", "true", NULL));
  g_assert_true (phone_account_settings_set (account, "answering-after", "1", NULL));
  for (; pairs && *pairs; pairs += 2)
    if (strchr (*pairs, '.'))
      {
        g_auto (GStrv) parts = g_strsplit (*pairs, ".", 2);

        g_assert_true (phone_daemon_settings_set (settings, parts[0], parts[1], pairs[1], &error));
      }
    else
      g_assert_true (phone_account_settings_set (account, pairs[0], pairs[1], &error));
  f->registry = phone_registry_new (settings);
  phone_registry_set_ports (f->registry, &f->ports);
  f->alice = phone_registry_add_account (f->registry, account, FALSE, &error);
  g_assert_no_error (error);
  phone_account_on_registration (f->alice, PHONE_REGISTRATION_REGISTERED, &detail);
}

static void
remove_sound (Fixture *f, const char *name)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL);

  g_unlink (path);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

  while (phone_registry_get_calls (f->registry)->len)
    {
      phone_call_on_ended (g_ptr_array_index (phone_registry_get_calls (f->registry), 0), reason);
      g_main_context_iteration (NULL, TRUE);
    }
  g_object_unref (f->registry);
  fake_ports_free (f->fake);
  g_ptr_array_unref (world.list);
  g_string_free (world.log, TRUE);
  g_free (world.path);
  for (guint i = 0; i < 4; i++)
    remove_sound (f, (const char *[]){ "greeting.wav", "full.wav", "sorry.wav", "goodbye.wav" }[i]);
  g_rmdir (f->folder);
  g_free (f->folder);
}

static PhoneMediaDesc *
peer_desc (void)
{
  PhoneMediaDesc *desc = phone_media_desc_new ();

  desc->address = g_strdup ("192.0.2.9");
  desc->port = 30000;
  desc->rtcp_port = 30001;
  desc->direction = PHONE_DIRECTION_SENDRECV;
  desc->n_codecs = 1;
  desc->codecs[0] = (PhoneCodec){ .id = PHONE_CODEC_PCMA, .payload_type = 8 };
  return desc;
}

static PhoneCall *
call_from (Fixture *f, const char *who, guint *ret_status)
{
  const PhoneIncoming incoming = { .remote_uri = who, .remote_name = "Bob", .request_uri = "sip:alice@example.org" };
  g_autoptr (PhoneMediaDesc) offer = peer_desc ();
  PhoneRefusal refusal = { 0 };
  PhoneCall *call = phone_registry_on_incoming (f->registry, f->alice, &incoming, offer, NULL, &refusal);

  if (ret_status)
    *ret_status = refusal.status;
  return call;
}

static PhoneCall *call_in (Fixture *f, guint *ret_status) { return call_from (f, "sip:bob@example.org", ret_status); }

static gboolean
on_late (gpointer data)
{
  *(gboolean *) data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Until the machine is not in this state any more, or so many seconds are over: FALSE. */
static gboolean
wait_machine (PhoneCall *call, PhoneMachine machine, guint seconds)
{
  gboolean late = FALSE;
  guint patience = g_timeout_add_seconds (seconds, on_late, &late);

  while (!late && phone_call_get_machine (call) == machine)
    g_main_context_iteration (NULL, TRUE);
  if (!late)
    g_source_remove (patience);
  return !late;
}

/* A call that the machine has answered: it rings for a second first. */
static PhoneCall *
answered (Fixture *f)
{
  PhoneCall *call = call_in (f, NULL);

  g_assert_true (wait_machine (call, PHONE_MACHINE_OFF, PATIENCE_S));
  g_assert_true (fake_ports_took (f->fake, "answer"));
  phone_call_on_confirmed (call, NULL);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  g_assert_false (f->fake->attached);
  return call;
}

static void
played (Fixture *f, PhoneCall *call)
{
  g_autofree char *path = g_strdup (world.path);

  f->fake->media_events->played (call, path);
}

static PhoneCall *
recording (Fixture *f)
{
  PhoneCall *call = answered (f);

  assert_log ("play greeting");
  played (f, call);
  assert_log ("record");
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_RECORDING);
  return call;
}

static void
assert_leaves (Fixture *f, PhoneCall *call, const char *log)
{
  assert_log (log);
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_LEAVING);
  g_assert_false (phone_call_is_ended (call));
  played (f, call);
  g_assert_true (fake_ports_took (f->fake, "hangup"));
  g_assert_true (phone_call_is_ended (call));
}

/* ---- tests ---- */

static void
test_message (Fixture *f, gconstpointer data)
{
  PhoneCall *call = recording (f);
  const PhoneRecording *message;

  g_assert_cmpuint (world.quiet_ms, ==, 7000);
  g_assert_cmpuint (world.list->len, ==, 1);
  message = world.list->pdata[0];
  g_assert_cmpint (message->kind, ==, PHONE_RECORDING_VOICEMAIL);
  g_assert_cmpstr (message->id, ==, phone_call_get_id (call));
  g_assert_cmpstr (message->remote_uri, ==, "sip:bob@example.org");
  f->fake->media_events->quiet (call);
  assert_leaves (f, call, "record-stop, play goodbye");
}

static void
test_keys (Fixture *f, gconstpointer data)
{
  PhoneCall *call = answered (f);

  assert_log ("play greeting");
  f->fake->media_events->dtmf (call, '5', 100);
  assert_log ("stop, record");
  f->fake->media_events->dtmf (call, '5', 100);
  assert_log ("");
  f->fake->media_events->dtmf (call, '#', 100);
  assert_leaves (f, call, "record-stop, play goodbye");
}

static void
test_full (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (world.list, phone_recording_new (PHONE_RECORDING_VOICEMAIL));
  assert_leaves (f, answered (f), "play full");
  g_assert_cmpuint (world.list->len, ==, 2);
}

/* The limit is the caller's time: half a second more than that, for the tone. */
static void
test_length_limit (Fixture *f, gconstpointer data)
{
  gint64 start = g_get_monotonic_time ();       /* before the phone's own clock begins */
  PhoneCall *call = recording (f);

  g_assert_true (wait_machine (call, PHONE_MACHINE_RECORDING, PATIENCE_S));
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 1490 * 1000);
  assert_leaves (f, call, "record-stop, play goodbye");
}

static PhoneRecording *
new_recording (PhoneRecordingKind kind, guint64 octets)
{
  PhoneRecording *recording = phone_recording_new (kind);

  recording->octets = octets;
  return recording;
}

/* One box for all messages: their octets together are what fills it, those of recordings are not. */
static void
test_megabytes (Fixture *f, gconstpointer data)
{
  PhoneCall *call;

  g_ptr_array_add (world.list, new_recording (PHONE_RECORDING_CALL, 5000000));
  g_ptr_array_add (world.list, new_recording (PHONE_RECORDING_VOICEMAIL, 400000));
  g_ptr_array_add (world.list, new_recording (PHONE_RECORDING_VOICEMAIL, 599999));
  call = recording (f);
  f->fake->media_events->quiet (call);
  assert_leaves (f, call, "record-stop, play goodbye");
  g_ptr_array_add (world.list, new_recording (PHONE_RECORDING_VOICEMAIL, 1));
  assert_leaves (f, answered (f), "play full");
}

/* Something else that ends is not the greeting, nor the goodbye. */
static void
test_which_sound_ended (Fixture *f, gconstpointer data)
{
  PhoneCall *call = answered (f);

  assert_log ("play greeting");
  f->fake->media_events->played (call, "/tmp/other.wav");
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_GREETING);
  assert_log ("");
  played (f, call);
  assert_log ("record");
  f->fake->media_events->dtmf (call, '#', 100);
  f->fake->media_events->played (call, "/tmp/other.wav");
  g_assert_false (phone_call_is_ended (call));
  assert_leaves (f, call, "record-stop, play goodbye");
}

static void
test_recordings_do_not_fill_the_box (Fixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    g_ptr_array_add (world.list, phone_recording_new (PHONE_RECORDING_CALL));
  recording (f);
}

static void
test_cannot_record (Fixture *f, gconstpointer data)
{
  PhoneCall *call;

  world.no_key = TRUE;
  call = answered (f);
  assert_log ("play greeting");
  played (f, call);
  assert_leaves (f, call, "play sorry");
  world.no_key = FALSE;
  world.no_room = TRUE;
  call = answered (f);
  assert_log ("play greeting");
  played (f, call);
  assert_leaves (f, call, "play sorry");
}

static void
test_disk_fills (Fixture *f, gconstpointer data)
{
  PhoneCall *call = recording (f);
  g_autoptr (GError) error = g_error_new (PHONE_ERROR, PHONE_ERROR_STORAGE, "no space left");

  f->fake->media_events->recording_failed (call, error);
  assert_leaves (f, call, "record-stop, play sorry");
}

static void
test_caller_hangs_up (Fixture *f, gconstpointer data)
{
  PhoneCall *call = g_object_ref (recording (f));
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

  phone_call_on_ended (call, reason);
  record_stop (NULL);                   /* the media have gone, and with them the recording ends */
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_OFF);
  g_assert_cmpuint (world.list->len, ==, GPOINTER_TO_UINT (((const char *const *) data) ? ((const char *const *) data)[1][0] == '0' : 1));
  g_object_unref (call);
}

static void
on_done (PhoneCall *call, const GError *error, gpointer data)
{
  g_assert_no_error (error);
  ++*(guint *) data;
}

static void
test_taken_over (Fixture *f, gconstpointer data)
{
  PhoneCall *call = recording (f);
  g_autoptr (GError) error = NULL;
  guint done = 0;

  g_assert_false (phone_call_hold (call, NULL, NULL, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_STATE);
  g_clear_error (&error);
  g_assert_true (phone_call_answer (call, FALSE, on_done, &done, &error));
  g_assert_cmpuint (done, ==, 1);
  assert_log ("stop, record-stop");
  g_assert_true (f->fake->attached);
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_OFF);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_ACTIVE);
  g_assert_cmpuint (world.list->len, ==, data ? 0 : 1);
  f->fake->media_events->quiet (call);
  f->fake->media_events->dtmf (call, '#', 100);
  assert_log ("");
}

/* Before the ACK: the user has it as soon as it is there, and no greeting is played. */
static void
test_taken_over_early (Fixture *f, gconstpointer data)
{
  PhoneCall *call = call_in (f, NULL);
  guint done = 0;

  while (phone_call_get_machine (call) == PHONE_MACHINE_OFF)
    g_main_context_iteration (NULL, TRUE);
  g_assert_true (phone_call_answer (call, FALSE, on_done, &done, NULL));
  phone_call_on_confirmed (call, NULL);
  g_assert_cmpuint (done, ==, 1);
  assert_log ("stop");
  g_assert_true (f->fake->attached);
}

/* A machine that cannot speak does not answer. */
static void
test_sound_missing (Fixture *f, gconstpointer data)
{
  PhoneCall *call;
  guint status;

  remove_sound (f, "full.wav");
  call = call_in (f, NULL);
  for (gint64 until = g_get_monotonic_time () + 2 * G_USEC_PER_SEC; g_get_monotonic_time () < until;)
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_INCOMING);
  g_assert_true (phone_dnd_set_mode (phone_registry_get_dnd (f->registry), PHONE_DND_VOICEMAIL, NULL));
  g_assert_true (phone_dnd_set_enabled (phone_registry_get_dnd (f->registry), TRUE, NULL));
  g_assert_null (call_in (f, &status));
  g_assert_cmpuint (status, ==, 486);
}

static void
assert_at_once (Fixture *f, PhoneMachine expected)
{
  PhoneCall *call = call_in (f, NULL);

  g_assert_cmpint (call ? phone_call_get_machine (call) : PHONE_MACHINE_OFF, ==, expected);
  if (expected != PHONE_MACHINE_OFF)
    g_assert_cmpint (f->fake->ring, ==, PHONE_TONE_NONE);
}

static void
test_dnd (Fixture *f, gconstpointer data)
{
  PhoneDnd *dnd = phone_registry_get_dnd (f->registry);

  g_assert_true (phone_dnd_set_mailbox (dnd, "sip:box@example.org", NULL));
  g_assert_true (phone_dnd_set_enabled (dnd, TRUE, NULL));
  assert_at_once (f, PHONE_MACHINE_OFF);
  g_assert_true (phone_dnd_set_mode (dnd, PHONE_DND_VOICEMAIL, NULL));
  assert_at_once (f, PHONE_MACHINE_ANSWERING);
  g_assert_true (phone_dnd_set_allow_list (dnd, (const char *const[]){ "sip:bob@example.org", NULL }, NULL));
  assert_at_once (f, PHONE_MACHINE_OFF);
}

static void
test_away (Fixture *f, gconstpointer data)
{
  g_assert_true (phone_account_set_status (f->alice, PHONE_STATUS_AWAY, NULL));
  assert_at_once (f, data ? PHONE_MACHINE_OFF : PHONE_MACHINE_ANSWERING);
}

/* max-calls is the user's, and the machine has room beside it, but not without end. */
static void
test_busy (Fixture *f, gconstpointer data)
{
  PhoneCall *own = phone_registry_dial (f->registry, "sip:carol@example.org", &(PhoneDialOptions){ 0 }, NULL);
  g_autoptr (PhoneMediaDesc) answer = peer_desc ();
  guint status;

  phone_call_on_answered (own, answer);
  for (guint i = 0; i < 4; i++)
    assert_at_once (f, PHONE_MACHINE_ANSWERING);
  g_assert_null (call_in (f, &status));
  g_assert_cmpuint (status, ==, 486);
  for (guint i = 1; i < phone_registry_get_calls (f->registry)->len; i++)
    phone_call_on_confirmed (g_ptr_array_index (phone_registry_get_calls (f->registry), i), NULL);
  g_assert_cmpint (phone_call_get_state (own), ==, PHONE_CALL_ACTIVE);
  g_assert_false (fake_ports_took (f->fake, "reoffer"));
}

/* Whoever calls back after a call for help talks to somebody, or it rings until he gives up. */
static void
test_call_for_help (Fixture *f, gconstpointer data)
{
  PhoneCall *call = call_from (f, "sip:112@example.org", NULL);

  g_assert_nonnull (call);
  g_assert_false (wait_machine (call, PHONE_MACHINE_OFF, 3));
  g_assert_cmpint (phone_call_get_state (call), ==, PHONE_CALL_INCOMING);
  g_assert_true (phone_account_set_status (f->alice, PHONE_STATUS_AWAY, NULL));
  call = call_from (f, "sip:112@example.org", NULL);
  g_assert_nonnull (call);
  g_assert_cmpint (phone_call_get_machine (call), ==, PHONE_MACHINE_OFF);
}

static void
check_greeting (Fixture *f, const char *name, gsize length, const char *expected)
{
  g_autofree char *path = g_build_filename (f->folder, name, NULL), *content = g_malloc0 (length + 1);
  const char *const updates[] = { "greeting", path, NULL };
  g_autoptr (GError) error = NULL;

  if (length)
    g_assert_true (g_file_set_contents (path, content, (gssize) length, NULL));
  g_assert_cmpint (phone_account_update (f->alice, updates, &error), ==, expected == NULL);
  if (expected)
    {
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_nonnull (strstr (error->message, expected));
      g_assert_cmpstr (phone_account_get_settings (f->alice)->greeting, !=, path);
    }
  else
    g_assert_cmpstr (phone_account_get_settings (f->alice)->greeting, ==, path);
}

/* A greeting that callers could not hear is refused when it is set. One that has gone since then does not hinder other changes, but the
 * machine from answering. */
static void
test_greeting (Fixture *f, gconstpointer data)
{
  const char *const other[] = { "answering-after", "2", NULL };
  guint status;

  check_greeting (f, "none.wav", 0, "greeting: ");
  check_greeting (f, "bad.wav", 1, "no WAV file");
  check_greeting (f, "long.wav", 181, "lasts 181 s, and 180 s are the most");
  check_greeting (f, "good.wav", 180, NULL);
  remove_sound (f, "good.wav");
  g_assert_true (phone_account_update (f->alice, other, NULL));
  g_assert_true (phone_dnd_set_mode (phone_registry_get_dnd (f->registry), PHONE_DND_VOICEMAIL, NULL));
  g_assert_true (phone_dnd_set_enabled (phone_registry_get_dnd (f->registry), TRUE, NULL));
  g_assert_null (call_in (f, &status));
  g_assert_cmpuint (status, ==, 486);
}

int
main (int argc, char **argv)
{
  static const char *const min[] = { "voicemail.min-seconds", "2", NULL }, *const keep_all[] = { "voicemail.min-seconds", "0", NULL };
  static const char *const taken[] = { "voicemail.taken-over", "delete", NULL }, *const here[] = { "answering-away", "false", NULL };
  static const char *const one[] = { "max-calls", "1", NULL };
  static const char *const small[] = { "voicemail.max-megabytes", "1", "voicemail.max-messages", "50", NULL };

  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define CASE(path, data, function) g_test_add ("/machine/" path, Fixture, data, set_up, function, tear_down)
  CASE ("message", NULL, test_message);
  CASE ("keys", NULL, test_keys);
  CASE ("full", NULL, test_full);
  CASE ("length-limit", NULL, test_length_limit);
  CASE ("megabytes", small, test_megabytes);
  CASE ("which-sound-ended", NULL, test_which_sound_ended);
  CASE ("call-for-help", NULL, test_call_for_help);
  CASE ("recordings-do-not-fill-the-box", NULL, test_recordings_do_not_fill_the_box);
  CASE ("cannot-record", NULL, test_cannot_record);
  CASE ("disk-fills", NULL, test_disk_fills);
  CASE ("caller-hangs-up", keep_all, test_caller_hangs_up);
  CASE ("caller-hangs-up-at-the-tone", min, test_caller_hangs_up);
  CASE ("taken-over", NULL, test_taken_over);
  CASE ("taken-over-and-deleted", taken, test_taken_over);
  CASE ("taken-over-early", NULL, test_taken_over_early);
  CASE ("sound-missing", NULL, test_sound_missing);
  CASE ("greeting", NULL, test_greeting);
  CASE ("dnd", NULL, test_dnd);
  CASE ("away", NULL, test_away);
  CASE ("away-and-rings", here, test_away);
  CASE ("busy", one, test_busy);
#undef CASE
  return g_test_run ();
}
