/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* TLS through the whole of sofia-sip: a nua sends OPTIONS to a server on a thread, with every kind of certificate that servers
 * have. Each case says what the phone must report, and whether the request may reach the server. */

#include <arpa/inet.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sofia-sip/nta_tag.h>
#include <sofia-sip/nua_tag.h>
#include <sofia-sip/sip_tag.h>
#include <sofia-sip/sresolv.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench-certs.h"
#include "sip-bench.h"
#include "sip/ua-platform.h"
#include "sip/ua-tls.h"

#define SERVER "127.10.2.1"
#define OTHER_SERVER "127.10.2.3"
#define PHONE "sips:127.10.2.2:*"

/* ---- certificates ---- */

static char *directory;
static BenchCert *ca, *intermediate, *other_ca;
static char *ca_path, *other_ca_path, *client_path, *other_client_path, *empty_path;

static char *
write_cert (const BenchCert *cert, gboolean with_key, const char *name)
{
  char *path = g_build_filename (directory, name, NULL);

  bench_cert_write (cert, with_key, path);
  return path;
}

static void
make_authorities (void)
{
  g_autoptr (BenchCert) client = NULL, other_client = NULL;
  g_autoptr (GError) error = NULL;

  directory = g_dir_make_tmp ("tls-XXXXXX", &error);
  g_assert_no_error (error);
  ca = bench_cert_new (&(BenchCertSpec) { .name = "Test CA", .is_ca = TRUE, .from = -30, .until = 30 }, NULL);
  intermediate = bench_cert_new (&(BenchCertSpec) { .name = "Test Intermediate", .is_ca = TRUE, .from = -30, .until = 30 }, ca);
  other_ca = bench_cert_new (&(BenchCertSpec) { .name = "Other CA", .is_ca = TRUE, .from = -30, .until = 30 }, NULL);
  client = bench_cert_new (&(BenchCertSpec) { .name = "alice", .usage = "clientAuth" }, ca);
  other_client = bench_cert_new (&(BenchCertSpec) { .name = "mallory", .usage = "clientAuth" }, other_ca);
  ca_path = write_cert (ca, FALSE, "ca.pem");
  other_ca_path = write_cert (other_ca, FALSE, "other-ca.pem");
  client_path = write_cert (client, TRUE, "client.pem");
  other_client_path = write_cert (other_client, TRUE, "other-client.pem");
  empty_path = g_build_filename (directory, "empty.pem", NULL);
  g_file_set_contents (empty_path, "", 0, &error);
  g_assert_no_error (error);
}

static void
remove_authorities (void)
{
  char **paths[] = { &ca_path, &other_ca_path, &client_path, &other_client_path, &empty_path };

  for (guint i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_unlink (*paths[i]);
      g_free (*paths[i]);
    }
  g_rmdir (directory);
  g_free (directory);
  bench_cert_free (ca);
  bench_cert_free (intermediate);
  bench_cert_free (other_ca);
}

/* ---- cases ---- */

typedef enum { FROM_CA, FROM_INTERMEDIATE, FROM_OTHER, FROM_ITSELF } Issuer;
typedef enum { SPEAKS_TLS, SPEAKS_PLAIN, HANGS_UP } Manner;
typedef enum { TRUST_CA, TRUST_OTHER_CA, TRUST_SYSTEM, TRUST_SERVER } Trust;

typedef struct
{
  const char *path;
  /* the server */
  BenchCertSpec spec;
  Issuer issuer;
  Manner manner;
  int max_version;
  gboolean wants_client;
  /* the phone */
  const char *domain;
  const char *host;             /* in the URI, with maddr; NULL: the address itself */
  Trust trust;
  gboolean no_verify;
  char **cert;
  /* what comes of it */
  UaTlsReason reason;
  gboolean late;                /* it is reported after a connected */
  const char *text;             /* part of the text; NULL: any */
} Case;

#define NAME "sip.example.org"

