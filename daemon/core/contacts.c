/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "core/contacts.h"

#include <string.h>

#include "core/history-entry.h"
#include "core/party-index.h"
#include "util/text.h"
#include "util/vcard.h"

#define MAX_NAME 256                    /* characters */
#define MAX_LIST 32                     /* names, groups, numbers of one */
#define CONTACT "contact:"
#define GROUP "group:"

struct _PhoneContact
{
  char *name;                           /* as it is shown */
  GPtrArray *names, *groups;            /* char *: folded */
  GPtrArray *parties;                   /* char *: phone_party_key(), folded */
};

struct _PhoneContacts
{
  int refs;                             /* atomic */
  GPtrArray *all;                       /* PhoneContact */
  PhonePartyIndex *index;               /* of their parties: PhoneContact */
};

static void
contact_free (gpointer data)
{
  PhoneContact *contact = data;

  g_free (contact->name);
  g_ptr_array_unref (contact->names);
  g_ptr_array_unref (contact->groups);
  g_ptr_array_unref (contact->parties);
  g_free (contact);
}

static PhoneContact *
contact_new (void)
{
  PhoneContact *contact = g_new0 (PhoneContact, 1);

  contact->names = g_ptr_array_new_with_free_func (g_free);
  contact->groups = g_ptr_array_new_with_free_func (g_free);
  contact->parties = g_ptr_array_new_with_free_func (g_free);
  return contact;
}

PhoneContacts *
phone_contacts_new (void)
{
  PhoneContacts *contacts = g_new (PhoneContacts, 1);

  contacts->refs = 1;
  contacts->all = g_ptr_array_new_with_free_func (contact_free);
  contacts->index = phone_party_index_new ();
  return contacts;
}

PhoneContacts *
phone_contacts_ref (PhoneContacts *contacts)
{
  g_atomic_int_inc (&contacts->refs);
  return contacts;
}

void
phone_contacts_unref (PhoneContacts *contacts)
{
  if (!contacts || !g_atomic_int_dec_and_test (&contacts->refs))
    return;
  phone_party_index_free (contacts->index);
  g_ptr_array_unref (contacts->all);
  g_free (contacts);
}

guint
phone_contacts_count (const PhoneContacts *contacts)
{
  return contacts ? contacts->all->len : 0;
}

/* ---- reading ---- */

/* How somebody is called, by property; each NULL or what is shown. */
typedef struct
{
  char *formatted, *structured, *nick;
} Names;

static void
names_clear (Names *names)
{
  g_free (names->formatted);
  g_free (names->structured);
  g_free (names->nick);
}

/* ret_shown, which may be NULL, keeps the first. */
static void
add_text (GPtrArray *list, const char *text, char **ret_shown)
{
  g_autofree char *clean = phone_text_clean (text, -1, MAX_NAME);

  if (clean && list->len < MAX_LIST)
    g_ptr_array_add (list, g_utf8_casefold (clean, -1));
  if (clean && ret_shown && !*ret_shown)
    *ret_shown = g_steal_pointer (&clean);
}

static void
add_list (GPtrArray *list, const char *value, char **ret_shown)
{
  g_auto (GStrv) parts = phone_vcard_split (value, ',', MAX_LIST);

  for (gsize i = 0; parts[i]; i++)
    add_text (list, parts[i], ret_shown);
}

/* One text, in which a comma is a comma whether it is escaped or not. */
static void
add_name (GPtrArray *list, const char *value, char **ret_shown)
{
  g_auto (GStrv) parts = phone_vcard_split (value, '\0', 1);

  add_text (list, parts[0], ret_shown);
}

/* Family;Given;...: 2.1 has nothing else. */
static void
take_structured_name (const char *value, char **ret_shown)
{
  g_auto (GStrv) parts = phone_vcard_split (value, ';', 2);
  g_autofree char *name = parts[0] && parts[1] ? g_strdup_printf ("%s %s", parts[1], parts[0]) : g_strdup (parts[0]);

  g_free (*ret_shown);
  *ret_shown = name ? phone_text_clean (name, -1, MAX_NAME) : NULL;
}

