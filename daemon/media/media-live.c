/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*   playback:   [hub source] ! audioconvert ! audioresample ! pulsesink | pipewiresink | alsasink
 *   capture:    pulsesrc | pipewiresrc | alsasrc ! audioconvert ! audioresample ! [hub sink]
 *
 * with a volume beside the hub's element where the device's has no mixer.
 *
 * The converters pass through where the device takes MEDIA_RATE mono, as sound servers do. No element waits
 * for timestamps (sync is off): a playback pipeline runs as fast as the device takes samples, which is what
 * makes the device the clock of the hub.
 *
 * The thread of a MediaLive is the only one that changes the pipeline's state. It follows what is wanted,
 * notices errors that the bus reports, and, while the device is on, looks twice a second whether samples
 * flow: a sound server that hangs or a sink that was suspended says nothing by itself.
 *
 * When a sound server loses the device that a stream plays on, it moves the stream to another one, quietly:
 * so we look where it is. A user who moves it by hand may do so: it counts as lost only if the device is
 * gone from the server's list. */

#include "media/media-live.h"
#include "media/media-probe.h"
#include "media/media-shortage.h"
#include "media/media-thread.h"

#include <gst/audio/audio.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define WATCH_US (G_USEC_PER_SEC / 2)
#define PLACE_TRIES 50
#define PLACE_US 20000          /* between looks for where a new stream is */
/* Watches without a sample until the device is given up; an idle null sink sleeps 2 s. */
#define STILL_LIMIT 6
#define FIRST_LIMIT 10          /* the same until the first one has come */

#define PIN_MS 1000             /* that the server has to say which device is the default */
#define TELL_US 20000           /* that a device has to say why it failed, once something else did */
#define MAX_DELAY_MS 500

/* In us. Measured on null sinks by tests/bench/bench-device.c with real-time priority: the round trip on PulseAudio 16 is the buffer (20.5, 25,
 * 40 ms), and on PipeWire 0.3.65 37 to 43 ms for all three. 200 ms, the default of GStreamer's elements, are 120 ms of round trip. On a
 * machine with ten busy processes for each core and no priority the sound broke 230, 69, 16, 10 and 0 times in 10 s with
 * 20, 30, 40, 60 and 200 ms: so it begins with the least, and takes the next one when frames come too late. The period is what the sound
 * waits for before it can be sent; 5 instead of 10 are 5 to 10 ms less from mouth to ear (tests/bench/voice --link clean). */
static const struct
{
  guint buffer, period;
} sizes[] = { { 20000, 5000 }, { 40000, 10000 }, { 80000, 10000 } };
#define CAPTURE_US 40000        /* room only; what counts is the period */
#define FRAME_US (MEDIA_FRAME * (gint64) G_USEC_PER_SEC / MEDIA_RATE)
#define SHORTAGES_US (10 * G_USEC_PER_SEC)      /* within that three of them are no accident */
#define FORGET_US (600 * G_USEC_PER_SEC)        /* until a smaller buffer is tried again, by what is opened then */
static guint fixed_buffer_us, fixed_period_us;  /* 0: sizes */
static atomic_bool follow_default = TRUE;
static atomic_uint output_size;                 /* index in sizes, of what plays calls */
static _Atomic gint64 output_grown;             /* us */

struct _MediaLive
{
  atomic_int references;
  MediaRole role;
  MediaDevice device;           /* name owned */
  MediaNotify *notify;
  guint serial;
  MediaThread *thread;          /* main thread's */
  atomic_uint flowed;           /* buffers so far */
  atomic_ullong produced;       /* samples made for playback since the pipeline was last started */
  guint size;                   /* index in sizes; of the own thread, but for reading what is open */
  MediaShortage shortage;       /* playing thread */
  gint64 short_at[2];           /* us, playing thread: of the last one and the one before, 0: none */
  _Atomic double delay;
  double ahead;                 /* capture thread: us by which the device is ahead of real time */
  gint64 last_captured;
  atomic_bool placed;           /* the stream was seen where it belongs; nothing is captured or heard before */

