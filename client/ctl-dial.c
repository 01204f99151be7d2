/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dialling, and with --wait staying with the call until it ends: the exit status tells how. Everything is subscribed to before Dial
 * goes out, so that no state is missed. */

#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

typedef struct
{
  Ctl *ctl;
  char *path;                   /* of our call, once Dial replied */
  CtlValue *values;             /* last known properties of the call */
  char *printed;                /* state shown last */
  time_t answered;
  bool live;                    /* a terminal: one line that is rewritten */
  bool hung_up, over;
} Waiter;

static double
seconds_since (time_t then)
{
  return difftime (time (NULL), then);
}

static void
show (Waiter *self)
{
  const char *state = ctl_value_string (self->values, "State");

  if (self->ctl->json || !*state)
    return;
  if (self->live)
    {
      char *uri = ctl_clean (ctl_value_string (self->values, "RemoteUri"));

      printf ("\r\033[K%s %s", state, uri);
      if (self->answered && strcmp (state, "disconnected") != 0)
        printf ("  %d:%02d", (int) seconds_since (self->answered) / 60, (int) seconds_since (self->answered) % 60);
      fflush (stdout);
      free (uri);
    }
  else if (!self->printed || strcmp (self->printed, state) != 0)
    {
      puts (state);
      fflush (stdout);
    }
  free (self->printed);
  self->printed = strdup (state);
}

static void
take (Waiter *self, const CtlValue *properties)
{
  ctl_value_merge (self->values, properties);
  if (!self->answered && strcmp (ctl_value_string (self->values, "State"), "active") == 0)
    self->answered = time (NULL);
  if (strcmp (ctl_value_string (self->values, "State"), "disconnected") == 0)
    self->over = true;
  show (self);
}

static int
on_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Waiter *self = data;
  const char *interface;
  CtlValue *properties = NULL;

  if (!self->path || strcmp (sd_bus_message_get_path (message), self->path) != 0)
    return 0;
  if (sd_bus_message_read (message, "s", &interface) >= 0 && ctl_value_read (message, &properties) >= 0)
    take (self, properties);
  ctl_value_free (properties);
  return 0;
}

/* The daemon went away in the middle: the call is lost. */
static int
on_owner_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Waiter *self = data;
  const char *name, *old, *new;

  if (sd_bus_message_read (message, "sss", &name, &old, &new) >= 0 && !*new)
    self->over = true;
  return 0;
}

static int
on_hangup_reply (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  return 0;
}

/* What the object says now: the changes up to here may have come before the reply to Dial. */
static int
read_now (Waiter *self)
{
  sd_bus_message *reply = NULL;
  CtlValue *properties = NULL;
  int status = ctl_call_method (self->ctl, self->path, "org.freedesktop.DBus.Properties", "GetAll", &reply, "s", PHONE_DBUS_CALL);

  if (status == CTL_EXIT_OK && ctl_value_read (reply, &properties) >= 0)
    take (self, properties);
  ctl_value_free (properties);
  sd_bus_message_unref (reply);
  return status;
}

