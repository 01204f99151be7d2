/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What media-hub.c (ticks and ports) and media-hub-audio.c (ring, devices, test tones) share. */

#include "media/media-hub.h"
#include "media/media-inlet.h"
#include "media/media-mix.h"
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
  guint n_running, n_tones;     /* ports */
  PhoneTone ring;               /* what core wants to hear */
  char *ring_country;
  guint test_source[media_role_n_values];
  guint linger_source;
  MediaEchoMode echo_mode;
  gboolean suppress_noise, control_gain;

  /* Under the clock's lock. */
  GPtrArray *ports;
  MediaTone waiting, test;
  gboolean muted;
  float unmuted_gain;           /* 0..1, follows muted */
  MediaMix mix;
  MediaMeter meter_in, meter_out;
  MediaVoice *voice;            /* NULL: the microphone is left as it is */
  MediaVoiceParts parts;
  gint shift;                   /* of the microphone, not told to voice yet */

  atomic_int level_in, level_out;       /* 1/100 dBFS */
};

/* Starts or stops the devices as there are reasons to. */
void media_hub_update (MediaHub *hub);
/* Decides what is done to the microphone, from what is wanted and from where the devices are. */
void media_hub_update_voice (MediaHub *hub);
/* Takes device. text: what it was made from. */
void media_hub_set_device (MediaHub *hub, MediaRole role, MediaDevice *device, const char *text);
