/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client's stream, and prompts, tick by tick, as the hub would. */

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <gst/gst.h>
#include <math.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "media/media-player.h"
#include "media/media-stream.h"
#include "media/media-wav.h"
#include "pcm-signal.h"

static const PhoneStreamParams both = { TRUE, TRUE, MEDIA_RATE, 1, FALSE };

typedef struct
{
  MediaTaps *taps;
  MediaStream *stream;
  int fd;
  gint gone;
} Fixture;

static void
on_gone (gpointer data)
{
  g_atomic_int_inc (&((Fixture *) data)->gone);
}

static void
open_stream (Fixture *f, const PhoneStreamParams *params)
{
  g_autoptr (GError) error = NULL;

  *f = (Fixture) { .taps = media_taps_new (), .fd = -1 };
  f->stream = media_stream_new (f->taps, params, on_gone, f, &f->fd, &error);
  g_assert_no_error (error);
}

static void
close_stream (Fixture *f)
{
  media_stream_free (f->stream);
  if (f->fd >= 0)
    close (f->fd);
  media_taps_free (f->taps);
}

/* What is sent for a microphone that says 5. */
static gint16
tick (Fixture *f, const gint16 *far)
{
  gint16 microphone[MEDIA_FRAME];

  for (guint i = 0; i < MEDIA_FRAME; i++)
    microphone[i] = 5;
  media_taps_far (f->taps, far);
  return media_taps_near (f->taps, microphone, 0)[MEDIA_FRAME / 2];
}

static void
fill (gint16 *frame, gint16 value)
{
  for (guint i = 0; i < MEDIA_FRAME; i++)
    frame[i] = value;
}

/* What is written in one tick is said in the next, and what is said is heard at once: an echo costs one tick, 10 ms. */
static void
test_echo_delay (void)
{
  Fixture f;
  gint16 far[MEDIA_FRAME], heard[MEDIA_FRAME];

  open_stream (&f, &both);
  g_assert_cmpint (tick (&f, NULL), ==, 0);             /* the client says nothing: silence, and not the microphone */
  g_assert_cmpint (recv (f.fd, heard, sizeof heard, MSG_WAITALL), ==, sizeof heard);
  for (gint16 i = 1; i < 100; i++)
    {
      fill (far, i);
      g_assert_cmpint (tick (&f, far), ==, i - 1);
      g_assert_cmpint (recv (f.fd, heard, sizeof heard, MSG_WAITALL), ==, sizeof heard);
      g_assert_cmpint (heard[0], ==, i);
      g_assert_cmpint (send (f.fd, heard, sizeof heard, MSG_NOSIGNAL), ==, sizeof heard);
    }
  close_stream (&f);
}

/* A client that does not read loses whole frames, and costs nothing else. */
static void
test_slow_reader (void)
{
  Fixture f;
  gint16 far[MEDIA_FRAME], heard[MEDIA_FRAME], last = 0;
  guint n = 0;

  open_stream (&f, &both);
  for (gint16 i = 1; i <= 1000; i++)
    {
      fill (far, i);
      tick (&f, far);
    }
  fcntl (f.fd, F_SETFL, O_NONBLOCK);
  while (recv (f.fd, heard, sizeof heard, 0) == sizeof heard)
    {
      g_assert_cmpint (heard[0], ==, heard[MEDIA_FRAME - 1]);
      g_assert_cmpint (heard[0], >, last);
      last = heard[0];
      n++;
    }
  g_assert_cmpuint (n, >=, 2);
  g_assert_cmpuint (n, <, 60);
  /* And goes on with what is new. */
  fill (far, 2000);
  tick (&f, far);
  tick (&f, far);
  last = 0;
  while (recv (f.fd, heard, sizeof heard, 0) == sizeof heard)
    last = heard[0];
  g_assert_cmpint (last, ==, 2000);
  close_stream (&f);
}

