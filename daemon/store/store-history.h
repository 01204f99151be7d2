/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The rows of store_archive_ops about history; see core/ports.h. */

#include "store/store-job.h"

void store_history_add (gpointer store, PhoneHistoryEntry *entry, PhoneArchiveDone done, gpointer data);
void store_history_list (gpointer store, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneHistoryListed done,
                         gpointer data);
void store_history_get (gpointer store, const char *id, PhoneHistoryListed done, gpointer data);
void store_history_mark_seen (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data);
void store_history_delete (gpointer store, const char *const *ids, PhoneArchiveDone done, gpointer data);
void store_history_expire (gpointer store, gint64 before, guint max_entries, PhoneArchiveDone done, gpointer data);
void store_history_count_unseen (gpointer store, PhoneArchiveCounted done, gpointer data);