static const Case cases[] = {
  { "dns", { .name = "x", .san = "DNS:" NAME }, .domain = NAME },
  { "dns-tls-1.2", { .name = "x", .san = "DNS:" NAME }, .domain = NAME, .max_version = TLS1_2_VERSION },
  { "chain", { .name = "x", .san = "DNS:" NAME }, .issuer = FROM_INTERMEDIATE, .domain = NAME },
  { "wildcard", { .name = "x", .san = "DNS:*.example.org" }, .domain = NAME },
  { "ip", { .name = "x", .san = "IP:" SERVER }, .domain = SERVER },
  { "ip-of-uri", { .name = "x", .san = "IP:" SERVER } },
  { "host-of-uri", { .name = "x", .san = "DNS:" NAME }, .host = NAME },
  { "sip-uri", { .name = "x", .san = "DNS:sbc.example.net,URI:sip:example.org" }, .domain = "example.org" },
  { "sip-uri-of-uri", { .name = "x", .san = "DNS:sbc.example.net,URI:sip:" NAME }, .host = NAME },
  { "common-name", { .name = NAME }, .domain = NAME },
  { "server-usage", { .name = NAME, .usage = "serverAuth" }, .domain = NAME },
  { "sip-usage", { .name = NAME, .usage = "1.3.6.1.5.5.7.3.20" }, .domain = NAME },
  { "pinned", { .name = NAME }, .issuer = FROM_ITSELF, .trust = TRUST_SERVER, .domain = NAME },
  { "pinned-not-root", { .name = NAME }, .issuer = FROM_OTHER, .trust = TRUST_SERVER, .domain = NAME },

  { "expired", { .name = NAME, .from = -20, .until = -10 }, .domain = NAME, .reason = UA_TLS_EXPIRED, .text = "expired on" },
  { "not-yet-valid", { .name = NAME, .from = 10, .until = 20 }, .domain = NAME, .reason = UA_TLS_NOT_YET_VALID, .text = "clock" },
  { "unknown-issuer", { .name = NAME }, .issuer = FROM_OTHER, .domain = NAME, .reason = UA_TLS_UNKNOWN_ISSUER, .text = "Other CA" },
  { "system-store", { .name = NAME }, .trust = TRUST_SYSTEM, .domain = NAME, .reason = UA_TLS_UNKNOWN_ISSUER },
  { "other-ca", { .name = NAME }, .trust = TRUST_OTHER_CA, .domain = NAME, .reason = UA_TLS_UNKNOWN_ISSUER, .text = "Test CA" },
  { "self-signed", { .name = NAME }, .issuer = FROM_ITSELF, .domain = NAME, .reason = UA_TLS_SELF_SIGNED },
  { "wrong-name", { .name = NAME, .san = "DNS:sip.example.net" }, .domain = NAME, .reason = UA_TLS_NAME_MISMATCH,
    .text = "is for sip.example.net, not for sip.example.org" },
  { "wrong-host-of-uri", { .name = "x", .san = "DNS:sip.example.net" }, .host = NAME, .reason = UA_TLS_NAME_MISMATCH },
  { "wrong-ip", { .name = "x", .san = "IP:127.10.2.9" }, .domain = SERVER, .reason = UA_TLS_NAME_MISMATCH },
  { "wildcard-too-deep", { .name = "x", .san = "DNS:*.example.org" }, .domain = "a.sip.example.org", .reason = UA_TLS_NAME_MISMATCH },
  { "sip-uri-with-user", { .name = "x", .san = "URI:sip:alice@" NAME }, .domain = NAME, .reason = UA_TLS_NAME_MISMATCH },
  { "client-usage", { .name = NAME, .usage = "clientAuth" }, .domain = NAME, .reason = UA_TLS_BAD_CERTIFICATE, .text = "purpose" },
  { "tls-1.1", { .name = NAME }, .domain = NAME, .max_version = TLS1_1_VERSION, .reason = UA_TLS_PROTOCOL },
  { "plain", { .name = NAME }, .manner = SPEAKS_PLAIN, .domain = NAME, .reason = UA_TLS_REFUSED, .text = "does not speak TLS" },
  { "hang-up", { .name = NAME }, .manner = HANGS_UP, .domain = NAME, .reason = UA_TLS_REFUSED, .text = "closed" },

  { "client-cert", { .name = NAME }, .domain = NAME, .wants_client = TRUE, .cert = &client_path },
  { "client-cert-tls-1.2", { .name = NAME }, .domain = NAME, .wants_client = TRUE, .cert = &client_path, .max_version = TLS1_2_VERSION },
  { "client-cert-missing", { .name = NAME }, .domain = NAME, .wants_client = TRUE, .reason = UA_TLS_CLIENT_CERT, .late = TRUE,
    .text = "tls-cert" },
  { "client-cert-missing-tls-1.2", { .name = NAME }, .domain = NAME, .wants_client = TRUE, .max_version = TLS1_2_VERSION,
    .reason = UA_TLS_CLIENT_CERT, .text = "tls-cert" },
  { "client-cert-unknown", { .name = NAME }, .domain = NAME, .wants_client = TRUE, .cert = &other_client_path,
    .reason = UA_TLS_CLIENT_CERT, .late = TRUE },

  { "no-verify/good", { .name = NAME }, .domain = NAME, .no_verify = TRUE },
  { "no-verify/wrong-name", { .name = "x" }, .domain = NAME, .no_verify = TRUE, .text = "is for CN=x" },
  { "no-verify/self-signed", { .name = NAME }, .issuer = FROM_ITSELF, .domain = NAME, .no_verify = TRUE, .text = "self-signed" },
  { "no-verify/expired", { .name = NAME, .from = -20, .until = -10 }, .domain = NAME, .no_verify = TRUE, .text = "expired" },
};

