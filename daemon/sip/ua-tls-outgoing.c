/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The handshake of a connection that sofia makes, and why it failed. Who calls these, and why a failure looks like a success: ua-tls.c. */

#include "sip/ua-tls-private.h"

#include <errno.h>
#include <openssl/err.h>
#include <sofia-sip/tport_tag.h>
#include <sys/socket.h>

#include "sip/tls-identity.h"
#include "util/log.h"

static tport_t *connecting;     /* inside tls_connect () */

void
ua_tls_set_connecting (tport_t *transport)
{
  connecting = transport;
}

/* Only called when the server asks for a certificate of ours. */
static int
on_certificate_request (SSL *ssl, void *data)
{
  ua_tls_connection_find (ssl)->asked_for_ours = TRUE;
  return 1;
}

static char *
choose_expected (const UaTlsPolicy *policy)
{
  if (policy->domain != NULL)
    return g_strdup (policy->domain);
  if (connecting != NULL && tport_name (connecting)->tpn_canon != NULL)
    return tls_identity_normalize (tport_name (connecting)->tpn_canon);
  return NULL;
}

static gboolean
apply_policy (SSL *ssl, const UaTlsConnection *connection)
{
  const UaTlsPolicy *policy = connection->policy;

  SSL_set_verify (ssl, SSL_VERIFY_PEER, ua_tls_on_verify);
  SSL_set_verify_depth (ssl, UA_TLS_MAX_CHAIN);
  SSL_set_cert_cb (ssl, on_certificate_request, NULL);
  SSL_clear_options (ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);      /* 1.13 sets them by a tag */
  SSL_set_mode (ssl, SSL_MODE_RELEASE_BUFFERS);
  return SSL_set_min_proto_version (ssl, TLS1_2_VERSION) == 1 && SSL_set_max_proto_version (ssl, 0) == 1
         && SSL_set_cipher_list (ssl, UA_TLS_CIPHERS) == 1 && SSL_set1_verify_cert_store (ssl, policy->store) == 1
         && ua_tls_set_certificate (ssl, ua_tls_own_get (policy->own))
         && (tls_identity_is_address (connection->expected)
             || SSL_set_tlsext_host_name (ssl, connection->expected) == 1);
}

static UaTlsConnection *
begin_connection (SSL *ssl)
{
  UaTlsConnection *connection = ua_tls_connection_new (ssl);
  UaTlsPolicy *policy = connection->policy;

  if (policy == NULL)
    {
      connection->failed = TRUE;
      shutdown (SSL_get_fd (ssl), SHUT_RDWR);
      phone_log_warning (
          NULL,
          "tls: a connection without a policy is refused (NUTAG_CERTIFICATE_DIR was not set or not used)");
      return connection;
    }
  connection->expected = choose_expected (policy);
  if (policy->on_outcome == NULL || connection->expected == NULL)
    ua_tls_connection_fail (connection, ssl, UA_TLS_REFUSED, g_strdup ("it is not known whom to expect"));
  else if (apply_policy (ssl, connection))
    {
      if (policy->domain == NULL)
        ua_tls_connection_reserve (connection, connecting);
    }
  else
    {
      g_autofree char *why = ua_tls_last_error ();
      ua_tls_connection_fail (connection, ssl, UA_TLS_PROTOCOL,
                       g_strdup_printf ("TLS could not be set up: %s", why));
    }
  return connection;
}

static UaTlsReason
reason_of_alert (const UaTlsConnection *connection, int alert)
{
  switch (alert)
    {
    case SSL_AD_HANDSHAKE_FAILURE:
      return connection->asked_for_ours ? UA_TLS_CLIENT_CERT : UA_TLS_PROTOCOL;
    case SSL_AD_PROTOCOL_VERSION:
    case SSL_AD_INSUFFICIENT_SECURITY:
      return UA_TLS_PROTOCOL;
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_CERTIFICATE_REQUIRED:
      return UA_TLS_CLIENT_CERT;
    default:
      return UA_TLS_REFUSED;
    }
}

