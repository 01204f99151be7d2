/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* sofia-sip calls OpenSSL; this program defines the functions that it calls, so the dynamic linker gives it
 * ours (how: see ua-clock.c; who else calls is passed on). Everything is done to the single SSL, not to
 * sofia's SSL_CTX. What is done: ua-tls-policy.c, ua-tls-connection.c, ua-tls-outgoing.c, ua-tls-incoming.c. How it comes to that:
 *
 *   SSL_CTX_load_verify_locations   gets the "path" from NUTAG_CERTIFICATE_DIR, which names the policy: bound
 *                                   to the context
 *   SSL_CTX_use_certificate_file... would read ./agent.pem: nothing
 *   SSL_get1_peer_certificate       sofia wants to collect names for checks of its own, and leaks them: none
 *   tls_connect                     sofia's own; tells for which transport, and so which host, a handshake is;
 *                                   is not shown that the peer hung up, see below
 *   tport_by_name                   sofia's own; does not find a connection that was checked for another host
 *   SSL_connect                     at first: versions, trust, SNI, our certificate; then handshake, outcome
 *   SSL_accept                      the same the other way round, see below
 *   SSL_read, SSL_write             clear OpenSSL's error queue first: sofia does not, and takes what another
 *                                   connection or an unreadable file left there for an error of this one;
 *                                   and wipe what was read before
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
 * every handshake: ua-tls-incoming.c.
 *
 * RFC 5922 (whom to expect), RFC 5280 (chains), RFC 6066 section 3 (SNI). */

#include "sip/ua-tls-private.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <sofia-sip/su_wait.h>

#include "sip/ua-admission.h"
#include "sip/ua-module.h"

PHONE_DEFINE_ENUM (UaTlsReason, ua_tls_reason, UA_TLS_REASON_LIST)

#define EXPORT __attribute__ ((visibility ("default")))

static UaModule sofia, sofia_glib;

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
  return UA_CALLED_FROM (&sofia) ? ua_tls_connect (ssl, next) : next (ssl);
}

EXPORT int
SSL_accept (SSL *ssl)
{
  NEXT (SSL_accept);
  return UA_CALLED_FROM (&sofia) ? ua_tls_accept (ssl, next) : next (ssl);
}

/* sofia reads into one buffer for as long as the connection lasts, and has copied out what was in it when it reads again. What is written
 * comes from the message itself. */
static void
wipe_read (UaTlsConnection *connection)
{
  if (connection == NULL || connection->read_buffer == NULL)
    return;
  explicit_bzero (connection->read_buffer, connection->n_read);
  connection->read_buffer = NULL;
}

EXPORT int
SSL_read (SSL *ssl, void *buffer, int size)
{
  UaTlsConnection *connection;
  int result;

  NEXT (SSL_read);
  if (!UA_CALLED_FROM (&sofia))
    return next (ssl, buffer, size);
  ERR_clear_error ();
  connection = ua_tls_connection_find (ssl);
  if (connection != NULL && connection->failed)
    return ua_tls_refuse_io ();
  wipe_read (connection);
  errno = 0;
  result = next (ssl, buffer, size);
  if (connection != NULL && result > 0)
    {
      connection->read_buffer = buffer;
      connection->n_read = (gsize) result;
    }
  if (connection != NULL && result <= 0)
    ua_tls_look_at_read_error (connection, ssl, result);
  else if (connection != NULL && !connection->heard)
    {
      connection->heard = TRUE;
      if (connection->incoming)
        ua_admission_prove (SSL_get_fd (ssl));
    }
  return connection != NULL && connection->failed ? ua_tls_refuse_io () : result;
}

EXPORT int
SSL_write (SSL *ssl, const void *buffer, int size)
{
  UaTlsConnection *connection;

  NEXT (SSL_write);
  if (!UA_CALLED_FROM (&sofia))
    return next (ssl, buffer, size);
  ERR_clear_error ();
  connection = ua_tls_connection_find (ssl);
  if (connection != NULL && connection->failed)
    return ua_tls_refuse_io ();
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
  UaTlsConnection *connection;

  NEXT (SSL_get_current_cipher);
  cipher = next (ssl);
  if (cipher != NULL || !UA_CALLED_FROM (&sofia))
    return cipher;
  connection = ua_tls_connection_find (ssl);
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
  NEXT (SSL_CTX_load_verify_locations);
  if (!UA_CALLED_FROM (&sofia))
    return next (ctx, file, path);
  ua_tls_policy_bind (ctx, path);
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
  ua_tls_set_connecting (transport);
  result = next (magic, wait, transport);
  ua_tls_set_connecting (NULL);
  return result;
}

/* Who gets the primary transport looks for a connection to that host there (tport_by_addrinfo ()), and makes one. */
EXPORT tport_t *
tport_by_name (tport_t const *self, tp_name_t const *name)
{
  tport_t *found;

  NEXT (tport_by_name);
  found = next (self, name);
  if (found == NULL || !UA_CALLED_FROM (&sofia) || ua_tls_connection_serves (found, name->tpn_canon))
    return found;
  return tport_parent (found);
}

/* ---- start-up ---- */

gboolean
ua_tls_init (GError **error)
{
  static const struct
  {
    const char *name;
    void (*ours) (void);
  } needed[] = {
    { "SSL_connect", (void (*) (void)) SSL_connect },
    { "tport_by_name", (void (*) (void)) tport_by_name },
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
  ua_tls_policy_init ();
  ua_tls_connection_init ();
  return TRUE;
}
