/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One call: the state machine between clients, signalling and media. Holds the negotiation (offer, answer, plan), the
 * hold and mute flags, and why it ended. Emits "changed" (guint mask of PhoneCallField), "dtmf" (char digit as
 * guint, guint ms, const char *method), "played" (const char *path).
 *
 *   out:  dialing -> alerting -> active <-> held -> disconnecting -> disconnected
 *   in:   incoming | waiting -> active ...          any -> disconnected                                  */

#include <glib-object.h>
#include "core/account.h"
#include "core/participant.h"

#define PHONE_CALL_STATE_LIST(X) \
  X (PHONE_CALL_DIALING, "dialing") X (PHONE_CALL_ALERTING, "alerting") X (PHONE_CALL_INCOMING, "incoming") \
  X (PHONE_CALL_WAITING, "waiting") X (PHONE_CALL_ACTIVE, "active") X (PHONE_CALL_HELD, "held") \
  X (PHONE_CALL_DISCONNECTING, "disconnecting") X (PHONE_CALL_DISCONNECTED, "disconnected")
PHONE_DECLARE_ENUM (PhoneCallState, phone_call_state, PHONE_CALL_STATE_LIST)

#define PHONE_CALL_DIRECTION_LIST(X) X (PHONE_CALL_OUTGOING, "outgoing") X (PHONE_CALL_INBOUND, "incoming")
PHONE_DECLARE_ENUM (PhoneCallDirection, phone_call_direction, PHONE_CALL_DIRECTION_LIST)

#define PHONE_CALL_RECORDING_LIST(X) \
  X (PHONE_CALL_RECORDING_OFF, "off") X (PHONE_CALL_RECORDING_PREPARING, "preparing") X (PHONE_CALL_RECORDING_RUNNING, "running") \
  X (PHONE_CALL_RECORDING_PAUSED, "paused")
PHONE_DECLARE_ENUM (PhoneCallRecording, phone_call_recording, PHONE_CALL_RECORDING_LIST)

/* What the answering machine does with the call; leaving: it says why, or goodbye, and hangs up. */
#define PHONE_MACHINE_LIST(X) \
  X (PHONE_MACHINE_OFF, "off") X (PHONE_MACHINE_ANSWERING, "answering") X (PHONE_MACHINE_GREETING, "greeting") \
  X (PHONE_MACHINE_RECORDING, "recording") X (PHONE_MACHINE_LEAVING, "leaving")
PHONE_DECLARE_ENUM (PhoneMachine, phone_machine, PHONE_MACHINE_LIST)

/* Why the digits that a client waited for are all. */
#define PHONE_COLLECT_END_LIST(X) \
  X (PHONE_COLLECT_TERMINATOR, "terminator") X (PHONE_COLLECT_MAX, "max") X (PHONE_COLLECT_TIMEOUT, "timeout") \
  X (PHONE_COLLECT_HANGUP, "hangup") X (PHONE_COLLECT_STOPPED, "stopped")
PHONE_DECLARE_ENUM (PhoneCollectEnd, phone_collect_end, PHONE_COLLECT_END_LIST)

/* Of a transfer that we began: accepted: the peer tries; failed: the call is ours again. */
#define PHONE_TRANSFER_STATE_LIST(X) \
  X (PHONE_TRANSFER_NONE, "none") X (PHONE_TRANSFER_TRYING, "trying") X (PHONE_TRANSFER_ACCEPTED, "accepted") \
  X (PHONE_TRANSFER_DONE, "done") X (PHONE_TRANSFER_FAILED, "failed")
PHONE_DECLARE_ENUM (PhoneTransferState, phone_transfer_state, PHONE_TRANSFER_STATE_LIST)

typedef enum
{
  PHONE_CALL_FIELD_STATE = 1 << 0,      /* also Can */
  PHONE_CALL_FIELD_REASON = 1 << 1,
  PHONE_CALL_FIELD_PARTY = 1 << 2,      /* remote URI, name, asserted id, contact, diverter */
  PHONE_CALL_FIELD_HOLD = 1 << 3,       /* local hold, remote hold */
  PHONE_CALL_FIELD_MUTED = 1 << 4,
  PHONE_CALL_FIELD_TIMES = 1 << 5,      /* Start, Answered */
  PHONE_CALL_FIELD_MEDIA = 1 << 6,      /* codec, security, remote address, direction */
  PHONE_CALL_FIELD_RECORDING = 1 << 7,
  PHONE_CALL_FIELD_TRANSFER = 1 << 8,   /* transfer, referral, and which call this one replaces or is replaced by; also Can */
  PHONE_CALL_FIELD_CONFERENCE = 1 << 9,
  PHONE_CALL_FIELD_MACHINE = 1 << 10,
  PHONE_CALL_FIELD_ROSTER = 1 << 11,    /* focus, roster */
  PHONE_CALL_FIELD_REMOTE_RECORDING = 1 << 12,  /* what the peer says of its own */
} PhoneCallField;

