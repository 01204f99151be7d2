/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The inside of a call, shared by call.c (object, state, actions), call-events.c (what signalling reports),
 * call-media.c (negotiation and the media session), call-transfer.c, call-referral.c and call-replace.c (one call in place of another). */

#include "core/quality-watch.h"
#include "core/tape.h"

/* One parked request of a client: fires once. */
typedef struct
{
  PhoneCallDone done;
  gpointer data;
} CallWaiter;

/* What the re-INVITE under way is for. */
typedef enum
{
  REOFFER_NONE,
  REOFFER_HOLD,
  REOFFER_RESUME,
  REOFFER_PATHS,                        /* ICE begins anew */
} Reoffer;

/* What waits until our candidates are known. */
typedef enum
{
  ICE_WAIT_NONE,
  ICE_WAIT_INVITE,
  ICE_WAIT_ANSWER,
  ICE_WAIT_REOFFER,
} IceWait;

typedef struct _PhoneCollector PhoneCollector;

struct _PhoneCall
{
  GObject parent_instance;
  PhoneRegistry *registry;              /* not owned: the registry owns us */
  PhoneAccount *account;
  guint number;
  char *id;
  PhoneLogFields log;
  PhoneCallDirection direction;
  PhoneCallState state;
  PhoneReason *reason;                  /* what clients see; ours wins over the wire's */
  char *remote_uri, *remote_name, *asserted_id, *diverter;
  const char *verstat;          /* static */
  char *alert;
  gboolean local_hold, remote_hold, muted;
  gint64 start, answered;
  gpointer engine_data;

  /* outgoing */
  char *target, *display_name, *replaces;
  char *sent_to;                        /* by a redirection; NULL: it goes to target */
  PhoneReason *setback;                 /* what became of the attempt before this one; NULL: it is the first, or was sent on */
  char **headers;
  gboolean privacy, when_registered, keep_others, invited, dtls_retry, clear_retry, ever_alerted;
  guint account_timeout;

  /* incoming */
  gboolean answering, silenced;
  gboolean in_a_circle;                 /* it was sent on so often that we leave it where it is */
  gboolean for_help;                    /* it may be somebody who was called for help */
  guint forward_timer;
  guint ring_timeout, auto_answer_timer, linger_timer;
  guint transfer_resume;                /* source: a failed transfer gives the call back in the next turn of the loop */
  int answer_after;                     /* ms after which we answer by ourselves, -1: never */
  gboolean intercom;                    /* the caller asked for that, and may */
  gboolean self_answered;               /* nobody here did it */
  gboolean beep_due;                    /* both sides have to hear that the line is open */

  /* negotiation: one offer is open at a time (RFC 3264 section 4) */
  PhoneMediaDesc *remote_offer;         /* of the INVITE, until we answer */
  PhoneMediaDesc *local;                /* our last description */
  PhoneMediaDesc *pending_offer;        /* ours, unanswered */
  PhoneMediaPlan *plan;
  gboolean over_tls;                    /* transport=auto has led there when the session began */
  PhoneDtlsDesc dtls;                   /* our side, of the media session */
  gboolean secured;                     /* a DTLS handshake is done: */
  PhoneSrtpSuite suite;
  Reoffer reoffer;
  gboolean reoffer_open;                /* pending_offer is that of reoffer; else it is the engine's, or travels in a response */
  Reoffer due;                          /* what goes out as soon as no offer is open any more: the latest wish wins */
  PhoneMedia *media;
  PhoneMediaReport last_report;         /* of media that has gone */
  gboolean has_last_report, recorded;
  gboolean silent_early;                /* the media's watch has fired before the answer: it must be set again */
  IceWait ice_wait;
  gboolean ice_connected;               /* it was, once */
  guint ice_timer;                      /* a restart is under way */
  PhoneIceDesc *ice_local;              /* as in our last description; room for it */
  GPtrArray *ice_early;                 /* PhoneIceDesc, of whoever may answer, come before the answer that it belongs to; NULL: none */
  char *ice_address;                    /* numeric: of our default candidates */
  char *local_address;                  /* numeric, as the peer's side of the network sees us */

  PhoneTape tape;                       /* call-recording.c */
  PhoneRecordMark record_told, remote_record;   /* to the peer last; by it last */
  gboolean record_aware;                /* the peer understands that */

