/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The values of the history: who is the same party, and copies that are whole. */

#include <math.h>

#include "core/history-entry.h"

static void
test_party (void)
{
  static const struct { const char *uri, *key; } cases[] = {
    { "sip:+49-30-123@example.org;user=phone", "+4930123" }, { "tel:+4930123", "+4930123" }, { "sip:+4930123@other.example:5070", "+4930123" },
    { "sip:03012345@example.org", "03012345" }, { "sip:23@office.example", "23@office.example" }, { "sip:Bob@EXAMPLE.org", "Bob@example.org" },
    { "sips:Bob@example.org:5061;transport=tcp", "Bob@example.org" }, { "sip:example.org", "example.org" }, { "", "" }, { NULL, "" },
    { "+49 (30) 1-2.3", "+4930123" }, { "not a uri", "not a uri" }, { "+", "+" }, { "sip:%00@x", "x" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *key = phone_party_key (cases[i].uri);

      g_test_message ("%s", cases[i].uri);
      g_assert_cmpstr (key, ==, cases[i].key);
    }
}

static void
test_copy (void)
{
  g_autoptr (PhoneHistoryEntry) entry = phone_history_entry_new ();
  g_autoptr (PhoneHistoryEntry) copy = NULL;

  phone_text_take (&entry->id, "x");
  phone_text_take (&entry->suite, "y");
  phone_text_take (&entry->suite, NULL);
  entry->mos = 4;
  copy = phone_history_entry_copy (entry);
  g_assert_cmpstr (copy->id, ==, "x");
  g_assert_true (copy->id != entry->id);
  g_assert_cmpstr (copy->suite, ==, "");
  g_assert_true (copy->mos == 4 && isnan (copy->loss_local));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/history/party", test_party);
  g_test_add_func ("/history/copy", test_copy);
  return g_test_run ();
}
