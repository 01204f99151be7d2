/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The digest kernel against the examples of RFC 7616 section 3.9 (that of 3.9.2 as erratum 4897 corrects it:
 * the RFC's own value is no SHA-512/256), against values made with Python's hashlib, and the rules of a
 * session. */

#include <string.h>

#include "sip/digest.h"

static UaDigestChallenge *
parse_one (const char *text)
{
  g_autoptr (GPtrArray) list = ua_digest_parse (text);

  g_assert_cmpuint (list->len, ==, 1);
  return ua_digest_challenge_copy (list->pdata[0]);
}

static guint
count (const char *text)
{
  g_autoptr (GPtrArray) list = ua_digest_parse (text);

  return list->len;
}

/* The value of a parameter, quotes removed; NULL: it is not there. */
static char *
param (const char *header, const char *name)
{
  g_autofree char *pattern = g_strdup_printf ("[ ,]%s=(?|\"((?:[^\"\\\\]|\\\\.)*)\"|([^ ,]+))", name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return g_regex_match (regex, header, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

static void
assert_param (const char *header, const char *name, const char *expected)
{
  g_autofree char *value = param (header, name);

  g_assert_cmpstr (value, ==, expected);
}

#define MUFASA \
  "realm=\"http-auth@example.org\", nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", " \
  "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

typedef struct
{
  const char *challenge, *user, *password, *method, *uri, *cnonce, *body, *response;
} Vector;

static const Vector vectors[] = {
  /* RFC 7616 section 3.9.1 */
  { "Digest " MUFASA ", qop=\"auth, auth-int\", algorithm=MD5", "Mufasa", "Circle of Life", "GET",
    "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", NULL,
    "8ca523f5e9506fed4657c9700eebdbec" },
  { "Digest " MUFASA ", qop=\"auth, auth-int\", algorithm=SHA-256", "Mufasa", "Circle of Life", "GET",
    "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", NULL,
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1" },
  /* section 3.9.2 with erratum 4897 */
  { "Digest realm=\"api@example.org\", qop=\"auth\", algorithm=SHA-512-256, "
    "nonce=\"5TsQWLVdgBdmrQ0XsxbDODV+57QdFR34I9HAbC/RVvkK\", "
    "opaque=\"HRPCssKJSGjCrkzDg8OhwpzCiGPChXYjwrI2QmXDnsOS\", "
    "charset=UTF-8, userhash=true",
    "J\xc3\xa4s\xc3\xb8n Doe", "Secret, or not?", "GET", "/doe.json",
    "NTg6RKcb9boFIAS3KrFK9BGeh+iDa/sm6jUMp2wds69v", NULL,
    "3798d4131c277846293534c3edc11bd8a5e4cdcbff78b05db9d95eeb1cec68a5" },
  /* no algorithm named */
  { "Digest " MUFASA ", qop=\"auth\"", "Mufasa", "Circle of Life", "GET", "/dir/index.html",
    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", NULL, "8ca523f5e9506fed4657c9700eebdbec" },
  /* made with hashlib */
  { "Digest " MUFASA ", qop=\"auth\", algorithm=MD5-sess", "Mufasa", "Circle of Life", "GET",
    "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", NULL,
    "e783283f46242139c486a698fec7211d" },
  { "Digest " MUFASA ", qop=\"auth\", algorithm=SHA-256-sess", "Mufasa", "Circle of Life", "GET",
    "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", NULL,
    "2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232ae1ea3efd7" },
  { "Digest " MUFASA ", qop=\"auth-int\", algorithm=SHA-256", "Mufasa", "Circle of Life", "POST",
    "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", "hello",
    "c98b95dbdb463c4483e324bced57d591946a6f84098142757b1333c52c47d62e" },
  { "Digest " MUFASA, "Mufasa", "Circle of Life", "GET", "/dir/index.html", "unused", NULL,
    "7b2cc3b30e75b4777ea31027084363fd" },
  { "Digest " MUFASA ", algorithm=\"sha-256\"", "Mufasa", "Circle of Life", "GET", "/dir/index.html",
    "unused", NULL, "a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd7446b812363" },
};

static void
test_vectors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (vectors); i++)
    {
      const Vector *v = &vectors[i];
      g_autoptr (UaDigestChallenge) challenge = parse_one (v->challenge);
      g_autoptr (PhoneSecret) password = phone_secret_new (v->password, -1);
      UaDigestInput input = { .user = v->user, .password = password, .method = v->method, .uri = v->uri,
                              .nonce = challenge->nonce, .cnonce = v->cnonce, .nc = 1, .body = v->body,
                              .body_length = v->body != NULL ? strlen (v->body) : 0 };
      g_autofree char *header = ua_digest_authorize (challenge, &input);
      gboolean with_qop = challenge->qop_auth || challenge->qop_auth_int;

      assert_param (header, "response", v->response);
      assert_param (header, "realm", challenge->realm);
      assert_param (header, "nonce", challenge->nonce);
      assert_param (header, "opaque", challenge->opaque);
      assert_param (header, "uri", v->uri);
      assert_param (header, "qop", !with_qop ? NULL : challenge->qop_auth ? "auth" : "auth-int");
      assert_param (header, "nc", with_qop ? "00000001" : NULL);
      assert_param (header, "cnonce", with_qop ? v->cnonce : NULL);
      assert_param (header, "algorithm",
                    challenge->algorithm_given ? ua_digest_algorithm_to_string (challenge->algorithm) : NULL);
      assert_param (header, "userhash", challenge->userhash ? "true" : NULL);
      assert_param (header, "username",
                    challenge->userhash ? "793263caabb707a56211940d90411ea4a575adeccb7e360aeb624ed06ece9b0b"
                                        : v->user);
    }
}

static void
test_quoting (void)
{
  g_autoptr (UaDigestChallenge) challenge =
    parse_one ("Digest realm=\"the \\\"inner\\\" \\\\ realm\", nonce=\"a\\b\", qop=auth");
  g_autoptr (PhoneSecret) password = phone_secret_new ("a:b:\xc3\xbc", -1);
  UaDigestInput input = { .user = "al\"ice",
                          .password = password,
                          .method = "REGISTER",
                          .uri = "sip:example.org",
                          .nonce = challenge->nonce,
                          .cnonce = "c",
                          .nc = 0x1f };
  g_autofree char *header = NULL;

  g_assert_cmpstr (challenge->realm, ==, "the \"inner\" \\ realm");
  g_assert_cmpstr (challenge->nonce, ==, "ab");
  header = ua_digest_authorize (challenge, &input);
  assert_param (header, "realm", "the \\\"inner\\\" \\\\ realm");
  assert_param (header, "username", "al\\\"ice");
  assert_param (header, "nc", "0000001f");
}

/* A -sess answer without qop still carries the cnonce that its key needs. */
static void
test_session_key_without_qop (void)
{
  g_autoptr (UaDigestChallenge) challenge = parse_one ("Digest realm=\"r\", nonce=\"n\", algorithm=MD5-sess");
  g_autoptr (PhoneSecret) password = phone_secret_new ("p", -1);
  UaDigestInput input = {
    .user = "u", .password = password, .method = "REGISTER", .uri = "sip:r", .nonce = "n", .cnonce = "c"
  };
  g_autofree char *header = ua_digest_authorize (challenge, &input);

  assert_param (header, "cnonce", "c");
  assert_param (header, "nc", NULL);
}

static void
test_choice (void)
{
  static const struct
  {
    const char *list;
    const char *nonce;          /* of the chosen one; NULL: none */
  } cases[] = {
    { "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, Digest realm=\"r\", nonce=\"2\", algorithm=SHA-256",
      "2" },
    { "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-512-256, Digest realm=\"r\", nonce=\"2\", "
      "algorithm=SHA-256",
      "1" },
    { "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, Digest realm=\"r\", nonce=\"2\", "
      "algorithm=SHA-256-sess",
      "1" },
    { "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-999, Digest realm=\"r\", nonce=\"2\"", "2" },
    { "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, qop=\"auth-conf\", Digest realm=\"r\", "
      "nonce=\"2\"",
      "2" },
    { "Basic realm=\"r\", Bearer authz_server=\"x\", Digest realm=\"r\", nonce=\"2\"", "2" },
    { "Negotiate, Digest realm=\"r\", nonce=\"2\"", "2" },
    { "NTLM TlRMTVNTUAACAAAA==, Digest realm=\"r\", nonce=\"2\"", "2" },
    { "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-999", NULL },
    { "", NULL },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) list = ua_digest_parse (cases[i].list);
      const UaDigestChallenge *choice = ua_digest_choose (list);

      g_assert_cmpstr (choice != NULL ? choice->nonce : NULL, ==, cases[i].nonce);
    }
}

static void
test_malformed (void)
{
  GString *many = g_string_new (NULL), *long_one = g_string_new ("Digest realm=\"r\", nonce=\"");

  g_assert_cmpuint (count ("Digest realm=\"r\""), ==, 0);
  g_assert_cmpuint (count ("Digest nonce=\"n\""), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", nonce=\"n"), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", nonce=\"n\\"), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", nonce=\"n\", nonce=\"m\""), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", nonce=\"n\r\nVia: x\""), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", nonce="), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"r\", \"nonce\"=\"n\""), ==, 0);
  g_assert_cmpuint (count ("Digest realm=\"Digest realm=r, nonce=n\""), ==, 0);
  g_assert_cmpuint (count ("realm=\"r\", nonce=\"n\""), ==, 0);
  g_assert_cmpuint (count ("Digest"), ==, 0);
  g_assert_cmpuint (count (",,, Digest realm = \"r\" ,,\r\n nonce=n,"), ==, 1);
  g_assert_cmpuint (count ("dIgEsT REALM=\"r\", Nonce=\"\", QOP=\"\""), ==, 1);

  for (guint i = 0; i < 100; i++)
    g_string_append_printf (many, "Digest realm=\"r\", nonce=\"%u\", ", i);
  g_assert_cmpuint (count (many->str), ==, UA_DIGEST_MAX_CHALLENGES);
  for (guint i = 0; i < UA_DIGEST_MAX_TEXT; i++)
    g_string_append_c (long_one, 'n');
  g_string_append_c (long_one, '"');
  g_assert_cmpuint (count (long_one->str), ==, 0);
  g_string_free (many, TRUE);
  g_string_free (long_one, TRUE);
}

