/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-inlet.h"
#include "media/media-file.h"
#include "media/media-tone.h"

#include <stdatomic.h>

#define TONE_AMPLITUDE 0.25     /* -12 dBFS */

struct _MediaInlet
{
  MediaClock *clock;
  MediaInletLost lost;
  gpointer data;
  MediaDevice *device;
  gboolean started;

  MediaFileInput *file;         /* under the clock's lock, as tone */
  MediaTone tone;
  _Atomic gint64 origin;
};

MediaInlet *
media_inlet_new (MediaClock *clock, MediaInletLost lost, gpointer data)
{
  MediaInlet *inlet = g_new0 (MediaInlet, 1);

  inlet->clock = clock;
  inlet->lost = lost;
  inlet->data = data;
  inlet->device = g_new0 (MediaDevice, 1);
  inlet->device->kind = MEDIA_DEVICE_SILENCE;
  media_tone_init (&inlet->tone);
  return inlet;
}

void
media_inlet_free (MediaInlet *inlet)
{
  if (inlet == NULL)
    return;
  media_inlet_stop (inlet);
  media_device_free (inlet->device);
  g_free (inlet);
}

/* Puts another source in place of the present one; a NULL file and a tone of 0 Hz are silence. */
static void
swap (MediaInlet *inlet, MediaFileInput *file, guint hz)
{
  MediaFileInput *old;

  media_clock_lock (inlet->clock);
  old = inlet->file;
  inlet->file = file;
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
      swap (inlet, file, 0);
      break;
    case MEDIA_DEVICE_TONE:
      swap (inlet, NULL, inlet->device->hz);
      break;
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
    case MEDIA_DEVICE_SILENCE:
      swap (inlet, NULL, 0);
      break;
    }
}

void
media_inlet_set_device (MediaInlet *inlet, MediaDevice *device)
{
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
media_inlet_stop (MediaInlet *inlet)
{
  if (!inlet->started)
    return;
  inlet->started = FALSE;
  swap (inlet, NULL, 0);
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

  if (inlet->file == NULL)
    return media_tone_render (&inlet->tone, frame, MEDIA_FRAME);
  if (!listened || !media_file_input_read (inlet->file, frame))
    return FALSE;
  atomic_compare_exchange_strong (&inlet->origin, &none, now);
  return TRUE;
}

double
media_inlet_get_delay (MediaInlet *inlet)
{
  return 0;
}

gint64
media_inlet_get_origin (MediaInlet *inlet)
{
  return atomic_load (&inlet->origin);
}
