/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The audio bridge of the daemon: every source and sink of PCM (a call, a file player, a client's stream, a
 * tone) is a port; the hub ticks all of them every 10 ms on one thread, paced by the output device's clock,
 * or by a timer when there is none (files, tones, silence). A tick pulls one frame from every port, mixes
 * what goes to the loudspeaker, and pushes the microphone (and, for conferences, the other members) to
 * every port. No tick while no port is running: an idle phone wakes up nobody.
 *
 * The hub owns devices, files and the ring. Each of them that is open has threads of its own; nothing has
 * one while nothing sounds, but for sound devices, which stay connected while it rings and for 5 s after
 * the last call, so that an answered call has sound at once. */

#include "core/ports.h"
#include "media/media-taps.h"
#include "media/media-types.h"

typedef struct _MediaHub MediaHub;
typedef struct _MediaPort MediaPort;
typedef struct _MediaRoom MediaRoom;    /* a conference */

typedef struct
{
  /* Both on the hub thread; must not block. frame: MEDIA_FRAME samples. now: monotonic us of this tick. */
  /* FALSE: silence (frame need not be filled). */
  gboolean (*pull) (gpointer data, gint16 *frame, gint64 now);
  void (*push) (gpointer data, const gint16 *frame, gint64 now);        /* what this port is to hear/send */
} MediaPortOps;

MediaHub *media_hub_new (const PhoneDaemonSettings *settings);
void media_hub_free (MediaHub *hub);

/* Main thread. A new port is not running and not attached. */
MediaPort *media_hub_add_port (MediaHub *hub, const char *name, const MediaPortOps *ops, gpointer data);
void media_port_set_running (MediaPort *port, gboolean running);        /* ticks come or not */
/* Hears the microphone, is heard in the loudspeaker. */
void media_port_set_attached (MediaPort *port, gboolean attached);
/* Played to the loudspeaker in place of nothing/pull, whether the port runs and is attached or not. */
void media_port_set_tone (MediaPort *port, PhoneTone tone, const char *country);
void media_port_beep (MediaPort *port);         /* once, in place of what the port plays; the port runs */
/* Hears the microphone no more; what others say in its room it still hears. Unlike all else, it begins and ends over a frame. */
void media_port_set_muted (MediaPort *port, gboolean muted);
/* The others in the room, and the loudspeaker, hear it (as it is when it enters a room) or do not. */
void media_port_set_voice (MediaPort *port, gboolean voice);
/* Into a room, or out of it (NULL): it hears, and is heard by, whoever else is there, as long as it is attached. */
void media_port_set_room (MediaPort *port, MediaRoom *room);
/* What it plays, muted or not: RMS in dBov over the last 100 ms (RFC 6465), -127..0. */
double media_port_get_level (MediaPort *port);
/* When this returns, no callback of the port runs or will run. */
void media_hub_remove_port (MediaHub *hub, MediaPort *port);

/* A conference of ports and ourselves: one more mix, at the hub's beat, without delay. Main thread. */
MediaRoom *media_room_new (MediaHub *hub);
/* Whoever is in it leaves. Accepts NULL. */
void media_room_free (MediaRoom *room);
/* muted: nobody there hears the microphone. away: nor do we hear them; they go on among themselves. */
void media_room_set (MediaRoom *room, gboolean muted, gboolean away);
/* near: what we say there; far: all others. What a source says is heard by all of them. */
MediaTaps *media_room_get_taps (MediaRoom *room);
double media_room_get_level (MediaRoom *room);  /* what we say there: dBov, -127..0 */

/* Main thread. Buffers between device and hub, ms, for reports; and the origins of file devices (monotonic
 * us, 0: none): a file input begins anew when the first port runs, and stands still while no attached port
 * runs; a file output is begun anew when the hub starts to tick. */
void media_hub_get_delays (MediaHub *hub, double *ret_capture, double *ret_output);
void media_hub_get_origins (MediaHub *hub, gint64 *ret_input, gint64 *ret_output);
void media_hub_get_levels (MediaHub *hub, double *ret_in, double *ret_out);     /* dBFS, -127..0 */
/* Since it was made; any thread. */
guint64 media_hub_get_ticks (MediaHub *hub);

/* Ring and audio settings: the implementation of the audio half of PhoneMediaOps. */
void media_hub_set_ring (MediaHub *hub, PhoneTone tone, const char *country, const char *sound);
gboolean media_hub_select (MediaHub *hub, const char *role, const char *device, GError **error);
char *media_hub_selected (MediaHub *hub, const char *role);
GPtrArray *media_hub_devices (MediaHub *hub);
gboolean media_hub_test_tone (MediaHub *hub, const char *role, GError **error);
/* Noise suppression and gain control, from now on. */
void media_hub_set_processing (MediaHub *hub, const PhoneDaemonSettings *settings);
void media_hub_set_fader (MediaHub *hub, PhoneFader fader, guint value);
/* Somebody touched it in the mixer of the sound server, which shows media_hub_set_fader() as well. Not followed by the hub itself: the callback calls
 * media_hub_set_fader(). Main loop. */
typedef void (*MediaHubFaded) (PhoneFader fader, guint value, gpointer data);
void media_hub_on_fader (MediaHub *hub, MediaHubFaded callback, gpointer data);
typedef void (*MediaHubDeviceLost) (const char *role, const char *device, gpointer data);      /* main loop */
void media_hub_on_device_lost (MediaHub *hub, MediaHubDeviceLost callback, gpointer data);
