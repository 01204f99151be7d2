/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-export.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "media/ogg-wav.h"
#include "media/wav-ogg.h"
#include "util/log.h"

#define MAX_EXPORTS 8
#define READER_SECONDS 120

typedef struct
{
  int from, to;
  PhoneRecordingFormat format;
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

/* Until the pipe ends; -1: it is broken. */
static gssize
read_pipe (int fd, guint8 *octets, gsize most)
{
  gssize n;

  while ((n = read (fd, octets, most)) < 0 && errno == EINTR)
    ;
  return n;
}

typedef gboolean (*Add) (gpointer converter, const guint8 *octets, gsize length, GError **error);

/* first: what was read already. */
static gboolean
pass_on (Export *export, Add add, gpointer converter, const guint8 *first, gsize n_first, GError **error)
{
  guint8 octets[4096];
  gboolean fine = add (converter, first, n_first, error);
  gssize n;

  while (fine && (n = read_pipe (export->from, octets, sizeof octets)) > 0)
    fine = add (converter, octets, (gsize) n, error);
  explicit_bzero (octets, sizeof octets);
  return fine;
}

static gboolean
add_as_it_is (gpointer export, const guint8 *octets, gsize length, GError **error)
{
  return write_pipe (export, octets, length, error);
}

static gboolean
add_to_wav (gpointer wav, const guint8 *octets, gsize length, GError **error)
{
  return media_ogg_wav_add (wav, octets, length, error);
}

static gboolean
add_to_ogg (gpointer ogg, const guint8 *octets, gsize length, GError **error)
{
  return media_wav_ogg_add (ogg, octets, length, error);
}

static gboolean
convert (Export *export, GError **error)
{
  g_autoptr (MediaOggWav) wav = media_ogg_wav_new (write_pipe, export);
  g_autoptr (MediaWavOgg) ogg = media_wav_ogg_new (write_pipe, export);
  guint8 first[4];
  gsize n = 0;
  gboolean is_wav;

  for (gssize got; n < sizeof first && (got = read_pipe (export->from, first + n, sizeof first - n)) > 0;)
    n += (gsize) got;
  is_wav = n == sizeof first && memcmp (first, "RIFF", 4) == 0;
  if (is_wav == (export->format == PHONE_RECORDING_FORMAT_WAV))
    return pass_on (export, add_as_it_is, export, first, n, error);
  if (!is_wav)
    return pass_on (export, add_to_wav, wav, first, n, error);
  return pass_on (export, add_to_ogg, ogg, first, n, error) && media_wav_ogg_finish (ogg, error);
}

static gpointer
run (gpointer data)
{
  Export *export = data;
  g_autoptr (GError) error = NULL;
  sigset_t set;

  /* A client that hangs up early is no reason to die. */
  sigemptyset (&set);
  sigaddset (&set, SIGPIPE);
  pthread_sigmask (SIG_BLOCK, &set, NULL);
  if (!convert (export, &error))
    phone_log_info (NULL, "The export of a recording ends early: %s", error->message);
  close (export->from);
  close (export->to);
  g_free (export);
  g_atomic_int_add (&exports, -1);
  return NULL;
}

static int
fail (int sound, GError *reason, GError **error)
{
  g_atomic_int_add (&exports, -1);
  close (sound);
  g_propagate_error (error, reason);
  return -1;
}

int
media_export (int sound, PhoneRecordingFormat format, GError **error)
{
  Export *export;
  int ends[2];

  if (g_atomic_int_add (&exports, 1) >= MAX_EXPORTS)
    return fail (sound, g_error_new (PHONE_ERROR, PHONE_ERROR_TOO_MANY, "%d recordings are being exported already", MAX_EXPORTS), error);
  if (pipe2 (ends, O_CLOEXEC) < 0)
    return fail (sound, g_error_new (PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "No pipe for a recording: %s", g_strerror (errno)), error);
  g_unix_set_fd_nonblocking (ends[1], TRUE, NULL);
  export = g_new (Export, 1);
  *export = (Export){ .from = sound, .to = ends[1], .format = format };
  g_thread_unref (g_thread_new ("export", run, export));
  return ends[0];
}