/* ---- sessions ---- */


static UaDigestVerdict
challenge (UaDigestSession *session, const char *nonce, gboolean stale)
{
  g_autofree char *text = g_strdup_printf ("Digest realm=\"r\", nonce=\"%s\", qop=auth, algorithm=SHA-256%s",
                                           nonce, stale ? ", stale=true" : "");
  g_autoptr (UaDigestChallenge) parsed = parse_one (text);

  return ua_digest_session_challenge (session, parsed);
}

/* Makes an answer and checks its nonce and its count. */
static void
answer (UaDigestSession *session, const char *nonce, guint nc)
{
  g_autoptr (PhoneSecret) password = phone_secret_new ("p", -1);
  UaDigestInput input = { .user = "u", .password = password, .method = "REGISTER", .uri = "sip:r" };
  g_autofree char *header = ua_digest_session_authorize (session, &input);
  g_autofree char *expected = g_strdup_printf ("%08x", nc);

  assert_param (header, "nonce", nonce);
  assert_param (header, "nc", expected);
}

static void
test_session_wrong_password (void)
{
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();

  g_assert_cmpint (challenge (session, "a", FALSE), ==, UA_DIGEST_ANSWER);
  g_assert_cmpint (challenge (session, "a", FALSE), ==, UA_DIGEST_SAME);
  answer (session, "a", 1);
  g_assert_cmpint (challenge (session, "b", FALSE), ==, UA_DIGEST_REFUSED);
  /* another try, with another password perhaps, uses the new nonce */
  answer (session, "b", 1);
  g_assert_cmpint (challenge (session, "b", FALSE), ==, UA_DIGEST_REFUSED);
}

