/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.History. The archive answers later, so every method parks its message. */

#include "bus/bus-page.h"

static PhoneHistory *
history_of (Bus *self)
{
  return phone_registry_get_history (self->registry);
}

/* ---- an entry ---- */

static int
append_texts (sd_bus_message *m, const PhoneHistoryEntry *entry)
{
  const struct
  {
    const char *key, *text;
  } texts[] = {
    { "kind", phone_entry_kind_to_string (entry->kind) },
    { "id", entry->id },
    { "account", entry->account },
    { "direction", entry->incoming ? "incoming" : "outgoing" },
    { "outcome", phone_outcome_to_string (entry->outcome) },
    { "remote-uri", entry->remote_uri },
    { "remote-name", entry->remote_name },
    { "asserted-id", entry->asserted_id },
    { "diverter", entry->diverter },
    { "party", entry->party },
    { "actor", phone_actor_to_string (entry->actor) },
    { "reason", phone_cause_to_string (entry->cause) },
    { "phrase", entry->phrase },
    { "refused-by", entry->refused_by },
    { "codec", entry->codec },
    { "keying", entry->keying },
    { "suite", entry->suite },
    { "text", entry->text },
    { "rate-reason", entry->rate_reason },
  };
  int r = 0;

  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (texts); i++)
    r = bus_dict_text (m, texts[i].key, texts[i].text);
  return r;
}

static int
append_numbers (sd_bus_message *m, const PhoneHistoryEntry *entry)
{
  const struct
  {
    const char *key;
    double value;
  } measures[] = {
    { "loss-local", entry->loss_local },     { "loss-remote", entry->loss_remote }, { "jitter-local", entry->jitter_local },
    { "jitter-remote", entry->jitter_remote }, { "round-trip", entry->round_trip }, { "mos", entry->mos },
  };
  int r = bus_dict_time (m, "start", entry->start);

  if (r >= 0)
    r = bus_dict_time (m, "answered", entry->answered);
  if (r >= 0)
    r = bus_dict_time (m, "ended", entry->ended);
  if (r >= 0 && entry->sip)
    r = bus_dict_u32 (m, "sip", entry->sip);
  if (r >= 0 && entry->q850)
    r = bus_dict_u32 (m, "q850", entry->q850);
  for (gsize i = 0; r >= 0 && i < G_N_ELEMENTS (measures); i++)
    r = bus_dict_double (m, measures[i].key, measures[i].value);
  for (gsize i = 0; r >= 0 && i < PHONE_MEASURES; i++)
    r = bus_dict_double (m, phone_measure_to_string ((PhoneMeasure) i), entry->measures[i]);
  return r < 0 ? r : bus_dict_bool (m, "seen", entry->seen);
}

static int
append_entry (Bus *self, sd_bus_message *m, const PhoneHistoryEntry *entry, int stored)
{
  int r = bus_dict_begin (m);

  if (r >= 0)
    r = append_texts (m, entry);
  if (r >= 0)
    r = bus_dict_contact (self, m, entry->asserted_id, entry->remote_uri);
  if (r >= 0)
    r = append_numbers (m, entry);
  if (r >= 0 && stored >= 0)
    r = bus_dict_bool (m, "stored", stored);
  return r < 0 ? r : bus_dict_end (m);
}

/* ---- replies ---- */

static int
append_plain (Bus *self, sd_bus_message *reply, gconstpointer entry)
{
  return append_entry (self, reply, entry, -1);
}

static void
on_listed (GPtrArray *entries, const GError *error, gpointer data)
{
  bus_send_items (data, entries, error, append_plain);
}

static void
on_found (GPtrArray *entries, const GError *error, gpointer data)
{
  bus_send_item (data, entries, error, append_plain, "There is no entry of that id");
}

static void
on_done (gboolean kept, const GError *error, gpointer data)
{
  bus_request_finish (data, error);
}

/* ---- methods ---- */

