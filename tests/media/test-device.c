/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub on sound servers of the test's own: what a port plays into a null sink comes back from its
 * monitor; sinks and servers go away in the middle of it and come back. Every wait is for an event; how
 * long it took is printed and not judged. */

#include "media/media-hub.h"
#include "media/media-drift.h"
#include "media/media-fader.h"
#include "media/media-live.h"
#include "media/media-thread.h"
#include "pcm-signal.h"
#include "sound-server.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE (30 * G_USEC_PER_SEC)
#define HZ 1000

#ifdef __SANITIZE_THREAD__
/* The libraries below us are not built for the sanitizer, and GLib's mutexes are its own: it cannot see how
 * they synchronise. This overlooks what the streaming threads do in our code too; test-clock and test-hub
 * do the same without them. */
const char *__tsan_default_suppressions (void);

const char *
__tsan_default_suppressions (void)
{
  return "race:libglib-2.0.so\nrace:libgobject-2.0.so\nrace:libgstreamer-1.0.so\nrace:libgstbase-1.0.so\n"
         "race:libgstaudio-1.0.so\nrace:libgstpulseaudio.so\nrace:libpulse.so\nrace:libpulsecommon\n"
         "deadlock:libgstreamer-1.0.so\n";
}
#endif

G_DEFINE_AUTOPTR_CLEANUP_FUNC (MediaHub, media_hub_free)

/* ---- a port that plays a tone and listens for it ---- */

typedef struct
{
  MediaHub *hub;
  MediaPort *port;
  pthread_mutex_t lock;
  guint phase;
  guint pushes;
  guint pure;                   /* frames in a row that hold the tone and little else */
  guint heard;                  /* such frames at all */
  guint silent;                 /* frames in a row of silence */
  guint quiet;                  /* 40 dB below the tone that is played */
  char *lost;                   /* main thread: last "role device" that was told */
  guint n_lost;
  guint fader[phone_fader_n_values];    /* main thread: by the mixer, as it was told last */
  guint n_faded;
} Call;

static gboolean
on_pull (gpointer data, gint16 *frame, gint64 now)
{
  Call *call = data;

  signal_tone (frame, MEDIA_FRAME, HZ, 8000, &call->phase);
  return TRUE;
}

static void
on_push (gpointer data, const gint16 *frame, gint64 now)
{
  Call *call = data;
  double re = 0, im = 0, power = 0, tone;

  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      re += frame[i] * cos (2 * G_PI * HZ * i / MEDIA_RATE);
      im += frame[i] * sin (2 * G_PI * HZ * i / MEDIA_RATE);
      power += (double) frame[i] * frame[i];
    }
  tone = 2 * (re * re + im * im) / MEDIA_FRAME;
  pthread_mutex_lock (&call->lock);
  call->pushes++;
  call->pure = power > 1e6 * MEDIA_FRAME && tone > 0.99 * power ? call->pure + 1 : 0;
  call->heard += call->pure > 0;
  call->quiet = power < 1e-4 * 8000 * 8000 / 2 * MEDIA_FRAME ? call->quiet + 1 : 0;
  call->silent = power < MEDIA_FRAME ? call->silent + 1 : 0;
  pthread_mutex_unlock (&call->lock);
}

static const MediaPortOps call_ops = { on_pull, on_push };

static void
on_lost (const char *role, const char *device, gpointer data)
{
  Call *call = data;

  g_free (call->lost);
  call->lost = g_strdup_printf ("%s %s", role, device);
  call->n_lost++;
}

static Call *
call_new (const char *input, const char *output, const char *ring)
{
  PhoneDaemonSettings settings = { .follow_default = TRUE, .input = (char *) input, .output = (char *) output, .ring = (char *) ring };
  Call *call = g_new0 (Call, 1);

  pthread_mutex_init (&call->lock, NULL);
  call->hub = media_hub_new (&settings);
  media_hub_on_device_lost (call->hub, on_lost, call);
  call->port = media_hub_add_port (call->hub, "call", &call_ops, call);
  media_port_set_attached (call->port, TRUE);
  return call;
}