static void
test_session_nonce_ran_out (void)
{
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();

  challenge (session, "a", FALSE);
  answer (session, "a", 1);
  answer (session, "a", 2);
  answer (session, "a", 3);
  g_assert_cmpint (challenge (session, "b", FALSE), ==, UA_DIGEST_ANSWER);
  answer (session, "b", 1);
  answer (session, "b", 2);
  g_assert_cmpint (challenge (session, "c", TRUE), ==, UA_DIGEST_ANSWER);
  answer (session, "c", 1);
  answer (session, "c", 2);
  g_assert_cmpint (challenge (session, "c", FALSE), ==, UA_DIGEST_REFUSED);
}

static void
test_session_stale_for_ever (void)
{
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();
  static const char *const nonces[] = { "b", "c", "d", "e" };
  UaDigestVerdict verdict = UA_DIGEST_ANSWER;
  guint n = 0;

  challenge (session, "a", FALSE);
  answer (session, "a", 1);
  while (n < G_N_ELEMENTS (nonces) && (verdict = challenge (session, nonces[n], TRUE)) == UA_DIGEST_ANSWER)
    answer (session, nonces[n++], 1);
  g_assert_cmpint (verdict, ==, UA_DIGEST_REFUSED);
  g_assert_cmpuint (n, ==, 1);
}

