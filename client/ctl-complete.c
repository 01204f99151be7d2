/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Completion: the shells send the line, the tables here know what may follow. One place for three shells, and none of it can age. */

#include "ctl.h"

#include <stdlib.h>
#include <string.h>

/* A person waits with a finger on the key. */
#define TIMEOUT_US 500000

/* The keys of an account's file; phoned.conf(5) is compared with this list by a test. */
static const char *const settings[] = {
#include "ctl-settings.def"
};

typedef struct
{
  Ctl ctl;
  const char *word;             /* what is typed so far of the last word */
  CtlValue *objects;            /* NULL: not asked for, or nobody answered */
} Completer;

static void
offer (const Completer *self, const char *prefix, const char *word, const char *help)
{
  char *line = ctl_format ("%s%s", prefix, word), *clean_line, *clean_help;

  if (strncmp (line, self->word, strlen (self->word)) == 0)
    {
      clean_line = ctl_text_clean (line);
      clean_help = ctl_text_clean (help ? help : "");
      printf ("%s\t%s\n", clean_line, clean_help);
      free (clean_line);
      free (clean_help);
    }
  free (line);
}

/* ---- what the phone knows ---- */

/* A phone that does not run has nothing to tell, and is not started for this. */
static void
ask (Completer *self)
{
  sd_bus_message *message, *reply = NULL;

  if (self->objects || self->ctl.host || (!self->ctl.bus && sd_bus_open_user (&self->ctl.bus) < 0))
    return;
  message = ctl_new_call (&self->ctl, PHONE_DBUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
  sd_bus_message_set_auto_start (message, 0);
  if (sd_bus_call (self->ctl.bus, message, TIMEOUT_US, NULL, &reply) >= 0)
    ctl_value_read (reply, &self->objects);
  sd_bus_message_unref (message);
  sd_bus_message_unref (reply);
}

/* NULL: nobody answers, and nothing can be offered. */
static CtlValue *
collect (Completer *self, const char *parent)
{
  ask (self);
  return self->objects ? ctl_collect (self->objects, parent) : NULL;
}

/* What goes by its number. */
static void
offer_numbered (const Completer *self, const char *prefix, const CtlValue *item, const char *help)
{
  char *number = ctl_format ("%lu", (unsigned long) ctl_value_uint (item, "number"));

  offer (self, prefix, number, help);
  free (number);
}

static void
offer_accounts (Completer *self, const char *prefix)
{
  CtlValue *list = collect (self, PHONE_DBUS_ACCOUNT_PATH);

  for (size_t i = 0; list && i < list->n; i++)
    offer (self, prefix, ctl_value_string (list->items[i], "Id"), ctl_value_string (list->items[i], "Aor"));
  ctl_value_free (list);
}

static void
offer_calls (Completer *self, const char *can)
{
  CtlValue *list = collect (self, PHONE_DBUS_CALL_PATH);

  for (size_t i = 0; list && i < list->n; i++)
    if (!can || ctl_value_has (ctl_value_get (list->items[i], "Can"), can))
      {
        char *party = ctl_party_text (list->items[i]);
        char *help = ctl_format ("%s %s", ctl_value_string (list->items[i], "State"), party);

        offer_numbered (self, "", list->items[i], help);
        free (party);
        free (help);
      }
  ctl_value_free (list);
}

static void
offer_devices (Completer *self, const char *role)
{
  static const char *const always[] = { "default", "silence", "tone" };
  const CtlValue *devices;

  for (size_t i = 0; i < sizeof always / sizeof always[0]; i++)
    offer (self, "", always[i], NULL);
  ask (self);
  devices = ctl_value_get (ctl_value_get (ctl_value_get (self->objects, PHONE_DBUS_PATH), PHONE_DBUS_AUDIO), "Devices");
  for (size_t i = 0; devices && i < devices->n; i++)
    if (strcmp (ctl_value_string (devices->items[i], "role"), role) == 0 && *ctl_value_string (devices->items[i], "id"))
      offer (self, "", ctl_value_string (devices->items[i], "id"), ctl_value_string (devices->items[i], "name"));
}

static void
offer_settings (const Completer *self)
{
  for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
    {
      char *key = ctl_format ("%s=", settings[i]);

      offer (self, "", key, NULL);
      free (key);
    }
}

static void
offer_roles (const Completer *self)
{
  static const char *const roles[] = { "input", "output", "ring" };

  for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
    offer (self, "", roles[i], NULL);
}

static void
offer_recordings (Completer *self)
{
  sd_bus_message *message, *reply = NULL;
  CtlValue *list = NULL;

  ask (self);
  if (!self->objects)
    return;
  message = ctl_new_call (&self->ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "List");
  sd_bus_message_set_auto_start (message, 0);
  if (sd_bus_message_append (message, "a{sv}uu", 0, (uint32_t) 0, (uint32_t) 50) >= 0
      && sd_bus_call (self->ctl.bus, message, TIMEOUT_US, NULL, &reply) >= 0)
    ctl_value_read (reply, &list);
  for (size_t i = 0; list && i < list->n; i++)
    offer (self, "", ctl_value_string (list->items[i], "id"), ctl_value_string (list->items[i], "remote-uri"));
  ctl_value_free (list);
  sd_bus_message_unref (message);
  sd_bus_message_unref (reply);
}

static void
offer_watches (Completer *self)
{
  CtlValue *list = collect (self, PHONE_DBUS_WATCH_PATH);

  for (size_t i = 0; list && i < list->n; i++)
    offer_numbered (self, "", list->items[i], ctl_value_string (list->items[i], "Uri"));
  ctl_value_free (list);
}

static void
offer_subscribers (Completer *self)
{
  CtlValue *list = collect (self, PHONE_DBUS_ACCOUNT_PATH);

  for (size_t i = 0; list && i < list->n; i++)
    {
      const CtlValue *subscribers = ctl_value_get (list->items[i], "Subscribers");

      for (size_t j = 0; subscribers && j < subscribers->n; j++)
        offer_numbered (self, "", subscribers->items[j], ctl_value_string (subscribers->items[j], "uri"));
    }
  ctl_value_free (list);
}

static void
offer_conferences (Completer *self, const char *prefix)
{
  CtlValue *list = collect (self, PHONE_DBUS_CONFERENCE_PATH);

  for (size_t i = 0; list && i < list->n; i++)
    {
      const CtlValue *calls = ctl_value_get (list->items[i], "Calls");
      char *help = ctl_format ("%zu calls", calls ? calls->n : 0);

      offer_numbered (self, prefix, list->items[i], help);
      free (help);
    }
  ctl_value_free (list);
}

static void
offer_words (const Completer *self, const char *const *words)
{
  for (; *words; words++)
    offer (self, "", *words, NULL);
}

/* What a word or a value is called in the help tells what it may be. */
static void
offer_named (Completer *self, const char *prefix, const char *name, size_t length, const char *can)
{
  if (length == 2 && strncmp (name, "ID", length) == 0)
    offer_accounts (self, prefix);
  else if (length == 1 && *name == 'N')
    offer_calls (self, can);
  else if (length == 1 && *name == 'C')
    offer_conferences (self, prefix);
  else if (length == 5 && strncmp (name, "INPUT", length) == 0)
    offer_devices (self, "input");
  else if (length == 6 && strncmp (name, "OUTPUT", length) == 0)
    offer_devices (self, "output");
  else if (length == 4 && strncmp (name, "SIDE", length) == 0)
    offer_words (self, (const char *const[]){ "input", "output", NULL });
  else if (length == 6 && strncmp (name, "VOLUME", length) == 0)
    offer_words (self, (const char *const[]){ "50%", "75%", "100%", "125%", NULL });
  else if (length == 4 && strncmp (name, "ROLE", length) == 0)
    offer_roles (self);
  else if (length == 4 && strncmp (name, "MODE", length) == 0)
    offer_words (self, (const char *const[]){ "off", "on", "auto", NULL });
  else if (length >= 9 && strncmp (name, "RECORDING", 9) == 0)
    offer_recordings (self);
  else if (length == 5 && strncmp (name, "WATCH", length) == 0)
    offer_watches (self);
  else if (length == 6 && strncmp (name, "STATUS", length) == 0)
    offer_words (self, (const char *const[]){ "available", "away", "busy", "dnd", "offline", NULL });
  else if (length == 4 && strncmp (name, "WHAT", length) == 0)
    offer_words (self, (const char *const[]){ "start", "pause", "stop", NULL });
  else if (length == 10 && strncmp (name, "SUBSCRIBER", length) == 0)
    offer_subscribers (self);
  else if (length == 5 && strncmp (name, "HEARD", length) == 0)
    offer_words (self, (const char *const[]){ "heard", "new", NULL });
  else if (length == 4 && strncmp (name, "KIND", length) == 0)
    offer_words (self, (const char *const[]){ "call", "conference", "voicemail", NULL });
  else if (length == 9 && strncmp (name, "KEY=VALUE", length) == 0)
    offer_settings (self);
}

/* ---- what the tables know ---- */

static void
offer_options (const Completer *self, const CtlOption *options)
{
  for (; options && options->name; options++)
    if (options->help)
      {
        char *text = ctl_format ("--%s%s", options->name, options->value ? "=" : "");

        offer (self, "", text, options->help);
        free (text);
      }
}

static void
offer_rows (const Completer *self, const CtlVerb *rows)
{
  for (; rows->name; rows++)
    offer (self, "", rows->name, rows->summary);
}

/* "--account=al": the value of an option in one word. */
static bool
offer_attached (Completer *self, const CtlOption *const *tables)
{
  const char *equals = strchr (self->word, '=');
  const CtlOption *option;
  char *prefix;

  if (!equals || strncmp (self->word, "--", 2) != 0)
    return false;
  option = ctl_args_find (tables, self->word + 2, (size_t) (equals - self->word) - 2);
  if (option && option->value)
    {
      prefix = strndup (self->word, (size_t) (equals - self->word) + 1);
      if (!prefix)
        abort ();
      offer_named (self, prefix, option->value, strlen (option->value), NULL);
      free (prefix);
    }
  return true;
}

/* The option in front wants the word that is being typed: it cannot be parsed without one, but with one. */
static const CtlOption *
open_option (int argc, char *const *argv)
{
  char error[256], *longer[CTL_MAX_WORDS + 1];
  CtlLine line;

  if (argc == 0 || argc >= CTL_MAX_WORDS || argv[argc - 1][0] != '-')
    return NULL;
  memcpy (longer, argv, (size_t) argc * sizeof *longer);
  longer[argc] = (char *) "";
  if (ctl_line_parse (&line, argc, argv, error, sizeof error) || line.args.n_options == CTL_MAX_OPTIONS)
    return NULL;
  ctl_line_parse (&line, argc + 1, longer, error, sizeof error);
  if (line.args.n_options && line.args.options[line.args.n_options - 1].value == longer[argc])
    return line.args.options[line.args.n_options - 1].option;
  return NULL;
}

static void
complete_row (Completer *self, const CtlLine *line, const CtlVerb *row)
{
  size_t length, min, max, place = line->args.n_words - 1;
  const char *name = ctl_usage_at (row->words, place, &length);

  ctl_usage_count (row->words, &min, &max);
  if (name && place < max)
    offer_named (self, "", name, length, row->can);
}

void
ctl_complete (int argc, char *const *argv)
{
  Completer self = { .word = argc ? argv[argc - 1] : "" };
  int before = argc ? argc - 1 : 0;
  const CtlOption *open, *tables[] = { ctl_global_options, NULL, NULL };
  const CtlVerb *row;
  CtlLine line;
  char error[256];

  /* Too few words is what a line looks like while it is typed; anything else that is wrong leaves what was understood. */
  ctl_line_parse (&line, before, argv, error, sizeof error);
  self.ctl.host = ctl_args_value (&line.args, "host");
  /* An action that was not named is only the default one. */
  if (line.action && line.action == line.verb->actions && (before == 0 || strcmp (argv[before - 1], line.verb->name) == 0
                                                            || argv[before - 1][0] == '-'))
    line.action = NULL;
  row = line.action ? line.action : line.verb;
  tables[1] = row && row->actions ? row->actions->options : row ? row->options : NULL;
  open = open_option (before, argv);
  if (open)
    offer_named (&self, "", open->value, strlen (open->value), NULL);
  else if (self.word[0] == '-')
    {
      if (!offer_attached (&self, tables))
        {
          offer_options (&self, tables[1]);
          offer_options (&self, ctl_global_options);
        }
    }
  else if (!row)
    for (size_t i = 0; ctl_verb_tables[i]; i++)
      offer_rows (&self, ctl_verb_tables[i]);
  else if (row->actions)
    offer_rows (&self, row->actions);
  else
    complete_row (&self, &line, row);
  ctl_value_free (self.objects);
  sd_bus_flush_close_unref (self.ctl.bus);
}
