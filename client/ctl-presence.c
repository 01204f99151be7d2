/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* presence: what the user tells others, and whom he watches. */

#include "ctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const CtlOption account_options[] = {
  { "account", 'a', "ID", "the account; otherwise all, or the default one" },
  { 0 },
};

static const CtlOption watch_options[] = {
  { "account", 'a', "ID", "the account to watch from; otherwise the default one" },
  { "dialog", 'd', NULL, "its calls (a busy lamp) instead of the presence of a person" },
  { 0 },
};

char *
ctl_subscription_text (const char *state, const CtlValue *detail)
{
  const char *reason = ctl_value_string (detail, "reason");
  uint64_t code = ctl_value_uint (detail, "code");

  if (!*reason)
    return ctl_format ("%s", state);
  return code ? ctl_format ("%s: %s (%" PRIu64 ")", state, reason, code) : ctl_format ("%s: %s", state, reason);
}

/* ---- presence ---- */

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *list = NULL;
  int status = ctl_get_accounts (ctl, args, PHONE_DBUS_PRESENCE, &list);
  CtlTable *table;

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (list);
  else
    {
      table = ctl_table_new (ctl, 4);
      for (size_t i = 0; i < list->n; i++)
        {
          const CtlValue *one = list->items[i];
          char *text = ctl_subscription_text (ctl_value_string (one, "Publication"), ctl_value_get (one, "PublicationDetail"));

          ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (one, "Id"));
          ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "Status"));
          ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "Note"));
          ctl_table_add (table, CTL_DIM, "%s", ctl_value_bool (one, "Published") ? "published" : strcmp (text, "idle") == 0 ? "not published" : text);
          free (text);
        }
      ctl_table_print (table);
    }
  ctl_value_free (list);
  return CTL_EXIT_OK;
}

/* The note of that account as it is. Caller frees. */
static int
get_note (Ctl *ctl, const CtlArgs *args, const char *path, char **ret_note)
{
  CtlValue *list = NULL;
  int status = ctl_get_accounts (ctl, args, PHONE_DBUS_PRESENCE, &list);

  for (size_t i = 0; list && i < list->n; i++)
    if (strcmp (ctl_value_string (list->items[i], "object"), path) == 0)
      *ret_note = ctl_format ("%s", ctl_value_string (list->items[i], "Note"));
  ctl_value_free (list);
  return status;
}

/* Both or none: a note that is refused leaves the status, and the other way round. A word that is no status is refused before the note is
 * set: put back or not, a note that was set begins the publication. */
static int
run_set (Ctl *ctl, const CtlArgs *args)
{
  static const char *const words[] = { "available", "away", "busy", "dnd", "offline", NULL };
  int status;
  char *path, *before = NULL;
  size_t known = 0;

  while (words[known] && strcmp (words[known], args->words[1]) != 0)
    known++;
  if (!words[known])
    {
      ctl_error ("set: available, away, busy, dnd or offline, not '%s'", args->words[1]);
      return CTL_EXIT_USAGE;
    }
  path = ctl_choose_account (ctl, args, &status);
  if (!path)
    return status;
  if (args->n_words > 2 && (status = get_note (ctl, args, path, &before)) == CTL_EXIT_OK)
    status = ctl_set_property (ctl, path, PHONE_DBUS_PRESENCE, "Note", "s", args->words[2]);
  if (status == CTL_EXIT_OK)
    {
      status = ctl_set_property (ctl, path, PHONE_DBUS_PRESENCE, "Status", "s", args->words[1]);
      if (status != CTL_EXIT_OK && before)
        ctl_set_property (ctl, path, PHONE_DBUS_PRESENCE, "Note", "s", before);
    }
  free (before);
  free (path);
  return status;
}

static int
run_watch (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  CtlValue *watch = NULL;
  int status;
  char *path = ctl_choose_account (ctl, args, &status);

  if (!path)
    return status;
  status = ctl_call_method (ctl, path, PHONE_DBUS_PRESENCE, "Watch", &reply, "ssa{sv}", args->words[1],
                            ctl_args_flag (args, "dialog") ? "dialog" : "presence", 0);
  if (status == CTL_EXIT_OK && ctl_value_read (reply, &watch) >= 0)
    {
      const char *number = strrchr (watch->s, '/');

      if (ctl->json)
        {
          CtlValue *dict = ctl_value_new_dict ();

          ctl_value_set (dict, "object", watch);
          ctl_print_json (dict);
          ctl_value_free (dict);
        }
      else
        {
          ctl_print (ctl, CTL_PLAIN, "%s", number ? number + 1 : watch->s);
          ctl_value_free (watch);
        }
    }
  sd_bus_message_unref (reply);
  free (path);
  return status;
}

