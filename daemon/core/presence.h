/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What is known about the presence of people and the state of their phones, as values. Filled in by sip/ from documents of the network:
 * every string is clean and bounded. */

#include "util/phone-enum.h"

/* How a person is, our own user included. */
#define PHONE_STATUS_LIST(X) \
  X (PHONE_STATUS_AVAILABLE, "available") X (PHONE_STATUS_AWAY, "away") X (PHONE_STATUS_BUSY, "busy") \
  X (PHONE_STATUS_ON_THE_PHONE, "on-the-phone") X (PHONE_STATUS_DND, "dnd") X (PHONE_STATUS_OFFLINE, "offline") \
  X (PHONE_STATUS_UNKNOWN, "unknown")
PHONE_DECLARE_ENUM (PhoneStatus, phone_status, PHONE_STATUS_LIST)

/* How the phone is: what a lamp shows. */
#define PHONE_LAMP_LIST(X) \
  X (PHONE_LAMP_UNKNOWN, "unknown") X (PHONE_LAMP_IDLE, "idle") X (PHONE_LAMP_RINGING, "ringing") X (PHONE_LAMP_BUSY, "busy") \
  X (PHONE_LAMP_OFFLINE, "offline")
PHONE_DECLARE_ENUM (PhoneLamp, phone_lamp, PHONE_LAMP_LIST)

/* A subscription to events of the network (RFC 6665), or a publication (RFC 3903). */
#define PHONE_SUBSCRIPTION_LIST(X) \
  X (PHONE_SUBSCRIPTION_IDLE, "idle")           /* the account is not registered, or does not want it */ \
  X (PHONE_SUBSCRIPTION_TRYING, "trying") \
  X (PHONE_SUBSCRIPTION_PENDING, "pending")     /* accepted; somebody has to allow it, or nothing was said yet */ \
  X (PHONE_SUBSCRIPTION_ACTIVE, "active") \
  X (PHONE_SUBSCRIPTION_WAITING, "waiting")     /* refused or ended; tried again at retry_at */
PHONE_DECLARE_ENUM (PhoneSubscription, phone_subscription, PHONE_SUBSCRIPTION_LIST)

typedef struct
{
  PhoneSubscription state;
  guint code;                   /* SIP status of the last refusal; 0: none */
  char *reason;                 /* owned: not-found, bad-event, rejected, noresource, timeout ...; NULL: none */
  gint64 retry_at;              /* Unix s; 0: no attempt is planned */
} PhoneSubscriptionDetail;

void phone_subscription_detail_clear (PhoneSubscriptionDetail *detail);
/* TRUE: they differed. */
gboolean phone_subscription_detail_assign (PhoneSubscriptionDetail *detail, const PhoneSubscriptionDetail *from);

/* ---- dialog-info (RFC 4235) ---- */

#define PHONE_DIALOG_STATE_LIST(X) \
  X (PHONE_DIALOG_TRYING, "trying") X (PHONE_DIALOG_PROCEEDING, "proceeding") X (PHONE_DIALOG_EARLY, "early") \
  X (PHONE_DIALOG_CONFIRMED, "confirmed") X (PHONE_DIALOG_TERMINATED, "terminated")
PHONE_DECLARE_ENUM (PhoneDialogState, phone_dialog_state, PHONE_DIALOG_STATE_LIST)

typedef enum
{
  PHONE_DIALOG_DIRECTION_UNKNOWN,
  PHONE_DIALOG_INITIATOR,       /* the watched phone calls */
  PHONE_DIALOG_RECIPIENT,
} PhoneDialogDirection;

/* One dialog of a watched phone; all strings owned and, but for id, NULL when not told. "local" is the watched phone. */
typedef struct
{
  char *id;
  PhoneDialogState state;
  PhoneDialogDirection direction;
  char *call_id, *local_tag, *remote_tag;
  char *remote_uri, *remote_name, *remote_target;
} PhoneDialogEntry;

void phone_dialog_entry_free (PhoneDialogEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneDialogEntry, phone_dialog_entry_free)
/* dialogs: PhoneDialogEntry. One that rings goes before one that talks: it is the one to be picked up. */
PhoneLamp phone_lamp_from_dialogs (const GPtrArray *dialogs);
/* The value of Replaces (RFC 3891) that takes over a call which rings at the watched phone, and the URI to send it to: only the
 * caller's phone can replace an early dialog, for it began it. NULL: this dialog cannot be picked up. Caller frees both. */
char *phone_dialog_entry_replaces (const PhoneDialogEntry *entry, char **ret_target);

/* ---- presence (RFC 3863, RFC 4480) ---- */

typedef struct
{
  PhoneStatus status;
  char *note;                   /* owned; NULL: none */
} PhonePresenceInfo;

void phone_presence_info_clear (PhonePresenceInfo *info);
PhoneLamp phone_lamp_from_status (PhoneStatus status);

/* One member of a resource list (RFC 4662). */
typedef struct
{
  char *uri, *name;             /* owned; name NULL: none */
  PhonePresenceInfo presence;
  PhoneLamp lamp;
  gboolean active;              /* FALSE: the server's own subscription to it is pending or ended */
} PhoneResource;

PhoneResource *phone_resource_copy (const PhoneResource *resource);
void phone_resource_free (PhoneResource *resource);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneResource, phone_resource_free)

/* ---- watcherinfo (RFC 3857) ---- */

#define PHONE_WATCHER_LIST(X) \
  X (PHONE_WATCHER_PENDING, "pending")  /* the server waits for somebody who allows it */ \
  X (PHONE_WATCHER_ACTIVE, "active") \
  X (PHONE_WATCHER_WAITING, "waiting")  /* it was pending, and has gone */ \
  X (PHONE_WATCHER_TERMINATED, "terminated")
PHONE_DECLARE_ENUM (PhoneWatcherState, phone_watcher_state, PHONE_WATCHER_LIST)

/* Somebody who watches our presence at the server. */
typedef struct
{
  char *id, *uri, *name;        /* owned; name NULL: none */
  PhoneWatcherState state;
} PhoneWatcher;

void phone_watcher_free (PhoneWatcher *watcher);        /* accepts NULL */
PhoneWatcher *phone_watcher_copy (const PhoneWatcher *watcher);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneWatcher, phone_watcher_free)

/* ---- message-summary (RFC 3842) ---- */

typedef struct
{
  gboolean known;               /* the server has said something */
  gboolean waiting;
  guint fresh, old, fresh_urgent, old_urgent;   /* voice messages; the urgent ones are among the others */
  char *account;                /* owned: Message-Account, the URI to call; NULL: not told */
} PhoneMailboxState;

void phone_mailbox_state_clear (PhoneMailboxState *state);
gboolean phone_mailbox_state_equal (const PhoneMailboxState *a, const PhoneMailboxState *b);
void phone_mailbox_state_copy (PhoneMailboxState *to, const PhoneMailboxState *from);
