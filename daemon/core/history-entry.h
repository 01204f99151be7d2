/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One line of the history of calls and messages, and what can be asked of it. Plain values; all texts are owned and never NULL ("" if there is none). */

#include "core/contact-search.h"
#include "core/reason.h"

/* answered   somebody spoke, in either direction
 * missed     it rang here and nobody took it
 * refused    turned away here: by the user, by do-not-disturb, by a limit (refused_by tells which)
 * elsewhere  another device of ours took it
 * cancelled  we gave up before the other side answered
 * failed     went out and was not answered, or came in and could not be set up; cause tells why
 * voicemail  the answering machine took it and has a message
 * pending    a message of ours that has not gone out yet
 * sent       one that has
 * received   one of theirs */
#define PHONE_OUTCOME_LIST(X) \
  X (PHONE_OUTCOME_ANSWERED, "answered") X (PHONE_OUTCOME_MISSED, "missed") X (PHONE_OUTCOME_REFUSED, "refused") \
  X (PHONE_OUTCOME_ELSEWHERE, "elsewhere") X (PHONE_OUTCOME_CANCELLED, "cancelled") X (PHONE_OUTCOME_FAILED, "failed") \
  X (PHONE_OUTCOME_PENDING, "pending") X (PHONE_OUTCOME_SENT, "sent") X (PHONE_OUTCOME_RECEIVED, "received") \
  X (PHONE_OUTCOME_VOICEMAIL, "voicemail")
PHONE_DECLARE_ENUM (PhoneOutcome, phone_outcome, PHONE_OUTCOME_LIST)

#define PHONE_ENTRY_KIND_LIST(X) X (PHONE_ENTRY_CALL, "call") X (PHONE_ENTRY_MESSAGE, "message")
PHONE_DECLARE_ENUM (PhoneEntryKind, phone_entry_kind, PHONE_ENTRY_KIND_LIST)

/* How a call sounded, beside loss, jitter and delay: as Media.Stats calls it. */
#define PHONE_MEASURE_LIST(X) \
  X (PHONE_MEASURE_PLAYOUT_TARGET, "playout-target") \
  X (PHONE_MEASURE_PLAYOUT_DELAY, "playout-delay") \
  X (PHONE_MEASURE_CONCEALED, "concealed") \
  X (PHONE_MEASURE_ACCELERATED, "accelerated") \
  X (PHONE_MEASURE_EXPANDED, "expanded") \
  X (PHONE_MEASURE_FEC_USED, "fec-used") \
  X (PHONE_MEASURE_COPIES_USED, "copies-used") \
  X (PHONE_MEASURE_BITRATE_TARGET, "bitrate-target") \
  X (PHONE_MEASURE_HERE_SIGNAL, "here-signal") \
  X (PHONE_MEASURE_HERE_NOISE, "here-noise") \
  X (PHONE_MEASURE_HERE_RATING, "here-rating") \
  X (PHONE_MEASURE_PEER_RATING, "peer-rating") \
  X (PHONE_MEASURE_PEER_MOS, "peer-mos-conversation")
PHONE_DECLARE_ENUM (PhoneMeasure, phone_measure, PHONE_MEASURE_LIST)
#define PHONE_MEASURES 13

typedef struct
{
  PhoneEntryKind kind;
  char *id;                     /* UUID, that of the call or message */
  char *account;
  gboolean incoming;
  PhoneOutcome outcome;
  char *remote_uri, *remote_name, *asserted_id, *diverter;
  char *party;                  /* who it is whatever the form of the address: phone_party_key() */
  gint64 start, answered, ended;        /* Unix s; answered 0: not answered */
  PhoneActor actor;
  PhoneCause cause;
  guint sip, q850;              /* 0: none */
  char *phrase;
  char *refused_by;             /* "user", "dnd", "limit"; "" unless refused */
  char *codec, *keying, *suite; /* suite "": not encrypted */
  double loss_local, loss_remote;       /* fraction 0..1; NAN: unknown, as all below */
  double jitter_local, jitter_remote, round_trip;       /* ms */
  double mos;                   /* 1..4.5 */
  double measures[PHONE_MEASURES];
  char *rate_reason;            /* why the bit rate was what it was at the end */
  gboolean seen;
  char *text;                   /* of a message, its first PHONE_HISTORY_TEXT characters */
} PhoneHistoryEntry;

#define PHONE_HISTORY_TEXT 200
char *phone_history_cut_text (const char *body);                /* caller frees */

PhoneHistoryEntry *phone_history_entry_new (void);              /* all texts "", all measures NAN */
PhoneHistoryEntry *phone_history_entry_copy (const PhoneHistoryEntry *entry);
void phone_history_entry_free (PhoneHistoryEntry *entry);       /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneHistoryEntry, phone_history_entry_free)

/* Replaces an owned text; NULL becomes "". */
void phone_text_take (char **where, const char *text);

/* The address without what does not tell people apart: scheme, port, parameters, visual separators of a number, case of the host, and
 * for a number that means the same everywhere (with +, or of seven digits and more) the host. "sip:+49-30-123@example.org;user=phone" and
 * "tel:+4930123" are both +4930123; sip:Bob@EXAMPLE.org is Bob@example.org, sip:23@office.example is 23@office.example. The cleaned text
 * itself if it is no URI. Caller frees. */
char *phone_party_key (const char *uri);

/* All that is set must hold. Borrowed texts, NULL: any. */
typedef struct
{
  const char *account, *party;  /* party: address in any form */
  const char *text;             /* part of name, address or message, case does not matter */
  PhoneContactSearch *called;   /* or of how the contacts call the party; NULL: they call nobody so */
  int kind;                     /* PhoneEntryKind, -1: any */
  const char *before;           /* id of an entry: only older ones; costs the same however deep */
  int outcome;                  /* PhoneOutcome, -1: any */
  int state;                    /* in a list of messages: PhoneMessageState, -1: any */
  int incoming, seen;           /* -1: any */
  gint64 since, until;          /* start within [since, until), Unix s; 0: open */
} PhoneHistoryFilter;

#define PHONE_HISTORY_FILTER_ANY { .kind = -1, .outcome = -1, .state = -1, .incoming = -1, .seen = -1 }
#define PHONE_HISTORY_MAX_PAGE 1000
/* An offset costs every entry that it leaves out: further back one pages by `before`. Of messages, too. */
#define PHONE_HISTORY_MAX_OFFSET 100000

/* FALSE (INVALID_OPTION): no page begins there or has that length. What: "entries". */
gboolean phone_page_check (const char *what, guint offset, guint limit, guint max_limit, GError **error);
#define PHONE_HISTORY_MAX_IDS 1000
