/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The answering machine. It takes a call as the user would, but the microphone and the loudspeaker stay out of it:
 *
 *   off -> answering -> greeting -> recording -> leaving -> (hang up)
 *                          |                        ^
 *                          +--- full, no key -------+        leaving: the caller is told why, or goodbye, before the end
 *
 * A key of the telephone ends the greeting, # ends the message. The user may take the call over at any moment: then it is an active call as
 * any other. What is in the way of a recording (a full box, no key, a full disk) is told to the caller in words; what stands in the way of
 * answering at all (no storage, a sound that is not there) is known beforehand, and the call rings on. */

#include "core/account-presence.h"
#include "core/call-private.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define MAX_MACHINE_CALLS 4             /* at the same time; beside max-calls, which is about the user's own */
#define TONE_MS 500                     /* before a message: media-recorder.c */
#define MAX_GREETING 180                /* s; whoever waits longer for the tone has hung up */

static const char *const sounds[] = { "greeting", "full", "sorry", "goodbye" };

PhoneMachine phone_call_get_machine (PhoneCall *call) { return call->machine; }
gboolean phone_call_is_machines (PhoneCall *call) { return call->machine != PHONE_MACHINE_OFF; }
gboolean phone_call_was_machines (PhoneCall *call) { return call->machine_answered; }
gboolean phone_call_has_message (PhoneCall *call) { return call->machine_answered && call->message_kept; }

static void
set_machine (PhoneCall *call, PhoneMachine machine, const char *why)
{
  if (call->machine == machine)
    return;
  phone_log_notice (&call->log, "Call %u: answering machine %s -> %s (%s)", call->number, phone_machine_to_string (call->machine),
                    phone_machine_to_string (machine), why);
  call->machine = machine;
  phone_call_emit_changed (call, PHONE_CALL_FIELD_MACHINE | PHONE_CALL_FIELD_STATE);
}

/* ---- whether it can ---- */

static char *
sound_path (PhoneRegistry *registry, PhoneAccount *account, const char *name)
{
  const char *greeting = phone_account_get_settings (account)->greeting;
  const char *folder = phone_registry_get_settings (registry)->voicemail_sounds;
  g_autofree char *file = g_strconcat (name, ".wav", NULL);

  if (greeting && g_str_equal (name, "greeting"))
    return g_strdup (greeting);
  return g_build_filename (folder ? folder : PHONED_DATA_DIR "/sounds", file, NULL);
}

static guint
count_machine_calls (PhoneRegistry *registry)
{
  GPtrArray *calls = phone_registry_get_calls (registry);
  guint n = 0;

  for (guint i = 0; i < calls->len; i++)
    n += phone_call_is_machines (calls->pdata[i]) && !phone_call_is_ended (calls->pdata[i]);
  return n;
}

static gboolean
check_sound (PhoneRegistry *registry, const char *path, double *ret_seconds, GError **error)
{
  const PhonePorts *ports = phone_registry_get_ports (registry);

  *ret_seconds = 0;
  if (ports->media->check_sound)
    return ports->media->check_sound (path, ret_seconds, error);
  if (g_access (path, R_OK) == 0)
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE, "%s: %s", path, g_strerror (errno));
  return FALSE;
}

gboolean
phone_machine_check_greeting (PhoneRegistry *registry, const PhoneAccountSettings *settings, const PhoneAccountSettings *before,
                              GError **error)
{
  g_autoptr (GError) why = NULL;
  double seconds;

  if (!settings->greeting || (before && g_strcmp0 (before->greeting, settings->greeting) == 0))
    return TRUE;
  if (!check_sound (registry, settings->greeting, &seconds, &why))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "greeting: %s", why->message);
  else if (seconds > MAX_GREETING)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "greeting: %s lasts %.0f s, and %d s are the most", settings->greeting, seconds,
                 MAX_GREETING);
  else
    return TRUE;
  return FALSE;
}

