/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The hub is a table of ports and one function, the tick (media-hub-tick.c). Beats come from the outlet
 * (media-outlet, media-clock), the microphone from the inlet; the bell has an outlet of its own (media-ringer).
 * Everything here is called on the main thread, and everything that a tick reads is changed under the clock's
 * lock, so the main thread waits for one tick at most (well under a millisecond for each port).
 *
 * The devices are started for the first reason to sound and stopped with the last: a port that runs, a port
 * with a tone, call waiting, a test tone. Without a reason there is no thread, no timer and no wake-up. */

#include "media/media-hub-private.h"
#include "media/media-live.h"
#include "media/media-thread.h"

#include <gst/gst.h>
#include <math.h>
#include <stdatomic.h>
#include <string.h>

#define LINGER_S 5              /* that sound devices stay connected after the last call */

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

static void
on_place (gpointer data)
{
  media_hub_update_voice (data);
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
  media_hub_set_device (hub, role, device, text);
}

MediaHub *
media_hub_new (const PhoneDaemonSettings *settings)
{
  MediaHub *hub = g_new0 (MediaHub, 1);

  if (!gst_is_initialized ())
    gst_init (NULL, NULL);
  hub->ports = g_ptr_array_new ();
  hub->rooms = g_ptr_array_new ();
  hub->unmuted_gain = 1;
  media_mix_init (&hub->mix);
  media_tone_init (&hub->waiting);
  media_tone_init (&hub->test);
  hub->outlet = media_outlet_new (MEDIA_ROLE_OUTPUT, media_hub_tick, on_output_lost, hub);
  hub->clock = media_outlet_get_clock (hub->outlet);
  hub->inlet = media_inlet_new (hub->clock, on_input_lost, hub);
  media_inlet_on_place (hub->inlet, on_place, hub);
  media_outlet_on_place (hub->outlet, on_place, hub);
  if (settings->echo_cancel == NULL || !media_echo_mode_from_string (settings->echo_cancel, &hub->echo_mode))
    hub->echo_mode = MEDIA_ECHO_AUTO;
  media_live_set_follow_default (settings->follow_default);
  hub->suppress_noise = settings->noise_suppression;
  hub->control_gain = settings->gain_control;
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
  media_hub_clear_rooms (hub);
  media_inlet_free (hub->inlet);
  media_outlet_free (hub->outlet);
  media_ringer_free (hub->ringer);
  media_voice_free (hub->voice);
  for (guint i = 0; i < media_role_n_values; i++)
    g_free (hub->selected[i]);
  g_free (hub->ring_country);
  g_free (hub->ring_sound);
  g_free (hub);
  if (!media_threads_wait (1000))
    g_warning ("A disk or sound server still holds a thread of the audio hub");
}

static gboolean
on_linger_over (gpointer data)
{
  MediaHub *hub = data;

  hub->linger_source = 0;
  media_hub_update (hub);
  return G_SOURCE_REMOVE;
}

/* What the name of a device tells: a headset gives no echo back; the monitor of a loudspeaker is no room, and whoever chose it wants it
 * as it is. */
static gboolean
is_headset (const char *place)
{
  static const char *const signs[] = { "bluez", "headset", "headphone", "earphone", "earbud" };
  g_autofree char *lower = g_ascii_strdown (place, -1);

  for (gsize i = 0; i < G_N_ELEMENTS (signs); i++)
    if (strstr (lower, signs[i]) != NULL)
      return TRUE;
  return FALSE;
}

void
media_hub_update_voice (MediaHub *hub)
{
  const char *input = media_inlet_get_place (hub->inlet), *output = media_outlet_get_place (hub->outlet);
  gboolean microphone = input != NULL && !g_str_has_suffix (input, ".monitor");
  gboolean echo = FALSE;
  MediaVoice *old = NULL, *new = NULL;

  switch (hub->echo_mode)
    {
    case MEDIA_ECHO_OFF:
      break;
    case MEDIA_ECHO_ON:
      echo = input != NULL && output != NULL;
      break;
    case MEDIA_ECHO_AUTO:
      echo = microphone && output != NULL && !is_headset (output);
      break;
    }

  MediaVoiceParts parts = { .echo = echo, .noise = microphone && hub->suppress_noise, .gain = microphone && hub->control_gain };
  if (parts.echo == hub->parts.echo && parts.noise == hub->parts.noise && parts.gain == hub->parts.gain)
    return;
  if (parts.echo || parts.noise || parts.gain)
    {
      new = media_voice_new ();
      media_voice_set_parts (new, parts);
    }
  if (input != NULL)
    g_message ("Audio input: echo cancelling %s, noise suppression %s, gain control %s", parts.echo ? "on" : "off",
               parts.noise ? "on" : "off", parts.gain ? "on" : "off");
  media_clock_lock (hub->clock);
  old = hub->voice;
  hub->voice = new;
  hub->parts = parts;
  hub->shift = 0;
  media_clock_unlock (hub->clock);
  media_voice_free (old);
}

/* Starts or stops the devices as there are reasons to. While it rings they are connected already, so that
 * an answered call has sound at once; after the last call they stay so for a little, for the next one. The
 * microphone is never on in that state. */
void
media_hub_update (MediaHub *hub)
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
      media_meter_reset (&hub->meter_in);
      media_meter_reset (&hub->meter_out);
    }
  media_hub_update_voice (hub);
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
  port->voice = TRUE;
  media_seat_init (&port->seat);
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
  port->fresh = TRUE;
  media_meter_reset (&port->meter);
  if (!running && port->room != NULL)
    media_mixer_leave (&port->room->mixer, &port->seat);
  media_clock_unlock (hub->clock);
  media_hub_update (hub);
}

void
media_port_set_attached (MediaPort *port, gboolean attached)
{
  media_clock_lock (port->hub->clock);
  port->attached = !!attached;
  /* What a call that is alone begins with is not faded: a file's first sample is its first sample. */
  port->fresh |= port->room == NULL;
  media_clock_unlock (port->hub->clock);
}

void
media_port_set_muted (MediaPort *port, gboolean muted)
{
  media_clock_lock (port->hub->clock);
  port->muted = !!muted;
  media_clock_unlock (port->hub->clock);
}

void
media_port_set_voice (MediaPort *port, gboolean voice)
{
  media_clock_lock (port->hub->clock);
  port->voice = !!voice;
  media_clock_unlock (port->hub->clock);
}

double
media_port_get_level (MediaPort *port)
{
  return media_meter_get (&port->meter);
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
  media_hub_update (hub);
}

void
media_port_beep (MediaPort *port)
{
  media_clock_lock (port->hub->clock);
  media_tone_set (&port->tone, PHONE_TONE_BEEP, NULL);
  media_clock_unlock (port->hub->clock);
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
  if (hub->parts.echo || hub->parts.noise)
    *ret_capture += MEDIA_VOICE_DELAY * 1000.0 / MEDIA_RATE;
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
  *ret_in = media_meter_get (&hub->meter_in);
  *ret_out = media_meter_get (&hub->meter_out);
}

guint64
media_hub_get_ticks (MediaHub *hub)
{
  return media_clock_get_ticks (hub->clock);
}
