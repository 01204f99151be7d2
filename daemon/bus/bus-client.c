/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A client is noticed to be gone by the bus's NameOwnerChanged for its unique name, asked for when the first
 * thing is remembered for it. It may have gone between its call and our match, therefore the bus is asked
 * once, behind the match on the same connection, whether the name is still there. The match stays until the
 * client leaves (an applet that answers ten calls asks for it once), or until its place is needed for another
 * client and nothing is remembered for this one.
 *
 * This is what sd_bus_track does too, but sd_bus_track_add_name() asks that question with a blocking call,
 * and a handler never blocks here.
 *
 * Limits: BUS_MAX_CLIENTS remembered clients, BUS_MAX_PARKED and BUS_MAX_SUBSCRIPTIONS for each. Nothing that
 * one client does takes a place from another except the number of clients, which the session bus limits
 * too. */

#include "bus/bus-client.h"
#include "bus/bus-error.h"
#include "util/log.h"

struct _BusClients
{
  sd_bus *bus;
  void (*before_reply) (gpointer data);
  gpointer data;
  GHashTable *by_name;          /* unique name -> BusClient, borrowed */
};

struct _BusClient
{
  BusClients *clients;
  char *name;
  sd_bus_slot *gone_slot, *check_slot;
  GQueue requests, watches;     /* members, by their link */
};

struct _BusRequest
{
  guint refs;
  BusClient *client;            /* NULL: finished or dropped */
  sd_bus_message *message;
  GList link;
};

struct _BusWatch
{
  BusClient *client;
  void (*gone) (gpointer data);
  gpointer data;
  GList link;
};

BusClients *
bus_clients_new (sd_bus *bus, void (*before_reply) (gpointer data), gpointer data)
{
  BusClients *clients = g_new0 (BusClients, 1);

  clients->bus = sd_bus_ref (bus);
  clients->before_reply = before_reply;
  clients->data = data;
  clients->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return clients;
}

guint
bus_clients_count (BusClients *clients)
{
  return g_hash_table_size (clients->by_name);
}

/* ---- one client ---- */

static void
client_free (BusClient *client)
{
  g_hash_table_remove (client->clients->by_name, client->name);
  sd_bus_slot_unref (client->gone_slot);
  sd_bus_slot_unref (client->check_slot);
  g_free (client->name);
  g_free (client);
}

static gboolean
client_is_idle (BusClient *client)
{
  return client->requests.length == 0 && client->watches.length == 0;
}

/* Frees one client for which nothing is remembered. FALSE: there is none. */
static gboolean
clients_make_room (BusClients *clients)
{
  GHashTableIter iter;
  gpointer client;

  g_hash_table_iter_init (&iter, clients->by_name);
  while (g_hash_table_iter_next (&iter, NULL, &client))
    if (client_is_idle (client))
      {
        client_free (client);
        return TRUE;
      }
  return FALSE;
}

/* Takes the message out of the request; the client may be freed by the caller afterwards. */
static sd_bus_message *
request_detach (BusRequest *request)
{
  sd_bus_message *message = g_steal_pointer (&request->message);

  g_queue_unlink (&request->client->requests, &request->link);
  request->client = NULL;
  return message;
}

static void
client_gone (BusClient *client)
{
  phone_log_debug (NULL, "Client %s left the bus: %u requests and %u subscriptions dropped", client->name,
                   client->requests.length, client->watches.length);
  while (client->requests.head)
    sd_bus_message_unref (request_detach (client->requests.head->data));
  while (client->watches.head)
    {
      BusWatch *watch = client->watches.head->data;

      g_queue_unlink (&client->watches, &watch->link);
      watch->gone (watch->data);
      g_free (watch);
    }
  client_free (client);
}

static int
on_name_owner_changed (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  const char *name, *old_owner, *new_owner;

  /* A unique name is never owned again, so any change means the end of it. */
  if (sd_bus_message_read (m, "sss", &name, &old_owner, &new_owner) >= 0 && *new_owner == '\0')
    client_gone (data);
  return 0;
}

static int
on_name_checked (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  int has_owner = 1;

  if (!sd_bus_message_is_method_error (m, NULL) && sd_bus_message_read (m, "b", &has_owner) >= 0
      && !has_owner)
    client_gone (data);
  return 0;
}

static int
watch_name (BusClient *client)
{
  g_autofree char *match
      = g_strdup_printf ("type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
                         "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
                         client->name);
  int r = sd_bus_add_match_async (client->clients->bus, &client->gone_slot, match, on_name_owner_changed,
                                  NULL, client);

  if (r < 0)
    return r;
  return sd_bus_call_method_async (client->clients->bus, &client->check_slot, "org.freedesktop.DBus",
                                   "/org/freedesktop/DBus", "org.freedesktop.DBus", "NameHasOwner",
                                   on_name_checked, client, "s", client->name);
}

static BusClient *
client_get (BusClients *clients, const char *name, GError **error)
{
  BusClient *client = g_hash_table_lookup (clients->by_name, name);
  int r;

  if (client)
    return client;
  if (g_hash_table_size (clients->by_name) >= BUS_MAX_CLIENTS && !clients_make_room (clients))
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d clients wait for something",
                   BUS_MAX_CLIENTS);
      return NULL;
    }
  client = g_new0 (BusClient, 1);
  client->clients = clients;
  client->name = g_strdup (name);
  g_hash_table_insert (clients->by_name, client->name, client);
  r = watch_name (client);
  if (r < 0)
    {
      client_free (client);
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED, "Cannot watch client %s: %s", name,
                   g_strerror (-r));
      return NULL;
    }
  return client;
}

