/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/history-entry.h"

#include <math.h>
#include <string.h>

#include "util/phone-uri.h"
#include "util/text.h"

#define MAX_PARTY 256
#define MIN_PUBLIC_DIGITS 7             /* shorter numbers mean something only within one exchange */

static const gsize texts[] = {
  G_STRUCT_OFFSET (PhoneHistoryEntry, id),          G_STRUCT_OFFSET (PhoneHistoryEntry, account),
  G_STRUCT_OFFSET (PhoneHistoryEntry, remote_uri),  G_STRUCT_OFFSET (PhoneHistoryEntry, remote_name),
  G_STRUCT_OFFSET (PhoneHistoryEntry, asserted_id), G_STRUCT_OFFSET (PhoneHistoryEntry, diverter),
  G_STRUCT_OFFSET (PhoneHistoryEntry, party),       G_STRUCT_OFFSET (PhoneHistoryEntry, phrase),
  G_STRUCT_OFFSET (PhoneHistoryEntry, refused_by),  G_STRUCT_OFFSET (PhoneHistoryEntry, codec),
  G_STRUCT_OFFSET (PhoneHistoryEntry, keying),      G_STRUCT_OFFSET (PhoneHistoryEntry, suite),
  G_STRUCT_OFFSET (PhoneHistoryEntry, text),        G_STRUCT_OFFSET (PhoneHistoryEntry, rate_reason),
};

PhoneHistoryEntry *
phone_history_entry_new (void)
{
  PhoneHistoryEntry *entry = g_new0 (PhoneHistoryEntry, 1);

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    G_STRUCT_MEMBER (char *, entry, texts[i]) = g_strdup ("");
  entry->loss_local = entry->loss_remote = entry->jitter_local = entry->jitter_remote = entry->round_trip = entry->mos = NAN;
  for (gsize i = 0; i < PHONE_MEASURES; i++)
    entry->measures[i] = NAN;
  return entry;
}

PhoneHistoryEntry *
phone_history_entry_copy (const PhoneHistoryEntry *entry)
{
  PhoneHistoryEntry *copy = g_new (PhoneHistoryEntry, 1);

  *copy = *entry;
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    G_STRUCT_MEMBER (char *, copy, texts[i]) = g_strdup (G_STRUCT_MEMBER (char *, entry, texts[i]));
  return copy;
}

void
phone_history_entry_free (PhoneHistoryEntry *entry)
{
  if (!entry)
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    g_free (G_STRUCT_MEMBER (char *, entry, texts[i]));
  g_free (entry);
}

void
phone_text_take (char **where, const char *text)
{
  char *copy = g_strdup (text ? text : "");

  g_free (*where);
  *where = copy;
}

char *
phone_history_cut_text (const char *body)
{
  return g_utf8_strlen (body, -1) > PHONE_HISTORY_TEXT ? g_utf8_substring (body, 0, PHONE_HISTORY_TEXT) : g_strdup (body);
}

/* "+49 (30) 1-2.3" -> "+4930123"; NULL if there is anything but a number in it. */
static char *
bare_number (const char *user)
{
  g_autoptr (GString) number = g_string_new (NULL);

  for (const char *p = user; *p; p++)
    {
      if (g_ascii_isdigit (*p) || *p == '*' || *p == '#' || (*p == '+' && p == user))
        g_string_append_c (number, *p);
      else if (!strchr ("-.() ", *p))
        return NULL;
    }
  return number->len > (user[0] == '+') ? g_string_free (g_steal_pointer (&number), FALSE) : NULL;
}

char *
phone_party_key (const char *text)
{
  g_autoptr (PhoneUri) uri = phone_uri_parse (text ? text : "", NULL);
  g_autofree char *user = uri ? phone_uri_dup_user (uri) : NULL;
  g_autofree char *clean = NULL;
  char *number = NULL;

  if (!uri)
    {
      clean = text ? phone_text_clean (text, -1, MAX_PARTY) : NULL;
      number = clean ? bare_number (clean) : NULL;
      return number ? number : g_strdup (clean ? clean : "");
    }
  if (user)
    number = bare_number (user);
  if (number && (!uri->host || number[0] == '+' || strlen (number) >= MIN_PUBLIC_DIGITS))
    return number;
  if (!uri->host)
    return g_strdup (user ? user : "");
  if (number)
    {
      g_free (user);
      user = number;
    }
  return user ? g_strdup_printf ("%s@%s", user, uri->host) : g_strdup (uri->host);
}

gboolean
phone_page_check (const char *what, guint offset, guint limit, guint max_limit, GError **error)
{
  if (limit == 0 || limit > max_limit)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "A page has 1 to %u %s, not %u", max_limit, what, limit);
  else if (offset > PHONE_HISTORY_MAX_OFFSET)
    g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "An offset leaves out at most %u %s, not %u; further back one pages by 'before'",
                 PHONE_HISTORY_MAX_OFFSET, what, offset);
  else
    return TRUE;
  return FALSE;
}
