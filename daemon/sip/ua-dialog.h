/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The INVITE dialogs, shared by ua-dialog.c (life), ua-outgoing.c, ua-incoming.c and ua-reoffer.c.
 *
 *   out:  CALLING ---2xx, ACK---> UP          CALLING --CANCEL--> ENDING --487 (or 2xx: ACK, BYE)--> freed
 *   in:   RINGING --our 2xx--> ANSWERED --ACK--> UP                UP --BYE--> ENDING --answer--> freed
 *
 * core's call and our dialog part when core has been told that the call ended; the dialog lives on until sofia is done with it. */

#include "sip/refer.h"
#include "sip/ua-header.h"
#include "sip/ua-private.h"

typedef struct _UaRedirect UaRedirect;
typedef struct _UaWalk UaWalk;
typedef struct _UaReferral UaReferral;
typedef struct _UaFocus UaFocus;

typedef enum
{
  DIALOG_CALLING,
  DIALOG_RINGING,
  DIALOG_ANSWERED,
  DIALOG_UP,
  DIALOG_ENDING,
} UaDialogState;

typedef enum
{
  REOFFER_NONE,
  REOFFER_SENT,                 /* its final response is awaited */
  REOFFER_DELAYED,              /* 491 or 500 with Retry-After: again when the timer ends */
} UaReofferState;

struct _UaDialog
{
  UaStack *stack;
  PhoneCall *call;              /* reference; NULL: core has forgotten the call, or does not know it yet */
  char *call_number, *call_id;  /* for the log: core's number, the Call-ID header */
  PhoneLogFields log;
  nua_handle_t *nh;
  UaSdp *sdp;
  UaDialogState state;
  gboolean outgoing;
  PhoneReason *reason;          /* why it ends, once we know */
  GSource *timer;               /* ENDING: core waits no longer; then: sofia waits no longer */

  /* outgoing */
  char *target, *to, *from, *extra, *payload;   /* of the INVITE; payload may hold keys */
  gboolean with_100rel;
  gboolean follow_redirects;
  UaRedirect *redirect;         /* NULL: not redirected yet */
  UaWalk *walk;
  gboolean sent;                /* the INVITE, on this handle */
  gboolean parked;              /* nothing is sent before core has made another offer */
  char *early_tag;              /* of the peer that rings, the last one to say so; sofia has none before the answer. NULL: none */
  gboolean answered_early;      /* a reliable 1xx answered our offer: no other response does (RFC 3262 section 5) */
  gboolean has_route_set;       /* fixed by Record-Route: the remote target does not choose the next hop */

  /* incoming */
  gboolean has_offer;           /* theirs, in the INVITE */
  gboolean wants_reliable;      /* required 100rel */
  gboolean answer_due;          /* theirs, in the ACK */
  gboolean bye_after_ack;
  const char *answer_mode;      /* name of the header that asked who shall answer; NULL: none did */
  char *request_uri;            /* of the INVITE */

  /* Who sent the call on before. Incoming: of the INVITE, what a 302 adds to; outgoing: of the 3xx that was followed. NULL: nobody. */
  char *diversion, *history;

  /* in the dialog */
  UaReofferState reoffer_state;
  gboolean reoffer_internal;    /* a session refresh: core did not ask */
  guint reoffer_tries;
  GSource *reoffer_timer;
  guint n_requests;             /* INFO, UPDATE and MESSAGE without a final response */
  gpointer message;             /* ours that is out (ua-messaging.c); NULL: none */
  gboolean moved;               /* our address changed while another change was under way */
  guint32 refer_cseq;           /* of our last REFER; 0: not known yet */
  UaReferral *referral;         /* theirs, of which we owe news */
  gboolean record_aware;        /* the peer understands a=record */
  char *focus_uri;              /* the peer is a conference; NULL: no */
  UaFocus *focus;               /* our subscription to it; NULL: none */
  gboolean told_hosted;         /* our Contact said last that we are one */
  gboolean told_before;         /* and the one before it, which holds if that was refused */
  gboolean peer_updates;        /* the peer allows UPDATE */
  gboolean peer_timer;          /* and supports session timers */
  guint session_interval;       /* s; 0: no session timer */
  GSource *refresh_timer;
};

