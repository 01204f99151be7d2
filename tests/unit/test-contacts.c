/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The address book: vCards of three versions as programs write them, and who is meant by an item of the allow list. */

#include <string.h>

#include "core/contact-search.h"

#define CARD(lines) "BEGIN:VCARD\r\nVERSION:3.0\r\n" lines "END:VCARD\r\n"

/* Version 4 with a group before a property, a fold in the middle of a word and what is not called; version 3 with escapes; version 2.1 as old
 * phones write it: no FN, quoted-printable with a soft break, a picture. */
static const char book[]
    = "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Zo\xc3\xab M\xc3\xbcller\r\nNICKNAME:zoe,Die Chefin\r\nCATEGORIES:family,work\r\n"
      "item1.TEL;VALUE=uri;TYPE=\"voice,ho\r\n me:x\":tel:+49-30-1234567;ext=5\r\nIMPP;PREF=1:sip:Zoe@Example.org\r\nIMPP:xmpp:999999999@example.org\r\n"
      "EMAIL:mail@example.org\r\nEND:VCARD\r\n"
      "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Doe\\, John\r\nN:Doe;John;;;\r\nTEL;TYPE=CELL:0171 / 765 43 21\r\nX-SIP:john@example.net\r\n"
      "CATEGORIES:Work\\,Berlin,club\r\nEND:VCARD\r\n"
      "BEGIN:VCARD\nVERSION:2.1\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=A4ger;J=\n=C3=B6rg;;;\nTEL;CELL;PREF:+1 (212) 555-0123\n"
      "PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQSkZJRgABAQ==\n\nAGENT:\nBEGIN:VCARD\nFN:Agent\nTEL:+44200000000\nEND:VCARD\nTEL:23\nEND:VCARD\n";

static PhoneContacts *
read_book (const char *text)
{
  PhoneContacts *contacts = phone_contacts_new ();
  g_autoptr (GError) error = NULL;

  phone_contacts_add (contacts, text, strlen (text), &error);
  g_assert_no_error (error);
  return contacts;
}

static void
test_who (void)
{
  static const struct
  {
    const char *item, *uri;
    gboolean named;
  } cases[] = {
    { "contact:Zo\xc3\xab M\xc3\xbcller", "sip:+49301234567@provider.example", TRUE },
    { "contact:ZO\xc3\x8b M\xc3\x9cLLER", "sip:+49301234567@provider.example", TRUE },
    { "contact:zo\xc3\xab*", "tel:+49-30-1234567", TRUE },
    { "contact:Zoe", "sip:zoe@example.org", TRUE },
    { "contact:die chefin", "sip:zoe@example.org:5070;transport=tcp", TRUE },
    { "Contact:zoe", "sip:zoe@example.org", TRUE },
    { "contact:zoe", "sip:zoe@example.net", FALSE },
    { "contact:zoe", "sip:999999999@example.org", FALSE },
    { "contact:zoe", "sip:mail@example.org", FALSE },
    { "contact:zo", "sip:zoe@example.org", FALSE },
    { "contact:family", "sip:zoe@example.org", FALSE },
    { "group:Family", "sip:zoe@example.org", TRUE },
    { "group:work", "sip:john@example.net", FALSE },
    { "group:work,berlin", "sip:john@example.net", TRUE },
    { "group:c*", "sip:john@example.net", TRUE },
    { "contact:doe, john", "sip:01717654321@provider.example", TRUE },
    /* the number is written without its country */
    { "contact:doe*", "sip:+491717654321@provider.example", TRUE },
    { "contact:doe*", "sip:00491717654321@provider.example", TRUE },
    { "contact:doe*", "sip:+491717654322@provider.example", FALSE },
    { "contact:doe*", "sip:+1234491717654321@provider.example", FALSE },
    { "contact:doe*", "sip:7654321@provider.example", FALSE },
    { "contact:zoe", "sip:0301234567@provider.example", TRUE },
    { "contact:zoe", "sip:+9301234567@provider.example", FALSE },
    /* 2.1 */
    { "contact:J\xc3\xb6rg J\xc3\xa4ger", "sip:+12125550123@provider.example", TRUE },
    { "contact:J\xc3\xb6rg*", "sip:2125550123@provider.example", TRUE },
    { "contact:J\xc3\xb6rg*", "sip:912125550123@provider.example", FALSE },
    { "contact:J\xc3\xb6rg*", "sip:+44200000000@provider.example", FALSE },
    { "contact:J\xc3\xb6rg*", "sip:23@office.example", TRUE },
    { "contact:J\xc3\xb6rg*", "sip:023@office.example", FALSE },
    { "contact:agent", "sip:+44200000000@provider.example", FALSE },
    { "contact:*", "sip:23@office.example", TRUE },
    { "contact:*", "sip:24@office.example", FALSE },
    { "contact:*", "sip:anonymous@anonymous.invalid", FALSE },
    { "contact:*", "", FALSE },
    { "+49301234567", "sip:+49301234567@provider.example", FALSE },
  };
  g_autoptr (PhoneContacts) contacts = read_book (book);

  g_assert_cmpuint (phone_contacts_count (contacts), ==, 3);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      const char *items[] = { "contact:nobody", cases[i].item, NULL };

      g_test_message ("%s, %s", cases[i].item, cases[i].uri);
      g_assert_cmpint (phone_contacts_list (contacts, items, cases[i].uri), ==, cases[i].named);
    }
}

