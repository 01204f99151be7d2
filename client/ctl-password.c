/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A password's way from a person to the daemon: never on a command line, in the environment, or in a D-Bus message. The daemon gets a
 * sealed file in memory; where descriptors cannot travel, over ssh, the phonectl of that host gets it on its standard input. */

#include "ctl-password.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

void
ctl_password_clear (CtlPassword *password)
{
  explicit_bzero (password, sizeof *password);
}

/* ---- reading ---- */

/* 1: a complete line or the end, 0: more to come, or a negative errno. */
static int
read_some (CtlPassword *password)
{
  ssize_t n = read (STDIN_FILENO, password->text + password->length, sizeof password->text - password->length);
  char *newline;

  if (n < 0)
    return errno == EINTR || errno == EAGAIN ? 0 : -errno;
  if (n == 0)
    return 1;
  newline = memchr (password->text + password->length, '\n', (size_t) n);
  password->length = newline ? (size_t) (newline - password->text) : password->length + (size_t) n;
  if (password->length == sizeof password->text)
    return -E2BIG;
  return newline != NULL;
}

/* A signal must not leave a terminal without echo: it is looked at between two reads. */
static int
read_line (CtlPassword *password, int signals)
{
  int r = 0;

  while (r == 0)
    {
      struct pollfd fds[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = signals, .events = POLLIN } };

      if (poll (fds, 2, -1) < 0 && errno != EINTR)
        return -errno;
      if (fds[1].revents)
        return -EINTR;
      if (fds[0].revents)
        r = read_some (password);
    }
  return r;
}

int
ctl_password_read (CtlPassword *password)
{
  struct termios saved, silent;
  bool terminal = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &saved) == 0;
  sigset_t mask, before;
  int signals, r;

  sigemptyset (&mask);
  sigaddset (&mask, SIGINT);
  sigaddset (&mask, SIGTERM);
  sigaddset (&mask, SIGHUP);
  sigaddset (&mask, SIGQUIT);
  sigaddset (&mask, SIGTSTP);
  sigprocmask (SIG_BLOCK, &mask, &before);
  signals = signalfd (-1, &mask, SFD_CLOEXEC);
  if (terminal)
    {
      silent = saved;
      silent.c_lflag &= ~(tcflag_t) ECHO;
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &silent);
      fputs ("Password: ", stderr);
    }
  r = signals < 0 ? -errno : read_line (password, signals);
  if (terminal)
    {
      tcsetattr (STDIN_FILENO, TCSAFLUSH, &saved);
      fputc ('\n', stderr);
    }
  if (signals >= 0)
    close (signals);
  /* A signal that came is still due, and ends us as it would have. */
  sigprocmask (SIG_SETMASK, &before, NULL);
  if (r == -E2BIG)
    ctl_error ("the password is longer than %zu octets", sizeof password->text - 1);
  else if (r < 0)
    ctl_error ("the password cannot be read: %s", strerror (-r));
  else if (password->length == 0)
    ctl_error ("no password on standard input");
  else
    return CTL_EXIT_OK;
  return r == -EINTR ? CTL_EXIT_OTHER : CTL_EXIT_USAGE;
}

/* ---- sending ---- */

int
ctl_password_hand_over (Ctl *ctl, const char *path, const char *interface, const char *member, const CtlPassword *password)
{
  int fd = memfd_create ("password", MFD_CLOEXEC | MFD_ALLOW_SEALING), status;

  if (fd < 0 || write (fd, password->text, password->length) != (ssize_t) password->length || lseek (fd, 0, SEEK_SET) < 0
      || fcntl (fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
    {
      ctl_error ("a file in memory: %s", strerror (errno));
      status = CTL_EXIT_OTHER;
    }
  else
    status = ctl_call_method (ctl, path, interface, member, NULL, "h", fd);
  if (fd >= 0)
    close (fd);
  return status;
}

/* The line goes through a shell there, so the id may hold nothing that a shell knows. */
static int
send_by_ssh (Ctl *ctl, const char *id, bool turn, const CtlPassword *password)
{
  const char *const words[] = { "phonectl", "account", "passwd", id, turn ? "--turn" : NULL, NULL };
  int fd, status = 0, pid;

  if (!*id || strspn (id, "abcdefghijklmnopqrstuvwxyz0123456789-") != strlen (id) || *id == '-')
    {
      ctl_error ("'%s' is not the id of an account", id);
      return CTL_EXIT_USAGE;
    }
  pid = ctl_spawn_ssh (ctl, words, false, &fd);
  if (pid < 0)
    {
      ctl_error ("ssh: %s", strerror (-pid));
      return CTL_EXIT_OTHER;
    }
  send (fd, password->text, password->length, MSG_NOSIGNAL);
  close (fd);
  while (waitpid (pid, &status, 0) < 0 && errno == EINTR)
    ;
  if (WIFEXITED (status) && WEXITSTATUS (status) <= CTL_EXIT_AUTH)
    return WEXITSTATUS (status);
  ctl_error ("the password could not be handed over: that needs phonectl on %s", ctl->host);
  return CTL_EXIT_OTHER;
}

int
ctl_password_send (Ctl *ctl, const char *account_path, bool turn, const CtlPassword *password)
{
  char *id;
  int status;

  if (!ctl->host)
    return ctl_password_hand_over (ctl, account_path, PHONE_DBUS_ACCOUNT, turn ? "SetTurnSecret" : "SetSecret", password);
  id = ctl_account_id (account_path);
  status = send_by_ssh (ctl, id, turn, password);
  free (id);
  return status;
}
