/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>
#include <string.h>
#include "media/g711.h"
#include "media/media-codec.h"
#include "media/media-comfort.h"
#include "media/media-plc.h"
#include "media/media-resample.h"
#include "pcm-signal.h"

#define SECONDS 4
#define N (MEDIA_RATE * SECONDS)
#define FRAME_20 960

static gint16 speech[N], out[N + 6000];

static const MediaRate rate_20 = { .bitrate = 28000, .frame_ms = 20, .complexity = 8 };

static MediaEncoder *
encoder_new (PhoneCodecId id, const MediaRate *rate)
{
  PhoneCodec codec = { .id = id, .use_inband_fec = TRUE, .use_dtx = TRUE };
  GError *error = NULL;
  MediaEncoder *encoder = media_encoder_new (&codec, rate, &error);

  g_assert_no_error (error);
  return encoder;
}

static MediaDecoder *
decoder_new (PhoneCodecId id)
{
  GError *error = NULL;
  MediaDecoder *decoder = media_decoder_new (id, &error);

  g_assert_no_error (error);
  return decoder;
}

/* G.711 tables 1a and 2a give, for each code, an interval of decision values and the value decoded: walk all linear values and compare
 * against the definition written out the slow way, by searching for the nearest decoded value of the same sign. */
static void
test_g711_laws (void)
{
  for (int code = 0; code < 256; code++)
    {
      gint16 u = g711_ulaw_decode ((guint8) code), a = g711_alaw_decode ((guint8) code);

      g_assert_cmpuint (g711_alaw_encode (a), ==, code);
      if (code != 0x7f)         /* u-law has two zeros; 0 is the positive one */
        g_assert_cmpuint (g711_ulaw_encode (u), ==, code);
    }
  /* Fixed points from the tables: virtual decision value, top of the scale, first steps. */
  g_assert_cmpint (g711_ulaw_decode (0xff), ==, 0);
  g_assert_cmpint (g711_ulaw_decode (0x80), ==, 8031 * 4);
  g_assert_cmpint (g711_ulaw_decode (0x00), ==, -8031 * 4);
  g_assert_cmpint (g711_ulaw_decode (0xfe), ==, 2 * 4);
  g_assert_cmpint (g711_alaw_decode (0xd5), ==, 1 * 8);
  g_assert_cmpint (g711_alaw_decode (0x55), ==, -1 * 8);
  g_assert_cmpint (g711_alaw_decode (0xaa), ==, 4032 * 8);
  g_assert_cmpint (g711_alaw_decode (0x2a), ==, -4032 * 8);

  for (int linear = -32768; linear < 32768; linear++)
    {
      int u = g711_ulaw_decode (g711_ulaw_encode ((gint16) linear)), a = g711_alaw_decode (g711_alaw_encode ((gint16) linear));
      int clipped = CLAMP (linear, -8158 * 4, 8158 * 4);
      int magnitude = ABS (linear);
      /* Half a step, plus what the shift to 14 or 13 bits drops. */
      int u_step = 2 * 4, a_step = 2 * 8;

      while (u_step < 256 * 4 && (magnitude >> 2) + 33 >= 32 * (u_step / 4))
        u_step *= 2;
      while (a_step < 128 * 8 && magnitude >> 3 >= 32 * (a_step / 8))
        a_step *= 2;
      g_assert_cmpint (ABS (u - clipped), <=, u_step / 2 + 4);
      g_assert_cmpint (ABS (a - linear), <=, a_step / 2 + 8);
    }
}

