/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The settings of an account as KEY=VALUE words, which the daemon checks. */

#include "ctl-settings.h"

#include "ctl-password.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
value_of (const char *word, const char *key)
{
  size_t length = strlen (key);

  return strncmp (word, key, length) == 0 && word[length] == '=' ? word + length + 1 : NULL;
}

/* KEY=VALUE words into an a{sv} of strings; held: enabled=false, whatever they say of that. */
static int
append_settings (sd_bus_message *message, const CtlArgs *args, size_t first, bool held)
{
  int r = sd_bus_message_open_container (message, 'a', "{sv}");
  bool skipped = false;

  if (r >= 0 && held)
    r = sd_bus_message_append (message, "{sv}", "enabled", "s", "false");
  /* Words that are no settings are often secrets: they are not repeated. */
  for (size_t i = first; r >= 0 && i < args->n_words; i++)
    {
      const char *word = args->words[i], *equals = strchr (word, '=');
      char *key;

      if (!equals || equals == word)
        {
          ctl_error ("word %zu behind the account is not KEY=VALUE", i - first + 1);
          return -EINVAL;
        }
      if (held && !skipped && value_of (word, "enabled"))
        {
          skipped = true;       /* the daemon refuses a second one */
          continue;
        }
      if (value_of (word, "password"))
        {
          ctl_error ("a password does not belong on a command line, where everybody sees it: `phonectl account passwd %s`", args->words[1]);
          return -EINVAL;
        }
      key = strndup (word, (size_t) (equals - word));
      if (!key)
        abort ();
      r = sd_bus_message_append (message, "{sv}", key, "s", equals + 1);
      if (r < 0)
        ctl_error ("the value of '%s' is not text", key);
      free (key);
    }
  return r < 0 ? r : sd_bus_message_close_container (message);
}

/* What the words say of enabled; "": nothing, so it is the default. */
static const char *
wanted_enabled (const CtlArgs *args)
{
  for (size_t i = 2; i < args->n_words; i++)
    if (value_of (args->words[i], "enabled"))
      return value_of (args->words[i], "enabled");
  return "";
}

/* The account is there and not in use: nobody knocks at a registrar without the password. It goes into use even if that cannot be handed over, for
 * so it was asked for, and its state then says what it lacks. */
static int
give_password (Ctl *ctl, const char *id, const char *path, const char *enabled, const CtlPassword *password)
{
  int status = ctl_password_send (ctl, path, false, password);
  int use_status;

  if (status != CTL_EXIT_OK)
    ctl_error ("the account is there, but without a password: `phonectl account passwd %s`", id);
  use_status = ctl_call_method (ctl, path, PHONE_DBUS_ACCOUNT, "Update", NULL, "a{sv}", 1, "enabled", "s", enabled);
  /* It is only now that the daemon sees this word: a bad one adds nothing, like any other. */
  if (use_status == CTL_EXIT_USAGE)
    ctl_call_method (ctl, path, PHONE_DBUS_ACCOUNT, "Remove", NULL, NULL);
  else if (use_status != CTL_EXIT_OK)
    ctl_error ("the account is there, but not in use: `phonectl account enable %s`", id);
  return status != CTL_EXIT_OK ? status : use_status;
}

int
ctl_settings_add (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "AddAccount");
  bool with_password = ctl_args_flag (args, "password-stdin");
  CtlPassword password = CTL_PASSWORD_NONE;
  char *path = ctl_account_path (args->words[1]);
  int status = CTL_EXIT_OK;

  if (sd_bus_message_append (message, "s", args->words[1]) < 0 || append_settings (message, args, 2, with_password) < 0)
    status = CTL_EXIT_USAGE;
  if (status == CTL_EXIT_OK && with_password)
    status = ctl_password_read (&password);
  if (status == CTL_EXIT_OK)
    status = ctl_send (ctl, sd_bus_message_ref (message), NULL);
  if (status == CTL_EXIT_OK && with_password)
    status = give_password (ctl, args->words[1], path, wanted_enabled (args), &password);
  if (status == CTL_EXIT_OK && ctl->json)
    {
      CtlValue *value = ctl_value_new_dict ();

      ctl_value_set (value, "Id", ctl_value_new_string (args->words[1]));
      ctl_value_set (value, "object", ctl_value_new_string (path));
      ctl_print_json (value);
      ctl_value_free (value);
    }
  ctl_password_clear (&password);
  sd_bus_message_unref (message);
  free (path);
  return status;
}

int
ctl_settings_set (Ctl *ctl, const CtlArgs *args)
{
  char *path = ctl_account_path (args->words[1]);
  sd_bus_message *message = ctl_new_call (ctl, path, PHONE_DBUS_ACCOUNT, "Update");

  free (path);
  if (append_settings (message, args, 2, false) < 0)
    {
      sd_bus_message_unref (message);
      return CTL_EXIT_USAGE;
    }
  return ctl_send (ctl, message, NULL);
}
