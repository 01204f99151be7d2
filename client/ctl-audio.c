/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <stdlib.h>
#include <string.h>

enum { INPUT, OUTPUT };

static const struct Side
{
  const char *name, *muted, *volume;
} sides[] = { { "input", "InputMuted", "InputVolume" }, { "output", "OutputMuted", "OutputVolume" } };

static const struct Side *
find_side (const char *name)
{
  for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
    if (strcmp (name, sides[i].name) == 0)
      return &sides[i];
  return NULL;
}

/* A device, or nothing, and what is unusual about it. */
static void
add_side (CtlTable *table, const CtlValue *audio, const struct Side *side, const char *device)
{
  bool muted = ctl_value_bool (audio, side->muted);
  unsigned long volume = ctl_value_uint (audio, side->volume);
  char *text = volume != 100 ? ctl_format (" at %lu%%", volume) : NULL;

  ctl_table_pair (table, side->name, muted ? CTL_WARN : CTL_BOLD, "%s%s%s", device, text ? text : "", muted ? " (muted)" : "");
  free (text);
}

static void
print_audio (Ctl *ctl, const CtlValue *audio)
{
  const CtlValue *devices = ctl_value_get (audio, "Devices");
  CtlTable *table = ctl_table_new (ctl, 2);

  add_side (table, audio, &sides[INPUT], ctl_value_string (audio, "Input"));
  add_side (table, audio, &sides[OUTPUT], ctl_value_string (audio, "Output"));
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

/* *ret_audio points into *ret_objects, which the caller frees. */
static int
get_audio (Ctl *ctl, CtlValue **ret_objects, const CtlValue **ret_audio)
{
  int status = ctl_get_objects (ctl, ret_objects);

  if (status != CTL_EXIT_OK)
    return status;
  *ret_audio = ctl_value_get (ctl_value_get (*ret_objects, PHONE_DBUS_PATH), PHONE_DBUS_AUDIO);
  if (*ret_audio)
    return CTL_EXIT_OK;
  ctl_error ("phoned tells nothing about audio");
  return CTL_EXIT_OTHER;
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL;
  const CtlValue *audio;
  int status = get_audio (ctl, &objects, &audio);

  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (audio);
  else if (status == CTL_EXIT_OK)
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
set_muted (Ctl *ctl, const CtlArgs *args, bool muted)
{
  const struct Side *side = args->n_words > 1 ? find_side (args->words[1]) : &sides[INPUT];

  if (side)
    return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, side->muted, "b", (int) muted);
  ctl_error ("audio %s: input or output, not '%s'", args->words[0], args->words[1]);
  return CTL_EXIT_USAGE;
}

static int run_mute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, true); }
static int run_unmute (Ctl *ctl, const CtlArgs *args) { return set_muted (ctl, args, false); }

static int
show_volume (Ctl *ctl, const struct Side *side)
{
  CtlValue *objects = NULL;
  const CtlValue *audio;
  CtlTable *table;
  int status = get_audio (ctl, &objects, &audio);

  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (audio);
  else if (status == CTL_EXIT_OK)
    {
      table = ctl_table_new (ctl, 2);
      for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
        if (!side || side == &sides[i])
          ctl_table_pair (table, sides[i].name, ctl_value_bool (audio, sides[i].muted) ? CTL_WARN : CTL_PLAIN, "%lu%%%s",
                          (unsigned long) ctl_value_uint (audio, sides[i].volume), ctl_value_bool (audio, sides[i].muted) ? " (muted)" : "");
      ctl_table_print (table);
    }
  ctl_value_free (objects);
  return status;
}

/* "80%" or "80". */
static bool
parse_volume (const char *text, unsigned long *ret_volume)
{
  size_t length = strcspn (text, "%");
  char digits[8] = "";

  if (length >= sizeof digits || (text[length] && text[length + 1]))
    return false;
  memcpy (digits, text, length);
  return ctl_parse_number (digits, 0, 150, ret_volume);
}

static int
run_volume (Ctl *ctl, const CtlArgs *args)
{
  const struct Side *side = args->n_words > 1 ? find_side (args->words[1]) : NULL;
  const char *text = args->n_words > 2 ? args->words[2] : args->n_words > 1 && !side ? args->words[1] : NULL;
  unsigned long volume;

  if (args->n_words > 2 && !side)
    {
      ctl_error ("audio volume: input or output, not '%s'", args->words[1]);
      return CTL_EXIT_USAGE;
    }
  if (!text)
    return show_volume (ctl, side);
  if (!parse_volume (text, &volume))
    {
      ctl_error ("audio volume: 0%% to 150%%, not '%s'", text);
      return CTL_EXIT_USAGE;
    }
  return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, side ? side->volume : sides[OUTPUT].volume, "u", (uint32_t) volume);
}

static const CtlVerb actions[] = {
  { "list", "", "what is used, and what could be", NULL, run_list },
  { "input", "INPUT", "choose the microphone", NULL, run_input },
  { "output", "OUTPUT", "choose the loudspeaker", NULL, run_output },
  { "ring", "OUTPUT", "choose where it rings", NULL, run_ring },
  { "echo", "MODE", "cancel the loudspeaker's echo: off, on or auto", NULL, run_echo },
  { "follow", "MODE", "move with the desktop's default device: on or off", NULL, run_follow },
  { "test", "ROLE", "a short tone on output or ring; for input, hear the microphone", NULL, run_test },
  { "mute", "[SIDE]", "switch the microphone off for all calls, or the output", NULL, run_mute },
  { "unmute", "[SIDE]", "and on again", NULL, run_unmute },
  { "volume", "[SIDE] [VOLUME]", "how loud output and input are, or shall be: 80%", NULL, run_volume },
  { 0 },
};

const CtlVerb ctl_audio_verbs[] = {
  { "audio", "[ACTION ...]", "microphone, loudspeaker and bell", .actions = actions },
  { 0 },
};