/* A number without all that people put between its digits; anything else as it is. */
static void
strip_marks (char *text)
{
  char *out = text;

  for (const char *p = text; *p; p++)
    if (g_ascii_isalpha (*p) || *p == '@')
      return;
  for (const char *p = text; *p; p++)
    if (strchr ("+0123456789*#", *p))
      *out++ = *p;
  *out = '\0';
}

static void
add_party (PhoneContact *contact, const char *value)
{
  g_auto (GStrv) parts = phone_vcard_split (value, '\0', 1);
  g_autofree char *key = NULL;

  g_strstrip (parts[0]);
  strip_marks (parts[0]);
  key = phone_party_key (parts[0]);

  if (*key && contact->parties->len < MAX_LIST)
    g_ptr_array_add (contact->parties, g_utf8_casefold (key, -1));
}

/* Of IMPP only what is called: xmpp: and its like are other worlds. */
static void
add_address (PhoneContact *contact, const char *value)
{
  if (g_ascii_strncasecmp (value, "sip:", 4) == 0 || g_ascii_strncasecmp (value, "sips:", 5) == 0 || g_ascii_strncasecmp (value, "tel:", 4) == 0)
    add_party (contact, value);
}

static void
take_property (PhoneContact *contact, const char *name, const char *value, Names *names)
{
  if (g_str_equal (name, "FN"))
    add_name (contact->names, value, &names->formatted);
  else if (g_str_equal (name, "NICKNAME"))
    add_list (contact->names, value, &names->nick);
  else if (g_str_equal (name, "N"))
    take_structured_name (value, &names->structured);
  else if (g_str_equal (name, "CATEGORIES"))
    add_list (contact->groups, value, NULL);
  else if (g_str_equal (name, "TEL") || g_str_equal (name, "X-SIP"))
    add_party (contact, value);
  else if (g_str_equal (name, "IMPP"))
    add_address (contact, value);
}

static gboolean
refuse (GError **error, guint line, const char *why)
{
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "line %u: %s", line, why);
  return FALSE;
}

static void
add_contact (PhoneContacts *contacts, PhoneContact *contact)
{
  g_ptr_array_add (contacts->all, contact);
  for (guint i = 0; i < contact->parties->len; i++)
    phone_party_index_add (contacts->index, contact->parties->pdata[i], contact);
}

/* The card from behind its BEGIN to its END. In one of 2.1 another may stand (AGENT): that is somebody else. */
static gboolean
read_card (PhoneContacts *contacts, PhoneVcardReader *reader, GError **error)
{
  PhoneContact *contact = contact_new ();
  Names names = { 0 };
  guint begin = reader->line, depth = 1;

  while (depth > 0 && phone_vcard_reader_next (reader))
    if (g_str_equal (reader->name, "BEGIN"))
      depth++;
    else if (g_str_equal (reader->name, "END"))
      depth--;
    else if (depth == 1)
      take_property (contact, reader->name, reader->value, &names);
  if (contact->names->len == 0 && names.structured)
    add_text (contact->names, names.structured, NULL);
  contact->name = g_strdup (names.formatted ? names.formatted : names.structured ? names.structured : names.nick);
  names_clear (&names);
  if (depth == 0 && contact->names->len > 0 && contact->parties->len > 0)
    add_contact (contacts, contact);
  else
    contact_free (contact);
  return depth == 0 || refuse (error, begin, "the vCard that begins here has no end");
}

gboolean
phone_contacts_add (PhoneContacts *contacts, const char *text, gsize length, GError **error)
{
  PhoneVcardReader reader;
  gboolean ok = TRUE, found = FALSE;

  phone_vcard_reader_init (&reader, text, length);
  while (ok && phone_vcard_reader_next (&reader))
    {
      if (!g_str_equal (reader.name, "BEGIN") || g_ascii_strcasecmp (reader.value, "VCARD") != 0)
        continue;
      found = TRUE;
      ok = contacts->all->len < PHONE_CONTACTS_MAX ? read_card (contacts, &reader, error) : refuse (error, reader.line, "too many contacts");
    }
  if (ok && !found)
    ok = refuse (error, 1, "there is no vCard in it");
  phone_vcard_reader_clear (&reader);
  return ok;
}

/* ---- items ---- */

