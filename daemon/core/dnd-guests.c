/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/dnd-guests.h"

#include <string.h>

#include "core/history-entry.h"
#include "core/number-list.h"
#include "util/text.h"

#define MAX_CALLERS 64
#define SHOWN 80                        /* characters of an item in an error */

typedef struct
{
  char *party;
  gint64 at;
} Caller;

static void
caller_free (gpointer data)
{
  g_free (((Caller *) data)->party);
  g_free (data);
}

void
phone_dnd_guests_init (PhoneDndGuests *guests)
{
  *guests = (PhoneDndGuests){ .items = g_new0 (char *, 1) };
  g_queue_init (&guests->callers);
}

void
phone_dnd_guests_clear (PhoneDndGuests *guests)
{
  g_queue_clear_full (&guests->callers, caller_free);
  g_clear_pointer (&guests->items, g_strfreev);
  g_clear_pointer (&guests->numbers, g_free);
}

/* ---- the list ---- */

/* NULL: there are no numbers, or there is a fault in one of them. */
static char *
join_numbers (const char *const *items, GError **error)
{
  g_autoptr (GStrvBuilder) numbers = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;
  g_autofree char *joined = NULL;

  for (gsize i = 0; items && items[i]; i++)
    if (!phone_contacts_is_item (items[i]))
      g_strv_builder_add (numbers, items[i]);
  list = g_strv_builder_end (numbers);
  joined = list[0] ? g_strjoinv (",", list) : NULL;
  return joined ? phone_number_list_check (joined, error) : NULL;
}

static gboolean
check_contact (const PhoneDndGuests *guests, const char *item, GError **error)
{
  g_autofree char *shown = phone_text_clean (item, -1, SHOWN);

  if (strlen (item) > PHONE_CONTACTS_MAX_ITEM || !phone_text_is_clean (item))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is no name", shown ? shown : "");
  else if (!g_strv_contains ((const char *const *) guests->items, item) && !phone_contacts_knows (guests->contacts, item))
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "\"%s\" is none of the %u contacts", shown ? shown : "",
                 phone_contacts_count (guests->contacts));
  else
    return TRUE;
  return FALSE;
}

gboolean
phone_dnd_guests_check (const PhoneDndGuests *guests, const char *const *items, GError **error)
{
  g_autofree char *numbers = NULL;
  GError *local = NULL;

  for (gsize i = 0; items && items[i] && !local; i++)
    if (i >= PHONE_DND_MAX_ALLOWED)
      g_set_error (&local, PHONE_ERROR, PHONE_ERROR_TOO_MANY, "More than %d numbers", PHONE_DND_MAX_ALLOWED);
    else if (phone_contacts_is_item (items[i]))
      check_contact (guests, items[i], &local);
    else if (strchr (items[i], ','))
      g_set_error_literal (&local, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "One number or address for each item, without a comma");
  if (!local)
    numbers = join_numbers (items, &local);
  if (local)
    g_propagate_error (error, local);
  return !local;
}

void
phone_dnd_guests_set (PhoneDndGuests *guests, const char *const *items)
{
  char **copy = items ? g_strdupv ((char **) items) : g_new0 (char *, 1);

  g_strfreev (guests->items);
  guests->items = copy;
  g_free (guests->numbers);
  guests->numbers = join_numbers (items, NULL);
}

void
phone_dnd_guests_set_contacts (PhoneDndGuests *guests, const PhoneContacts *contacts)
{
  guests->contacts = contacts;
}

/* ---- who calls ---- */

gboolean
phone_dnd_guests_has (const PhoneDndGuests *guests, const char *uri)
{
  return uri && *uri
         && (phone_number_list_matches (guests->numbers, uri)
             || phone_contacts_list (guests->contacts, (const char *const *) guests->items, uri));
}

/* As RFC 3323 section 4.1.1.3 has it, and as providers that keep their own name do. */
static gboolean
is_withheld (const char *party)
{
  return g_ascii_strncasecmp (party, "anonymous", strlen ("anonymous")) == 0 && strchr ("@", party[strlen ("anonymous")]);
}

gboolean
phone_dnd_guests_note_caller (PhoneDndGuests *guests, const char *uri, gint64 now, guint minutes)
{
  g_autofree char *party = phone_party_key (uri);
  gboolean again = FALSE;
  Caller *caller;

  /* Nobody knows whether it is the same one. */
  if (is_withheld (party))
    return FALSE;
  for (GList *l = guests->callers.head; l && !again; l = l->next)
    {
      caller = l->data;
      again = strcmp (caller->party, party) == 0 && now >= caller->at && now - caller->at <= (gint64) minutes * 60;
    }
  caller = g_new0 (Caller, 1);
  caller->party = g_steal_pointer (&party);
  caller->at = now;
  g_queue_push_head (&guests->callers, caller);
  if (guests->callers.length > MAX_CALLERS)
    caller_free (g_queue_pop_tail (&guests->callers));
  return again;
}
