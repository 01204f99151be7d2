/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-export.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "media/ogg-wav.h"
#include "util/log.h"

#define MAX_EXPORTS 8
#define READER_SECONDS 120

typedef struct
{
  int from, to;
} Export;

static int exports;

static gboolean
write_pipe (gpointer data, gconstpointer octets, gsize length, GError **error)
{
  struct pollfd poller = { .fd = ((Export *) data)->to, .events = POLLOUT };
  const guint8 *at = octets;

  while (length > 0)
    {
      gssize n = write (poller.fd, at, length);

      if (n > 0)
        {
          at += n;
          length -= (gsize) n;
          continue;
        }
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN && (poll (&poller, 1, READER_SECONDS * 1000) > 0 || errno == EINTR))
        continue;
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "nobody reads");
      return FALSE;
    }
  return TRUE;
}

static gpointer
run (gpointer data)
{
  Export *export = data;
  g_autoptr (MediaOggWav) wav = media_ogg_wav_new (write_pipe, export);
  g_autoptr (GError) error = NULL;
  guint8 octets[4096];
  sigset_t set;
  gssize n;

  /* A client that hangs up early is no reason to die. */
  sigemptyset (&set);
  sigaddset (&set, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  while ((n = read (export->from, octets, sizeof octets)) > 0 || (n < 0 && errno == EINTR))
    if (n > 0 && !media_ogg_wav_add (wav, octets, (gsize) n, &error))
      break;
  if (error)
    phone_log_info (NULL, "The export of a recording ends early: %s", error->message);
  explicit_bzero (octets, sizeof octets);
  close (export->from);
  close (export->to);
  g_free (export);
  g_atomic_int_add (&exports, -1);
  return NULL;
}

static int
fail (int ogg, GError *reason, GError **error)
{
  g_atomic_int_add (&exports, -1);
  close (ogg);
  g_propagate_error (error, reason);
  return -1;
}

int
media_export_wav (int ogg, GError **error)
{
  Export *export;
  int ends[2];

  if (g_atomic_int_add (&exports, 1) >= MAX_EXPORTS)
    return fail (ogg, g_error_new (PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d recordings are being exported already", MAX_EXPORTS), error);
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return fail (ogg, g_error_new (PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No pipe for a recording: %s", g_strerror (errno)), error);
  g_unix_set_fd_nonblocking (ends[1], TRUE, NULL);
  export = g_new (Export, 1);
  *export = (Export){ .from = ogg, .to = ends[1] };
  g_thread_unref (g_thread_new ("export", run, export));
  return ends[0];
}
