/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub is a table of ports and one function, the tick. Beats come from the outlet (media-outlet,
 * media-clock), the microphone from the inlet; the bell has an outlet of its own (media-ringer). Everything
 * here is called on the main thread except on_tick(), and everything that a tick reads is changed under the
 * clock's lock, so the main thread waits for one tick at most (well under a millisecond for each port).
 *
 * The devices are started for the first reason to sound and stopped with the last: a port that runs, a port
 * with a tone, call waiting, a test tone. Without a reason there is no thread, no timer and no wake-up.
 *
 *   ports --pull--> mix --> limiter --> loudspeaker          (attached ports, tones)
 *   microphone --> mute --push--> ports                      (attached: the microphone, others: silence) */

#include "media/media-hub.h"
#include "media/media-file.h"
#include "media/media-inlet.h"
#include "media/media-mix.h"
#include "media/media-probe.h"
#include "media/media-ringer.h"
#include "media/media-thread.h"
#include "media/media-tone.h"

#include <gst/gst.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define LINGER_S 5              /* that sound devices stay connected after the last call */
#define TEST_MS 2000
#define TEST_HZ 440
#define TEST_AMPLITUDE 0.25

struct _MediaPort
{
  MediaHub *hub;
  char *name;
  const MediaPortOps *ops;
  gpointer data;
  gboolean running, attached;
  PhoneTone which;
  MediaTone tone;
};

struct _MediaHub
{
  MediaOutlet *outlet;
  MediaClock *clock;            /* the outlet's */
  MediaInlet *inlet;
  MediaRinger *ringer;
  char *selected[media_role_n_values];
  MediaHubDeviceLost lost;
  gpointer lost_data;
  guint n_running, n_tones;     /* ports */
  PhoneTone ring;               /* what core wants to hear */
  char *ring_country;
  guint test_source[media_role_n_values];
  guint linger_source;

  /* Under the clock's lock. */
  GPtrArray *ports;
  MediaTone waiting, test;
  gboolean muted;
  float unmuted_gain;           /* 0..1, follows muted */
  MediaMix mix;
  MediaMeter meter_in, meter_out;

  atomic_int level_in, level_out;       /* 1/100 dBFS */
};

static const gint16 silence[MEDIA_FRAME];

/* ---- the tick ---- */

static void
play_ports (MediaHub *hub, gint16 *frame, gint64 now)
{
  gint16 pulled[MEDIA_FRAME];

  media_mix_begin (&hub->mix);
  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      gboolean heard = port->running && port->ops->pull != NULL && port->ops->pull (port->data, pulled, now)
                       && port->attached;

      /* A tone takes the place of what the port plays, and is heard on a port that is not attached too: it
       * was asked for. */
      if (media_tone_render (&port->tone, frame, MEDIA_FRAME))
        media_mix_add (&hub->mix, frame);
      else if (heard)
        media_mix_add (&hub->mix, pulled);
    }
  if (media_tone_render (&hub->waiting, frame, MEDIA_FRAME))
    media_mix_add (&hub->mix, frame);
  if (media_tone_render (&hub->test, frame, MEDIA_FRAME))
    media_mix_add (&hub->mix, frame);
  media_mix_end (&hub->mix, frame);
}

static void
feed_ports (MediaHub *hub, gint64 now)
{
  gint16 microphone[MEDIA_FRAME];
  gboolean listened = FALSE;

  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      listened |= port->running && port->attached;
    }
  if (!media_inlet_read (hub->inlet, microphone, now, listened))
    memset (microphone, 0, sizeof microphone);
  media_fade (microphone, &hub->unmuted_gain, hub->muted ? 0 : 1);
  atomic_store_explicit (&hub->level_in, (int) lrint (100 * media_meter_add (&hub->meter_in, microphone)),
                         memory_order_relaxed);

  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      if (port->running && port->ops->push != NULL)
        port->ops->push (port->data, port->attached ? microphone : silence, now);
    }
}

static void
on_tick (gpointer data, gint16 *frame, gint64 now)
{
  MediaHub *hub = data;

  play_ports (hub, frame, now);
  atomic_store_explicit (&hub->level_out, (int) lrint (100 * media_meter_add (&hub->meter_out, frame)),
                         memory_order_relaxed);
  feed_ports (hub, now);
}

/* ---- life ---- */