static void
test_resampler (void)
{
  static const guint factors[] = { 3, 6 };

  for (guint f = 0; f < G_N_ELEMENTS (factors); f++)
    {
      guint factor = factors[f], delay;
      g_autoptr (MediaResampler) down = media_resampler_new (factor, FALSE);
      g_autoptr (MediaResampler) up = media_resampler_new (factor, TRUE);
      static gint16 in[N], narrow[N], back[N];
      guint phase = 0;

      delay = media_resampler_delay (down) + media_resampler_delay (up);

      /* In band: comes back the same, later by exactly the delay stated. */
      signal_tone (in, MEDIA_RATE, 1000, 10000, &phase);
      for (guint i = 0; i < MEDIA_RATE; i += MEDIA_FRAME)
        {
          g_assert_cmpuint (media_resampler_run (down, in + i, MEDIA_FRAME, narrow), ==, MEDIA_FRAME / factor);
          g_assert_cmpuint (media_resampler_run (up, narrow, MEDIA_FRAME / factor, back + i), ==, MEDIA_FRAME);
        }
      g_assert_cmpfloat (signal_snr (in + 4800, back + 4800, MEDIA_RATE - 9600, delay), >, 60);
      g_assert_cmpfloat (fabs (signal_power_db (in + 4800, 24000) - signal_power_db (back + 4800, 24000)), <, 0.1);

      /* Chunks of other sizes give the same samples. */
      {
        g_autoptr (MediaResampler) other = media_resampler_new (factor, FALSE);
        g_autoptr (MediaResampler) whole = media_resampler_new (factor, FALSE);
        static gint16 a[N], b[N];
        guint na = 0, nb = 0;

        for (guint i = 0; i < 6000; i += 60)
          na += media_resampler_run (other, in + i, 60, a + na);
        nb = media_resampler_run (whole, in, 6000, b);
        g_assert_cmpuint (na, ==, nb);
        g_assert_cmpmem (a, na * 2, b, nb * 2);
      }

      /* Out of band: gone. */
      phase = 0;
      signal_tone (in, MEDIA_RATE, factor == 6 ? 5000 : 9500, 20000, &phase);
      for (guint i = 0; i < MEDIA_RATE; i += MEDIA_FRAME)
        media_resampler_run (down, in + i, MEDIA_FRAME, narrow + i / factor);
      g_assert_cmpfloat (signal_power_db (narrow + 800, MEDIA_RATE / factor - 800), <, -60);
    }
}

static void
test_round_trip (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  static const guint frames[] = { 10, 20, 30, 40, 60 };

  for (guint f = 0; f < G_N_ELEMENTS (frames); f++)
    {
      guint ms = media_encoder_frame_ms (id, frames[f]), samples = ms * 48, lag = 0, total = N / samples * samples;
      MediaRate rate = rate_20;
      g_autoptr (MediaEncoder) encoder = NULL;
      g_autoptr (MediaDecoder) decoder = decoder_new (id);
      guint8 payload[MEDIA_MAX_PAYLOAD];
      double correlation;

      rate.frame_ms = ms;
      encoder = encoder_new (id, &rate);
      for (guint i = 0; i < total; i += samples)
        {
          int octets = media_encoder_encode (encoder, speech + i, samples, payload);

          g_assert_cmpint (octets, >, 0);
          g_assert_cmpuint (media_decoder_duration (id, payload, (gsize) octets), ==, samples);
          g_assert_cmpint (media_decoder_decode (decoder, payload, (gsize) octets, out + i, samples), ==, samples);
        }
      correlation = signal_correlate (speech + 4800, out + 4800, MEDIA_RATE, 600, &lag);
      g_test_message ("%s %u ms: correlation %.4f, SNR %.1f dB, delay %.2f ms", phone_codec_id_to_string (id), ms, correlation,
                      signal_snr (speech, out, total, lag), lag / 48.0);
      g_assert_cmpfloat (correlation, >, id == PHONE_CODEC_OPUS ? 0.9 : 0.98);
      g_assert_cmpfloat (signal_snr (speech, out, total, lag), >, id == PHONE_CODEC_OPUS ? 7 : 10);
      g_assert_cmpuint (lag, <=, 420);
    }
}

