/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS through the whole of sofia-sip: a nua sends OPTIONS to a server on a thread, with every kind of
 * certificate that servers have. Each case says what the phone must report, and whether the request may reach
 * the server. */

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-tls-phone.h"
#include "sip/ua-platform.h"

#define NAME "sip.example.org"

typedef struct
{
  const char *path;
  BenchServerSpec server;
  BenchTlsPhoneSpec phone;
  char **cert;                  /* ours */
  UaTlsReason reason;           /* what comes of it */
  gboolean late;                /* it is reported after a connected */
  const char *text;             /* part of the text; NULL: any */
} Case;

static const Case cases[] = {
  { "dns", .server.cert = { .name = "x", .san = "DNS:" NAME }, .phone.domain = NAME },
  { "dns-tls-1.2", .server.cert = { .name = "x", .san = "DNS:" NAME }, .phone.domain = NAME,
    .server.max_version = TLS1_2_VERSION },
  { "chain", .server.cert = { .name = "x", .san = "DNS:" NAME }, .server.issuer = BENCH_FROM_INTERMEDIATE,
    .phone.domain = NAME },
  { "wildcard", .server.cert = { .name = "x", .san = "DNS:*.example.org" }, .phone.domain = NAME },
  { "ip", .server.cert = { .name = "x", .san = "IP:" BENCH_TLS_SERVER }, .phone.domain = BENCH_TLS_SERVER },
  { "ip-of-uri", .server.cert = { .name = "x", .san = "IP:" BENCH_TLS_SERVER } },
  { "host-of-uri", .server.cert = { .name = "x", .san = "DNS:" NAME }, .phone.host = NAME },
  { "sip-uri", .server.cert = { .name = "x", .san = "DNS:sbc.example.net,URI:sip:example.org" },
    .phone.domain = "example.org" },
  { "sip-uri-of-uri", .server.cert = { .name = "x", .san = "DNS:sbc.example.net,URI:sip:" NAME },
    .phone.host = NAME },
  { "common-name", .server.cert = { .name = NAME }, .phone.domain = NAME },
  { "server-usage", .server.cert = { .name = NAME, .usage = "serverAuth" }, .phone.domain = NAME },
  { "sip-usage", .server.cert = { .name = NAME, .usage = "1.3.6.1.5.5.7.3.20" }, .phone.domain = NAME },
  { "pinned", .server.cert = { .name = NAME }, .server.issuer = BENCH_FROM_ITSELF,
    .phone.trust = BENCH_TRUST_CERT, .phone.domain = NAME },
  { "pinned-not-root", .server.cert = { .name = NAME }, .server.issuer = BENCH_FROM_OTHER,
    .phone.trust = BENCH_TRUST_CERT, .phone.domain = NAME },

  { "expired", .server.cert = { .name = NAME, .from = -20, .until = -10 }, .phone.domain = NAME,
    .reason = UA_TLS_EXPIRED, .text = "expired on" },
  { "not-yet-valid", .server.cert = { .name = NAME, .from = 10, .until = 20 }, .phone.domain = NAME,
    .reason = UA_TLS_NOT_YET_VALID, .text = "clock" },
  { "unknown-issuer", .server.cert = { .name = NAME }, .server.issuer = BENCH_FROM_OTHER,
    .phone.domain = NAME, .reason = UA_TLS_UNKNOWN_ISSUER, .text = "Other CA" },
  { "system-store", .server.cert = { .name = NAME }, .phone.trust = BENCH_TRUST_SYSTEM, .phone.domain = NAME,
    .reason = UA_TLS_UNKNOWN_ISSUER },
  { "other-ca", .server.cert = { .name = NAME }, .phone.trust = BENCH_TRUST_OTHER_CA, .phone.domain = NAME,
    .reason = UA_TLS_UNKNOWN_ISSUER, .text = "Test CA" },
  { "self-signed", .server.cert = { .name = NAME }, .server.issuer = BENCH_FROM_ITSELF, .phone.domain = NAME,
    .reason = UA_TLS_SELF_SIGNED },
  { "wrong-name", .server.cert = { .name = NAME, .san = "DNS:sip.example.net" }, .phone.domain = NAME,
    .reason = UA_TLS_NAME_MISMATCH,
    .text = "is for sip.example.net, not for sip.example.org" },
  { "wrong-host-of-uri", .server.cert = { .name = "x", .san = "DNS:sip.example.net" }, .phone.host = NAME,
    .reason = UA_TLS_NAME_MISMATCH },
  { "wrong-ip", .server.cert = { .name = "x", .san = "IP:127.10.2.9" }, .phone.domain = BENCH_TLS_SERVER,
    .reason = UA_TLS_NAME_MISMATCH },
  { "wildcard-too-deep", .server.cert = { .name = "x", .san = "DNS:*.example.org" },
    .phone.domain = "a.sip.example.org", .reason = UA_TLS_NAME_MISMATCH },
  { "sip-uri-with-user", .server.cert = { .name = "x", .san = "URI:sip:alice@" NAME }, .phone.domain = NAME,
    .reason = UA_TLS_NAME_MISMATCH },
  { "client-usage", .server.cert = { .name = NAME, .usage = "clientAuth" }, .phone.domain = NAME,
    .reason = UA_TLS_BAD_CERTIFICATE, .text = "purpose" },
  { "tls-1.1", .server.cert = { .name = NAME }, .phone.domain = NAME, .server.max_version = TLS1_1_VERSION,
    .reason = UA_TLS_PROTOCOL },
  { "plain", .server.cert = { .name = NAME }, .server.manner = BENCH_SPEAKS_PLAIN, .phone.domain = NAME,
    .reason = UA_TLS_REFUSED, .text = "does not speak TLS" },
  { "hang-up", .server.cert = { .name = NAME }, .server.manner = BENCH_HANGS_UP, .phone.domain = NAME,
    .reason = UA_TLS_REFUSED, .text = "closed" },

  { "client-cert", .server.cert = { .name = NAME }, .phone.domain = NAME, .server.wants_client = TRUE,
    .cert = &bench_authorities.client_path },
  { "client-cert-tls-1.2", .server.cert = { .name = NAME }, .phone.domain = NAME,
    .server.wants_client = TRUE, .cert = &bench_authorities.client_path,
    .server.max_version = TLS1_2_VERSION },
  { "client-cert-missing", .server.cert = { .name = NAME }, .phone.domain = NAME,
    .server.wants_client = TRUE, .reason = UA_TLS_CLIENT_CERT, .late = TRUE,
    .text = "tls-cert" },
  { "client-cert-missing-tls-1.2", .server.cert = { .name = NAME }, .phone.domain = NAME,
    .server.wants_client = TRUE, .server.max_version = TLS1_2_VERSION,
    .reason = UA_TLS_CLIENT_CERT, .text = "tls-cert" },
  { "client-cert-unknown", .server.cert = { .name = NAME }, .phone.domain = NAME,
    .server.wants_client = TRUE, .cert = &bench_authorities.other_client_path,
    .reason = UA_TLS_CLIENT_CERT, .late = TRUE },

  { "no-verify/good", .server.cert = { .name = NAME }, .phone.domain = NAME, .phone.no_verify = TRUE },
  { "no-verify/wrong-name", .server.cert = { .name = "x" }, .phone.domain = NAME, .phone.no_verify = TRUE,
    .text = "is for CN=x" },
  { "no-verify/self-signed", .server.cert = { .name = NAME }, .server.issuer = BENCH_FROM_ITSELF,
    .phone.domain = NAME, .phone.no_verify = TRUE, .text = "self-signed" },
  { "no-verify/expired", .server.cert = { .name = NAME, .from = -20, .until = -10 }, .phone.domain = NAME,
    .phone.no_verify = TRUE, .text = "expired" },
};

