/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A connection from the handshake on: what its peer showed, and what is said of it. */

#include "sip/ua-tls-private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include "sip/tls-identity.h"
#include "util/log.h"

static int connection_index = -1;

/* sofia finds connections by address; one that was checked for one host must not serve another that has the same. */
static GHashTable *reserved;    /* tport_t -> UaTlsConnection, both borrowed */

void
ua_tls_connection_reserve (UaTlsConnection *connection, tport_t *transport)
{
  if (reserved == NULL)
    reserved = g_hash_table_new (NULL, NULL);
  connection->transport = transport;
  g_hash_table_insert (reserved, transport, connection);
}

gboolean
ua_tls_connection_serves (const tport_t *transport, const char *host)
{
  return reserved == NULL || !g_hash_table_contains (reserved, transport)
         || (host != NULL && g_ascii_strcasecmp (tport_name (transport)->tpn_canon, host) == 0);
}

static void
connection_free (UaTlsConnection *connection)
{
  /* sofia may have gone on to another transport in the same place */
  if (connection->transport != NULL && g_hash_table_lookup (reserved, connection->transport) == connection)
    g_hash_table_remove (reserved, connection->transport);
  ua_tls_policy_unref (connection->policy);
  g_free (connection->expected);
  g_free (connection->verify_text);
  g_free (connection);
}

UaTlsConnection *
ua_tls_connection_find (const SSL *ssl)
{
  return connection_index >= 0 ? SSL_get_ex_data (ssl, connection_index) : NULL;
}

UaTlsConnection *
ua_tls_connection_new (SSL *ssl)
{
  UaTlsConnection *connection = g_new0 (UaTlsConnection, 1);
  UaTlsPolicy *policy = ua_tls_policy_of (ssl);

  if (policy != NULL)
    connection->policy = ua_tls_policy_ref (policy);
  SSL_set_ex_data (ssl, connection_index, connection);
  return connection;
}

static void
on_connection_gone (void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
  if (data != NULL)
    connection_free (data);
}

void
ua_tls_connection_init (void)
{
  if (connection_index < 0)
    connection_index = SSL_get_ex_new_index (0, NULL, NULL, NULL, on_connection_gone);
}

/* ---- saying what happened ---- */

typedef struct
{
  UaTlsPolicy *policy;
  UaTlsOutcome outcome;
  char *text, *expected, *subject, *issuer;
} Report;

static gboolean
on_report (gpointer data)
{
  Report *report = data;

  if (report->policy->on_outcome != NULL)
    report->policy->on_outcome (&report->outcome, report->policy->data);
  return G_SOURCE_REMOVE;
}

static void
report_free (gpointer data)
{
  Report *report = data;

  ua_tls_policy_unref (report->policy);
  g_free (report->text);
  g_free (report->expected);
  g_free (report->subject);
  g_free (report->issuer);
  g_free (report);
}

/* Takes text. The callback comes from the main loop, ahead of sofia's events for the requests that fail. */
void
ua_tls_connection_report (UaTlsConnection *connection, SSL *ssl, UaTlsReason reason, char *text)
{
  Report *report = g_new0 (Report, 1);
  UaTlsOutcome *outcome = &report->outcome;
  X509 *certificate = SSL_get0_peer_certificate (ssl);

  phone_log_debug (NULL, "tls: %s: %s: %s", connection->expected != NULL ? connection->expected : "?",
                   ua_tls_reason_to_string (reason), text);
  report->policy = ua_tls_policy_ref (connection->policy);
  report->text = text;
  report->expected = g_strdup (connection->expected);
  if (certificate != NULL)
    {
      report->subject = tls_identity_print_name (X509_get_subject_name (certificate));
      report->issuer = tls_identity_print_name (X509_get_issuer_name (certificate));
      outcome->not_before = tls_identity_time (X509_get0_notBefore (certificate));
      outcome->not_after = tls_identity_time (X509_get0_notAfter (certificate));
    }
  if (SSL_get_current_cipher (ssl) != NULL)
    {
      outcome->version = SSL_get_version (ssl);
      outcome->cipher = SSL_get_cipher_name (ssl);
    }
  outcome->reason = reason;
  outcome->text = report->text;
  outcome->expected = report->expected;
  outcome->subject = report->subject;
  outcome->issuer = report->issuer;
  outcome->verified = connection->named && connection->verify_error == 0;
  g_idle_add_full (G_PRIORITY_HIGH, on_report, report, report_free);
}

