/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- errors ---- */

static const struct
{
  const char *name;
  int exit_status;
} error_table[] = {
#define X(id, name, exit_status, sip_status) { name, exit_status },
#include "errors.def"
#undef X
};

static const struct
{
  const char *reason;
  CtlExit exit_status;
} reason_table[] = {
  { "hangup", CTL_EXIT_OK },           { "busy", CTL_EXIT_BUSY },
  { "declined", CTL_EXIT_DECLINED },   { "forbidden", CTL_EXIT_DECLINED },
  { "no-answer", CTL_EXIT_NO_ANSWER }, { "unavailable", CTL_EXIT_NO_ANSWER },
  { "not-found", CTL_EXIT_NO_OBJECT }, { "unreachable", CTL_EXIT_NETWORK },
  { "tls", CTL_EXIT_NETWORK },         { "server-error", CTL_EXIT_NETWORK },
  { "ack-timeout", CTL_EXIT_NETWORK }, { "session-timeout", CTL_EXIT_NETWORK },
  { "rtp-timeout", CTL_EXIT_MEDIA },   { "media-failed", CTL_EXIT_MEDIA },
  { "not-acceptable", CTL_EXIT_MEDIA }, { "auth-failed", CTL_EXIT_AUTH },
  { "replaced", CTL_EXIT_OK },         { "transferred", CTL_EXIT_OK },
  { "answered-elsewhere", CTL_EXIT_OK },
  { "shutdown", CTL_EXIT_OTHER },      { "cancelled", CTL_EXIT_OTHER },
  { "redirected", CTL_EXIT_OTHER },    { "failed", CTL_EXIT_OTHER },
};

int
ctl_exit_from_name (const char *name)
{
  size_t prefix = strlen (PHONE_DBUS_ERROR_PREFIX);

  if (!name)
    return CTL_EXIT_OTHER;
  if (strcmp (name, SD_BUS_ERROR_UNKNOWN_OBJECT) == 0)
    return CTL_EXIT_NO_OBJECT;
  if (strncmp (name, PHONE_DBUS_ERROR_PREFIX, prefix) == 0)
    for (size_t i = 0; i < sizeof error_table / sizeof error_table[0]; i++)
      if (strcmp (name + prefix, error_table[i].name) == 0)
        return error_table[i].exit_status;
  return CTL_EXIT_OTHER;
}

int
ctl_exit_from_reason (const CtlValue *reason)
{
  const char *word = ctl_value_string (reason, "reason");

  for (size_t i = 0; i < sizeof reason_table / sizeof reason_table[0]; i++)
    if (strcmp (word, reason_table[i].reason) == 0)
      return (int) reason_table[i].exit_status;
  return CTL_EXIT_OTHER;
}

static bool
has_prefix (const char *text, const char *prefix)
{
  return strncmp (text, prefix, strlen (prefix)) == 0;
}