#define PHONE_TYPE_CALL (phone_call_get_type ())
G_DECLARE_FINAL_TYPE (PhoneCall, phone_call, PHONE, CALL, GObject)

guint phone_call_get_number (PhoneCall *call);                  /* path element; never reused */
const char *phone_call_get_id (PhoneCall *call);                /* UUID */
PhoneAccount *phone_call_get_account (PhoneCall *call);
PhoneCallDirection phone_call_get_direction (PhoneCall *call);
PhoneCallState phone_call_get_state (PhoneCall *call);
gboolean phone_call_is_established (PhoneCall *call);             /* active or held */
const PhoneReason *phone_call_get_reason (PhoneCall *call);     /* cause NONE until it ended */
const char *phone_call_get_remote_uri (PhoneCall *call);
const char *phone_call_get_remote_name (PhoneCall *call);       /* "" if none */
const char *phone_call_get_party (PhoneCall *call);             /* who it is: the asserted identity, else the remote URI */
const char *phone_call_get_contact_name (PhoneCall *call);      /* the party's in the address book; "": it is not in it */
/* What the provider says of the caller's number (3GPP TS 24.229, ATIS-1000074; STIR, RFC 8224): "passed", "failed", "none" (not checked), "" (nothing) */
const char *phone_call_get_verstat (PhoneCall *call);
const char *phone_call_get_alert (PhoneCall *call);             /* words of the caller's Alert-Info, "" if none or untrusted */
const char *phone_call_get_asserted_id (PhoneCall *call);       /* P-Asserted-Identity URI, "" if none or untrusted */
const char *phone_call_get_diverter (PhoneCall *call);
gboolean phone_call_get_local_hold (PhoneCall *call);
gboolean phone_call_get_remote_hold (PhoneCall *call);
gboolean phone_call_get_muted (PhoneCall *call);
PhoneConference *phone_call_get_conference (PhoneCall *call);   /* borrowed; NULL: none */
gint64 phone_call_get_start (PhoneCall *call);                  /* Unix s */
gint64 phone_call_get_answered (PhoneCall *call);               /* Unix s, 0: not answered */
const PhoneMediaPlan *phone_call_get_plan (PhoneCall *call);    /* NULL until negotiated; keys inside: never print */
PhoneIceState phone_call_get_ice_state (PhoneCall *call);
/* How what is heard is protected: FALSE: in clear, or the DTLS handshake is not done. */
gboolean phone_call_get_suite (PhoneCall *call, PhoneSrtpSuite *ret_suite);
gboolean phone_call_get_report (PhoneCall *call, PhoneMediaReport *ret_report);         /* FALSE: no media */
/* The same, and after the media has gone the last that was known. */
gboolean phone_call_get_last_report (PhoneCall *call, PhoneMediaReport *ret_report);
PhoneCallRecording phone_call_get_recording (PhoneCall *call);
const char *phone_call_get_recording_id (PhoneCall *call);      /* of the last one, "" if there was none */
PhoneMachine phone_call_get_machine (PhoneCall *call);
PhoneRecordMark phone_call_get_remote_recording (PhoneCall *call);      /* what the peer says of recording us; NONE: nothing */
const char *phone_call_get_focus (PhoneCall *call);             /* URI of the conference that the peer is; "": it is none */
const GPtrArray *phone_call_get_roster (PhoneCall *call);       /* PhoneParticipant; empty when it does not tell */
gboolean phone_call_get_intercom (PhoneCall *call);             /* incoming: it is answered by itself, because the caller asked and may */
gboolean phone_call_is_self_answered (PhoneCall *call);         /* incoming: nobody here answered it */
/* Names of the actions that would succeed now: answer reject hangup hold resume dtmf mute silence play record transfer accept-transfer
 * park conference deflect.
 * NULL-terminated, free container only. */
const char **phone_call_get_can (PhoneCall *call);
gboolean phone_call_is_ended (PhoneCall *call);                 /* disconnecting or disconnected */

/* Actions. Errors are about starting the action (INVALID_STATE ...). The callbacks fire exactly once, later, on the main loop;
 * error NULL: done. */
typedef void (*PhoneCallDone) (PhoneCall *call, const GError *error, gpointer data);
/* keep_others: do not put the other active calls on hold. Done when the call is active (ACK received) or failed. Also takes a call that
 * the answering machine has. */
