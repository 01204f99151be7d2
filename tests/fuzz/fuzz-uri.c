/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* URIs and name-addrs: what is accepted has a canonical text that parses to an equal value and to the same text. */

#include <stdint.h>
#include <string.h>

#include "util/name-addr.h"
#include "util/phone-uri.h"
#include "util/text.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_uri (const PhoneUri *uri)
{
  g_autofree char *text = phone_uri_to_string (uri);
  g_autofree char *again_text = NULL;
  g_autofree char *user = phone_uri_dup_user (uri);
  g_autoptr (PhoneUri) again = phone_uri_parse (text, NULL);
  g_autoptr (PhoneUri) copy = phone_uri_copy (uri);

  g_assert (again != NULL);
  g_assert (phone_uri_equal (uri, again));
  g_assert (phone_uri_equal (uri, uri));
  g_assert (phone_uri_equal (copy, uri));
  again_text = phone_uri_to_string (again);
  g_assert (g_str_equal (text, again_text));
  g_assert (strlen (text) <= PHONE_URI_MAX);
  g_assert (g_str_is_ascii (text) && phone_text_is_clean (text) && strpbrk (text, " \"<>") == NULL);
  g_assert (user == NULL || phone_text_is_clean (user));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autofree char *cleaned = phone_text_clean ((const char *) data, (gssize) size, 64);
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) addr_error = NULL;
  g_autoptr (PhoneUri) uri = phone_uri_parse (text, &error);
  g_autoptr (PhoneNameAddr) addr = phone_name_addr_parse (text, &addr_error);

  g_assert ((uri == NULL) == (error != NULL));
  g_assert ((addr == NULL) == (addr_error != NULL));
  g_assert (cleaned == NULL || (phone_text_is_clean (cleaned) && g_utf8_strlen (cleaned, -1) <= 64));
  g_assert (error == NULL || g_utf8_validate (error->message, -1, NULL));
  if (uri != NULL)
    check_uri (uri);
  if (addr != NULL)
    {
      g_autofree char *built = phone_name_addr_build (addr->display, addr->uri);
      g_autoptr (PhoneNameAddr) again = phone_name_addr_parse (built, NULL);

      check_uri (addr->uri);
      g_assert (again != NULL);
      g_assert (g_strcmp0 (again->display, addr->display) == 0);
      g_assert (phone_uri_equal (again->uri, addr->uri));
      g_assert (addr->display == NULL || phone_text_is_clean (addr->display));
    }
  return 0;
}
