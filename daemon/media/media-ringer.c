/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/media-ringer.h"
#include "media/media-file.h"
#include "media/media-tone.h"

#include <string.h>

struct _MediaRinger
{
  MediaOutlet *outlet;
  char *ring_tone;
  MediaOutletLost lost;
  gpointer data;
  gboolean silent;              /* the device is silence: no need to beat for it */
  gboolean ringing;

  MediaFileInput *file;         /* under the clock's lock, as tone */
  MediaTone tone;
};

static void
on_tick (gpointer data, gint16 *frame, gint64 now)
{
  MediaRinger *ringer = data;

  if (ringer->file == NULL)
    media_tone_render (&ringer->tone, frame, MEDIA_FRAME);
  else if (!media_file_input_read (ringer->file, frame))
    memset (frame, 0, MEDIA_FRAME * sizeof *frame);
}

static void
on_lost (gpointer data, const char *device, const char *why)
{
  MediaRinger *ringer = data;

  ringer->lost (ringer->data, device, why);
}

MediaRinger *
media_ringer_new (const char *ring_tone, MediaOutletLost lost, gpointer data)
{
  MediaRinger *ringer = g_new0 (MediaRinger, 1);

  ringer->ring_tone = g_strdup (ring_tone);
  ringer->lost = lost;
  ringer->data = data;
  ringer->silent = TRUE;
  media_tone_init (&ringer->tone);
  ringer->outlet = media_outlet_new (MEDIA_ROLE_RING, on_tick, on_lost, ringer);
  return ringer;
}

void
media_ringer_free (MediaRinger *ringer)
{
  if (ringer == NULL)
    return;
  media_ringer_set (ringer, PHONE_TONE_NONE, NULL, NULL);
  media_outlet_free (ringer->outlet);
  g_free (ringer->ring_tone);
  g_free (ringer);
}

static void
update (MediaRinger *ringer)
{
  if (ringer->ringing && !ringer->silent)
    media_outlet_start (ringer->outlet);
  else
    media_outlet_stop (ringer->outlet, FALSE);
}

void
media_ringer_set_device (MediaRinger *ringer, MediaDevice *device)
{
  ringer->silent = device->kind == MEDIA_DEVICE_SILENCE;
  media_outlet_set_device (ringer->outlet, device);
  update (ringer);
}

void
media_ringer_set (MediaRinger *ringer, PhoneTone tone, const char *country, const char *sound)
{
  MediaClock *clock = media_outlet_get_clock (ringer->outlet);
  g_autoptr (GError) error = NULL;
  MediaFileInput *file = NULL, *old;

  if (sound == NULL && tone == PHONE_TONE_RING)
    sound = ringer->ring_tone;
  if (phone_tone_is_ring (tone) && sound != NULL && !ringer->silent)
    {
      file = media_file_input_new (sound, &error);
      if (file == NULL)
        g_warning ("The ring tone %s; the built-in one rings", error->message);
    }

  media_clock_lock (clock);
  old = ringer->file;
  ringer->file = file;
  media_tone_set (&ringer->tone, tone, country);
  media_clock_unlock (clock);
  media_file_input_free (old);

  ringer->ringing = tone != PHONE_TONE_NONE;
  update (ringer);
}

gboolean
media_ringer_is_ringing (MediaRinger *ringer)
{
  return ringer->ringing;
}