static void
device_lost (MediaHub *hub, MediaRole role, const char *device, const char *why)
{
  g_warning ("Lost the %s device %s: %s", media_role_to_string (role), device != NULL ? device : "default",
             why);
  if (hub->lost != NULL)
    hub->lost (media_role_to_string (role), device != NULL ? device : "default", hub->lost_data);
}

static void
on_input_lost (gpointer data, const char *device, const char *why)
{
  device_lost (data, MEDIA_ROLE_INPUT, device, why);
}

static void
on_output_lost (gpointer data, const char *device, const char *why)
{
  device_lost (data, MEDIA_ROLE_OUTPUT, device, why);
}

static void
on_ring_lost (gpointer data, const char *device, const char *why)
{
  device_lost (data, MEDIA_ROLE_RING, device, why);
}

static void update (MediaHub *hub);

static void
set_device (MediaHub *hub, MediaRole role, MediaDevice *device, const char *text)
{
  g_free (hub->selected[role]);
  hub->selected[role] = g_strdup (text);
  switch (role)
    {
    case MEDIA_ROLE_INPUT:
      media_inlet_set_device (hub->inlet, device);
      break;
    case MEDIA_ROLE_OUTPUT:
      media_outlet_set_device (hub->outlet, device);
      break;
    case MEDIA_ROLE_RING:
      media_ringer_set_device (hub->ringer, device);
      break;
    }
}

static void
set_from_settings (MediaHub *hub, MediaRole role, const char *text)
{
  g_autoptr (GError) error = NULL;
  MediaDevice *device;

  if (text == NULL)
    text = "default";
  device = media_device_parse (role, text, &error);
  if (device == NULL)
    {
      g_warning ("%s; the default device is used", error->message);
      text = "default";
      device = media_device_parse (role, text, NULL);
    }
  set_device (hub, role, device, text);
}

MediaHub *
media_hub_new (const PhoneDaemonSettings *settings)
{
  MediaHub *hub = g_new0 (MediaHub, 1);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  hub->ports = g_ptr_array_new ();
  hub->unmuted_gain = 1;
  media_mix_init (&hub->mix);
  media_tone_init (&hub->waiting);
  media_tone_init (&hub->test);
  atomic_init (&hub->level_in, -12700);
  atomic_init (&hub->level_out, -12700);
  hub->outlet = media_outlet_new (MEDIA_ROLE_OUTPUT, on_tick, on_output_lost, hub);
  hub->clock = media_outlet_get_clock (hub->outlet);
  hub->inlet = media_inlet_new (hub->clock, on_input_lost, hub);
  hub->ringer = media_ringer_new (settings->ring_tone, on_ring_lost, hub);
  set_from_settings (hub, MEDIA_ROLE_INPUT, settings->input);
  set_from_settings (hub, MEDIA_ROLE_OUTPUT, settings->output);
  set_from_settings (hub, MEDIA_ROLE_RING, settings->ring);
  return hub;
}

static void
free_port (MediaPort *port)
{
  g_free (port->name);
  g_free (port);
}

void
media_hub_free (MediaHub *hub)
{
  if (hub == NULL)
    return;
  media_outlet_stop (hub->outlet, FALSE);
  g_clear_handle_id (&hub->linger_source, g_source_remove);
  for (guint i = 0; i < media_role_n_values; i++)
    g_clear_handle_id (&hub->test_source[i], g_source_remove);
  for (guint i = 0; i < hub->ports->len; i++)
    free_port (g_ptr_array_index (hub->ports, i));
  g_ptr_array_unref (hub->ports);
  media_inlet_free (hub->inlet);
  media_outlet_free (hub->outlet);
  media_ringer_free (hub->ringer);
  for (guint i = 0; i < media_role_n_values; i++)
    g_free (hub->selected[i]);
  g_free (hub->ring_country);
  g_free (hub);
  if (!media_threads_wait (1000))
    g_warning ("A disk or sound server still holds a thread of the audio hub");
}

static gboolean
on_linger_over (gpointer data)
{
  MediaHub *hub = data;

  hub->linger_source = 0;
  update (hub);
  return G_SOURCE_REMOVE;
}

/* Starts or stops the devices as there are reasons to. While it rings they are connected already, so that
 * an answered call has sound at once; after the last call they stay so for a little, for the next one. The
 * microphone is never on in that state. */
