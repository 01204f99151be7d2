/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What store-messages.c (changes) and store-message-reads.c share. */

#include "store/store-messages.h"
#include "store/store-page.h"

#define STORE_MESSAGE_COLUMNS \
  "h.id, h.account, h.incoming, m.state, h.remote_uri, h.remote_name, h.party, h.text, h.start, m.changed, h.sip, h.phrase, m.uncertain, " \
  "m.attempts, m.imdn_id, m.transaction_id, m.asks, m.owes, h.seen, m.disposition"
#define STORE_MESSAGE_JOINED "history AS h JOIN message AS m ON m.seq = h.seq"


typedef struct
{
  StoreJob job;
  PhoneMessage *message;        /* add, update */
  char *id, *party;
  PhoneDisposition disposition; /* report */
  char **ids;                   /* NULL: all */
  gint64 before;                /* expire */
  StorePage page;               /* list */
  gboolean unread_only;         /* conversations; offset and limit are the page's */
  guint n;
  gboolean is_copy;
  GPtrArray *found;             /* PhoneMessage, PhoneConversation */
  PhoneMessageAdded added;
  PhoneMessagesListed listed;   /* PhoneConversationsListed is the same */
  PhoneArchiveDone done;
  PhoneArchiveCounted counted;
  gpointer data;
} StoreMessageJob;

StoreMessageJob *store_message_job_new (int (*run) (StoreDb *db, StoreJob *job), gboolean is_write, gpointer data);
/* Appends what a statement of these columns gives, or the message of that id if there is one. */
PhoneMessage *store_message_read (sqlite3_stmt *s);      /* of the row that it stands at */
int store_message_collect (sqlite3_stmt *s, GPtrArray *found);
int store_message_find (StoreDb *db, const char *id, GPtrArray *found);
