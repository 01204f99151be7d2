/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every signal of the phone, one line each; with --initial, first what there is, and again whenever phoned comes back. */

#include "ctl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct
{
  Ctl *ctl;
  bool initial_due;             /* the objects are to be printed at the next turn */
} Monitor;

static uint64_t
monotonic_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void
print_line (Ctl *ctl, const CtlValue *event, const CtlValue *details)
{
  char *text = NULL, *clean;
  size_t size = 0;
  FILE *memory;

  if (ctl->json)
    {
      ctl_print_json (event);
      return;
    }
  memory = open_memstream (&text, &size);
  if (!memory)
    abort ();
  fprintf (memory, "%s %s ", ctl_value_string (event, "object"), ctl_value_string (event, "signal"));
  if (details)
    ctl_value_json (memory, details);
  fclose (memory);
  clean = ctl_clean (text);
  puts (clean);
  fflush (stdout);
  free (clean);
  free (text);
}

static CtlValue *
new_event (const char *object, const char *interface, const char *name)
{
  CtlValue *event = ctl_value_new_dict ();

  ctl_value_set (event, "at", ctl_value_new_uint (monotonic_us ()));
  ctl_value_set (event, "object", ctl_value_new_string (object));
  if (interface)
    ctl_value_set (event, "interface", ctl_value_new_string (interface));
  ctl_value_set (event, "signal", ctl_value_new_string (name));
  return event;
}

static void
emit (Ctl *ctl, CtlValue *event, const char *key, CtlValue *details)
{
  if (details)
    ctl_value_set (event, key, details);
  print_line (ctl, event, details);
  ctl_value_free (event);
}

/* The arguments that are left in the message. */
static CtlValue *
read_rest (sd_bus_message *message)
{
  CtlValue *list = ctl_value_new_array (), *item = NULL;

  while (sd_bus_message_at_end (message, 1) == 0 && ctl_value_read (message, &item) == 0)
    ctl_value_append (list, item);
  return list;
}

static int
on_signal (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Monitor *self = data;
  Ctl *ctl = self->ctl;
  const char *member = sd_bus_message_get_member (message), *interface = NULL, *path = NULL;
  CtlValue *value = NULL;

  if (sd_bus_message_is_signal (message, "org.freedesktop.DBus.Properties", "PropertiesChanged") > 0)
    {
      if (sd_bus_message_read (message, "s", &interface) < 0 || ctl_value_read (message, &value) < 0)
        return 0;
      emit (ctl, new_event (sd_bus_message_get_path (message), interface, member), "properties", value);
    }
  else if (sd_bus_message_is_signal (message, "org.freedesktop.DBus.ObjectManager", "InterfacesAdded") > 0)
    {
      if (sd_bus_message_read (message, "o", &path) < 0 || ctl_value_read (message, &value) < 0)
        return 0;
      emit (ctl, new_event (path, NULL, member), "interfaces", value);
    }
  else if (sd_bus_message_is_signal (message, "org.freedesktop.DBus.ObjectManager", "InterfacesRemoved") > 0)
    {
      if (sd_bus_message_read (message, "o", &path) < 0 || ctl_value_read (message, &value) < 0)
        return 0;
      emit (ctl, new_event (path, NULL, member), "interfaces", value);
    }
  else
    emit (ctl, new_event (sd_bus_message_get_path (message), sd_bus_message_get_interface (message), member), "args",
          read_rest (message));
  return 0;
}

static int
on_owner_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Monitor *self = data;
  const char *name, *old, *new;

  if (sd_bus_message_read (message, "sss", &name, &old, &new) < 0)
    return 0;
  emit (self->ctl, new_event (PHONE_DBUS_PATH, NULL, *new ? "PhoneAppeared" : "PhoneVanished"), NULL, NULL);
  self->initial_due = *new != '\0';
  return 0;
}

/* Is somebody there who answers, or could the bus start somebody? */
static bool
phone_is_there (Ctl *ctl)
{
  sd_bus_creds *creds = NULL;
  int r = sd_bus_get_name_creds (ctl->bus, PHONE_DBUS_NAME, 0, &creds);

  sd_bus_creds_unref (creds);
  if (r >= 0)
    return true;
  return sd_bus_call_method (ctl->bus, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "StartServiceByName",
                             NULL, NULL, "su", PHONE_DBUS_NAME, (uint32_t) 0) >= 0;
}

static int
print_initial (Ctl *ctl)
{
  CtlValue *objects = NULL;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  for (size_t i = 0; i < objects->n; i++)
    emit (ctl, new_event (objects->keys[i], NULL, "InterfacesAdded"), "interfaces", ctl_value_copy (objects->items[i]));
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

static int
run_monitor (Ctl *ctl, const CtlArgs *args)
{
  Monitor self = { .ctl = ctl };
  bool initial = ctl_args_flag (args, "initial");
  int r;

  if (args->n_words > 1)
    {
      ctl_error ("monitor takes no words");
      return CTL_EXIT_USAGE;
    }
  /* The matches are in place before anything is read, so nothing falls between. */
  r = sd_bus_add_match (ctl->bus, NULL, "type='signal',sender='" PHONE_DBUS_NAME "',path_namespace='" PHONE_DBUS_PATH "'", on_signal, &self);
  if (r >= 0)
    r = sd_bus_add_match (ctl->bus, NULL,
                          "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" PHONE_DBUS_NAME "'",
                          on_owner_changed, &self);
  self.initial_due = r >= 0 && phone_is_there (ctl);
  while (r >= 0)
    {
      if (self.initial_due && initial)
        {
          int status = print_initial (ctl);

          if (status != CTL_EXIT_OK)
            return status;
        }
      self.initial_due = false;
      r = sd_bus_process (ctl->bus, NULL);
      if (r == 0)
        r = sd_bus_wait (ctl->bus, UINT64_MAX);
    }
  ctl_error ("the bus is gone: %s", strerror (-r));
  return CTL_EXIT_OTHER;
}

static const CtlOption monitor_options[] = {
  { "initial", 0, NULL, "first print what there is, as InterfacesAdded" },
  { 0 },
};

const CtlVerb ctl_monitor_verbs[] = {
  { "monitor", "", "print every signal as it comes", monitor_options, run_monitor },
  { 0 },
};
