/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* One instant message (RFC 3428) as it is kept, and what can be asked of those that are. Plain values; all texts are owned and never NULL. */

#include "util/phone-enum.h"
#include "util/phone-error.h"

/* queued     ours, it waits: for the account, for its turn, for the time that the server named
 * sending    it is on the disk that it is about to go out; the answer has not come
 * sent       a 2xx came: the server, or the peer itself, has taken it
 * delivered  the peer's phone has it (RFC 5438)
 * displayed  the peer has looked at it
 * failed     refused, or given up; with `uncertain` it may have arrived all the same
 * received   theirs */
#define PHONE_MESSAGE_STATE_LIST(X) \
  X (PHONE_MESSAGE_QUEUED, "queued") X (PHONE_MESSAGE_SENDING, "sending") X (PHONE_MESSAGE_SENT, "sent") \
  X (PHONE_MESSAGE_DELIVERED, "delivered") X (PHONE_MESSAGE_DISPLAYED, "displayed") X (PHONE_MESSAGE_FAILED, "failed") \
  X (PHONE_MESSAGE_RECEIVED, "received")
PHONE_DECLARE_ENUM (PhoneMessageState, phone_message_state, PHONE_MESSAGE_STATE_LIST)

/* Dispositions of RFC 5438. */
typedef enum
{
  PHONE_REPORT_DELIVERED = 1 << 0,
  PHONE_REPORT_DISPLAYED = 1 << 1,
} PhoneReport;

/* What one says (RFC 5438 section 5), by the server on the way or by the peer's phone:
 *
 * none                 nothing that is known here
 * processed            the server has done its part
 * stored               the server keeps it until the peer is there
 * delivered, displayed as the states
 * failed               it was not delivered, and will not be
 * delivery-forbidden   nobody may tell whether it arrives: it may well
 * delivery-error       nobody knows what became of it
 * display-forbidden, display-error     the same of whether the peer looks at it */
#define PHONE_DISPOSITION_LIST(X) \
  X (PHONE_DISPOSITION_NONE, "none") X (PHONE_DISPOSITION_PROCESSED, "processed") X (PHONE_DISPOSITION_STORED, "stored") \
  X (PHONE_DISPOSITION_DELIVERED, "delivered") X (PHONE_DISPOSITION_DISPLAYED, "displayed") X (PHONE_DISPOSITION_FAILED, "failed") \
  X (PHONE_DISPOSITION_DELIVERY_FORBIDDEN, "delivery-forbidden") X (PHONE_DISPOSITION_DELIVERY_ERROR, "delivery-error") \
  X (PHONE_DISPOSITION_DISPLAY_FORBIDDEN, "display-forbidden") X (PHONE_DISPOSITION_DISPLAY_ERROR, "display-error")
PHONE_DECLARE_ENUM (PhoneDisposition, phone_disposition, PHONE_DISPOSITION_LIST)

typedef struct
{
  char *id;                     /* UUID; of ours also the Message-ID of RFC 5438 and the Call-ID */
  char *account;
  gboolean incoming;
  PhoneMessageState state;
  char *remote_uri, *remote_name;
  char *party;                  /* phone_party_key() */
  char *body;                   /* phone_text_clean_lines() */
  gint64 time;                  /* Unix s: when it was given to us, or came */
  gint64 changed;               /* Unix s: in this state since */
  guint sip;                    /* of the last attempt, 0: none came */
  char *phrase;
  gboolean uncertain;
  PhoneDisposition disposition; /* ours: what the last report that was news said */
  guint attempts;
  char *imdn_id;                /* theirs: Message-ID, "": none */
  char *transaction;            /* theirs: Call-ID and CSeq, by which a second copy is known; "" for ours */
  guint asks;                   /* PhoneReport: theirs that the sender wants to have */
  guint owes;                   /* of those, which are due and not sent yet */
  gboolean read;                /* ours always are */
} PhoneMessage;

PhoneMessage *phone_message_new (void);
PhoneMessage *phone_message_copy (const PhoneMessage *message);
void phone_message_free (PhoneMessage *message);                /* accepts NULL */
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PhoneMessage, phone_message_free)

/* Whether a message of ours that is in `from` may come to `to`: reports come late, twice and out of order. */
gboolean phone_message_may_become (PhoneMessageState from, PhoneMessageState to);
/* A report about a message of ours. FALSE: it is no news. now: Unix s. */
gboolean phone_message_take_report (PhoneMessage *message, PhoneDisposition disposition, gint64 now);

#define PHONE_MESSAGE_MAX_BODY 65536    /* octets, whatever the settings say */
#define PHONE_MESSAGE_MAX_PAGE 500
#define PHONE_MESSAGE_MAX_IDS 1000

/* All messages from and to one party, whatever the account. */
typedef struct
{
  PhoneMessage *newest;         /* its party and names are those of the conversation */
  guint total, unread;
} PhoneConversation;

void phone_conversation_free (PhoneConversation *conversation); /* accepts NULL */
