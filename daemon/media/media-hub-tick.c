/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What happens every 10 ms, and the rooms that are mixed then. Nothing here allocates.
 *
 *   ports --pull--> mix --> limiter --> loudspeaker          (attached ports, tones, rooms that we are in)
 *   microphone --> mute --push--> ports                      (attached: the microphone, others: silence)
 *
 *   in a room: what all its ports say, one sum, to the loudspeaker as it is, to each port less its own part and with the microphone.
 *   All that is said in a tick is pulled before anything is pushed, so nobody hears another later than the loudspeaker does.
 *
 * The loudspeaker's frame is complete before the microphone is read: it is what the echo canceller takes out of it, rooms and all.
 *
 * A port that leaves a room stays on its seat until the gains are down, a frame later. One that vanishes has its last frame die away. */

#include "media/media-hub-private.h"

#include <math.h>
#include <string.h>

#define REAP_MS 100             /* after which no sound of a room is left */

static const gint16 silence[MEDIA_FRAME];

/* ---- what is heard ---- */

static void
play_alone (MediaHub *hub, MediaPort *port, gint16 *frame, gboolean heard)
{
  float target = port->attached && !port->joined ? 1 : 0;

  if (port->fresh)
    port->solo = target;
  if (heard && (port->solo > 0 || target > 0))
    {
      media_fade (frame, &port->solo, target);
      media_mix_add (&hub->mix, frame);
    }
  port->solo = target;
}

static void
play_port (MediaHub *hub, MediaPort *port, gint64 now)
{
  gint16 pulled[MEDIA_FRAME], tone[MEDIA_FRAME];
  gboolean heard = port->running && port->ops->pull != NULL && port->ops->pull (port->data, pulled, now);

  if (port->running)
    media_meter_add (&port->meter, heard ? pulled : silence);
  if (port->room != NULL)
    media_mixer_say (&port->room->mixer, &port->seat, heard ? pulled : NULL, port->joined && port->attached && port->voice ? 1 : 0);
  /* A tone takes the place of what the port plays, and is heard on a port that is not attached too: it
   * was asked for. */
  if (media_tone_render (&port->tone, tone, MEDIA_FRAME))
    media_mix_add (&hub->mix, tone);
  else
    play_alone (hub, port, pulled, heard);
}

static void
play_ports (MediaHub *hub, gint16 *frame, gint64 now)
{
  media_mix_begin (&hub->mix);
  for (guint i = 0; i < hub->rooms->len; i++)
    media_mixer_begin (&((MediaRoom *) g_ptr_array_index (hub->rooms, i))->mixer);
  for (guint i = 0; i < hub->ports->len; i++)
    play_port (hub, g_ptr_array_index (hub->ports, i), now);
  for (guint i = 0; i < hub->rooms->len; i++)
    {
      MediaRoom *room = g_ptr_array_index (hub->rooms, i);

      if (room->mixer.sounds)
        media_mix_add_sum (&hub->mix, room->mixer.sum, &room->ear, room->away ? 0 : 1);
      room->ear = room->away ? 0 : 1;
    }
  if (media_tone_render (&hub->waiting, frame, MEDIA_FRAME))
    media_mix_add (&hub->mix, frame);
  if (media_tone_render (&hub->test, frame, MEDIA_FRAME))
    media_mix_add (&hub->mix, frame);
  media_mix_end (&hub->mix, frame);
}

/* ---- what is said ---- */

static void
clean_voice (MediaHub *hub, const gint16 *played, gint16 *microphone, gboolean heard)
{
  gint shift = media_inlet_take_shift (hub->inlet);

  if (hub->voice == NULL)
    return;
  /* Silence while the buffer fills is no jump yet: what counts is where it goes on. */
  hub->shift += shift;
  if (heard)
    {
      media_voice_shift (hub->voice, hub->shift);
      hub->shift = 0;
    }
  media_voice_process (hub->voice, played, microphone);
}

static gboolean
is_listened_to (MediaHub *hub)
{
  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      if (port->running && port->attached && !(port->joined && port->room->away))
        return TRUE;
    }
  return FALSE;
}

static void
speak_in_room (MediaRoom *room, const gint16 *microphone, gint64 now)
{
  gint16 far[MEDIA_FRAME];

  if (media_taps_in_use (room->taps))
    {
      if (room->mixer.sounds)
        media_limit (&room->far, room->mixer.sum, far);
      media_taps_far (room->taps, room->mixer.sounds ? far : NULL);
    }
  memcpy (room->said, microphone, sizeof room->said);
  media_fade (room->said, &room->mouth, room->muted || room->away ? 0 : 1);
  media_meter_add (&room->meter, room->said);
  room->near = media_taps_near (room->taps, room->said, now);
  room->added = media_taps_added (room->taps);
}

/* What we say to a port in a room: what we say there, on its way in and out the microphone as it is; and what a source says even if the
 * microphone is not for this port. FALSE: nothing. */
static gboolean
speak_to_member (MediaPort *port, const gint16 *microphone, float ear, float mouth, gint16 *ret_frame)
{
  const MediaRoom *room = port->room;
  const gint16 *added = room->added != NULL ? room->added : silence;
  float ear0 = port->seat.ear, mouth0 = port->microphone;

  port->microphone = mouth;
  if (ear0 == 1 && ear == 1 && mouth0 == mouth && (mouth == 0 || mouth == 1))
    {
      if (mouth == 0 && room->added == NULL)
        return FALSE;
      memcpy (ret_frame, mouth == 1 ? room->near : added, MEDIA_FRAME * sizeof *ret_frame);
      return TRUE;
    }
  for (guint i = 0; i < MEDIA_FRAME; i++)
    {
      float at = (i + 1) / (float) MEDIA_FRAME, in = ear0 + (ear - ear0) * at, open = mouth0 + (mouth - mouth0) * at;
      float value = open * (in * room->near[i] + (1 - in) * microphone[i]) + (1 - open) * in * added[i];

      ret_frame[i] = (gint16) lrintf (value);
    }
  return TRUE;
}

