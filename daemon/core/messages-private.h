/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the registry does with its messages. */

#include "core/messages.h"
#include "core/model-private.h"

PhoneMessages *phone_messages_new (PhoneRegistry *registry);
/* When there are ports, and whenever the settings have changed. The first time what an earlier life left is taken up. */
void phone_messages_start (PhoneMessages *messages);
void phone_messages_stop (PhoneMessages *messages);             /* the registry goes */
/* Registered, or not any more; enabled, removed. */
void phone_messages_account_changed (PhoneMessages *messages, PhoneAccount *account);

/* ---- shared by messages.c (ours, clients) and messages-receive.c (theirs, reports about them, who is writing) ---- */

#include "core/allowance.h"
#include "core/composing.h"
#include "core/message-queue.h"

/* Something that waits in the queue or is out: a message of ours, or a report about one of theirs. */
typedef struct
{
  char *key;                    /* in the queue: the message's id, for a report with its kind behind it */
  PhoneMessage *message;
  PhoneReport report;           /* 0: it is the message itself */
  PhoneCall *call;              /* reference; NULL: outside of a dialog */
  gboolean in_cpim;             /* as it was sent last */
  gboolean plain;               /* the peer has refused the envelope */
} PhoneOutgoing;

struct _PhoneMessages
{
  GObject parent_instance;
  PhoneRegistry *registry;              /* not owned: it owns us; NULL after it has gone */
  guint unread, n_queued;
  PhoneMessageQueue *queue;
  GHashTable *outgoing;                 /* key -> PhoneOutgoing, owned */
  GHashTable *cpim_peers;               /* set of "account\nparty": who is known to read CPIM */
  GHashTable *composers;                /* "account\nparty" -> ours; NULL value never */
  GHashTable *composing;                /* the same -> theirs */
  GHashTable *silent_peers;             /* set of the same: who does not want to know what we are writing */
  PhoneAllowance *per_peer, *server, *strangers;
  guint n_storing;                      /* of theirs that are not on the disk yet */
  guint timer, expire_timer;
  gboolean loaded;
};

const PhonePorts *phone_messages_ports (PhoneMessages *messages);       /* NULL: no archive */
void phone_messages_emit_state (PhoneMessages *messages, PhoneMessage *message);
void phone_messages_emit_received (PhoneMessages *messages, PhoneMessage *message);
void phone_messages_emit_composing (PhoneMessages *messages, const PhoneComposingNews *news);
void phone_messages_set_unread (PhoneMessages *messages, guint unread);
PhoneAccount *phone_messages_account (PhoneMessages *messages, const char *id);         /* NULL: none of that id */
/* Sends what may go, and winds up the timer. */
void phone_messages_pump (PhoneMessages *messages);
char *phone_messages_peer_key (const char *account, const char *party);
void phone_messages_learn (GHashTable *set, const char *account, const char *party);
/* Whom a message is for, a complete URI, and by which account. */
char *phone_messages_resolve (PhoneMessages *messages, const char *to, PhoneAccount *wanted, PhoneAccount **ret_account, GError **error);
void phone_messages_enqueue_reports (PhoneMessages *messages, const PhoneMessage *message, guint reports);
void phone_messages_report_done (PhoneMessages *messages, PhoneOutgoing *outgoing);
PhoneOutgoing *phone_messages_enqueue (PhoneMessages *messages, const PhoneMessage *message, PhoneReport report, PhoneCall *call);
void phone_messages_drop (PhoneMessages *messages, PhoneOutgoing *outgoing);

/* ---- messages-receive.c ---- */
void phone_messages_composing_init (PhoneMessages *messages);
void phone_messages_composing_clear (PhoneMessages *messages);
void phone_messages_composing_tick (PhoneMessages *messages, gint64 now);
gint64 phone_messages_composing_wake (PhoneMessages *messages);         /* -1: never */
void phone_messages_composing_sent (PhoneMessages *messages, const PhoneMessage *message);      /* ours went out */
/* The answer to what was said about our writing; FALSE: the id is not one of those. */
gboolean phone_messages_composing_answered (PhoneMessages *messages, const char *id, const PhoneMessageAnswer *answer);
