/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What OpenStream adds to the delay of a call: real ticks of 10 ms on one thread, a client that echoes on another. A click that the peer says is timed
 * from the tick in which it would have been heard to the client's read; what the client writes, from its write to the tick in which it is sent. Where
 * the click stands in its frame counts, so that the delay of the conversion of rates is in the figures. One line of JSON for each case. */

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "media/media-stream.h"

#define TICK_US 10000
#define PERIOD 25               /* ticks between two clicks */
#define CENTRE (MEDIA_FRAME / 2)
#define LOUD 4000               /* nothing else is */
#define WARM_UP 100             /* ticks: the buffer of a live client finds its length */
#define MAX_CLICKS 4096

typedef struct
{
  double at[MAX_CLICKS];        /* us: when the click's middle passed, on the clock of what is measured */
  guint n;
} Times;

typedef struct
{
  int fd;
  guint rate;
  guint wait;                   /* us, from a frame that was read to the same frame being written: the client's own beat */
  Times heard, written;
} Client;

static double
now_us (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (double) now.tv_sec * 1e6 + (double) now.tv_nsec * 1e-3;
}

/* Where in the frame its loudest sample stands, in us; negative: nothing in it is loud. */
static double
find_click (const gint16 *frame, guint n, guint rate)
{
  guint loudest = 0;

  for (guint i = 1; i < n; i++)
    if (abs (frame[i]) > abs (frame[loudest]))
      loudest = i;
  return abs (frame[loudest]) < LOUD ? -1 : loudest * 1e6 / rate;
}

static void
note (Times *times, double at)
{
  /* The resampler's tail, in the next frame, is the same click. */
  if (times->n > 0 && at - times->at[times->n - 1] < 2 * TICK_US)
    return;
  if (times->n < MAX_CLICKS)
    times->at[times->n++] = at;
}

static void *
echo (void *data)
{
  Client *client = data;
  gint16 frame[MEDIA_FRAME];
  guint n = client->rate / 100;

  while (recv (client->fd, frame, n * sizeof *frame, MSG_WAITALL) == (ssize_t) (n * sizeof *frame))
    {
      double click = find_click (frame, n, client->rate), at = now_us ();

      if (click >= 0)
        note (&client->heard, at + click);
      if (client->wait)
        usleep (client->wait);
      if (click >= 0)
        note (&client->written, now_us () + click);
      if (send (client->fd, frame, n * sizeof *frame, MSG_NOSIGNAL) < 0)
        break;
    }
  return NULL;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

/* Pairs every end with the last begin before it; prints median and 99th percentile in ms. */
static void
print_delays (const char *name, const Times *begins, const Times *ends)
{
  double delays[MAX_CLICKS];
  guint n = 0, at = 0;

  for (guint i = 0; i < ends->n; i++)
    {
      while (at + 1 < begins->n && begins->at[at + 1] <= ends->at[i])
        at++;
      if (begins->n > 0 && begins->at[at] <= ends->at[i])
        delays[n++] = (ends->at[i] - begins->at[at]) / 1000;
    }
  qsort (delays, n, sizeof *delays, compare);
  printf (", \"%s\": {\"median\": %.2f, \"p99\": %.2f, \"n\": %u}", name, n ? delays[n / 2] : NAN, n ? delays[n * 99 / 100] : NAN, n);
}

static void
run (guint rate, gboolean live, guint wait, guint seconds)
{
  PhoneStreamParams params = { TRUE, TRUE, rate, 1, live };
  g_autoptr (GError) error = NULL;
  MediaTaps *taps = media_taps_new ();
  g_autofree Client *client = g_new0 (Client, 1);
  g_autofree Times *said = g_new0 (Times, 1), *sent = g_new0 (Times, 1);
  MediaStream *stream;
  pthread_t thread;
  struct timespec next;

  client->rate = rate;
  client->wait = wait;
  stream = media_stream_new (taps, &params, NULL, NULL, &client->fd, &error);
  if (!stream || pthread_create (&thread, NULL, echo, client) != 0)
    abort ();
  clock_gettime (CLOCK_MONOTONIC, &next);
  for (guint tick = 0; tick < WARM_UP + seconds * 100; tick++)
    {
      gint16 far[MEDIA_FRAME] = { 0 }, microphone[MEDIA_FRAME] = { 0 };
      const gint16 *out;
      double begin, click;

      for (guint i = 0; tick >= WARM_UP && tick % PERIOD == 0 && i < MEDIA_FRAME; i++)
        far[i] = (gint16) (20000 * exp (-pow ((double) i - CENTRE, 2) / (2 * 24 * 24)));
      begin = now_us ();
      if (far[CENTRE] > LOUD)
        note (said, begin + CENTRE * 1e6 / MEDIA_RATE);
      media_taps_far (taps, far);
      out = media_taps_near (taps, microphone, (gint64) begin);
      click = find_click (out, MEDIA_FRAME, MEDIA_RATE);
      if (click >= 0)
        note (sent, begin + click);
      next.tv_nsec += TICK_US * 1000;
      if (next.tv_nsec >= 1000000000)
        {
          next.tv_nsec -= 1000000000;
          next.tv_sec++;
        }
      while (clock_nanosleep (CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL) != 0)
        ;
    }
  shutdown (client->fd, SHUT_RDWR);
  pthread_join (thread, NULL);
  printf ("{\"rate\": %u, \"live\": %s, \"wait\": %u", rate, live ? "true" : "false", wait);
  print_delays ("listening", said, &client->heard);
  print_delays ("speaking", &client->written, sent);
  printf ("}\n");
  media_stream_free (stream);
  close (client->fd);
  media_taps_free (taps);
}

int
main (int argc, char **argv)
{
  static const guint rates[] = { 8000, 16000, MEDIA_RATE };
  guint seconds = argc > 1 ? (guint) atoi (argv[1]) : 10;

  for (guint i = 0; i < G_N_ELEMENTS (rates); i++)
    for (guint live = 0; live < 2; live++)
      run (rates[i], live, 0, seconds);
  /* A client that writes in the middle between two ticks: just too late for the buffer to be without a frame more. */
  run (rates[0], TRUE, TICK_US / 2, seconds);
  return 0;
}
