/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Accounts: a table of actions. Their settings are in ctl-settings.c, passwords in ctl-password.c. */

#include "ctl.h"
#include "ctl-password.h"
#include "ctl-settings.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int
run_passwd (Ctl *ctl, const CtlArgs *args)
{
  CtlPassword password = CTL_PASSWORD_NONE;
  char *path = ctl_account_path (args->words[1]);
  int status = ctl_password_read (&password);

  if (status == CTL_EXIT_OK)
    status = ctl_password_send (ctl, path, ctl_args_flag (args, "turn"), &password);
  ctl_password_clear (&password);
  free (path);
  return status;
}

/* ---- showing ---- */

void
ctl_print_no_account (const Ctl *ctl)
{
  ctl_print (ctl, CTL_PLAIN, "no account yet; add one: phonectl account add home aor=sip:YOU@PROVIDER transport=tls --password-stdin");
}

/* "auth-failed (403 Forbidden)"; "" if there is nothing to tell. Caller frees. */
static char *
failure_text (const CtlValue *detail)
{
  const char *reason = ctl_value_string (detail, "reason"), *phrase = ctl_value_string (detail, "phrase");
  unsigned long code = (unsigned long) ctl_value_uint (detail, "code");

  if (code)
    return ctl_format ("%s%s%lu%s%s%s", reason, *reason ? " (" : "", code, *phrase ? " " : "", phrase, *reason ? ")" : "");
  return ctl_format ("%s%s%s%s", reason, *reason && *phrase ? " (" : "", phrase, *reason && *phrase ? ")" : "");
}

static const char *
state_of (const CtlValue *account)
{
  return ctl_value_bool (account, "Enabled") ? ctl_value_string (account, "Registration") : "disabled";
}

/* Why and when next, in the room of a table's cell. */
static char *
short_detail (const CtlValue *account)
{
  const CtlValue *detail = ctl_value_get (account, "RegistrationDetail");
  time_t retry = (time_t) ctl_value_uint (detail, "retry-at");
  char *failure, *when, *text;

  if (strcmp (state_of (account), "failed") != 0)
    return ctl_format ("%s", "");
  failure = failure_text (detail);
  when = retry ? ctl_text_relative (retry, time (NULL)) : ctl_format ("%s", "");
  text = ctl_format ("%s%s%s", failure, *when ? ", next attempt " : "", when);
  free (failure);
  free (when);
  return text;
}

void
ctl_add_accounts (CtlTable *table, const CtlValue *accounts, const char *default_path)
{
  for (size_t i = 0; i < accounts->n; i++)
    {
      const CtlValue *account = accounts->items[i];
      bool is_default = strcmp (ctl_value_string (account, "object"), default_path) == 0;
      char *detail = short_detail (account);

      ctl_table_add (table, CTL_BOLD, "%s%s", ctl_value_string (account, "Id"), is_default ? "*" : "");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Aor"));
      ctl_table_add (table, ctl_style_of_state (state_of (account)), "%s", state_of (account));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Transport"));
      ctl_table_add (table, CTL_PLAIN, "%s", detail);
      free (detail);
    }
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *objects = NULL, *accounts;
  CtlTable *table;
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  accounts = ctl_collect (objects, PHONE_DBUS_ACCOUNT_PATH);
  if (ctl->json)
    ctl_print_json (accounts);
  else if (accounts->n == 0)
    ctl_print_no_account (ctl);
  else
    {
      table = ctl_table_new (ctl, CTL_ACCOUNT_COLUMNS);
      ctl_add_accounts (table, accounts,
                        ctl_value_string (ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_MANAGER),
                                          "DefaultAccount"));
      ctl_table_print (table);
    }
  ctl_value_free (accounts);
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}

static void
add_time (CtlTable *table, const char *name, const CtlValue *dict, const char *key)
{
  uint64_t when = ctl_value_uint (dict, key);
  char *text = when ? ctl_text_time ((time_t) when, time (NULL)) : ctl_format ("%s", "");

  ctl_table_pair (table, name, CTL_PLAIN, "%s", text);
  free (text);
}

static void
add_registration (CtlTable *table, const CtlValue *account)
{
  const CtlValue *detail = ctl_value_get (account, "RegistrationDetail");
  const char *state = state_of (account);
  unsigned long expires = (unsigned long) ctl_value_uint (detail, "expires");
  char *failure = failure_text (detail);

  ctl_table_pair (table, "state", ctl_style_of_state (state), "%s", state);
  if (strcmp (state, "registered") != 0)
    ctl_table_pair (table, "reason", CTL_PLAIN, "%s", failure);
  add_time (table, "since", detail, "since");
  if (expires && strcmp (state, "registered") == 0)
    ctl_table_pair (table, "granted for", CTL_PLAIN, "%lu s", expires);
  add_time (table, "next attempt", detail, "retry-at");
  free (failure);
}