/* Anything the network sends is refused or decoded to at most what fits, and the decoder still works afterwards. */
static void
test_malformed (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  g_autoptr (MediaDecoder) decoder = decoder_new (id);
  SignalRandom random = { 42 };
  guint8 payload[1600];
  static gint16 pcm[MEDIA_MAX_FRAME_MS * 48];

  g_assert_cmpuint (media_decoder_duration (id, payload, 0), ==, 0);
  g_assert_cmpint (media_decoder_decode (decoder, payload, 0, pcm, G_N_ELEMENTS (pcm)), ==, -1);
  g_assert_cmpuint (media_decoder_duration (id, payload, 1400), ==, 0);
  g_assert_cmpint (media_decoder_decode (decoder, payload, 1400, pcm, G_N_ELEMENTS (pcm)), ==, -1);

  for (guint i = 0; i < 3000; i++)
    {
      gsize length = 1 + signal_random (&random) % (i % 10 == 0 ? MEDIA_MAX_PAYLOAD : 60);
      guint samples;
      int n;

      for (gsize k = 0; k < length; k++)
        payload[k] = (guint8) signal_random (&random);
      samples = media_decoder_duration (id, payload, length);
      g_assert_cmpuint (samples, <=, G_N_ELEMENTS (pcm));
      n = media_decoder_decode (decoder, payload, length, pcm, G_N_ELEMENTS (pcm));
      if (samples == 0)
        g_assert_cmpint (n, ==, -1);
      else if (n >= 0)
        g_assert_cmpint (n, ==, samples);
      if (samples > FRAME_20)   /* does not fit: refused, not cut or overrun */
        g_assert_cmpint (media_decoder_decode (decoder, payload, length, pcm, FRAME_20), ==, -1);
      media_decoder_has_fec (id, payload, length);
      media_decoder_is_dtx (id, payload, length);
      g_assert_cmpint (media_decoder_decode_fec (decoder, payload, length, pcm, FRAME_20), <=, FRAME_20);
      g_assert_cmpint (media_decoder_conceal (decoder, pcm, MEDIA_FRAME), ==, MEDIA_FRAME);
    }
}

static double
lossy_snr (gboolean use_fec, guint *ret_with_fec)
{
  MediaRate rate = rate_20;
  g_autoptr (MediaEncoder) encoder = NULL;
  g_autoptr (MediaDecoder) decoder = decoder_new (PHONE_CODEC_OPUS);
  guint8 payload[MEDIA_MAX_PAYLOAD];
  gboolean lost = FALSE;
  double sum = 0;
  guint count = 0;

  rate.fec = TRUE;
  rate.loss_percent = 20;
  encoder = encoder_new (PHONE_CODEC_OPUS, &rate);
  *ret_with_fec = 0;
  for (guint i = 0, k = 0; i + FRAME_20 <= N; i += FRAME_20, k++)
    {
      int octets = media_encoder_encode (encoder, speech + i, FRAME_20, payload);

      g_assert_cmpint (octets, >, 0);
      *ret_with_fec += media_decoder_has_fec (PHONE_CODEC_OPUS, payload, (gsize) octets);
      if (lost)
        {
          if (use_fec)
            g_assert_cmpint (media_decoder_decode_fec (decoder, payload, (gsize) octets, out + i - FRAME_20, FRAME_20), ==, FRAME_20);
          else
            g_assert_cmpint (media_decoder_conceal (decoder, out + i - FRAME_20, FRAME_20), ==, FRAME_20);
        }
      lost = k % 7 == 6;
      if (!lost)
        g_assert_cmpint (media_decoder_decode (decoder, payload, (gsize) octets, out + i, FRAME_20), ==, FRAME_20);
    }
  /* Opus in this mode delays by 6.5 ms. Compare the frames that were lost and are not a pause. */
  for (guint i = 6 * FRAME_20; i + 3 * FRAME_20 <= N; i += 7 * FRAME_20)
    if (signal_power_db (speech + i, FRAME_20) > -35)
      {
        sum += signal_correlate (speech + i, out + i, FRAME_20 + 330, 330, NULL);
        count++;
      }
  g_assert_cmpuint (count, >, 5);
  return sum / count;
}

