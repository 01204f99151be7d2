/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* A conference: calls that hear each other and us. It is made here and lives here, so it ends with us; and by itself when fewer than two
 * calls are left, unless it is to be kept: the call that is left goes on as one. A call is in one conference at most, and leaves it when it
 * ends. We may be away (on hold, with another call): the others go on among themselves. Emits "changed" (guint mask of
 * PhoneConferenceField). */

#include "core/call.h"

#define PHONE_CONFERENCE_MAX 16         /* calls of one */

typedef enum
{
  PHONE_CONFERENCE_CALLS = 1 << 0,
  PHONE_CONFERENCE_MUTED = 1 << 1,
  PHONE_CONFERENCE_HOLD = 1 << 2,
  PHONE_CONFERENCE_MEMBERS = 1 << 3,    /* which of them are muted */
  PHONE_CONFERENCE_KEEP = 1 << 4,
  PHONE_CONFERENCE_RECORDING = 1 << 5,
  PHONE_CONFERENCE_CAN = 1 << 6,        /* a call of it has changed; the others change it too */
} PhoneConferenceField;

#define PHONE_TYPE_CONFERENCE (phone_conference_get_type ())
G_DECLARE_FINAL_TYPE (PhoneConference, phone_conference, PHONE, CONFERENCE, GObject)

guint phone_conference_get_number (PhoneConference *conference);        /* path element; never reused */
const char *phone_conference_get_id (PhoneConference *conference);      /* UUID */
GPtrArray *phone_conference_get_calls (PhoneConference *conference);    /* PhoneCall, in the order in which they came; borrowed */
gboolean phone_conference_get_muted (PhoneConference *conference);      /* our microphone */
gboolean phone_conference_get_local_hold (PhoneConference *conference); /* we are away */
gboolean phone_conference_get_keep (PhoneConference *conference);
/* Names of the actions that would succeed now: add hold resume mute record connect end. NULL-terminated, free container only. */
const char **phone_conference_get_can (PhoneConference *conference);
gboolean phone_conference_is_over (PhoneConference *conference);
double phone_conference_get_level (PhoneConference *conference);        /* dBov of what we say there, -127..0 */
double phone_call_get_level (PhoneCall *call);                          /* of what the peer says */

/* A call that is established or on its way (it is heard when it is answered). It is taken from hold, and we come back if we were away. */
gboolean phone_conference_add (PhoneConference *conference, PhoneCall *call, GError **error);
/* The call leaves, on hold. */
gboolean phone_conference_remove (PhoneConference *conference, PhoneCall *call, GError **error);
/* The call leaves and is ours alone; we are away from the conference. */
gboolean phone_conference_split (PhoneConference *conference, PhoneCall *call, GError **error);
/* Nobody hears the peer of the call, it hears all. */
gboolean phone_conference_mute (PhoneConference *conference, PhoneCall *call, gboolean muted, GError **error);
gboolean phone_conference_is_call_muted (PhoneConference *conference, PhoneCall *call);
void phone_conference_set_muted (PhoneConference *conference, gboolean muted);
void phone_conference_set_keep (PhoneConference *conference, gboolean keep);
void phone_conference_hold (PhoneConference *conference);
void phone_conference_resume (PhoneConference *conference);             /* other calls of ours go on hold */
/* Its sound over a socket, as that of a call: near is what we say there. */
gboolean phone_conference_open_stream (PhoneConference *conference, const PhoneStreamParams *params, int *ret_fd, GError **error);

/* ---- conference-roster.c: what its parties are told of it ---- */
gboolean phone_call_is_hosted (PhoneCall *call);                /* its peer is to know that it is in a conference of ours */
/* PhoneParticipant, we first; empty: it is not, or no more. Caller unrefs. */
GPtrArray *phone_call_get_hosted_roster (PhoneCall *call);

/* ---- conference-recording.c: as with a call, we left, all others right ---- */
typedef void (*PhoneConferenceDone) (PhoneConference *conference, const GError *error, gpointer data);
PhoneCallRecording phone_conference_get_recording (PhoneConference *conference);
const char *phone_conference_get_recording_id (PhoneConference *conference);    /* of the last one, "" if there was none */
gboolean phone_conference_record (PhoneConference *conference, PhoneConferenceDone done, gpointer data, GError **error);
gboolean phone_conference_record_pause (PhoneConference *conference, GError **error);
gboolean phone_conference_record_stop (PhoneConference *conference, GError **error);

/* All its calls end. */
void phone_conference_end (PhoneConference *conference);
/* We leave, and its two calls are connected with each other (RFC 3891); if that fails it goes on. */
gboolean phone_conference_connect (PhoneConference *conference, GError **error);