/* Whoever writes a file at once is held back, and every sample of it is said. */
static void
test_back_pressure (void)
{
  Fixture f;
  gint16 frame[MEDIA_FRAME];
  gint16 next = 1, said = 0;
  gsize at = 0;

  open_stream (&f, &both);
  fcntl (f.fd, F_SETFL, O_NONBLOCK);
  for (guint ticks = 0; said < 300 && ticks < 2000; ticks++)
    {
      gint16 now;

      for (; next <= 300; next++, at = 0)
        {
          fill (frame, next);
          gssize n = send (f.fd, (char *) frame + at, sizeof frame - at, MSG_NOSIGNAL);
          if (n < 0)
            {
              g_assert_cmpint (errno, ==, EAGAIN);
              break;
            }
          at += (gsize) n;
          if (at < sizeof frame)
            break;
        }
      if (ticks == 0)
        g_assert_cmpint (next, <, 100);
      now = tick (&f, NULL);
      if (now != 0)
        g_assert_cmpint (now, ==, ++said);
    }
  g_assert_cmpint (said, ==, 300);
  /* After the last word the microphone is heard again. */
  shutdown (f.fd, SHUT_WR);
  tick (&f, NULL);
  g_assert_cmpint (tick (&f, NULL), ==, 5);
  g_assert_cmpint (f.gone, ==, 0);
  close_stream (&f);
}

/* 16 kHz each way: a tone comes through at its frequency. */
static void
test_rate (void)
{
  static gint16 heard[16000];
  PhoneStreamParams params = { TRUE, TRUE, 16000, 1, FALSE };
  Fixture f;
  guint phase = 0, n = 0, crossings = 0;

  open_stream (&f, &params);
  for (guint i = 0; i < 100; i++)
    {
      gint16 far[MEDIA_FRAME];

      signal_tone (far, MEDIA_FRAME, 1000, 10000, &phase);
      tick (&f, far);
      g_assert_cmpint (recv (f.fd, heard + n, 320, MSG_WAITALL), ==, 320);
      n += 160;
    }
  for (guint i = 1601; i < n; i++)
    crossings += heard[i - 1] < 0 && heard[i] >= 0;
  g_assert_cmpuint (crossings, >=, 898);
  g_assert_cmpuint (crossings, <=, 902);
  close_stream (&f);
}

static void
test_stereo (void)
{
  PhoneStreamParams params = { TRUE, FALSE, MEDIA_RATE, 2, FALSE };
  Fixture f;
  gint16 far[MEDIA_FRAME], heard[2 * MEDIA_FRAME];

  open_stream (&f, &params);
  fill (far, 77);
  g_assert_cmpint (tick (&f, far), ==, 5);              /* it only listens: the microphone is heard */
  g_assert_cmpint (recv (f.fd, heard, sizeof heard, MSG_WAITALL), ==, sizeof heard);
  g_assert_cmpint (heard[0], ==, 5);
  g_assert_cmpint (heard[1], ==, 77);
  close_stream (&f);
}

/* ---- a client with a clock of its own ---- */

#define PATIENCE (30 * G_USEC_PER_SEC)

static const PhoneStreamParams live = { FALSE, TRUE, MEDIA_RATE, 1, TRUE }, speaking = { FALSE, TRUE, MEDIA_RATE, 1, FALSE };

/* Frames that were said in the tick after they were written, of those of a tenth of a second by the clock of the machine. */
static guint
count_prompt (void)
{
  Fixture f;
  gint16 frame[MEDIA_FRAME];
  guint prompt = 0;
  gint64 due = g_get_monotonic_time ();

  open_stream (&f, &live);
  for (gint16 i = 1; i <= 10; i++)
    {
      fill (frame, (gint16) (1000 * i));
      g_assert_cmpint (send (f.fd, frame, sizeof frame, MSG_NOSIGNAL), ==, sizeof frame);
      due += 10 * G_TIME_SPAN_MILLISECOND;
      g_usleep ((gulong) MAX (due - g_get_monotonic_time (), 0));
      prompt += tick (&f, NULL) == 1000 * i;
    }
  close_stream (&f);
  return prompt;
}

/* What comes a tick before it is due is not held for another one. A machine that stands still for a while is late; not every time. */
static void
test_live_prompt (void)
{
  gint64 end = g_get_monotonic_time () + PATIENCE;

  while (count_prompt () < 8)
    g_assert_cmpint (g_get_monotonic_time (), <, end);
}

/* Whoever writes faster is held back, and can be left at any time. Nothing is said of half a sample. That no more is taken can only be waited
 * for; a machine that is slower than that only proves less. */
