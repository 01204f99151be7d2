/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub with ports of our own, files, tones and silence. Nothing sleeps: tests wait for a port to have
 * had so many frames. */

#include "media/media-hub.h"
#include "media/media-thread.h"
#include "media/media-wav.h"
#include "pcm-signal.h"

#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE (20 * G_USEC_PER_SEC)

/* ---- a port that remembers all it hears and plays it back, a tone, or nothing ---- */

typedef struct
{
  pthread_mutex_t lock;
  pthread_cond_t more;
  GArray *heard;                /* gint16 */
  guint pushes, pulls;
  gint16 last[MEDIA_FRAME];
  gboolean loop;                /* plays what it heard in the tick before */
  double hz, amplitude;         /* else a tone, 0: silence */
  guint phase;
} Fake;

static gboolean
on_pull (gpointer data, gint16 *frame, gint64 now)
{
  Fake *fake = data;
  gboolean plays = fake->loop || fake->amplitude > 0;

  pthread_mutex_lock (&fake->lock);
  fake->pulls++;
  if (fake->loop)
    memcpy (frame, fake->last, sizeof fake->last);
  else if (plays)
    signal_tone (frame, MEDIA_FRAME, fake->hz, fake->amplitude, &fake->phase);
  pthread_mutex_unlock (&fake->lock);
  return plays;
}

static void
on_push (gpointer data, const gint16 *frame, gint64 now)
{
  Fake *fake = data;

  pthread_mutex_lock (&fake->lock);
  fake->pushes++;
  memcpy (fake->last, frame, sizeof fake->last);
  g_array_append_vals (fake->heard, frame, MEDIA_FRAME);
  pthread_cond_signal (&fake->more);
  pthread_mutex_unlock (&fake->lock);
}

static const MediaPortOps fake_ops = { on_pull, on_push };

static Fake *
fake_new (void)
{
  Fake *fake = g_new0 (Fake, 1);

  pthread_mutex_init (&fake->lock, NULL);
  media_cond_init (&fake->more);
  fake->heard = g_array_new (FALSE, FALSE, sizeof (gint16));
  return fake;
}

static void
fake_free (Fake *fake)
{
  pthread_cond_destroy (&fake->more);
  pthread_mutex_destroy (&fake->lock);
  g_array_unref (fake->heard);
  g_free (fake);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Fake, fake_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaHub, media_hub_free)

static void
wait_for_pushes (Fake *fake, guint pushes)
{
  gint64 until = g_get_monotonic_time () + PATIENCE;

  pthread_mutex_lock (&fake->lock);
  while (fake->pushes < pushes)
    if (!media_cond_wait_until (&fake->more, &fake->lock, until))
      g_error ("only %u of %u frames in time", fake->pushes, pushes);
  pthread_mutex_unlock (&fake->lock);
}

/* ---- surroundings ---- */

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static void
write_wav (const char *path, const gint16 *samples, guint n)
{
  g_autoptr (GByteArray) octets = g_byte_array_new ();
  g_autoptr (GError) error = NULL;
  guint8 header[MEDIA_WAV_HEADER];

  media_wav_header (header, 1, n);
  g_byte_array_append (octets, header, sizeof header);
  g_byte_array_append (octets, (const guint8 *) samples, n * 2);
  g_file_set_contents (path, (const char *) octets->data, octets->len, &error);
  g_assert_no_error (error);
}

static gint16 *
read_wav (const char *path, guint *ret_n)
{
  g_autofree char *octets = NULL;
  gsize length;
  gint16 *samples;
  guint32 size;

  g_assert_true (g_file_get_contents (path, &octets, &length, NULL));
  g_assert_cmpuint (length, >=, MEDIA_WAV_HEADER);
  memcpy (&size, octets + 40, 4);
  g_assert_cmpuint (GUINT32_FROM_LE (size), ==, length - MEDIA_WAV_HEADER);
  *ret_n = (length - MEDIA_WAV_HEADER) / 2;
  samples = g_new (gint16, *ret_n + 1);
  memcpy (samples, octets + MEDIA_WAV_HEADER, *ret_n * 2);
  return samples;
}

/* Noise in which every place is recognised. */
static gint16 *
make_noise (guint n, guint64 seed)
{
  gint16 *samples = g_new (gint16, n);
  SignalRandom random = { seed };

  for (guint i = 0; i < n; i++)
    samples[i] = (gint16) (signal_random (&random) % 20001) - 10000;
  return samples;
}

