/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One sound device, opened: a GStreamer pipeline with a thread that changes its state, because opening and
 * closing talk to a sound server and may take their time. All calls here return at once. */

#include "media/media-device.h"
#include "media/media-fader.h"
#include "media/media-live-elements.h"
#include "media/media-notify.h"

typedef struct _MediaLive MediaLive;

typedef enum
{
  MEDIA_LIVE_WARM,              /* connected to the server; nothing flows */
  MEDIA_LIVE_ON,
} MediaLiveState;

/* Events, posted as code = serial * MEDIA_LIVE_N_EVENTS + event. */
typedef enum
{
  MEDIA_LIVE_STARTED,           /* the first samples flowed */
  MEDIA_LIVE_PLACED,            /* text: the device that the server gave the stream, or the one that was asked for; also when it moves */
  MEDIA_LIVE_MUTE,              /* the switch of the stream was touched in the mixer of the server; text: for media_live_hear_fader() */
  MEDIA_LIVE_VOLUME,            /* the same of its slider */
  MEDIA_LIVE_FAILED,            /* could not be opened, or went away; text says why. It does nothing more. */
  MEDIA_LIVE_N_EVENTS,
} MediaLiveEvent;

/* device: pipewire, pulse or alsa. demand serves output and ring, captured the input; either stops when
 * media_live_free() has returned. */
MediaLive *media_live_new (MediaRole role, const MediaDevice *device, MediaLiveDemand demand,
                           MediaLiveCaptured captured, gpointer data, MediaNotify *notify, guint serial);
void media_live_set_state (MediaLive *live, MediaLiveState state);
/* As the mixer of the server shows the stream, too; where there is none, we do it ourselves. Without a word about it the stream stays as the
 * server has it. */
void media_live_set_fader (MediaLive *live, MediaFaderPart part, guint value);
gboolean media_live_hear_fader (MediaLive *live, MediaFaderPart part, const char *text, guint *ret_value);      /* FALSE: stale */
/* Ms in buffers of the device and its server, NAN: unknown; any thread. */
double media_live_get_delay (MediaLive *live);
/* Whether what is opened from now on as the default goes where the default goes (TRUE at first), or stays. */
void media_live_set_follow_default (gboolean follow);
gboolean media_live_get_follow_default (void);
/* For benchmarks: other buffers, in us, for what is made from now on. */
void media_live_set_buffers (guint buffer, guint period);
/* Closes it behind the caller's back; accepts NULL. */
void media_live_free (MediaLive *live);