static void
test_session_next_nonce (void)
{
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();

  challenge (session, "a", FALSE);
  answer (session, "a", 1);
  ua_digest_session_next_nonce (session, "b");
  answer (session, "b", 1);
  ua_digest_session_next_nonce (session, "b");
  answer (session, "b", 2);
  ua_digest_session_next_nonce (session, "c");
  answer (session, "c", 1);
  g_assert_cmpint (challenge (session, "d", FALSE), ==, UA_DIGEST_ANSWER);
  answer (session, "d", 1);
  ua_digest_session_next_nonce (session, "x\r\ny");
  answer (session, "d", 2);
}

/* The key of a -sess session stays that of its first nonce. */
static void
test_session_key (void)
{
  g_autoptr (UaDigestSession) session = ua_digest_session_new ();
  g_autoptr (UaDigestChallenge) first
      = parse_one ("Digest realm=\"r\", nonce=\"a\", qop=auth, algorithm=SHA-256-sess");
  g_autoptr (PhoneSecret) password = phone_secret_new ("p", -1);
  UaDigestInput input = { .user = "u", .password = password, .method = "REGISTER", .uri = "sip:r" };
  g_autofree char *header = NULL, *again = NULL, *expected = NULL;

  ua_digest_session_challenge (session, first);
  ua_digest_session_next_nonce (session, "b");
  header = ua_digest_session_authorize (session, &input);
  g_assert_cmpstr (input.session_nonce, ==, "a");
  again = ua_digest_authorize (first, &input);
  expected = param (again, "response");
  assert_param (header, "response", expected);
  input.session_nonce = "b";
  g_free (again);
  again = ua_digest_authorize (first, &input);
  g_free (expected);
  expected = param (again, "response");
  g_assert_nonnull (strstr (header, "nonce=\"b\""));
  g_assert_null (strstr (header, expected));
}

static void
test_cnonce (void)
{
  g_autofree char *a = ua_digest_make_cnonce (), *b = ua_digest_make_cnonce ();

  g_assert_cmpuint (strspn (a, "0123456789abcdef"), ==, 32);
  g_assert_cmpuint (strlen (a), ==, 32);
  g_assert_cmpstr (a, !=, b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/digest/vectors", test_vectors);
  g_test_add_func ("/digest/quoting", test_quoting);
  g_test_add_func ("/digest/session-key-without-qop", test_session_key_without_qop);
  g_test_add_func ("/digest/choice", test_choice);
  g_test_add_func ("/digest/malformed", test_malformed);
  g_test_add_func ("/digest/session/wrong-password", test_session_wrong_password);
  g_test_add_func ("/digest/session/nonce-ran-out", test_session_nonce_ran_out);
  g_test_add_func ("/digest/session/stale-for-ever", test_session_stale_for_ever);
  g_test_add_func ("/digest/session/next-nonce", test_session_next_nonce);
  g_test_add_func ("/digest/session/key", test_session_key);
  g_test_add_func ("/digest/cnonce", test_cnonce);
  return g_test_run ();
}
