/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What media-hub.c (ticks and ports) and media-hub-audio.c (ring, devices, test tones) share. */

#include "media/media-hub.h"
#include "media/media-inlet.h"
#include "media/media-mix.h"
#include "media/media-ringer.h"
#include "media/media-tone.h"

#include <stdatomic.h>

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

/* Starts or stops the devices as there are reasons to. */
void media_hub_update (MediaHub *hub);
/* Takes device. text: what it was made from. */
void media_hub_set_device (MediaHub *hub, MediaRole role, MediaDevice *device, const char *text);