/* ---- the server ---- */

typedef struct
{
  const Case *what;
  BenchCert *cert;
  SSL_CTX *ctx;
  int listener;
  guint16 port;
  GThread *thread;
  gboolean stays_open;
  GAsyncQueue *second_half;     /* not NULL: a response comes in two pieces, the second after a push */
  guint n_halves;               /* atomic: first halves sent */
  guint n_accepted, n_requests, n_closed;       /* atomic */
  char *sni;                    /* of the last connection; read after the thread ended */
} Server;

static gboolean
on_nothing (gpointer data)
{
  return G_SOURCE_REMOVE;
}

/* Counters change on the server's thread; the waiting loop has to look again. */
static void
count (guint *counter)
{
  g_atomic_int_inc (counter);
  g_idle_add (on_nothing, NULL);
}

/* Half a TLS record, and the other half when the test says so. */
static void
send_in_halves (Server *server, SSL *ssl, const char *response)
{
  BIO *memory = BIO_new (BIO_s_mem ());
  char *data;
  long length;

  SSL_set0_wbio (ssl, memory);
  g_assert_cmpint (SSL_write (ssl, response, strlen (response)), >, 0);
  length = BIO_get_mem_data (memory, &data);
  g_assert_cmpint (send (SSL_get_rfd (ssl), data, length / 2, MSG_NOSIGNAL), ==, length / 2);
  count (&server->n_halves);
  g_async_queue_pop (server->second_half);
  g_assert_cmpint (send (SSL_get_rfd (ssl), data + length / 2, length - length / 2, MSG_NOSIGNAL), ==, length - length / 2);
}

/* One request, one response, and the end of the connection; or requests until the phone ends it. */
static void
serve_sip (Server *server, SSL *ssl)
{
  char request[8192];
  int n;

  do
    {
      g_autofree char *response = NULL;

      n = SSL_read (ssl, request, sizeof request - 1);
      if (n <= 0)
        return;
      request[n] = '\0';
      g_assert_nonnull (strstr (request, "\r\n\r\n"));
      g_assert_true (g_str_has_prefix (request, "OPTIONS "));
      count (&server->n_requests);
      response = bench_response (request, 200, NULL);
      if (server->second_half != NULL)
        send_in_halves (server, ssl, response);
      else
        SSL_write (ssl, response, strlen (response));
    }
  while (server->stays_open);
  SSL_shutdown (ssl);
}

static void
serve_tls (Server *server, int fd)
{
  SSL *ssl = SSL_new (server->ctx);

  SSL_set_fd (ssl, fd);
  if (SSL_accept (ssl) == 1)
    {
      g_free (server->sni);
      server->sni = g_strdup (SSL_get_servername (ssl, TLSEXT_NAMETYPE_host_name));
      serve_sip (server, ssl);
    }
  SSL_free (ssl);
}

static void
serve_plain (int fd)
{
  static const char text[] = "SIP/2.0 400 Not over TLS\r\nContent-Length: 0\r\n\r\n";
  char buffer[4096];

  g_assert_cmpint (recv (fd, buffer, sizeof buffer, 0), >, 0);
  g_assert_cmpint (send (fd, text, sizeof text - 1, MSG_NOSIGNAL), ==, sizeof text - 1);
}

typedef struct
{
  Server *server;
  int fd;
} Guest;

static gpointer
run_connection (gpointer data)
{
  g_autofree Guest *guest = data;
  Server *server = guest->server;
  char rest[256];

  if (server->what->manner == SPEAKS_TLS)
    serve_tls (server, guest->fd);
  else if (server->what->manner == SPEAKS_PLAIN)
    serve_plain (guest->fd);
  /* until the phone has closed it too */
  shutdown (guest->fd, SHUT_WR);
  while (recv (guest->fd, rest, sizeof rest, 0) > 0)
    ;
  close (guest->fd);
  ERR_clear_error ();
  count (&server->n_closed);
  return NULL;
}