static int
timeout_ms (uint64_t until_us)
{
  struct timespec now;
  uint64_t now_us;

  if (until_us == UINT64_MAX)
    return -1;
  clock_gettime (CLOCK_MONOTONIC, &now);
  now_us = (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
  return until_us <= now_us ? 0 : (int) ((until_us - now_us) / 1000 + 1);
}

/* The first Ctrl-C ends the call, the second the waiting. */
static int
wait_for_end (Waiter *self, int signals)
{
  int r = 0;

  while (!self->over)
    {
      struct pollfd fds[2] = { { .fd = sd_bus_get_fd (self->ctl->bus) }, { .fd = signals, .events = POLLIN } };
      uint64_t until;
      int events, wait;

      r = sd_bus_process (self->ctl->bus, NULL);
      if (r < 0)
        return r;
      if (r > 0)
        continue;
      events = sd_bus_get_events (self->ctl->bus);
      if (events < 0 || sd_bus_get_timeout (self->ctl->bus, &until) < 0)
        return -EIO;
      fds[0].events = (short) events;
      wait = timeout_ms (until);
      if (self->live && self->answered && (wait < 0 || wait > 1000))
        wait = 1000;
      if (poll (fds, 2, wait) < 0 && errno != EINTR)
        return -errno;
      if (fds[1].revents)
        {
          struct signalfd_siginfo info;

          if (read (signals, &info, sizeof info) != sizeof info)
            return -EIO;
          if (self->hung_up)
            return -EINTR;
          self->hung_up = true;
          sd_bus_call_method_async (self->ctl->bus, NULL, PHONE_DBUS_NAME, self->path, PHONE_DBUS_CALL, "Hangup", on_hangup_reply, self, NULL);
        }
      show (self);
    }
  return 0;
}

static int
finish (Waiter *self, int r)
{
  const CtlValue *reason = ctl_value_get (self->values, "Reason");
  char *text;

  if (self->live)
    putchar ('\n');
  if (r == -EINTR)
    return CTL_EXIT_OTHER;
  if (r < 0)
    return ctl_report (NULL, r);
  if (self->ctl->json)
    ctl_print_json (self->values);
  if (!reason || reason->n == 0)
    {
      ctl_error ("phoned is gone, and the call with it");
      return CTL_EXIT_OTHER;
    }
  if (!self->ctl->json)
    {
      text = ctl_reason_text (reason);
      if (self->answered)
        printf ("ended after %d s: %s\n", (int) seconds_since (self->answered), text);
      else
        printf ("ended: %s\n", text);
      free (text);
    }
  return ctl_exit_from_reason (reason);
}

/* ---- Dial ---- */

static int
append_headers (sd_bus_message *message, const CtlArgs *args)
{
  bool any = ctl_args_value (args, "header") != NULL;
  int r = 0;

  if (!any)
    return 0;
  r = sd_bus_message_open_container (message, 'e', "sv");
  if (r >= 0)
    r = sd_bus_message_append (message, "s", "headers");
  if (r >= 0)
    r = sd_bus_message_open_container (message, 'v', "a{ss}");
  if (r >= 0)
    r = sd_bus_message_open_container (message, 'a', "{ss}");
  for (size_t i = 0; r >= 0 && i < args->n_options; i++)
    {
      const char *value = args->options[i].value, *equals;
      char *name;

      if (strcmp (args->options[i].option->name, "header") != 0)
        continue;
      equals = strchr (value, '=');
      if (!equals)
        {
          ctl_error ("--header wants NAME=VALUE, not '%s'", value);
          return -EINVAL;
        }
      name = strndup (value, (size_t) (equals - value));
      if (!name)
        abort ();
      r = sd_bus_message_append (message, "{ss}", name, equals + 1);
      free (name);
    }
  for (int level = 0; r >= 0 && level < 3; level++)
    r = sd_bus_message_close_container (message);
  return r;
}

static int
append_options (sd_bus_message *message, const CtlArgs *args)
{
  static const char *const flags[] = { "privacy", "when-registered", "keep-others" };
  const char *account = ctl_args_value (args, "account"), *display = ctl_args_value (args, "display");
  char *path = NULL;
  int r = sd_bus_message_open_container (message, 'a', "{sv}");

  if (r >= 0 && account)
    {
      if (sd_bus_path_encode (PHONE_DBUS_ACCOUNT_PATH, account, &path) < 0)
        abort ();
      r = sd_bus_message_append (message, "{sv}", "account", "o", path);
      free (path);
    }
  if (r >= 0 && display)
    r = sd_bus_message_append (message, "{sv}", "display", "s", display);
  for (size_t i = 0; r >= 0 && i < sizeof flags / sizeof flags[0]; i++)
    if (ctl_args_flag (args, flags[i]))
      r = sd_bus_message_append (message, "{sv}", flags[i], "b", 1);
  if (r >= 0)
    r = append_headers (message, args);
  return r < 0 ? r : sd_bus_message_close_container (message);
}

static int
dial (Ctl *ctl, const CtlArgs *args, char **ret_path)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "Dial"), *reply = NULL;
  const char *path;
  int status;

  if (sd_bus_message_append (message, "s", args->words[1]) < 0 || append_options (message, args) < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("dial: the arguments are not text");
      return CTL_EXIT_USAGE;
    }
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK)
    {
      if (sd_bus_message_read (reply, "o", &path) < 0)
        status = CTL_EXIT_OTHER;
      else
        *ret_path = strdup (path);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
dial_and_wait (Ctl *ctl, const CtlArgs *args)
{
  Waiter self = { .ctl = ctl, .values = ctl_value_new_dict (), .live = !ctl->json && isatty (STDOUT_FILENO) };
  sigset_t mask;
  int signals, r, status;

  sigemptyset (&mask);
  sigaddset (&mask, SIGINT);
  sigaddset (&mask, SIGTERM);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  signals = signalfd (-1, &mask, SFD_CLOEXEC);
  r = sd_bus_add_match (ctl->bus, NULL,
                        "type='signal',sender='" PHONE_DBUS_NAME "',interface='org.freedesktop.DBus.Properties',"
                        "member='PropertiesChanged',arg0='" PHONE_DBUS_CALL "'",
                        on_changed, &self);
  if (r >= 0)
    r = sd_bus_add_match (ctl->bus, NULL,
                          "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" PHONE_DBUS_NAME "'",
                          on_owner_changed, &self);
  if (r < 0 || signals < 0)
    status = ctl_report (NULL, r < 0 ? r : -errno);
  else
    status = dial (ctl, args, &self.path);
  if (status == CTL_EXIT_OK)
    status = read_now (&self);
  if (status == CTL_EXIT_OK)
    status = finish (&self, wait_for_end (&self, signals));
  if (signals >= 0)
    close (signals);
  ctl_value_free (self.values);
  free (self.printed);
  free (self.path);
  return status;
}

static int
run_dial (Ctl *ctl, const CtlArgs *args)
{
  char *path = NULL;
  int status;

  if (args->n_words != 2)
    {
      ctl_error ("dial wants one target: a number, a tel: or sip: URI, or USER@HOST");
      return CTL_EXIT_USAGE;
    }
  if (ctl_args_flag (args, "wait"))
    return dial_and_wait (ctl, args);
  status = dial (ctl, args, &path);
  if (status == CTL_EXIT_OK)
    {
      CtlValue *value = ctl_value_new_dict ();

      ctl_value_set (value, "call", ctl_value_new_uint (strtoul (strrchr (path, '/') + 1, NULL, 10)));
      ctl_value_set (value, "object", ctl_value_new_string (path));
      if (ctl->json)
        ctl_print_json (value);
      else
        printf ("call %s\n", strrchr (path, '/') + 1);
      ctl_value_free (value);
    }
  free (path);
  return status;
}

static const CtlOption dial_options[] = {
  { "account", 'a', "ID", "the account to call from" },
  { "wait", 'w', NULL, "stay until the call ends; the exit status tells how" },
  { "when-registered", 0, NULL, "wait for the account to register first, 30 s at most" },
  { "privacy", 0, NULL, "withhold your identity" },
  { "keep-others", 0, NULL, "do not put other active calls on hold" },
  { "display", 0, "NAME", "name of the callee" },
  { "header", 0, "NAME=VALUE", "an additional SIP header (X-...), may be repeated" },
  { 0 },
};

const CtlVerb ctl_dial_verbs[] = {
  { "dial", "TARGET", "call somebody", dial_options, run_dial },
  { 0 },
};
