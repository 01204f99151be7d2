/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia-sip calls OpenSSL; this program defines the functions that it calls, so the dynamic linker gives it
 * ours (how: see ua-clock.c; who else calls is passed on). Everything is done to the single SSL, not to
 * sofia's SSL_CTX:
 *
 *   SSL_CTX_load_verify_locations   gets the "path" from NUTAG_CERTIFICATE_DIR, which names the policy: bound
 *                                   to the context
 *   SSL_CTX_use_certificate_file... would read ./agent.pem: nothing
 *   SSL_get1_peer_certificate       sofia wants to collect names for checks of its own, and leaks them: none
 *   tls_connect                     sofia's own; tells for which transport, and so which host, a handshake is;
 *                                   is not shown that the peer hung up, see below
 *   SSL_connect                     at first: versions, trust, SNI, our certificate; then handshake, outcome
 *   SSL_accept                      the same the other way round, see below
 *   SSL_read, SSL_write             clear OpenSSL's error queue first: sofia does not, and takes what another
 *                                   connection or an unreadable file left there for an error of this one
 *   SSL_get_current_cipher          has to exist after a handshake that is passed off as done, see below
 *   SSL_shutdown, SSL_free          the leak, see below
 *
 * Failing at once. If SSL_connect fails, sofia closes the connection and tells nobody; the requests that wait
 * for it end after 32 s. But a write error on an open connection it reports: the next SRV target is tried, or
 * 503 comes. So a handshake that failed is passed off as done, and everything after it is refused: SSL_write
 * fails without touching the peer, the socket is shut down. No octet of SIP can leave on it. And where poll ()
 * says that the peer refused, reset or hung up, tls_connect drops the error and closes as silently: it gets to
 * see neither, and so asks the socket, whose error it reports, or SSL_connect, which reads the end.
 *
 * The leak. 1.12 calls SSL_shutdown, BIO_free and SSL_CTX_free on closing, never SSL_free; the SSL keeps 54
 * kB, and the context loses a reference that it did not have. 1.13 calls SSL_free and neither of the others.
 * On SSL_shutdown we take references to BIO and context. If SSL_free follows before the main loop is idle, we
 * drop them; if not, we call it, and sofia's two calls have used them up.
 *
 * Incoming. sofia listens as soon as it has a TLS transport, and would serve without a certificate, which ends
 * every handshake. Here a policy either serves, with our certificate, or the handshake ends there, with the
 * alert by which the caller learns that TLS is not to be had here. Nobody waits for such a connection: its
 * failure needs no disguise, sofia closes it, and it never counts as an outcome of the account. How many there
 * may be, how often, and for how long without a request: ua-admission.c. Sessions are not kept for resumption, renegotiation is refused: both are work that a
 * stranger could ask for.
 *
 * RFC 5922 (whom to expect), RFC 5280 (chains), RFC 6066 section 3 (SNI). */

#include "sip/ua-tls.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sofia-sip/su_wait.h>
#include <sofia-sip/tport.h>
#include <sofia-sip/tport_tag.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "sip/digest.h"
#include "sip/tls-identity.h"
#include "sip/ua-admission.h"
#include "sip/ua-module.h"
#include "util/log.h"

PHONE_DEFINE_ENUM (UaTlsReason, ua_tls_reason, UA_TLS_REASON_LIST)

#define EXPORT __attribute__ ((visibility ("default")))
#define PATH_PREFIX "/phoned/tls/"
#define CIPHERS "DEFAULT:!aNULL:!eNULL:!MD5"
enum { MAX_CHAIN = 8 };

static UaModule sofia, sofia_glib;
static int policy_index = -1, connection_index = -1;

/* ---- policies ---- */

struct _UaTlsPolicy
{
  guint refs;                   /* the owner, the SSL_CTXs, the connections, the reports under way */
  char *path;
  char *domain;                 /* normalized; NULL: the host that the connection is for */
  gboolean verify;
  gboolean serve, verify_clients;
  X509_STORE *store;
  SSL_CTX *own;                 /* holds our certificate; NULL: none */
  UaTlsOutcomeFunc on_outcome;  /* NULL once the owner freed the policy */
  gpointer data;
};

