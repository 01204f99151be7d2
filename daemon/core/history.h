/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* The history of calls: every call that ended and every one that was turned away becomes an entry of the archive. Emits "added"
 * (const PhoneHistoryEntry *, gboolean kept) when the archive has it, "changed" (guint mask of PhoneHistoryField). */

#include <glib-object.h>
#include "core/ports.h"

typedef enum
{
  PHONE_HISTORY_UNSEEN = 1 << 0,
  PHONE_HISTORY_FAULT = 1 << 1,         /* fault, waiting */
} PhoneHistoryField;

#define PHONE_TYPE_HISTORY (phone_history_get_type ())
G_DECLARE_FINAL_TYPE (PhoneHistory, phone_history, PHONE, HISTORY, GObject)

guint phone_history_get_unseen (PhoneHistory *history);         /* calls that nobody here took and nobody has looked at */
const char *phone_history_get_fault (PhoneHistory *history);    /* what is wrong with the archive; "" if nothing is */
guint phone_history_get_waiting (PhoneHistory *history);        /* entries that wait in memory for the disk */

/* FALSE (INVALID_OPTION, NOT_SUPPORTED): nothing was asked, done is not called. */
gboolean phone_history_list (PhoneHistory *history, const PhoneHistoryFilter *filter, guint offset, guint limit, PhoneHistoryListed done,
                             gpointer data, GError **error);
gboolean phone_history_find (PhoneHistory *history, const char *id, PhoneHistoryListed done, gpointer data, GError **error);
/* ids NULL: all. */
gboolean phone_history_mark_seen (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);
gboolean phone_history_delete (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);

/* From the archive: text NULL when it works (again). */
void phone_history_on_fault (PhoneHistory *history, const char *text, guint waiting);