static void
feed_member (MediaPort *port, const gint16 *microphone, float mouth, gint64 now)
{
  MediaRoom *room = port->room;
  float ear = port->joined && port->attached ? 1 : 0;
  gint16 ours[MEDIA_FRAME], frame[MEDIA_FRAME];
  gboolean any = speak_to_member (port, microphone, ear, mouth, ours);

  media_mixer_hear (&room->mixer, &port->seat, any ? ours : NULL, ear, frame);
  port->ops->push (port->data, frame, now);
}

static void
feed_port (MediaPort *port, const gint16 *microphone, gint64 now)
{
  float mouth = port->attached && !port->muted ? 1 : 0;
  gint16 faded[MEDIA_FRAME];

  if (port->fresh)
    port->microphone = mouth;
  port->fresh = FALSE;
  if (port->room != NULL)
    feed_member (port, microphone, mouth, now);
  else if (port->microphone == mouth)
    port->ops->push (port->data, mouth == 1 ? microphone : silence, now);
  else
    {
      memcpy (faded, microphone, sizeof faded);
      media_fade (faded, &port->microphone, mouth);
      port->ops->push (port->data, faded, now);
    }
}

static void
feed_ports (MediaHub *hub, const gint16 *played, gint64 now)
{
  gint16 microphone[MEDIA_FRAME];
  gboolean heard = media_inlet_read (hub->inlet, microphone, now, is_listened_to (hub));

  if (!heard)
    memset (microphone, 0, sizeof microphone);
  clean_voice (hub, played, microphone, heard);
  media_fade (microphone, &hub->unmuted_gain, hub->muted ? 0 : 1);
  media_meter_add (&hub->meter_in, microphone);

  for (guint i = 0; i < hub->rooms->len; i++)
    speak_in_room (g_ptr_array_index (hub->rooms, i), microphone, now);
  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);

      if (port->running && port->ops->push != NULL)
        feed_port (port, microphone, now);
      /* The gains were down at the end of this frame, or nothing sounds there. */
      if (port->room != NULL && !port->joined)
        port->room = NULL;
    }
}

void
media_hub_tick (gpointer data, gint16 *frame, gint64 now)
{
  MediaHub *hub = data;

  play_ports (hub, frame, now);
  media_meter_add (&hub->meter_out, frame);
  feed_ports (hub, frame, now);
}

/* ---- rooms ---- */

MediaRoom *
media_room_new (MediaHub *hub)
{
  MediaRoom *room = g_new0 (MediaRoom, 1);

  room->hub = hub;
  room->taps = media_taps_new ();
  room->mouth = room->ear = 1;
  room->near = silence;
  media_mixer_init (&room->mixer);
  media_limiter_init (&room->far);
  media_clock_lock (hub->clock);
  g_ptr_array_add (hub->rooms, room);
  media_clock_unlock (hub->clock);
  return room;
}

static void
leave_room (MediaHub *hub, MediaRoom *room)
{
  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      if (port->room == room)
        port->joined = FALSE;
    }
}

static void
reap (MediaRoom *room)
{
  MediaHub *hub = room->hub;

  g_clear_handle_id (&room->reap_source, g_source_remove);
  media_clock_lock (hub->clock);
  g_ptr_array_remove (hub->rooms, room);
  /* Without ticks nobody has left yet. */
  for (guint i = 0; i < hub->ports->len; i++)
    {
      MediaPort *port = g_ptr_array_index (hub->ports, i);
      if (port->room == room)
        port->room = NULL;
    }
  media_clock_unlock (hub->clock);
  media_taps_free (room->taps);
  g_free (room);
}

static gboolean
on_reap (gpointer data)
{
  MediaRoom *room = data;

  room->reap_source = 0;
  reap (room);
  return G_SOURCE_REMOVE;
}

void
media_room_free (MediaRoom *room)
{
  if (room == NULL)
    return;
  media_clock_lock (room->hub->clock);
  leave_room (room->hub, room);
  media_clock_unlock (room->hub->clock);
  room->reap_source = g_timeout_add (REAP_MS, on_reap, room);
}

void
media_hub_clear_rooms (MediaHub *hub)
{
  while (hub->rooms->len > 0)
    reap (g_ptr_array_index (hub->rooms, 0));
  g_ptr_array_unref (hub->rooms);
}

void
media_room_set (MediaRoom *room, gboolean muted, gboolean away)
{
  media_clock_lock (room->hub->clock);
  room->muted = !!muted;
  room->away = !!away;
  media_clock_unlock (room->hub->clock);
}

MediaTaps *
media_room_get_taps (MediaRoom *room)
{
  return room->taps;
}

double
media_room_get_level (MediaRoom *room)
{
  return media_meter_get (&room->meter);
}

void
media_port_set_room (MediaPort *port, MediaRoom *room)
{
  media_clock_lock (port->hub->clock);
  if (room != NULL && room != port->room)
    {
      /* From one room to another: what it said in the first dies away there. */
      if (port->room != NULL)
        media_mixer_leave (&port->room->mixer, &port->seat);
      media_seat_init (&port->seat);
      port->room = room;
    }
  port->joined = room != NULL;
  media_clock_unlock (port->hub->clock);
}
