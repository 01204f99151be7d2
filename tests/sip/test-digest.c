/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Digest through the whole of sofia-sip: a nua registers with a scripted server on a UDP socket. A script is
 * a list of steps; each says what the request that comes next has to carry, and what it is answered with. */

#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <stdlib.h>
#include <string.h>

#include "sip-bench.h"
#include "sip/digest.h"
#include "sip/ua-digest.h"
#include "sip/ua-platform.h"

#define SERVER "127.10.1.1"
#define PHONE "sip:127.10.1.2:*"

typedef struct
{
  const char *nonce;            /* expected in Authorization; NULL: there is none */
  const char *proxy_nonce;      /* expected in Proxy-Authorization; NULL: there is none */
  guint nc;                     /* expected count; 0: not looked at */
  const char *algorithm;        /* expected in the answer; NULL: not looked at */
  int status;
  const char *headers;
} Step;

typedef struct
{
  BenchPhone phone;
  GSocket *socket;
  GSource *source;
  char *target;                 /* sip:127.10.1.1:PORT */
  const char *user, *password;  /* what the server knows */
  const Step *steps;
  guint n_requests;
  UaCredentials *credentials;
  UaAnswer answer;              /* the last */
  guint n_answers;
  gboolean done;                /* the request ended */
} Fixture;

static char *
param (const char *header, const char *name)
{
  g_autofree char *pattern = g_strdup_printf ("[ ,]%s=(?|\"((?:[^\"\\\\]|\\\\.)*)\"|([^ ,]+))", name);
  g_autoptr (GRegex) regex = g_regex_new (pattern, G_REGEX_CASELESS, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  return g_regex_match (regex, header, 0, &match) ? g_match_info_fetch (match, 1) : NULL;
}

/* Does the response fit the password? Everything is taken from the header, as a server does. */
static void
check_response (Fixture *f, const char *request, const char *header)
{
  g_autofree char *uri = param (header, "uri"), *response = param (header, "response"),
                  *cnonce = param (header, "cnonce");
  g_autofree char *nc = param (header, "nc"), *again = NULL, *expected = NULL;
  g_auto (GStrv) words = g_strsplit (request, " ", 3);
  g_autoptr (GPtrArray) list = ua_digest_parse (header);
  g_autoptr (PhoneSecret) password = phone_secret_new (f->password, -1);
  UaDigestChallenge *challenge = list->pdata[0];
  const char *body = strstr (request, "\r\n\r\n") + 4;
  UaDigestInput input = { .user = f->user,
                          .password = password,
                          .method = words[0],
                          .uri = uri,
                          .nonce = challenge->nonce,
                          .cnonce = cnonce,
                          .nc = nc != NULL ? strtoul (nc, NULL, 16) : 0,
                          .body = body,
                          .body_length = strlen (body) };

  g_assert_cmpstr (uri, ==, words[1]);
  again = ua_digest_authorize (challenge, &input);
  expected = param (again, "response");
  g_assert_cmpstr (response, ==, expected);
  if (!challenge->userhash)
    {
      g_autofree char *sent = param (header, "username"), *raw = g_strcompress (sent);
      g_assert_cmpstr (raw, ==, f->user);
    }
}

static void
check_header (Fixture *f, const char *request, const char *name, const char *nonce, const Step *step)
{
  g_auto (GStrv) fields = bench_header_fields (request, name);
  g_autofree char *sent_nonce = NULL, *sent_nc = NULL, *algorithm = NULL;

  if (nonce == NULL)
    {
      g_assert_null (fields[0]);
      return;
    }
  g_assert_cmpuint (g_strv_length (fields), ==, 1);
  sent_nonce = param (fields[0], "nonce");
  g_assert_cmpstr (sent_nonce, ==, nonce);
  sent_nc = param (fields[0], "nc");
  if (step->nc != 0)
    g_assert_cmpuint (strtoul (sent_nc, NULL, 16), ==, step->nc);
  algorithm = param (fields[0], "algorithm");
  if (step->algorithm != NULL)
    g_assert_cmpstr (algorithm, ==, step->algorithm);
  if (f->password != NULL)
    check_response (f, request, fields[0]);
}

static gboolean
on_datagram (GSocket *socket, GIOCondition condition, gpointer data)
{
  Fixture *f = data;
  char request[8192];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, request, sizeof request - 1, NULL, NULL);
  const Step *step;
  g_autofree char *response = NULL;

  g_assert_cmpint (n, >, 0);
  request[n] = '\0';
  if (g_str_has_prefix (request, "ACK "))
    return G_SOURCE_CONTINUE;
  step = &f->steps[f->n_requests++];
  if (step->status == 0)
    g_error ("one request too many:\n%s", request);
  check_header (f, request, "Authorization", step->nonce, step);
  check_header (f, request, "Proxy-Authorization", step->proxy_nonce, step);
  response = bench_response (request, step->status, step->headers);
  g_socket_send_to (socket, from, response, strlen (response), NULL, NULL);
  return G_SOURCE_CONTINUE;
}