static void
test_case (gconstpointer data)
{
  const Case *what = data;
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL;
  gboolean good = what->reason == UA_TLS_OK;
  BenchTlsPhoneSpec spec = what->phone;

  bench_server_start (&server, &what->server, BENCH_TLS_SERVER, 0);
  spec.trusted = server.cert;
  spec.cert = what->cert != NULL ? *what->cert : NULL;
  bench_tls_phone_start (&f, &spec);
  url = bench_tls_url (what->phone.host, server.port);
  bench_tls_phone_send (&f, url);

  g_assert_cmpint (f.phone.status, ==, good ? 200 : 503);
  g_assert_cmpint (f.reason, ==, what->reason);
  g_assert_cmpuint (f.n_outcomes, ==, what->late ? 2 : 1);
  g_assert_cmpuint (f.outcomes_at_final, ==, f.n_outcomes);
  g_assert_cmpint (f.reasons[0], ==, what->late ? UA_TLS_OK : what->reason);
  g_assert_cmpuint (g_atomic_int_get (&server.n_requests), ==, good ? 1 : 0);
  if (what->text != NULL)
    g_assert_nonnull (strstr (f.text, what->text));
  if (good && what->text != NULL)
    g_assert_nonnull (strstr (bench_log_warning (), what->text));
  if (good)
    {
      g_assert_cmpstr (f.version, ==, what->server.max_version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
      g_assert_true (g_str_has_prefix (f.subject, "CN="));
      g_assert_true (f.verified == (what->text == NULL));
    }
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
}

static void
test_sni (void)
{
  static const Case named = { "", .server.cert = { .name = NAME }, .phone.domain = "SIP.example.org." };
  static const Case literal = { "", .server.cert = { .name = "x", .san = "IP:" BENCH_TLS_SERVER } };
  const Case *whats[] = { &named, &literal };

  for (guint i = 0; i < G_N_ELEMENTS (whats); i++)
    {
      BenchTlsPhone f = { 0 };
      BenchServer server;
      g_autofree char *url = NULL;

      bench_server_start (&server, &whats[i]->server, BENCH_TLS_SERVER, 0);
      bench_tls_phone_start (&f, &whats[i]->phone);
      url = bench_tls_url (whats[i]->phone.host, server.port);
      bench_tls_phone_send (&f, url);
      g_assert_cmpint (f.phone.status, ==, 200);
      bench_tls_phone_stop (&f);
      bench_wait_count (&server.n_closed, 1);
      g_assert_cmpstr (server.sni, ==, i == 0 ? NAME : NULL);
      bench_server_stop (&server);
    }
}

/* Without a policy, or with one that was freed, nothing is sent, whatever the certificate. */
static void
test_no_policy (gconstpointer data)
{
  static const Case good = { "", .server.cert = { .name = NAME }, .phone.domain = NAME,
    .phone.no_verify = TRUE };
  gboolean freed = GPOINTER_TO_INT (data);
  BenchTlsPhone f = { 0 };
  BenchServer server;
  g_autofree char *url = NULL;

  bench_server_start (&server, &good.server, BENCH_TLS_SERVER, 0);
  if (freed)
    {
      bench_tls_phone_start (&f, &good.phone);
      g_clear_pointer (&f.policy, ua_tls_policy_free);
    }
  else
    bench_phone_start (&f.phone, BENCH_TLS_PHONE, TAG_END ());
  url = bench_tls_url (good.phone.host, server.port);
  bench_tls_phone_send (&f, url);
  g_assert_cmpint (f.phone.status, ==, 503);
  if (!freed)
    g_assert_nonnull (strstr (bench_log_warning (), "without a policy"));
  g_assert_cmpuint (f.n_outcomes, ==, 0);
  bench_wait_count (&server.n_closed, 1);
  g_assert_cmpuint (server.n_requests, ==, 0);
  bench_tls_phone_stop (&f);
  bench_server_stop (&server);
}

static void
test_bad_files (void)
{
  g_autofree char *missing = g_build_filename (bench_authorities.directory, "missing.pem", NULL);
  const UaTlsParams bad[] = {
    { .ca = missing },
    { .ca = bench_authorities.empty_path },
    { .cert = missing },
    { .cert = bench_authorities.ca_path },
    { .cert = bench_authorities.empty_path },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      UaTlsPolicy *policy = ua_tls_policy_new (&bad[i], NULL, NULL, &error);

      g_assert_null (policy);
      g_assert_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION);
      g_assert_nonnull (strstr (error->message, bad[i].ca != NULL ? bad[i].ca : bad[i].cert));
      g_assert_nonnull (strstr (error->message, bad[i].ca != NULL ? "tls-ca" : "tls-cert"));
    }
}