static GHashTable *policies;    /* path -> UaTlsPolicy, both borrowed from the value; those not yet freed */

static UaTlsPolicy *
policy_ref (UaTlsPolicy *policy)
{
  policy->refs++;
  return policy;
}

static void
policy_unref (UaTlsPolicy *policy)
{
  if (policy == NULL || --policy->refs > 0)
    return;
  X509_STORE_free (policy->store);
  SSL_CTX_free (policy->own);
  g_free (policy->domain);
  g_free (policy->path);
  g_free (policy);
}

static char *
last_ssl_error (void)
{
  const char *reason = ERR_reason_error_string (ERR_peek_error ());
  char *text = g_strdup (reason != NULL ? reason : "unknown error");

  ERR_clear_error ();
  return text;
}

static gboolean
load_ca (UaTlsPolicy *policy, const char *ca, GError **error)
{
  g_autofree char *why = NULL;
  int ok;

  if (ca == NULL)
    ok = X509_STORE_set_default_paths (policy->store);
  else if (g_file_test (ca, G_FILE_TEST_IS_DIR))
    ok = X509_STORE_load_path (policy->store, ca);
  else
    ok = X509_STORE_load_file (policy->store, ca);
  if (ok == 1)
    return TRUE;
  why = last_ssl_error ();
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION, "tls-ca: cannot read certificates from %s: %s",
               ca != NULL ? ca : "the system", why);
  return FALSE;
}

/* A daemon has nobody to ask for a passphrase; the default would ask on the terminal. */
static int
on_passphrase (char *buffer, int size, int writing, void *data)
{
  return 0;
}

static gboolean
load_own (UaTlsPolicy *policy, const char *path, GError **error)
{
  g_autofree char *why = NULL;

  policy->own = SSL_CTX_new (TLS_client_method ());
  SSL_CTX_set_default_passwd_cb (policy->own, on_passphrase);
  if (SSL_CTX_use_certificate_chain_file (policy->own, path) == 1
      && SSL_CTX_use_PrivateKey_file (policy->own, path, SSL_FILETYPE_PEM) == 1
      && SSL_CTX_check_private_key (policy->own) == 1)
    return TRUE;
  why = last_ssl_error ();
  g_set_error (error, PHONE_ERROR, PHONE_ERROR_INVALID_OPTION,
               "tls-cert: cannot use certificate and key in %s: %s", path, why);
  return FALSE;
}