  /* one call in place of another: call-transfer.c, call-referral.c, call-replace.c */
  PhoneTransferState transfer;
  guint transfer_sip, transfer_timer;
  char *transfer_target;
  PhoneCall *transfer_to;               /* attended: our other call; reference */
  char *transfer_reached;               /* URI where the peer has ended up, if it says so; NULL: it does not */
  gboolean parking;                     /* the transfer is one to the server, which keeps the peer: call-park.c */
  char *park_slot, *parked;             /* asked for; where it is */
  gboolean transfer_held;               /* it was for the transfer that the call was put on hold */
  gpointer referral;                    /* of the engine: we owe it a final status. On the call that brought it, then on the new one */
  char *referral_target, *referral_replaces, *referred_by;
  gboolean referral_waits;              /* for the user */
  gboolean referral_granted;            /* the setting has decided; it waits for the 202 to be on its way */
  guint referral_timer;
  guint replaces_number, replaced_by;   /* calls; 0: none */

  char *focus;                          /* URI of the conference that the peer is; NULL: it is none */
  GPtrArray *roster;
  PhoneConference *conference;          /* which holds us; NULL: none */
  gboolean voice_muted;                 /* the others there do not hear the peer */

  /* the answering machine: call-machine.c */
  PhoneMachine machine;
  gboolean machine_answered;            /* and nobody has taken the call from it */
  gboolean machine_key;                 /* a message can be sealed */
  gboolean message_kept;
  char *machine_sound;                  /* path of what plays, or played last */
  guint machine_timer, machine_limit;   /* until it answers; until the message is too long */
  gint64 message_start;                 /* CLOCK_MONOTONIC us */

  CallWaiter answer_waiter, hold_waiter, record_waiter, park_waiter;
  PhoneCollector *collector;            /* a client waits for digits: call-digits.c */
  guint playing;                        /* files for the peer that play or wait: call-audio.c */
  PhoneQualityWatch *quality;           /* NULL: nobody is told of it before it ends */
  GString *info_digits;                 /* DTMF by INFO waiting its turn */
  guint info_ms, info_timer;
};

/* ---- call-outgoing.c ---- */
gboolean phone_call_is_trying (PhoneCall *call);        /* it is out and not answered yet */
const char *phone_call_goes_to (PhoneCall *call);       /* URI */
void phone_call_continue_invite (PhoneCall *call);
/* What came of the INVITE. TRUE: another attempt is under way, or has ended the call. */
gboolean phone_call_retry (PhoneCall *call, const PhoneReason *reason);
/* What has ended it, to be told: where another attempt met nobody at all, what became of the one before says more. */
const PhoneReason *phone_call_why_ended (PhoneCall *call, const PhoneReason *reason);

/* ---- call.c ---- */
gboolean phone_call_offer_paths (PhoneCall *call, GError **error);      /* an offer for the sake of other candidates */
void phone_call_continue_answer (PhoneCall *call);
void phone_call_beep_if_due (PhoneCall *call);          /* as soon as the peer can hear it */
void phone_call_set_state (PhoneCall *call, PhoneCallState state, const char *why);
void phone_call_emit_played (PhoneCall *call, const char *path);
void phone_call_emit_dtmf (PhoneCall *call, char digit, guint ms, const char *method);
void phone_call_fire (PhoneCall *call, CallWaiter *waiter, const GError *error);
void phone_call_set_reason (PhoneCall *call, const PhoneReason *reason);        /* only the first one counts */
void phone_call_clear_timers (PhoneCall *call);
/* No offer is open any more: what waited for that goes out. */
void phone_call_send_due (PhoneCall *call);
/* Whether an action of Can is possible now; says why not. */
gboolean phone_call_require (PhoneCall *call, const char *action, GError **error);

/* ---- call-forward.c ---- */
#define PHONE_MAX_DIVERSIONS 5  /* a call that was sent on so often stays where it is */
void phone_call_await_forward (PhoneCall *call);                /* starts the time of forward-no-reply */

/* ---- call-transfer.c ---- */
gboolean phone_call_can_transfer (PhoneCall *call);
gboolean phone_call_is_transferring (PhoneCall *call);
void phone_call_transfer_state_changed (PhoneCall *call);       /* after every change of state */
void phone_call_transfer_dispose (PhoneCall *call);

/* ---- call-referral.c ---- */
gboolean phone_call_can_accept_transfer (PhoneCall *call);
void phone_call_referral_report (PhoneCall *call, guint status);        /* to the one who sent us here, if anybody did */
void phone_call_referral_ended (PhoneCall *call);               /* the call has: what waits is decided, what is owed is paid */

/* ---- call-replace.c ---- */
gboolean phone_call_gives_way (PhoneCall *call);                /* to another that is up already: it ends soon */
/* Nothing unless the call is to take the place of another. */
void phone_call_replacing_up (PhoneCall *call);
void phone_call_replacing_failed (PhoneCall *call);