/* Nobody has the name, and starting phoned did not help. */
static bool
is_not_there (const char *name)
{
  return strcmp (name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 || strcmp (name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0
         || strcmp (name, "org.freedesktop.DBus.Error.TimedOut") == 0 || has_prefix (name, "org.freedesktop.DBus.Error.Spawn")
         || has_prefix (name, "org.freedesktop.systemd1.");
}

/* The connection, not the phone. */
static void
report_errno (const Ctl *ctl, int error)
{
  if (error == -ETIMEDOUT)
    ctl_error ("phoned did not answer within %lu s", (unsigned long) (ctl->timeout_us / 1000000));
  else if (ctl->host && (error == -ECONNRESET || error == -ENOTCONN || error == -EPIPE || error == -ECONNREFUSED))
    ctl_error ("no connection with %s: that needs `ssh %s` to work, and systemd-stdio-bridge (package systemd) there", ctl->host,
               ctl->host);
  else if (error == -ECONNRESET || error == -ENOTCONN || error == -EPIPE)
    ctl_error ("the session bus closed the connection");
  else
    ctl_error ("%s", strerror (-error));
}

int
ctl_report (const Ctl *ctl, const char *path, const sd_bus_error *error, int negative_errno)
{
  const char *name = error && sd_bus_error_is_set (error) ? error->name : NULL;
  const char *message = name && error->message && *error->message ? error->message : name;
  char *object;

  if (!name || has_prefix (name, "System.Error."))
    {
      report_errno (ctl, negative_errno);
      return CTL_EXIT_OTHER;
    }
  if (is_not_there (name))
    {
      ctl_error ("phoned does not run and could not be started: %s", message);
      ctl_error ("see `systemctl --user status phoned` and `journalctl --user -u phoned`%s%s", ctl->host ? " on " : "",
                 ctl->host ? ctl->host : "");
      return CTL_EXIT_OTHER;
    }
  if (strcmp (name, SD_BUS_ERROR_TIMEOUT) == 0 || (strcmp (name, SD_BUS_ERROR_NO_REPLY) == 0 && negative_errno == -ETIMEDOUT))
    {
      report_errno (ctl, -ETIMEDOUT);
      return CTL_EXIT_OTHER;
    }
  if (strcmp (name, SD_BUS_ERROR_NO_REPLY) == 0 || strcmp (name, SD_BUS_ERROR_DISCONNECTED) == 0)
    ctl_error ("phoned left before it answered");
  else if (path && strcmp (name, SD_BUS_ERROR_UNKNOWN_OBJECT) == 0)
    {
      object = ctl_object_name (path);
      ctl_error ("there is no %s", object);
      free (object);
    }
  else
    ctl_error ("%s", message);
  return ctl_exit_from_name (name);
}

/* ---- names of objects ---- */

char *
ctl_account_path (const char *id)
{
  char *path = NULL;

  if (sd_bus_path_encode (PHONE_DBUS_ACCOUNT_PATH, id, &path) < 0)
    abort ();
  return path;
}

char *
ctl_account_id (const char *path)
{
  char *id = NULL;

  if (sd_bus_path_decode (path, PHONE_DBUS_ACCOUNT_PATH, &id) <= 0)
    id = ctl_format ("%s", "");
  return id;
}

char *
ctl_object_name (const char *path)
{
  char *id = ctl_account_id (path), *name;

  if (*id)
    name = ctl_format ("account %s", id);
  else if (has_prefix (path, PHONE_DBUS_CALL_PATH "/"))
    name = ctl_format ("call %s", path + strlen (PHONE_DBUS_CALL_PATH "/"));
  else
    name = ctl_format ("%s", strcmp (path, PHONE_DBUS_PATH) == 0 ? "phone" : path);
  free (id);
  return name;
}

/* ---- connection ---- */

/* Ctrl-C reaches every process of a terminal's foreground: ssh shall not die of it before our Hangup is through. Signals that are ignored
 * at its start it leaves ignored; when we are gone, it finds the end of its input. */
int
ctl_spawn_ssh (const Ctl *ctl, const char *const *words, bool bidirectional, int *ret_fd)
{
  extern char **environ;
  static const int shielded[] = { SIGINT, SIGTERM, SIGHUP };
  const char *argv[16] = { "ssh", "-xT", "--", ctl->host };
  struct sigaction ignore = { .sa_handler = SIG_IGN }, before[3];
  posix_spawn_file_actions_t actions;
  int ends[2], error;
  pid_t pid;

  for (size_t i = 0; words[i] && i + 5 < sizeof argv / sizeof argv[0]; i++)
    argv[i + 4] = words[i];
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
    return -errno;
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_adddup2 (&actions, ends[1], STDIN_FILENO);
  if (bidirectional)
    posix_spawn_file_actions_adddup2 (&actions, ends[1], STDOUT_FILENO);
  for (size_t i = 0; i < 3; i++)
    sigaction (shielded[i], &ignore, &before[i]);
  error = posix_spawnp (&pid, "ssh", &actions, NULL, (char *const *) argv, environ);
  for (size_t i = 0; i < 3; i++)
    sigaction (shielded[i], &before[i], NULL);
  posix_spawn_file_actions_destroy (&actions);
  close (ends[1]);
  if (error)
    {
      close (ends[0]);
      return -error;
    }
  *ret_fd = ends[0];
  return pid;
}

/* sd_bus_open_user_machine() wants machined; the bridge needs nothing but ssh and systemd at the other end. Its --user means
 * something only with --machine (systemd 252), so it is told the address; the shell over there fills in the variable. */
static int
connect_by_ssh (Ctl *ctl)
{
  static const char *const words[] = { "systemd-stdio-bridge", "-punix:path=$XDG_RUNTIME_DIR/bus", NULL };
  int fd, r = ctl_spawn_ssh (ctl, words, true, &fd);

  if (r < 0)
    return r;
  r = sd_bus_new (&ctl->bus);
  if (r >= 0)
    r = sd_bus_set_fd (ctl->bus, fd, fd);
  if (r < 0)
    {
      close (fd);
      return r;
    }
  r = sd_bus_set_bus_client (ctl->bus, 1);
  return r < 0 ? r : sd_bus_start (ctl->bus);
}

int
ctl_connect (Ctl *ctl)
{
  int r = ctl->host ? connect_by_ssh (ctl) : sd_bus_open_user (&ctl->bus);

  if (r >= 0)
    r = sd_bus_set_method_call_timeout (ctl->bus, ctl->timeout_us);
  if (r >= 0)
    return CTL_EXIT_OK;
  if (ctl->host)
    report_errno (ctl, r);
  else if (r == -ENOMEDIUM)
    ctl_error ("no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set (log in as the user, rather than by su or sudo)");
  else
    ctl_error ("the session bus does not answer: %s", strerror (-r));
  return CTL_EXIT_OTHER;
}

sd_bus_message *
ctl_new_call (Ctl *ctl, const char *path, const char *interface, const char *member)
{
  sd_bus_message *message = NULL;

  if (sd_bus_message_new_method_call (ctl->bus, &message, PHONE_DBUS_NAME, path, interface, member) < 0)
    abort ();
  return message;
}

int
ctl_send (Ctl *ctl, sd_bus_message *message, sd_bus_message **ret_reply)
{
  sd_bus_error error = SD_BUS_ERROR_NULL;
  sd_bus_message *reply = NULL;
  int r = sd_bus_call (ctl->bus, message, ctl->timeout_us, &error, &reply);
  int exit_status = r < 0 ? ctl_report (ctl, sd_bus_message_get_path (message), &error, r) : CTL_EXIT_OK;

  sd_bus_message_unref (message);
  sd_bus_error_free (&error);
  if (ret_reply && r >= 0)
    *ret_reply = reply;
  else
    sd_bus_message_unref (reply);
  return exit_status;
}

int
ctl_send_words (Ctl *ctl, const char *interface, const char *member, const CtlArgs *args)
{
  sd_bus_message *m = ctl_new_call (ctl, PHONE_DBUS_PATH, interface, member);
  int r = sd_bus_message_open_container (m, 'a', "s");

  for (size_t i = 1; r >= 0 && i < args->n_words; i++)
    r = sd_bus_message_append (m, "s", args->words[i]);
  if (r >= 0)
    r = sd_bus_message_close_container (m);
  if (r >= 0)
    return ctl_send (ctl, m, NULL);
  sd_bus_message_unref (m);
  return ctl_report (ctl, NULL, NULL, r);
}

int
ctl_call_method (Ctl *ctl, const char *path, const char *interface, const char *member, sd_bus_message **ret_reply,
                 const char *types, ...)
{
  sd_bus_message *message = ctl_new_call (ctl, path, interface, member);
  va_list args;
  int r = 0;

  if (types && *types)
    {
      va_start (args, types);
      r = sd_bus_message_appendv (message, types, args);
      va_end (args);
    }
  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("%s: argument: %s", member, strerror (-r));
      return CTL_EXIT_USAGE;
    }
  return ctl_send (ctl, message, ret_reply);
}

int
ctl_set_property (Ctl *ctl, const char *path, const char *interface, const char *name, const char *types, ...)
{
  sd_bus_message *message = ctl_new_call (ctl, path, "org.freedesktop.DBus.Properties", "Set");
  va_list args;
  int r = sd_bus_message_append (message, "ss", interface, name);

  if (r >= 0)
    r = sd_bus_message_open_container (message, 'v', types);
  va_start (args, types);
  if (r >= 0)
    r = sd_bus_message_appendv (message, types, args);
  va_end (args);
  if (r >= 0)
    r = sd_bus_message_close_container (message);
  if (r < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("%s: value: %s", name, strerror (-r));
      return CTL_EXIT_USAGE;
    }
  return ctl_send (ctl, message, NULL);
}

/* ---- objects ---- */

int
ctl_get_objects (Ctl *ctl, CtlValue **ret_objects)
{
  sd_bus_message *reply = NULL;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects", &reply, NULL);

  if (status != CTL_EXIT_OK)
    return status;
  if (ctl_value_read (reply, ret_objects) < 0)
    {
      ctl_error ("phoned's answer cannot be read");
      status = CTL_EXIT_OTHER;
    }
  sd_bus_message_unref (reply);
  return status;
}

/* An object's own interface keeps the names of its properties, and so does Media, but for the Direction that a call has too. What other
 * interfaces have goes under their names: RecordingState. */
static bool
keeps_name (const char *interface, const char *key)
{
  return strcmp (interface, PHONE_DBUS_CALL) == 0 || strcmp (interface, PHONE_DBUS_ACCOUNT) == 0 || strcmp (interface, PHONE_DBUS_MANAGER) == 0
         || strcmp (interface, PHONE_DBUS_AUDIO) == 0 || strcmp (interface, PHONE_DBUS_WATCH) == 0
         || strcmp (interface, PHONE_DBUS_CONFERENCE) == 0
         || (strcmp (interface, PHONE_DBUS_MEDIA) == 0 && strcmp (key, "Direction") != 0);
}

void
ctl_merge_properties (CtlValue *flat, const char *interface, const CtlValue *properties)
{
  const char *dot = strrchr (interface, '.');

  for (size_t i = 0; properties && properties->kind == CTL_DICT && i < properties->n; i++)
    {
      const char *key = properties->keys[i];
      char *name = ctl_format ("%s%s", keeps_name (interface, key) || !dot ? "" : dot + 1, key);

      ctl_value_set (flat, name, ctl_value_copy (properties->items[i]));
      free (name);
    }
}

CtlValue *
ctl_flatten (const char *path, const CtlValue *interfaces)
{
  CtlValue *flat = ctl_value_new_dict ();
  unsigned long number;

  if (has_prefix (path, PHONE_DBUS_CALL_PATH "/")
      && ctl_parse_number (path + strlen (PHONE_DBUS_CALL_PATH "/"), 0, UINT32_MAX, &number))
    ctl_value_set (flat, "number", ctl_value_new_uint (number));
  if (has_prefix (path, PHONE_DBUS_CONFERENCE_PATH "/")
      && ctl_parse_number (path + strlen (PHONE_DBUS_CONFERENCE_PATH "/"), 0, UINT32_MAX, &number))
    ctl_value_set (flat, "number", ctl_value_new_uint (number));
  if (has_prefix (path, PHONE_DBUS_WATCH_PATH "/")
      && ctl_parse_number (path + strlen (PHONE_DBUS_WATCH_PATH "/"), 0, UINT32_MAX, &number))
    ctl_value_set (flat, "number", ctl_value_new_uint (number));
  ctl_value_set (flat, "object", ctl_value_new_string (path));
  for (size_t i = 0; interfaces && interfaces->kind == CTL_DICT && i < interfaces->n; i++)
    if (has_prefix (interfaces->keys[i], PHONE_DBUS_NAME "."))
      ctl_merge_properties (flat, interfaces->keys[i], interfaces->items[i]);
  return flat;
}

static int
compare_objects (const void *a, const void *b)
{
  const CtlValue *left = *(CtlValue *const *) a, *right = *(CtlValue *const *) b;
  uint64_t i = ctl_value_uint (left, "number"), j = ctl_value_uint (right, "number");

  return i != j ? (i > j) - (i < j) : strcmp (ctl_value_string (left, "object"), ctl_value_string (right, "object"));
}

CtlValue *
ctl_collect (const CtlValue *objects, const char *parent)
{
  CtlValue *list = ctl_value_new_array ();
  size_t length = strlen (parent);

  for (size_t i = 0; objects->kind == CTL_DICT && i < objects->n; i++)
    if (strncmp (objects->keys[i], parent, length) == 0 && objects->keys[i][length] == '/')
      ctl_value_append (list, ctl_flatten (objects->keys[i], objects->items[i]));
  if (list->n)
    qsort (list->items, list->n, sizeof *list->items, compare_objects);
  return list;
}

int
ctl_get_list (Ctl *ctl, const char *parent, CtlValue **ret_list)
{
  CtlValue *objects = NULL;
  int status = ctl_get_objects (ctl, &objects);

  if (status == CTL_EXIT_OK)
    *ret_list = ctl_collect (objects, parent);
  ctl_value_free (objects);
  return status;
}
