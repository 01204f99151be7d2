/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#define MAX_PASSWORD 4096

static char *
account_path (const char *id)
{
  char *path = NULL;

  if (sd_bus_path_encode (PHONE_DBUS_ACCOUNT_PATH, id, &path) < 0)
    abort ();
  return path;
}

/* ---- password ---- */

/* From standard input up to the first newline; from a terminal without echo. Returns the length, or -1. */
static ssize_t
read_password (char *buffer, size_t size)
{
  struct termios saved, silent;
  bool terminal = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &saved) == 0;
  size_t n = 0;
  ssize_t r = 0;

  if (terminal)
    {
      silent = saved;
      silent.c_lflag &= ~(tcflag_t) ECHO;
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
      fputs ("Password: ", stderr);
    }
  while (n < size && (r = read (STDIN_FILENO, buffer + n, size - n)) > 0)
    {
      char *newline = memchr (buffer + n, '\n', (size_t) r);

      n += (size_t) r;
      if (newline)
        {
          n = (size_t) (newline - buffer);
          break;
        }
    }
  if (terminal)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &saved);
      fputc ('\n', stderr);
    }
  return r < 0 || n == size ? -1 : (ssize_t) n;
}

/* The password goes to the daemon as a sealed file in memory: it is on no command line, in no environment and in no message. */
static int
set_password (Ctl *ctl, const char *path)
{
  char buffer[MAX_PASSWORD];
  ssize_t length = read_password (buffer, sizeof buffer);
  int fd = -1, status = CTL_EXIT_OTHER;

  if (length < 0)
    ctl_error ("the password cannot be read, or is longer than %d octets", MAX_PASSWORD - 1);
  else if (length == 0)
    ctl_error ("no password on standard input");
  else if ((fd = memfd_create ("password", MFD_CLOEXEC | MFD_ALLOW_SEALING)) < 0
           || write (fd, buffer, (size_t) length) != length || lseek (fd, 0, SEEK_SET) < 0)
    ctl_error ("memory file: %s", strerror (errno));
  else
    status = ctl_call_method (ctl, path, PHONE_DBUS_ACCOUNT, "SetSecret", NULL, "h", fd);
  explicit_bzero (buffer, sizeof buffer);
  if (fd >= 0)
    close (fd);
  return status;
}

/* ---- settings ---- */

/* KEY=VALUE words into an a{sv} of strings. */
static int
append_settings (sd_bus_message *message, const CtlArgs *args, size_t first)
{
  int r = sd_bus_message_open_container (message, 'a', "{sv}");

  for (size_t i = first; r >= 0 && i < args->n_words; i++)
    {
      const char *word = args->words[i], *equals = strchr (word, '=');
      char *key;

      if (!equals || equals == word)
        {
          ctl_error ("'%s' is not KEY=VALUE", word);
          return -EINVAL;
        }
      if (strncmp (word, "password=", 9) == 0)
        {
          ctl_error ("a password does not belong on a command line: use --password-stdin or `phonectl account passwd`");
          return -EINVAL;
        }
      key = strndup (word, (size_t) (equals - word));
      if (!key)
        abort ();
      r = sd_bus_message_append (message, "{sv}", key, "s", equals + 1);
      if (r < 0)
        ctl_error ("'%s' is not text", key);
      free (key);
    }
  return r < 0 ? r : sd_bus_message_close_container (message);
}

static int
add_account (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "AddAccount"), *reply = NULL;
  const char *path = NULL;
  int status;

  if (sd_bus_message_append (message, "s", args->words[2]) < 0 || append_settings (message, args, 3) < 0)
    {
      sd_bus_message_unref (message);
      return CTL_EXIT_USAGE;
    }
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK && sd_bus_message_read (reply, "o", &path) < 0)
    status = CTL_EXIT_OTHER;
  if (status == CTL_EXIT_OK && ctl_args_flag (args, "password-stdin"))
    {
      status = set_password (ctl, path);
      if (status != CTL_EXIT_OK)
        ctl_error ("the account is there, but without a password: `phonectl account passwd %s`", args->words[2]);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
set_account (Ctl *ctl, const CtlArgs *args, const char *path)
{
  sd_bus_message *message = ctl_new_call (ctl, path, PHONE_DBUS_ACCOUNT, "Update");

  if (append_settings (message, args, 3) < 0)
    {
      sd_bus_message_unref (message);
      return CTL_EXIT_USAGE;
    }
  return ctl_send (ctl, message, NULL);
}

/* ---- showing ---- */

static void
print_accounts (Ctl *ctl, const CtlValue *accounts)
{
  CtlTable *table = ctl_table_new (ctl, 5);

  for (size_t i = 0; i < accounts->n; i++)
    {
      const CtlValue *account = accounts->items[i], *detail = ctl_value_get (account, "RegistrationDetail");
      const char *registration = ctl_value_string (account, "Registration");
      bool enabled = ctl_value_bool (account, "Enabled"), failed = strcmp (registration, "failed") == 0;

      ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (account, "Id"));
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Aor"));
      ctl_table_add (table, enabled ? ctl_style_of_state (registration) : CTL_DIM, "%s", enabled ? registration : "disabled");
      ctl_table_add (table, CTL_PLAIN, "%s", ctl_value_string (account, "Transport"));
      ctl_table_add (table, CTL_PLAIN, "%s", failed ? ctl_value_string (detail, "reason") : "");
    }
  ctl_table_print (table);
}