/* A thread for the listener, and one for each connection, which is done when it is counted in n_closed. */
static gpointer
run_server (gpointer data)
{
  Server *server = data;
  int fd;

  while ((fd = accept (server->listener, NULL, NULL)) >= 0)
    {
      Guest *guest = g_new (Guest, 1);

      *guest = (Guest) { server, fd };
      count (&server->n_accepted);
      g_thread_unref (g_thread_new ("connection", run_connection, guest));
    }
  return NULL;
}

static void
open_listener (Server *server, const char *address, guint16 port)
{
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr (address), .sin_port = htons (port) };
  socklen_t length = sizeof any;
  const int on = 1;

  server->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  g_assert_cmpint (bind (server->listener, (struct sockaddr *) &any, sizeof any), ==, 0);
  g_assert_cmpint (listen (server->listener, 8), ==, 0);
  getsockname (server->listener, (struct sockaddr *) &any, &length);
  server->port = ntohs (any.sin_port);
}

static void
server_start (Server *server, const Case *what, const char *address, guint16 port)
{
  const BenchCert *issuers[] = { [FROM_CA] = ca, [FROM_INTERMEDIATE] = intermediate, [FROM_OTHER] = other_ca, [FROM_ITSELF] = NULL };

  *server = (Server) { .what = what, .cert = bench_cert_new (&what->spec, issuers[what->issuer]) };
  server->ctx = SSL_CTX_new (TLS_server_method ());
  if (what->max_version == TLS1_1_VERSION)
    {
      SSL_CTX_set_security_level (server->ctx, 0);
      SSL_CTX_set_min_proto_version (server->ctx, TLS1_VERSION);
    }
  SSL_CTX_set_max_proto_version (server->ctx, what->max_version);
  SSL_CTX_set_session_cache_mode (server->ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_use_certificate (server->ctx, server->cert->certificate);
  SSL_CTX_use_PrivateKey (server->ctx, server->cert->key);
  if (what->issuer == FROM_INTERMEDIATE)
    SSL_CTX_add1_chain_cert (server->ctx, intermediate->certificate);
  if (what->wants_client)
    {
      SSL_CTX_set_verify (server->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
      g_assert_cmpint (SSL_CTX_load_verify_file (server->ctx, ca_path), ==, 1);
    }
  open_listener (server, address, port);
  server->thread = g_thread_new ("server", run_server, server);
}

static void
server_stop (Server *server)
{
  shutdown (server->listener, SHUT_RDWR);
  g_thread_join (server->thread);
  bench_wait_count (&server->n_closed, server->n_accepted);
  close (server->listener);
  SSL_CTX_free (server->ctx);
  bench_cert_free (server->cert);
  g_free (server->sni);
}

/* ---- the phone ---- */

typedef struct
{
  BenchPhone phone;
  Server server;
  UaTlsPolicy *policy;
  guint n_outcomes;
  UaTlsReason reasons[4];       /* the first ones */
  UaTlsReason reason;           /* the last */
  char *text, *subject, *version;
  gboolean verified;
  guint outcomes_at_final;
} Fixture;

static void
on_outcome (const UaTlsOutcome *outcome, gpointer data)
{
  Fixture *f = data;

  if (f->n_outcomes < G_N_ELEMENTS (f->reasons))
    g_test_message ("%s: %s", ua_tls_reason_to_string (outcome->reason), outcome->text);
  if (f->n_outcomes < G_N_ELEMENTS (f->reasons))
    f->reasons[f->n_outcomes] = outcome->reason;
  f->n_outcomes++;
  f->reason = outcome->reason;
  f->verified = outcome->verified;
  g_free (f->text);
  f->text = g_strdup (outcome->text);
  g_free (f->subject);
  f->subject = g_strdup (outcome->subject);
  g_free (f->version);
  f->version = g_strdup (outcome->version);
  if (outcome->subject != NULL)
    g_assert_cmpint (outcome->not_after, >, outcome->not_before);
}

static void
on_final (BenchPhone *phone, nua_event_t event, int status, nua_handle_t *nh, const sip_t *sip)
{
  Fixture *f = phone->data;

  f->outcomes_at_final = f->n_outcomes;
}

static void
start (Fixture *f, const Case *what, const char *resolv_conf)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *server_path = NULL;
  const char *trusted[] = { [TRUST_CA] = ca_path, [TRUST_OTHER_CA] = other_ca_path, [TRUST_SYSTEM] = NULL, [TRUST_SERVER] = NULL };
  UaTlsParams params = { .ca = trusted[what->trust], .cert = what->cert != NULL ? *what->cert : NULL, .verify = !what->no_verify,
                         .domain = what->domain };

  if (what->trust == TRUST_SERVER)
    params.ca = server_path = write_cert (f->server.cert, FALSE, "server.pem");
  f->policy = ua_tls_policy_new (&params, on_outcome, f, &error);
  g_assert_no_error (error);
  f->phone.data = f;
  f->phone.on_final = on_final;
  bench_phone_start (&f->phone, PHONE, NUTAG_CERTIFICATE_DIR (ua_tls_policy_get_path (f->policy)),
                     TAG_IF (resolv_conf != NULL, SRESTAG_RESOLV_CONF (resolv_conf)), TAG_END ());
  if (server_path != NULL)
    g_unlink (server_path);
}

static void
stop (Fixture *f)
{
  bench_phone_stop (&f->phone);
  ua_tls_policy_free (f->policy);
  ua_tls_flush ();
  g_free (f->text);
  g_free (f->subject);
  g_free (f->version);
}

static void
send_to (Fixture *f, const char *url)
{
  guint before = f->phone.n_finals;

  if (f->phone.nh != NULL)
    nua_handle_destroy (f->phone.nh);
  f->phone.nh = nua_handle (f->phone.nua, NULL, NUTAG_URL (url), SIPTAG_TO_STR ("sip:a@example.org"), TAG_END ());
  nua_options (f->phone.nh, TAG_END ());
  bench_wait_count (&f->phone.n_finals, before + 1);
}

/* The last warning that was logged. */
static char *warning;

static GLogWriterOutput
on_log (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if (level & G_LOG_LEVEL_DEBUG)
    return G_LOG_WRITER_HANDLED;
  if (!(level & G_LOG_LEVEL_WARNING))
    return g_log_writer_standard_streams (level, fields, n_fields, NULL);
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, "MESSAGE"))
      {
        g_free (warning);
        warning = g_strdup (fields[i].value);
      }
  return G_LOG_WRITER_HANDLED;
}

