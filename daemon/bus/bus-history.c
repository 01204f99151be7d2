/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.phoned.Phone1.History. The archive answers later, so every method parks its message. */

#include "bus/bus-options.h"
#include "bus/bus-private.h"

#include <string.h>

#define MAX_ID 64

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
  return r < 0 ? r : bus_dict_bool (m, "seen", entry->seen);
}

static int
append_entry (sd_bus_message *m, const PhoneHistoryEntry *entry, int stored)
{
  int r = bus_dict_begin (m);

  if (r >= 0)
    r = append_texts (m, entry);
  if (r >= 0)
    r = append_numbers (m, entry);
  if (r >= 0 && stored >= 0)
    r = bus_dict_bool (m, "stored", stored);
  return r < 0 ? r : bus_dict_end (m);
}

/* ---- replies ---- */

static void
on_listed (GPtrArray *entries, const GError *error, gpointer data)
{
  BusRequest *request = data;
  sd_bus_message *reply = error ? NULL : bus_request_new_reply (request);
  int r = reply ? sd_bus_message_open_container (reply, 'a', "a{sv}") : 0;

  for (guint i = 0; reply && r >= 0 && i < entries->len; i++)
    r = append_entry (reply, entries->pdata[i], -1);
  if (reply && r >= 0)
    r = sd_bus_message_close_container (reply);
  bus_request_send (request, r < 0 ? NULL : reply, error);
  sd_bus_message_unref (reply);
}

static void
on_found (GPtrArray *entries, const GError *error, gpointer data)
{
  BusRequest *request = data;
  sd_bus_message *reply = !error && entries->len ? bus_request_new_reply (request) : NULL;
  g_autoptr (GError) none = NULL;

  if (reply && append_entry (reply, entries->pdata[0], -1) < 0)
    reply = sd_bus_message_unref (reply);
  if (!error && !entries->len)
    none = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "There is no entry of that id");
  bus_request_send (request, reply, error ? error : none);
  sd_bus_message_unref (reply);
}

static void
on_done (gboolean kept, const GError *error, gpointer data)
{
  bus_request_finish (data, error);
}

/* ---- methods ---- */

static int
refuse_history (sd_bus_error *ret_error, BusRequest *request, const GError *error)
{
  if (!request)
    return bus_error_set (ret_error, error);
  bus_request_finish (request, error);
  return 1;
}

/* -1 for "", else the place in the list of words; FALSE: another word. */
static gboolean
read_word (const char *key, const char *word, const char *const *words, int *ret_place, GError **error)
{
  g_autofree char *list = NULL;

  *ret_place = -1;
  if (!*word)
    return TRUE;
  for (int i = 0; words[i]; i++)
    if (g_str_equal (words[i], word))
      {
        *ret_place = i;
        return TRUE;
      }
  list = g_strjoinv (", ", (char **) words);
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Option '%s' is one of %s", key, list);
  return FALSE;
}

static gboolean
read_filter (sd_bus_message *m, PhoneHistoryFilter *filter, guint32 *ret_offset, guint32 *ret_limit, GError **error)
{
  static const char *const directions[] = { "outgoing", "incoming", NULL };
  static const char *outcomes[phone_outcome_n_values + 1], *kinds[phone_entry_kind_n_values + 1];
  const char *direction = "", *outcome = "", *kind = "";
  guint64 since = 0, until = 0;
  int seen = -1;
  const BusOption known[] = {
    { "account", "s", &filter->account }, { "party", "s", &filter->party }, { "text", "s", &filter->text },
    { "before", "s", &filter->before },   { "direction", "s", &direction }, { "outcome", "s", &outcome },
    { "since", "t", &since },             { "until", "t", &until },         { "seen", "b", &seen },
    { "kind", "s", &kind },
  };

  for (int i = 0; i < phone_outcome_n_values; i++)
    outcomes[i] = phone_outcome_to_string ((PhoneOutcome) i);
  for (int i = 0; i < phone_entry_kind_n_values; i++)
    kinds[i] = phone_entry_kind_to_string ((PhoneEntryKind) i);
  if (!bus_options_read (m, known, G_N_ELEMENTS (known), error)
      || !read_word ("direction", direction, directions, &filter->incoming, error)
      || !read_word ("kind", kind, kinds, &filter->kind, error)
      || !read_word ("outcome", outcome, outcomes, &filter->outcome, error))
    return FALSE;
  filter->since = (gint64) MIN (since, (guint64) G_MAXINT64);
  filter->until = (gint64) MIN (until, (guint64) G_MAXINT64);
  filter->seen = seen;
  if (sd_bus_message_read (m, "uu", ret_offset, ret_limit) >= 0)
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Offset and limit cannot be read");
  return FALSE;
}

static int
on_list (sd_bus_message *m, void *data, sd_bus_error *ret_error)
{
  Bus *self = data;
  PhoneHistoryFilter filter = PHONE_HISTORY_FILTER_ANY;
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  guint32 offset, limit;

  if (!read_filter (m, &filter, &offset, &limit, &error) || !(request = bus_request_new (self->clients, m, &error))
      || !phone_history_list (history_of (self), &filter, offset, limit, on_listed, request, &error))
    return refuse_history (ret_error, request, error);
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
    return refuse_history (ret_error, request, error);
  return 1;
}

typedef gboolean (*ChangeFunc) (PhoneHistory *history, const char *const *ids, PhoneArchiveDone done, gpointer data, GError **error);

/* An empty list means all. */
static int
change (sd_bus_message *m, Bus *self, sd_bus_error *ret_error, ChangeFunc func)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  BusRequest *request = NULL;
  const char *id;
  int r = sd_bus_message_enter_container (m, 'a', "s");

  while (r >= 0 && (r = sd_bus_message_read_basic (m, 's', &id)) > 0)
    {
      if (strlen (id) > MAX_ID && !error)
        g_set_error (&error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "An id is longer than %d octets", MAX_ID);
      g_ptr_array_add (ids, (gpointer) id);
    }
  if (r < 0)
    return r;
  g_ptr_array_add (ids, NULL);
  if (error || !(request = bus_request_new (self->clients, m, &error))
      || !func (history_of (self), ids->len > 1 ? (const char *const *) ids->pdata : NULL, on_done, request, &error))
    return refuse_history (ret_error, request, error);
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
    r = append_entry (m, entry, !kept);
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
