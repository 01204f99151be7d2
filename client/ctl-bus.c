/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ctl.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

int
ctl_report (const sd_bus_error *error, int negative_errno)
{
  if (!sd_bus_error_is_set (error))
    {
      ctl_error ("%s", strerror (-negative_errno));
      return CTL_EXIT_OTHER;
    }
  if (strcmp (error->name, SD_BUS_ERROR_SERVICE_UNKNOWN) == 0 || strcmp (error->name, SD_BUS_ERROR_NAME_HAS_NO_OWNER) == 0
      || strncmp (error->name, "org.freedesktop.DBus.Error.Spawn", 32) == 0 || strncmp (error->name, "org.freedesktop.systemd1.", 25) == 0)
    {
      ctl_error ("phoned does not run and could not be started: %s", error->message ? error->message : error->name);
      ctl_error ("see `systemctl --user status phoned` and `journalctl --user -u phoned`");
      return CTL_EXIT_OTHER;
    }
  ctl_error ("%s", error->message && *error->message ? error->message : error->name);
  return ctl_exit_from_name (error->name);
}

/* ---- connection ---- */

/* Escaping of D-Bus addresses (D-Bus specification, "Server Addresses"). */
static char *
escape_address (const char *text)
{
  char *escaped = malloc (3 * strlen (text) + 1), *out = escaped;

  if (!escaped)
    abort ();
  for (const unsigned char *p = (const unsigned char *) text; *p; p++)
    if (strchr ("-_/.\\*", *p) || (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') || (*p >= 'a' && *p <= 'z'))
      *out++ = (char) *p;
    else
      out += sprintf (out, "%%%02x", *p);
  *out = '\0';
  return escaped;
}

int
ctl_connect (Ctl *ctl)
{
  int r;

  if (ctl->host)
    {
      /* sd_bus_open_user_machine wants machined; the bridge needs nothing but ssh and systemd at the other end. */
      char *escaped = escape_address (ctl->host), *address = NULL;

      if (asprintf (&address, "unixexec:path=ssh,argv1=-xT,argv2=--,argv3=%s,argv4=systemd-stdio-bridge,argv5=--user", escaped) < 0)
        abort ();
      free (escaped);
      r = sd_bus_new (&ctl->bus);
      if (r >= 0)
        r = sd_bus_set_address (ctl->bus, address);
      if (r >= 0)
        r = sd_bus_set_bus_client (ctl->bus, 1);
      if (r >= 0)
        r = sd_bus_start (ctl->bus);
      free (address);
    }
  else
    r = sd_bus_open_user (&ctl->bus);
  if (r < 0)
    {
      ctl_error ("cannot reach the %s bus%s%s: %s", ctl->host ? "user's" : "session", ctl->host ? " of " : "",
                 ctl->host ? ctl->host : "", strerror (-r));
      return CTL_EXIT_OTHER;
    }
  sd_bus_set_method_call_timeout (ctl->bus, ctl->timeout_us);
  return CTL_EXIT_OK;
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
  int exit_status = r < 0 ? ctl_report (&error, r) : CTL_EXIT_OK;

  sd_bus_message_unref (message);
  sd_bus_error_free (&error);
  if (ret_reply && r >= 0)
    *ret_reply = reply;
  else
    sd_bus_message_unref (reply);
  return exit_status;
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

CtlValue *
ctl_flatten (const char *path, const CtlValue *interfaces)
{
  CtlValue *flat = ctl_value_new_dict ();
  const char *last = strrchr (path, '/') + 1;
  unsigned long number;

  if (strstr (path, "/call/") && ctl_parse_number (last, 0, UINT32_MAX, &number))
    ctl_value_set (flat, "number", ctl_value_new_uint (number));
  ctl_value_set (flat, "object", ctl_value_new_string (path));
  for (size_t i = 0; interfaces && i < interfaces->n; i++)
    if (strncmp (interfaces->keys[i], "org.phoned.", 11) == 0)
      ctl_value_merge (flat, interfaces->items[i]);
  return flat;
}

int
ctl_get_list (Ctl *ctl, const char *parent, CtlValue **ret_list)
{
  CtlValue *objects = NULL;
  size_t length = strlen (parent);
  int status = ctl_get_objects (ctl, &objects);

  if (status != CTL_EXIT_OK)
    return status;
  *ret_list = ctl_value_new_array ();
  for (size_t i = 0; i < objects->n; i++)
    if (strncmp (objects->keys[i], parent, length) == 0 && objects->keys[i][length] == '/')
      ctl_value_append (*ret_list, ctl_flatten (objects->keys[i], objects->items[i]));
  ctl_value_free (objects);
  return CTL_EXIT_OK;
}
