/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* CollectDigits of org.phoned.Phone1.Media: its message is parked until the digits are all. A client that leaves the bus takes its wait
 * along, so that the next one need not wait for a time-out. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"

typedef struct
{
  PhoneCall *call;
  BusRequest *request;
  BusWatch *watch;              /* NULL: the client has gone */
} Collect;

static void
collect_free (Collect *collect)
{
  bus_watch_free (collect->watch);
  g_object_unref (collect->call);
  g_free (collect);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Collect, collect_free)

static void
on_collected (PhoneCall *call, const char *digits, PhoneCollectEnd end, gpointer data)
{
  g_autoptr (Collect) collect = data;
  sd_bus_message *reply = bus_request_new_reply (collect->request);

  if (reply && (sd_bus_message_sensitive (reply) < 0 || sd_bus_message_append (reply, "ss", digits, phone_collect_end_to_string (end)) < 0))
    reply = sd_bus_message_unref (reply);
  bus_request_send (collect->request, reply, NULL);
  sd_bus_message_unref (reply);
}

static void
on_client_gone (gpointer data)
{
  Collect *collect = data;
  g_autoptr (PhoneCall) call = g_object_ref (collect->call);

  collect->watch = NULL;        /* it is freed behind us */
  phone_call_stop_collecting (call);
}

static gboolean
read_params (sd_bus_message *m, PhoneCollectParams *ret_params, GError **error)
{
  guint32 min = 1, max = PHONE_MAX_COLLECT, first = 10000, next = 4000;
  const char *terminators = "#", *prompt = NULL;
  int barge_in = TRUE;
  const BusOption known[] = {
    { "min", "u", &min },         { "max", "u", &max },           { "terminators", "s", &terminators }, { "first-timeout", "u", &first },
    { "digit-timeout", "u", &next }, { "barge-in", "b", &barge_in }, { "prompt", "s", &prompt },
  };

  if (!bus_options_read (m, known, G_N_ELEMENTS (known), error))
    return FALSE;
  *ret_params = (PhoneCollectParams){
    .min = min,
    .max = max,
    .terminators = terminators,
    .first_ms = first,
    .next_ms = next,
    .barge_in = barge_in,
    .prompt = prompt,
  };
  return TRUE;
}

int
bus_media_on_collect (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  BusCall *self = data;
  g_autoptr (GError) error = NULL;
  PhoneCollectParams params;
  Collect *collect;

  if (!read_params (m, &params, &error))
    return bus_error_set (ret_error, error);
  collect = g_new0 (Collect, 1);
  collect->call = g_object_ref (self->call);
  collect->watch = bus_watch_new (self->bus->clients, sd_bus_message_get_sender (m), on_client_gone, collect, &error);
  if (!collect->watch || !(collect->request = bus_request_new (self->bus->clients, m, &error)))
    {
      collect_free (collect);
      return bus_error_set (ret_error, error);
    }
  if (!phone_call_collect (self->call, &params, on_collected, collect, &error))
    {
      bus_request_finish (collect->request, error);
      collect_free (collect);
    }
  return 1;
}

int
bus_media_on_stop_collecting (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  phone_call_stop_collecting (((BusCall *) data)->call);
  return sd_bus_reply_method_return (m, NULL);
}