  pthread_mutex_t flow_lock;    /* of the three: held while one of them runs */
  MediaLiveDemand demand;
  MediaLiveCaptured captured;
  gpointer data;

  pthread_mutex_t lock;         /* of all below */
  pthread_cond_t changed;
  MediaLiveState wanted;
  gboolean quit, grow;
  char *failure;
  gboolean weak;

  MediaFader fader;
  GstElement *faded;            /* own thread: what has mute and volume, owned by the pipeline: the device's, one of ours, or NULL */
  char *place;                  /* own thread: as told */
  GstElement *pipeline;         /* the same */
  GstElement *element;          /* the device's, owned by the pipeline */
};

static void
live_unref (gpointer data)
{
  MediaLive *live = data;

  if (atomic_fetch_sub (&live->references, 1) > 1)
    return;
  pthread_mutex_destroy (&live->flow_lock);
  pthread_mutex_destroy (&live->lock);
  pthread_cond_destroy (&live->changed);
  media_notify_unref (live->notify);
  g_free (live->device.name);
  g_free (live->failure);
  g_free (live->place);
  g_free (live);
}

static MediaLive *
live_ref (MediaLive *live)
{
  atomic_fetch_add (&live->references, 1);
  return live;
}

static void
post (MediaLive *live, MediaLiveEvent event, const char *text)
{
  media_notify_post (live->notify, live->serial * MEDIA_LIVE_N_EVENTS + event, text);
}

/* weak: a consequence of something that the device itself may still tell better. */
static void
fail_with (MediaLive *live, const char *why, gboolean weak)
{
  pthread_mutex_lock (&live->lock);
  if (live->failure == NULL || (live->weak && !weak))
    {
      g_free (live->failure);
      live->failure = g_strdup (why);
      live->weak = weak;
    }
  pthread_cond_signal (&live->changed);
  pthread_mutex_unlock (&live->lock);
}

static void
fail (MediaLive *live, const char *why)
{
  fail_with (live, why, FALSE);
}

/* ---- streaming threads ---- */

static void
count_flow (MediaLive *live)
{
  if (atomic_fetch_add (&live->flowed, 1) == 0)
    post (live, MEDIA_LIVE_STARTED, NULL);
}

static guint
buffer_us (const MediaLive *live)
{
  if (fixed_buffer_us > 0)
    return fixed_buffer_us;
  return live->role == MEDIA_ROLE_INPUT ? CAPTURE_US : sizes[live->size].buffer;
}

static guint
period_us (const MediaLive *live)
{
  return fixed_period_us > 0 ? fixed_period_us : sizes[live->size].period;
}

static void
watch_shortage (MediaLive *live)
{
  gint64 now = g_get_monotonic_time ();

  if (!media_shortage_add (&live->shortage, now, buffer_us (live), FRAME_US))
    return;
  if (live->short_at[1] != 0 && now - live->short_at[1] < SHORTAGES_US)
    {
      pthread_mutex_lock (&live->lock);
      live->grow = TRUE;
      pthread_cond_signal (&live->changed);
      pthread_mutex_unlock (&live->lock);
    }
  live->short_at[1] = live->short_at[0];
  live->short_at[0] = now;
}

static void
on_demand (gpointer data, gint16 *ret_frame)
{
  MediaLive *live = data;
  guint64 produced = atomic_fetch_add (&live->produced, MEDIA_FRAME);

  if (produced == 0)
    {
      media_shortage_init (&live->shortage);
      live->short_at[0] = live->short_at[1] = 0;
    }
  watch_shortage (live);
  if (atomic_load (&live->placed))
    count_flow (live);
  /* What fills the buffer at the beginning is asked for at once: the clock does not run ahead for it. And nothing is heard from a
   * loudspeaker that was not meant. */
  if (produced * G_USEC_PER_SEC / MEDIA_RATE < buffer_us (live) || !atomic_load (&live->placed))
    {
      memset (ret_frame, 0, MEDIA_FRAME * sizeof *ret_frame);
      return;
    }
  pthread_mutex_lock (&live->flow_lock);
  if (live->demand != NULL)
    live->demand (live->data, ret_frame);
  else
    memset (ret_frame, 0, MEDIA_FRAME * sizeof *ret_frame);
  pthread_mutex_unlock (&live->flow_lock);
}

