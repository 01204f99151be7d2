/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Teardown blocks (joins, and up to 110 ms when the machine is loaded), so each call gets a thread for it: an element that hangs keeps
 * nobody else. A watchdog on the main loop names what does not stop. */

#include "media/media.h"

#include <gst/gst.h>

#include "media/media-export.h"
#include "media/media-file.h"
#include "media/media-hub.h"
#include "media/media-conference.h"
#include "media/media-session.h"
#include "media/media-thread.h"
#include "media/media-srtp.h"
#include "util/log.h"

#define RETIRE_SECONDS 5                /* then the watchdog speaks */
#define FREE_SECONDS 3

struct _MediaEngine
{
  gint references;                      /* atomic: the owner's and one for each retirement */
  PhoneDaemonSettings *settings;
  GMainContext *context;
  MediaHub *hub;
  pthread_t crypto;
  gboolean has_crypto;                  /* the thread is there to be joined */
  pthread_mutex_t lock;
  pthread_cond_t done;
  guint retiring;
};

typedef struct
{
  MediaEngine *engine;
  PhoneMedia *media;
  GSource *watchdog;
} Retirement;

static void
engine_unref (MediaEngine *engine)
{
  if (!g_atomic_int_dec_and_test (&engine->references))
    return;
  pthread_mutex_destroy (&engine->lock);
  pthread_cond_destroy (&engine->done);
  g_main_context_unref (engine->context);
  g_free (engine);
}

/* ---- teardown ---- */

static gboolean
on_watchdog (gpointer data)
{
  PhoneMedia *media = data;
  PhoneLogFields fields = { .call = media_session_get_name (media) };

  phone_log_warning (&fields, "media of an ended call does not stop after %d s: %s", RETIRE_SECONDS,
                     media_session_is_stuck (media) ? "its network thread does not end" : "somebody holds it");
  return G_SOURCE_CONTINUE;
}

static void
on_retire (gpointer data)
{
  Retirement *retirement = data;
  MediaEngine *engine = retirement->engine;

  media_session_finish (retirement->media);
  g_source_destroy (retirement->watchdog);
  g_source_unref (retirement->watchdog);
  g_free (retirement);

  pthread_mutex_lock (&engine->lock);
  engine->retiring--;
  pthread_cond_broadcast (&engine->done);
  pthread_mutex_unlock (&engine->lock);
  engine_unref (engine);
}

static void
retire (PhoneMedia *media, gpointer data)
{
  MediaEngine *engine = data;
  Retirement *retirement = g_new0 (Retirement, 1);

  retirement->engine = engine;
  g_atomic_int_inc (&engine->references);
  retirement->media = media;
  retirement->watchdog = g_timeout_source_new_seconds (RETIRE_SECONDS);
  g_source_set_callback (retirement->watchdog, on_watchdog, media_session_ref (media), (GDestroyNotify) media_session_unref);
  g_source_attach (retirement->watchdog, engine->context);
  pthread_mutex_lock (&engine->lock);
  engine->retiring++;
  pthread_mutex_unlock (&engine->lock);
  MediaThread *thread = media_thread_start ("media-retire", on_retire, retirement);
  if (thread != NULL)
    media_thread_release (thread);
  else
    on_retire (retirement);             /* no thread to be had: late is better than never */
}

guint
media_engine_get_retiring (MediaEngine *engine)
{
  pthread_mutex_lock (&engine->lock);
  guint n = engine->retiring;
  pthread_mutex_unlock (&engine->lock);
  return n;
}

/* ---- engine ---- */

/* GStreamer keeps one registry for all its users; another one's plugin path or a plugin that crashes in the scanner makes it stale, and
 * rebuilding it costs half a second at a bad moment. */
static void
start_gstreamer (void)
{
  if (gst_is_initialized ())
    return;
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (), "phoned", NULL);
  g_autofree char *registry = g_build_filename (folder, "gstreamer-1.0.registry", NULL);
  if (g_mkdir_with_parents (folder, 0700) == 0)
    g_setenv ("GST_REGISTRY", registry, FALSE);
  gst_init (NULL, NULL);
}

/* libsrtp's tests of itself take some 10 ms. Beside the start they delay neither the registration nor the first call. */
static void *
start_crypto (void *unused)
{
  g_autoptr (GError) error = NULL;
  if (!media_srtp_init (&error))
    phone_log_warning (NULL, "no encrypted call will work: %s", error->message);
  return NULL;
}

MediaEngine *
media_engine_new (const PhoneDaemonSettings *settings, GError **error)
{
  start_gstreamer ();
  MediaEngine *engine = g_new0 (MediaEngine, 1);
  engine->references = 1;
  engine->settings = phone_daemon_settings_copy (settings);
  engine->context = g_main_context_ref_thread_default ();
  engine->hub = media_hub_new (settings);
  engine->has_crypto = media_thread_create (&engine->crypto, start_crypto, NULL);
  media_mutex_init (&engine->lock);
  media_cond_init (&engine->done);
  return engine;
}

void
media_engine_set_settings (MediaEngine *engine, const PhoneDaemonSettings *settings)
{
  phone_daemon_settings_free (engine->settings);
  engine->settings = phone_daemon_settings_copy (settings);
  media_hub_set_processing (engine->hub, settings);
}