gboolean
phone_machine_is_ready (PhoneRegistry *registry, PhoneAccount *account)
{
  if (!phone_account_get_settings (account)->answering || count_machine_calls (registry) >= MAX_MACHINE_CALLS)
    return FALSE;
  if (!phone_registry_get_ports (registry)->vault)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (sounds); i++)
    {
      g_autofree char *path = sound_path (registry, account, sounds[i]);
      g_autoptr (GError) error = NULL;
      double seconds;

      if (check_sound (registry, path, &seconds, &error))
        continue;
      phone_log_warning (NULL, "Account %s: the answering machine cannot answer: %s", phone_account_get_id (account), error->message);
      return FALSE;
    }
  return TRUE;
}

gboolean
phone_machine_is_alone (PhoneAccount *account)
{
  return phone_account_get_settings (account)->answering_away && phone_account_get_presence (account)->chosen == PHONE_STATUS_AWAY;
}

gboolean
phone_voicemail_is_full (PhoneRegistry *registry)
{
  const PhoneDaemonSettings *settings = phone_registry_get_settings (registry);
  GPtrArray *recordings = phone_registry_get_recordings (registry);
  guint64 octets = 0;
  guint n = 0;

  for (guint i = 0; recordings && i < recordings->len; i++)
    {
      const PhoneRecording *recording = recordings->pdata[i];

      if (recording->kind != PHONE_RECORDING_VOICEMAIL)
        continue;
      n++;
      octets += recording->octets;
    }
  return n >= settings->voicemail_max || (settings->voicemail_megabytes && octets >= (guint64) settings->voicemail_megabytes * 1000000);
}

/* ---- the end ---- */

static void
hang_up (PhoneCall *call, const char *why)
{
  g_autoptr (PhoneReason) reason = phone_reason_new (PHONE_ACTOR_LOCAL, PHONE_CAUSE_HANGUP, 0, why);

  phone_call_end (call, reason);
}

/* FALSE: the call has ended. */
static gboolean
play (PhoneCall *call, const char *name)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  g_autoptr (GError) error = NULL;

  g_free (call->machine_sound);
  call->machine_sound = sound_path (call->registry, call->account, name);
  if (ports->media->play (call->media, call->machine_sound, FALSE, &error))
    return TRUE;
  phone_log_warning (&call->log, "Call %u: %s cannot be played: %s", call->number, call->machine_sound, error->message);
  hang_up (call, "The answering machine failed");
  return FALSE;
}

static void
leave (PhoneCall *call, const char *sound, const char *why)
{
  if (call->machine == PHONE_MACHINE_LEAVING)
    return;
  g_clear_handle_id (&call->machine_limit, g_source_remove);
  set_machine (call, PHONE_MACHINE_LEAVING, why);
  phone_call_message_stop (call, why);
  play (call, sound);
}

/* ---- the message ---- */

static gboolean
on_limit (gpointer data)
{
  PhoneCall *call = data;

  call->machine_limit = 0;
  leave (call, "goodbye", "the message is as long as it may be");
  return G_SOURCE_REMOVE;
}

static void
record (PhoneCall *call, const char *why)
{
  const PhoneDaemonSettings *settings = phone_registry_get_settings (call->registry);
  g_autoptr (GError) error = NULL;

  if (!call->machine_key)
    {
      leave (call, "sorry", "there is no key to seal a message to");
      return;
    }
  if (!phone_call_message_start (call, settings->voicemail_silence * 1000, &error))
    {
      phone_log_warning (&call->log, "Call %u: no message is recorded: %s", call->number, error->message);
      leave (call, "sorry", "a message cannot be recorded");
      return;
    }
  call->message_start = g_get_monotonic_time ();
  /* Not by the whole second, which may come a quarter too early: the limit is the caller's time, without the tone. */
  call->machine_limit = g_timeout_add (settings->voicemail_seconds * 1000 + TONE_MS, on_limit, call);
  set_machine (call, PHONE_MACHINE_RECORDING, why);
}

/* The key may have to be made, and a keyring may ask somebody for it who is not there: the caller hears the greeting meanwhile, and what is
 * not there when it ends is not waited for. */
static void
on_prepared (const GError *error, gpointer data)
{
  g_autoptr (PhoneCall) call = data;

  call->machine_key = !error;
  if (error)
    phone_log_warning (&call->log, "Call %u: no message can be recorded: %s", call->number, error->message);
}

