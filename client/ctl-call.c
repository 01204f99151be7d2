/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls and what is done with one of them. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

char *
ctl_reason_text (const CtlValue *reason)
{
  const char *phrase = ctl_value_string (reason, "phrase"), *actor = ctl_value_string (reason, "actor");
  const char *word = ctl_value_string (reason, "reason"), *by = *actor ? " by " : "";
  unsigned long sip = (unsigned long) ctl_value_uint (reason, "sip");

  if (sip)
    return ctl_format ("%s%s%s (%lu%s%s)", word, by, actor, sip, *phrase ? " " : "", phrase);
  return ctl_format ("%s%s%s%s%s%s", word, by, actor, *phrase ? " (" : "", phrase, *phrase ? ")" : "");
}

char *
ctl_name_text (const char *contact, const char *claimed, const char *address)
{
  if (!*contact && !*claimed)
    return ctl_format ("%s", address);
  if (!*contact || !*claimed || strcmp (contact, claimed) == 0)
    return ctl_format ("%s <%s>", *contact ? contact : claimed, address);
  return ctl_format ("%s (says \"%s\") <%s>", contact, claimed, address);
}

char *
ctl_party_text (const CtlValue *call)
{
  return ctl_name_text (ctl_value_string (call, "ContactName"), ctl_value_string (call, "RemoteName"), ctl_value_string (call, "RemoteUri"));
}

/* ---- which call ---- */

static bool
is_over (const CtlValue *call)
{
  const char *state = ctl_value_string (call, "State");

  return strcmp (state, "disconnected") == 0 || strcmp (state, "disconnecting") == 0;
}

static bool
is_meant (const CtlValue *call, const char *can)
{
  return can ? ctl_value_has (ctl_value_get (call, "Can"), can) : !is_over (call);
}

/* Those that fit, or if none does those that there are. Returns how many were listed. */
static size_t
list_candidates (const CtlValue *calls, const char *can, bool fitting)
{
  size_t n = 0;

  for (size_t i = 0; i < calls->n; i++)
    if (fitting ? is_meant (calls->items[i], can) : !is_over (calls->items[i]))
      {
        char *party = ctl_party_text (calls->items[i]);

        if (n++ == 0 && fitting)
          ctl_error ("which call? say its number:");
        else if (n == 1)
          ctl_error ("no call can %s now:", can);
        ctl_error ("  %lu  %s  %s", (unsigned long) ctl_value_uint (calls->items[i], "number"),
                   ctl_value_string (calls->items[i], "State"), party);
        free (party);
      }
  return n;
}

static int
choose_by_number (const CtlValue *calls, unsigned long number, const CtlValue **ret_chosen)
{
  for (size_t i = 0; i < calls->n; i++)
    if (ctl_value_uint (calls->items[i], "number") == number)
      {
        *ret_chosen = calls->items[i];
        return CTL_EXIT_OK;
      }
  ctl_error ("there is no call %lu", number);
  return CTL_EXIT_NO_OBJECT;
}

static int
choose_only (const CtlValue *calls, const char *can, const CtlValue **ret_chosen)
{
  size_t fitting = 0;

  for (size_t i = 0; i < calls->n; i++)
    if (is_meant (calls->items[i], can))
      {
        *ret_chosen = calls->items[i];
        fitting++;
      }
  if (fitting == 1)
    return CTL_EXIT_OK;
  if (list_candidates (calls, can, fitting > 0) > 0)
    return fitting ? CTL_EXIT_USAGE : CTL_EXIT_STATE;
  ctl_error ("there is no call");
  return CTL_EXIT_NO_OBJECT;
}

int
ctl_choose_call (Ctl *ctl, const char *word, const char *can, CtlValue **ret_call)
{
  CtlValue *calls = NULL;
  const CtlValue *chosen = NULL;
  unsigned long number = 0;
  int status;

  if (word && !ctl_parse_number (word, 1, UINT32_MAX, &number))
    {
      ctl_error ("'%s' is not the number of a call", word);
      return CTL_EXIT_USAGE;
    }
  status = ctl_get_list (ctl, PHONE_DBUS_CALL_PATH, &calls);
  if (status == CTL_EXIT_OK)
    status = word ? choose_by_number (calls, number, &chosen) : choose_only (calls, can, &chosen);
  if (status == CTL_EXIT_OK)
    *ret_call = ctl_value_copy (chosen);
  ctl_value_free (calls);
  return status;
}

