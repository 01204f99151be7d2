/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Collecting digits, driven through fake ports: the test is the caller and the player. */

#include <string.h>

#include "fake/fake-ports.h"

typedef struct
{
  FakePorts *fake;
  PhonePorts ports;
  PhoneMediaOps media;
  PhoneRegistry *registry;
  PhoneCall *call;
} Fixture;

static guint plays, stops;              /* of the player */

static gboolean
play (PhoneMedia *media, const char *path, gboolean queue, GError **error)
{
  if (g_str_has_suffix (path, "missing.wav"))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "there is no such file");
      return FALSE;
    }
  plays++;
  return TRUE;
}

static void
stop_playing (PhoneMedia *media)
{
  stops++;
}

static struct
{
  guint times;
  char *digits;
  PhoneCollectEnd end;
} told;

static void
on_collected (PhoneCall *call, const char *digits, PhoneCollectEnd end, gpointer data)
{
  told.times++;
  g_free (told.digits);
  told.digits = g_strdup (digits);
  told.end = end;
}

static void
assert_told (const char *digits, PhoneCollectEnd end)
{
  while (told.times == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (told.times, ==, 1);
  g_assert_cmpstr (told.digits, ==, digits);
  g_assert_cmpstr (phone_collect_end_to_string (told.end), ==, phone_collect_end_to_string (end));
  told.times = 0;
}

/* Time-outs that do not come by themselves. */
static const PhoneCollectParams patient = { .min = 1, .max = 4, .terminators = "#", .first_ms = 3600000, .next_ms = 3600000, .barge_in = TRUE };

static void
collect (Fixture *f, const PhoneCollectParams *params)
{
  g_autoptr (GError) error = NULL;

  phone_call_collect (f->call, params, on_collected, NULL, &error);
  g_assert_no_error (error);
}

static void
press (Fixture *f, const char *keys)
{
  for (; *keys; keys++)
    f->fake->media_events->dtmf (f->call, *keys, 100);
}

static void
set_up (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneDaemonSettings) settings = phone_daemon_settings_new ();
  g_autoptr (PhoneAccountSettings) account = phone_account_settings_new ("alice", NULL);
  PhoneRegistrationDetail detail = { .code = 200 };
  PhoneMediaDesc *answer = phone_media_desc_new ();
  g_autoptr (GError) error = NULL;

  settings->linger = 0;
  f->fake = fake_ports_new ();
  f->registry = phone_registry_new (settings);
  fake_ports_fill (f->fake, &f->ports);
  f->media = *f->ports.media;
  f->media.play = play;
  f->media.stop_playing = stop_playing;
  f->ports.media = &f->media;
  phone_registry_set_ports (f->registry, &f->ports);
  g_assert_true (phone_account_settings_set (account, "aor", "sip:alice@example.org", &error));
  phone_account_on_registration (phone_registry_add_account (f->registry, account, FALSE, &error), PHONE_REGISTRATION_REGISTERED, &detail);
  f->call = phone_registry_dial (f->registry, "sip:bob@example.org", &(PhoneDialOptions){ 0 }, &error);
  g_assert_no_error (error);
  answer->address = g_strdup ("192.0.2.9");
  answer->port = 6000;
  answer->direction = PHONE_DIRECTION_SENDRECV;
  answer->n_codecs = 1;
  answer->codecs[0] = (PhoneCodec){ .id = PHONE_CODEC_PCMA, .payload_type = 8 };
  phone_call_on_answered (f->call, answer);
  phone_media_desc_free (answer);
  g_assert_cmpint (phone_call_get_state (f->call), ==, PHONE_CALL_ACTIVE);
  plays = stops = told.times = 0;
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_REMOTE, PHONE_CAUSE_HANGUP, 0, NULL);

  phone_call_on_ended (f->call, reason);
  while (phone_registry_get_calls (f->registry)->len)
    g_main_context_iteration (NULL, TRUE);
  g_object_unref (f->registry);
  fake_ports_free (f->fake);
  g_clear_pointer (&told.digits, g_free);
}

static void
test_terminator (Fixture *f, gconstpointer data)
{
  collect (f, &patient);
  press (f, "#12#");            /* the first comes too early */
  assert_told ("12", PHONE_COLLECT_TERMINATOR);
  press (f, "3");
  g_assert_cmpuint (told.times, ==, 0);
}

static void
test_none_wanted (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.min = 0;
  params.terminators = "*#";
  collect (f, &params);
  press (f, "*");
  assert_told ("", PHONE_COLLECT_TERMINATOR);
}

static void
test_max (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.terminators = "";
  collect (f, &params);
  press (f, "1#A");
  g_assert_cmpuint (told.times, ==, 0);
  press (f, "*9");
  assert_told ("1#A*", PHONE_COLLECT_MAX);
}

static void
test_time_outs (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.first_ms = 1;
  collect (f, &params);
  assert_told ("", PHONE_COLLECT_TIMEOUT);
  params.first_ms = 3600000;
  params.next_ms = 1;
  collect (f, &params);
  press (f, "12");
  assert_told ("12", PHONE_COLLECT_TIMEOUT);
}

