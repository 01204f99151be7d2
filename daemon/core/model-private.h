/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the files of the model share among themselves and with nobody else. */

#include "core/account-presence.h"
#include "core/conference.h"
#include "core/registry.h"
#include "core/watch.h"
#include "util/log.h"

#define PHONE_SIGNAL_CHANGED "changed"

/* ---- account.c ---- */
PhoneAccount *phone_account_new (PhoneRegistry *registry, const PhoneAccountSettings *settings);
/* Opens or closes the engine's stack so that it follows enabled and the settings. */
gboolean phone_account_start (PhoneAccount *account, GError **error);
void phone_account_stop (PhoneAccount *account);                /* "stopped" is emitted when the engine is done */
gboolean phone_account_is_running (PhoneAccount *account);      /* the engine still holds it */
gboolean phone_account_is_open (PhoneAccount *account);         /* running, and not on its way out: it can call */
/* It starts, again or for the first time, and what comes of it is not known yet: worth waiting for. */
gboolean phone_account_is_settling (PhoneAccount *account);
char *phone_account_explain (PhoneAccount *account);            /* why it cannot call, in the words of `account show`; caller frees */
/* Settings that the stack needs anew wait until the account has no call. */
void phone_account_calls_gone (PhoneAccount *account);

PhoneRegistry *phone_account_get_registry (PhoneAccount *account);

/* ---- conference-roster.c ---- */
/* ---- forward-code.c ---- */
void phone_account_forget_forwards_at_server (PhoneAccount *account);

void phone_registry_rosters_changed (PhoneRegistry *registry);
/* The call that a party, by the URI in its From or the one that the network asserts, has with a conference of ours on the account; NULL: none. */
PhoneCall *phone_conference_find_party (PhoneAccount *account, const char *uri);

PhoneAccountPresence *phone_account_presence (PhoneAccount *account);
void phone_account_emit_changed (PhoneAccount *account, guint mask);

/* ---- account-presence.c ---- */
void phone_account_presence_load (PhoneAccount *account);
void phone_account_presence_forget (PhoneAccount *account);             /* what is stored of an account that is deleted */
void phone_account_presence_clear (PhoneAccountPresence *presence);
void phone_account_presence_set_in_call (PhoneAccount *account, gboolean in_call);

/* ---- watch.c ---- */
void phone_registry_drop_pickups (PhoneRegistry *registry, PhoneAccount *account);      /* those that wait for an answer */
PhoneWatch *phone_watch_new (PhoneRegistry *registry, PhoneAccount *account, guint number, const char *uri, PhoneWatchKind kind);
void phone_registry_restore_watches (PhoneRegistry *registry, PhoneAccount *account);
void phone_registry_drop_watches (PhoneRegistry *registry, PhoneAccount *account, gboolean forget_saved);

/* ---- call.c ---- */
void phone_call_emit_changed (PhoneCall *call, guint mask);
PhoneCall *phone_call_new_outgoing (PhoneRegistry *registry, PhoneAccount *account, guint number, const char *target,
                                    const PhoneDialOptions *options);
PhoneCall *phone_call_new_incoming (PhoneRegistry *registry, PhoneAccount *account, guint number,
                                    const PhoneIncoming *incoming, const PhoneMediaDesc *offer, gpointer engine_data);
/* Sends the INVITE, or waits for the registration first. */
gboolean phone_call_start (PhoneCall *call, GError **error);
/* 180 to the caller; starts ring time-out, auto-answer, and what happens when nobody answers. */
void phone_call_ring (PhoneCall *call);
gboolean phone_call_wants_ring (PhoneCall *call);               /* incoming, not answered, not silenced */
void phone_call_set_silenced (PhoneCall *call);                  /* rings nowhere; before it is announced */
/* ms after which it is answered by itself, -1: not; intercom: at the caller's wish. Before it is announced. */
void phone_call_set_answer (PhoneCall *call, int after, gboolean intercom);
void phone_call_set_for_help (PhoneCall *call);                 /* stays here until it is answered; before it rings */
void phone_call_set_waiting (PhoneCall *call, gboolean waiting);
void phone_call_step_aside (PhoneCall *call);                   /* on hold, now or as soon as possible */
void phone_call_come_back (PhoneCall *call);                    /* from it, in the same way */
gboolean phone_call_needs_stack (PhoneCall *call);              /* more than a wish: the account's stack has a dialog of it */
void phone_call_account_changed (PhoneCall *call);              /* for a call that waits for its account */
void phone_call_end (PhoneCall *call, const PhoneReason *reason);       /* our decision: BYE, CANCEL or a final response */
typedef enum
{
  PHONE_FORWARD_ALL,
  PHONE_FORWARD_BUSY,
  PHONE_FORWARD_NO_REPLY,
} PhoneForward;
/* Where the account's settings send a call, a complete URI; NULL: nowhere. Caller frees. */
char *phone_forward_target (PhoneRegistry *registry, PhoneAccount *account, const PhoneIncoming *incoming, PhoneForward forward);
const char *phone_forward_reason (PhoneForward forward);        /* as of PhoneSignallingOps.call_divert */
/* ---- call-machine.c ---- */
/* INVALID_OPTION: the greeting that is set, and was not before (NULL: there was none), is no file that callers could hear. */
gboolean phone_machine_check_greeting (PhoneRegistry *registry, const PhoneAccountSettings *settings, const PhoneAccountSettings *before,
                                       GError **error);
