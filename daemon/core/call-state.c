/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/call-state.h"

#define BIT(state) (1u << PHONE_CALL_##state)

/* A call that waits for the user (incoming) becomes waiting and back as other calls come and go. */
static const guint allowed[] = {
  [PHONE_CALL_DIALING] = BIT (ALERTING) | BIT (ACTIVE) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_ALERTING] = BIT (DIALING) | BIT (ACTIVE) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_INCOMING] = BIT (WAITING) | BIT (ACTIVE) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_WAITING] = BIT (INCOMING) | BIT (ACTIVE) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_ACTIVE] = BIT (HELD) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_HELD] = BIT (ACTIVE) | BIT (DISCONNECTING) | BIT (DISCONNECTED),
  [PHONE_CALL_DISCONNECTING] = BIT (DISCONNECTED),
  [PHONE_CALL_DISCONNECTED] = 0,
};

gboolean
phone_call_transition_allowed (PhoneCallState from, PhoneCallState to)
{
  return (allowed[from] & (1u << to)) != 0;
}
