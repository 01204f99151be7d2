/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* record: of a call that goes on. recording: what was recorded. */

#include "ctl.h"
#include "ctl-password.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAV_HEADER 44                   /* octets */
#define PAGE 100                        /* entries asked for at a time */

/* ---- record ---- */

static bool
is_number (const char *word)
{
  return *word && strspn (word, "0123456789") == strlen (word);
}

int
ctl_start_recording (Ctl *ctl, const char *object)
{
  sd_bus_message *reply = NULL;
  CtlValue *id = NULL;
  int status = ctl_call_method (ctl, object, PHONE_DBUS_RECORDING, "Start", &reply, "a{sv}", 0);

  if (status == CTL_EXIT_OK && ctl_value_read (reply, &id) >= 0)
    {
      if (ctl->json)
        {
          CtlValue *dict = ctl_value_new_dict ();
          ctl_value_set (dict, "id", id);
          ctl_print_json (dict);
          ctl_value_free (dict);
        }
      else
        {
          ctl_print (ctl, CTL_PLAIN, "%s", id->s);
          ctl_value_free (id);
        }
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
run_record (Ctl *ctl, const CtlArgs *args)
{
  const char *number = NULL, *what = "start";
  CtlValue *call = NULL;
  int status;

  for (size_t i = 1; i < args->n_words; i++)
    if (i == 1 && is_number (args->words[i]))
      number = args->words[i];
    else
      what = args->words[i];
  if (strcmp (what, "start") != 0 && strcmp (what, "pause") != 0 && strcmp (what, "stop") != 0)
    {
      ctl_error ("record: start, pause or stop, not '%s'", what);
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, number, strcmp (what, "start") == 0 ? "record" : NULL, &call);
  if (status != CTL_EXIT_OK)
    return status;
  if (strcmp (what, "start") == 0)
    status = ctl_start_recording (ctl, ctl_value_string (call, "object"));
  else
    status = ctl_call_method (ctl, ctl_value_string (call, "object"), PHONE_DBUS_RECORDING, strcmp (what, "pause") == 0 ? "Pause" : "Stop",
                              NULL, NULL);
  ctl_value_free (call);
  return status;
}

/* ---- the list ---- */

static int
get_page (Ctl *ctl, const CtlArgs *args, const char *kind, uint32_t offset, CtlValue **ret_page)
{
  const char *account = ctl_args_value (args, "account");
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "List"), *reply = NULL;
  int r = sd_bus_message_open_container (message, 'a', "{sv}"), status;

  if (r >= 0 && kind)
    r = sd_bus_message_append (message, "{sv}", "kind", "s", kind);
  if (r >= 0 && account)
    r = sd_bus_message_append (message, "{sv}", "account", "s", account);
  if (r >= 0)
    r = sd_bus_message_close_container (message);
  if (r >= 0)
    r = sd_bus_message_append (message, "uu", offset, (uint32_t) PAGE);
  if (r < 0)
    abort ();
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK && ctl_value_read (reply, ret_page) < 0)
    {
      ctl_error ("phoned's list cannot be read");
      status = CTL_EXIT_OTHER;
    }
  sd_bus_message_unref (reply);
  return status;
}

char *
ctl_recording_length (uint64_t ms)
{
  return ms ? ctl_format ("%" PRIu64 ":%02u", ms / 60000, (unsigned) (ms / 1000 % 60)) : ctl_format ("%s", "");
}

char *
ctl_recording_party (const CtlValue *recording)
{
  const char *name = ctl_value_string (recording, "remote-name"), *uri = ctl_value_string (recording, "remote-uri");

  return *uri ? ctl_name_text (ctl_value_string (recording, "contact-name"), name, uri) : ctl_format ("%s", name);
}