/* ---- showing ---- */

static char *
talking_time (const CtlValue *call)
{
  uint64_t answered = ctl_value_uint (call, "Answered");
  time_t now = time (NULL);

  if (!answered || is_over (call) || (uint64_t) now < answered)
    return ctl_format ("%s", "");
  return ctl_text_duration ((uint64_t) now - answered);
}

static bool
has_machine (const CtlValue *call)
{
  const char *machine = ctl_value_string (call, "Machine");

  return *machine && strcmp (machine, "off") != 0;
}

const char *
ctl_recording_text (const CtlValue *object)
{
  if (ctl_value_bool (object, "RecordingActive"))
    return ", recorded";
  return strcmp (ctl_value_string (object, "RecordingState"), "paused") == 0 ? ", recording paused" : "";
}

static bool
is_recorded_by_peer (const CtlValue *call)
{
  return strcmp (ctl_value_string (call, "RemoteRecording"), "on") == 0;
}

void
ctl_add_call (CtlTable *table, const CtlValue *call, const char *mark, bool silent)
{
  const CtlValue *security = ctl_value_get (call, "Security");
  const CtlValue *reason = ctl_value_get (call, "Reason");
  const char *state = ctl_value_string (call, "State");
  char *party = ctl_party_text (call), *talking = talking_time (call);
  bool over = is_over (call);

  ctl_table_add (table, CTL_BOLD, "%s%lu", mark, (unsigned long) ctl_value_uint (call, "number"));
  if (over)
    ctl_table_add (table, ctl_style_of_state (state), "%s%s%s", state, *ctl_value_string (reason, "reason") ? ", " : "",
                   ctl_value_string (reason, "reason"));
  else
    ctl_table_add (table, ctl_style_of_state (state), "%s%s%s%s%s%s%s", state, has_machine (call) ? ", answering machine" : "",
                   ctl_value_bool (call, "RemoteHold") ? ", held by peer" : "", ctl_value_bool (call, "Muted") ? ", muted" : "",
                   silent ? ", not heard" : "", ctl_recording_text (call),
                   is_recorded_by_peer (call) ? ", peer records" : "");
  ctl_table_add (table, CTL_DIM, "%s", strcmp (ctl_value_string (call, "Direction"), "incoming") == 0 ? "from" : "to");
  ctl_table_add (table, CTL_PLAIN, "%s", party);
  ctl_table_add (table, CTL_PLAIN, "%s", talking);
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (call, "Codec"));
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (security, "suite"));
  free (party);
  free (talking);
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL, *calls, *conferences;
  CtlTable *table;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  calls = ctl_collect (objects, PHONE_DBUS_CALL_PATH);
  conferences = ctl_collect (objects, PHONE_DBUS_CONFERENCE_PATH);
  if (ctl->json)
    ctl_print_json (calls);
  else if (calls->n + conferences->n == 0)
    ctl_print (ctl, CTL_DIM, "no calls");
  else
    {
      table = ctl_table_new (ctl, CTL_CALL_COLUMNS);
      ctl_add_call_tree (table, calls, conferences);
      ctl_table_print (table);
    }
  ctl_value_free (calls);
  ctl_value_free (conferences);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

static const char *
verstat_text (const char *verstat)
{
  return strcmp (verstat, "passed") == 0   ? "verified by the provider"
         : strcmp (verstat, "failed") == 0 ? "not the caller's, says the provider"
         : strcmp (verstat, "none") == 0   ? "not verified"
                                           : "";
}