static void
add_watch (CtlTable *table, const CtlValue *watch)
{
  const char *object = ctl_value_string (watch, "object"), *slash = strrchr (object, '/');
  const char *state = ctl_value_string (watch, "Subscription"), *status = ctl_value_string (watch, "Status");
  char *text = ctl_subscription_text (state, ctl_value_get (watch, "SubscriptionDetail"));

  ctl_table_add (table, CTL_BOLD, "%s", slash ? slash + 1 : object);
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (watch, "Uri"));
  ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (watch, "Kind"));
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (watch, "State"));
  ctl_table_add (table, CTL_PLAIN, "%s", strcmp (status, "unknown") == 0 ? "" : status);
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (watch, "Note"));
  if (strcmp (state, "active") == 0)
    ctl_table_add (table, CTL_DIM, "%s", "");
  else
    ctl_table_add (table, strcmp (state, "waiting") == 0 ? CTL_WARN : CTL_DIM, "%s", strcmp (text, "idle") == 0 ? "not registered" : text);
  free (text);
}

static void
add_resources (CtlTable *table, const CtlValue *resources)
{
  for (size_t i = 0; resources && i < resources->n; i++)
    {
      const CtlValue *one = resources->items[i];

      ctl_table_add (table, CTL_PLAIN, "%s", "");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "uri"));
      ctl_table_add (table, CTL_DIM, "%s", "member");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "state"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "status"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "note"));
      ctl_table_add (table, CTL_DIM, "%s", ctl_value_bool (one, "active") ? "" : "pending");
    }
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *list = NULL;
  CtlTable *table;
  int status = ctl_get_list (ctl, PHONE_DBUS_WATCH_PATH, &list);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (list);
  else if (list->n == 0)
    ctl_print (ctl, CTL_DIM, "nobody is watched");
  else
    {
      table = ctl_table_new (ctl, 7);
      for (size_t i = 0; i < list->n; i++)
        {
          add_watch (table, list->items[i]);
          add_resources (table, ctl_value_get (list->items[i], "Resources"));
        }
      ctl_table_print (table);
    }
  ctl_value_free (list);
  return CTL_EXIT_OK;
}

/* A number, the URI, or what of it somebody would say: 'bob' is sip:bob@example.org. */
static bool
is_watch (const CtlValue *watch, const char *word, bool loosely)
{
  const char *object = ctl_value_string (watch, "object"), *slash = strrchr (object, '/'), *uri = ctl_value_string (watch, "Uri");
  const char *scheme = strchr (uri, ':');
  size_t length = strlen (word);

  if (!loosely)
    return (slash && strcmp (slash + 1, word) == 0) || strcmp (uri, word) == 0;
  return scheme && length && strncmp (scheme + 1, word, length) == 0 && (scheme[1 + length] == '\0' || scheme[1 + length] == '@');
}

/* The watch of that number or URI; kind: of those of one URI only this, NULL: any. NULL: none, or not only one, said why. Caller frees. */
static char *
find_watch (Ctl *ctl, const char *word, const char *kind, int *ret_status)
{
  CtlValue *list = NULL;
  char *path = NULL;
  size_t n = 0;

  *ret_status = ctl_get_list (ctl, PHONE_DBUS_WATCH_PATH, &list);
  if (*ret_status != CTL_EXIT_OK)
    return NULL;
  for (int loosely = 0; loosely < 2 && n == 0; loosely++)
    for (int any = !kind; any < 2 && n == 0; any++)
      for (size_t i = 0; i < list->n; i++)
        if (is_watch (list->items[i], word, loosely) && (any || strcmp (ctl_value_string (list->items[i], "Kind"), kind) == 0) && n++ == 0)
          path = ctl_format ("%s", ctl_value_string (list->items[i], "object"));
  ctl_value_free (list);
  if (n == 1)
    return path;
  if (n)
    ctl_error ("'%s' may be one of %zu watches: name its number (phonectl presence list)", word, n);
  else
    ctl_error ("there is no watch %s", word);
  *ret_status = n ? CTL_EXIT_USAGE : CTL_EXIT_NO_OBJECT;
  free (path);
  return NULL;
}

