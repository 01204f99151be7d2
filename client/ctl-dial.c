/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Dialling, and with --wait staying with the call until it ends; the exit status tells how it ended.
 *
 * While waiting everything is asynchronous on one loop: the reply to Dial, the changes of the call and the answer to GetAll arrive in
 * the order in which the daemon sent them, so no state is missed and none is shown twice. The first Ctrl-C hangs up (as soon as there is
 * something to hang up), the second leaves at once. Times are of CLOCK_BOOTTIME: a call goes on while the clock is set. */

#include "ctl.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* ---- the message ---- */

static int
append_headers (sd_bus_message *message, const CtlArgs *args)
{
  int r;

  if (!ctl_args_value (args, "header"))
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
      if (!equals || equals == value)
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
  static const char *const flags[] = { "privacy", "when-registered", "keep-others", "intercom" };
  static const char *const texts[] = { "display", "replaces" };
  const char *account = ctl_args_value (args, "account"), *conference = ctl_args_value (args, "conference");
  char *path;
  int r = sd_bus_message_open_container (message, 'a', "{sv}");

  if (r >= 0 && account)
    {
      path = ctl_account_path (account);
      r = sd_bus_message_append (message, "{sv}", "account", "o", path);
      free (path);
    }
  if (r >= 0 && conference)
    {
      path = ctl_format ("%s/%s", PHONE_DBUS_CONFERENCE_PATH, conference);
      r = sd_bus_message_append (message, "{sv}", "conference", "o", path);
      free (path);
    }
  for (size_t i = 0; r >= 0 && i < sizeof texts / sizeof texts[0]; i++)
    if (ctl_args_value (args, texts[i]))
      r = sd_bus_message_append (message, "{sv}", texts[i], "s", ctl_args_value (args, texts[i]));
  for (size_t i = 0; r >= 0 && i < sizeof flags / sizeof flags[0]; i++)
    if (ctl_args_flag (args, flags[i]))
      r = sd_bus_message_append (message, "{sv}", flags[i], "b", 1);
  if (r >= 0)
    r = append_headers (message, args);
  return r < 0 ? r : sd_bus_message_close_container (message);
}

/* NULL: the arguments make no message; what is wrong has been said. */
static sd_bus_message *
new_dial (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_MANAGER, "Dial");

  if (sd_bus_message_append (message, "s", args->words[1]) >= 0 && append_options (message, args) >= 0)
    return message;
  sd_bus_message_unref (message);
  ctl_error ("dial: '%s' and its options cannot be sent", args->words[1]);
  return NULL;
}

/* ---- staying ---- */

typedef struct
{
  Ctl *ctl;
  char *path;                   /* of our call, once Dial replied */
  CtlValue *values;             /* last known properties of the call and its media */
  char *printed;                /* state shown last */
  uint64_t answered;            /* seconds of CLOCK_BOOTTIME, 0: not yet */
  bool live;                    /* a terminal: one line that is rewritten */
  bool known;                   /* GetAll was answered: values are complete */
  bool hanging_up, over, vanished;
  int status;                   /* of Dial */
} Waiter;

static uint64_t
boot_seconds (void)
{
  struct timespec now;

  clock_gettime (CLOCK_BOOTTIME, &now);
  return (uint64_t) now.tv_sec;
}

static void
show_live (Waiter *self, const char *state)
{
  char *party = ctl_party_text (self->values), *clean = ctl_text_clean (party);
  const char *codec = ctl_value_string (self->values, "Codec");
  const char *suite = ctl_value_string (ctl_value_get (self->values, "Security"), "suite");

  /* Without wrapping at the margin (DECAWM): a line that wraps cannot be rewritten. */
  printf ("\r\033[K\033[?7l%s %s", self->hanging_up ? "hanging up" : state, clean);
  if (self->answered)
    {
      char *talking = ctl_text_duration (boot_seconds () - self->answered);

      printf ("  %s", talking);
      free (talking);
    }
  if (*codec)
    printf ("  %s, %s", codec, *suite ? suite : "not encrypted");
  fputs ("\033[?7h", stdout);
  fflush (stdout);
  free (party);
  free (clean);
}

static void
show (Waiter *self)
{
  const char *state = ctl_value_string (self->values, "State");

  if (self->ctl->json || !*state || self->over)
    return;
  if (self->live && self->known)
    show_live (self, state);
  else if (self->live)
    return;
  else if (!self->printed || strcmp (self->printed, state) != 0)
    {
      ctl_print (self->ctl, CTL_PLAIN, "%s", state);
      free (self->printed);
      self->printed = ctl_format ("%s", state);
    }
}

