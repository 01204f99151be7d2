/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* vCards from anywhere: there are never more people than cards begin, and nobody is called what is not UTF-8. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/contacts.h"
#include "util/vcard.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static const char *const items[] = { "contact:*", "group:*", NULL };
  g_autoptr (PhoneContacts) contacts = phone_contacts_new ();
  g_autoptr (GError) error = NULL;
  g_autofree char *item = NULL;
  PhoneVcardReader reader;
  const char *name;
  guint begun = 0, line = 0;

  g_assert_true (phone_contacts_add (contacts, (const char *) data, size, &error) == (error == NULL));
  phone_vcard_reader_init (&reader, (const char *) data, size);
  while (phone_vcard_reader_next (&reader))
    {
      g_assert_cmpuint (reader.line, >, line);
      line = reader.line;
      g_assert_true (g_utf8_validate (reader.value, -1, NULL));
      begun += g_str_equal (reader.name, "BEGIN");
    }
  phone_vcard_reader_clear (&reader);
  g_assert_cmpuint (phone_contacts_count (contacts), <=, begun);
  phone_contacts_list (contacts, items, "sip:+49301234567@example.org");
  name = phone_contacts_name (contacts, "sip:+49301234567@example.org");
  g_assert_true (g_utf8_validate (name, -1, NULL));
  /* Whoever is named is somebody whom a list can name. */
  item = g_strdup_printf ("contact:%s", name);
  if (*name && !strpbrk (name, "*?"))
    g_assert_true (phone_contacts_knows (contacts, item));
  return 0;
}