static gboolean
has_prefix (const char *item, const char *prefix)
{
  return g_ascii_strncasecmp (item, prefix, strlen (prefix)) == 0;
}

gboolean
phone_contacts_is_item (const char *item)
{
  return has_prefix (item, CONTACT) || has_prefix (item, GROUP);
}

/* An item made ready, and what it is compared with. */
static char *
fold_item (const char *item, gboolean *ret_group)
{
  *ret_group = has_prefix (item, GROUP);
  return g_utf8_casefold (item + (*ret_group ? strlen (GROUP) : strlen (CONTACT)), -1);
}

static gboolean
is_named (const PhoneContact *contact, const char *pattern, gboolean group)
{
  const GPtrArray *texts = group ? contact->groups : contact->names;

  for (guint i = 0; i < texts->len; i++)
    if (g_pattern_match_simple (pattern, texts->pdata[i]))
      return TRUE;
  return FALSE;
}

gboolean
phone_contacts_knows (const PhoneContacts *contacts, const char *item)
{
  gboolean group;
  g_autofree char *pattern = phone_contacts_is_item (item) ? fold_item (item, &group) : NULL;

  for (guint i = 0; pattern && contacts && i < contacts->all->len; i++)
    if (is_named (contacts->all->pdata[i], pattern, group))
      return TRUE;
  return FALSE;
}

static gboolean
is_named_by (const PhoneContact *contact, const char *const *items)
{
  for (gsize i = 0; items[i]; i++)
    {
      gboolean group;
      g_autofree char *pattern = phone_contacts_is_item (items[i]) ? fold_item (items[i], &group) : NULL;

      if (pattern && is_named (contact, pattern, group))
        return TRUE;
    }
  return FALSE;
}

/* ---- who is it ---- */

static char *
fold_party (const char *uri)
{
  g_autofree char *key = phone_party_key (uri);

  return g_utf8_casefold (key, -1);
}

typedef struct
{
  const char *const *items;
  gboolean listed;
} Listing;

static gboolean
on_listed (const char *known, gpointer value, gboolean same, gpointer data)
{
  Listing *listing = data;

  listing->listed = is_named_by (value, listing->items);
  return !listing->listed;
}

gboolean
phone_contacts_list (const PhoneContacts *contacts, const char *const *items, const char *uri)
{
  g_autofree char *caller = fold_party (uri);
  Listing listing = { .items = items };

  if (contacts)
    phone_party_index_find (contacts->index, caller, on_listed, &listing);
  return listing.listed;
}

typedef struct
{
  const PhoneContact *contact;
  const char *known;
  gboolean doubtful;
} Naming;

/* Two numbers of different countries may be alike to a caller without one: no name is better than that of somebody else. */
static gboolean
on_named (const char *known, gpointer value, gboolean same, gpointer data)
{
  Naming *naming = data;

  naming->doubtful = naming->contact && naming->contact != value && strcmp (naming->known, known) != 0;
  if (!naming->contact)
    {
      naming->contact = value;
      naming->known = known;
    }
  return !same && !naming->doubtful;
}

const PhoneContact *
phone_contacts_find (const PhoneContacts *contacts, const char *uri)
{
  g_autofree char *caller = fold_party (uri);
  Naming naming = { 0 };

  if (contacts)
    phone_party_index_find (contacts->index, caller, on_named, &naming);
  return naming.doubtful ? NULL : naming.contact;
}

const char *
phone_contacts_name (const PhoneContacts *contacts, const char *uri)
{
  const PhoneContact *contact = phone_contacts_find (contacts, uri);

  return contact ? contact->name : "";
}

static gboolean
is_called (const PhoneContact *contact, const char *part)
{
  for (guint i = 0; i < contact->names->len; i++)
    if (strstr (contact->names->pdata[i], part))
      return TRUE;
  return FALSE;
}

void
phone_contacts_each_called (const PhoneContacts *contacts, const char *text, PhoneContactsCalled called, gpointer data)
{
  g_autofree char *part = g_utf8_casefold (text, -1);

  for (guint i = 0; contacts && i < contacts->all->len; i++)
    if (is_called (contacts->all->pdata[i], part))
      called (contacts->all->pdata[i], ((PhoneContact *) contacts->all->pdata[i])->parties, data);
}
