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
  bool initial;                 /* print the objects too */
  bool asked;                   /* for them, since the phone appeared */
} Monitor;

static uint64_t
monotonic_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

/* "State active, Can [\"hangup\"]": the members of a dictionary without its braces. */
static void
print_members (FILE *out, const CtlValue *dict)
{
  for (size_t i = 0; i < dict->n; i++)
    {
      fprintf (out, "%s%s ", i ? ", " : "", dict->keys[i]);
      ctl_value_text (out, dict->items[i]);
    }
}

static bool
is_own (const char *interface)
{
  static const char *const own[] = { PHONE_DBUS_MANAGER, PHONE_DBUS_ACCOUNT, PHONE_DBUS_CALL };

  for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
    if (strcmp (interface, own[i]) == 0)
      return true;
  return false;
}

/* Interfaces without properties (Peer, Introspectable ...) tell a person nothing. What the object is comes first, whatever order the bus has. */
static void
print_interfaces (FILE *out, const CtlValue *interfaces)
{
  bool first = true;

  for (int own = 1; own >= 0; own--)
    for (size_t i = 0; i < interfaces->n; i++)
      if (interfaces->items[i]->kind == CTL_DICT && interfaces->items[i]->n && is_own (interfaces->keys[i]) == own)
        {
          const char *dot = strrchr (interfaces->keys[i], '.');

          fprintf (out, "%s%s: ", first ? "" : "; ", dot ? dot + 1 : interfaces->keys[i]);
          print_members (out, interfaces->items[i]);
          first = false;
        }
}

static void
print_details (FILE *out, const CtlValue *event, const CtlValue *details)
{
  if (details->kind == CTL_DICT && ctl_value_get (event, "interfaces"))
    print_interfaces (out, details);
  else if (details->kind == CTL_DICT)
    print_members (out, details);
  else
    for (size_t i = 0; i < details->n; i++)
      {
        fputs (i ? ", " : "", out);
        ctl_value_text (out, details->items[i]);
      }
}

/* For people: local time, whose event, which, and what of it. */
static void
print_line (Ctl *ctl, const CtlValue *event, const CtlValue *details)
{
  char *text = NULL, *object;
  char clock[16] = "";
  time_t now = time (NULL);
  struct tm local;
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
  if (details)
    print_details (memory, event, details);
  fclose (memory);
  if (localtime_r (&now, &local))
    strftime (clock, sizeof clock, "%H:%M:%S", &local);
  object = ctl_object_name (ctl_value_string (event, "object"));
  ctl_print (ctl, CTL_PLAIN, "%s  %s  %s%s%s", clock, object, ctl_value_string (event, "signal"), *text ? "  " : "", text);
  free (object);
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

/* Asynchronous: the answer takes its place among the signals, so that what is printed is what happened, in that order. */
static int
on_objects (sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
  Monitor *self = data;
  CtlValue *objects = NULL;

  if (sd_bus_message_is_method_error (reply, NULL) || ctl_value_read (reply, &objects) < 0 || objects->kind != CTL_DICT)
    {
      ctl_value_free (objects);
      return 0;         /* it left meanwhile; when it is back, NameOwnerChanged says so */
    }
  for (size_t i = 0; i < objects->n; i++)
    emit (self->ctl, new_event (objects->keys[i], NULL, "InterfacesAdded"), "interfaces", ctl_value_copy (objects->items[i]));
  ctl_value_free (objects);
  return 0;
}

static int
ask_for_objects (Monitor *self)
{
  sd_bus_message *message;
  int r;

  if (!self->initial)
    return 0;
  message = ctl_new_call (self->ctl, PHONE_DBUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
  sd_bus_message_set_auto_start (message, 0);
  r = sd_bus_call_async (self->ctl->bus, NULL, message, on_objects, self, self->ctl->timeout_us);
  sd_bus_message_unref (message);
  return r;
}

static int
on_owner_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Monitor *self = data;
  const char *name, *old, *new;

  if (sd_bus_message_read (message, "sss", &name, &old, &new) < 0)
    return 0;
  emit (self->ctl, new_event (PHONE_DBUS_PATH, NULL, *new ? "PhoneAppeared" : "PhoneVanished"), NULL, NULL);
  if (!*new)
    return 0;
  self->asked = true;
  return ask_for_objects (self);
}

/* The bus has tried to start the phone. Where it may not, one that runs without the bus's help may still be there. */
static int
on_started (sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
  Monitor *self = data;

  return self->asked ? 0 : ask_for_objects (self);
}

static int
run_monitor (Ctl *ctl, const CtlArgs *args)
{
  Monitor self = { .ctl = ctl, .initial = ctl_args_flag (args, "initial") };
  /* The matches are in place before anything is asked, so nothing falls between. */
  int r = sd_bus_add_match (ctl->bus, NULL, "type='signal',sender='" PHONE_DBUS_NAME "',path_namespace='" PHONE_DBUS_PATH "'", on_signal,
                            &self);

  if (r >= 0)
    r = sd_bus_add_match (ctl->bus, NULL,
                          "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" PHONE_DBUS_NAME "'",
                          on_owner_changed, &self);
  if (r >= 0)
    r = sd_bus_call_method_async (ctl->bus, NULL, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                  "StartServiceByName", on_started, &self, "su", PHONE_DBUS_NAME, (uint32_t) 0);
  while (r >= 0 && !ferror (stdout))
    {
      r = sd_bus_process (ctl->bus, NULL);
      if (r == 0)
        r = sd_bus_wait (ctl->bus, UINT64_MAX);
    }
  return r < 0 ? ctl_report (ctl, NULL, NULL, r) : CTL_EXIT_OTHER;
}

static const CtlOption monitor_options[] = {
  { "initial", 0, NULL, "first print what there is, as InterfacesAdded" },
  { 0 },
};

const CtlVerb ctl_monitor_verbs[] = {
  { "monitor", "", "print every signal as it comes", monitor_options, run_monitor },
  { 0 },
};
