/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every joint that playout makes (concealment, its end, late packets, stretching, pauses) is listened to: a steady tone with pauses goes
 * through bad networks, and no two neighbouring samples may be further apart than the tone itself allows, with some air. */

#include <math.h>
#include <string.h>
#include "media/playout-stream.h"
#include "trace.h"

#define SECONDS 30
#define TICKS (SECONDS * 100)
#define TONE_HZ 220.0
#define AMPLITUDE 8000.0
#define PACKET 960
#define N_PACKETS (SECONDS * 50)

static gint16 tone[TICKS * MEDIA_FRAME], heard[TICKS * MEDIA_FRAME];
static guint8 packets[N_PACKETS][PLAYOUT_MAX_PACKET];
static int sizes[N_PACKETS];
static gint64 arrivals[N_PACKETS];

/* A second and a half of sound, half a second of nothing, softly joined. */
static void
make_tone (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (tone); i++)
    {
      double t = fmod (i / 48000.0, 2.0), edge = MIN (MIN (t, 1.5 - t) / 0.02, 1);

      tone[i] = (gint16) (edge > 0 ? lrint (edge * AMPLITUDE * sin (2 * G_PI * TONE_HZ * i / 48000.0)) : 0);
    }
}

static void
test_seams (gconstpointer data)
{
  PhoneCodecId id = (PhoneCodecId) GPOINTER_TO_UINT (data);
  PhoneCodec codec = { .id = id, .payload_type = 96, .use_inband_fec = TRUE };
  MediaRate rate = { .bitrate = 32000, .frame_ms = 20, .complexity = 5, .fec = TRUE, .loss_percent = 10 };
  g_autoptr (MediaEncoder) encoder = media_encoder_new (&codec, &rate, NULL);
  PhoneMediaPlan plan = { .n_receive = 1, .receive = { codec }, .receive_dtmf_8000 = -1, .receive_dtmf_48000 = -1 };
  PlayoutFormat formats[128];
  double natural = AMPLITUDE * 2 * G_PI * TONE_HZ / 48000;

  playout_formats_from_plan (formats, &plan);
  for (guint i = 0; i < N_PACKETS; i++)
    {
      guint32 timestamp = i * 20 * (phone_codec_clock_rate (id) / 1000);

      sizes[i] = media_encoder_encode (encoder, tone + i * PACKET, PACKET, packets[i] + 12);
      g_assert_cmpint (sizes[i], >, 0);
      memcpy (packets[i], (guint8[]) { 0x80, 96, (guint8) (i >> 8), (guint8) i }, 4);
      for (guint k = 0; k < 4; k++)
        packets[i][4 + k] = (guint8) (timestamp >> (24 - 8 * k));
    }
  for (const Trace *trace = traces; trace->name; trace++)
    {
      g_autoptr (PlayoutStream) stream = playout_stream_new ();
      gboolean delivered[N_PACKETS] = { FALSE };
      MediaReceiveStats stats;
      int biggest = 0;
      guint at = 0, loud = 0;

      trace_run (trace, N_PACKETS, 20, 3, arrivals);
      playout_stream_set_formats (stream, formats);
      for (guint tick = 0; tick < TICKS; tick++)
        {
          gint64 now = (gint64) tick * 10000 + 3000;

          /* None is more than three seconds late. */
          for (guint i = tick / 2 > 150 ? tick / 2 - 150 : 0; i < MIN (tick / 2 + 1, N_PACKETS); i++)
            if (!delivered[i] && arrivals[i] <= now)
              {
                delivered[i] = TRUE;
                playout_stream_insert (stream, packets[i], 12 + (gsize) sizes[i], arrivals[i]);
              }
          playout_stream_pull (stream, heard + tick * MEDIA_FRAME, now);
        }
      playout_stream_get_stats (stream, &stats);
      for (guint i = 1; i < G_N_ELEMENTS (heard); i++)
        {
          int step = ABS (heard[i] - heard[i - 1]);

          if (step > biggest)
            {
              biggest = step;
              at = i;
            }
          loud += ABS (heard[i]) > AMPLITUDE * 0.7;
        }
      g_test_message ("%-5s %-10s biggest step %4.1f times the tone's at %.3f s; concealed %.1f %%, %" G_GUINT64_FORMAT " FEC, stretched %.2f %%",
                      phone_codec_id_to_string (id), trace->name, biggest / natural, at / 48000.0,
                      100.0 * stats.concealed_samples / G_N_ELEMENTS (heard), stats.fec_used,
                      100.0 * (stats.accelerated_samples + stats.expanded_samples) / G_N_ELEMENTS (heard));
      g_assert_cmpfloat (biggest / natural, <, 3);      /* Opus itself takes 2.7 after a loss */
      g_assert_cmpuint (loud, >, G_N_ELEMENTS (heard) / 5);     /* half of a sine is above 0.7, three quarters of the time */
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  make_tone ();
  for (guint id = 0; id < phone_codec_id_n_values; id++)
    {
      g_autofree char *name = g_strdup_printf ("/seams/%s", phone_codec_id_to_string ((PhoneCodecId) id));

      g_test_add_data_func (name, GUINT_TO_POINTER (id), test_seams);
    }
  return g_test_run ();
}
