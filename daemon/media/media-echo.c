/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A Kalman filter in the frequency domain over partitioned blocks: Enzner, Vary, "Frequency-domain adaptive Kalman filter for acoustic
 * echo control in hands-free telephones" (2006); Kuech, Mabande, Enzner, "State-space architecture of the partitioned-block-based acoustic
 * echo controller" (2014). The state is the response from loudspeaker to microphone, BLOCKS pieces of one frame. For every coefficient it
 * keeps how unsure it is of it, and so finds its step size in every bin by itself: large at the start and where the far end is loud, next
 * to nothing where the near end speaks. No detector of double talk is needed, and the doubt that remains tells the filter behind us
 * (media-voice) how much echo to expect in what we give out.
 *
 *   D = sum |X_p|^2 P_p + 2 S             X_p: spectra of what was played, S: power of all that is no echo
 *   W_p += constrained (P_p X_p* / D  E)   E: spectrum of the error, zeros before it
 *   P_p = A^2 (1 - |X_p|^2 P_p / 2 D) P_p + (1 - A^2) |W_p|^2      the room changes: doubt grows with what there is to change
 *
 * Loudspeaker and microphone come from the same tick, so nothing has to be searched: the delay is the buffers of both devices, which the
 * first blocks cover. Where media_drift cuts or repeats pieces of the microphone's signal to follow its crystal, media_echo_shift() moves
 * the reference by as much, to the sample, and nothing has to be learnt anew. */

#include "media/media-echo.h"

#include <gst/fft/gstfftf32.h>
#include <math.h>
#include <string.h>

#define N MEDIA_FRAME
#define BINS MEDIA_ECHO_BINS
#define ROW 484                 /* BINS, rounded up for vectors */
#define BLOCKS 30               /* 300 ms: some 100 of buffers, the rest of room */
#define CONSTRAINED 3           /* blocks whose circular part is removed in each tick, in turn */
#define SHIFT_ROOM 4            /* blocks that the reference may be moved */
#define FAR_LENGTH ((BLOCKS + SHIFT_ROOM + 2) * N)
#define FIRST_DOUBT 0.02f       /* |W|^2 of a block to begin with */
#define MEMORY 0.998f          /* A */
#define NEAR_MEMORY 0.7f
#define QUIET 4.0               /* mean square of a loudspeaker frame that is no sound, of 2^30 */

struct _MediaEcho
{
  GstFFTF32 *forward, *inverse;
  float far[FAR_LENGTH];        /* played so far, the newest last */
  guint lag;                    /* samples by which the reference is late on purpose */
  float near[N];                /* of the tick before */
  float x_re[BLOCKS][ROW], x_im[BLOCKS][ROW];   /* a ring, the newest at head */
  float w_re[BLOCKS][ROW], w_im[BLOCKS][ROW];   /* block 0 is the earliest echo */
  float doubt[BLOCKS][ROW];
  float other[ROW];             /* S */
  guint head, turn;
  guint quiet;                  /* ticks since something was played */
  double power_in, power_out;   /* smoothed, while something is played */
  gboolean hold;                /* a joint in the microphone's signal: nothing to be learnt from */
};

MediaEcho *
media_echo_new (void)
{
  MediaEcho *echo = g_new0 (MediaEcho, 1);

  echo->forward = gst_fft_f32_new (2 * N, FALSE);
  echo->inverse = gst_fft_f32_new (2 * N, TRUE);
  media_echo_reset (echo);
  return echo;
}

void
media_echo_free (MediaEcho *echo)
{
  if (echo == NULL)
    return;
  gst_fft_f32_free (echo->forward);
  gst_fft_f32_free (echo->inverse);
  g_free (echo);
}

static void
forget_room (MediaEcho *echo)
{
  memset (echo->w_re, 0, sizeof echo->w_re);
  memset (echo->w_im, 0, sizeof echo->w_im);
  for (guint p = 0; p < BLOCKS; p++)
    for (guint k = 0; k < BINS; k++)
      echo->doubt[p][k] = FIRST_DOUBT;
  echo->power_in = echo->power_out = 0;
}

void
media_echo_reset (MediaEcho *echo)
{
  memset (echo->far, 0, sizeof echo->far);
  memset (echo->x_re, 0, sizeof echo->x_re);
  memset (echo->x_im, 0, sizeof echo->x_im);
  memset (echo->other, 0, sizeof echo->other);
  echo->lag = N;
  echo->quiet = G_MAXUINT / 2;
  forget_room (echo);
}

