/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Whatever a server challenges with: nothing in our answer may leave its header field or its quotes, and what
 * is echoed must read back as it was. */

#include <stdint.h>
#include <string.h>

#include "sip/digest.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_answer (const UaDigestChallenge *challenge, PhoneSecret *password)
{
  UaDigestInput input = { .user = "a\"b\\c",
                          .password = password,
                          .method = "REGISTER",
                          .uri = "sip:example.org",
                          .nonce = challenge->nonce,
                          .cnonce = "c",
                          .nc = 1 };
  g_autofree char *header = ua_digest_authorize (challenge, &input);
  g_autoptr (GPtrArray) again = NULL;
  const UaDigestChallenge *echo;

  g_assert_nonnull (header);
  for (const char *p = header; *p != '\0'; p++)
    g_assert_true ((guchar) *p >= 0x20 || *p == '\t');

  if (strlen (header) > UA_DIGEST_MAX_TEXT)
    return;
  again = ua_digest_parse (header);
  g_assert_cmpuint (again->len, ==, 1);
  echo = again->pdata[0];
  g_assert_cmpstr (echo->realm, ==, challenge->realm);
  g_assert_cmpstr (echo->nonce, ==, challenge->nonce);
  g_assert_cmpstr (echo->opaque, ==, challenge->opaque);
  g_assert_true (echo->algorithm_given == challenge->algorithm_given);
  g_assert_true (echo->userhash == challenge->userhash);
  if (echo->algorithm_given)
    g_assert_cmpint (echo->algorithm, ==, challenge->algorithm);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GPtrArray) list = ua_digest_parse (text);
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();
  g_autoptr (PhoneSecret) password = phone_secret_new ("secret", -1);

  g_assert_cmpuint (list->len, <=, UA_DIGEST_MAX_CHALLENGES);
  g_assert_true ((ua_digest_choose (list) == NULL) == (list->len == 0));
  for (guint i = 0; i < list->len; i++)
    {
      check_answer (list->pdata[i], password);
      ua_digest_session_challenge (session, list->pdata[i]);
      ua_digest_session_next_nonce (session, text);
    }
  return 0;
}