static char *
make_url (const Case *what, guint16 port)
{
  if (what->host == NULL)
    return g_strdup_printf ("sip:" SERVER ":%u;transport=tls", port);
  return g_strdup_printf ("sip:%s:%u;maddr=" SERVER ";transport=tls", what->host, port);
}

static void
test_case (gconstpointer data)
{
  const Case *what = data;
  Fixture f = { 0 };
  g_autofree char *url = NULL;
  gboolean good = what->reason == UA_TLS_OK;

  server_start (&f.server, what, SERVER, 0);
  start (&f, what, NULL);
  url = make_url (what, f.server.port);
  send_to (&f, url);

  g_assert_cmpint (f.phone.status, ==, good ? 200 : 503);
  g_assert_cmpint (f.reason, ==, what->reason);
  g_assert_cmpuint (f.n_outcomes, ==, what->late ? 2 : 1);
  g_assert_cmpuint (f.outcomes_at_final, ==, f.n_outcomes);
  g_assert_cmpint (f.reasons[0], ==, what->late ? UA_TLS_OK : what->reason);
  g_assert_cmpuint (g_atomic_int_get (&f.server.n_requests), ==, good ? 1 : 0);
  if (what->text != NULL)
    g_assert_nonnull (strstr (f.text, what->text));
  if (good && what->text != NULL)
    g_assert_nonnull (strstr (warning, what->text));
  if (good)
    {
      g_assert_cmpstr (f.version, ==, what->max_version == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
      g_assert_true (g_str_has_prefix (f.subject, "CN="));
      g_assert_true (f.verified == (what->text == NULL));
    }
  stop (&f);
  server_stop (&f.server);
}

static void
test_sni (void)
{
  static const Case named = { "", { .name = NAME }, .domain = "SIP.example.org." };
  static const Case literal = { "", { .name = "x", .san = "IP:" SERVER } };
  const Case *whats[] = { &named, &literal };

  for (guint i = 0; i < G_N_ELEMENTS (whats); i++)
    {
      Fixture f = { 0 };
      g_autofree char *url = NULL;

      server_start (&f.server, whats[i], SERVER, 0);
      start (&f, whats[i], NULL);
      url = make_url (whats[i], f.server.port);
      send_to (&f, url);
      g_assert_cmpint (f.phone.status, ==, 200);
      stop (&f);
      bench_wait_count (&f.server.n_closed, 1);
      g_assert_cmpstr (f.server.sni, ==, i == 0 ? NAME : NULL);
      server_stop (&f.server);
    }
}

/* Without a policy, or with one that was freed, nothing is sent, whatever the certificate. */
static void
test_no_policy (gconstpointer data)
{
  static const Case good = { "", { .name = NAME }, .domain = NAME, .no_verify = TRUE };
  gboolean freed = GPOINTER_TO_INT (data);
  Fixture f = { 0 };
  g_autofree char *url = NULL;

  server_start (&f.server, &good, SERVER, 0);
  if (freed)
    {
      start (&f, &good, NULL);
      g_clear_pointer (&f.policy, ua_tls_policy_free);
    }
  else
    {
      bench_phone_start (&f.phone, PHONE, TAG_END ());
    }
  url = make_url (&good, f.server.port);
  send_to (&f, url);
  g_assert_cmpint (f.phone.status, ==, 503);
  if (!freed)
    g_assert_nonnull (strstr (warning, "without a policy"));
  g_assert_cmpuint (f.n_outcomes, ==, 0);
  bench_wait_count (&f.server.n_closed, 1);
  g_assert_cmpuint (f.server.n_requests, ==, 0);
  stop (&f);
  server_stop (&f.server);
}

/* One phone after another: each failure is told, and the next attempt begins anew. */
static void
test_recovery (void)
{
  static const Case bad = { "", { .name = "x" }, .domain = NAME }, good = { "", { .name = NAME }, .domain = NAME };
  Fixture f = { 0 };
  g_autofree char *url = NULL;
  guint16 port;

  server_start (&f.server, &bad, SERVER, 0);
  port = f.server.port;
  start (&f, &bad, NULL);
  url = make_url (&bad, port);
  for (guint i = 1; i <= 3; i++)
    {
      send_to (&f, url);
      g_assert_cmpint (f.phone.status, ==, 503);
      g_assert_cmpuint (f.n_outcomes, ==, i);
      g_assert_cmpint (f.reason, ==, UA_TLS_NAME_MISMATCH);
    }
  bench_wait_count (&f.server.n_closed, 3);
  server_stop (&f.server);

  server_start (&f.server, &good, SERVER, port);
  send_to (&f, url);
  g_assert_cmpint (f.phone.status, ==, 200);
  g_assert_cmpint (f.reason, ==, UA_TLS_OK);
  stop (&f);
  server_stop (&f.server);
}

/* ---- two servers behind one name ---- */

typedef struct
{
  guint16 port[2];              /* of first.pool.invalid and second.pool.invalid */
  guint n_questions;
} Zone;

static void
put16 (GByteArray *packet, guint16 value)
{
  const guint8 octets[] = { value >> 8, value & 0xff };

  g_byte_array_append (packet, octets, 2);
}

/* Owner (the question's name), type, class, TTL, length. */
static void
put_record (GByteArray *packet, guint16 type, gsize length)
{
  put16 (packet, 0xc00c);
  put16 (packet, type);
  put16 (packet, 1);
  put16 (packet, 0);
  put16 (packet, 60);
  put16 (packet, length);
}

/* SRV: first, then second, by priority. A: their addresses. Everything else: nothing. */
static gboolean
on_question (GSocket *socket, GIOCondition condition, gpointer data)
{
  static const char *const targets[] = { "\5first\4pool\7invalid", "\6second\4pool\7invalid" };
  static const char *const addresses[] = { SERVER, OTHER_SERVER };
  Zone *zone = data;
  guint8 question[512];
  g_autoptr (GSocketAddress) from = NULL;
  gssize n = g_socket_receive_from (socket, &from, (char *) question, sizeof question - 1, NULL, NULL);
  gsize name_end = 12 + strnlen ((char *) question + 12, 255) + 1;
  guint16 type = question[name_end] << 8 | question[name_end + 1];
  g_autoptr (GByteArray) packet = g_byte_array_new ();
  guint n_answers = 0;

  g_assert_cmpint (n, >, 16);
  zone->n_questions++;
  g_byte_array_append (packet, question, name_end + 4);
  for (guint i = 0; i < 2; i++)
    {
      if (type == 33)
        {
          put_record (packet, type, 6 + strlen (targets[i]) + 1);
          put16 (packet, i);
          put16 (packet, 0);
          put16 (packet, zone->port[i]);
          g_byte_array_append (packet, (const guint8 *) targets[i], strlen (targets[i]) + 1);
          n_answers++;
        }
      else if (type == 1 && question[13] == "fs"[i])
        {
          in_addr_t address = inet_addr (addresses[i]);
          put_record (packet, type, 4);
          g_byte_array_append (packet, (const guint8 *) &address, 4);
          n_answers++;
        }
    }
  packet->data[2] = 0x84;       /* a response, with authority */
  packet->data[3] = 0;
  memset (packet->data + 6, 0, 6);
  packet->data[7] = n_answers;
  g_socket_send_to (socket, from, (char *) packet->data, packet->len, NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* The first of two SRV targets has a bad certificate: the request goes to the second, and both are told of. */
static void
test_failover (void)
{
  static const Case bad = { "", { .name = "x" }, .domain = "pool.invalid" };
  static const Case good = { "", { .name = "x", .san = "DNS:pool.invalid" }, .domain = "pool.invalid" };
  Fixture f = { 0 };
  Server second;
  Zone zone = { 0 };
  GSource *source;
  guint16 port;
  g_autoptr (GSocket) socket = bench_udp_new (SERVER, on_question, &zone, &port, &source);
  g_autofree char *path = g_build_filename (directory, "resolv.conf", NULL);
  g_autofree char *text = g_strdup_printf ("nameserver " SERVER "\nport %u\n", port);
  g_autoptr (GError) error = NULL;

  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  server_start (&f.server, &bad, SERVER, 0);
  server_start (&second, &good, OTHER_SERVER, 0);
  zone.port[0] = f.server.port;
  zone.port[1] = second.port;
  start (&f, &good, path);
  send_to (&f, "sip:pool.invalid;transport=tls");
  g_assert_cmpint (f.phone.status, ==, 200);
  g_assert_cmpuint (f.n_outcomes, ==, 2);
  g_assert_cmpint (f.reasons[0], ==, UA_TLS_NAME_MISMATCH);
  g_assert_cmpint (f.reasons[1], ==, UA_TLS_OK);
  g_assert_cmpuint (g_atomic_int_get (&f.server.n_requests), ==, 0);
  g_assert_cmpuint (g_atomic_int_get (&second.n_requests), ==, 1);
  stop (&f);
  server_stop (&f.server);
  server_stop (&second);
  g_source_destroy (source);
  g_source_unref (source);
  g_unlink (path);
}

/* With a domain for all, a connection serves all hosts behind that address. Without, each host needs its own name. */
static void
test_sharing (gconstpointer data)
{
  static const Case separate = { "", { .name = "x", .san = "DNS:" NAME }, .host = NAME };
  static const Case common = { "", { .name = "x", .san = "DNS:" NAME }, .domain = NAME };
  static const Case other = { "", { .name = "x" }, .host = "sip.example.net" };
  gboolean shared = GPOINTER_TO_INT (data);
  Fixture f = { 0 };
  g_autofree char *url = NULL, *other_url = NULL;

  server_start (&f.server, shared ? &common : &separate, SERVER, 0);
  f.server.stays_open = TRUE;
  start (&f, f.server.what, NULL);
  url = make_url (&separate, f.server.port);
  other_url = make_url (&other, f.server.port);
  send_to (&f, url);
  g_assert_cmpint (f.phone.status, ==, 200);

  send_to (&f, other_url);
  g_assert_cmpint (f.phone.status, ==, shared ? 200 : 503);
  g_assert_cmpint (f.reason, ==, shared ? UA_TLS_OK : UA_TLS_NAME_MISMATCH);
  g_assert_cmpuint (f.n_outcomes, ==, shared ? 1 : 2);
  g_assert_cmpuint (g_atomic_int_get (&f.server.n_accepted), ==, shared ? 1 : 2);
  g_assert_cmpuint (g_atomic_int_get (&f.server.n_requests), ==, shared ? 2 : 1);
  stop (&f);
  server_stop (&f.server);
}

/* What another library left in OpenSSL's error queue is no error of ours, least of all when there is nothing to read yet. */
static void
test_foreign_errors (void)
{
  static const Case good = { "", { .name = NAME }, .domain = NAME };
  Fixture f = { 0 };
  g_autofree char *url = NULL;

  server_start (&f.server, &good, SERVER, 0);
  f.server.stays_open = TRUE;
  f.server.second_half = g_async_queue_new ();
  start (&f, &good, NULL);
  url = make_url (&good, f.server.port);
  f.phone.nh = nua_handle (f.phone.nua, NULL, NUTAG_URL (url), SIPTAG_TO_STR ("sip:a@example.org"), TAG_END ());
  for (guint i = 1; i <= 3; i++)
    {
      nua_options (f.phone.nh, TAG_END ());
      bench_wait_count (&f.server.n_halves, i);
      do
        ERR_raise (ERR_LIB_PEM, ERR_R_PASSED_INVALID_ARGUMENT);
      while (g_main_context_iteration (NULL, FALSE));
      g_async_queue_push (f.server.second_half, &f);
      bench_wait_count (&f.phone.n_finals, i);
      g_assert_cmpint (f.phone.status, ==, 200);
    }
  g_assert_cmpuint (g_atomic_int_get (&f.server.n_accepted), ==, 1);
  ERR_clear_error ();
  stop (&f);
  server_stop (&f.server);
  g_async_queue_unref (f.server.second_half);
}

static void
test_bad_files (void)
{
  g_autofree char *missing = g_build_filename (directory, "missing.pem", NULL);
  const UaTlsParams bad[] = {
    { .ca = missing }, { .ca = empty_path }, { .cert = missing }, { .cert = ca_path }, { .cert = empty_path },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      UaTlsPolicy *policy = ua_tls_policy_new (&bad[i], on_outcome, NULL, &error);

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
  static const Case self_signed = { "", { .name = "x" }, .issuer = FROM_ITSELF };
  static const char request[] = "OPTIONS sip:x SIP/2.0\r\nVia: v\r\nFrom: f\r\nTo: t\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n";
  Server server;
  SSL_CTX *ctx = SSL_CTX_new (TLS_client_method ());
  SSL *ssl = SSL_new (ctx);
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr (SERVER) };
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  char response[1024];

  server_start (&server, &self_signed, SERVER, 0);
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
  server_stop (&server);
}

/* ---- 400 connections, one after the other ---- */

enum { N_WARM_UP = 50, N_CONNECTIONS = 400, MAX_GROWTH = 512 };

static void
test_reconnects (void)
{
  static const Case good = { "", { .name = "x", .san = "DNS:" NAME ",DNS:b.example.org,URI:sip:" NAME }, .domain = NAME };
  Fixture f = { 0 };
  g_autofree char *url = NULL;
  gsize before = 0, after;

  server_start (&f.server, &good, SERVER, 0);
  start (&f, &good, NULL);
  url = make_url (&good, f.server.port);
  for (guint i = 1; i <= N_WARM_UP + N_CONNECTIONS; i++)
    {
      send_to (&f, url);
      g_assert_cmpint (f.phone.status, ==, 200);
      bench_wait_count (&f.server.n_closed, i);
      g_assert_cmpuint (f.n_outcomes, ==, i);
      if (i == N_WARM_UP)
        {
          while (g_main_context_iteration (NULL, FALSE))
            ;
          before = mallinfo2 ().uordblks;
        }
    }
  while (g_main_context_iteration (NULL, FALSE))
    ;
  after = mallinfo2 ().uordblks;
  g_test_message ("%" G_GSIZE_FORMAT " octets before, %" G_GSIZE_FORMAT " after %d connections", before, after, N_CONNECTIONS);
  g_assert_cmpint ((gssize) (after - before) / N_CONNECTIONS, <, MAX_GROWTH);
  stop (&f);
  server_stop (&f.server);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  int result;

  g_test_init (&argc, &argv, NULL);
  g_log_set_writer_func (on_log, NULL, NULL);
  if (!ua_platform_init (&error))
    g_error ("%s", error->message);
  make_authorities ();
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/sip/tls/case/", cases[i].path, NULL);
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/sip/tls/sni", test_sni);
  g_test_add_data_func ("/sip/tls/no-policy", GINT_TO_POINTER (FALSE), test_no_policy);
  g_test_add_data_func ("/sip/tls/freed-policy", GINT_TO_POINTER (TRUE), test_no_policy);
  g_test_add_func ("/sip/tls/recovery", test_recovery);
  g_test_add_func ("/sip/tls/failover", test_failover);
  g_test_add_data_func ("/sip/tls/sharing/common-domain", GINT_TO_POINTER (TRUE), test_sharing);
  g_test_add_data_func ("/sip/tls/sharing/host-of-uri", GINT_TO_POINTER (FALSE), test_sharing);
  g_test_add_func ("/sip/tls/foreign-errors", test_foreign_errors);
  g_test_add_func ("/sip/tls/bad-files", test_bad_files);
  g_test_add_func ("/sip/tls/other-users", test_other_users);
  g_test_add_func ("/sip/tls/reconnects", test_reconnects);
  result = g_test_run ();
  remove_authorities ();
  g_free (warning);
  return result;
}