/* Why did the last call of OpenSSL fail? Looks at its error queue and leaves it as it is. */
static UaTlsReason
classify_failure (const UaTlsConnection *connection, char **ret_text)
{
  unsigned long code = ERR_peek_error ();
  int reason = ERR_GET_REASON (code);
  const char *said = ERR_reason_error_string (code);

  if (code == 0 || ERR_GET_LIB (code) != ERR_LIB_SSL || reason == SSL_R_UNEXPECTED_EOF_WHILE_READING)
    {
      *ret_text = g_strdup ("the server closed the connection during the TLS handshake");
      return UA_TLS_REFUSED;
    }
  if (reason >= SSL_AD_REASON_OFFSET)
    {
      UaTlsReason why = reason_of_alert (connection, reason - SSL_AD_REASON_OFFSET);
      *ret_text = g_strdup_printf ("the server ended TLS: %s%s", said != NULL ? said : "unknown alert",
                                   why != UA_TLS_CLIENT_CERT ? ""
                                   : connection->policy->own != NULL
                                       ? " (our certificate, tls-cert)"
                                       : " (it wants a certificate of ours: tls-cert)");
      return why;
    }
  if (reason == SSL_R_WRONG_VERSION_NUMBER || reason == SSL_R_UNEXPECTED_MESSAGE
      || reason == SSL_R_RECORD_LENGTH_MISMATCH)
    {
      *ret_text = g_strdup ("the server does not speak TLS on this port");
      return UA_TLS_REFUSED;
    }
  *ret_text = g_strdup_printf ("no common ground for TLS: %s", said != NULL ? said : "unknown error");
  return UA_TLS_PROTOCOL;
}

/* The handshake is through; is all in order that had to be looked at? */
static void
finish_connection (UaTlsConnection *connection, SSL *ssl)
{
  gboolean verified = connection->named && connection->verify_error == 0
                      && SSL_get_verify_result (ssl) == X509_V_OK && SSL_get0_peer_certificate (ssl) != NULL;

  connection->up = TRUE;
  if (verified)
    ua_tls_connection_report (connection, ssl, UA_TLS_OK, g_strdup_printf ("connected to %s", connection->expected));
  else if (connection->policy->verify)
    ua_tls_connection_fail (connection, ssl, UA_TLS_BAD_CERTIFICATE,
                     g_strdup ("the server's certificate was not verified"));
  else
    {
      const char *why
          = connection->verify_text != NULL ? connection->verify_text : "the server showed no certificate";
      phone_log_warning (NULL, "tls-verify=no: %s", why);
      ua_tls_connection_report (connection, ssl, UA_TLS_OK, g_strdup_printf ("connected, but %s", why));
    }
}

static int
shake_hands (UaTlsConnection *connection, SSL *ssl, int (*real) (SSL *))
{
  int result, status;

  if (connection->failed)
    return 1;

  errno = 0;
  result = real (ssl);
  if (result == 1)
    {
      if (!connection->up)
        finish_connection (connection, ssl);
      return 1;
    }
  status = SSL_get_error (ssl, result);
  if (status == SSL_ERROR_WANT_READ || status == SSL_ERROR_WANT_WRITE)
    return result;

  if (connection->verify_error != 0 && connection->policy->verify)
    ua_tls_connection_fail (connection, ssl, ua_tls_reason_of_verify_error (connection->verify_error),
                     g_strdup (connection->verify_text));
  else
    {
      char *text;
      UaTlsReason reason = classify_failure (connection, &text);
      ua_tls_connection_fail (connection, ssl, reason, text);
    }
  ERR_clear_error ();
  return 1;
}

int
ua_tls_connect (SSL *ssl, int (*real) (SSL *))
{
  UaTlsConnection *connection = ua_tls_connection_find (ssl);
  int result;

  ERR_clear_error ();
  if (connection == NULL)
    connection = begin_connection (ssl);
  result = shake_hands (connection, ssl, real);
  if (connection->failed && connecting != NULL)
    tport_set_params (connecting, TPTAG_REUSE (0), TAG_END ());         /* what comes next shall not fail without a reason of its own */
  return result;
}

/* A TLS 1.3 server refuses our certificate after the handshake, with an alert that comes as the first thing
 * read. Reporting it uses up OpenSSL's error queue. */
void
ua_tls_look_at_read_error (UaTlsConnection *connection, SSL *ssl, int result)
{
  char *text;
  UaTlsReason reason;

  if (connection->incoming || connection->heard || SSL_get_error (ssl, result) != SSL_ERROR_SSL)
    return;
  reason = classify_failure (connection, &text);
  ua_tls_connection_fail (connection, ssl, reason, text);
}