/* ---- call-park.c ---- */
gboolean phone_call_can_park (PhoneCall *call);
void phone_call_park_over (PhoneCall *call, gboolean done);     /* the transfer is; nothing if it was not for this */

/* ---- conference.c ---- */
void phone_call_update_room (PhoneCall *call);
void phone_conference_call_ended (PhoneCall *call);     /* of one, or of none */

/* ---- call-audio.c ---- */
gboolean phone_call_can_play (PhoneCall *call);
gboolean phone_call_require_sound (PhoneCall *call, GError **error);
void phone_call_file_played (PhoneCall *call);

/* ---- call-digits.c ---- */
void phone_call_collect_digit (PhoneCall *call, char digit);
void phone_call_collect_quiet (PhoneCall *call);        /* nothing plays any more */
void phone_call_collect_ended (PhoneCall *call);

/* ---- call-machine.c ---- */
gboolean phone_call_pick_up (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data, GError **error);         /* call.c */
void phone_call_await_machine (PhoneCall *call);                /* starts the time until it answers */
gboolean phone_call_take_from_machine (PhoneCall *call, gboolean keep_others, PhoneCallDone done, gpointer data);
void phone_call_machine_answered (PhoneCall *call);
void phone_call_machine_played (PhoneCall *call, const char *path);
void phone_call_machine_digit (PhoneCall *call, char digit);
void phone_call_on_quiet (PhoneCall *call);
void phone_call_machine_recording_failed (PhoneCall *call);
void phone_call_machine_ended (PhoneCall *call);

/* ---- call-recording.c ---- */
/* The same file for the answering machine: what the peer says from now on, after a tone. phone_call_on_quiet() when he says nothing. */
gboolean phone_call_message_start (PhoneCall *call, guint quiet_ms, GError **error);
void phone_call_message_stop (PhoneCall *call, const char *why);
gboolean phone_call_can_record (PhoneCall *call);
PhoneRecordMark phone_call_record_mark (PhoneCall *call);       /* for a description of ours that goes out now */
void phone_call_note_remote_record (PhoneCall *call, const PhoneMediaDesc *remote);
void phone_call_tell_recording (PhoneCall *call);       /* an offer, if the peer has to hear something new */
void phone_call_recording_init (PhoneCall *call);
void phone_call_recording_answered (PhoneCall *call);           /* a rule may start one */
void phone_call_recording_ended (PhoneCall *call);
void phone_call_on_recording_failed (PhoneCall *call, const GError *error);

/* ---- call-media.c ---- */
/* Opens the sockets if there are none yet. */
gboolean phone_call_open_media (PhoneCall *call, GError **error);
/* ret_caps borrows from the call. */
/* The account's policy for this call. */
PhoneSrtpPolicy phone_call_srtp_policy (PhoneCall *call);
void phone_call_fill_caps (PhoneCall *call, PhoneDirection direction, PhoneMediaCaps *ret_caps);
PhoneMediaDesc *phone_call_make_offer (PhoneCall *call, PhoneDirection direction, gboolean new_keys, GError **error);
/* The peer's answer to pending_offer: plan, media, remote hold. */
gboolean phone_call_complete_offer (PhoneCall *call, const PhoneMediaDesc *answer, GError **error);
PhoneMediaDesc *phone_call_make_answer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error);
/* Our offer for the change under way. It must be given to the engine. */
PhoneMediaDesc *phone_call_make_reoffer (PhoneCall *call, GError **error);
/* Microphone and loudspeaker follow state, hold and plan. */
void phone_call_update_attachment (PhoneCall *call);
void phone_call_rearm_media (PhoneCall *call);          /* at the answer: what was missing before it does not count */
void phone_call_set_tone (PhoneCall *call, PhoneTone tone);
PhoneDirection phone_call_wanted_direction (PhoneCall *call);

/* ---- call-ice.c ---- */
PhoneMedia *phone_call_new_media (PhoneCall *call, PhoneMediaParams *params, const PhoneMediaEvents *events, GError **error);
void phone_call_fill_ice (PhoneCall *call, PhoneMediaCaps *caps);
/* TRUE: candidates are still being gathered, and phone_call_continue_*() or an offer follows. */
gboolean phone_call_await_ice (PhoneCall *call, IceWait wait);
void phone_call_follow_ice_restart (PhoneCall *call, const PhoneMediaDesc *offer);      /* before our answer is made */
void phone_call_renew_ice (PhoneCall *call);            /* local_address is another one */
void phone_call_on_ice (PhoneCall *call);
void phone_call_take_early_ice (PhoneCall *call);       /* the answer has come */
void phone_call_forget_early_ice (PhoneCall *call);
void phone_call_recheck_ice (PhoneCall *call);          /* once the call is established */