static void
hang_up (Waiter *self)
{
  if (self->path)
    sd_bus_call_method_async (self->ctl->bus, NULL, PHONE_DBUS_NAME, self->path, PHONE_DBUS_CALL, "Hangup", NULL, NULL, NULL);
}

static void
take (Waiter *self, const char *interface, const CtlValue *properties)
{
  ctl_merge_properties (self->values, interface, properties);
  if (!self->answered && strcmp (ctl_value_string (self->values, "State"), "active") == 0)
    self->answered = boot_seconds ();
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
  if (sd_bus_message_read (message, "s", &interface) >= 0 && strncmp (interface, PHONE_DBUS_NAME ".", strlen (PHONE_DBUS_NAME ".")) == 0
      && ctl_value_read (message, &properties) >= 0)
    take (self, interface, properties);
  ctl_value_free (properties);
  return 0;
}

/* The daemon went away in the middle: the call is lost. */
static int
on_owner_changed (sd_bus_message *message, void *data, sd_bus_error *ret_error)
{
  Waiter *self = data;
  const char *name, *old, *new;

  if (sd_bus_message_read (message, "sss", &name, &old, &new) >= 0 && *old)
    {
      self->vanished = !self->over;
      self->over = self->known = true;
    }
  return 0;
}

static int
on_properties (sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
  Waiter *self = data;
  CtlValue *properties = NULL;

  self->known = true;           /* an error says that the call is gone already */
  if (!sd_bus_message_is_method_error (reply, NULL) && ctl_value_read (reply, &properties) >= 0)
    take (self, PHONE_DBUS_CALL, properties);
  ctl_value_free (properties);
  return 0;
}