static void
add_recording (CtlTable *table, const CtlValue *recording)
{
  time_t start = (time_t) ctl_value_uint (recording, "start");
  const char *state = ctl_value_string (recording, "state");
  char when[32] = "", *length = ctl_recording_length (ctl_value_uint (recording, "ms")), *party = ctl_recording_party (recording);
  struct tm local;

  if (localtime_r (&start, &local))
    strftime (when, sizeof when, "%Y-%m-%d %H:%M", &local);
  ctl_table_add (table, CTL_BOLD, "%s", ctl_value_string (recording, "id"));
  ctl_table_add (table, CTL_PLAIN, "%s", when);
  ctl_table_add (table, CTL_PLAIN, "%s", length);
  ctl_table_add (table, strcmp (state, "whole") == 0 ? CTL_GOOD : CTL_WARN, "%s", state);
  ctl_table_add (table, CTL_DIM, "%s", strcmp (ctl_value_string (recording, "kind"), "voicemail") == 0 ? "voicemail"
                                       : strcmp (ctl_value_string (recording, "kind"), "conference") == 0 ? "with"
                                       : strcmp (ctl_value_string (recording, "direction"), "outgoing") == 0 ? "to" : "from");
  ctl_table_add (table, CTL_PLAIN, "%s", party);
  free (party);
  free (length);
}

int
ctl_get_recordings (Ctl *ctl, const CtlArgs *args, const char *kind, CtlValue **ret_all)
{
  CtlValue *all = ctl_value_new_array ();
  int status = CTL_EXIT_OK;
  bool more = true;

  for (uint32_t offset = 0; more && status == CTL_EXIT_OK; offset += PAGE)
    {
      CtlValue *page = NULL;

      status = get_page (ctl, args, kind, offset, &page);
      if (status != CTL_EXIT_OK)
        break;
      for (size_t i = 0; i < page->n; i++)
        ctl_value_append (all, ctl_value_copy (page->items[i]));
      more = page->n == PAGE;
      ctl_value_free (page);
    }
  *ret_all = all;
  return status;
}

static int
run_list (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *all = NULL;
  int status = ctl_get_recordings (ctl, args, ctl_args_value (args, "kind"), &all);

  if (status == CTL_EXIT_OK && ctl->json)
    ctl_print_json (all);
  else if (status == CTL_EXIT_OK && all->n == 0)
    ctl_print (ctl, CTL_DIM, "no recordings");
  else if (status == CTL_EXIT_OK)
    {
      CtlTable *table = ctl_table_new (ctl, 6);

      for (size_t i = 0; i < all->n; i++)
        add_recording (table, all->items[i]);
      ctl_table_print (table);
    }
  ctl_value_free (all);
  return status;
}

/* ---- the sound ---- */

/* *ret_fd: the reading end of a pipe. format: NULL: as it was recorded. */
static int
open_sound (Ctl *ctl, const char *id, const char *format, int *ret_fd)
{
  sd_bus_message *reply = NULL;
  int fd = -1, status;

  if (ctl->host)
    {
      ctl_error ("sound does not travel over ssh this way; run phonectl recording export %s - on %s", id, ctl->host);
      return CTL_EXIT_USAGE;
    }
  if (format)
    status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Export", &reply, "sa{sv}", id, 1, "format", "s", format);
  else
    status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Open", &reply, "s", id);
  if (status == CTL_EXIT_OK && (sd_bus_message_read (reply, "h", &fd) < 0 || (*ret_fd = fcntl (fd, F_DUPFD_CLOEXEC, 3)) < 0))
    {
      ctl_error ("phoned's pipe cannot be used");
      status = CTL_EXIT_OTHER;
    }
  sd_bus_message_unref (reply);
  return status;
}

static bool
copy (int from, int to)
{
  char buffer[16384];
  ssize_t n;

  while ((n = read (from, buffer, sizeof buffer)) != 0)
    {
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return false;
      for (ssize_t done = 0; done < n;)
        {
          ssize_t put = write (to, buffer + done, (size_t) (n - done));
          if (put < 0 && errno != EINTR)
            return false;
          done += put > 0 ? put : 0;
        }
    }
  return true;
}

/* What came out of the pipe says nothing about how it ended; this does, and on stderr. */
static int
check_whole (Ctl *ctl, const char *id, bool print)
{
  sd_bus_message *reply = NULL;
  CtlValue *result = NULL;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Verify", &reply, "s", id);

  if (status != CTL_EXIT_OK || ctl_value_read (reply, &result) < 0)
    {
      sd_bus_message_unref (reply);
      return status == CTL_EXIT_OK ? CTL_EXIT_OTHER : status;
    }
  if (strcmp (ctl_value_string (result, "state"), "whole") != 0)
    {
      status = CTL_EXIT_OTHER;
      if (!print)
        ctl_error ("the recording is %s; its good part ends here", ctl_value_string (result, "state"));
    }
  if (print && ctl->json)
    ctl_print_json (result);
  else if (print)
    ctl_print (ctl, status == CTL_EXIT_OK ? CTL_GOOD : CTL_BAD, "%s, %" PRIu64 " octets are good", ctl_value_string (result, "state"),
               ctl_value_uint (result, "octets"));
  ctl_value_free (result);
  sd_bus_message_unref (reply);
  return status;
}