static void
test_live_held_back (void)
{
  Fixture f;
  gint16 frame[MEDIA_FRAME], said;
  gint64 end = g_get_monotonic_time () + PATIENCE;
  guint taken = 0;
  struct pollfd writable;

  open_stream (&f, &live);
  fill (frame, 0x3535);                                 /* both octets are the same: at odd offsets it is the same, too */
  fcntl (f.fd, F_SETFL, O_NONBLOCK);
  writable = (struct pollfd){ .fd = f.fd, .events = POLLOUT };
  do
    {
      gssize n = send (f.fd, frame, sizeof frame - 1, MSG_NOSIGNAL);

      taken += n > 0 ? (guint) n : 0;
      g_assert_cmpuint (taken, <, MEDIA_RATE * sizeof frame[0]);        /* a second */
    }
  while (poll (&writable, 1, 100) == 1);
  while ((said = tick (&f, NULL)) == 0)
    g_assert_cmpint (g_get_monotonic_time (), <, end);
  g_assert_cmpint (said, ==, 0x3535);
  g_assert_cmpint (f.gone, ==, 0);
  close_stream (&f);
}

/* Until it has said all; then the microphone is heard. */
static void
test_live_said_all (void)
{
  Fixture f;
  gint16 frame[MEDIA_FRAME], said = 0;
  PhoneStreamParams params = live;
  gint64 end = g_get_monotonic_time () + PATIENCE;

  params.listens = TRUE;
  open_stream (&f, &params);
  fill (frame, 3000);
  for (guint i = 0; i < 3; i++)
    g_assert_cmpint (send (f.fd, frame, sizeof frame, MSG_NOSIGNAL), ==, sizeof frame);
  shutdown (f.fd, SHUT_WR);
  while (said != 3000 && g_get_monotonic_time () < end)
    said = tick (&f, NULL);
  g_assert_cmpint (said, ==, 3000);
  while (said != 5 && g_get_monotonic_time () < end)
    said = tick (&f, NULL);
  g_assert_cmpint (said, ==, 5);
  g_assert_cmpint (f.gone, ==, 0);
  close_stream (&f);
}

/* What was written before the client closed is said to the last sample, however far ahead it was: more than a live stream takes out of the socket at
 * once. The last frame is no whole one. */
static void
test_farewell (gconstpointer data)
{
  const PhoneStreamParams *params = data;
  guint frame_length = MEDIA_FRAME / (MEDIA_RATE / params->rate), frames = params->live ? 40 : 8;
  Fixture f;
  gint16 frame[MEDIA_FRAME], expected = 1;
  gint64 end = g_get_monotonic_time () + PATIENCE;

  open_stream (&f, params);
  for (guint i = 1; i <= frames; i++)
    {
      gsize length = (i == frames ? frame_length * 3 / 4 : frame_length) * sizeof frame[0];

      fill (frame, (gint16) (800 * i));
      g_assert_cmpint (send (f.fd, frame, length, MSG_NOSIGNAL), ==, length);
    }
  close (f.fd);
  f.fd = -1;
  while (f.gone == 0)
    {
      gint16 said = tick (&f, NULL);

      g_assert_cmpint (g_get_monotonic_time (), <, end);
      if (f.gone > 0)
        g_assert_cmpint (said, ==, 5);
      else if (said != 0 && said != 5)
        g_assert_cmpint (said, ==, 800 * expected++);
    }
  g_assert_cmpint (expected, ==, frames + 1);
  g_assert_true (media_stream_is_gone (f.stream));
  g_assert_cmpint (tick (&f, NULL), ==, 5);
  close_stream (&f);
}

static void
test_gone (void)
{
  Fixture f;

  open_stream (&f, &both);
  tick (&f, NULL);
  close (f.fd);
  f.fd = -1;
  tick (&f, NULL);
  tick (&f, NULL);
  g_assert_cmpint (f.gone, ==, 1);
  g_assert_true (media_stream_is_gone (f.stream));
  g_assert_cmpint (tick (&f, NULL), ==, 5);
  close_stream (&f);
}

