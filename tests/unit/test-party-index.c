/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who is meant by a number as people write it, in what order, and that it costs the same in a large address book. */

#include <string.h>

#include "core/party-index.h"

#define MANY 10000

static gboolean
on_found (const char *known, gpointer value, gboolean same, gpointer data)
{
  g_string_append_printf (data, "%s%s%s", ((GString *) data)->len ? " " : "", same ? "=" : "~", (const char *) value);
  return TRUE;
}

static void
check (const PhonePartyIndex *index, const char *caller, const char *found)
{
  g_autoptr (GString) text = g_string_new (NULL);

  phone_party_index_find (index, caller, on_found, text);
  g_test_message ("%s: %s", caller, text->str);
  g_assert_cmpstr (text->str, ==, found);
}

static void
test_order (void)
{
  static const char letters[] = "a\0b\0c\0d\0e\0f\0g\0h";
  static const char *const known[] = { "+49301234567", "0301234567", "+301234567", "23", "023", "zoe@example.org", "+49301234567", "0049301234567" };
  g_autoptr (PhonePartyIndex) index = phone_party_index_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    phone_party_index_add (index, known[i], (gpointer) &letters[2 * i]);
  check (index, "+49301234567", "=g =a =h ~b");
  check (index, "+49301234567@example.org", "=g =a =h ~b");
  check (index, "0049301234567", "=h =g =a ~b");
  /* without its country it may be any that ends so, and is none whose country looks like the prefix */
  check (index, "0301234567", "=b ~h ~g ~a");
  check (index, "+301234567", "=c");
  check (index, "+44301234567", "~b");
  check (index, "+1234301234567", "");
  check (index, "1234567", "~c");
  check (index, "23@office.example", "=d");
  check (index, "023", "=e");
  check (index, "0023", "");
  check (index, "zoe@example.org", "=f");
  check (index, "zoe@example.net", "");
  check (index, "+", "");
  check (index, "", "");
}

/* Whoever is found has the same end. */
static void
test_tail (void)
{
  static const char *const alike[] = { "+49301234567", "0301234567", "0049301234567@example.org", "1234567", "+44301234567" };
  static const struct
  {
    const char *party, *tail;
  } cases[] = { { "23@office.example", "23" }, { "Bob@example.org", "bob" }, { "dr.j\xc3\xa4gerin@example.org", "j\xc3\xa4gerin" },
                { "example.org", "ple.org" }, { "", "" }, { "@x", "" } };

  for (gsize i = 0; i < G_N_ELEMENTS (alike); i++)
    {
      g_autofree char *tail = phone_party_dup_tail (alike[i]);

      g_assert_cmpstr (tail, ==, "1234567");
    }
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *tail = phone_party_dup_tail (cases[i].party);

      g_assert_cmpstr (tail, ==, cases[i].tail);
    }
}

static void
test_many (void)
{
  g_autoptr (PhonePartyIndex) index = phone_party_index_new ();
  g_autoptr (GPtrArray) numbers = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);
  guint compared = 0;

  for (guint i = 0; i < MANY; i++)
    {
      g_ptr_array_add (numbers, g_strdup_printf ("+4930%07u", i * 37));
      phone_party_index_add (index, numbers->pdata[i], (gpointer) "x");
    }
  for (guint i = 0; i < MANY; i++)
    compared += phone_party_index_find (index, numbers->pdata[i], on_found, text);
  g_assert_cmpuint (strlen (text->str), ==, MANY * strlen ("=x ") - 1);
  /* itself, and twice more in another form */
  g_assert_cmpuint (compared, ==, 3 * MANY);
  g_assert_cmpuint (phone_party_index_find (index, "+4930999999999", on_found, text), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/party-index/order", test_order);
  g_test_add_func ("/party-index/tail", test_tail);
  g_test_add_func ("/party-index/many", test_many);
  return g_test_run ();
}