static void
add_tls (CtlTable *table, const CtlValue *tls)
{
  const char *issuer = ctl_value_string (tls, "issuer"), *cipher = ctl_value_string (tls, "cipher");

  ctl_table_pair (table, "tls", CTL_PLAIN, "%s%s%s", ctl_value_string (tls, "version"), *cipher ? ", " : "", cipher);
  ctl_table_pair (table, "certificate", CTL_PLAIN, "%s%s%s", ctl_value_string (tls, "subject"), *issuer ? ", issued by " : "", issuer);
  add_time (table, "valid until", tls, "expires");
}

static void
add_words (CtlTable *table, const char *name, const CtlValue *list)
{
  char *text = ctl_format ("%s", ""), *longer;

  for (size_t i = 0; list && list->kind == CTL_ARRAY && i < list->n; i++)
    if (list->items[i]->kind == CTL_STRING)
      {
        longer = ctl_format ("%s%s%s", text, *text ? " " : "", list->items[i]->s);
        free (text);
        text = longer;
      }
  ctl_table_pair (table, name, CTL_PLAIN, "%s", text);
  free (text);
}

/* By name: the daemon sends them in no order. */
static void
add_settings (CtlTable *table, const CtlValue *settings)
{
  const char *last = "";

  for (size_t row = 0; settings && settings->kind == CTL_DICT && row < settings->n; row++)
    {
      size_t next = settings->n;

      for (size_t i = 0; i < settings->n; i++)
        if (strcmp (settings->keys[i], last) > 0 && (next == settings->n || strcmp (settings->keys[i], settings->keys[next]) < 0))
          next = i;
      if (next == settings->n)
        break;
      last = settings->keys[next];
      ctl_table_pair (table, row ? " " : "settings", CTL_PLAIN, "%s=%s", last, ctl_value_string (settings, last));
    }
}

static void
print_account (Ctl *ctl, const CtlValue *account, bool is_default)
{
  const char *name = ctl_value_string (account, "Name"), *aor = ctl_value_string (account, "Aor");
  CtlTable *table = ctl_table_new (ctl, 2);

  ctl_table_pair (table, "account", CTL_BOLD, "%s%s", ctl_value_string (account, "Id"), is_default ? " (default)" : "");
  if (strcmp (name, aor) != 0)
    ctl_table_pair (table, "name", CTL_PLAIN, "%s", name);
  ctl_table_pair (table, "address", CTL_PLAIN, "%s", aor);
  add_registration (table, account);
  ctl_table_pair (table, "transport", CTL_PLAIN, "%s", ctl_value_string (account, "Transport"));
  add_tls (table, ctl_value_get (account, "Tls"));
  ctl_table_pair (table, "encryption", CTL_PLAIN, "%s", ctl_value_string (account, "Srtp"));
  add_words (table, "capabilities", ctl_value_get (account, "Capabilities"));
  add_settings (table, ctl_value_get (account, "Settings"));
  ctl_table_print (table);
}

static int
run_show (Ctl *ctl, const CtlArgs *args)
{
  char *path = ctl_account_path (args->words[1]);
  CtlValue *objects = NULL, *account;
  const CtlValue *interfaces, *manager;
  int status = ctl_get_objects (ctl, &objects);

  interfaces = ctl_value_get (objects, path);
  manager = ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_MANAGER);
  if (status == CTL_EXIT_OK && !interfaces)
    {
      ctl_error ("there is no account %s", args->words[1]);
      status = CTL_EXIT_NO_OBJECT;
    }
  if (status == CTL_EXIT_OK)
    {
      account = ctl_flatten (path, interfaces);
      if (ctl->json)
        ctl_print_json (account);
      else
        print_account (ctl, account, strcmp (ctl_value_string (manager, "DefaultAccount"), path) == 0);
      ctl_value_free (account);
    }
  ctl_value_free (objects);
  free (path);
  return status;
}

/* ---- the rest ---- */

static int
call_account (Ctl *ctl, const CtlArgs *args, const char *member)
{
  char *path = ctl_account_path (args->words[1]);
  int status = ctl_call_method (ctl, path, PHONE_DBUS_ACCOUNT, member, NULL, NULL);

  free (path);
  return status;
}

static int run_register (Ctl *ctl, const CtlArgs *args) { return call_account (ctl, args, "Register"); }
static int run_unregister (Ctl *ctl, const CtlArgs *args) { return call_account (ctl, args, "Unregister"); }
static int run_remove (Ctl *ctl, const CtlArgs *args) { return call_account (ctl, args, "Remove"); }