static void
test_wrong (void)
{
  static const PhoneStreamParams wrong[] = {
    { TRUE, TRUE, 44100, 1, FALSE }, { TRUE, TRUE, 48000, 3, FALSE }, { TRUE, TRUE, 48000, 0, FALSE }, { FALSE, FALSE, 48000, 1, FALSE },
  };
  MediaTaps *taps = media_taps_new ();

  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      int fd = -1;

      g_assert_null (media_stream_new (taps, &wrong[i], NULL, NULL, &fd, &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_cmpint (fd, ==, -1);
    }
  media_taps_free (taps);
}

/* ---- prompts ---- */

static char *
write_wav (const char *folder, const char *name, guint frames, gint16 value)
{
  char *path = g_build_filename (folder, name, NULL);
  guint samples = frames * MEDIA_FRAME;
  g_autofree guint8 *octets = g_malloc (MEDIA_WAV_HEADER + samples * 2);

  media_wav_header (octets, 1, samples);
  for (guint i = 0; i < samples; i++)
    {
      octets[MEDIA_WAV_HEADER + 2 * i] = (guint8) (value & 0xff);
      octets[MEDIA_WAV_HEADER + 2 * i + 1] = (guint8) (value >> 8);
    }
  g_assert_true (g_file_set_contents (path, (const char *) octets, (gssize) (MEDIA_WAV_HEADER + samples * 2), NULL));
  return path;
}

static void
on_ended (gpointer data)
{
  g_atomic_int_inc ((gint *) data);
}

/* Two files are said whole, once and in order, then the microphone; a disk that is late is silence in between. */
static void
test_prompts (void)
{
  g_autofree char *folder = g_dir_make_tmp ("player-XXXXXX", NULL);
  g_autofree char *one = write_wav (folder, "one.wav", 30, 1111), *two = write_wav (folder, "two.wav", 250, 2222);
  g_autoptr (GError) error = NULL;
  Fixture f = { .taps = media_taps_new () };
  guint ones = 0, twos = 0;
  gint ended = 0;

  MediaPlayer *player = media_player_new (f.taps, on_ended, &ended);
  g_assert_true (media_player_add (player, one, &error));
  g_assert_true (media_player_add (player, two, &error));
  for (guint i = 0; i < 100000 && ended < 2; i++)
    {
      gint16 said = tick (&f, NULL);

      ones += said == 1111;
      twos += said == 2222;
      if (said == 1111)
        g_assert_cmpuint (twos, ==, 0);
      if (said == 0)
        g_usleep (100);                 /* the reader's thread is let run; nothing is measured */
    }
  g_assert_cmpuint (ones, ==, 30);
  g_assert_cmpuint (twos, ==, 250);
  g_assert_cmpint (tick (&f, NULL), ==, 5);
  g_autofree char *first = media_player_take_ended (player), *second = media_player_take_ended (player);
  g_assert_cmpstr (first, ==, one);
  g_assert_cmpstr (second, ==, two);
  g_assert_null (media_player_take_ended (player));
  g_assert_false (media_player_add (player, folder, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);

  g_assert_true (media_player_add (player, one, NULL));
  media_player_clear (player);
  g_assert_cmpint (tick (&f, NULL), ==, 5);
  media_player_free (player);
  media_taps_free (f.taps);
  g_remove (one);
  g_remove (two);
  g_rmdir (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  gst_init (NULL, NULL);
  g_test_add_func ("/stream/echo-delay", test_echo_delay);
  g_test_add_func ("/stream/slow-reader", test_slow_reader);
  g_test_add_func ("/stream/back-pressure", test_back_pressure);
  g_test_add_func ("/stream/rate", test_rate);
  g_test_add_func ("/stream/stereo", test_stereo);
  g_test_add_func ("/stream/live/prompt", test_live_prompt);
  g_test_add_func ("/stream/live/held-back", test_live_held_back);
  g_test_add_func ("/stream/live/said-all", test_live_said_all);
  g_test_add_data_func ("/stream/live/farewell", &live, test_farewell);
  g_test_add_data_func ("/stream/farewell", &speaking, test_farewell);
  g_test_add_data_func ("/stream/both/farewell", &both, test_farewell);
  g_test_add_func ("/stream/gone", test_gone);
  g_test_add_func ("/stream/wrong", test_wrong);
  g_test_add_func ("/stream/prompts", test_prompts);
  return g_test_run ();
}