/* ---- spectra ---- */

static void
transform (MediaEcho *echo, const float *samples, float *ret_re, float *ret_im)
{
  GstFFTF32Complex spectrum[BINS];

  gst_fft_f32_fft (echo->forward, samples, spectrum);
  for (guint k = 0; k < BINS; k++)
    {
      ret_re[k] = spectrum[k].r;
      ret_im[k] = spectrum[k].i;
    }
}

static void
transform_back (MediaEcho *echo, const float *re, const float *im, float *ret_samples)
{
  GstFFTF32Complex spectrum[BINS];

  for (guint k = 0; k < BINS; k++)
    spectrum[k] = (GstFFTF32Complex) { re[k] / (2 * N), im[k] / (2 * N) };
  gst_fft_f32_inverse_fft (echo->inverse, spectrum, ret_samples);
}

/* Of the reference, p blocks ago. */
static void
transform_far (MediaEcho *echo, guint p)
{
  guint row = (echo->head + p) % BLOCKS;

  transform (echo, echo->far + FAR_LENGTH - echo->lag - (p + 2) * N, echo->x_re[row], echo->x_im[row]);
}

/* ---- the delay moved ---- */

/* The response, a block earlier or later in the rows. */
static void
move_rows (MediaEcho *echo, gboolean earlier)
{
  float (*tables[]) [ROW] = { echo->w_re, echo->w_im, echo->doubt };

  for (guint t = 0; t < G_N_ELEMENTS (tables); t++)
    if (earlier)
      memmove (tables[t][0], tables[t][1], (BLOCKS - 1) * sizeof *tables[t]);
    else
      memmove (tables[t][1], tables[t][0], (BLOCKS - 1) * sizeof *tables[t]);
  for (guint k = 0; k < ROW; k++)
    {
      guint p = earlier ? BLOCKS - 1 : 0;
      echo->w_re[p][k] = echo->w_im[p][k] = 0;
      echo->doubt[p][k] = earlier ? echo->doubt[BLOCKS - 2][k] : FIRST_DOUBT / 100;
    }
}

void
media_echo_shift (MediaEcho *echo, gint samples)
{
  gint lag = (gint) echo->lag - samples;

  if (samples == 0)
    return;
  if (ABS (samples) > N * SHIFT_ROOM / 2)
    {
      forget_room (echo);
      return;
    }
  for (; lag < 0; lag += N)
    move_rows (echo, TRUE);
  for (; lag > SHIFT_ROOM * N; lag -= N)
    move_rows (echo, FALSE);
  echo->lag = (guint) lag;
  for (guint p = 0; p < BLOCKS; p++)
    transform_far (echo, p);
  echo->hold = TRUE;
}

/* ---- a tick ---- */

static void
predict (MediaEcho *echo, float *ret_echo)
{
  float re[ROW] = { 0 }, im[ROW] = { 0 }, samples[2 * N];

  for (guint p = 0; p < BLOCKS; p++)
    {
      guint row = (echo->head + p) % BLOCKS;
      const float *x_re = echo->x_re[row], *x_im = echo->x_im[row], *w_re = echo->w_re[p], *w_im = echo->w_im[p];

      for (guint k = 0; k < BINS; k++)
        {
          re[k] += x_re[k] * w_re[k] - x_im[k] * w_im[k];
          im[k] += x_re[k] * w_im[k] + x_im[k] * w_re[k];
        }
    }
  transform_back (echo, re, im, samples);
  memcpy (ret_echo, samples + N, N * sizeof *ret_echo);
}

/* The power of the echo that the filter may have missed, twice what one frame of it has. */
static void
sum_doubt (MediaEcho *echo, float *ret_sum)
{
  memset (ret_sum, 0, ROW * sizeof *ret_sum);
  for (guint p = 0; p < BLOCKS; p++)
    {
      guint row = (echo->head + p) % BLOCKS;
      const float *x_re = echo->x_re[row], *x_im = echo->x_im[row], *doubt = echo->doubt[p];

      for (guint k = 0; k < BINS; k++)
        ret_sum[k] += (x_re[k] * x_re[k] + x_im[k] * x_im[k]) * doubt[k];
    }
}

