/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <string.h>

static void
print_audio (Ctl *ctl, const CtlValue *audio)
{
  const CtlValue *devices = ctl_value_get (audio, "Devices");
  bool muted = ctl_value_bool (audio, "InputMuted");
  CtlTable *table = ctl_table_new (ctl, 2);

  ctl_table_pair (table, "input", muted ? CTL_WARN : CTL_BOLD, "%s%s", ctl_value_string (audio, "Input"), muted ? " (muted)" : "");
  ctl_table_pair (table, "output", CTL_BOLD, "%s", ctl_value_string (audio, "Output"));
  ctl_table_pair (table, "ring", CTL_BOLD, "%s", ctl_value_string (audio, "Ring"));
  ctl_table_pair (table, "default", CTL_PLAIN, "%s", ctl_value_bool (audio, "FollowDefault") ? "followed" : "as it was when a call began");
  ctl_table_pair (table, "echo", CTL_PLAIN, "%s", ctl_value_string (audio, "EchoCancel"));
  ctl_table_print (table);
  if (!devices || devices->n == 0)
    return;
  putchar ('\n');
  table = ctl_table_new (ctl, 4);
  for (size_t i = 0; i < devices->n; i++)
    {
      ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (devices->items[i], "role"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (devices->items[i], "id"));
      ctl_table_add (table, CTL_DIM, "%s", ctl_value_bool (devices->items[i], "default") ? "default" : "");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (devices->items[i], "name"));
    }
  ctl_table_print (table);
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *audio;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  audio = ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_AUDIO);
  if (!audio)
    {
      ctl_error ("phoned tells nothing about audio");
      status = CTL_EXIT_OTHER;
    }
  else if (ctl->json)
    ctl_print_json (audio);
  else
    print_audio (ctl, audio);
  ctl_value_free (objects);
  return status;
}

static int
select_device (Ctl *ctl, const char *property, const CtlArgs *args)
{
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, property, "s", args->words[1]);
}

static int run_input (Ctl *ctl, const CtlArgs *args) { return select_device (ctl, "Input", args); }
static int run_output (Ctl *ctl, const CtlArgs *args) { return select_device (ctl, "Output", args); }
static int run_ring (Ctl *ctl, const CtlArgs *args) { return select_device (ctl, "Ring", args); }

static int run_echo (Ctl *ctl, const CtlArgs *args) { return select_device (ctl, "EchoCancel", args); }

static int
run_follow (Ctl *ctl, const CtlArgs *args)
{
  bool on = strcmp (args->words[1], "on") == 0;

  if (!on && strcmp (args->words[1], "off") != 0)
    {
      ctl_error ("audio follow: on or off, not '%s'", args->words[1]);
      return CTL_EXIT_USAGE;
    }
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "FollowDefault", "b", (int) on);
}

static int
run_test (Ctl *ctl, const CtlArgs *args)
{
  return ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "TestTone", NULL, "s", args->words[1]);
}

static int
set_muted (Ctl *ctl, bool muted)
{
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "InputMuted", "b", (int) muted);
}

static int run_mute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, true); }
static int run_unmute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, false); }

static const CtlVerb actions[] = {
  { "list", "", "what is used, and what could be", NULL, run_list },
  { "input", "INPUT", "choose the microphone", NULL, run_input },
  { "output", "OUTPUT", "choose the loudspeaker", NULL, run_output },
  { "ring", "OUTPUT", "choose where it rings", NULL, run_ring },
  { "echo", "MODE", "cancel the loudspeaker's echo: off, on or auto", NULL, run_echo },
  { "follow", "MODE", "move with the desktop's default device: on or off", NULL, run_follow },
  { "test", "ROLE", "a short tone on output or ring; for input, hear the microphone", NULL, run_test },
  { "mute", "", "switch the microphone off for all calls", NULL, run_mute },
  { "unmute", "", "and on again", NULL, run_unmute },
  { 0 },
};

const CtlVerb ctl_audio_verbs[] = {
  { "audio", "[ACTION ...]", "microphone, loudspeaker and bell", .actions = actions },
  { 0 },
};