static void
on_captured (gpointer data, const gint16 *samples, guint n, double age)
{
  MediaLive *live = data;
  gint64 now = g_get_monotonic_time ();

  /* A device that keeps no time (alsa:null) is made to wait, as media_clock_demand() does with one that
   * plays. */
  live->ahead
      = MAX (live->ahead + (double) n * G_USEC_PER_SEC / MEDIA_RATE - 1.01 * (now - live->last_captured), 0);
  live->last_captured = now;
  if (live->ahead > 2 * G_USEC_PER_SEC)
    g_usleep (10000);

  if (!atomic_load (&live->placed))
    return;
  count_flow (live);
  pthread_mutex_lock (&live->flow_lock);
  if (live->captured != NULL)
    live->captured (live->data, samples, n, age);
  pthread_mutex_unlock (&live->flow_lock);
}

static GstBusSyncReply
on_message (GstBus *bus, GstMessage *message, gpointer data)
{
  MediaLive *live = data;

  if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_ERROR)
    {
      g_autoptr (GError) error = NULL;

      gst_message_parse_error (message, &error, NULL);
      fail_with (live, error->message, GST_MESSAGE_SRC (message) != GST_OBJECT (live->element));
    }
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_EOS)
    fail (live, "the stream ended");
  else if (GST_MESSAGE_TYPE (message) == GST_MESSAGE_STREAM_STATUS)
    {
      GstStreamStatusType type;
      GstElement *owner;

      gst_message_parse_stream_status (message, &type, &owner);
      if (type == GST_STREAM_STATUS_TYPE_ENTER)
        media_thread_prepare (live->role == MEDIA_ROLE_INPUT ? "phoned-capture" : "phoned-play", TRUE);
      else if (type == GST_STREAM_STATUS_TYPE_LEAVE)
        media_thread_restore ();        /* it goes back to GLib's pool */
    }
  gst_message_unref (message);
  return GST_BUS_DROP;
}

/* ---- the pipeline ---- */

static GstElement *
make (MediaLive *live, const char *factory)
{
  GstElement *element = gst_element_factory_make (factory, NULL);

  if (element == NULL)
    {
      g_autofree char *text = g_strdup_printf ("the GStreamer element %s is not installed", factory);
      fail (live, text);
    }
  return element;
}

/* For devices without one of their own. Sound does without it: what is muted in the phone stays muted there. */
static GstElement *
make_volume (MediaLive *live)
{
  GstElement *element = gst_element_factory_make ("volume", NULL);

  if (element == NULL)
    g_message ("Audio %s: the GStreamer element volume is not installed: no volume of this device, and no mute of its own",
               media_role_to_string (live->role));
  return element;
}

static void
set_stream_properties (GstElement *element, const char *role)
{
  GstStructure *properties
      = gst_structure_new ("properties", "media.role", G_TYPE_STRING, role, "application.name", G_TYPE_STRING,
                           "phoned", "application.id", G_TYPE_STRING, "org.phoned.Phone1",
                           "application.icon_name", G_TYPE_STRING, "phone", NULL);

  g_object_set (element, "stream-properties", properties, NULL);
  gst_structure_free (properties);
}

/* A stream without a name follows the default; one that shall not gets the name of what is the default now. */
static void
pin_default (MediaLive *live)
{
  MediaRole role = live->role == MEDIA_ROLE_INPUT ? MEDIA_ROLE_INPUT : MEDIA_ROLE_OUTPUT;
  g_autoptr (GPtrArray) found = NULL;

  if (atomic_load (&follow_default) || g_object_class_find_property (G_OBJECT_GET_CLASS (live->element), "current-device") == NULL)
    return;
  found = media_probe (MEDIA_DEVICE_PULSE, PIN_MS);
  for (guint i = 0; found != NULL && i < found->len; i++)
    {
      MediaProbed *probed = g_ptr_array_index (found, i);

      if (probed->role == role && probed->is_default)
        g_object_set (live->element, "device", probed->name, NULL);
    }
}