static void
test_opus_fec (void)
{
  guint with_fec, packets = N / FRAME_20;
  double plc = lossy_snr (FALSE, &with_fec), fec = lossy_snr (TRUE, &with_fec);

  g_test_message ("lost frames: correlation %.3f concealed, %.3f recovered; %u of %u packets carry FEC", plc, fec, with_fec, packets);
  g_assert_cmpuint (with_fec, >, packets / 3);
  g_assert_cmpfloat (fec, >, plc + 0.02);
  g_assert_cmpfloat (fec, >, 0.85);
}

static void
test_opus_fec_respects_peer (void)
{
  PhoneCodec codec = { .id = PHONE_CODEC_OPUS, .use_inband_fec = FALSE };
  MediaRate rate = { .bitrate = 28000, .frame_ms = 20, .complexity = 5, .fec = TRUE, .dtx = TRUE, .loss_percent = 20 };
  g_autoptr (MediaEncoder) encoder = media_encoder_new (&codec, &rate, NULL);
  guint8 payload[MEDIA_MAX_PAYLOAD];

  for (guint i = 0; i + FRAME_20 <= N; i += FRAME_20)
    {
      int octets = media_encoder_encode (encoder, speech + i, FRAME_20, payload);

      g_assert_cmpint (octets, >, 0);   /* no DTX either */
      g_assert_false (media_decoder_has_fec (PHONE_CODEC_OPUS, payload, (gsize) octets));
    }
}

static void
test_opus_limits (void)
{
  PhoneCodec codec = { .id = PHONE_CODEC_OPUS, .max_average_bitrate = 12000, .max_playback_rate = 8000 };
  MediaRate rate = { .bitrate = 40000, .frame_ms = 20, .complexity = 5 };
  g_autoptr (MediaEncoder) encoder = media_encoder_new (&codec, &rate, NULL);
  guint8 payload[MEDIA_MAX_PAYLOAD];
  guint octets_total = 0;

  for (guint i = 0; i + FRAME_20 <= N; i += FRAME_20)
    {
      int octets = media_encoder_encode (encoder, speech + i, FRAME_20, payload);

      g_assert_cmpint (octets, >, 0);
      octets_total += (guint) octets;
      g_assert_cmpuint (payload[0] >> 3, <, 4);         /* SILK narrowband configurations */
    }
  g_assert_cmpuint (octets_total * 8 / SECONDS, <, 13500);
}

static guint
longest_of (MediaEncoder *encoder, const gint16 *pcm)
{
  guint8 payload[MEDIA_MAX_PAYLOAD];
  guint longest = 0;

  for (guint i = 0; i + FRAME_20 <= N; i += FRAME_20)
    longest = MAX (longest, (guint) media_encoder_encode (encoder, pcm + i, FRAME_20, payload));
  return longest;
}

/* Loud or not: none is longer than the bit rate says, and those of silence are shorter. */
static void
test_opus_bounded (void)
{
  static const gint16 silence[N];
  gboolean differs = FALSE;

  for (guint bitrate = 8000; bitrate <= 22000; bitrate += 7000)
    {
      MediaRate rate = { .bitrate = bitrate, .frame_ms = 20, .complexity = 8, .bounded = TRUE };
      g_autoptr (MediaEncoder) encoder = encoder_new (PHONE_CODEC_OPUS, &rate);
      guint bound = bitrate / 8 / 50;

      g_assert_cmpuint (longest_of (encoder, speech), <=, bound);
      longest_of (encoder, silence);
      g_assert_cmpuint (longest_of (encoder, silence), <, bound);
      rate.bounded = FALSE;
      media_encoder_set_rate (encoder, &rate);
      g_test_message ("%u bit/s: %u of %u octets unbounded", bitrate, longest_of (encoder, speech), bound);
      differs = differs || longest_of (encoder, speech) > bound;
    }
  g_assert_true (differs);      /* else it would prove nothing */
}

