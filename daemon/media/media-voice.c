/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   far ----> media-echo --echo--> leak --+
 *                |  \----doubt------------+--> power of the echo left --+
 *   near --------+--out--> analysis ------+--> power of the noise ------+--> gain for each bin --> synthesis --> gain control
 *
 * Analysis and synthesis are frames of 20 ms under the root of a Hann window, half overlapping, which is where the delay comes from. The
 * rule for the gain is the Wiener filter with the decision-directed estimate of the signal to noise ratio (Ephraim, Malah 1984); noise is
 * followed by minima (Cohen, Berdugo 2002, without the refinements). How much echo the linear filter left is taken from what it knows of
 * its own doubt and, for what it can never model (a loudspeaker that rattles, a room longer than the filter), from how much the powers of
 * the echo taken away and of the rest go up and down together (Valin 2007): voices of two people do not.
 *
 * Where echo is taken down below the room's own noise, noise of the same colour takes its place, so that the line does not go dead with
 * every word of the far end. */

#include "media/media-voice.h"

#include <gst/fft/gstfftf32.h>
#include <math.h>
#include <string.h>

#include "media/media-echo.h"
#include "media/media-gain.h"

#define N MEDIA_FRAME
#define BINS MEDIA_ECHO_BINS

#define NOISE_LEFT 0.18f        /* amplitude: noise goes down by 15 dB and not away, which would sound like a dead line */
#define ECHO_LEFT 0.0003f       /* -70 dB */
#define OVER_ECHO 2.0f          /* safety on what is taken for echo */
#define PAST 0.9f               /* weight of the frame before in the decision-directed estimate */
#define BANDS 20
#define LEAK_RATE 0.01          /* some 1 s */
#define LEAK_MOST 4.0
#define MINIMUM_FRAMES 80       /* of each of two windows in which minima of noise are sought */
#define NOISE_BIAS 1.6f         /* a minimum lies below the mean */

struct _MediaVoice
{
  MediaVoiceParts parts;
  MediaEcho *echo;
  MediaGain gain;
  GstFFTF32 *forward, *inverse;
  float window[2 * N];
  float last_out[N], last_echo[N];      /* of the frame before: without echo, the echo */
  float overlap[N];

  float smooth[BINS];           /* power, smoothed */
  float least[BINS], least_before[BINS];
  float noise[BINS];
  guint frames;                 /* in the window of minima */
  guint learnt;                 /* frames of noise seen, up to a window */
  float echo_power[BINS];       /* echo taken away, with the room's decay */
  double mean_rest[BANDS], mean_echo[BANDS];
  double cross[BANDS], square[BANDS];   /* of the two powers about their means */
  float leak[BANDS];
  float kept[BINS];             /* power of the voice that was given out last */
  guint32 random;
};

/* Bands widen with their number as those of the ear do: 200 Hz at the bottom, 2.3 kHz at the top. */
static guint
band_start (guint band)
{
  return MIN (4 * band + band * band * 401 / 400, BINS) * (band < BANDS) + BINS * (band >= BANDS);
}

MediaVoice *
media_voice_new (void)
{
  MediaVoice *voice = g_new0 (MediaVoice, 1);

  voice->echo = media_echo_new ();
  voice->forward = gst_fft_f32_new (2 * N, FALSE);
  voice->inverse = gst_fft_f32_new (2 * N, TRUE);
  for (guint i = 0; i < 2 * N; i++)
    voice->window[i] = sinf ((float) G_PI * (i + 0.5f) / (2 * N));
  media_voice_reset (voice);
  return voice;
}

void
media_voice_free (MediaVoice *voice)
{
  if (voice == NULL)
    return;
  media_echo_free (voice->echo);
  gst_fft_f32_free (voice->forward);
  gst_fft_f32_free (voice->inverse);
  g_free (voice);
}