/* The name is shown as it is written; FN goes before N and N before NICKNAME. */
static void
test_name (void)
{
  static const struct
  {
    const char *uri, *name;
  } cases[] = {
    { "sip:+49301234567@provider.example", "Zo\xc3\xab M\xc3\xbcller" },
    { "sip:ZOE@example.org;transport=tcp", "Zo\xc3\xab M\xc3\xbcller" },
    { "sip:0301234567@provider.example", "Zo\xc3\xab M\xc3\xbcller" },
    { "sip:+491717654321@provider.example", "Doe, John" },
    { "tel:+1-212-555-0123", "J\xc3\xb6rg J\xc3\xa4ger" },
    { "sip:23@office.example", "J\xc3\xb6rg J\xc3\xa4ger" },
    { "sip:+49301234568@provider.example", "" },
    { "sip:anonymous@anonymous.invalid", "" },
    { "", "" },
    /* of two who share it, the one that came last; of two who only may be meant, nobody */
    { "sip:+4940111222333@provider.example", "Younger" },
    { "sip:0891234567@provider.example", "" },
    { "sip:+49891234567@provider.example", "Munich" },
    { "sip:bob@example.org", "Bob B." },
    { "sip:ann@example.org", "Ann" },
  };
  g_autoptr (PhoneContacts) contacts = read_book (book);
  const char more[] = CARD ("FN:Older\r\nTEL:+4940111222333\r\n") CARD ("FN:Younger\r\nTEL:0049 40 111222333\r\nTEL:+4940111222333\r\n")
      CARD ("FN:Munich\r\nTEL:+49 89 1234567\r\n") CARD ("FN:Elsewhere\r\nTEL:+39 89 1234567\r\n")
      CARD ("NICKNAME:bobby\r\nN:B.;Bob;;;\r\nIMPP:sip:bob@example.org\r\n") CARD ("NICKNAME:Ann,Anna\r\nIMPP:sip:ann@example.org\r\n");

  g_assert_true (phone_contacts_add (contacts, more, strlen (more), NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].uri);
      g_assert_cmpstr (phone_contacts_name (contacts, cases[i].uri), ==, cases[i].name);
    }
  g_assert_cmpstr (phone_contacts_name (NULL, "sip:bob@example.org"), ==, "");
}

static void
test_items (void)
{
  g_autoptr (PhoneContacts) contacts = read_book (book);

  g_assert_true (phone_contacts_is_item ("contact:x") && phone_contacts_is_item ("GROUP:x") && phone_contacts_is_item ("contact:"));
  g_assert_false (phone_contacts_is_item ("contacts") || phone_contacts_is_item ("sip:contact:x@y"));
  g_assert_true (phone_contacts_knows (contacts, "contact:zoe") && phone_contacts_knows (contacts, "group:club"));
  g_assert_false (phone_contacts_knows (contacts, "contact:club") || phone_contacts_knows (contacts, "group:zoe"));
  g_assert_false (phone_contacts_knows (NULL, "contact:*") || phone_contacts_knows (contacts, "zoe"));
}

