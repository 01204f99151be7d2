/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The transition table of a call, pure, so that a test can walk all of it. */

#include "core/call.h"

gboolean phone_call_transition_allowed (PhoneCallState from, PhoneCallState to);