void
media_voice_reset (MediaVoice *voice)
{
  media_echo_reset (voice->echo);
  media_gain_init (&voice->gain);
  memset (voice->last_out, 0, sizeof voice->last_out);
  memset (voice->last_echo, 0, sizeof voice->last_echo);
  memset (voice->overlap, 0, sizeof voice->overlap);
  for (guint k = 0; k < BINS; k++)
    {
      voice->smooth[k] = voice->noise[k] = voice->echo_power[k] = voice->kept[k] = 0;
      voice->least[k] = voice->least_before[k] = G_MAXFLOAT;
    }
  voice->frames = voice->learnt = 0;
  for (guint b = 0; b < BANDS; b++)
    voice->mean_rest[b] = voice->mean_echo[b] = voice->cross[b] = voice->square[b] = voice->leak[b] = 0;
  voice->random = 1;
}

void
media_voice_set_parts (MediaVoice *voice, MediaVoiceParts parts)
{
  gboolean spectra = parts.echo || parts.noise;

  if (spectra != (voice->parts.echo || voice->parts.noise) || parts.echo != voice->parts.echo)
    media_voice_reset (voice);
  voice->parts = parts;
}

void
media_voice_shift (MediaVoice *voice, gint samples)
{
  media_echo_shift (voice->echo, samples);
}

/* ---- powers ---- */

static void
analyse (MediaVoice *voice, float *last, const float *frame, GstFFTF32Complex *ret_spectrum)
{
  float windowed[2 * N];

  for (guint i = 0; i < N; i++)
    {
      windowed[i] = last[i] * voice->window[i];
      windowed[N + i] = frame[i] * voice->window[N + i];
    }
  memcpy (last, frame, N * sizeof *last);
  gst_fft_f32_fft (voice->forward, windowed, ret_spectrum);
}

static float
square (GstFFTF32Complex z)
{
  return z.r * z.r + z.i * z.i;
}

static void
follow_noise (MediaVoice *voice, const float *power, const float *echo_left)
{
  gboolean over = ++voice->frames >= MINIMUM_FRAMES;

  voice->learnt = MIN (voice->learnt + 1, MINIMUM_FRAMES);
  for (guint k = 0; k < BINS; k++)
    {
      float rate;

      voice->smooth[k] = voice->learnt == 1 ? power[k] : 0.8f * voice->smooth[k] + 0.2f * power[k];
      voice->least[k] = MIN (voice->least[k], voice->smooth[k]);
      /* Speech stands far above the minimum: then the noise is only what it was. */
      rate = voice->smooth[k] > 5 * NOISE_BIAS * MIN (voice->least[k], voice->least_before[k]) || echo_left[k] > power[k] / 2 ? 0 : 0.05f;
      voice->noise[k] += rate * (power[k] - voice->noise[k]);
      voice->noise[k] = MIN (voice->noise[k], 8 * NOISE_BIAS * MIN (voice->least[k], voice->least_before[k]));
      if (over)
        {
          voice->least_before[k] = voice->least[k];
          voice->least[k] = voice->smooth[k];
        }
    }
  if (over)
    voice->frames = 0;
}

/* The share of the echo's power that is still in the rest, for each band from how they vary together. */
static void
follow_leak (MediaVoice *voice, const float *rest)
{
  for (guint b = 0; b < BANDS; b++)
    {
      double re = 0, ec = 0, dr, de;

      for (guint k = band_start (b); k < band_start (b + 1); k++)
        {
          re += rest[k];
          ec += voice->echo_power[k];
        }
      dr = re - voice->mean_rest[b];
      de = ec - voice->mean_echo[b];
      voice->mean_rest[b] += 0.05 * dr;
      voice->mean_echo[b] += 0.05 * de;
      voice->cross[b] += LEAK_RATE * (dr * de - voice->cross[b]);
      voice->square[b] += LEAK_RATE * (de * de - voice->square[b]);
      voice->leak[b] = voice->square[b] > 0 ? (float) CLAMP (voice->cross[b] / voice->square[b], 0, LEAK_MOST) : 0;
    }
}

