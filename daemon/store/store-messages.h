/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "store/store-job.h"

/* Operations of store_archive_ops (core/ports.h); store is the Store. */
void store_message_add (gpointer store, PhoneMessage *message, PhoneMessageAdded done, gpointer data);
void store_message_update (gpointer store, const PhoneMessage *message, gboolean must, PhoneMessagesListed done, gpointer data);
void store_message_report (gpointer store, const char *id, const char *party, PhoneDisposition disposition, PhoneMessagesListed done,
                           gpointer data);
void store_message_reported (gpointer store, const char *id, PhoneReport report);
void store_message_mark_read (gpointer store, const char *const *ids, PhoneMessagesListed done, gpointer data);
void store_message_list (gpointer store, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneMessagesListed done,
                         gpointer data);
void store_message_conversations (gpointer store, gboolean unread_only, guint offset, guint limit, PhoneConversationsListed done,
                                  gpointer data);
void store_message_get (gpointer store, const char *id, PhoneMessagesListed done, gpointer data);
void store_message_open (gpointer store, PhoneMessagesListed done, gpointer data);
void store_message_delete (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data);
void store_message_expire (gpointer store, gint64 before, PhoneArchiveDone done, gpointer data);
void store_message_count_unread (gpointer store, PhoneArchiveCounted done, gpointer data);