static void
update (MediaHub *hub)
{
  gboolean started = media_outlet_is_started (hub->outlet);
  gboolean wanted = hub->n_running > 0 || hub->n_tones > 0 || hub->ring == PHONE_TONE_CALL_WAITING
                    || hub->test_source[MEDIA_ROLE_OUTPUT] != 0;

  if (wanted && !started)
    {
      media_inlet_start (hub->inlet);
      media_outlet_start (hub->outlet);
    }
  else if (!wanted)
    {
      gboolean warm;

      if (started)
        {
          g_clear_handle_id (&hub->linger_source, g_source_remove);
          if (media_inlet_is_live (hub->inlet) || media_outlet_is_live (hub->outlet))
            hub->linger_source = g_timeout_add_seconds (LINGER_S, on_linger_over, hub);
        }
      warm = hub->ring != PHONE_TONE_NONE || hub->linger_source != 0;
      media_outlet_stop (hub->outlet, warm);
      media_inlet_stop (hub->inlet, warm);
      hub->meter_in.power = hub->meter_out.power = 0;
      atomic_store (&hub->level_in, -12700);
      atomic_store (&hub->level_out, -12700);
    }
}

/* ---- ports ---- */

MediaPort *
media_hub_add_port (MediaHub *hub, const char *name, const MediaPortOps *ops, gpointer data)
{
  MediaPort *port = g_new0 (MediaPort, 1);

  port->hub = hub;
  port->name = g_strdup (name);
  port->ops = ops;
  port->data = data;
  media_tone_init (&port->tone);
  media_clock_lock (hub->clock);
  g_ptr_array_add (hub->ports, port);
  media_clock_unlock (hub->clock);
  return port;
}

void
media_port_set_running (MediaPort *port, gboolean running)
{
  MediaHub *hub = port->hub;

  running = !!running;
  if (running == port->running)
    return;
  hub->n_running += running ? 1 : -1;
  /* A call hears a file from its beginning. */
  if (running && hub->n_running == 1)
    media_inlet_rewind (hub->inlet);

  media_clock_lock (hub->clock);
  port->running = running;
  media_clock_unlock (hub->clock);
  update (hub);
}

void
media_port_set_attached (MediaPort *port, gboolean attached)
{
  media_clock_lock (port->hub->clock);
  port->attached = !!attached;
  media_clock_unlock (port->hub->clock);
}

void
media_port_set_tone (MediaPort *port, PhoneTone tone, const char *country)
{
  MediaHub *hub = port->hub;

  if (tone == port->which)
    return;
  hub->n_tones += (tone != PHONE_TONE_NONE) - (port->which != PHONE_TONE_NONE);
  port->which = tone;
  media_clock_lock (hub->clock);
  media_tone_set (&port->tone, tone, country);
  media_clock_unlock (hub->clock);
  update (hub);
}

void
media_hub_remove_port (MediaHub *hub, MediaPort *port)
{
  if (port == NULL)
    return;
  media_port_set_tone (port, PHONE_TONE_NONE, NULL);
  media_port_set_running (port, FALSE);
  media_clock_lock (hub->clock);
  g_ptr_array_remove (hub->ports, port);
  media_clock_unlock (hub->clock);
  free_port (port);
}

/* ---- reports ---- */

void
media_hub_get_delays (MediaHub *hub, double *ret_capture, double *ret_output)
{
  *ret_capture = media_inlet_get_delay (hub->inlet);
  *ret_output = media_outlet_get_delay (hub->outlet);
}

void
media_hub_get_origins (MediaHub *hub, gint64 *ret_input, gint64 *ret_output)
{
  *ret_input = media_inlet_get_origin (hub->inlet);
  *ret_output = media_outlet_get_origin (hub->outlet);
}

void
media_hub_get_levels (MediaHub *hub, double *ret_in, double *ret_out)
{
  *ret_in = atomic_load (&hub->level_in) / 100.0;
  *ret_out = atomic_load (&hub->level_out) / 100.0;
}

guint64
media_hub_get_ticks (MediaHub *hub)
{
  return media_clock_get_ticks (hub->clock);
}

/* ---- ring and settings ---- */

static void
update_ring (MediaHub *hub)
{
  PhoneTone bell = hub->ring == PHONE_TONE_CALL_WAITING ? PHONE_TONE_NONE : hub->ring;

  if (bell == PHONE_TONE_NONE && hub->test_source[MEDIA_ROLE_RING] != 0)
    bell = PHONE_TONE_RING;
  media_ringer_set (hub->ringer, bell, hub->ring_country);
}