static int
run_verify (Ctl *ctl, const CtlArgs *args)
{
  return check_whole (ctl, args->words[1], true);
}

static void
put_size (unsigned char at[4], uint64_t size)
{
  for (size_t i = 0; i < 4; i++)
    at[i] = (unsigned char) ((size < UINT32_MAX ? size : UINT32_MAX) >> 8 * i & 0xff);
}

/* The sizes of RIFF and of its samples, which were not known at the beginning. What is no WAV file stays as it is. */
static bool
finish (int fd)
{
  off_t end = lseek (fd, 0, SEEK_CUR);
  unsigned char riff[4], samples[4];

  if (end < WAV_HEADER)
    return end >= 0;
  if (pread (fd, riff, 4, 0) != 4)
    return false;
  if (memcmp (riff, "RIFF", 4) != 0)
    return true;
  put_size (riff, (uint64_t) end - 8);
  put_size (samples, (uint64_t) end - WAV_HEADER);
  return pwrite (fd, riff, 4, 4) == 4 && pwrite (fd, samples, 4, WAV_HEADER - 4) == 4;
}

/* What --format says, or else the name of the file. NULL: neither. */
static const char *
format_wanted (const CtlArgs *args, const char *path)
{
  static const struct { const char *end, *format; } names[] = { { ".wav", "wav" }, { ".ogg", "ogg" }, { ".opus", "ogg" } };
  const char *format = ctl_args_value (args, "format"), *end = strrchr (path, '.');

  for (size_t i = 0; !format && end && i < sizeof names / sizeof names[0]; i++)
    if (strcasecmp (end, names[i].end) == 0)
      format = names[i].format;
  return format;
}

int
ctl_recording_export (Ctl *ctl, const CtlArgs *args)
{
  const char *path = args->words[2];
  const char *format = format_wanted (args, path);
  bool to_stdout = strcmp (path, "-") == 0;
  int from = -1, to = STDOUT_FILENO, status;

  if (format && strcmp (format, "wav") != 0 && strcmp (format, "ogg") != 0)
    {
      ctl_error ("--format is ogg or wav, not '%s'", format);
      return CTL_EXIT_USAGE;
    }
  status = open_sound (ctl, args->words[1], format, &from);
  if (status != CTL_EXIT_OK)
    return status;
  if (!to_stdout)
    to = open (path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (to < 0 || !copy (from, to) || (!to_stdout && (!finish (to) || fsync (to) < 0)))
    {
      ctl_error ("%s: %s", path, strerror (errno));
      status = CTL_EXIT_OTHER;
    }
  close (from);
  /* Nothing of it is good: no empty file, which would be in the way of the next attempt. */
  if (!to_stdout && to >= 0 && lseek (to, 0, SEEK_END) == 0)
    unlink (path);
  if (!to_stdout && to >= 0)
    close (to);
  return status == CTL_EXIT_OK ? check_whole (ctl, args->words[1], false) : status;
}

/* Whatever plays Ogg from its standard input; the first that is there. */
static void
exec_player (int fd)
{
  static const char *const players[][8] = {
    { "mpv", "--no-video", "--really-quiet", "-", NULL },
    { "ffplay", "-nodisp", "-autoexit", "-loglevel", "error", "-", NULL },
    { "gst-launch-1.0", "-q", "fdsrc", "!", "decodebin", "!", "autoaudiosink", NULL },
  };

  dup2 (fd, STDIN_FILENO);
  for (size_t i = 0; i < sizeof players / sizeof players[0]; i++)
    execvp (players[i][0], (char *const *) players[i]);
  _exit (127);
}

int
ctl_recording_play (Ctl *ctl, const char *id)
{
  int fd = -1, result = 0, status = open_sound (ctl, id, NULL, &fd);
  pid_t child;

  if (status != CTL_EXIT_OK)
    return status;
  child = fork ();
  if (child == 0)
    exec_player (fd);
  close (fd);
  while (child > 0 && waitpid (child, &result, 0) < 0 && errno == EINTR)
    ;
  if (child < 0 || !WIFEXITED (result) || WEXITSTATUS (result) != 0)
    {
      if (child > 0 && WIFEXITED (result) && WEXITSTATUS (result) == 127)
        ctl_error ("nothing that plays sound is here: mpv, ffplay or gst-launch-1.0; or export it");
      else
        ctl_error ("it could not be played");
      return CTL_EXIT_OTHER;
    }
  status = check_whole (ctl, id, false);
  ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "SetHeard", NULL, "sb", id, 1);
  return status;
}