static void
learn (MediaEcho *echo, const float *error, const float *sum)
{
  float samples[2 * N] = { 0 }, e_re[ROW], e_im[ROW], inverse[ROW];

  memcpy (samples + N, error, N * sizeof *error);
  transform (echo, samples, e_re, e_im);
  for (guint k = 0; k < BINS; k++)
    {
      float power = e_re[k] * e_re[k] + e_im[k] * e_im[k];

      echo->other[k] = NEAR_MEMORY * echo->other[k] + (1 - NEAR_MEMORY) * power;
      inverse[k] = 1 / (sum[k] + 2 * echo->other[k] + 1e-3f);
    }
  for (guint p = 0; p < BLOCKS; p++)
    {
      guint row = (echo->head + p) % BLOCKS;
      const float *x_re = echo->x_re[row], *x_im = echo->x_im[row];
      float *w_re = echo->w_re[p], *w_im = echo->w_im[p], *doubt = echo->doubt[p];

      for (guint k = 0; k < BINS; k++)
        {
          float gain = doubt[k] * inverse[k], x2 = x_re[k] * x_re[k] + x_im[k] * x_im[k];

          w_re[k] += gain * (x_re[k] * e_re[k] + x_im[k] * e_im[k]);
          w_im[k] += gain * (x_re[k] * e_im[k] - x_im[k] * e_re[k]);
          doubt[k] = MEMORY * MEMORY * (1 - 0.5f * gain * x2) * doubt[k]
                     + (1 - MEMORY * MEMORY) * (w_re[k] * w_re[k] + w_im[k] * w_im[k]) + 1e-9f;
        }
    }
}

/* A block's response has N samples; what the products of spectra put behind them is an error of the method. */
static void
constrain (MediaEcho *echo)
{
  float samples[2 * N];

  for (guint i = 0; i < CONSTRAINED; i++)
    {
      guint p = echo->turn++ % BLOCKS;

      transform_back (echo, echo->w_re[p], echo->w_im[p], samples);
      memset (samples + N, 0, N * sizeof *samples);
      transform (echo, samples, echo->w_re[p], echo->w_im[p]);
    }
}

static double
power (const float *samples)
{
  double sum = 0;

  for (guint i = 0; i < N; i++)
    sum += (double) samples[i] * samples[i];
  return sum / N;
}

/* A filter that adds more than it takes has lost its way (the loudspeaker was moved); a new start is quicker than the way back. */
static gboolean
is_lost (MediaEcho *echo, double in, double out)
{
  echo->power_in += 0.05 * (in - echo->power_in);
  echo->power_out += 0.05 * (out - echo->power_out);
  return echo->power_out > 2 * echo->power_in && echo->power_out > 100;
}

void
media_echo_process (MediaEcho *echo, const gint16 *far, const gint16 *near, MediaEchoFrame *ret_frame)
{
  float sum[ROW];

  memmove (echo->far, echo->far + N, (FAR_LENGTH - N) * sizeof *echo->far);
  for (guint i = 0; i < N; i++)
    {
      echo->far[FAR_LENGTH - N + i] = far[i];
      ret_frame->out[i] = near[i];
    }
  echo->quiet = power (echo->far + FAR_LENGTH - N) > QUIET ? 0 : echo->quiet + 1;
  echo->head = (echo->head + BLOCKS - 1) % BLOCKS;
  transform_far (echo, 0);

  ret_frame->active = echo->quiet < BLOCKS + SHIFT_ROOM;
  memset (ret_frame->echo, 0, sizeof ret_frame->echo);
  memset (ret_frame->doubt, 0, sizeof ret_frame->doubt);
  if (!ret_frame->active)
    {
      echo->hold = FALSE;
      return;
    }

  predict (echo, ret_frame->echo);
  for (guint i = 0; i < N; i++)
    ret_frame->out[i] -= ret_frame->echo[i];
  sum_doubt (echo, sum);
  for (guint k = 0; k < BINS; k++)
    ret_frame->doubt[k] = 0.5f * sum[k];
  if (!echo->hold)
    {
      learn (echo, ret_frame->out, sum);
      constrain (echo);
    }
  echo->hold = FALSE;

  double in = 0;
  for (guint i = 0; i < N; i++)
    in += (double) near[i] * near[i] / N;
  if (is_lost (echo, in, power (ret_frame->out)))
    forget_room (echo);
  if (power (ret_frame->out) > 2 * in)
    for (guint i = 0; i < N; i++)
      ret_frame->out[i] = near[i];
}
