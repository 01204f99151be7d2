/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the daemon remembers for one client: requests whose reply comes later, and subscriptions. Both are
 * counted against a quota and dropped when the client leaves the bus. */

#include <glib.h>
#include <systemd/sd-bus.h>
#include "util/phone-error.h"

#define BUS_MAX_CLIENTS 256
#define BUS_MAX_PARKED 64               /* requests of one client that wait for an outcome */
#define BUS_MAX_SUBSCRIPTIONS 32        /* of one client */

typedef struct _BusClients BusClients;  /* all of them */
typedef struct _BusClient BusClient;    /* one unique name */
typedef struct _BusRequest BusRequest;  /* one method call that waits for its outcome */
typedef struct _BusWatch BusWatch;      /* something that lasts until its client goes */

/* before_reply() is called before each reply that was waited for: what the reply speaks of goes out first. */
BusClients *bus_clients_new (sd_bus *bus, void (*before_reply) (gpointer data), gpointer data);
/* Answers all requests that wait with InvalidState. Requests may be finished later, without effect. */
void bus_clients_free (BusClients *clients);
guint bus_clients_count (BusClients *clients);

/* Takes m out of sd-bus's hands: the handler returns 1 and the reply is sent by bus_request_finish(), once,
 * or never when the client goes first. TOO_MANY when the client's quota is used up. The result belongs to
 * whoever will finish it. */
BusRequest *bus_request_new (BusClients *clients, sd_bus_message *m, GError **error);
/* Keeps the memory (not the message) for callers that must look after a callback may have finished it. */
BusRequest *bus_request_ref (BusRequest *request);
void bus_request_unref (BusRequest *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BusRequest, bus_request_unref)
/* error NULL: an empty reply. Drops one reference. The second time nothing is sent. */
void bus_request_finish (BusRequest *request, const GError *error);
/* The same with a reply of these types and values, as sd_bus_message_append() takes them, when there is no error. */
void bus_request_finish_with (BusRequest *request, const GError *error, const char *types, ...);
/* An empty reply with values to come, NULL when nobody waits any more; sent by bus_request_send(), which takes no reference. */
sd_bus_message *bus_request_new_reply (BusRequest *request);
/* reply NULL without error: the reply could not be made (its text is an error of its own). As bus_request_finish() otherwise. */
void bus_request_send (BusRequest *request, sd_bus_message *reply, const GError *error);
/* That of bus_clients_new(); NULL when nobody waits any more. */
gpointer bus_request_get_data (BusRequest *request);
/* FALSE once it is finished or its client has gone. */
gboolean bus_request_is_open (BusRequest *request);

/* gone() is called when the client leaves; the watch is freed after it. TOO_MANY: the quota is used up. */
BusWatch *bus_watch_new (BusClients *clients, const char *sender, void (*gone) (gpointer data), gpointer data,
                         GError **error);
void bus_watch_free (BusWatch *watch); /* accepts NULL */