/* ---- life: ua-dialog.c ---- */
UaDialog *ua_dialog_new (UaStack *stack, UaDialogState state);
UaDialog *ua_dialog_of (PhoneCall *call);       /* NULL: none, or it ended */
void ua_dialog_set_state (UaDialog *dialog, UaDialogState state, const char *why);
void ua_dialog_set_call (UaDialog *dialog, PhoneCall *call);
/* From the first message of the dialog. */
void ua_dialog_note_call_id (UaDialog *dialog, const sip_t *sip);
/* Tells core. Takes reason (NULL: dialog->reason, else unknown). The dialog itself goes on. */
void ua_dialog_detach (UaDialog *dialog, PhoneReason *reason);
/* Tells core, and gives up handle and dialog. Takes reason. */
void ua_dialog_finish (UaDialog *dialog, PhoneReason *reason);
/* Frees a dialog that has neither handle nor call. */
void ua_dialog_discard (UaDialog *dialog);
/* Waits for sofia to end a dialog that is ENDING. */
void ua_dialog_await_end (UaDialog *dialog);
void ua_dialog_send_bye (UaDialog *dialog, const PhoneReason *reason);
void ua_dialog_shutdown (gpointer owner, gpointer data);        /* the stack closes: BYE, CANCEL or 480 */
void ua_dialog_abandon (gpointer owner, gpointer data);         /* the stack is closing without waiting: no handle any more */

