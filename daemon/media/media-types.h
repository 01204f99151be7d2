/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* PCM inside the media room is always 48 kHz, mono, signed 16 bit, in frames of 10 ms. */
#include <glib.h>

#define MEDIA_RATE 48000
#define MEDIA_FRAME_MS 10
#define MEDIA_FRAME 480                 /* samples */
/* Time inside media/ is CLOCK_MONOTONIC in microseconds (g_get_monotonic_time). */