static int
run_unwatch (Ctl *ctl, const CtlArgs *args)
{
  int status;
  char *path = find_watch (ctl, args->words[1], NULL, &status);

  if (path)
    status = ctl_call_method (ctl, path, PHONE_DBUS_WATCH, "Remove", NULL, NULL);
  free (path);
  return status;
}

/* ---- who watches us ---- */

/* Flat: each with its account. */
static CtlValue *
collect_subscribers (const CtlValue *accounts)
{
  CtlValue *out = ctl_value_new_array ();

  for (size_t i = 0; i < accounts->n; i++)
    {
      const CtlValue *list = ctl_value_get (accounts->items[i], "Subscribers"), *at_server = ctl_value_get (accounts->items[i], "Watchers");

      for (size_t j = 0; list && j < list->n; j++)
        {
          CtlValue *one = ctl_value_copy (list->items[j]);

          ctl_value_set (one, "account", ctl_value_new_string (ctl_value_string (accounts->items[i], "Id")));
          ctl_value_set (one, "object", ctl_value_new_string (ctl_value_string (accounts->items[i], "object")));
          ctl_value_append (out, one);
        }
      for (size_t j = 0; at_server && j < at_server->n; j++)
        {
          CtlValue *one = ctl_value_copy (at_server->items[j]);

          ctl_value_set (one, "account", ctl_value_new_string (ctl_value_string (accounts->items[i], "Id")));
          ctl_value_set (one, "kind", ctl_value_new_string ("presence"));
          ctl_value_set (one, "server", ctl_value_new_bool (true));
          ctl_value_append (out, one);
        }
    }
  return out;
}

static void
add_subscriber (CtlTable *table, const CtlValue *one)
{
  const char *state = ctl_value_string (one, "state");

  if (ctl_value_bool (one, "server"))
    ctl_table_add (table, CTL_PLAIN, "%s", "");
  else
    ctl_table_add (table, CTL_BOLD, "%" PRIu64, ctl_value_uint (one, "number"));
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "account"));
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "uri"));
  ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (one, "name"));
  ctl_table_add (table, CTL_DIM, "%s", ctl_value_string (one, "kind"));
  ctl_table_add (table, strcmp (state, "pending") == 0 ? CTL_WARN : CTL_PLAIN, "%s", state);
  if (ctl_value_bool (one, "server"))
    ctl_table_add (table, CTL_DIM, "%s", "at the server");
  else
    ctl_table_add (table, CTL_DIM, "%s%s", ctl_value_string (one, "source"), ctl_value_bool (one, "vouched") ? "" : ", not vouched for");
}

static int
get_subscribers (Ctl *ctl, const CtlArgs *args, CtlValue **ret_list)
{
  CtlValue *accounts = NULL;
  int status = ctl_get_accounts (ctl, args, PHONE_DBUS_PRESENCE, &accounts);

  if (status == CTL_EXIT_OK)
    *ret_list = collect_subscribers (accounts);
  ctl_value_free (accounts);
  return status;
}

static int
run_subscribers (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *list = NULL;
  CtlTable *table;
  int status = get_subscribers (ctl, args, &list);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (list);
  else if (list->n == 0)
    ctl_print (ctl, CTL_DIM, "nobody watches");
  else
    {
      table = ctl_table_new (ctl, 7);
      for (size_t i = 0; i < list->n; i++)
        add_subscriber (table, list->items[i]);
      ctl_table_print (table);
    }
  ctl_value_free (list);
  return CTL_EXIT_OK;
}

/* The one of that number, of any account or that of --account. NULL: none, said why. */
static CtlValue *
find_subscriber (Ctl *ctl, const CtlArgs *args, int *ret_status)
{
  CtlValue *list = NULL, *found = NULL;

  *ret_status = get_subscribers (ctl, args, &list);
  if (*ret_status != CTL_EXIT_OK)
    return NULL;
  for (size_t i = 0; i < list->n && !found; i++)
    {
      char *number = ctl_format ("%" PRIu64, ctl_value_uint (list->items[i], "number"));

      if (!ctl_value_bool (list->items[i], "server") && strcmp (number, args->words[1]) == 0)
        found = ctl_value_copy (list->items[i]);
      free (number);
    }
  ctl_value_free (list);
  if (!found)
    {
      ctl_error ("there is no subscriber %s", args->words[1]);
      *ret_status = CTL_EXIT_NO_OBJECT;
    }
  return found;
}

