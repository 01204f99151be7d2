/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sound device of one role, come what may: the one that was asked for, else the system's default, else
 * none; and back to the one that was asked for when it returns. Main thread but for the callbacks of
 * media-live-elements.h. */

#include "media/media-live.h"

typedef struct _MediaChain MediaChain;
/* The device that was in use, or was asked for by name, is gone; a substitute or silence stands in. */
typedef void (*MediaChainLost) (gpointer data, const char *device, const char *why);

typedef enum
{
  MEDIA_CHAIN_OFF,              /* nothing open, no thread */
  MEDIA_CHAIN_WARM,             /* connected to the sound server: on in a moment */
  MEDIA_CHAIN_ON,
} MediaChainState;

MediaChain *media_chain_new (MediaRole role, MediaLiveDemand demand, MediaLiveCaptured captured,
                             MediaChainLost lost, gpointer data);
void media_chain_free (MediaChain *chain);
/* Copies. Files, tones and silence are no business of the chain: it opens nothing for them. */
void media_chain_set_device (MediaChain *chain, const MediaDevice *device);
void media_chain_set_state (MediaChain *chain, MediaChainState state);
/* Where the sound server plays or captures for us, "" if it does not say; NULL: no device is open. */
const char *media_chain_get_place (MediaChain *chain);
/* callback: the place may have changed. Once, at the start. */
void media_chain_on_place (MediaChain *chain, void (*callback) (gpointer data), gpointer data);
/* callback: the switch or the slider of the stream was touched in the mixer of the sound server. Once, at the start. */
typedef void (*MediaChainFaded) (gpointer data, MediaFaderPart part, guint value);
void media_chain_on_fader (MediaChain *chain, MediaChainFaded callback, gpointer data);
/* The mixer shows it, too, now and for every device that is opened from now on. */
void media_chain_set_fader (MediaChain *chain, MediaFaderPart part, guint value);
double media_chain_get_delay (MediaChain *chain);       /* ms, 0: none open, NAN: unknown */