/* The time for the first digit does not run while something plays, queued files included. */
static void
test_prompt (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.prompt = "/prompt.wav";
  params.first_ms = 0;
  collect (f, &params);
  g_assert_true (phone_call_play (f->call, "/more.wav", TRUE, NULL));
  f->fake->media_events->played (f->call, "/prompt.wav");
  g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (told.times, ==, 0);
  f->fake->media_events->played (f->call, "/more.wav");
  assert_told ("", PHONE_COLLECT_TIMEOUT);
  g_assert_cmpuint (plays, ==, 2);
  g_assert_cmpuint (stops, ==, 0);
}

static void
test_stopped_prompt (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.prompt = "/prompt.wav";
  params.first_ms = 0;
  collect (f, &params);
  g_assert_true (phone_call_stop_playing (f->call, NULL));
  assert_told ("", PHONE_COLLECT_TIMEOUT);
}

static void
test_barge_in (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.prompt = "/prompt.wav";
  collect (f, &params);
  press (f, "1");
  g_assert_cmpuint (stops, ==, 1);
  press (f, "2#");
  assert_told ("12", PHONE_COLLECT_TERMINATOR);
  g_assert_cmpuint (stops, ==, 1);
}

static void
test_no_barge_in (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;

  params.prompt = "/prompt.wav";
  params.barge_in = FALSE;
  collect (f, &params);
  press (f, "12");
  g_assert_cmpuint (stops, ==, 0);
  f->fake->media_events->played (f->call, "/prompt.wav");
  press (f, "34#");
  assert_told ("34", PHONE_COLLECT_TERMINATOR);
}

static void
test_one_at_a_time (Fixture *f, gconstpointer data)
{
  PhoneCollectParams params = patient;
  g_autoptr (GError) error = NULL;

  collect (f, &patient);
  params.prompt = "/prompt.wav";
  g_assert_false (phone_call_collect (f->call, &params, on_collected, NULL, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS);
  g_assert_cmpuint (plays, ==, 0);
  press (f, "7");
  phone_call_stop_collecting (f->call);
  assert_told ("7", PHONE_COLLECT_STOPPED);
  phone_call_stop_collecting (f->call);
  g_assert_cmpuint (told.times, ==, 0);
  collect (f, &params);
  g_assert_cmpuint (plays, ==, 1);
}

static void
test_hangup (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;

  collect (f, &patient);
  press (f, "12");
  g_assert_true (phone_call_hangup (f->call, NULL));
  assert_told ("12", PHONE_COLLECT_HANGUP);
  g_assert_false (phone_call_collect (f->call, &patient, on_collected, NULL, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_CALL_ENDED);
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  const struct
  {
    const char *word;
    PhoneCollectParams params;
  } wrong[] = {
    { "'max'", { 1, 0, "#", 1000, 1000, TRUE, NULL } },
    { "'max'", { 1, PHONE_MAX_COLLECT + 1, "#", 1000, 1000, TRUE, NULL } },
    { "'min'", { 5, 4, "#", 1000, 1000, TRUE, NULL } },
    { "'terminators'", { 1, 4, "x", 1000, 1000, TRUE, NULL } },
    { "'terminators'", { 1, 4, "00000000000000000", 1000, 1000, TRUE, NULL } },
    { "'first-timeout'", { 1, 4, "#", PHONE_MAX_COLLECT_MS + 1, 1000, TRUE, NULL } },
    { "'digit-timeout'", { 1, 4, "#", 1000, 0, TRUE, NULL } },
    { "'digit-timeout'", { 1, 4, "#", 1000, PHONE_MAX_COLLECT_MS + 1, TRUE, NULL } },
  };
  PhoneCollectParams missing = patient;
  g_autoptr (GError) no_file = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_false (phone_call_collect (f->call, &wrong[i].params, on_collected, NULL, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_nonnull (strstr (error->message, wrong[i].word));
    }
  missing.prompt = "/missing.wav";
  g_assert_false (phone_call_collect (f->call, &missing, on_collected, NULL, &no_file));
  g_assert_error (no_file, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  /* Nothing is left of it: neither a wait nor a file that plays. */
  missing.prompt = NULL;
  missing.first_ms = 0;
  collect (f, &missing);
  assert_told ("", PHONE_COLLECT_TIMEOUT);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL);
#define CASE(path, function) g_test_add ("/digits/" path, Fixture, NULL, set_up, function, tear_down)
  CASE ("terminator", test_terminator);
  CASE ("none-wanted", test_none_wanted);
  CASE ("max", test_max);
  CASE ("time-outs", test_time_outs);
  CASE ("prompt", test_prompt);
  CASE ("stopped-prompt", test_stopped_prompt);
  CASE ("barge-in", test_barge_in);
  CASE ("no-barge-in", test_no_barge_in);
  CASE ("one-at-a-time", test_one_at_a_time);
  CASE ("hangup", test_hangup);
  CASE ("refused", test_refused);
#undef CASE
  return g_test_run ();
}