gboolean phone_call_answer (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error);
gboolean phone_call_reject (PhoneCall *call, PhoneCause cause, GError **error);         /* BUSY 486, DECLINED 603, UNAVAILABLE 480 */
/* The caller shall call target, as a user types it, instead. */
gboolean phone_call_deflect (PhoneCall *call, const char *target, GError **error);
gboolean phone_call_hangup (PhoneCall *call, GError **error);
gboolean phone_call_hold (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error);
gboolean phone_call_resume (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error);
gboolean phone_call_set_muted (PhoneCall *call, gboolean muted, GError **error);
gboolean phone_call_send_dtmf (PhoneCall *call, const char *digits, guint ms, GError **error);  /* 0-9 * # A-D; ms 40..6000, 0: 100 */
gboolean phone_call_silence_ring (PhoneCall *call, GError **error);
/* The call's sound over a socket; *ret_fd is the caller's. INVALID_OPTION names what params may not be. */
gboolean phone_call_open_stream (PhoneCall *call, const PhoneStreamParams *params, int *ret_fd, GError **error);
/* uri: file:///PATH or an absolute path of a WAV file, played to the peer in place of the microphone. "played" tells its end. */
gboolean phone_call_play (PhoneCall *call, const char *uri, gboolean queue, GError **error);
gboolean phone_call_stop_playing (PhoneCall *call, GError **error);

/* ---- digits: call-digits.c ---- */

#define PHONE_MAX_COLLECT 128           /* digits */
#define PHONE_MAX_COLLECT_MS 3600000
#define PHONE_COLLECT_KEYS 16           /* on the largest keypad */
typedef struct
{
  guint min, max;               /* digits; a terminator before min is passed over */
  const char *terminators;      /* keys that end it and do not count; "": none */
  guint first_ms, next_ms;      /* time-outs: for the first digit, while nothing plays; between two */
  gboolean barge_in;            /* a digit stops what plays; else those before its end do not count */
  const char *prompt;           /* played first, as by phone_call_play(); NULL: none */
} PhoneCollectParams;
typedef void (*PhoneCollected) (PhoneCall *call, const char *digits, PhoneCollectEnd end, gpointer data);
/* done once, later. IN_PROGRESS while another waits. */
gboolean phone_call_collect (PhoneCall *call, const PhoneCollectParams *params, PhoneCollected done, gpointer data, GError **error);
void phone_call_stop_collecting (PhoneCall *call);      /* nothing if nobody waits */

/* Starts a recording (done: it runs), or goes on with one that pauses. Ends by itself with the call. */
gboolean phone_call_record (PhoneCall *call, PhoneCallDone done, gpointer data, GError **error);
gboolean phone_call_record_pause (PhoneCall *call, GError **error);
gboolean phone_call_record_stop (PhoneCall *call, GError **error);

/* ---- transfer: call-transfer.c, call-referral.c, call-replace.c ---- */

/* What the peer asked us for and the user has not decided about. */
typedef struct
{
  const char *target;           /* URI that we shall call */
  const char *referred_by;      /* URI of who says he asks, "" if he does not */
  gboolean replaces;            /* we shall take over a call there */
} PhoneReferralView;

PhoneTransferState phone_call_get_transfer (PhoneCall *call, guint *ret_sip);
gboolean phone_call_get_referral (PhoneCall *call, PhoneReferralView *ret_view);        /* FALSE: none waits */
guint phone_call_get_replaces (PhoneCall *call);        /* number of the call that this one took over; 0: none */
guint phone_call_get_replaced_by (PhoneCall *call);
/* Blind: target as a user types it. An active call is put on hold first, and comes back if the transfer fails. */
gboolean phone_call_transfer (PhoneCall *call, const char *target, GError **error);
/* Attended: the peers of the two calls talk to each other. */
gboolean phone_call_transfer_to (PhoneCall *call, PhoneCall *other, GError **error);
/* The server keeps the peer, under a slot (NULL: it chooses): call-park.c. done: "parked" is known, and the call ends. REJECTED. */
gboolean phone_call_park (PhoneCall *call, const char *slot, PhoneCallDone done, gpointer data, GError **error);
const char *phone_call_get_parked (PhoneCall *call);            /* the slot; "": it is not parked, or the slot is unknown */
/* Does what the peer's REFER asks for. Returns the new call (borrowed). */
PhoneCall *phone_call_accept_transfer (PhoneCall *call, GError **error);
gboolean phone_call_decline_transfer (PhoneCall *call, GError **error);