static int
set_enabled (Ctl *ctl, const CtlArgs *args, bool enabled)
{
  char *path = ctl_account_path (args->words[1]);
  int status = ctl_set_property (ctl, path, PHONE_DBUS_ACCOUNT, "Enabled", "b", (int) enabled);

  free (path);
  return status;
}

static int run_enable (Ctl *ctl, const CtlArgs *args) { return set_enabled (ctl, args, true); }
static int run_disable (Ctl *ctl, const CtlArgs *args) { return set_enabled (ctl, args, false); }

static int
run_default (Ctl *ctl, const CtlArgs *args)
{
  char *path = ctl_account_path (args->words[1]);
  int status = ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "DefaultAccount", "o", path);

  free (path);
  return status;
}

/* ---- for other verbs ---- */

char *
ctl_choose_account (Ctl *ctl, const CtlArgs *args, int *ret_status)
{
  const char *id = ctl_args_value (args, "account"), *path;
  CtlValue *objects = NULL;
  char *found = NULL;

  *ret_status = CTL_EXIT_OK;
  if (id)
    return ctl_account_path (id);
  *ret_status = ctl_get_objects (ctl, &objects);
  if (*ret_status != CTL_EXIT_OK)
    return NULL;
  path = ctl_value_string (ctl_value_get (ctl_value_get (objects, PHONE_DBUS_PATH), PHONE_DBUS_MANAGER), "DefaultAccount");
  if (strncmp (path, PHONE_DBUS_ACCOUNT_PATH "/", strlen (PHONE_DBUS_ACCOUNT_PATH "/")) == 0)
    found = ctl_format ("%s", path);
  else
    {
      ctl_error ("there is no account");
      *ret_status = CTL_EXIT_NO_OBJECT;
    }
  ctl_value_free (objects);
  return found;
}

int
ctl_get_accounts (Ctl *ctl, const CtlArgs *args, const char *interface, CtlValue **ret_list)
{
  const char *wanted = ctl_args_value (args, "account");
  char *only = wanted ? ctl_account_path (wanted) : NULL;
  CtlValue *objects = NULL;
  int status = ctl_get_objects (ctl, &objects);

  if (status == CTL_EXIT_OK)
    {
      CtlValue *accounts = ctl_collect (objects, PHONE_DBUS_ACCOUNT_PATH);

      *ret_list = ctl_value_new_array ();
      for (size_t i = 0; i < accounts->n; i++)
        {
          const char *path = ctl_value_string (accounts->items[i], "object");
          CtlValue *one;

          if (only && strcmp (path, only) != 0)
            continue;
          one = ctl_value_new_dict ();
          ctl_value_set (one, "object", ctl_value_new_string (path));
          ctl_value_set (one, "Id", ctl_value_new_string (ctl_value_string (accounts->items[i], "Id")));
          ctl_value_merge (one, ctl_value_get (ctl_value_get (objects, path), interface));
          ctl_value_append (*ret_list, one);
        }
      if (only && (*ret_list)->n == 0)
        {
          ctl_error ("there is no account %s", wanted);
          status = CTL_EXIT_NO_OBJECT;
          ctl_value_free (*ret_list);
          *ret_list = NULL;
        }
      ctl_value_free (accounts);
    }
  ctl_value_free (objects);
  free (only);
  return status;
}

static const CtlOption add_options[] = {
  { "password-stdin", 0, NULL, "read the password from standard input, up to the end of the line" },
  { 0 },
};

static const CtlOption passwd_options[] = {
  { "turn", 0, NULL, "that of turn-user at the TURN server, rather than the account's" },
  { 0 },
};

static const CtlVerb actions[] = {
  { "list", "", "all of them; * marks the default", NULL, run_list },
  { "show", "ID", "all about one: why it is (not) registered, when it tries again", NULL, run_show },
  { "add", "ID [KEY=VALUE...]", "a new one; aor=sip:YOU@PROVIDER is needed, the keys are in phoned.conf(5)", add_options, ctl_settings_add },
  { "set", "ID KEY=VALUE...", "change settings; an empty value is the default", NULL, ctl_settings_set },
  { "passwd", "ID", "set the password, read from standard input", passwd_options, run_passwd },
  { "default", "ID", "call from this one when nothing else decides", NULL, run_default },
  { "enable", "ID", "use it", NULL, run_enable },
  { "disable", "ID", "keep it, but do not use it", NULL, run_disable },
  { "register", "ID", "register now", NULL, run_register },
  { "unregister", "ID", "take the registration back", NULL, run_unregister },
  { "remove", "ID", "delete it, with its password", NULL, run_remove },
  { 0 },
};

const CtlVerb ctl_account_verbs[] = {
  { "account", "[ACTION ...]", "accounts and their registration", .actions = actions },
  { 0 },
};
