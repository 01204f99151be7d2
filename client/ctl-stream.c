/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The sound of a call for scripts: play files into it, or its PCM on standard input and output. */

#include "ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- play ---- */

char *
ctl_sound_path (const Ctl *ctl, const char *file)
{
  char *path = file[0] == '/' || strncmp (file, "file:", 5) == 0 || ctl->host ? strdup (file) : realpath (file, NULL);

  if (!path)
    ctl_error ("%s: %s", file, strerror (errno));
  return path;
}

static int
run_play (Ctl *ctl, const CtlArgs *args)
{
  bool numbered = args->n_words > 2;
  const char *file = args->words[args->n_words - 1];
  char *path = ctl_sound_path (ctl, file);
  CtlValue *call = NULL;
  sd_bus_message *message;
  int r, status;

  if (!path)
    return CTL_EXIT_MEDIA;
  status = ctl_choose_call (ctl, numbered ? args->words[1] : NULL, "play", &call);
  if (status == CTL_EXIT_OK)
    {
      message = ctl_new_call (ctl, ctl_value_string (call, "object"), PHONE_DBUS_MEDIA, "Play");
      r = sd_bus_message_append (message, "s", path);
      if (r >= 0)
        r = ctl_args_flag (args, "queue") ? sd_bus_message_append (message, "a{sv}", 1, "queue", "b", 1)
                                          : sd_bus_message_append (message, "a{sv}", 0);
      if (r < 0)
        {
          sd_bus_message_unref (message);
          ctl_error ("play: the name of the file is not text");
          status = CTL_EXIT_USAGE;
        }
      else
        status = ctl_send (ctl, message, NULL);
    }
  ctl_value_free (call);
  free (path);
  return status;
}

static int
run_stop_playing (Ctl *ctl, const CtlArgs *args)
{
  CtlValue *call = NULL;
  int status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, "play", &call);

  if (status == CTL_EXIT_OK)
    status = ctl_call_method (ctl, ctl_value_string (call, "object"), PHONE_DBUS_MEDIA, "StopPlaying", NULL, NULL);
  ctl_value_free (call);
  return status;
}

/* ---- stream ---- */

/* Copies what is there now; 1: the end of it, 0: more to come, -1: errno. */
static int
pump (int from, int to)
{
  char buffer[4096];
  ssize_t n = read (from, buffer, sizeof buffer);

  if (n < 0)
    return errno == EINTR || errno == EAGAIN ? 0 : -1;
  for (ssize_t done = 0; done < n;)
    {
      ssize_t put = write (to, buffer + done, (size_t) (n - done));
      if (put < 0 && errno != EINTR)
        return -1;
      done += put > 0 ? put : 0;
    }
  return n == 0;
}

/* Until the call is over, or the one direction that was asked for has ended. What comes from the call must be read even while writing to it
 * waits, so the two directions are two processes. */
static int
run_pumps (int fd, bool listens, bool speaks)
{
  pid_t child = listens && speaks ? fork () : 0;
  int r = 0;

  if (child < 0)
    return -1;
  if (speaks && (child > 0 || !listens))
    {
      while ((r = pump (STDIN_FILENO, fd)) == 0)
        ;
      shutdown (fd, SHUT_WR);
      if (child > 0)
        waitid (P_PID, (id_t) child, &(siginfo_t){ 0 }, WEXITED);
      return r < 0 && errno != EPIPE ? -1 : 0;
    }
  while ((r = pump (fd, STDOUT_FILENO)) == 0)
    ;
  if (listens && speaks)
    _exit (0);
  return r < 0 && errno != EPIPE ? -1 : 0;
}

static int
open_stream (Ctl *ctl, const CtlArgs *args, const char *object, const char *direction, int *ret_fd)
{
  const char *rate_word = ctl_args_value (args, "rate");
  unsigned long rate = 48000;
  sd_bus_message *message, *reply = NULL;
  int fd = -1, status;

  if (rate_word && !ctl_parse_number (rate_word, 8000, 48000, &rate))
    {
      ctl_error ("--rate wants 8000, 16000 or 48000, not '%s'", rate_word);
      return CTL_EXIT_USAGE;
    }
  message = ctl_new_call (ctl, object, PHONE_DBUS_MEDIA, "OpenStream");
  if (sd_bus_message_append (message, "a{sv}", 4, "direction", "s", direction, "rate", "u", (uint32_t) rate, "channels", "u",
                             (uint32_t) (ctl_args_flag (args, "stereo") ? 2 : 1), "live", "b", (int) ctl_args_flag (args, "live")) < 0)
    abort ();
  status = ctl_send (ctl, message, &reply);
  if (status == CTL_EXIT_OK && (sd_bus_message_read (reply, "h", &fd) < 0 || (*ret_fd = fcntl (fd, F_DUPFD_CLOEXEC, 3)) < 0))
    {
      ctl_error ("phoned's socket cannot be used");
      status = CTL_EXIT_OTHER;
    }
  sd_bus_message_unref (reply);
  return status;
}

static int
run_stream (Ctl *ctl, const CtlArgs *args)
{
  bool listens = !ctl_args_flag (args, "speak"), speaks = !ctl_args_flag (args, "listen");
  CtlValue *call = NULL;
  int fd = -1, status;

  if (ctl->host || (!listens && !speaks))
    {
      ctl_error (ctl->host ? "sound does not travel over ssh this way; run phonectl stream on %s" : "stream: --listen or --speak, not both%s",
                 ctl->host ? ctl->host : "");
      return CTL_EXIT_USAGE;
    }
  status = ctl_choose_call (ctl, args->n_words > 1 ? args->words[1] : NULL, "play", &call);
  if (status == CTL_EXIT_OK)
    status = open_stream (ctl, args, ctl_value_string (call, "object"), !speaks ? "listen" : !listens ? "speak" : "both", &fd);
  ctl_value_free (call);
  if (status != CTL_EXIT_OK)
    return status;
  signal (SIGPIPE, SIG_IGN);
  fflush (stdout);
  if (run_pumps (fd, listens, speaks) < 0)
    {
      ctl_error ("the stream: %s", strerror (errno));
      status = CTL_EXIT_OTHER;
    }
  close (fd);
  return status;
}

static const CtlOption play_options[] = {
  { "queue", 'q', NULL, "after what plays already" },
  { 0 },
};
static const CtlOption stream_options[] = {
  { "listen", 0, NULL, "only from the call to standard output" },
  { "speak", 0, NULL, "only from standard input to the call" },
  { "rate", 0, "HZ", "48000 (default), 16000 or 8000" },
  { "stereo", 0, NULL, "standard output gets two channels, we left, they right" },
  { "live", 0, NULL, "standard input has a clock of its own (a sound card)" },
  { 0 },
};

const CtlVerb ctl_stream_verbs[] = {
  { "play", "[N] FILE", "play a WAV file into a call", play_options, run_play, "play" },
  { "stop-playing", "[N]", "end what plays, and what waits to", NULL, run_stop_playing, "play" },
  { "stream", "[N]", "the PCM of a call on standard input and output", stream_options, run_stream, "play" },
  { 0 },
};
