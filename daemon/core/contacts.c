/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Address books have numbers as people wrote them. "030 1234567" and "+49 30 1234567" are taken to be the same: without knowing the country of
 * whoever wrote it, a number without one is compared from its end. */

#include "core/contacts.h"

#include <string.h>

#include "core/history-entry.h"
#include "util/text.h"
#include "util/vcard.h"

#define MAX_NAME 256                    /* characters */
#define MAX_LIST 32                     /* names, groups, numbers of one */
#define CONTACT "contact:"
#define GROUP "group:"
#define MIN_TAIL 7                      /* digits of a number that may be compared from its end */
#define MAX_COUNTRY 3                   /* digits of a country code */

typedef struct
{
  GPtrArray *names, *groups;            /* char *: folded */
  GPtrArray *parties;                   /* char *: phone_party_key(), folded */
} Contact;

struct _PhoneContacts
{
  GPtrArray *all;                       /* Contact */
};

static void
contact_free (gpointer data)
{
  Contact *contact = data;

  g_ptr_array_unref (contact->names);
  g_ptr_array_unref (contact->groups);
  g_ptr_array_unref (contact->parties);
  g_free (contact);
}

static Contact *
contact_new (void)
{
  Contact *contact = g_new (Contact, 1);

  contact->names = g_ptr_array_new_with_free_func (g_free);
  contact->groups = g_ptr_array_new_with_free_func (g_free);
  contact->parties = g_ptr_array_new_with_free_func (g_free);
  return contact;
}

PhoneContacts *
phone_contacts_new (void)
{
  PhoneContacts *contacts = g_new (PhoneContacts, 1);

  contacts->all = g_ptr_array_new_with_free_func (contact_free);
  return contacts;
}

void
phone_contacts_free (PhoneContacts *contacts)
{
  if (!contacts)
    return;
  g_ptr_array_unref (contacts->all);
  g_free (contacts);
}

guint
phone_contacts_count (const PhoneContacts *contacts)
{
  return contacts ? contacts->all->len : 0;
}

/* ---- reading ---- */

static void
add_text (GPtrArray *list, const char *text)
{
  g_autofree char *clean = phone_text_clean (text, -1, MAX_NAME);

  if (clean && list->len < MAX_LIST)
    g_ptr_array_add (list, g_utf8_casefold (clean, -1));
}

static void
add_list (GPtrArray *list, const char *value)
{
  g_auto (GStrv) parts = phone_vcard_split (value, ',', MAX_LIST);

  for (gsize i = 0; parts[i]; i++)
    add_text (list, parts[i]);
}

/* One text, in which a comma is a comma whether it is escaped or not. */
static void
add_name (GPtrArray *list, const char *value)
{
  g_auto (GStrv) parts = phone_vcard_split (value, '\0', 1);

  add_text (list, parts[0]);
}

/* Family;Given;...: 2.1 has nothing else. */
static void
add_structured_name (GPtrArray *list, const char *value)
{
  g_auto (GStrv) parts = phone_vcard_split (value, ';', 2);
  g_autofree char *name = parts[0] && parts[1] ? g_strdup_printf ("%s %s", parts[1], parts[0]) : g_strdup (parts[0]);

  add_text (list, name);
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
add_party (Contact *contact, const char *value)
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
add_address (Contact *contact, const char *value)
{
  if (g_ascii_strncasecmp (value, "sip:", 4) == 0 || g_ascii_strncasecmp (value, "sips:", 5) == 0 || g_ascii_strncasecmp (value, "tel:", 4) == 0)
    add_party (contact, value);
}

static void
take_property (Contact *contact, const char *name, const char *value, char **structured_name)
{
  if (g_str_equal (name, "FN"))
    add_name (contact->names, value);
  else if (g_str_equal (name, "NICKNAME"))
    add_list (contact->names, value);
  else if (g_str_equal (name, "N"))
    phone_text_take (structured_name, value);
  else if (g_str_equal (name, "CATEGORIES"))
    add_list (contact->groups, value);
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

/* The card from behind its BEGIN to its END. In one of 2.1 another may stand (AGENT): that is somebody else. */
static gboolean
read_card (PhoneContacts *contacts, PhoneVcardReader *reader, GError **error)
{
  Contact *contact = contact_new ();
  g_autofree char *structured_name = g_strdup ("");
  guint begin = reader->line, depth = 1;

  while (depth > 0 && phone_vcard_reader_next (reader))
    if (g_str_equal (reader->name, "BEGIN"))
      depth++;
    else if (g_str_equal (reader->name, "END"))
      depth--;
    else if (depth == 1)
      take_property (contact, reader->name, reader->value, &structured_name);
  if (contact->names->len == 0)
    add_structured_name (contact->names, structured_name);
  if (depth == 0 && contact->names->len > 0 && contact->parties->len > 0)
    g_ptr_array_add (contacts->all, contact);
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

/* ---- who is it ---- */

static gboolean
is_number (const char *text, gsize length)
{
  gsize plus = *text == '+';

  return length > plus && strspn (text + plus, "0123456789") >= length - plus;
}

/* One with its country. */
static gboolean
is_whole (const char *number)
{
  return g_str_has_prefix (number, "+") || g_str_has_prefix (number, "00");
}

/* Without what stands before a number within a country or abroad. */
static const char *
skip_prefix (const char *number, gsize *length)
{
  for (; *length && (*number == '+' || *number == '0'); (*length)--)
    number++;
  return number;
}

/* "+49301234567" and "0301234567": the country of the second is not known, and so its end has to do. */
static gboolean
is_same_number (const char *a, gsize a_length, const char *b, gsize b_length)
{
  gsize n = a_length, m = b_length, tail, more;
  const char *x = skip_prefix (a, &n), *y = skip_prefix (b, &m);

  tail = MIN (n, m);
  more = MAX (n, m) - tail;
  if (tail < MIN_TAIL)
    return a_length == b_length && strncmp (a, b, a_length) == 0;
  if (more && (is_whole (a) == is_whole (b) || is_whole (n > m ? b : a) || more > MAX_COUNTRY))
    return FALSE;
  return strncmp (x + n - tail, y + m - tail, tail) == 0;
}

/* Both folded. A number in an address book says nothing of a host; the extension of an office is one of a few digits. */
static gboolean
is_same_party (const char *known, const char *caller)
{
  gsize user = strcspn (caller, "@");

  return g_str_equal (known, caller)
         || (is_number (known, strlen (known)) && is_number (caller, user) && is_same_number (known, strlen (known), caller, user));
}

static gboolean
has_party (const Contact *contact, const char *caller)
{
  for (guint i = 0; i < contact->parties->len; i++)
    if (is_same_party (contact->parties->pdata[i], caller))
      return TRUE;
  return FALSE;
}

/* ---- items ---- */

static gboolean
has_prefix (const char *item, const char *prefix)
{
  return g_ascii_strncasecmp (item, prefix, strlen (prefix)) == 0 && item[strlen (prefix)] != '\0';
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
is_named (const Contact *contact, const char *pattern, gboolean group)
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
is_named_by (const Contact *contact, const char *const *items)
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

gboolean
phone_contacts_name (const PhoneContacts *contacts, const char *const *items, const char *uri)
{
  g_autofree char *key = phone_party_key (uri);
  g_autofree char *caller = g_utf8_casefold (key, -1);

  for (guint i = 0; contacts && i < contacts->all->len; i++)
    if (has_party (contacts->all->pdata[i], caller) && is_named_by (contacts->all->pdata[i], items))
      return TRUE;
  return FALSE;
}