static void
add_peer (CtlTable *table, const CtlValue *call)
{
  char *party = ctl_party_text (call), *account = ctl_account_id (ctl_value_string (call, "Account"));
  const char *state = ctl_value_string (call, "State");

  ctl_table_pair (table, "call", CTL_BOLD, "%lu, %s", (unsigned long) ctl_value_uint (call, "number"), ctl_value_string (call, "Direction"));
  ctl_table_pair (table, "state", ctl_style_of_state (state), "%s", state);
  ctl_table_pair (table, "answering machine", CTL_WARN, "%s", has_machine (call) ? ctl_value_string (call, "Machine") : "");
  ctl_table_pair (table, "peer", CTL_PLAIN, "%s", party);
  ctl_table_pair (table, "contact", CTL_GOOD, "%s", ctl_value_string (call, "ContactName"));
  ctl_table_pair (table, "vouched for", CTL_GOOD, "%s", ctl_value_string (call, "AssertedId"));
  ctl_table_pair (table, "number", strcmp (ctl_value_string (call, "Verstat"), "failed") == 0 ? CTL_BAD : CTL_PLAIN, "%s",
                  verstat_text (ctl_value_string (call, "Verstat")));
  ctl_table_pair (table, "alert", CTL_PLAIN, "%s", ctl_value_string (call, "Alert"));
  ctl_table_pair (table, "intercom", CTL_WARN, "%s", ctl_value_bool (call, "Intercom") ? "answered by itself, as the caller wished" : "");
  ctl_table_pair (table, "diverted by", CTL_PLAIN, "%s", ctl_value_string (call, "Diverter"));
  ctl_table_pair (table, "account", CTL_PLAIN, "%s", account);
  free (party);
  free (account);
}

/* "7" of "/org/phoned/Phone1/call/7"; "" for none. */
static const char *
number_of (const CtlValue *call, const char *key)
{
  const char *path = ctl_value_string (call, key), *slash = strrchr (path, '/');

  return slash && slash != path ? slash + 1 : "";
}

static void
add_transfer (CtlTable *table, const CtlValue *call)
{
  const CtlValue *request = ctl_value_get (call, "TransferRequest");
  char *text = ctl_transfer_text (call);

  ctl_table_pair (table, "transfer", CTL_PLAIN, "%s", text);
  ctl_table_pair (table, "parked at", CTL_GOOD, "%s", ctl_value_string (call, "Parked"));
  if (request && request->n)
    ctl_table_pair (table, "asks to call", CTL_WARN, "%s (phonectl transfer %lu --accept or --decline)", ctl_value_string (request, "target"),
                    (unsigned long) ctl_value_uint (call, "number"));
  ctl_table_pair (table, "in place of", CTL_PLAIN, "%s", number_of (call, "Replaces"));
  ctl_table_pair (table, "replaced by", CTL_PLAIN, "%s", number_of (call, "ReplacedBy"));
  free (text);
}

static void
add_course (CtlTable *table, const CtlValue *call)
{
  const CtlValue *reason = ctl_value_get (call, "Reason");
  uint64_t start = ctl_value_uint (call, "Start"), answered = ctl_value_uint (call, "Answered");
  char *started = ctl_text_time ((time_t) start, time (NULL)), *since = ctl_text_time ((time_t) answered, time (NULL));
  char *talking = talking_time (call);
  const char *recording = ctl_value_string (call, "RemoteRecording");
  const char *state = ctl_value_string (call, "RecordingState"), *file = ctl_value_string (call, "RecordingFile");
  bool is_recorded = *state && strcmp (state, "off") != 0;
  bool local = ctl_value_bool (call, "LocalHold"), remote = ctl_value_bool (call, "RemoteHold");

  ctl_table_pair (table, "started", CTL_PLAIN, "%s", start ? started : "");
  ctl_table_pair (table, "answered", CTL_PLAIN, "%s", answered ? since : "");
  ctl_table_pair (table, "talking", CTL_PLAIN, "%s", talking);
  ctl_table_pair (table, "on hold", CTL_WARN, "%s%s%s", local ? "from here" : "", local && remote ? " and " : "",
                  remote ? "from the peer" : "");
  ctl_table_pair (table, "conference", CTL_PLAIN, "%s", number_of (call, "Conference"));
  ctl_table_pair (table, "recording", CTL_WARN, "%s%s%s", is_recorded ? state : "", is_recorded && *file ? ", " : "", is_recorded ? file : "");
  ctl_table_pair (table, "peer records", CTL_WARN, "%s",
                  strcmp (recording, "off") == 0 || strcmp (recording, "none") == 0 ? "" : recording);
  ctl_table_pair (table, "peer is conference", CTL_PLAIN, "%s", ctl_value_string (call, "Focus"));
  ctl_table_pair (table, "muted", CTL_WARN, "%s", ctl_value_bool (call, "Muted") ? "yes" : "");
  add_transfer (table, call);
  if (reason && reason->n)
    {
      char *text = ctl_reason_text (reason);

      ctl_table_pair (table, "ended", CTL_PLAIN, "%s", text);
      free (text);
    }
  free (started);
  free (since);
  free (talking);
}