/* Engine data, owned by sip/. */
gpointer phone_call_get_engine_data (PhoneCall *call);
void phone_call_set_engine_data (PhoneCall *call, gpointer data);
/* What the signalling protocol, and so the provider's log, calls it: goes into the journal with every message about the call. */
void phone_call_note_signalling_id (PhoneCall *call, const char *id);

/* ---- Events from signalling ---- */
/* Provisional response to our INVITE. answer: SDP of a 18x, or NULL. early: the response's dialog may differ from the last one's (forking). */
void phone_call_on_progress (PhoneCall *call, guint status, const PhoneMediaDesc *answer);
/* 2xx to our INVITE, ACK is being sent by the stack. answer NULL: it had none where one was due: core hangs up. */
void phone_call_on_answered (PhoneCall *call, const PhoneMediaDesc *answer);
/* Our 2xx was ACKed. answer: SDP in the ACK (our offer in the 200), else NULL. */
void phone_call_on_confirmed (PhoneCall *call, const PhoneMediaDesc *answer);
/* re-INVITE or UPDATE with an offer: returns our answer (caller frees) or NULL with error: 488, the session goes on as it was. */
PhoneMediaDesc *phone_call_on_offer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error);
/* re-INVITE without SDP: returns our offer for the 200; the answer comes by phone_call_on_confirmed(). */
PhoneMediaDesc *phone_call_on_offer_wanted (PhoneCall *call, GError **error);
/* Our address changed: our offer from the new one, or NULL when the call does not need or cannot make one now. The outcome is reported like
 * that of phone_call_on_offer_wanted(), a refusal by phone_call_on_reoffer_failed(). */
PhoneMediaDesc *phone_call_on_address_changed (PhoneCall *call);
/* Our re-INVITE met one of the peer's (491) and will be tried again: its offer is void. Then, when the time has come, a new one that knows what the
 * peer changed meanwhile. NULL: not possible any more (or not yet: an offer of ours is open elsewhere). */
void phone_call_on_glare (PhoneCall *call);
PhoneMediaDesc *phone_call_on_reoffer_again (PhoneCall *call);
void phone_call_on_reoffer_answered (PhoneCall *call, const PhoneMediaDesc *answer);
void phone_call_on_reoffer_failed (PhoneCall *call, guint status, const char *phrase);
/* Our INVITE was sent on by its target, or by the last of them (status 3xx), or that one failed and the next is called. */
void phone_call_on_redirected (PhoneCall *call, guint status, const char *from, const char *to);
/* The way that its INVITE went is the wrong one: to whom it was sent on another stack leads (reason: NULL), or nobody is reached over TLS (reason: what
 * became of that). core makes another offer, for call_invite when call_is_located, or says call_give_up; perhaps before this returns. */
void phone_call_on_rerouted (PhoneCall *call, const PhoneReason *reason);
void phone_call_on_party (PhoneCall *call, const char *uri, const char *name, const char *asserted_id);  /* connected identity; NULL: unchanged */
void phone_call_on_dtmf_info (PhoneCall *call, char digit, guint ms);
/* Candidates of the peer's that came after its description. */
void phone_call_on_trickle (PhoneCall *call, const PhoneIceDesc *news);
/* Our REFER: ACCEPTED (again with every provisional status that the peer reports), DONE, FAILED. sip: the status behind it, 0: none. */
void phone_call_on_transfer (PhoneCall *call, PhoneTransferState state, guint sip);
/* The peer understands a=record (RFC 7866): it is told at once when we begin or end to record it. */
void phone_call_on_record_aware (PhoneCall *call);
/* The peer is a conference with that URI (NULL: it is none any more), and who is in it: PhoneParticipant, taken. */
void phone_call_on_focus (PhoneCall *call, const char *uri);
void phone_call_on_roster (PhoneCall *call, GPtrArray *participants);
/* Before that: the URI at which the peer has arrived, as it says. */
void phone_call_on_transfer_reached (PhoneCall *call, const char *uri);
/* REFER from the peer of the call: it shall be 202 (nothing happens before the engine has sent that), or is refused with the status returned.
 * A referral that was taken is core's until it reports a final status to referral_progress. */
typedef struct
{
  const char *target;           /* URI without headers */
  const char *replaces;         /* value of the Replaces header that goes along, or NULL */
  const char *referred_by;      /* value of a Referred-By header, or NULL */
} PhoneReferralRequest;
guint phone_call_on_refer (PhoneCall *call, const PhoneReferralRequest *request, gpointer referral);
/* The dialog is gone; the engine has forgotten the call. Takes a copy of reason. Always the last event. */
void phone_call_on_ended (PhoneCall *call, const PhoneReason *reason);
