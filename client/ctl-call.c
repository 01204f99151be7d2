/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls and what is done with one of them. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

char *
ctl_reason_text (const CtlValue *reason)
{
  const char *phrase = ctl_value_string (reason, "phrase");
  unsigned long sip = (unsigned long) ctl_value_uint (reason, "sip");
  char *text;
  int n;

  if (sip)
    n = asprintf (&text, "%s by %s (%lu%s%s)", ctl_value_string (reason, "reason"), ctl_value_string (reason, "actor"), sip,
                  *phrase ? " " : "", phrase);
  else
    n = asprintf (&text, "%s by %s%s%s%s", ctl_value_string (reason, "reason"), ctl_value_string (reason, "actor"),
                  *phrase ? " (" : "", phrase, *phrase ? ")" : "");
  if (n < 0)
    abort ();
  return text;
}

/* ---- which call ---- */

static void
list_candidates (const CtlValue *calls, const char *action)
{
  for (size_t i = 0; i < calls->n; i++)
    if (!action || ctl_value_has (ctl_value_get (calls->items[i], "Can"), action))
      ctl_error ("  %lu  %s  %s", (unsigned long) ctl_value_uint (calls->items[i], "number"),
                 ctl_value_string (calls->items[i], "State"), ctl_value_string (calls->items[i], "RemoteUri"));
}

int
ctl_choose_call (Ctl *ctl, const char *word, const char *action, CtlValue **ret_call)
{
  CtlValue *calls = NULL;
  const CtlValue *chosen = NULL;
  unsigned long number = 0;
  size_t fitting = 0;
  int status;

  if (word && !ctl_parse_number (word, 1, UINT32_MAX, &number))
    {
      ctl_error ("'%s' is not the number of a call", word);
      return CTL_EXIT_USAGE;
    }
  status = ctl_get_list (ctl, PHONE_DBUS_CALL_PATH, &calls);
  if (status != CTL_EXIT_OK)
    return status;
  for (size_t i = 0; i < calls->n; i++)
    {
      const CtlValue *call = calls->items[i];
      bool fits = word ? ctl_value_uint (call, "number") == number
                  : action ? ctl_value_has (ctl_value_get (call, "Can"), action)
                           : strcmp (ctl_value_string (call, "State"), "disconnected") != 0;

      if (fits)
        {
          chosen = call;
          fitting++;
        }
    }
  if (fitting == 1)
    {
      *ret_call = ctl_value_copy (chosen);
      status = CTL_EXIT_OK;
    }
  else if (word)
    {
      ctl_error ("there is no call %lu", number);
      status = CTL_EXIT_NO_OBJECT;
    }
  else if (fitting == 0)
    {
      ctl_error (action ? "no call that can %s" : "no call", action);
      status = CTL_EXIT_NO_OBJECT;
    }
  else
    {
      ctl_error ("which one?");
      list_candidates (calls, action);
      status = CTL_EXIT_USAGE;
    }
  ctl_value_free (calls);
  return status;
}

/* ---- showing ---- */

