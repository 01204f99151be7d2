/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <string.h>

static int
list_audio (Ctl *ctl)
{
  CtlValue *objects = NULL;
  const CtlValue *audio, *devices;
  CtlTable *table;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  audio = ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_AUDIO);
  if (!audio)
    {
      ctl_error ("phoned tells nothing about audio");
      ctl_value_free (objects);
      return CTL_EXIT_OTHER;
    }
  if (ctl->json)
    ctl_print_json (audio);
  else
    {
      table = ctl_table_new (ctl, 2);
      ctl_table_add (table, CTL_PLAIN, "input");
      ctl_table_add (table, CTL_BOLD, "%s%s", ctl_value_string (audio, "Input"), ctl_value_bool (audio, "InputMuted") ? " (muted)" : "");
      ctl_table_add (table, CTL_PLAIN, "output");
      ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (audio, "Output"));
      ctl_table_add (table, CTL_PLAIN, "ring");
      ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (audio, "Ring"));
      ctl_table_print (table);
      devices = ctl_value_get (audio, "Devices");
      table = ctl_table_new (ctl, 3);
      for (size_t i = 0; devices && i < devices->n; i++)
        {
          ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (devices->items[i], "role"));
          ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (devices->items[i], "id"));
          ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (devices->items[i], "name"));
        }
      ctl_table_print (table);
    }
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

static int
run_audio (Ctl *ctl, const CtlArgs *args)
{
  static const struct
  {
    const char *verb, *property;
  } roles[] = { { "input", "Input" }, { "output", "Output" }, { "ring", "Ring" } };
  const char *what = args->n_words > 1 ? args->words[1] : "list";

  if (args->n_words <= 2 && strcmp (what, "list") == 0)
    return list_audio (ctl);
  if (args->n_words == 2 && (strcmp (what, "mute") == 0 || strcmp (what, "unmute") == 0))
    return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "InputMuted", "b", (int) (what[0] == 'm'));
  if (args->n_words == 3 && strcmp (what, "test") == 0)
    return ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, "TestTone", NULL, "s", args->words[2]);
  for (size_t i = 0; args->n_words == 3 && i < sizeof roles / sizeof roles[0]; i++)
    if (strcmp (what, roles[i].verb) == 0)
      return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_AUDIO, roles[i].property, "s", args->words[2]);
  ctl_error ("audio list, input DEVICE, output DEVICE, ring DEVICE, test input|output|ring, mute, unmute");
  return CTL_EXIT_USAGE;
}

const CtlVerb ctl_audio_verbs[] = {
  { "audio", "[list | input DEVICE | output DEVICE | ring DEVICE | test ROLE | mute | unmute]", "microphone, loudspeaker and ring device",
    NULL, run_audio },
  { 0 },
};