static void
on_final (BenchPhone *phone, nua_event_t event, int status, nua_handle_t *nh, const sip_t *sip)
{
  Fixture *f = phone->data;

  if ((status == 401 || status == 407) && f->credentials != NULL)
    {
      f->answer = ua_credentials_answer (f->credentials, nh, sip);
      f->n_answers++;
      return;
    }
  f->done = TRUE;
}

static void
set_up (Fixture *f, gconstpointer data)
{
  guint16 port;

  f->socket = bench_udp_new (SERVER, on_datagram, f, &port, &f->source);
  f->target = g_strdup_printf ("sip:" SERVER ":%u", port);

  f->user = "alice";
  f->password = "wonder:land";
  f->phone.data = f;
  f->phone.on_final = on_final;
  bench_phone_start (&f->phone, PHONE, TAG_END ());
  f->phone.nh
      = nua_handle (f->phone.nua, NULL, NUTAG_URL (f->target), SIPTAG_TO_STR ("sip:alice@example.org"),
                    SIPTAG_FROM_STR ("sip:alice@example.org"), TAG_END ());
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  static const Step goodbye[] = { { .status = 200 }, { .status = 200 }, { 0 } };

  f->steps = goodbye;           /* sofia un-registers as it shuts down */
  f->n_requests = 0;
  f->password = NULL;
  if (f->phone.nh != NULL)
    nua_handle_destroy (g_steal_pointer (&f->phone.nh));
  g_source_destroy (f->source);
  g_source_unref (f->source);
  bench_phone_stop (&f->phone);
  g_clear_object (&f->socket);
  ua_credentials_free (f->credentials);
  g_free (f->target);
}

static void
give (Fixture *f, const char *user, const char *password)
{
  g_autoptr (PhoneSecret) secret = password != NULL ? phone_secret_new (password, -1) : NULL;

  if (f->credentials == NULL)
    f->credentials = ua_credentials_new (user, secret);
  else
    ua_credentials_set (f->credentials, user, secret);
}

/* Registers against a script that must be used up to its end; returns the last status. */
static int
run (Fixture *f, const Step *steps)
{
  guint n = 0;

  while (steps[n].status != 0)
    n++;
  f->steps = steps;
  f->n_requests = 0;
  f->done = FALSE;
  nua_register (f->phone.nh, SIPTAG_CONTACT_STR (NULL), TAG_END ());
  bench_wait (&f->done);
  g_assert_cmpuint (f->n_requests, ==, n);
  return f->phone.status;
}

#define WWW "WWW-Authenticate: "
#define PROXY "Proxy-Authenticate: "

static void
test_algorithms (Fixture *f, gconstpointer data)
{
  give (f, "alice", "wonder:land");
  for (int i = 0; i < ua_digest_algorithm_n_values; i++)
    for (int with_qop = 0; with_qop < 2; with_qop++)
      {
        const char *name = ua_digest_algorithm_to_string (i);
        g_autofree char *nonce = g_strdup_printf ("n%d%d", i, with_qop);
        g_autofree char *header
            = g_strdup_printf (WWW "Digest realm=\"%s\", nonce=\"%s\", opaque=\"o\", algorithm=%s%s\r\n",
                               nonce, nonce, name, with_qop ? ", qop=\"auth,auth-int\"" : "");
        const Step steps[] = { { .status = 401, .headers = header },
                               { .nonce = nonce, .nc = with_qop, .algorithm = name, .status = 200 }, { 0 } };

        g_assert_cmpint (run (f, steps), ==, 200);
        nua_handle_destroy (f->phone.nh);
        f->phone.nh
            = nua_handle (f->phone.nua, NULL, NUTAG_URL (f->target), SIPTAG_TO_STR ("sip:alice@example.org"),
                          SIPTAG_FROM_STR ("sip:alice@example.org"), TAG_END ());
      }
}

static const Step strongest_last[]
    = { { .status = 401,
          .headers = WWW "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n"
                     WWW "Digest realm=\"r\", nonce=\"2\", algorithm=SHA-3-1024\r\n"
                     WWW "Digest realm=\"r\", nonce=\"3\", algorithm=SHA-256, qop=\"auth\"\r\n"
                     WWW "Digest realm=\"r\", nonce=\"4\", algorithm=SHA-512-256, qop=\"auth\"\r\n" },
        { .nonce = "4", .nc = 1, .algorithm = "SHA-512-256", .status = 200 },
        { 0 } };