void
media_hub_set_ring (MediaHub *hub, PhoneTone tone, const char *country)
{
  if (tone == hub->ring)
    return;
  hub->ring = tone;
  g_free (hub->ring_country);
  hub->ring_country = g_strdup (country);

  media_clock_lock (hub->clock);
  media_tone_set (&hub->waiting, tone == PHONE_TONE_CALL_WAITING ? tone : PHONE_TONE_NONE, country);
  media_clock_unlock (hub->clock);
  update_ring (hub);
  update (hub);
}

static gboolean
find_role (const char *text, MediaRole *ret_role, GError **error)
{
  if (media_role_from_string (text, ret_role))
    return TRUE;
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is not one of input, output, ring",
               text);
  return FALSE;
}

/* Whether the named device is there now. */
static gboolean
check_device (MediaRole role, const MediaDevice *device, GError **error)
{
  switch (device->kind)
    {
    case MEDIA_DEVICE_FILE:
      return role == MEDIA_ROLE_INPUT ? media_file_input_check (device->name, error)
                                      : media_file_output_check (device->name, error);
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
      return media_probe_check (role, device, error);
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      return TRUE;
    }
  g_return_val_if_reached (FALSE);
}

gboolean
media_hub_select (MediaHub *hub, const char *role_name, const char *text, GError **error)
{
  g_autoptr (MediaDevice) device = NULL;
  MediaRole role;

  if (!find_role (role_name, &role, error))
    return FALSE;
  device = media_device_parse (role, text, error);
  if (device == NULL || !check_device (role, device, error))
    return FALSE;
  /* Chosen again in the middle of a call, a file would begin anew. */
  if (g_str_equal (text, hub->selected[role]) && device->kind == MEDIA_DEVICE_FILE)
    return TRUE;
  g_message ("Audio %s: %s", role_name, text);
  set_device (hub, role, g_steal_pointer (&device), text);
  return TRUE;
}

char *
media_hub_selected (MediaHub *hub, const char *role_name)
{
  MediaRole role;

  return media_role_from_string (role_name, &role) ? g_strdup (hub->selected[role]) : NULL;
}

GPtrArray *
media_hub_devices (MediaHub *hub)
{
  return media_probe_list ();
}

static gboolean
on_output_test_over (gpointer data)
{
  MediaHub *hub = data;

  hub->test_source[MEDIA_ROLE_OUTPUT] = 0;
  media_clock_lock (hub->clock);
  media_tone_set (&hub->test, PHONE_TONE_NONE, NULL);
  media_clock_unlock (hub->clock);
  update (hub);
  return G_SOURCE_REMOVE;
}

static gboolean
on_ring_test_over (gpointer data)
{
  MediaHub *hub = data;

  hub->test_source[MEDIA_ROLE_RING] = 0;
  update_ring (hub);
  return G_SOURCE_REMOVE;
}

gboolean
media_hub_test_tone (MediaHub *hub, const char *role_name, GError **error)
{
  MediaRole role;

  if (!find_role (role_name, &role, error))
    return FALSE;
  if (role == MEDIA_ROLE_INPUT)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
                   "a test tone can be played on output and ring, not on input");
      return FALSE;
    }
  if (hub->test_source[role] != 0)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_IN_PROGRESS, "a test tone is playing on %s", role_name);
      return FALSE;
    }

  if (role == MEDIA_ROLE_RING)
    {
      hub->test_source[role] = g_timeout_add (TEST_MS, on_ring_test_over, hub);
      if (hub->ring == PHONE_TONE_NONE || hub->ring == PHONE_TONE_CALL_WAITING)
        update_ring (hub);
      return TRUE;
    }
  hub->test_source[role] = g_timeout_add (TEST_MS, on_output_test_over, hub);
  media_clock_lock (hub->clock);
  media_tone_set_sine (&hub->test, TEST_HZ, TEST_AMPLITUDE, MEDIA_TONE_FOREVER);
  media_clock_unlock (hub->clock);
  update (hub);
  return TRUE;
}

void
media_hub_set_input_muted (MediaHub *hub, gboolean muted)
{
  media_clock_lock (hub->clock);
  hub->muted = !!muted;
  media_clock_unlock (hub->clock);
}

void
media_hub_on_device_lost (MediaHub *hub, MediaHubDeviceLost callback, gpointer data)
{
  hub->lost = callback;
  hub->lost_data = data;
}
