/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* Pages of entries: what History and Messages read from a request and answer it with. */

#include "bus/bus-private.h"

/* The filter, offset and limit of List; of messages: status and read instead of outcome, kind and seen. */
gboolean bus_page_read (sd_bus_message *m, gboolean of_messages, PhoneHistoryFilter *filter, guint32 *ret_offset, guint32 *ret_limit,
                        GError **error);
/* An array of ids as NULL-terminated, borrowed texts; an empty one means all and is NULL. Negative errno: the message cannot be read. */
int bus_ids_read (sd_bus_message *m, GPtrArray **ret_ids, GError **error);

/* Ends request (which may be NULL) with the error: what the handler of a method returns. */
int bus_refuse (sd_bus_error *ret_error, BusRequest *request, const GError *error);
/* Answers with all items as aa{sv}, or with the first as a{sv}; nothing is the text when there is none. */
typedef int (*BusAppendItem) (Bus *bus, sd_bus_message *reply, gconstpointer item);
void bus_send_items (BusRequest *request, GPtrArray *items, const GError *error, BusAppendItem append);
void bus_send_item (BusRequest *request, GPtrArray *items, const GError *error, BusAppendItem append, const char *nothing);

/* Into a dictionary that is open: "contact-name", as phone_registry_name_party() has it; nothing when there is none. */
int bus_dict_contact (Bus *bus, sd_bus_message *m, const char *asserted_id, const char *uri);