void
phone_call_machine_answered (PhoneCall *call)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  call->machine_answered = TRUE;
  if (phone_voicemail_is_full (call->registry))
    {
      leave (call, "full", "the box is full");
      return;
    }
  ports->vault->prepare (ports->vault_data, on_prepared, g_object_ref (call));
  if (play (call, "greeting"))
    set_machine (call, PHONE_MACHINE_GREETING, "answered");
}

/* ---- events ---- */

void
phone_call_machine_played (PhoneCall *call, const char *path)
{
  if (g_strcmp0 (path, call->machine_sound) != 0)
    return;
  if (call->machine == PHONE_MACHINE_GREETING)
    record (call, "the greeting has ended");
  else if (call->machine == PHONE_MACHINE_LEAVING)
    hang_up (call, NULL);
}

void
phone_call_machine_digit (PhoneCall *call, char digit)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);

  if (call->machine == PHONE_MACHINE_GREETING)
    {
      ports->media->stop_playing (call->media);
      record (call, "the greeting was skipped");
    }
  else if (call->machine == PHONE_MACHINE_RECORDING && digit == '#')
    leave (call, "goodbye", "the caller has finished");
}

void
phone_call_on_quiet (PhoneCall *call)
{
  if (call->machine == PHONE_MACHINE_RECORDING)
    leave (call, "goodbye", "nobody speaks any more");
}

void
phone_call_machine_recording_failed (PhoneCall *call)
{
  if (call->machine == PHONE_MACHINE_RECORDING)
    leave (call, "sorry", "the recording failed");
}

void
phone_call_machine_ended (PhoneCall *call)
{
  g_clear_handle_id (&call->machine_limit, g_source_remove);
  if (call->machine == PHONE_MACHINE_OFF)
    return;
  phone_call_message_stop (call, "the call ends");
  set_machine (call, PHONE_MACHINE_OFF, "the call ends");
}

/* ---- starting, and taking over ---- */

static gboolean
on_no_reply (gpointer data)
{
  PhoneCall *call = data;
  g_autoptr (GError) error = NULL;

  call->machine_timer = 0;
  if (phone_call_require (call, "answer", NULL) && phone_machine_is_ready (call->registry, call->account)
      && !phone_call_answer_by_machine (call, "no answer", &error))
    phone_log_warning (&call->log, "Call %u: the answering machine cannot answer: %s", call->number, error->message);
  return G_SOURCE_REMOVE;
}

void
phone_call_await_machine (PhoneCall *call)
{
  const PhoneAccountSettings *settings = phone_account_get_settings (call->account);

  if (settings->answering && !call->for_help)
    call->machine_timer = g_timeout_add_seconds (settings->answering_after, on_no_reply, call);
}

gboolean
phone_call_answer_by_machine (PhoneCall *call, const char *why, GError **error)
{
  set_machine (call, PHONE_MACHINE_ANSWERING, why);
  if (phone_call_pick_up (call, TRUE, NULL, NULL, error))
    return TRUE;
  set_machine (call, PHONE_MACHINE_OFF, "failed");
  return FALSE;
}

gboolean
phone_call_take_from_machine (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data)
{
  const PhonePorts *ports = phone_registry_get_ports (call->registry);
  gboolean keep = phone_registry_get_settings (call->registry)->voicemail_taken == PHONE_TAKEN_KEEP;
  CallWaiter waiter = { done, data };

  g_clear_handle_id (&call->machine_limit, g_source_remove);
  if (call->media)
    ports->media->stop_playing (call->media);
  if (call->machine == PHONE_MACHINE_RECORDING && !keep)
    phone_registry_discard_recording (call->registry, call->tape.id);
  phone_call_message_stop (call, "taken over");
  set_machine (call, PHONE_MACHINE_OFF, "taken over");
  call->machine_answered = FALSE;
  if (!keep_others)
    phone_registry_hold_others (call->registry, call);
  phone_registry_call_changed (call->registry, call);
  if (call->answering)                  /* its ACK has not come yet */
    {
      call->answer_waiter = waiter;
      return TRUE;
    }
  phone_call_update_attachment (call);
  phone_call_recording_answered (call);
  phone_call_fire (call, &waiter, NULL);
  return TRUE;
}