/* ---- requests ---- */

BusRequest *
bus_request_new (BusClients *clients, sd_bus_message *m, GError **error)
{
  const char *sender = sd_bus_message_get_sender (m);
  BusClient *client = client_get (clients, sender ? sender : "", error);
  BusRequest *request;

  if (!client)
    return NULL;
  if (client->requests.length >= BUS_MAX_PARKED)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY,
                   "%d requests of this client are under way already", BUS_MAX_PARKED);
      return NULL;
    }
  request = g_new0 (BusRequest, 1);
  request->refs = 1;
  request->client = client;
  request->message = sd_bus_message_ref (m);
  request->link.data = request;
  g_queue_push_tail_link (&client->requests, &request->link);
  return request;
}

BusRequest *
bus_request_ref (BusRequest *request)
{
  request->refs++;
  return request;
}

void
bus_request_unref (BusRequest *request)
{
  if (--request->refs > 0)
    return;
  g_assert (request->client == NULL);
  g_free (request);
}

gpointer
bus_request_get_data (BusRequest *request)
{
  return request->client ? request->client->clients->data : NULL;
}

gboolean
bus_request_is_open (BusRequest *request)
{
  return request->client != NULL;
}

static int
send_values (sd_bus_message *message, const char *types, va_list values)
{
  sd_bus_message *reply = NULL;
  int r = sd_bus_message_new_method_return (message, &reply);

  if (r >= 0)
    r = sd_bus_message_appendv (reply, types, values);
  if (r >= 0)
    r = sd_bus_send (NULL, reply, NULL);
  sd_bus_message_unref (reply);
  return r;
}

/* types NULL: an empty reply. */
static void
send_reply (sd_bus_message *message, const GError *error, const char *types, va_list *values)
{
  int r;

  if (error)
    {
      sd_bus_error e = SD_BUS_ERROR_NULL;

      bus_error_set (&e, error);
      r = sd_bus_reply_method_error (message, &e);
      sd_bus_error_free (&e);
    }
  else if (types)
    r = send_values (message, types, *values);
  else
    r = sd_bus_reply_method_return (message, NULL);
  if (r < 0)
    phone_log_debug (NULL, "Cannot reply to %s: %s", sd_bus_message_get_sender (message), g_strerror (-r));
}

static void
request_finish (BusRequest *request, const GError *error, const char *types, va_list *values)
{
  if (request->client)
    {
      BusClients *clients = request->client->clients;
      sd_bus_message *message = request_detach (request);

      clients->before_reply (clients->data);
      send_reply (message, error, types, values);
      sd_bus_message_unref (message);
    }
  bus_request_unref (request);
}

void
bus_request_finish (BusRequest *request, const GError *error)
{
  request_finish (request, error, NULL, NULL);
}

void
bus_request_finish_with (BusRequest *request, const GError *error, const char *types, ...)
{
  va_list values;

  va_start (values, types);
  request_finish (request, error, types, &values);
  va_end (values);
}

sd_bus_message *
bus_request_new_reply (BusRequest *request)
{
  sd_bus_message *reply = NULL;

  if (request->client && sd_bus_message_new_method_return (request->message, &reply) < 0)
    return NULL;
  return reply;
}

void
bus_request_send (BusRequest *request, sd_bus_message *reply, const GError *error)
{
  g_autoptr (GError) failure = NULL;

  if (!error && !reply)
    error = failure = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_FAILED, "The reply could not be made");
  if (!error && request->client)
    {
      BusClients *clients = request->client->clients;
      sd_bus_message *message = request_detach (request);

      clients->before_reply (clients->data);
      if (sd_bus_send (clients->bus, reply, NULL) < 0)
        phone_log_debug (NULL, "Cannot reply to %s", sd_bus_message_get_sender (message));
      sd_bus_message_unref (message);
    }
  bus_request_finish (request, error);
}

/* ---- watches ---- */

BusWatch *
bus_watch_new (BusClients *clients, const char *sender, void (*gone) (gpointer data), gpointer data,
               GError **error)
{
  BusClient *client = client_get (clients, sender, error);
  BusWatch *watch;

  if (!client)
    return NULL;
  if (client->watches.length >= BUS_MAX_SUBSCRIPTIONS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "This client has %d subscriptions already",
                   BUS_MAX_SUBSCRIPTIONS);
      return NULL;
    }
  watch = g_new0 (BusWatch, 1);
  watch->client = client;
  watch->gone = gone;
  watch->data = data;
  watch->link.data = watch;
  g_queue_push_tail_link (&client->watches, &watch->link);
  return watch;
}

void
bus_watch_free (BusWatch *watch)
{
  if (!watch)
    return;
  g_queue_unlink (&watch->client->watches, &watch->link);
  g_free (watch);
}

/* ---- the end ---- */

void
bus_clients_free (BusClients *clients)
{
  g_autoptr (GError) error
      = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_INVALID_STATE, "The daemon is stopping");
  GHashTableIter iter;
  gpointer client;

  if (!clients)
    return;
  while (g_hash_table_iter_init (&iter, clients->by_name), g_hash_table_iter_next (&iter, NULL, &client))
    {
      BusClient *self = client;

      while (self->requests.head)
        {
          sd_bus_message *message = request_detach (self->requests.head->data);

          send_reply (message, error, NULL, NULL);
          sd_bus_message_unref (message);
        }
      client_gone (self);
    }
  g_hash_table_unref (clients->by_name);
  sd_bus_unref (clients->bus);
  g_free (clients);
}