static MediaHub *
make_hub (const char *input, const char *output, const char *ring)
{
  PhoneDaemonSettings settings = { .follow_default = TRUE, .input = (char *) input, .output = (char *) output, .ring = (char *) ring };

  return media_hub_new (&settings);
}

/* First index at which the whole of part stands in whole, or -1. */
static gint64
find (const gint16 *whole, guint n, const gint16 *part, guint n_part)
{
  for (guint i = 0; i + n_part <= n; i++)
    if (memcmp (whole + i, part, n_part * 2) == 0)
      return i;
  return -1;
}

static guint
count_threads (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/task", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* ---- tests ---- */

/* File -> microphone -> port -> loudspeaker -> file, and not a sample is lost, doubled or changed in over
 * two seconds. */
static void
test_exact (void)
{
  g_autofree char *in = in_folder ("in.wav"), *out = in_folder ("out.wav");
  g_autofree char *input = g_strconcat ("file:", in, NULL), *output = g_strconcat ("file:", out, NULL);
  const guint n = 3 * MEDIA_RATE + 123;
  g_autofree gint16 *noise = make_noise (n, 1), *recorded = NULL;
  g_autoptr (Fake) fake = fake_new ();
  g_autoptr (MediaHub) hub = NULL;
  MediaPort *port;
  guint n_recorded;
  gint64 at, started = g_get_monotonic_time (), origin_in, origin_out;
  GStatBuf st;

  write_wav (in, noise, n);
  hub = make_hub (input, output, "silence");
  port = media_hub_add_port (hub, "loop", &fake_ops, fake);
  fake->loop = TRUE;
  media_port_set_attached (port, TRUE);
  media_port_set_running (port, TRUE);
  wait_for_pushes (fake, 230);
  media_hub_get_origins (hub, &origin_in, &origin_out);
  g_assert_cmpint (origin_out, >=, started);
  g_assert_cmpint (origin_in, >=, origin_out);
  g_assert_cmpint (origin_in, <=, g_get_monotonic_time ());
  media_hub_remove_port (hub, port);
  g_clear_pointer (&hub, media_hub_free);

  at = find ((gint16 *) (void *) fake->heard->data, fake->heard->len, noise, MEDIA_FRAME);
  g_assert_cmpint (at, >=, 0);
  g_assert_cmpint (at % MEDIA_FRAME, ==, 0);
  g_assert_cmpuint (fake->heard->len - at, >=, 2 * MEDIA_RATE);
  g_assert_cmpmem ((gint16 *) (void *) fake->heard->data + at, (fake->heard->len - at) * 2, noise,
                   (fake->heard->len - at) * 2);

  /* What the port hears in one tick it plays in the next. */
  recorded = read_wav (out, &n_recorded);
  g_assert_cmpuint (n_recorded, ==, fake->heard->len);
  g_assert_cmpmem (recorded + MEDIA_FRAME, (n_recorded - MEDIA_FRAME) * 2, fake->heard->data,
                   (n_recorded - MEDIA_FRAME) * 2);
  g_assert_cmpint (g_stat (out, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
}

static double
share (const gint16 *samples, guint n, double hz)
{
  double re = 0, im = 0;

  for (guint i = 0; i < n; i++)
    {
      re += samples[i] * cos (2 * G_PI * hz * i / MEDIA_RATE);
      im += samples[i] * sin (2 * G_PI * hz * i / MEDIA_RATE);
    }
  return 2 * sqrt (re * re + im * im) / n;
}

static void
test_mix (void)
{
  static const double hz[4] = { 400, 1000, 1700, 2600 };
  g_autofree char *out = in_folder ("mix.wav"), *output = g_strconcat ("file:", out, NULL);
  g_autofree gint16 *recorded = NULL;
  g_autoptr (MediaHub) hub = make_hub ("silence", output, "silence");
  Fake *fakes[4];
  MediaPort *ports[4];
  guint n;

  /* The fourth runs but is not attached; the others go in before the first one runs, so that all sound from
   * the first tick on. */
  for (guint i = 0; i < 4; i++)
    {
      fakes[i] = fake_new ();
      fakes[i]->hz = hz[i];
      fakes[i]->amplitude = 5000;
      ports[i] = media_hub_add_port (hub, "tone", &fake_ops, fakes[i]);
      media_port_set_attached (ports[i], i < 3);
    }
  for (guint i = 0; i < 4; i++)
    media_port_set_running (ports[i], TRUE);
  wait_for_pushes (fakes[3], 80);
  for (guint i = 0; i < 4; i++)
    media_hub_remove_port (hub, ports[i]);
  g_clear_pointer (&hub, media_hub_free);

  recorded = read_wav (out, &n);
  g_assert_cmpuint (n, >=, 80 * MEDIA_FRAME);
  for (guint i = 0; i < 4; i++)
    {
      double amplitude = share (recorded + 20 * MEDIA_FRAME, 50 * MEDIA_FRAME, hz[i]);
      if (i < 3)
        g_assert_cmpfloat_with_epsilon (amplitude, 5000, 20);
      else
        g_assert_cmpfloat (amplitude, <, 20);
      fake_free (fakes[i]);
    }
}

/* Sums over full scale are turned down, not clipped or wrapped. */
static void
test_limiter (void)
{
  g_autofree char *out = in_folder ("loud.wav"), *output = g_strconcat ("file:", out, NULL);
  g_autofree gint16 *recorded = NULL;
  g_autoptr (MediaHub) hub = make_hub ("silence", output, "silence");
  Fake *fakes[3];
  MediaPort *ports[3];
  double wanted, harmonic;
  guint n;

  for (guint i = 0; i < 3; i++)
    {
      fakes[i] = fake_new ();
      fakes[i]->hz = 500;
      fakes[i]->amplitude = 20000;
      ports[i] = media_hub_add_port (hub, "loud", &fake_ops, fakes[i]);
      media_port_set_attached (ports[i], TRUE);
    }
  for (guint i = 0; i < 3; i++)
    media_port_set_running (ports[i], TRUE);
  wait_for_pushes (fakes[2], 60);
  for (guint i = 0; i < 3; i++)
    media_hub_remove_port (hub, ports[i]);
  g_clear_pointer (&hub, media_hub_free);

  recorded = read_wav (out, &n);
  wanted = share (recorded + 20 * MEDIA_FRAME, 20 * MEDIA_FRAME, 500);
  harmonic = share (recorded + 20 * MEDIA_FRAME, 20 * MEDIA_FRAME, 1500);
  g_assert_cmpfloat (wanted, >, 15000);
  /* A clipped sine of twice full scale has its third harmonic 12 dB down. */
  g_assert_cmpfloat (harmonic, <, wanted / 100);
  for (guint i = 0; i < 3; i++)
    fake_free (fakes[i]);
}

static void
test_attached_and_muted (void)
{
  g_autoptr (Fake) a = fake_new (), b = fake_new ();
  g_autoptr (MediaHub) hub = make_hub ("tone:1000", "silence", "silence");
  MediaPort *pa = media_hub_add_port (hub, "a", &fake_ops, a),
            *pb = media_hub_add_port (hub, "b", &fake_ops, b);
  guint at;
  double in, out;

  media_port_set_attached (pa, TRUE);
  media_port_set_running (pa, TRUE);
  media_port_set_running (pb, TRUE);
  wait_for_pushes (b, 50);
  media_hub_get_levels (hub, &in, &out);
  g_assert_cmpfloat_with_epsilon (in, -15.05, 1);       /* a sine of a quarter of full scale */
  g_assert_cmpfloat (out, ==, -127);

  media_hub_set_fader (hub, PHONE_FADER_INPUT_MUTE, 1);
  pthread_mutex_lock (&a->lock);
  at = a->pushes;
  pthread_mutex_unlock (&a->lock);
  wait_for_pushes (a, at + 20);
  media_hub_set_fader (hub, PHONE_FADER_INPUT_MUTE, 0);
  wait_for_pushes (a, at + 40);
  media_hub_remove_port (hub, pa);
  media_hub_remove_port (hub, pb);

  for (guint i = 0; i < b->heard->len; i++)
    g_assert_cmpint (g_array_index (b->heard, gint16, i), ==, 0);
  /* One frame to fade, then nothing at all. */
  for (guint i = (at + 2) * MEDIA_FRAME; i < (at + 19) * MEDIA_FRAME; i++)
    g_assert_cmpint (g_array_index (a->heard, gint16, i), ==, 0);
  g_assert_cmpfloat (
      signal_power_db ((gint16 *) (void *) a->heard->data + (at + 25) * MEDIA_FRAME, 10 * MEDIA_FRAME), >, -17);
  for (guint i = 1; i < a->heard->len; i++)
    g_assert_cmpint (ABS (g_array_index (a->heard, gint16, i) - g_array_index (a->heard, gint16, i - 1)), <,
                     1200);
}

/* No reason to sound, no thread: what does not exist wakes nobody. */
static void
test_idle (void)
{
  g_autoptr (Fake) fake = fake_new ();
  guint before = count_threads ();
  g_autoptr (MediaHub) hub = make_hub ("tone", "silence", "silence");
  MediaPort *port = media_hub_add_port (hub, "p", &fake_ops, fake);
  guint64 ticks;
  guint pushes;

  media_port_set_attached (port, TRUE);
  media_hub_set_ring (hub, PHONE_TONE_RING, "DE", NULL);      /* on a silent device: still no reason */
  g_assert_cmpuint (count_threads (), ==, before);
  g_assert_cmpuint (media_hub_get_ticks (hub), ==, 0);

  media_port_set_running (port, TRUE);
  g_assert_cmpuint (count_threads (), ==, before + 1);
  wait_for_pushes (fake, 5);
  media_port_set_running (port, FALSE);
  g_assert_cmpuint (count_threads (), ==, before);
  ticks = media_hub_get_ticks (hub);
  pushes = fake->pushes;
  g_assert_cmpuint (ticks, >=, 5);
  g_assert_cmpuint (ticks, ==, pushes);

  media_port_set_tone (port, PHONE_TONE_RINGBACK, "US");
  g_assert_cmpuint (count_threads (), ==, before + 1);
  media_port_set_tone (port, PHONE_TONE_NONE, NULL);
  g_assert_cmpuint (count_threads (), ==, before);
  g_assert_cmpuint (fake->pushes, ==, pushes);
  media_hub_remove_port (hub, port);
}

/* The beat keeps 10 ms on average; the clock of the machine may hiccup, so only "not faster than real time"
 * is exact. */
static void
test_pace (void)
{
  g_autoptr (Fake) fake = fake_new ();
  g_autoptr (MediaHub) hub = make_hub ("silence", "silence", "silence");
  MediaPort *port = media_hub_add_port (hub, "p", &fake_ops, fake);
  gint64 start = g_get_monotonic_time ();

  media_port_set_running (port, TRUE);
  wait_for_pushes (fake, 101);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 1000 * 1000);
  media_hub_remove_port (hub, port);
}

/* The second call hears the file from its beginning too; a call on hold does not make it go on. */
static void
test_file_restarts (void)
{
  g_autofree char *in = in_folder ("again.wav"), *input = g_strconcat ("file:", in, NULL);
  const guint n = 2 * MEDIA_RATE;
  g_autofree gint16 *noise = make_noise (n, 2);
  g_autoptr (Fake) first = fake_new (), second = fake_new ();
  g_autoptr (MediaHub) hub = NULL;
  MediaPort *port, *other;
  guint at;

  write_wav (in, noise, n);
  hub = make_hub (input, "silence", "silence");
  /* Somebody else's tone keeps the hub ticking before, between and after the calls. */
  other = media_hub_add_port (hub, "other", &fake_ops, NULL);
  media_port_set_tone (other, PHONE_TONE_RINGBACK, "US");
  port = media_hub_add_port (hub, "first", &fake_ops, first);
  media_port_set_attached (port, TRUE);
  media_port_set_running (port, TRUE);
  wait_for_pushes (first, 30);
  media_port_set_attached (port, FALSE);
  pthread_mutex_lock (&first->lock);
  at = first->pushes;
  pthread_mutex_unlock (&first->lock);
  wait_for_pushes (first, at + 10);
  media_port_set_attached (port, TRUE);
  wait_for_pushes (first, at + 40);
  media_port_set_running (port, FALSE);

  media_hub_remove_port (hub, port);
  port = media_hub_add_port (hub, "second", &fake_ops, second);
  media_port_set_attached (port, TRUE);
  media_port_set_running (port, TRUE);
  wait_for_pushes (second, 30);
  media_hub_remove_port (hub, port);
  media_hub_remove_port (hub, other);

  g_assert_cmpint (find ((gint16 *) (void *) first->heard->data, first->heard->len, noise, 10 * MEDIA_FRAME),
                   >=, 0);
  g_assert_cmpint (find ((gint16 *) (void *) second->heard->data, second->heard->len, noise, 10 * MEDIA_FRAME),
                   >=, 0);
  /* Silence in the middle, then on from where it stood. */
  {
    g_autoptr (GArray) joined = g_array_new (FALSE, FALSE, sizeof (gint16));
    for (guint f = 0; f < first->heard->len / MEDIA_FRAME; f++)
      {
        const gint16 *frame = &g_array_index (first->heard, gint16, f * MEDIA_FRAME);
        if (signal_power_db (frame, MEDIA_FRAME) > -60)
          g_array_append_vals (joined, frame, MEDIA_FRAME);
      }
    g_assert_cmpuint (joined->len, >=, 40 * MEDIA_FRAME);
    g_assert_cmpuint (joined->len, <=, first->heard->len - 9 * MEDIA_FRAME);
    g_assert_cmpmem (joined->data, joined->len * 2, noise, joined->len * 2);
  }
}

static gboolean
on_keep_awake (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static void
on_lost (const char *role, const char *device, gpointer data)
{
  char **ret = data;

  g_free (*ret);
  *ret = g_strdup_printf ("%s %s", role, device);
}

/* Call waiting goes into the call's output; the ring goes to a device of its own at the same time. */
static void
test_ring (void)
{
  g_autofree char *out = in_folder ("call.wav"), *bell = in_folder ("bell.wav");
  g_autofree char *output = g_strconcat ("file:", out, NULL), *ring = g_strconcat ("file:", bell, NULL);
  g_autofree gint16 *call = NULL, *rung = NULL;
  g_autoptr (Fake) fake = fake_new ();
  g_autoptr (MediaHub) hub = make_hub ("silence", output, ring);
  MediaPort *port = media_hub_add_port (hub, "p", &fake_ops, fake);
  guint n_call, n_rung;

  media_port_set_attached (port, TRUE);
  media_hub_set_ring (hub, PHONE_TONE_CALL_WAITING, "US", NULL);
  media_port_set_running (port, TRUE);
  wait_for_pushes (fake, 60);
  media_hub_set_ring (hub, PHONE_TONE_RING, "US", NULL);
  wait_for_pushes (fake, 160);
  media_hub_set_ring (hub, PHONE_TONE_NONE, NULL, NULL);
  media_hub_remove_port (hub, port);
  g_clear_pointer (&hub, media_hub_free);

  call = read_wav (out, &n_call);
  g_assert_cmpfloat (share (call + 5 * MEDIA_FRAME, 20 * MEDIA_FRAME, 440), >, 2500);
  g_assert_cmpfloat (signal_power_db (call + 90 * MEDIA_FRAME, 60 * MEDIA_FRAME), <, -90);
  rung = read_wav (bell, &n_rung);
  g_assert_cmpuint (n_rung, >, 50 * MEDIA_FRAME);
  g_assert_cmpfloat (share (rung + 4800, 4800, 950), >, 4000);
  g_assert_cmpfloat (share (rung + 4800, 4800, 1270), >, 4000);
}

static void
test_ring_tone_file (void)
{
  g_autofree char *tune = in_folder ("tune.wav"), *bell = in_folder ("bell2.wav"),
                  *ring = g_strconcat ("file:", bell, NULL);
  g_autofree gint16 *noise = make_noise (MEDIA_RATE / 4, 3), *rung = NULL;
  PhoneDaemonSettings settings
      = { .input = (char *) "silence", .output = (char *) "silence", .ring = ring, .ring_tone = tune };
  g_autoptr (Fake) fake = fake_new ();
  MediaHub *hub;
  MediaPort *port;
  guint n;
  gint64 at;

  write_wav (tune, noise, MEDIA_RATE / 4);
  hub = media_hub_new (&settings);
  port = media_hub_add_port (hub, "time", &fake_ops, fake);
  media_port_set_running (port, TRUE);
  media_hub_set_ring (hub, PHONE_TONE_RING, "US", NULL);
  wait_for_pushes (fake, 80);
  media_hub_remove_port (hub, port);
  media_hub_free (hub);

  rung = read_wav (bell, &n);
  g_assert_cmpuint (n, >, MEDIA_RATE / 2);
  at = find (rung, n, noise, MEDIA_RATE / 4);
  g_assert_cmpint (at, >=, 0);
  /* Again without a seam. */
  g_assert_cmpmem (rung + at + MEDIA_RATE / 4, 4800 * 2, noise, 4800 * 2);
}

static void
test_test_tone (void)
{
  g_autofree char *out = in_folder ("test.wav"), *output = g_strconcat ("file:", out, NULL);
  g_autofree gint16 *recorded = NULL;
  g_autoptr (GError) error = NULL;
  MediaHub *hub = make_hub ("silence", output, "silence");
  guint n, source, before = count_threads ();
  guint64 ticks;

  g_assert_false (media_hub_test_tone (hub, "input", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  g_assert_false (media_hub_test_tone (hub, "speaker", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);

  g_assert_true (media_hub_test_tone (hub, "output", &error));
  g_assert_false (media_hub_test_tone (hub, "output", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS);
  /* It ends by itself, and with it all threads. */
  source = g_timeout_add (50, on_keep_awake, NULL);
  while (count_threads () > before)
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (source);
  ticks = media_hub_get_ticks (hub);
  media_hub_free (hub);

  recorded = read_wav (out, &n);
  g_assert_cmpuint (n, ==, ticks * MEDIA_FRAME);
  g_assert_cmpuint (n, >=, MEDIA_RATE);
  g_assert_cmpfloat_with_epsilon (share (recorded + 4800, 4800, 440), 8192, 100);
}

static void
test_select (void)
{
  g_autofree char *in = in_folder ("select.wav"), *input = g_strconcat ("file:", in, NULL), *text = NULL;
  g_autofree char *bad = in_folder ("bad.wav"), *bad_input = g_strconcat ("file:", bad, NULL);
  g_autofree char *missing = g_strdup_printf ("file:%s/nothing/there.wav", folder);
  g_autofree gint16 *noise = make_noise (MEDIA_RATE, 4);
  static const char *const unknown[] = { "",          "loudspeaker", "file:",    "file:relative.wav",
                                         "tone:",     "tone:5",      "tone:abc", "tone:99999",
                                         "silence:x", "default:x",   "pulse:",   "Silence",
                                         "file" };
  g_autoptr (Fake) fake = fake_new ();
  g_autoptr (MediaHub) hub = make_hub ("silence", "silence", NULL);
  g_autoptr (GError) error = NULL;
  MediaPort *port = media_hub_add_port (hub, "p", &fake_ops, fake);

  write_wav (in, noise, MEDIA_RATE);
  g_file_set_contents (bad, "RIFF is not enough", -1, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (unknown); i++)
    {
      g_assert_false (media_hub_select (hub, "input", unknown[i], &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_clear_error (&error);
    }
  g_assert_false (media_hub_select (hub, "output", "tone", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  g_assert_false (media_hub_select (hub, "microphone", "silence", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  g_assert_false (media_hub_select (hub, "input", missing, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  g_assert_false (media_hub_select (hub, "output", missing, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  g_assert_false (media_hub_select (hub, "input", bad_input, &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_clear_error (&error);
  text = media_hub_selected (hub, "input");
  g_assert_cmpstr (text, ==, "silence");
  g_clear_pointer (&text, g_free);
  text = media_hub_selected (hub, "ring");
  g_assert_cmpstr (text, ==, "default");
  g_assert_null (media_hub_selected (hub, "nothing"));

  /* While a call runs. */
  media_port_set_attached (port, TRUE);
  media_port_set_running (port, TRUE);
  wait_for_pushes (fake, 10);
  g_assert_true (media_hub_select (hub, "input", input, &error));
  g_assert_no_error (error);
  wait_for_pushes (fake, 60);
  g_assert_true (media_hub_select (hub, "input", "silence", &error));
  media_hub_remove_port (hub, port);
  g_assert_cmpint (find ((gint16 *) (void *) fake->heard->data, fake->heard->len, noise, 10 * MEDIA_FRAME), >=,
                   0);
}

/* A recording that cannot be: the call goes on, the loss is told, and nothing that is not ours is touched. */
static void
test_bad_output (void)
{
  g_autofree char *precious = in_folder ("precious.txt"), *link = in_folder ("link.wav"),
                  *target = in_folder ("target.wav");
  const char *paths[2] = { precious, link };

  g_assert_true (g_file_set_contents (precious, "years of work", -1, NULL));
  g_assert_true (g_file_set_contents (target, "RIFF....WAVE", -1, NULL));
  g_assert_cmpint (symlink (target, link), ==, 0);
  for (guint i = 0; i < 2; i++)
    {
      g_autofree char *output = g_strconcat ("file:", paths[i], NULL), *lost = NULL, *text = NULL,
                      *expected = NULL;
      g_autoptr (Fake) fake = fake_new ();
      g_autoptr (MediaHub) hub = make_hub ("silence", output, "silence");
      MediaPort *port = media_hub_add_port (hub, "p", &fake_ops, fake);
      gint64 until = g_get_monotonic_time () + PATIENCE;

      media_hub_on_device_lost (hub, on_lost, &lost);
      media_port_set_running (port, TRUE);
      while (lost == NULL && g_get_monotonic_time () < until)
        g_main_context_iteration (NULL, TRUE);
      expected = g_strconcat ("output ", paths[i], NULL);
      g_assert_cmpstr (lost, ==, expected);
      wait_for_pushes (fake, 5);
      media_hub_remove_port (hub, port);
    }
  {
    g_autofree char *text = NULL, *other = NULL;
    g_assert_true (g_file_get_contents (precious, &text, NULL, NULL));
    g_assert_cmpstr (text, ==, "years of work");
    g_assert_true (g_file_get_contents (target, &other, NULL, NULL));
    g_assert_cmpstr (other, ==, "RIFF....WAVE");
  }
}

/* Ports and devices come and go from the main thread while ticks run. */
static void
test_churn (void)
{
  g_autofree char *in = in_folder ("churn.wav"), *input = g_strconcat ("file:", in, NULL);
  g_autofree char *out = in_folder ("churn-out.wav"), *output = g_strconcat ("file:", out, NULL);
  g_autofree gint16 *noise = make_noise (MEDIA_RATE, 5);
  g_autoptr (Fake) steady = fake_new ();
  g_autoptr (MediaHub) hub = NULL;
  MediaPort *port;

  const char *const inputs[3] = { "tone", "silence", input };

  write_wav (in, noise, MEDIA_RATE);
  hub = make_hub (input, output, "silence");
  port = media_hub_add_port (hub, "steady", &fake_ops, steady);
  media_port_set_attached (port, TRUE);
  media_port_set_running (port, TRUE);
  for (guint i = 0; i < 60; i++)
    {
      g_autoptr (Fake) fake = fake_new ();
      MediaPort *other = media_hub_add_port (hub, "other", &fake_ops, fake);

      fake->loop = i & 1;
      media_port_set_attached (other, i & 2);
      media_port_set_running (other, TRUE);
      media_port_set_tone (other, i % phone_tone_n_values, "US");
      media_hub_set_ring (hub, i % 3 == 0 ? PHONE_TONE_CALL_WAITING : PHONE_TONE_NONE, "US", NULL);
      g_assert_true (media_hub_select (hub, "input", inputs[i % 3], NULL));
      g_assert_true (media_hub_select (hub, "output", i % 8 == 0 ? "silence" : output, NULL));
      wait_for_pushes (fake, 1);
      media_hub_remove_port (hub, other);
    }
  media_hub_remove_port (hub, port);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  /* Losing a device is a warning, and no accident here. */
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  folder = g_dir_make_tmp ("phoned-hub-XXXXXX", NULL);
  g_test_add_func ("/hub/exact", test_exact);
  g_test_add_func ("/hub/mix", test_mix);
  g_test_add_func ("/hub/limiter", test_limiter);
  g_test_add_func ("/hub/attached-and-muted", test_attached_and_muted);
  g_test_add_func ("/hub/idle", test_idle);
  g_test_add_func ("/hub/pace", test_pace);
  g_test_add_func ("/hub/file-restarts", test_file_restarts);
  g_test_add_func ("/hub/ring", test_ring);
  g_test_add_func ("/hub/ring-tone-file", test_ring_tone_file);
  g_test_add_func ("/hub/test-tone", test_test_tone);
  g_test_add_func ("/hub/select", test_select);
  g_test_add_func ("/hub/bad-output", test_bad_output);
  g_test_add_func ("/hub/churn", test_churn);
  result = g_test_run ();
  if (result == 0)
    {
      g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
      for (const char *name; (name = g_dir_read_name (dir)) != NULL;)
        {
          g_autofree char *path = in_folder (name);
          g_unlink (path);
        }
      g_rmdir (folder);
    }
  g_free (folder);
  return result;
}
