/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The sound of a call over a socket: a client hears what the peer says and speaks in place of the microphone (bots, thin clients, recorders).
 * Signed 16 bit PCM in the byte order of the machine, a stream without headers, at the rate and with the channels that were asked for.
 *
 * Everything happens in the hub's tick and nothing waits: a client that does not read loses what it does not read, whole frames of it. One that
 * writes faster than it is spoken is held back by its socket, which holds little; with `live`, a client whose clock is its own (a sound
 * card, another call) is followed instead: a thread stamps what comes when it comes, and its buffer is kept short by cutting or repeating where it
 * is not heard. What a client wrote before it closed is said to its end. */

#include "core/ports.h"
#include "media/media-taps.h"

typedef struct _MediaStream MediaStream;

/* The client has gone, and what it wrote has been said. On the hub's thread, once at most, and not after media_stream_free() has returned. */
typedef void (*MediaStreamGone) (gpointer data);

/* *ret_fd: the client's end, the caller's to close. INVALID_OPTION for what params may not be, MEDIA_FAILED without a socket. */
MediaStream *media_stream_new (MediaTaps *taps, const PhoneStreamParams *params, MediaStreamGone gone, gpointer data, int *ret_fd,
                               GError **error);
gboolean media_stream_is_gone (MediaStream *stream);
void media_stream_free (MediaStream *stream);           /* the client reads its end; accepts NULL */
