/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bus/bus-page.h"

#include <string.h>

#include "bus/bus-options.h"

#define MAX_ID 64

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
read_words (const char *direction, const char *outcome, const char *kind, const char *status, PhoneHistoryFilter *filter, GError **error)
{
  static const char *const directions[] = { "outgoing", "incoming", NULL };
  static const char *outcomes[phone_outcome_n_values + 1], *kinds[phone_entry_kind_n_values + 1];
  static const char *states[phone_message_state_n_values + 1];

  for (int i = 0; i < phone_outcome_n_values; i++)
    outcomes[i] = phone_outcome_to_string ((PhoneOutcome) i);
  for (int i = 0; i < phone_entry_kind_n_values; i++)
    kinds[i] = phone_entry_kind_to_string ((PhoneEntryKind) i);
  for (int i = 0; i < phone_message_state_n_values; i++)
    states[i] = phone_message_state_to_string ((PhoneMessageState) i);
  return read_word ("direction", direction, directions, &filter->incoming, error)
         && read_word ("kind", kind, kinds, &filter->kind, error) && read_word ("outcome", outcome, outcomes, &filter->outcome, error)
         && read_word ("status", status, states, &filter->state, error);
}

gboolean
bus_page_read (sd_bus_message *m, gboolean of_messages, PhoneHistoryFilter *filter, guint32 *ret_offset, guint32 *ret_limit, GError **error)
{
  const char *direction = "", *outcome = "", *kind = "", *status = "";
  guint64 since = 0, until = 0;
  /* Those of either kind of list stand at the end. */
  const BusOption known[] = {
    { "account", "s", &filter->account },
    { "party", "s", &filter->party },
    { "text", "s", &filter->text },
    { "before", "s", &filter->before },
    { "direction", "s", &direction },
    { "since", "t", &since },
    { "until", "t", &until },
    { of_messages ? "read" : "seen", "b", &filter->seen },
    { of_messages ? "status" : "outcome", "s", of_messages ? &status : &outcome },
    { "kind", "s", &kind },
  };

  *filter = (PhoneHistoryFilter) PHONE_HISTORY_FILTER_ANY;
  if (!bus_options_read (m, known, G_N_ELEMENTS (known) - (of_messages ? 1 : 0), error)
      || !read_words (direction, outcome, kind, status, filter, error))
    return FALSE;
  filter->since = (gint64) MIN (since, (guint64) G_MAXINT64);
  filter->until = (gint64) MIN (until, (guint64) G_MAXINT64);
  if (sd_bus_message_read (m, "uu", ret_offset, ret_limit) >= 0)
    return TRUE;
  g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "Offset and limit cannot be read");
  return FALSE;
}

int
bus_ids_read (sd_bus_message *m, GPtrArray **ret_ids, GError **error)
{
  g_autoptr (GPtrArray) ids = g_ptr_array_new ();
  const char *id;
  int r = sd_bus_message_enter_container (m, 'a', "s");

  *ret_ids = NULL;
  while (r >= 0 && (r = sd_bus_message_read_basic (m, 's', &id)) > 0)
    {
      if (strlen (id) > MAX_ID && error && !*error)
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "An id is longer than %d octets", MAX_ID);
      g_ptr_array_add (ids, (gpointer) id);
    }
  if (r < 0)
    return r;
  if (ids->len)
    {
      g_ptr_array_add (ids, NULL);
      *ret_ids = g_steal_pointer (&ids);
    }
  return 0;
}

int
bus_refuse (sd_bus_error *ret_error, BusRequest *request, const GError *error)
{
  if (!request)
    return bus_error_set (ret_error, error);
  bus_request_finish (request, error);
  return 1;
}

void
bus_send_items (BusRequest *request, GPtrArray *items, const GError *error, BusAppendItem append)
{
  sd_bus_message *reply = error ? NULL : bus_request_new_reply (request);
  int r = reply ? sd_bus_message_open_container (reply, 'a', "a{sv}") : 0;

  for (guint i = 0; reply && r >= 0 && i < items->len; i++)
    r = append (bus_request_get_data (request), reply, items->pdata[i]);
  if (reply && r >= 0)
    r = sd_bus_message_close_container (reply);
  bus_request_send (request, r < 0 ? NULL : reply, error);
  sd_bus_message_unref (reply);
}

void
bus_send_item (BusRequest *request, GPtrArray *items, const GError *error, BusAppendItem append, const char *nothing)
{
  sd_bus_message *reply = !error && items->len ? bus_request_new_reply (request) : NULL;
  g_autoptr (GError) none = NULL;

  if (reply && append (bus_request_get_data (request), reply, items->pdata[0]) < 0)
    reply = sd_bus_message_unref (reply);
  if (!error && !items->len)
    none = g_error_new_literal (PHONE_ERROR, PHONE_ERROR_NO_SUCH_ENTRY, nothing);
  bus_request_send (request, reply, error ? error : none);
  sd_bus_message_unref (reply);
}

int
bus_dict_contact (Bus *bus, sd_bus_message *m, const char *asserted_id, const char *uri)
{
  return bus_dict_text (m, "contact-name", phone_registry_name_party (bus->registry, asserted_id, uri));
}
