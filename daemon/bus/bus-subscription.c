/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Numbers at a high rate, for those who subscribed. A subscription belongs to one client and one object and dies with either; its signals
 * go to that client alone. A bus that does not take our messages gets no more of them: numbers that waited are worth nothing. */

#include "bus/bus-private.h"

#define MIN_INTERVAL_MS 100
#define MAX_INTERVAL_MS 60000
#define MAX_QUEUED 1024                 /* messages that wait to be written */

struct _BusSubscribers
{
  Bus *bus;
  BusSubscriptionSend send;
  gpointer object;
  GHashTable *clients;          /* unique name -> Subscription */
};

typedef struct
{
  BusSubscribers *all;
  char *client;
  BusWatch *watch;
  guint timer_id;
} Subscription;

static void
send (Subscription *self)
{
  guint64 queued = 0;

  if (sd_bus_get_n_queued_write (self->all->bus->bus, &queued) < 0 || queued <= MAX_QUEUED)
    self->all->send (self->all->object, self->client);
}

static gboolean
on_interval (gpointer data)
{
  send (data);
  return G_SOURCE_CONTINUE;
}

static void
subscription_free (Subscription *self)
{
  self->all->bus->n_subscriptions--;
  g_clear_handle_id (&self->timer_id, g_source_remove);
  bus_watch_free (self->watch);
  g_free (self->client);
  g_free (self);
}

static void
subscription_remove (Subscription *self)
{
  g_hash_table_remove (self->all->clients, self->client);
  subscription_free (self);
}

static void
on_client_gone (gpointer data)
{
  Subscription *self = data;

  self->watch = NULL;           /* freed by the caller */
  subscription_remove (self);
}

BusSubscribers *
bus_subscribers_new (Bus *bus, BusSubscriptionSend send_to, gpointer object)
{
  BusSubscribers *self = g_new0 (BusSubscribers, 1);

  self->bus = bus;
  self->send = send_to;
  self->object = object;
  self->clients = g_hash_table_new (g_str_hash, g_str_equal);
  return self;
}

void
bus_subscribers_clear (BusSubscribers *self)
{
  GHashTableIter iter;
  gpointer subscription;

  g_hash_table_iter_init (&iter, self->clients);
  while (g_hash_table_iter_next (&iter, NULL, &subscription))
    {
      g_hash_table_iter_remove (&iter);
      subscription_free (subscription);
    }
}

void
bus_subscribers_free (BusSubscribers *self)
{
  bus_subscribers_clear (self);
  g_hash_table_unref (self->clients);
  g_free (self);
}

static Subscription *
subscription_get (BusSubscribers *all, const char *client, GError **error)
{
  Subscription *subscription = g_hash_table_lookup (all->clients, client);

  if (subscription)
    return subscription;
  if (all->bus->n_subscriptions >= BUS_MAX_ALL_SUBSCRIPTIONS)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "There are %d subscriptions already", BUS_MAX_ALL_SUBSCRIPTIONS);
      return NULL;
    }
  subscription = g_new0 (Subscription, 1);
  subscription->watch = bus_watch_new (all->bus->clients, client, on_client_gone, subscription, error);
  if (!subscription->watch)
    {
      g_free (subscription);
      return NULL;
    }
  subscription->all = all;
  subscription->client = g_strdup (client);
  all->bus->n_subscriptions++;
  g_hash_table_insert (all->clients, subscription->client, subscription);
  return subscription;
}

int
bus_subscribers_add (BusSubscribers *self, sd_bus_message *m, sd_bus_error *ret_error)
{
  const char *client = sd_bus_message_get_sender (m);
  g_autoptr (GError) error = NULL;
  Subscription *subscription;
  guint32 ms = 0;
  int r;

  if (sd_bus_message_read (m, "u", &ms) < 0 || ms < MIN_INTERVAL_MS || ms > MAX_INTERVAL_MS)
    {
      g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "The interval must be %d to %d ms, not %u", MIN_INTERVAL_MS,
                   MAX_INTERVAL_MS, ms);
      return bus_error_set (ret_error, error);
    }
  subscription = subscription_get (self, client ? client : "", &error);
  if (!subscription)
    return bus_error_set (ret_error, error);
  g_clear_handle_id (&subscription->timer_id, g_source_remove);
  subscription->timer_id = g_timeout_add (ms, on_interval, subscription);
  r = sd_bus_reply_method_return (m, NULL);
  send (subscription);
  return r;
}

int
bus_subscribers_remove (BusSubscribers *self, sd_bus_message *m)
{
  const char *client = sd_bus_message_get_sender (m);
  Subscription *subscription = client ? g_hash_table_lookup (self->clients, client) : NULL;

  if (subscription)
    subscription_remove (subscription);
  return sd_bus_reply_method_return (m, NULL);
}