static void
test_opus_dtx (void)
{
  MediaRate rate = { .bitrate = 24000, .frame_ms = 20, .complexity = 8, .dtx = TRUE };
  g_autoptr (MediaEncoder) encoder = encoder_new (PHONE_CODEC_OPUS, &rate);
  static const gint16 silence[FRAME_20];
  guint8 payload[MEDIA_MAX_PAYLOAD];
  guint unsent = 0;

  for (guint i = 0; i < 25; i++)
    g_assert_cmpint (media_encoder_encode (encoder, speech + i * FRAME_20, FRAME_20, payload), >=, 0);
  for (guint i = 0; i < 150; i++)
    unsent += media_encoder_encode (encoder, silence, FRAME_20, payload) == 0;
  g_test_message ("%u of 150 silent frames not sent", unsent);
  g_assert_cmpuint (unsent, >, 100);

  rate.dtx = FALSE;     /* live */
  media_encoder_set_rate (encoder, &rate);
  for (guint i = 0; i < 50; i++)
    g_assert_cmpint (media_encoder_encode (encoder, silence, FRAME_20, payload), >, 0);
}

/* Concealment of a loss in a steady voice continues it; it fades; the seam at the end is smooth. */
static void
test_plc (gconstpointer data)
{
  guint rate = GPOINTER_TO_UINT (data), ms = rate / 1000;
  g_autoptr (MediaPlc) plc = media_plc_new (rate);
  gint16 buffer[320], reference[320], biggest = 0;
  double power;

#define VOICE(t) ((gint16) (4000 * sin (2 * G_PI * 125 * (t) / rate) + 2000 * sin (2 * G_PI * 375 * (t) / rate + 1)))
  for (guint frame = 0; frame < 10; frame++)
    {
      for (guint i = 0; i < 10 * ms; i++)
        buffer[i] = VOICE (frame * 10 * ms + i);
      media_plc_good (plc, buffer, 10 * ms);
    }
  media_plc_conceal (plc, buffer, 10 * ms);
  for (guint i = 0; i < 10 * ms; i++)
    reference[i] = VOICE (100 * ms + i);
  g_assert_cmpfloat (signal_snr (reference, buffer, 10 * ms, 0), >, 25);
  for (guint i = 0; i < 2; i++)
    media_plc_conceal (plc, buffer, 10 * ms);
  power = signal_power_db (buffer, 10 * ms);
  g_assert_cmpfloat (power, <, signal_power_db (reference, 10 * ms) - 1);
  g_assert_cmpfloat (power, >, signal_power_db (reference, 10 * ms) - 8);
  for (guint i = 0; i < 4; i++)
    media_plc_conceal (plc, buffer, 10 * ms);
  g_assert_cmpfloat (signal_power_db (buffer, 10 * ms), <, -90);

  /* Back: 3 ms later than the phase of the repetition would have it, so that a hard joint would jump. */
  for (guint i = 0; i < 10 * ms; i++)
    buffer[i] = VOICE (173 * ms + i);
  media_plc_good (plc, buffer, 10 * ms);
  for (guint i = 1; i < 10 * ms; i++)
    biggest = MAX (biggest, ABS (buffer[i] - buffer[i - 1]));
  g_assert_cmpint (biggest, <, 2600 * 8000 / rate + 200);
#undef VOICE
}

