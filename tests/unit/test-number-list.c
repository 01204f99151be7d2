/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Lists of parties: what people write, against what arrives. */

#include "core/number-list.h"

static void
test_matches (void)
{
  static const struct
  {
    const char *list, *uri;
    gboolean matches;
  } cases[] = {
    { "+4930123", "sip:+4930123@provider.example", TRUE },
    { "+49 (30) 1-23", "tel:+49-30-123", TRUE },
    { "+4930*", "sip:+4930999@provider.example;user=phone", TRUE },
    { "+4930*", "sip:+4940999@provider.example", FALSE },
    { "112", "sip:1123@provider.example", FALSE },
    { "Bob@Example.org", "sip:bob@example.ORG", TRUE },
    { "sip:bob@example.org", "sips:bob@example.org:5061", TRUE },
    { "bob@example.org", "sip:bob@example.com", FALSE },
    { "*@example.org", "sip:anybody@example.org", TRUE },
    { "*@example.org", "tel:+49301", FALSE },
    { "bob", "sip:bob@anywhere.example", TRUE },
    { "eve,bob", "sip:bob@anywhere.example", TRUE },
    { "*", "sip:provider.example", TRUE },
    { "bob", "sip:provider.example", FALSE },
    { "bob", "not a uri", FALSE },
    { NULL, "sip:bob@example.org", FALSE },
    { "bob", NULL, FALSE },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s, %s", cases[i].list, cases[i].uri);
      g_assert_cmpint (phone_number_list_matches (cases[i].list, cases[i].uri), ==, cases[i].matches);
    }
}

static void
test_check (void)
{
  static const char *const wrong[] = { "a,", ",a", "<sip:a@b>", "a b", "sip:a@b;lr", "\"Bob\"" };
  g_autoptr (GError) many = NULL;
  g_autofree char *good = phone_number_list_check (" +49 30 1, bob@example.org ,*@x", NULL);
  GString *list = g_string_new ("1");

  g_assert_cmpstr (good, ==, "+49 30 1,bob@example.org,*@x");
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (phone_number_list_check (wrong[i], &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
  for (guint i = 0; i < 300; i++)
    g_string_append (list, ",1");
  g_assert_null (phone_number_list_check (list->str, &many));
  g_assert_error (many, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_string_free (list, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/number-list/matches", test_matches);
  g_test_add_func ("/number-list/check", test_check);
  return g_test_run ();
}