UaTlsPolicy *
ua_tls_policy_new (const UaTlsParams *params, UaTlsOutcomeFunc on_outcome, gpointer data, GError **error)
{
  UaTlsPolicy *policy = g_new0 (UaTlsPolicy, 1);
  g_autofree char *name = ua_digest_make_cnonce ();

  policy->refs = 1;
  policy->path = g_strconcat (PATH_PREFIX, name, NULL);
  policy->domain = params->domain != NULL ? tls_identity_normalize (params->domain) : NULL;
  policy->verify = params->verify;
  policy->serve = params->serve;
  policy->verify_clients = params->verify_clients;
  policy->on_outcome = on_outcome;
  policy->data = data;
  policy->store = X509_STORE_new ();
  /* What the user put into the CA file is trusted, even if it is no root. */
  X509_STORE_set_flags (policy->store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
  if (!load_ca (policy, params->ca, error)
      || (params->cert != NULL && !load_own (policy, params->cert, error)))
    {
      policy_unref (policy);
      return NULL;
    }

  if (!policy->verify)
    phone_log_warning (NULL, "tls-verify=no: %s may be anybody",
                       policy->domain != NULL ? policy->domain : "whom we call");
  if (policies == NULL)
    policies = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (policies, policy->path, policy);
  return policy;
}

void
ua_tls_policy_free (UaTlsPolicy *policy)
{
  if (policy == NULL)
    return;
  g_hash_table_remove (policies, policy->path);
  if (g_hash_table_size (policies) == 0)
    g_clear_pointer (&policies, g_hash_table_unref);
  policy->on_outcome = NULL;
  policy_unref (policy);
}

const char *
ua_tls_policy_get_path (const UaTlsPolicy *policy)
{
  return policy->path;
}

gboolean
ua_tls_policy_names (const UaTlsPolicy *policy, const char *host)
{
  return policy->own != NULL && tls_identity_matches (SSL_CTX_get0_certificate (policy->own), host);
}

/* ---- one connection ---- */

typedef struct
{
  UaTlsPolicy *policy;          /* NULL: none was bound, nothing is allowed */
  gboolean incoming;
  char *expected;               /* NULL if incoming: the request has to say who calls */
  gboolean named;               /* the name in the server's certificate was looked at */
  int verify_error;             /* X509_V_...: the first that was found, 0: none */
  char *verify_text;
  gboolean asked_for_ours;      /* the server wants a certificate */
  gboolean up, heard, failed;
} Connection;

static void
connection_free (Connection *connection)
{
  policy_unref (connection->policy);
  g_free (connection->expected);
  g_free (connection->verify_text);
  g_free (connection);
}

static Connection *
find_connection (const SSL *ssl)
{
  return connection_index >= 0 ? SSL_get_ex_data (ssl, connection_index) : NULL;
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

  policy_unref (report->policy);
  g_free (report->text);
  g_free (report->expected);
  g_free (report->subject);
  g_free (report->issuer);
  g_free (report);
}

/* Takes text. The callback comes from the main loop, ahead of sofia's events for the requests that fail. */
static void
report_outcome (Connection *connection, SSL *ssl, UaTlsReason reason, char *text)
{
  Report *report = g_new0 (Report, 1);
  UaTlsOutcome *outcome = &report->outcome;
  X509 *certificate = SSL_get0_peer_certificate (ssl);

  phone_log_debug (NULL, "tls: %s: %s: %s", connection->expected != NULL ? connection->expected : "?",
                   ua_tls_reason_to_string (reason), text);
  report->policy = policy_ref (connection->policy);
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

static void
fail_connection (Connection *connection, SSL *ssl, UaTlsReason reason, char *text)
{
  connection->failed = TRUE;
  shutdown (SSL_get_fd (ssl), SHUT_RDWR);
  report_outcome (connection, ssl, reason, text);
}

/* ---- verification ---- */

static UaTlsReason
reason_of_verify_error (int error)
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
describe_verify_error (const Connection *connection, X509 *certificate, int depth, int error)
{
  g_autofree char *names = depth == 0 ? tls_identity_names (certificate)
                                      : tls_identity_print_name (X509_get_subject_name (certificate));
  g_autofree char *issuer = tls_identity_print_name (X509_get_issuer_name (certificate));
  g_autofree char *from = format_date (X509_get0_notBefore (certificate));
  g_autofree char *until = format_date (X509_get0_notAfter (certificate));
  const char *whose = connection->incoming ? depth == 0 ? "the caller's certificate" : "a certificate in the caller's chain"
                      : depth == 0         ? "the server's certificate"
                                           : "a certificate in the server's chain";

  switch (reason_of_verify_error (error))
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
static int
on_verify (int ok, X509_STORE_CTX *store)
{
  SSL *ssl = X509_STORE_CTX_get_ex_data (store, SSL_get_ex_data_X509_STORE_CTX_idx ());
  Connection *connection = find_connection (ssl);
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

/* Only called when the server asks for a certificate of ours. */
static int
on_certificate_request (SSL *ssl, void *data)
{
  find_connection (ssl)->asked_for_ours = TRUE;
  return 1;
}

/* ---- the handshake ---- */

static tport_t *connecting;     /* inside tls_connect () */

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
set_own_certificate (SSL *ssl, SSL_CTX *own)
{
  STACK_OF (X509) *chain = NULL;

  SSL_certs_clear (ssl);        /* what sofia's context may have brought */
  if (own == NULL)
    return TRUE;
  SSL_CTX_get0_chain_certs (own, &chain);
  return SSL_use_cert_and_key (ssl, SSL_CTX_get0_certificate (own), SSL_CTX_get0_privatekey (own), chain, 1)
         == 1;
}

static gboolean
apply_policy (SSL *ssl, const Connection *connection)
{
  const UaTlsPolicy *policy = connection->policy;

  SSL_set_verify (ssl, SSL_VERIFY_PEER, on_verify);
  SSL_set_verify_depth (ssl, MAX_CHAIN);
  SSL_set_cert_cb (ssl, on_certificate_request, NULL);
  SSL_clear_options (ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);      /* 1.13 sets them by a tag */
  SSL_set_mode (ssl, SSL_MODE_RELEASE_BUFFERS);
  return SSL_set_min_proto_version (ssl, TLS1_2_VERSION) == 1 && SSL_set_max_proto_version (ssl, 0) == 1
         && SSL_set_cipher_list (ssl, CIPHERS) == 1 && SSL_set1_verify_cert_store (ssl, policy->store) == 1
         && set_own_certificate (ssl, policy->own)
         && (tls_identity_is_address (connection->expected)
             || SSL_set_tlsext_host_name (ssl, connection->expected) == 1);
}

static Connection *
begin_connection (SSL *ssl)
{
  Connection *connection = g_new0 (Connection, 1);
  UaTlsPolicy *policy = SSL_CTX_get_ex_data (SSL_get_SSL_CTX (ssl), policy_index);

  SSL_set_ex_data (ssl, connection_index, connection);
  if (policy == NULL)
    {
      connection->failed = TRUE;
      shutdown (SSL_get_fd (ssl), SHUT_RDWR);
      phone_log_warning (
          NULL,
          "tls: a connection without a policy is refused (NUTAG_CERTIFICATE_DIR was not set or not used)");
      return connection;
    }
  connection->policy = policy_ref (policy);
  connection->expected = choose_expected (policy);
  if (policy->on_outcome == NULL || connection->expected == NULL)
    fail_connection (connection, ssl, UA_TLS_REFUSED, g_strdup ("it is not known whom to expect"));
  else if (apply_policy (ssl, connection))
    {
      /* sofia finds connections by address; one that was checked for one host must not serve another. */
      if (policy->domain == NULL)
        tport_set_params (connecting, TPTAG_REUSE (0), TAG_END ());
    }
  else
    {
      g_autofree char *why = last_ssl_error ();
      fail_connection (connection, ssl, UA_TLS_PROTOCOL,
                       g_strdup_printf ("TLS could not be set up: %s", why));
    }
  return connection;
}

static UaTlsReason
reason_of_alert (const Connection *connection, int alert)
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
classify_failure (const Connection *connection, char **ret_text)
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
finish_connection (Connection *connection, SSL *ssl)
{
  gboolean verified = connection->named && connection->verify_error == 0
                      && SSL_get_verify_result (ssl) == X509_V_OK && SSL_get0_peer_certificate (ssl) != NULL;

  connection->up = TRUE;
  if (verified)
    report_outcome (connection, ssl, UA_TLS_OK, g_strdup_printf ("connected to %s", connection->expected));
  else if (connection->policy->verify)
    fail_connection (connection, ssl, UA_TLS_BAD_CERTIFICATE,
                     g_strdup ("the server's certificate was not verified"));
  else
    {
      const char *why
          = connection->verify_text != NULL ? connection->verify_text : "the server showed no certificate";
      phone_log_warning (NULL, "tls-verify=no: %s", why);
      report_outcome (connection, ssl, UA_TLS_OK, g_strdup_printf ("connected, but %s", why));
    }
}

static int
connect_for_sofia (SSL *ssl, int (*real) (SSL *))
{
  Connection *connection = find_connection (ssl);
  int result, status;

  ERR_clear_error ();
  if (connection == NULL)
    connection = begin_connection (ssl);
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
    fail_connection (connection, ssl, reason_of_verify_error (connection->verify_error),
                     g_strdup (connection->verify_text));
  else
    {
      char *text;
      UaTlsReason reason = classify_failure (connection, &text);
      fail_connection (connection, ssl, reason, text);
    }
  ERR_clear_error ();
  return 1;
}

/* ---- incoming ---- */

static void
refuse_incoming (Connection *connection, SSL *ssl)
{
  connection->failed = TRUE;
  shutdown (SSL_get_fd (ssl), SHUT_RDWR);
}

static gboolean
apply_incoming_policy (SSL *ssl, const UaTlsPolicy *policy)
{
  SSL_set_verify (ssl, policy->verify_clients ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : SSL_VERIFY_NONE,
                  on_verify);
  SSL_set_verify_depth (ssl, MAX_CHAIN);
  SSL_clear_options (ssl, SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3);
  SSL_set_options (ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_set_mode (ssl, SSL_MODE_RELEASE_BUFFERS);
  return SSL_set_num_tickets (ssl, 0) == 1 && SSL_set_min_proto_version (ssl, TLS1_2_VERSION) == 1
         && SSL_set_max_proto_version (ssl, 0) == 1 && SSL_set_cipher_list (ssl, CIPHERS) == 1
         && SSL_set1_verify_cert_store (ssl, policy->store) == 1
         && (!policy->serve || policy->own == NULL || set_own_certificate (ssl, policy->own));
}

static Connection *
begin_incoming (SSL *ssl)
{
  Connection *connection = g_new0 (Connection, 1);
  UaTlsPolicy *policy = SSL_CTX_get_ex_data (SSL_get_SSL_CTX (ssl), policy_index);

  connection->incoming = TRUE;
  SSL_set_ex_data (ssl, connection_index, connection);
  if (policy != NULL)
    connection->policy = policy_ref (policy);
  if (!ua_admission_expect (SSL_get_fd (ssl)) || policy == NULL || policy->on_outcome == NULL)
    refuse_incoming (connection, ssl);
  else if (!apply_incoming_policy (ssl, policy))
    {
      g_autofree char *why = last_ssl_error ();
      phone_log_warning (NULL, "tls: an incoming connection could not be set up: %s", why);
      refuse_incoming (connection, ssl);
    }
  return connection;
}

static int
refuse_io (void)
{
  ERR_raise (ERR_LIB_SSL, SSL_R_PROTOCOL_IS_SHUTDOWN);
  errno = EPROTO;
  return -1;
}

static int
accept_for_sofia (SSL *ssl, int (*real) (SSL *))
{
  Connection *connection = find_connection (ssl);
  int result, status;

  ERR_clear_error ();
  if (connection == NULL)
    connection = begin_incoming (ssl);
  if (connection->failed)
    return refuse_io ();

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

/* A TLS 1.3 server refuses our certificate after the handshake, with an alert that comes as the first thing
 * read. Reporting it uses up OpenSSL's error queue. */
static void
look_at_read_error (Connection *connection, SSL *ssl, int result)
{
  char *text;
  UaTlsReason reason;

  if (connection->incoming || connection->heard || SSL_get_error (ssl, result) != SSL_ERROR_SSL)
    return;
  reason = classify_failure (connection, &text);
  fail_connection (connection, ssl, reason, text);
}

/* ---- closed connections ---- */

typedef struct
{
  SSL *ssl;
  BIO *bio;
  SSL_CTX *ctx;
} Retired;

static GHashTable *retired;     /* SSL * -> Retired */
static guint retire_source;

static void
retired_free (gpointer data)
{
  Retired *old = data;

  /* sofia has freed BIO and context once too often already, which our references paid for. */
  SSL_free (old->ssl);
  g_free (old);
}

void
ua_tls_flush (void)
{
  g_clear_handle_id (&retire_source, g_source_remove);
  g_clear_pointer (&retired, g_hash_table_unref);
}

static gboolean
on_idle_flush (gpointer data)
{
  retire_source = 0;
  ua_tls_flush ();
  return G_SOURCE_REMOVE;
}

static void
retire (SSL *ssl)
{
  Retired *old;

  if (retired == NULL)
    retired = g_hash_table_new_full (NULL, NULL, NULL, retired_free);
  if (g_hash_table_contains (retired, ssl))
    return;
  old = g_new0 (Retired, 1);
  old->ssl = ssl;
  old->bio = SSL_get_rbio (ssl);
  old->ctx = SSL_get_SSL_CTX (ssl);
  if (old->bio != NULL)
    BIO_up_ref (old->bio);
  SSL_CTX_up_ref (old->ctx);
  g_hash_table_insert (retired, ssl, old);
  if (retire_source == 0)
    retire_source = g_idle_add (on_idle_flush, NULL);
}

/* ---- interposed ---- */

#define NEXT(name) \
  static __typeof__ (&name) next; \
  if (G_UNLIKELY (next == NULL)) \
    next = (__typeof__ (next)) dlsym (RTLD_NEXT, #name)

EXPORT int
SSL_connect (SSL *ssl)
{
  NEXT (SSL_connect);
  return UA_CALLED_FROM (&sofia) ? connect_for_sofia (ssl, next) : next (ssl);
}

EXPORT int
SSL_accept (SSL *ssl)
{
  NEXT (SSL_accept);
  return UA_CALLED_FROM (&sofia) ? accept_for_sofia (ssl, next) : next (ssl);
}

EXPORT int
SSL_read (SSL *ssl, void *buffer, int size)
{
  Connection *connection;
  int result;

  NEXT (SSL_read);
  if (!UA_CALLED_FROM (&sofia))
    return next (ssl, buffer, size);
  ERR_clear_error ();
  connection = find_connection (ssl);
  if (connection != NULL && connection->failed)
    return refuse_io ();
  errno = 0;
  result = next (ssl, buffer, size);
  if (connection != NULL && result <= 0)
    look_at_read_error (connection, ssl, result);
  else if (connection != NULL && !connection->heard)
    {
      connection->heard = TRUE;
      if (connection->incoming)
        ua_admission_prove (SSL_get_fd (ssl));
    }
  return connection != NULL && connection->failed ? refuse_io () : result;
}

EXPORT int
SSL_write (SSL *ssl, const void *buffer, int size)
{
  Connection *connection;

  NEXT (SSL_write);
  if (!UA_CALLED_FROM (&sofia))
    return next (ssl, buffer, size);
  ERR_clear_error ();
  connection = find_connection (ssl);
  if (connection != NULL && connection->failed)
    return refuse_io ();
  errno = 0;
  return next (ssl, buffer, size);
}

EXPORT X509 *
SSL_get1_peer_certificate (const SSL *ssl)
{
  NEXT (SSL_get1_peer_certificate);
  return UA_CALLED_FROM (&sofia) ? NULL : next (ssl);
}

/* 1.13 looks for it after the handshake, and is not to find out there. */
EXPORT const SSL_CIPHER *
SSL_get_current_cipher (const SSL *ssl)
{
  const SSL_CIPHER *cipher;
  Connection *connection;

  NEXT (SSL_get_current_cipher);
  cipher = next (ssl);
  if (cipher != NULL || !UA_CALLED_FROM (&sofia))
    return cipher;
  connection = find_connection (ssl);
  return connection != NULL && connection->failed ? sk_SSL_CIPHER_value (SSL_get_ciphers (ssl), 0) : NULL;
}

EXPORT int
SSL_shutdown (SSL *ssl)
{
  NEXT (SSL_shutdown);
  if (!UA_CALLED_FROM (&sofia))
    return next (ssl);
  ERR_clear_error ();
  if (!SSL_in_init (ssl))
    next (ssl);
  ERR_clear_error ();
  retire (ssl);
  return 1;
}

EXPORT void
SSL_free (SSL *ssl)
{
  Retired *old = NULL;

  NEXT (SSL_free);
  if (UA_CALLED_FROM (&sofia) && retired != NULL
      && g_hash_table_steal_extended (retired, ssl, NULL, (gpointer *)&old))
    {
      BIO_free (old->bio);
      SSL_CTX_free (old->ctx);
      g_free (old);
    }
  next (ssl);
}

EXPORT int
SSL_CTX_load_verify_locations (SSL_CTX *ctx, const char *file, const char *path)
{
  UaTlsPolicy *policy;

  NEXT (SSL_CTX_load_verify_locations);
  if (!UA_CALLED_FROM (&sofia))
    return next (ctx, file, path);
  policy = path != NULL && policies != NULL ? g_hash_table_lookup (policies, path) : NULL;
  if (policy != NULL && policy_index >= 0 && SSL_CTX_get_ex_data (ctx, policy_index) == NULL)
    SSL_CTX_set_ex_data (ctx, policy_index, policy_ref (policy));
  SSL_CTX_set_session_cache_mode (ctx, SSL_SESS_CACHE_OFF);
  return 1;
}

EXPORT int
SSL_CTX_use_certificate_file (SSL_CTX *ctx, const char *file, int type)
{
  NEXT (SSL_CTX_use_certificate_file);
  return UA_CALLED_FROM (&sofia) ? 1 : next (ctx, file, type);
}

EXPORT int
SSL_CTX_use_PrivateKey_file (SSL_CTX *ctx, const char *file, int type)
{
  NEXT (SSL_CTX_use_PrivateKey_file);
  return UA_CALLED_FROM (&sofia) ? 1 : next (ctx, file, type);
}

EXPORT int
SSL_CTX_check_private_key (const SSL_CTX *ctx)
{
  NEXT (SSL_CTX_check_private_key);
  return UA_CALLED_FROM (&sofia) ? 1 : next (ctx);
}

/* sofia's own, in tport_tls.c; its headers keep it to themselves. It is handed about as a pointer that the
 * dynamic linker fills in, and called back from the main loop. */
int tls_connect (void *magic, void *wait, tport_t *transport);

EXPORT int
tls_connect (void *magic, void *wait, tport_t *transport)
{
  int result;

  NEXT (tls_connect);
  if (!UA_CALLED_FROM (&sofia) && !UA_CALLED_FROM (&sofia_glib))
    return next (magic, wait, transport);
  ((su_wait_t *) wait)->revents &= ~(SU_WAIT_ERR | SU_WAIT_HUP);
  connecting = transport;
  result = next (magic, wait, transport);
  connecting = NULL;
  return result;
}

/* ---- start-up ---- */

static void
on_policy_gone (void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
  policy_unref (data);
}

static void
on_connection_gone (void *parent, void *data, CRYPTO_EX_DATA *ad, int index, long argl, void *argp)
{
  if (data != NULL)
    connection_free (data);
}

gboolean
ua_tls_init (GError **error)
{
  static const struct
  {
    const char *name;
    void (*ours) (void);
  } needed[] = {
    { "SSL_connect", (void (*) (void)) SSL_connect },
    { "SSL_accept", (void (*) (void)) SSL_accept },
    { "SSL_read", (void (*) (void)) SSL_read },
    { "SSL_write", (void (*) (void)) SSL_write },
    { "SSL_shutdown", (void (*) (void)) SSL_shutdown },
    { "SSL_CTX_load_verify_locations", (void (*) (void)) SSL_CTX_load_verify_locations },
  };

  if (!ua_module_find ("su_now", &sofia) || !ua_module_find ("su_glib_root_create", &sofia_glib))
    {
      g_set_error_literal (error, PHONE_ERROR, PHONE_ERROR_FAILED, "tls: sofia-sip is not a shared library");
      return FALSE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (needed); i++)
    if (!ua_module_imports (&sofia, needed[i].name)
        || dlsym (RTLD_DEFAULT, needed[i].name) != (void *)needed[i].ours)
      {
        g_set_error (error, PHONE_ERROR, PHONE_ERROR_FAILED,
                     "tls: this version of sofia-sip does not go through our %s ()", needed[i].name);
        return FALSE;
      }
  if (policy_index < 0)
    {
      policy_index = SSL_CTX_get_ex_new_index (0, NULL, NULL, NULL, on_policy_gone);
      connection_index = SSL_get_ex_new_index (0, NULL, NULL, NULL, on_connection_gone);
    }
  return TRUE;
}