static GstElement *
make_device (MediaLive *live)
{
  gboolean input = live->role == MEDIA_ROLE_INPUT, ring = live->role == MEDIA_ROLE_RING;
  MediaDeviceKind kind = live->device.kind;
  GstElement *element = NULL;

  /* The nodes of PipeWire have the same names there, and the sound is better (see
   * media_device_find_candidates()). */
  if (kind == MEDIA_DEVICE_PIPEWIRE && media_device_pulse_is_pipewire ())
    kind = MEDIA_DEVICE_PULSE;
  switch (kind)
    {
    case MEDIA_DEVICE_PULSE:
      element = make (live, input ? "pulsesrc" : "pulsesink");
      if (element == NULL)
        return NULL;
      g_object_set (element, "client-name", "phoned", NULL);
      if (live->device.name != NULL)
        g_object_set (element, "device", live->device.name, NULL);
      set_stream_properties (element, ring ? "event" : "phone");
      break;
    case MEDIA_DEVICE_PIPEWIRE:
      element = make (live, input ? "pipewiresrc" : "pipewiresink");
      if (element == NULL)
        return NULL;
      g_object_set (element, "client-name", "phoned", NULL);
      if (live->device.name != NULL)
        g_object_set (element, "target-object", live->device.name, NULL);
      {
        GstStructure *properties = gst_structure_new (
            "properties", "media.role", G_TYPE_STRING, ring ? "Notification" : "Communication",
            "node.latency", G_TYPE_STRING, "480/48000", "application.name", G_TYPE_STRING, "phoned",
            "node.name", G_TYPE_STRING, "phoned", NULL);
        g_object_set (element, "stream-properties", properties, NULL);
        gst_structure_free (properties);
      }
      break;
    case MEDIA_DEVICE_ALSA:
      element = make (live, input ? "alsasrc" : "alsasink");
      if (element == NULL)
        return NULL;
      if (live->device.name != NULL)
        g_object_set (element, "device", live->device.name, NULL);
      break;
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_FILE:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      g_return_val_if_reached (NULL);
    }
  if (!input)
    g_object_set (element, "sync", FALSE, NULL);
  return element;
}

static gboolean
build (MediaLive *live)
{
  gboolean input = live->role == MEDIA_ROLE_INPUT;
  GstElement *convert = make (live, "audioconvert"), *resample = make (live, "audioresample");
  GstElement *ours = input ? media_live_sink_new (on_captured, live_ref (live), live_unref)
                           : media_live_source_new (on_demand, live_ref (live), live_unref);
  GstElement *volume = NULL;
  gboolean linked;
  GstBus *bus;

  live->element = make_device (live);
  if (live->element != NULL && live->device.name == NULL)
    pin_default (live);
  live->pipeline = gst_pipeline_new (NULL);
  bus = gst_element_get_bus (live->pipeline);
  gst_bus_set_sync_handler (bus, on_message, live_ref (live), live_unref);
  gst_object_unref (bus);

  if (live->element != NULL && g_object_class_find_property (G_OBJECT_GET_CLASS (live->element), "mute") != NULL)
    live->faded = live->element;
  else
    live->faded = volume = make_volume (live);
  if (convert == NULL || resample == NULL || live->element == NULL)
    {
      GstElement *parts[] = { convert, resample, ours, volume, live->element };
      for (guint i = 0; i < G_N_ELEMENTS (parts); i++)
        if (parts[i] != NULL)
          gst_object_unref (gst_object_ref_sink (parts[i]));
      return FALSE;
    }
  gst_bin_add_many (GST_BIN (live->pipeline), live->element, convert, resample, ours, volume, NULL);
  linked = input ? gst_element_link_many (live->element, convert, resample, volume != NULL ? volume : ours, NULL)
                 : gst_element_link_many (volume != NULL ? volume : ours, convert, resample, live->element, NULL);
  if (linked && volume != NULL)
    linked = input ? gst_element_link (volume, ours) : gst_element_link (ours, volume);
  if (linked)
    return TRUE;
  fail (live, "its format does not fit");
  return FALSE;
}