/* Who cannot call or cannot be named is nobody's contact. */
static void
test_left_out (void)
{
  g_autoptr (PhoneContacts) contacts = read_book (CARD ("FN:No Number\r\nEMAIL:a@example.org\r\n") CARD ("TEL:+4930123456\r\n")
                                                      CARD ("FN: \r\nTEL:+4930123456\r\n") CARD ("garbage\r\n:\r\n;:x\r\nFN:A\r\nTEL:1\r\n"));

  g_assert_cmpuint (phone_contacts_count (contacts), ==, 1);
}

/* A part of any of the names; whom two numbers may mean is not called at all, as nowhere else. */
static void
test_search (void)
{
  static const struct
  {
    const char *text, *party;
    gboolean called;
  } cases[] = {
    { "M\xc3\x9cLL", "+49301234567", TRUE },
    { "chef", "Zoe@example.org", TRUE },
    { "chef", "zoe@example.net", FALSE },
    { "doe, j", "01717654321", TRUE },
    { "doe, j", "+491717654321", TRUE },
    { "doe, j", "+49301234567", FALSE },
    { "family", "+49301234567", FALSE },
    { "munich", "+49891234567", TRUE },
    { "munich", "0891234567", FALSE },
  };
  g_autoptr (PhoneContacts) contacts = read_book (book);

  const char more[] = CARD ("FN:Munich\r\nTEL:+49 89 1234567\r\n") CARD ("FN:Elsewhere\r\nTEL:+39 89 1234567\r\n");

  g_assert_true (phone_contacts_add (contacts, more, strlen (more), NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (PhoneContactSearch) search = phone_contact_search_new (contacts, cases[i].text);

      g_test_message ("%s: %s", cases[i].text, cases[i].party);
      g_assert_cmpint (search && phone_contact_search_is_called (search, cases[i].party), ==, cases[i].called);
    }
  g_assert_null (phone_contact_search_new (contacts, "zebra"));
  g_assert_null (phone_contact_search_new (contacts, ""));
  g_assert_null (phone_contact_search_new (NULL, "zoe"));
}

/* The ends of two numbers and an address are two: the address is that of a number. It keeps the book. */
static void
test_search_tails (void)
{
  PhoneContacts *contacts = read_book (CARD ("FN:A\r\nTEL:+49 30 1234567\r\nTEL:030 1234567\r\nX-SIP:Amy@example.org\r\n") CARD ("FN:B\r\nTEL:9\r\n"));
  g_autoptr (PhoneContactSearch) search = phone_contact_search_new (contacts, "a");
  const GPtrArray *tails = phone_contact_search_get_tails (search);

  phone_contacts_unref (contacts);
  g_assert_cmpuint (tails->len, ==, 2);
  g_assert_cmpstr (tails->pdata[0], ==, "1234567");
  g_assert_cmpstr (tails->pdata[1], ==, "amy");
  g_assert_true (phone_contact_search_is_called (search, "+49301234567"));
}

static void
test_faults (void)
{
  g_autoptr (PhoneContacts) contacts = phone_contacts_new ();
  g_autoptr (GError) empty = NULL, cut = NULL, many = NULL;
  g_autoptr (GString) all = g_string_new (NULL);
  const char *half = CARD ("FN:A\r\nTEL:1\r\n") "BEGIN:VCARD\r\nFN:B\r\nTEL:2\r\n";

  g_assert_false (phone_contacts_add (contacts, "x,y\n", 4, &empty));
  g_assert_error (empty, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_assert_nonnull (strstr (empty->message, "no vCard"));
  g_assert_false (phone_contacts_add (contacts, half, strlen (half), &cut));
  g_assert_nonnull (strstr (cut->message, "line 6: "));
  g_assert_cmpuint (phone_contacts_count (contacts), ==, 1);
  for (guint i = 0; i < PHONE_CONTACTS_MAX; i++)
    g_string_append (all, CARD ("FN:A\r\nTEL:1\r\n"));
  g_assert_false (phone_contacts_add (contacts, all->str, all->len, &many));
  g_assert_nonnull (strstr (many->message, "too many"));
  g_assert_cmpuint (phone_contacts_count (contacts), ==, PHONE_CONTACTS_MAX);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/contacts/who", test_who);
  g_test_add_func ("/contacts/name", test_name);
  g_test_add_func ("/contacts/items", test_items);
  g_test_add_func ("/contacts/left-out", test_left_out);
  g_test_add_func ("/contacts/search", test_search);
  g_test_add_func ("/contacts/search-tails", test_search_tails);
  g_test_add_func ("/contacts/faults", test_faults);
  return g_test_run ();
}