static void
add_media (CtlTable *table, const CtlValue *call)
{
  const CtlValue *security = ctl_value_get (call, "Security");
  const char *codec = ctl_value_string (call, "Codec"), *suite = ctl_value_string (security, "suite");

  if (!*codec)
    return;
  ctl_table_pair (table, "codec", CTL_PLAIN, "%s, %lu Hz, packets of %lu ms, %lu kbit/s", codec,
                  (unsigned long) ctl_value_uint (call, "ClockRate"), (unsigned long) ctl_value_uint (call, "Ptime"),
                  (unsigned long) ctl_value_uint (call, "Bitrate") / 1000);
  if (!*suite && *ctl_value_string (security, "keying"))
    ctl_table_pair (table, "encryption", CTL_WARN, "not agreed on yet (%s)", ctl_value_string (security, "keying"));
  else if (*suite)
    ctl_table_pair (table, "encryption", CTL_GOOD, "%s (%s)", suite, ctl_value_string (security, "keying"));
  else
    ctl_table_pair (table, "encryption", CTL_WARN, "none");
  ctl_table_pair (table, "voice", CTL_PLAIN, "%s", ctl_value_string (call, "MediaDirection"));
  ctl_table_pair (table, "goes to", CTL_PLAIN, "%s", ctl_value_string (call, "RemoteAddress"));
  if (strcmp (ctl_value_string (call, "IceState"), "off") != 0)
    ctl_table_pair (table, "path", strcmp (ctl_value_string (call, "IceState"), "connected") == 0 ? CTL_GOOD : CTL_WARN, "%s (ICE)",
                    ctl_value_string (call, "IceState"));
}

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *call = NULL;
  CtlTable *table;
  int status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, NULL, &call);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (call);
  else
    {
      table = ctl_table_new (ctl, 2);
      add_peer (table, call);
      add_course (table, call);
      add_media (table, call);
      ctl_table_pair (table, "id", CTL_DIM, "%s", ctl_value_string (call, "Id"));
      ctl_table_print (table);
    }
  ctl_value_free (call);
  return CTL_EXIT_OK;
}

static const CtlVerb actions[] = {
  { "list", "", "all of them, with those that have just ended", NULL, run_list },
  { "show", "[N]", "all about one", NULL, run_show },
  { 0 },
};

/* ---- acting ---- */

static const char *
number_word (const CtlArgs *args)
{
  return args->n_words > 1 ? args->words[1] : NULL;
}

/* Chooses the call, then calls the method without arguments, or with those that append adds. */
static int
act (Ctl *ctl, const CtlArgs *args, const char *member, int (*append) (sd_bus_message *, const CtlArgs *))
{
  CtlValue *call = NULL;
  sd_bus_message *message;
  int status = ctl_choose_call (ctl, number_word (args), ctl->verb->can, &call);

  if (status != CTL_EXIT_OK)
    return status;
  message = ctl_new_call (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, member);
  if (append && append (message, args) < 0)
    abort ();
  ctl_value_free (call);
  return ctl_send (ctl, message, NULL);
}

static int
append_answer (sd_bus_message *message, const CtlArgs *args)
{
  if (ctl_args_flag (args, "keep-others"))
    return sd_bus_message_append (message, "a{sv}", 1, "keep-others", "b", 1);
  return sd_bus_message_append (message, "a{sv}", 0);
}

