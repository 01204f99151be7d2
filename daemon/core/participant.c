/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/participant.h"

PhoneParticipant *
phone_participant_new (const char *uri, const char *name, PhoneParticipantStatus status)
{
  PhoneParticipant *participant = g_new (PhoneParticipant, 1);

  *participant = (PhoneParticipant){ g_strdup (uri), g_strdup (name), status };
  return participant;
}

void
phone_participant_free (PhoneParticipant *participant)
{
  g_free (participant->uri);
  g_free (participant->name);
  g_free (participant);
}