static const Step strongest_first[] = {
  { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, qop=\"auth\"\r\n"
                              WWW "Digest realm=\"r\", nonce=\"1\", algorithm=MD5, qop=\"auth\"\r\n"
                              WWW "Basic realm=\"r\"\r\n" },
  { .nonce = "1", .nc = 1, .algorithm = "SHA-256", .status = 200 },
  { 0 }
};
static const Step unknown_first[] = {
  { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-3-1024, qop=\"auth\"\r\n"
                              WWW "Digest realm=\"r\", nonce=\"2\", algorithm=MD5, qop=\"auth\"\r\n" },
  { .nonce = "2", .nc = 1, .algorithm = "MD5", .status = 200 },
  { 0 }
};
static const Step userhash[]
    = { { .status = 401,
          .headers
          = WWW "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-256, qop=\"auth\", userhash=true\r\n" },
        { .nonce = "1", .nc = 1, .algorithm = "SHA-256", .status = 200 },
        { 0 } };
static const Step unquoted_realm[]
    = { { .status = 401, .headers = WWW "Digest realm=r, nonce=n, qop=auth\r\n" },
        { .nonce = "n", .nc = 1, .status = 200 },
        { 0 } };
static const Step auth_int[] = {
  { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\"\r\n" },
  { .nonce = "n", .nc = 1, .status = 200 }, { 0 }
};
static const Step both_at_once[]
    = { { .status = 401,
          .headers = WWW "Digest realm=\"registrar\", nonce=\"1\", qop=\"auth\"\r\n"
                   PROXY "Digest realm=\"proxy\", nonce=\"2\", algorithm=SHA-256, qop=\"auth\"\r\n" },
        { .nonce = "1", .proxy_nonce = "2", .nc = 1, .status = 200 },
        { 0 } };