static int
on_list (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  PhoneHistoryFilter filter;
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  guint32 offset, limit;

  if (!bus_page_read (m, FALSE, &filter, &offset, &limit, &error) || !(request = bus_request_new (self->clients, m, &error))
      || !phone_history_list (history_of (self), &filter, offset, limit, on_listed, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_get (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  g_autoptr (GError) error = NULL;
  BusRequest *request;
  const char *id;
  int r = sd_bus_message_read (m, "s", &id);

  if (r < 0)
    return r;
  request = bus_request_new (self->clients, m, &error);
  if (!request || !phone_history_find (history_of (self), id, on_found, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

typedef gboolean (*ChangeFunc) (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);

/* An empty list means all. */
static int
change (sd_bus_message *m, Bus *self, sd_bus_error *ret_error, ChangeFunc func)
{
  g_autoptr (GPtrArray) ids = NULL;
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  int r = bus_ids_read (m, &ids, &error);

  if (r < 0)
    return r;
  if (error || !(request = bus_request_new (self->clients, m, &error))
      || !func (history_of (self), ids ? (const char *const *) ids->pdata : NULL, on_done, request, &error))
    return bus_refuse (ret_error, request, error);
  return 1;
}

static int
on_mark_seen (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return change (m, data, ret_error, phone_history_mark_seen);
}

static int
on_delete (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  return change (m, data, ret_error, phone_history_delete);
}

/* ---- signal and properties ---- */

void
bus_history_emit_added (Bus *self, const PhoneHistoryEntry *entry, gboolean kept)
{
  sd_bus_message *m = NULL;
  int r = sd_bus_message_new_signal (self->bus, &m, PHONE_DBUS_PATH, PHONE_DBUS_HISTORY, "Added");

  if (r >= 0)
    r = bus_append_text (m, entry->id);
  if (r >= 0)
    r = append_entry (self, m, entry, !kept);
  if (r >= 0)
    sd_bus_send (self->bus, m, NULL);
  sd_bus_message_unref (m);
}

BUS_GETTER (get_unseen, Bus, sd_bus_message_append (reply, "u", (guint32) phone_history_get_unseen (history_of (self))))
BUS_GETTER (get_fault, Bus, bus_append_text (reply, phone_history_get_fault (history_of (self))))
BUS_GETTER (get_waiting, Bus, sd_bus_message_append (reply, "u", (guint32) phone_history_get_waiting (history_of (self))))

void
bus_history_changed_properties (guint mask, GPtrArray *ret_names)
{
  if (mask & PHONE_HISTORY_UNSEEN)
    g_ptr_array_add (ret_names, (char *) "Unseen");
  if (mask & PHONE_HISTORY_FAULT)
    {
      g_ptr_array_add (ret_names, (char *) "Fault");
      g_ptr_array_add (ret_names, (char *) "Waiting");
    }
}

#define CHANGES SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE
const sd_bus_vtable bus_history_vtable[] = {
  SD_BUS_VTABLE_START (0),
  SD_BUS_METHOD_WITH_ARGS ("List", SD_BUS_ARGS ("a{sv}", filter, "u", offset, "u", limit), SD_BUS_RESULT ("aa{sv}", entries), on_list,
                           SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Get", SD_BUS_ARGS ("s", id), SD_BUS_RESULT ("a{sv}", entry), on_get, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("MarkSeen", SD_BUS_ARGS ("as", ids), SD_BUS_NO_RESULT, on_mark_seen, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_METHOD_WITH_ARGS ("Delete", SD_BUS_ARGS ("as", ids), SD_BUS_NO_RESULT, on_delete, SD_BUS_VTABLE_UNPRIVILEGED),
  SD_BUS_SIGNAL_WITH_ARGS ("Added", SD_BUS_ARGS ("s", id, "a{sv}", entry), 0),
  SD_BUS_PROPERTY ("Unseen", "u", get_unseen, 0, CHANGES),
  SD_BUS_PROPERTY ("Fault", "s", get_fault, 0, CHANGES),
  SD_BUS_PROPERTY ("Waiting", "u", get_waiting, 0, CHANGES),
  SD_BUS_VTABLE_END,
};