/* Comfort noise has the level that it was told, white or coloured, and never more than full scale whatever it was told. */
static void
test_comfort (void)
{
  static gint16 noise[MEDIA_RATE];
  const guint8 white[] = { 40 }, coloured[] = { 40, 190, 90, 140, 127 };
  SignalRandom random = { 6 };
  guint8 payload[40];

  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (MediaComfort) comfort = media_comfort_new ();

      media_comfort_describe (comfort, i ? coloured : white, i ? sizeof coloured : sizeof white);
      memset (noise, 0, sizeof noise);
      media_comfort_add (comfort, noise, MEDIA_RATE, TRUE);
      g_test_message ("level %.1f dB", signal_power_db (noise, MEDIA_RATE));
      g_assert_cmpfloat (fabs (signal_power_db (noise, MEDIA_RATE) + 40), <, 1.5);
    }
  for (guint i = 0; i < 200; i++)
    {
      g_autoptr (MediaComfort) comfort = media_comfort_new ();
      gsize length = signal_random (&random) % sizeof payload;

      for (gsize k = 0; k < length; k++)
        payload[k] = (guint8) signal_random (&random);
      media_comfort_describe (comfort, payload, length);
      media_comfort_add (comfort, noise, 4800, FALSE);
    }
  {
    /* Without a description: the quietest that was heard, and not the talker. */
    g_autoptr (MediaComfort) comfort = media_comfort_new ();

    media_comfort_listen (comfort, speech, N);
    memset (noise, 0, sizeof noise);
    media_comfort_add (comfort, noise, MEDIA_RATE, FALSE);
    g_assert_cmpfloat (signal_power_db (noise, MEDIA_RATE), <, -43);
  }
}

/* What was decoded after a premature concealment is what would have been decoded without it. */
static void
test_restore (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  g_autoptr (MediaEncoder) encoder = encoder_new (id, &rate_20);
  g_autoptr (MediaDecoder) straight = decoder_new (id);
  g_autoptr (MediaDecoder) hasty = decoder_new (id);
  gint16 a[FRAME_20], b[FRAME_20];
  guint8 payload[MEDIA_MAX_PAYLOAD];

  g_assert_false (media_decoder_restore (hasty));
  for (guint i = 0; i + FRAME_20 <= N; i += FRAME_20)
    {
      int octets = media_encoder_encode (encoder, speech + i, FRAME_20, payload);

      if (i / FRAME_20 % 5 == 4)
        {
          media_decoder_save (hasty);
          media_decoder_conceal (hasty, b, MEDIA_FRAME);
          media_decoder_save (hasty);   /* the first counts */
          media_decoder_conceal (hasty, b, MEDIA_FRAME);
          g_assert_true (media_decoder_restore (hasty));
          g_assert_false (media_decoder_restore (hasty));
        }
      g_assert_cmpint (media_decoder_decode (straight, payload, (gsize) octets, a, FRAME_20), ==, FRAME_20);
      g_assert_cmpint (media_decoder_decode (hasty, payload, (gsize) octets, b, FRAME_20), ==, FRAME_20);
      g_assert_cmpmem (a, sizeof a, b, sizeof b);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  signal_speech (speech, N, 7);
  g_test_add_func ("/codec/g711-laws", test_g711_laws);
  g_test_add_func ("/codec/resampler", test_resampler);
  for (guint id = 0; id < phone_codec_id_n_values; id++)
    {
      g_autofree char *round = g_strdup_printf ("/codec/round-trip/%s", phone_codec_id_to_string ((PhoneCodecId) id));
      g_autofree char *malformed = g_strdup_printf ("/codec/malformed/%s", phone_codec_id_to_string ((PhoneCodecId) id));

      g_test_add_data_func (round, GUINT_TO_POINTER (id), test_round_trip);
      g_autofree char *restore = g_strdup_printf ("/codec/restore/%s", phone_codec_id_to_string ((PhoneCodecId) id));

      g_test_add_data_func (restore, GUINT_TO_POINTER (id), test_restore);
      g_test_add_data_func (malformed, GUINT_TO_POINTER (id), test_malformed);
    }
  g_test_add_func ("/codec/comfort", test_comfort);
  g_test_add_func ("/codec/opus-fec", test_opus_fec);
  g_test_add_func ("/codec/opus-fec-respects-peer", test_opus_fec_respects_peer);
  g_test_add_func ("/codec/opus-limits", test_opus_limits);
  g_test_add_func ("/codec/opus-bounded", test_opus_bounded);
  g_test_add_func ("/codec/opus-dtx", test_opus_dtx);
  g_test_add_data_func ("/codec/plc-8000", GUINT_TO_POINTER (8000), test_plc);
  g_test_add_data_func ("/codec/plc-16000", GUINT_TO_POINTER (16000), test_plc);
  return g_test_run ();
}
