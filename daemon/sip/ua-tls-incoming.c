/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The handshake of a connection that somebody makes to us. A policy either serves, with our certificate, or it ends there, with the alert by
 * which the caller learns that TLS is not to be had here. Nobody waits for such a connection: its failure needs no disguise, sofia closes it, and
 * it never counts as an outcome of the account. How many there may be, how often, and for how long without a request: ua-admission.c. Sessions
 * are not kept for resumption, renegotiation is refused: both are work that a stranger could ask for. */

#include "sip/ua-tls-private.h"

#include <errno.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include "sip/ua-admission.h"
#include "util/log.h"

static void
refuse_incoming (UaTlsConnection *connection, SSL *ssl)
{
  connection->failed = TRUE;
  shutdown (SSL_get_fd (ssl), SHUT_RDWR);
}

static gboolean
apply_incoming_policy (SSL *ssl, const UaTlsPolicy *policy)
{
  SSL_set_verify (ssl, policy->verify_clients ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                  ua_tls_on_verify);
  SSL_set_verify_depth (ssl, UA_TLS_MAX_CHAIN);
  SSL_clear_options (ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
  SSL_set_options (ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_set_mode (ssl, SSL_MODE_RELEASE_BUFFERS);
  return SSL_set_num_tickets (ssl, 0) == 1 && SSL_set_min_proto_version (ssl, TLS1_2_VERSION) == 1
         && SSL_set_max_proto_version (ssl, 0) == 1 && SSL_set_cipher_list (ssl, UA_TLS_CIPHERS) == 1
         && SSL_set1_verify_cert_store (ssl, policy->store) == 1
         && (!policy->serve || policy->own == NULL || ua_tls_set_certificate (ssl, ua_tls_own_get (policy->own)));
}

static UaTlsConnection *
begin_incoming (SSL *ssl)
{
  UaTlsConnection *connection = ua_tls_connection_new (ssl);
  const UaTlsPolicy *policy = connection->policy;

  connection->incoming = TRUE;
  if (!ua_admission_expect (SSL_get_fd (ssl)) || policy == NULL || policy->on_outcome == NULL)
    refuse_incoming (connection, ssl);
  else if (!apply_incoming_policy (ssl, policy))
    {
      g_autofree char *why = ua_tls_last_error ();
      phone_log_warning (NULL, "tls: an incoming connection could not be set up: %s", why);
      refuse_incoming (connection, ssl);
    }
  return connection;
}

int
ua_tls_accept (SSL *ssl, int (*real) (SSL *))
{
  UaTlsConnection *connection = ua_tls_connection_find (ssl);
  int result, status;

  ERR_clear_error ();
  if (connection == NULL)
    connection = begin_incoming (ssl);
  if (connection->failed)
    return ua_tls_refuse_io ();

  errno = 0;
  result = real (ssl);
  if (result == 1)
    {
      connection->up = TRUE;
      phone_log_debug (NULL, "tls: incoming connection, %s %s", SSL_get_version (ssl), SSL_get_cipher_name (ssl));
      return 1;
    }
  status = SSL_get_error (ssl, result);
  if (status == SSL_ERROR_WANT_READ || status == SSL_ERROR_WANT_WRITE)
    return result;
  /* Anybody can cause the second line as often as they like. */
  if (connection->verify_error != 0)
    phone_log_info (NULL, "tls: a caller was refused: %s", connection->verify_text);
  else
    phone_log_debug (NULL, "tls: an incoming handshake failed: %s", ERR_reason_error_string (ERR_peek_error ()));
  refuse_incoming (connection, ssl);
  return result;
}
