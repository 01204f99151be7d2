/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A password on its way in: read from the client's descriptor whenever there is something, to its end, then
 * handed to the account. Nothing blocks and nothing waits for ever: a deadline, a size limit, and only
 * descriptors whose read can be told not to block. A pipe is opened anew through /proc, because O_NONBLOCK
 * belongs to the open file that the client still shares; sockets have MSG_DONTWAIT; a memfd is memory, read
 * from its start. A file on a disk or a network could stall the loop and is refused. The buffer is wiped. */

#include "bus/bus-private.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_S 5
#define MAX_SECRET 4096

struct _BusSecret
{
  BusAccount *account;
  BusRequest *request;
  BusSecretTake take;
  int fd;
  mode_t type;                          /* S_IFIFO, S_IFSOCK, S_IFREG */
  guint readable_id, deadline_id;
  gsize length;
  char buffer[MAX_SECRET + 1];          /* one more than allowed shows that it is too long */
};

static void
secret_free (BusSecret *secret)
{
  secret->account->secret = NULL;
  g_clear_handle_id (&secret->readable_id, g_source_remove);
  g_clear_handle_id (&secret->deadline_id, g_source_remove);
  close (secret->fd);
  explicit_bzero (secret->buffer, sizeof secret->buffer);
  g_free (secret);
}

/* Ends the reading: error NULL means that the password was taken. */
static void
finish (BusSecret *secret, const GError *error)
{
  BusRequest *request = secret->request;

  secret_free (secret);
  bus_request_finish (request, error);
}

void
bus_secret_cancel (BusSecret *secret, const GError *error)
{
  if (secret)
    finish (secret, error);
}

static gboolean
on_deadline (gpointer data)
{
  BusSecret *secret = data;
  g_autoptr (GError) error = g_error_new (PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                                          "The password did not come to its end within %d s", DEADLINE_S);

  secret->deadline_id = 0;
  finish (secret, error);
  return G_SOURCE_REMOVE;
}

static PhoneSecret *
make_secret (BusSecret *secret, GError **error)
{
  if (secret->length > MAX_SECRET)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The password is longer than %d octets",
                 MAX_SECRET);
  else if (secret->length > 0 && secret->buffer[secret->length - 1] == '\n' && --secret->length == 0)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The password is empty");
  else if (secret->length == 0)
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The password is empty");
  else if (memchr (secret->buffer, '\0', secret->length))
    g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The password contains a NUL");
  else
    return phone_secret_new (secret->buffer, (gssize) secret->length);
  return NULL;
}

static void
complete (BusSecret *secret)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PhoneSecret) password = make_secret (secret, &error);

  if (password)
    secret->take (secret->account->account, password, &error);
  finish (secret, error);
}

static gssize
read_chunk (BusSecret *secret, char *at, gsize space)
{
  if (secret->type == S_IFSOCK)
    return recv (secret->fd, at, space, MSG_DONTWAIT);
  if (secret->type == S_IFREG)
    return pread (secret->fd, at, space, (off_t) secret->length);
  return read (secret->fd, at, space);
}

/* Returns FALSE when the secret is gone. */
static gboolean
read_some (BusSecret *secret)
{
  gsize space = sizeof secret->buffer - secret->length;
  gssize n = read_chunk (secret, secret->buffer + secret->length, space);

  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return TRUE;
  if (n < 0)
    {
      g_autoptr (GError) error = g_error_new (PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                                              "Cannot read the password: %s", g_strerror (errno));

      finish (secret, error);
      return FALSE;
    }
  secret->length += (gsize) n;
  if (n > 0 && secret->length < sizeof secret->buffer)
    return TRUE;
  complete (secret);
  return FALSE;
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  BusSecret *secret = data;

  if (read_some (secret))
    return G_SOURCE_CONTINUE;
  return G_SOURCE_REMOVE;
}

/* A pipe made by another user cannot be opened anew; then the flag that the client shares must do. */
static int
open_pipe (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);
  int own = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

  if (own >= 0)
    return own;
  own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  if (own >= 0)
    fcntl (own, F_SETFL, fcntl (own, F_GETFL) | O_NONBLOCK);
  return own;
}

/* A descriptor of our own that never blocks, or -1. */
static int
open_nonblocking (int fd, mode_t *ret_type, GError **error)
{
  struct stat st = { 0 };
  int own = -1;

  if (fstat (fd, &st) == 0)
    *ret_type = st.st_mode & S_IFMT;
  if (S_ISFIFO (st.st_mode))
    own = open_pipe (fd);
  else if (S_ISSOCK (st.st_mode) || (S_ISREG (st.st_mode) && fcntl (fd, F_GET_SEALS) >= 0))
    own = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  else
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                           "The password must come through a pipe, a socket or a memfd");
      return -1;
    }
  if (own < 0)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Cannot read the descriptor: %s",
                 g_strerror (errno));
  return own;
}

gboolean
bus_secret_start (BusAccount *account, int fd, BusSecretTake take, BusRequest *request, GError **error)
{
  BusSecret *secret;
  mode_t type = 0;
  int own;

  if (account->secret)
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS,
                           "A password for this account is being read already");
      return FALSE;
    }
  own = open_nonblocking (fd, &type, error);
  if (own < 0)
    return FALSE;
  secret = g_new0 (BusSecret, 1);
  secret->account = account;
  secret->request = request;
  secret->take = take;
  secret->fd = own;
  secret->type = type;
  secret->readable_id = g_unix_fd_add (own, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, secret);
  secret->deadline_id = g_timeout_add_seconds (DEADLINE_S, on_deadline, secret);
  account->secret = secret;
  return TRUE;
}
