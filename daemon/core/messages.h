/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Instant messages: what goes out is on the disk before it goes, what comes in before it is acknowledged. Emits "received" (PhoneMessage)
 * for a new one of theirs, "state" (PhoneMessage) when one of ours is in another state, "composing" (const PhoneComposingNews *),
 * "changed" (guint mask of PhoneMessagesField). */

#include <glib-object.h>
#include "core/message-queue.h"
#include "core/ports.h"

typedef enum
{
  PHONE_MESSAGES_UNREAD = 1 << 0,
  PHONE_MESSAGES_QUEUED = 1 << 1,
} PhoneMessagesField;

typedef struct
{
  const char *account, *remote_uri, *party;
  gboolean active;
} PhoneComposingNews;

#define PHONE_TYPE_MESSAGES (phone_messages_get_type ())
G_DECLARE_FINAL_TYPE (PhoneMessages, phone_messages, PHONE, MESSAGES, GObject)

guint phone_messages_get_unread (PhoneMessages *messages);
guint phone_messages_get_queued (PhoneMessages *messages);      /* of ours that have not gone out yet */

/* ---- what clients ask. FALSE: nothing was asked, done is not called ---- */

typedef struct
{
  PhoneAccount *account;        /* NULL: as for a call */
  PhoneCall *call;              /* inside the dialog of this one while it lasts; its peer and account are meant, to is "" */
} PhoneMessageOptions;

/* id: of the message, which is on the disk; NULL with an error. */
typedef void (*PhoneMessageSent) (const char *id, const GError *error, gpointer data);
gboolean phone_messages_send (PhoneMessages *messages, const char *to, const char *body, const PhoneMessageOptions *options,
                              PhoneMessageSent done, gpointer data, GError **error);
gboolean phone_messages_list (PhoneMessages *messages, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneMessagesListed done,
                              gpointer data, GError **error);
/* The conversations, that with the newest message first. */
gboolean phone_messages_list_conversations (PhoneMessages *messages, gboolean unread_only, guint offset, guint limit,
                                            PhoneConversationsListed done, gpointer data, GError **error);
gboolean phone_messages_find (PhoneMessages *messages, const char *id, PhoneMessagesListed done, gpointer data, GError **error);
/* ids NULL: all. Reports go to those who ask for them. */
gboolean phone_messages_mark_read (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);
/* What has not gone out does not any more. */
gboolean phone_messages_delete (PhoneMessages *messages, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);
/* The user writes to that peer, or has stopped without sending. */
gboolean phone_messages_compose (PhoneMessages *messages, const char *to, gboolean active, PhoneAccount *account, GError **error);

/* ---- events of the engine ---- */

typedef struct
{
  PhoneMessageContent content;
  const char *remote_uri, *remote_name, *asserted_id;
  const char *transaction;      /* Call-ID and CSeq */
  gboolean trusted;             /* it came from the account's server */
  const char *source;           /* numeric address, for limits on strangers */
  const char *text;             /* TEXT: clean */
  const char *message_id;       /* TEXT, REPORT: of RFC 5438; NULL: none */
  guint asks;                   /* TEXT: PhoneReport */
  gboolean speaks_cpim;
  PhoneDisposition disposition; /* REPORT */
  gboolean active;              /* COMPOSING */
  guint refresh;
} PhoneIncomingMessage;

/* One that was understood. Returns the status to answer with and *ret_retry_after, or 0: message_answer of the port follows. */
guint phone_messages_on_incoming (PhoneMessages *messages, PhoneAccount *account, const PhoneIncomingMessage *incoming, gpointer transaction,
                                  guint *ret_retry_after);
/* The answer to one that message_send took. phrase may be NULL. accepts_cpim: the peer says that it reads CPIM. */
void phone_messages_on_answer (PhoneMessages *messages, const char *id, const PhoneMessageAnswer *answer, const char *phrase,
                               gboolean accepts_cpim);