/* A subscriber's number, or a URI. */
static int
judge_subscriber (Ctl *ctl, const CtlArgs *args, const char *method)
{
  const char *word = args->words[1];
  CtlValue *subscriber = NULL;
  char *path = NULL;
  int status = CTL_EXIT_OK;

  if (*word && word[strspn (word, "0123456789")] == '\0')
    {
      subscriber = find_subscriber (ctl, args, &status);
      path = subscriber ? ctl_format ("%s", ctl_value_string (subscriber, "object")) : NULL;
    }
  else
    path = ctl_choose_account (ctl, args, &status);
  if (path)
    status = ctl_call_method (ctl, path, PHONE_DBUS_PRESENCE, method, NULL, "s", subscriber ? ctl_value_string (subscriber, "uri") : word);
  ctl_value_free (subscriber);
  free (path);
  return status;
}

static int
run_allow (Ctl *ctl, const CtlArgs *args)
{
  return judge_subscriber (ctl, args, "AllowSubscriber");
}

static int
run_block (Ctl *ctl, const CtlArgs *args)
{
  return judge_subscriber (ctl, args, "BlockSubscriber");
}

static int
run_end (Ctl *ctl, const CtlArgs *args)
{
  int status;
  CtlValue *subscriber = find_subscriber (ctl, args, &status);

  if (subscriber)
    status = ctl_call_method (ctl, ctl_value_string (subscriber, "object"), PHONE_DBUS_PRESENCE, "EndSubscriber", NULL, "u",
                              (uint32_t) ctl_value_uint (subscriber, "number"));
  ctl_value_free (subscriber);
  return status;
}

int
ctl_print_call (Ctl *ctl, sd_bus_message *reply)
{
  CtlValue *call = NULL;
  const char *slash;

  if (ctl_value_read (reply, &call) < 0)
    return CTL_EXIT_OTHER;
  slash = strrchr (call->s, '/');
  if (ctl->json)
    {
      CtlValue *dict = ctl_value_new_dict ();

      ctl_value_set (dict, "call", ctl_value_new_uint (slash ? strtoull (slash + 1, NULL, 10) : 0));
      ctl_value_set (dict, "object", call);
      ctl_print_json (dict);
      ctl_value_free (dict);
    }
  else
    {
      ctl_print (ctl, CTL_PLAIN, "%s", slash ? slash + 1 : call->s);
      ctl_value_free (call);
    }
  return CTL_EXIT_OK;
}

static int
run_pickup (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  int status;
  char *path = find_watch (ctl, args->words[1], "dialog", &status);

  if (path)
    status = ctl_call_method (ctl, path, PHONE_DBUS_WATCH, "Pickup", &reply, NULL);
  if (path && status == CTL_EXIT_OK)
    status = ctl_print_call (ctl, reply);
  sd_bus_message_unref (reply);
  free (path);
  return status;
}

static const CtlVerb presence_actions[] = {
  { "show", "", "what is told to others, by every account", account_options, run_show },
  { "set", "STATUS [NOTE]", "available, away, busy, dnd or offline", account_options, run_set },
  { "watch", "TARGET", "watch somebody; prints the number of the watch", watch_options, run_watch },
  { "unwatch", "WATCH", "watch no longer", NULL, run_unwatch },
  { "list", "", "who is watched", NULL, run_list },
  { "pickup", "WATCH", "take over the call that rings there", NULL, run_pickup },
  { "subscribers", "", "who watches us: at this phone, and at the server", account_options, run_subscribers },
  { "allow", "SUBSCRIBER", "a subscriber or URI may watch us", account_options, run_allow },
  { "block", "SUBSCRIBER", "a subscriber or URI may not watch us", account_options, run_block },
  { "end", "SUBSCRIBER", "end a subscription", account_options, run_end },
  { 0 },
};

const CtlVerb ctl_presence_verbs[] = {
  { "presence", "[ACTION ...]", "what others see of you, and whom you watch", .actions = presence_actions },
  { 0 },
};
