/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-inlet.h"
#include "media/media-chain.h"
#include "media/media-drift.h"
#include "media/media-file.h"
#include "media/media-tone.h"

#include <math.h>
#include <stdatomic.h>

#define TONE_AMPLITUDE 0.25     /* -12 dBFS */

struct _MediaInlet
{
  MediaClock *clock;
  MediaInletLost lost;
  gpointer data;
  MediaDevice *device;
  gboolean started;
  MediaChain *chain;

  /* Under the clock's lock. */
  MediaFileInput *file;
  MediaTone tone;
  gboolean live;                /* what comes out of drift is heard */
  MediaDrift drift;             /* written by the capture thread */
  guint position;               /* in it, of the last tick */
  _Atomic gint64 origin;
};

static void
on_captured (gpointer data, const gint16 *samples, guint n, double age)
{
  MediaInlet *inlet = data;

  media_drift_write (&inlet->drift, samples, n, g_get_monotonic_time ());
}

static void
on_lost (gpointer data, const char *device, const char *why)
{
  MediaInlet *inlet = data;

  inlet->lost (inlet->data, device, why);
}

MediaInlet *
media_inlet_new (MediaClock *clock, MediaInletLost lost, gpointer data)
{
  MediaInlet *inlet = g_new0 (MediaInlet, 1);

  inlet->clock = clock;
  inlet->lost = lost;
  inlet->data = data;
  inlet->device = media_device_copy (NULL);
  inlet->chain = media_chain_new (MEDIA_ROLE_INPUT, NULL, on_captured, on_lost, inlet);
  media_tone_init (&inlet->tone);
  media_drift_init (&inlet->drift);
  return inlet;
}

void
media_inlet_free (MediaInlet *inlet)
{
  if (inlet == NULL)
    return;
  media_inlet_stop (inlet, FALSE);
  media_chain_free (inlet->chain);
  media_drift_clear (&inlet->drift);
  media_device_free (inlet->device);
  g_free (inlet);
}

/* Puts another source in place of the present one: a live device, a file, a tone, or with none of them
 * silence. */
static void
swap (MediaInlet *inlet, gboolean live, MediaFileInput *file, guint hz)
{
  MediaFileInput *old;

  media_clock_lock (inlet->clock);
  old = inlet->file;
  inlet->file = file;
  inlet->live = live;
  media_drift_restart (&inlet->drift);
  media_tone_init (&inlet->tone);
  if (hz > 0)
    media_tone_set_sine (&inlet->tone, hz, TONE_AMPLITUDE, MEDIA_TONE_FOREVER);
  atomic_store (&inlet->origin, 0);
  media_clock_unlock (inlet->clock);
  media_file_input_free (old);
}

static void
open_device (MediaInlet *inlet)
{
  g_autoptr (GError) error = NULL;
  MediaFileInput *file = NULL;

  switch (inlet->device->kind)
    {
    case MEDIA_DEVICE_FILE:
      /* No fallback to a real microphone: whoever chose a file does not expect to be heard. */
      file = media_file_input_new (inlet->device->name, &error);
      if (file == NULL)
        inlet->lost (inlet->data, inlet->device->name, error->message);
      swap (inlet, FALSE, file, 0);
      break;
    case MEDIA_DEVICE_TONE:
      swap (inlet, FALSE, NULL, inlet->device->hz);
      break;
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
      swap (inlet, TRUE, NULL, 0);
      break;
    case MEDIA_DEVICE_SILENCE:
      swap (inlet, FALSE, NULL, 0);
      break;
    }
  media_chain_set_state (inlet->chain, MEDIA_CHAIN_ON);
}

gboolean
media_inlet_is_live (MediaInlet *inlet)
{
  return media_device_is_live (inlet->device);
}

const char *
media_inlet_get_place (MediaInlet *inlet)
{
  return inlet->started ? media_chain_get_place (inlet->chain) : NULL;
}

void
media_inlet_on_place (MediaInlet *inlet, void (*callback) (gpointer data), gpointer data)
{
  media_chain_on_place (inlet->chain, callback, data);
}

void
media_inlet_on_fader (MediaInlet *inlet, MediaChainFaded callback, gpointer data)
{
  media_chain_on_fader (inlet->chain, callback, data);
}

void
media_inlet_set_fader (MediaInlet *inlet, MediaFaderPart part, guint value)
{
  media_chain_set_fader (inlet->chain, part, value);
}

void
media_inlet_set_device (MediaInlet *inlet, MediaDevice *device)
{
  media_chain_set_device (inlet->chain, device);
  media_device_free (inlet->device);
  inlet->device = device;
  if (inlet->started)
    open_device (inlet);
}

void
media_inlet_start (MediaInlet *inlet)
{
  if (inlet->started)
    return;
  inlet->started = TRUE;
  open_device (inlet);
}

void
media_inlet_stop (MediaInlet *inlet, gboolean warm)
{
  media_chain_set_state (inlet->chain, warm ? MEDIA_CHAIN_WARM : MEDIA_CHAIN_OFF);
  if (!inlet->started)
    return;
  inlet->started = FALSE;
  swap (inlet, FALSE, NULL, 0);
}

void
media_inlet_rewind (MediaInlet *inlet)
{
  if (inlet->started && inlet->device->kind == MEDIA_DEVICE_FILE && atomic_load (&inlet->origin) != 0)
    open_device (inlet);
}

gboolean
media_inlet_read (MediaInlet *inlet, gint16 *frame, gint64 now, gboolean listened)
{
  gint64 none = 0;

  if (inlet->live)
    return media_drift_read (&inlet->drift, frame, now);
  if (inlet->file == NULL)
    return media_tone_render (&inlet->tone, frame, MEDIA_FRAME);
  if (!listened || !media_file_input_read (inlet->file, frame))
    return FALSE;
  atomic_compare_exchange_strong (&inlet->origin, &none, now);
  return TRUE;
}

gint
media_inlet_take_shift (MediaInlet *inlet)
{
  guint position = media_drift_position (&inlet->drift);
  gint shift = (gint) (position - inlet->position) - MEDIA_FRAME;

  inlet->position = position;
  return shift;
}

double
media_inlet_get_delay (MediaInlet *inlet)
{
  double device = media_chain_get_delay (inlet->chain);

  return (isnan (device) ? 0 : device) + media_drift_fill (&inlet->drift) * 1000.0 / MEDIA_RATE;
}

gint64
media_inlet_get_origin (MediaInlet *inlet)
{
  return atomic_load (&inlet->origin);
}