void
media_engine_on_device_lost (MediaEngine *engine, void (*callback) (const char *role, const char *device, gpointer data),
                             gpointer data)
{
  media_hub_on_device_lost (engine->hub, callback, data);
}

void
media_engine_on_fader (MediaEngine *engine, void (*callback) (PhoneFader fader, guint value, gpointer data), gpointer data)
{
  media_hub_on_fader (engine->hub, callback, data);
}

void
media_engine_free (MediaEngine *engine)
{
  if (engine == NULL)
    return;
  gint64 until = g_get_monotonic_time () + FREE_SECONDS * G_USEC_PER_SEC;

  if (engine->has_crypto)
    pthread_join (engine->crypto, NULL);
  pthread_mutex_lock (&engine->lock);
  while (engine->retiring > 0 && media_cond_wait_until (&engine->done, &engine->lock, until))
    ;
  guint left = engine->retiring;
  pthread_mutex_unlock (&engine->lock);
  if (left > 0)
    phone_log_warning (NULL, "media of %u ended calls did not stop; left behind", left);
  media_hub_free (engine->hub);
  phone_daemon_settings_free (engine->settings);
  engine_unref (engine);
}

/* ---- the table ---- */

static PhoneMedia *
media_new (gpointer data, PhoneCall *call, const PhoneMediaParams *params, const PhoneMediaEvents *events, GError **error)
{
  MediaEngine *engine = data;
  MediaSessionHost host = { .hub = engine->hub, .settings = engine->settings, .context = engine->context, .retire = retire,
                            .data = engine };
  return media_session_new (&host, call, params, events, error);
}

static void
media_free (PhoneMedia *media)
{
  if (media != NULL)
    media_session_close (media);
}

static PhoneRoom *
room_new (gpointer engine, PhoneRoomFailed failed, gpointer data)
{
  return media_conference_new (((MediaEngine *) engine)->hub, failed, data);
}

static void
media_set_room (PhoneMedia *media, PhoneRoom *room)
{
  media_session_set_room (media, room != NULL ? media_conference_get_room (room) : NULL);
}

static void
set_ring (gpointer engine, PhoneTone tone, const char *country, const char *sound)
{
  media_hub_set_ring (((MediaEngine *) engine)->hub, tone, country, sound);
}

static gboolean
audio_select (gpointer engine, const char *role, const char *device, GError **error)
{
  return media_hub_select (((MediaEngine *) engine)->hub, role, device, error);
}

static char *
audio_selected (gpointer engine, const char *role)
{
  return media_hub_selected (((MediaEngine *) engine)->hub, role);
}

static GPtrArray *
audio_devices (gpointer engine)
{
  return media_hub_devices (((MediaEngine *) engine)->hub);
}

static gboolean
audio_test_tone (gpointer engine, const char *role, GError **error)
{
  return media_hub_test_tone (((MediaEngine *) engine)->hub, role, error);
}

static void
audio_set_fader (gpointer engine, PhoneFader fader, guint value)
{
  media_hub_set_fader (((MediaEngine *) engine)->hub, fader, value);
}

static gboolean
check_sound (const char *path, double *ret_seconds, GError **error)
{
  return media_file_input_check (path, ret_seconds, error);
}

const PhoneMediaOps media_ops = {
  .media_new = media_new,
  .media_ice = media_session_get_ice,
  .media_ice_state = media_session_get_ice_state,
  .media_ice_restart = media_session_restart_ice,
  .media_ice_trickle = media_session_trickle_ice,
  .media_ice_renew = media_session_renew_ice,
  .media_ice_drop = media_session_drop_ice,
  .media_ports = media_session_get_ports,
  .media_dtls = media_session_get_dtls,
  .media_apply = media_session_apply,
  .media_set_muted = media_session_set_muted,
  .open_stream = media_session_open_stream,
  .play = media_session_play,
  .stop_playing = media_session_stop_playing,
  .check_sound = check_sound,
  .record_start = media_session_record_start,
  .record_pause = media_session_record_pause,
  .record_stop = media_session_record_stop,
  .media_set_attached = media_session_set_attached,
  .media_set_tone = media_session_set_tone,
  .media_beep = media_session_beep,
  .media_send_dtmf = media_session_send_dtmf,
  .room_new = room_new,
  .room_free = media_conference_free,
  .room_set = media_conference_set,
  .room_level = media_conference_get_level,
  .room_record_start = media_conference_record_start,
  .room_record_pause = media_conference_record_pause,
  .room_record_stop = media_conference_record_stop,
  .room_open_stream = media_conference_open_stream,
  .export_sound = media_export,
  .media_set_room = media_set_room,
  .media_set_voice = media_session_set_voice,
  .media_level = media_session_get_level,
  .media_report = media_session_report,
  .media_free = media_free,
  .set_ring = set_ring,
  .audio_select = audio_select,
  .audio_selected = audio_selected,
  .audio_devices = audio_devices,
  .audio_test_tone = audio_test_tone,
  .audio_set_fader = audio_set_fader,
};