/* PipeWire's own elements have no buffer of ours. */
static void
set_buffers (MediaLive *live)
{
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (live->element), "buffer-time") != NULL)
    g_object_set (live->element, "buffer-time", (gint64) buffer_us (live), "latency-time", (gint64) period_us (live), NULL);
}

static void
set_state (MediaLive *live, GstState state)
{
  if (state == GST_STATE_PLAYING)
    set_buffers (live);
  if (gst_element_set_state (live->pipeline, state) == GST_STATE_CHANGE_FAILURE)
    fail_with (live, "it cannot be opened", TRUE);
}

/* How long sound is under way between this pipeline and the air. Elements built on GStreamer's audio ring
 * buffer know. */
static void
measure_delay (MediaLive *live)
{
  double delay = NAN;

  if (GST_IS_AUDIO_BASE_SRC (live->element))
    {
      GstAudioRingBuffer *ring = GST_AUDIO_BASE_SRC (live->element)->ringbuffer;

      if (ring != NULL && ring->spec.info.rate > 0)
        delay = gst_audio_ring_buffer_delay (ring) * 1000.0 / ring->spec.info.rate;
    }
  else if (GST_IS_AUDIO_BASE_SINK (live->element))
    {
      /* The pipeline's clock is the sink's: what was played. */
      GstClockTime played = gst_element_get_current_running_time (live->pipeline);

      if (GST_CLOCK_TIME_IS_VALID (played))
        delay = (atomic_load (&live->produced) * 1000.0 / MEDIA_RATE) - played / 1e6;
    }
  /* Monitors of idle sinks and streams that just started tell fairy tales. */
  if (delay < 0 || delay > MAX_DELAY_MS)
    delay = NAN;
  atomic_store (&live->delay, delay);
}

static void
set_placed (MediaLive *live, const char *place)
{
  if (place == NULL)
    place = "";
  if (g_strcmp0 (place, live->place) != 0)
    {
      g_free (live->place);
      live->place = g_strdup (place);
      post (live, MEDIA_LIVE_PLACED, place);
    }
  atomic_store (&live->placed, TRUE);
}

/* Where the server has put the stream. Own thread. */
static void
check_place (MediaLive *live)
{
  const char *wanted = live->device.name;
  g_autofree char *current = NULL, *text = NULL;
  g_autoptr (GError) error = NULL;

  if (g_object_class_find_property (G_OBJECT_GET_CLASS (live->element), "current-device") == NULL)
    {
      set_placed (live, wanted);
      return;
    }
  g_object_get (live->element, "current-device", &current, NULL);
  if (current == NULL || *current == '\0')
    return;

  /* A name such as @DEFAULT_SINK@ stands for whatever the server likes. */
  if (wanted == NULL || *wanted == '@')
    {
      if (live->role == MEDIA_ROLE_INPUT && g_str_has_suffix (current, ".monitor"))
        {
          fail (live, "there is no microphone, and what the loudspeaker plays does not stand in for one");
          return;
        }
    }
  else if (!g_str_equal (current, wanted) && !media_probe_check (live->role, &live->device, &error))
    {
      text = g_strdup_printf ("it is gone; the sound server moved the stream to %s", current);
      fail (live, text);
      return;
    }
  set_placed (live, current);
}

static void
on_fader (gpointer data, MediaFaderPart part, const char *text)
{
  post (data, part == MEDIA_FADER_MUTE ? MEDIA_LIVE_MUTE : MEDIA_LIVE_VOLUME, text);
}

