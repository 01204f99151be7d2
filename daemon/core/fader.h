/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The switches and sliders of phoned that the mixer of the desktop shows, too: those of the stream that records and of the one that plays calls.
 * The value of a mute is 0 or 1. That of a volume is what PulseAudio and its mixers call percent, a cubic scale: 100 is the sound as it
 * comes, 50 is -18 dB, 150 is +10.6 dB. */

#include "util/phone-enum.h"

#define PHONE_FADER_LIST(X) \
  X (PHONE_FADER_INPUT_MUTE, "input-mute") X (PHONE_FADER_INPUT_VOLUME, "input-volume") \
  X (PHONE_FADER_OUTPUT_MUTE, "output-mute") X (PHONE_FADER_OUTPUT_VOLUME, "output-volume")
PHONE_DECLARE_ENUM (PhoneFader, phone_fader, PHONE_FADER_LIST)

#define PHONE_VOLUME_NOMINAL 100
#define PHONE_VOLUME_MAX 150