/* Who is not sofia gets OpenSSL as it is: this client verifies nothing and succeeds. */
static void
test_other_users (void)
{
  static const Case self_signed = { "", .server.cert = { .name = "x" }, .server.issuer = BENCH_FROM_ITSELF };
  static const char request[]
      = "OPTIONS sip:x SIP/2.0\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
  BenchServer server;
  SSL_CTX *ctx = SSL_CTX_new (TLS_client_method ());
  SSL *ssl = SSL_new (ctx);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr (BENCH_TLS_SERVER) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char response[1024];

  bench_server_start (&server, &self_signed.server, BENCH_TLS_SERVER, 0);
  address.sin_port = htons (server.port);
  g_assert_cmpint (connect (fd, (struct sockaddr *) &address, sizeof address), ==, 0);
  SSL_set_fd (ssl, fd);
  g_assert_cmpint (SSL_connect (ssl), ==, 1);
  g_assert_cmpint (SSL_write (ssl, request, sizeof request - 1), >, 0);
  g_assert_cmpint (SSL_read (ssl, response, sizeof response), >, 0);
  g_assert_cmpint (SSL_shutdown (ssl), >=, 0);
  SSL_free (ssl);
  SSL_CTX_free (ctx);
  close (fd);
  bench_server_stop (&server);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  bench_log_init ();
  if (!ua_platform_init (&error))
    g_error ("%s", error->message);
  bench_authorities_make ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/sip/tls/case/", cases[i].path, NULL);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/sip/tls/sni", test_sni);
  g_test_add_data_func ("/sip/tls/no-policy", GINT_TO_POINTER (FALSE), test_no_policy);
  g_test_add_data_func ("/sip/tls/freed-policy", GINT_TO_POINTER (TRUE), test_no_policy);
  g_test_add_func ("/sip/tls/bad-files", test_bad_files);
  g_test_add_func ("/sip/tls/other-users", test_other_users);
  result = g_test_run ();
  bench_authorities_remove ();
  return result;
}
