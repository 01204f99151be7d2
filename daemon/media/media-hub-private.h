/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What media-hub.c (life and ports), media-hub-tick.c (the tick, rooms) and media-hub-audio.c (ring, devices, test tones) share. */

#include "media/media-hub.h"
#include "media/media-inlet.h"
#include "media/media-mix.h"
#include "media/media-mixer.h"
#include "media/media-ringer.h"
#include "media/media-tone.h"
#include "media/media-voice.h"

#include <stdatomic.h>

#define MEDIA_ECHO_MODE_LIST(X) X (MEDIA_ECHO_OFF, "off") X (MEDIA_ECHO_ON, "on") X (MEDIA_ECHO_AUTO, "auto")
PHONE_DECLARE_ENUM (MediaEchoMode, media_echo_mode, MEDIA_ECHO_MODE_LIST)

struct _MediaHub
{
  MediaOutlet *outlet;
  MediaClock *clock;            /* the outlet's */
  MediaInlet *inlet;
  MediaRinger *ringer;
  char *selected[media_role_n_values];
  MediaHubDeviceLost lost;
  gpointer lost_data;
  MediaHubFaded faded;
  gpointer faded_data;
  guint n_running, n_tones;     /* ports */
  PhoneTone ring;               /* what core wants to hear */
  char *ring_country, *ring_sound;
  guint test_source[media_role_n_values];
  guint linger_source;
  MediaEchoMode echo_mode;
  gboolean suppress_noise, control_gain;

  /* Under the clock's lock. */
  GPtrArray *ports, *rooms;
  MediaTone waiting, test;
  gboolean muted;
  float unmuted_gain;           /* 0..1, follows muted */
  MediaMix mix;
  MediaMeter meter_in, meter_out;
  MediaVoice *voice;            /* NULL: the microphone is left as it is */
  MediaVoiceParts parts;
  gint shift;                   /* of the microphone, not told to voice yet */

};

struct _MediaPort
{
  MediaHub *hub;
  char *name;
  const MediaPortOps *ops;
  gpointer data;
  PhoneTone which;
  MediaTone tone;

  /* Under the clock's lock. What is wanted ... */
  gboolean running, attached, muted, voice;
  gboolean joined;              /* in room; else it is on its way out */
  MediaRoom *room;              /* NULL: none */
  /* ... and the gains that follow it over a frame. */
  gboolean fresh;               /* they are there at once */
  float solo;                   /* to the loudspeaker, but for what goes by the room */
  float microphone;
  MediaSeat seat;
  MediaMeter meter;
};

struct _MediaRoom
{
  MediaHub *hub;
  MediaTaps *taps;
  guint reap_source;            /* freed: the last of its sound dies away */

  /* Under the clock's lock. */
  gboolean muted, away;
  float mouth, ear;             /* gains of the microphone and of the loudspeaker */
  MediaMixer mixer;
  MediaLimiter far;
  gint16 said[MEDIA_FRAME];     /* by us */
  const gint16 *near, *added;   /* in this tick: what is said by us and for us, and of that what is no microphone (NULL: nothing) */
  MediaMeter meter;
};

/* ---- media-hub-tick.c ---- */
void media_hub_tick (gpointer hub, gint16 *frame, gint64 now);          /* a MediaClockTick */
void media_hub_clear_rooms (MediaHub *hub);

/* Starts or stops the devices as there are reasons to. */
void media_hub_update (MediaHub *hub);
/* Decides what is done to the microphone, from what is wanted and from where the devices are. */
void media_hub_update_voice (MediaHub *hub);
/* Takes device. text: what it was made from. */
void media_hub_set_device (MediaHub *hub, MediaRole role, MediaDevice *device, const char *text);
