/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A pipe of a recording, Opus in Ogg or WAV, becomes a pipe of the format that is wanted, on a thread of its own. */

#include "core/recording.h"
#include "util/phone-error.h"

/* Takes sound over, whatever comes; what it is shows in its first octets. The reading end of a pipe, the caller's; -1: TOO_MANY, MEDIA_FAILED. It ends
 * where the sound ends; a reader that sleeps for two minutes loses the rest. */
int media_export (int sound, PhoneRecordingFormat format, GError **error);
