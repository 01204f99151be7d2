/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One thread per tunnel, in poll(2) over all its connections. A connection is two descriptors and a buffer for each way; a way whose
 * buffer is full is not read from, so TCP pushes back on whoever is too fast. TLS may want to read in order to write and the other way
 * round: whatever it says decides what poll waits for. */

#include "media/media-tunnel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "media/media-thread.h"
#include "util/log.h"

#define MAX_CONNECTIONS 12              /* MEDIA_ICE_MAX_ADDRESSES times two components */
#define BUFFER 16384

typedef struct
{
  gsize length;
  guint8 octets[BUFFER];
} Way;

typedef struct
{
  int local, remote;
  SSL *ssl;
  gboolean handshaken;
  gboolean wants_write;                 /* TLS waits for the socket to take something */
  Way out, in;                          /* to the server, from it */
} Connection;

struct _MediaTunnel
{
  gint references;                      /* atomic */
  gint stopping;                        /* atomic */
  int listener, event_fd;
  guint16 port, server_port;
  char *host;
  gboolean verify;
  SSL_CTX *context;
  MediaThread *thread;
  struct addrinfo *server;
  Connection *connections[MAX_CONNECTIONS];
};

static void
connection_free (Connection *connection)
{
  if (connection == NULL)
    return;
  SSL_free (connection->ssl);
  if (connection->local >= 0)
    close (connection->local);
  if (connection->remote >= 0)
    close (connection->remote);
  explicit_bzero (connection, sizeof *connection);
  g_free (connection);
}

static void
tunnel_unref (MediaTunnel *tunnel)
{
  if (!g_atomic_int_dec_and_test (&tunnel->references))
    return;
  for (guint i = 0; i < MAX_CONNECTIONS; i++)
    connection_free (tunnel->connections[i]);
  if (tunnel->server != NULL)
    freeaddrinfo (tunnel->server);
  if (tunnel->listener >= 0)
    close (tunnel->listener);
  if (tunnel->event_fd >= 0)
    close (tunnel->event_fd);
  SSL_CTX_free (tunnel->context);
  g_free (tunnel->host);
  g_free (tunnel);
}

/* ---- a connection ---- */

static void
explain (MediaTunnel *tunnel, const Connection *connection, const char *what)
{
  long result = connection != NULL && connection->ssl != NULL ? SSL_get_verify_result (connection->ssl) : X509_V_OK;
  unsigned long code = ERR_peek_last_error ();

  phone_log_warning (NULL, "TURN server %s port %u: %s: %s", tunnel->host, tunnel->server_port, what,
                     result != X509_V_OK ? X509_verify_cert_error_string (result)
                     : code != 0         ? ERR_reason_error_string (code)
                                         : g_strerror (errno));
}

static gboolean
is_numeric (const char *host)
{
  struct in6_addr address;
  return inet_pton (AF_INET, host, &address) == 1 || inet_pton (AF_INET6, host, &address) == 1;
}

static SSL *
make_ssl (MediaTunnel *tunnel, int fd)
{
  SSL *ssl = SSL_new (tunnel->context);
  gboolean ok = ssl != NULL && SSL_set_fd (ssl, fd) == 1;

  if (ok && is_numeric (tunnel->host))
    ok = !tunnel->verify || X509_VERIFY_PARAM_set1_ip_asc (SSL_get0_param (ssl), tunnel->host) == 1;
  else if (ok)
    ok = SSL_set_tlsext_host_name (ssl, tunnel->host) == 1 && (!tunnel->verify || SSL_set1_host (ssl, tunnel->host) == 1);
  if (ok)
    {
      SSL_set_connect_state (ssl);
      return ssl;
    }
  SSL_free (ssl);
  return NULL;
}

static int
connect_server (MediaTunnel *tunnel)
{
  int yes = 1;

  if (tunnel->server == NULL)
    {
      struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG };
      g_autofree char *port = g_strdup_printf ("%u", tunnel->server_port);
      if (is_numeric (tunnel->host))
        hints.ai_flags = AI_NUMERICHOST;
      int why = getaddrinfo (tunnel->host, port, &hints, &tunnel->server);
      if (why != 0)
        {
          phone_log_warning (NULL, "TURN server %s: %s", tunnel->host, gai_strerror (why));
          tunnel->server = NULL;
          return -1;
        }
    }
  int fd = socket (tunnel->server->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return -1;
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (connect (fd, tunnel->server->ai_addr, tunnel->server->ai_addrlen) == 0 || errno == EINPROGRESS)
    return fd;
  explain (tunnel, NULL, "no connection");
  close (fd);
  return -1;
}