static int
on_dialled (sd_bus_message *reply, void *data, sd_bus_error *ret_error)
{
  Waiter *self = data;
  const sd_bus_error *error = sd_bus_message_get_error (reply);
  const char *path;

  if (error || sd_bus_message_read (reply, "o", &path) < 0)
    {
      if (!self->vanished)
        self->status = ctl_report (self->ctl, NULL, error, error ? -sd_bus_error_get_errno (error) : -EBADMSG);
      self->over = self->known = true;
      return 0;
    }
  self->path = ctl_format ("%s", path);
  ctl_value_set (self->values, "number", ctl_value_new_uint (strtoul (strrchr (path, '/') + 1, NULL, 10)));
  ctl_value_set (self->values, "object", ctl_value_new_string (path));
  if (self->hanging_up)
    hang_up (self);
  return sd_bus_call_method_async (self->ctl->bus, NULL, PHONE_DBUS_NAME, path, "org.freedesktop.DBus.Properties", "GetAll",
                                   on_properties, self, "s", PHONE_DBUS_CALL);
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

static int
on_ctrl_c (Waiter *self, int signals)
{
  struct signalfd_siginfo info;

  if (read (signals, &info, sizeof info) != sizeof info)
    return -EIO;
  if (self->hanging_up)
    return -EINTR;
  self->hanging_up = true;
  if (!self->live && !self->ctl->json)
    ctl_print (self->ctl, CTL_PLAIN, "hanging up");
  hang_up (self);
  return 0;
}

static int
wait_for_end (Waiter *self, int signals)
{
  int r = 0;

  while (r >= 0 && !(self->over && self->known))
    {
      struct pollfd fds[2] = { { .fd = sd_bus_get_fd (self->ctl->bus) }, { .fd = signals, .events = POLLIN } };
      uint64_t until;
      int events, wait;

      r = sd_bus_process (self->ctl->bus, NULL);
      /* A timeout calls back too, and counts as nothing processed. */
      if (r != 0 || (self->over && self->known))
        continue;
      events = sd_bus_get_events (self->ctl->bus);
      if (events < 0 || sd_bus_get_timeout (self->ctl->bus, &until) < 0)
        return -ENOTCONN;
      fds[0].events = (short) events;
      wait = timeout_ms (until);
      if (self->live && self->answered && (wait < 0 || wait > 1000))
        wait = 1000;
      if (poll (fds, 2, wait) < 0 && errno != EINTR)
        return -errno;
      if (fds[1].revents)
        r = on_ctrl_c (self, signals);
      show (self);
    }
  return r;
}

static int
finish (Waiter *self, int r)
{
  const CtlValue *reason = ctl_value_get (self->values, "Reason");
  bool ended = reason && reason->kind == CTL_DICT && reason->n > 0;
  char *text, *talked;

  if (self->live && self->path)
    fputs ("\r\033[K", stdout);
  if (r == -EINTR)
    {
      ctl_error ("left without waiting for the end");
      return CTL_EXIT_OTHER;
    }
  if (r < 0)
    return ctl_report (self->ctl, NULL, NULL, r);
  if (self->status != CTL_EXIT_OK)
    return self->status;
  if (self->ctl->json && self->path)
    ctl_print_json (self->values);
  if (self->vanished || !ended)
    {
      ctl_error ("phoned is gone, and the call with it");
      return CTL_EXIT_OTHER;
    }
  if (!self->ctl->json)
    {
      text = ctl_reason_text (reason);
      talked = self->answered ? ctl_text_duration (boot_seconds () - self->answered) : NULL;
      ctl_print (self->ctl, CTL_PLAIN, "ended%s%s: %s", talked ? " after " : "", talked ? talked : "", text);
      free (text);
      free (talked);
    }
  return ctl_exit_from_reason (reason);
}

/* Signals of the terminal become readable; whoever closes it does not want the microphone to stay open. */
static int
open_signals (void)
{
  sigset_t mask;

  sigemptyset (&mask);
  sigaddset (&mask, SIGINT);
  sigaddset (&mask, SIGTERM);
  sigaddset (&mask, SIGHUP);
  sigprocmask (SIG_BLOCK, &mask, NULL);
  return signalfd (-1, &mask, SFD_CLOEXEC);
}

static int
dial_and_wait (Ctl *ctl, sd_bus_message *message)
{
  Waiter self = { .ctl = ctl, .values = ctl_value_new_dict (), .live = !ctl->json && isatty (STDOUT_FILENO) };
  int signals = open_signals (), status;
  int r = signals < 0 ? -errno : 0;

  /* What changes is listened to before Dial goes out. */
  if (r >= 0)
    r = sd_bus_add_match (ctl->bus, NULL,
                          "type='signal',sender='" PHONE_DBUS_NAME "',interface='org.freedesktop.DBus.Properties',"
                          "member='PropertiesChanged',path_namespace='" PHONE_DBUS_CALL_PATH "'",
                          on_changed, &self);
  if (r >= 0)
    r = sd_bus_add_match (ctl->bus, NULL,
                          "type='signal',sender='org.freedesktop.DBus',member='NameOwnerChanged',arg0='" PHONE_DBUS_NAME "'",
                          on_owner_changed, &self);
  if (r >= 0)
    r = sd_bus_call_async (ctl->bus, NULL, message, on_dialled, &self, ctl->timeout_us);
  if (r >= 0)
    r = wait_for_end (&self, signals);
  status = finish (&self, r);
  if (signals >= 0)
    close (signals);
  ctl_value_free (self.values);
  free (self.printed);
  free (self.path);
  return status;
}

/* ---- the verb ---- */

static int
dial_only (Ctl *ctl, sd_bus_message *message)
{
  sd_bus_message *reply = NULL;
  const char *path;
  CtlValue *value;
  int status = ctl_send (ctl, sd_bus_message_ref (message), &reply);

  if (status == CTL_EXIT_OK && sd_bus_message_read (reply, "o", &path) < 0)
    status = ctl_report (ctl, NULL, NULL, -EBADMSG);
  if (status == CTL_EXIT_OK)
    {
      value = ctl_value_new_dict ();
      ctl_value_set (value, "call", ctl_value_new_uint (strtoul (strrchr (path, '/') + 1, NULL, 10)));
      ctl_value_set (value, "object", ctl_value_new_string (path));
      if (ctl->json)
        ctl_print_json (value);
      else
        ctl_print (ctl, CTL_PLAIN, "call %s", strrchr (path, '/') + 1);
      ctl_value_free (value);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
run_dial (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = new_dial (ctl, args);
  int status;

  if (!message)
    return CTL_EXIT_USAGE;
  status = (ctl_args_flag (args, "wait") ? dial_and_wait : dial_only) (ctl, message);
  sd_bus_message_unref (message);
  return status;
}

static const CtlOption dial_options[] = {
  { "account", 'a', "ID", "the account to call from" },
  { "wait", 'w', NULL, "stay until the call ends; the exit status tells how. Ctrl-C hangs up" },
  { "when-registered", 0, NULL, "wait for the account to register first, 30 s at most" },
  { "privacy", 0, NULL, "withhold your identity" },
  { "keep-others", 0, NULL, "do not put other active calls on hold" },
  { "intercom", 0, NULL, "ask the callee's phone to answer by itself" },
  { "conference", 'c', "C", "into this conference, where you stay meanwhile" },
  { "display", 0, "NAME", "name of the callee" },
  { "header", 0, "NAME=VALUE", "an additional SIP header (X-...), may be repeated" },
  { "replaces", 0, "DIALOG", "take over a call of another device (RFC 3891): CALL-ID;to-tag=T;from-tag=F" },
  { 0 },
};

const CtlVerb ctl_dial_verbs[] = {
  { "dial", "TARGET", "call somebody: a number, tel: or sip: URI, or USER@HOST", dial_options, run_dial },
  { 0 },
};