static const Step one_after_the_other[] = {
  { .status = 407, .headers = PROXY "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"\r\n" },
  { .proxy_nonce = "1", .nc = 1, .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"2\"\r\n" },
  { .nonce = "2", .proxy_nonce = "1", .status = 200 },
  { 0 }
};

static void
test_script (Fixture *f, gconstpointer data)
{
  give (f, "alice", "wonder:land");
  g_assert_cmpint (run (f, data), ==, 200);
}

static void
test_odd_characters (Fixture *f, gconstpointer data)
{
  f->user = "al:i\"c\\e@m\xc3\xbcller";
  f->password = ":p\xc3\xa4ss\":\\ w\xe2\x82\xacrd:";
  give (f, f->user, f->password);
  g_assert_cmpint (run (f, strongest_first), ==, 200);
}

static void
test_wrong_password (Fixture *f, gconstpointer data)
{
  static const Step refused[]
      = { { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"\r\n" },
          { .nonce = "1",
            .nc = 1,
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"2\", qop=\"auth\"\r\n" },
          { 0 } };
  static const Step again[]
      = { { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"3\", qop=\"auth\"\r\n" },
          { .nonce = "3",
            .nc = 1,
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"3\", qop=\"auth\"\r\n" },
          { 0 } };
  static const Step right[] = {
    { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"3\", qop=\"auth\"\r\n" },
    { .nonce = "3", .nc = 1, .status = 200 },
    { 0 }
  };

  f->password = NULL;           /* the server does not look; the script says no */
  give (f, "alice", "wrong");
  g_assert_cmpint (run (f, refused), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_REFUSED);
  g_assert_cmpint (run (f, again), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_REFUSED);
  f->password = "wonder:land";
  give (f, "alice", f->password);
  g_assert_cmpint (run (f, right), ==, 200);
}

static void
test_nonces (Fixture *f, gconstpointer data)
{
  static const Step first[] = {
    { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"\r\n" },
    { .nonce = "1", .nc = 1, .status = 200 },
    { 0 }
  };
  static const Step stale[]
      = { { .nonce = "1",
            .nc = 2,
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", stale=true\r\n" },
          { .nonce = "2", .nc = 1, .status = 200, .headers = "Authentication-Info: nextnonce=\"3\"\r\n" },
          { 0 } };
  static const Step ran_out_unsaid[]
      = { { .nonce = "3",
            .nc = 1,
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"4\", qop=\"auth\"\r\n" },
          { .nonce = "4", .nc = 1, .status = 200 },
          { 0 } };
  static const Step last[] = { { .nonce = "4", .nc = 2, .status = 200 }, { 0 } };

  give (f, "alice", "wonder:land");
  g_assert_cmpint (run (f, first), ==, 200);
  g_assert_cmpint (run (f, stale), ==, 200);
  g_assert_cmpint (run (f, ran_out_unsaid), ==, 200);
  g_assert_cmpint (run (f, last), ==, 200);
  g_assert_cmpuint (f->n_answers, ==, 1);
}

static void
test_stale_for_ever (Fixture *f, gconstpointer data)
{
  static const Step steps[]
      = { { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", qop=\"auth\"\r\n" },
          { .nonce = "1",
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"2\", qop=\"auth\", stale=true\r\n" },
          { .nonce = "2",
            .status = 401,
            .headers = WWW "Digest realm=\"r\", nonce=\"3\", qop=\"auth\", stale=true\r\n" },
          { 0 } };

  give (f, "alice", "wonder:land");
  g_assert_cmpint (run (f, steps), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_REFUSED);
}

static void
test_unsupported (Fixture *f, gconstpointer data)
{
  static const Step algorithm[] = {
    { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\", algorithm=SHA-3-1024\r\n" }, { 0 }
  };
  static const Step basic[] = { { .status = 401, .headers = WWW "Basic realm=\"r\"\r\n" }, { 0 } };
  static const Step one_realm_of_two[] = {
    { .status = 401, .headers = WWW "Digest realm=\"a\", nonce=\"1\"\r\n" WWW "Basic realm=\"b\"\r\n" }, { 0 }
  };

  give (f, "alice", "wonder:land");
  g_assert_cmpint (run (f, algorithm), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_UNSUPPORTED);
  g_assert_cmpint (run (f, basic), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_UNSUPPORTED);
  g_assert_cmpint (run (f, one_realm_of_two), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_UNSUPPORTED);
}

static void
test_no_password (Fixture *f, gconstpointer data)
{
  static const Step challenged[]
      = { { .status = 401, .headers = WWW "Digest realm=\"r\", nonce=\"1\"\r\n" }, { 0 } };

  give (f, "alice", NULL);
  g_assert_cmpint (run (f, challenged), ==, 904);
  g_assert_cmpint (f->answer, ==, UA_ANSWER_NO_PASSWORD);
}

/* A handle outlives its credentials: nothing is sent for them any more. */
static void
test_freed (Fixture *f, gconstpointer data)
{
  static const Step after[] = { { .status = 200 }, { 0 } };

  give (f, "alice", "wonder:land");
  g_assert_cmpint (run (f, strongest_first), ==, 200);
  g_clear_pointer (&f->credentials, ua_credentials_free);
  g_assert_cmpint (run (f, after), ==, 200);
}

/* Outside of registrations: a call, with a body that auth-int covers. */
static void
test_invite (Fixture *f, gconstpointer data)
{
  static const Step steps[]
      = { { .status = 407,
            .headers = PROXY "Digest realm=\"r\", nonce=\"1\", qop=\"auth-int\", algorithm=SHA-256\r\n" },
          { .proxy_nonce = "1", .nc = 1, .status = 486 },
          { 0 } };

  give (f, "alice", "wonder:land");
  f->steps = steps;
  nua_invite (f->phone.nh, SIPTAG_CONTENT_TYPE_STR ("application/sdp"), SIPTAG_PAYLOAD_STR ("v=0\r\n"),
              TAG_END ());
  bench_wait (&f->done);
  g_assert_cmpint (f->phone.status, ==, 486);
  g_assert_cmpuint (f->n_requests, ==, 2);
}

#define ADD(path, data, function) g_test_add ("/sip/digest/" path, Fixture, data, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  g_test_init (&argc, &argv, NULL);
  if (!ua_platform_init (&error))
    g_error ("%s", error->message);
  ADD ("algorithms", NULL, test_algorithms);
  ADD ("strongest-last", strongest_last, test_script);
  ADD ("strongest-first", strongest_first, test_script);
  ADD ("unknown-first", unknown_first, test_script);
  ADD ("userhash", userhash, test_script);
  ADD ("unquoted-realm", unquoted_realm, test_script);
  ADD ("auth-int", auth_int, test_script);
  ADD ("both-at-once", both_at_once, test_script);
  ADD ("one-after-the-other", one_after_the_other, test_script);
  ADD ("odd-characters", NULL, test_odd_characters);
  ADD ("wrong-password", NULL, test_wrong_password);
  ADD ("nonces", NULL, test_nonces);
  ADD ("stale-for-ever", NULL, test_stale_for_ever);
  ADD ("unsupported", NULL, test_unsupported);
  ADD ("no-password", NULL, test_no_password);
  ADD ("freed", NULL, test_freed);
  ADD ("invite", NULL, test_invite);
  return g_test_run ();
}