static void
accept_one (MediaTunnel *tunnel)
{
  int yes = 1, local = accept4 (tunnel->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  guint i = 0;

  if (local < 0)
    return;
  while (i < MAX_CONNECTIONS && tunnel->connections[i] != NULL)
    i++;
  int remote = i < MAX_CONNECTIONS ? connect_server (tunnel) : -1;
  if (remote < 0)
    {
      close (local);
      return;
    }
  setsockopt (local, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  Connection *connection = g_new0 (Connection, 1);
  connection->local = local;
  connection->remote = remote;
  connection->ssl = make_ssl (tunnel, remote);
  connection->wants_write = TRUE;
  if (connection->ssl != NULL)
    tunnel->connections[i] = connection;
  else
    {
      explain (tunnel, connection, "TLS");
      connection_free (connection);
    }
}

/* What a TLS call returned: FALSE: the connection is over. */
static gboolean
take_result (MediaTunnel *tunnel, Connection *connection, int result)
{
  switch (SSL_get_error (connection->ssl, result))
    {
    case SSL_ERROR_NONE:
    case SSL_ERROR_WANT_READ:
      return TRUE;
    case SSL_ERROR_WANT_WRITE:
      connection->wants_write = TRUE;
      return TRUE;
    default:
      if (!connection->handshaken)
        explain (tunnel, connection, "TLS");
      return FALSE;
    }
}

/* Plain octets to or from libnice's side. FALSE: it has closed. */
static gboolean
read_local (Connection *connection)
{
  Way *way = &connection->out;
  if (way->length == BUFFER)
    return TRUE;
  gssize n = recv (connection->local, way->octets + way->length, BUFFER - way->length, 0);
  if (n > 0)
    way->length += (gsize) n;
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static void
drop (Way *way, gsize n)
{
  way->length -= n;
  memmove (way->octets, way->octets + n, way->length);
}

static gboolean
write_local (Connection *connection)
{
  if (connection->in.length == 0)
    return TRUE;
  gssize n = send (connection->local, connection->in.octets, connection->in.length, MSG_NOSIGNAL);
  if (n > 0)
    drop (&connection->in, (gsize) n);
  return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static gboolean
work_tls (MediaTunnel *tunnel, Connection *connection)
{
  connection->wants_write = FALSE;
  ERR_clear_error ();
  if (!connection->handshaken)
    {
      int result = SSL_do_handshake (connection->ssl);
      if (result != 1)
        return take_result (tunnel, connection, result);
      connection->handshaken = TRUE;
    }
  while (connection->out.length > 0)
    {
      int n = SSL_write (connection->ssl, connection->out.octets, (int) connection->out.length);
      if (n <= 0)
        {
          if (!take_result (tunnel, connection, n))
            return FALSE;
          break;
        }
      drop (&connection->out, (gsize) n);
    }
  while (connection->in.length < BUFFER)
    {
      int n = SSL_read (connection->ssl, connection->in.octets + connection->in.length, (int) (BUFFER - connection->in.length));
      if (n <= 0)
        return take_result (tunnel, connection, n);
      connection->in.length += (gsize) n;
      if (!write_local (connection))
        return FALSE;
    }
  return TRUE;
}

static gboolean
work (MediaTunnel *tunnel, Connection *connection, short local)
{
  if ((local & (POLLIN | POLLHUP | POLLERR)) != 0 && !read_local (connection))
    return FALSE;
  if ((local & POLLOUT) != 0 && !write_local (connection))
    return FALSE;
  return work_tls (tunnel, connection);
}

/* ---- the thread ---- */

static nfds_t
prepare (MediaTunnel *tunnel, struct pollfd *fds)
{
  fds[0] = (struct pollfd) { .fd = tunnel->event_fd, .events = POLLIN };
  fds[1] = (struct pollfd) { .fd = tunnel->listener, .events = POLLIN };
  for (guint i = 0; i < MAX_CONNECTIONS; i++)
    {
      const Connection *connection = tunnel->connections[i];
      struct pollfd *pair = fds + 2 + 2 * i;
      pair[0] = pair[1] = (struct pollfd) { .fd = -1 };
      if (connection == NULL)
        continue;
      pair[0] = (struct pollfd) { .fd = connection->local, .events = 0 };
      pair[1] = (struct pollfd) { .fd = connection->remote, .events = 0 };
      if (connection->out.length < BUFFER)
        pair[0].events |= POLLIN;
      if (connection->in.length > 0)
        pair[0].events |= POLLOUT;
      if (connection->in.length < BUFFER)
        pair[1].events |= POLLIN;
      if (connection->wants_write)
        pair[1].events |= POLLOUT;
    }
  return 2 + 2 * MAX_CONNECTIONS;
}

static void
run (gpointer data)
{
  MediaTunnel *tunnel = data;
  struct pollfd fds[2 + 2 * MAX_CONNECTIONS];

  media_thread_prepare ("media-tunnel", TRUE);
  while (!g_atomic_int_get (&tunnel->stopping))
    {
      if (poll (fds, prepare (tunnel, fds), -1) < 0)
        continue;
      for (guint i = 0; i < MAX_CONNECTIONS; i++)
        {
          const struct pollfd *pair = fds + 2 + 2 * i;
          if (tunnel->connections[i] != NULL && (pair[0].revents | pair[1].revents) != 0
              && !work (tunnel, tunnel->connections[i], pair[0].revents))
            g_clear_pointer (&tunnel->connections[i], connection_free);
        }
      if (fds[1].revents != 0)
        accept_one (tunnel);
    }
  tunnel_unref (tunnel);
}

/* ---- the interface ---- */

static gboolean
make_context (MediaTunnel *tunnel, const char *ca, GError **error)
{
  SSL_CTX *context = tunnel->context = SSL_CTX_new (TLS_client_method ());
  gboolean ok = context != NULL && SSL_CTX_set_min_proto_version (context, TLS1_2_VERSION) == 1;

  if (ok && ca != NULL)
    ok = g_file_test (ca, G_FILE_TEST_IS_DIR) ? SSL_CTX_load_verify_dir (context, ca) == 1 : SSL_CTX_load_verify_file (context, ca) == 1;
  else if (ok)
    ok = SSL_CTX_set_default_verify_paths (context) == 1;
  if (!ok)
    {
      g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "TLS to the TURN server: cannot use the certificates of %s",
                   ca != NULL ? ca : "the system");
      ERR_clear_error ();
      return FALSE;
    }
  SSL_CTX_set_verify (context, tunnel->verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
  SSL_CTX_set_mode (context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return TRUE;
}

static gboolean
listen_on_loopback (MediaTunnel *tunnel)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = g_htonl (INADDR_LOOPBACK) };
  socklen_t length = sizeof address;

  tunnel->listener = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (tunnel->listener < 0 || bind (tunnel->listener, (struct sockaddr *) &address, sizeof address) < 0
      || listen (tunnel->listener, MAX_CONNECTIONS) < 0 || getsockname (tunnel->listener, (struct sockaddr *) &address, &length) < 0)
    return FALSE;
  tunnel->port = g_ntohs (address.sin_port);
  return TRUE;
}

MediaTunnel *
media_tunnel_new (const char *host, guint16 port, const char *ca, gboolean verify, GError **error)
{
  MediaTunnel *tunnel = g_new0 (MediaTunnel, 1);

  tunnel->references = 1;
  tunnel->listener = -1;
  tunnel->host = g_strdup (host);
  tunnel->server_port = port;
  tunnel->verify = verify;
  tunnel->event_fd = eventfd (0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (!make_context (tunnel, ca, error))
    {
      tunnel_unref (tunnel);
      return NULL;
    }
  if (tunnel->event_fd >= 0 && listen_on_loopback (tunnel))
    {
      g_atomic_int_inc (&tunnel->references);
      tunnel->thread = media_thread_start ("media-tunnel", run, tunnel);
      if (tunnel->thread != NULL)
        return tunnel;
      g_atomic_int_dec_and_test (&tunnel->references);
    }
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_MEDIA_FAILED, "no way to a TURN server by TLS: %s", g_strerror (errno));
  tunnel_unref (tunnel);
  return NULL;
}

guint16
media_tunnel_get_port (MediaTunnel *tunnel)
{
  return tunnel->port;
}

void
media_tunnel_free (MediaTunnel *tunnel)
{
  guint64 one = 1;

  if (tunnel == NULL)
    return;
  g_atomic_int_set (&tunnel->stopping, TRUE);
  gssize n = write (tunnel->event_fd, &one, sizeof one);
  (void) n;
  media_thread_release (tunnel->thread);
  tunnel_unref (tunnel);
}