static void
find_echo_left (MediaVoice *voice, const MediaEchoFrame *frame, const GstFFTF32Complex *rest, float *ret_left)
{
  GstFFTF32Complex taken[BINS];
  float power[BINS];

  analyse (voice, voice->last_echo, frame->echo, taken);
  for (guint k = 0; k < BINS; k++)
    {
      power[k] = square (rest[k]);
      voice->echo_power[k] = MAX (square (taken[k]), 0.85f * voice->echo_power[k]);
    }
  if (frame->active)
    follow_leak (voice, power);
  for (guint b = 0; b < BANDS; b++)
    for (guint k = band_start (b); k < band_start (b + 1); k++)
      ret_left[k] = OVER_ECHO * (frame->doubt[k] + voice->leak[b] * voice->echo_power[k]);
}

/* ---- the gain ---- */

static float
noise_sample (MediaVoice *voice)
{
  voice->random = voice->random * 1664525u + 1013904223u;
  return (float) (gint32) voice->random / 2147483648.f * 1.7320508f;    /* variance 1 */
}

static void
apply (MediaVoice *voice, GstFFTF32Complex *spectrum, const float *echo_left)
{
  const float noise_left = voice->parts.noise ? NOISE_LEFT : 1;

  for (guint k = 0; k < BINS; k++)
    {
      float power = square (spectrum[k]), noise = voice->learnt < MINIMUM_FRAMES ? 0 : voice->noise[k];
      float against = echo_left[k] + (voice->parts.noise ? noise : 0) + 1e-6f;
      float ratio = PAST * voice->kept[k] / against + (1 - PAST) * MAX (power / against - 1, 0);
      float gain = ratio / (1 + ratio), floor, comfort;

      /* Noise may go down to its floor, echo to nothing: by what each has of the sum. */
      floor = (noise_left * noise * (voice->parts.noise ? 1 : 0) + ECHO_LEFT * echo_left[k] + 1e-9f) / against;
      gain = CLAMP (gain, MIN (floor, 1), 1);
      voice->kept[k] = gain * gain * power;
      comfort = noise * (noise_left * noise_left - gain * gain);
      comfort = comfort > 0 && echo_left[k] > noise ? sqrtf (comfort / 2) : 0;
      spectrum[k].r = gain * spectrum[k].r + comfort * noise_sample (voice);
      spectrum[k].i = gain * spectrum[k].i + comfort * noise_sample (voice);
    }
}

static void
synthesise (MediaVoice *voice, GstFFTF32Complex *spectrum, float *ret_samples)
{
  float samples[2 * N];

  gst_fft_f32_inverse_fft (voice->inverse, spectrum, samples);
  for (guint i = 0; i < N; i++)
    {
      ret_samples[i] = voice->overlap[i] + samples[i] * voice->window[i] / (2 * N);
      voice->overlap[i] = samples[N + i] * voice->window[N + i] / (2 * N);
    }
}

void
media_voice_process (MediaVoice *voice, const gint16 *far, gint16 *near)
{
  MediaEchoFrame frame;
  GstFFTF32Complex spectrum[BINS];
  float power[BINS], left[BINS] = { 0 };

  for (guint i = 0; i < N; i++)
    frame.out[i] = near[i];
  if (voice->parts.echo)
    media_echo_process (voice->echo, far, near, &frame);
  if (voice->parts.echo || voice->parts.noise)
    {
      analyse (voice, voice->last_out, frame.out, spectrum);
      if (voice->parts.echo)
        find_echo_left (voice, &frame, spectrum, left);
      for (guint k = 0; k < BINS; k++)
        power[k] = square (spectrum[k]);
      follow_noise (voice, power, left);
      apply (voice, spectrum, left);
      synthesise (voice, spectrum, frame.out);
    }
  if (voice->parts.gain)
    media_gain_process (&voice->gain, frame.out);
  for (guint i = 0; i < N; i++)
    near[i] = (gint16) lrintf (CLAMP (frame.out[i], -32768, 32767));
}