static void
print_calls (Ctl *ctl, const CtlValue *calls)
{
  CtlTable *table = ctl_table_new (ctl, 6);

  for (size_t i = 0; i < calls->n; i++)
    {
      const CtlValue *call = calls->items[i];
      const char *state = ctl_value_string (call, "State"), *name = ctl_value_string (call, "RemoteName");
      const CtlValue *security = ctl_value_get (call, "Security");

      ctl_table_add (table, CTL_BOLD, "%lu", (unsigned long) ctl_value_uint (call, "number"));
      ctl_table_add (table, ctl_style_of_state (state), "%s%s", state, ctl_value_bool (call, "Muted") ? ", muted" : "");
      ctl_table_add (table, CTL_PLAIN, "%s", strcmp (ctl_value_string (call, "Direction"), "incoming") == 0 ? "from" : "to");
      ctl_table_add (table, CTL_PLAIN, "%s%s%s", name, *name ? " " : "", ctl_value_string (call, "RemoteUri"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (call, "Codec"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (security, "suite"));
    }
  ctl_table_print (table);
}

static void
print_value (CtlTable *table, const char *name, const CtlValue *value)
{
  if (value->kind == CTL_STRING)
    {
      ctl_table_add (table, CTL_DIM, "%s", name);
      ctl_table_add (table, CTL_PLAIN, "%s", value->s);
    }
  else if (value->kind == CTL_DICT)
    for (size_t i = 0; i < value->n; i++)
      {
        char *inner;

        if (asprintf (&inner, "%s.%s", name, value->keys[i]) < 0)
          abort ();
        print_value (table, inner, value->items[i]);
        free (inner);
      }
  else
    {
      char *text = NULL;
      size_t size = 0;
      FILE *memory = open_memstream (&text, &size);

      if (!memory)
        abort ();
      if (value->kind == CTL_ARRAY)
        for (size_t i = 0; i < value->n; i++)
          {
            if (i)
              fputc (' ', memory);
            if (value->items[i]->kind == CTL_STRING)
              fputs (value->items[i]->s, memory);
            else
              ctl_value_json (memory, value->items[i]);
          }
      else
        ctl_value_json (memory, value);
      fclose (memory);
      ctl_table_add (table, CTL_DIM, "%s", name);
      ctl_table_add (table, CTL_PLAIN, "%s", text);
      free (text);
    }
}

void
ctl_print_dict (Ctl *ctl, const CtlValue *dict)
{
  CtlTable *table = ctl_table_new (ctl, 2);

  for (size_t i = 0; i < dict->n; i++)
    if (strcmp (dict->keys[i], "object") != 0)
      print_value (table, dict->keys[i], dict->items[i]);
  ctl_table_print (table);
}

static int
run_call (Ctl *ctl, const CtlArgs *args)
{
  const char *what = args->n_words > 1 ? args->words[1] : "list";
  CtlValue *value = NULL;
  int status;

  if (strcmp (what, "list") == 0 && args->n_words <= 2)
    {
      status = ctl_get_list (ctl, PHONE_DBUS_CALL_PATH, &value);
      if (status != CTL_EXIT_OK)
        return status;
      if (ctl->json)
        ctl_print_json (value);
      else
        print_calls (ctl, value);
    }
  else if (strcmp (what, "show") == 0 && args->n_words <= 3)
    {
      status = ctl_choose_call (ctl, args->n_words > 2 ? args->words[2] : NULL, NULL, &value);
      if (status != CTL_EXIT_OK)
        return status;
      if (ctl->json)
        ctl_print_json (value);
      else
        ctl_print_dict (ctl, value);
    }
  else
    {
      ctl_error ("call list, or call show [N]");
      return CTL_EXIT_USAGE;
    }
  ctl_value_free (value);
  return status;
}

/* ---- acting ---- */

static int
too_many_words (const CtlArgs *args, size_t most)
{
  if (args->n_words <= most)
    return CTL_EXIT_OK;
  ctl_error ("%s: '%s' is one word too many", args->words[0], args->words[most]);
  return CTL_EXIT_USAGE;
}

/* Chooses the call, then calls the method without arguments, or with those that append adds. */
static int
act (Ctl *ctl, const CtlArgs *args, const char *action, const char *member, int (*append) (sd_bus_message *, const CtlArgs *))
{
  CtlValue *call = NULL;
  sd_bus_message *message;
  int status = too_many_words (args, 2);

  if (status == CTL_EXIT_OK)
    status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, action, &call);
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

static int run_answer (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "answer", "Answer", append_answer); }
static int run_reject (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "reject", "Reject", append_reject); }
static int run_hold (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "hold", "Hold", NULL); }
static int run_resume (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "resume", "Resume", NULL); }
static int run_silence (Ctl *ctl, const CtlArgs *args) { return act (ctl, args, "silence", "SilenceRing", NULL); }

static int
run_hangup (Ctl *ctl, const CtlArgs *args)
{
  if (!ctl_args_flag (args, "all"))
    return act (ctl, args, "hangup", "Hangup", NULL);
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
  int status = too_many_words (args, 2);

  if (status == CTL_EXIT_OK)
    status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, "mute", &call);
  if (status != CTL_EXIT_OK)
    return status;
  status = ctl_set_property (ctl, ctl_value_string (call, "object"), PHONE_DBUS_CALL, "Muted", "b", (int) muted);
  ctl_value_free (call);
  return status;
}

static int run_mute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, true); }
static int run_unmute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, false); }

static int
run_dtmf (Ctl *ctl, const CtlArgs *args)
{
  const char *duration = ctl_args_value (args, "duration");
  const char *digits = args->n_words > 1 ? args->words[args->n_words - 1] : NULL;
  CtlValue *call = NULL;
  sd_bus_message *message;
  unsigned long ms = 0;
  int r, status;

  if (!digits || args->n_words > 3)
    {
      ctl_error ("dtmf [N] DIGITS");
      return CTL_EXIT_USAGE;
    }
  if (duration && !ctl_parse_number (duration, 1, UINT32_MAX, &ms))
    {
      ctl_error ("--duration wants milliseconds, not '%s'", duration);
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, args->n_words == 3 ? args->words[1] : NULL, "dtmf", &call);
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
  { "call", "[list | show [N]]", "calls, or all about one", NULL, run_call },
  { "answer", "[N]", "answer an incoming call", answer_options, run_answer },
  { "reject", "[N]", "refuse an incoming call", reject_options, run_reject },
  { "silence", "[N]", "stop the ring tone, the call stays", NULL, run_silence },
  { "hangup", "[N]", "end a call", hangup_options, run_hangup },
  { "hold", "[N]", "put a call on hold", NULL, run_hold },
  { "resume", "[N]", "take a call from hold", NULL, run_resume },
  { "mute", "[N]", "send silence", NULL, run_mute },
  { "unmute", "[N]", "send the microphone again", NULL, run_unmute },
  { "dtmf", "[N] DIGITS", "send digits (0-9 * # A-D)", dtmf_options, run_dtmf },
  { 0 },
};