/* Own thread. */
static void
check_fader (MediaLive *live)
{
  if (atomic_load (&live->placed))
    media_fader_check (&live->fader, live->faded, g_get_monotonic_time (), on_fader, live);
}

/* Called with the lock held; TRUE: it still flows. */
static gboolean
watch (MediaLive *live, guint *seen, guint *still)
{
  guint flowed = atomic_load (&live->flowed);

  *still = flowed == *seen ? *still + 1 : 0;
  *seen = flowed;
  return *still < (flowed == 0 ? FIRST_LIMIT : STILL_LIMIT);
}

/* Nothing is asked for in the next moment: whoever keeps time by what we ask for shall not wait. */
static void
let_go (MediaLive *live)
{
  pthread_mutex_lock (&live->flow_lock);
  if (live->demand != NULL)
    live->demand (live->data, NULL);
  pthread_mutex_unlock (&live->flow_lock);
}

/* Called with the lock held, the pipeline being on; lets go of it meanwhile. */
static void
grow (MediaLive *live)
{
  live->grow = FALSE;
  if (live->size + 1 >= G_N_ELEMENTS (sizes) || fixed_buffer_us > 0)
    return;
  pthread_mutex_unlock (&live->lock);
  set_state (live, GST_STATE_READY);
  let_go (live);
  live->size++;
  if (live->role == MEDIA_ROLE_OUTPUT)
    {
      atomic_store (&output_size, live->size);
      atomic_store (&output_grown, g_get_monotonic_time ());
    }
  g_message ("Audio %s: frames came too late for its buffer, which holds %u ms from now on", media_role_to_string (live->role),
             buffer_us (live) / 1000);
  atomic_store (&live->produced, 0);
  media_fader_prepare (&live->fader, live->faded, g_get_monotonic_time ());
  set_state (live, GST_STATE_PLAYING);
  pthread_mutex_lock (&live->lock);
}

static void
live_run (gpointer data)
{
  MediaLive *live = data;
  int state = -1;               /* MediaLiveState; -1: closed */
  guint seen = 0, still = 0, tries = 0;
  g_autofree char *failure = NULL;
  g_autoptr (GError) missing = NULL;
  gboolean quit;

  build (live);
  pthread_mutex_lock (&live->lock);
  while (!live->quit && live->failure == NULL)
    {
      if (state != (int) live->wanted)
        {
          state = live->wanted;
          pthread_mutex_unlock (&live->lock);
          atomic_store (&live->produced, 0);
          atomic_store (&live->placed, FALSE);
          if (state == MEDIA_LIVE_ON)
            media_fader_prepare (&live->fader, live->faded, g_get_monotonic_time ());
          set_state (live, state == MEDIA_LIVE_ON ? GST_STATE_PLAYING : GST_STATE_READY);
          if (state == MEDIA_LIVE_ON)
            {
              check_place (live);
              check_fader (live);
            }
          pthread_mutex_lock (&live->lock);
          still = 0;
          tries = PLACE_TRIES;
        }
      else if (state == MEDIA_LIVE_ON && live->grow)
        grow (live);
      else if (state != MEDIA_LIVE_ON)
        pthread_cond_wait (&live->changed, &live->lock);
      else if (!atomic_load (&live->placed) && tries > 0)
        {
          tries--;
          media_cond_wait_until (&live->changed, &live->lock, g_get_monotonic_time () + PLACE_US);
          pthread_mutex_unlock (&live->lock);
          check_place (live);
          check_fader (live);
          pthread_mutex_lock (&live->lock);
        }
      else if (media_fader_is_due (&live->fader) && atomic_load (&live->placed))
        {
          pthread_mutex_unlock (&live->lock);
          check_fader (live);
          pthread_mutex_lock (&live->lock);
        }
      else if (!media_cond_wait_until (&live->changed, &live->lock, g_get_monotonic_time () + WATCH_US))
        {
          pthread_mutex_unlock (&live->lock);
          measure_delay (live);
          check_place (live);
          check_fader (live);
          pthread_mutex_lock (&live->lock);
          if (!watch (live, &seen, &still) && live->failure == NULL)
            live->failure = g_strdup ("no samples flow");
        }
    }
  while (!live->quit && live->weak
         && media_cond_wait_until (&live->changed, &live->lock, g_get_monotonic_time () + TELL_US))
    ;
  quit = live->quit;
  failure = g_strdup (live->failure);
  pthread_mutex_unlock (&live->lock);
  if (!quit)
    {
      let_go (live);
      /* GStreamer calls it a wrong format when the server does not know the device. */
      media_probe_check (live->role, &live->device, &missing);
      post (live, MEDIA_LIVE_FAILED, missing != NULL ? missing->message : failure);
    }

  gst_element_set_state (live->pipeline, GST_STATE_NULL);
  gst_object_unref (live->pipeline);
  live_unref (live);
}

