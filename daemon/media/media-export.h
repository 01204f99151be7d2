/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A pipe of Opus in Ogg becomes a pipe of WAV, on a thread of its own. */

#include "util/phone-error.h"

/* Takes ogg over, whatever comes. The reading end of a pipe, the caller's; -1: TOO_MANY, MEDIA_FAILED. It ends where the sound ends; a reader that
 * sleeps for two minutes loses the rest. */
int media_export_wav (int ogg, GError **error);