static int
run_play (Ctl *ctl, const CtlArgs *args)
{
  return ctl_recording_play (ctl, args->words[1]);
}

/* ---- deleting, and the key ---- */

int
ctl_recording_delete (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *message = ctl_new_call (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Delete");
  int r = sd_bus_message_open_container (message, 'a', "s");

  for (size_t i = 1; r >= 0 && i < args->n_words; i++)
    r = sd_bus_message_append (message, "s", args->words[i]);
  if (r < 0 || sd_bus_message_close_container (message) < 0)
    {
      sd_bus_message_unref (message);
      ctl_error ("delete: not text");
      return CTL_EXIT_USAGE;
    }
  return ctl_send (ctl, message, NULL);
}

static int
run_key (Ctl *ctl, const CtlArgs *args)
{
  sd_bus_message *reply = NULL;
  CtlValue *state = NULL;
  int status = ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "GetKeyState", &reply, NULL);

  if (status == CTL_EXIT_OK && ctl_value_read (reply, &state) >= 0)
    {
      if (ctl->json)
        ctl_print_json (state);
      else
        ctl_print (ctl, strcmp (state->s, "ready") == 0 ? CTL_GOOD : CTL_WARN, "%s", state->s);
      ctl_value_free (state);
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
run_unlock (Ctl *ctl, const CtlArgs *args)
{
  CtlPassword pass_phrase = CTL_PASSWORD_NONE;
  int status;

  if (ctl->host)
    {
      ctl_error ("a pass phrase does not travel over ssh this way; run phonectl recording unlock on %s", ctl->host);
      return CTL_EXIT_USAGE;
    }
  status = ctl_password_read (&pass_phrase);
  if (status == CTL_EXIT_OK)
    status = ctl_password_hand_over (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Unlock", &pass_phrase);
  ctl_password_clear (&pass_phrase);
  return status;
}

static int
run_lock (Ctl *ctl, const CtlArgs *args)
{
  return ctl_call_method (ctl, PHONE_DBUS_PATH, PHONE_DBUS_RECORDINGS, "Lock", NULL, NULL);
}

static const CtlOption list_options[] = {
  { "kind", 0, "KIND", "only call, conference or voicemail" },
  { "account", 0, "ID", "only those of an account" },
  { 0 },
};

const CtlOption ctl_recording_export_options[] = {
  { "format", 0, "FORMAT", "ogg (Opus in Ogg) or wav; otherwise as the file is named, or as it was recorded" },
  { 0 },
};

static const CtlVerb actions[] = {
  { "list", "", "all of them, the newest first", list_options, run_list },
  { "play", "RECORDING", "play one, with the first player that is installed", NULL, run_play },
  { "export", "RECORDING FILE", "decrypt into a new file; - is standard output", ctl_recording_export_options, ctl_recording_export },
  { "verify", "RECORDING", "check every octet", NULL, run_verify },
  { "delete", "RECORDING...", "delete them", NULL, ctl_recording_delete },
  { "key", "", "state of the key: none, ready, locked or absent", NULL, run_key },
  { "unlock", "", "read the key's pass phrase from standard input; the first one makes a key without a keyring", NULL, run_unlock },
  { "lock", "", "forget a key that a pass phrase opened", NULL, run_lock },
  { 0 },
};

const CtlVerb ctl_recording_verbs[] = {
  { "record", "[N] [WHAT]", "record a call: start (also goes on), pause or stop", NULL, run_record },
  { "recording", "[ACTION ...]", "what was recorded", .actions = actions },
  { 0 },
};