/* ---- main thread ---- */

static guint
first_size (MediaRole role)
{
  gint64 now = g_get_monotonic_time ();

  if (role == MEDIA_ROLE_RING)
    return 1;                   /* nobody waits for it */
  if (atomic_load (&output_size) > 0 && now - atomic_load (&output_grown) > FORGET_US)
    {
      atomic_fetch_sub (&output_size, 1);
      atomic_store (&output_grown, now);
    }
  return atomic_load (&output_size);
}

MediaLive *
media_live_new (MediaRole role, const MediaDevice *device, MediaLiveDemand demand, MediaLiveCaptured captured,
                gpointer data, MediaNotify *notify, guint serial)
{
  MediaLive *live = g_new0 (MediaLive, 1);

  atomic_init (&live->references, 2);
  atomic_init (&live->delay, NAN);
  media_fader_init (&live->fader);
  live->role = role;
  live->size = first_size (role);
  live->device = *device;
  live->device.name = g_strdup (device->name);
  live->demand = demand;
  live->captured = captured;
  live->data = data;
  live->notify = media_notify_ref (notify);
  live->serial = serial;
  pthread_mutex_init (&live->flow_lock, NULL);
  pthread_mutex_init (&live->lock, NULL);
  media_cond_init (&live->changed);
  live->thread = media_thread_start ("phoned-device", live_run, live);
  if (live->thread == NULL)
    {
      post (live, MEDIA_LIVE_FAILED, "no thread to open it");
      live_unref (live);
    }
  return live;
}

void
media_live_set_state (MediaLive *live, MediaLiveState state)
{
  pthread_mutex_lock (&live->lock);
  live->wanted = state;
  pthread_cond_signal (&live->changed);
  pthread_mutex_unlock (&live->lock);
}

void
media_live_set_fader (MediaLive *live, MediaFaderPart part, guint value)
{
  pthread_mutex_lock (&live->lock);
  media_fader_set (&live->fader, part, value);
  pthread_cond_signal (&live->changed);
  pthread_mutex_unlock (&live->lock);
}

gboolean
media_live_hear_fader (MediaLive *live, MediaFaderPart part, const char *text, guint *ret_value)
{
  return media_fader_hear (&live->fader, part, text, ret_value);
}

double
media_live_get_delay (MediaLive *live)
{
  return atomic_load (&live->delay);
}

void
media_live_set_follow_default (gboolean follow)
{
  atomic_store (&follow_default, !!follow);
}

gboolean
media_live_get_follow_default (void)
{
  return atomic_load (&follow_default);
}

void
media_live_set_buffers (guint buffer, guint period)
{
  fixed_buffer_us = buffer;
  fixed_period_us = period;
}

void
media_live_free (MediaLive *live)
{
  if (live == NULL)
    return;
  pthread_mutex_lock (&live->flow_lock);
  live->demand = NULL;
  live->captured = NULL;
  pthread_mutex_unlock (&live->flow_lock);

  media_thread_release (live->thread);
  pthread_mutex_lock (&live->lock);
  live->quit = TRUE;
  pthread_cond_signal (&live->changed);
  pthread_mutex_unlock (&live->lock);
  live_unref (live);
}
