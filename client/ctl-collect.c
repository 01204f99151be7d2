/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Digits of the other party for scripts: what was pressed on standard output, why it ended in the exit status. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SECONDS 3600

/* One option {sv} of type u, if it is given; false: it was said what is wrong with it. */
static bool
append_number (sd_bus_message *m, const CtlArgs *args, const char *name, unsigned long min, unsigned long max, unsigned long factor)
{
  const char *word = ctl_args_value (args, name);
  unsigned long number;

  if (word && !ctl_parse_number (word, min, max, &number))
    {
      ctl_error ("--%s wants %lu to %lu, not '%s'", name, min, max, word);
      return false;
    }
  if (word && sd_bus_message_append (m, "{sv}", name, "u", (uint32_t) (number * factor)) < 0)
    abort ();
  return true;
}

static bool
append_text (sd_bus_message *m, const char *name, const char *text)
{
  if (!text || sd_bus_message_append (m, "{sv}", name, "s", text) >= 0)
    return true;
  ctl_error ("--%s is not text", name);
  return false;
}

static bool
append_options (sd_bus_message *m, const CtlArgs *args, const char *prompt)
{
  if (sd_bus_message_open_container (m, 'a', "{sv}") < 0)
    abort ();
  if (!append_number (m, args, "min", 0, 128, 1) || !append_number (m, args, "max", 1, 128, 1)
      || !append_number (m, args, "first-timeout", 0, MAX_SECONDS, 1000) || !append_number (m, args, "digit-timeout", 1, MAX_SECONDS, 1000)
      || !append_text (m, "terminators", ctl_args_value (args, "terminators")) || !append_text (m, "prompt", prompt))
    return false;
  if ((ctl_args_flag (args, "no-barge-in") && sd_bus_message_append (m, "{sv}", "barge-in", "b", 0) < 0) || sd_bus_message_close_container (m) < 0)
    abort ();
  return true;
}

static int
status_of (const char *reason, size_t digits, const CtlArgs *args)
{
  const char *word = ctl_args_value (args, "min");
  unsigned long min = 1;

  if (strcmp (reason, "hangup") == 0)
    return CTL_EXIT_STATE;
  if (strcmp (reason, "stopped") == 0)
    return CTL_EXIT_OTHER;
  if (word)
    ctl_parse_number (word, 0, 128, &min);
  return digits < min ? CTL_EXIT_NO_ANSWER : CTL_EXIT_OK;
}

static int
collect (Ctl *ctl, sd_bus_message *message, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  const char *digits, *reason;
  CtlValue *json;
  int status;

  ctl->timeout_us = UINT64_MAX;         /* the time-outs are phoned's */
  status = ctl_send (ctl, message, &reply);
  if (status != CTL_EXIT_OK)
    return status;
  if (sd_bus_message_read (reply, "ss", &digits, &reason) < 0)
    abort ();
  status = status_of (reason, strlen (digits), args);
  if (ctl->json)
    {
      json = ctl_value_new_dict ();
      ctl_value_set (json, "digits", ctl_value_new_string (digits));
      ctl_value_set (json, "reason", ctl_value_new_string (reason));
      ctl_print_json (json);
      ctl_value_free (json);
    }
  else
    ctl_print (ctl, CTL_PLAIN, "%s", digits);
  sd_bus_message_unref (reply);
  return status;
}

static int
run_collect (Ctl *ctl, const CtlArgs *args)
{
  const char *file = ctl_args_value (args, "prompt");
  char *prompt = file ? ctl_sound_path (ctl, file) : NULL;
  CtlValue *call = NULL;
  sd_bus_message *message;
  int status;

  if (file && !prompt)
    return CTL_EXIT_MEDIA;
  status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, "play", &call);
  if (status == CTL_EXIT_OK)
    {
      message = ctl_new_call (ctl, ctl_value_string (call, "object"), PHONE_DBUS_MEDIA, "CollectDigits");
      if (append_options (message, args, prompt))
        status = collect (ctl, message, args);
      else
        {
          sd_bus_message_unref (message);
          status = CTL_EXIT_USAGE;
        }
    }
  ctl_value_free (call);
  free (prompt);
  return status;
}

static const CtlOption collect_options[] = {
  { "min", 0, "COUNT", "digits that are enough when the time is up, or a terminator comes (1)" },
  { "max", 0, "COUNT", "digits that end it at once (128)" },
  { "terminators", 0, "KEYS", "keys that end it (#)" },
  { "prompt", 0, "FILE", "a WAV file to be played first" },
  { "no-barge-in", 0, NULL, "keys do not count before the prompt is over" },
  { "first-timeout", 0, "SECONDS", "how long the first digit may take once nothing plays (10)" },
  { "digit-timeout", 0, "SECONDS", "how long each other one may take (4)" },
  { 0 },
};

const CtlVerb ctl_collect_verbs[] = {
  { "collect", "[N]", "wait for keys that the other party presses", collect_options, run_collect, "play" },
  { 0 },
};
