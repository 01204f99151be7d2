/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of a conference, shared by conference.c and conference-recording.c. */

#include "core/call-private.h"
#include "core/conference.h"

struct _PhoneConference
{
  GObject parent_instance;
  PhoneRegistry *registry;      /* not owned: the registry owns us; NULL: over */
  guint number;
  char *id;
  GPtrArray *calls;             /* references */
  PhoneRoom *room;
  gboolean muted, away, keep;
  PhoneTape tape;
  PhoneConferenceDone record_done;      /* of whoever waits for a recording to run; once */
  gpointer record_data;
};

void phone_conference_emit_changed (PhoneConference *conference, guint mask);

/* ---- conference-roster.c ---- */
void phone_conference_tell_party (PhoneCall *call);             /* it joined, or left */

/* ---- conference-recording.c ---- */
void phone_conference_recording_init (PhoneConference *conference);
void phone_conference_on_recording_failed (const GError *error, gpointer conference);