static int
append_reject (sd_bus_message *message, const CtlArgs *args)
{
  return sd_bus_message_append (message, "s",
                                ctl_args_flag (args, "busy")          ? "busy"
                                : ctl_args_flag (args, "unavailable") ? "unavailable"
                                                                      : "decline");
}

static int run_answer (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Answer", append_answer); }
static int run_reject (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Reject", append_reject); }
static int run_hold (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Hold", NULL); }
static int run_resume (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "Resume", NULL); }
static int run_silence (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "SilenceRing", NULL); }

static int
run_hangup (Ctl *ctl, const CtlArgs *args)
{
  if (!ctl_args_flag (args, "all"))
    return act (ctl, args, "Hangup", NULL);
  if (args->n_words > 1)
    {
      ctl_error ("hangup: a number or --all, not both");
      return CTL_EXIT_USAGE;
    }
  return ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "HangupAll", NULL, NULL);
}

static int
set_muted (Ctl *ctl, const CtlArgs *args, bool muted)
{
  CtlValue *call = NULL;
  int status = ctl_choose_call (ctl, number_word (args), ctl->verb->can, &call);

  if (status == CTL_EXIT_OK)
    status = ctl_set_property (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, "Muted", "b", (int) muted);
  ctl_value_free (call);
  return status;
}

static int run_mute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, true); }
static int run_unmute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, false); }

static int
run_dtmf (Ctl *ctl, const CtlArgs *args)
{
  const char *duration = ctl_args_value (args, "duration"), *digits = args->words[args->n_words - 1];
  CtlValue *call = NULL;
  sd_bus_message *message;
  unsigned long ms = 0;
  int r, status;

  if (duration && !ctl_parse_number (duration, 1, UINT32_MAX, &ms))
    {
      ctl_error ("--duration wants milliseconds, not '%s'", duration);
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, args->n_words == 3 ? args->words[1] : NULL, ctl->verb->can, &call);
  if (status != CTL_EXIT_OK)
    return status;
  message = ctl_new_call (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, "SendDtmf");
  ctl_value_free (call);
  r = sd_bus_message_append (message, "s", digits);
  if (r >= 0)
    r = ms ? sd_bus_message_append (message, "a{sv}", 1, "duration", "u", (uint32_t) ms)
           : sd_bus_message_append (message, "a{sv}", 0);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("dtmf: not text");
      return CTL_EXIT_USAGE;
    }
  sd_bus_message_sensitive (message);
  return ctl_send (ctl, message, NULL);
}

static const CtlOption answer_options[] = {
  { "keep-others", 0, NULL, "do not put other active calls on hold" },
  { 0 },
};
static const CtlOption reject_options[] = {
  { "busy", 0, NULL, "486: your other devices still ring" },
  { "decline", 0, NULL, "603: your other devices stop (default)" },
  { "unavailable", 0, NULL, "480" },
  { 0 },
};
static const CtlOption hangup_options[] = {
  { "all", 'a', NULL, "end every call" },
  { 0 },
};
static const CtlOption dtmf_options[] = {
  { "duration", 0, "MS", "milliseconds for one digit, 40 to 6000" },
  { 0 },
};

const CtlVerb ctl_call_verbs[] = {
  { "call", "[ACTION ...]", "calls, or all about one", .actions = actions },
  { "answer", "[N]", "answer an incoming call, or take one from the answering machine", answer_options, run_answer, "answer" },
  { "reject", "[N]", "refuse an incoming call", reject_options, run_reject, "reject" },
  { "silence", "[N]", "stop the ring tone, the call stays", NULL, run_silence, "silence" },
  { "hangup", "[N]", "end a call", hangup_options, run_hangup, "hangup" },
  { "hold", "[N]", "put a call on hold", NULL, run_hold, "hold" },
  { "resume", "[N]", "take a call from hold", NULL, run_resume, "resume" },
  { "mute", "[N]", "send silence", NULL, run_mute, "mute" },
  { "unmute", "[N]", "send the microphone again", NULL, run_unmute, "mute" },
  { "dtmf", "[N] DIGITS", "send digits (0-9 * # A-D)", dtmf_options, run_dtmf, "dtmf" },
  { 0 },
};