/* Answers a 401 or 407, if we may. TRUE: the request is out again. */
gboolean ua_dialog_authenticate (UaDialog *dialog, const UaEvent *event);
void ua_dialog_on_bye_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_cancel_response (UaStack *stack, const UaEvent *event, gpointer owner);
/* The final response to a request of ours that changes nothing but what it asked for. */
void ua_dialog_on_refused (UaDialog *dialog, const UaEvent *event);
void ua_dialog_on_other_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_bye (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_info (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_error (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_terminated (UaStack *stack, const UaEvent *event, gpointer owner);

void ua_dialog_hangup (gpointer ua, PhoneCall *call, const PhoneReason *reason);
gboolean ua_dialog_dtmf_info (gpointer ua, PhoneCall *call, char digit, guint ms, GError **error);

/* ---- what messages say: ua-message.c ---- */
/* Reason for a final response to a request of ours. */
PhoneReason *ua_dialog_reason_from_response (UaDialog *dialog, const UaEvent *event);
/* Fills q850, answered_elsewhere and phrase from Reason headers (RFC 3326). */
void ua_dialog_read_reason (PhoneReason *reason, const sip_t *sip);
/* NULL: no SDP, or (then *ret_error) a bad one. */
PhoneMediaDesc *ua_dialog_read_sdp (UaDialog *dialog, const sip_t *sip, GError **error);
gboolean ua_sip_has_sdp (const sip_t *sip);
/* Connected identity: P-Asserted-Identity from our server, else nothing. */
void ua_dialog_read_party (UaDialog *dialog, const sip_t *sip);
/* The asserted identity if sip came from a server that we trust. Caller frees. */
char *ua_sip_uri_text (const url_t *url);       /* clean; NULL: too long, or nothing is left. Caller frees */
char *ua_sip_party_uri (const sip_addr_t *from);        /* the same, without verstat */
char *ua_sip_display_name (const sip_addr_t *from);     /* the same */
char *ua_sip_asserted_id (UaStack *stack, const sip_t *sip, char **ret_name);
/* As phone_call_get_verstat() has it: of P-Asserted-Identity, else of From, from a server that we trust. */
const char *ua_sip_verstat (UaStack *stack, const sip_t *sip);
/* Value of the first header of a name that sofia does not know; of all of them, joined by commas (caller frees). NULL: none. */
/* The header with which INVITE and its responses say which packages of INFO (RFC 6086) we read: those of ICE, where it is on. NULL: none. */
const char *ua_dialog_recv_info (const UaDialog *dialog);
const char *ua_sip_unknown (const sip_t *sip, const char *name);
/* The value of a header (any sip_..._t) as it came, in home; NULL: longer than any that we look at. Not sip_header_as_string(): that loses the last
 * parameter of what is longer than 127 octets. */
char *ua_sip_header_text (su_home_t *home, const void *header);
gboolean ua_sip_wants_no_news (const sip_t *sip);       /* Refer-Sub: false (RFC 4488), of a REFER or of the answer to one */
char *ua_sip_unknown_all (const sip_t *sip, const char *name);

/* ---- calls out: ua-outgoing.c ---- */
gboolean ua_dialog_invite (gpointer ua, PhoneCall *call, const PhoneInviteParams *params, const PhoneMediaDesc *offer,
                           GError **error);
void ua_dialog_on_invite_response (UaStack *stack, const UaEvent *event, gpointer owner);
/* Another request with another Call-ID, not sent yet. Should both servers lead to the same phone, it would take a second one with the same for a
 * loop (482). */
void ua_dialog_renew (UaDialog *dialog);
/* Places the call, which is not out, to dialog->target: at once, or with another offer where it goes another way now. The dialog may be gone. */
void ua_dialog_call_again (UaDialog *dialog);
void ua_dialog_give_up (gpointer ua, PhoneCall *call, const PhoneReason *reason);
/* Sends what comes next in the dialog where the dialog says, not through the outbound proxy. */
void ua_dialog_learn_route (UaDialog *dialog, const sip_t *sip);

/* ---- calls that are sent elsewhere: ua-redirect.c ---- */
UaRedirect *ua_redirect_new (const char *target);
void ua_redirect_free (UaRedirect *redirect);
/* Why a call to the URI from, on a stack with that transport, may not be sent on to an address; NULL: it may. takes_tls: the account can go there by
 * TLS; by_server: it leaves that to its server. */
const char *ua_redirect_refusal (const char *from, PhoneTransport transport, gboolean takes_tls, gboolean by_server, const url_t *to);
/* event: the final response to our INVITE, no 2xx. TRUE: another address is being called. */
gboolean ua_redirect_next (UaDialog *dialog, const UaEvent *event);
/* The present one cannot be called. */
gboolean ua_redirect_skip (UaDialog *dialog);

/* ---- calls in: ua-incoming.c ---- */
gboolean ua_incoming_is_for_us (UaAccount *account, const sip_t *sip);
void ua_incoming_on_invite (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_incoming_on_options (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_incoming_on_stray (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_ack (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_cancel (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_ring (gpointer ua, PhoneCall *call, guint status, const PhoneMediaDesc *early);
void ua_dialog_answer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *desc);
void ua_dialog_divert (gpointer ua, PhoneCall *call, const char *target, const char *reason);
void ua_dialog_reject (gpointer ua, PhoneCall *call, guint status, const char *phrase);

/* ---- changes of the session: ua-reoffer.c ---- */
gboolean ua_dialog_reoffer (gpointer ua, PhoneCall *call, const PhoneMediaDesc *offer, GError **error);
/* A request other than INVITE went out, or got its final response. sofia forgets an INVITE that is asked for in between: it waits. */
void ua_dialog_request_begins (UaDialog *dialog);
void ua_dialog_request_ends (UaDialog *dialog);
/* internal: core did not ask; it gets the answer by phone_call_on_confirmed. */
gboolean ua_dialog_start_reoffer (UaDialog *dialog, const PhoneMediaDesc *offer, gboolean internal, GError **error);
void ua_dialog_on_reoffer_response (UaDialog *dialog, const UaEvent *event);
void ua_dialog_on_reinvite (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_update (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_stop_reoffer (UaDialog *dialog);
/* Nothing is under way any more: what had to wait for that. */
void ua_dialog_go_on (UaDialog *dialog);
void ua_dialog_network_changed (gpointer owner, gpointer data);

/* ---- transfer: ua-refer.c, ua-referral.c ---- */
gboolean ua_dialog_refer (gpointer ua, PhoneCall *call, const char *target, PhoneCall *replaced, GError **error);
void ua_dialog_on_refer_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_notify (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_dialog_on_notify_response (UaStack *stack, const UaEvent *event, gpointer owner);
/* Value of a Target-Dialog header for requests to the peer (RFC 4538). NULL: the peer gave the dialog no tag. Caller frees. */
char *ua_dialog_target_dialog (UaDialog *dialog);
/* The dialog with these tags, of any account; NULL: none. */
UaDialog *ua_dialog_find (UaEngine *engine, const UaDialogId *id);
/* The one that a request outside of it is about (Target-Dialog, RFC 4538); NULL: it names none of ours. */
UaDialog *ua_dialog_targeted (UaStack *stack, const sip_t *sip);
PhoneCall *ua_dialog_targeted_call (UaStack *stack, const sip_t *sip);
/* owner: the dialog, or NULL for a REFER outside of any. */
void ua_referral_on_refer (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_referral_progress (gpointer ua, gpointer referral, guint status);
/* The INVITE part of the dialog is over. TRUE: its handle lives on for the news that we owe. */
gboolean ua_referral_outlive (UaDialog *dialog);
void ua_referral_on_response (UaStack *stack, const UaEvent *event, gpointer owner);
void ua_referral_abandon (gpointer owner, gpointer data);       /* its handle is about to go */

/* ---- a peer that is a conference: ua-focus.c ---- */
void ua_focus_learn (UaDialog *dialog, const sip_t *sip);       /* from the Contact of the INVITE, or of the 2xx to ours */
void ua_focus_start (UaDialog *dialog);         /* subscribes, if there is reason to */
void ua_focus_free (UaFocus *focus);            /* accepts NULL */
void ua_foci_close (UaAccount *account);

/* ---- a conference of ours: ua-hosting.c ---- */
char *ua_dialog_contact (UaDialog *dialog, const char *target);         /* as ua_stack_contact(); in the dialog, or to begin it */
void ua_dialog_tell_hosted (UaDialog *dialog);
void ua_dialog_hosted_changed (gpointer ua, PhoneCall *call);

/* ---- refreshing the session: ua-session-timer.c ---- */
/* Allow, Supported and Session-Expires of a peer's INVITE or UPDATE, or of the 2xx to ours. */
void ua_dialog_learn_session (UaDialog *dialog, const sip_t *sip);
void ua_dialog_on_update_response (UaStack *stack, const UaEvent *event, gpointer owner);