static int
list_accounts (Ctl *ctl)
{
  CtlValue *accounts = NULL;
  int status = ctl_get_list (ctl, PHONE_DBUS_ACCOUNT_PATH, &accounts);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl->json)
    ctl_print_json (accounts);
  else
    print_accounts (ctl, accounts);
  ctl_value_free (accounts);
  return CTL_EXIT_OK;
}

static int
show_account (Ctl *ctl, const char *id, const char *path)
{
  CtlValue *accounts = NULL;
  int status = ctl_get_list (ctl, PHONE_DBUS_ACCOUNT_PATH, &accounts);
  bool found = false;

  if (status != CTL_EXIT_OK)
    return status;
  for (size_t i = 0; i < accounts->n; i++)
    if (strcmp (ctl_value_string (accounts->items[i], "object"), path) == 0)
      {
        found = true;
        if (ctl->json)
          ctl_print_json (accounts->items[i]);
        else
          ctl_print_dict (ctl, accounts->items[i]);
      }
  ctl_value_free (accounts);
  if (found)
    return CTL_EXIT_OK;
  ctl_error ("there is no account %s", id);
  return CTL_EXIT_NO_OBJECT;
}

/* ---- verbs ---- */

typedef struct
{
  const char *verb, *method;
} PlainMethod;

static const PlainMethod plain_methods[] = { { "remove", "Remove" }, { "register", "Register" }, { "unregister", "Unregister" } };

static int
act_on_account (Ctl *ctl, const CtlArgs *args, const char *what, const char *path)
{
  for (size_t i = 0; i < sizeof plain_methods / sizeof plain_methods[0]; i++)
    if (strcmp (what, plain_methods[i].verb) == 0)
      return ctl_call_method (ctl, path, PHONE_DBUS_ACCOUNT, plain_methods[i].method, NULL, NULL);
  if (strcmp (what, "show") == 0)
    return show_account (ctl, args->words[2], path);
  if (strcmp (what, "enable") == 0 || strcmp (what, "disable") == 0)
    return ctl_set_property (ctl, path, PHONE_DBUS_ACCOUNT, "Enabled", "b", (int) (what[0] == 'e'));
  if (strcmp (what, "default") == 0)
    return ctl_set_property (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "DefaultAccount", "o", path);
  if (strcmp (what, "passwd") == 0)
    return set_password (ctl, path);
  ctl_error ("account %s: no such thing; list, show, add, set, remove, enable, disable, register, unregister, passwd, default", what);
  return CTL_EXIT_USAGE;
}

static int
run_account (Ctl *ctl, const CtlArgs *args)
{
  const char *what = args->n_words > 1 ? args->words[1] : "list";
  bool takes_settings = strcmp (what, "add") == 0 || strcmp (what, "set") == 0;
  char *path;
  int status;

  if (strcmp (what, "list") == 0 && args->n_words <= 2)
    return list_accounts (ctl);
  if (args->n_words < 3 || (!takes_settings && args->n_words > 3))
    {
      ctl_error ("account %s wants the id of an account%s", what, takes_settings ? " and KEY=VALUE words" : "");
      return CTL_EXIT_USAGE;
    }
  if (strcmp (what, "add") == 0)
    return add_account (ctl, args);
  path = account_path (args->words[2]);
  status = strcmp (what, "set") == 0 ? set_account (ctl, args, path) : act_on_account (ctl, args, what, path);
  free (path);
  return status;
}

static const CtlOption account_options[] = {
  { "password-stdin", 0, NULL, "add: read the password from standard input" },
  { 0 },
};

const CtlVerb ctl_account_verbs[] = {
  { "account", "[list | show ID | add ID KEY=VALUE... | set ID KEY=VALUE... | passwd ID | default ID | remove ID | enable ID | disable ID "
               "| register ID | unregister ID]",
    "accounts and their registration", account_options, run_account },
  { 0 },
};
