/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-outlet.h"
#include "media/media-file.h"
#include "media/media-notify.h"

#include <math.h>
#include <stdatomic.h>

struct _MediaOutlet
{
  MediaRole role;
  MediaClock *clock;
  MediaClockTick tick;
  MediaOutletLost lost;
  gpointer data;
  MediaNotify *notify;
  guint serial;                 /* of the device that is open: what an earlier one still says is stale */
  MediaDevice *device;
  gboolean started;
  MediaChain *chain;

  MediaFileOutput *file;        /* under the clock's lock */
  _Atomic gint64 origin;
};

static void
on_tick (gpointer data, gint16 *frame, gint64 now)
{
  MediaOutlet *outlet = data;
  gint64 none = 0;

  outlet->tick (outlet->data, frame, now);
  if (outlet->file != NULL)
    {
      media_file_output_write (outlet->file, frame);
      atomic_compare_exchange_strong (&outlet->origin, &none, now);
    }
}

/* A writing thread gave up. It calls with its own lock held, which media_file_output_free() takes too: the
 * serial cannot be stale here. */
static void
on_file_failed (gpointer data, const char *message)
{
  MediaOutlet *outlet = data;

  media_notify_post (outlet->notify, outlet->serial, message);
}

static void
on_demand (gpointer data, gint16 *ret_frame)
{
  MediaOutlet *outlet = data;

  if (ret_frame != NULL)
    media_clock_demand (outlet->clock, ret_frame);
  else
    media_clock_let_go (outlet->clock);
}

static void
on_lost (gpointer data, const char *device, const char *why)
{
  MediaOutlet *outlet = data;

  outlet->lost (outlet->data, device, why);
}

static void
on_notify (gpointer data, guint serial, const char *text)
{
  MediaOutlet *outlet = data;

  if (outlet->started && serial == outlet->serial)
    outlet->lost (outlet->data, outlet->device->name, text);
}

MediaOutlet *
media_outlet_new (MediaRole role, MediaClockTick tick, MediaOutletLost lost, gpointer data)
{
  MediaOutlet *outlet = g_new0 (MediaOutlet, 1);

  outlet->role = role;
  outlet->tick = tick;
  outlet->lost = lost;
  outlet->data = data;
  outlet->notify = media_notify_new (on_notify, outlet);
  outlet->clock = media_clock_new (role == MEDIA_ROLE_RING ? "phoned-ring" : "phoned-hub", on_tick, outlet);
  outlet->device = media_device_copy (NULL);
  outlet->chain = media_chain_new (role, on_demand, NULL, on_lost, outlet);
  return outlet;
}

MediaClock *
media_outlet_get_clock (MediaOutlet *outlet)
{
  return outlet->clock;
}

static void
swap (MediaOutlet *outlet, MediaFileOutput *file)
{
  MediaFileOutput *old;

  media_clock_lock (outlet->clock);
  old = outlet->file;
  outlet->file = file;
  atomic_store (&outlet->origin, 0);
  media_clock_unlock (outlet->clock);
  media_file_output_free (old);
}

static void
open_device (MediaOutlet *outlet)
{
  g_autoptr (GError) error = NULL;
  MediaFileOutput *file = NULL;

  swap (outlet, NULL);
  outlet->serial++;
  switch (outlet->device->kind)
    {
    case MEDIA_DEVICE_FILE:
      file = media_file_output_new (outlet->device->name, on_file_failed, outlet, &error);
      if (file == NULL)
        outlet->lost (outlet->data, outlet->device->name, error->message);
      swap (outlet, file);
      break;
    case MEDIA_DEVICE_DEFAULT:
    case MEDIA_DEVICE_PIPEWIRE:
    case MEDIA_DEVICE_PULSE:
    case MEDIA_DEVICE_ALSA:
    case MEDIA_DEVICE_TONE:
    case MEDIA_DEVICE_SILENCE:
      break;
    }
  media_chain_set_state (outlet->chain, MEDIA_CHAIN_ON);
}

void
media_outlet_free (MediaOutlet *outlet)
{
  if (outlet == NULL)
    return;
  media_outlet_stop (outlet, FALSE);
  media_chain_free (outlet->chain);
  media_clock_free (outlet->clock);
  media_notify_close (outlet->notify);
  media_device_free (outlet->device);
  g_free (outlet);
}

gboolean
media_outlet_is_live (MediaOutlet *outlet)
{
  return media_device_is_live (outlet->device);
}

const char *
media_outlet_get_place (MediaOutlet *outlet)
{
  return outlet->started ? media_chain_get_place (outlet->chain) : NULL;
}

void
media_outlet_on_place (MediaOutlet *outlet, void (*callback) (gpointer data), gpointer data)
{
  media_chain_on_place (outlet->chain, callback, data);
}

void
media_outlet_on_fader (MediaOutlet *outlet, MediaChainFaded callback, gpointer data)
{
  media_chain_on_fader (outlet->chain, callback, data);
}

void
media_outlet_set_fader (MediaOutlet *outlet, MediaFaderPart part, guint value)
{
  media_chain_set_fader (outlet->chain, part, value);
}

void
media_outlet_set_device (MediaOutlet *outlet, MediaDevice *device)
{
  media_chain_set_device (outlet->chain, device);
  media_device_free (outlet->device);
  outlet->device = device;
  if (outlet->started)
    open_device (outlet);
}

gboolean
media_outlet_is_started (MediaOutlet *outlet)
{
  return outlet->started;
}

void
media_outlet_start (MediaOutlet *outlet)
{
  if (outlet->started)
    return;
  outlet->started = TRUE;
  open_device (outlet);
  media_clock_start (outlet->clock);
}

void
media_outlet_stop (MediaOutlet *outlet, gboolean warm)
{
  media_chain_set_state (outlet->chain, warm ? MEDIA_CHAIN_WARM : MEDIA_CHAIN_OFF);
  if (!outlet->started)
    return;
  outlet->started = FALSE;
  media_clock_stop (outlet->clock);
  swap (outlet, NULL);
}

double
media_outlet_get_delay (MediaOutlet *outlet)
{
  double device = media_chain_get_delay (outlet->chain);

  return isnan (device) ? 0 : device;
}

gint64
media_outlet_get_origin (MediaOutlet *outlet)
{
  return atomic_load (&outlet->origin);
}