gboolean phone_machine_is_ready (PhoneRegistry *registry, PhoneAccount *account);       /* it is on, and could answer now; says why not */
gboolean phone_machine_is_alone (PhoneAccount *account);        /* the user said that he is away */
gboolean phone_voicemail_is_full (PhoneRegistry *registry);
gboolean phone_call_answer_by_machine (PhoneCall *call, const char *why, GError **error);
gboolean phone_call_is_machines (PhoneCall *call);              /* the machine has it, not the user */
gboolean phone_call_was_machines (PhoneCall *call);             /* the machine answered it, and kept it */
gboolean phone_call_has_message (PhoneCall *call);
/* Deletes a recording as soon as it has ended. */
void phone_registry_discard_recording (PhoneRegistry *registry, const char *id);

void phone_call_divert (PhoneCall *call, const char *uri, const char *reason);
/* An INVITE with Replaces: the new call is answered in place of the old one. */
void phone_call_take_over (PhoneCall *call, PhoneCall *replaced);
void phone_call_refer_on (PhoneCall *call, PhoneCall *referrer);        /* call is what the referrer's peer asked for */
void phone_call_dispose_media (PhoneCall *call);
void phone_call_start_linger (PhoneCall *call, guint seconds);          /* phone_registry_call_lingered() after that */
gboolean phone_call_take_record (PhoneCall *call);              /* TRUE once: the history has not had it yet */
gboolean phone_call_check_offer (PhoneCall *call, const PhoneMediaDesc *offer, GError **error); /* would we answer it? */

/* ---- conference.c ---- */
PhoneConference *phone_conference_new (PhoneRegistry *registry, guint number, gboolean keep);
/* Whether the call can be a member; conference may be NULL. */
gboolean phone_conference_check (PhoneConference *conference, PhoneCall *call, GError **error);
void phone_conference_close (PhoneConference *conference);      /* its calls are about to end */
void phone_conference_join (PhoneConference *conference, PhoneCall *call);      /* after that check; nothing else changes */

/* ---- registry.c ---- */
void phone_registry_conference_over (PhoneRegistry *registry, PhoneConference *conference);
void phone_registry_hold_for_conference (PhoneRegistry *registry, PhoneConference *conference);  /* all that is not in it */
guint phone_registry_next_watch_number (PhoneRegistry *registry);
void phone_registry_emit_watch (PhoneRegistry *registry, PhoneWatch *watch, gboolean added);
void phone_registry_hold_others (PhoneRegistry *registry, PhoneCall *except);
gboolean phone_registry_is_talking (PhoneRegistry *registry, PhoneCall *except);        /* in another call that is active */
void phone_registry_call_changed (PhoneRegistry *registry, PhoneCall *call);    /* state: recompute ring, waiting, daemon state */
guint phone_registry_count_calls (PhoneRegistry *registry, PhoneAccount *account, gboolean on_stack_only);      /* see phone_call_needs_stack */
void phone_registry_account_ready (PhoneRegistry *registry, PhoneAccount *account);     /* for calls and messages that wait for it */
void phone_registry_account_stopped (PhoneRegistry *registry, PhoneAccount *account);
void phone_registry_call_lingered (PhoneRegistry *registry, PhoneCall *call);
const char *phone_registry_country (PhoneRegistry *registry, PhoneAccount *account);
