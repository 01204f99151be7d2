/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "bench-tls-server.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sip-bench.h"

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
send_in_halves (BenchServer *server, SSL *ssl, const char *response)
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
  g_assert_cmpint (send (SSL_get_rfd (ssl), data + length / 2, length - length / 2, MSG_NOSIGNAL), ==,
                   length - length / 2);
}

/* Head and body, which come in records of their own. FALSE: the connection is over. */
static gboolean
read_request (SSL *ssl, char *request, int size)
{
  const char *end = NULL, *field;
  int n = 0, wanted = 0;

  while (end == NULL || n < wanted)
    {
      int got = SSL_read (ssl, request + n, size - 1 - n);

      if (got <= 0)
        return FALSE;
      n += got;
      request[n] = '\0';
      end = strstr (request, "\r\n\r\n");
      field = end != NULL ? strstr (request, "Content-Length: ") : NULL;
      if (end != NULL)
        wanted = (int) (end + 4 - request) + (field != NULL && field < end ? atoi (field + strlen ("Content-Length: ")) : 0);
    }
  return TRUE;
}

/* One request, one response, and the end of the connection; or requests until the phone ends it. */
static void
serve_sip (BenchServer *server, SSL *ssl)
{
  char request[8192];

  do
    {
      g_autofree char *response = NULL;

      if (!read_request (ssl, request, sizeof request))
        return;
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
serve_tls (BenchServer *server, int fd)
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
  BenchServer *server;
  int fd;
} Guest;

static gpointer
run_connection (gpointer data)
{
  g_autofree Guest *guest = data;
  BenchServer *server = guest->server;
  char rest[256];

  if (server->spec.manner == BENCH_SPEAKS_TLS)
    serve_tls (server, guest->fd);
  else if (server->spec.manner == BENCH_SPEAKS_PLAIN)
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
  BenchServer *server = data;
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
open_listener (BenchServer *server, const char *address, guint16 port)
{
  struct sockaddr_in any
      = { .sin_family = AF_INET, .sin_addr.s_addr = inet_addr (address), .sin_port = htons (port) };
  socklen_t length = sizeof any;
  const int on = 1;

  server->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  g_assert_cmpint (bind (server->listener, (struct sockaddr *) &any, sizeof any), ==, 0);
  g_assert_cmpint (listen (server->listener, 8), ==, 0);
  getsockname (server->listener, (struct sockaddr *) &any, &length);
  server->port = ntohs (any.sin_port);
}

void
bench_server_start (BenchServer *server, const BenchServerSpec *spec, const char *address, guint16 port)
{
  const BenchAuthorities *a = &bench_authorities;
  const BenchCert *issuers[] = {
    [BENCH_FROM_CA] = a->ca, [BENCH_FROM_INTERMEDIATE] = a->intermediate, [BENCH_FROM_OTHER] = a->other_ca,
  };
  const BenchCert *issuer = spec->issuer == BENCH_FROM_ITSELF ? NULL : issuers[spec->issuer];

  *server = (BenchServer) { .spec = *spec, .cert = bench_cert_new (&spec->cert, issuer) };
  server->ctx = SSL_CTX_new (TLS_server_method ());
  if (spec->max_version == TLS1_1_VERSION)
    {
      SSL_CTX_set_security_level (server->ctx, 0);
      SSL_CTX_set_min_proto_version (server->ctx, TLS1_VERSION);
    }
  SSL_CTX_set_max_proto_version (server->ctx, spec->max_version);
  SSL_CTX_set_session_cache_mode (server->ctx, SSL_SESS_CACHE_OFF);
  SSL_CTX_use_certificate (server->ctx, server->cert->certificate);
  SSL_CTX_use_PrivateKey (server->ctx, server->cert->key);
  if (spec->issuer == BENCH_FROM_INTERMEDIATE)
    SSL_CTX_add1_chain_cert (server->ctx, a->intermediate->certificate);
  if (spec->wants_client)
    {
      SSL_CTX_set_verify (server->ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
      g_assert_cmpint (SSL_CTX_load_verify_file (server->ctx, a->ca_path), ==, 1);
    }
  open_listener (server, address, port);
  server->thread = g_thread_new ("server", run_server, server);
}

void
bench_server_stop (BenchServer *server)
{
  shutdown (server->listener, SHUT_RDWR);
  g_thread_join (server->thread);
  bench_wait_count (&server->n_closed, server->n_accepted);
  close (server->listener);
  SSL_CTX_free (server->ctx);
  bench_cert_free (server->cert);
  g_free (server->sni);
}
