/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "util/phone-enum.h"

/* Who is in a conference that a server, or another phone, holds (RFC 4575). Values: every text is clean and bounded. */

#define PHONE_PARTICIPANT_STATUS_LIST(X) \
  X (PHONE_PARTICIPANT_PENDING, "pending") X (PHONE_PARTICIPANT_DIALING_OUT, "dialing-out") X (PHONE_PARTICIPANT_DIALING_IN, "dialing-in") \
  X (PHONE_PARTICIPANT_ALERTING, "alerting") X (PHONE_PARTICIPANT_ON_HOLD, "on-hold") X (PHONE_PARTICIPANT_CONNECTED, "connected") \
  X (PHONE_PARTICIPANT_MUTED, "muted-via-focus") X (PHONE_PARTICIPANT_DISCONNECTING, "disconnecting") \
  X (PHONE_PARTICIPANT_DISCONNECTED, "disconnected")
PHONE_DECLARE_ENUM (PhoneParticipantStatus, phone_participant_status, PHONE_PARTICIPANT_STATUS_LIST)

typedef struct
{
  char *uri;
  char *name;                   /* NULL: none */
  PhoneParticipantStatus status;
} PhoneParticipant;

PhoneParticipant *phone_participant_new (const char *uri, const char *name, PhoneParticipantStatus status);
void phone_participant_free (PhoneParticipant *participant);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneParticipant, phone_participant_free)
