/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/ring-list.h"

static void
check_choice (const char *list, const char *words, PhoneTone tone, const char *sound)
{
  g_autofree char *found = NULL;

  g_assert_cmpint (phone_ring_list_choose (list, words, &found), ==, tone);
  g_assert_cmpstr (found, ==, sound);
}

static void
test_choose (void)
{
  const char *list = "urn:alert:source:internal=double,Bellcore-DR2=/a/dr2.wav,Door*=long,*=short";

  check_choice (list, "urn:alert:source:internal", PHONE_TONE_RING_DOUBLE, NULL);
  check_choice (list, "http://127.0.0.1/bellcore-dr2", PHONE_TONE_RING, "/a/dr2.wav");
  check_choice (list, "bellcore-dr2 urn:alert:source:internal", PHONE_TONE_RING_DOUBLE, NULL);  /* the user's order counts */
  check_choice (list, "doorbell", PHONE_TONE_RING_LONG, NULL);
  check_choice (list, "indoor", PHONE_TONE_RING_SHORT, NULL);
  check_choice (list, "what", PHONE_TONE_RING_SHORT, NULL);
  check_choice (list, "", PHONE_TONE_RING, NULL);
  check_choice (list, NULL, PHONE_TONE_RING, NULL);
  check_choice (NULL, "doorbell", PHONE_TONE_RING, NULL);
  check_choice ("doorbell=silent", "doorbell", PHONE_TONE_NONE, NULL);
}

static void
test_check (void)
{
  static const char *const wrong[] = { "a", "=double", "a=", "a=loud", "a=b.wav", "a=short,", "a b=short" };
  g_autofree char *good = phone_ring_list_check (" a=short, http://x?y=z = /my rings/a.wav ", NULL);
  GString *many = g_string_new ("a=short");
  g_autoptr (GError) too_many = NULL;

  g_assert_cmpstr (good, ==, "a=short,http://x?y=z=/my rings/a.wav");
  for (gsize i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (phone_ring_list_check (wrong[i], &error));
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
    }
  for (guint i = 0; i < 64; i++)
    g_string_append (many, ",a=short");
  g_assert_null (phone_ring_list_check (many->str, &too_many));
  g_assert_error (too_many, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
  g_string_free (many, TRUE);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ring-list/choose", test_choose);
  g_test_add_func ("/ring-list/check", test_check);
  return g_test_run ();
}
