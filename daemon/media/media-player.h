/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Files played into a call, one after the other, in place of the microphone: prompts. A file is read ahead by a thread of its own. */

#include "media/media-taps.h"
#include "util/phone-error.h"

typedef struct _MediaPlayer MediaPlayer;

#define MEDIA_PLAYER_MAX 32             /* files in the queue */

/* A file of the queue has ended: hub thread, must not block; not after media_player_free() has returned. */
typedef void (*MediaPlayerEnded) (gpointer data);

MediaPlayer *media_player_new (MediaTaps *taps, MediaPlayerEnded ended, gpointer data);
void media_player_free (MediaPlayer *player);           /* accepts NULL */
/* Main thread. NO_DEVICE, INVALID_OPTION: the file is not there, or no WAV; TOO_MANY. */
gboolean media_player_add (MediaPlayer *player, const char *path, GError **error);
void media_player_clear (MediaPlayer *player);          /* silence at once */
/* The path of the next file that has ended, since it was asked last; NULL: none. The caller frees. */
char *media_player_take_ended (MediaPlayer *player);