void
ua_tls_connection_fail (UaTlsConnection *connection, SSL *ssl, UaTlsReason reason, char *text)
{
  connection->failed = TRUE;
  shutdown (SSL_get_fd (ssl), SHUT_RDWR);
  ua_tls_connection_report (connection, ssl, reason, text);
}

int
ua_tls_refuse_io (void)
{
  ERR_raise (ERR_LIB_SSL, SSL_R_PROTOCOL_IS_SHUTDOWN);
  errno = EPROTO;
  return -1;
}

/* ---- verification ---- */

UaTlsReason
ua_tls_reason_of_verify_error (int error)
{
  switch (error)
    {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return UA_TLS_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return UA_TLS_NOT_YET_VALID;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return UA_TLS_UNKNOWN_ISSUER;
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return UA_TLS_SELF_SIGNED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return UA_TLS_NAME_MISMATCH;
    case X509_V_ERR_CERT_REVOKED:
      return UA_TLS_REVOKED;
    default:
      return UA_TLS_BAD_CERTIFICATE;
    }
}

static char *
format_date (const ASN1_TIME *date)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (tls_identity_time (date));

  return time != NULL ? g_date_time_format (time, "%F %R UTC") : g_strdup ("an unreadable date");
}

static char *
describe_verify_error (const UaTlsConnection *connection, X509 *certificate, int depth, int error)
{
  g_autofree char *names = depth == 0 ? tls_identity_names (certificate)
                                      : tls_identity_print_name (X509_get_subject_name (certificate));
  g_autofree char *issuer = tls_identity_print_name (X509_get_issuer_name (certificate));
  g_autofree char *from = format_date (X509_get0_notBefore (certificate));
  g_autofree char *until = format_date (X509_get0_notAfter (certificate));
  const char *whose = connection->incoming ? depth == 0 ? "the caller's certificate" : "a certificate in the caller's chain"
                      : depth == 0         ? "the server's certificate"
                                           : "a certificate in the server's chain";

  switch (ua_tls_reason_of_verify_error (error))
    {
    case UA_TLS_EXPIRED:
      return g_strdup_printf ("%s (%s) expired on %s", whose, names, until);
    case UA_TLS_NOT_YET_VALID:
      return g_strdup_printf ("%s (%s) is valid from %s only; is this machine's clock right?", whose, names,
                              from);
    case UA_TLS_UNKNOWN_ISSUER:
      return g_strdup_printf ("%s (%s) was issued by %s, which is not trusted", whose, names, issuer);
    case UA_TLS_SELF_SIGNED:
      return g_strdup_printf ("%s (%s) is self-signed and not trusted", whose, names);
    case UA_TLS_NAME_MISMATCH:
      return g_strdup_printf ("%s is for %s, not for %s", whose, names, connection->expected);
    case UA_TLS_REVOKED:
      return g_strdup_printf ("%s (%s) was revoked", whose, names);
    case UA_TLS_BAD_CERTIFICATE:
    case UA_TLS_OK:
    case UA_TLS_CLIENT_CERT:
    case UA_TLS_PROTOCOL:
    case UA_TLS_REFUSED:
      break;
    }
  return g_strdup_printf ("%s (%s) cannot be used: %s", whose, names, X509_verify_cert_error_string (error));
}

/* OpenSSL asks for every certificate of the chain, the server's own (depth 0) last, and for every fault that
 * it finds. */
int
ua_tls_on_verify (int ok, X509_STORE_CTX *store)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  UaTlsConnection *connection = ua_tls_connection_find (ssl);
  X509 *certificate = X509_STORE_CTX_get_current_cert (store);
  int depth = X509_STORE_CTX_get_error_depth (store);
  int error = X509_STORE_CTX_get_error (store);

  if (!ok && error == X509_V_ERR_INVALID_PURPOSE && depth == 0 && tls_identity_is_for_sip (certificate))
    {
      X509_STORE_CTX_set_error (store, X509_V_OK);
      return 1;
    }
  if (ok && depth == 0)
    {
      connection->named = TRUE;
      if (!connection->incoming && !tls_identity_matches (certificate, connection->expected))
        {
          ok = 0;
          error = X509_V_ERR_HOSTNAME_MISMATCH;
          X509_STORE_CTX_set_error (store, error);
        }
    }
  if (!ok && connection->verify_error == 0)
    {
      connection->verify_error = error;
      connection->verify_text = describe_verify_error (connection, certificate, depth, error);
    }
  return ok || (!connection->incoming && !connection->policy->verify);
}