static void
call_free (Call *call)
{
  media_hub_remove_port (call->hub, call->port);
  media_hub_free (call->hub);
  pthread_mutex_destroy (&call->lock);
  g_free (call->lost);
  g_free (call);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Call, call_free)

static guint
get (Call *call, guint *what)
{
  guint value;

  pthread_mutex_lock (&call->lock);
  value = *what;
  pthread_mutex_unlock (&call->lock);
  return value;
}

static gboolean
on_poll (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Runs the main loop, looking every 5 ms, until the expression holds. Evaluates to ms. */
#define AWAIT(expression) \
  ({ gint64 start_ = g_get_monotonic_time (); \
     guint poll_ = g_timeout_add (5, on_poll, NULL); \
     while (!(expression)) \
       { \
         if (g_get_monotonic_time () - start_ > PATIENCE) \
           g_error ("never came true: %s", #expression); \
         g_main_context_iteration (NULL, TRUE); \
       } \
     g_source_remove (poll_); \
     (g_get_monotonic_time () - start_) / 1000.0; })

static SoundServer *
start_or_skip (SoundServerKind kind)
{
  SoundServer *server = sound_server_start (kind);

  if (server == NULL)
    g_test_skip ("the sound server is not installed");
  return server;
}

/* ---- tests ---- */

/* Without any sound server: silence, no complaint to the user, and calls run. */
static void
test_nothing_there (void)
{
  g_autoptr (Call) call = call_new ("default", "default", "default");
  g_autoptr (GPtrArray) devices = media_hub_devices (call->hub);
  GError *error = NULL;

  g_assert_cmpuint (devices->len, ==, 0);
  g_assert_false (media_hub_select (call->hub, "output", "pulse", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  g_assert_false (media_hub_select (call->hub, "input", "pipewire:mic", &error));
  g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
  g_clear_error (&error);
  media_port_set_running (call->port, TRUE);
  media_hub_set_ring (call->hub, PHONE_TONE_RING, "US", NULL);
  AWAIT (get (call, &call->pushes) >= 20);
  g_assert_cmpuint (call->n_lost, ==, 0);
}

static const char *
property (GPtrArray *devices, const char *id, const char *key)
{
  for (guint i = 0; i < devices->len; i++)
    if (g_strcmp0 (g_hash_table_lookup (g_ptr_array_index (devices, i), "id"), id) == 0)
      return g_hash_table_lookup (g_ptr_array_index (devices, i), key);
  return NULL;
}

static void
test_round_trip (gconstpointer data)
{
  SoundServerKind kind = GPOINTER_TO_INT (data);
  const char *driver = kind == SOUND_SERVER_PULSE ? "pulse" : "pipewire";
  SoundServer *server = start_or_skip (kind);
  GError *error = NULL;
  double in, out;

  if (server == NULL)
    return;
  {
    g_autofree char *input = g_strconcat (driver, ":out.monitor", NULL),
                    *output = g_strconcat (driver, ":out", NULL);
    g_autofree char *missing = g_strconcat (driver, ":nowhere", NULL), *inputs = NULL, *outputs = NULL;
    g_autoptr (Call) call = call_new (input, output, "default");
    g_autoptr (GPtrArray) devices = media_hub_devices (call->hub);

    g_assert_cmpuint (devices->len, ==, 2);
    g_assert_cmpstr (property (devices, output, "role"), ==, "output");
    g_assert_cmpstr (property (devices, output, "driver"), ==, driver);
    g_assert_cmpstr (property (devices, output, "default"), ==, "true");
    g_assert_nonnull (property (devices, output, "name"));
    g_assert_false (media_hub_select (call->hub, "output", missing, &error));
    g_assert_error (error, PHONE_ERROR, PHONE_ERROR_NO_DEVICE);
    g_clear_error (&error);
    g_assert_false (media_hub_select (call->hub, "output", input, &error));     /* an input is no output */
    g_clear_error (&error);
    g_assert_true (media_hub_select (call->hub, "input", input, &error));
    g_assert_no_error (error);

    media_port_set_running (call->port, TRUE);
    g_test_message ("half a second of pure tone after %.0f ms", AWAIT (get (call, &call->pure) >= 50));
    media_hub_get_delays (call->hub, &in, &out);
    g_test_message ("capture delay %.1f ms", in);
    g_assert_cmpfloat (in, >=, 0);
    media_hub_get_levels (call->hub, &in, &out);
    g_assert_cmpfloat (in, >, -30);
    g_assert_cmpfloat_with_epsilon (out, -15.3, 1);

    /* The stream says what it is for, so that desktops route and duck as they should. */
    inputs = sound_server_pactl ("list sink-inputs");
    g_assert_nonnull (strstr (inputs, "media.role = \"phone\""));
    g_assert_nonnull (strstr (inputs, "application.name = \"phoned\""));
    outputs = sound_server_pactl ("list source-outputs");
    g_assert_nonnull (strstr (outputs, "media.role = \"phone\""));

    media_hub_set_ring (call->hub, PHONE_TONE_RING, "US", NULL);
    for (gboolean found = FALSE; !found;)
      {
        g_autofree char *text = sound_server_pactl ("list sink-inputs");
        found = strstr (text, "media.role = \"event\"") != NULL;
        g_main_context_iteration (NULL, FALSE);
      }
    media_hub_set_ring (call->hub, PHONE_TONE_NONE, NULL, NULL);

    /* Stopped: nothing plays or records, the connection lingers; started again it is quick. */
    media_port_set_running (call->port, FALSE);
    for (gboolean gone = FALSE; !gone;)
      {
        g_autofree char *playing = sound_server_pactl ("list short sink-inputs");
        g_autofree char *recording = sound_server_pactl ("list short source-outputs");
        gone = *playing == '\0' && *recording == '\0';
        g_main_context_iteration (NULL, FALSE);
      }
    pthread_mutex_lock (&call->lock);
    call->pure = 0;
    pthread_mutex_unlock (&call->lock);
    media_port_set_running (call->port, TRUE);
    g_test_message ("warm: pure tone after %.0f ms", AWAIT (get (call, &call->pure) >= 10));
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

/* The sink in use is taken away: told, replaced by the default, and taken up again when it comes back. The
 * hub ticks all the while. */
static void
test_sink_unloaded (gconstpointer data)
{
  SoundServerKind kind = GPOINTER_TO_INT (data);
  SoundServer *server = start_or_skip (kind);

  if (server == NULL)
    return;
  {
    g_autofree char *module = sound_server_pactl ("load-module module-null-sink sink_name=headset"),
                    *unload = NULL;
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:headset", "silence");
    g_autoptr (Call) listener = call_new ("pulse:headset.monitor", "silence", "silence");
    guint at;

    media_port_set_running (call->port, TRUE);
    media_port_set_running (listener->port, TRUE);
    AWAIT (get (listener, &listener->pure) >= 20);

    unload = g_strconcat ("unload-module ", module, NULL);
    g_strchomp (unload);
    at = get (call, &call->pushes);
    g_free (sound_server_pactl (unload));
    g_test_message ("told after %.0f ms", AWAIT (call->n_lost > 0));
    g_assert_cmpstr (call->lost, ==, "output pulse:headset");
    /* The default sink is "out", whose monitor is the call's microphone. */
    g_test_message ("heard again after %.0f ms", AWAIT (get (call, &call->pure) >= 20));
    g_assert_cmpuint (get (call, &call->pushes), >, at);

    g_free (sound_server_pactl ("load-module module-null-sink sink_name=headset"));
    g_test_message ("back after %.0f ms", AWAIT (get (call, &call->silent) >= 20));
    AWAIT (get (listener, &listener->silent) == 0 && get (listener, &listener->pure) >= 20);
    g_assert_cmpuint (call->n_lost, ==, 1);
  }
  sound_server_stop (server);
}

/* The server dies in the middle of a call, and another one comes up. */
static void
test_server_killed (void)
{
  SoundServer *server = start_or_skip (SOUND_SERVER_PULSE);

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "default", "silence");
    guint at;

    media_port_set_running (call->port, TRUE);
    AWAIT (get (call, &call->pure) >= 20);
    sound_server_stop (server);
    g_test_message ("told after %.0f ms", AWAIT (call->n_lost >= 2));
    at = get (call, &call->pushes);
    AWAIT (get (call, &call->pushes) >= at + 50);

    server = sound_server_start (SOUND_SERVER_PULSE);
    g_test_message ("heard again after %.0f ms", AWAIT (get (call, &call->pure) >= 20));
    g_assert_cmpuint (call->n_lost, ==, 2);
  }
  sound_server_stop (server);
}

/* A computer without a microphone: its default source is the monitor of its loudspeaker, and the peer would
 * hear himself. */
static void
test_no_microphone (void)
{
  SoundServer *server = start_or_skip (SOUND_SERVER_PULSE);

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("default", "default", "silence");
    g_autoptr (Call) listener = call_new ("pulse:out.monitor", "silence", "silence");

    media_port_set_running (listener->port, TRUE);
    media_port_set_running (call->port, TRUE);
    AWAIT (get (listener, &listener->pure) >= 50);
    AWAIT (get (call, &call->pushes) >= 400);           /* so long that it was tried again */
    g_assert_cmpuint (get (call, &call->silent), ==, get (call, &call->pushes));
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

/* What the settings name is not there when the call begins. */
static void
test_named_and_missing (void)
{
  SoundServer *server = start_or_skip (SOUND_SERVER_PULSE);

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:nowhere", "silence");

    media_port_set_running (call->port, TRUE);
    AWAIT (call->n_lost > 0);
    g_assert_cmpstr (call->lost, ==, "output pulse:nowhere");
    AWAIT (get (call, &call->pure) >= 20);
    /* It is looked for again, and told once. */
    AWAIT (get (call, &call->pushes) >= 700);
    g_assert_cmpuint (call->n_lost, ==, 1);
  }
  sound_server_stop (server);
}

/* The desktop's default changes in a call: it goes there, or stays, as was chosen. */
static void
test_default_changes (gconstpointer data)
{
  SoundServer *server = start_or_skip (GPOINTER_TO_INT (data));

  if (server == NULL)
    return;
  for (guint follow = 0; follow < 2; follow++)
    {
      g_autoptr (Call) call = call_new ("silence", "default", "silence");
      g_autoptr (Call) listener = call_new (follow ? "pulse:other.monitor" : "pulse:out.monitor", "silence", "silence");
      g_autoptr (GError) error = NULL;

      g_assert_true (media_hub_select (call->hub, "follow-default", follow ? "true" : "false", &error));
      media_port_set_running (call->port, TRUE);
      media_port_set_running (listener->port, TRUE);
      if (!follow)
        AWAIT (get (listener, &listener->pure) >= 20);
      else
        AWAIT (get (listener, &listener->pushes) >= 100);       /* it plays on "out" */
      g_free (sound_server_pactl ("set-default-sink other"));
      if (!follow)
        {
          guint pushes = get (listener, &listener->pushes);

          AWAIT (get (listener, &listener->pushes) >= pushes + 100);
        }
      AWAIT (get (listener, &listener->pure) >= 100);
      g_assert_cmpuint (call->n_lost, ==, 0);
      g_free (sound_server_pactl ("set-default-sink out"));
    }
  media_live_set_follow_default (TRUE);
  sound_server_stop (server);
}

/* A headset is plugged in during a call that was to use it: it does not take until the next look, which after some has become rare. */
static void
test_plugged (gconstpointer data)
{
  SoundServer *server = start_or_skip (GPOINTER_TO_INT (data));

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("silence", "pulse:late", "silence");
    double ms;

    media_port_set_running (call->port, TRUE);
    AWAIT (get (call, &call->pushes) >= 700);           /* looks after 2 and 6 s; the next one after 14 */
    {
      g_autofree char *loaded = sound_server_pactl ("load-module module-null-sink sink_name=late");
      g_autoptr (Call) listener = call_new ("pulse:late.monitor", "silence", "silence");

      media_port_set_running (listener->port, TRUE);
      ms = AWAIT (get (listener, &listener->pure) >= 20);
      g_test_message ("heard %.0f ms after it was there", ms);
      g_assert_cmpfloat (ms, <, 5000);
    }
  }
  sound_server_stop (server);
}

/* A user moves the call to another loudspeaker in his mixer: that is his right, and no loss. */
static void
test_moved_by_hand (gconstpointer data)
{
  SoundServer *server = start_or_skip (GPOINTER_TO_INT (data));

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:out", "silence");
    g_autoptr (Call) listener = call_new ("pulse:other.monitor", "silence", "silence");
    g_autofree char *streams = NULL, *move = NULL;

    media_port_set_running (call->port, TRUE);
    media_port_set_running (listener->port, TRUE);
    AWAIT (get (call, &call->pure) >= 20);
    streams = sound_server_pactl ("list short sink-inputs");
    move = g_strdup_printf ("move-sink-input %d other", atoi (streams));
    g_free (sound_server_pactl (move));
    AWAIT (get (listener, &listener->heard) >= 150);
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

static void
on_fader (PhoneFader fader, guint value, gpointer data)
{
  Call *call = data;

  call->n_faded++;
  call->fader[fader] = value;
  media_hub_set_fader (call->hub, fader, value);
}

/* The only stream that records or plays for us, as the mixer shows it: its number, -1: none; its switch and slider. */
static int
mixer_shows (const char *kind, gboolean *ret_muted, guint *ret_volume)
{
  g_autofree char *command = g_strconcat ("list ", kind, NULL);
  g_autofree char *list = sound_server_pactl (command);
  const char *number = strchr (list, '#');
  const char *mute = number != NULL ? strstr (number, "Mute: ") : NULL;
  const char *volume = mute != NULL ? strstr (mute, "Volume: ") : NULL;
  const char *percent = volume != NULL ? strchr (volume, '%') : NULL;

  if (percent == NULL)
    return -1;
  while (g_ascii_isdigit (percent[-1]) || percent[-1] == ' ')
    percent--;
  *ret_muted = g_str_has_prefix (mute, "Mute: yes");
  *ret_volume = atoi (percent);
  return atoi (number + 1);
}

static gboolean
shows (const char *kind, gboolean muted, guint volume)
{
  gboolean is_muted;
  guint is_volume;

  return mixer_shows (kind, &is_muted, &is_volume) >= 0 && is_muted == muted && is_volume == volume;
}

static void
mix (const char *kind, const char *what, const char *value)
{
  gboolean muted;
  guint volume;
  g_autofree char *command = g_strdup_printf ("set-%s-%s %d %s", kind[1] == 'i' ? "sink-input" : "source-output", what,
                                              mixer_shows (kind, &muted, &volume), value);

  g_free (sound_server_pactl (command));
}

#define RECORDING "source-outputs"
#define PLAYBACK "sink-inputs"

/* The mixer of the desktop and we have one switch and one slider for the microphone and for the loudspeaker, and they stay from call to call. */
static void
test_mixer (gconstpointer data)
{
  SoundServer *server = start_or_skip (GPOINTER_TO_INT (data));

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:out", "silence");

    media_hub_on_fader (call->hub, on_fader, call);
    media_port_set_running (call->port, TRUE);
    AWAIT (get (call, &call->pure) >= 20);
    AWAIT (shows (RECORDING, FALSE, 100) && shows (PLAYBACK, FALSE, 100));
    g_assert_cmpuint (call->n_faded, ==, 0);

    /* Theirs. */
    mix (RECORDING, "mute", "1");
    g_test_message ("seen after %.0f ms", AWAIT (call->fader[PHONE_FADER_INPUT_MUTE] == 1));
    AWAIT (get (call, &call->silent) >= 20);
    mix (RECORDING, "mute", "0");
    AWAIT (call->fader[PHONE_FADER_INPUT_MUTE] == 0);
    AWAIT (get (call, &call->pure) >= 20);
    mix (PLAYBACK, "mute", "1");
    AWAIT (call->fader[PHONE_FADER_OUTPUT_MUTE] == 1);
    AWAIT (get (call, &call->silent) >= 20);
    mix (PLAYBACK, "mute", "0");
    AWAIT (call->fader[PHONE_FADER_OUTPUT_MUTE] == 0);
    AWAIT (get (call, &call->pure) >= 20);
    mix (RECORDING, "volume", "137%");
    mix (PLAYBACK, "volume", "10%");
    AWAIT (call->fader[PHONE_FADER_INPUT_VOLUME] == 137 && call->fader[PHONE_FADER_OUTPUT_VOLUME] == 10);
    AWAIT (get (call, &call->quiet) >= 20);             /* 137 % of 10 %: -52 dB */
    g_assert_cmpuint (call->n_faded, ==, 6);

    /* Ours, with a new stream in between. */
    media_hub_set_fader (call->hub, PHONE_FADER_INPUT_MUTE, 1);
    media_hub_set_fader (call->hub, PHONE_FADER_INPUT_VOLUME, 100);
    media_hub_set_fader (call->hub, PHONE_FADER_OUTPUT_VOLUME, 63);
    AWAIT (shows (RECORDING, TRUE, 100) && shows (PLAYBACK, FALSE, 63));
    media_port_set_running (call->port, FALSE);
    media_hub_set_fader (call->hub, PHONE_FADER_OUTPUT_MUTE, 1);
    media_port_set_running (call->port, TRUE);
    AWAIT (shows (RECORDING, TRUE, 100) && shows (PLAYBACK, TRUE, 63));
    AWAIT (get (call, &call->silent) >= 20);
    media_hub_set_fader (call->hub, PHONE_FADER_INPUT_MUTE, 0);
    AWAIT (shows (RECORDING, FALSE, 100));
    media_hub_set_fader (call->hub, PHONE_FADER_OUTPUT_MUTE, 0);
    media_hub_set_fader (call->hub, PHONE_FADER_OUTPUT_VOLUME, 100);
    AWAIT (shows (PLAYBACK, FALSE, 100));
    AWAIT (get (call, &call->pure) >= 20);
    g_assert_cmpuint (call->n_faded, ==, 6);            /* our own doing is no news */
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

static void
on_news (gpointer data, MediaFaderPart part, const char *text)
{
  char **told = data;

  g_free (told[part]);
  told[part] = g_strdup (text);
}

/* What is told and what goes where, with GStreamer's own mute and volume in place of a server. */
static void
test_fader (void)
{
  GstElement *element, *plain;
  char *told[MEDIA_FADER_N_PARTS] = { NULL };
  MediaFader fader;
  gint64 now = 100 * G_USEC_PER_SEC;
  gboolean muted;
  double volume;
  guint value;

  gst_init (NULL, NULL);
  element = gst_object_ref_sink (gst_element_factory_make ("volume", NULL));
  plain = gst_object_ref_sink (gst_element_factory_make ("identity", NULL));
  media_fader_init (&fader);
  g_assert_false (media_fader_is_due (&fader));
  media_fader_check (&fader, element, now, on_news, told);
  g_assert_true (told[MEDIA_FADER_MUTE] == NULL && told[MEDIA_FADER_VOLUME] == NULL);

  g_object_set (element, "volume", 0.125, NULL);        /* 50 % is an eighth */
  media_fader_check (&fader, element, now, on_news, told);
  g_assert_true (media_fader_hear (&fader, MEDIA_FADER_VOLUME, told[MEDIA_FADER_VOLUME], &value));
  g_assert_cmpuint (value, ==, 50);
  g_assert_null (told[MEDIA_FADER_MUTE]);

  /* A word of ours is under way: theirs is stale, and ours arrives. */
  media_fader_set (&fader, MEDIA_FADER_VOLUME, 120);
  g_assert_true (media_fader_is_due (&fader));
  g_assert_false (media_fader_hear (&fader, MEDIA_FADER_VOLUME, told[MEDIA_FADER_VOLUME], &value));
  media_fader_set (&fader, MEDIA_FADER_MUTE, 1);
  media_fader_check (&fader, element, now, on_news, told);
  g_assert_false (media_fader_is_due (&fader));
  g_object_get (element, "mute", &muted, "volume", &volume, NULL);
  g_assert_true (muted);
  g_assert_cmpfloat_with_epsilon (volume, 1.728, 1e-6);
  g_assert_null (told[MEDIA_FADER_MUTE]);

  /* A server has a second to do it, and is told again as long; then what it shows counts. More than we can show is shown as the most. */
  g_object_set (element, "mute", FALSE, "volume", 8.0, NULL);
  media_fader_check (&fader, element, now + G_USEC_PER_SEC / 2, on_news, told);
  g_assert_null (told[MEDIA_FADER_MUTE]);
  g_object_get (element, "mute", &muted, NULL);
  g_assert_true (muted);
  g_object_set (element, "mute", FALSE, "volume", 8.0, NULL);
  media_fader_check (&fader, element, now + G_USEC_PER_SEC, on_news, told);
  g_assert_true (media_fader_hear (&fader, MEDIA_FADER_MUTE, told[MEDIA_FADER_MUTE], &value));
  g_assert_cmpuint (value, ==, 0);
  g_assert_true (media_fader_hear (&fader, MEDIA_FADER_VOLUME, told[MEDIA_FADER_VOLUME], &value));
  g_assert_cmpuint (value, ==, 150);
  g_object_get (element, "volume", &volume, NULL);
  g_assert_cmpfloat (volume, ==, 8);

  /* Another stream begins as the last one was left, by whom ever. */
  media_fader_set (&fader, MEDIA_FADER_MUTE, 1);
  g_object_set (element, "mute", FALSE, "volume", 1.0, NULL);
  media_fader_prepare (&fader, element, now + G_USEC_PER_SEC);
  g_object_get (element, "mute", &muted, "volume", &volume, NULL);
  g_assert_true (muted);
  g_assert_cmpfloat_with_epsilon (volume, 3.375, 1e-6);
  /* However long it takes to come up: what the server lost meanwhile is no wish to be heard. */
  g_object_set (element, "mute", FALSE, NULL);
  g_clear_pointer (&told[MEDIA_FADER_MUTE], g_free);
  media_fader_check (&fader, element, now + 30 * G_USEC_PER_SEC, on_news, told);
  g_assert_null (told[MEDIA_FADER_MUTE]);
  g_object_get (element, "mute", &muted, NULL);
  g_assert_true (muted);

  /* Nothing to turn, and nothing left to do. */
  media_fader_set (&fader, MEDIA_FADER_MUTE, 1);
  media_fader_check (&fader, plain, now, on_news, told);
  g_assert_false (media_fader_is_due (&fader));
  media_fader_prepare (&fader, plain, now);
  media_fader_set (&fader, MEDIA_FADER_VOLUME, 50);
  media_fader_prepare (&fader, NULL, now);
  media_fader_check (&fader, NULL, now, on_news, told);
  g_assert_false (media_fader_is_due (&fader));
  for (guint i = 0; i < MEDIA_FADER_N_PARTS; i++)
    g_free (told[i]);
  gst_object_unref (element);
  gst_object_unref (plain);
}

/* Devices are changed in a call, again and again, and none of the old ones says anything any more. */
static void
test_switching (void)
{
  static const char *const outputs[] = { "pulse:out", "silence", "default", "pulse:other", "pulse" };
  SoundServer *server = start_or_skip (SOUND_SERVER_PULSE);

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:other", "silence");
    g_autoptr (GError) error = NULL;

    media_port_set_running (call->port, TRUE);
    for (guint i = 0; i < 25; i++)
      {
        guint at = get (call, &call->pushes);

        g_assert_true (media_hub_select (call->hub, "output", outputs[i % G_N_ELEMENTS (outputs)], &error));
        g_assert_true (
            media_hub_select (call->hub, "input", i % 2 ? "default" : "pulse:out.monitor", &error));
        AWAIT (get (call, &call->pushes) >= at + i);
        if (i % 7 == 0)
          {
            media_port_set_running (call->port, FALSE);
            media_port_set_running (call->port, TRUE);
          }
      }
    g_assert_true (media_hub_select (call->hub, "output", "pulse:out", &error));
    AWAIT (get (call, &call->pure) >= 20);
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

/* The monitor of the sink stands for the room: what the call plays comes back, until it is taken for echo. By itself nobody does that to
 * a monitor. */
static void
test_echo_cancelled (gconstpointer data)
{
  SoundServer *server = start_or_skip (GPOINTER_TO_INT (data));
  GError *error = NULL;

  if (server == NULL)
    return;
  {
    g_autoptr (Call) call = call_new ("pulse:out.monitor", "pulse:out", "silence");
    g_autofree char *mode = media_hub_selected (call->hub, "echo-cancel");

    g_assert_cmpstr (mode, ==, "auto");
    g_assert_false (media_hub_select (call->hub, "echo-cancel", "perhaps", &error));
    g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    g_clear_error (&error);
    media_port_set_running (call->port, TRUE);
    AWAIT (get (call, &call->pure) >= 50);
    g_assert_true (media_hub_select (call->hub, "echo-cancel", "on", &error));
    g_test_message ("no echo for half a second after %.0f ms", AWAIT (get (call, &call->quiet) >= 50));
    g_assert_true (media_hub_select (call->hub, "echo-cancel", "off", &error));
    AWAIT (get (call, &call->pure) >= 50);
    g_assert_cmpuint (call->n_lost, ==, 0);
  }
  sound_server_stop (server);
}

int
main (int argc, char **argv)
{
  int result;

  sound_server_isolate ();
  g_test_init (&argc, &argv, NULL);
  g_log_set_always_fatal (G_LOG_FATAL_MASK | G_LOG_LEVEL_CRITICAL);
  g_test_add_func ("/device/nothing-there", test_nothing_there);
  g_test_add_data_func ("/device/round-trip/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE), test_round_trip);
  g_test_add_data_func ("/device/round-trip/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE),
                        test_round_trip);
  g_test_add_data_func ("/device/sink-unloaded/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE),
                        test_sink_unloaded);
  g_test_add_data_func ("/device/sink-unloaded/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE),
                        test_sink_unloaded);
  g_test_add_func ("/device/server-killed", test_server_killed);
  g_test_add_func ("/device/no-microphone", test_no_microphone);
  g_test_add_func ("/device/named-and-missing", test_named_and_missing);
  g_test_add_data_func ("/device/default-changes/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE), test_default_changes);
  g_test_add_data_func ("/device/default-changes/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE), test_default_changes);
  g_test_add_data_func ("/device/plugged/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE), test_plugged);
  g_test_add_data_func ("/device/plugged/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE), test_plugged);
  g_test_add_data_func ("/device/moved-by-hand/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE),
                        test_moved_by_hand);
  g_test_add_data_func ("/device/moved-by-hand/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE),
                        test_moved_by_hand);
  g_test_add_data_func ("/device/mixer/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE), test_mixer);
  g_test_add_data_func ("/device/mixer/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE), test_mixer);
  g_test_add_func ("/device/fader", test_fader);
  g_test_add_func ("/device/switching", test_switching);
  g_test_add_data_func ("/device/echo-cancelled/pulse", GINT_TO_POINTER (SOUND_SERVER_PULSE), test_echo_cancelled);
  g_test_add_data_func ("/device/echo-cancelled/pipewire", GINT_TO_POINTER (SOUND_SERVER_PIPEWIRE), test_echo_cancelled);
  result = g_test_run ();
  sound_server_isolate_over ();
  return result;
}
